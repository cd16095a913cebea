"""Making accounts: by everybody, by who was invited, or by nobody, as it is configured."""

from collections.abc import Callable

from function.account_errors import NoSuchInvite, RegistrationClosed, UsernameTaken
from function.account_models import Registered, Registration
from function.account_records import InviteRow
from function.contract import Settings
from function.models import Incoming
from function.records import Account
from function.services.access import Access
from function.services.actors import Guest
from function.services.audit import Audit
from function.services.origins import Origins, iso
from function.services.passwords import Passwords
from function.stores.accounts import opened
from function.stores.dynamo import Dynamo
from function.stores.invites import (
    invite_id,
    invite_in,
    invite_key,
    invites_still,
    strike_invite,
)
from function.stores.rows import Refused, Write

NAME, MAKER = 0, 2  # which writes of the commit expect that a name is free, and who invites


class Registering:
    """Makes accounts."""

    def __init__(
        self,
        db: Dynamo,
        access: Access,
        passwords: Passwords,
        audit: Audit,
        origins: Origins,
        settings: Settings,
    ) -> None:
        """`settings` say who may register, and as what."""
        self._db = db
        self._access = access
        self._passwords = passwords
        self._audit = audit
        self._from = origins
        self._settings = settings

    def register(self, wanted: Registration, sent: Incoming) -> Registered:
        """Makes an account, and uses the invitation up in the same commit.

        Raises RegistrationClosed, NoSuchInvite, WeakPassword, UsernameTaken, ChangedMeanwhile.
        """
        self._may_register(wanted)
        password = wanted.password.get_secret_value()
        self._passwords.judge(password, wanted.username)
        invite = self._invited(wanted)
        hashed = self._passwords.hash(password)
        for attempt in self._from.attempts():
            invite = self._invited(wanted) if attempt else invite
            account = self._account(wanted, hashed, invite)
            guest = Guest(account.username, sent.address, sent.agent)
            noted = self._audit.of(
                guest, "account.register", subject=invite.name if invite else None
            )
            used = self._used(invite) if invite else []
            try:
                self._db.commit([opened(account), *used, noted], account.rev)
            except Refused as refused:
                if MAKER in refused.failed:
                    raise NoSuchInvite from None
                if refused.failed == [NAME]:
                    raise UsernameTaken from None
                continue
            role = self._access.known(account).role
            return Registered(username=account.username, role=role, created=account.created)
        raise AssertionError

    def _may_register(self, wanted: Registration) -> None:
        """The configured administrator always may, or nobody could ever invite anybody."""
        registration = self._settings.registration
        if registration == "open" or wanted.username == self._settings.administrator:
            return
        if registration != "invite":
            raise RegistrationClosed
        if wanted.invite is None:
            raise RegistrationClosed("Ask an administrator for an invitation.")

    def _invited(self, wanted: Registration) -> InviteRow | None:
        """The invitation that is shown; nobody was invited by an account that is to be made."""
        if wanted.invite is None:
            return None
        invite = invite_id(wanted.invite)
        row = invite_in(self._db.read([invite_key(invite)]), invite, self._from.now())
        if row is None or row.username == wanted.username:
            raise NoSuchInvite
        return row

    def _used(self, invite: InviteRow) -> list[Write]:
        named = invite.username == self._settings.administrator
        return [strike_invite(invite, self._from.now()), invites_still(invite, named=named)]

    def _account(self, wanted: Registration, hashed: str, invite: InviteRow | None) -> Account:
        new_id: Callable[[], str] = self._from.new_id
        return Account(
            username=wanted.username,
            id=new_id(),
            password=hashed,
            role=invite.role if invite else self._settings.default_role,
            created=iso(self._from.now()),
            epoch=new_id(),
            rev=new_id(),
            email=wanted.email or (invite.email if invite else None),
            quota=self._settings.quota or None,
            files_quota=self._settings.files_quota or None,
        )
