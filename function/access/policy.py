"""Those on whose behalf something is done without a session of theirs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from function.access.errors import NoSuchFile, NoSuchRequest, NotAllowed
from function.aws.rows import Key, Rows
from function.aws.writes import Write
from function.base import Base
from function.core.errors import NotSignedIn
from function.core.fields import OnConflict, Permission
from function.core.models import Caller
from function.core.roles import may
from function.core.runtime import iso
from function.tables.accounts import Account, account_in, account_key
from function.tables.files import FileRow, file_in, file_key
from function.tables.grants import (
    Grant,
    grant_keys,
    grants_in,
    require_grant_unchanged,
    user_grantee,
)
from function.tables.groups import (
    Group,
    Membership,
    grantees_of,
    group_in,
    membership_in,
    membership_keys,
    require_membership,
)
from function.tables.requests import request_in, request_key
from function.tables.sessions import Sessions, is_valid_session, session_in, session_key

Need = Literal["read", "write", "add"]
Memberships = Mapping[str, Membership]
SEEN_SECONDS = 600  # how exactly it is known when a session was used: each time costs a write


@dataclass(frozen=True)
class ActingAccount:
    """An account that proved itself when it asked, and on whose behalf something is done now.

    `address` and `agent` are from where it asked, where that is known.
    """

    username: str
    id: str
    address: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Anonymous:
    """Whoever comes without an account: what they are called here, and from where they come."""

    username: str
    address: str
    agent: str = ""


@dataclass(frozen=True)
class Uploader:
    """Whoever has the token of a request: its id and its owner, as the token found them."""

    request: str
    owner: str
    owner_id: str
    address: str = ""
    agent: str = ""

    @property
    def username(self) -> str:
        """What its uploads stand under; no account has such a name."""
        return f"~{self.request}"


@dataclass(frozen=True)
class Authentication:
    """Who calls, and the rows that were read with the proof."""

    account: Account
    rows: Rows


@dataclass(frozen=True)
class Authorization(Authentication):
    """What a request's reading found: who calls, whose file it is, the file, and the right to it.

    `may_add` is the right to put new files beside it, which a grant on the file alone is not;
    `grants` are those that hold, and `memberships` what some of them hold by, by the group's id.
    """

    owner: Account | None
    file: FileRow | None
    permission: Permission | None
    may_add: bool
    grants: list[Grant]
    memberships: Memberships

    def readable(self) -> tuple[FileRow, Permission]:
        """The file and the right to it. Raises NoSuchFile."""
        if self.file is None or self.permission is None:
            raise NoSuchFile
        return self.file, self.permission

    def writable(self) -> tuple[Account, Permission]:
        """The owner, when the caller may put a file of this name. Raises NoSuchFile."""
        if self.owner is None or self.permission not in {"own", "write"}:
            raise NoSuchFile
        return self.owner, self.permission

    def allows(self, need: Need) -> bool:
        """Whether the right is enough: to read the file, to write it, to add others beside it."""
        if need == "add":
            return self.may_add
        return self.permission in {"own", "write"} | ({"read"} if need == "read" else set())

    def required_checks(self, need: Need = "write") -> list[Write]:
        """What must still hold when the caller writes, if the file is not the caller's own.

        A folder's grant is preferred, because it holds for whatever name is chosen.
        """
        holding = [grant for grant in self.grants if need in {"read", grant.permission}]
        holding.sort(key=lambda grant: grant.file_id is not None)
        if self.permission == "own" or not holding:
            return []
        held = self.memberships.get(holding[0].grantee_id)
        return [require_grant_unchanged(holding[0]), *(require_membership(held) if held else [])]

    def own(self, name: str) -> "Authorization":
        """The same for a file of the caller's own, which was read as well."""
        mine = file_in(self.rows, self.account.username, name)
        mine = mine if mine and mine.owner_id == self.account.id else None
        return Authorization(self.account, self.rows, self.account, mine, "own", True, [], {})

    def owned(self) -> FileRow:
        """The file, when it is the caller's own. Raises NoSuchFile."""
        if self.file is None or self.permission != "own":
            raise NoSuchFile
        return self.file


