"""Logging in, and out."""

from dataclasses import replace
from typing import Any

from function.access.policy import Access
from function.audit.service import AuditTrail
from function.auth.mfa import SecondFactor
from function.auth.models import Credentials, Token
from function.auth.passwords import Passwords
from function.auth.throttle import LoginThrottle
from function.aws.dynamodb import ConditionFailed
from function.base import Base
from function.core.errors import NotSignedIn
from function.core.models import Caller, HttpRequest
from function.core.runtime import iso
from function.core.tokens import token_hash
from function.tables.accounts import Account, account_in, account_key, update_account
from function.tables.sessions import Session, create_session, expire_session


class LoginService:
    """Begins sessions, and ends the caller's."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._throttle = base.one(LoginThrottle)
        self._second_factor = base.one(SecondFactor)
        self._passwords = base.one(Passwords)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime
        self._seconds = base.settings.session_seconds

    def login(self, given: Credentials, sent: HttpRequest) -> Token:
        """Begins a session, in the commit that uses the code, where one is needed.

        Raises WrongCredentials, OtpRequired, WrongOtp, SlowDown, ChangedMeanwhile.
        """
        username, password = given.username, given.password.get_secret_value()
        token = f"{username}.{self._runtime.new_secret()}"
        who = Caller(username, token_hash(token), address=sent.address, agent=sent.agent)
        for _ in self._runtime.attempts():
            counts = [self._throttle.key(sent.address), self._second_factor.key(username)]
            rows = self._db.read([account_key(username), *counts])
            account = account_in(rows, username)
            account = self._throttle.prove(account, username, password, sent.address, rows)
            spent, holding = self._second_factor.spend(account, given.otp, sent.address, rows)
            session = self._session(account, who)
            writes = [
                create_session(session),
                self._audit.record(who, "session.login", subject=who.token_hash),
            ]
            if changes := spent | self._renewed(account, password):
                writes.append(update_account(account, self._runtime.new_id(), **changes))
            try:
                self._db.commit([*writes, *holding], session.rev)
            except ConditionFailed:
                continue
            return Token(token=token, expires_at=iso(session.expires_at))
        raise AssertionError

    def _session(self, account: Account, who: Caller) -> Session:
        now = self._runtime.now()
        return Session(
            token_hash=who.token_hash,
            username=account.username,
            user_id=account.id,
            epoch=account.epoch,
            created=iso(now),
            expires_at=int(now) + self._seconds,
            rev=self._runtime.new_id(),
            address=who.address,
            agent=who.agent,
            seen=iso(now),
        )

    def _renewed(self, account: Account, password: str) -> dict[str, Any]:
        """A hash of today's strength for one of other days."""
        if not self._passwords.outdated(account.password):
            return {}
        return {"password": self._passwords.hash(password)}

    def logout(self, caller: Caller) -> None:
        """Ends the caller's session, whatever it is still good for. Raises NotSignedIn."""
        end = expire_session(caller.token_hash, int(self._runtime.now()))
        noted = self._audit.record(caller, "session.logout", subject=caller.token_hash)
        for _ in self._runtime.attempts():
            try:
                self._db.commit([end, noted], self._runtime.new_id())
            except ConditionFailed as refused:
                if refused.failed:
                    raise NotSignedIn from None
                continue
            return

    def everywhere(self, caller: Caller) -> None:
        """Ends every session and key of the account. Raises NotSignedIn, ChangedMeanwhile."""
        caller = replace(caller, power="account")  # to end one's own takes no power, this does
        for _ in self._runtime.attempts():
            account = self._access.authenticate(caller).account
            rev, epoch = self._runtime.new_id(), self._runtime.new_id()
            change = update_account(account, rev, epoch=epoch, keys=None)
            try:
                self._db.commit([change, self._audit.record(caller, "session.logout_all")], rev)
            except ConditionFailed:
                continue
            return
