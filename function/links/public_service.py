"""Who comes with a link, what is open to them, and what is noted of it."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from function.access.policy import Access
from function.aws.rows import Rows
from function.base import Base
from function.core.cursors import seal, unseal
from function.core.errors import NotSignedIn, Unavailable
from function.core.limits import MOST_BYTES
from function.core.models import Caller
from function.core.names import folders_of
from function.core.roles import may
from function.core.runtime import iso
from function.core.tokens import token_hash
from function.links.errors import LinkExpired, LinkRevoked, NoSuchLink
from function.links.models import Kind, LinkItem, LinkPage, Way
from function.links.service import file_keys, name_of
from function.listing.service import estimated_size
from function.public.models import Unlocked
from function.public.unlock import MINUTE, Gated, PasswordGate, nonce_in
from function.tables.accounts import account_in, account_key
from function.tables.files import FileRow, Files, file_in
from function.tables.grants import Grant
from function.tables.links import EventRow, LinkRow, Links, alias_key, link_with_alias, receipt_key
from function.tables.sessions import session_key

REMEMBERED = 90 * 24 * 3600
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
ALIAS = re.compile(r"[a-z0-9][a-z0-9-]{2,39}")
FOLDERS_AT_ONCE = 10


@dataclass(frozen=True)
class Visitor:
    """Who comes with a link's token, or its alias; `caller` is proven only where that matters."""

    token: str
    address: str
    caller: Caller | None = None
    grant: str | None = None


@dataclass(frozen=True)
class Visit:
    """A link that is open but for its password: what it shows, and what was read with it."""

    link: LinkRow
    grants: list[Grant]
    rows: Rows

    def shows(self, row: FileRow) -> bool:
        """Whether a grant on a file, or on a folder above it, holds for the link."""
        names = {f"{row.shelf}/{each}" for each in [*folders_of(row.name), row.name]}
        ids = (self.link.id, row.owner_id)
        return row.owner_id == self.link.owner_id and any(
            grant.file in names
            and (grant.grantee_id, grant.owner_id) == ids
            and grant.file_id in {None, row.place_id}
            for grant in self.grants
        )

    def file(self, name: str) -> FileRow | None:
        """A file of that name, if it was read and the link shows it."""
        row = file_in(self.rows, self.link.owner, name)
        return row if row and self.shows(row) else None

    def misses(self) -> bool:
        """Whether an item is not where its grant says."""
        return any(g.file_id and self.file(name_of(g)) is None for g in self.grants)

    def files(self) -> list[FileRow]:
        """The files that are items of the link themselves."""
        names = [name for name in map(name_of, self.grants) if not name.endswith("/")]
        return [row for name in names if (row := self.file(name))]

    def folders(self) -> list[str]:
        """The folders that are items of the link, without those that are in another."""
        names = [name for name in map(name_of, self.grants) if name.endswith("/")]
        return [name for name in names if not any(name.startswith(n) and name != n for n in names)]


def locked(link: LinkRow) -> Gated:
    """A link as what may have a password."""
    return Gated(link.id, link.seal, link.password)


def event(kind: Kind, how: Way, now: float, name: str | None = None, times: int = 1) -> EventRow:
    """Something that was done with a link."""
    return EventRow(
        kind=kind,
        how=how,
        created=iso(now),
        expires_at=int(now) + REMEMBERED,
        file_name=name,
        times=times,
    )


