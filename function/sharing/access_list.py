"""Who can reach what one has, and what others have granted: lists of grants, not of files.

The grants on a file are those that its row names. Those on a folder are found by the index, which
may be a moment late; each is then read itself, so that none is shown that does not hold.
"""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from function.access.errors import NoSuchFile
from function.access.policy import Access
from function.aws.rows import Key, Rows
from function.base import Base
from function.core.cursors import seal, unseal
from function.core.models import Caller
from function.core.names import folders_of
from function.sharing.models import Share, share
from function.tables.accounts import Account, account_in, account_key
from function.tables.files import FileRow, file_in, file_key
from function.tables.grants import Grant, Grants, grant_keys_on, grant_row_key, grants_in
from function.tables.groups import (
    MOST_OF_ONE,
    Group,
    grantees_of,
    group_in,
    group_key,
    membership_keys,
)
from function.tables.links import LinkRow, link_in, link_key

CALLS_AT_ONCE = MOST_OF_ONE + 1
WITH_ME = "shared with me"
MOST_LOOKS = 3
Page = tuple[list[Share], str | None]


class AccessListService:
    """Lists grants."""

    def __init__(self, base: Base) -> None:
        self._runtime = base.runtime
        self._db = base.db
        self._access = base.one(Access)
        self._shares = Grants(base.db)

    def on(
        self, caller: Caller, owner: str | None, name: str, limit: int, cursor: str | None
    ) -> Page:
        """The grants on a file or folder of the caller's, and on the folders above it.

        Raises NoSuchFile, InvalidCursor.
        """
        folder, file = name.endswith("/"), [file_key(caller.username, name)]
        entry = self._access.authenticate_owner(caller, owner, file)
        account, of, own_file = entry.account, f"shares {name}", entry.own_file(name)
        if own_file is None and not folder:
            raise NoSuchFile
        own = grant_keys_on(own_file) if own_file else []
        above = [*folders_of(name), *([name] if folder else [])]
        with ThreadPoolExecutor(CALLS_AT_ONCE) as aside:
            found = aside.map(lambda each: self._shares.list_keys_on(caller.username, each), above)
            keys = sorted({*chain.from_iterable(found), *own}, key=_place)
        after = unseal(cursor, account.id, of)
        keys = [key for key in keys if after is None or _place(key) > after]
        page, rest = keys[:limit], keys[limit:]
        rows = self._db.read([*page, *map(_grantee, page), *([] if folder else file)])
        now = file_in(rows, caller.username, name)
        if own_file and (now is None or now.place_id != own_file.place_id):
            raise NoSuchFile  # it has gone meanwhile
        held = [
            each for each in grants_in(rows, page) if self._holds(each, account, own_file, rows)
        ]
        shown = [share(_until(each, rows)) for each in held]
        return shown, seal(_place(page[-1]), account.id, of) if rest else None

    def with_me(self, caller: Caller, limit: int, cursor: str | None) -> Page:
        """What others have granted to the caller and to the caller's groups.

        Raises InvalidCursor.
        """
        account = self._access.authenticate(caller).account
        at, after = unseal(cursor, account.id, WITH_ME) or ["", ""]
        for _ in range(MOST_LOOKS):
            page, more = self._granted(account, at, after, limit)
            bearing = [key for grant in page for key in _bearing(grant)]
            rows = self._db.read([*bearing, *membership_keys(account)] if page else [])
            held = grants_in(rows, map(grant_row_key, page))
            if len(held) == len(page):
                break  # else one was taken back meanwhile, or carried to another name
        ids = {account.id, *self._access.memberships_in(rows, account)}
        shown = [share(each) for each in held if self._opens(each, ids, account, rows)]
        return shown, seal([page[-1].grantee, page[-1].file], account.id, WITH_ME) if more else None

    def _granted(
        self, account: Account, at: str, after: str, limit: int
    ) -> tuple[list[Grant], bool]:
        """The next grants to an account and its groups, and whether more follow."""
        whose = [who for who in sorted(grantees_of(account)) if who >= at]
        with ThreadPoolExecutor(CALLS_AT_ONCE) as aside:
            pages = aside.map(
                lambda who: self._shares.list_grants(
                    who, after=after if who == at else "", limit=limit + 1
                ),
                whose,
            )
            grants = [grant for found, _ in pages for grant in found]
        return grants[:limit], len(grants) > limit

    def _holds(self, grant: Grant, owner: Account, file: FileRow | None, rows: Rows) -> bool:
        """Whether a grant of the caller's holds, and for somebody who is there."""
        kind, _, name = grant.grantee.partition(":")
        held: Account | Group | LinkRow | None
        if kind == "link":
            held = link_in(rows, name)
            held = held if held and self._leads(held) else None
        else:
            held = account_in(rows, name) if kind == "user" else group_in(rows, name)
        ids = {held.id} if held else set()
        return self._access.grant_applies(grant, ids, owner, file)

    def _leads(self, link: LinkRow) -> bool:
        """Whether a link still leads anywhere."""
        return not link.revoked and (link.ends is None or link.ends > self._runtime.now())

    def _opens(self, grant: Grant, ids: set[str], account: Account, rows: Rows) -> bool:
        """Whether somebody else's grant opens what it is on for who has these ids."""
        owner = account_in(rows, grant.owner)
        if owner is None or owner.id == account.id:
            return False
        file = file_in(rows, grant.owner, name_of(grant))
        return self._access.grant_applies(grant, ids, owner, file)


def name_of(grant: Grant) -> str:
    """The name of what a grant is on."""
    return grant.file.partition("/")[2]


def _bearing(grant: Grant) -> list[Key]:
    """What bears on a grant: itself, its owner, and the file that it is on."""
    file = [file_key(grant.owner, name_of(grant))] if grant.file_id else []
    return [grant_row_key(grant), account_key(grant.owner), *file]


def _until(grant: Grant, rows: Rows) -> Grant:
    """A grant as it ends: a link's is kept for longer than its link leads anywhere."""
    kind, _, name = grant.grantee.partition(":")
    link = link_in(rows, name) if kind == "link" else None
    return grant.model_copy(update={"expires_at": link.ends}) if link else grant


def _grantee(key: Key) -> Key:
    """What tells whether the grantee of a grant is there."""
    kind, _, name = key.partition.partition(":")
    return {"user": account_key, "group": group_key, "link": link_key}[kind](name)


def _place(key: Key) -> list[str]:
    """Where a grant stands in the list of those on a file: folders first, then by grantee."""
    return [str(key.sort), key.partition]
