"""Forgotten passwords: a token is mailed, which is good once, for an hour, and the newest alone.

An administrator can make one as well, and hand it over to whoever has no mail here.

Whether a name has an account, and that account an address, nobody is told: the same is read,
written and sent for each, to SES's own address for nobody where there is none.
"""

import hmac
import re

from aws_lambda_powertools import Logger

from function.account_errors import MailNotConfigured, ProtectedAccount, WrongResetToken
from function.account_models import Forgotten, PasswordReset
from function.account_records import Reset
from function.errors import NoSuchUser, SlowDown
from function.models import Caller, Incoming
from function.records import Account
from function.services.access import Access
from function.services.accounts import token_hash
from function.services.audit import Audit
from function.services.guesses import WINDOW, network
from function.services.origins import Origins, iso
from function.services.passwords import Passwords
from function.stores.accounts import account_at, account_in, account_key, altered
from function.stores.attempts import Attempts, tried, tries_in
from function.stores.directory import same_account
from function.stores.dynamo import Dynamo
from function.stores.mail import Mail
from function.stores.resets import handed_key, mailed_key, put, reset_at, used
from function.stores.rows import Key, Refused, Rows, Write
from function.user_models import ResetMade

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


class Recovering:
    """Answers forgotten passwords."""

    def __init__(
        self,
        db: Dynamo,
        access: Access,
        attempts: Attempts,
        mail: Mail,
        passwords: Passwords,
        audit: Audit,
        origins: Origins,
        administrator: str,
    ) -> None:
        """`administrator` is the configuration's own, for whom nobody else makes a token."""
        self._db = db
        self._access = access
        self._administrator = administrator
        self._attempts = attempts
        self._mail = mail
        self._passwords = passwords
        self._audit = audit
        self._from = origins

    def forgot(self, wanted: Forgotten, sent: Incoming) -> None:
        """Mails a token, if there is an account and it has an address.

        After some mails a name's last token stands as it is, and nothing is mailed for an hour.
        Raises MailNotConfigured, SlowDown, ChangedMeanwhile.
        """
        if not self._mail.configured:
            raise MailNotConfigured
        username = wanted.username
        token = self._new_token(username)
        for _ in self._from.attempts():
            asking, mailed = self._asking(sent.address), self._mailed(username)
            rows = self._db.read([account_key(username), asking[0], mailed[0]])
            if tries_in(rows, asking[0]) >= TRIES_OF_ADDRESS:
                raise SlowDown(int(asking[1] - self._from.now()) + 1)
            account = account_in(rows, username)
            account = account if tries_in(rows, mailed[0]) < MAILS_OF_NAME else None
            writes = self._noted(account, token, asking)
            try:
                self._db.commit([*writes, self._record(username, sent)], self._from.new_id())
            except Refused:
                continue
            break
        to = account.email if account else None
        if not self._mail.send(to, SUBJECT, TEXT.format(username=username, token=token)):
            logger.warning("a mail was refused")

    def _noted(self, account: Account | None, token: str, asking: tuple[Key, int]) -> list[Write]:
        """What is counted, and the token; where nothing is to be mailed, under nobody's name."""
        known = account if account and account.email else None
        name = known.username if known else f"~{self._from.new_id()}"
        mailed, until = self._mailed(name)
        return [
            tried(asking[0], TRIES_OF_ADDRESS, asking[1]),
            tried(mailed, MAILS_OF_NAME, until),
            put(mailed_key(name), self._made(known, token)),
        ]

    def hand(self, caller: Caller, username: str) -> ResetMade:
        """A token for somebody else's account, which an administrator hands over.

        For one's own a stolen session could make it, so there it takes the password, or a mail.
        Raises ProtectedAccount, NoSuchUser, ChangedMeanwhile.
        """
        token = self._new_token(username)
        for _ in self._from.attempts():
            entry = self._access.open(caller, more=[account_key(username)])
            account = account_at(entry.rows, username)
            if account is None or account.deleting:
                raise NoSuchUser
            if username in {caller.username, self._administrator}:
                raise ProtectedAccount
            reset = self._made(account, token)
            writes = [
                put(handed_key(username), reset),
                same_account(entry.account),
                self._audit.of(caller, "account.reset", owner=username),
            ]
            try:
                self._db.commit(writes, self._from.new_id())
            except Refused:
                continue
            return ResetMade(username=username, token=token, expires_at=iso(reset.expires_at))
        raise AssertionError

    def _new_token(self, username: str) -> str:
        return f"{username}.{self._from.new_secret()}"

    def _made(self, account: Account | None, token: str) -> Reset:
        """What is stored of a token: for the account as it is, or for none."""
        return Reset(
            secret=token_hash(token),
            user_id=account.id if account else "",
            epoch=account.epoch if account else "",
            email=(account.email if account else None) or "",
            expires_at=int(self._from.now()) + GOOD_SECONDS,
        )

    def _record(self, username: str, sent: Incoming) -> Write:
        who = Caller(STRANGER, "", address=sent.address, agent=sent.agent)
        return self._audit.of(who, "password.forgot", owner=username)

    def _asking(self, address: str) -> tuple[Key, int]:
        """How often an address asked in this window, and when that ends."""
        window = int(self._from.now()) // WINDOW
        return self._attempts.key(f"forgot:{network(address)}:{window}"), (window + 1) * WINDOW

    def _mailed(self, name: str) -> tuple[Key, int]:
        """How often a name was mailed to in this hour, and when that ends."""
        hour = int(self._from.now()) // GOOD_SECONDS
        return self._attempts.key(f"mailed:{name}:{hour}"), (hour + 1) * GOOD_SECONDS

    def reset(self, wanted: PasswordReset, sent: Incoming) -> None:
        """A new password for a token, which dies with every session and key; a second factor stays.

        Raises WrongResetToken, WeakPassword, ChangedMeanwhile.
        """
        token, password = wanted.token.get_secret_value(), wanted.new_password.get_secret_value()
        match = TOKEN.fullmatch(token)
        if match is None:
            raise WrongResetToken
        username = match[1]
        who = Caller(username, "", address=sent.address, agent=sent.agent)
        for _ in self._from.attempts():
            keys = [mailed_key(username), handed_key(username)]
            rows = self._db.read([account_key(username), *keys])
            account, key, reset = self._proven(rows, username, keys, token)
            self._passwords.judge(password, username)
            rev, epoch = self._from.new_id(), self._from.new_id()
            hashed = self._passwords.hash(password)
            writes = [
                altered(account, rev, password=hashed, epoch=epoch, keys=None),
                used(key, reset, int(self._from.now())),
                self._audit.of(who, "password.reset"),
            ]
            try:
                self._db.commit(writes, rev)
            except Refused:
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
                if alike and reset.expires_at > self._from.now():
                    return account, key, reset
        raise WrongResetToken
