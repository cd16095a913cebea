"""What of a list is asked for, and which files are among it."""

import json
from dataclasses import dataclass, replace

from function.core.errors import Invalid
from function.core.fields import FileKind, ListScope, Order, Permission, Sort
from function.core.media_types import kind_of
from function.tables.files import FileRow
from function.tables.folders import MAX_LEVELS, FolderRow
from function.tables.search_terms import fold_text, named_words, words_of

MOST_WORDS_ASKED = 8


@dataclass(frozen=True)
class ListQuery:
    """Which files, in which order, and how many of them at once.

    `owner` narrows what is shared to one's. `q` are beginnings of words, `kind` is a sort of thing,
    `folders` one level below `prefix`, `urls` an address for the bytes of each.
    """

    prefix: str = ""
    scope: ListScope | None = None
    limit: int = 100
    cursor: str | None = None
    owner: str | None = None
    q: str | None = None
    tag: str | None = None
    kind: FileKind | None = None
    sort: Sort = "name"
    order: Order = "asc"
    folders: bool = False
    urls: bool = False

    @property
    def words(self) -> list[str]:
        """The words to look for, the longest first: fewest files have that."""
        return sorted(words_of(self.q or ""), key=len, reverse=True)

    @property
    def falling(self) -> bool:
        """Whether the last comes first."""
        return self.order == "desc"

    @property
    def list_id(self) -> str:
        """What makes it the same list; the size of a page and what is told of each do not."""
        same = replace(self, limit=0, cursor=None, urls=False)
        return json.dumps(["files", *vars(same).values()])

    def settled(self) -> "ListQuery":
        """The same, with the scope that it has by default. Raises Invalid."""
        if self.q is not None and not 1 <= len(self.words) <= MOST_WORDS_ASKED:
            raise _invalid("q", f"must have from one to {MOST_WORDS_ASKED} words to look for")
        if self.folders and (self.q or self.tag or self.kind):
            raise _invalid("folders", "is one level; q, tag and type look at all of them")
        if self.folders and self.prefix and not self.prefix.endswith("/"):
            raise _invalid("prefix", "must be a folder, with its '/', where folders=true")
        alone = self.folders or self.sort != "name" or self.falling
        if alone and self.scope in {"all", "shared"}:
            reason = "must be own: what is shared is listed by name, rising, and not by folders"
            raise _invalid("scope", reason)
        counted = self.prefix.count("/") < MAX_LEVELS
        scope = self.scope or ("own" if alone else "all")
        return replace(self, scope=scope, folders=self.folders and counted)

    def concerns(self, shared: str) -> bool:
        """Whether what is shared can hold anything that is asked for."""
        owner, name = shared.split("/", 1)
        if self.owner not in {None, owner}:
            return False
        return name.startswith(self.prefix) or (name.endswith("/") and self.prefix.startswith(name))

    def names(self, name: str) -> bool:
        """Whether a file of that name may be among it."""
        if not name.startswith(self.prefix) or (self.folders and "/" in name[len(self.prefix) :]):
            return False
        return not self.words or finds(self.words, name)

    def has(self, row: FileRow) -> bool:
        """Whether a file is among it."""
        tagged = self.tag is None or fold_text(self.tag) in map(fold_text, row.tags)
        kind = self.kind is None or self.kind == kind_of(row.content_type)
        return tagged and kind and self.names(row.name)


def finds(words: list[str], name: str) -> bool:
    """Whether each of the words begins one that a file of this name is found by."""
    named = named_words(name)
    return all(any(each.startswith(word) for each in named) for word in words)


def _invalid(field: str, reason: str) -> Invalid:
    return Invalid(f"{field} {reason}.", errors=[{"at": f"query.{field}", "reason": reason}])


@dataclass(frozen=True)
class CursorPosition:
    """How far a list has come: what was shared (empty for one's own), and the name within.

    Without a row or folder it only says so; `end` says that to read on would take another round.
    `past` are the shared folders above that the list has come past, and that have listed what they
    cover. Of one's own, `name` is where it stands on the shelf that is read, and `since` what a
    sorted list remembers.
    """

    shared: str = ""
    name: str = ""
    row: FileRow | None = None
    permission: Permission = "read"
    past: frozenset[str] = frozenset()
    end: bool = False
    folder: FolderRow | None = None
    since: tuple[str, ...] = ()

    def position(self) -> list[str]:
        """What the cursor carries."""
        above = sorted(each for each in self.past if self.shared.startswith(each))
        return [self.shared, self.name, *self.since, *above]


def position_at(position: list[str]) -> CursorPosition:
    """The place that a cursor carries."""
    shared, name, *more = position
    if shared:
        return CursorPosition(shared, name, past=frozenset(more))
    return CursorPosition("", name, since=tuple(more))
