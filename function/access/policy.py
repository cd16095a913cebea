"""Authentication and authorization: who calls, and what they may do with whose file.

One strongly consistent BatchGetItem reads the session, the accounts, the file and the grants that
decide, so a right is judged as it was at one moment. What is written afterwards includes the
`required_checks` of the authorization as conditions: a right that is revoked in between commits
nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from function.access.callers import ActingAccount, Principal, Uploader
from function.access.errors import MfaRequired, NoSuchFileRequest, NotAllowed, no_such_file
from function.access.rights import SUFFICIENT, Memberships, Need, Rights, WriteNeed
from function.access.sessions import SessionUse
from function.aws.rows import Key, Rows
from function.aws.writes import Write
from function.base import Base
from function.core.errors import KEY_ONLY, NotSignedIn, Problem
from function.core.fields import OnConflict, Permission
from function.core.models import AccountOfRequest, Caller, account_of_request
from function.core.roles import lesser, may
from function.tables.accounts import Account, account_in, account_key
from function.tables.files import FileRow, file_in, file_key
from function.tables.folders import folder_key, grantees_in
from function.tables.grants import (
    Grant,
    grant_key,
    grant_keys,
    granting_folders,
    grants_in,
    user_grantee,
)
from function.tables.groups import (
    Group,
    group_grantee,
    group_in,
    membership_in,
    membership_keys,
)
from function.tables.requests import request_in, request_key
from function.tables.sessions import session_in, session_key


@dataclass(frozen=True)
class Authentication:
    """A proven account, and the rows of the strongly consistent read that proved it."""

    account: Account
    rows: Rows

    def own_file(self, name: str) -> FileRow | None:
        """The account's own file of that name, where its row was read and exists."""
        file = file_in(self.rows, self.account.username, name)
        return file if file and file.owner_id == self.account.id else None


@dataclass(frozen=True)
class Authorization(Authentication):
    """The right of an account to use an existing file of `owner`'s.

    A commit that includes `required_checks` fails when the right is revoked before it.
    """

    owner: Account
    file: FileRow
    permission: Permission
    required_checks: list[Write]


@dataclass(frozen=True)
class WriteAuthorization(Authentication):
    """The right of an account to put a file of one name into `owner`'s files.

    `file` is the file that has the name now, None where the name is free. `may_add` is the right
    to put new files beside it, which a grant on the file alone does not give. A commit that
    includes `required_checks` fails when the right is revoked before it.
    """

    owner: Account
    file: FileRow | None
    permission: Permission
    may_add: bool
    required_checks: list[Write]

    @classmethod
    def for_own_file(cls, found: Authentication, name: str) -> Self:
        """The right of an account to its own file of that name, whose row was read with it."""
        account = found.account
        return cls(account, found.rows, account, found.own_file(name), "own", True, [])


