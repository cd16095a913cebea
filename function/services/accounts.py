"""Registering, logging in and out."""

import hashlib
import ipaddress

from function.account_errors import UsernameTaken, WrongCredentials
from function.account_models import AccountView, Credentials, Registered, Registration, Token
from function.contract import Settings
from function.errors import SlowDown
from function.models import Caller
from function.records import Account, Session
from function.services.access import Access
from function.services.origins import Origins, iso
from function.services.passwords import Passwords
from function.stores.accounts import Accounts

# A name may be tried ten times from one address in a quarter of an hour, and an address may fail
# fifty times in all; a name that does not exist weighs double. The counts belong to the address, so
# nobody can lock another person out from elsewhere, and they end with the window.
WINDOW = 900
TRIES_OF_NAME = 10
TRIES_OF_ADDRESS = 50
UNKNOWN_WEIGHS = 2


class AccountService:
    """Accounts and sessions."""

    def __init__(
        self,
        accounts: Accounts,
        access: Access,
        passwords: Passwords,
        origins: Origins,
        settings: Settings,
    ) -> None:
        """`settings` say how long a session lives, and who may register as what."""
        self._accounts = accounts
        self._access = access
        self._passwords = passwords
        self._from = origins
        self._settings = settings

    def register(self, wanted: Registration) -> Registered:
        """Makes an account. Raises WeakPassword, UsernameTaken."""
        password = wanted.password.get_secret_value()
        self._passwords.judge(password, wanted.username)
        account = Account(
            username=wanted.username,
            id=self._from.new_id(),
            password=self._passwords.hash(password),
            role=self._settings.default_role,
            created=iso(self._from.now()),
            epoch=self._from.new_id(),
            rev=self._from.new_id(),
            email=wanted.email,
            quota=self._settings.quota or None,
            files_quota=self._settings.files_quota or None,
        )
        if not self._accounts.create(account):
            raise UsernameTaken
        role = self._access.known(account).role
        return Registered(username=account.username, role=role, created=account.created)

    def login(self, given: Credentials, address: str) -> Token:
        """Starts a session. Raises WrongCredentials, SlowDown.

        An unknown name costs the same hash as a wrong password, and says the same.
        """
        now = self._from.now()
        address, window = network(address), int(now // WINDOW)
        username, password = given.username, given.password.get_secret_value()
        account, failures, of_name = self._accounts.find(username, address, window)
        if failures >= TRIES_OF_ADDRESS or of_name >= TRIES_OF_NAME:
            raise SlowDown(int((window + 1) * WINDOW - now) + 1)
        hashed = account.password if account else None
        if not self._passwords.matches(hashed, password) or account is None:
            weight = 1 if account else UNKNOWN_WEIGHS
            until = (window + 1) * WINDOW
            self._accounts.failed(username, address, window, weight, until)
            raise WrongCredentials
        if self._passwords.outdated(account.password):
            self._accounts.rehash(account, self._passwords.hash(password), self._from.new_id())
        return self._start(account, now)

    def _start(self, account: Account, now: float) -> Token:
        token = f"{account.username}.{self._from.new_secret()}"
        until = int(now) + self._settings.session_seconds
        session = Session(
            token_hash=token_hash(token),
            username=account.username,
            user_id=account.id,
            epoch=account.epoch,
            created=iso(now),
            expires_at=until,
            rev=self._from.new_id(),
        )
        self._accounts.start(session)
        return Token(token=token, expires_at=iso(until))

    def logout(self, caller: Caller) -> bool:
        """Ends the session; False when there was none, which is as good as not being signed in."""
        now = int(self._from.now())
        return self._accounts.end(caller.token_hash, now, self._from.new_id())

    def me(self, caller: Caller) -> AccountView:
        """The caller's own account."""
        account = self._access.open(caller).account
        return AccountView(
            username=account.username,
            role=account.role,
            created=account.created,
            email=account.email,
            bytes_used=account.bytes_used,
            quota=account.quota,
        )


def token_hash(token: str) -> str:
    """What is stored of a token: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def network(address: str) -> str:
    """Whose tries are counted together: an IPv4 address, or the /64 that one IPv6 customer gets."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if ip.version == 4:  # noqa: PLR2004
        return str(ip)
    # An IPv4 address in IPv6's clothes: by its /64 it would be all of IPv4.
    return str(ip.ipv4_mapped or ipaddress.ip_network((int(ip), 64), strict=False))
