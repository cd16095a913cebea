"""Folders in the table files: how many files are below each, and to whom each is granted.

A folder such as `a/b/` is a row of the partition `<owner>/folders`, sorted by its parent and then
by its own name, so one level is listed without its files. The commit that adds or removes a file
below a folder also changes its count. No list shows a folder whose count is 0.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from function.aws.dynamodb import Dynamo, QueryPage
from function.aws.rows import Item, Key, Rows, key_from
from function.aws.writes import Write, all_of, check, count_equals, delete, size_equals, update
from function.contract import FILES
from function.core.names import folders_of
from function.tables.files import FileRow
from function.tables.grants import grant_key
from function.tables.search_terms import SEPARATOR
from function.tables.shards import (
    NOT_SPREAD,
    SPREAD,
    ShardSet,
    fold_shards,
    spreading,
    sum_shards,
)

FOLDERS = "folders"
COUNTS = "counts"
# Files below a deeper folder are listed with it: one transaction changes all the counts of a file.
MAX_LEVELS = 15
PAGE_SIZE = 1000
MAX_CLEARED = 200  # writes of one step; the folder that exceeds them is finished


@dataclass(frozen=True)
class FolderRow:
    """A folder: its full name such as `a/b/`, its sort key, and the files below it at any depth.

    `granted` tells whether it has grantees. `spread` names the shards that count others of its
    files (see `shards`).
    """

    name: str
    key: str
    files: int
    granted: bool
    spread: str | None = None


@dataclass
class FolderChange:
    """The change of a folder by one commit, and its conditions.

    `files` is added to the count, `added` and `removed` are grantees. The folder must have
    `grantees_read` grantees now, and after the commit `files_left` files and no shards; None
    requires nothing.
    """

    files: int = 0
    added: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    grantees_read: int | None = None
    files_left: int | None = None

    def write(self, key: Key) -> Write | None:
        """The one write for all of it; None when there is nothing to change or to require."""
        adds: Item = {"files": self.files} if self.files else {}
        adds |= {"grantees": frozenset(self.added)} if self.added else {}
        deletes: Item = {"grantees": frozenset(self.removed)} if self.removed else {}
        conditions = []
        if self.grantees_read is not None:
            conditions.append(size_equals(grantees=self.grantees_read))
        if self.files_left is not None:
            conditions.append(NOT_SPREAD & count_equals(files=self.files_left - self.files))
        when = all_of(conditions) if conditions else None
        if adds or deletes:
            return update(key, add=adds, delete=deletes, when=when)
        return check(key, when) if when else None


def folder_key(owner: str, folder: str) -> Key:
    """The key of a folder such as `a/b/`: below `a/`."""
    parent, _, last = folder.removesuffix("/").rpartition("/")
    above = f"{parent}/" if parent else ""
    return Key(FILES, f"{owner}/{FOLDERS}", f"{above}{SEPARATOR}{last}/")


def folder_row(item: Item) -> FolderRow:
    """A folder from its row."""
    key = str(item["name"])
    files = int(str(item.get("files", 0)))
    spread = str(item[SPREAD]) if SPREAD in item else None
    return FolderRow(_folder_name(item), key, files, "grantees" in item, spread)


def count_shards(folder: Key) -> ShardSet:
    """The shards of a folder's count of files: those of its neighbours are beside them."""
    owner = folder.partition.removesuffix(f"/{FOLDERS}")
    return ShardSet(FILES, f"{owner}/{COUNTS}", f"{folder.sort}{SEPARATOR}")


def fold_count(db: Dynamo, folder: Key, row: Item, now: float) -> int:
    """The files of a folder, by its row; afterwards the row alone counts them.

    Raises Unavailable.
    """
    files = int(str(row.get("files", 0)))
    if SPREAD not in row:
        return files
    sums = fold_shards(db, folder, count_shards(folder), str(row[SPREAD]), now)
    return files + int(str(sums.get("files", 0)))


def grantees_in(rows: Rows, owner: str, folder: str) -> frozenset[str]:
    """The grantees of a folder, if it is among the rows."""
    return _grantees(rows.get(folder_key(owner, folder), {}))


