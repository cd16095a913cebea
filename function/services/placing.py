"""Putting bytes that are already in S3 under a name: the commit of every upload, small or large.

The bytes are there first; one transaction then writes the row, keeps what it replaces as a version
and charges the owner. It expects the rows it read, so of several writers at once each either
replaces what it saw or looks again; nobody's bytes are overwritten unseen.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from function.errors import FileExists
from function.fields import NAME_BYTES, SEGMENT_BYTES, OnConflict, Permission
from function.object_records import Stored
from function.records import Account, FileRow, Load
from function.services.access import Entry
from function.services.audit import Audit
from function.services.conditions import expect
from function.services.origins import Origins, iso
from function.services.quotas import enough
from function.services.rules import Rules
from function.services.shelving import Shelving
from function.stores.accounts import NOTHING, charge
from function.stores.dynamo import READ_AT_ONCE, Dynamo
from function.stores.files import file_key
from function.stores.kept import key_of, unchanged
from function.stores.references import first, one_more
from function.stores.rows import Refused, Write

MOST_NAMESAKES = 1000
LONGEST_EXTENSION = 20  # bytes
NAMESAKE_BYTES = 40  # where so many are left below its folders, a name has namesakes for ever


class Otherwise(Exception):
    """What was to be placed has changed: whoever wanted to must begin again."""


@dataclass(frozen=True)
class Intent:
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
class Placed:
    """What a commit left: the row, the right of whoever put it there, and whether it is new."""

    row: FileRow
    permission: Permission
    created: bool


class Placing:
    """Commits uploads."""

    def __init__(
        self,
        db: Dynamo,
        shelving: Shelving,
        rules: Rules,
        audit: Audit,
        origins: Origins,
        keep_versions: int,
    ) -> None:
        """`rules` say who may upload what; so many replaced versions of a file stay."""
        self._db = db
        self._shelving = shelving
        self._audit = audit
        self._rules = rules
        self._from = origins
        self._keep_versions = keep_versions

    def check(self, entry: Entry, intent: Intent, size: int) -> None:
        """Whether the upload could be placed as things stand, before its bytes are taken.

        Raises NoSuchFile, PreconditionFailed, FileExists, QuotaExceeded, TooLarge, TypeNotAllowed.
        """
        owner, _ = entry.writable()
        self._rules.judge(entry.account.role, intent.name, size, intent.head)
        old = entry.file
        expect(intent, old)
        fails = intent.on_conflict == "fail"
        if old and (fails or (intent.on_conflict == "rename" and not entry.may_add)):
            raise FileExists
        enough(owner, Load(size, 1) - intent.held)

    def place(
        self,
        look: Callable[[], Entry],
        entry: Entry,
        intent: Intent,
        stored: Stored,
        also: Callable[[Placed], list[Write]] = lambda _: [],
    ) -> Placed:
        """Commits the upload; `look` reads again, rights included, when somebody came between.

        `also` is written in the same commit, or nothing is. Raises what `check` raises, and
        ChangedMeanwhile when others never stop.
        """
        intent = self._looked_at(entry, intent, stored)
        for attempt in self._from.attempts():
            entry = look() if attempt else entry
            self.check(entry, intent, stored.size)
            owner, permission = entry.writable()
            row = self._row(owner, entry, intent, stored)
            placed = Placed(row, permission, row.version == 1)
            growth = Load(stored.size, 1) - intent.held
            writes = [
                *self._writes(entry.file, row, others := also(placed)),
                (one_more if intent.again else first)(row.object),
                charge(owner, growth, -intent.held),
                *self._audit.room(owner, growth),
                *entry.warrant(),  # a right taken back meanwhile commits nothing
                *others,
            ]
            try:
                self._db.commit(writes, token=row.rev)
            except Refused:
                continue
            return placed
        raise AssertionError

    def _looked_at(self, entry: Entry, intent: Intent, stored: Stored) -> Intent:
        """With the first bytes, where they matter and are not at hand."""
        if intent.head is not None:
            return intent
        return dataclasses.replace(intent, head=self._rules.head(entry.account.role, stored))

    def _row(self, owner: Account, entry: Entry, intent: Intent, stored: Stored) -> FileRow:
        now = iso(self._from.now())
        name, old = intent.name, entry.file
        if old and intent.on_conflict == "rename":
            name, old = self.free_name(owner.username, name, always=bool(intent.request)), None
        said = None if intent.exactly else old
        return FileRow(
            shelf=owner.username,
            name=name,
            id=old.id if old else self._from.new_id(),
            owner_id=owner.id,
            rev=self._from.new_id(),
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
            kept = self._shelving.replaced(old, self._keep_versions)
            return [*self._shelving.shift((old, row)), *kept]
        writes = self._shelving.shift((None, row))
        if old and key_of(old) not in {each.key for each in others}:
            writes.append(unchanged(key_of(old), old))
        return writes

    def free_name(self, owner: str, name: str, *, always: bool) -> str:
        """The first of `name (1).ext`, `name (2).ext`, … that nobody has. Raises FileExists.

        Not when there must be one `always`: that is random, for whoever may not know what there is.
        """
        for start in range(1, MOST_NAMESAKES, READ_AT_ONCE):
            names = [numbered(name, number) for number in range(start, start + READ_AT_ONCE)]
            taken = self._db.read(file_key(owner, each) for each in names)
            for each in names:
                if file_key(owner, each) not in taken and not too_long(each):
                    return each
        if always:
            return numbered(name, self._from.new_id()[:8])
        raise FileExists


def numbered(name: str, number: int | str) -> str:
    """`a/b.txt` as `a/b (1).txt`, cut so that its last segment stays within its limit."""
    folder, slash, last = name.rpartition("/")
    stem, dot, extension = last.rpartition(".")
    if not stem or len(extension.encode()) > LONGEST_EXTENSION:
        stem, dot, extension = last, "", ""
    tail = f" ({number}){dot}{extension}"
    room = min(SEGMENT_BYTES, NAME_BYTES - len(f"{folder}{slash}".encode())) - len(tail.encode())
    return f"{folder}{slash}{stem.encode()[: max(room, 0)].decode(errors='ignore')}{tail}"


def too_long(name: str) -> bool:
    """Whether it is longer than a name may be."""
    return len(name.encode()) > NAME_BYTES


def roomy(name: str) -> str:
    """The name in as many of its folders, from the outermost, as leave room for its namesakes."""
    folder, _, last = name.rpartition("/")
    while len(f"{folder}/".encode()) > NAME_BYTES - NAMESAKE_BYTES:
        folder = folder.rpartition("/")[0]
    return f"{folder}/{last}" if folder else last
