"""Completing an upload whose bytes are in S3: by its client, or by the news that they are there.

Whoever comes first makes the file, in the commit that also notes the answer on the upload's row;
whoever comes later, or again, is given that answer.
"""

import json

from function.access.callers import ActingAccount, Uploader
from function.access.policy import Access, Authentication, WriteAuthorization, needed_right
from function.audit.service import AuditTrail
from function.aws.s3 import Part, Stored
from function.aws.writes import Write
from function.base import Base
from function.core.errors import (
    ChangedMeanwhile,
    PreconditionFailed,
    Problem,
    TooLarge,
    Unavailable,
)
from function.core.limits import LARGEST
from function.core.models import Caller
from function.files.commit import FileWriter, WriteRequest, Written
from function.files.errors import FileExists, TypeNotAllowed
from function.files.models import FileObject, file_object
from function.tables.accounts import NOTHING, Load, account_in
from function.tables.audit import Action
from function.tables.requests import require_request
from function.tables.uploads import (
    UploadRow,
    Uploads,
    finish_upload,
    is_upload_id,
    upload_in,
    upload_key,
    upload_of,
)
from function.uploads.errors import NoSuchUpload, UploadIncomplete, UploadMismatch
from function.uploads.models import Received, SentPart
from function.uploads.parts import missing

Actor = Caller | ActingAccount | Uploader
MOST_NAMED = 100


class Done(Exception):
    """Somebody has completed it."""

    def __init__(self, row: UploadRow, answer: str) -> None:
        """The upload, and what was answered then: a FileObject as JSON."""
        super().__init__()
        self.row = row
        self.answer = answer


