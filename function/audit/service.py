"""The audit log: a record of each change, written in the commit that makes the change.

So no change is without its record, and no record without its change. The rows lie in sixteen
shards, each sorted by time; a query merges them from the newest row to the oldest.
"""

import heapq
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from functools import partial
from operator import itemgetter

from function.access.addresses import network
from function.access.callers import ActingAccount, Actor, Uploader
from function.access.policy import Access
from function.access.quotas import crossed_warning
from function.audit.models import AuditQuery, AuditRecord
from function.aws.dynamodb import QueryPage
from function.aws.writes import Write
from function.base import Base
from function.core.errors import Invalid
from function.core.limits import DAY
from function.core.models import Caller
from function.core.paging import Page, PageQuery, Paging
from function.core.runtime import iso
from function.tables.accounts import Account
from function.tables.audit import (
    SHARDS,
    Action,
    AuditRecords,
    AuditRow,
    count_refusal,
    put_audit_record,
)
from function.tables.usage import StorageAmount

REFUSAL_SECONDS = 900  # of a window in which refusals are counted
DEFAULT_DAYS = 7  # of a query without `since`
CLOCK_SKEW = 60  # seconds that the clocks of two functions may differ by
BATCH_SIZE = 125  # rows in one read of a shard by a filtered query
PARALLEL_CALLS = 8
# A filtered query reads rows that its answer does not have: after this many, the page ends early.
READ_LIMIT = 2_000
DAY_COST = 100  # what the query of one more day weighs, in rows
LAST = "~"  # sorts after every row of a day

Found = tuple[str, AuditRow | None]  # a row with its position; None where an earlier day begins


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

    def count_refusal(
        self, actor: Actor, action: Action, *, owner: str | None = None, limit: int | None = None
    ) -> Write:
        """The write that counts a refusal in the record of its window, up to `limit`.

        One record is for all refusals of an action, of one account at one network in a window, so
        that a flood of them makes one row. `owner` is the account that an actor without one named.
        """
        now = self._runtime.now()
        row = AuditRow(
            at=iso(now // REFUSAL_SECONDS * REFUSAL_SECONDS),
            action=action,
            actor=actor.username,
            owner=owner or actor.username,
            address=actor.address,
            agent=actor.agent,
            expires_at=int(now) + self._keep_seconds,
        )
        return count_refusal(row, network(actor.address), limit)

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
        # A shard has a sixteenth of the rows: a read of twice as many is rarely repeated.
        is_filtered = query.username or query.action
        batch_size = BATCH_SIZE if is_filtered else max(16, paging.limit // 8)
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

    def _rows_before(self, position: str, since: str, batch_size: int) -> Iterator[Found]:
        """The rows before a position, the newest first: those of the shards and of the days."""
        read = partial(self._records.list_records, before=position, limit=batch_size)
        with ThreadPoolExecutor(PARALLEL_CALLS) as pool:
            pages = list(pool.map(read, SHARDS))
        shards = [
            self._rows_of(shard, page, since, batch_size)
            for shard, page in zip(SHARDS, pages, strict=True)
        ]
        days = self._rows_of_days(position, since, batch_size)
        return heapq.merge(*shards, days, key=itemgetter(0), reverse=True)

    def _rows_of(
        self, shard: str, page: QueryPage[tuple[str, AuditRow]], since: str, batch_size: int
    ) -> Iterator[Found]:
        """The rows of a shard, or of a day, from a page of them on until `since`."""
        position = ""
        while True:
            for position, row in page.items:
                if position < since:
                    return
                yield position, row
            if not page.more:
                return
            page = self._records.list_records(shard, before=position, limit=batch_size)

    def _rows_of_days(self, position: str, since: str, batch_size: int) -> Iterator[Found]:
        """The rows that earlier releases wrote, which lie in a partition for each day."""
        day = date.fromisoformat(position[:10])
        while day.isoformat() >= since[:10]:
            page = self._records.list_records(day.isoformat(), before=position, limit=batch_size)
            yield from self._rows_of(day.isoformat(), page, since, batch_size)
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
    fields = row.model_dump(include=set(AuditRecord.model_fields))
    return AuditRecord(**fields | {"count": row.count or 1})
