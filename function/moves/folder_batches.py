"""What of a folder's move goes into one commit: what was granted on it first, then files."""

from collections import defaultdict
from dataclasses import dataclass, field

from function.aws.dynamodb import TRANSACTION_LIMIT
from function.aws.rows import Key, Rows
from function.aws.writes import Write, equals, missing
from function.base import Base
from function.core.names import folders_of, is_too_long, without_deep_folders
from function.files.commit import FileWriter, FileWrites
from function.moves.rename import RenameService
from function.tables.files import FileRow, Files, file_key
from function.tables.folders import FOLDERS, MAX_LEVELS, FolderChange, folder_key, grantees_below
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

SPARE = 5  # writes for the job, its line, and the record of the change
FILES_AT_ONCE = 200
FILES_AT_MOST = 20  # of one commit
GRANTS_AT_ONCE = 25


@dataclass
class FolderBatch:
    """Some of it: `moved` files. After the `last` nothing is left, which the commit expects.

    A file that has too many grants for one commit is `large`, and goes alone; never in the last.
    """

    writes: list[Write] = field(default_factory=list)
    folders: dict[Key, FolderChange] = field(default_factory=lambda: defaultdict(FolderChange))
    moved: int = 0
    last: bool = False
    large: tuple[FileRow, FileRow] | None = None


