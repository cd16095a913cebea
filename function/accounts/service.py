"""Seeing one's own account, and changing it."""

from dataclasses import replace
from typing import Any

from function.access.errors import ProtectedAccount
from function.access.policy import Access
from function.accounts.models import AccountChange, AccountView, Usage, UserChange, UserView
from function.audit.service import AuditTrail
from function.auth.mfa import NO_FACTOR
from function.auth.throttle import LoginThrottle
from function.aws.dynamodb import ConditionFailed
from function.base import Base
from function.core.cursors import seal, unseal
from function.core.errors import Invalid, NoSuchUser
from function.core.models import Caller
from function.files.upload_rules import UploadRules
from function.tables import accounts
from function.tables.accounts import Account, account_at, account_key, update_account

LIST, USED = "users", "usage"
NULLABLE = {"quota", "files_quota"}


class AccountService:
    """Accounts."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._throttle = base.one(LoginThrottle)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime
        self._rules = base.one(UploadRules)

    def me(self, caller: Caller) -> AccountView:
        """The caller's own account."""
        return self._view(self._access.authenticate(caller).account)

    def change(self, caller: Caller, wanted: AccountChange) -> AccountView:
        """Changes the address, to which a new password may be mailed, so not without the old one.

        Raises WrongCredentials, SlowDown, ChangedMeanwhile.
        """
        given = wanted.current_password.get_secret_value()
        for _ in self._runtime.attempts():
            entry = self._access.authenticate(caller, more=[self._throttle.key(caller.address)])
            account = entry.account
            self._throttle.prove(account, caller.username, given, caller.address, entry.rows)
            rev = self._runtime.new_id()
            change = update_account(account, rev, email=wanted.email)
            noted = self._audit.record(caller, "account.update", subject="email")
            try:
                self._db.commit([change, noted], rev)
            except ConditionFailed:
                continue
            return self._view(account.model_copy(update={"email": wanted.email}))
        raise AssertionError

    def _view(self, account: Account) -> AccountView:
        """An account as its owner sees it, with what its role may upload."""
        rule = self._rules.of(account.role)
        return AccountView(
            **account.model_dump(include=set(AccountView.model_fields)),
            mfa=account.totp is not None,
            recovery_codes_left=len(account.recovery),
            upload_types=None if rule.types is None else list(rule.types),
            upload_bytes=rule.most,
        )


class DirectoryService:
    """All accounts."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._directory = accounts.Accounts(base.db)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime
        self._administrator = base.settings.administrator

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
        said = provided_fields(wanted)
        for _ in self._runtime.attempts():
            entry = self._access.authenticate(caller, more=[account_key(username)])
            old = account_at(entry.rows, username)
            if old is None or old.deleting:
                raise NoSuchUser
            fields = self._fields(old, said)
            self._spare(caller, old, fields)
            fields = {name: each for name, each in fields.items() if getattr(old, name) != each}
            if not fields:
                return self._view(old)
            rev, own = self._runtime.new_id(), old.id == entry.account.id
            writes = [update_account(old, rev, **fields)]
            writes += [] if own else [accounts.require_account_unchanged(entry.account)]
            subject = changed_details(said, fields)
            writes.append(
                self._audit.record(caller, "account.update", owner=username, subject=subject)
            )
            try:
                self._db.commit(writes, rev)
            except ConditionFailed:
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
            return [usage(self._access.authenticate(caller).account)], None
        other = str(username)
        entry = self._access.authenticate(replace(caller, power="admin"), more=[account_key(other)])
        account = account_at(entry.rows, other)
        if account is None:
            raise NoSuchUser
        return [usage(account)], None

    def _page(
        self, caller: Caller, of: str, limit: int, cursor: str | None
    ) -> tuple[list[Account], str | None]:
        account = self._access.authenticate(caller).account
        after = (unseal(cursor, account.id, of) or [""])[0]
        rows, last = self._directory.list_accounts(after=after, limit=limit)
        return rows, last and seal([last], account.id, of)

    def _fields(self, account: Account, said: dict[str, Any]) -> dict[str, Any]:
        """What of an account's row is to be otherwise; a new epoch ends its sessions and keys."""
        fields = {name: value for name, value in said.items() if name != "mfa"}
        fields |= NO_FACTOR if "mfa" in said and account.totp else {}
        ends = "totp" in fields or (said.get("disabled") and not account.disabled)
        return fields | ({"epoch": self._runtime.new_id()} if ends else {})

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


def provided_fields(wanted: UserChange) -> dict[str, Any]:
    """What is to be otherwise; null is something to say of a quota alone. Raises Invalid."""
    given = wanted.model_dump(exclude_unset=True)
    said = {name: each for name, each in given.items() if each is not None or name in NULLABLE}
    if not said:
        raise Invalid("Give role, quota, files_quota, disabled or mfa.")
    return said


def changed_details(said: dict[str, Any], changed: dict[str, Any]) -> str:
    """What is on record of a change: what is said, as far as it was otherwise before."""
    names = changed.keys() | ({"mfa"} if "totp" in changed else set())
    return ", ".join(f"{name}: {value}" for name, value in said.items() if name in names)


def usage(account: Account) -> Usage:
    """What an account uses."""
    return Usage(**account.model_dump(include=set(Usage.model_fields)))
