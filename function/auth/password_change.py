"""New passwords, by the old password or by a reset token.

A reset token works for the account as it was when the token was issued: it carries the account's
id, epoch and address, and a change of any of them ends it.
"""

import hmac
from dataclasses import replace
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from function.access.addresses import network
from function.access.callers import Anonymous
from function.access.errors import ProtectedAccount
from function.access.policy import Access, Authentication
from function.access.windows import Window
from function.audit.service import AuditLog
from function.auth.errors import MailNotConfigured, WrongResetToken
from function.auth.mfa import OwnerProof
from function.auth.models import Forgotten, PasswordChange, PasswordReset, ResetMade
from function.auth.passwords import Passwords
from function.auth.throttle import LoginThrottle
from function.aws.dynamodb import ConditionFailed
from function.aws.metrics import put_metrics
from function.aws.rows import Key, Rows
from function.aws.writes import Write
from function.base import Base
from function.core.errors import NoSuchUser, NotSignedIn
from function.core.models import Caller, HttpRequest
from function.core.runtime import iso
from function.core.tokens import token_hash, username_in
from function.tables.accounts import (
    Account,
    account_in,
    account_key,
    any_account_in,
    require_administrator,
    update_account,
)
from function.tables.sessions import (
    Reset,
    admin_reset_key,
    mailed_reset_key,
    put_reset,
    require_session,
    reset_at,
    rotate_session,
    session_in,
    use_reset,
)
from function.tables.windows import increment, left_in

TOKEN_SECONDS = 3600
FIRST_ISSUER_CHECK = 3  # of the writes of a reset
REQUEST_SECONDS = 900
REQUESTS_OF_ADDRESS = 10  # in each window of REQUEST_SECONDS
MAILS_OF_NAME = 5  # in an hour: strangers cannot fill a mailbox
SUBJECT = "Your new password for Satchel"
TEXT = """\
Somebody, perhaps you, has forgotten the password of {username}.

With this token you can choose a new password, once and within an hour:

{token}

Send it as JSON to POST /password/reset, with the new password:

{{"token": "{token}", "new_password": "..."}}

If you did not ask for it, do nothing: your password stays as it is.
"""
logger = Logger(service="satchel", child=True)


