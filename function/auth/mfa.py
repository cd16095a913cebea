"""The second factor: codes that change with time (RFC 6238), and recovery codes.

A code of time is good once, by the step that its account was last let in with. Six digits can be
guessed, so that wrong ones are counted for the secret as well as for the address: twenty a day.
To be counted takes the password first, so no stranger can shut anybody out; and a recovery code,
which nobody can guess, is listened to all the same.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from function.access.policy import Access
from function.audit.service import AuditTrail
from function.auth.errors import MfaOn, NoSuchFactor, OtpRequired, WrongOtp
from function.auth.models import Confirmation, Enrolment, PasswordProof, RecoveryCodes
from function.auth.throttle import LoginThrottle
from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Key, Rows
from function.aws.writes import Write
from function.base import Base
from function.core.errors import SlowDown
from function.core.models import Caller
from function.tables.accounts import Account, update_account
from function.tables.sessions import Attempts, count_try, require_tries_left, tries_in

PERIOD = 30
AROUND = (-1, 0, 1)  # clocks differ, and typing takes time
DIGITS = 6
DAY = 86_400
HEARD = " A recovery code is listened to all the same."
TRIES_OF_DAY = 20
RECOVERY_CODES = 10
ISSUER = "Satchel"
# What of an account goes with its second factor.
NO_FACTOR: Mapping[str, None] = dict.fromkeys(("totp", "totp_new", "totp_step", "recovery"))


class SecondFactor:
    """Knows good codes, and has each used once."""

    def __init__(self, base: Base) -> None:
        self._attempts = Attempts(base.db)
        self._throttle = base.one(LoginThrottle)
        self._runtime = base.runtime

    def key(self, username: str) -> Key:
        """The counts of an account's wrong codes, to be read together with it."""
        return self._count(username)[0]

    def spend(
        self, account: Account, code: str | None, address: str, rows: Rows
    ) -> tuple[dict[str, Any], list[Write]]:
        """What a good code changes of its account, and what must hold of the count meanwhile.

        Nothing where no code is needed. Raises OtpRequired, WrongOtp, SlowDown.
        """
        if account.totp is None:
            return {}, []
        if code is None:
            raise OtpRequired
        if len(code) != DIGITS:
            hashed = hash_of(code)
            if hashed not in account.recovery:
                self._throttle.failed(account.username, address)
                raise WrongOtp
            return {"recovery": account.recovery - {hashed}}, []
        return self.check(account, account.totp, code, address, rows, HEARD)

    def check(
        self, account: Account, secret: str, code: str, address: str, rows: Rows, more: str = ""
    ) -> tuple[dict[str, Any], list[Write]]:
        """The same for a code of time, of this secret; `more` is said of who is not listened to.

        Raises WrongOtp, SlowDown.
        """
        key, until = self._count(account.username)
        if tries_in(rows, key, tried_of(secret)) >= TRIES_OF_DAY:
            raise SlowDown(int(until - self._runtime.now()) + 1, more)
        now = int(self._runtime.now()) // PERIOD
        for step in (now + each for each in AROUND):
            good = hmac.compare_digest(code_of(secret, step), code)
            if good and step > account.totp_step:
                return {"totp_step": step}, [
                    require_tries_left(key, TRIES_OF_DAY, tried_of(secret))
                ]
        self._wrong(account, secret, address, more)
        raise WrongOtp

    def _wrong(self, account: Account, secret: str, address: str, more: str) -> None:
        """Counts a wrong code, of the secret and of the address. Raises SlowDown."""
        key, until = self._count(account.username)
        writes = [
            count_try(key, TRIES_OF_DAY, until, tried_of(secret)),
            self._throttle.failure(account.username, address),
        ]
        for _ in self._runtime.attempts():
            try:
                self._attempts.commit(writes, self._runtime.new_id())
            except ConditionFailed as refused:
                if refused.failed:
                    raise SlowDown(int(until - self._runtime.now()) + 1, more) from None
                continue
            return

    def _count(self, username: str) -> tuple[Key, int]:
        """Where an account's wrong codes of this day are counted, and when it ends."""
        day = int(self._runtime.now()) // DAY
        return self._attempts.key(f"otp:{username}:{day}"), (day + 1) * DAY

    def new_secret(self) -> str:
        """160 random bits, as RFC 4226 recommends, in the letters of Base32."""
        random = bytes.fromhex(self._runtime.new_id() + self._runtime.new_id())
        return base64.b32encode(random[:20]).decode()

    def new_codes(self) -> list[str]:
        """Recovery codes of 80 random bits each, as people can type them."""
        random = (bytes.fromhex(self._runtime.new_id())[-10:] for _ in range(RECOVERY_CODES))
        codes = (base64.b32encode(each).decode().lower() for each in random)
        return ["-".join(each[at : at + 4] for at in range(0, 16, 4)) for each in codes]


