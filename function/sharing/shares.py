"""Shares: grants on a file or folder to an account or to a group.

A grant is valid for the ids that it carries, so that a later file, account or group of the same
name is not covered by it. The row of the file or folder names its grantees; the commit that writes
or deletes a grant updates that list.
"""

from dataclasses import dataclass

from function.access.errors import NoSuchFile, no_such_file
from function.access.lookups import Lookups
from function.access.policy import Access, Authentication
from function.access.releases import Releases
from function.audit.service import AuditLog
from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Key, Rows
from function.aws.writes import Write
from function.base import Base
from function.core.errors import ChangedMeanwhile, Invalid, LimitReached
from function.core.models import Caller
from function.core.runtime import iso
from function.sharing.errors import NoSuchGroup, NoSuchShare
from function.sharing.models import Share, ShareRequest, share_view
from function.tables.accounts import account_in, account_key
from function.tables.files import (
    FileRow,
    add_grantee,
    file_in,
    file_key,
    remove_grantee,
    set_grantees,
)
from function.tables.folders import (
    add_folder_grantee,
    folder_key,
    grantees_in,
    remove_folder_grantee,
)
from function.tables.grants import (
    Grant,
    delete_grant,
    grant_key,
    grant_keys_on,
    grants_in,
    put_grant,
    user_grantee,
)
from function.tables.groups import group_grantee, group_key, member_key, membership_in
from function.tables.reservations import reservations_on
from function.tables.usage import require_account_active

MAX_GRANTS = 1000  # on one file or folder, to accounts, groups and links: its row names them all


class GrantCapacity:
    """Keeps the grantees that the row of a file or folder names within `MAX_GRANTS`."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._runtime = base.runtime

    def ensure_capacity(self, file: FileRow, grantee: str) -> FileRow:
        """The row of a file that has room for a grant to `grantee`.

        A full row is first rewritten without the grantees whose grants have expired.
        Raises LimitReached, ChangedMeanwhile.
        """
        if grantee in file.grantees or len(file.grantees) < MAX_GRANTS:
            return file
        grantees = self._active_grantees(grant_keys_on(file), file.place_id)
        rev = self._runtime.new_id()
        try:
            self._db.commit([set_grantees(file, grantees, rev)])
        except ConditionFailed:
            raise ChangedMeanwhile from None
        return file.model_copy(update={"grantees": grantees, "rev": rev})

    def ensure_folder_capacity(self, rows: Rows, owner: str, folder: str, grantee: str) -> None:
        """Does the same for a folder whose row is among `rows`. Raises LimitReached."""
        named = grantees_in(rows, owner, folder)
        if grantee in named or len(named) < MAX_GRANTS:
            return
        keys = [grant_key(each, owner, folder) for each in sorted(named)]
        expired = named - self._active_grantees(keys, None)
        self._db.write(remove_folder_grantee(owner, folder, expired))

    def _active_grantees(self, keys: list[Key], place_id: str | None) -> frozenset[str]:
        """The grantees of the grants on one file (or folder: None) that have not expired.

        Raises LimitReached when they leave no room for another.
        """
        grantees = frozenset(
            grant.grantee
            for grant in grants_in(self._db.read(keys), keys)
            if grant.file_id == place_id
            and (grant.expires_at is None or grant.expires_at > self._runtime.now())
        )
        if len(grantees) >= MAX_GRANTS:
            raise LimitReached(
                f"A file or folder has at most {MAX_GRANTS} shares and links; use a group."
            )
        return grantees


@dataclass(frozen=True)
class Recipient:
    """The account or the group that something is shared with."""

    username: str | None = None
    group: str | None = None

    def grantee(self) -> str:
        """The grantee as grants name it. Raises Invalid unless exactly one of the two is set."""
        if (self.username is None) is (self.group is None):
            raise Invalid("Give either username or group.")
        return user_grantee(self.username) if self.username else group_grantee(self.group or "")

    def keys(self, caller: Caller, lookups: Lookups) -> list[Key]:
        """The rows that prove the recipient: the account, or the caller's membership."""
        if self.username:
            return lookups.keys(caller.username, self.username)
        name = self.group or ""
        return [group_key(name), member_key(name, caller.username)]


