"""Invitations, as administrators make, see and take them back."""

from function.account_errors import NoSuchInvite, RegistrationClosed
from function.account_records import InviteRow
from function.contract import Settings
from function.models import Caller
from function.roles import Role
from function.services.access import Access
from function.services.audit import Audit
from function.services.cursors import seal, unseal
from function.services.origins import Origins, iso
from function.stores.dynamo import Dynamo
from function.stores.invites import (
    SHELF,
    Invites,
    invite_id,
    invite_in,
    invite_key,
    put_invite,
    strike_invite,
)
from function.stores.rows import Refused
from function.user_models import InviteMade, InviteView, NewInvite

LIST = "invites"


class InviteService:
    """The invitations that stand."""

    def __init__(
        self, db: Dynamo, access: Access, audit: Audit, origins: Origins, settings: Settings
    ) -> None:
        """`settings` say who may register, and what role is given where none is said."""
        self._db = db
        self._invites = Invites(db)
        self._access = access
        self._audit = audit
        self._from = origins
        self._settings = settings

    def create(self, caller: Caller, wanted: NewInvite) -> InviteMade:
        """A new invitation, and its token, which nobody can find out later.

        Raises RegistrationClosed, ChangedMeanwhile.
        """
        account = self._access.open(caller).account
        if self._settings.registration == "closed":
            raise RegistrationClosed
        now = self._from.now()
        token = f"{int(now):010}{self._from.new_secret()}"
        default: Role = "client" if self._settings.default_role == "client" else "member"
        row = InviteRow(
            shelf=SHELF,
            name=invite_id(token),
            username=account.username,
            user_id=account.id,
            role=wanted.role or default,
            created=iso(now),
            expires_at=int(now) + wanted.expires_in,
            email=wanted.email,
        )
        for _ in self._from.attempts():
            noted = self._audit.of(caller, "invite.create", subject=f"{row.name} as {row.role}")
            try:
                self._db.commit([put_invite(row), noted], self._from.new_id())
            except Refused:
                continue
            return InviteMade(**view(row).model_dump(), token=token)
        raise AssertionError

    def page(
        self, caller: Caller, limit: int, cursor: str | None
    ) -> tuple[list[InviteView], str | None]:
        """Invitations that stand, oldest first, and the next cursor. Raises InvalidCursor."""
        account = self._access.open(caller).account
        after = (unseal(cursor, account.id, LIST) or [""])[0]
        rows, last = self._invites.of(self._from.now(), after=after, limit=limit)
        return [view(row) for row in rows], last and seal([last], account.id, LIST)

    def delete(self, caller: Caller, invite: str) -> None:
        """Takes an invitation back. Raises NoSuchInvite, ChangedMeanwhile."""
        for _ in self._from.attempts():
            now = self._from.now()
            entry = self._access.open(caller, more=[invite_key(invite)])
            row = invite_in(entry.rows, invite, now)
            if row is None:
                raise NoSuchInvite
            noted = self._audit.of(caller, "invite.delete", subject=row.name)
            try:
                self._db.commit([strike_invite(row, now), noted], self._from.new_id())
            except Refused:
                continue
            return


def view(row: InviteRow) -> InviteView:
    """An invitation as administrators see it."""
    return InviteView(
        id=row.name,
        role=row.role,
        email=row.email,
        username=row.username,
        created=row.created,
        expires_at=iso(row.expires_at),
    )
