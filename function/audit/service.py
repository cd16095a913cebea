"""Noting who changed what: each change's record is one more write of its own commit."""

from collections.abc import Iterator
from datetime import date, timedelta

from function.access.policy import Access, ActingAccount, Anonymous, Uploader
from function.access.quotas import crossed_warning
from function.audit.models import AuditQuery, AuditRecord
from function.aws.writes import Write
from function.base import Base
from function.core.errors import Invalid
from function.core.models import Caller
from function.core.paging import Page, PageQuery, Paging
from function.core.runtime import iso
from function.tables.accounts import Account, Load
from function.tables.audit import Action, AuditRecords, AuditRow, put_audit_row

DAY = 86_400
DEFAULT_DAYS = 7
LATE = 60  # seconds by which clocks may differ
READ_AT_ONCE, MOST_LOOKS = 500, 2_000
LOOKS_OF_A_DAY = 50  # what it weighs to ask for another day
LAST = "~"  # comes after every place in a day


class AuditTrail:
    """Makes the records."""

    def __init__(self, base: Base) -> None:
        self._runtime = base.runtime
        self._keep_seconds = base.settings.audit_seconds

    def record(
        self,
        who: Caller | Anonymous | ActingAccount | Uploader,
        action: Action,
        file_name: str | None = None,
        *,
        owner: str | None = None,
        subject: str | None = None,
    ) -> Write:
        """The record of one change; `owner` is whose it is, the actor's own by default."""
        now = self._runtime.now()
        row = AuditRow(
            at=iso(now),
            action=action,
            actor=who.username,
            owner=owner or (who.owner if isinstance(who, Uploader) else who.username),
            address=who.address,
            agent=who.agent,
            file_name=file_name,
            subject=subject,
            expires_at=int(now) + self._keep_seconds,
        )
        return put_audit_row(row, self._runtime.new_id())

    def quota_warning(self, owner: Account, more: Load) -> list[Write]:
        """A record for the commit by which an account crosses four fifths of a quota."""
        who = ActingAccount(owner.username, owner.id)
        crossed = " ".join(crossed_warning(owner, more))
        return [self.record(who, "quota.warn", subject=crossed)] if crossed else []


class AuditService:
    """Answers who did what."""

    def __init__(self, base: Base) -> None:
        self._access = base.one(Access)
        self._records = AuditRecords(base.db)
        self._runtime = base.runtime
        self._keep_seconds = base.settings.audit_seconds

    def list_records(self, caller: Caller, asked: AuditQuery, page: PageQuery) -> Page[AuditRecord]:
        """The records of a query, the newest first; of seven days by default.

        A page ends early where few of the rows that it read match. Raises Invalid, InvalidCursor.
        """
        if asked.since and asked.until and asked.since > asked.until:
            raise Invalid("Give a since that is before until.")
        account = self._access.authenticate(caller).account
        paging = Paging(page, account.id, f"audit {asked.model_dump_json()}")
        place, since = paging.position or self._bounds(asked)
        at_once = READ_AT_ONCE if asked.username or asked.action else paging.limit + 1
        found: list[AuditRecord] = []
        looks = 0
        for at, row in self._before(place, since, at_once):
            wanted = row is not None and self._wanted(row, asked)
            if looks > MOST_LOOKS or (wanted and len(found) == paging.limit):
                return paging.page(found, [place, since])
            if row and wanted:
                found.append(audit_view(row))
            looks += 1 if row else LOOKS_OF_A_DAY
            place = at
        return paging.page(found, None)

    def _before(
        self, place: str, since: str, at_once: int
    ) -> Iterator[tuple[str, AuditRow | None]]:
        """The records before a place, each with its own; and where a day begins, none."""
        day = date.fromisoformat(place[:10])
        while day.isoformat() >= since[:10]:
            more = True
            while more:
                rows, more = self._records.list_day(day.isoformat(), before=place, limit=at_once)
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
        newest = self._runtime.now() + LATE
        oldest = newest - self._keep_seconds - DAY
        until = asked.until.timestamp() if asked.until else newest
        since = asked.since.timestamp() if asked.since else until - DEFAULT_DAYS * DAY
        return [iso(min(max(each, oldest), newest)) for each in (until, since)]

    def _wanted(self, row: AuditRow, asked: AuditQuery) -> bool:
        """Whether it was asked for, and is still kept: the table removes rows late."""
        return (
            row.expires_at > self._runtime.now()
            and asked.username in {None, row.actor, row.owner}
            and asked.action in {None, row.action, row.action.partition(".")[0]}
        )


def audit_view(row: AuditRow) -> AuditRecord:
    """A record as administrators see it."""
    return AuditRecord(**row.model_dump(include=set(AuditRecord.model_fields)))
