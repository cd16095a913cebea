"""The bytes, in S3: every object is written once under a key that is never used again."""

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from function.errors import Unavailable
from function.object_records import Found, Stored
from function.stores.seam import aws, code

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "404"})


class BytesMissing(Unavailable):
    """S3 has no such object: a fault, unless the file has gone meanwhile."""


class Objects:
    """The bucket."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        """Uses `bucket` through `client`."""
        self._client = client
        self._bucket = bucket

    def put(self, key: str, data: bytes, content_type: str) -> Stored:
        """Stores bytes, checked by S3 against their SHA-256. Raises Unavailable."""
        digest = hashlib.sha256(data)
        with aws():
            answer = self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=data,
                ContentType=content_type,
                ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
            )
        return Stored(key, len(data), answer["ETag"].strip('"'), digest.hexdigest())

    def page(self, after: str, limit: int) -> list[Found]:
        """The next objects in the order of their keys. Raises Unavailable."""
        with aws():
            answer = self._client.list_objects_v2(
                Bucket=self._bucket, StartAfter=after, MaxKeys=limit
            )
        return [
            Found(each["Key"], each["Size"], each["LastModified"].timestamp())
            for each in answer.get("Contents", [])
        ]

    def remove(self, key: str) -> None:
        """Removes bytes that nobody has named. Raises Unavailable."""
        with aws():
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def get(self, key: str, span: tuple[int, int] | None = None) -> bytes:
        """The bytes, or those from the first to the last of `span`. Raises Unavailable.

        botocore compares the whole with its checksum; a missing object is a fault, never an answer.
        """
        part: Any = {"Range": f"bytes={span[0]}-{span[1]}"} if span else {}
        try:
            with aws():
                answer = self._client.get_object(Bucket=self._bucket, Key=key, **part)
                return answer["Body"].read()
        except ClientError as error:
            if code(error) in MISSING:
                raise BytesMissing("The file's bytes cannot be read at the moment.") from error
            raise
