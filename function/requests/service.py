"""Requests for files, as their owners make and change them."""

import re
from typing import Any

from function.access.errors import NoSuchRequest
from function.access.policy import Access
from function.audit.service import AuditTrail
from function.auth.passwords import Passwords
from function.aws.dynamodb import ConditionFailed
from function.base import Base
from function.core.cursors import seal, unseal
from function.core.models import Caller
from function.core.runtime import iso
from function.core.tokens import id_of
from function.requests.models import NewRequest, RequestChange, RequestMade, RequestView
from function.tables.accounts import Account, require_account_active
from function.tables.requests import RequestRow, Requests, request_in, request_key

LIST = "requests"
KEPT = 90 * 24 * 3600  # what has ended can be looked at, and prolonged, for so long
SPOKEN = {"expires_in", "password", "allowed_types"}  # otherwise than they are kept
ID = re.compile(r"[0-9a-f]{64}")
COUNTED = 4  # tries at a change that tells the counts of its own moment


class RequestService:
    """What owners do with their requests."""

    def __init__(
        self,
        base: Base,
    ) -> None:
        self._access = base.one(Access)
        self._requests = Requests(base.db)
        self._passwords = base.one(Passwords)
        self._audit = base.one(AuditTrail)
        self._runtime = base.runtime

    def create(self, caller: Caller, wanted: NewRequest, base: str) -> RequestMade:
        """A new request, and its address, which nobody can find out later."""
        token, settings = self._runtime.new_secret(), dict[str, Any]()
        noted = self._audit.record(caller, "request.create", subject=id_of(token))
        for _ in self._runtime.attempts():
            account = self._access.authenticate(caller).account
            settings = settings or self._settings(wanted.model_dump())  # a hash takes long
            row = self._row(account, token, settings)
            try:
                self._requests.create(row, [require_account_active(account), noted])
            except ConditionFailed:
                continue
            return RequestMade(**view(row).model_dump(), url=f"{base}/r/{token}")
        raise AssertionError

    def _row(self, account: Account, token: str, settings: dict[str, Any]) -> RequestRow:
        return RequestRow(
            id=id_of(token),
            owner=account.username,
            owner_id=account.id,
            created=iso(self._runtime.now()),
            rev=self._runtime.new_id(),
            **{"seal": self._runtime.new_secret(), **settings},
        )

    def get(self, caller: Caller, request_id: str) -> RequestView:
        """One of the caller's own. Raises NoSuchRequest."""
        return view(self._find(caller, request_id))

    def page(
        self, caller: Caller, limit: int, cursor: str | None
    ) -> tuple[list[RequestView], str | None]:
        """The caller's requests, oldest first, and the next page's cursor. Raises InvalidCursor."""
        account = self._access.authenticate(caller).account
        after = (unseal(cursor, account.id, LIST) or [""])[0]
        rows, last = self._requests.list_requests(
            account.username, self._runtime.now(), after=after, limit=limit
        )
        mine = [view(row) for row in rows if row.owner_id == account.id]
        return mine, last and seal([last], account.id, LIST)

    def change(self, caller: Caller, request_id: str, change: RequestChange) -> RequestView:
        """Changes what is said and leaves the rest; the address and the counts stay.

        The counts that are answered are those of that moment; where senders never stop, those of a
        moment before, for an owner must be able to close it.

        Raises NoSuchRequest, ChangedMeanwhile.
        """
        settings = dict[str, Any]()
        for attempt in self._runtime.attempts():
            was = self._find(caller, request_id)
            settings = settings or self._settings(change.model_dump(exclude_unset=True))
            row = was.model_copy(update={**settings, "rev": self._runtime.new_id()})
            noted = self._audit.record(caller, "request.update", subject=row.id)
            try:
                self._requests.update(was, row, noted, counted=attempt < COUNTED)
            except ConditionFailed:
                continue
            return view(row)
        raise AssertionError

    def delete(self, caller: Caller, request_id: str) -> None:
        """Deletes a request; what is on its way comes too late. Raises NoSuchRequest."""
        for _ in self._runtime.attempts():
            row = self._find(caller, request_id)
            noted = self._audit.record(caller, "request.delete", subject=row.id)
            try:
                self._requests.delete(row, self._runtime.new_id(), noted)
            except ConditionFailed:
                continue
            return

    def _find(self, caller: Caller, request_id: str) -> RequestRow:
        known = ID.fullmatch(request_id)
        entry = self._access.authenticate(caller, more=[request_key(request_id)] if known else [])
        row = request_in(entry.rows, request_id, self._runtime.now())
        if row is None or row.owner_id != entry.account.id:
            raise NoSuchRequest
        return row

    def _settings(self, said: dict[str, Any]) -> dict[str, Any]:
        """A row's fields, for those of a body."""
        row = {name: value for name, value in said.items() if name not in SPOKEN}
        if "expires_in" in said:
            after = said["expires_in"]
            row["ends"] = after and int(self._runtime.now()) + after
            row["expires_at"] = after and row["ends"] + KEPT
        if "password" in said:
            password = said["password"]
            row["password"] = password and self._passwords.hash(password.get_secret_value())
            row["seal"] = self._runtime.new_secret()
        if "allowed_types" in said:
            row["allowed_types"] = list(said["allowed_types"] or [])
        return row


def view(row: RequestRow) -> RequestView:
    """A request as its owner sees it."""
    return RequestView(
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
