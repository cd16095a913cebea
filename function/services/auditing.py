"""The record of changes, as administrators ask for it: the newest first, page by page.

However few of the records are wanted, a page looks at so many only, and may end early, with a
cursor.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from function.audit_models import AuditQuery, AuditRecord
from function.audit_records import AuditRow
from function.errors import Invalid
from function.models import Caller
from function.services.access import Access
from function.services.cursors import seal, unseal
from function.services.origins import Origins, iso
from function.stores.audit import Records

DAY = 86_400
DEFAULT_DAYS = 7
LATE = 60  # seconds by which clocks may differ
READ_AT_ONCE, MOST_LOOKS = 500, 2_000
LOOKS_OF_A_DAY = 50  # what it weighs to ask for another day
LAST = "~"  # comes after every place in a day


class AuditService:
    """Answers who did what."""

    def __init__(
        self, access: Access, records: Records, origins: Origins, keep_seconds: int
    ) -> None:
        """`keep_seconds` is how long records are kept; nothing older is looked for."""
        self._access = access
        self._records = records
        self._from = origins
        self._keep_seconds = keep_seconds

    def page(
        self, caller: Caller, asked: AuditQuery, limit: int, cursor: str | None
    ) -> tuple[list[AuditRecord], str | None]:
        """Records that were asked for, of seven days by default, and the cursor of the next.

        Raises Invalid, InvalidCursor.
        """
        if asked.since and asked.until and asked.since > asked.until:
            raise Invalid("Give a since that is before until.")
        account = self._access.open(caller).account
        of = f"audit {asked.model_dump_json()}"
        place, since = unseal(cursor, account.id, of) or self._bounds(asked)
        at_once = READ_AT_ONCE if asked.username or asked.action else limit + 1
        found: list[AuditRecord] = []
        looks = 0
        for at, row in self._before(place, since, at_once):
            wanted = row is not None and self._wanted(row, asked)
            if looks > MOST_LOOKS or (wanted and len(found) == limit):
                return found, seal([place, since], account.id, of)
            if row and wanted:
                found.append(view(row))
            looks += 1 if row else LOOKS_OF_A_DAY
            place = at
        return found, None

    def _before(
        self, place: str, since: str, at_once: int
    ) -> Iterator[tuple[str, AuditRow | None]]:
        """The records before a place, each with its own; and where a day begins, none."""
        day = date.fromisoformat(place[:10])
        while day.isoformat() >= since[:10]:
            more = True
            while more:
                rows, more = self._records.of(day.isoformat(), before=place, limit=at_once)
                for each in rows:
                    if each[0] < since:
                        return
                    yield each
                    place = each[0]
            day -= timedelta(days=1)
            place = day.isoformat() + LAST
            yield place, None

    def _bounds(self, asked: AuditQuery) -> list[str]:
        """Before which place, and since when; nothing is kept from before `oldest`."""
        newest = self._from.now() + LATE
        oldest = newest - self._keep_seconds - DAY
        until = asked.until.timestamp() if asked.until else newest
        since = asked.since.timestamp() if asked.since else until - DEFAULT_DAYS * DAY
        return [iso(min(max(each, oldest), newest)) for each in (until, since)]

    def _wanted(self, row: AuditRow, asked: AuditQuery) -> bool:
        """Whether it was asked for, and is still kept: the table removes rows late."""
        return (
            row.expires_at > self._from.now()
            and asked.username in {None, row.actor, row.owner}
            and asked.action in {None, row.action, row.action.partition(".")[0]}
        )


def view(row: AuditRow) -> AuditRecord:
    """A record as administrators see it."""
    return AuditRecord(**row.model_dump(include=set(AuditRecord.model_fields)))
