"""Seeing one's own account, and changing it."""

import hashlib

from function.account_models import AccountChange, AccountView
from function.models import Caller
from function.records import Account
from function.services.access import Access
from function.services.audit import Audit
from function.services.guesses import Guesses
from function.services.origins import Origins
from function.services.rules import Rules
from function.stores.accounts import altered
from function.stores.dynamo import Dynamo
from function.stores.rows import Refused


class AccountService:
    """Accounts."""

    def __init__(
        self,
        db: Dynamo,
        access: Access,
        guesses: Guesses,
        audit: Audit,
        origins: Origins,
        rules: Rules,
    ) -> None:
        """Who guesses at passwords is counted by `guesses`; `rules` say who may upload what."""
        self._db = db
        self._access = access
        self._guesses = guesses
        self._audit = audit
        self._from = origins
        self._rules = rules

    def me(self, caller: Caller) -> AccountView:
        """The caller's own account."""
        return self._view(self._access.open(caller).account)

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
            noted = self._audit.of(caller, "account.change", subject="email")
            try:
                self._db.commit([change, noted], rev)
            except Refused:
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


def token_hash(token: str) -> str:
    """What is stored of a token: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
