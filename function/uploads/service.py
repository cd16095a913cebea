"""Uploads that go straight to S3: planning, signing, looking at what has arrived, giving up.

State lives on the uploader's shelf and in S3, never here, so any client may go on at any time from
what `GET /uploads/{id}` says.
"""

from function.access.callers import Uploader
from function.access.policy import Access, needed_right
from function.audit.service import AuditTrail
from function.aws.dynamodb import ConditionFailed
from function.aws.s3 import Part
from function.base import Base
from function.core.cursors import seal, unseal
from function.core.errors import Invalid
from function.core.fields import MAX_PARTS, UploadMethod
from function.core.limits import SENT_SECONDS, UPLOAD_SECONDS, URL_SECONDS
from function.core.media_types import guessed_type
from function.core.models import Caller
from function.core.runtime import iso
from function.files.commit import FileWriter, WriteRequest
from function.tables.accounts import Account, Load, reserve_room
from function.tables.uploads import (
    UPLOADS,
    UploadRow,
    Uploads,
    is_upload_id,
    object_key,
    upload_in,
    upload_key,
)
from function.uploads import parts as uploads_parts
from function.uploads.errors import NoSuchUpload
from function.uploads.models import PutOrder, SignedPart, SignedParts, UploadSpec, UploadView
from function.uploads.parts import (
    length_of,
    method_of,
    missing,
    part_size_of,
    parts_in,
    parts_of,
    way_of,
)

PASSED_AT_ONCE, PASSES = 1000, 2


