"""Requests for files, as those see them who send some: they have its token, and no account.

A sender may begin uploads and go on with them, and learns nothing of the owner's files. A place
for each is taken in the commit that notes the upload, and given back in the one that removes it.
"""

import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

from function.access.callers import Uploader
from function.access.errors import NoSuchRequest
from function.access.policy import Access
from function.access.quotas import require_room
from function.audit.service import AuditTrail
from function.aws.dynamodb import ConditionFailed
from function.base import Base
from function.core.errors import Invalid, InvalidName, Problem, TooLarge, Unavailable
from function.core.media_types import PLAIN_BYTES, is_allowed, type_of
from function.core.names import NAME_BYTES, SUFFIX_BYTES
from function.core.roles import ROLES, may
from function.core.runtime import iso
from function.core.tokens import id_of
from function.public.models import Unlocked
from function.public.unlock import Gated, PasswordGate
from function.requests.errors import RequestClosed, RequestFull
from function.requests.models import Sending, Wanted
from function.tables.accounts import Account, Load, reserve_room
from function.tables.requests import RequestRow, Requests, request_in, reserve_slot
from function.tables.uploads import UploadRow, Uploads
from function.uploads.models import UploadSpec, UploadView
from function.uploads.service import UploadService

SHARERS = [role for role in ROLES if may(role, "share")]
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class PublicRequestService:
    """What senders do."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._access = base.one(Access)
        self._requests = Requests(base.db)
        self._uploads = base.one(UploadService)
        self._upload_rows = Uploads(base.db)
        self._bucket = base.bucket
        self._gate = base.one(PasswordGate)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def sender(self, token: str, address: str, agent: str) -> Uploader:
        """Whoever has this token; whether its request still stands is seen to with what they do.

        Raises NoSuchRequest, SlowDown.
        """
        return replace(sender_of(self._find(token, address)), address=address, agent=agent)

    def look(self, token: str, grant: str | None, address: str) -> Wanted:
        """What is asked for. Raises NoSuchRequest, RequestClosed, PasswordRequired, SlowDown."""
        row = self._open(token, address)
        self._gate.verify(locked(row), grant)
        return wanted(row)

    def unlock(self, token: str, password: str | None, address: str) -> Unlocked:
        """A grant for a password.

        Raises NoSuchRequest, RequestClosed, WrongPassword, SlowDown.
        """
        row = self._open(token, address)
        unlocked = self._gate.unlock(locked(row), password, address)
        return Unlocked(grant=unlocked.text, expires_at=iso(unlocked.expires_at))

    def start(
        self, token: str, sending: Sending, base: str, address: str, agent: str
    ) -> UploadView:
        """Begins an upload and takes its place.

        Raises NoSuchRequest, RequestClosed, RequestFull, PasswordRequired, Invalid, InvalidName,
        TooLarge, QuotaExceeded, SlowDown.
        """
        row = self._find(token, address)
        try:
            self._judge(row, None, sending)
        except Problem:
            self._access.authenticate(
                sender_of(row)
            )  # what is asked for is nobody's business any more
            raise
        wish = UploadSpec(
            file_name=row.folder + sending.file_name,
            size=sending.size,
            username=row.owner,
            content_type=type_of(sending.file_name, sending.content_type) or PLAIN_BYTES,
            sha256=sending.sha256,
            on_conflict="rename",
        )
        sender = replace(sender_of(row), address=address, agent=agent)
        upload = self._uploads.prepare(sender, row.owner_id, wish)
        try:
            noted = self._note(row, upload, sending)
        except Unavailable:  # perhaps it was noted
            raise
        except Problem:
            with suppress(Unavailable):
                self._bucket.discard(upload.object, upload.multipart)
            raise
        return self._uploads.describe(noted, f"{base}/r/{token}")

    def _note(self, row: RequestRow, upload: UploadRow, sending: Sending) -> UploadRow:
        """The upload as it was noted, when there was a place and the owner had room."""
        owner: Account | None = None
        for attempt in self._runtime.attempts():
            if attempt:
                row, owner = self._again(row)
                self._judge(row, owner, sending)
            noted = upload.model_copy(update=self._of(row, sending))
            load = Load(sending.size, 1)
            room = [reserve_room(row.owner, row.owner_id, load, owner, SHARERS)]
            room += self._audit.quota_warning(owner, load) if owner else []  # else it has no quota
            try:
                self._upload_rows.create(noted, [reserve_slot(row, sending.size), *room])
            except ConditionFailed:
                continue
            return noted
        raise AssertionError

    def _of(self, row: RequestRow, sending: Sending) -> dict[str, Any]:
        """What an upload says of the request that it comes by."""
        return {
            "rev": self._runtime.new_id(),
            "file_name": row.folder + sending.file_name,
            "request": row.id,
            "owner_id": row.owner_id,
            "folder": row.folder,
            "sender": sending.sender,
        }

    def _find(self, token: str, address: str) -> RequestRow:
        known = TOKEN.fullmatch(token)
        row = self._requests.find(id_of(token), self._runtime.now()) if known else None
        if row is None:
            self._gate.count_miss(address)
            raise NoSuchRequest
        return row

    def _again(self, row: RequestRow) -> tuple[RequestRow, Account]:
        """The request and its owner, as they are now. Raises NoSuchRequest."""
        entry = self._access.authenticate(sender_of(row))
        found = request_in(entry.rows, row.id, self._runtime.now())
        if found is None:
            raise NoSuchRequest
        return found, entry.account

    def _open(self, token: str, address: str) -> RequestRow:
        row, _ = self._again(self._find(token, address))
        self._still_open(row)
        return row

    def _still_open(self, row: RequestRow) -> None:
        if not row.open or (row.ends is not None and row.ends <= self._runtime.now()):
            raise RequestClosed

    def _judge(self, row: RequestRow, owner: Account | None, sending: Sending) -> None:
        """Whether such a file is taken now; an owner who has not been read is not judged."""
        self._still_open(row)
        self._gate.verify(locked(row), sending.grant)
        if row.require_name and sending.sender is None:
            reason = "say who you are"
            raise Invalid(errors=[{"at": "body.sender", "reason": reason}])
        judge_file(row, sending)
        left = wanted(row)
        if left.files_left == 0:
            raise RequestFull
        if left.bytes_left is not None and sending.size > left.bytes_left:
            raise RequestFull
        if owner:
            require_room(owner, Load(sending.size, 1))


def sender_of(row: RequestRow) -> Uploader:
    """Whoever has the token of a request."""
    return Uploader(row.id, row.owner, row.owner_id)


def locked(row: RequestRow) -> Gated:
    """The lock of a request."""
    return Gated(f"request:{row.id}", row.seal, row.password)


def wanted(row: RequestRow) -> Wanted:
    """What a request asks for."""
    files, total = row.max_files, row.max_total_size
    return Wanted(
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


def judge_file(row: RequestRow, sending: Sending) -> None:
    """Whether a request takes such files at all. Raises InvalidName, Invalid, TooLarge."""
    at = "body.file_name"
    if len(f"{row.folder}{sending.file_name}".encode()) > NAME_BYTES:
        room = NAME_BYTES - len(row.folder.encode())
        raise InvalidName(errors=[{"at": at, "reason": f"here a name has at most {room} bytes"}])
    folders = f"{row.folder}{sending.file_name}".rpartition("/")[0]
    if len(folders.encode()) > NAME_BYTES - SUFFIX_BYTES:  # it may have to have another name
        raise InvalidName(errors=[{"at": at, "reason": "its folders have too long names"}])
    if row.allowed_types and not is_allowed(
        row.allowed_types, sending.file_name, sending.content_type
    ):
        kinds = ", ".join(row.allowed_types)
        raise Invalid(errors=[{"at": at, "reason": f"only {kinds}"}])
    if row.max_file_size is not None and sending.size > row.max_file_size:
        raise TooLarge(f"This request takes files of at most {row.max_file_size} bytes each.")