class CompletionService:
    """Makes files of uploads."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._access = base.one(Access)
        self._upload_rows = Uploads(base.db)
        self._bucket = base.bucket
        self._writer = base.one(FileWriter)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def complete(
        self, caller: Caller, upload_id: str, sent: list[SentPart] | None = None
    ) -> FileObject:
        """Makes the file, or answers as when it was made.

        Raises NoSuchUpload, UploadIncomplete, UploadMismatch, TooLarge, and what placing raises.
        """
        return self._complete(caller, caller.username, upload_id, sent)[1]

    def receive(
        self, sender: Uploader, upload_id: str, sent: list[SentPart] | None = None
    ) -> Received:
        """Makes the file for the owner of a request, and tells its sender no more than they said.

        Raises NoSuchRequest, and what `complete` raises.
        """
        row, file = self._complete(sender, sender.username, upload_id, sent)
        return Received(
            file_name=row.called, size=file.size, sha256=file.sha256, received=file.modified
        )

    def arrived(self, key: str) -> bool:
        """Completes the upload that put the object `key` there, for a client that never does.

        False when there is nothing to do, or when its client must decide: the upload then stays
        open, and expires. What comes after it was given up is removed. Raises Unavailable or
        ChangedMeanwhile, and then is to be tried again.
        """
        whose = upload_of(key)
        if whose is None:
            return False
        username, upload_id = whose
        row = self._upload_rows.find(username, upload_id)
        if row is None and self._upload_rows.is_abandoned(
            username, upload_id, key, self._runtime.now()
        ):
            self._bucket.delete(key)
        if row is None or row.object != key:
            return False
        who = (
            Uploader(row.request, row.owner, row.user_id, row.address, row.agent)
            if row.request
            else ActingAccount(username, row.user_id, row.address, row.agent)
        )
        try:
            self._complete(who, username, upload_id, None)
        except (Unavailable, ChangedMeanwhile):
            raise
        except Problem:
            return False
        return True

    def _complete(
        self, who: Actor, username: str, upload_id: str, sent: list[SentPart] | None
    ) -> tuple[UploadRow, FileObject]:
        try:
            row = self._find(who, username, upload_id)
            stored = self._stored(row, sent)
            if stored is None:
                self._find(who, username, upload_id)  # unless it has been given up meanwhile
                raise UploadIncomplete
            return row, self._place(who, username, row, stored)
        except Done as done:
            return done.row, as_answered(done.answer)

    def _find(self, who: Actor, username: str, upload_id: str) -> UploadRow:
        """The upload, still open. Raises Done, NoSuchUpload, NotSignedIn."""
        key = upload_key(username, upload_id)
        entry = self._access.authenticate(who, more=[key] if is_upload_id(upload_id) else [])
        return self._open(entry, username, upload_id)

    def _open(self, entry: Authentication, username: str, upload_id: str) -> UploadRow:
        row = upload_in(entry.rows, username, upload_id)
        if row is None or row.user_id != entry.account.id:
            raise NoSuchUpload
        if row.done is not None:
            raise Done(row, row.done)
        if row.expires_at <= self._runtime.now():
            raise NoSuchUpload
        owner = account_in(entry.rows, row.owner)
        if row.owner_id and owner and owner.id != row.owner_id:
            raise NoSuchUpload  # its room was reserved on an account that has gone
        return row

    def _stored(self, row: UploadRow, sent: list[SentPart] | None) -> Stored | None:
        """The whole object, as it was declared; None when there is none.

        Raises UploadIncomplete, UploadMismatch, TooLarge.
        """
        if row.multipart:
            self._join(row, row.multipart, sent)
        stored = self._bucket.head(row.object)
        if stored is None:
            return None
        wrong_size = row.size is not None and stored.size != row.size
        wrong_bytes = row.sha256 and stored.sha256 and stored.sha256 != row.sha256
        if wrong_size or wrong_bytes:
            self._refuse(row)
            raise UploadMismatch
        return stored

    def _refuse(self, row: UploadRow) -> None:
        if self._upload_rows.delete_unfinished(row):
            self._bucket.discard(row.object, row.multipart)

    def _join(self, row: UploadRow, multipart: str, sent: list[SentPart] | None) -> None:
        """Has S3 make one object of the parts, which it lists itself."""
        parts = self._bucket.list_parts(row.object, multipart)
        if parts is None:
            return  # joined before, by somebody who did not come to the end; the object tells
        named = chosen(row, parts, sent)
        lacking = missing(row, named)
        known = {(part.number, part.etag) for part in parts}
        strange = [p for p in sent or [] if (p.part_number, p.etag.strip('"')) not in known]
        if lacking or strange or not named:
            numbers = sorted({*lacking, *(part.part_number for part in strange)})
            raise UploadIncomplete(
                "Not all parts have arrived as they were sent.",
                errors=[{"at": f"part {n}", "reason": "missing"} for n in numbers[:MOST_NAMED]],
            )
        if sum(part.size for part in named) > LARGEST:
            raise TooLarge(f"A file has at most {LARGEST} bytes.")
        if not self._bucket.complete_multipart(row.object, multipart, named):
            raise UploadIncomplete

    def _place(self, who: Actor, username: str, row: UploadRow, stored: Stored) -> FileObject:
        def look() -> WriteAuthorization:
            return self._authorize(who, username, row)

        def also(placed: Written) -> list[Write]:
            answer = file_object(placed.row, placed.permission).model_dump_json()
            still = [require_request(row.request)] if row.request else []
            done: Action = "request.upload" if row.request else "file.upload"
            noted = self._audit.record(
                who, done, placed.row.name, owner=row.owner, subject=row.name
            )
            return [*finish_upload(row, answer), *still, noted]

        try:
            placed = self._writer.commit(
                look(), intent_of(row), stored, reload=look, extra_writes=also
            )
        except (TooLarge, TypeNotAllowed):  # what it is will not change
            self._refuse(row)
            raise
        except (FileExists, PreconditionFailed):
            look()  # what is in the way may be this very upload, completed meanwhile
            raise
        return file_object(placed.row, placed.permission)

    def _authorize(self, actor: Actor, username: str, row: UploadRow) -> WriteAuthorization:
        """The actor's right to make the file of an open upload. Raises what `_open` raises."""
        key = upload_key(username, row.name)

        def require_open(found: Authentication) -> None:
            self._open(found, username, row.name)

        if isinstance(actor, Uploader):
            found = self._access.authorize_uploader(actor, row.file_name, [key])
            require_open(found)
            return found
        need = needed_right(row.on_conflict)
        return self._access.authorize_write(
            actor, row.owner, row.file_name, need=need, more=[key], precheck=require_open
        )


def intent_of(row: UploadRow) -> WriteRequest:
    """What an upload wants, as it was begun."""
    return WriteRequest(
        file_name=row.file_name,
        content_type=row.content_type,
        on_conflict=row.on_conflict,
        if_match=row.if_match,
        if_none_match=row.if_none_match,
        description=row.description,
        tags=tuple(row.tags),
        request=row.request,
        sender=row.sender,
        reserved=Load(row.size or 0, 1) if row.owner_id else NOTHING,
    )


def as_answered(answer: str) -> FileObject:
    """The answer that was noted; a newer version may have noted more than this one knows."""
    noted = json.loads(answer)
    return FileObject.model_validate({n: noted[n] for n in noted.keys() & FileObject.model_fields})


def chosen(row: UploadRow, parts: list[Part], sent: list[SentPart] | None) -> list[Part]:
    """The parts that make the file: those its client names, where nobody knows how many."""
    if sent is None or row.size is not None:
        return parts
    numbers = {part.part_number for part in sent}
    return [part for part in parts if part.number in numbers]
