"""The record of who changed what: a shelf for each day, of which no user name can be the owner."""

from function.audit_records import AuditRow
from function.contract import FILES
from function.stores.rows import Key, Write


def audit_shelf(day: str) -> str:
    """The record of a day, written as ISO 8601 writes it."""
    return f"~audit/{day}"


def noted(row: AuditRow, nonce: str) -> Write:
    """Notes a change, in the commit that makes it."""
    key = Key(FILES, audit_shelf(row.at[:10]), f"{row.at}/{nonce}")
    return Write("Put", key, item={**key.item(), **row.model_dump()})
