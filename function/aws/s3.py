"""The bucket: objects, presigned URLs for clients, and multipart uploads."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from function.aws.errors import error_code, translate_aws_errors
from function.core.errors import Unavailable

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# S3 answers GET and HEAD of a missing object with these codes, HEAD with a bare 404.
NO_SUCH_OBJECT = frozenset({"NoSuchKey", "NoSuchVersion", "404"})
NO_SUCH_UPLOAD = frozenset({"NoSuchUpload", "NoSuchKey", "404"})
IDENTITY = "identity"  # the Content-Encoding of bytes as they are (RFC 9110, section 12.5.3)
SHA256_HEADER, CRC64NVME_HEADER = "x-amz-checksum-sha256", "x-amz-checksum-crc64nvme"
# S3 verifies a SHA-256 over parts only for each part, and of the whole object only a CRC (Amazon S3
# User Guide, checking object integrity).
MultipartChecksum = Literal["sha256", "crc64nvme"]
MULTIPART_CHECKSUMS: dict[MultipartChecksum, Any] = {
    "sha256": {"ChecksumAlgorithm": "SHA256", "ChecksumType": "COMPOSITE"},
    "crc64nvme": {"ChecksumAlgorithm": "CRC64NVME", "ChecksumType": "FULL_OBJECT"},
}
NOT_AS_LISTED = frozenset({"InvalidPart", "InvalidPartOrder", "EntityTooSmall"})


@dataclass(frozen=True)
class Stored:
    """Bytes in S3 that no row refers to yet.

    `object` is their key, `size` counts bytes, `etag` is without quotes. `sha256` is hexadecimal;
    None where S3 did not compute one over all the bytes. `is_encoded` says that S3 would serve them
    with a Content-Encoding: a client would decode them, and save other bytes.
    """

    object: str
    size: int
    etag: str
    sha256: str | None
    is_encoded: bool = False


@dataclass(frozen=True)
class ListedObject:
    """An object in a listing of the bucket: `size` in bytes, `modified` in epoch seconds."""

    key: str
    size: int
    modified: float


@dataclass(frozen=True)
class Part:
    """An uploaded part of a multipart upload: its number from 1, its size in bytes, its ETag.

    `sha256` is hexadecimal, where the upload was created for parts with SHA-256.
    """

    number: int
    size: int
    etag: str
    sha256: str | None = None


class BytesMissing(Unavailable):
    """S3 does not have the object that a row refers to.

    It may have been deleted since the row was read; otherwise bytes are lost.
    """


class WrongChecksum(Exception):
    """The bytes in S3 do not have the checksum that was given for the whole object."""


class Bucket:
    """The bucket that holds the bytes of all files. Every method raises Unavailable."""

    def __init__(self, client: "S3Client", name: str) -> None:
        """Takes the name of the bucket."""
        self._client = client
        self._name = name

    def put(self, key: str, data: bytes, content_type: str) -> Stored:
        """Stores bytes, which S3 compares with their SHA-256."""
        digest = hashlib.sha256(data)
        with translate_aws_errors():
            answer = self._client.put_object(
                Bucket=self._name,
                Key=key,
                Body=data,
                ContentType=content_type,
                ChecksumSHA256=base64.b64encode(digest.digest()).decode(),
            )
        return Stored(key, len(data), answer["ETag"].strip('"'), digest.hexdigest())

    def get(self, key: str, span: tuple[int, int] | None = None) -> bytes:
        """The bytes of an object, or those from the first to the last position in `span`.

        Raises BytesMissing. botocore compares a whole object with its checksum.
        """
        part: Any = {"Range": f"bytes={span[0]}-{span[1]}"} if span else {}
        try:
            with translate_aws_errors():
                answer = self._client.get_object(Bucket=self._name, Key=key, **part)
                return answer["Body"].read()
        except ClientError as error:
            if error_code(error) in NO_SUCH_OBJECT:
                raise BytesMissing("The file's bytes cannot be read at the moment.") from error
            raise

    def head(self, key: str) -> Stored | None:
        """An object without its bytes; None when there is none.

        The SHA-256 of a multipart upload is over the checksums of its parts, so it is left out.
        """
        try:
            with translate_aws_errors():
                answer: Any = self._client.head_object(
                    Bucket=self._name, Key=key, ChecksumMode="ENABLED"
                )
        except ClientError as error:
            if error_code(error) in NO_SUCH_OBJECT:
                return None
            raise
        checksum = answer.get("ChecksumSHA256", "")
        whole = answer.get("ChecksumType", "FULL_OBJECT") == "FULL_OBJECT" and "-" not in checksum
        return Stored(
            key,
            answer["ContentLength"],
            answer["ETag"].strip('"'),
            hex_of(checksum) if checksum and whole else None,
            is_encoded=answer.get("ContentEncoding", IDENTITY).lower() != IDENTITY,
        )

    def list_objects(self, after: str, limit: int) -> list[ListedObject]:
        """At most `limit` objects whose keys come after `after`, in the order of their keys."""
        with translate_aws_errors():
            answer = self._client.list_objects_v2(
                Bucket=self._name, StartAfter=after, MaxKeys=limit
            )
        return [
            ListedObject(each["Key"], each["Size"], each["LastModified"].timestamp())
            for each in answer.get("Contents", [])
        ]

    def delete(self, key: str) -> None:
        """Deletes an object. One that does not exist is no error."""
        with translate_aws_errors():
            self._client.delete_object(Bucket=self._name, Key=key)

    def delete_many(self, keys: Sequence[str]) -> set[str]:
        """Deletes up to a thousand objects in one call; returns the keys that S3 did not delete.

        Objects that do not exist are no error.
        """
        if not keys:
            return set()
        objects: Any = [{"Key": key} for key in keys]
        with translate_aws_errors():
            answer = self._client.delete_objects(
                Bucket=self._name, Delete={"Objects": objects, "Quiet": True}
            )
        return {each["Key"] for each in answer.get("Errors", [])}

    def abort_multipart(self, key: str, multipart: str) -> None:
        """Deletes the parts of a multipart upload, which need not exist any more."""
        try:
            with translate_aws_errors():
                self._client.abort_multipart_upload(Bucket=self._name, Key=key, UploadId=multipart)
        except ClientError as error:
            if error_code(error) not in NO_SUCH_UPLOAD:
                raise

    def discard(self, key: str, multipart: str | None) -> None:
        """Deletes an object, after the parts of its multipart upload. Neither needs to exist."""
        if multipart:
            self.abort_multipart(key, multipart)
        self.delete(key)

    def presign_get(self, key: str, disposition: str, content_type: str, seconds: int) -> str:
        """A URL that reads an object for `seconds`.

        The response has this Content-Disposition and Content-Type, no Content-Encoding that a
        client would decode, whatever the object was stored with, and no cache may share it.
        """
        return self._presign(
            "get_object",
            seconds,
            Key=key,
            ResponseContentDisposition=disposition,
            ResponseContentType=content_type,
            ResponseContentEncoding=IDENTITY,
            ResponseCacheControl="private, no-store",
        )

    def presign_put(
        self,
        key: str,
        content_type: str,
        size: int | None,
        seconds: int,
        *,
        sha256: str | None,
        crc64nvme: str | None,
    ) -> tuple[str, dict[str, str]]:
        """A URL for one PUT within `seconds`, and the headers that the client must send with it.

        `If-None-Match: *` makes the URL good for one object: nobody can overwrite it with the same
        URL. `size` in bytes and one of the checksums, in hexadecimal, are signed where known.
        """
        parameters: dict[str, Any] = {"ContentType": content_type, "IfNoneMatch": "*"}
        headers = {"content-type": content_type, "if-none-match": "*"}
        if size is not None:
            parameters["ContentLength"] = size
        if sha256:
            parameters["ChecksumSHA256"] = headers[SHA256_HEADER] = base64_of(sha256)
        if crc64nvme:
            parameters["ChecksumCRC64NVME"] = headers[CRC64NVME_HEADER] = base64_of(crc64nvme)
        return self._presign("put_object", seconds, Key=key, **parameters), headers

    def presign_part(
        self,
        key: str,
        multipart: str,
        number: int,
        size: int | None,
        sha256: str | None,
        seconds: int,
    ) -> tuple[str, dict[str, str]]:
        """A URL for one part, and the headers that the client must send with it.

        Its `size` in bytes and its `sha256` in hexadecimal are signed where they are known.
        """
        parameters: dict[str, Any] = {} if size is None else {"ContentLength": size}
        headers: dict[str, str] = {}
        if sha256:
            parameters["ChecksumSHA256"] = headers[SHA256_HEADER] = base64_of(sha256)
        where = {"Key": key, "UploadId": multipart, "PartNumber": number}
        return self._presign("upload_part", seconds, **where, **parameters), headers

    def create_multipart(
        self, key: str, content_type: str, checksum: MultipartChecksum | None
    ) -> str:
        """Starts a multipart upload and returns its id.

        With `checksum` "sha256" S3 takes only parts with their SHA-256; with "crc64nvme" it
        verifies the checksum that `complete_multipart` gives for the whole object.
        """
        with translate_aws_errors():
            answer = self._client.create_multipart_upload(
                Bucket=self._name,
                Key=key,
                ContentType=content_type,
                **(MULTIPART_CHECKSUMS[checksum] if checksum else {}),
            )
        return answer["UploadId"]

    def list_parts(self, key: str, multipart: str) -> list[Part] | None:
        """All parts that S3 has, by number; None when it does not know the upload any more."""
        parts: list[Part] = []
        request: Any = {"Bucket": self._name, "Key": key, "UploadId": multipart}
        while True:
            try:
                with translate_aws_errors():
                    answer = self._client.list_parts(**request)
            except ClientError as error:
                if error_code(error) in NO_SUCH_UPLOAD:
                    return None
                raise
            parts += [
                Part(
                    part["PartNumber"],
                    part["Size"],
                    part["ETag"].strip('"'),
                    hex_of(part["ChecksumSHA256"]) if "ChecksumSHA256" in part else None,
                )
                for part in answer.get("Parts", [])
            ]
            if not answer.get("IsTruncated"):
                return parts
            request["PartNumberMarker"] = answer["NextPartNumberMarker"]

    def complete_multipart(
        self, key: str, multipart: str, parts: Sequence[Part], crc64nvme: str | None
    ) -> bool:
        """Makes the parts one object; False when a part is not as listed.

        True also when S3 does not know the upload: an earlier call may have completed it, so
        callers look at the object afterwards. `crc64nvme` is that of the whole object, in
        hexadecimal, if the upload was created for one. Raises WrongChecksum.
        """
        listed: Any = [
            {
                "PartNumber": part.number,
                "ETag": f'"{part.etag}"',
                **({"ChecksumSHA256": base64_of(part.sha256)} if part.sha256 else {}),
            }
            for part in parts
        ]
        whole: Any = {"ChecksumCRC64NVME": base64_of(crc64nvme)} if crc64nvme else {}
        try:
            with translate_aws_errors():
                self._client.complete_multipart_upload(
                    Bucket=self._name,
                    Key=key,
                    UploadId=multipart,
                    MultipartUpload={"Parts": listed},
                    **whole,
                )
        except ClientError as error:
            if error_code(error) == "BadDigest":
                raise WrongChecksum from error
            if error_code(error) in NOT_AS_LISTED:
                return False
            if error_code(error) not in NO_SUCH_UPLOAD:
                raise
        return True

    def _presign(self, operation: str, seconds: int, **parameters: Any) -> str:
        with translate_aws_errors():
            url: str = self._client.generate_presigned_url(
                operation, Params={"Bucket": self._name, **parameters}, ExpiresIn=seconds
            )
        return url


def hex_of(checksum: str) -> str:
    """A checksum as hexadecimal, from the Base64 in which S3 writes it."""
    return base64.b64decode(checksum).hex()


def base64_of(digest: str) -> str:
    """A hexadecimal digest as the Base64 that S3 expects."""
    return base64.b64encode(bytes.fromhex(digest)).decode()
