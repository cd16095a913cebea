"""What is written when a file comes, changes, moves or goes: its row, and all that follows it.

What it is found by, the counts of its folders and the news of it change in the same commit, for
every change of every file is made of these writes.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from function.access.policy import Authorization
from function.access.quotas import require_room
from function.audit.service import AuditTrail
from function.aws.dynamodb import BATCH_GET_LIMIT, ConditionFailed
from function.aws.s3 import Stored
from function.aws.writes import Write, delete, put
from function.base import Base
from function.core.fields import OnConflict, Permission
from function.core.names import MAX_NUMBER, is_too_long, numbered
from function.core.runtime import iso
from function.files.conditions import require_conditions
from function.files.errors import FileExists
from function.files.upload_rules import UploadRules
from function.tables.accounts import NOTHING, Account, Load, charge
from function.tables.changes import put_change
from function.tables.files import (
    TRASH,
    VERSIONS,
    FileRow,
    archive,
    archive_name,
    create_file,
    delete_file,
    file_key,
    file_row_key,
    increment_refcount,
    init_refcount,
    replace_file,
    require_file_unchanged,
    trash_name,
    trim_versions,
)
from function.tables.folders import count_files
from function.tables.search_terms import term_key, terms_of

Shift = tuple[FileRow | None, FileRow | None]


class FileWrites:
    """Makes the writes."""

    def __init__(self, base: Base) -> None:
        self._runtime = base.runtime
        self._keep_seconds = base.settings.keep_seconds

    def change(self, *shifts: Shift) -> list[Write]:
        """Files as they were read and as they are to be, None where there is none.

        The files' own rows come first, each with what it expects.
        """
        now = self._runtime.now()
        until, at = int(now) + self._keep_seconds, iso(now)
        news = [put_change(old, new, at, self._runtime.new_id(), until) for old, new in shifts]
        return [
            *(write for old, new in shifts for write in _rows(old, new)),
            *(write for old, new in shifts for write in _terms(old, new)),
            *count_files([old for old, _ in shifts if old], [new for _, new in shifts if new]),
            *news,
        ]

    def replaced(self, row: FileRow, most: int) -> list[Write]:
        """Keeps what is replaced as a version, and the `most` latest of them."""
        now = self._runtime.now()
        until = int(now) + self._keep_seconds
        return [
            *archive(row, VERSIONS, archive_name(row.id, row.version), until),
            *trim_versions(row, most, now),
        ]

    def deleted(self, row: FileRow, *, for_good: bool = False) -> list[Write]:
        """Puts a file in the trash; what was granted on it is for a place that is no more.

        When it is `for_good`, it falls due there at once.
        """
        now, nonce = self._runtime.now(), self._runtime.new_id()
        kept = row.model_copy(update={"place": nonce})
        name = trash_name(row.name, now, nonce)
        until = int(now) + (0 if for_good else self._keep_seconds)
        return archive(kept, TRASH, name, until, iso(now))


def _rows(old: FileRow | None, new: FileRow | None) -> list[Write]:
    if old and new and old.name == new.name:
        return [replace_file(old, new)]
    return [*([delete_file(old)] if old else []), *([create_file(new)] if new else [])]


def _terms(old: FileRow | None, new: FileRow | None) -> list[Write]:
    was = {term_key(old.shelf, term) for term in terms_of(old)} if old else set()
    now = {term_key(new.shelf, term) for term in terms_of(new)} if new else set()
    gone = [delete(key) for key in sorted(was - now)]
    return gone + [put(key, {}) for key in sorted(now - was)]


class StateChanged(Exception):
    """What was to be placed has changed: whoever wanted to must begin again."""


@dataclass(frozen=True)
class WriteRequest:
    """What an upload wants: the name, and what to do when there is a file of that name.

    `if_match` and `if_none_match` are the header fields of RFC 9110, section 13.1. What comes by a
    `request` is put there by no account, but by whoever the `sender` says to be. What is `held`
    for it has been charged before. `head` are its first bytes, where they are at hand.
    `again` says that a row has named them before, `exactly` that what was said of a file that is
    replaced is not kept where nothing is said now.
    """

    name: str
    content_type: str
    on_conflict: OnConflict = "replace"
    if_match: str | None = None
    if_none_match: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    request: str | None = None
    sender: str | None = None
    held: Load = NOTHING
    head: bytes | None = None
    again: bool = False
    exactly: bool = False


@dataclass(frozen=True)
class Written:
    """What a commit left: the row, the right of whoever put it there, and whether it is new."""

    row: FileRow
    permission: Permission
    created: bool


class FileWriter:
    """Commits uploads."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._db = base.db
        self._file_writes = base.one(FileWrites)
        self._audit = base.one(AuditTrail)
        self._rules = base.one(UploadRules)
        self._runtime = base.runtime
        self._keep_versions = base.settings.keep_versions

    def check(self, entry: Authorization, intent: WriteRequest, size: int) -> None:
        """Whether the upload could be placed as things stand, before its bytes are taken.

        Raises NoSuchFile, PreconditionFailed, FileExists, QuotaExceeded, TooLarge, TypeNotAllowed.
        """
        owner, _ = entry.writable()
        self._rules.judge(entry.account.role, intent.name, size, intent.head)
        old = entry.file
        require_conditions(intent, old)
        fails = intent.on_conflict == "fail"
        if old and (fails or (intent.on_conflict == "rename" and not entry.may_add)):
            raise FileExists
        require_room(owner, Load(size, 1) - intent.held)

    def commit(
        self,
        look: Callable[[], Authorization],
        entry: Authorization,
        intent: WriteRequest,
        stored: Stored,
        also: Callable[[Written], list[Write]] = lambda _: [],
    ) -> Written:
        """Commits the upload; `look` reads again, rights included, when somebody came between.

        `also` is written in the same commit, or nothing is. Raises what `check` raises, and
        ChangedMeanwhile when others never stop.
        """
        intent = self._looked_at(entry, intent, stored)
        for attempt in self._runtime.attempts():
            entry = look() if attempt else entry
            self.check(entry, intent, stored.size)
            owner, permission = entry.writable()
            row = self._row(owner, entry, intent, stored)
            placed = Written(row, permission, row.version == 1)
            growth = Load(stored.size, 1) - intent.held
            writes = [
                *self._writes(entry.file, row, others := also(placed)),
                (increment_refcount if intent.again else init_refcount)(row.object),
                charge(owner, growth, -intent.held),
                *self._audit.quota_warning(owner, growth),
                *entry.required_checks(),  # a right taken back meanwhile commits nothing
                *others,
            ]
            try:
                self._db.commit(writes, token=row.rev)
            except ConditionFailed:
                continue
            return placed
        raise AssertionError

    def _looked_at(
        self, entry: Authorization, intent: WriteRequest, stored: Stored
    ) -> WriteRequest:
        """With the first bytes, where they matter and are not at hand."""
        if intent.head is not None:
            return intent
        return dataclasses.replace(intent, head=self._rules.head(entry.account.role, stored))

    def _row(
        self, owner: Account, entry: Authorization, intent: WriteRequest, stored: Stored
    ) -> FileRow:
        now = iso(self._runtime.now())
        name, old = intent.name, entry.file
        if old and intent.on_conflict == "rename":
            name, old = self.free_name(owner.username, name, always=bool(intent.request)), None
        said = None if intent.exactly else old
        return FileRow(
            shelf=owner.username,
            name=name,
            id=old.id if old else self._runtime.new_id(),
            owner_id=owner.id,
            rev=self._runtime.new_id(),
            object=stored.object,
            size=stored.size,
            etag=stored.etag,
            content_type=intent.content_type,
            created=old.created if old else now,
            modified=now,
            version=old.version + 1 if old else 1,
            sha256=stored.sha256,
            description=intent.description or (said.description if said else None),
            tags=list(intent.tags) or (said.tags if said else []),
            modified_by=None if intent.request else entry.account.username,
            sender=intent.sender,
            place=old.place if old else None,
            grantees=old.grantees if old else frozenset(),
        )

    def _writes(self, old: FileRow | None, row: FileRow, others: list[Write]) -> list[Write]:
        """The file itself, and what becomes of the one of that name, beside `others`.

        One that another name was chosen for is expected to stay, unless one of the others expects
        it: when it has gone meanwhile, with its folder perhaps, its name is free.
        """
        if old and old.id == row.id:
            kept = self._file_writes.replaced(old, self._keep_versions)
            return [*self._file_writes.change((old, row)), *kept]
        writes = self._file_writes.change((None, row))
        if old and file_row_key(old) not in {each.key for each in others}:
            writes.append(require_file_unchanged(file_row_key(old), old))
        return writes

    def free_name(self, owner: str, name: str, *, always: bool) -> str:
        """The first of `name (1).ext`, `name (2).ext`, … that nobody has. Raises FileExists.

        Not when there must be one `always`: that is random, for whoever may not know what there is.
        """
        for start in range(1, MAX_NUMBER, BATCH_GET_LIMIT):
            names = [numbered(name, number) for number in range(start, start + BATCH_GET_LIMIT)]
            taken = self._db.read(file_key(owner, each) for each in names)
            for each in names:
                if file_key(owner, each) not in taken and not is_too_long(each):
                    return each
        if always:
            return numbered(name, self._runtime.new_id()[:8])
        raise FileExists
