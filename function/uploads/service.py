"""Uploads whose bytes the client sends to S3 itself: create, sign parts, status, list, abort.

An upload is a row in the table files and, for parts, a multipart upload in S3. This service keeps
no other state, so any client can resume an upload with what `GET /uploads/{id}` answers.
"""

from collections.abc import Iterable, Mapping

from function.access.callers import Uploader
from function.access.policy import Access, WriteAuthorization, needed_right
from function.access.releases import Releases
from function.audit.service import AuditLog
from function.aws.rows import Key
from function.aws.s3 import Part
from function.aws.writes import Write
from function.base import Base
from function.core.errors import Invalid
from function.core.fields import UploadMethod
from function.core.idempotency import IdempotentRequest
from function.core.limits import (
    FILE_REQUEST_UPLOAD_SECONDS,
    UNSIZED_UPLOAD_SECONDS,
    UPLOAD_SECONDS,
    URL_SECONDS,
)
from function.core.media_types import guessed_type
from function.core.models import Caller
from function.core.paging import Page, PageQuery, Paging
from function.core.runtime import iso
from function.core.tokens import is_id
from function.files.commit import FileWriter, WriteRequest
from function.idempotency.creation import Creation, created_earlier
from function.tables.accounts import Account, require_account_unchanged
from function.tables.reservations import UPLOADS, held_key, held_upload, reservations_on
from function.tables.uploads import (
    UploadRow,
    Uploads,
    create_upload,
    object_key,
    upload_in,
    upload_key,
)
from function.tables.usage import StorageAmount, reserve_room
from function.uploads.allowance import Allowance
from function.uploads.errors import NoSuchUpload
from function.uploads.models import (
    ArrivedPart,
    PutOrder,
    SignedPart,
    SignedParts,
    UploadSpec,
    UploadView,
)
from function.uploads.parts import (
    checksum_of_parts,
    choose_method,
    choose_part_size,
    curl_complete,
    curl_multipart,
    curl_put,
    method_of,
    missing_parts,
    part_length,
    parts_of_object,
    planned_part_size,
    require_signable,
    require_verifiable,
    total_parts,
)

# Beyond the first read, a page of the list skips finished uploads in at most two more.
SKIP_SIZE, SKIP_READS = 1000, 2


