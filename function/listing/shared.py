"""The stream of the files that others share with an account or with its groups.

A share is a file or folder, named `owner/name`, with one grant or several: to the account itself
and to groups of it. The stream goes through the shares in the order of these names, and lists the
file, or the files of the folder. Each page reads in two rounds, the calls of a round in parallel:

1. the next grants of the account and of each of its groups (`SharePage`);
2. all rows that decide about these shares, and the first files of the folders among them
   (`ShareContents`): owners, files, memberships and the grants once more, strongly consistent.

So a page takes as long with a thousand shares as with one. A page that would need a third round
ends instead, with a cursor.

Three rules keep the list right while it changes:

- Round 2 decides. A grant that was revoked, has expired, or is for an earlier file of the same name
  lists nothing. If a grant of round 1 is missing in round 2, it was revoked or its file was renamed
  in between, and both rounds are read again: the share may have moved to a name on this page.
- A file that is covered by several shares is listed once, with the best permission of them all. A
  share within a shared folder sorts after the folder, which lists it; the cursor names the folders
  above its share that this list has listed. They count only while they are still shared: when such
  a grant is revoked meanwhile, the shares within are listed for themselves.
- Within a folder, the cursor has the name of the last file. A grant on the folder is read again for
  each page.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from itertools import accumulate
from typing import NamedTuple

from function.access.policy import Access
from function.aws.rows import Key, Rows
from function.base import Base
from function.core.names import folders_of
from function.listing.query import ListQuery
from function.listing.stream import CursorPosition, StreamItem
from function.tables.accounts import Account, account_in, account_key
from function.tables.files import FileRow, Files, file_in, file_key
from function.tables.grants import Grant, Grants, grant_key, grant_row_key, grants_in
from function.tables.groups import grantees_of, membership_keys

MAX_FOLDERS = 10  # shared folders that a page reads files of
MAX_GRANTS = 500  # that a page queries, but ten of each grantee at least
MIN_GRANTS = 10
MAX_PAGE_GRANTS = 100  # of the shares of a page: each is read twice
# Below a shared folder, of all grantees, read where they do not fit the page's grants. Of more, a
# file may be listed with "read" that may also be written.
MAX_NESTED_GRANTS = 1000
MAX_READS = 3

# For each grantee: its next grants, and whether there are more.
GrantPages = Iterator[tuple[list[Grant], bool]]


class SharePage(NamedTuple):
    """The next shares in order, each with the keys of its grants.

    `end` is the name after which more shares follow. `unfinished` are the grantees with grants
    after it.
    """

    grant_keys: Mapping[str, list[Key]]
    end: str | None
    unfinished: tuple[str, ...]


class ShareContents(NamedTuple):
    """The rows that tell which shares of a page are valid, and the files in the shared folders.

    `ids` are the account's id and those of its groups, `grants` by share, `folders` the next files
    of each shared folder and whether more follow.
    """

    rows: Rows
    ids: frozenset[str]
    grants: Mapping[str, list[Grant]]
    folders: Mapping[str, tuple[list[FileRow], bool]]


class SharedFiles:
    """Reads the files that are shared with an account."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._files = Files(base.db)
        self._grants = Grants(base.db)

    def query_grants(
        self, account: Account, after: CursorPosition, executor: Executor
    ) -> GrantPages:
        """Starts round 1: a query of the next grants for each grantee, in parallel."""
        grantees = grantees_of(account)
        limit = min(MAX_PAGE_GRANTS, max(MIN_GRANTS, MAX_GRANTS // len(grantees)))
        return executor.map(
            lambda grantee: self._grants.list_grants(grantee, after=after.share, limit=limit),
            grantees,
        )

    def read_page(self, account: Account, after: CursorPosition, pages: GrantPages) -> SharePage:
        """The next shares, by what the queries of round 1 find."""
        grantees = grantees_of(account)
        grant_keys: dict[str, list[Key]] = {}
        ends: dict[str, str] = {}
        if after.name:  # this folder is not finished
            grant_keys[after.share] = _grant_keys(account, after.share)
        for grantee, (grants, more) in zip(grantees, pages, strict=True):
            for grant in grants:
                if grant.owner != account.username:  # else a group's grant on an own file
                    grant_keys.setdefault(grant.file, []).append(grant_row_key(grant))
            ends |= {grantee: grants[-1].file} if more else {}
        # Beyond the first of these ends, some grantee's grants are not known yet.
        end = min(ends.values(), default=None)
        shares = sorted(each for each in grant_keys if end is None or each <= end)
        if (count := _count_fitting(grant_keys[each] for each in shares)) < len(shares):
            shares = shares[:count]
            end = shares[-1]
        beyond = (keys for share, keys in grant_keys.items() if share > (end or share))
        unfinished = {*ends, *(key.partition for keys in beyond for key in keys)}
        return SharePage(
            {share: grant_keys[share] for share in shares}, end, tuple(sorted(unfinished))
        )

    def stream(
        self,
        account: Account,
        query: ListQuery,
        after: CursorPosition,
        page: SharePage,
        executor: Executor,
    ) -> Iterator[StreamItem]:
        """The matching files of a page's shares, as they are shared now."""
        contents = self._read_contents(account, query, after, page, executor)
        for _ in range(MAX_READS):
            if all(key in contents.rows for key in _page_grants(page, query, after)):
                break
            pages = self.query_grants(account, after, executor)
            page = self.read_page(account, after, pages)
            contents = self._read_contents(account, query, after, page, executor)
        listed_folders = set(after.listed_folders)
        for share in page.grant_keys:
            if query.may_match_share(share):
                for item in self._stream_share(account, share, listed_folders, contents):
                    matches = item.file is None or query.matches(item.file)
                    yield item if matches else item._replace(file=None)
            yield StreamItem(_position(share, "", listed_folders))
        if page.end:
            yield StreamItem(_position(page.end, "", listed_folders), ends_page=True)

    def _stream_share(
        self, account: Account, share: str, listed_folders: set[str], contents: ShareContents
    ) -> Iterator[StreamItem]:
        """The shared file, or the files of the shared folder; none if a folder above has them.

        Adds a folder to `listed_folders` when it has listed it whole.
        """
        owner_name, name = _owner_and_name(share)
        owner = account_in(contents.rows, owner_name)
        if owner is None or self._is_covered(account, owner, share, listed_folders, contents):
            return
        if not name.endswith("/"):
            file = file_in(contents.rows, owner.username, name)
            grants = contents.grants.get(share, [])
            permission = self._access.permission_for(contents.ids, account, owner, file, grants)
            if file and permission and file.owner_id == owner.id:
                yield StreamItem(_position(share, "", listed_folders), file, permission)
        elif self._is_shared_folder(share, owner, contents):
            if share not in contents.folders:
                yield StreamItem(ends_page=True)
            yield from self._stream_folder(account, owner, share, listed_folders, contents)
            listed_folders.add(share)

    def _stream_folder(
        self,
        account: Account,
        owner: Account,
        share: str,
        listed_folders: set[str],
        contents: ShareContents,
    ) -> Iterator[StreamItem]:
        """The files of a shared folder, each with the best permission that any grant gives."""
        rows, more = contents.folders[share]
        for row in rows:
            names = [f"{owner.username}/{each}" for each in [*folders_of(row.name), row.name]]
            grants = [grant for name in names for grant in contents.grants.get(name, [])]
            permission = self._access.permission_for(contents.ids, account, owner, row, grants)
            if permission and row.owner_id == owner.id:
                yield StreamItem(_position(share, row.name, listed_folders), row, permission)
        if more:
            yield StreamItem(_position(share, rows[-1].name, listed_folders), ends_page=True)

    def _read_contents(
        self,
        account: Account,
        query: ListQuery,
        after: CursorPosition,
        page: SharePage,
        executor: Executor,
    ) -> ShareContents:
        """Reads all that decides about the shares of a page (round 2), in parallel calls."""
        shares = [share for share in page.grant_keys if query.may_match_share(share)]
        folders = [share for share in shares if share.endswith("/")][:MAX_FOLDERS]
        rows = executor.submit(self._db.read, _deciding_keys(account, shares, page, after))
        # The page may end within a folder: the grants below it that come later count as well.
        outermost = next((each for each in folders if (page.end or "").startswith(each)), "")
        nested = [
            executor.submit(
                self._grants.list_grants,
                grantee,
                prefix=outermost,
                limit=MAX_NESTED_GRANTS // len(page.unfinished),
            )
            for grantee in (page.unfinished if outermost else ())
        ]
        files = executor.map(lambda folder: self._next_files(folder, query, after), folders)
        contents = dict(zip(folders, files, strict=True))
        found = dict(rows.result())
        grants = grants_in(found, [key for keys in page.grant_keys.values() for key in keys])
        grants += [grant for nested_page in nested for grant in nested_page.result()[0]]
        ids = frozenset({account.id, *self._access.memberships_in(found, account)})
        return ShareContents(found, ids, _by_share(grants), contents)

    def _next_files(
        self, share: str, query: ListQuery, after: CursorPosition
    ) -> tuple[list[FileRow], bool]:
        """The next files of a shared folder, and whether more follow."""
        owner, folder = _owner_and_name(share)
        return self._files.list_files(
            owner,
            prefix=max(folder, query.prefix, key=len),
            after=after.name if share == after.share else "",
            limit=query.limit + 1,
            single_call=True,
        )

    def _is_shared_folder(self, share: str, owner: Account, contents: ShareContents) -> bool:
        """Whether a grant on the folder holds now."""
        grants = contents.grants.get(share, [])
        return any(self._access.grant_applies(grant, contents.ids, owner, None) for grant in grants)

    def _is_covered(
        self,
        account: Account,
        owner: Account,
        share: str,
        listed_folders: set[str],
        contents: ShareContents,
    ) -> bool:
        """Whether this list has listed a folder above the share, which is still shared."""
        above = [each for each in listed_folders if share.startswith(each) and each != share]
        keys = [key for folder in above for key in _grant_keys(account, folder)]
        return any(
            self._access.grant_applies(grant, contents.ids, owner, None)
            for grant in grants_in(contents.rows, keys)
        )


def _owner_and_name(share: str) -> tuple[str, str]:
    owner, name = share.split("/", 1)
    return owner, name


def _position(share: str, name: str, listed_folders: Iterable[str]) -> CursorPosition:
    return CursorPosition(share, name, listed_folders=frozenset(listed_folders))


def _grant_keys(account: Account, share: str) -> list[Key]:
    """The key of each grant on a share that the account can have, itself or by a group."""
    return [grant_key(grantee, *_owner_and_name(share)) for grantee in grantees_of(account)]


def _page_grants(page: SharePage, query: ListQuery, after: CursorPosition) -> list[Key]:
    """The keys of the grants that round 1 has read, on shares that can match.

    Without the folder in which the list resumes: its keys are those of all grants that can be.
    """
    return [
        key
        for share, keys in page.grant_keys.items()
        if query.may_match_share(share) and share != after.share
        for key in keys
    ]


def _deciding_keys(
    account: Account, shares: list[str], page: SharePage, after: CursorPosition
) -> set[Key]:
    """The rows that decide about shares: owners, files, grants, memberships, folders above."""
    keys = set(membership_keys(account)) if shares else set()
    for share in shares:
        owner, name = _owner_and_name(share)
        keys |= {account_key(owner), *page.grant_keys[share]}
        keys |= set() if name.endswith("/") else {file_key(owner, name)}
    for folder in after.listed_folders:
        keys |= {*_grant_keys(account, folder)}
    return keys


def _count_fitting(keys_of_shares: Iterable[list[Key]]) -> int:
    """How many shares, one at least, have no more grants together than a page reads."""
    fitting = [each <= MAX_PAGE_GRANTS for each in accumulate(map(len, keys_of_shares))]
    return max(1, sum(fitting))


def _by_share(grants: Iterable[Grant]) -> dict[str, list[Grant]]:
    """Grants by the file or folder that they are on."""
    found: dict[str, list[Grant]] = {}
    for grant in grants:
        found.setdefault(grant.file, []).append(grant)
    return found
