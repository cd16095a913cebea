"""Completing uploads whose bytes are in S3: by a request of the client, or by an event of S3.

One commit makes the file and records the answer on the upload's row. So an upload makes one file,
however many requests and events complete it: the first one commits, all others get its answer.
"""

import json

from function.access.callers import ActingAccount, Principal, Uploader
from function.access.errors import FileRequestClosed, QuotaExceeded
from function.access.policy import Access, Authentication, WriteAuthorization, needed_right
from function.access.releases import Releases
from function.audit.service import AuditLog
from function.aws.s3 import Part, Stored, WrongChecksum
from function.aws.writes import Write
from function.base import Base
from function.core.errors import (
    ChangedMeanwhile,
    PreconditionFailed,
    Problem,
    TooLarge,
    Unavailable,
)
from function.core.limits import MAX_FILE_BYTES
from function.core.models import Caller
from function.core.tokens import is_id
from function.files.commit import FileWriter, WriteRequest, Written
from function.files.errors import FileExists, TypeNotAllowed
from function.files.models import FileObject, file_object
from function.tables.accounts import account_in
from function.tables.audit import Action
from function.tables.requests import request_in, require_open_request
from function.tables.uploads import (
    UploadRow,
    Uploads,
    finish_upload,
    upload_in,
    upload_key,
    upload_of,
)
from function.tables.usage import NO_STORAGE, StorageAmount
from function.uploads.errors import NoSuchUpload, UploadIncomplete, UploadMismatch
from function.uploads.models import Received, SentPart
from function.uploads.parts import missing_parts, planned_part_size

# No later attempt can succeed with the same bytes.
FINAL = (TooLarge, TypeNotAllowed, QuotaExceeded)
MAX_LISTED_PARTS = 100  # in a problem's `errors`
ENCODED = "The file was sent with content-encoding. Start a new upload, and send it without."


