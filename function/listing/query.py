"""The query of a list: which files it asks for, in which order, and whether a file matches."""

import json
from dataclasses import dataclass, replace

from function.core.errors import Invalid
from function.core.fields import FileKind, ListScope, Order, Sort
from function.core.limits import MAX_WORDS
from function.core.media_types import kind_of
from function.tables.files import FileRow
from function.tables.folders import MAX_LEVELS
from function.tables.search_terms import fold_text, named_words, words_of


@dataclass(frozen=True)
class ListQuery:
    """Which files to list, in which order, and how many a page.

    `prefix` is the beginning of their names, `owner` the account that shares them, `q` words or
    beginnings of words, `kind` a kind of media type. With `folders`, one level below `prefix` is
    listed: its folders, then its files. With `urls`, each file has a download URL.
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
        """The folded words of `q`, the longest first, since it probably occurs in fewest files."""
        return sorted(words_of(self.q or ""), key=len, reverse=True)

    @property
    def is_descending(self) -> bool:
        """Whether the last name, the newest or the largest file comes first."""
        return self.order == "desc"

    @property
    def list_id(self) -> str:
        """The identity of the list, which a cursor is sealed for: pages may differ in size."""
        same_list = replace(self, limit=0, cursor=None, urls=False)
        return json.dumps(["files", *vars(same_list).values()])

    def validated(self) -> "ListQuery":
        """The query with its default scope, if its fields go together. Raises Invalid.

        Files below the folders that are counted have no index rows by level: there `folders` is
        dropped, and files are listed with their whole names.
        """
        if self.q is not None and not 1 <= len(self.words) <= MAX_WORDS:
            raise _invalid("q", f"must have 1 to {MAX_WORDS} words")
        if self.folders and (self.q or self.tag or self.kind):
            raise _invalid("folders", "lists one level; q, tag and type search all levels")
        if self.folders and self.prefix and not self.prefix.endswith("/"):
            raise _invalid("prefix", "must be a folder and end with '/' when folders=true")
        only_own = self.folders or self.sort != "name" or self.is_descending
        if only_own and self.scope in {"all", "shared"}:
            reason = "must be own: shared files are listed only by name, ascending, without folders"
            raise _invalid("scope", reason)
        is_counted = self.prefix.count("/") < MAX_LEVELS
        scope = self.scope or ("own" if only_own else "all")
        return replace(self, scope=scope, folders=self.folders and is_counted)

    def may_match_share(self, share: str) -> bool:
        """Whether a shared file or folder (`owner/name`) can have files that match."""
        owner, name = share.split("/", 1)
        if self.owner not in {None, owner}:
            return False
        return name.startswith(self.prefix) or (name.endswith("/") and self.prefix.startswith(name))

    def matches_name(self, name: str) -> bool:
        """Whether a file of this name matches, as far as its name says."""
        if not name.startswith(self.prefix) or (self.folders and "/" in name[len(self.prefix) :]):
            return False
        return not self.words or _has_words(name, self.words)

    def matches(self, row: FileRow) -> bool:
        """Whether a file matches."""
        has_tag = self.tag is None or fold_text(self.tag) in map(fold_text, row.tags)
        has_kind = self.kind is None or self.kind == kind_of(row.content_type)
        return has_tag and has_kind and self.matches_name(row.name)


def _has_words(name: str, words: list[str]) -> bool:
    """Whether each of the words is the beginning of a word that the file is found by."""
    named = named_words(name)
    return all(any(each.startswith(word) for each in named) for word in words)


def _invalid(field: str, reason: str) -> Invalid:
    return Invalid(f"{field} {reason}.", errors=[{"at": f"query.{field}", "reason": reason}])