class PublicLinkService:
    """Lets visitors in, and shows them around."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._links = Links(base.db)
        self._files = Files(base.db)
        self._gate = base.one(PasswordGate)
        self._runtime = base.runtime

    def show(
        self, visitor: Visitor, how: Way, limit: int, cursor: str | None
    ) -> tuple[LinkPage, str | None, str]:
        """What a link shows now, the cursor of the next page, and a grant; it never counts.

        Raises what `enter` raises, PasswordRequired, InvalidCursor.
        """
        visit = self.enter(visitor)
        token = self._gate.admit(locked(visit.link), visitor.grant)
        rows, following = self.page(visit, limit, cursor)
        self._opened(visit.link, how)
        return _shown(visit.link, rows), following, token.text

    def unlock(self, visitor: Visitor, password: str | None, how: Way) -> Unlocked:
        """A grant for whoever knows the password; without one, for everybody.

        Raises what `enter` raises, WrongPassword, SlowDown.
        """
        link = self.enter(visitor).link
        token = self._gate.unlock(locked(link), password, visitor.address)
        if link.password is not None:
            now = self._runtime.now()
            with suppress(Unavailable):  # an event is no reason to keep somebody out
                self._links.record_unlock(
                    link.id, event("unlocked", how, now), self._runtime.new_id()
                )
        return Unlocked(grant=token.text, expires_at=iso(token.expires_at))

    def enter(self, visitor: Visitor, name: str | None = None, *, counting: bool = False) -> Visit:
        """Lets a visitor in as far as the password; reads one file, or all that are items.

        For `counting` it also reads whether the visitor's grant was counted for them.

        Raises NoSuchLink, LinkRevoked, LinkExpired, NotSignedIn, NotAllowed, SlowDown.
        """
        visit = self._enter(visitor, name, counting=counting)
        if name is None and visit.misses():  # renamed, perhaps, since the link was read
            visit = self._enter(visitor, name, counting=counting)
        return visit

    def _enter(self, visitor: Visitor, name: str | None, *, counting: bool) -> Visit:
        link_id = self._link_id(visitor)
        link, grants = self._links.find(link_id) if link_id else (None, [])
        if link is None:
            self._gate.count_miss(visitor.address)
            raise NoSuchLink
        files = file_keys(link.owner, [name] if name else map(name_of, grants))
        keys = [account_key(link.owner), *files]
        if counting and (nonce := nonce_in(visitor.grant)):
            keys += [receipt_key(link.id, nonce, str(each.sort)) for each in files]
        caller = visitor.caller if link.audience else None
        if caller:
            keys += [account_key(caller.username), session_key(caller.token_hash)]
        rows = self._db.read(keys)
        owner = account_in(rows, link.owner)
        if (
            owner is None
            or owner.id != link.owner_id
            or not may(self._access.with_configured_role(owner).role, "share")
        ):
            raise NoSuchLink
        if link.revoked:
            raise LinkRevoked
        if link.ends is not None and link.ends <= self._runtime.now():
            raise LinkExpired
        if link.audience and caller is None:
            raise NotSignedIn
        if caller and self._access.verify(rows, caller).id != link.audience_id:
            raise NoSuchLink
        return Visit(link, grants, rows)

    def _link_id(self, visitor: Visitor) -> str | None:
        """Whose address it is: a link's token is hashed, an alias looked up. Raises SlowDown."""
        if TOKEN.fullmatch(visitor.token):
            return token_hash(visitor.token)
        if not ALIAS.fullmatch(visitor.token):
            return None
        rows = self._gate.look_up(alias_key(visitor.token), visitor.address)
        return link_with_alias(rows, visitor.token)

    def page(
        self, visit: Visit, limit: int, cursor: str | None
    ) -> tuple[list[FileRow], str | None]:
        """A page of the files that a link shows: its own items, then what its folders hold now.

        Raises NoSuchLink when nothing of what it showed is left, InvalidCursor.
        """
        link, of = visit.link, f"visit {visit.link.id}"
        at = unseal(cursor, link.seal, of)
        if not visit.folders() and not visit.files():
            raise NoSuchLink
        found: list[FileRow] = []
        weight = 0
        for row in self._stream(visit, at, limit + 1):
            if len(found) == limit or weight > MOST_BYTES:
                return found, seal([_position(visit, found[-1]), found[-1].name], link.seal, of)
            found.append(row)
            weight += estimated_size(row)
        return found, None

    def _stream(self, visit: Visit, at: list[str] | None, at_once: int) -> Iterator[FileRow]:
        """The files after a position: the folder (empty for the link's own items), and the name."""
        folder, after = at or ["", ""]
        items = visit.files()
        if not folder:
            yield from (row for row in items if row.name > after)
        listed = {row.name for row in items}
        for row in self._in_folders(visit, folder, after, at_once):
            if visit.shows(row) and row.name not in listed:
                yield row

    def _in_folders(self, visit: Visit, folder: str, after: str, at_once: int) -> Iterator[FileRow]:
        """The files of its folders after a position; the first of several are read together."""

        def read(each: str, last: str) -> tuple[list[FileRow], bool]:
            return self._files.list_files(visit.link.owner, prefix=each, after=last, limit=at_once)

        folders = [each for each in visit.folders() if each >= folder]
        for start in range(0, len(folders), FOLDERS_AT_ONCE):
            some = folders[start : start + FOLDERS_AT_ONCE]
            with ThreadPoolExecutor(FOLDERS_AT_ONCE) as aside:
                begin = [after if each == folder else "" for each in some]
                first = list(aside.map(read, some, begin))
            for each, found in zip(some, first, strict=True):
                rows, more = found
                yield from rows
                while more:
                    rows, more = read(each, rows[-1].name)
                    yield from rows

    def _opened(self, link: LinkRow, how: Way) -> None:
        minute = int(self._runtime.now()) // MINUTE * MINUTE
        with suppress(Unavailable):  # an event is no reason to keep somebody out
            self._links.record_open(link.id, event("opened", how, minute))


def _position(visit: Visit, row: FileRow) -> str:
    """The folder in whose turn a file is listed."""
    own = f"{row.shelf}/{row.name}" in {grant.file for grant in visit.grants}
    return "" if own else next(each for each in visit.folders() if row.name.startswith(each))


def _shown(link: LinkRow, rows: list[FileRow]) -> LinkPage:
    left = None
    if link.max_downloads is not None:
        left = max(link.max_downloads - link.downloads, 0)
    return LinkPage(
        owner=link.owner,
        note=link.note,
        items=[
            LinkItem(
                file_name=row.name,
                size=row.size,
                content_type=row.content_type,
                modified=row.modified,
            )
            for row in rows
        ],
        needs_password=link.password is not None,
        expires_at=None if link.ends is None else iso(link.ends),
        max_downloads=link.max_downloads,
        downloads_left=left,
        allow_download=link.allow_download,
    )
