"""The model: accounts, files, groups, grants and links as plain sets and dicts.

Folders are prefixes of names. A model is immutable: a request makes another model. The grants of a
deleted file and the members of a deleted group are not in it. Where the API may still find such a
row to delete, its key is among the `ghosts`.
"""

from dataclasses import dataclass, field, replace
from typing import Any

PEOPLE = ("alice", "bob", "carol", "dave")
NAMES = ("x", "a/x", "a/y", "a/s/x", "as/x", "b/x", "c/x")
FOLDERS = ("a/", "a/s/", "b/", "c/")
GROUPS = ("club", "team")

Place = tuple[str, str]  # an owner, and the name of a file or folder
Key = tuple[str, str, str]  # a grantee (`user:bob`, `group:team`), and a place


@dataclass(frozen=True)
class File:
    """A file, and the contents of its earlier versions."""

    content: bytes
    version: int
    past: tuple[bytes, ...] = ()

    def replaced(self, content: bytes) -> "File":
        """The file with other bytes."""
        return File(content, self.version + 1, (*self.past, self.content))

    def sizes(self) -> list[int]:
        """The sizes of all versions."""
        return [len(each) for each in (self.content, *self.past)]


@dataclass(frozen=True)
class Grant:
    """A permission on a place until a time in epoch seconds, or without end."""

    permission: str
    until: int | None


@dataclass(frozen=True)
class Link:
    """The items and limits of a link; `used` counts downloads.

    A deleted owner or audience is the empty name.
    """

    owner: str
    items: frozenset[str]
    until: int | None = None
    most: int | None = None
    password: str | None = None
    audience: str | None = None
    used: int = 0
    revoked: bool = False


@dataclass(frozen=True)
class Model:
    """The state at a time. A group whose owner is deleted has the owner None."""

    now: float
    accounts: frozenset[str]
    disabled: frozenset[str] = frozenset()
    files: dict[Place, File] = field(default_factory=dict)
    trash: dict[Place, tuple[File, ...]] = field(default_factory=dict)  # the latest last
    quotas: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)
    grants: dict[Key, Grant] = field(default_factory=dict)
    groups: dict[str, str | None] = field(default_factory=dict)
    members: frozenset[tuple[str, str]] = frozenset()
    invited: frozenset[tuple[str, str]] = frozenset()  # like members, who have not accepted
    reserved: dict[str, str] = field(default_factory=dict)  # names of deleted groups, their owners
    links: dict[str, Link] = field(default_factory=dict)
    ghosts: frozenset[Any] = frozenset()
    blocked: frozenset[Place] = frozenset()  # rows of an account that has gone

    def but(self, **changes: Any) -> "Model":
        """The model with changes."""
        return replace(self, **changes)


def is_in(model: Model, who: str) -> bool:
    """Whether an account exists and is not disabled."""
    return who in model.accounts - model.disabled


def alive(model: Model, ending: Grant | Link) -> bool:
    """Whether it has not expired."""
    return ending.until is None or ending.until > model.now


def covers(where: str, name: str) -> bool:
    """Whether a grant on a file or folder applies to a file of that name."""
    return name.startswith(where) if where.endswith("/") else name == where


def names_of(model: Model, who: str) -> set[str]:
    """The grantees that an account is: itself and its groups."""
    return {f"user:{who}", *(f"group:{group}" for group, member in model.members if member == who)}


def rights(model: Model, who: str, owner: str, name: str) -> set[str]:
    """What somebody is allowed to do with an owner's file of that name."""
    if not (is_in(model, who) and is_in(model, owner)):
        return set()
    if who == owner:
        return {"own", "write", "read"}
    names = names_of(model, who)
    given = {
        grant.permission
        for (grantee, whose, where), grant in model.grants.items()
        if grantee in names and whose == owner and covers(where, name) and alive(model, grant)
    }
    return given | ({"read"} if given else set())


def may_read(model: Model, who: str, owner: str, name: str) -> bool:
    """Whether somebody may read a file, which has to be there."""
    return (owner, name) in model.files and "read" in rights(model, who, owner, name)


def may_write(model: Model, who: str, owner: str, name: str) -> bool:
    """Whether somebody may put a file of that name."""
    return "write" in rights(model, who, owner, name)


def permission(model: Model, who: str, owner: str, name: str) -> str:
    """The most that somebody may do with a file that they may read."""
    held = rights(model, who, owner, name)
    return next(each for each in ("own", "write", "read") if each in held)


def shown(model: Model, link: Link) -> set[str]:
    """The files that a link shows now."""
    return {
        name
        for owner, name in model.files
        if owner == link.owner and any(covers(item, name) for item in link.items)
    }


def opening(model: Model, link: Link, visitor: str | None, *, unlocked: bool) -> int:
    """What a link answers to somebody who looks at it."""
    if not is_in(model, link.owner):
        return 404
    if link.revoked or not alive(model, link):
        return 410
    if link.audience is not None and (visitor is None or not is_in(model, visitor)):
        return 401
    if link.audience not in {None, visitor}:
        return 404
    if link.password is not None and not unlocked:
        return 401
    return 200 if link.items else 404


def used(model: Model, who: str) -> tuple[int, int]:
    """The bytes and files that somebody is charged for: versions and trash are among them."""
    mine = [file for (owner, _), file in model.files.items() if owner == who]
    mine += [file for (owner, _), files in model.trash.items() if owner == who for file in files]
    sizes = [size for file in mine for size in file.sizes()]
    return sum(sizes), len(sizes)


def has_room(model: Model, who: str, size: int) -> bool:
    """Whether somebody may have one file more, so large."""
    quotas = model.quotas.get(who, (None, None))
    more = zip(used(model, who), (size, 1), quotas, strict=True)
    return all(quota is None or had + new <= quota for had, new, quota in more)
