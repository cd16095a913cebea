"""The trash: deleted files, until their owner restores them or they are purged.

A purge takes several transactions: the file's versions, its row, its bytes in S3. So its first one
expires the file at once: nobody can restore it from then on, and if the purge is interrupted the
sweep finishes it.
"""

from collections.abc import Callable
from itertools import chain

from function.access.errors import NoSuchFile, no_such_file
from function.access.policy import Access, Authentication
from function.audit.service import AuditLog
from function.aws.rows import Key
from function.aws.writes import Write
from function.base import Base
from function.core.errors import Invalid
from function.core.limits import WORK_SECONDS
from function.core.media_types import retyped
from function.core.models import Caller, Conditions
from function.core.paging import Page, PageQuery, Paging
from function.core.runtime import iso
from function.core.signing import decode_base64, encode_base64
from function.files.commit import FileWrites
from function.files.conditions import require_conditions
from function.files.errors import FileExists
from function.files.models import FileObject, file_object
from function.files.purge import Purger
from function.files.upload_rules import UploadRules
from function.history.models import Emptying, Restoration, TrashItem
from function.tables.accounts import Account
from function.tables.expiry import expiry_key
from function.tables.files import (
    Archive,
    FileRow,
    delete_archived,
    expire_now,
    file_key,
    file_row_key,
    trash_key,
    trashed_in,
)
from function.tables.usage import require_account_active

BATCH_SIZE = 100
# Deleted files of one name; some may be of an earlier account of the owner's name.
MAX_NAMESAKES = 100
MAX_COUNTED = 1000
MAX_KEY_BYTES = 1000  # of a sort key; DynamoDB allows 1024
NO_KEY = "/"  # no row has it


