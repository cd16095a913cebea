"""Wrong versions of sharing: each gives access that it must not give, or loses acknowledged data.

Patches replace pieces of the function. Where two pieces give the same guarantee, both are replaced.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from unittest import mock

from function.access.policy import Access
from function.aws.dynamodb import Dynamo
from function.core.errors import Unavailable
from function.public.unlock import AccessToken, Gated, PasswordGate, nonce_in
from function.tables.accounts import Account, account_key
from function.tables.files import init_refcount
from function.tables.grants import Grant, require_grant_unchanged
from function.tables.groups import Membership, member_key
from function.tables.links import Links, count_downloads
from function.tables.usage import charge


@dataclass(frozen=True)
class Mutant:
    """A wrong version: replacements by the name of the piece."""

    name: str
    pieces: dict[str, Any]

    @contextmanager
    def built(self) -> Iterator[None]:
        """Patches the pieces."""
        with ExitStack() as patches:
            for name, piece in self.pieces.items():
                patches.enter_context(mock.patch(f"function.{name}", piece))
            yield


def opens_but(forgets: str) -> Callable[..., bool]:
    """Whether a grant applies, without comparing one of its ids."""
    right = Access.grant_applies

    def opens(access: Access, grant: Grant, ids: Any, owner: Account, file: Any) -> bool:
        now = {"owner_id": owner.id, "file_id": file.place_id if file and grant.file_id else None}
        fits = grant.model_copy(update={forgets: now[forgets]})
        return right(access, fits, ids, owner, file)

    return opens


def membership_of_any(rows: Any, name: str, account: Account) -> Membership | None:
    """A membership, even if the group is deleted."""
    row = rows.get(member_key(name, account.username))
    return Membership.model_validate(row) if row else None


def disabled_as_well(rows: Any, username: str) -> Account | None:
    """An account, whether or not it is disabled."""
    row = rows.get(account_key(username))
    return Account.model_validate(row) if row else None


def found_with(**changes: Any) -> Callable[..., Any]:
    """A link with some fields replaced."""
    right = Links.find

    def find(links: Links, link_id: str) -> Any:
        row, grants = right(links, link_id)
        return (row.model_copy(update=changes) if row else None), grants

    return find


def unverified(_: PasswordGate, __: Gated, token: str | None) -> AccessToken | None:
    """An access token whose signature is not verified."""
    nonce = nonce_in(token)
    return AccessToken(str(token), nonce, 0, is_new=False) if nonce else None


def careless(db: Dynamo, writes: Any, *more: Any) -> None:
    """Takes a failed commit for a success."""
    with suppress(Unavailable):
        commit(db, writes, *more)


def without_quota(account: Account, *load: Any) -> Any:
    """A charge without the condition of the quota."""
    return charge(account.model_copy(update={"quota": None, "files_quota": None}), *load)


commit = Dynamo.commit
NOTHING: Callable[..., Any] = lambda *_: []  # noqa: E731
GROUPS_FOREVER = {
    "access.policy.membership_in": membership_of_any,
    "sharing.groups.GroupService._delete_leftovers": NOTHING,
}
MUTANTS = (
    Mutant(
        "an old grant opens a new file",
        {
            "access.policy.Access.grant_applies": opens_but("file_id"),
            "files.content.grant_keys_on": NOTHING,
        },
    ),
    Mutant(
        "a namesake inherits grants", {"access.policy.Access.grant_applies": opens_but("owner_id")}
    ),
    Mutant("grants never expire", {"access.policy.Access.grant_is_active": lambda *_: True}),
    Mutant("to read is to write", {"access.policy.Access.permission_for": lambda *_: "write"}),
    Mutant("a group outlives itself", GROUPS_FOREVER),
    Mutant("who was put out stays in", {"sharing.groups.delete_membership": lambda *_, **__: []}),
    Mutant("a rename leaves grants behind", {"moves.rename.grant_keys_on": NOTHING}),
    Mutant("what is taken back stays", {"sharing.shares.delete_grant": require_grant_unchanged}),
    Mutant("the disabled are let in", {"access.policy.account_in": disabled_as_well}),
    Mutant("a link is never revoked", {"tables.links.Links.find": found_with(revoked=False)}),
    Mutant("a link never ends", {"tables.links.Links.find": found_with(ends=None)}),
    Mutant(
        "a link needs no password",
        {"public.unlock.PasswordGate.verify": unverified},
    ),
    Mutant(
        "downloads are not counted",
        {"links.downloads.count_downloads": lambda row, _: count_downloads(row, 0)},
    ),
    Mutant(
        "a folder leaves its rights behind", {"moves.folder_batches.grantees_below": lambda *_: {}}
    ),
    Mutant("a copy goes with its original", {"files.commit.increment_refcount": init_refcount}),
    Mutant(
        "a quota is not looked at",
        {"files.commit.require_room": lambda *_: None, "files.commit.charge": without_quota},
    ),
    Mutant("what fails is acknowledged", {"aws.dynamodb.Dynamo.commit": careless}),
)
