"""File requests as uploaders see them: people with the token, and without an account.

An uploader creates uploads and continues them, and learns nothing about the owner's files. The
commit that creates an upload reserves a slot in the file request and room in the owner's quota; the
commit that completes or removes the upload releases what is not used.
"""

from contextlib import suppress
from dataclasses import replace

from function.access.callers import Uploader
from function.access.errors import FileRequestClosed, NoSuchFileRequest
from function.access.policy import Access
from function.access.quotas import require_room
from function.audit.service import AuditLog
from function.aws.writes import Write
from function.base import Base
from function.core.errors import Contended, Invalid, InvalidName, Problem, TooLarge, Unavailable
from function.core.media_types import PLAIN_BYTES, is_allowed, type_of
from function.core.names import NAME_BYTES, NAME_LEVELS, SUFFIX_BYTES, is_too_deep, levels_of
from function.core.roles import ROLES, may
from function.core.runtime import iso
from function.core.tokens import is_shared_token, token_hash
from function.public.models import Unlocked
from function.public.unlock import Gated, PasswordGate
from function.requests.errors import FileRequestFull
from function.requests.models import FileRequestUpload, PublicFileRequest
from function.tables.accounts import Account
from function.tables.requests import RequestRow, Requests, request_in, reserve_slot
from function.tables.uploads import UploadRow, create_upload
from function.tables.usage import StorageAmount, reserve_room
from function.uploads.models import UploadSpec, UploadView
from function.uploads.service import UploadService

OWNER_ROLES = [role for role in ROLES if may(role, "share")]


