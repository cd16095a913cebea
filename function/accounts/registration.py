"""Invitations, as administrators make, see and take them back."""

from collections.abc import Callable

from function.access.policy import Access, Anonymous
from function.accounts.errors import NoSuchInvite, RegistrationClosed, UsernameTaken
from function.accounts.models import InviteMade, InviteView, NewInvite, Registered, Registration
from function.audit.service import AuditTrail
from function.auth.passwords import Passwords
from function.aws.dynamodb import ConditionFailed
from function.aws.writes import Write
from function.base import Base
from function.core.cursors import seal, unseal
from function.core.models import Caller, HttpRequest
from function.core.roles import Role
from function.core.runtime import iso
from function.tables.accounts import (
    INVITES_PARTITION,
    Account,
    InviteRow,
    Invites,
    create_account,
    delete_invite,
    invite_id,
    invite_in,
    invite_key,
    put_invite,
    require_inviter,
)

LIST = "invites"
NAME, MAKER = 0, 2  # which writes of the commit expect that a name is free, and who invites


class InviteService:
    """The invitations that stand."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._invites = Invites(base.db)
        self._access = base.one(Access)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime
        self._settings = base.settings

    def create(self, caller: Caller, wanted: NewInvite) -> InviteMade:
        """A new invitation, and its token, which nobody can find out later.

        Raises RegistrationClosed, ChangedMeanwhile.
        """
        account = self._access.authenticate(caller).account
        if self._settings.registration == "closed":
            raise RegistrationClosed
        now = self._runtime.now()
        token = f"{int(now):010}{self._runtime.new_secret()}"
        default: Role = "client" if self._settings.default_role == "client" else "member"
        row = InviteRow(
            shelf=INVITES_PARTITION,
            name=invite_id(token),
            username=account.username,
            user_id=account.id,
            role=wanted.role or default,
            created=iso(now),
            expires_at=int(now) + wanted.expires_in,
            email=wanted.email,
        )
        for _ in self._runtime.attempts():
            noted = self._audit.record(caller, "invite.create", subject=f"{row.name} as {row.role}")
            try:
                self._db.commit([put_invite(row), noted], self._runtime.new_id())
            except ConditionFailed:
                continue
            return InviteMade(**invite_view(row).model_dump(), token=token)
        raise AssertionError

    def page(
        self, caller: Caller, limit: int, cursor: str | None
    ) -> tuple[list[InviteView], str | None]:
        """Invitations that stand, oldest first, and the next cursor. Raises InvalidCursor."""
        account = self._access.authenticate(caller).account
        after = (unseal(cursor, account.id, LIST) or [""])[0]
        rows, last = self._invites.list_invites(self._runtime.now(), after=after, limit=limit)
        return [invite_view(row) for row in rows], last and seal([last], account.id, LIST)

    def delete(self, caller: Caller, invite: str) -> None:
        """Takes an invitation back. Raises NoSuchInvite, ChangedMeanwhile."""
        for _ in self._runtime.attempts():
            now = self._runtime.now()
            entry = self._access.authenticate(caller, more=[invite_key(invite)])
            row = invite_in(entry.rows, invite, now)
            if row is None:
                raise NoSuchInvite
            noted = self._audit.record(caller, "invite.delete", subject=row.name)
            try:
                self._db.commit([delete_invite(row, now), noted], self._runtime.new_id())
            except ConditionFailed:
                continue
            return


def invite_view(row: InviteRow) -> InviteView:
    """An invitation as administrators see it."""
    return InviteView(
        id=row.name,
        role=row.role,
        email=row.email,
        username=row.username,
        created=row.created,
        expires_at=iso(row.expires_at),
    )


class RegistrationService:
    """Makes accounts."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._passwords = base.one(Passwords)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime
        self._settings = base.settings

    def register(self, wanted: Registration, sent: HttpRequest) -> Registered:
        """Makes an account, and uses the invitation up in the same commit.

        Raises RegistrationClosed, NoSuchInvite, WeakPassword, UsernameTaken, ChangedMeanwhile.
        """
        self._may_register(wanted)
        password = wanted.password.get_secret_value()
        self._passwords.judge(password, wanted.username)
        invite = self._invited(wanted)
        hashed = self._passwords.hash(password)
        for attempt in self._runtime.attempts():
            invite = self._invited(wanted) if attempt else invite
            account = self._account(wanted, hashed, invite)
            guest = Anonymous(account.username, sent.address, sent.agent)
            noted = self._audit.record(
                guest, "account.create", subject=invite.name if invite else None
            )
            used = self._used(invite) if invite else []
            try:
                self._db.commit([create_account(account), *used, noted], account.rev)
            except ConditionFailed as refused:
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
        row = invite_in(self._db.read([invite_key(invite)]), invite, self._runtime.now())
        if row is None or row.username == wanted.username:
            raise NoSuchInvite
        return row

    def _used(self, invite: InviteRow) -> list[Write]:
        named = invite.username == self._settings.administrator
        return [delete_invite(invite, self._runtime.now()), require_inviter(invite, named=named)]

    def _account(self, wanted: Registration, hashed: str, invite: InviteRow | None) -> Account:
        new_id: Callable[[], str] = self._runtime.new_id
        return Account(
            username=wanted.username,
            id=new_id(),
            password=hashed,
            role=invite.role if invite else self._settings.default_role,
            created=iso(self._runtime.now()),
            epoch=new_id(),
            rev=new_id(),
            email=wanted.email or (invite.email if invite else None),
            quota=self._settings.quota or None,
            files_quota=self._settings.files_quota or None,
        )
