"""Closing an account for good: marked first, which shuts everything, and then cleared away.

From the mark on nobody signs in, and nothing that the account gave opens anything. What is cleared
away afterwards is done a page at a time, by whoever asks again and by the hourly sweep; the account
itself goes last, so that nobody can take its name while anything of it is left. What is missed
carries the account's id, which nobody has again.
"""

from collections.abc import Callable
from contextlib import suppress

from function.account_errors import ProtectedAccount
from function.account_models import Closure
from function.errors import NoSuchUser
from function.models import Caller
from function.records import Account, FileRow
from function.services.access import Access
from function.services.audit import Audit
from function.services.batches import Batch
from function.services.leaving import Leaving, next_of
from function.services.origins import Origins
from function.services.shelving import Shelving
from function.stores import folder_grants
from function.stores.accounts import account_at, account_key, altered
from function.stores.closing import ClosingList, clearing, close, closing
from function.stores.directory import same_account
from function.stores.dynamo import COMMITTED_AT_ONCE, Dynamo
from function.stores.files import Files
from function.stores.rows import Refused, Write
from function.stores.shares import granted, granted_at

SECONDS = 15  # of work for one request, of the 28 that a function has
AT_ONCE = 50


class Closing:
    """Closes accounts."""

    def __init__(
        self,
        db: Dynamo,
        access: Access,
        shelving: Shelving,
        leaving: Leaving,
        audit: Audit,
        origins: Origins,
        administrator: str,
    ) -> None:
        """`leaving` takes back what the account shared, `shelving` moves its files."""
        self._db = db
        self._access = access
        self._shelving = shelving
        self._audit = audit
        self._from = origins
        self._administrator = administrator
        self._files = Files(db)
        self._list = ClosingList(db)
        # In this order: what may be many comes last.
        self._steps: dict[str, Callable[[Account], bool]] = {
            **leaving.steps(),
            "files": self._page,
            "folders": self._folders,
        }

    def delete(self, caller: Caller, username: str) -> Closure:
        """Closes an account, and says what is left to clear away when that takes longer.

        Raises NoSuchUser, ProtectedAccount, ChangedMeanwhile.
        """
        account = self._marked(caller, username)
        ends = self._from.now() + SECONDS
        return Closure(
            username=username, left=self._clear(account, lambda: self._from.now() < ends)
        )

    def sweep(self, in_time: Callable[[], bool], batch: Batch) -> None:
        """Goes on with the accounts that are being closed, and counts in `batch` who is gone."""
        for username in self._list.of(AT_ONCE):
            if not in_time():
                return
            with batch.attempt():
                account = account_at(self._db.read([account_key(username)]), username)
                if account and account.deleting:
                    batch.done += not self._clear(account, in_time)

    def _marked(self, caller: Caller, username: str) -> Account:
        """The account, with everything shut that it ever opened."""
        for _ in self._from.attempts():
            entry = self._access.open(caller, more=[account_key(username)])
            account = account_at(entry.rows, username)
            if account is None:
                raise NoSuchUser
            if username in {caller.username, self._administrator}:
                raise ProtectedAccount
            if account.deleting:
                return account
            rev, epoch = self._from.new_id(), self._from.new_id()
            writes = [
                altered(account, rev, disabled=True, deleting=True, epoch=epoch),
                same_account(entry.account),
                closing(username),
                self._audit.of(caller, "account.delete", owner=username),
            ]
            try:
                self._db.commit(writes, rev)
            except Refused:
                continue
            return account.model_copy(update={"rev": rev, "disabled": True, "deleting": True})
        raise AssertionError

    def _clear(self, account: Account, in_time: Callable[[], bool]) -> list[str]:
        """What is left when the time is over; nothing, and the account is gone."""
        steps = list(self._steps)
        for at, name in enumerate(steps):
            while not self._steps[name](account):
                if not in_time():
                    return steps[at:]
        try:
            self._db.commit(close(account), self._from.new_id())
        except Refused:
            there = account_at(self._db.read([account_key(account.username)]), account.username)
            return ["groups"] if there and there.id == account.id else []
        return []

    def _page(self, account: Account) -> bool:
        """Moves a page of files to the trash; whether that were all."""
        rows = next_of(account, lambda after: self._files_of(account, after))
        for row in rows:
            with suppress(Refused):
                self._trash(row)
        return not rows

    def _files_of(self, account: Account, after: str) -> tuple[list[FileRow], str | None]:
        rows, more = self._files.on_shelf(account.username, prefix="", after=after, limit=AT_ONCE)
        return rows, rows[-1].name if more else None

    def _folders(self, account: Account) -> bool:
        """Removes some folders, which are empty now, with what was granted on them."""
        gone = folder_grants.to_clear(self._db, account.username, AT_ONCE)
        for start in range(0, len(gone), COMMITTED_AT_ONCE - 1):
            some = gone[start : start + COMMITTED_AT_ONCE - 1]
            try:
                self._db.commit([clearing(account), *some], self._from.new_id())
            except Refused as refused:
                return 0 in refused.failed  # whoever else clears it away is done
        return not gone

    def _trash(self, row: FileRow) -> None:
        grants = [Write("Delete", key) for key in granted(row)]
        writes = [*self._shelving.shift((row, None)), *self._shelving.deleted(row)]
        at_once = COMMITTED_AT_ONCE - len(writes)
        self._db.commit([*writes, *grants[:at_once]], self._from.new_id())
        self._db.commit_each(granted_at(row)[at_once:], self._from.new_id)
