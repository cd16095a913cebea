"""Login and logout."""

from dataclasses import replace
from typing import Any

from function.access.policy import Access
from function.audit.service import AuditLog
from function.auth.mfa import SecondFactor
from function.auth.models import Credentials, Token
from function.auth.passwords import Passwords
from function.auth.sessions import new_session
from function.auth.throttle import Attempt, LoginThrottle
from function.aws.dynamodb import ConditionFailed
from function.aws.writes import Write
from function.base import Base
from function.core.errors import NotSignedIn
from function.core.models import Caller, HttpRequest
from function.core.runtime import iso
from function.core.tokens import token_hash
from function.tables.accounts import Account, account_in, account_key, update_account
from function.tables.sessions import create_session, expire_session


class LoginService:
    """Starts sessions, and ends the caller's."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._throttle = base.one(LoginThrottle)
        self._second_factor = base.one(SecondFactor)
        self._passwords = base.one(Passwords)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime
        self._seconds = base.settings.session_seconds

    def login(self, credentials: Credentials, request: HttpRequest) -> Token:
        """Starts a session. The same commit uses up the code of a second factor.

        Raises WrongCredentials, OtpRequired, WrongOtp, SlowDown, ChangedMeanwhile.
        """
        username, password = credentials.username, credentials.password.get_secret_value()
        attempt = Attempt(username, request.address, request.agent)
        token = f"{username}.{self._runtime.new_secret()}"
        caller = Caller(username, token_hash(token), address=request.address, agent=request.agent)

        def plan() -> tuple[list[Write], Token]:
            counts = [*self._throttle.login_keys(attempt), self._second_factor.key(username)]
            rows = self._db.read([account_key(username), *counts])
            account = account_in(rows, username)
            account = self._throttle.verify_login(account, attempt, password, rows)
            changes, checks = self._second_factor.use(account, credentials.otp, caller, rows)
            changes |= self._rehash(account, password)
            session = new_session(self._runtime, account, caller, self._seconds)
            session = session.model_copy(update={"seen": session.created})
            writes = [
                create_session(session),
                *self._throttle.know_address(account, attempt, rows),
                self._audit.record(caller, "session.login", subject=caller.token_hash),
            ]
            if changes:
                writes.append(update_account(account, self._runtime.new_id(), **changes))
            return [*writes, *checks], Token(token=token, expires_at=iso(session.expires_at))

        return self._db.transact(plan)

    def logout(self, caller: Caller) -> None:
        """Ends the caller's session or API key. Raises NotSignedIn, ChangedMeanwhile."""
        writes = [
            expire_session(caller.token_hash, int(self._runtime.now())),
            self._audit.record(caller, "session.logout", subject=caller.token_hash),
        ]

        def on_condition_failed(_: ConditionFailed) -> None:
            raise NotSignedIn from None

        self._db.transact(lambda: (writes, None), on_condition_failed)

    def logout_everywhere(self, caller: Caller) -> None:
        """Ends every session and API key of the account. Raises NotSignedIn, ChangedMeanwhile."""
        # A key of any scope ends itself. It needs the power over the account to end the others.
        caller = replace(caller, power="account")

        def plan() -> tuple[list[Write], None]:
            account = self._access.authenticate(caller).account
            rev, epoch = self._runtime.new_id(), self._runtime.new_id()
            return [
                update_account(account, rev, epoch=epoch, keys=None),
                self._audit.record(caller, "session.logout_all"),
            ], None

        self._db.transact(plan)

    def _rehash(self, account: Account, password: str) -> dict[str, Any]:
        """The change of an account whose password was hashed in another way than today."""
        if not self._passwords.needs_rehash(account.password, password):
            return {}
        return {"password": self._passwords.hash(password)}
