"""Accounts, their sessions, and how often an address failed to log in."""

from function.contract import SESSIONS, USERS
from function.errors import Unavailable
from function.models import Caller
from function.records import Account, Load, Session
from function.stores.dynamo import Dynamo
from function.stores.rows import Item, Key, Refused, Rows, Write

NOTHING = Load()
ENABLED = " AND (attribute_not_exists(disabled) OR disabled = :no)"


def account_key(username: str) -> Key:
    """Where an account stands."""
    return Key(USERS, username)


def session_key(token_hash: str) -> Key:
    """Where a session stands."""
    return Key(SESSIONS, token_hash)


def account_in(rows: Rows, username: str) -> Account | None:
    """The account of that name, if it was read and is not disabled."""
    account = account_at(rows, username)
    return None if account is None or account.disabled else account


def session_in(rows: Rows, caller: Caller) -> Session | None:
    """The caller's session, if it was read."""
    row = rows.get(session_key(caller.token_hash))
    return Session.model_validate(row) if row else None


def account_at(rows: Rows, username: str) -> Account | None:
    """The account of that name, if it was read, also when it is disabled."""
    row = rows.get(account_key(username))
    return Account.model_validate(row) if row else None


def charge(account: Account, more: Load, reserved: Load = NOTHING) -> Write:
    """Adds to what an account uses, if it is the same, not disabled, and has room for it.

    `reserved` is what uploads in progress are to hold of it more, or less.
    """
    quotas = (account.quota, account.files_quota)
    return _charge(account.username, account.id, more, reserved, quotas, ENABLED)


def hold(username: str, account_id: str, load: Load, account: Account | None) -> Write:
    """Reserves room, as `charge` does; of an account that nobody has read that it has no quota."""
    quotas = (account.quota, account.files_quota) if account else None
    return _charge(username, account_id, load, load, quotas, ENABLED)


def discharge(username: str, account_id: str, less: Load, reserved: Load = NOTHING) -> Write:
    """Takes from what an account uses, and from what is `reserved` of it, if it is the same."""
    return _charge(username, account_id, -less, -reserved, (None, None), "")


def _charge(
    username: str,
    account_id: str,
    more: Load,
    reserved: Load,
    quotas: tuple[int | None, int | None] | None,
    condition: str,
) -> Write:
    values: Item = {":id": account_id} | ({":no": False} if condition else {})
    condition = "id = :id" + condition
    adds: list[str] = []
    for at, (quota, noun, grows, holds) in enumerate(
        (
            ("quota", "bytes", more.bytes, reserved.bytes),
            ("files_quota", "files", more.files, reserved.files),
        )
    ):
        limit = quotas[at] if quotas else None
        if quotas is None and grows > 0:
            condition += f" AND attribute_not_exists({quota})"
        elif limit is not None and grows > 0:
            values[f":{quota}"] = limit - grows
            condition += f" AND (attribute_not_exists({noun}_used) OR {noun}_used <= :{quota})"
        for use, change in ((f"{noun}_used", grows), (f"{noun}_reserved", holds)):
            if change:
                values[f":{use}"] = change
                adds.append(f"{use} :{use}")
    key = account_key(username)
    if not adds:
        return Write("ConditionCheck", key, condition, values)
    return Write("Update", key, condition, values, update="ADD " + ", ".join(adds))


class Accounts:
    """The tables users and sessions."""

    def __init__(self, db: Dynamo) -> None:
        """Uses the tables through `db`."""
        self._db = db

    def create(self, account: Account) -> bool:
        """Writes a new account; False when the name is taken by another.

        `rev` is random, so a row that carries ours is our own write, whose answer was lost on the
        way and which the SDK has tried again.
        """
        row = account.model_dump()
        write = Write(
            "Put", account_key(account.username), "attribute_not_exists(username)", item=row
        )
        try:
            self._db.write(write)
        except Refused as refused:
            return refused.found is not None and refused.found.get("rev") == account.rev
        return True

    def find(self, username: str, address: str, window: int) -> tuple[Account | None, int, int]:
        """An account, and the failures in this window: of the address, and of it with that name."""
        tries = _tries_key(address, window)
        rows = self._db.read([account_key(username), tries])
        row = rows.get(tries, {})
        failures, of_name = row.get("failures", 0), row.get(f"name:{username}", 0)
        return account_in(rows, username), int(str(failures)), int(str(of_name))

    def failed(self, username: str, address: str, window: int, weight: int, until: int) -> None:
        """Counts a failed login; the row is forgotten after `until` (epoch seconds)."""
        self._db.write(
            Write(
                "Update",
                _tries_key(address, window),
                update="ADD failures :weight, #name :one SET expires_at = :until",
                values={":weight": weight, ":one": 1, ":until": until},
                names={"#name": f"name:{username}"},
            )
        )

    def start(self, session: Session) -> None:
        """Writes a new session; writing it twice is the same."""
        row = session.model_dump()
        self._db.write(Write("Put", session_key(session.token_hash), item=row))

    def end(self, token_hash: str, now: int, nonce: str) -> bool:
        """Makes a session expire at once; False when there is none to end.

        The row stays until its TTL: `nonce` on it tells our own write, tried again, from another's.
        """
        write = Write(
            "Update",
            session_key(token_hash),
            condition="attribute_exists(token_hash) AND expires_at > :now",
            update="SET expires_at = :now, rev = :nonce",
            values={":now": now, ":nonce": nonce},
        )
        try:
            self._db.write(write)
        except Refused as refused:
            return refused.found is not None and refused.found.get("rev") == nonce
        return True

    def rehash(self, account: Account, password: str, rev: str) -> None:
        """Stores a stronger hash of the same password, unless the account has changed meanwhile."""
        write = Write(
            "Update",
            account_key(account.username),
            condition="rev = :was AND id = :id",
            update="SET password = :password, rev = :rev",
            values={":was": account.rev, ":id": account.id, ":password": password, ":rev": rev},
        )
        try:
            self._db.write(write)
        except (Refused, Unavailable):
            return  # the next login does it


def _tries_key(address: str, window: int) -> Key:
    """One row for an address and a window: the counts start again by themselves with the next."""
    return Key(SESSIONS, f"login:{address}:{window}")
