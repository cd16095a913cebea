"""The query of the audit log, and the records that it answers."""

from typing import Annotated

from pydantic import AwareDatetime

from function.core.fields import Username, described_pattern
from function.core.models import Closed

ActionFilter = Annotated[
    str,
    described_pattern(
        r"^[a-z]{1,30}(\.[a-z_]{1,30})?$", "a noun, or a noun and a verb, such as file.upload"
    ),
]


class AuditQuery(Closed):
    """A filter of records: `username` is actor or owner, `since` is included and `until` is not."""

    username: Username | None = None
    action: ActionFilter | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class AuditRecord(Closed):
    """One change: who (`actor`) did what to whose (`owner`), when and from where.

    An actor that begins with `~` is not an account, but a holder of the link or of the file request
    of that id; `~stranger` has proven nothing. Refusals are counted by account and address in
    quarters of an hour: `at` is the beginning of one, and `count` how many there were.
    """

    at: str
    action: str
    actor: str
    owner: str
    file_name: str | None
    subject: str | None
    address: str
    agent: str
    count: int
