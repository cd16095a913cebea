"""Accounts, as administrators see and change them, and what each account uses."""

from dataclasses import replace
from typing import Any

from function.account_errors import ProtectedAccount
from function.errors import Invalid, NoSuchUser
from function.models import Caller
from function.records import Account
from function.services.access import Access
from function.services.audit import Audit
from function.services.cursors import seal, unseal
from function.services.factors import NO_FACTOR
from function.services.origins import Origins
from function.stores import directory as store
from function.stores.accounts import account_at, account_key, altered
from function.stores.dynamo import Dynamo
from function.stores.rows import Refused
from function.user_models import Usage, UserChange, UserView

LIST, USED = "users", "usage"
NULLABLE = {"quota", "files_quota"}


class DirectoryService:
    """All accounts."""

    def __init__(
        self, db: Dynamo, access: Access, audit: Audit, origins: Origins, administrator: str
    ) -> None:
        """`administrator` is the configuration's own, whom nobody demotes."""
        self._db = db
        self._access = access
        self._directory = store.Directory(db)
        self._audit = audit
        self._from = origins
        self._administrator = administrator

    def page(
        self, caller: Caller, limit: int, cursor: str | None
    ) -> tuple[list[UserView], str | None]:
        """Accounts in no order, and the next cursor. Raises InvalidCursor."""
        rows, following = self._page(caller, LIST, limit, cursor)
        return [self._view(row) for row in rows], following

    def change(self, caller: Caller, username: str, wanted: UserChange) -> UserView:
        """Changes what is said. Disabling ends the account's sessions and keys for good.

        So does taking its second factor off: the phone that was lost may be signed in.

        The caller must still be what they were when it is done: two who demote each other are not
        both listened to. Raises Invalid, NoSuchUser, ProtectedAccount, ChangedMeanwhile.
        """
        said = said_in(wanted)
        for _ in self._from.attempts():
            entry = self._access.open(caller, more=[account_key(username)])
            old = account_at(entry.rows, username)
            if old is None or old.deleting:
                raise NoSuchUser
            fields = self._fields(old, said)
            self._spare(caller, old, fields)
            fields = {name: each for name, each in fields.items() if getattr(old, name) != each}
            if not fields:
                return self._view(old)
            rev, own = self._from.new_id(), old.id == entry.account.id
            writes = [altered(old, rev, **fields)]
            writes += [] if own else [store.same_account(entry.account)]
            subject = told(said, fields)
            writes.append(self._audit.of(caller, "account.change", owner=username, subject=subject))
            try:
                self._db.commit(writes, rev)
            except Refused:
                continue
            return self._view(old.model_copy(update=fields))
        raise AssertionError

    def usage(
        self,
        caller: Caller,
        username: str | None,
        limit: int,
        cursor: str | None,
        *,
        everybody: bool,
    ) -> tuple[list[Usage], str | None]:
        """What the caller uses; with an administrator's power somebody else, or everybody.

        Raises NoSuchUser, NotAllowed, InvalidCursor.
        """
        if everybody:
            rows, following = self._page(replace(caller, power="admin"), USED, limit, cursor)
            return [usage(row) for row in rows], following
        if username in {None, caller.username}:
            return [usage(self._access.open(caller).account)], None
        other = str(username)
        entry = self._access.open(replace(caller, power="admin"), more=[account_key(other)])
        account = account_at(entry.rows, other)
        if account is None:
            raise NoSuchUser
        return [usage(account)], None

    def _page(
        self, caller: Caller, of: str, limit: int, cursor: str | None
    ) -> tuple[list[Account], str | None]:
        account = self._access.open(caller).account
        after = (unseal(cursor, account.id, of) or [""])[0]
        rows, last = self._directory.page(after=after, limit=limit)
        return rows, last and seal([last], account.id, of)

    def _fields(self, account: Account, said: dict[str, Any]) -> dict[str, Any]:
        """What of an account's row is to be otherwise; a new epoch ends its sessions and keys."""
        fields = {name: value for name, value in said.items() if name != "mfa"}
        fields |= NO_FACTOR if "mfa" in said and account.totp else {}
        ends = "totp" in fields or (said.get("disabled") and not account.disabled)
        return fields | ({"epoch": self._from.new_id()} if ends else {})

    def _spare(self, caller: Caller, account: Account, fields: dict[str, Any]) -> None:
        """Raises ProtectedAccount for what would leave nobody who may undo it.

        And for one's own second factor, or a stolen session could take it off without a code.
        """
        protected = account.username in {caller.username, self._administrator}
        demotes = fields.get("role", "admin") != "admin"
        if protected and (demotes or fields.get("disabled") or "totp" in fields):
            raise ProtectedAccount

    def _view(self, account: Account) -> UserView:
        known = self._access.known(account)
        held = known.model_dump(include=set(UserView.model_fields))
        return UserView(**held, mfa=known.totp is not None)


def said_in(wanted: UserChange) -> dict[str, Any]:
    """What is to be otherwise; null is something to say of a quota alone. Raises Invalid."""
    given = wanted.model_dump(exclude_unset=True)
    said = {name: each for name, each in given.items() if each is not None or name in NULLABLE}
    if not said:
        raise Invalid("Give role, quota, files_quota, disabled or mfa.")
    return said


def told(said: dict[str, Any], changed: dict[str, Any]) -> str:
    """What is on record of a change: what is said, as far as it was otherwise before."""
    names = changed.keys() | ({"mfa"} if "totp" in changed else set())
    return ", ".join(f"{name}: {value}" for name, value in said.items() if name in names)


def usage(account: Account) -> Usage:
    """What an account uses."""
    return Usage(**account.model_dump(include=set(Usage.model_fields)))
