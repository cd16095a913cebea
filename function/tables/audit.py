"""What the tables hold of who did what. Imports `records` alone."""

from typing import Literal

from function.aws.dynamodb import Dynamo
from function.aws.rows import Key, Row
from function.aws.writes import Write, put
from function.contract import FILES

# What an audit row records: a noun, and the verb that happened to it. Clients filter by them.
Action = Literal[
    "account.create",
    "account.delete",
    "account.update",
    "file.copy",
    "file.delete",
    "file.move",
    "file.purge",
    "file.update",
    "file.upload",
    "folder.move",
    "group.create",
    "group.delete",
    "invite.create",
    "invite.delete",
    "key.create",
    "key.delete",
    "link.create",
    "link.delete",
    "link.download",
    "link.update",
    "member.create",
    "member.delete",
    "mfa.create",
    "mfa.disable",
    "mfa.enable",
    "password.issue_reset",
    "password.request_reset",
    "password.reset",
    "password.update",
    "quota.warn",
    "request.create",
    "request.delete",
    "request.update",
    "request.upload",
    "session.delete",
    "session.login",
    "session.logout",
    "session.logout_all",
    "share.create",
    "share.delete",
    "trash.delete",
    "trash.restore",
    "version.restore",
]


class AuditRow(Row):
    """One change: who did it (`actor`) to whose (`owner`) what, when and from where.

    `action` is a noun and a verb, such as `file.upload`; `subject` is what else it was about: the
    new name, the grantee, the id of a link. Nothing secret is ever in it.
    """

    at: str
    action: str
    actor: str
    owner: str
    address: str
    agent: str
    file_name: str | None = None
    subject: str | None = None
    expires_at: int = 0


def audit_partition(day: str) -> str:
    """The record of a day, written as ISO 8601 writes it."""
    return f"~audit/{day}"


def put_audit_row(row: AuditRow, nonce: str) -> Write:
    """Notes a change, in the commit that makes it."""
    key = Key(FILES, audit_partition(row.at[:10]), f"{row.at}/{nonce}")
    return put(key, row)


class AuditRecords:
    """The record, a day at a time."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table files through `db`."""
        self._db = db

    def list_day(
        self, day: str, *, before: str, limit: int
    ) -> tuple[list[tuple[str, AuditRow]], bool]:
        """What was noted on a day before a place in the record, the newest first; and if more was.

        Each with its place. A day's whole record is before the next day.
        """
        page = self._db.query(
            FILES, audit_partition(day), after=before, limit=limit, descending=True
        )
        rows = [(str(item["name"]), AuditRow.model_validate(item)) for item in page.items]
        return rows, page.more