class Access:
    """Proves who calls and decides what they may use, by one strongly consistent read.

    Only a grant to a group of the account costs a second read. The order of errors is fixed: those
    of authentication come before NoSuchFile, which hides whether a file exists.
    """

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._use = base.one(SessionUse)
        self._require_mfa = base.settings.require_mfa
        self._now = base.runtime.now
        self._administrator = base.settings.administrator

    def authenticate(self, caller: Principal, more: Iterable[Key] = ()) -> Authentication:
        """Proves who calls, and reads `more` in the same strongly consistent read.

        The session proves a Caller, the account's id an ActingAccount, the file request an
        Uploader, who acts for the request's owner.
        Raises NotSignedIn, NotAllowed, NoSuchFileRequest, Unavailable.
        """
        if isinstance(caller, Uploader):
            return self._authenticate_uploader(caller, more)
        rows = self._db.read([*_identity_keys(caller), *more])
        return Authentication(self._authenticated(rows, caller), rows)

    def authenticate_owner(
        self, caller: Caller, owner: str | None, name: str, more: Iterable[Key] = ()
    ) -> Authentication:
        """Proves who calls, and that `owner` of the file `name` is the caller (None is as well).

        Raises NoSuchFile for another owner, and what `authenticate` raises.
        """
        found = self.authenticate(caller, more)
        if owner not in {None, caller.username}:
            raise _no_such_file(caller, owner, name)
        return found

    def authorize(
        self,
        caller: Caller,
        owner: str | None,
        name: str,
        *,
        need: Need = "read",
        more: Iterable[Key] = (),
    ) -> Authorization:
        """Proves who calls, and their right to the existing file `name` of `owner` or their own.

        Reads `more` in the same read. Raises NoSuchFile where there is no such file or the right
        is less than `need`, and what `authenticate` raises.
        """
        if need == "own":
            own = self.authenticate_owner(
                caller, owner, name, [file_key(caller.username, name), *more]
            )
            file = own.own_file(name)
            if file is None:
                raise no_such_file(name)
            return Authorization(own.account, own.rows, own.account, file, "own", [])
        found = self._find_rights(caller, owner, name, need, more)
        if found.owner and found.file and found.permission and found.suffice(need):
            checks = found.required_checks(need)
            return Authorization(
                found.account, found.rows, found.owner, found.file, found.permission, checks
            )
        raise _no_such_file(caller, owner, name)

    def authorize_write(
        self,
        caller: Caller | ActingAccount,
        owner: str | None,
        name: str,
        *,
        need: WriteNeed = "write",
        more: Iterable[Key] = (),
        precheck: Callable[[Authentication], None] = lambda _: None,
    ) -> WriteAuthorization:
        """Proves who calls, and their right to put a file `name` of `owner` or their own.

        With `need` "add" groups are read for the right to add files too; `may_add` says whether
        there is one. The errors of `precheck` come before NoSuchFile. Raises NoSuchFile, and what
        `authenticate` raises.
        """
        found = self._find_rights(caller, owner, name, need, more)
        precheck(Authentication(found.account, found.rows))
        if found.owner and found.permission and found.suffice("write"):
            return WriteAuthorization(
                found.account,
                found.rows,
                found.owner,
                found.file,
                found.permission,
                found.may_add,
                found.required_checks("write"),
            )
        raise _no_such_file(caller, owner, name)

    def authorize_uploader(
        self, uploader: Uploader, name: str, more: Iterable[Key] = ()
    ) -> WriteAuthorization:
        """The right of an uploader to add a file `name` to those of the request's owner.

        Reads `more` in the same read. Raises NoSuchFileRequest, Unavailable.
        """
        found = self._authenticate_uploader(uploader, [file_key(uploader.owner, name), *more])
        file = found.own_file(name)
        return WriteAuthorization(found.account, found.rows, found.account, file, "write", True, [])

    def verify(self, rows: Rows, caller: Caller | ActingAccount) -> Account:
        """The account of a caller, proven by rows that include those that identify them.

        Raises NotSignedIn (also for a session where only an API key may be sent), MfaRequired, and
        NotAllowed where the role or the key's scopes do not include each power of the route.
        """
        account = account_in(rows, caller.username)
        if account is None:
            raise NotSignedIn
        account = self.with_configured_role(account)
        if isinstance(caller, ActingAccount):
            if account.id != caller.id or not may(account.role, "write"):
                raise NotSignedIn
            return account
        session = session_in(rows, caller)
        if session is None or not self._use.is_valid(session, account):
            raise NotSignedIn
        if caller.key_only and session.key is None:
            raise NotSignedIn(KEY_ONLY)
        account_of_request.set(AccountOfRequest(account.username, account.id, proven=True))
        if self._lacks_factor(account) and not caller.may_lack_factor:
            raise MfaRequired
        role = lesser(account.role, session.role or account.role)
        scopes = session.scopes if session.key else None
        if not all(may(role, power, scopes) for power in (caller.power, caller.beyond)):
            raise NotAllowed
        return account

    def with_configured_role(self, account: Account) -> Account:
        """The account, as `admin` where the configuration names it the administrator."""
        named = account.username == self._administrator
        return account.model_copy(update={"role": "admin"}) if named else account

    def read_groups(self, account: Account) -> Mapping[str, Group]:
        """Reads the groups that an account is a member of, by name. Raises Unavailable."""
        rows = self._db.read(membership_keys(account))
        memberships = self.memberships_in(rows, account).values()
        found = {each.group: group_in(rows, each.group) for each in memberships}
        return {name: group for name, group in found.items() if group}

    def memberships_in(self, rows: Rows, account: Account) -> Memberships:
        """The account's memberships among the rows, by group id; stale ones are left out."""
        found = (membership_in(rows, name, account) for name in sorted(account.groups))
        return {each.group_id: each for each in found if each}

    def permission_for(
        self,
        ids: Iterable[str],
        account: Account,
        owner: Account | None,
        file: FileRow | None,
        grants: Iterable[Grant],
    ) -> Permission | None:
        """The highest permission that an account has on a file by `grants` on it or its folders.

        `ids` are the account's id and those of its groups.
        """
        if owner is None:
            return None
        if owner.id == account.id:
            return "own"
        permissions = {
            grant.permission for grant in grants if self.grant_applies(grant, ids, owner, file)
        }
        return "write" if "write" in permissions else "read" if permissions else None

    def grant_applies(
        self, grant: Grant, ids: Iterable[str], owner: Account, file: FileRow | None
    ) -> bool:
        """Whether a grant gives its permission on `file` to a holder of one of these ids.

        A grant carries the ids of grantee, owner and file, so it gives nothing to or on a later
        one of the same name. A grant on a folder has no file id and applies to every file below.
        """
        return (
            self.grant_is_active(grant)
            and grant.grantee_id in ids
            and grant.owner_id == owner.id
            and (grant.file_id is None or (file is not None and grant.file_id == file.place_id))
        )

    def grant_is_active(self, grant: Grant) -> bool:
        """Whether a grant has not expired: DynamoDB deletes expired rows hours or days late."""
        return grant.expires_at is None or grant.expires_at > self._now()

    def _authenticated(self, rows: Rows, caller: Caller | ActingAccount) -> Account:
        """The verified account; records that the session was used."""
        account = self.verify(rows, caller)
        session = session_in(rows, caller) if isinstance(caller, Caller) else None
        if session:
            self._use.record(session)
        return account

    def _lacks_factor(self, account: Account) -> bool:
        """Whether an account has no second factor although the setting `requireMfa` requires it."""
        concerned = {"all": True, "admins": account.role == "admin"}.get(self._require_mfa, False)
        return concerned and account.totp is None

    def _authenticate_uploader(self, uploader: Uploader, more: Iterable[Key]) -> Authentication:
        """The owner, for whom an uploader acts, and `more`. Raises NoSuchFileRequest."""
        keys = [account_key(uploader.owner), request_key(uploader.request)]
        rows = self._db.read([*keys, *more])
        owner = account_in(rows, uploader.owner)
        request = request_in(rows, uploader.request, self._now())
        if request is None or owner is None or owner.id != uploader.owner_id:
            raise NoSuchFileRequest
        owner = self.with_configured_role(owner)
        if not may(owner.role, "share"):
            raise NoSuchFileRequest
        return Authentication(owner, rows)

    def _find_rights(
        self,
        caller: Caller | ActingAccount,
        owner: str | None,
        name: str,
        need: Need | WriteNeed,
        more: Iterable[Key],
    ) -> Rights:
        """Reads what decides on a file; the groups' grants only where their right is needed."""
        owner = owner or caller.username
        keys = [account_key(owner), file_key(owner, name)]
        grants: list[Key] = []
        if owner != caller.username:
            grants = grant_keys(user_grantee(caller.username), owner, name)
            keys += [folder_key(owner, each) for each in granting_folders(name)]
        rows = self._db.read([*_identity_keys(caller), *keys, *grants, *more])
        account = self._authenticated(rows, caller)
        rights = self._rights(account, owner, name, rows, grants)
        if not grants or not rights.owner or rights.suffice(need):
            return rights
        group_grants = _group_grant_keys(account, rights.file, owner, name, rows)
        if group_grants:
            # Every row that bears on the right is read again: all must be of one moment.
            grants += group_grants
            groups = {each.partition for each in group_grants}
            decisive = {*keys, *grants, *membership_keys(account, groups)}
            others = {key: row for key, row in rows.items() if key not in decisive}
            rows = {**others, **self._db.read(decisive)}
            rights = self._rights(account, owner, name, rows, grants)
        return rights

    def _rights(
        self, account: Account, owner_name: str, name: str, rows: Rows, grant_keys: list[Key]
    ) -> Rights:
        owner = account_in(rows, owner_name)
        file = file_in(rows, owner_name, name)
        if file and (owner is None or file.owner_id != owner.id):
            file = None  # it belongs to a deleted account of the same name
        memberships = self.memberships_in(rows, account)
        ids = {account.id, *memberships}
        grants = grants_in(rows, grant_keys)
        permission = self.permission_for(ids, account, owner, file, grants)
        may_add = self.permission_for(ids, account, owner, None, grants) in SUFFICIENT["write"]
        applying = [
            grant for grant in grants if owner and self.grant_applies(grant, ids, owner, file)
        ]
        return Rights(account, rows, owner, file, permission, may_add, applying, memberships)


