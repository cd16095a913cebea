"""The second factor: time-based codes (TOTP, RFC 6238), and recovery codes.

A code works once: the account stores the time step of the last code that it accepted. Six digits
can be guessed, so wrong codes are counted twice: at most twenty a day for the secret, and with the
wrong passwords of the address. A code is checked only after the right password, so a stranger
cannot lock the owner out. A recovery code cannot be guessed, and works when codes are refused.
"""

import base64
import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from function.access.policy import Access, Authentication
from function.access.windows import Window
from function.audit.service import AuditLog
from function.auth.errors import MfaOn, NoSuchFactor, OtpRequired, WrongOtp
from function.auth.models import Confirmation, Enrolment, PasswordProof, RecoveryCodes
from function.auth.throttle import Attempt, LoginThrottle
from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Key, Rows
from function.aws.writes import Write
from function.base import Base
from function.core.errors import NotSignedIn
from function.core.limits import DAY
from function.core.models import Caller
from function.core.tokens import token_hash
from function.tables.accounts import Account, require_account_unchanged, update_account
from function.tables.sessions import rotate_session, session_in
from function.tables.windows import Counter, increment, require_left

ISSUER = "Satchel"
DIGITS = 6
PERIOD = 30  # seconds of one time step
STEPS = (-1, 0, 1)  # clocks differ, and typing takes time
WRONG_CODES_OF_DAY = 20
RECOVERY_CODES = 10
RECOVERY_HINT = " A recovery code still works."
# The change of an account that removes its second factor.
NO_FACTOR: Mapping[str, None] = dict.fromkeys(("totp", "totp_new", "totp_step", "recovery"))

AccountFields = dict[str, Any]


class SecondFactor:
    """Checks codes, counts wrong ones, and makes secrets and recovery codes."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._throttle = base.one(LoginThrottle)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime
        self._window = Window(base.runtime, "otp", limit=WRONG_CODES_OF_DAY, seconds=DAY)

    def key(self, username: str) -> Key:
        """The row that counts an account's wrong codes, to be read together with the account."""
        return self._window.counter(username).key

    def use(
        self, account: Account, code: str | None, caller: Caller, rows: Rows
    ) -> tuple[AccountFields, list[Write]]:
        """Checks a code that a login sent; nothing where the account has no second factor.

        Returns the fields of the account that use the code up, and the conditions of that commit.
        `rows` contains the row of `key`. Raises OtpRequired, WrongOtp, SlowDown.
        """
        if account.totp is None:
            return {}, []
        if code is None:
            raise OtpRequired
        if len(code) == DIGITS:
            return self.use_totp(account, account.totp, code, caller, rows, RECOVERY_HINT)
        hashed = _hash(code)
        if hashed not in account.recovery:
            writes = self._failure(account, caller)
            self._db.transact(lambda: (writes, None))
            raise WrongOtp
        return {"recovery": account.recovery - {hashed}}, []

    def use_totp(
        self, account: Account, secret: str, code: str, caller: Caller, rows: Rows, hint: str = ""
    ) -> tuple[AccountFields, list[Write]]:
        """Checks a time-based code of `secret`, as `use` does; SlowDown carries the `hint`.

        The condition on the count refuses a right code that was read before guesses at the same
        moment used the count up. Raises WrongOtp, SlowDown.
        """
        counter = self._window.counter(account.username, _counter_name(secret))
        self._window.check(rows, counter, hint)
        now = int(self._runtime.now()) // PERIOD
        for step in (now + each for each in STEPS):
            matches = hmac.compare_digest(totp_code(secret, step), code)
            if matches and step > account.totp_step:
                return {"totp_step": step}, [require_left(counter)]
        self._count_wrong_code(counter, account, caller, hint)
        raise WrongOtp

    def _failure(self, account: Account, caller: Caller) -> list[Write]:
        """Counts a wrong code with the wrong passwords of the address, and in the audit log."""
        attempt = Attempt(account.username, caller.address, caller.agent)
        return [
            self._throttle.count_failure(attempt, account),
            self._audit.count_refusal(caller, "mfa.refused"),
        ]

    def _count_wrong_code(
        self, counter: Counter, account: Account, caller: Caller, hint: str
    ) -> None:
        writes = [increment(counter), *self._failure(account, caller)]

        def on_condition_failed(_: ConditionFailed) -> None:
            raise self._window.slow_down(hint) from None

        self._db.transact(lambda: (writes, None), on_condition_failed)

    def new_secret(self) -> str:
        """A secret of 160 random bits, as RFC 4226 recommends, in Base32."""
        random = bytes.fromhex(self._runtime.new_id() + self._runtime.new_id())
        return base64.b32encode(random[:20]).decode()

    def new_recovery_codes(self) -> list[str]:
        """Recovery codes of 128 random bits each: 26 characters of Base32, in groups of four."""
        random = (bytes.fromhex(self._runtime.new_id()) for _ in range(RECOVERY_CODES))
        codes = (base64.b32encode(each).decode().rstrip("=").lower() for each in random)
        return ["-".join(code[at : at + 4] for at in range(0, 26, 4)) for code in codes]


