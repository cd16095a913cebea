"""What the tables hold of who did what. Imports `records` alone."""

from function.records import Row


class AuditRow(Row):
    """One change: who did it (`actor`) to whose (`owner`) what, when and from where.

    `action` is a noun and a verb, such as `file.put`; `subject` is what else it was about: the new
    name, the grantee, the id of a link. Nothing secret is ever in it.
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
