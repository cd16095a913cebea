"""Profiles: an account's own, and those of all accounts for administrators."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from function.access.errors import ProtectedAccount
from function.access.policy import Access
from function.access.releases import Releases
from function.accounts.models import AccountChange, AccountView, Usage, UserChange, UserView
from function.audit.service import AuditLog
from function.auth.mfa import NO_FACTOR, OwnerProof
from function.aws.writes import Write
from function.base import Base
from function.core.errors import Invalid, NoSuchUser
from function.core.models import Caller
from function.core.paging import Page, PageQuery, Paging
from function.files.upload_rules import UploadRules
from function.tables.accounts import (
    Account,
    Accounts,
    account_key,
    any_account_in,
    update_account,
)
from function.tables.reservations import reservations_on, uploads_of
from function.tables.usage import add_usage, close_usage, with_shards

USERS_LIST, USAGE_LIST = "users", "usage"
NULLABLE = {"quota", "files_quota"}
SENSITIVE = {"role", "mfa"}  # they decide who may log in as whom
View = TypeVar("View", UserView, Usage)


class AccountService:
    """Reads and changes the caller's own account."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._proof = base.one(OwnerProof)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime
        self._rules = base.one(UploadRules)

    def get(self, caller: Caller) -> AccountView:
        """The caller's own account. Raises NotSignedIn."""
        account = self._access.authenticate(caller).account
        return self._view(*with_shards(self._db, [account]))

    def update(self, caller: Caller, request: AccountChange) -> AccountView:
        """Changes or clears the mail address.

        It requires proof of the owner, because a reader of the address can set a new password.
        Raises WrongCredentials, OtpRequired, WrongOtp, SlowDown, ChangedMeanwhile.
        """

        def plan() -> tuple[list[Write], Account]:
            found = self._proof.authenticate(caller)
            account, password = found.account, request.current_password.get_secret_value()
            changes, checks = self._proof.verify(found, caller, password, request.otp)
            changes |= {"email": request.email}
            return [
                update_account(account, self._runtime.new_id(), **changes),
                *checks,
                self._audit.record(caller, "account.update", subject="email"),
            ], account.model_copy(update={"email": request.email})

        return self._view(*with_shards(self._db, [self._db.transact(plan)]))

    def _view(self, account: Account) -> AccountView:
        rule = self._rules.rule_for(account.role)
        return AccountView(
            **account.model_dump(include=set(AccountView.model_fields)),
            mfa=account.totp is not None,
            recovery_codes_left=len(account.recovery),
            upload_types=None if rule.types is None else list(rule.types),
            upload_bytes=rule.max_bytes,
        )


