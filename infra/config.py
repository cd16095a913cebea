"""The settings of a stack, with their types and ranges, checked before anything is created.

`Pulumi.yaml` gives each setting its meaning and default. Imports Pulumi and pydantic.
"""

import hashlib
import ipaddress
import json
import re
from typing import Annotated, Literal, Self

import pulumi
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    Json,
    StringConstraints,
    ValidationError,
    with_config,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, PydanticCustomError
from typing_extensions import TypedDict

MINUTE, HOUR, DAY = 60, 3_600, 86_400  # seconds
MIB = 1024 * 1024


def matches(pattern: str, meaning: str) -> AfterValidator:
    """Require that the whole of a text matches `pattern`; the error says what it is not."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise PydanticCustomError("pattern", "it is not {meaning}", {"meaning": meaning})
        return text

    return AfterValidator(check)


# Browsers send an origin without a path. Plain HTTP is safe only on the machine itself.
Origin = Annotated[
    str,
    matches(
        r"https://[a-z0-9.-]+(:[0-9]+)?|http://(localhost|127\.0\.0\.1)(:[0-9]+)?",
        "an origin such as https://files.example.org",
    ),
]
FileType = Annotated[
    str,
    matches(
        r"\.[a-z0-9._+-]+|[a-z]+/(\*|[a-z0-9.+-]+)",
        "an extension such as .pdf or a media type such as image/*",
    ),
]
# Each may be empty: the stack then has no administrator, or sends no mail.
Username = Annotated[
    str, StringConstraints(to_lower=True), matches(r"([a-z0-9._@+-]{3,64})?", "a username")
]
EmailAddress = Annotated[str, matches(r"([^@\s]+@[^@\s]+\.[^@\s]+)?", "an email address")]

SECRETS = {"administratorToken", "originSecret"}  # settings whose values no error repeats
MIN_PREFIX = 7  # bits: a shorter network would let a good part of the internet choose its address


def check_network(text: str) -> str:
    """Require a network in CIDR notation that is not nearly the whole internet."""
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise PydanticCustomError("network", "it is not a network such as 192.0.2.0/24") from None
    if network.prefixlen < MIN_PREFIX:
        raise PydanticCustomError("network", "it is too large to be trusted")
    return str(network)


Network = Annotated[str, AfterValidator(check_network)]
Secret = Annotated[
    str, matches(r"([A-Za-z0-9_-]{32,128})?", "32 to 128 letters, digits, hyphens or underscores")
]

Days = Annotated[int, Field(ge=1, le=3_650)]
Quota = Annotated[int, Field(ge=0, le=10**9)]

# The retention periods of CloudWatch Logs (API reference, PutRetentionPolicy). AWS refuses another
# number only in the middle of a deployment.
LogDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 2_192, 2_557,
    2_922, 3_288, 3_653,
]  # fmt: skip


@with_config(ConfigDict(extra="forbid"))
class UploadRule(TypedDict, total=False):
    """The files that one role can upload: without `types` any type, without `maxBytes` any size."""

    types: list[FileType]
    maxBytes: Annotated[int, Field(ge=1, strict=True)]


class StackConfig(BaseModel):
    """The settings of one stack, in the order of `Pulumi.yaml`.

    Pulumi hands over each value as text, in which lists and objects are JSON.
    """

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    protect: bool
    paused: bool
    allowed_origins: Json[list[Origin]]
    session_hours: Annotated[int, Field(ge=1, le=8_760)]
    idle_minutes: Annotated[int, Field(ge=5, le=525_600)]
    require_mfa: Literal["none", "admins", "all"]
    password_min_length: Annotated[int, Field(ge=8, le=64)]
    keep_days: Days
    keep_versions: Annotated[int, Field(ge=1, le=1_000)]
    administrator: Username
    administrator_token: Secret
    registration: Literal["open", "invite", "closed"]
    default_role: Literal["member", "client"]
    quota_mb: Quota
    quota_files: Quota
    upload_rules: Json[dict[Literal["admin", "member", "client"], UploadRule]]
    reconcile: bool
    audit_days: Days
    mail_from: EmailAddress
    log_retention_days: Json[LogDays]
    throttle_rate: Annotated[int, Field(ge=1, le=10_000)]
    throttle_burst: Annotated[int, Field(ge=1, le=5_000)]
    memory_mb: Annotated[int, Field(ge=512, le=10_240)]
    trusted_proxies: Json[list[Network]]
    origin_secret: Secret

    @classmethod
    def load(cls) -> Self:
        """Read the settings of the stack that is being deployed.

        Raises pulumi.ConfigMissingError for a missing setting and ValueError, which names each
        wrong one.
        """
        config = pulumi.Config()
        keys = [to_camel(name) for name in cls.model_fields]
        try:
            return cls.model_validate({key: config.require(key) for key in keys})
        except ValidationError as error:
            raise ValueError("; ".join(map(_sentence, error.errors()))) from None

    def function_settings(self) -> dict[str, int | str]:
        """The settings that the function reads, in the units of `function.contract`."""
        return {
            "session_seconds": self.session_hours * HOUR,
            "idle_seconds": self.idle_minutes * MINUTE,
            "require_mfa": self.require_mfa,
            "keep_seconds": self.keep_days * DAY,
            "password_min_length": self.password_min_length,
            "administrator": self.administrator,
            "administrator_token_hash": _hash(self.administrator_token),
            "registration": self.registration,
            "default_role": self.default_role,
            "quota": self.quota_mb * MIB,
            "files_quota": self.quota_files,
            "keep_versions": self.keep_versions,
            "upload_rules": json.dumps(self.upload_rules, sort_keys=True, separators=(",", ":")),
            "audit_seconds": self.audit_days * DAY,
            "mail_from": self.mail_from,
            "reconcile": int(self.reconcile),
            "trusted_proxies": ",".join(self.trusted_proxies),
            "origin_secret_hash": _hash(self.origin_secret),
        }


def _hash(secret: str) -> str:
    """The SHA-256 of a secret, which the function compares with; "" for none."""
    return secret and hashlib.sha256(secret.encode()).hexdigest()


def _sentence(error: ErrorDetails) -> str:
    """One error of pydantic, such as `keepDays = 0: Input should be …`."""
    value = "…" if error["loc"][0] in SECRETS else error["input"]
    return f"{'.'.join(map(str, error['loc']))} = {value}: {error['msg']}"
