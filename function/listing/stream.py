"""A list as a stream of items, each with the position at which a cursor resumes the list.

A stream yields the files and folders of a list in order: first the caller's own, then those that
others share. Each item has the position right behind it. The service takes items from the stream
until the page is full; the page's cursor is the last position, and the next page is read from
there. A stream also yields positions without a file, for rows that it has read and that do not
match, so that the next page does not read them again.

One request reads a bounded number of rows. When a stream has read them and more follow, it yields
an item with `ends_page`: the page is then shorter than its limit, or empty, and still has a cursor.
"""

from typing import NamedTuple

from function.core.fields import Permission
from function.tables.files import FileRow
from function.tables.folders import FolderRow


class CursorPosition(NamedTuple):
    """Where a list resumes.

    Among the caller's own files, `share` is empty and `name` is the sort key of the last row that
    was read. `baseline` says which state of the files a sorted list shows (see `sorted_files`).

    Among shared files, `share` is the `owner/name` of a shared file or folder, and `name` the last
    listed file of that folder, empty when it is listed whole. `listed_folders` are the shared
    folders that this list has listed whole: a share within one of them is not listed again.
    """

    share: str = ""
    name: str = ""
    baseline: tuple[str, ...] = ()
    listed_folders: frozenset[str] = frozenset()

    def encode(self) -> list[str]:
        """The fields that a cursor carries: of the folders only those above the current share."""
        above = sorted(each for each in self.listed_folders if self.share.startswith(each))
        return [self.share, self.name, *self.baseline, *above]


def decode_position(fields: list[str]) -> CursorPosition:
    """The position that a cursor carries."""
    share, name, *others = fields
    if share:
        return CursorPosition(share, name, listed_folders=frozenset(others))
    return CursorPosition(name=name, baseline=tuple(others))


class StreamItem(NamedTuple):
    """A file with the caller's permission on it, a folder, or neither: then only a position.

    Without a position, the list stays where the item before it was.
    """

    position: CursorPosition | None = None
    file: FileRow | None = None
    permission: Permission = "read"
    folder: FolderRow | None = None
    ends_page: bool = False
