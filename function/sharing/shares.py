"""Room for one grant more on a file, whose row names all that it was granted to."""

from dataclasses import dataclass

from function.access.errors import NoSuchFile
from function.access.policy import Access, Authentication
from function.audit.service import AuditTrail
from function.aws.dynamodb import ConditionFailed
from function.aws.rows import Key, Rows
from function.aws.writes import Write
from function.base import Base
from function.core.errors import ChangedMeanwhile, Invalid, LimitReached, NoSuchUser
from function.core.models import Caller
from function.core.runtime import iso
from function.sharing.errors import NoSuchGroup, NoSuchShare
from function.sharing.models import Share, ShareRequest, share
from function.tables import folders
from function.tables.accounts import account_in, account_key, require_account_active
from function.tables.files import (
    FileRow,
    add_grantee,
    file_in,
    file_key,
    remove_grantee,
    set_grantees,
)
from function.tables.folders import folder_key, grantees_in, remove_folder_grantee
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

MOST_GRANTS = 1000


class GrantCapacity:
    """Makes room, where there is any."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._runtime = base.runtime

    def made(self, file: FileRow, grantee: str) -> FileRow:
        """The file, when it can be granted to one more; those whose grants ended are forgotten.

        Raises LimitReached, ChangedMeanwhile.
        """
        if grantee in file.grantees or len(file.grantees) < MOST_GRANTS:
            return file
        left = self._left(grant_keys_on(file), file.place_id)
        rev = self._runtime.new_id()
        try:
            self._db.commit([set_grantees(file, left, rev)], rev)
        except ConditionFailed:
            raise ChangedMeanwhile from None
        return file.model_copy(update={"grantees": left, "rev": rev})

    def made_in(self, rows: Rows, owner: str, folder: str, grantee: str) -> None:
        """Sees to it that a folder can be granted to one more, as `made` does for a file.

        Raises LimitReached.
        """
        noted = grantees_in(rows, owner, folder)
        if grantee in noted or len(noted) < MOST_GRANTS:
            return
        left = self._left([grant_key(who, owner, folder) for who in sorted(noted)], None)
        self._db.write(remove_folder_grantee(owner, folder, noted - left))

    def _left(self, keys: list[Key], place: str | None) -> frozenset[str]:
        """Whose grants have not ended. Raises LimitReached when there is no room beside them."""
        left = frozenset(
            grant.grantee
            for grant in grants_in(self._db.read(keys), keys)
            if grant.file_id == place
            and (grant.expires_at is None or grant.expires_at > self._runtime.now())
        )
        if len(left) >= MOST_GRANTS:
            raise LimitReached(
                f"A file or folder has at most {MOST_GRANTS} shares and links; use a group."
            )
        return left


@dataclass(frozen=True)
class Recipient:
    """Whom something is shared with: an account or a group."""

    username: str | None = None
    group: str | None = None

    def grantee(self) -> str:
        """How grants name it. Raises Invalid when it is not exactly one of them."""
        if (self.username is None) is (self.group is None):
            raise Invalid("Give either username or group.")
        return user_grantee(self.username) if self.username else group_grantee(self.group or "")


class ShareService:
    """Grants to accounts and groups."""

    def __init__(self, base: Base) -> None:
        self._room = base.one(GrantCapacity)
        self._db = base.db
        self._access = base.one(Access)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def grant(self, caller: Caller, wanted: ShareRequest) -> tuple[Share, bool]:
        """Shares a file, or everything in a folder; also says whether the share is new.

        A folder is a beginning of names: it may be shared while it is empty, and what comes into it
        later is shared too. Raises NoSuchFile, NoSuchUser, NoSuchGroup, LimitReached,
        Invalid, ChangedMeanwhile.
        """
        whom = Recipient(wanted.username, wanted.group)
        for _ in self._runtime.attempts():
            entry, grant, file, stood = self._plan(caller, wanted, whom)
            noted = [self._reached(file, grant), *_still(whom, entry)]
            what = f"{grant.grantee} {grant.permission}"
            noted.append(self._audit.record(caller, "share.create", wanted.file_name, subject=what))
            try:
                self._db.commit([put_grant(grant), *noted], grant.rev)
            except ConditionFailed:
                continue
            return share(grant), not stood
        raise AssertionError

    def _reached(self, file: FileRow | None, grant: Grant) -> Write:
        """Notes on the file, or the folder, whom it is granted to."""
        if file:
            return add_grantee(file, grant.grantee, grant.rev)
        folder = grant.file.removeprefix(f"{grant.owner}/")
        return folders.add_folder_grantee(grant.owner, folder, grant.grantee)

    def _plan(
        self, caller: Caller, wanted: ShareRequest, whom: Recipient
    ) -> tuple[Authentication, Grant, FileRow | None, bool]:
        """What was read, the grant to write, its file unless it is a folder's, whether it stood."""
        key = grant_key(whom.grantee(), caller.username, wanted.file_name)
        noted = folder_key(caller.username, wanted.file_name)
        about = [key, noted, *_about(whom, caller)]
        entry = self._access.authenticate(
            caller, [file_key(caller.username, wanted.file_name), *about]
        )
        file = entry.own_file(wanted.file_name)
        if file is None and not wanted.file_name.endswith("/"):
            raise NoSuchFile
        if file is None:
            self._room.made_in(entry.rows, caller.username, wanted.file_name, key.partition)
        file = file and self._room.made(file, key.partition)
        now = self._runtime.now()
        grant = Grant(
            grantee=key.partition,
            file=str(key.sort),
            owner=caller.username,
            owner_id=entry.account.id,
            grantee_id=_id_of(whom, entry),
            file_id=file.place_id if file else None,
            permission=wanted.permission,
            created=iso(now),
            expires_at=int(now) + wanted.expires_in if wanted.expires_in else None,
            rev=self._runtime.new_id(),
        )
        for old in grants_in(entry.rows, [key]):
            if self._access.grant_applies(old, {grant.grantee_id}, entry.account, file):
                return entry, grant.model_copy(update={"created": old.created}), file, True
        return entry, grant, file, False

    def revoke(self, caller: Caller, owner: str | None, name: str, whom: Recipient) -> None:
        """Takes a share back; who it is with may leave it as well, by the `owner`'s name.

        Raises NoSuchShare, ChangedMeanwhile, Invalid.
        """
        owner = owner or caller.username
        if owner != caller.username and whom == Recipient():
            whom = Recipient(caller.username)
        key = grant_key(whom.grantee(), owner, name)
        for _ in self._runtime.attempts():
            entry = self._access.authenticate(
                caller, [key, file_key(owner, name), account_key(owner)]
            )
            if caller.username not in {owner, whom.username}:
                raise NoSuchShare
            grant, file = self._standing(entry, owner, name, key)
            noted = []
            if name.endswith("/"):
                noted = [folders.remove_folder_grantee(owner, name, [grant.grantee])]
            elif file:
                noted = [remove_grantee(file, grant.grantee, self._runtime.new_id())]
            whose = {"owner": owner, "subject": grant.grantee}
            noted.append(self._audit.record(caller, "share.delete", name, **whose))
            try:
                self._db.commit([delete_grant(grant), *noted], self._runtime.new_id())
            except ConditionFailed:
                continue
            return

    def _standing(
        self, entry: Authentication, owner: str, name: str, key: Key
    ) -> tuple[Grant, FileRow | None]:
        """A grant that has not ended, and the file it is on. Raises NoSuchShare."""
        file = None if name.endswith("/") else file_in(entry.rows, owner, name)
        account = account_in(entry.rows, owner)
        for grant in grants_in(entry.rows, [key]):
            of_this = grant.file_id is None or (file and grant.file_id == file.place_id)
            of_owner = account is not None and grant.owner_id == account.id
            if of_this and of_owner and self._access.grant_is_active(grant):
                return grant, file
        raise NoSuchShare


def _about(whom: Recipient, caller: Caller) -> list[Key]:
    """What tells who it is shared with."""
    if whom.username:
        return [account_key(whom.username)]
    name = whom.group or ""
    return [group_key(name), member_key(name, caller.username)]


def _still(whom: Recipient, entry: Authentication) -> list[Write]:
    """Expects that nobody's account is closed meanwhile."""
    grantee = account_in(entry.rows, whom.username) if whom.username else None
    return [require_account_active(each) for each in (entry.account, grantee) if each]


def _id_of(whom: Recipient, entry: Authentication) -> str:
    """The id of the account or group. Raises NoSuchUser, NoSuchGroup, Invalid."""
    if whom.username is None:
        held = membership_in(entry.rows, whom.group or "", entry.account)
        if held is None:
            raise NoSuchGroup
        return held.group_id
    if whom.username == entry.account.username:
        reason = {"at": "body.username", "reason": "it is yours already"}
        raise Invalid("A file is not shared with oneself.", errors=[reason])
    grantee = account_in(entry.rows, whom.username)
    if grantee is None:
        raise NoSuchUser
    return grantee.id
