"""The audit log in the table files: who did what to whose data, when and from where.

A record is written in the commit of the change. The partition is a day, so the log
of all accounts is read backwards in time.
"""

from typing import Literal

from function.aws.dynamodb import Dynamo, QueryPage
from function.aws.rows import Key, Row
from function.aws.writes import Write, put
from function.contract import FILES

# A noun and a verb. Clients of the audit log filter by them.
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
    """An action: the user name of its `actor`, and of the `owner` of what it changed.

    `at` is ISO 8601; `address` is the client's IP address and `agent` its User-Agent. `file_name`
    is the file or folder, `subject` what else the action was about: a new name, a grantee, the id
    of a link. A record never contains a secret. It expires at `expires_at` (epoch seconds).
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
    """The partition of a day, which is a date of ISO 8601."""
    return f"~audit/{day}"


def put_audit_record(row: AuditRow, nonce: str) -> Write:
    """Records an action, in the commit that performs it."""
    key = Key(FILES, audit_partition(row.at[:10]), f"{row.at}/{nonce}")
    return put(key, row)


class AuditRecords:
    """Queries of the audit log."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def list_day(self, day: str, *, before: str, limit: int) -> QueryPage[tuple[str, AuditRow]]:
        """The rows of a day with their sort keys, the latest first, before the key `before`."""
        page = self._db.query(
            FILES, audit_partition(day), after=before, limit=limit, descending=True
        )
        return page.map(lambda item: (str(item["name"]), AuditRow.model_validate(item)))
