"""The audit log in the table files: who did what to whose data, when and from where.

A record is written in the commit of the change. The records of all accounts are spread at random
over sixteen partitions, because DynamoDB writes about a thousand rows a second to one; a reader
merges the sixteen by time. Earlier releases had one partition for each day; its rows are still read
until they expire.
"""

from typing import Literal

from function.aws.dynamodb import Dynamo, QueryPage
from function.aws.rows import Key, Row
from function.aws.writes import Write, below, missing, put, update
from function.contract import FILES
from function.core.tokens import token_hash

# A noun and a verb. Clients of the audit log filter by them.
Action = Literal[
    "access.refused",
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
    "member.invite",
    "mfa.create",
    "mfa.disable",
    "mfa.enable",
    "mfa.refused",
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
    "session.refused",
    "share.create",
    "share.delete",
    "throttled",
    "trash.delete",
    "trash.restore",
    "version.restore",
]


SHARDS = "0123456789abcdef"


class AuditRow(Row):
    """An action: the user name of its `actor`, and of the `owner` of what it changed.

    `at` is ISO 8601; `address` is the client's IP address and `agent` its User-Agent. `file_name`
    is the file or folder, `subject` what else the action was about: a new name, a grantee, the id
    of a link. A record never contains a secret. It expires at `expires_at` (epoch seconds).

    Refusals are counted: one row is for all of one `action`, `owner` and network in a window of
    time that begins at `at`. `count` is how many; `address` and `agent` are those of the last one.
    """

    at: str
    action: str
    actor: str
    owner: str
    address: str
    agent: str
    file_name: str | None = None
    subject: str | None = None
    count: int | None = None
    expires_at: int = 0


def audit_partition(shard: str) -> str:
    """The partition of a shard, or of a day (ISO 8601) whose records an earlier release wrote."""
    return f"~audit/{shard}"


def put_audit_record(row: AuditRow, nonce: str) -> Write:
    """Records an action, in the commit that performs it. `nonce` is random hexadecimal digits."""
    key = Key(FILES, audit_partition(nonce[0]), f"{row.at}/{nonce}")
    return put(key, row)


def count_refusal(row: AuditRow, network: str, limit: int | None = None) -> Write:
    """Counts a refusal in the row of its window, unless that has counted `limit` of them."""
    nonce = token_hash(f"{row.action} {row.actor} {row.owner} {network}")
    key = Key(FILES, audit_partition(nonce[0]), f"{row.at}/{nonce}")
    fields = row.model_dump(exclude={"count"})
    when = missing("count") | below(count=limit) if limit else None
    return update(key, add={"count": 1}, set=fields, when=when)


class AuditRecords:
    """Queries of the audit log."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def list_records(
        self, shard: str, *, before: str, limit: int
    ) -> QueryPage[tuple[str, AuditRow]]:
        """The rows of a shard, or of a day, with their sort keys: the latest before `before`."""
        page = self._db.query(
            FILES, audit_partition(shard), after=before, limit=limit, descending=True
        )
        return page.map(lambda item: (str(item["name"]), AuditRow.model_validate(item)))