def count_files(removed: Iterable[FileRow], added: Iterable[FileRow]) -> list[Write]:
    """Counts removed and added files in the folders above them."""
    changes: Counter[Key] = Counter()
    for rows, one in ((removed, -1), (added, 1)):
        for row in rows:
            for folder in folders_of(row.name)[:MAX_LEVELS]:
                changes[folder_key(row.partition, folder)] += one
    return [_count(key, {"files": files}) for key, files in changes.items() if files]


def _count(folder: Key, files: Item) -> Write:
    return spreading(update(folder, add=files), count_shards(folder), files)


def add_folder_grantee(owner: str, folder: str, grantee: str) -> Write:
    """Adds a grantee to a folder, which need not have files."""
    return update(folder_key(owner, folder), add={"grantees": frozenset({grantee})})


def remove_folder_grantee(owner: str, folder: str, grantees: Iterable[str]) -> Write:
    """Removes grantees from a folder."""
    return update(folder_key(owner, folder), delete={"grantees": frozenset(grantees)})


def grantees_below(db: Dynamo, owner: str, folder: str, row: Item) -> dict[str, frozenset[str]]:
    """The grantees of a folder and of the folders below it, by name; no folder without any.

    `row` is the folder's own, as it was read.
    """
    found = {folder: _grantees(row)}
    after, more = "", True
    while more:
        page = db.query(FILES, f"{owner}/{FOLDERS}", prefix=folder, after=after, limit=PAGE_SIZE)
        found |= {_folder_name(item): _grantees(item) for item in page.items}
        after, more = str(page.items[-1]["name"]) if page.items else "", page.more
    return {name: grantees for name, grantees in found.items() if grantees}


def delete_folders(db: Dynamo, owner: str, limit: int) -> list[Write]:
    """Deletes the first folders of an owner, each after the grants on it and its shards."""
    writes: list[Write] = []
    for item in db.query(FILES, f"{owner}/{FOLDERS}", limit=limit).items:
        if len(writes) >= MAX_CLEARED:
            break
        folder = _folder_name(item)
        writes += [delete(grant_key(each, owner, folder)) for each in sorted(_grantees(item))]
        key = key_from(FILES, item)
        shards = count_shards(key).keys(str(item[SPREAD])) if SPREAD in item else []
        writes += [delete(each) for each in [*shards, key]]
    return writes


class Folders:
    """Queries of folders."""

    def __init__(self, db: Dynamo) -> None:
        """Takes the client."""
        self._db = db

    def list_subfolders(
        self, owner: str, folder: str, *, after: str, limit: int, descending: bool
    ) -> QueryPage[FolderRow]:
        """The folders right below one (empty for the top), after a sort key, in one call.

        Where any of them has shards, at least one more reads these.
        """
        page = self._db.query(
            FILES,
            f"{owner}/{FOLDERS}",
            prefix=f"{folder}{SEPARATOR}",
            after=after,
            limit=limit,
            descending=descending,
            single_call=True,
        )
        return QueryPage(self._with_shards(owner, page.map(folder_row).items), page.more)

    def _with_shards(self, owner: str, folders: list[FolderRow]) -> list[FolderRow]:
        """The folders of one level with what their shards count, which are read by range."""
        spread = sorted(folder.key for folder in folders if folder.spread)
        if not spread:
            return folders
        rows = dict[Key, Item]()
        after, more = spread[0], True
        while more and after < f"{spread[-1]}{SEPARATOR}~":
            page = self._db.query(FILES, f"{owner}/{COUNTS}", after=after, limit=PAGE_SIZE)
            rows |= {key_from(FILES, item): item for item in page.items}
            after, more = str(page.items[-1]["name"]) if page.items else "", page.more
        return [_with_sums(owner, folder, rows) for folder in folders]


def _with_sums(owner: str, folder: FolderRow, rows: Rows) -> FolderRow:
    if folder.spread is None:
        return folder
    shards = count_shards(Key(FILES, f"{owner}/{FOLDERS}", folder.key))
    sums = sum_shards(rows, shards.keys(folder.spread))
    return replace(folder, files=folder.files + int(str(sums.get("files", 0))))


def _folder_name(item: Item) -> str:
    return str(item["name"]).replace(SEPARATOR, "")


def _grantees(item: Item) -> frozenset[str]:
    grantees = item.get("grantees")
    return grantees if isinstance(grantees, frozenset) else frozenset()
