"""The audit log: a record of each change, written in the commit that makes the change.

So no change is without its record, and no record without its change. The rows of one day (UTC) have
one partition, sorted by time; a query walks from the newest day to the oldest.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from function.access.callers import ActingAccount, Actor, Uploader
from function.access.policy import Access
from function.access.quotas import crossed_warning
from function.audit.models import AuditQuery, AuditRecord
from function.aws.writes import Write
from function.base import Base
from function.core.errors import Invalid
from function.core.limits import DAY
from function.core.models import Caller
from function.core.paging import Page, PageQuery, Paging
from function.core.runtime import iso
from function.tables.accounts import Account, StorageAmount
from function.tables.audit import Action, AuditRecords, AuditRow, put_audit_record

DEFAULT_DAYS = 7  # of a query without `since`
CLOCK_SKEW = 60  # seconds that the clocks of two functions may differ by
BATCH_SIZE = 500  # rows in one read of a filtered query
# A filtered query reads rows that its answer does not have: after this many, the page ends early.
READ_LIMIT = 2_000
DAY_COST = 50  # what the query of one more day weighs, in rows
LAST = "~"  # sorts after every row of a day


class AuditLog:
    """Makes the writes of audit records; a service puts them into the commit of its change."""

    def __init__(self, base: Base) -> None:
        self._runtime = base.runtime
        self._keep_seconds = base.settings.audit_seconds

    def record(
        self,
        actor: Actor,
        action: Action,
        file_name: str | None = None,
        *,
        owner: str | None = None,
        subject: str | None = None,
    ) -> Write:
        """The write of one audit record.

        `owner` is the account whose data changes: the actor by default, and for an uploader the
        owner of the file request. `subject` is what else the action is about; never a secret.
        """
        now = self._runtime.now()
        row = AuditRow(
            at=iso(now),
            action=action,
            actor=actor.username,
            owner=owner or (actor.owner if isinstance(actor, Uploader) else actor.username),
            address=actor.address,
            agent=actor.agent,
            file_name=file_name,
            subject=subject,
            expires_at=int(now) + self._keep_seconds,
        )
        return put_audit_record(row, self._runtime.new_id())

    def quota_warning(self, owner: Account, more: StorageAmount) -> list[Write]:
        """The record `quota.warn` where `more` crosses a quota's warning threshold, else none."""
        actor = ActingAccount(owner.username, owner.id)
        crossed = " ".join(crossed_warning(owner, more))
        return [self.record(actor, "quota.warn", subject=crossed)] if crossed else []


class AuditService:
    """Queries the audit log."""

    def __init__(self, base: Base) -> None:
        self._access = base.one(Access)
        self._records = AuditRecords(base.db)
        self._runtime = base.runtime
        self._keep_seconds = base.settings.audit_seconds

    def list_records(self, caller: Caller, query: AuditQuery, page: PageQuery) -> Page[AuditRecord]:
        """A page of the records that match a query, the newest first.

        A page that has read READ_LIMIT rows ends early, even empty. Raises NotAllowed, Invalid,
        InvalidCursor.
        """
        if query.since and query.until and query.since > query.until:
            raise Invalid("Give a since that is before until.")
        account = self._access.authenticate(caller).account
        paging = Paging(page, account.id, f"audit {query.model_dump_json()}")
        position, since = paging.position or self._bounds(query)
        batch_size = BATCH_SIZE if query.username or query.action else paging.limit + 1
        found: list[AuditRecord] = []
        cost = 0
        for next_position, row in self._rows_before(position, since, batch_size):
            matches = row is not None and self._matches(row, query)
            if cost > READ_LIMIT or (matches and len(found) == paging.limit):
                return paging.page(found, [position, since])
            if row and matches:
                found.append(audit_view(row))
            cost += 1 if row else DAY_COST
            position = next_position
        return paging.page(found, None)

    def _rows_before(
        self, position: str, since: str, batch_size: int
    ) -> Iterator[tuple[str, AuditRow | None]]:
        """The rows before a position, each with its own; None where an earlier day begins."""
        day = date.fromisoformat(position[:10])
        while day.isoformat() >= since[:10]:
            more = True
            while more:
                rows, more = self._records.list_day(
                    day.isoformat(), before=position, limit=batch_size
                )
                for row_position, row in rows:
                    if row_position < since:
                        return
                    yield row_position, row
                    position = row_position
            day -= timedelta(days=1)
            position = day.isoformat() + LAST
            yield position, None

    def _bounds(self, query: AuditQuery) -> list[str]:
        """The positions `until` and `since` of a query, within the time that rows are kept."""
        newest = self._runtime.now() + CLOCK_SKEW
        oldest = newest - self._keep_seconds - DAY
        until = query.until.timestamp() if query.until else newest
        since = query.since.timestamp() if query.since else until - DEFAULT_DAYS * DAY
        return [iso(min(max(each, oldest), newest)) for each in (until, since)]

    def _matches(self, row: AuditRow, query: AuditQuery) -> bool:
        """Whether a row matches and has not expired: DynamoDB deletes expired rows late."""
        return (
            row.expires_at > self._runtime.now()
            and query.username in {None, row.actor, row.owner}
            and query.action in {None, row.action, row.action.partition(".")[0]}
        )


def audit_view(row: AuditRow) -> AuditRecord:
    """A record as administrators see it."""
    return AuditRecord(**row.model_dump(include=set(AuditRecord.model_fields)))
