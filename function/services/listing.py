"""Listing files: the caller's own first, then what others share with the caller.

A list is a stream of places, each a file and where it stands in the stream; a page is the first of
them, and its cursor is the place of the last. What is shared is found by the grants of the caller,
in the order of owner and name; what a shared folder covers is listed with the folder, once.
"""

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

from function.fields import Permission, Scope
from function.models import Caller, FileObject
from function.records import Account, FileRow, Grant
from function.services.access import Access
from function.services.cursors import seal, unseal
from function.services.views import file_object
from function.stores.accounts import account_in, account_key
from function.stores.dynamo import READ_AT_ONCE, Dynamo
from function.stores.files import Files, file_in, file_key
from function.stores.rows import Key
from function.stores.shares import Shares, folders_of, grant_keys, grants_in

Grants = tuple[list[Grant], bool]

# What one request reads and answers at most; beyond, a page ends early, with a cursor. So nobody
# makes another's list endless by sharing, and no answer outgrows what a Lambda gives.
MOST_STEPS = 25
MOST_BYTES = 4 * 1024 * 1024
MOST_NESTED = 1000
BEYOND = "\x01"  # no name has it: a folder's grant with it stands behind the folder


@dataclass(frozen=True)
class Asked:
    """Which files, and how many of them at once; `owner` narrows what is shared to one's."""

    prefix: str = ""
    scope: Scope = "all"
    limit: int = 100
    cursor: str | None = None
    owner: str | None = None

    def list_id(self) -> str:
        """What makes it the same list; the size of a page does not."""
        return json.dumps(["files", self.prefix, self.scope, self.owner])


@dataclass(frozen=True)
class Place:
    """A file and where it stands: the grant it was found by (empty for one's own), and its name.

    Without a row it only says how far the reading has come. `past` are the folders above that the
    list has come past, and that have listed what they cover.
    """

    grant: str
    name: str
    row: FileRow | None = None
    permission: Permission = "read"
    past: frozenset[str] = frozenset()

    def position(self) -> list[str]:
        """What the cursor carries."""
        return [self.grant, self.name, *sorted(p for p in self.past if self.grant.startswith(p))]


