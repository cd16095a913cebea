"""The bucket, which holds the bytes of files, and the tables, which say what the bytes are.

Imports Pulumi, `infra.policies`, and `function.contract` for the keys of each table.
"""

from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws

from function import contract
from infra.policies import deny_plain_http, document

# S3 aborts a multipart upload a day after the last upload that could use it has expired.
ABORT_DAYS = 8

# How long a browser caches the answer to a preflight request.
CORS_SECONDS = 3_600


class Storage(pulumi.ComponentResource):
    """The bucket and the tables.

    `origins` are the web pages that can use presigned URLs. The bucket keeps deleted and replaced
    objects for `keep_days`. With `protect`, AWS and Pulumi refuse to delete the bucket and the
    tables.
    """

    def __init__(
        self,
        name: str,
        *,
        origins: list[str],
        keep_days: int,
        protect: bool,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("satchel:infra:Storage", name, None, opts)
        self._name = name
        # The settings of the bucket, each of which waits for the one before: S3 answers
        # OperationAborted to a second change of the same bucket at the same time.
        self.settings: list[pulumi.Resource] = []
        self._protected = pulumi.ResourceOptions(parent=self, protect=protect)
        self.bucket = aws.s3.Bucket(
            f"{name}-objects", force_destroy=not protect, opts=self._protected
        )
        self._encrypt()
        self._restrict_access()
        self._keep_versions(keep_days)
        if origins:
            self._allow_origins(origins)
        self.tables = {shape.name: self._table(shape, protect) for shape in contract.TABLES}
        self.register_outputs({})

    def _set(self, kind: Callable[..., pulumi.Resource], name: str, **inputs: Any) -> None:
        """Make a setting of the bucket, after the one before it."""
        options = pulumi.ResourceOptions(parent=self, depends_on=self.settings[-1:])
        full = f"{self._name}-objects-{name}"
        self.settings.append(kind(full, bucket=self.bucket.id, opts=options, **inputs))

    def _encrypt(self) -> None:
        """Encrypt objects with the key of S3 itself (SSE-S3), which costs nothing.

        Objects with a key of the client's own (SSE-C) could be read by nobody else, so S3 refuses
        them.
        """
        self._set(
            aws.s3.BucketServerSideEncryptionConfiguration,
            "encryption",
            rules=[
                {
                    "apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"},
                    "blocked_encryption_types": ["SSE-C"],
                }
            ],
        )

    def _restrict_access(self) -> None:
        """Block public access, ACLs, and requests without TLS."""
        self._set(
            aws.s3.BucketPublicAccessBlock,
            "public-access-block",
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        self._set(
            aws.s3.BucketOwnershipControls,
            "ownership",
            rule={"object_ownership": "BucketOwnerEnforced"},
        )
        arn = self.bucket.arn
        self._set(
            aws.s3.BucketPolicy,
            "policy",
            policy=document(deny_plain_http("s3", [arn, pulumi.Output.concat(arn, "/*")])),
        )

    def _keep_versions(self, days: int) -> None:
        """Keep noncurrent versions for `days`, and delete the parts of incomplete uploads.

        An administrator can restore a noncurrent version. Parts cost money and appear in no list.
        """
        self._set(
            aws.s3.BucketVersioning,
            "versioning",
            versioning_configuration={"status": "Enabled"},
        )
        # S3 accepts a rule for noncurrent versions only in a bucket that is versioned.
        self._set(
            aws.s3.BucketLifecycleConfiguration,
            "lifecycle",
            rules=[
                {
                    "id": "abort-incomplete-uploads",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": ABORT_DAYS},
                },
                {
                    "id": "expire-noncurrent-versions",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "noncurrent_version_expiration": {"noncurrent_days": days},
                    "expiration": {"expired_object_delete_marker": True},
                },
            ],
        )

    def _allow_origins(self, origins: list[str]) -> None:
        """Allow scripts of these origins to use presigned URLs (CORS)."""
        self._set(
            aws.s3.BucketCorsConfiguration,
            "cors",
            cors_rules=[
                {
                    "allowed_origins": origins,
                    "allowed_methods": ["GET", "HEAD", "PUT"],
                    "allowed_headers": ["content-type", "if-none-match", "range", "x-amz-*"],
                    # A client needs the ETag of each part to complete a multipart upload.
                    "expose_headers": ["ETag"],
                    "max_age_seconds": CORS_SECONDS,
                }
            ],
        )

    def _table(self, shape: contract.Table, protect: bool) -> aws.dynamodb.Table:
        """A table with the keys of the contract, paid per request, with point-in-time recovery."""
        index = shape.index
        keys = [shape.partition, shape.sort]
        if index:
            keys += [index.partition, index.sort]
        return aws.dynamodb.Table(
            f"{self._name}-{shape.name}",
            billing_mode="PAY_PER_REQUEST",
            attributes=[{"name": key, "type": "S"} for key in sorted({key for key in keys if key})],
            hash_key=shape.partition,
            range_key=shape.sort,
            global_secondary_indexes=[global_secondary_index(index)] if index else None,
            ttl={"attribute_name": shape.ttl, "enabled": True} if shape.ttl else None,
            point_in_time_recovery={"enabled": True},
            deletion_protection_enabled=protect,
            opts=self._protected,
        )


def global_secondary_index(index: contract.Index) -> aws.dynamodb.TableGlobalSecondaryIndexArgsDict:
    """An index with all attributes, so that a query of it needs no read of the table."""
    return {
        "name": index.name,
        "key_schemas": [
            {"attribute_name": index.partition, "key_type": "HASH"},
            {"attribute_name": index.sort, "key_type": "RANGE"},
        ],
        "projection_type": "ALL",
    }
