"""Changes of a file's name, description and tags. They change rows in DynamoDB and no bytes in S3.

The grants on a file move with it. A grant holds for one `place` of the file; a rename gives the
file a new place, and the grants at its new name carry that place. So a grant at the new name gives
no access before the commit of the rename, one at the old name none after it, and a grant that an
interrupted rename left behind never gives any.
"""

from contextlib import suppress

from function.access.policy import Access
from function.access.releases import Releases
from function.audit.service import AuditLog
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
from function.tables.reservations import reservations_on

# Grants that move in the commit of the file: each takes two of the hundred writes.
GRANTS_WITH_FILE = 45
GRANT_BATCH_SIZE = TRANSACTION_LIMIT - 1  # beside the check that no file has the new name


class RenameService:
    """Renames files, and changes their descriptions and tags."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._file_writes = base.one(FileWrites)
        self._rules = base.one(UploadRules)
        self._releases = base.one(Releases)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def change(self, caller: Caller, request: FileChange) -> FileObject:
        """Changes a file of the caller's.

        Raises NoSuchFile, FileExists, PreconditionFailed, Invalid, TypeNotAllowed,
        ChangedMeanwhile.
        """
        if not (request.new_name or request.model_fields_set & {"description", "tags"}):
            raise Invalid("Send new_name, description or tags.")
        name, new_name = request.file_name, request.new_name or request.file_name
        action: Action = "file.update" if new_name == name else "file.move"
        new_key = file_key(caller.username, new_name)
        for _ in self._runtime.attempts():  # no single transaction: many grants take several
            authorization = self._access.authorize(
                caller, request.username, name, need="own", more=[new_key]
            )
            old = authorization.file
            require_conditions(request, old)
            if new_name != name and new_key in authorization.rows:
                raise FileExists("A file has that name; choose another name.")
            row = self._changed_row(old, request, new_name)
            audit_write = self._audit.record(caller, action, name, subject=request.new_name)
            try:
                self._rules.require_name_allowed(authorization.account.role, old, new_name)
                if new_name == name:
                    self._db.commit([*self._file_writes.change_files((old, row)), audit_write])
                else:
                    self.move_file(old, row, [audit_write])
            except (ConditionFailed, BytesMissing):  # changed or deleted since it was read
                continue
            return file_object(row, "own")
        raise AssertionError

    def move_file(self, old: FileRow, row: FileRow, extra_writes: list[Write]) -> None:
        """Replaces the row `old` by `row`, which has another name and place, and moves its grants.

        One commit does that, with `extra_writes`. Grants that do not fit are copied in commits
        before it and deleted after it. Raises ConditionFailed, Unavailable.
        """
        keys = grant_keys_on(old)
        grants = [
            grant for grant in grants_in(self._db.read(keys), keys) if grant.file_id == old.place_id
        ]
        row = row.model_copy(update={"grantees": frozenset(grant.grantee for grant in grants)})
        copies = [put_grant(moved_grant(grant, row, self._runtime.new_id())) for grant in grants]
        deletes = [delete_grant(grant) for grant in grants]
        writes = [*self._file_writes.change_files((old, row)), *extra_writes]
        if grants:
            writes.append(self._releases.schedule(reservations_on(old.partition)))
        capacity = min(GRANTS_WITH_FILE, (TRANSACTION_LIMIT - len(writes)) // 2)
        for start in range(capacity, len(copies), GRANT_BATCH_SIZE):
            batch = copies[start : start + GRANT_BATCH_SIZE]
            # Grants at the new name give access to nothing while no file has it: they may be
            # overwritten.
            self._db.commit([require_no_file(row.partition, row.name), *batch])
        self._db.commit([*writes, *copies[:capacity], *deletes[:capacity]])
        with suppress(Unavailable):  # the grants that remain are of a place that no file has
            self._db.commit_each(deletes[capacity:])

    def _changed_row(self, old: FileRow, request: FileChange, new_name: str) -> FileRow:
        provided = request.model_fields_set
        return old.model_copy(
            update={
                "name": new_name,
                "content_type": retyped(old.content_type, old.name, new_name),
                "rev": self._runtime.new_id(),
                "place": old.place if new_name == old.name else self._runtime.new_id(),
                "description": (
                    request.description if "description" in provided else old.description
                ),
                "tags": list(request.tags or ()) if "tags" in provided else old.tags,
            }
        )


def moved_grant(grant: Grant, row: FileRow, rev: str) -> Grant:
    """The same grant on the file's new name and place."""
    new = {"file": f"{row.partition}/{row.name}", "file_id": row.place_id, "rev": rev}
    return grant.model_copy(update=new)
