"""Registration of accounts, and the invitations to it.

An invitation is stored under the hash of its token, and works once: the commit that creates the
account deletes it. It works only as long as the account that created it is an administrator's.
"""

import hmac
from dataclasses import replace
from functools import cache

from function.access.callers import Anonymous
from function.access.policy import Access, Authentication
from function.accounts.errors import (
    NoSuchInvite,
    RegistrationClosed,
    UsernameTaken,
    WrongSetupToken,
)
from function.accounts.models import InviteMade, InviteView, NewInvite, Registered, Registration
from function.audit.service import AuditLog
from function.auth.mfa import OwnerProof
from function.auth.passwords import Passwords
from function.aws.dynamodb import ConditionFailed
from function.aws.writes import Write
from function.base import Base
from function.core.idempotency import IdempotentRequest
from function.core.models import Caller, HttpRequest
from function.core.paging import Page, PageQuery, Paging
from function.core.roles import Role
from function.core.runtime import iso
from function.core.tokens import token_hash
from function.idempotency.creation import Creation, Earlier
from function.idempotency.errors import IdempotencyKeySpent
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
    invite_time,
    invite_token,
    put_invite,
    require_administrator,
)
from function.tables.sessions import Session, require_session, session_in

LIST = "invites"
# The writes of a registration that fail where the name is taken, and from where on the inviter is
# no administrator any more, or the API key has ended that invited.
ACCOUNT_WRITE, FIRST_INVITER_CHECK = 0, 3


