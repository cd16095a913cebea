"""The second factor of one's own account: begun, confirmed, taken off."""

from function.account_errors import MfaOn, NoSuchFactor
from function.account_models import Confirmation, Enrolment, PasswordProof, RecoveryCodes
from function.models import Caller
from function.services.access import Access
from function.services.audit import Audit
from function.services.factors import NO_FACTOR, Factors, hash_of, uri_of
from function.services.guesses import Guesses
from function.services.origins import Origins
from function.stores.accounts import altered
from function.stores.dynamo import Dynamo
from function.stores.rows import Refused


class MfaService:
    """Second factors."""

    def __init__(
        self,
        db: Dynamo,
        access: Access,
        guesses: Guesses,
        factors: Factors,
        audit: Audit,
        origins: Origins,
    ) -> None:
        """Changes are committed by `db`."""
        self._db = db
        self._access = access
        self._guesses = guesses
        self._factors = factors
        self._audit = audit
        self._from = origins

    def enrol(self, caller: Caller, given: PasswordProof) -> Enrolment:
        """A secret, which is not asked for until it is confirmed.

        It takes the password, or a stolen session could shut its owner out. Raises
        WrongCredentials, SlowDown, MfaOn, ChangedMeanwhile.
        """
        password, secret = given.current_password.get_secret_value(), self._factors.new_secret()
        for _ in self._from.attempts():
            entry = self._access.open(caller, more=[self._guesses.key(caller.address)])
            account = entry.account
            self._guesses.prove(account, caller.username, password, caller.address, entry.rows)
            if account.totp:
                raise MfaOn
            rev = self._from.new_id()
            change = altered(account, rev, totp_new=secret)
            try:
                self._db.commit([change, self._audit.of(caller, "mfa.enrol")], rev)
            except Refused:
                continue
            return Enrolment(secret=secret, uri=uri_of(secret, caller.username))
        raise AssertionError

    def confirm(self, caller: Caller, given: Confirmation) -> RecoveryCodes:
        """Has codes asked for from now on; the recovery codes are said this once.

        Raises NoSuchFactor, WrongOtp, SlowDown, ChangedMeanwhile.
        """
        codes = self._factors.new_codes()
        for _ in self._from.attempts():
            entry = self._access.open(caller, more=[self._factors.key(caller.username)])
            account = entry.account
            if account.totp_new is None:
                raise NoSuchFactor("Nothing is to be confirmed; POST /mfa begins.")
            spent, holding = self._factors.check(
                account, account.totp_new, given.otp, caller.address, entry.rows
            )
            rev = self._from.new_id()
            hashed = frozenset(map(hash_of, codes))
            change = altered(
                account, rev, totp=account.totp_new, totp_new=None, recovery=hashed, **spent
            )
            try:
                self._db.commit([change, *holding, self._audit.of(caller, "mfa.on")], rev)
            except Refused:
                continue
            return RecoveryCodes(recovery_codes=codes)
        raise AssertionError

    def remove(self, caller: Caller, code: str) -> None:
        """Asks for no codes any more, if that is one.

        Raises NoSuchFactor, WrongOtp, SlowDown, ChangedMeanwhile.
        """
        for _ in self._from.attempts():
            entry = self._access.open(caller, more=[self._factors.key(caller.username)])
            account = entry.account
            if account.totp is None:
                raise NoSuchFactor
            _, holding = self._factors.spend(account, code, caller.address, entry.rows)
            rev = self._from.new_id()
            off = altered(account, rev, **NO_FACTOR)
            try:
                self._db.commit([off, *holding, self._audit.of(caller, "mfa.off")], rev)
            except Refused:
                continue
            return