class Listing:
    """Lists files."""

    def __init__(self, db: Dynamo, access: Access, files: Files, shares: Shares) -> None:
        """Reads shelves and grants; rights are judged by `access`."""
        self._db = db
        self._access = access
        self._files = files
        self._shares = shares

    def page(self, caller: Caller, asked: Asked) -> tuple[list[FileObject], str | None]:
        """A page, and the cursor of the next one. Raises InvalidCursor."""
        found, cursor = self._page(caller, asked)
        return [file_object(row, permission) for row, permission in found], cursor

    def rows(self, caller: Caller, asked: Asked) -> tuple[list[FileRow], str | None]:
        """A page of the rows themselves. Raises InvalidCursor."""
        found, cursor = self._page(caller, asked)
        return [row for row, _ in found], cursor

    def _page(
        self, caller: Caller, asked: Asked
    ) -> tuple[list[tuple[FileRow, Permission]], str | None]:
        account = self._access.open(caller).account
        at = unseal(asked.cursor, account.id, asked.list_id())
        found: list[tuple[FileRow, Permission]] = []
        last: Place | None = None
        steps = weight = 0
        with ThreadPoolExecutor(max_workers=1) as aside:
            for place in self._places(account, asked, at, aside):
                full = len(found) == asked.limit or weight > MOST_BYTES
                if last and (steps == MOST_STEPS or (full and place.row)):
                    return found, seal(last.position(), account.id, asked.list_id())
                last = place
                if place.row:
                    found.append((place.row, place.permission))
                    weight += weight_of(place.row)
                else:
                    steps += 1
        return found, None

    def _places(
        self, account: Account, asked: Asked, at: list[str] | None, aside: ThreadPoolExecutor
    ) -> Iterable[Place]:
        """The stream after `at`; the first grants are read while the own files are."""
        grant, name, *past = at or ["", ""]
        if grant or asked.scope == "shared":
            return self._shared(account, asked, grant, name, set(past))
        if asked.scope == "own":
            return self._own(account, asked, name)
        first = aside.submit(self._shares.of, account.username, limit=READ_AT_ONCE)
        return chain(
            self._own(account, asked, name), self._shared(account, asked, "", "", set(), first)
        )

    def _own(self, account: Account, asked: Asked, after: str) -> Iterator[Place]:
        more = True
        while more:
            rows, more = self._files.on_shelf(
                account.username, prefix=asked.prefix, after=after, limit=asked.limit + 1
            )
            mine = (row for row in rows if row.owner_id == account.id)
            yield from (Place("", row.name, row, "own") for row in mine)
            after = rows[-1].name if rows else after

    def _shared(
        self,
        account: Account,
        asked: Asked,
        after: str,
        within: str,
        past: set[str],
        first: Future[Grants] | None = None,
    ) -> Iterator[Place]:
        """What the grants after one open, and first what is left in its folder after a name."""
        if after.endswith("/"):
            yield from self._opened(account, asked, [after], past, within)
            after += BEYOND
        more = True
        while more:
            grants, more = (
                first.result()
                if first
                else self._shares.of(account.username, after=after, limit=READ_AT_ONCE)
            )
            first = None
            yield from self._opened(account, asked, [grant.file for grant in grants], past)
            after = grants[-1].file if grants else after
            if more:
                end = after + BEYOND if after.endswith("/") else after
                yield Place(end, "", past=frozenset(past))

    def _opened(
        self, account: Account, asked: Asked, shared: list[str], past: set[str], within: str = ""
    ) -> Iterator[Place]:
        """What some files and folders that are shared hold, with one read for them all.

        The grants are read again with what they open, so that what is taken back meanwhile counts.
        """
        shared = [each for each in shared if concerns(each, asked)]
        rows = self._db.read(chain(*(self._bearing(account, each) for each in shared)))
        for each in shared:
            owner_name, name = each.split("/", 1)
            owner = account_in(rows, owner_name)
            grants = grants_in(rows, grant_keys(account.username, owner_name, name))
            if owner is None or self._covered(account, owner, grants, each, past):
                continue
            own = [grant for grant in grants if grant.file == each]
            if name.endswith("/"):
                if own and self._access.opens(own[0], account, owner, None):
                    past.add(each)
                    yield from self._folder(account, owner, own[0], asked, within)
                    yield Place(each + BEYOND, "", past=frozenset(past))
                continue
            file = file_in(rows, owner_name, name)
            right = self._access.right(account, owner, file, own)
            if file and right and file.owner_id == owner.id:
                yield Place(each, name, file, right, frozenset(past))

    def _bearing(self, account: Account, shared: str) -> list[Key]:
        """Every row that bears on a share: the owner, the grants on it and above it, the file."""
        owner, name = shared.split("/", 1)
        keys = [account_key(owner), *grant_keys(account.username, owner, name)]
        return keys if name.endswith("/") else [*keys, file_key(owner, name)]

    def _covered(
        self, account: Account, owner: Account, grants: list[Grant], shared: str, past: set[str]
    ) -> bool:
        """Whether a folder above is shared as well, and this list has come past it."""
        above = (grant for grant in grants if grant.file != shared and grant.file in past)
        return any(self._access.opens(grant, account, owner, None) for grant in above)

    def _folder(
        self, account: Account, owner: Account, grant: Grant, asked: Asked, after: str
    ) -> Iterator[Place]:
        """The files of a shared folder, each with the most that any grant on it allows."""
        prefix = max(grant.file.split("/", 1)[1], asked.prefix, key=len)
        nested: dict[str, Grant] = {}
        if grant.permission == "read":  # what is written to is known to be, and cannot be bettered
            within, _ = self._shares.of(account.username, prefix=grant.file, limit=MOST_NESTED)
            nested = {each.file: each for each in within}
        more = True
        while more:
            rows, more = self._files.on_shelf(
                owner.username, prefix=prefix, after=after, limit=asked.limit + 1
            )
            after = rows[-1].name if rows else after
            for row in rows:
                names = (f"{owner.username}/{each}" for each in [*folders_of(row.name), row.name])
                grants = [grant, *(nested[each] for each in names if each in nested)]
                right = self._access.right(account, owner, row, grants)
                if right and row.owner_id == owner.id:
                    yield Place(grant.file, row.name, row, right)
            if more:
                yield Place(grant.file, after)


def weight_of(row: FileRow) -> int:
    """About how many bytes a file takes in an answer."""
    texts = [row.name, row.name, row.content_type, row.description or "", *row.tags]
    return 500 + sum(len(text.encode()) for text in texts)


def concerns(shared: str, asked: Asked) -> bool:
    """Whether a share can hold anything that is asked for."""
    (owner, name), prefix = shared.split("/", 1), asked.prefix
    if asked.owner not in {None, owner}:
        return False
    return name.startswith(prefix) or (name.endswith("/") and prefix.startswith(name))
