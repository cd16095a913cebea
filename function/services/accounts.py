"""Making an account, seeing one's own, and changing it."""

import hashlib

from function.account_errors import UsernameTaken
from function.account_models import AccountChange, AccountView, Registered, Registration
from function.contract import Settings
from function.models import Caller, Incoming
from function.records import Account
from function.services.access import Access
from function.services.audit import Audit
from function.services.guesses import Guesses
from function.services.origins import Origins, iso
from function.services.passwords import Passwords
from function.stores.accounts import altered, opened
from function.stores.dynamo import Dynamo
from function.stores.rows import Refused


class AccountService:
    """Accounts."""

    def __init__(
        self,
        db: Dynamo,
        access: Access,
        guesses: Guesses,
        passwords: Passwords,
        audit: Audit,
        origins: Origins,
        settings: Settings,
    ) -> None:
        """`settings` say who may register as what."""
        self._db = db
        self._access = access
        self._guesses = guesses
        self._passwords = passwords
        self._audit = audit
        self._from = origins
        self._settings = settings

    def register(self, wanted: Registration, sent: Incoming) -> Registered:
        """Makes an account. Raises WeakPassword, UsernameTaken."""
        password = wanted.password.get_secret_value()
        self._passwords.judge(password, wanted.username)
        account = Account(
            username=wanted.username,
            id=self._from.new_id(),
            password=self._passwords.hash(password),
            role=self._settings.default_role,
            created=iso(self._from.now()),
            epoch=self._from.new_id(),
            rev=self._from.new_id(),
            email=wanted.email,
            quota=self._settings.quota or None,
            files_quota=self._settings.files_quota or None,
        )
        who = Caller(account.username, "", address=sent.address, agent=sent.agent)
        writes = [opened(account), self._audit.of(who, "account.register")]
        for _ in self._from.attempts():
            try:
                self._db.commit(writes, account.rev)
            except Refused as refused:
                if refused.failed:
                    raise UsernameTaken from None
                continue
            role = self._access.known(account).role
            return Registered(username=account.username, role=role, created=account.created)
        raise AssertionError

    def me(self, caller: Caller) -> AccountView:
        """The caller's own account."""
        return account_view(self._access.open(caller).account)

    def change(self, caller: Caller, wanted: AccountChange) -> AccountView:
        """Changes the address, to which a new password may be mailed, so not without the old one.

        Raises WrongCredentials, SlowDown, ChangedMeanwhile.
        """
        given = wanted.current_password.get_secret_value()
        for _ in self._from.attempts():
            entry = self._access.open(caller, more=[self._guesses.key(caller.address)])
            account = entry.account
            self._guesses.prove(account, caller.username, given, caller.address, entry.rows)
            rev = self._from.new_id()
            change = altered(account, rev, email=wanted.email)
            try:
                self._db.commit([change, self._audit.of(caller, "account.change")], rev)
            except Refused:
                continue
            return account_view(account.model_copy(update={"email": wanted.email}))
        raise AssertionError


def account_view(account: Account) -> AccountView:
    """An account as its owner sees it."""
    return AccountView(
        username=account.username,
        role=account.role,
        created=account.created,
        email=account.email,
        mfa=account.totp is not None,
        recovery_codes_left=len(account.recovery),
        bytes_used=account.bytes_used,
        bytes_reserved=account.bytes_reserved,
        quota=account.quota,
        files_used=account.files_used,
        files_reserved=account.files_reserved,
        files_quota=account.files_quota,
    )


def token_hash(token: str) -> str:
    """What is stored of a token: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
