"""The record of who changed what: a shelf for each day, of which no user name can be the owner."""

from function.audit_records import AuditRow
from function.contract import FILES
from function.stores.dynamo import Dynamo
from function.stores.rows import Key, Write


def audit_shelf(day: str) -> str:
    """The record of a day, written as ISO 8601 writes it."""
    return f"~audit/{day}"


def noted(row: AuditRow, nonce: str) -> Write:
    """Notes a change, in the commit that makes it."""
    key = Key(FILES, audit_shelf(row.at[:10]), f"{row.at}/{nonce}")
    return Write("Put", key, item={**key.item(), **row.model_dump()})


class Records:
    """The record, a day at a time."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table files through `db`."""
        self._db = db

    def of(self, day: str, *, before: str, limit: int) -> tuple[list[tuple[str, AuditRow]], bool]:
        """What was noted on a day before a place in the record, the newest first; and if more was.

        Each with its place. A day's whole record is before the next day.
        """
        page = self._db.query(FILES, audit_shelf(day), after=before, limit=limit, newest=True)
        rows = [(str(item["name"]), AuditRow.model_validate(item)) for item in page.items]
        return rows, page.more
