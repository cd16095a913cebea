"""Sharing with an account or a group, and taking it back."""

from dataclasses import dataclass

from function.errors import Invalid, NoSuchShare, NoSuchUser
from function.models import Caller
from function.records import FileRow, Grant
from function.services.access import Access, Entry
from function.services.audit import Audit
from function.services.origins import Origins, iso
from function.services.room import Room
from function.services.views import share
from function.sharing_errors import NoSuchGroup
from function.sharing_models import Share, ShareRequest
from function.stores import folder_grants
from function.stores.accounts import account_in, account_key, stands
from function.stores.dynamo import Dynamo
from function.stores.files import file_in, file_key, reached, unreached
from function.stores.folders import folder_key
from function.stores.groups import group, group_key, member_key, membership_in
from function.stores.rows import Key, Refused, Write
from function.stores.shares import grant_key, grants_in, put, take_back, user


@dataclass(frozen=True)
class With:
    """Whom something is shared with: an account or a group."""

    username: str | None = None
    group: str | None = None

    def grantee(self) -> str:
        """How grants name it. Raises Invalid when it is not exactly one of them."""
        if (self.username is None) is (self.group is None):
            raise Invalid("Give either username or group.")
        return user(self.username) if self.username else group(self.group or "")


class ShareService:
    """Grants to accounts and groups."""

    def __init__(
        self, db: Dynamo, access: Access, room: Room, audit: Audit, origins: Origins
    ) -> None:
        """Grants are written by `db`, with what they expect of the file."""
        self._room = room
        self._db = db
        self._access = access
        self._audit = audit
        self._from = origins

    def grant(self, caller: Caller, wanted: ShareRequest) -> tuple[Share, bool]:
        """Shares a file, or everything in a folder; also says whether the share is new.

        A folder is a beginning of names: it may be shared while it is empty, and what comes into it
        later is shared too. Raises NoSuchFile, NoSuchUser, NoSuchGroup, LimitReached,
        Invalid, ChangedMeanwhile.
        """
        whom = With(wanted.username, wanted.group)
        for _ in self._from.attempts():
            entry, grant, file, stood = self._plan(caller, wanted, whom)
            noted = [self._reached(file, grant), *_still(whom, entry)]
            what = f"{grant.grantee} {grant.permission}"
            noted.append(self._audit.of(caller, "share.create", wanted.file_name, subject=what))
            try:
                self._db.commit([put(grant), *noted], grant.rev)
            except Refused:
                continue
            return share(grant), not stood
        raise AssertionError

    def _reached(self, file: FileRow | None, grant: Grant) -> Write:
        """Notes on the file, or the folder, whom it is granted to."""
        if file:
            return reached(file, grant.grantee, grant.rev)
        folder = grant.file.removeprefix(f"{grant.owner}/")
        return folder_grants.reached(grant.owner, folder, grant.grantee)

    def _plan(
        self, caller: Caller, wanted: ShareRequest, whom: With
    ) -> tuple[Entry, Grant, FileRow | None, bool]:
        """What was read, the grant to write, its file unless it is a folder's, whether it stood."""
        key = grant_key(whom.grantee(), caller.username, wanted.file_name)
        noted = folder_key(caller.username, wanted.file_name)
        about = [key, noted, *_about(whom, caller)]
        entry = self._access.open(caller, caller.username, wanted.file_name, about)
        file = None if wanted.file_name.endswith("/") else entry.owned()
        if file is None:
            self._room.made_in(entry.rows, caller.username, wanted.file_name, key.partition)
        file = file and self._room.made(file, key.partition)
        now = self._from.now()
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
            rev=self._from.new_id(),
        )
        for old in grants_in(entry.rows, [key]):
            if self._access.opens(old, {grant.grantee_id}, entry.account, file):
                return entry, grant.model_copy(update={"created": old.created}), file, True
        return entry, grant, file, False

    def revoke(self, caller: Caller, owner: str | None, name: str, whom: With) -> None:
        """Takes a share back; who it is with may leave it as well, by the `owner`'s name.

        Raises NoSuchShare, ChangedMeanwhile, Invalid.
        """
        owner = owner or caller.username
        if owner != caller.username and whom == With():
            whom = With(caller.username)
        key = grant_key(whom.grantee(), owner, name)
        for _ in self._from.attempts():
            entry = self._access.open(caller, owner, name, [key, file_key(owner, name)])
            if caller.username not in {owner, whom.username}:
                raise NoSuchShare
            grant, file = self._standing(entry, owner, name, key)
            noted = []
            if name.endswith("/"):
                noted = [folder_grants.unreached(owner, name, [grant.grantee])]
            elif file:
                noted = [unreached(file, grant.grantee, self._from.new_id())]
            whose = {"owner": owner, "subject": grant.grantee}
            noted.append(self._audit.of(caller, "share.delete", name, **whose))
            try:
                self._db.commit([take_back(grant), *noted], self._from.new_id())
            except Refused:
                continue
            return

    def _standing(
        self, entry: Entry, owner: str, name: str, key: Key
    ) -> tuple[Grant, FileRow | None]:
        """A grant that has not ended, and the file it is on. Raises NoSuchShare."""
        file = None if name.endswith("/") else file_in(entry.rows, owner, name)
        for grant in grants_in(entry.rows, [key]):
            of_this = grant.file_id is None or (file and grant.file_id == file.place_id)
            whose = entry.owner and grant.owner_id == entry.owner.id
            if of_this and whose and self._access.alive(grant):
                return grant, file
        raise NoSuchShare


def _about(whom: With, caller: Caller) -> list[Key]:
    """What tells who it is shared with."""
    if whom.username:
        return [account_key(whom.username)]
    name = whom.group or ""
    return [group_key(name), member_key(name, caller.username)]


def _still(whom: With, entry: Entry) -> list[Write]:
    """Expects that nobody's account is closed meanwhile."""
    grantee = account_in(entry.rows, whom.username) if whom.username else None
    return [stands(each) for each in (entry.account, grantee) if each]


def _id_of(whom: With, entry: Entry) -> str:
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
