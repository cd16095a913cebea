"""The access list: who has access to a file or folder, and what others share with the caller.

Both lists consist of grants. The row of a file or folder names its grantees. Each grant is read
itself, with the rows that it depends on, and one that does not hold is left out.
"""

from concurrent.futures import ThreadPoolExecutor

from function.access.errors import no_such_file
from function.access.policy import Access, Authentication
from function.aws.dynamodb import QueryPage
from function.aws.rows import Key, Rows
from function.base import Base
from function.core.models import Caller
from function.core.paging import Page, PageQuery, Paging
from function.sharing.models import Share, share_view
from function.tables.accounts import Account, account_in, account_key
from function.tables.files import FileRow, file_in, file_key
from function.tables.folders import folder_key, grantees_in
from function.tables.grants import (
    Grant,
    Grants,
    grant_key,
    grant_keys_on,
    grant_row_key,
    granting_folders,
    grants_in,
)
from function.tables.groups import (
    MAX_GROUPS,
    Group,
    grantees_of,
    group_in,
    group_key,
    membership_keys,
)
from function.tables.links import LinkRow, link_in, link_key

MAX_CALLS = MAX_GROUPS + 1  # at the same time: one for the account and one for each of its groups
MAX_READS = 3
SHARED_WITH_ME = "shared with me"


