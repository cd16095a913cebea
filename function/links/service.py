"""Links as their owners create, change, list and revoke them.

The id of a link is the SHA-256 of its token, and the token is stored nowhere: the address of a link
can be shown only once. A link has an entry in the list of its owner and, if it has an alias, an
entry for that; both are written and deleted in the commit that changes the link.
"""

from collections.abc import Iterable

from function.access.lookups import Lookups
from function.access.policy import Access, Authentication
from function.audit.service import AuditLog
from function.auth.passwords import Passwords
from function.aws.dynamodb import TRANSACTION_LIMIT
from function.aws.rows import Key
from function.aws.writes import Write
from function.base import Base
from function.core.errors import Invalid
from function.core.idempotency import IdempotentRequest
from function.core.limits import EXPIRED_SECONDS
from function.core.models import Caller
from function.core.paging import Page, PageQuery, Paging
from function.core.runtime import iso
from function.core.tokens import is_token_hash, token_hash
from function.idempotency.creation import Creation, Earlier, created_earlier
from function.links.errors import AliasTaken, NoSuchLink
from function.links.items import LinkItems, current_grants, item_keys
from function.links.models import (
    Link,
    LinkChanges,
    LinkEvent,
    LinkRequest,
    LinkSummary,
)
from function.tables.grants import Grant
from function.tables.links import (
    LinkRow,
    Links,
    alias_key,
    create_link,
    delete_owner_entry,
    is_alias_taken,
    put_alias,
    put_owner_entry,
    release_alias,
    update_link,
)
from function.tables.usage import require_account_active

LINKS = "links"


