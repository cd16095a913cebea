"""The trash: files that were deleted, until they are brought back or gone for good.

Whoever removes something from it first has it fall due, in one commit: from then on nobody can
bring it back, and the sweep finishes what is cut off.
"""

import base64
from collections.abc import Callable

from function.access.errors import NoSuchFile
from function.access.policy import Access, Authentication
from function.audit.service import AuditTrail
from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Key
from function.base import Base
from function.core.errors import Invalid
from function.core.limits import AT_MOST
from function.core.media_types import retyped
from function.core.models import Caller, Conditions
from function.core.paging import Page, PageQuery, Paging
from function.core.runtime import iso
from function.files.commit import FileWrites
from function.files.conditions import require_conditions
from function.files.errors import FileExists
from function.files.models import FileObject, file_object
from function.files.purge import Purger
from function.files.upload_rules import UploadRules
from function.history.models import Emptying, Restoration, TrashItem
from function.tables.accounts import Account, require_account_active
from function.tables.expiry import expiry_key
from function.tables.files import (
    Archive,
    FileRow,
    delete_from_trash,
    expire_now,
    file_key,
    file_row_key,
    trash_key,
    trashed_in,
)

TRASH = "trash"
AT_ONCE = 100
NAMESAKES = 100  # of one name, of which some may be another account's that had this name
MOST_COUNTED = 1000
MOST_BYTES = 1000  # of a name in the trash, which a key holds
NO_NAME = "/"


