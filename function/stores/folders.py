"""Folders: how many files are below each, so that one level of them is listed without its files.

A folder is a row on the shelf `<owner>/folders`, under its parent and then its own name. Its count
changes in the commit that changes what is below it; a folder without files is none.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from function.contract import FILES
from function.records import FileRow
from function.stores.dynamo import Dynamo
from function.stores.rows import Item, Key, Write
from function.stores.shares import folders_of
from function.stores.terms import BETWEEN

FOLDERS = "folders"
# Files below a deeper folder are listed with it: all counts change in one transaction.
MOST_LEVELS = 15


def folder_key(owner: str, folder: str) -> Key:
    """Where a folder such as `a/b/` stands: below `a/`."""
    parent, _, last = folder.removesuffix("/").rpartition("/")
    above = f"{parent}/" if parent else ""
    return Key(FILES, f"{owner}/{FOLDERS}", f"{above}{BETWEEN}{last}/")


def counted(gone: Iterable[FileRow], come: Iterable[FileRow]) -> list[Write]:
    """Counts files out of their folders and into others."""
    more: Counter[Key] = Counter()
    for rows, one in ((gone, -1), (come, 1)):
        for row in rows:
            for folder in folders_of(row.name)[:MOST_LEVELS]:
                more[folder_key(row.shelf, folder)] += one
    return [
        Write("Update", key, values={":more": files}, update="ADD files :more")
        for key, files in more.items()
        if files
    ]


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

    def below(
        self, owner: str, folder: str, *, after: str, limit: int, falling: bool
    ) -> tuple[list[FolderRow], bool]:
        """The next folders right below one (empty for the top), in one call, and whether more."""
        shelf, begins = f"{owner}/{FOLDERS}", f"{folder}{BETWEEN}"
        page = self._db.query(
            FILES, shelf, prefix=begins, after=after, limit=limit, newest=falling, once=True
        )
        return [folder_row(item) for item in page.items], page.more