class LinkService:
    """Manages the links of an account."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._lookups = base.one(Lookups)
        self._links = Links(base.db)
        self._items = base.one(LinkItems)
        self._passwords = base.one(Passwords)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def create(
        self,
        caller: Caller,
        request: LinkRequest,
        base_url: str,
        idempotent: IdempotentRequest | None = None,
    ) -> Link:
        """Creates a link; only this answer has its `url`, below `base_url`.

        Raises NoSuchFile, NoSuchUser, SlowDown, AliasTaken, WeakPassword, LimitReached,
        IdempotencyKeyReused, IdempotencyKeySpent, ChangedMeanwhile.
        """
        creation = Creation(self._runtime, caller, idempotent)

        def plan() -> tuple[list[Write], Link]:
            authentication = self._access.authenticate(
                caller, more=[*self.keys(caller.username, request), *creation.keys]
            )
            if earlier := creation.find_earlier(authentication):
                return [], self._repeat(caller, earlier, base_url)
            row = self.new_row(authentication, creation.secret, request)
            grants = self._items.grants(authentication, row, request.items)
            writes = [
                *self.creating_writes(caller, row),
                *self._items.writes(authentication, [], grants),
                require_account_active(authentication.account),
                *creation.record(authentication.account, row.id),
            ]
            return writes, link_view(row, grants, link_url(base_url, row.alias or creation.secret))

        return self._db.transact(plan)

    def keys(self, owner: str, request: LinkRequest) -> list[Key]:
        """The rows of the items, the audience and the alias that a request names."""
        keys = item_keys(owner, request.items)
        keys += self._lookups.keys(owner, request.audience) if request.audience else []
        return keys + ([alias_key(request.alias)] if request.alias else [])

    def new_row(self, authentication: Authentication, token: str, request: LinkRequest) -> LinkRow:
        """The row of a new link. The rows of `keys` must be among those of `authentication`.

        Raises NoSuchUser, SlowDown, AliasTaken, WeakPassword.
        """
        row = LinkRow(
            id=token_hash(token),
            owner=authentication.account.username,
            owner_id=authentication.account.id,
            created=iso(self._runtime.now()),
            rev="",
            signing_key=self._runtime.new_id(),
        )
        return self._updated(authentication, row, request)

    def creating_writes(self, caller: Caller, row: LinkRow) -> list[Write]:
        """The writes of a new link, but those of its items."""
        audit_write = self._audit.record(caller, "link.create", subject=row.id)
        return [create_link(row), *self._put_entries(row), audit_write]

    def _repeat(self, caller: Caller, earlier: Earlier, base_url: str) -> Link:
        """The link that an earlier request created. Raises IdempotencyKeySpent."""
        with created_earlier():
            link = self.get(caller, earlier.id)
        url = link_url(base_url, link.alias or earlier.secret)
        return link.model_copy(update={"url": url})

    def list_links(self, caller: Caller, page: PageQuery) -> Page[LinkSummary]:
        """A page of the caller's links, newest first.

        Raises InvalidCursor.
        """
        account = self._access.authenticate(caller).account
        paging = Paging(page, account.id, LINKS)
        rows, last = self._links.list_links(
            account.username, account.id, after=paging.after, limit=paging.limit
        )
        return paging.page(map(link_summary, rows), last)

    def get(self, caller: Caller, link_id: str) -> Link:
        """A link of the caller with those of its items that exist. Raises NoSuchLink."""
        row, grants, authentication = self._find(caller, link_id)
        if len(current_grants(authentication, row, grants)) < len(grants):
            # An item may have been renamed after the link was read, and its grant with it.
            row, grants, authentication = self._find(caller, link_id)
        row = row.model_copy(update={"alias": self._current_alias(authentication, row)})
        return link_view(row, current_grants(authentication, row, grants))

    def update(self, caller: Caller, link_id: str, changes: LinkChanges) -> Link:
        """Changes the fields that `changes` provides.

        Raises NoSuchLink, NoSuchFile, NoSuchUser, SlowDown, AliasTaken, WeakPassword,
        LimitReached, Invalid, ChangedMeanwhile.
        """

        def plan() -> tuple[list[Write], Link]:
            old, before, authentication = self._find(
                caller, link_id, self.keys(caller.username, changes)
            )
            row = self._updated(authentication, old, changes)
            if "items" in changes.model_fields_set:
                grants = self._items.grants(authentication, row, changes.items)
            else:
                grants = current_grants(authentication, row, before)
            writes = [
                update_link(old, row),
                *self._put_entries(row),
                *self._release_alias(authentication, old, keep=row.alias),
                *self._items.writes(authentication, before, grants),
                self._audit.record(caller, "link.update", subject=row.id),
            ]
            if len(writes) > TRANSACTION_LIMIT:
                raise Invalid("Too many items change at once; change them in two requests.")
            return writes, link_view(row, grants)

        return self._db.transact(plan)

    def revoke(self, caller: Caller, link_id: str) -> None:
        """Revokes a link for good; its visitors are told so for `EXPIRED_SECONDS`.

        Raises NoSuchLink, ChangedMeanwhile.
        """

        def plan() -> tuple[list[Write], None]:
            old, grants, authentication = self._find(caller, link_id)
            expires_at = int(self._runtime.now()) + EXPIRED_SECONDS
            revoked = {"revoked": True, "alias": None, "expires_at": expires_at}
            row = old.model_copy(update=revoked | {"rev": self._runtime.new_id()})
            return [
                update_link(old, row),
                delete_owner_entry(row),
                *self._release_alias(authentication, old),
                self._audit.record(caller, "link.delete", subject=row.id),
                *self._items.writes(authentication, grants, []),
            ], None

        self._db.transact(plan)

    def list_events(self, caller: Caller, link_id: str, page: PageQuery) -> Page[LinkEvent]:
        """A page of the events of a link, newest first.

        Raises NoSuchLink, InvalidCursor.
        """
        row, _, authentication = self._find(caller, link_id)
        paging = Paging(page, authentication.account.id, f"events {row.id}")
        rows, last = self._links.list_events(row.id, after=paging.after, limit=paging.limit)
        now = self._runtime.now()
        events = [
            LinkEvent.model_validate(each.model_dump(exclude={"expires_at"}))
            for each in rows
            if each.expires_at > now
        ]
        return paging.page(events, last)

    def _find(
        self, caller: Caller, link_id: str, more: Iterable[Key] = ()
    ) -> tuple[LinkRow, list[Grant], Authentication]:
        """A link of the caller, its grants, and the rows of its items and of its alias.

        Raises NoSuchLink.
        """
        row, grants = self._links.find(link_id) if is_token_hash(link_id) else (None, [])
        names = [grant.name for grant in grants if grant.owner == caller.username]
        keys = [*item_keys(caller.username, names), *more]
        keys += [alias_key(row.alias)] if row and row.alias else []
        authentication = self._access.authenticate(caller, more=keys)
        if row is None or row.revoked or row.owner_id != authentication.account.id:
            raise NoSuchLink
        return row, grants, authentication

    def _updated(
        self, authentication: Authentication, row: LinkRow, request: LinkRequest
    ) -> LinkRow:
        """The row with the fields that the request provides; a new link has a default expiry.

        Raises AliasTaken, NoSuchUser, SlowDown, WeakPassword.
        """
        provided = request.model_fields_set
        if not isinstance(request, LinkChanges):
            provided = provided | {"expires_in"}
        fields: dict[str, object] = {"alias": self._current_alias(authentication, row)}
        for name in provided & {"max_downloads", "allow_download", "note", "alias"}:
            fields[name] = getattr(request, name)
        if request.alias and self._is_taken(authentication, request.alias, row):
            raise AliasTaken
        if "password" in provided:
            password = request.password.get_secret_value() if request.password else None
            fields["password"] = self._passwords.hash_shared(password)
            fields["signing_key"] = self._runtime.new_id()
        if "expires_in" in provided:
            seconds = request.expires_in
            ends = int(self._runtime.now()) + seconds if seconds else None
            fields |= {"ends": ends, "expires_at": ends and ends + EXPIRED_SECONDS}
        if "audience" in provided:
            of, known = request.audience, request.audience == row.audience
            audience = self._lookups.find(authentication, of, known=known) if of else None
            fields |= {"audience": request.audience, "audience_id": audience and audience.id}
        return row.model_copy(update=fields | {"rev": self._runtime.new_id()})

    def _put_entries(self, row: LinkRow) -> list[Write]:
        """Puts the entry of a link in the list of its owner, and that of its alias."""
        now = self._runtime.now()
        return [put_owner_entry(row), *([put_alias(row, row.alias, now)] if row.alias else [])]

    def _current_alias(self, authentication: Authentication, row: LinkRow) -> str | None:
        """The alias of a link; None when another link took it after the entry had expired."""
        return None if row.alias and self._is_taken(authentication, row.alias, row) else row.alias

    def _is_taken(self, authentication: Authentication, alias: str, row: LinkRow) -> bool:
        return is_alias_taken(authentication.rows, alias, row, self._runtime.now())

    def _release_alias(
        self, authentication: Authentication, row: LinkRow, keep: str | None = None
    ) -> list[Write]:
        """Releases the link's alias, unless it is the one to keep."""
        alias = self._current_alias(authentication, row)
        if alias is None or alias == keep:
            return []
        return [release_alias(row, alias, self._runtime.now(), row.owner_id)]


def link_url(base_url: str, token: str) -> str:
    """The address of a link; `token` may be its alias."""
    return f"{base_url}/s/{token}"


def link_summary(row: LinkRow) -> LinkSummary:
    """A link as its owner sees it, without its items and its address."""
    return LinkSummary(
        id=row.id,
        url=None,
        created=row.created,
        expires_at=None if row.ends is None else iso(row.ends),
        has_password=row.password is not None,
        max_downloads=row.max_downloads,
        downloads=row.downloads,
        allow_download=row.allow_download,
        audience=row.audience,
        note=row.note,
        alias=row.alias,
    )


def link_view(row: LinkRow, grants: list[Grant], url: str | None = None) -> Link:
    """A link as its owner sees it, with its items and, when it is new, its address."""
    items = sorted(grant.name for grant in grants)
    return Link(**link_summary(row).model_dump(exclude={"url"}), url=url, items=items)