class TrashService:
    """Lists what was deleted, brings it back, and removes it for good."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._db = base.db
        self._kept = Archive(base.db)
        self._access = base.one(Access)
        self._file_writes = base.one(FileWrites)
        self._purger = base.one(Purger)
        self._rules = base.one(UploadRules)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def list_items(self, caller: Caller, page: PageQuery) -> Page[TrashItem]:
        """A page of the caller's deleted files, by name and then by time. Raises InvalidCursor."""
        account = self._access.authenticate(caller).account
        paging = Paging(page, account.id, TRASH)
        after = named(paging.after) if paging.after else ""
        rows, more = self._kept.list_trash(account.username, after=after, limit=paging.limit)
        items = [trash_item(row) for row in rows if self._stands(row, account)]
        return paging.page(items, id_of(rows[-1]) if rows and more else None)

    def restore(self, caller: Caller, wanted: Restoration) -> FileObject:
        """Brings a deleted file back, with its versions and without what was granted on it.

        Raises NoSuchFile, FileExists, PreconditionFailed, TypeNotAllowed, ChangedMeanwhile.
        """
        name = wanted.new_name or wanted.file_name
        for _ in self._runtime.attempts():
            more = [file_key(caller.username, name)]
            more += [trash_key(caller.username, named(wanted.id))] if wanted.id else []
            entry = self._access.authenticate_owner(caller, wanted.username, more)
            kept = self._find(entry, caller.username, wanted)
            require_conditions(wanted, kept)
            if file_key(caller.username, name) in entry.rows:
                raise FileExists("There is a file of that name; send a new_name.")
            self._rules.require_name_allowed(entry.account.role, kept, name)
            gone = {"file_name": None, "until": None, "deleted": None}
            where = {"shelf": caller.username, "name": name, "rev": self._runtime.new_id()}
            kind = retyped(kept.content_type, wanted.file_name, name)
            row = kept.model_copy(update=gone | where | {"content_type": kind})
            writes = [
                *self._file_writes.change_files((None, row)),
                *delete_from_trash(kept),
                require_account_active(entry.account),
                self._audit.record(caller, "trash.restore", name),
            ]
            try:
                self._db.commit(writes, row.rev)
            except ConditionFailed:
                continue
            return file_object(row, "own")
        raise AssertionError

    def _find(self, entry: Authentication, owner: str, wanted: Restoration) -> FileRow:
        """What is to come back: of several of that name the latest. Raises NoSuchFile."""
        if wanted.id:
            row = trashed_in(entry.rows, trash_key(owner, named(wanted.id)), self._runtime.now())
            rows = [row] if row and row.file_name == wanted.file_name else []
        else:
            rows = self._kept.list_deleted_as(owner, wanted.file_name, NAMESAKES)
        for row in rows:
            if self._stands(row, entry.account):
                return row
        which = "name and id" if wanted.id else "name"
        raise NoSuchFile(f"Nothing of that {which} is in the trash.")

    def remove(self, caller: Caller, item: str | None, conditions: Conditions) -> Emptying | None:
        """Removes one file for good, with its versions, or all there are, as `empty` does.

        Conditions are on one file. Raises NoSuchFile, PreconditionFailed, Invalid,
        ChangedMeanwhile.
        """
        if item is None:
            if conditions != Conditions():
                raise Invalid("A condition is on one file; give its id, or no condition.")
            return self.empty(caller)
        in_time = self._runtime.within(AT_MOST)
        key = trash_key(caller.username, named(item))
        for _ in self._runtime.attempts():
            entry = self._access.authenticate(caller, more=[key])
            row = trashed_in(entry.rows, key, self._runtime.now())
            if row is None or not self._stands(row, entry.account):
                raise NoSuchFile("Nothing of that id is in the trash.")
            require_conditions(conditions, row)
            try:
                line = self._condemn(caller, row)
            except ConditionFailed:
                continue
            self._purger.purge(key, line, in_time)
            return None
        raise AssertionError

    def empty(self, caller: Caller) -> Emptying | None:
        """Removes as much as there is time for; what is left, if anything is.

        Raises Unavailable, ChangedMeanwhile.
        """
        account = self._access.authenticate(caller).account
        in_time = self._runtime.within(AT_MOST)
        removed, after, more = 0, "", True
        while more and (in_time() or not after):
            rows, more = self._kept.list_trash(account.username, after=after, limit=AT_ONCE)
            after = rows[-1].name if rows else after
            for row in rows:
                if row.owner_id == account.id and (in_time() or not removed):
                    removed += self._emptied(caller, row, in_time)
        left = self._left(account) if more or not in_time() else 0
        return Emptying(removed=removed, left=left) if left else None

    def _emptied(self, caller: Caller, row: FileRow, in_time: Callable[[], bool]) -> bool:
        """Whether something in the trash has gone for good; not what was brought back meanwhile."""
        key, now = file_row_key(row), self._runtime.now()
        for attempt in self._runtime.attempts():
            if attempt:
                found = self._db.read([key]).get(key)
                if found is None:
                    return False
                row = FileRow.model_validate(found)
            try:
                due_already = (row.until or 0) <= now
                line = (
                    expiry_key(key, row.until or 0) if due_already else self._condemn(caller, row)
                )
            except ConditionFailed:
                continue
            return self._purger.purge(key, line, in_time)
        raise AssertionError

    def _condemn(self, caller: Caller, row: FileRow) -> Key:
        """Has something in the trash fall due at once; its line on that list. Raises Refused."""
        now, rev = int(self._runtime.now()), self._runtime.new_id()
        noted = self._audit.record(caller, "trash.delete", row.file_name)
        self._db.commit([*expire_now(row, now, rev), noted], rev)
        return expiry_key(file_row_key(row), now)

    def _left(self, account: Account) -> int:
        rows, _ = self._kept.list_trash(account.username, limit=MOST_COUNTED)
        return sum(row.owner_id == account.id for row in rows)

    def _stands(self, row: FileRow, account: Account) -> bool:
        """Whether it is this account's, and can still be brought back."""
        return row.owner_id == account.id and (row.until or 0) > self._runtime.now()


def id_of(row: FileRow) -> str:
    """How people call something in the trash: its name there, so that it is found by it."""
    return base64.urlsafe_b64encode(row.name.encode()).decode().rstrip("=")


def named(item: str) -> str:
    """The name in the trash that an id stands for; for what is no id, a name that nothing has.

    It is looked for all the same, so that whoever asks is told first whether they may.
    """
    try:
        name = base64.urlsafe_b64decode(item + "=" * (-len(item) % 4)).decode()
    except ValueError:
        return NO_NAME
    return name if 0 < len(name.encode()) <= MOST_BYTES else NO_NAME


def trash_item(row: FileRow) -> TrashItem:
    """A deleted file, as its owner sees it."""
    return TrashItem(
        id=id_of(row),
        file_name=row.file_name or "",
        size=row.size,
        deleted=row.deleted or "",
        restore_until=iso(row.until or 0),
        modified=row.modified,
        content_type=row.content_type,
        sha256=row.sha256,
        etag=row.etag,
        version=row.version,
    )