class AccessListService:
    """Lists the grants on a file or folder, and the grants to an account."""

    def __init__(self, base: Base) -> None:
        self._runtime = base.runtime
        self._db = base.db
        self._access = base.one(Access)
        self._grants = Grants(base.db)

    def list_access(
        self, caller: Caller, owner: str | None, name: str, page: PageQuery
    ) -> Page[Share]:
        """A page of the grants on a file or folder of the caller and on the folders above it.

        Sorted by folder, outermost first, then by grantee. Raises NoSuchFile, InvalidCursor.
        """
        file_keys = [] if name.endswith("/") else [file_key(caller.username, name)]
        folders = [*granting_folders(name), *([] if file_keys else [name])]
        folder_keys = [folder_key(caller.username, each) for each in folders]
        authentication = self._access.authenticate_owner(
            caller, owner, name, [*file_keys, *folder_keys]
        )
        account, keys = authentication.account, _grant_keys(authentication, folders, name)
        paging = Paging(page, account.id, f"shares {name}")
        following = [key for key in keys if _position(key) > (paging.position or [])]
        keys = following[: paging.limit]
        rows = self._db.read([*keys, *map(_grantee_key, keys), *file_keys])
        file, current = authentication.own_file(name), file_in(rows, account.username, name)
        if file and (current is None or current.place_id != file.place_id):
            raise no_such_file(name)  # deleted or renamed after the first read
        grants = [each for each in grants_in(rows, keys) if self._holds(each, account, file, rows)]
        shares = [share_view(_with_link_expiry(each, rows)) for each in grants]
        return paging.page(shares, _position(keys[-1]) if len(following) > len(keys) else None)

    def list_shared_with_me(self, caller: Caller, page: PageQuery) -> Page[Share]:
        """A page of the grants of other accounts to the caller and to the caller's groups.

        Raises InvalidCursor.
        """
        account = self._access.authenticate(caller).account
        paging = Paging(page, account.id, SHARED_WITH_ME)
        grantee, after = paging.position or ["", ""]
        for _ in range(MAX_READS):
            queried, has_more = self._grants_to(account, grantee, after, paging.limit)
            keys = [key for grant in queried for key in _keys_of(grant)]
            rows = self._db.read([*keys, *membership_keys(account)] if queried else [])
            grants = grants_in(rows, map(grant_row_key, queried))
            if len(grants) == len(queried):
                break  # otherwise a grant was deleted or moved to another name after the query
        ids = {account.id, *self._access.memberships_in(rows, account)}
        shares = [share_view(each) for each in grants if self._opens(each, ids, account, rows)]
        last = (queried[-1].grantee, queried[-1].file) if has_more else None
        return paging.page(shares, last)

    def _grants_to(
        self, account: Account, grantee: str, after: str, limit: int
    ) -> tuple[list[Grant], bool]:
        """At most `limit` next grants to an account and its groups, and whether more follow.

        The position in the list is a grantee and, within its grants, a file. Each grantee has its
        share of the limit, and the first that has more grants the rest of it: so the rows that are
        read are about those of the page, however many grantees there are. A page may be shorter.
        """
        grantees = [each for each in sorted(grantees_of(account)) if each >= grantee]

        def query(each: str) -> QueryPage[Grant]:
            start = after if each == grantee else ""
            return self._grants.list_grants(each, after=start, limit=limit // len(grantees) + 1)

        with ThreadPoolExecutor(MAX_CALLS) as pool:
            pages = dict(zip(grantees, pool.map(query, grantees), strict=True))
        found: list[Grant] = []
        has_read_rest = False
        for each, page in pages.items():
            found += page.items
            more = page.more
            if more and not has_read_rest and len(found) <= limit:
                rest = limit + 1 - len(found)
                others, more = self._grants.list_grants(each, after=found[-1].file, limit=rest)
                found, has_read_rest = found + others, True
            if more or len(found) > limit:
                return found[:limit], True
        return found, False

    def _holds(self, grant: Grant, owner: Account, file: FileRow | None, rows: Rows) -> bool:
        """Whether a grant of the caller holds, and its account, group or link exists."""
        kind, _, name = grant.grantee.partition(":")
        grantee: Account | Group | LinkRow | None
        if kind == "link":
            link = link_in(rows, name)
            grantee = link if link and self._is_active(link) else None
        else:
            grantee = account_in(rows, name) if kind == "user" else group_in(rows, name)
        ids = {grantee.id} if grantee else set()
        return self._access.grant_applies(grant, ids, owner, file)

    def _is_active(self, link: LinkRow) -> bool:
        """Whether a link is neither revoked nor expired."""
        return not link.revoked and (link.ends is None or link.ends > self._runtime.now())

    def _opens(self, grant: Grant, ids: set[str], account: Account, rows: Rows) -> bool:
        """Whether a grant of another account gives access to an account with these ids."""
        owner = account_in(rows, grant.owner)
        if owner is None or owner.id == account.id:
            return False
        file = file_in(rows, grant.owner, grant.name)
        return self._access.grant_applies(grant, ids, owner, file)


def _grant_keys(authentication: Authentication, folders: list[str], name: str) -> list[Key]:
    """The keys of the grants on a file, and on the folders that its rights come from, sorted.

    Raises NoSuchFile.
    """
    owner, file = authentication.account.username, authentication.own_file(name)
    if file is None and not name.endswith("/"):
        raise no_such_file(name)
    keys = grant_keys_on(file) if file else []
    for folder in folders:
        named = grantees_in(authentication.rows, owner, folder)
        keys += [grant_key(each, owner, folder) for each in named]
    return sorted(keys, key=_position)


def _keys_of(grant: Grant) -> list[Key]:
    """The rows that decide whether a grant holds: itself, its owner, and its file if it is one."""
    file = [file_key(grant.owner, grant.name)] if grant.file_id else []
    return [grant_row_key(grant), account_key(grant.owner), *file]


def _with_link_expiry(grant: Grant, rows: Rows) -> Grant:
    """The grant with the expiry of its link: the row of the grant is kept for longer than that."""
    kind, _, name = grant.grantee.partition(":")
    link = link_in(rows, name) if kind == "link" else None
    return grant.model_copy(update={"expires_at": link.ends}) if link else grant


def _grantee_key(key: Key) -> Key:
    """The row of the account, group or link to which the grant with this key is made."""
    kind, _, name = key.partition.partition(":")
    return {"user": account_key, "group": group_key, "link": link_key}[kind](name)


def _position(key: Key) -> list[str]:
    """The position of a grant in the access list: by file or folder, then by grantee."""
    return [str(key.sort), key.partition]
