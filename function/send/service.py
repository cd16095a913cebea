"""Puts a small file and creates the link to it, in one transaction.

So there is never a file whose link was lost, and no link without its file.
"""

from dataclasses import replace

from function.access.policy import Access, WriteAuthorization, needed_right
from function.audit.service import AuditLog
from function.aws.writes import Write
from function.base import Base
from function.core.models import Caller, HttpRequest
from function.core.tokens import token_hash
from function.files.commit import WriteRequest, Written
from function.files.content import SmallUploadService
from function.files.models import file_object
from function.links.items import LinkItems
from function.links.models import LinkRequest
from function.links.service import LinkService, link_url, link_view
from function.send.models import SendFields, Sent
from function.send.script import Script, credentials_of
from function.tables.grants import put_grant
from function.tables.links import LinkRow, link_grantee
from function.uploads.resumable import ResumableUploads


class SendService:
    """`PUT /send`: files of up to SMALL_FILE_BYTES bytes; `GET /send`: the script for any size."""

    def __init__(self, base: Base) -> None:
        self._access = base.one(Access)
        self._small_uploads = base.one(SmallUploadService)
        self._resumable = base.one(ResumableUploads)
        self._links = base.one(LinkService)
        self._items = base.one(LinkItems)
        self._audit = base.one(AuditLog)
        self._runtime = base.runtime

    def send(
        self, caller: Caller, request: WriteRequest, link: LinkRequest, data: bytes, base_url: str
    ) -> Sent:
        """Stores a file of the caller's and creates a link to it below `base_url`.

        The only item of `link` is the file's name; where the file gets another one, the link shows
        that. Raises what SmallUploadService.store and LinkService.create raise.
        """
        token, drafts = self._runtime.new_secret(), list[LinkRow]()
        grantee = link_grantee(token_hash(token))
        request = replace(request, grantees=frozenset({grantee}))

        def authorize() -> WriteAuthorization:
            authorization = self._authorize(caller, request, link)
            drafts.append(self._links.new_row(authorization, token, link))
            old = authorization.file
            if old is None or request.on_conflict != "replace":
                return authorization
            return replace(authorization, file=self._items.ensure_capacity(drafts[-1], old))

        def extra_writes(written: Written) -> list[Write]:
            audit_write = self._audit.record(caller, "file.upload", written.row.name)
            grant = self._items.grant(drafts[-1], written.row.name, written.row.place_id)
            return [audit_write, *self._links.creating_writes(caller, drafts[-1]), put_grant(grant)]

        file = self._small_uploads.store(authorize, request, data, extra_writes).row
        row = drafts[-1]
        grants = [self._items.grant(row, file.name, file.place_id)]
        created = link_view(row, grants, link_url(base_url, row.alias or token))
        return Sent(**created.model_dump(), file=file_object(file, "own"))

    def script(
        self, caller: Caller, request: HttpRequest, fields: SendFields, link: LinkRequest
    ) -> str:
        """The script that sends a file of the caller's, and goes on with an upload of it.

        The link is checked now, because nobody wants to learn of a wrong field once a large file
        has been sent. Raises NoSuchUser, SlowDown, AliasTaken, WeakPassword.
        """
        more = self._links.keys(caller.username, link)
        authentication = self._access.authenticate(caller, more=more)
        self._links.new_row(authentication, self._runtime.new_secret(), link)
        upload = self._resumable.find(authentication.account, fields.spec())
        key, credentials = self._runtime.new_id(), credentials_of(request)
        return Script(request.base, credentials, key, fields, link, upload).text()

    def _authorize(
        self, caller: Caller, request: WriteRequest, link: LinkRequest
    ) -> WriteAuthorization:
        """The caller's right to the file; reads what the link needs in the same read."""
        return self._access.authorize_write(
            caller,
            None,
            request.file_name,
            need=needed_right(request.on_conflict),
            more=self._links.keys(caller.username, link),
        )