def needed_right(on_conflict: OnConflict) -> WriteNeed:
    """The right that an upload needs: `rename` never touches the file that has the name."""
    return "add" if on_conflict == "rename" else "write"


def _group_grant_keys(
    account: Account, file: FileRow | None, owner: str, name: str, rows: Rows
) -> list[Key]:
    """The keys of the grants to groups that the account names, on a file and the folders above it.

    The rows of the file and of the folders name their grantees: no other grant is read.
    """
    groups = {group_grantee(each) for each in account.groups}
    named = {each: grantees_in(rows, owner, each) for each in granting_folders(name)}
    named[name] = file.grantees if file else frozenset()
    return [
        grant_key(group, owner, place)
        for place, grantees in named.items()
        for group in sorted(groups & grantees)
    ]


def _no_such_file(caller: Caller | ActingAccount, owner: str | None, name: str) -> Problem:
    """The problem of a missing file or right; that to another's file counts as refused."""
    problem = no_such_file(name)
    if owner not in {None, caller.username}:
        problem.refusal = "access.refused"
    return problem


def _identity_keys(caller: Caller | ActingAccount) -> list[Key]:
    """The rows that identify a caller."""
    session = [session_key(caller.token_hash)] if isinstance(caller, Caller) else []
    return [account_key(caller.username), *session]