class UploadService:
    """Creates uploads and manages them until they are completed."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._allowance = base.one(Allowance)
        self._releases = base.one(Releases)
        self._upload_rows = Uploads(base.db)
        self._bucket = base.bucket
        self._writer = base.one(FileWriter)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def create(
        self,
        caller: Caller,
        spec: UploadSpec,
        base_url: str,
        method: UploadMethod | None = None,
        idempotent: IdempotentRequest | None = None,
    ) -> UploadView:
        """Creates an upload and reserves its size in the owner's quota.

        Rights and conditions are checked now, and again when the upload is completed. `method` is
        chosen by the size; a client that gives it cuts the parts itself.
        Raises TooLarge, IdempotencyKeyReused, IdempotencyKeySpent, and all that FileWriter.check
        raises.
        """
        prepared: UploadRow | None = None
        creation = Creation(self._runtime, caller, idempotent)

        def plan() -> tuple[list[Write], UploadRow]:
            nonlocal prepared
            authorization = self._authorize(caller, spec, creation.keys)
            if earlier := creation.find_earlier(authorization):
                with created_earlier():
                    return [], self._find(caller, earlier.id)[0]
            self._check(authorization, spec)
            prepared = prepared or self.prepare(caller, authorization.account.id, spec, method)
            upload = prepared.model_copy(update={"owner_id": authorization.owner.id})
            writes = self._creating_writes(authorization, upload)
            return [*writes, *creation.record(authorization.account, upload.name)], upload

        return self.describe(self._db.transact(plan), base_url)

    def prepare(
        self,
        uploader: Caller | Uploader,
        user_id: str,
        spec: UploadSpec,
        method: UploadMethod | None = None,
    ) -> UploadRow:
        """Begins the multipart upload in S3, if the file takes parts, and returns the upload's row.

        The caller commits the row (`create_upload`). `user_id` is the id of the account that owns
        the upload: the uploader's, or that of the file request's owner. Raises TooLarge, Invalid.
        """
        part_size = choose_part_size(spec.size or 0)
        is_single = (method or spec.method or choose_method(spec.size)) == "put"
        require_verifiable(spec, is_single=is_single)
        row = self._new_row(uploader, user_id, spec, is_single=is_single)
        if is_single:
            return row
        if method is None:
            row = row.model_copy(update={"part_size": part_size})
        return row.model_copy(
            update={
                "multipart": self._bucket.create_multipart(
                    row.object, row.content_type, checksum_of_parts(row)
                )
            }
        )

    def sign_parts(
        self, caller: Caller | Uploader, upload_id: str, hashes: Mapping[int, str | None]
    ) -> SignedParts:
        """Presigned URLs for parts, each bound to the part's size and SHA-256.

        `hashes` has the SHA-256 in hexadecimal by the number of the part; None, where the upload
        began without.
        Parts that the client cuts itself are signed while their sum can fit (`Allowance`).
        Raises NoSuchUpload, Invalid, TooLarge, QuotaExceeded, TypeNotAllowed.
        """
        row, account = self._find(caller, upload_id)
        if row.multipart is None:
            raise Invalid(errors=[{"at": "body.part_numbers", "reason": "the upload is one PUT"}])
        require_signable(row, hashes)
        if self._allowance.limits(row, account):
            self._allowance.require_fits(row, account, self._arrived_parts(row), set(hashes))
        expires_at = iso(self._runtime.now() + URL_SECONDS)
        parts = []
        for number, sha256 in hashes.items():
            size = part_length(row, number)
            url, headers = self._bucket.presign_part(
                row.object, row.multipart, number, size, sha256, URL_SECONDS
            )
            parts.append(
                SignedPart(
                    part_number=number, url=url, size=size, headers=headers, expires_at=expires_at
                )
            )
        return SignedParts(parts=parts)

    def status(self, caller: Caller | Uploader, upload_id: str, base_url: str) -> UploadView:
        """An upload with the numbers of its arrived and missing parts. Raises NoSuchUpload."""
        row, _ = self._find(caller, upload_id)
        listed = self._listed_parts(row)
        parts = self._parts_of_object(row) if listed is None else listed
        numbers = {
            "arrived": [part.number for part in parts],
            "missing": missing_parts(row, parts),
            "parts": None if listed is None else [_arrived(part) for part in listed],
        }
        return self.describe(row, base_url).model_copy(update=numbers)

    def list_parts(self, caller: Caller | Uploader, upload_id: str) -> list[Part]:
        """The parts that S3 has, in order; one PUT is one part. Raises NoSuchUpload."""
        return self._arrived_parts(self._find(caller, upload_id)[0])

    def list_uploads(self, caller: Caller, page: PageQuery) -> Page[UploadView]:
        """A page of the caller's uploads in progress.

        The rows of completed uploads stay for days and are skipped. After `SKIP_READS` reads of
        them the page ends, shorter than `limit`, so that no request reads them all.
        Raises InvalidCursor.
        """
        account = self._access.authenticate(caller).account
        paging = Paging(page, account.id, UPLOADS)
        after, limit = paging.after, paging.limit
        found: list[UploadRow] = []
        for read_size in (limit + 1, *[SKIP_SIZE] * SKIP_READS):
            rows, more = self._upload_rows.list_uploads(
                caller.username, after=after, limit=read_size
            )
            after = rows[-1].name if rows else after
            found += [row for row in rows if self._is_in_progress(row, account.id)]
            if not more or len(found) > limit:
                break
        last = found[limit - 1].name if len(found) > limit else after if more else None
        return paging.page(map(_summary, found[:limit]), last)

    def list_held(self, caller: Caller, page: PageQuery) -> Page[UploadView]:
        """A page of the uploads of others that reserve room on the caller's account.

        A page may be shorter than `limit`. Raises InvalidCursor.
        """
        account = self._access.authenticate(caller).account
        paging = Paging(page, account.id, f"{UPLOADS} held")
        rows, last = self._upload_rows.list_reserving(
            reservations_on(account.username), after=paging.after, limit=paging.limit
        )
        own = [row for row in rows if row.owner_id == account.id]
        return paging.page(map(_held, own), last)

    def abort(self, caller: Caller | Uploader, upload_id: str) -> None:
        """Deletes an upload and the bytes that have arrived; an owner's, also that of another.

        Raises NoSuchUpload.
        """
        if not self._releases.discard(self._find_to_abort(caller, upload_id)):
            raise NoSuchUpload

    def _find_to_abort(self, caller: Caller | Uploader, upload_id: str) -> UploadRow:
        """The caller's upload, or another's to the caller's files. Raises NoSuchUpload."""
        keys = [upload_key(caller.username, upload_id), held_key(caller.username, upload_id)]
        found = self._access.authenticate(caller, more=keys if is_id(upload_id) else [])
        row = upload_in(found.rows, caller.username, upload_id)
        if row and self._is_in_progress(row, found.account.id):
            return row
        held = held_upload(found.rows, caller.username, upload_id)
        row = self._upload_rows.find_at(held) if held else None
        if row is None or row.owner_id != found.account.id or row.done is not None:
            raise NoSuchUpload
        return row

    def describe(self, row: UploadRow, base_url: str) -> UploadView:
        """An upload with the way to send it: a presigned PUT, and a curl line where one does it."""
        view = _summary(row)
        if row.multipart is None:
            url, headers = self._bucket.presign_put(
                row.object,
                row.content_type,
                row.size,
                URL_SECONDS,
                sha256=row.sha256,
                crc64nvme=row.crc64nvme,
            )
            expires_at = iso(self._runtime.now() + URL_SECONDS)
            put = PutOrder(url=url, headers=headers, expires_at=expires_at)
            line = f"{curl_put(row.file_name, url, headers)} && {curl_complete(row, base_url)}"
            return view.model_copy(update={"put": put, "curl": line})
        if planned_part_size(row) is None or row.part_checksum:
            return view
        return view.model_copy(update={"curl": curl_multipart(row, base_url)})

    def _authorize(
        self, caller: Caller, spec: UploadSpec, more: Iterable[Key]
    ) -> WriteAuthorization:
        """The caller's right to put the file. Reads `more` in the same read."""
        need = needed_right(spec.on_conflict)
        return self._access.authorize_write(
            caller, spec.username, spec.file_name, need=need, more=more
        )

    def _check(self, authorization: WriteAuthorization, spec: UploadSpec) -> None:
        """Checks that a commit would be allowed now."""
        request = WriteRequest(
            file_name=spec.file_name,
            content_type="",
            on_conflict=spec.on_conflict,
            if_match=spec.if_match,
            if_none_match=spec.if_none_match,
        )
        self._writer.check(authorization, request, spec.size or 0)

    def _creating_writes(self, found: WriteAuthorization, upload: UploadRow) -> list[Write]:
        """The writes that create an upload, reserve its size and require the right to it."""
        account, owner = found.account, found.owner
        storage = StorageAmount(upload.size or 0, 1)
        writes = [
            *create_upload(upload),
            reserve_room(owner.username, owner.id, storage, owner),
            *self._audit.quota_warning(owner, storage),
            *found.required_checks,
        ]
        if account.id != owner.id:
            # What ends the right looks for its reservations afterwards: none may come later.
            writes.append(require_account_unchanged(account))
        return writes

    def _new_row(
        self, uploader: Caller | Uploader, user_id: str, spec: UploadSpec, *, is_single: bool
    ) -> UploadRow:
        owner, upload_id = spec.username or uploader.username, self._runtime.new_id()
        now = self._runtime.now()
        lifetime = UNSIZED_UPLOAD_SECONDS if spec.size is None else UPLOAD_SECONDS
        if isinstance(uploader, Uploader):
            lifetime = FILE_REQUEST_UPLOAD_SECONDS
        fields = spec.model_dump(exclude={"username", "content_type", "method"})
        return UploadRow(
            **fields,
            partition=upload_key(uploader.username, upload_id).partition,
            name=upload_id,
            user_id=user_id,
            owner=owner,
            object=object_key(owner, uploader.username, upload_id, single=is_single),
            content_type=spec.content_type or guessed_type(spec.file_name),
            created=iso(now),
            expires_at=int(now) + lifetime,
            rev=self._runtime.new_id(),
            address=uploader.address,
            agent=uploader.agent,
        )

    def _find(self, caller: Caller | Uploader, upload_id: str) -> tuple[UploadRow, Account]:
        """The caller's upload in progress, and the caller's account. Raises NoSuchUpload."""
        key = upload_key(caller.username, upload_id)
        authentication = self._access.authenticate(caller, more=[key] if is_id(upload_id) else [])
        row = upload_in(authentication.rows, caller.username, upload_id)
        if row is None or not self._is_in_progress(row, authentication.account.id):
            raise NoSuchUpload
        return row, authentication.account

    def _is_in_progress(self, row: UploadRow, account_id: str) -> bool:
        """Whether an upload is this account's, and neither completed nor expired."""
        is_mine = row.user_id == account_id
        return is_mine and row.done is None and row.expires_at > self._runtime.now()

    def _arrived_parts(self, row: UploadRow) -> list[Part]:
        """The parts that S3 has, joined or not; one PUT is one part."""
        parts = self._listed_parts(row)
        return self._parts_of_object(row) if parts is None else parts

    def _listed_parts(self, row: UploadRow) -> list[Part] | None:
        """The parts as S3 lists them; one PUT is one part. None when S3 has joined them."""
        if row.multipart is None:
            return self._parts_of_object(row)
        return self._bucket.list_parts(row.object, row.multipart)

    def _parts_of_object(self, row: UploadRow) -> list[Part]:
        stored = self._bucket.head(row.object)
        return parts_of_object(row, stored) if stored else []


def _summary(row: UploadRow) -> UploadView:
    """An upload without URLs."""
    return UploadView(
        upload_id=row.name,
        file_name=row.sent_name,
        owner=row.owner,
        size=row.size,
        method=method_of(row),
        part_size=planned_part_size(row),
        total_parts=total_parts(row),
        created=row.created,
        expires_at=iso(row.expires_at),
    )


def _arrived(part: Part) -> ArrivedPart:
    return ArrivedPart(part_number=part.number, size=part.size, etag=part.etag, sha256=part.sha256)


def _held(row: UploadRow) -> UploadView:
    """Another's upload, as the owner of the files sees it."""
    holder = {
        "uploader": None if row.request else row.partition.removesuffix(f"/{UPLOADS}"),
        "request": row.request,
        "sender": row.sender,
    }
    return _summary(row).model_copy(update=holder | {"file_name": row.file_name})