def code_of(secret: str, step: int) -> str:
    """The six digits of a step, which is seconds since the epoch by 30."""
    import pyotp  # noqa: PLC0415 - most requests never need it

    return pyotp.TOTP(secret).generate_otp(step)


def uri_of(secret: str, username: str) -> str:
    """What authenticators read from a QR code."""
    import pyotp  # noqa: PLC0415

    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def tried_of(secret: str) -> str:
    """Under which name the wrong codes of a secret are counted: another begins anew."""
    return f"tries:{hashlib.sha256(secret.encode()).hexdigest()[:16]}"


def hash_of(code: str) -> str:
    """What is stored of a recovery code: 80 random bits need no slow hash."""
    return hashlib.sha256(code.replace("-", "").encode()).hexdigest()


class MfaService:
    """Second factors."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._throttle = base.one(LoginThrottle)
        self._second_factor = base.one(SecondFactor)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def enrol(self, caller: Caller, given: PasswordProof) -> Enrolment:
        """A secret, which is not asked for until it is confirmed.

        It takes the password, or a stolen session could shut its owner out. Raises
        WrongCredentials, SlowDown, MfaOn, ChangedMeanwhile.
        """
        password, secret = (
            given.current_password.get_secret_value(),
            self._second_factor.new_secret(),
        )
        for _ in self._runtime.attempts():
            entry = self._access.authenticate(caller, more=[self._throttle.key(caller.address)])
            account = entry.account
            self._throttle.prove(account, caller.username, password, caller.address, entry.rows)
            if account.totp:
                raise MfaOn
            rev = self._runtime.new_id()
            change = update_account(account, rev, totp_new=secret)
            try:
                self._db.commit([change, self._audit.record(caller, "mfa.create")], rev)
            except ConditionFailed:
                continue
            return Enrolment(secret=secret, uri=uri_of(secret, caller.username))
        raise AssertionError

    def confirm(self, caller: Caller, given: Confirmation) -> RecoveryCodes:
        """Has codes asked for from now on; the recovery codes are said this once.

        Raises NoSuchFactor, WrongOtp, SlowDown, ChangedMeanwhile.
        """
        codes = self._second_factor.new_codes()
        for _ in self._runtime.attempts():
            entry = self._access.authenticate(
                caller, more=[self._second_factor.key(caller.username)]
            )
            account = entry.account
            if account.totp_new is None:
                raise NoSuchFactor("Nothing is to be confirmed; POST /mfa begins.")
            spent, holding = self._second_factor.check(
                account, account.totp_new, given.otp, caller.address, entry.rows
            )
            rev = self._runtime.new_id()
            hashed = frozenset(map(hash_of, codes))
            change = update_account(
                account, rev, totp=account.totp_new, totp_new=None, recovery=hashed, **spent
            )
            try:
                self._db.commit([change, *holding, self._audit.record(caller, "mfa.enable")], rev)
            except ConditionFailed:
                continue
            return RecoveryCodes(recovery_codes=codes)
        raise AssertionError

    def remove(self, caller: Caller, code: str) -> None:
        """Asks for no codes any more, if that is one.

        Raises NoSuchFactor, WrongOtp, SlowDown, ChangedMeanwhile.
        """
        for _ in self._runtime.attempts():
            entry = self._access.authenticate(
                caller, more=[self._second_factor.key(caller.username)]
            )
            account = entry.account
            if account.totp is None:
                raise NoSuchFactor
            _, holding = self._second_factor.spend(account, code, caller.address, entry.rows)
            rev = self._runtime.new_id()
            off = update_account(account, rev, **NO_FACTOR)
            try:
                self._db.commit([off, *holding, self._audit.record(caller, "mfa.disable")], rev)
            except ConditionFailed:
                continue
            return
