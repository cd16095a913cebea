"""What others share with an account, directly or through its groups, as a stream of places.

It is read in two steps: the next grants, from all who the account is, in the order of what they
open; then everything that bears on them, and the first files of the folders among them, all at the
same time. So a page takes as long with a thousand grants as with one, and one that would have to
read on ends early instead. What a shared folder covers is listed with the folder, once.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

from function.access.policy import Access
from function.aws.dynamodb import BATCH_GET_LIMIT
from function.aws.rows import Key, Rows
from function.base import Base
from function.core.names import folders_of
from function.listing.query import CursorPosition, ListQuery
from function.tables.accounts import Account, account_in, account_key
from function.tables.files import FileRow, Files, file_in, file_key
from function.tables.grants import Grant, Grants, grant_key, grant_row_key, grants_in
from function.tables.groups import grantees_of, membership_keys

FOLDERS_AT_ONCE = 10
MOST_NESTED = 1000
MOST_LOOKS = 3


@dataclass(frozen=True)
class Window:
    """The next that is shared, in order, with the grants on it; after `more`, more follows.

    `cut` are those to whom more was granted than was read.
    """

    shared: Mapping[str, list[Key]]
    more: str | None
    cut: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What bears on a window: rows, who the account is, and the first files of its folders."""

    rows: Rows
    ids: frozenset[str]
    grants: Mapping[str, list[Grant]]
    folders: Mapping[str, tuple[list[FileRow], bool]]