class PublicFileRequestService:
    """Shows file requests to uploaders and creates their uploads."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._requests = Requests(base.db)
        self._uploads = base.one(UploadService)
        self._bucket = base.bucket
        self._gate = base.one(PasswordGate)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def uploader(self, token: str, address: str, agent: str) -> Uploader:
        """The uploader with this token; the services that it acts by authenticate it.

        Raises NoSuchFileRequest, SlowDown.
        """
        return replace(_uploader_of(self._find(token, address)), address=address, agent=agent)

    def show(self, token: str, access_token: str | None, address: str) -> PublicFileRequest:
        """A file request, for an access token if it has a password.

        Raises NoSuchFileRequest, FileRequestClosed, PasswordRequired, SlowDown.
        """
        row = self._find_open(token, address)
        self._gate.verify(_gated_file_request(row), access_token)
        return public_file_request(row)

    def unlock(self, token: str, password: str | None, address: str) -> Unlocked:
        """An access token for the right password.

        Raises NoSuchFileRequest, FileRequestClosed, WrongPassword, SlowDown.
        """
        row = self._find_open(token, address)
        access_token = self._gate.unlock(_gated_file_request(row), password, address)
        return Unlocked(grant=access_token.text, expires_at=iso(access_token.expires_at))

    def create_upload(
        self, token: str, request: FileRequestUpload, base_url: str, address: str, agent: str
    ) -> UploadView:
        """Creates an upload and reserves a slot for it.

        Raises NoSuchFileRequest, FileRequestClosed, FileRequestFull, PasswordRequired, Invalid,
        InvalidName, TooLarge, QuotaExceeded, SlowDown, ChangedMeanwhile.
        """
        row = self._find(token, address)
        try:
            self._require_accepts(row, request)
        except Problem:
            # Of a disabled or deleted owner an uploader learns nothing but NoSuchFileRequest.
            self._access.authenticate(_uploader_of(row))
            raise
        spec = UploadSpec(
            file_name=row.folder + request.file_name,
            username=row.owner,
            content_type=type_of(request.file_name, request.content_type) or PLAIN_BYTES,
            on_conflict="rename",
            **request.model_dump(include={"size", "sha256", "crc64nvme", "part_checksum"}),
        )
        uploader = replace(_uploader_of(row), address=address, agent=agent)
        upload = self._uploads.prepare(uploader, row.owner_id, spec)
        try:
            upload = self._reserve(row, upload, request)
        except Problem as error:
            # Without an answer the commit may have happened: then the upload must keep its bytes.
            if isinstance(error, Contended) or not isinstance(error, Unavailable):
                with suppress(Unavailable):
                    self._bucket.discard(upload.object, upload.multipart)
            raise
        return self._uploads.describe(upload, f"{base_url}/r/{token}")

    def _reserve(
        self, found: RequestRow, upload: UploadRow, request: FileRequestUpload
    ) -> UploadRow:
        """Commits an upload with its slot in the file request and its room in the owner's quota.

        The first attempt does without reading the owner: its commit has the conditions that the
        file request is as it was found, and that the owner may share and has no quota. Later
        attempts read both. Raises what `create_upload` raises.
        """
        unread = [found]
        storage = StorageAmount(request.size, 1)

        def plan() -> tuple[list[Write], UploadRow]:
            owner: Account | None = None
            if unread:
                row = unread.pop()
            else:
                row, owner = self._reread(found)
                self._require_accepts(row, request)
                require_room(owner, storage)
            created = self._with_file_request(upload, row, request)
            return [
                *create_upload(created),
                reserve_slot(row, request.size),
                reserve_room(row.owner, row.owner_id, storage, owner, OWNER_ROLES),
                *(self._audit.quota_warning(owner, storage) if owner else []),
            ], created

        return self._db.transact(plan)

    def _with_file_request(
        self, upload: UploadRow, row: RequestRow, request: FileRequestUpload
    ) -> UploadRow:
        return upload.model_copy(
            update={
                "rev": self._runtime.new_id(),
                "file_name": row.folder + request.file_name,
                "request": row.id,
                "owner_id": row.owner_id,
                "folder": row.folder,
                "sender": request.sender,
            }
        )

    def _find(self, token: str, address: str) -> RequestRow:
        """The file request with this token. Raises NoSuchFileRequest, SlowDown."""
        row = None
        if is_shared_token(token):
            row = self._requests.find(token_hash(token), self._runtime.now())
        if row is None:
            self._gate.count_miss(address)
            raise NoSuchFileRequest
        return row

    def _find_open(self, token: str, address: str) -> RequestRow:
        """The same, if it and its owner are active. Raises FileRequestClosed as well."""
        row, _ = self._reread(self._find(token, address))
        self._require_open(row)
        return row

    def _reread(self, row: RequestRow) -> tuple[RequestRow, Account]:
        """The file request and its owner as they are now. Raises NoSuchFileRequest."""
        authentication = self._access.authenticate(_uploader_of(row))
        current = request_in(authentication.rows, row.id, self._runtime.now())
        if current is None:
            raise NoSuchFileRequest
        return current, authentication.account

    def _require_open(self, row: RequestRow) -> None:
        if not row.open or (row.ends is not None and row.ends <= self._runtime.now()):
            raise FileRequestClosed

    def _require_accepts(self, row: RequestRow, request: FileRequestUpload) -> None:
        """Raises FileRequestClosed, PasswordRequired, FileRequestFull, and as `require_allowed`."""
        self._require_open(row)
        self._gate.verify(_gated_file_request(row), request.grant)
        if row.require_name and request.sender is None:
            raise Invalid(errors=[{"at": "body.sender", "reason": "give your name"}])
        require_allowed(row, request)
        left = public_file_request(row)
        if left.files_left == 0:
            raise FileRequestFull
        if left.bytes_left is not None and request.size > left.bytes_left:
            raise FileRequestFull


def public_file_request(row: RequestRow) -> PublicFileRequest:
    """A file request as uploaders see it."""
    files, total = row.max_files, row.max_total_size
    return PublicFileRequest(
        title=row.title,
        owner=row.owner,
        expires_at=None if row.ends is None else iso(row.ends),
        max_file_size=row.max_file_size,
        files_left=None if files is None else max(0, files - row.files),
        bytes_left=None if total is None else max(0, total - row.bytes),
        allowed_types=row.allowed_types,
        needs_password=row.password is not None,
        require_name=row.require_name,
    )


def require_allowed(row: RequestRow, request: FileRequestUpload) -> None:
    """Checks the name, the type and the size of a file. Raises InvalidName, Invalid, TooLarge."""
    at, name = "body.file_name", row.folder + request.file_name
    if len(name.encode()) > NAME_BYTES:
        limit = NAME_BYTES - len(row.folder.encode())
        raise InvalidName(errors=[{"at": at, "reason": f"must have at most {limit} bytes"}])
    if is_too_deep(name):
        limit = NAME_LEVELS - levels_of(row.folder)
        raise InvalidName(errors=[{"at": at, "reason": f"must have at most {limit} levels"}])
    # A file whose name is taken is renamed, for which its folders must leave room.
    if len(name.rpartition("/")[0].encode()) > NAME_BYTES - SUFFIX_BYTES:
        raise InvalidName(errors=[{"at": at, "reason": "must have shorter folder names"}])
    if row.allowed_types and not is_allowed(
        row.allowed_types, request.file_name, request.content_type
    ):
        reason = f"must be one of: {', '.join(row.allowed_types)}"
        raise Invalid(errors=[{"at": at, "reason": reason}])
    if row.max_file_size is not None and request.size > row.max_file_size:
        raise TooLarge(f"This file request takes files of at most {row.max_file_size} bytes each.")


def _uploader_of(row: RequestRow) -> Uploader:
    return Uploader(row.id, row.owner, row.owner_id)


def _gated_file_request(row: RequestRow) -> Gated:
    """A file request as the password gate sees it."""
    return Gated(f"request:{row.id}", row.signing_key, row.password)