class OwnerProof:
    """Checks the password and the code that a request brings beside its session.

    A stolen session lasts for hours. What outlives it, an API key or another mail address, takes
    the password and, where the account has a second factor, a code.
    """

    def __init__(self, base: Base) -> None:
        self._access = base.one(Access)
        self._throttle = base.one(LoginThrottle)
        self._second_factor = base.one(SecondFactor)
        self._runtime = base.runtime

    def authenticate(self, caller: Caller, more: Iterable[Key] = ()) -> Authentication:
        """Proves who calls, and reads the counts of wrong passwords and codes, and `more`."""
        keys = [
            self._throttle.session_key(caller.username),
            self._second_factor.key(caller.username),
        ]
        return self._access.authenticate(caller, more=[*keys, *more])

    def verify(
        self, found: Authentication, caller: Caller, password: str, otp: str | None
    ) -> tuple[AccountFields, list[Write]]:
        """Checks both, by what `authenticate` found.

        Returns the fields of the account that use the code up, and the conditions of that commit.
        Raises WrongCredentials, OtpRequired, WrongOtp, SlowDown.
        """
        account, rows = found.account, found.rows
        self._throttle.verify_session(account, caller, password, rows)
        return self._second_factor.use(account, otp, caller, rows)

    def verify_code(
        self, found: Authentication, caller: Caller, otp: str | None
    ) -> tuple[AccountFields, list[Write]]:
        """Checks the code alone, as `verify` does; an API key needs none: its scopes decide."""
        session = session_in(found.rows, caller)
        if session is None or session.key is not None:
            return {}, []
        return self._second_factor.use(found.account, otp, caller, found.rows)

    def verify_again(
        self,
        found: Authentication,
        caller: Caller,
        password: str,
        otp: str | None,
        *,
        same_code: bool,
    ) -> list[Write]:
        """Checks both for a request that was done before; returns what uses a new code up.

        With `same_code` it has the code that was used up then, which is not checked again.
        Raises what `verify` raises.
        """
        self._throttle.verify_session(found.account, caller, password, found.rows)
        return [] if same_code else self.verify_code_again(found, caller, otp)

    def verify_code_again(
        self, found: Authentication, caller: Caller, otp: str | None
    ) -> list[Write]:
        """Checks a new code for a request that was done before; returns what uses it up."""
        changes, checks = self.verify_code(found, caller, otp)
        return [self.use_up(found.account, changes), *checks] if changes else []

    def use_code(self, found: Authentication, caller: Caller, otp: str | None) -> list[Write]:
        """Checks the code, and writes that it was used, if the account has not changed."""
        changes, checks = self.verify_code(found, caller, otp)
        return [self.use_up(found.account, changes), *checks]

    def use_up(self, account: Account, changes: AccountFields) -> Write:
        """Changes the account where a code was used; requires in any case that it is as read."""
        if not changes:
            return require_account_unchanged(account)
        return update_account(account, self._runtime.new_id(), **changes)


