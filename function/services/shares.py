"""Sharing with an account, and taking it back."""

from function.errors import Invalid, NoSuchShare, NoSuchUser
from function.models import Caller, Share, ShareRequest
from function.records import FileRow, Grant
from function.services.access import Access
from function.services.origins import Origins, iso
from function.services.views import share
from function.stores.accounts import account_in, account_key
from function.stores.dynamo import Dynamo
from function.stores.files import reached
from function.stores.rows import Refused
from function.stores.shares import Shares, grant_key, grants_in, put, user


class ShareService:
    """Grants to accounts."""

    def __init__(self, db: Dynamo, access: Access, shares: Shares, origins: Origins) -> None:
        """Grants are written by `db`, with what they expect of the file."""
        self._db = db
        self._access = access
        self._shares = shares
        self._from = origins

    def grant(self, caller: Caller, wanted: ShareRequest) -> tuple[Share, bool]:
        """Shares a file, or everything in a folder; also says whether the share is new.

        A folder is a beginning of names: it may be shared while it is empty, and what comes into it
        later is shared too. Raises NoSuchFile, NoSuchUser, Invalid, ChangedMeanwhile.
        """
        for _ in self._from.attempts():
            grant, file, stood = self._plan(caller, wanted)
            noted = [reached(file, grant.grantee, grant.rev)] if file else []
            try:
                self._db.commit([put(grant), *noted], grant.rev)
            except Refused:
                continue
            return share(grant), not stood
        raise AssertionError

    def _plan(self, caller: Caller, wanted: ShareRequest) -> tuple[Grant, FileRow | None, bool]:
        """The grant to write, the file it is on unless that is a folder, whether it stood."""
        key = grant_key(wanted.username, caller.username, wanted.file_name)
        entry = self._access.open(
            caller, caller.username, wanted.file_name, [account_key(wanted.username), key]
        )
        file = None if wanted.file_name.endswith("/") else entry.owned()
        if wanted.username == caller.username:
            reason = {"at": "body.username", "reason": "it is yours already"}
            raise Invalid("A file is not shared with oneself.", errors=[reason])
        grantee = account_in(entry.rows, wanted.username)
        if grantee is None:
            raise NoSuchUser
        now = self._from.now()
        grant = Grant(
            grantee=user(grantee.username),
            file=str(key.sort),
            owner=caller.username,
            owner_id=entry.account.id,
            grantee_id=grantee.id,
            file_id=file.place_id if file else None,
            permission=wanted.permission,
            created=iso(now),
            expires_at=int(now) + wanted.expires_in if wanted.expires_in else None,
            rev=self._from.new_id(),
        )
        for old in grants_in(entry.rows, [key]):
            if self._access.opens(old, grantee, entry.account, file):
                return grant.model_copy(update={"created": old.created}), file, True
        return grant, file, False

    def revoke(self, caller: Caller, name: str, username: str) -> None:
        """Takes a share back. Raises NoSuchShare."""
        key = grant_key(username, caller.username, name)
        entry = self._access.open(caller, more=[key])
        if not any(self._access.alive(grant) for grant in grants_in(entry.rows, [key])):
            raise NoSuchShare
        self._shares.revoke(key)
