"""Who is calling and what they may do: the one place where a right is decided.

Every row that bears on it is named by the token and the file's name before anything is read, so
one strongly consistent read proves the session and settles the right. Rows are found by name and
trusted by id: a session or grant given to an account, or for a file, that has gone opens no
namesake.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from function.errors import NoSuchFile, NotSignedIn
from function.fields import Permission
from function.models import Caller
from function.records import Account, FileRow, Grant
from function.stores.accounts import account_in, account_key, session_in, session_key
from function.stores.dynamo import Dynamo
from function.stores.files import file_in, file_key
from function.stores.rows import Key, Rows
from function.stores.shares import grant_keys, grants_in


@dataclass(frozen=True)
class Entry:
    """What one read found: who calls, whose file it is, the file, and the caller's right to it.

    `may_add` is the right to put new files beside it, which a grant on the file alone is not;
    `grants` are those that hold.
    """

    account: Account
    owner: Account | None
    file: FileRow | None
    permission: Permission | None
    may_add: bool
    grants: list[Grant]
    rows: Rows

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

    def warrant(self) -> Grant | None:
        """The grant by which the caller writes, if the file is not the caller's own.

        A folder's is preferred, because it holds for whatever name is chosen.
        """
        writing = [grant for grant in self.grants if grant.permission == "write"]
        return None if self.permission == "own" or not writing else writing[0]

    def owned(self) -> FileRow:
        """The file, when it is the caller's own. Raises NoSuchFile."""
        if self.file is None or self.permission != "own":
            raise NoSuchFile
        return self.file


@dataclass(frozen=True)
class Member:
    """An account that proved itself when it asked, and on whose behalf something is done now."""

    username: str
    id: str


class Access:
    """Opens the door, or does not."""

    def __init__(self, db: Dynamo, now: Callable[[], float]) -> None:
        """`now` is the clock, in epoch seconds."""
        self._db = db
        self._now = now

    def open(
        self,
        caller: Caller | Member,
        owner: str | None = None,
        name: str = "",
        more: Iterable[Key] = (),
    ) -> Entry:
        """Proves who calls and finds the right to `owner`'s `name`, and reads `more` with it.

        A Caller is proven by the session, a Member by the account's id. Raises NotSignedIn.
        """
        owner = owner or caller.username
        grants = grant_keys(caller.username, owner, name) if owner != caller.username else []
        keys = [account_key(caller.username), account_key(owner)]
        keys += [session_key(caller.token_hash)] if isinstance(caller, Caller) else []
        if name:
            keys += [file_key(owner, name), *grants]
        rows = self._db.read([*keys, *more])
        account = self._signed_in(rows, caller)
        whose = account_in(rows, owner)
        file = file_in(rows, owner, name) if whose else None
        if file and whose and file.owner_id != whose.id:
            file = None
        given = grants_in(rows, grants)
        right = self.right(account, whose, file, given)
        may_add = self.right(account, whose, None, given) in {"own", "write"}
        held = [each for each in given if whose and self.opens(each, account, whose, file)]
        return Entry(account, whose, file, right, may_add, held, rows)

    def right(
        self,
        account: Account,
        owner: Account | None,
        file: FileRow | None,
        grants: Iterable[Grant],
    ) -> Permission | None:
        """The most that `grants` on a file, and on the folders above it, allow an account."""
        if owner is None:
            return None
        if owner.id == account.id:
            return "own"
        rights = {g.permission for g in grants if self.opens(g, account, owner, file)}
        return "write" if "write" in rights else "read" if rights else None

    def opens(self, grant: Grant, account: Account, owner: Account, file: FileRow | None) -> bool:
        """Whether a grant holds now, for these accounts and this file; a folder's for any file."""
        return (
            self.alive(grant)
            and (grant.grantee_id, grant.owner_id) == (account.id, owner.id)
            and (grant.file_id is None or (file is not None and grant.file_id == file.place_id))
        )

    def alive(self, grant: Grant) -> bool:
        """Whether a grant has not expired: the table removes expired rows hours or days late."""
        return grant.expires_at is None or grant.expires_at > self._now()

    def _signed_in(self, rows: Rows, caller: Caller | Member) -> Account:
        account = account_in(rows, caller.username)
        if account is None:
            raise NotSignedIn
        if isinstance(caller, Member):
            if account.id != caller.id:
                raise NotSignedIn
            return account
        session = session_in(rows, caller)
        if (
            session is None
            or session.expires_at <= self._now()
            or (session.username, session.user_id, session.epoch)
            != (account.username, account.id, account.epoch)
        ):
            raise NotSignedIn
        return account
