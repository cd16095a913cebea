"""File requests as their owners create, change, list and delete them.

The id of a file request is the hash of its token, and the token is stored nowhere: its address can
be shown only once.
"""

from itertools import count
from typing import Any

from function.access.callers import Uploader
from function.access.errors import NoSuchFileRequest
from function.access.policy import Access
from function.access.releases import Releases
from function.audit.service import AuditLog
from function.auth.passwords import Passwords
from function.aws.writes import Write
from function.base import Base
from function.core.idempotency import IdempotentRequest
from function.core.limits import EXPIRED_SECONDS
from function.core.models import Caller
from function.core.paging import Page, PageQuery, Paging
from function.core.runtime import iso
from function.core.tokens import is_token_hash, token_hash
from function.idempotency.creation import Creation, created_earlier
from function.requests.models import (
    CreatedFileRequest,
    FileRequestChanges,
    FileRequestView,
    NewFileRequest,
)
from function.tables.accounts import Account
from function.tables.requests import (
    RequestRow,
    Requests,
    create_request,
    delete_request,
    request_in,
    request_key,
    update_request,
)
from function.tables.reservations import Scope, reservations_on
from function.tables.usage import require_account_active

FILE_REQUESTS = "requests"
CONVERTED = {"expires_in", "password", "allowed_types"}  # fields that the row has in another form
EXACT_ATTEMPTS = 4