class TrashService:
    """Lists, restores and purges deleted files."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._archive = Archive(base.db)
        self._access = base.one(Access)
        self._file_writes = base.one(FileWrites)
        self._purger = base.one(Purger)
        self._rules = base.one(UploadRules)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def list_items(self, caller: Caller, page: PageQuery) -> Page[TrashItem]:
        """A page of the caller's deleted files, by name and then by time. Raises InvalidCursor."""
        account = self._access.authenticate(caller).account
        paging = Paging(page, account.id, "trash")
        after = sort_key_of(paging.after) if paging.after else ""
        rows, more = self._archive.list_trash(account.username, after=after, limit=paging.limit)
        items = [item_view(row) for row in rows if self._is_restorable(row, account)]
        return paging.page(items, item_id(rows[-1]) if rows and more else None)

    def restore(self, caller: Caller, request: Restoration) -> FileObject:
        """Restores a deleted file with its versions, but without the grants on it.

        Raises NoSuchFile, FileExists, PreconditionFailed, TypeNotAllowed, ChangedMeanwhile.
        """
        name = request.new_name or request.file_name
        target = file_key(caller.username, name)

        def plan() -> tuple[list[Write], FileObject]:
            more = [trash_key(caller.username, sort_key_of(request.id))] if request.id else []
            authentication = self._access.authenticate_owner(
                caller, request.username, request.file_name, [target, *more]
            )
            deleted = self._find(authentication, caller.username, request)
            require_conditions(request, deleted)
            if target in authentication.rows:
                raise FileExists("A file has that name; send another one as new_name.")
            self._rules.require_name_allowed(authentication.account.role, deleted, name)
            new = {
                "partition": caller.username,
                "name": name,
                "rev": self._runtime.new_id(),
                "content_type": retyped(deleted.content_type, request.file_name, name),
            }
            archived = {"file_name": None, "until": None, "deleted": None}
            row = deleted.model_copy(update=new | archived)
            return [
                *self._file_writes.change_files((None, row)),
                *delete_archived(deleted),
                require_account_active(authentication.account),
                self._audit.record(caller, "trash.restore", name),
            ], file_object(row, "own")

        return self._db.transact(plan)

    def delete(self, caller: Caller, item: str, conditions: Conditions) -> None:
        """Purges one deleted file, by its id. The sweep finishes one that takes too long.

        Raises NoSuchFile, PreconditionFailed, ChangedMeanwhile.
        """
        has_time = self._runtime.within(WORK_SECONDS)
        key = trash_key(caller.username, sort_key_of(item))

        def plan() -> tuple[list[Write], Key]:
            authentication = self._access.authenticate(caller, more=[key])
            row = trashed_in(authentication.rows, key, self._runtime.now())
            if row is None or not self._is_restorable(row, authentication.account):
                raise NoSuchFile("No deleted file has that id; GET /trash lists them.")
            require_conditions(conditions, row)
            return self._expire(caller, row)

        self._purger.purge(key, self._db.transact(plan), has_time)

    def empty(self, caller: Caller, conditions: Conditions) -> Emptying | None:
        """Purges deleted files for WORK_SECONDS, at least one; None when none is left.

        Conditions are about one file, so there can be none here. Raises Invalid, Unavailable,
        ChangedMeanwhile.
        """
        if conditions != Conditions():
            raise Invalid("A condition is about one file: send its id, or no condition.")
        account = self._access.authenticate(caller).account
        has_time = self._runtime.within(WORK_SECONDS)
        removed, after, more = 0, "", True
        while more and (has_time() or not after):
            rows, more = self._archive.list_trash(account.username, after=after, limit=BATCH_SIZE)
            after = rows[-1].name if rows else after
            for row in rows:
                if row.owner_id == account.id and (has_time() or not removed):
                    removed += self._purge(caller, row, has_time)
        left = self._count(account) if more or not has_time() else 0
        return Emptying(removed=removed, left=left) if left else None

    def _find(self, authentication: Authentication, owner: str, request: Restoration) -> FileRow:
        """The deleted file to restore: of several of one name the latest. Raises NoSuchFile."""
        if request.id:
            key = trash_key(owner, sort_key_of(request.id))
            row = trashed_in(authentication.rows, key, self._runtime.now())
            rows = [row] if row and row.file_name == request.file_name else []
        else:
            rows = self._archive.list_deleted_as(owner, request.file_name, MAX_NAMESAKES)
        for row in rows:
            if self._is_restorable(row, authentication.account):
                return row
        names = "name and id" if request.id else "name"
        detail = f"No deleted file has that {names}; GET /trash lists them."
        raise no_such_file(request.file_name, NoSuchFile(detail))

    def _purge(self, caller: Caller, row: FileRow, has_time: Callable[[], bool]) -> bool:
        """Purges a deleted file; False when it was restored meanwhile, or there was no time."""
        key, now = file_row_key(row), self._runtime.now()
        rows = chain([row], iter(lambda: self._read(key), None))

        def plan() -> tuple[list[Write], Key | None]:
            current = next(rows, None)
            if current is None:
                return [], None
            until = current.until or 0
            return self._expire(caller, current) if until > now else ([], expiry_key(key, until))

        entry = self._db.transact(plan)
        return entry is not None and self._purger.purge(key, entry, has_time)

    def _read(self, key: Key) -> FileRow | None:
        row = self._db.read([key]).get(key)
        return FileRow.model_validate(row) if row else None

    def _expire(self, caller: Caller, row: FileRow) -> tuple[list[Write], Key]:
        """Expires a deleted file at once; the key is that of its new expiry entry."""
        now = int(self._runtime.now())
        audit_write = self._audit.record(caller, "trash.delete", row.file_name)
        writes = [*expire_now(row, now, self._runtime.new_id()), audit_write]
        return writes, expiry_key(file_row_key(row), now)

    def _count(self, account: Account) -> int:
        rows, _ = self._archive.list_trash(account.username, limit=MAX_COUNTED)
        return sum(row.owner_id == account.id for row in rows)

    def _is_restorable(self, row: FileRow, account: Account) -> bool:
        """Whether it is the account's own and has not expired."""
        return row.owner_id == account.id and (row.until or 0) > self._runtime.now()


def item_id(row: FileRow) -> str:
    """The id of a deleted file: its sort key in Base64 (RFC 4648, section 5), without padding."""
    return encode_base64(row.name.encode())


def sort_key_of(item: str) -> str:
    """The sort key that an id encodes; of any other text, a key that no row has.

    That key is read all the same: only after it does the caller learn whether they are allowed to.
    """
    try:
        name = decode_base64(item).decode()
    except ValueError:
        return NO_KEY
    return name if 0 < len(name.encode()) <= MAX_KEY_BYTES else NO_KEY


def item_view(row: FileRow) -> TrashItem:
    """A deleted file as its owner sees it."""
    return TrashItem(
        id=item_id(row),
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
