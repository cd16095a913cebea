"""Folders: how many files are below each, so that one level of them is listed without its files.

A folder is a row on the shelf `<owner>/folders`, under its parent and then its own name. Its count
changes in the commit that changes what is below it; a folder without files is none.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from function.aws.dynamodb import Dynamo
from function.aws.rows import Item, Key, Rows
from function.aws.writes import Write, all_of, check, count_equals, delete, size_equals, update
from function.contract import FILES
from function.core.names import folders_of
from function.tables.files import FileRow
from function.tables.grants import grant_key
from function.tables.search_terms import BETWEEN

FOLDERS = "folders"
# Files below a deeper folder are listed with it: all counts change in one transaction.
MOST_LEVELS = 15
AT_ONCE = 1000
MOST_CLEARED = 200  # writes in a step, beside those of the folder with which they become so many


def folder_key(owner: str, folder: str) -> Key:
    """Where a folder such as `a/b/` stands: below `a/`."""
    parent, _, last = folder.removesuffix("/").rpartition("/")
    above = f"{parent}/" if parent else ""
    return Key(FILES, f"{owner}/{FOLDERS}", f"{above}{BETWEEN}{last}/")


def count_files(gone: Iterable[FileRow], come: Iterable[FileRow]) -> list[Write]:
    """Counts files out of their folders and into others."""
    more: Counter[Key] = Counter()
    for rows, one in ((gone, -1), (come, 1)):
        for row in rows:
            for folder in folders_of(row.name)[:MOST_LEVELS]:
                more[folder_key(row.shelf, folder)] += one
    return [update(key, add={"files": files}) for key, files in more.items() if files]


@dataclass(frozen=True)
class FolderRow:
    """A folder such as `a/b/`, where it stands, and how many files are below it at any depth.

    It may be `granted` to somebody without having any.
    """

    name: str
    key: str
    files: int
    granted: bool


def folder_row(item: Item) -> FolderRow:
    """A folder as it was read."""
    key = str(item["name"])
    return FolderRow(
        key.replace(BETWEEN, ""), key, int(str(item.get("files", 0))), "grantees" in item
    )


class Folders:
    """The shelves of folders."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the table files through `db`."""
        self._db = db

    def list_subfolders(
        self, owner: str, folder: str, *, after: str, limit: int, falling: bool
    ) -> tuple[list[FolderRow], bool]:
        """The next folders right below one (empty for the top), in one call, and whether more."""
        shelf, begins = f"{owner}/{FOLDERS}", f"{folder}{BETWEEN}"
        page = self._db.query(
            FILES,
            shelf,
            prefix=begins,
            after=after,
            limit=limit,
            descending=falling,
            single_call=True,
        )
        return [folder_row(item) for item in page.items], page.more


def grantees_in(rows: Rows, owner: str, folder: str) -> frozenset[str]:
    """Whom a folder was granted to, as it was read."""
    held = rows.get(folder_key(owner, folder), {}).get("grantees")
    return held if isinstance(held, frozenset) else frozenset()


def add_folder_grantee(owner: str, folder: str, grantee: str) -> Write:
    """Notes that a folder is granted to somebody."""
    return update(folder_key(owner, folder), add={"grantees": frozenset({grantee})})


def remove_folder_grantee(owner: str, folder: str, gone: Iterable[str]) -> Write:
    """Notes that what was granted to some is taken back, or has ended."""
    return update(folder_key(owner, folder), delete={"grantees": frozenset(gone)})


def grantees_below(db: Dynamo, owner: str, folder: str) -> dict[str, frozenset[str]]:
    """Whom a folder and those below it were granted to, as far as they are to anybody."""
    own = folder_key(owner, folder)
    found = {folder: grantees_in(db.read([own]), owner, folder)}
    after, more = "", True
    while more:
        page = db.query(FILES, own.partition, prefix=folder, after=after, limit=AT_ONCE)
        for item in page.items:
            after = str(item["name"])
            held = item.get("grantees")
            found[after.replace(BETWEEN, "")] = held if isinstance(held, frozenset) else frozenset()
        more = page.more
    return {name: held for name, held in found.items() if held}


def folders_to_clear(db: Dynamo, owner: str, limit: int) -> list[Write]:
    """Removals of the first folders of somebody's, each after what was granted on it."""
    shelf = f"{owner}/{FOLDERS}"
    gone: list[Write] = []
    for item in db.query(FILES, shelf, limit=limit).items:
        if len(gone) >= MOST_CLEARED:
            break
        name, held = str(item["name"]), item.get("grantees")
        folder, to = name.replace(BETWEEN, ""), held if isinstance(held, frozenset) else frozenset()
        gone += [delete(grant_key(str(each), owner, folder)) for each in sorted(to)]
        gone.append(delete(Key(FILES, shelf, name)))
    return gone


@dataclass
class FolderChange:
    """What a commit changes about one folder, and what it expects of it.

    `seen` is how many it was granted to, `left` how many files there are to be below it.
    """

    files: int = 0
    come: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    seen: int | None = None
    left: int | None = None

    def write(self, key: Key) -> Write | None:
        """The one write for all of it; None when there is nothing to write."""
        adds: Item = {"files": self.files} if self.files else {}
        adds |= {"grantees": frozenset(self.come)} if self.come else {}
        deletes: Item = {"grantees": frozenset(self.gone)} if self.gone else {}
        conditions = []
        if self.seen is not None:
            conditions.append(size_equals(grantees=self.seen))
        if self.left is not None:
            conditions.append(count_equals(files=self.left - self.files))
        when = all_of(conditions) if conditions else None
        if adds or deletes:
            return update(key, add=adds, delete=deletes, when=when)
        return check(key, when) if when else None
