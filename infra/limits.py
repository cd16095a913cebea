"""What AWS would refuse in the middle of a deployment: names and sizes, checked before it begins.

Imports Pulumi.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import pulumi

# Pulumi adds a hyphen and seven hexadecimal digits to a name, so that no other resource has it.
NAME_SUFFIX = "-0000000"
# The name of the stack is part of each name. The longest is that of the dead-letter queue, and SQS
# takes 80 characters; S3 takes no capitals and no underscores in the name of a bucket.
STACK_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
MAX_STACK_NAME = 30
# Of all variables together, as one JSON object (AWS Lambda quotas).
MAX_ENVIRONMENT_BYTES = 4_096
# For a value that is known only when it has been created or decrypted: a SHA-256 in hexadecimal.
UNKNOWN = "0" * 64


def require_stack_name(name: str) -> None:
    """Require a name of the stack that each resource can have in its own. Raises ValueError."""
    if not STACK_NAME.fullmatch(name) or len(name) > MAX_STACK_NAME:
        raise ValueError(
            f"The stack is named {name}. Choose a name of at most {MAX_STACK_NAME} lower-case "
            "letters, digits and hyphens, such as production: AWS accepts no other in the names of "
            "its resources"
        )


def require_environment(variables: Mapping[str, Any]) -> None:
    """Require variables that Lambda can hold. Raises ValueError that names the longest."""
    known = {
        name: UNKNOWN if isinstance(value, pulumi.Output) else value
        for name, value in variables.items()
    }
    size = len(json.dumps(known, separators=(",", ":"), ensure_ascii=False).encode())
    if size > MAX_ENVIRONMENT_BYTES:
        longest = max(known, key=lambda name: len(known[name]))
        raise ValueError(
            f"The settings take {size:,} bytes as environment variables, and Lambda holds "
            f"{MAX_ENVIRONMENT_BYTES:,}. Shorten {longest}, which has {len(known[longest]):,}"
        )