class FileRequestService:
    """Manages the file requests of an account."""

    def __init__(self, base: Base) -> None:
        self._db = base.db
        self._access = base.one(Access)
        self._releases = base.one(Releases)
        self._requests = Requests(base.db)
        self._passwords = base.one(Passwords)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def create(
        self,
        caller: Caller,
        request: NewFileRequest,
        base_url: str,
        idempotent: IdempotentRequest | None = None,
    ) -> CreatedFileRequest:
        """Creates a file request; only this answer has its `url`, below `base_url`.

        Raises WeakPassword, IdempotencyKeyReused, IdempotencyKeySpent, ChangedMeanwhile.
        """
        creation, settings = Creation(self._runtime, caller, idempotent), dict[str, Any]()
        request_id = token_hash(creation.secret)
        audit_write = self._audit.record(caller, "request.create", subject=request_id)

        def plan() -> tuple[list[Write], CreatedFileRequest]:
            authentication = self._access.authenticate(caller, more=creation.keys)
            if earlier := creation.find_earlier(authentication):
                with created_earlier():
                    view = self.get(caller, earlier.id)
                return [], created_view(view, base_url, earlier.secret)
            account = authentication.account
            if not settings:  # hashing a password takes long: once is enough
                settings.update(self._row_fields(request.model_dump()))
            row = self._new_row(account, request_id, settings)
            writes = [
                *create_request(row),
                require_account_active(account),
                audit_write,
                *creation.record(account, row.id),
            ]
            return writes, created_view(file_request_view(row), base_url, creation.secret)

        return self._db.transact(plan)

    def get(self, caller: Caller, request_id: str) -> FileRequestView:
        """A file request of the caller. Raises NoSuchFileRequest."""
        return file_request_view(self._find(caller, request_id))

    def list_file_requests(self, caller: Caller, page: PageQuery) -> Page[FileRequestView]:
        """A page of the caller's file requests, oldest first. Raises InvalidCursor."""
        account = self._access.authenticate(caller).account
        paging = Paging(page, account.id, FILE_REQUESTS)
        rows, last = self._requests.list_requests(
            account.username, self._runtime.now(), after=paging.after, limit=paging.limit
        )
        own = (row for row in rows if row.owner_id == account.id)
        return paging.page(map(file_request_view, own), last)

    def update(
        self, caller: Caller, request_id: str, changes: FileRequestChanges
    ) -> FileRequestView:
        """Changes the fields that `changes` provides; the address and the counts stay.

        The first `EXACT_ATTEMPTS` attempts expect the counts as they were read, so that the answer
        has those at the time of the commit. Later ones do not: however many uploads begin, an owner
        can close a file request. Its uploads in progress end with the next sweep then.
        Raises NoSuchFileRequest, WeakPassword, ChangedMeanwhile.
        """
        settings, attempts = dict[str, Any](), count()

        def plan() -> tuple[list[Write], FileRequestView]:
            old = self._find(caller, request_id)
            if not settings:  # hashing a password takes long: once is enough
                settings.update(self._row_fields(changes.model_dump(exclude_unset=True)))
            row = old.model_copy(update={**settings, "rev": self._runtime.new_id()})
            writes = update_request(old, row, same_counts=next(attempts) < EXACT_ATTEMPTS)
            audit_write = self._audit.record(caller, "request.update", subject=row.id)
            if old.open and not row.open:
                writes.append(self._releases.schedule(_uploads_to(row)))
            return [*writes, audit_write], file_request_view(row)

        return self._db.transact(plan)

    def delete(self, caller: Caller, request_id: str) -> None:
        """Deletes a file request; uploads in progress can no longer be completed.

        Raises NoSuchFileRequest, ChangedMeanwhile.
        """

        def plan() -> tuple[list[Write], None]:
            row = self._find(caller, request_id)
            audit_write = self._audit.record(caller, "request.delete", subject=row.id)
            release = self._releases.schedule(_uploads_to(row))
            return [*delete_request(row), release, audit_write], None

        self._db.transact(plan)

    def _find(self, caller: Caller, request_id: str) -> RequestRow:
        keys = [request_key(request_id)] if is_token_hash(request_id) else []
        authentication = self._access.authenticate(caller, more=keys)
        row = request_in(authentication.rows, request_id, self._runtime.now())
        if row is None or row.owner_id != authentication.account.id:
            raise NoSuchFileRequest
        return row

    def _new_row(self, account: Account, request_id: str, settings: dict[str, Any]) -> RequestRow:
        return RequestRow(
            id=request_id,
            owner=account.username,
            owner_id=account.id,
            created=iso(self._runtime.now()),
            rev=self._runtime.new_id(),
            **{"signing_key": self._runtime.new_secret(), **settings},
        )

    def _row_fields(self, provided: dict[str, Any]) -> dict[str, Any]:
        """The fields of a row for those of a body; a new password also changes `signing_key`."""
        fields = {name: value for name, value in provided.items() if name not in CONVERTED}
        if "expires_in" in provided:
            seconds = provided["expires_in"]
            fields["ends"] = seconds and int(self._runtime.now()) + seconds
            fields["expires_at"] = seconds and fields["ends"] + EXPIRED_SECONDS
        if "password" in provided:
            password = provided["password"]
            password = password and password.get_secret_value()
            fields["password"] = self._passwords.hash_shared(password)
            fields["signing_key"] = self._runtime.new_secret()
        if "allowed_types" in provided:
            fields["allowed_types"] = list(provided["allowed_types"] or [])
        return fields


def _uploads_to(row: RequestRow) -> Scope:
    """What uploads to a file request reserve."""
    return reservations_on(row.owner, Uploader(row.id, row.owner, row.owner_id).username)


def created_view(view: FileRequestView, base_url: str, token: str) -> CreatedFileRequest:
    """A file request with its address."""
    return CreatedFileRequest(**view.model_dump(), url=f"{base_url}/r/{token}")


def file_request_view(row: RequestRow) -> FileRequestView:
    """A file request as its owner sees it."""
    return FileRequestView(
        id=row.id,
        title=row.title,
        folder=row.folder,
        created=row.created,
        expires_at=None if row.ends is None else iso(row.ends),
        open=row.open,
        max_files=row.max_files,
        max_file_size=row.max_file_size,
        max_total_size=row.max_total_size,
        allowed_types=row.allowed_types,
        has_password=row.password is not None,
        require_name=row.require_name,
        files=row.files,
        bytes=row.bytes,
    )
