"""What is asked of the record of changes, and answered. Imports `fields` and `models`."""

from typing import Annotated

from pydantic import AwareDatetime

from function.core.fields import Username, described_pattern
from function.core.models import Closed

# A noun, or a noun and a verb.
Action = Annotated[
    str,
    described_pattern(
        r"^[a-z]{1,30}(\.[a-z_]{1,30})?$", "a noun, or a noun and a verb, such as file.put"
    ),
]


class AuditQuery(Closed):
    """Which records: of an account, as actor or owner; of an action; from when till before when."""

    username: Username | None = None
    action: Action | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class AuditRecord(Closed):
    """One change: who (`actor`) did what to whose (`owner`), when and from where.

    An actor that begins with `~` is no account: whoever had the address of the link or request of
    that id.
    """

    at: str
    action: str
    actor: str
    owner: str
    file_name: str | None
    subject: str | None
    address: str
    agent: str