class CompletionService:
    """Makes files of uploads."""

    def __init__(self, base: Base) -> None:
        self._access = base.one(Access)
        self._releases = base.one(Releases)
        self._upload_rows = Uploads(base.db)
        self._bucket = base.bucket
        self._writer = base.one(FileWriter)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def complete(
        self, caller: Caller, upload_id: str, sent_parts: list[SentPart] | None = None
    ) -> FileObject:
        """Makes the file of a caller's upload; a repeated call returns the first answer.

        Raises NoSuchUpload, UploadIncomplete, UploadMismatch, TooLarge, ChangedMeanwhile, and all
        that FileWriter.check raises.
        """
        return self._complete(caller, caller.username, upload_id, sent_parts)[1]

    def receive(
        self, uploader: Uploader, upload_id: str, sent_parts: list[SentPart] | None = None
    ) -> Received:
        """Makes the file of an upload to a file request, in the account of the request's owner.

        The answer has only what the uploader sent: the file's name may differ from theirs, and
        would tell them which files the owner has. Raises NoSuchFileRequest, FileRequestClosed,
        and what `complete` raises.
        """
        row, file = self._complete(uploader, uploader.username, upload_id, sent_parts)
        return Received(
            file_name=row.sent_name, size=file.size, sha256=file.sha256, received=file.modified
        )

    def complete_arrived(self, object_key: str) -> bool:
        """Completes the upload whose PUT has made an S3 object, whether or not its client does.

        Returns False when there is no such upload, or when only its client can solve the problem:
        then the upload stays in progress until it expires. An object that arrives after its upload
        was aborted is deleted. Raises Unavailable and ChangedMeanwhile: try again later.
        """
        ids = upload_of(object_key)
        if ids is None:
            return False
        username, upload_id = ids
        row = self._upload_rows.find(username, upload_id)
        if row is None and self._upload_rows.is_abandoned(
            username, upload_id, object_key, self._runtime.now()
        ):
            self._bucket.delete(object_key)
        if row is None or row.object != object_key:
            return False
        try:
            self._complete(_actor_of(row, username), username, upload_id, None)
        except (Unavailable, ChangedMeanwhile):
            raise
        except Problem:
            return False
        return True

    def _complete(
        self, actor: Principal, username: str, upload_id: str, sent_parts: list[SentPart] | None
    ) -> tuple[UploadRow, FileObject]:
        row = self._load(actor, username, upload_id)
        if row.done is None:
            if stored := self._whole_object(row, sent_parts):
                return row, self._commit(actor, username, row, stored)
            row = self._load(actor, username, upload_id)  # aborted or completed meanwhile?
            if row.done is None:
                raise UploadIncomplete
        return row, _recorded_answer(row.done)

    def _load(self, actor: Principal, username: str, upload_id: str) -> UploadRow:
        """The actor's upload, in progress or completed. Raises NoSuchUpload, NotSignedIn."""
        key = upload_key(username, upload_id)
        authentication = self._access.authenticate(actor, more=[key] if is_id(upload_id) else [])
        return self._own_upload(authentication, username, upload_id)

    def _own_upload(
        self, authentication: Authentication, username: str, upload_id: str
    ) -> UploadRow:
        row = upload_in(authentication.rows, username, upload_id)
        if row is None or row.user_id != authentication.account.id:
            raise NoSuchUpload
        if row.done is None and row.expires_at <= self._runtime.now():
            raise NoSuchUpload
        return row

    def _whole_object(self, row: UploadRow, sent_parts: list[SentPart] | None) -> Stored | None:
        """The upload's object in S3, compared with the declaration; None when there is none.

        Raises UploadIncomplete, UploadMismatch, TooLarge.
        """
        if row.multipart:
            self._join_parts(row, row.multipart, sent_parts)
        stored = self._bucket.head(row.object)
        if stored is None:
            return None
        wrong_size = row.size is not None and stored.size != row.size
        wrong_bytes = row.sha256 and stored.sha256 and stored.sha256 != row.sha256
        if wrong_size or wrong_bytes or stored.is_encoded:
            self._releases.discard(row)
            raise UploadMismatch(ENCODED if stored.is_encoded else "")
        return stored

    def _join_parts(
        self, row: UploadRow, multipart: str, sent_parts: list[SentPart] | None
    ) -> None:
        """Has S3 make one object of the parts that it lists."""
        listed = self._bucket.list_parts(row.object, multipart)
        if listed is None:
            return  # an earlier request has joined them and went no further; the object exists
        parts = _selected_parts(row, listed, sent_parts)
        missing = missing_parts(row, parts)
        known = {(part.number, part.etag) for part in parts}
        unknown = [
            part.part_number
            for part in sent_parts or []
            if (part.part_number, part.etag.strip('"')) not in known
        ]
        if missing or unknown or not parts:
            numbers = sorted({*missing, *unknown})[:MAX_LISTED_PARTS]
            raise UploadIncomplete(
                "Some parts are missing in S3, or differ from those that you sent.",
                errors=[{"at": f"part {number}", "reason": "missing"} for number in numbers],
            )
        size = sum(part.size for part in parts)
        if size > MAX_FILE_BYTES:
            raise TooLarge(f"A file has at most {MAX_FILE_BYTES} bytes.")
        if row.size is not None and size < row.size:
            raise UploadIncomplete(f"The parts have {size} of {row.size} bytes; send the others.")
        try:
            if not self._bucket.complete_multipart(row.object, multipart, parts, row.crc64nvme):
                raise UploadIncomplete
        except WrongChecksum:
            self._releases.discard(row)
            raise UploadMismatch from None

    def _commit(
        self, actor: Principal, username: str, row: UploadRow, stored: Stored
    ) -> FileObject:
        """Commits the file together with the record of its answer.

        The condition on the upload's row holds once; all others get the recorded answer.
        """

        def reload() -> WriteAuthorization:
            return self._authorize(actor, username, row)

        def extra_writes(written: Written) -> list[Write]:
            return self._completion_writes(actor, row, written)

        try:
            written = self._writer.commit(
                reload(), _write_request(row), stored, reload=reload, extra_writes=extra_writes
            )
        except (*FINAL, FileExists, PreconditionFailed, NoSuchUpload) as problem:
            if isinstance(problem, FINAL) and self._releases.discard(row):
                raise
            # Another request may have completed it meanwhile, and made the file in the way.
            latest = self._load(actor, username, row.name)
            if latest.done is None:
                raise
            return _recorded_answer(latest.done)
        return file_object(written.row, written.permission)

    def _authorize(self, actor: Principal, username: str, row: UploadRow) -> WriteAuthorization:
        """The actor's right to make the file now.

        Raises NoSuchFile, FileRequestClosed, and before them NoSuchUpload if the upload is not in
        progress any more.
        """
        key = upload_key(username, row.name)

        def require_in_progress(found: Authentication) -> None:
            if self._own_upload(found, username, row.name).done is not None:
                raise NoSuchUpload
            owner = account_in(found.rows, row.owner)
            if row.owner_id and owner and owner.id != row.owner_id:
                raise NoSuchUpload  # its size is reserved on an earlier account of this username

        if isinstance(actor, Uploader):
            found = self._access.authorize_uploader(actor, row.file_name, [key])
            require_in_progress(found)
            request = request_in(found.rows, actor.request, self._runtime.now())
            if request is None or not request.open:
                raise FileRequestClosed
            return found
        need = needed_right(row.on_conflict)
        return self._access.authorize_write(
            actor, row.owner, row.file_name, need=need, more=[key], precheck=require_in_progress
        )

    def _completion_writes(self, actor: Principal, row: UploadRow, written: Written) -> list[Write]:
        """The writes that belong to the file's commit: the answer, and the audit record."""
        answer = file_object(written.row, written.permission).model_dump_json()
        action: Action = "request.upload" if row.request else "file.upload"
        audit_write = self._audit.record(
            actor, action, written.row.name, owner=row.owner, subject=row.name
        )
        open_request = [require_open_request(row.request)] if row.request else []
        return [*finish_upload(row, answer), *open_request, audit_write]


def _actor_of(row: UploadRow, username: str) -> ActingAccount | Uploader:
    """The account or the uploader to a file request that created an upload."""
    if row.request:
        return Uploader(row.request, row.owner, row.user_id, row.address, row.agent)
    return ActingAccount(username, row.user_id, row.address, row.agent)


def _write_request(row: UploadRow) -> WriteRequest:
    """The file that an upload makes, as it was declared when the upload was created."""
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
        reserved=StorageAmount(row.size or 0, 1) if row.owner_id else NO_STORAGE,
    )


def _recorded_answer(answer: str) -> FileObject:
    """The answer of the first completion. A newer release may have recorded fields unknown here."""
    fields = json.loads(answer)
    known = fields.keys() & FileObject.model_fields
    return FileObject.model_validate({name: fields[name] for name in known})


def _selected_parts(
    row: UploadRow, listed: list[Part], sent_parts: list[SentPart] | None
) -> list[Part]:
    """The parts that make the file: all, or those that the client names if it cuts them itself."""
    if sent_parts is None or planned_part_size(row) is not None:
        return listed
    numbers = {part.part_number for part in sent_parts}
    return [part for part in listed if part.number in numbers]