class SharedFiles:
    """Finds what is shared with an account."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._files = Files(base.db)
        self._shares = Grants(base.db)

    def window(self, account: Account, after: CursorPosition, aside: Executor) -> Window:
        """The next grants: one read for each of those who the account is, at the same time."""
        pages = aside.map(
            lambda grantee: self._shares.list_grants(
                grantee, after=after.shared, limit=BATCH_GET_LIMIT
            ),
            grantees_of(account),
        )
        shared: dict[str, list[Key]] = {}
        ends: dict[str, str] = {}
        if after.name:  # within a folder, which is gone on with
            owner, name = after.shared.split("/", 1)
            keys = [grant_key(grantee, owner, name) for grantee in grantees_of(account)]
            shared[after.shared] = keys
        for who, (grants, more) in zip(grantees_of(account), pages, strict=True):
            for grant in grants:
                if grant.owner != account.username:  # one's own, to a group that one belongs to
                    shared.setdefault(grant.file, []).append(grant_row_key(grant))
            ends |= {who: grants[-1].file} if more else {}
        known = sorted(each for each in shared if not ends or each <= min(ends.values()))
        horizon = min(ends.values(), default=None)
        if len(known) > BATCH_GET_LIMIT:
            known = known[:BATCH_GET_LIMIT]
            horizon = known[-1]
        beyond = (keys for each, keys in shared.items() if each > (horizon or each))
        cut = {*ends, *(key.partition for keys in beyond for key in keys)}
        return Window({each: shared[each] for each in known}, horizon, tuple(sorted(cut)))

    def places(
        self,
        account: Account,
        asked: ListQuery,
        after: CursorPosition,
        window: Window,
        aside: Executor,
    ) -> Iterator[CursorPosition]:
        """What a window opens, as things stand now."""
        found = self._found(account, asked, after, window, aside)
        for _ in range(MOST_LOOKS):
            if all(key in found.rows for key in self._granted(window, asked, after)):
                break  # else something was taken back meanwhile, or carried to another name
            window = self.window(account, after, aside)
            found = self._found(account, asked, after, window, aside)
        past = set(after.past)
        for each in window.shared:
            if asked.concerns(each):
                yield from self._opened(account, each, past, found)
            yield CursorPosition(each, past=frozenset(past))
        if window.more:
            yield CursorPosition(window.more, past=frozenset(past), end=True)

    @staticmethod
    def _granted(window: Window, asked: ListQuery, after: CursorPosition) -> list[Key]:
        """The grants that were there when the window was read, of those that concern the list."""
        shared = (each for each in window.shared if asked.concerns(each) and each != after.shared)
        return [key for each in shared for key in window.shared[each]]

    def _opened(
        self, account: Account, shared: str, past: set[str], found: Found
    ) -> Iterator[CursorPosition]:
        """The file that is shared, or those of a folder; nothing when a folder above has them."""
        owner = account_in(found.rows, shared.partition("/")[0])
        if owner is None or self._covered(account, owner, shared, past, found):
            return
        if not shared.endswith("/"):
            file = file_in(found.rows, owner.username, shared.partition("/")[2])
            given = found.grants.get(shared, [])
            right = self._access.permission_for(found.ids, account, owner, file, given)
            if file and right and file.owner_id == owner.id:
                yield CursorPosition(shared, "", file, right, frozenset(past))
        elif self._opens(shared, owner, found):
            if shared not in found.folders:
                yield CursorPosition(end=True)
            yield from self._folder(account, owner, shared, past, found)
            past.add(shared)

    def _found(
        self,
        account: Account,
        asked: ListQuery,
        after: CursorPosition,
        window: Window,
        aside: Executor,
    ) -> Found:
        """Everything that bears on a window, in calls made at the same time."""
        shared = [each for each in window.shared if asked.concerns(each)]
        keys = set(membership_keys(account)) if shared else set()
        for each in shared:
            owner, name = each.split("/", 1)
            keys |= {account_key(owner), *window.shared[each]}
            keys |= set() if name.endswith("/") else {file_key(owner, name)}
        for each in after.past:
            owner, name = each.split("/", 1)
            keys |= {grant_key(grantee, owner, name) for grantee in grantees_of(account)}
        folders = [each for each in shared if each.endswith("/")][:FOLDERS_AT_ONCE]
        cut = [each for each in folders if (window.more or "").startswith(each)]
        read = aside.submit(self._db.read, keys)
        nested = [
            aside.submit(self._shares.list_grants, grantee, prefix=each, limit=MOST_NESTED)
            for each in cut
            for grantee in window.cut
        ]
        first = list(aside.map(lambda each: self._first_of(each, asked, after), folders))
        rows = dict(read.result())
        grants = grants_in(rows, [key for each in window.shared.values() for key in each])
        grants += [grant for page in nested for grant in page.result()[0]]
        ids = frozenset({account.id, *self._access.memberships_in(rows, account)})
        return Found(rows, ids, by_file(grants), dict(zip(folders, first, strict=True)))

    def _first_of(
        self, shared: str, asked: ListQuery, after: CursorPosition
    ) -> tuple[list[FileRow], bool]:
        """The next files of a shared folder, and whether more follow."""
        owner, folder = shared.split("/", 1)
        return self._files.list_files(
            owner,
            prefix=max(folder, asked.prefix, key=len),
            after=after.name if shared == after.shared else "",
            limit=asked.limit + 1,
        )

    def _folder(
        self, account: Account, owner: Account, shared: str, past: set[str], found: Found
    ) -> Iterator[CursorPosition]:
        """The files of a shared folder, each with the most that any grant on it allows."""
        rows, more = found.folders[shared]
        for row in rows:
            names = [f"{owner.username}/{each}" for each in [*folders_of(row.name), row.name]]
            given = [grant for name in names for grant in found.grants.get(name, [])]
            right = self._access.permission_for(found.ids, account, owner, row, given)
            if right and row.owner_id == owner.id:
                yield CursorPosition(shared, row.name, row, right, frozenset(past))
        if more:
            yield CursorPosition(shared, rows[-1].name, past=frozenset(past), end=True)

    def _opens(self, shared: str, owner: Account, found: Found) -> bool:
        """Whether a folder is shared now."""
        given = found.grants.get(shared, [])
        return any(self._access.grant_applies(grant, found.ids, owner, None) for grant in given)

    def _covered(
        self, account: Account, owner: Account, shared: str, past: set[str], found: Found
    ) -> bool:
        """Whether a folder above is shared as well, and this list has come past it."""
        above = [each.split("/", 1) for each in past if shared.startswith(each) and each != shared]
        keys = [grant_key(who, own, name) for own, name in above for who in grantees_of(account)]
        return any(
            self._access.grant_applies(grant, found.ids, owner, None)
            for grant in grants_in(found.rows, keys)
        )


def by_file(grants: Iterable[Grant]) -> dict[str, list[Grant]]:
    """Grants by what they are on."""
    held: dict[str, list[Grant]] = {}
    for grant in grants:
        held.setdefault(grant.file, []).append(grant)
    return held