class DirectoryService:
    """Lists and changes all accounts, for administrators."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._releases = base.one(Releases)
        self._accounts = Accounts(base.db)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime
        self._proof = base.one(OwnerProof)
        self._administrator = base.settings.administrator

    def list_users(self, caller: Caller, page: PageQuery) -> Page[UserView]:
        """A page of accounts, in no order. Raises InvalidCursor."""
        return self._list_accounts(caller, page, USERS_LIST, self._view)

    def update(self, caller: Caller, username: str, request: UserChange) -> UserView:
        """Changes the provided fields of an account; values that it has already are no change.

        The commit folds the shards of its usage, so that none of its uploads misses the change.
        Disabling an account or removing its second factor ends its sessions and API keys: a phone
        that was lost may hold one. The commit requires that the caller's own account has not
        changed, so that of two administrators who demote each other only one succeeds. A role and
        a second factor take the power over accounts and, of a session, a code.
        Raises Invalid, NoSuchUser, ProtectedAccount, OtpRequired, WrongOtp, SlowDown,
        ChangedMeanwhile.
        """
        provided = _provided(request)
        if not SENSITIVE.isdisjoint(provided):
            caller = replace(caller, power="accounts")
        account = self._db.transact(lambda: self._plan(caller, username, provided, request.otp))
        return self._view(*with_shards(self._db, [account]))

    def _plan(
        self, caller: Caller, username: str, provided: dict[str, Any], otp: str | None
    ) -> tuple[list[Write], Account]:
        """The writes of `update`, none where nothing changes, and the account after them."""
        authentication = self._proof.authenticate(caller, more=[account_key(username)])
        old = any_account_in(authentication.rows, username)
        if old is None or old.deleting:
            raise NoSuchUser
        fields = self._fields(caller, old, provided)
        if not fields:
            return [], old
        code: dict[str, Any] = {}
        checks: list[Write] = []
        if not SENSITIVE.isdisjoint(provided):
            code, checks = self._proof.verify_code(authentication, caller, otp)
        closed = close_usage(self._db, old, self._runtime.now())
        is_own = old.id == authentication.account.id
        changes = fields | code if is_own else fields
        writes = [update_account(old, self._runtime.new_id(), closed, **changes), *checks]
        if fields.get("disabled") or "role" in fields:  # it may have rights no more
            scopes = uploads_of(username), reservations_on(username)
            writes += map(self._releases.schedule, scopes)
        if not is_own:
            writes.append(self._proof.use_up(authentication.account, code))
        subject = _details(provided, fields)
        writes.append(self._audit.record(caller, "account.update", owner=username, subject=subject))
        return writes, add_usage(old.model_copy(update=fields | {"spread": None}), closed)

    def list_usage(self, caller: Caller, page: PageQuery) -> Page[Usage]:
        """A page of the usage of all accounts, for administrators.

        Raises NotAllowed, InvalidCursor.
        """
        return self._list_accounts(replace(caller, power="admin"), page, USAGE_LIST, _usage)

    def usage(self, caller: Caller, username: str | None) -> Usage:
        """The usage of the caller's account or, for administrators, of another one.

        Raises NoSuchUser, NotAllowed.
        """
        administrator = replace(caller, power="admin")
        if username is None or username == caller.username:
            return self._usage(self._access.authenticate(caller).account)
        authentication = self._access.authenticate(administrator, more=[account_key(username)])
        account = any_account_in(authentication.rows, username)
        if account is None:
            raise NoSuchUser
        return self._usage(account)

    def _usage(self, account: Account) -> Usage:
        return _usage(*with_shards(self._db, [account]))

    def _list_accounts(
        self, caller: Caller, page: PageQuery, list_name: str, view: Callable[[Account], View]
    ) -> Page[View]:
        paging = Paging(page, self._access.authenticate(caller).account.id, list_name)
        rows, last = self._accounts.list_accounts(after=paging.after, limit=paging.limit)
        return paging.page(map(view, with_shards(self._db, rows)), last)

    def _fields(self, caller: Caller, account: Account, provided: dict[str, Any]) -> dict[str, Any]:
        """The fields of the account's row that change; a new epoch ends its sessions and keys.

        Raises ProtectedAccount.
        """
        fields = {name: value for name, value in provided.items() if name != "mfa"}
        if "mfa" in provided and account.totp:
            fields |= NO_FACTOR
        is_disabled = provided.get("disabled") and not account.disabled
        if is_disabled or "totp" in fields:
            fields["epoch"] = self._runtime.new_id()
        self._require_unprotected(caller, account, fields)
        return {name: value for name, value in fields.items() if getattr(account, name) != value}

    def _require_unprotected(
        self, caller: Caller, account: Account, fields: dict[str, Any]
    ) -> None:
        """Raises ProtectedAccount for a change that could leave no administrator.

        Nobody removes their own second factor here either: a stolen session could, without a code.
        """
        is_protected = account.username in {caller.username, self._administrator}
        is_demoted = fields.get("role", "admin") != "admin"
        if is_protected and (is_demoted or fields.get("disabled") or "totp" in fields):
            raise ProtectedAccount

    def _view(self, account: Account) -> UserView:
        account = self._access.with_configured_role(account)
        fields = account.model_dump(include=set(UserView.model_fields))
        return UserView(**fields, mfa=account.totp is not None)


def _provided(request: UserChange) -> dict[str, Any]:
    """The fields that a request sets; null sets only a quota. Raises Invalid."""
    fields = request.model_dump(exclude_unset=True, exclude={"otp"})
    fields = {
        name: value for name, value in fields.items() if value is not None or name in NULLABLE
    }
    if not fields:
        raise Invalid("Give role, quota, files_quota, disabled or mfa.")
    return fields


def _details(provided: dict[str, Any], changed: dict[str, Any]) -> str:
    """The provided fields that were changed, as the audit record shows them."""
    names = changed.keys() | ({"mfa"} if "totp" in changed else set())
    return ", ".join(f"{name}: {value}" for name, value in provided.items() if name in names)


def _usage(account: Account) -> Usage:
    return Usage(**account.model_dump(include=set(Usage.model_fields)))
