"""The contract between the stack and the function: settings, tables, and the events of AWS.

`__main__.py` and the function both import this module, so each name is written once. A setting that
is missing, unknown or of the wrong type raises in the program that declares it. This module imports
the standard library alone, and no other module of the function reads the environment.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

VERSION = "0.1.0"
PREFIX = "SATCHEL_"
# Settings that may be empty.
OPTIONAL = {
    "administrator", "administrator_token_hash", "mail_from", "trusted_proxies",
    "origin_secret_hash",
}  # fmt: skip
# The events of the two EventBridge rules: every five minutes to delete what has expired, each day
# to reconcile the counters with the rows.
SCHEDULE = "satchel"
SWEEP_EVENT = {SCHEDULE: "sweep"}
RECONCILE_EVENT = {SCHEDULE: "reconcile"}
# Those of an operator: a run that changes nothing, and one that believes the rows.
DRY_RUN_EVENT = {SCHEDULE: "reconcile", "mode": "dry-run"}
CONFIRMED_EVENT = {SCHEDULE: "reconcile", "mode": "confirmed"}
# The suffix of the object key of an upload by a single PUT. S3 sends a notification for each new
# object with this suffix, and the function then completes the upload.
SINGLE_PUT_SUFFIX = ".put"


@dataclass(frozen=True)
class Index:
    """A global secondary index: its name and the attributes of its key.

    It is eventually consistent, so no permission is ever decided by it.
    """

    name: str
    partition: str
    sort: str


@dataclass(frozen=True)
class Table:
    """A DynamoDB table. `name` is the setting that has the name of the deployed table.

    Every key attribute is a string. `ttl` is the attribute with the expiry in epoch seconds.
    """

    name: str
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
FILES = Table("files", "partition", "name", ttl="expires_at")
TABLES = (USERS, SESSIONS, SHARES, FILES)


@dataclass(frozen=True)
class Settings:
    """The settings of a deployment; each is one environment variable.

    `bucket` and the four after it are names of the deployed bucket and tables. Times are seconds.
    `hash_memory` is KiB and `hash_passes` the passes of Argon2id (RFC 9106). A new account has a
    `quota` in bytes and a `files_quota` in files; 0 is no limit. `upload_rules` is JSON: for each
    role, `types` and `maxBytes`. `administrator` and `mail_from` are empty where there is none.
    `administrator_token_hash` is the SHA-256 of the token with which the administrator registers.
    `stack` is the name of the stack. `reconcile` is 1 if the daily reconciliation runs, else 0.
    `require_mfa` says which accounts must have a second factor: `none`, `admins` or `all`.
    `trusted_proxies` are networks in CIDR notation, separated by commas, and `origin_secret_hash`
    is a SHA-256; both are empty where no proxy is trusted.
    """

    stack: str
    bucket: str
    users: str
    sessions: str
    shares: str
    files: str
    session_seconds: int
    idle_seconds: int
    keep_seconds: int
    password_min_length: int
    hash_memory: int
    hash_passes: int
    administrator: str
    administrator_token_hash: str
    registration: str
    default_role: str
    quota: int
    files_quota: int
    keep_versions: int
    upload_rules: str
    audit_seconds: int
    require_mfa: str
    mail_from: str
    reconcile: int
    trusted_proxies: str
    origin_secret_hash: str


def is_background_event(event: Mapping[str, Any]) -> bool:
    """Whether an event comes from the SQS queue or from a schedule, not from the HTTP API."""
    return "Records" in event or SCHEDULE in event


def in_lambda() -> bool:
    """Whether this process runs in AWS Lambda, which defines this environment variable."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def variable(setting: str) -> str:
    """The name of the environment variable with a setting."""
    return PREFIX + setting.upper()


def environment(**values: Any) -> dict[str, Any]:
    """The function's environment variables for the stack's settings.

    A value may be a Pulumi output, whose type is checked when the function reads it. Raises
    TypeError where a setting is missing or unknown, or a plain value has the wrong type.
    """
    types = {field.name: field.type for field in fields(Settings)}
    if wrong := types.keys() ^ values.keys():
        raise TypeError(f"missing or unknown settings: {', '.join(sorted(wrong))}")
    for name, value in values.items():
        is_plain = isinstance(value, str | int | float | bool | None)
        if is_plain and type(value) is not types[name]:
            raise TypeError(f"setting {name} must be {types[name]}, not {value!r}")
    return {
        variable(name): str(value) if isinstance(value, int) else value
        for name, value in values.items()
    }


def settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in the environment variables; by default those of this process.

    Raises RuntimeError that names the variable which is missing or malformed.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for field in fields(Settings):
        text = environ.get(variable(field.name), "")
        missing = not text and field.name not in OPTIONAL
        if missing or (field.type is int and not text.isdecimal()):
            raise RuntimeError(f"{variable(field.name)} is missing or malformed")
        values[field.name] = int(text) if field.type is int else text
    return Settings(**values)
