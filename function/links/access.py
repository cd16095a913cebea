"""Public access to links: who may open a link, and which files the open link includes.

A link opens for whoever has its token or alias, unless it is revoked, expired, for another account
(`audience`) or its owner may not share any more. Its password is checked apart, by the
`PasswordGate`. Every request checks all of it against rows that it reads itself.
"""

import re
from dataclasses import dataclass

from function.access.policy import Access
from function.aws.rows import Key, Rows
from function.base import Base
from function.core.errors import NotSignedIn
from function.core.models import Caller
from function.core.names import folders_of
from function.core.roles import may
from function.core.tokens import is_shared_token, token_hash
from function.links.errors import LinkExpired, LinkRevoked, NoSuchLink
from function.links.items import item_keys
from function.public.unlock import Gated, PasswordGate, nonce_in
from function.tables.accounts import account_in, account_key
from function.tables.files import FileRow, file_in
from function.tables.grants import Grant
from function.tables.links import LinkRow, Links, alias_key, link_with_alias, receipt_key
from function.tables.sessions import session_key

ALIAS = re.compile(r"[a-z0-9][a-z0-9-]{2,39}")


@dataclass(frozen=True)
class LinkVisitor:
    """A request for a link by its token or alias, and the access token that it brings, if any.

    `caller` is not authenticated unless the link has an audience.
    """

    token: str
    address: str
    caller: Caller | None = None
    access_token: str | None = None


@dataclass(frozen=True)
class OpenLink:
    """A link that opens for a visitor, but for its password; its grants, and the rows read."""

    link: LinkRow
    grants: list[Grant]
    rows: Rows

    def includes(self, row: FileRow) -> bool:
        """Whether the link has a valid grant on the file or on a folder above it."""
        names = {f"{row.partition}/{each}" for each in [*folders_of(row.name), row.name]}
        ids = (self.link.id, row.owner_id)
        return row.owner_id == self.link.owner_id and any(
            grant.file in names
            and (grant.grantee_id, grant.owner_id) == ids
            and grant.file_id in {None, row.place_id}
            for grant in self.grants
        )

    def file(self, name: str) -> FileRow | None:
        """The file of that name, if its row was read and the link includes it."""
        row = file_in(self.rows, self.link.owner, name)
        return row if row and self.includes(row) else None

    def files(self) -> list[FileRow]:
        """The items that are files."""
        names = [grant.name for grant in self.grants if not grant.name.endswith("/")]
        return [row for name in names if (row := self.file(name))]

    def folders(self) -> list[str]:
        """The names of the items that are folders, without folders below another of them."""
        names = [grant.name for grant in self.grants if grant.name.endswith("/")]
        return [name for name in names if not any(name.startswith(n) and name != n for n in names)]

    def lacks_files(self) -> bool:
        """Whether a file is missing at the name that its grant has."""
        return any(grant.file_id and self.file(grant.name) is None for grant in self.grants)


class LinkGate:
    """Opens links for visitors."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._links = Links(base.db)
        self._password_gate = base.one(PasswordGate)
        self._now = base.runtime.now

    def open(
        self, visitor: LinkVisitor, name: str | None = None, *, receipts: bool = False
    ) -> OpenLink:
        """Opens a link, but for its password, and reads the row of one file or of all its items.

        With `receipts` it also reads which of these files the visitor's access token has a receipt
        for. Raises NoSuchLink, LinkRevoked, LinkExpired, NotSignedIn, NotAllowed, SlowDown.
        """
        opened = self._open(visitor, name, receipts=receipts)
        if name is None and opened.lacks_files():
            # An item may have been renamed after the link was read, and its grant with it.
            opened = self._open(visitor, name, receipts=receipts)
        return opened

    def _open(self, visitor: LinkVisitor, name: str | None, *, receipts: bool) -> OpenLink:
        link_id = self._link_id(visitor)
        link, grants = self._links.find(link_id) if link_id else (None, [])
        if link is None:
            self._password_gate.count_miss(visitor.address)
            raise NoSuchLink
        files = item_keys(link.owner, [name] if name else [grant.name for grant in grants])
        keys = [account_key(link.owner), *files]
        if receipts and (nonce := nonce_in(visitor.access_token)):
            keys += [receipt_key(link.id, nonce, str(key.sort)) for key in files]
        rows = self._db.read([*keys, *_audience_keys(link, visitor)])
        self._require_open(link, visitor, rows)
        return OpenLink(link, grants, rows)

    def _require_open(self, link: LinkRow, visitor: LinkVisitor, rows: Rows) -> None:
        """Raises NoSuchLink, LinkRevoked, LinkExpired, NotSignedIn, NotAllowed."""
        owner = account_in(rows, link.owner)
        if owner is None or owner.id != link.owner_id:
            raise NoSuchLink
        if not may(self._access.with_configured_role(owner).role, "share"):
            raise NoSuchLink
        if link.revoked:
            raise LinkRevoked
        if link.ends is not None and link.ends <= self._now():
            raise LinkExpired
        if link.audience is None:
            return
        if visitor.caller is None:
            raise NotSignedIn
        if self._access.verify(rows, visitor.caller).id != link.audience_id:
            raise NoSuchLink

    def _link_id(self, visitor: LinkVisitor) -> str | None:
        """The id of the link with this token or alias. Raises SlowDown.

        A token cannot be guessed; requests for aliases that do not exist are limited.
        """
        if is_shared_token(visitor.token):
            return token_hash(visitor.token)
        if not ALIAS.fullmatch(visitor.token):
            return None
        rows = self._password_gate.look_up(alias_key(visitor.token), visitor.address)
        return link_with_alias(rows, visitor.token)


def gated_link(link: LinkRow) -> Gated:
    """A link as the password gate sees it."""
    return Gated(link.id, link.signing_key, link.password)


def _audience_keys(link: LinkRow, visitor: LinkVisitor) -> list[Key]:
    """The rows that prove the caller, which only a link with an audience needs."""
    caller = visitor.caller if link.audience else None
    return [account_key(caller.username), session_key(caller.token_hash)] if caller else []
