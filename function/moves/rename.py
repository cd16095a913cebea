"""Renaming and moving a file, and changing what is said of it: rows, never bytes.

What was granted on a file goes with it. The grants at its new name are good for a place of their
own, which the file gets in the same commit; so they open nothing before it, those at the old name
nothing after it, and what is left of a move that was cut off nothing at all.
"""

from contextlib import suppress

from function.access.policy import Access
from function.audit.service import AuditTrail
from function.aws.dynamodb import TRANSACTION_LIMIT, ConditionFailed
from function.aws.s3 import BytesMissing
from function.aws.writes import Write
from function.base import Base
from function.core.errors import Invalid, Unavailable
from function.core.media_types import retyped
from function.core.models import Caller
from function.files.commit import FileWrites
from function.files.conditions import require_conditions
from function.files.errors import FileExists
from function.files.models import FileObject, file_object
from function.files.upload_rules import UploadRules
from function.moves.models import FileChange
from function.tables.audit import Action
from function.tables.files import FileRow, file_key, require_no_file
from function.tables.grants import Grant, delete_grant, grant_keys_on, grants_in, put_grant

AT_ONCE = 45  # grants, each two writes of the hundred that a transaction takes
CARRIED_AT_ONCE = 99


class RenameService:
    """Changes files, but not their bytes."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._file_writes = base.one(FileWrites)
        self._rules = base.one(UploadRules)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def change(self, caller: Caller, wanted: FileChange) -> FileObject:
        """Changes a file of the caller's.

        Raises NoSuchFile, FileExists, PreconditionFailed, Invalid, TypeNotAllowed,
        ChangedMeanwhile.
        """
        if not (wanted.new_name or wanted.model_fields_set & {"description", "tags"}):
            raise Invalid("Give new_name, description or tags.")
        name, new_name = wanted.file_name, wanted.new_name or wanted.file_name
        for _ in self._runtime.attempts():
            there = file_key(caller.username, new_name)
            entry = self._access.authorize(caller, wanted.username, name, need="own", more=[there])
            old = entry.file
            require_conditions(wanted, old)
            if new_name != name and there in entry.rows:
                raise FileExists("There is a file of that name; choose another one.")
            row = self._changed(old, wanted, new_name)
            done: Action = "file.update" if new_name == name else "file.move"
            noted = self._audit.record(caller, done, name, subject=wanted.new_name)
            try:
                self._rules.require_name_allowed(entry.account.role, old, new_name)
                if new_name == name:
                    self._db.commit([*self._file_writes.change_files((old, row)), noted], row.rev)
                else:
                    self.carry(old, row, [noted])
            except (
                ConditionFailed,
                BytesMissing,
            ):  # it may have gone for good since its row was read
                continue
            return file_object(row, "own")
        raise AssertionError

    def _changed(self, old: FileRow, wanted: FileChange, new_name: str) -> FileRow:
        said = wanted.model_fields_set
        return old.model_copy(
            update={
                "name": new_name,
                "content_type": retyped(old.content_type, old.name, new_name),
                "rev": self._runtime.new_id(),
                "place": old.place if new_name == old.name else self._runtime.new_id(),
                "description": wanted.description if "description" in said else old.description,
                "tags": list(wanted.tags or ()) if "tags" in said else old.tags,
            }
        )

    def carry(self, old: FileRow, row: FileRow, noted: list[Write]) -> None:
        """Moves the row with its grants; those that do not fit the commit, before and after it.

        Raises Refused.
        """
        keys = grant_keys_on(old)
        held = grants_in(self._db.read(keys), keys)
        grants = [grant for grant in held if grant.file_id == old.place_id]
        row = row.model_copy(update={"grantees": frozenset(grant.grantee for grant in grants)})
        copies = [put_grant(self.carried(grant, row)) for grant in grants]
        gone = [delete_grant(grant) for grant in grants]
        moved = [*self._file_writes.change_files((old, row)), *noted]
        at_once = min(AT_ONCE, (TRANSACTION_LIMIT - len(moved)) // 2)
        for start in range(at_once, len(copies), CARRIED_AT_ONCE):
            some = copies[start : start + CARRIED_AT_ONCE]
            # What stands at the new name is dead, as long as no file does.
            self._db.commit([require_no_file(row.shelf, row.name), *some], self._runtime.new_id())
        self._db.commit([*moved, *copies[:at_once], *gone[:at_once]], row.rev)
        with suppress(Unavailable):
            self._db.commit_each(gone[at_once:])

    def carried(self, grant: Grant, row: FileRow) -> Grant:
        """The same right at the file's new place."""
        return grant.model_copy(
            update={
                "file": f"{row.shelf}/{row.name}",
                "file_id": row.place_id,
                "rev": self._runtime.new_id(),
            }
        )
