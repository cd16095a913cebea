"""Logging in, and out."""

from dataclasses import replace
from typing import Any

from function.account_models import Credentials, Token
from function.contract import Settings
from function.errors import NotSignedIn
from function.models import Caller, Incoming
from function.records import Account, Session
from function.services.access import Access
from function.services.accounts import token_hash
from function.services.audit import Audit
from function.services.factors import Factors
from function.services.guesses import Guesses
from function.services.origins import Origins, iso
from function.services.passwords import Passwords
from function.stores.accounts import account_in, account_key, altered
from function.stores.dynamo import Dynamo
from function.stores.rows import Refused
from function.stores.sessions import begun, ended


class Logins:
    """Begins sessions, and ends the caller's."""

    def __init__(
        self,
        db: Dynamo,
        access: Access,
        guesses: Guesses,
        factors: Factors,
        passwords: Passwords,
        audit: Audit,
        origins: Origins,
        settings: Settings,
    ) -> None:
        """`settings` say how long a session lives."""
        self._db = db
        self._access = access
        self._guesses = guesses
        self._factors = factors
        self._passwords = passwords
        self._audit = audit
        self._from = origins
        self._seconds = settings.session_seconds

    def login(self, given: Credentials, sent: Incoming) -> Token:
        """Begins a session, in the commit that uses the code, where one is needed.

        Raises WrongCredentials, OtpRequired, WrongOtp, SlowDown, ChangedMeanwhile.
        """
        username, password = given.username, given.password.get_secret_value()
        token = f"{username}.{self._from.new_secret()}"
        who = Caller(username, token_hash(token), address=sent.address, agent=sent.agent)
        for _ in self._from.attempts():
            counts = [self._guesses.key(sent.address), self._factors.key(username)]
            rows = self._db.read([account_key(username), *counts])
            account = account_in(rows, username)
            account = self._guesses.prove(account, username, password, sent.address, rows)
            spent, holding = self._factors.spend(account, given.otp, sent.address, rows)
            session = self._session(account, who)
            writes = [begun(session), self._audit.of(who, "session.begin", subject=who.token_hash)]
            if changes := spent | self._renewed(account, password):
                writes.append(altered(account, self._from.new_id(), **changes))
            try:
                self._db.commit([*writes, *holding], session.rev)
            except Refused:
                continue
            return Token(token=token, expires_at=iso(session.expires_at))
        raise AssertionError

    def _session(self, account: Account, who: Caller) -> Session:
        now = self._from.now()
        return Session(
            token_hash=who.token_hash,
            username=account.username,
            user_id=account.id,
            epoch=account.epoch,
            created=iso(now),
            expires_at=int(now) + self._seconds,
            rev=self._from.new_id(),
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
        end = ended(caller.token_hash, int(self._from.now()))
        noted = self._audit.of(caller, "session.end", subject=caller.token_hash)
        for _ in self._from.attempts():
            try:
                self._db.commit([end, noted], self._from.new_id())
            except Refused as refused:
                if refused.failed:
                    raise NotSignedIn from None
                continue
            return

    def everywhere(self, caller: Caller) -> None:
        """Ends every session and key of the account. Raises NotSignedIn, ChangedMeanwhile."""
        caller = replace(caller, power="account")  # to end one's own takes no power, this does
        for _ in self._from.attempts():
            account = self._access.open(caller).account
            rev, epoch = self._from.new_id(), self._from.new_id()
            change = altered(account, rev, epoch=epoch, keys=None)
            try:
                self._db.commit([change, self._audit.of(caller, "session.end_all")], rev)
            except Refused:
                continue
            return
