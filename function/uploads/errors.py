"""The problems of uploads.

NotFound 404 ── NoSuchUpload
Conflict 409 ── UploadIncomplete
Invalid 422 ─── UploadMismatch
"""

from function.core.errors import Conflict, Invalid, NotFound


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
    default = "The bytes differ from the declared size or SHA-256. Start a new upload."