class UploadService:
    """Uploads in progress."""

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

    def start(
        self, caller: Caller, wish: UploadSpec, base: str, method: UploadMethod | None = None
    ) -> UploadView:
        """Plans an upload, decided on as things stand now, and again when it is completed.

        `method` is chosen by the size unless it is given. Raises TooLarge and what placing raises.
        """
        uploader, owner = self._authorise(caller, wish)
        row = self.begin(caller, uploader.id, wish, method)
        row = row.model_copy(update={"owner_id": owner.id})
        load = Load(wish.size or 0, 1)
        for attempt in self._runtime.attempts():
            if attempt:
                _, owner = self._authorise(caller, wish)
            row = row.model_copy(update={"rev": self._runtime.new_id()})
            try:
                held = reserve_room(owner.username, owner.id, load, owner)
                self._upload_rows.create(row, [held, *self._audit.quota_warning(owner, load)])
            except ConditionFailed:
                continue
            return self.view(row, base)
        raise AssertionError

    def begin(
        self,
        who: Caller | Uploader,
        user_id: str,
        wish: UploadSpec,
        method: UploadMethod | None = None,
    ) -> UploadRow:
        """An upload that S3 is ready for and that nobody has noted yet. Raises TooLarge."""
        row = self._plan(user_id, who, wish, method)
        if row.part_size is None:
            return row
        begun = self._bucket.create_multipart(row.object, row.content_type)
        return row.model_copy(update={"multipart": begun})

    def _authorise(self, caller: Caller, wish: UploadSpec) -> tuple[Account, Account]:
        """The uploader and the owner, if the upload could be placed as things stand."""
        entry = self._access.authorize_write(
            caller, wish.username, wish.file_name, need=needed_right(wish.on_conflict)
        )
        intent = WriteRequest(
            file_name=wish.file_name,
            content_type="",
            on_conflict=wish.on_conflict,
            if_match=wish.if_match,
            if_none_match=wish.if_none_match,
        )
        self._writer.check(entry, intent, wish.size or 0)
        return entry.account, entry.owner

    def _plan(
        self, user_id: str, who: Caller | Uploader, wish: UploadSpec, method: UploadMethod | None
    ) -> UploadRow:
        """The upload's row, with its way through S3 chosen."""
        part_size = part_size_of(wish.size)
        single = (method or way_of(wish.size)) == "put"
        owner, upload_id = wish.username or who.username, self._runtime.new_id()
        now = self._runtime.now()
        lifetime = SENT_SECONDS if isinstance(who, Uploader) else UPLOAD_SECONDS
        return UploadRow(
            shelf=upload_key(who.username, upload_id).partition,
            name=upload_id,
            user_id=user_id,
            owner=owner,
            file_name=wish.file_name,
            object=object_key(owner, who.username, upload_id, single=single),
            content_type=wish.content_type or guessed_type(wish.file_name),
            on_conflict=wish.on_conflict,
            created=iso(now),
            expires_at=int(now) + lifetime,
            rev=self._runtime.new_id(),
            size=wish.size,
            part_size=None if single else part_size,
            sha256=wish.sha256,
            if_match=wish.if_match,
            if_none_match=wish.if_none_match,
            description=wish.description,
            tags=list(wish.tags),
            address=who.address,
            agent=who.agent,
        )

    def sign(self, caller: Caller | Uploader, upload_id: str, numbers: list[int]) -> SignedParts:
        """Addresses for parts, each bound to its length. Raises NoSuchUpload, Invalid."""
        row = self.find(caller, upload_id)
        total = parts_in(row) or MAX_PARTS
        if row.multipart is None or max(numbers) > total:
            reason = f"the upload has {total} parts" if row.multipart else "it goes in one PUT"
            raise Invalid(errors=[{"at": "body.part_numbers", "reason": reason}])
        until = iso(self._runtime.now() + URL_SECONDS)
        parts = [
            SignedPart(
                part_number=number,
                url=self._bucket.presign_part(
                    row.object, row.multipart, number, length_of(row, number), URL_SECONDS
                ),
                size=length_of(row, number),
                expires_at=until,
            )
            for number in dict.fromkeys(numbers)
        ]
        return SignedParts(parts=parts)

    def status(self, caller: Caller | Uploader, upload_id: str, base: str) -> UploadView:
        """What has arrived and what is missing. Raises NoSuchUpload."""
        row = self.find(caller, upload_id)
        parts = self.arrived(row)
        view = {"arrived": [part.number for part in parts], "missing": missing(row, parts)}
        return self.view(row, base).model_copy(update=view)

    def arrived(self, row: UploadRow) -> list[Part]:
        """The parts that S3 has, joined or not; one PUT is a file of one part."""
        parts = self._bucket.list_parts(row.object, row.multipart) if row.multipart else None
        if parts is not None:
            return parts
        stored = self._bucket.head(row.object)
        return parts_of(row, stored) if stored else []

    def page(
        self, caller: Caller, limit: int, cursor: str | None, base: str
    ) -> tuple[list[UploadView], str | None]:
        """The caller's uploads in progress, and the cursor of the next page.

        What is complete stays on the shelf for days: past much of it a page ends early.
        """
        account = self._access.authenticate(caller).account
        after = (unseal(cursor, account.id, UPLOADS) or [""])[0]
        found: list[UploadRow] = []
        for at_once in (limit + 1, *[PASSED_AT_ONCE] * PASSES):
            rows, more = self._upload_rows.list_uploads(caller.username, after=after, limit=at_once)
            after = rows[-1].name if rows else after
            found += [row for row in rows if self.open(row, account.id)]
            if not more or len(found) > limit:
                break
        end = found[limit - 1].name if len(found) > limit else after if more else None
        views = [self.view(row, base, whole=False) for row in found[:limit]]
        return views, end and seal([end], account.id, UPLOADS)

    def abort(self, caller: Caller | Uploader, upload_id: str) -> None:
        """Gives an upload up, and removes what has arrived of it. Raises NoSuchUpload.

        The row goes first: without it nobody can complete what is being removed. It stays on the
        list of what falls due, for an address that was given out may bring bytes even now.
        """
        row = self.find(caller, upload_id)
        if not self._upload_rows.delete_unfinished(row):
            raise NoSuchUpload
        self._bucket.discard(row.object, row.multipart)

    def find(self, caller: Caller | Uploader, upload_id: str) -> UploadRow:
        """An upload of the caller's that is in progress. Raises NoSuchUpload."""
        key = upload_key(caller.username, upload_id)
        entry = self._access.authenticate(caller, more=[key] if is_upload_id(upload_id) else [])
        row = upload_in(entry.rows, caller.username, upload_id)
        if row is None or not self.open(row, entry.account.id):
            raise NoSuchUpload
        return row

    def open(self, row: UploadRow, account_id: str) -> bool:
        """Whether an upload is this account's, in progress, and has not expired."""
        mine = row.user_id == account_id
        return mine and row.done is None and row.expires_at > self._runtime.now()

    def view(self, row: UploadRow, base: str, *, whole: bool = True) -> UploadView:
        """An upload as its client sees it; `whole` says how to send it as well."""
        put = None
        line = None
        if row.multipart is None and whole:
            url, headers = self._bucket.presign_put(
                row.object, row.content_type, row.size, row.sha256, URL_SECONDS
            )
            until = iso(self._runtime.now() + URL_SECONDS)
            put = PutOrder(url=url, headers=headers, expires_at=until)
            line = uploads_parts.put(row.file_name, url, headers)
        elif row.size is not None and whole:
            line = uploads_parts.multipart(row, base)
        return UploadView(
            upload_id=row.name,
            file_name=row.called,
            owner=row.owner,
            size=row.size,
            method=method_of(row),
            part_size=row.part_size or row.size,
            total_parts=parts_in(row),
            created=row.created,
            expires_at=iso(row.expires_at),
            put=put,
            curl=line,
        )
