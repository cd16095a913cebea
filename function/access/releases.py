"""Gives uploads up: their bytes, and the storage that they reserve.

The commit that ends a right schedules a release (`tables.reservations`), and the next sweep looks
at the uploads that may have stood on it: one that no right carries any more is discarded.
"""

from collections.abc import Callable, Sequence

from function.access.callers import ActingAccount, Uploader
from function.access.policy import Access, needed_right
from function.aws.writes import Write
from function.base import Base
from function.core.errors import Problem, Unavailable
from function.core.runtime import BatchResult
from function.tables.groups import Groups, Membership
from function.tables.requests import request_in
from function.tables.reservations import (
    UPLOADS,
    Release,
    ReleaseList,
    Scope,
    schedule_release,
    uploads_of,
)
from function.tables.uploads import UploadRow, Uploads

PAGE = 100

HasTime = Callable[[], bool]


class Releases:
    """Ends uploads that can make no file any more."""

    def __init__(self, base: Base) -> None:
        self._access = base.one(Access)
        self._upload_rows = Uploads(base.db)
        self._groups = Groups(base.db)
        self._list = ReleaseList(base.db)
        self._bucket = base.bucket
        self._runtime = base.runtime

    def schedule(self, scope: Scope, at: float | None = None) -> Write:
        """For the commit that ends a right: has its uploads looked at, now or `at` a time."""
        at = self._runtime.now() if at is None else at
        return schedule_release(scope, at, self._runtime.new_id())

    def sweep(self, has_time: HasTime, batch: BatchResult) -> None:
        """Looks at all scopes that are due. Errors are in `batch`: one stops no other."""
        after = ""
        while releases := self._list.list_due(self._runtime.now(), after=after, limit=PAGE):
            for release in releases:
                after = str(release.key.sort)
                with batch.attempt():
                    if self._look_at(release, has_time):
                        self._list.delete(release)
                if not has_time():
                    return

    def expel(self, members: Sequence[Membership]) -> None:
        """Deletes memberships of a deleted group, and has the members' uploads looked at."""
        self._groups.expel(members, [self.schedule(uploads_of(each.username)) for each in members])

    def discard(self, row: UploadRow) -> bool:
        """Deletes an upload and the bytes that have arrived; False when it has been completed.

        The row is deleted first: without it no request can complete the bytes that are being
        deleted. Its expiry entry stays, because a URL signed before may still bring bytes, which
        the sweep then deletes. Raises Unavailable.
        """
        is_discarded = self._upload_rows.delete_unfinished(row)
        if is_discarded:
            self._bucket.discard(row.object, row.multipart)
        return is_discarded

    def _look_at(self, release: Release, has_time: HasTime) -> bool:
        """Looks at a whole scope; when the time was too short, notes the position: False."""
        scope, after = release.scope, release.after
        if scope.group:
            return self._look_at_members(scope.partition, scope.group, has_time)
        while after is not None:
            rows, last = self._upload_rows.list_reserving(scope, after=after, limit=PAGE)
            if not self._discard_ended(rows, has_time):
                self._list.save_position(release, after)
                return False
            after = last
        return True

    def _look_at_members(self, grantee: str, group_id: str, has_time: HasTime) -> bool:
        """Ends the memberships of a deleted group, and has the members' uploads looked at."""
        while members := self._groups.list_remaining(grantee, group_id, PAGE):
            if not has_time():
                return False
            self.expel(members)
        return True

    def _discard_ended(self, rows: list[UploadRow], has_time: HasTime) -> bool:
        """Discards those of the uploads that have no right; False when the time was too short."""
        for row in rows:
            if not has_time():
                return False
            if not self._has_right(row):
                self.discard(row)
        return has_time()

    def _has_right(self, row: UploadRow) -> bool:
        """Whether an upload has the right that its completion needs.

        An upload to a file request may outlive the time until which that takes new ones.
        """
        username = row.partition.removesuffix(f"/{UPLOADS}")
        try:
            if row.request:
                found = self._access.authenticate(Uploader(row.request, row.owner, row.user_id))
                request = request_in(found.rows, row.request, self._runtime.now())
                return request is not None and request.open
            actor, need = ActingAccount(username, row.user_id), needed_right(row.on_conflict)
            right = self._access.authorize_write(actor, row.owner, row.file_name, need=need)
        except Unavailable:
            raise
        except Problem:
            return False
        return row.owner_id in {None, right.owner.id}
