"""Changing a password."""

from function.account_models import PasswordChange
from function.errors import NotSignedIn
from function.models import Caller
from function.services.access import Access
from function.services.audit import Audit
from function.services.guesses import Guesses
from function.services.origins import Origins
from function.services.passwords import Passwords
from function.stores.accounts import altered
from function.stores.dynamo import Dynamo
from function.stores.rows import Refused
from function.stores.sessions import carried, session_in


class CredentialService:
    """New passwords for those who know the old one."""

    def __init__(
        self,
        db: Dynamo,
        access: Access,
        guesses: Guesses,
        passwords: Passwords,
        audit: Audit,
        origins: Origins,
    ) -> None:
        """Changes are committed by `db`."""
        self._db = db
        self._access = access
        self._guesses = guesses
        self._passwords = passwords
        self._audit = audit
        self._from = origins

    def change(self, caller: Caller, wanted: PasswordChange) -> None:
        """A new password; every session and key but the caller's is dead in the same commit.

        Raises WrongCredentials, SlowDown, WeakPassword, ChangedMeanwhile.
        """
        given = wanted.current_password.get_secret_value()
        password = wanted.new_password.get_secret_value()
        for _ in self._from.attempts():
            entry = self._access.open(caller, more=[self._guesses.key(caller.address)])
            account, session = entry.account, session_in(entry.rows, caller)
            if session is None:
                raise NotSignedIn
            self._guesses.prove(account, caller.username, given, caller.address, entry.rows)
            self._passwords.judge(password, caller.username)
            rev, epoch = self._from.new_id(), self._from.new_id()
            hashed = self._passwords.hash(password)
            keys = frozenset({session.token_hash} & account.keys)
            writes = [
                altered(account, rev, password=hashed, epoch=epoch, keys=keys),
                carried(session, epoch, int(self._from.now())),
                self._audit.of(caller, "password.change"),
            ]
            try:
                self._db.commit(writes, rev)
            except Refused:
                continue
            return
