"""The reference with `GET /download` beside its seven endpoints, to measure a first request."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from bench.reference.file_sharing import (
    app,
    bucket,
    caller,
    iso,
    lambda_handler,
    readable,
    refuse_unknown,
    s3,
    time,
)
from bench.reference.models import FileName, Model, Username

__all__ = ["lambda_handler"]
URL_SECONDS = 300


class Download(Model):
    """A presigned URL of a file."""

    url: str
    expires_at: str
    file_name: str
    size: int
    etag: str
    sha256: str
    content_type: str


@app.get("/download")
def download(
    file_name: Annotated[FileName, Query()], username: Annotated[Username | None, Query()] = None
) -> Download:
    """Answers a presigned URL of a file."""
    refuse_unknown("file_name", "username")
    reader = caller()
    row, _ = readable(file_name, reader, username or reader)
    url = s3.meta.client.generate_presigned_url(
        "get_object",
        Params={
            "Bucket": bucket.name,
            "Key": row["object"],
            "ResponseContentDisposition": "attachment",
            "ResponseContentType": row["content_type"],
        },
        ExpiresIn=URL_SECONDS,
    )
    return Download(
        url=url,
        expires_at=iso(time.time() + URL_SECONDS),
        file_name=row["name"],
        **{name: row[name] for name in ("size", "etag", "sha256", "content_type")},
    )
