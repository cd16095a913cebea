"""Uploads whose bytes do not pass through us: signed addresses, parts, what has arrived.

Every address is signed with SigV4 for minutes, and bound by the signature to its key and to the
size, type and checksum that were declared.
"""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from function.object_records import Part, Stored
from function.stores.seam import aws, code

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

GONE = frozenset({"NoSuchUpload", "NoSuchKey", "404"})
NOT_AS_LISTED = frozenset({"InvalidPart", "InvalidPartOrder", "EntityTooSmall"})


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
        with aws():
            url: str = self._client.generate_presigned_url(
                operation, Params={"Bucket": self._bucket, **parameters}, ExpiresIn=seconds
            )
        return url

    def begin(self, key: str, content_type: str) -> str:
        """Starts a multipart upload; its id."""
        with aws():
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
                with aws():
                    answer = self._client.list_parts(**request)
            except ClientError as error:
                if code(error) in GONE:
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
            with aws():
                self._client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=key,
                    UploadId=upload,
                    MultipartUpload={"Parts": listed},
                )
        except ClientError as error:
            if code(error) in NOT_AS_LISTED:
                return False
            if code(error) not in GONE:
                raise
        return True

    def arrived(self, key: str) -> Stored | None:
        """The object, if its bytes have arrived.

        Its SHA-256 is known only when S3 computed one over the whole: that of a multipart upload
        is over the checksums of its parts.
        """
        try:
            with aws():
                answer: Any = self._client.head_object(
                    Bucket=self._bucket, Key=key, ChecksumMode="ENABLED"
                )
        except ClientError as error:
            if code(error) in GONE:
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
                with aws():
                    self._client.abort_multipart_upload(
                        Bucket=self._bucket, Key=key, UploadId=upload
                    )
            except ClientError as error:
                if code(error) not in GONE:
                    raise
        with aws():
            self._client.delete_object(Bucket=self._bucket, Key=key)
