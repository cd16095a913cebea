"""The fields of a file to send, and the answer about one that was sent."""

from typing import Annotated

from pydantic import Field, SecretStr

from function.core.fields import YEAR, ContentType, FileName, OnConflict, Username
from function.core.limits import MAX_FILE_BYTES
from function.core.models import Closed
from function.files.models import FileObject
from function.links.models import Alias, Link, LinkRequest, Note
from function.uploads.models import UploadSpec

OF_FILE = {"file_name", "size", "content_type", "on_conflict"}
# In a query, where numbers are text.
ExpiresIn = Annotated[int, Field(ge=1, le=10 * YEAR)]
FileSize = Annotated[int, Field(ge=0, le=MAX_FILE_BYTES)]
MaxDownloads = Annotated[int, Field(ge=1, le=2**31)]


class SendFields(Closed):
    """A file to send, and the link to it; the fields of the link are those of `POST /links`.

    By default a file that has the name stays as it is, because earlier links may show it. `size` is
    bytes, None where only the client knows it.
    """

    file_name: FileName
    size: FileSize | None = None
    content_type: ContentType | None = None
    on_conflict: OnConflict = "rename"
    expires_in: ExpiresIn | None = None
    max_downloads: MaxDownloads | None = None
    allow_download: bool = True
    audience: Username | None = None
    note: Note | None = None
    alias: Alias | None = None

    def link(self, password: SecretStr | None) -> LinkRequest:
        """The link to the file, with the fields that were given."""
        given = self.model_dump(exclude=OF_FILE, exclude_unset=True)
        return LinkRequest(items=(self.file_name,), password=password, **given)

    def spec(self) -> UploadSpec:
        """The upload of the file. It goes in parts, so that it can be resumed."""
        return UploadSpec(**self.model_dump(include=OF_FILE), method="multipart")


class Sent(Link):
    """A new link as its owner sees it, and the file that it shows."""

    file: FileObject
