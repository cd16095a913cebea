"""Forgotten passwords: a token is mailed, which is good once, for an hour, and the newest alone.

Whether a name has an account, and that account an address, nobody is told: the same is read,
written and sent for each, to SES's own address for nobody where there is none.
"""

import hmac
import re

from aws_lambda_powertools import Logger

from function.account_errors import MailNotConfigured, WrongResetToken
from function.account_models import Forgotten, PasswordReset
from function.account_records import Reset
from function.errors import SlowDown
from function.models import Caller, Incoming
from function.records import Account
from function.services.accounts import token_hash
from function.services.audit import Audit
from function.services.guesses import WINDOW, network
from function.services.origins import Origins
from function.services.passwords import Passwords
from function.stores.accounts import account_in, account_key, altered
from function.stores.attempts import Attempts, tried, tries_in
from function.stores.dynamo import Dynamo
from function.stores.mail import Mail
from function.stores.resets import put, reset_in, reset_key, used
from function.stores.rows import Key, Refused, Rows, Write

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
        attempts: Attempts,
        mail: Mail,
        passwords: Passwords,
        audit: Audit,
        origins: Origins,
    ) -> None:
        """Changes are committed by `db`."""
        self._db = db
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
        username, secret = wanted.username, self._from.new_secret()
        token = f"{username}.{secret}"
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
        reset = Reset(
            secret=token_hash(token),
            user_id=known.id if known else "",
            epoch=known.epoch if known else "",
            email=(known.email if known else None) or "",
            expires_at=int(self._from.now()) + GOOD_SECONDS,
        )
        mailed, until = self._mailed(name)
        return [
            tried(asking[0], TRIES_OF_ADDRESS, asking[1]),
            tried(mailed, MAILS_OF_NAME, until),
            put(name, reset),
        ]

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

        Raises MailNotConfigured, WrongResetToken, WeakPassword, ChangedMeanwhile.
        """
        if not self._mail.configured:
            raise MailNotConfigured
        token, password = wanted.token.get_secret_value(), wanted.new_password.get_secret_value()
        match = TOKEN.fullmatch(token)
        if match is None:
            raise WrongResetToken
        username = match[1]
        who = Caller(username, "", address=sent.address, agent=sent.agent)
        for _ in self._from.attempts():
            rows = self._db.read([account_key(username), reset_key(username)])
            account, reset = self._proven(rows, username, token)
            self._passwords.judge(password, username)
            rev, epoch = self._from.new_id(), self._from.new_id()
            hashed = self._passwords.hash(password)
            writes = [
                altered(account, rev, password=hashed, epoch=epoch, keys=None),
                used(username, reset, int(self._from.now())),
                self._audit.of(who, "password.reset"),
            ]
            try:
                self._db.commit(writes, rev)
            except Refused:
                continue
            return

    def _proven(self, rows: Rows, username: str, token: str) -> tuple[Account, Reset]:
        """The account that a token is for, as it was when it was mailed. Raises WrongResetToken."""
        account, reset = account_in(rows, username), reset_in(rows, username)
        if account is None or reset is None or reset.expires_at <= self._from.now():
            raise WrongResetToken
        if not hmac.compare_digest(reset.secret, token_hash(token)):
            raise WrongResetToken
        if (reset.user_id, reset.epoch, reset.email) != (account.id, account.epoch, account.email):
            raise WrongResetToken
        return account, reset
