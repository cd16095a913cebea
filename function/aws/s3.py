"""What S3 says of the bytes that it has. Imports nothing of ours."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from function.aws.errors import error_code, translate_aws_errors
from function.core.errors import Unavailable

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "404"})
GONE = frozenset({"NoSuchUpload", "NoSuchKey", "404"})
NOT_AS_LISTED = frozenset({"InvalidPart", "InvalidPartOrder", "EntityTooSmall"})


@dataclass(frozen=True)
class Stored:
    """Bytes that are in S3 and that no row names yet."""

    object: str
    size: int
    etag: str
    sha256: str | None


@dataclass(frozen=True)
class Found:
    """An object that S3 lists; `modified` is epoch seconds."""

    key: str
    size: int
    modified: float


@dataclass(frozen=True)
class Part:
    """A part of a multipart upload that S3 has; `size` is bytes."""

    number: int
    size: int
    etag: str


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
        with translate_aws_errors():
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
        with translate_aws_errors():
            answer = self._client.list_objects_v2(
                Bucket=self._bucket, StartAfter=after, MaxKeys=limit
            )
        return [
            Found(each["Key"], each["Size"], each["LastModified"].timestamp())
            for each in answer.get("Contents", [])
        ]

    def remove(self, key: str) -> None:
        """Removes bytes that nobody has named. Raises Unavailable."""
        with translate_aws_errors():
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def get(self, key: str, span: tuple[int, int] | None = None) -> bytes:
        """The bytes, or those from the first to the last of `span`. Raises Unavailable.

        botocore compares the whole with its checksum; a missing object is a fault, never an answer.
        """
        part: Any = {"Range": f"bytes={span[0]}-{span[1]}"} if span else {}
        try:
            with translate_aws_errors():
                answer = self._client.get_object(Bucket=self._bucket, Key=key, **part)
                return answer["Body"].read()
        except ClientError as error:
            if error_code(error) in MISSING:
                raise BytesMissing("The file's bytes cannot be read at the moment.") from error
            raise


def hex_of(checksum: str) -> str:
    """S3's Base64 of a checksum as hexadecimal."""
    return base64.b64decode(checksum).hex()


def base64_of(digest: str) -> str:
    """A hexadecimal digest as S3 writes it."""
    return base64.b64encode(bytes.fromhex(digest)).decode()


class Multipart:
    """The bucket, for clients that speak to it themselves."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        """Uses `bucket` through `client`."""
        self._client = client
        self._bucket = bucket

    def sign_put(
        self, key: str, content_type: str, size: int | None, sha256: str | None, seconds: int
    ) -> tuple[str, dict[str, str]]:
        """An address for one PUT, and the headers that must go with it.

        `If-None-Match: *` makes the address good for one object only: what has been written there
        can never be written over.
        """
        parameters: dict[str, Any] = {"ContentType": content_type, "IfNoneMatch": "*"}
        headers = {"content-type": content_type, "if-none-match": "*"}
        if size is not None:
            parameters["ContentLength"] = size
        if sha256:
            parameters["ChecksumSHA256"] = base64_of(sha256)
            headers["x-amz-checksum-sha256"] = base64_of(sha256)
        return self._sign("put_object", seconds, Key=key, **parameters), headers

    def sign_part(self, key: str, upload: str, number: int, size: int | None, seconds: int) -> str:
        """An address for one part of `size` bytes, where that is known."""
        length = {} if size is None else {"ContentLength": size}
        return self._sign(
            "upload_part", seconds, Key=key, UploadId=upload, PartNumber=number, **length
        )

    def sign_get(self, key: str, disposition: str, content_type: str, seconds: int) -> str:
        """An address to read from, whose answer has the disposition and type given here."""
        return self._sign(
            "get_object",
            seconds,
            Key=key,
            ResponseContentDisposition=disposition,
            ResponseContentType=content_type,
            ResponseCacheControl="private, no-store",
        )

    def _sign(self, operation: str, seconds: int, **parameters: Any) -> str:
        with translate_aws_errors():
            url: str = self._client.generate_presigned_url(
                operation, Params={"Bucket": self._bucket, **parameters}, ExpiresIn=seconds
            )
        return url

    def begin(self, key: str, content_type: str) -> str:
        """Starts a multipart upload; its id."""
        with translate_aws_errors():
            answer = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=key, ContentType=content_type
            )
        return answer["UploadId"]

    def parts(self, key: str, upload: str) -> list[Part] | None:
        """All parts that have arrived, in order; None when S3 knows no such upload any more."""
        parts: list[Part] = []
        request: Any = {"Bucket": self._bucket, "Key": key, "UploadId": upload}
        while True:
            try:
                with translate_aws_errors():
                    answer = self._client.list_parts(**request)
            except ClientError as error:
                if error_code(error) in GONE:
                    return None
                raise
            parts += [
                Part(part["PartNumber"], part["Size"], part["ETag"].strip('"'))
                for part in answer.get("Parts", [])
            ]
            if not answer.get("IsTruncated"):
                return parts
            request["PartNumberMarker"] = answer["NextPartNumberMarker"]

    def complete(self, key: str, upload: str, parts: Sequence[Part]) -> bool:
        """Makes the parts one object; False when a part is not as listed.

        An upload that S3 no longer knows may have been completed before: whoever asks looks.
        """
        listed: Any = [{"PartNumber": part.number, "ETag": f'"{part.etag}"'} for part in parts]
        try:
            with translate_aws_errors():
                self._client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=key,
                    UploadId=upload,
                    MultipartUpload={"Parts": listed},
                )
        except ClientError as error:
            if error_code(error) in NOT_AS_LISTED:
                return False
            if error_code(error) not in GONE:
                raise
        return True

    def arrived(self, key: str) -> Stored | None:
        """The object, if its bytes have arrived.

        Its SHA-256 is known only when S3 computed one over the whole: that of a multipart upload
        is over the checksums of its parts.
        """
        try:
            with translate_aws_errors():
                answer: Any = self._client.head_object(
                    Bucket=self._bucket, Key=key, ChecksumMode="ENABLED"
                )
        except ClientError as error:
            if error_code(error) in GONE:
                return None
            raise
        checksum = answer.get("ChecksumSHA256", "")
        whole = answer.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT" and "-" not in checksum
        return Stored(
            key,
            answer["ContentLength"],
            answer["ETag"].strip('"'),
            hex_of(checksum) if checksum and whole else None,
        )

    def discard(self, key: str, upload: str | None) -> None:
        """Removes what has arrived: the parts, and the object. Gone already is as good."""
        if upload:
            try:
                with translate_aws_errors():
                    self._client.abort_multipart_upload(
                        Bucket=self._bucket, Key=key, UploadId=upload
                    )
            except ClientError as error:
                if error_code(error) not in GONE:
                    raise
        with translate_aws_errors():
            self._client.delete_object(Bucket=self._bucket, Key=key)
