"""Bodies of requests and answers about files."""

from function.core.fields import (
    Base64,
    ContentType,
    ExistingFile,
    FileName,
    OnConflict,
    Permission,
    Username,
)
from function.core.models import Closed, Conditional
from function.files.conditions import revision
from function.tables.files import FileRow


class UploadFields(Closed):
    """The fields of a small file beside its bytes: in the query, in a form, or in a JSON body."""

    file_name: FileName
    username: Username | None = None
    content_type: ContentType | None = None
    on_conflict: OnConflict = "replace"


class PutFile(UploadFields, Conditional):
    """A small file in one JSON body; `content` is Base64 (RFC 4648, section 4), padded."""

    content: Base64


class FileObject(Closed):
    """A file as the caller sees it: `key` is `owner/file_name`, `size` is in bytes.

    `sha256` is the hexadecimal hash of the whole file, null where none was verified. `modified_by`
    is the account that put these bytes; `sender` is the name that an uploader to a file request
    gave.

    `etag` stands for the bytes, `revision` for the bytes, the description and the tags. Conditions
    (`If-Match`, `if_match`) take either.
    """

    key: str
    owner: str
    file_name: str
    size: int
    modified: str
    created: str
    content_type: str
    sha256: str | None
    etag: str
    revision: str
    version: int
    permission: Permission
    description: str | None = None
    tags: list[str] = []  # noqa: RUF012 - pydantic copies it
    modified_by: str | None = None
    sender: str | None = None


class LinkedFile(FileObject):
    """A file with a URL that downloads it as an attachment for some minutes."""

    url: str


def file_object(row: FileRow, permission: Permission) -> FileObject:
    """A file as an account with that permission sees it."""
    return FileObject(
        key=f"{row.partition}/{row.name}",
        owner=row.partition,
        file_name=row.name,
        size=row.size,
        modified=row.modified,
        created=row.created,
        content_type=row.content_type,
        sha256=row.sha256,
        etag=row.etag,
        revision=revision(row),
        version=row.version,
        permission=permission,
        description=row.description,
        tags=row.tags,
        modified_by=row.modified_by,
        sender=row.sender,
    )


class Download(Closed):
    """A URL of a file's bytes, valid until `expires_at`; `curl` is a command that downloads it."""

    url: str
    expires_at: str
    file_name: str
    size: int
    etag: str
    sha256: str | None
    content_type: str
    curl: str


class CopyRequest(Conditional):
    """A file that the caller may read, and the name of its copy among their own files.

    Conditions are about the file that the copy replaces.
    """

    file_name: ExistingFile
    new_name: FileName
    username: Username | None = None
    on_conflict: OnConflict = "fail"