class MfaService:
    """Sets up and removes the second factor of an account."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._throttle = base.one(LoginThrottle)
        self._second_factor = base.one(SecondFactor)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def enrol(self, caller: Caller, proof: PasswordProof) -> Enrolment:
        """Stores a new secret; no login requires its codes before one is confirmed.

        It requires the password, because a stolen session could otherwise lock the owner out.
        Raises WrongCredentials, SlowDown, MfaOn, ChangedMeanwhile.
        """
        password = proof.current_password.get_secret_value()
        secret = self._second_factor.new_secret()

        def plan() -> tuple[list[Write], Enrolment]:
            authentication = self._access.authenticate(
                caller, more=[self._throttle.session_key(caller.username)]
            )
            account = authentication.account
            self._throttle.verify_session(account, caller, password, authentication.rows)
            if account.totp:
                raise MfaOn
            return [
                update_account(account, self._runtime.new_id(), totp_new=secret),
                self._audit.record(caller, "mfa.create"),
            ], Enrolment(secret=secret, uri=_provisioning_uri(secret, caller.username))

        return self._db.transact(plan)

    def confirm(self, caller: Caller, confirmation: Confirmation) -> RecoveryCodes:
        """Requires a code at every login from now on; the recovery codes are shown only here.

        All other sessions and API keys end in the same commit: a thief may have begun one.
        Raises NoSuchFactor, OtpRequired, WrongOtp, SlowDown, ChangedMeanwhile.
        """
        codes = self._second_factor.new_recovery_codes()
        hashed = frozenset(map(_hash, codes))

        def plan() -> tuple[list[Write], RecoveryCodes]:
            account, rows = self._read(caller)
            session = session_in(rows, caller)
            if session is None:
                raise NotSignedIn
            secret = account.totp_new
            if secret is None:
                raise NoSuchFactor("There is nothing to confirm. Start with POST /mfa.")
            if confirmation.otp is None:
                raise OtpRequired
            changes, checks = self._second_factor.use_totp(
                account, secret, confirmation.otp, caller, rows
            )
            rev, epoch = self._runtime.new_id(), self._runtime.new_id()
            changes |= {"totp": secret, "totp_new": None, "recovery": hashed, "epoch": epoch}
            changes |= {"keys": frozenset({session.token_hash} & account.keys)}
            return [
                update_account(account, rev, **changes),
                rotate_session(session, epoch, int(self._runtime.now())),
                *checks,
                self._audit.record(caller, "mfa.enable"),
            ], RecoveryCodes(recovery_codes=codes)

        return self._db.transact(plan)

    def remove(self, caller: Caller, code: str) -> None:
        """Removes the second factor; a time-based or a recovery code of it proves the owner.

        Raises NoSuchFactor, WrongOtp, SlowDown, ChangedMeanwhile.
        """

        def plan() -> tuple[list[Write], None]:
            account, rows = self._read(caller)
            if account.totp is None:
                raise NoSuchFactor
            _, checks = self._second_factor.use(account, code, caller, rows)
            return [
                update_account(account, self._runtime.new_id(), **NO_FACTOR),
                *checks,
                self._audit.record(caller, "mfa.disable"),
            ], None

        self._db.transact(plan)

    def _read(self, caller: Caller) -> tuple[Account, Rows]:
        """The caller's account, and the rows with its count of wrong codes."""
        key = self._second_factor.key(caller.username)
        authentication = self._access.authenticate(caller, more=[key])
        return authentication.account, authentication.rows


def totp_code(secret: str, step: int) -> str:
    """The six digits of a time step: `step` times PERIOD is seconds since the epoch."""
    import pyotp  # noqa: PLC0415 - most requests never need it

    return pyotp.TOTP(secret).generate_otp(step)


def _provisioning_uri(secret: str, username: str) -> str:
    """The `otpauth://` URI that authenticator apps read from a QR code."""
    import pyotp  # noqa: PLC0415 - most requests never need it

    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def _counter_name(secret: str) -> str:
    """The counter of a secret's wrong codes: with another secret the count begins at 0."""
    return f"secret:{token_hash(secret)[:16]}"


def _hash(recovery_code: str) -> str:
    """The stored hash of a recovery code; 128 random bits need no slow hash."""
    return token_hash(recovery_code.replace("-", ""))
