"""The problems of uploads.

NotFound 404 ── NoSuchUpload
Conflict 409 ── UploadIncomplete
Invalid 422 ─── UploadMismatch
"""

from function.access.errors import NoSuchFile, QuotaExceeded
from function.core.errors import (
    ChangedMeanwhile,
    Conflict,
    Invalid,
    NotFound,
    PreconditionFailed,
    TooLarge,
)
from function.files.errors import FileExists, TypeNotAllowed


class NoSuchUpload(NotFound):
    """The caller has no upload of this id in progress."""

    slug, title = "no-such-upload", "No such upload"
    default = "You have no upload with this id. It may be completed, aborted or expired."


class UploadIncomplete(Conflict):
    """S3 does not have all bytes of the upload; the upload stays in progress."""

    slug, title = "upload-incomplete", "Upload incomplete"
    default = "Send the parts that GET /uploads/{id} lists as missing, then complete it again."


class UploadMismatch(Invalid):
    """The bytes in S3 are not those declared, or are encoded; they have been deleted."""

    slug, title = "upload-mismatch", "Size or checksum does not match"
    default = "The bytes differ from the declared size or checksum. Start a new upload."


# The problems of the routes that start, sign and complete uploads, those of Companion too.
OF_START = (
    NoSuchFile, FileExists, PreconditionFailed, TooLarge, TypeNotAllowed, QuotaExceeded,
    ChangedMeanwhile,
)  # fmt: skip
OF_PARTS = (NoSuchUpload, Invalid, TooLarge, TypeNotAllowed, QuotaExceeded)
OF_COMPLETION = (
    NoSuchUpload, NoSuchFile, FileExists, ChangedMeanwhile, UploadIncomplete, PreconditionFailed,
    TooLarge, TypeNotAllowed, UploadMismatch, QuotaExceeded,
)  # fmt: skip