class PasswordChangeService:
    """Changes the password of a caller who knows the old one."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._throttle = base.one(LoginThrottle)
        self._passwords = base.one(Passwords)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def change(self, caller: Caller, request: PasswordChange) -> None:
        """Changes the password, and ends every other session and API key in the same commit.

        Raises WrongCredentials, SlowDown, WeakPassword, ChangedMeanwhile.
        """
        old, new = (
            each.get_secret_value() for each in (request.current_password, request.new_password)
        )
        hash_once = cache(self._passwords.hash)  # it takes long, and a plan may run again

        def plan() -> tuple[list[Write], None]:
            authentication = self._access.authenticate(
                caller, more=[self._throttle.session_key(caller.username)]
            )
            account, session = authentication.account, session_in(authentication.rows, caller)
            if session is None:
                raise NotSignedIn
            self._throttle.verify_session(account, caller, old, authentication.rows)
            self._passwords.require_strong(new, account.username, account.email)
            rev, epoch = self._runtime.new_id(), self._runtime.new_id()
            hashed = hash_once(new)
            keys = frozenset({session.token_hash} & account.keys)
            return [
                update_account(account, rev, password=hashed, epoch=epoch, keys=keys),
                rotate_session(session, epoch, int(self._runtime.now())),
                self._audit.record(caller, "password.update"),
            ], None

        self._db.transact(plan)


class PasswordResetService:
    """Issues reset tokens, by mail or to an administrator, and accepts them."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._proof = base.one(OwnerProof)
        self._administrator = base.settings.administrator
        self._mail = base.mail
        self._stack = base.settings.stack
        self._passwords = base.one(Passwords)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime
        self._requests = Window(
            base.runtime, "reset-request", limit=REQUESTS_OF_ADDRESS, seconds=REQUEST_SECONDS
        )
        self._mails = Window(base.runtime, "reset-mail", limit=MAILS_OF_NAME, seconds=TOKEN_SECONDS)

    def mail_reset(self, forgotten: Forgotten, request: HttpRequest) -> None:
        """Mails a token, if the account exists and has an address.

        The calls, the rows and the answer are the same for every name, so that nobody learns
        which names exist. After MAILS_OF_NAME mails the last token stays valid, and no further
        mail is sent to the name in that hour. Raises MailNotConfigured, SlowDown, ChangedMeanwhile.
        """
        if not self._mail.configured:
            raise MailNotConfigured
        username = forgotten.username
        token = self._new_token(username)
        actor = Anonymous.stranger(request.address, request.agent)

        def plan() -> tuple[list[Write], str | None]:
            requests = self._requests.counter(network(request.address))
            mails = self._mails.counter(username)
            rows = self._db.read([account_key(username), requests.key, mails.key])
            self._requests.check(rows, requests)
            account = account_in(rows, username)
            if account and (not account.email or left_in(rows, mails) <= 0):
                account = None
            return [
                increment(requests),
                *self._issue(account, token),
                self._audit.record(actor, "password.request_reset", owner=username),
            ], account.email if account else None

        recipient = self._db.transact(plan)
        text = TEXT.format(username=username, token=token)
        if refusal := self._mail.send(recipient, SUBJECT, text):
            logger.error("SES refused a mail", code=refusal)
            put_metrics(self._stack, {"mail_refused": 1})

    def issue_admin_reset(self, caller: Caller, username: str, otp: str | None) -> ResetMade:
        """Issues a token for another account, which an administrator hands over.

        Nobody gets one for their own account: a stolen session could become the account with it.
        A session of an account with a second factor needs a code.
        Raises ProtectedAccount, NoSuchUser, OtpRequired, WrongOtp, SlowDown, ChangedMeanwhile.
        """
        caller, token = replace(caller, power="accounts"), self._new_token(username)

        def plan() -> tuple[list[Write], ResetMade]:
            found = self._proof.authenticate(caller, more=[account_key(username)])
            account = any_account_in(found.rows, username)
            if account is None or account.deleting:
                raise NoSuchUser
            if username in {caller.username, self._administrator}:
                raise ProtectedAccount
            reset = _issued_by(found, caller, self._reset(account, token))
            return [
                put_reset(admin_reset_key(username), reset),
                *self._proof.use_code(found, caller, otp),
                self._audit.record(caller, "password.issue_reset", owner=username),
            ], ResetMade(username=username, token=token, expires_at=iso(reset.expires_at))

        return self._db.transact(plan)

    def reset(self, password_reset: PasswordReset, request: HttpRequest) -> None:
        """Sets a new password, and ends the token and every session and API key.

        The second factor stays. Raises WrongResetToken, WeakPassword, ChangedMeanwhile.
        """
        token, password = (
            each.get_secret_value() for each in (password_reset.token, password_reset.new_password)
        )
        username = username_in(token)
        if username is None:
            raise WrongResetToken
        actor = Caller(username, "", address=request.address, agent=request.agent)
        keys = [mailed_reset_key(username), admin_reset_key(username)]
        hash_once = cache(self._passwords.hash)

        def plan() -> tuple[list[Write], None]:
            rows = self._db.read([account_key(username), *keys])
            account, key, reset = self._find(rows, username, keys, token)
            self._passwords.require_strong(password, username, account.email)
            rev, epoch = self._runtime.new_id(), self._runtime.new_id()
            hashed = hash_once(password)
            return [
                update_account(account, rev, password=hashed, epoch=epoch, keys=None),
                use_reset(key, reset, int(self._runtime.now())),
                self._audit.record(actor, "password.reset"),
                *self._require_issuer(reset),
            ], None

        def on_condition_failed(error: ConditionFailed) -> None:
            if max(error.failed, default=0) >= FIRST_ISSUER_CHECK:
                raise WrongResetToken from None

        self._db.transact(plan, on_condition_failed)

    def _require_issuer(self, reset: Reset) -> list[Write]:
        """Requires of a token by an administrator that the issuer, and the API key, still stand."""
        if reset.issuer is None or reset.issuer_id is None:
            return []
        named, epoch = reset.issuer == self._administrator, reset.issuer_epoch
        writes = [require_administrator(reset.issuer, reset.issuer_id, epoch, named=named)]
        if reset.issuer_key:
            writes.append(require_session(reset.issuer_key, int(self._runtime.now())))
        return writes

    def _issue(self, account: Account | None, token: str) -> list[Write]:
        """Stores a token to be mailed, and counts the mail.

        Without an account both are written under a name that no account has.
        """
        name = account.username if account else f"~{self._runtime.new_id()}"
        reset = self._reset(account, token)
        return [increment(self._mails.counter(name)), put_reset(mailed_reset_key(name), reset)]

    def _new_token(self, username: str) -> str:
        return f"{username}.{self._runtime.new_secret()}"

    def _reset(self, account: Account | None, token: str) -> Reset:
        """The stored row of a token: for the account as it is, or for no account."""
        return Reset(
            secret=token_hash(token),
            user_id=account.id if account else "",
            epoch=account.epoch if account else "",
            email=(account.email if account else None) or "",
            expires_at=int(self._runtime.now()) + TOKEN_SECONDS,
        )

    def _find(
        self, rows: Rows, username: str, keys: list[Key], token: str
    ) -> tuple[Account, Key, Reset]:
        """The account of a token, and the key and row of the token. Raises WrongResetToken."""
        account, hashed = account_in(rows, username), token_hash(token)
        for key in keys if account else []:
            reset = reset_at(rows, key)
            if account and reset and hmac.compare_digest(reset.secret, hashed):
                issued_for = (reset.user_id, reset.epoch, reset.email)
                is_unchanged = issued_for == (account.id, account.epoch, account.email or "")
                if is_unchanged and reset.expires_at > self._runtime.now():
                    return account, key, reset
        raise WrongResetToken


def _issued_by(found: Authentication, caller: Caller, reset: Reset) -> Reset:
    """A token that an administrator issues; one by an API key does not outlive it."""
    session, issuer = session_in(found.rows, caller), found.account
    fields: dict[str, Any] = {
        "issuer": issuer.username,
        "issuer_id": issuer.id,
        "issuer_epoch": issuer.epoch,
    }
    if session and session.key is not None:
        expires_at = min(reset.expires_at, session.expires_at)
        fields |= {"issuer_key": session.token_hash, "expires_at": expires_at}
    return reset.model_copy(update=fields)
