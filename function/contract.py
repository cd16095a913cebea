"""What the stack promises the function: its settings, and the shape of its tables.

The one module that both `__main__.py` and the function import, so a name is written once. A setting
that is missing, unknown or of the wrong kind fails when the program that declares it runs.
Standard library only; the only module of the function that reads the environment.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

VERSION = "0.1.0"
PREFIX = "SATCHEL_"
OPTIONAL = {"administrator", "mail_from"}
# What the schedules send, and the end of the keys that the bucket tells the queue of.
SWEEP = {"satchel": "sweep"}
RECONCILE = {"satchel": "reconcile"}
ARRIVING = ".put"


@dataclass(frozen=True)
class Index:
    """A global secondary index. It is eventually consistent, so no right is ever decided by it."""

    name: str
    partition: str
    sort: str


@dataclass(frozen=True)
class Table:
    """The keys of one table; every key is a string, and `ttl` names its expiry in epoch seconds."""

    noun: str
    partition: str
    sort: str | None = None
    index: Index | None = None
    ttl: str | None = None


USERS = Table("users", "username")


SESSIONS = Table(
    "sessions", "token_hash", index=Index("by_user", "username", "created"), ttl="expires_at"
)


SHARES = Table(
    "shares", "grantee", "file", index=Index("by_file", "file", "grantee"), ttl="expires_at"
)


FILES = Table("files", "shelf", "name", ttl="expires_at")


TABLES = (USERS, SESSIONS, SHARES, FILES)


@dataclass(frozen=True)
class Settings:
    """Everything the stack decides for the function; one environment variable a field.

    Times are seconds. `hash_memory` is KiB and `hash_passes` the passes of Argon2id (RFC 9106).
    `quota` is bytes and `files_quota` files of a new account, 0 for no limit. `upload_rules` is
    JSON: by role, `types` and `maxBytes`. `administrator` and `mail_from` may be empty: none.
    """

    bucket: str
    users: str
    sessions: str
    shares: str
    files: str
    session_seconds: int
    keep_seconds: int
    password_min_length: int
    hash_memory: int
    hash_passes: int
    administrator: str
    registration: str
    default_role: str
    quota: int
    files_quota: int
    keep_versions: int
    upload_rules: str
    audit_seconds: int
    mail_from: str


def is_event(event: Mapping[str, Any]) -> bool:
    """Whether the function was called by the queue or by a schedule, and not by a request."""
    return "Records" in event or event in (SWEEP, RECONCILE)


def in_lambda() -> bool:
    """Whether this process is a Lambda, whose runtime sets this variable (AWS Lambda, runtimes)."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def variable(setting: str) -> str:
    """The environment variable that carries a setting."""
    return PREFIX + setting.upper()


def environment(**values: Any) -> dict[str, Any]:
    """The function's environment from the stack's values, which may be outputs not yet known.

    Raises TypeError when a setting is missing or unknown, or a plain value is of the wrong kind.
    """
    kinds = {field.name: field.type for field in fields(Settings)}
    if wrong := kinds.keys() ^ values.keys():
        raise TypeError(f"missing or unknown settings: {', '.join(sorted(wrong))}")
    for name, value in values.items():
        plain = isinstance(value, str | int | float | bool | None)
        if plain and type(value) is not kinds[name]:
            raise TypeError(f"setting {name} must be {kinds[name]}, not {value!r}")
    return {
        variable(name): str(value) if isinstance(value, int) else value
        for name, value in values.items()
    }


def settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings as this process was given them. Raises RuntimeError naming what is wrong."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for field in fields(Settings):
        text = environ.get(variable(field.name), "")
        missing = not text and field.name not in OPTIONAL
        if missing or (field.type is int and not text.isdecimal()):
            raise RuntimeError(f"{variable(field.name)} is missing or malformed")
        values[field.name] = int(text) if field.type is int else text
    return Settings(**values)
