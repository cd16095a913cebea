"""The batches of a folder move: the writes of each transaction, in order.

File requests into the folder, and grants on it and on the folders below it, come before the files.
A grant moves from the old name to the new one in one commit, so a request that revokes it finds it
at one of them. `folder_job.py` explains the whole move.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from function.aws.dynamodb import TRANSACTION_LIMIT
from function.aws.rows import Key, Rows
from function.aws.writes import Write, equals, missing
from function.base import Base
from function.core.names import exceeds_limits, folders_of, without_deep_folders
from function.files.commit import FileWriter, FileWrites
from function.moves.rename import RenameService, moved_grant
from function.tables.files import FileRow, Files, file_key
from function.tables.folders import (
    FOLDERS,
    MAX_LEVELS,
    FolderChange,
    fold_count,
    folder_key,
    grantees_below,
)
from function.tables.grants import (
    Grant,
    delete_grant,
    grant_key,
    grant_keys_on,
    grants_in,
    put_grant,
    require_no_grant,
)
from function.tables.jobs import JobRow
from function.tables.requests import RequestRow, Requests, move_request

# Writes of a transaction that are the job's: its row, expiry entry, audit record, and spare.
RESERVED_WRITES = 5
FILES_PER_QUERY = 200
FILES_PER_READ = 20
GRANTS_PER_READ = 25
WRITES_PER_GRANT = 3  # its deletion, its copy, and at most one folder


@dataclass
class FolderBatch:
    """The writes of one transaction, which moves `moved` files.

    The caller commits `writes` with those of the job. The `last` batch requires that nothing is
    left below the old name. A file whose grants do not fit one transaction is a batch of its own:
    `large_file` is its row before and after, `writes` is empty, and the batch is never the last.
    """

    writes: list[Write] = field(default_factory=list)
    moved: int = 0
    last: bool = False
    large_file: tuple[FileRow, FileRow] | None = None
    folder_changes: dict[Key, FolderChange] = field(
        default_factory=lambda: defaultdict(FolderChange)
    )


class FolderBatches:
    """The batches of one job. The caller commits each batch before it asks for the next."""

    def __init__(self, base: Base, job: JobRow) -> None:
        """`job` is the move; nothing is read before the first batch."""
        self._db = base.db
        self._runtime = base.runtime
        self._writer = base.one(FileWriter)
        self._file_writes = base.one(FileWrites)
        self._renames = base.one(RenameService)
        self._owner, self._owner_id = job.partition.partition("/")[0], job.owner_id
        self._old, self._new = job.file_name, job.new_name
        self._files = Files(base.db)
        self.reset()

    def reset(self) -> None:
        """Forgets all rows that were read: another commit may have changed them."""
        self._grantees: dict[str, frozenset[str]] | None = None  # of folders; None: not read
        self._requests: list[RequestRow] = []
        self._pending: list[FileRow] = []
        self._after, self._more, self._foreign_files = "", True, False

    def next(self) -> FolderBatch:
        """The next batch. It reads the rows that it moves, and raises Unavailable."""
        if self._grantees is None:
            now, own = self._runtime.now(), folder_key(self._owner, self._old)
            folder = self._db.read([own]).get(own, {})
            fold_count(
                self._db, own, folder, now
            )  # the last batch requires that its row counts all
            self._grantees = grantees_below(self._db, self._owner, self._old, folder)
            requests = Requests(self._db).list_below(self._owner, self._old, now)
            self._requests = [row for row in requests if row.owner_id == self._owner_id]
        batch = FolderBatch()
        while self._requests and self._capacity(batch) > 0:
            row = self._requests.pop()
            new_folder = self._new_name(row.folder)
            batch.writes.append(move_request(row, new_folder, self._runtime.new_id()))
        while self._grantees and self._capacity(batch) > WRITES_PER_GRANT * GRANTS_PER_READ:
            self._add_folder_grants(batch, *self._grantees.popitem())
        if not self._grantees and not self._requests:
            self._add_files(batch)
        counted = len(folders_of(self._old + "x")) <= MAX_LEVELS  # deeper folders have no count
        if batch.last and counted and not self._foreign_files:
            batch.folder_changes[folder_key(self._owner, self._old)].files_left = 0
        folder_writes = (change.write(key) for key, change in batch.folder_changes.items())
        batch.writes += [write for write in folder_writes if write]
        return batch

    def move_large_file(
        self, large_file: tuple[FileRow, FileRow], extra_writes: list[Write]
    ) -> None:
        """Moves the file of such a batch, in several commits. Raises ConditionFailed."""
        self._renames.move_file(*large_file, extra_writes)

    def _new_name(self, name: str) -> str:
        """The new name of a file or folder below the old one."""
        return self._new + name.removeprefix(self._old)

    def _capacity(self, batch: FolderBatch) -> int:
        """How many writes the batch can still take."""
        used = len(batch.writes) + len(batch.folder_changes)
        return TRANSACTION_LIMIT - RESERVED_WRITES - used

    def _add_folder_grants(self, batch: FolderBatch, folder: str, grantees: frozenset[str]) -> None:
        """Moves up to GRANTS_PER_READ of a folder's grants; the others remain for later batches.

        Where the new name exceeds the limits, no file can be below it, and the grants are deleted.
        """
        some = sorted(grantees)[:GRANTS_PER_READ]
        if rest := grantees - set(some):
            self._grantees = {**(self._grantees or {}), folder: rest}
        source = batch.folder_changes[folder_key(self._owner, folder)]
        source.grantees_read, source.removed = len(grantees), set(some)
        dropped = exceeds_limits(self._new_name(folder))
        target = folder if dropped else self._new_name(folder)
        added = batch.folder_changes[folder_key(self._owner, target)].added
        keys = {
            grant_key(each, self._owner, folder): grant_key(each, self._owner, target)
            for each in some
        }
        rows = self._db.read([each for pair in keys.items() for each in pair])
        for key, new_key in keys.items():
            if key not in rows:
                batch.writes.append(require_no_grant(key))
            for grant in grants_in(rows, [key]):
                batch.writes.append(delete_grant(grant))
                existing = grants_in(rows, [new_key])
                is_own = grant.owner_id == self._owner_id
                if is_own and not dropped and self._gives_more(grant, existing):
                    new = {"file": str(new_key.sort), "rev": self._runtime.new_id()}
                    batch.writes.append(_replace_grant(grant.model_copy(update=new), existing))
                    added.add(grant.grantee)

    def _gives_more(self, grant: Grant, existing: list[Grant]) -> bool:
        """Whether a grant gives more than the one that exists under its new key, if one does.

        An expired grant gives nothing. Of two grants for different accounts of one name, the older
        one is for an account that was deleted.
        """
        now = self._runtime.now()
        for other in existing:
            if (other.owner_id, other.grantee_id) != (grant.owner_id, grant.grantee_id):
                return grant.created > other.created
            if (other.expires_at or now + 1) > now:
                is_active = (grant.expires_at or now + 1) > now
                return is_active and (grant.permission, other.permission) == ("write", "read")
        return True

    def _add_files(self, batch: FolderBatch) -> None:
        """Moves as many files as the batch has capacity for."""
        while True:
            if not self._pending and self._more:
                self._read_files()
            if not self._pending:
                batch.last = not self._more
                if batch.last:
                    return
                continue
            some = self._pending[:FILES_PER_READ]
            new_names = [self._new_name(row.name) for row in some]
            keys = [file_key(self._owner, name) for name in new_names if not exceeds_limits(name)]
            keys += [key for row in some for key in grant_keys_on(row)]
            rows = self._db.read(keys)
            for row in some:
                if not self._add_file(batch, row, rows):
                    return
                self._pending.pop(0)
                if batch.large_file:
                    return

    def _read_files(self) -> None:
        """Reads the next files. Those of an earlier account of the owner's name stay."""
        rows, self._more = self._files.list_files(
            self._owner, prefix=self._old, after=self._after, limit=FILES_PER_QUERY
        )
        self._after = rows[-1].name if rows else self._after
        self._pending = [row for row in rows if row.owner_id == self._owner_id]
        self._foreign_files |= len(self._pending) < len(rows)

    def _add_file(self, batch: FolderBatch, old: FileRow, rows: Rows) -> bool:
        """Moves a file with its grants; False when the batch has no capacity for it."""
        row, grants = self._new_row(old, rows)
        writes = [
            *(each for each in self._file_writes.change_files((old, row)) if not _is_count(each)),
            *(put_grant(moved_grant(grant, row, self._runtime.new_id())) for grant in grants),
            *(delete_grant(grant) for grant in grants),
        ]
        counts = dict.fromkeys(folders_of(old.name)[:MAX_LEVELS], -1)
        for folder in folders_of(row.name)[:MAX_LEVELS]:
            counts[folder] = counts.get(folder, 0) + 1
        folders = {folder_key(self._owner, each) for each in counts} - batch.folder_changes.keys()
        if file_key(self._owner, row.name) in {write.key for write in batch.writes}:
            return False
        if len(writes) + len(folders) > self._capacity(batch):
            if batch.writes or batch.folder_changes:
                return False
            batch.large_file, batch.moved = (old, row), 1
            return True
        batch.writes += writes
        batch.moved += 1
        self._count(batch, counts)
        return True

    def _new_row(self, old: FileRow, rows: Rows) -> tuple[FileRow, list[Grant]]:
        """The file's row under its new name, and the grants on it, from the rows that were read."""
        name = self._new_name(old.name)
        if exceeds_limits(name) or file_key(self._owner, name) in rows:  # or uploaded since
            name = self._writer.free_name(self._owner, without_deep_folders(name), guaranteed=True)
        grants = [g for g in grants_in(rows, grant_keys_on(old)) if g.file_id == old.place_id]
        new = {"name": name, "rev": self._runtime.new_id(), "place": self._runtime.new_id()}
        grantees = frozenset(grant.grantee for grant in grants)
        return old.model_copy(update=new | {"grantees": grantees}), grants

    def _count(self, batch: FolderBatch, counts: Mapping[str, int]) -> None:
        """Counts a moved file in the folders above its two names."""
        for folder, files in counts.items():
            change = batch.folder_changes[folder_key(self._owner, folder)]
            change.files += files
            if folder.startswith(self._old) and change.grantees_read is None:
                # Its grants have moved: one that was added since must fail the commit, to move too.
                change.grantees_read = 0


def _replace_grant(grant: Grant, existing: list[Grant]) -> Write:
    """Writes a grant, if the one under its key is as it was read, or there is still none."""
    return put_grant(grant, equals(rev=existing[0].rev) if existing else missing("grantee"))


def _is_count(write: Write) -> bool:
    """Whether a write counts files of a folder; a batch makes one such write for each folder."""
    return write.key.partition.endswith(f"/{FOLDERS}")