class ShareService:
    """Grants access to accounts and groups, and revokes it."""

    def __init__(self, base: Base) -> None:
        self._capacity = base.one(GrantCapacity)
        self._db = base.db
        self._access = base.one(Access)
        self._lookups = base.one(Lookups)
        self._releases = base.one(Releases)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def create(self, caller: Caller, request: ShareRequest) -> tuple[Share, bool]:
        """Shares a file, or everything in a folder; returns the share and whether it is new.

        A folder is a prefix of names: it can be shared while it is empty, and the share covers
        files that are put into it later. Raises NoSuchFile, NoSuchUser, SlowDown, NoSuchGroup,
        LimitReached, Invalid, ChangedMeanwhile.
        """
        recipient, name = Recipient(request.username, request.group), request.file_name
        key = grant_key(recipient.grantee(), caller.username, name)
        target = [file_key(caller.username, name), folder_key(caller.username, name)]
        keys = [*target, key, *recipient.keys(caller, self._lookups)]

        def plan() -> tuple[list[Write], tuple[Share, bool]]:
            authentication = self._access.authenticate(caller, keys)
            rows = authentication.rows
            file = self._ensure_capacity(authentication, name, key.partition)
            grantee_id = self._recipient_id(recipient, authentication, known=key in rows)
            grant = self._grant(authentication, file, request, key, grantee_id)
            old = self._existing(authentication, file, grant)
            grant = grant.model_copy(update={"created": old.created}) if old else grant
            subject = f"{grant.grantee} {grant.permission}"
            writes = [
                put_grant(grant),
                add_grantee(file, grant.grantee, grant.rev)
                if file
                else add_folder_grantee(grant.owner, name, grant.grantee),
                *_require_active_accounts(recipient, authentication),
                *self._releases_after(grant, old, recipient),
                self._audit.record(caller, "share.create", name, subject=subject),
            ]
            return writes, (share_view(grant), old is None)

        return self._db.transact(plan)

    def revoke(self, caller: Caller, owner: str | None, name: str, recipient: Recipient) -> None:
        """Revokes a share; a recipient leaves one by naming its `owner`.

        Raises NoSuchShare, ChangedMeanwhile, Invalid.
        """
        owned_by = owner or caller.username
        if owned_by != caller.username and recipient == Recipient():
            recipient = Recipient(caller.username)
        key = grant_key(recipient.grantee(), owned_by, name)
        keys = [key, file_key(owned_by, name), account_key(owned_by)]

        def plan() -> tuple[list[Write], None]:
            authentication = self._access.authenticate(caller, keys)
            if caller.username not in {owned_by, recipient.username}:
                raise no_such_file(name, NoSuchShare())
            grant, file = self._active_grant(authentication, owned_by, name, key)
            writes = [delete_grant(grant)]
            if grant.permission == "write":
                scope = reservations_on(owned_by, recipient.username)
                writes.append(self._releases.schedule(scope))
            if name.endswith("/"):
                writes.append(remove_folder_grantee(owned_by, name, [grant.grantee]))
            elif file:
                writes.append(remove_grantee(file, grant.grantee, self._runtime.new_id()))
            details = {"owner": owned_by, "subject": grant.grantee}
            writes.append(self._audit.record(caller, "share.delete", name, **details))
            return writes, None

        self._db.transact(plan)

    def _ensure_capacity(
        self, authentication: Authentication, name: str, grantee: str
    ) -> FileRow | None:
        """The caller's file with room for another grant; None for a folder. Raises NoSuchFile."""
        file = authentication.own_file(name)
        if file:
            return self._capacity.ensure_capacity(file, grantee)
        if not name.endswith("/"):
            raise NoSuchFile
        self._capacity.ensure_folder_capacity(
            authentication.rows, authentication.account.username, name, grantee
        )
        return None

    def _grant(
        self,
        authentication: Authentication,
        file: FileRow | None,
        request: ShareRequest,
        key: Key,
        grantee_id: str,
    ) -> Grant:
        now = self._runtime.now()
        return Grant(
            grantee=key.partition,
            file=str(key.sort),
            owner=authentication.account.username,
            owner_id=authentication.account.id,
            grantee_id=grantee_id,
            file_id=file.place_id if file else None,
            permission=request.permission,
            created=iso(now),
            expires_at=int(now) + request.expires_in if request.expires_in else None,
            rev=self._runtime.new_id(),
        )

    def _recipient_id(
        self, recipient: Recipient, authentication: Authentication, *, known: bool
    ) -> str:
        """The id of the account or group. Raises NoSuchUser, SlowDown, NoSuchGroup, Invalid."""
        account = authentication.account
        if recipient.username is None:
            membership = membership_in(authentication.rows, recipient.group or "", account)
            if membership is None:
                raise NoSuchGroup
            return membership.group_id
        if recipient.username == account.username:
            reason = {"at": "body.username", "reason": "must be another account"}
            raise Invalid("You cannot share a file with yourself.", errors=[reason])
        return self._lookups.find(authentication, recipient.username, known=known).id

    def _releases_after(self, grant: Grant, old: Grant | None, recipient: Recipient) -> list[Write]:
        """Has the uploads looked at whose right to write a new grant ends, now or when it expires.

        It ends now where the grant is for reading and replaces one for writing.
        """
        if grant.permission == "read":
            at = self._runtime.now() if old and old.permission == "write" else None
        else:
            at = grant.expires_at
        scope = reservations_on(grant.owner, recipient.username)
        return [] if at is None else [self._releases.schedule(scope, at)]

    def _existing(
        self, authentication: Authentication, file: FileRow | None, grant: Grant
    ) -> Grant | None:
        """The grant that `grant` replaces, if that one still holds."""
        key = grant_key(grant.grantee, grant.owner, grant.name)
        for old in grants_in(authentication.rows, [key]):
            if self._access.grant_applies(old, {grant.grantee_id}, authentication.account, file):
                return old
        return None

    def _active_grant(
        self, authentication: Authentication, owner: str, name: str, key: Key
    ) -> tuple[Grant, FileRow | None]:
        """The grant with this key if it has not expired, and its file. Raises NoSuchShare."""
        file = None if name.endswith("/") else file_in(authentication.rows, owner, name)
        account = account_in(authentication.rows, owner)
        for grant in grants_in(authentication.rows, [key]):
            same_file = grant.file_id is None or (file and grant.file_id == file.place_id)
            same_owner = account is not None and grant.owner_id == account.id
            if same_file and same_owner and self._access.grant_is_active(grant):
                return grant, file
        raise no_such_file(name, NoSuchShare())


def _require_active_accounts(recipient: Recipient, authentication: Authentication) -> list[Write]:
    """Conditions that neither the caller's account nor the recipient's is being closed."""
    grantee = account_in(authentication.rows, recipient.username) if recipient.username else None
    return [require_account_active(each) for each in (authentication.account, grantee) if each]