class Access:
    """Opens the door, or does not."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._sessions = Sessions(base.db)
        self._now = base.runtime.now
        self._administrator = base.settings.administrator

    def authenticate(
        self, caller: Caller | ActingAccount | Uploader, more: Iterable[Key] = ()
    ) -> Authentication:
        """Proves who calls, and reads `more` in the same strongly consistent read.

        The session proves a Caller, the account's id an ActingAccount, the file request an
        Uploader, who acts for the request's owner.
        Raises NotSignedIn, NotAllowed, NoSuchRequest, Unavailable.
        """
        if isinstance(caller, Uploader):
            entry = self._let_in(caller, "", more)
            return Authentication(entry.account, entry.rows)
        rows = self._db.read([*_identity_keys(caller), *more])
        return Authentication(self._identify(rows, caller), rows)

    def authorize(
        self,
        caller: Caller | ActingAccount | Uploader,
        owner: str | None = None,
        name: str = "",
        more: Iterable[Key] = (),
        *,
        need: Need = "read",
    ) -> Authorization:
        """Proves who calls and finds the right to `owner`'s `name`, and reads `more` with it.

        `need` says which right is enough. Raises NotSignedIn, NotAllowed, NoSuchRequest.
        """
        if isinstance(caller, Uploader):
            return self._let_in(caller, name, more)
        owner = owner or caller.username
        bearing = [account_key(owner), *([file_key(owner, name)] if name else [])]
        user = user_grantee(caller.username)
        grants = grant_keys(user, owner, name) if owner != caller.username else []
        rows = self._db.read([*_identity_keys(caller), *bearing, *grants, *more])
        account = self._identify(rows, caller)
        entry = self._entry(account, owner, name, rows, grants)
        if grants and account.groups and entry.owner and not entry.allows(need):
            # All that bears on the right is read again: it must have been so at one time.
            grants = [key for who in grantees_of(account) for key in grant_keys(who, owner, name)]
            told = {*bearing, *grants, *membership_keys(account)}
            kept = {key: row for key, row in rows.items() if key not in told}
            rows = {**kept, **self._db.read(told)}
            entry = self._entry(account, owner, name, rows, grants)
        return entry

    def _identify(self, rows: Rows, caller: Caller | ActingAccount) -> Account:
        """The account of a caller, proven by the rows that were read. Notes the session's use."""
        account = self.signed_in(rows, caller)
        if isinstance(caller, Caller):
            self._note_use(rows, caller)
        return account

    def _entry(
        self, account: Account, owner: str, name: str, rows: Rows, grants: list[Key]
    ) -> Authorization:
        whose = account_in(rows, owner)
        file = file_in(rows, owner, name) if whose else None
        if file and whose and file.owner_id != whose.id:
            file = None
        groups = self.memberships(rows, account)
        ids = {account.id, *groups}
        given = grants_in(rows, grants)
        right = self.right(ids, account, whose, file, given)
        may_add = self.right(ids, account, whose, None, given) in {"own", "write"}
        held = [each for each in given if whose and self.opens(each, ids, whose, file)]
        return Authorization(account, rows, whose, file, right, may_add, held, groups)

    def groups(self, account: Account) -> Mapping[str, Group]:
        """The groups that an account belongs to, by name."""
        rows = self._db.read(membership_keys(account))
        held = self.memberships(rows, account).values()
        found = {each.group: group_in(rows, each.group) for each in held}
        return {name: each for name, each in found.items() if each}

    def memberships(self, rows: Rows, account: Account) -> Memberships:
        """What was read of the memberships that hold, by the group's id."""
        held = (membership_in(rows, name, account) for name in sorted(account.groups))
        return {each.group_id: each for each in held if each}

    def _let_in(self, sender: Uploader, name: str, more: Iterable[Key]) -> Authorization:
        """A sender may add files in the owner's name, and is shown none. Raises NoSuchRequest."""
        keys = [account_key(sender.owner), request_key(sender.request)]
        keys += [file_key(sender.owner, name)] if name else []
        rows = self._db.read([*keys, *more])
        owner = account_in(rows, sender.owner)
        request = request_in(rows, sender.request, self._now())
        if request is None or owner is None or owner.id != sender.owner_id:
            raise NoSuchRequest
        owner = self.known(owner)
        if not may(owner.role, "share"):
            raise NoSuchRequest
        file = file_in(rows, sender.owner, name)
        mine = file if file and file.owner_id == owner.id else None
        return Authorization(owner, rows, owner, mine, "write", True, [], {})

    def right(
        self,
        ids: Iterable[str],
        account: Account,
        owner: Account | None,
        file: FileRow | None,
        grants: Iterable[Grant],
    ) -> Permission | None:
        """The most that `grants` on a file, and on the folders above it, allow an account.

        `ids` are the account's own and those of its groups.
        """
        if owner is None:
            return None
        if owner.id == account.id:
            return "own"
        rights = {grant.permission for grant in grants if self.opens(grant, ids, owner, file)}
        return "write" if "write" in rights else "read" if rights else None

    def opens(self, grant: Grant, ids: Iterable[str], owner: Account, file: FileRow | None) -> bool:
        """Whether a grant holds now for whoever has one of these ids; a folder's for any file."""
        return (
            self.alive(grant)
            and grant.grantee_id in ids
            and grant.owner_id == owner.id
            and (grant.file_id is None or (file is not None and grant.file_id == file.place_id))
        )

    def alive(self, grant: Grant) -> bool:
        """Whether a grant has not expired: the table removes expired rows hours or days late."""
        return grant.expires_at is None or grant.expires_at > self._now()

    def signed_in(self, rows: Rows, caller: Caller | ActingAccount) -> Account:
        """Who calls, as what was read of them proves, and may. Raises NotSignedIn, NotAllowed."""
        account = account_in(rows, caller.username)
        if account is None:
            raise NotSignedIn
        account = self.known(account)
        if isinstance(caller, ActingAccount):
            if account.id != caller.id or not may(account.role, "write"):
                raise NotSignedIn
            return account
        session = session_in(rows, caller)
        if session is None or not is_valid_session(session, account, self._now()):
            raise NotSignedIn
        if not may(account.role, caller.power, session.scopes if session.key else None):
            raise NotAllowed
        return account

    def _note_use(self, rows: Rows, caller: Caller) -> None:
        """Notes that a session is used, at most once in ten minutes."""
        session, now = session_in(rows, caller), self._now()
        if session and (session.seen is None or session.seen < iso(now - SEEN_SECONDS)):
            self._sessions.record_use(caller.token_hash, int(now), iso(now))

    def known(self, account: Account) -> Account:
        """An account in its role: that of the one whom the configuration names is `admin`."""
        named = account.username == self._administrator
        return account.model_copy(update={"role": "admin"}) if named else account


def needed_right(on_conflict: OnConflict) -> Need:
    """The right that an upload takes: to be put beside what is there, or in its place."""
    return "add" if on_conflict == "rename" else "write"


def _identity_keys(caller: Caller | ActingAccount) -> list[Key]:
    """The rows that prove who calls."""
    session = [session_key(caller.token_hash)] if isinstance(caller, Caller) else []
    return [account_key(caller.username), *session]