class RegistrationService:
    """Creates accounts."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._passwords = base.one(Passwords)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime
        self._settings = base.settings

    def register(self, registration: Registration, request: HttpRequest) -> Registered:
        """Creates an account. The same commit deletes the invitation, if one was sent.

        Raises WrongSetupToken, RegistrationClosed, NoSuchInvite, WeakPassword, UsernameTaken,
        ChangedMeanwhile.
        """
        self._require_open(registration)
        password = registration.password.get_secret_value()
        hash_once = cache(self._passwords.hash)  # it takes long, and a plan may run again

        def plan() -> tuple[list[Write], Account]:
            invite = self._find_invite(registration)
            email = registration.email or (invite.email if invite else None)
            self._passwords.require_strong(password, registration.username, email)
            account = self._account(registration, hash_once(password), invite)
            guest = Anonymous(account.username, request.address, request.agent)
            subject = invite.name if invite else None
            return [
                create_account(account),
                self._audit.record(guest, "account.create", subject=subject),
                *(self._use_invite(invite) if invite else []),
            ], account

        def on_condition_failed(error: ConditionFailed) -> None:
            if max(error.failed, default=0) >= FIRST_INVITER_CHECK:
                raise NoSuchInvite from None
            if error.failed == [ACCOUNT_WRITE]:
                raise UsernameTaken from None

        account = self._db.transact(plan, on_condition_failed)
        role = self._access.with_configured_role(account).role
        return Registered(username=account.username, role=role, created=account.created)

    def _require_open(self, registration: Registration) -> None:
        """Raises RegistrationClosed, but not for the configured administrator.

        Otherwise nobody could ever send the first invitation. Raises WrongSetupToken for others
        who want the administrator's name.
        """
        policy, token = self._settings.registration, registration.setup_token
        if registration.username == self._settings.administrator:
            self._require_setup_token(token.get_secret_value() if token else "")
            return
        if token is not None:
            raise WrongSetupToken("A setup_token is for the configured administrator's name alone.")
        if policy == "open":
            return
        if policy != "invite":
            raise RegistrationClosed
        if registration.invite is None:
            raise RegistrationClosed("Ask an administrator for an invitation.")

    def _require_setup_token(self, token: str) -> None:
        """Raises WrongSetupToken; where the deployment has no setup token, for every token."""
        hashed = self._settings.administrator_token_hash
        if not hashed:
            raise WrongSetupToken(
                "This name is reserved for the administrator, and the deployment has no setup "
                "token. Set administratorToken first."
            )
        if not hmac.compare_digest(token_hash(token), hashed):
            raise WrongSetupToken

    def _find_invite(self, registration: Registration) -> InviteRow | None:
        """The invitation that was sent, if any. Nobody can invite themselves.

        Raises NoSuchInvite.
        """
        if registration.invite is None:
            return None
        invite = invite_id(registration.invite)
        row = invite_in(self._db.read([invite_key(invite)]), invite, self._runtime.now())
        if row is None or row.username == registration.username:
            raise NoSuchInvite
        return row

    def _use_invite(self, invite: InviteRow) -> list[Write]:
        named, now = invite.username == self._settings.administrator, self._runtime.now()
        writes = [
            delete_invite(invite, now),
            require_administrator(invite.username, invite.user_id, invite.epoch, named=named),
        ]
        return [*writes, require_session(invite.key, int(now))] if invite.key else writes

    def _account(
        self, registration: Registration, password_hash: str, invite: InviteRow | None
    ) -> Account:
        return Account(
            username=registration.username,
            id=self._runtime.new_id(),
            password=password_hash,
            role=invite.role if invite else self._settings.default_role,
            created=iso(self._runtime.now()),
            epoch=self._runtime.new_id(),
            rev=self._runtime.new_id(),
            email=registration.email or (invite.email if invite else None),
            quota=self._settings.quota or None,
            files_quota=self._settings.files_quota or None,
        )


class InviteService:
    """Creates, lists and deletes invitations."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._invites = Invites(base.db)
        self._proof = base.one(OwnerProof)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime
        self._settings = base.settings

    def create(
        self, caller: Caller, request: NewInvite, idempotent: IdempotentRequest | None = None
    ) -> InviteMade:
        """Creates an invitation; its token can never be shown again.

        That of an administrator takes the power over accounts and, of a session, a code.
        Raises RegistrationClosed, OtpRequired, WrongOtp, SlowDown, IdempotencyKeyReused,
        IdempotencyKeySpent, ChangedMeanwhile.
        """
        if request.role == "admin":
            caller = replace(caller, power="accounts")
        now, creation = self._runtime.now(), Creation(self._runtime, caller, idempotent)
        token = invite_token(int(now), creation.secret)

        def plan() -> tuple[list[Write], InviteMade]:
            found = self._proof.authenticate(caller, more=creation.keys)
            if self._settings.registration == "closed":
                raise RegistrationClosed
            if earlier := creation.find_earlier(found):
                return self._repeat(found, caller, request, earlier)
            row = self._new_row(found, session_in(found.rows, caller), request, token, now)
            subject = f"{row.name} as {row.role}"
            writes = [put_invite(row), self._audit.record(caller, "invite.create", subject=subject)]
            if row.role == "admin":
                writes += self._proof.use_code(found, caller, request.otp)
            writes += creation.record(found.account, row.name)
            return writes, InviteMade(**_view(row).model_dump(), token=token)

        return self._db.transact(plan)

    def _repeat(
        self, found: Authentication, caller: Caller, request: NewInvite, earlier: Earlier
    ) -> tuple[list[Write], InviteMade]:
        """The invitation that an earlier request created. Raises IdempotencyKeySpent."""
        writes: list[Write] = []
        if request.role == "admin" and not earlier.same_code:
            writes = self._proof.verify_code_again(found, caller, request.otp)
        rows = self._db.read([invite_key(earlier.id)])
        row = invite_in(rows, earlier.id, self._runtime.now())
        if row is None:
            raise IdempotencyKeySpent
        token = invite_token(invite_time(row.name), earlier.secret)
        return writes, InviteMade(**_view(row).model_dump(), token=token)

    def _new_row(
        self,
        found: Authentication,
        session: Session | None,
        request: NewInvite,
        token: str,
        now: float,
    ) -> InviteRow:
        """The row of an invitation. One by an API key does not outlive the key."""
        expires_at = int(now) + request.expires_in
        key = session if session and session.key is not None else None
        default: Role = "client" if self._settings.default_role == "client" else "member"
        return InviteRow(
            partition=INVITES_PARTITION,
            name=invite_id(token),
            username=found.account.username,
            user_id=found.account.id,
            role=request.role or default,
            created=iso(now),
            expires_at=min(expires_at, key.expires_at) if key else expires_at,
            email=request.email,
            epoch=found.account.epoch,
            key=key.token_hash if key else None,
        )

    def list_invites(self, caller: Caller, page: PageQuery) -> Page[InviteView]:
        """A page of unused invitations, the oldest first. Raises InvalidCursor."""
        paging = Paging(page, self._access.authenticate(caller).account.id, LIST)
        rows, last = self._invites.list_invites(
            self._runtime.now(), after=paging.after, limit=paging.limit
        )
        return paging.page(map(_view, rows), last)

    def delete(self, caller: Caller, invite: str) -> None:
        """Deletes an invitation; nobody can use it any more.

        Raises NoSuchInvite, ChangedMeanwhile.
        """

        def plan() -> tuple[list[Write], None]:
            now = self._runtime.now()
            authentication = self._access.authenticate(caller, more=[invite_key(invite)])
            row = invite_in(authentication.rows, invite, now)
            if row is None:
                raise NoSuchInvite
            audit_write = self._audit.record(caller, "invite.delete", subject=row.name)
            return [delete_invite(row, now), audit_write], None

        self._db.transact(plan)


def _view(row: InviteRow) -> InviteView:
    return InviteView(
        id=row.name,
        role=row.role,
        email=row.email,
        username=row.username,
        created=row.created,
        expires_at=iso(row.expires_at),
    )
