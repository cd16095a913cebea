"""The tags of the OpenAPI document: its chapters, in the order in which people need them."""

from typing import NamedTuple


class Tag(NamedTuple):
    """A chapter, and the first segments of the paths that it has."""

    name: str
    description: str
    segments: tuple[str, ...]


TAGS = (
    Tag(
        "Account",
        "Register, log in and out; your password, sessions, API keys and second factor.",
        ("register", "login", "logout", "me", "password", "sessions", "keys", "mfa"),
    ),
    Tag(
        "Files",
        "Put, get, list, search, change, copy and delete files of up to 4 MiB; download any file.",
        ("file", "files", "changes", "copy", "jobs", "download"),
    ),
    Tag(
        "Versions and trash",
        "A file that is replaced becomes a version, and a deleted one goes to the trash.",
        ("versions", "restore", "trash"),
    ),
    Tag("Uploads", "Files of any size, sent straight to S3, in parts if need be.", ("uploads",)),
    Tag(
        "Sharing",
        "Share files and folders with accounts and groups, to read or to write.",
        ("share", "shares", "groups"),
    ),
    Tag(
        "Links",
        "Addresses that open files to people without an account, and what those people can do.",
        ("links", "send", "s"),
    ),
    Tag(
        "File requests",
        "Addresses at which people without an account upload files to you.",
        ("requests", "r"),
    ),
    Tag(
        "Administration",
        "Invitations, accounts, quotas, usage and the audit log.",
        ("invites", "users", "usage", "audit"),
    ),
    Tag("Uppy", "Companion's protocol, for the upload widget Uppy in a browser.", ("s3",)),
    Tag(
        "About",
        "Whether the API answers, what it can do, and what its errors mean.",
        ("health", "info", "problems", "openapi.json", "docs", ""),
    ),
)
TAG_OF = {segment: tag.name for tag in TAGS for segment in tag.segments}

TAG_ORDER = [tag.name for tag in TAGS]


def tag_of(path: str) -> str:
    """The name of the tag that a path belongs to."""
    return TAG_OF[path[1:].partition("/")[0]]
