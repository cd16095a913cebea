"""Changing a password."""

import hmac
import re

from aws_lambda_powertools import Logger

from function.access.errors import ProtectedAccount
from function.access.policy import Access
from function.audit.service import AuditTrail
from function.auth.errors import MailNotConfigured, WrongResetToken
from function.auth.models import Forgotten, PasswordChange, PasswordReset, ResetMade
from function.auth.passwords import Passwords
from function.auth.throttle import WINDOW, LoginThrottle
from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Key, Rows
from function.aws.writes import Write
from function.base import Base
from function.core.errors import NoSuchUser, NotSignedIn, SlowDown
from function.core.models import Caller, HttpRequest
from function.core.runtime import iso
from function.core.tokens import network, token_hash
from function.tables.accounts import (
    Account,
    account_at,
    account_in,
    account_key,
    require_account_unchanged,
    update_account,
)
from function.tables.sessions import (
    Attempts,
    Reset,
    admin_reset_key,
    count_try,
    mailed_reset_key,
    put_reset,
    reset_at,
    rotate_session,
    session_in,
    tries_in,
    use_reset,
)

TOKEN = re.compile(r"([a-z0-9._@+-]{3,64})\.[A-Za-z0-9_-]{43}")
GOOD_SECONDS = 3600
TRIES_OF_ADDRESS = 10  # in a quarter of an hour
MAILS_OF_NAME = 5  # in an hour: strangers shall not fill anybody's mailbox
STRANGER = "~stranger"  # who asks is not known, and no account has such a name
SUBJECT = "Your new password for Satchel"
TEXT = """\
Somebody, perhaps you, has forgotten the password of {username}.

With this token a new one can be chosen, once and within an hour:

{token}

Send it as JSON to POST /password/reset, with the new password:

{{"token": "{token}", "new_password": "..."}}

If you did not ask for it, do nothing: your password stays as it is.
"""
logger = Logger(service="satchel", child=True)