class FolderBatches:
    """The batches of one job, each made when the one before has been committed."""

    def __init__(self, base: Base, job: JobRow) -> None:
        """Begins with a look at what there is."""
        self._db = base.db
        self._runtime = base.runtime
        self._writer = base.one(FileWriter)
        self._file_writes = base.one(FileWrites)
        self._moving = base.one(RenameService)
        self._owner, self._owner_id = job.shelf.partition("/")[0], job.owner_id
        self._old, self._new = job.file_name, job.new_name
        self._files = Files(base.db)
        self.look_again()

    def look_again(self) -> None:
        """Forgets what it has seen: somebody came between."""
        self._granted: dict[str, frozenset[str]] | None = None
        self._requests: list[RequestRow] = []
        self._waiting: list[FileRow] = []
        self._after, self._more, self._strangers = "", True, False

    def next(self) -> FolderBatch:
        """The next batch."""
        if self._granted is None:
            self._granted = grantees_below(self._db, self._owner, self._old)
            now = self._runtime.now()
            found = Requests(self._db).list_below(self._owner, self._old, now)
            self._requests = [row for row in found if row.owner_id == self._owner_id]
        batch = FolderBatch()
        while self._requests and self._room(batch) > 0:
            there = self._there(self._requests[-1].folder)
            batch.writes.append(move_request(self._requests.pop(), there, self._runtime.new_id()))
        while self._granted and self._room(batch) > 3 * GRANTS_AT_ONCE:
            self._add_grants(batch, *self._granted.popitem())
        if not self._granted and not self._requests:
            self._add_files(batch)
        if batch.last and not self._strangers and len(folders_of(self._old + "x")) <= MAX_LEVELS:
            batch.folders[folder_key(self._owner, self._old)].files_left = 0
        made = (change.write(key) for key, change in batch.folders.items())
        batch.writes += [write for write in made if write]
        return batch

    def carry(self, large: tuple[FileRow, FileRow], noted: list[Write]) -> None:
        """Moves a file that has too many grants for one commit. Raises Refused."""
        self._moving.carry(*large, noted)

    def _there(self, name: str) -> str:
        """What a name below the folder is to be."""
        return self._new + name.removeprefix(self._old)

    def _room(self, batch: FolderBatch) -> int:
        return TRANSACTION_LIMIT - SPARE - len(batch.writes) - len(batch.folders)

    def _add_grants(self, batch: FolderBatch, folder: str, noted: frozenset[str]) -> None:
        """What was granted on a folder goes to its new name; some of it, when it is much.

        Where that is too long nothing is ever below it, and what was granted ends.
        """
        some, there = sorted(noted)[:GRANTS_AT_ONCE], self._there(folder)
        if rest := noted - set(some):
            self._granted = {**(self._granted or {}), folder: rest}
        source = batch.folders[folder_key(self._owner, folder)]
        source.grantees_read, source.removed = len(noted), set(some)
        ends = is_too_long(there)
        there = folder if ends else there
        come = batch.folders[folder_key(self._owner, there)].added
        keys = [(grant_key(w, self._owner, folder), grant_key(w, self._owner, there)) for w in some]
        rows = self._db.read([key for pair in keys for key in pair])
        for key, new_key in keys:
            for grant in grants_in(rows, [key]):
                batch.writes.append(delete_grant(grant))
                stands = grants_in(rows, [new_key])
                goes = grant.owner_id == self._owner_id and not ends
                if goes and self._gives_more(grant, stands):
                    moved = {"file": str(new_key.sort), "rev": self._runtime.new_id()}
                    batch.writes.append(over(grant.model_copy(update=moved), stands))
                    come.add(grant.grantee)
            if key not in rows:
                batch.writes.append(require_no_grant(key))

    def _gives_more(self, grant: Grant, stands: list[Grant]) -> bool:
        """Whether a grant gives more than what stands where it is to go.

        One that has ended gives nothing; of two for namesakes the older is for one who has gone.
        """
        now, ids = self._runtime.now(), (grant.owner_id, grant.grantee_id)
        for there in stands:
            if (there.owner_id, there.grantee_id) != ids:
                return grant.created > there.created
            if (there.expires_at or now + 1) > now:
                holds = (grant.expires_at or now + 1) > now
                return holds and (grant.permission, there.permission) == ("write", "read")
        return True

    def _add_files(self, batch: FolderBatch) -> None:
        """As many files as there is room for."""
        while True:
            if not self._waiting and self._more:
                self._look()
            if not self._waiting:
                batch.last = not self._more
                if batch.last:
                    return
                continue
            some = self._waiting[:FILES_AT_MOST]
            names = [there for row in some if not is_too_long(there := self._there(row.name))]
            keys = [key for row in some for key in grant_keys_on(row)]
            rows = self._db.read([*(file_key(self._owner, name) for name in names), *keys])
            for row in some:
                if not self._add_file(batch, row, rows):
                    return
                self._waiting.pop(0)
                if batch.large:
                    return

    def _look(self) -> None:
        """Looks for more files; those of an account that had this name before stay."""
        found, self._more = self._files.list_files(
            self._owner, prefix=self._old, after=self._after, limit=FILES_AT_ONCE
        )
        self._after = found[-1].name if found else self._after
        self._waiting = [row for row in found if row.owner_id == self._owner_id]
        self._strangers |= len(self._waiting) < len(found)

    def _add_file(self, batch: FolderBatch, old: FileRow, rows: Rows) -> bool:
        """Adds a file, with what was granted on it; False when there is no room for it."""
        name = self._there(old.name)
        if is_too_long(name) or file_key(self._owner, name) in rows:  # it came in the meantime
            name = self._writer.free_name(self._owner, without_deep_folders(name), guaranteed=True)
        grants = [g for g in grants_in(rows, grant_keys_on(old)) if g.file_id == old.place_id]
        new = {"name": name, "rev": self._runtime.new_id(), "place": self._runtime.new_id()}
        row = old.model_copy(update=new | {"grantees": frozenset(g.grantee for g in grants)})
        writes = [
            *(w for w in self._file_writes.change_files((old, row)) if not _of_folder(w)),
            *(put_grant(self._moving.carried(grant, row)) for grant in grants),
            *(delete_grant(grant) for grant in grants),
        ]
        above = [(each, -1) for each in folders_of(old.name)[:MAX_LEVELS]]
        above += [(each, 1) for each in folders_of(name)[:MAX_LEVELS]]
        keys = {folder_key(self._owner, each) for each, _ in above} - batch.folders.keys()
        if any(write.key == file_key(self._owner, name) for write in batch.writes):
            return False
        if len(writes) + len(keys) > self._room(batch):
            if batch.writes or batch.folders:
                return False
            batch.large, batch.moved = (old, row), 1
            return True
        batch.writes += writes
        batch.moved += 1
        for each, one in above:
            change = batch.folders[folder_key(self._owner, each)]
            change.files += one
            if each.startswith(self._old) and change.grantees_read is None:
                change.grantees_read = 0  # what is granted on it meanwhile is to go with it
        return True


def over(grant: Grant, stands: list[Grant]) -> Write:
    """Puts a grant where, as was read, others stand or none."""
    return put_grant(grant, equals(rev=stands[0].rev) if stands else missing("grantee"))


def _of_folder(write: Write) -> bool:
    return write.key.partition.endswith(f"/{FOLDERS}")
