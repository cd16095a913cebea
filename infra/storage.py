"""Where facts live: the bucket that holds bytes and the tables that say what they are.

Imports Pulumi, and `function.contract` for the shape of each table.
"""

import pulumi
import pulumi_aws as aws

from function import contract

# An upload may take a week (the longest life of its row) and a day of grace.
UPLOAD_DAYS = 8

# How long a browser remembers what it was allowed, in seconds.
CORS_SECONDS = 3_600


class Storage(pulumi.ComponentResource):
    """The bucket and the tables, closed to everybody who is not named in a role.

    `origins` are the pages that may fetch and send bytes by presigned URL; removed bytes are kept
    `keep_days`; `protect` guards against deletion.
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
        self.name = name
        self.child = pulumi.ResourceOptions(parent=self)
        self.kept = pulumi.ResourceOptions(parent=self, protect=protect)
        self.bucket = aws.s3.Bucket(f"{name}-bytes", force_destroy=not protect, opts=self.kept)
        self._close()
        self._remember(keep_days)
        if origins:
            self._let_browsers_in(origins)
        self.tables = {shape.noun: self._table(shape, protect) for shape in contract.TABLES}
        self.register_outputs({})

    def index_arn(self, shape: contract.Table) -> pulumi.Output[str]:
        """The ARN of a table's index."""
        assert shape.index, f"{shape.noun} has no index"
        return pulumi.Output.concat(self.tables[shape.noun].arn, "/index/", shape.index.name)

    def _close(self) -> None:
        """Encrypt the bucket and shut it to the public, to other accounts and to plain HTTP."""
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{self.name}-bytes-encryption",
            bucket=self.bucket.id,
            rules=[encrypted()],
            opts=self.child,
        )
        aws.s3.BucketPublicAccessBlock(
            f"{self.name}-bytes-private",
            bucket=self.bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.child,
        )
        aws.s3.BucketOwnershipControls(
            f"{self.name}-bytes-ownership",
            bucket=self.bucket.id,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self.child,
        )
        aws.s3.BucketPolicy(
            f"{self.name}-bytes-policy",
            bucket=self.bucket.id,
            policy=pulumi.Output.json_dumps(
                {"Version": "2012-10-17", "Statement": [only_over_tls(self.bucket)]}
            ),
            opts=self.child,
        )

    def _remember(self, keep_days: int) -> None:
        """Keep removed bytes for a while, and forget what nobody finished sending."""
        versioning = aws.s3.BucketVersioning(
            f"{self.name}-bytes-versioning",
            bucket=self.bucket.id,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(
                status="Enabled"
            ),
            opts=self.child,
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{self.name}-bytes-lifecycle",
            bucket=self.bucket.id,
            rules=[unfinished_uploads(), removed_bytes(keep_days)],
            # A rule about noncurrent versions means nothing until there are versions.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )

    def _let_browsers_in(self, origins: list[str]) -> None:
        aws.s3.BucketCorsConfiguration(
            f"{self.name}-bytes-cors",
            bucket=self.bucket.id,
            cors_rules=[
                aws.s3.BucketCorsConfigurationCorsRuleArgs(
                    allowed_origins=origins,
                    allowed_methods=["GET", "HEAD", "PUT"],
                    allowed_headers=["content-type", "if-none-match", "range", "x-amz-*"],
                    expose_headers=["ETag"],  # a browser completes a multipart upload with them
                    max_age_seconds=CORS_SECONDS,
                )
            ],
            opts=self.child,
        )

    def _table(self, shape: contract.Table, protect: bool) -> aws.dynamodb.Table:
        """A table as the contract draws it: paid by request, restorable for 35 days."""
        index = shape.index
        keys = [shape.partition, shape.sort]
        if index:
            keys += [index.partition, index.sort]
        return aws.dynamodb.Table(
            f"{self.name}-{shape.noun}",
            billing_mode="PAY_PER_REQUEST",
            attributes=[
                aws.dynamodb.TableAttributeArgs(name=key, type="S")
                for key in sorted({key for key in keys if key})
            ],
            hash_key=shape.partition,
            range_key=shape.sort,
            global_secondary_indexes=[secondary(index)] if index else None,
            ttl=aws.dynamodb.TableTtlArgs(attribute_name=shape.ttl, enabled=True)
            if shape.ttl
            else None,
            point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
            deletion_protection_enabled=protect,
            opts=self.kept,
        )


def secondary(index: contract.Index) -> aws.dynamodb.TableGlobalSecondaryIndexArgs:
    """An index that holds whole rows, so that a list needs no second read."""
    return aws.dynamodb.TableGlobalSecondaryIndexArgs(
        name=index.name,
        key_schemas=[
            aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(attribute_name=key, key_type=kind)
            for key, kind in ((index.partition, "HASH"), (index.sort, "RANGE"))
        ],
        projection_type="ALL",
    )


def encrypted() -> aws.s3.BucketServerSideEncryptionConfigurationRuleArgs:
    """Encryption with the key that S3 keeps itself: it costs nothing and no call of its own."""
    own = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
        sse_algorithm="AES256"
    )
    return aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
        apply_server_side_encryption_by_default=own
    )


def only_over_tls(bucket: aws.s3.Bucket) -> dict[str, object]:
    """The statement that refuses plain HTTP to everybody, the account's administrators included."""
    return {
        "Sid": "OnlyOverTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket.arn, pulumi.Output.concat(bucket.arn, "/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def unfinished_uploads() -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    """Parts that were never put together cost money and show in no list."""
    end = aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
        days_after_initiation=UPLOAD_DAYS
    )
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="unfinished-uploads",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        abort_incomplete_multipart_upload=end,
    )


def removed_bytes(keep_days: int) -> aws.s3.BucketLifecycleConfigurationRuleArgs:
    """Bytes removed by mistake can be brought back by an administrator until then."""
    end = aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
        noncurrent_days=keep_days
    )
    return aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="removed-bytes",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        noncurrent_version_expiration=end,
        expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(
            expired_object_delete_marker=True
        ),
    )