class PasswordChangeService:
    """New passwords for those who know the old one."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._throttle = base.one(LoginThrottle)
        self._passwords = base.one(Passwords)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def change(self, caller: Caller, wanted: PasswordChange) -> None:
        """A new password; every session and key but the caller's is dead in the same commit.

        Raises WrongCredentials, SlowDown, WeakPassword, ChangedMeanwhile.
        """
        given = wanted.current_password.get_secret_value()
        password = wanted.new_password.get_secret_value()
        for _ in self._runtime.attempts():
            entry = self._access.authenticate(caller, more=[self._throttle.key(caller.address)])
            account, session = entry.account, session_in(entry.rows, caller)
            if session is None:
                raise NotSignedIn
            self._throttle.prove(account, caller.username, given, caller.address, entry.rows)
            self._passwords.judge(password, caller.username)
            rev, epoch = self._runtime.new_id(), self._runtime.new_id()
            hashed = self._passwords.hash(password)
            keys = frozenset({session.token_hash} & account.keys)
            writes = [
                update_account(account, rev, password=hashed, epoch=epoch, keys=keys),
                rotate_session(session, epoch, int(self._runtime.now())),
                self._audit.record(caller, "password.update"),
            ]
            try:
                self._db.commit(writes, rev)
            except ConditionFailed:
                continue
            return


class PasswordResetService:
    """Answers forgotten passwords."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._administrator = base.settings.administrator
        self._attempts = Attempts(base.db)
        self._mail = base.mail
        self._passwords = base.one(Passwords)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def forgot(self, wanted: Forgotten, sent: HttpRequest) -> None:
        """Mails a token, if there is an account and it has an address.

        After some mails a name's last token stands as it is, and nothing is mailed for an hour.
        Raises MailNotConfigured, SlowDown, ChangedMeanwhile.
        """
        if not self._mail.configured:
            raise MailNotConfigured
        username = wanted.username
        token = self._new_token(username)
        for _ in self._runtime.attempts():
            asking, mailed = self._asking(sent.address), self._mailed(username)
            rows = self._db.read([account_key(username), asking[0], mailed[0]])
            if tries_in(rows, asking[0]) >= TRIES_OF_ADDRESS:
                raise SlowDown(int(asking[1] - self._runtime.now()) + 1)
            account = account_in(rows, username)
            account = account if tries_in(rows, mailed[0]) < MAILS_OF_NAME else None
            writes = self._noted(account, token, asking)
            try:
                self._db.commit([*writes, self._record(username, sent)], self._runtime.new_id())
            except ConditionFailed:
                continue
            break
        to = account.email if account else None
        if not self._mail.send(to, SUBJECT, TEXT.format(username=username, token=token)):
            logger.warning("a mail was refused")

    def _noted(self, account: Account | None, token: str, asking: tuple[Key, int]) -> list[Write]:
        """What is counted, and the token; where nothing is to be mailed, under nobody's name."""
        known = account if account and account.email else None
        name = known.username if known else f"~{self._runtime.new_id()}"
        mailed, until = self._mailed(name)
        return [
            count_try(asking[0], TRIES_OF_ADDRESS, asking[1]),
            count_try(mailed, MAILS_OF_NAME, until),
            put_reset(mailed_reset_key(name), self._made(known, token)),
        ]

    def hand(self, caller: Caller, username: str) -> ResetMade:
        """A token for somebody else's account, which an administrator hands over.

        For one's own a stolen session could make it, so there it takes the password, or a mail.
        Raises ProtectedAccount, NoSuchUser, ChangedMeanwhile.
        """
        token = self._new_token(username)
        for _ in self._runtime.attempts():
            entry = self._access.authenticate(caller, more=[account_key(username)])
            account = account_at(entry.rows, username)
            if account is None or account.deleting:
                raise NoSuchUser
            if username in {caller.username, self._administrator}:
                raise ProtectedAccount
            reset = self._made(account, token)
            writes = [
                put_reset(admin_reset_key(username), reset),
                require_account_unchanged(entry.account),
                self._audit.record(caller, "password.issue_reset", owner=username),
            ]
            try:
                self._db.commit(writes, self._runtime.new_id())
            except ConditionFailed:
                continue
            return ResetMade(username=username, token=token, expires_at=iso(reset.expires_at))
        raise AssertionError

    def _new_token(self, username: str) -> str:
        return f"{username}.{self._runtime.new_secret()}"

    def _made(self, account: Account | None, token: str) -> Reset:
        """What is stored of a token: for the account as it is, or for none."""
        return Reset(
            secret=token_hash(token),
            user_id=account.id if account else "",
            epoch=account.epoch if account else "",
            email=(account.email if account else None) or "",
            expires_at=int(self._runtime.now()) + GOOD_SECONDS,
        )

    def _record(self, username: str, sent: HttpRequest) -> Write:
        who = Caller(STRANGER, "", address=sent.address, agent=sent.agent)
        return self._audit.record(who, "password.request_reset", owner=username)

    def _asking(self, address: str) -> tuple[Key, int]:
        """How often an address asked in this window, and when that ends."""
        window = int(self._runtime.now()) // WINDOW
        return self._attempts.key(f"forgot:{network(address)}:{window}"), (window + 1) * WINDOW

    def _mailed(self, name: str) -> tuple[Key, int]:
        """How often a name was mailed to in this hour, and when that ends."""
        hour = int(self._runtime.now()) // GOOD_SECONDS
        return self._attempts.key(f"mailed:{name}:{hour}"), (hour + 1) * GOOD_SECONDS

    def reset(self, wanted: PasswordReset, sent: HttpRequest) -> None:
        """A new password for a token, which dies with every session and key; a second factor stays.

        Raises WrongResetToken, WeakPassword, ChangedMeanwhile.
        """
        token, password = wanted.token.get_secret_value(), wanted.new_password.get_secret_value()
        match = TOKEN.fullmatch(token)
        if match is None:
            raise WrongResetToken
        username = match[1]
        who = Caller(username, "", address=sent.address, agent=sent.agent)
        for _ in self._runtime.attempts():
            keys = [mailed_reset_key(username), admin_reset_key(username)]
            rows = self._db.read([account_key(username), *keys])
            account, key, reset = self._proven(rows, username, keys, token)
            self._passwords.judge(password, username)
            rev, epoch = self._runtime.new_id(), self._runtime.new_id()
            hashed = self._passwords.hash(password)
            writes = [
                update_account(account, rev, password=hashed, epoch=epoch, keys=None),
                use_reset(key, reset, int(self._runtime.now())),
                self._audit.record(who, "password.reset"),
            ]
            try:
                self._db.commit(writes, rev)
            except ConditionFailed:
                continue
            return

    def _proven(
        self, rows: Rows, username: str, keys: list[Key], token: str
    ) -> tuple[Account, Key, Reset]:
        """The account that a token is for, as it was when that was made, and where the token is.

        Raises WrongResetToken.
        """
        account, given = account_in(rows, username), token_hash(token)
        for key in keys if account else []:
            reset = reset_at(rows, key)
            if account and reset and hmac.compare_digest(reset.secret, given):
                was = (reset.user_id, reset.epoch, reset.email)
                alike = was == (account.id, account.epoch, account.email or "")
                if alike and reset.expires_at > self._runtime.now():
                    return account, key, reset
        raise WrongResetToken
