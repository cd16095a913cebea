"""The stack, from top to bottom: configuration, data, permissions, function, front door, exports.

Imports Pulumi, `bundle` for the artifact and `function.contract` for every name that the function
reads. `local/` runs this same program under mocks, for the tests and for `make serve`.
"""

import json
import re

import pulumi
import pulumi_aws as aws

import bundle
from function import contract

NAME = f"{pulumi.get_project()}-{pulumi.get_stack()}"
HOUR, DAY = 3_600, 86_400

# Argon2id: OWASP's floor. Lanes gain nothing on the one core that a function has, and each login
# that runs at the same time needs this much memory of its own.
HASH_MEMORY_KIB = 19_456
HASH_PASSES = 2

# An upload may take a week (the longest life of its row) and a day of grace.
UPLOAD_DAYS = 8

# API Gateway gives up after 30 s; the function must give up first, so that it answers for itself.
FUNCTION_SECONDS = 28
GATEWAY_MILLISECONDS = 29_000

# --- configuration ------------------------------------------------------------------------------

config = pulumi.Config()


def whole(key: str, least: int, most: int) -> int:
    """A whole number of the configuration. Raises ValueError outside what makes sense or exists."""
    value = config.require_int(key)
    if not least <= value <= most:
        raise ValueError(f"{key} must be from {least} to {most}, not {value}")
    return value


def web_origins(key: str) -> list[str]:
    """The pages that may call from a browser. Raises ValueError for `*` and for plain http."""
    origins = config.require_object(key)
    secure = r"https://[a-z0-9.-]+(:\d+)?|http://(localhost|127\.0\.0\.1)(:\d+)?"
    for origin in origins:
        if not re.fullmatch(secure, str(origin)):
            raise ValueError(f"{key}: {origin!r} is not an origin like https://files.example.org")
    return origins


protect = config.require_bool("protect")
origins = web_origins("allowedOrigins")
keep_days = whole("keepDays", 1, 3_650)
log_days = whole("logRetentionDays", 1, 3_653)

provider = aws.Provider(
    "aws",
    region=aws.config.region,
    profile=aws.config.profile,
    default_tags=aws.ProviderDefaultTagsArgs(
        tags={"project": pulumi.get_project(), "stack": pulumi.get_stack()}
    ),
)
ours = pulumi.ResourceOptions(provider=provider)
kept = pulumi.ResourceOptions(provider=provider, protect=protect)

# --- data: the bucket holds bytes, the tables say what they are -----------------------------------

bucket = aws.s3.Bucket(f"{NAME}-bytes", force_destroy=not protect, opts=kept)

versioning = aws.s3.BucketVersioning(
    f"{NAME}-bytes-versioning",
    bucket=bucket.id,
    versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
    opts=ours,
)
aws.s3.BucketServerSideEncryptionConfiguration(
    f"{NAME}-bytes-encryption",
    bucket=bucket.id,
    rules=[
        aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
            apply_server_side_encryption_by_default=aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                sse_algorithm="AES256"
            )
        )
    ],
    opts=ours,
)
aws.s3.BucketPublicAccessBlock(
    f"{NAME}-bytes-private",
    bucket=bucket.id,
    block_public_acls=True,
    block_public_policy=True,
    ignore_public_acls=True,
    restrict_public_buckets=True,
    opts=ours,
)
aws.s3.BucketOwnershipControls(
    f"{NAME}-bytes-ownership",
    bucket=bucket.id,
    rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
    opts=ours,
)
aws.s3.BucketLifecycleConfiguration(
    f"{NAME}-bytes-lifecycle",
    bucket=bucket.id,
    rules=[
        aws.s3.BucketLifecycleConfigurationRuleArgs(
            id="unfinished-uploads",
            status="Enabled",
            filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
            abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                days_after_initiation=UPLOAD_DAYS
            ),
        ),
        aws.s3.BucketLifecycleConfigurationRuleArgs(
            id="removed-bytes",
            status="Enabled",
            filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
            noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=keep_days
            ),
            expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(
                expired_object_delete_marker=True
            ),
        ),
    ],
    # Rules about noncurrent versions mean nothing until there are versions.
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[versioning]),
)
if origins:
    aws.s3.BucketCorsConfiguration(
        f"{NAME}-bytes-cors",
        bucket=bucket.id,
        cors_rules=[
            aws.s3.BucketCorsConfigurationCorsRuleArgs(
                allowed_origins=origins,
                allowed_methods=["GET", "HEAD", "PUT"],
                allowed_headers=["content-type", "if-none-match", "range", "x-amz-*"],
                expose_headers=["ETag"],  # a browser completes a multipart upload with them
                max_age_seconds=HOUR,
            )
        ],
        opts=ours,
    )
aws.s3.BucketPolicy(
    f"{NAME}-bytes-policy",
    bucket=bucket.id,
    policy=pulumi.Output.json_dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "OnlyOverTls",
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:*",
                    "Resource": [bucket.arn, pulumi.Output.concat(bucket.arn, "/*")],
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                }
            ],
        }
    ),
    opts=ours,
)


def key_schema(index: contract.Index) -> list[aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs]:
    """The keys of an index, partition first."""
    return [
        aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs(attribute_name=name, key_type=kind)
        for name, kind in ((index.partition, "HASH"), (index.sort, "RANGE"))
    ]


def table(shape: contract.Table) -> aws.dynamodb.Table:
    """A table as the contract draws it: paid by request, restorable to any second of 35 days."""
    index = shape.index
    names = {shape.partition, shape.sort, index and index.partition, index and index.sort} - {None}
    return aws.dynamodb.Table(
        f"{NAME}-{shape.noun}",
        billing_mode="PAY_PER_REQUEST",
        attributes=[
            aws.dynamodb.TableAttributeArgs(name=name, type="S")
            for name in sorted(name for name in names if name)
        ],
        hash_key=shape.partition,
        range_key=shape.sort,
        global_secondary_indexes=[
            aws.dynamodb.TableGlobalSecondaryIndexArgs(
                name=index.name, key_schemas=key_schema(index), projection_type="ALL"
            )
        ]
        if index
        else None,
        ttl=aws.dynamodb.TableTtlArgs(attribute_name=shape.ttl, enabled=True)
        if shape.ttl
        else None,
        point_in_time_recovery=aws.dynamodb.TablePointInTimeRecoveryArgs(enabled=True),
        deletion_protection_enabled=protect,
        opts=kept,
    )


tables = {shape.noun: table(shape) for shape in contract.TABLES}


def index_arn(shape: contract.Table) -> pulumi.Output[str]:
    """The ARN of a table's index."""
    assert shape.index, f"{shape.noun} has no index"
    return pulumi.Output.concat(tables[shape.noun].arn, "/index/", shape.index.name)


# --- permissions: one line a thing; what is not here the function cannot do -----------------

log_group = aws.cloudwatch.LogGroup(
    f"{NAME}-function-logs", name=f"/satchel/{NAME}/function", retention_in_days=log_days, opts=ours
)
access_log = aws.cloudwatch.LogGroup(
    f"{NAME}-access-logs",
    # Under this prefix the gateway's permission to write needs no room in the account's log policy.
    name=f"/aws/vendedlogs/{NAME}/access",
    retention_in_days=log_days,
    opts=ours,
)

POWERS: list[tuple[str, str, pulumi.Output[str]]] = [
    ("dynamodb", "BatchGetItem PutItem UpdateItem ConditionCheckItem", tables["users"].arn),
    ("dynamodb", "BatchGetItem PutItem UpdateItem", tables["sessions"].arn),
    (
        "dynamodb",
        "BatchGetItem PutItem DeleteItem BatchWriteItem Query",
        tables["shares"].arn,
    ),
    ("dynamodb", "Query", index_arn(contract.SHARES)),
    (
        "dynamodb",
        "BatchGetItem PutItem UpdateItem DeleteItem ConditionCheckItem Query",
        tables["files"].arn,
    ),
    ("s3", "GetObject PutObject", pulumi.Output.concat(bucket.arn, "/*")),
    ("s3", "ListBucket", bucket.arn),  # without it a missing object is 403, not 404
    ("logs", "CreateLogStream PutLogEvents", pulumi.Output.concat(log_group.arn, ":*")),
]

role = aws.iam.Role(
    f"{NAME}-function",
    assume_role_policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    ),
    opts=ours,
)
powers = aws.iam.RolePolicy(
    f"{NAME}-function-powers",
    role=role.name,
    policy=pulumi.Output.json_dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": [f"{service}:{action}" for action in actions.split()],
                    "Resource": resource,
                }
                for service, actions, resource in POWERS
            ],
        }
    ),
    opts=ours,
)

# --- the function --------------------------------------------------------------------------------

function = aws.lambda_.Function(
    f"{NAME}-api",
    runtime=aws.lambda_.Runtime.PYTHON3D13,
    architectures=["arm64"],
    handler="function.app.lambda_handler",
    code=pulumi.FileArchive(bundle.build()),
    role=role.arn,
    memory_size=whole("memoryMb", 512, 10_240),
    timeout=FUNCTION_SECONDS,
    environment=aws.lambda_.FunctionEnvironmentArgs(
        variables={
            **contract.environment(
                bucket=bucket.bucket,
                users=tables["users"].name,
                sessions=tables["sessions"].name,
                shares=tables["shares"].name,
                files=tables["files"].name,
                session_seconds=whole("sessionHours", 1, 24 * 365) * HOUR,
                keep_seconds=keep_days * DAY,
                password_min_length=whole("passwordMinLength", 8, 64),
                hash_memory=HASH_MEMORY_KIB,
                hash_passes=HASH_PASSES,
            ),
            "POWERTOOLS_SERVICE_NAME": "satchel",
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }
    ),
    logging_config=aws.lambda_.FunctionLoggingConfigArgs(
        log_format="Text", log_group=log_group.name
    ),
    # A function that answers before it may read would fail its first requests.
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[powers]),
)

# --- the front door: the only thing that the internet can reach ----------------------------------

api = aws.apigatewayv2.Api(
    f"{NAME}-door",
    protocol_type="HTTP",
    cors_configuration=aws.apigatewayv2.ApiCorsConfigurationArgs(
        allow_origins=origins,
        allow_methods=["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"],
        allow_headers=[
            "accept",
            "authorization",
            "content-type",
            "if-match",
            "if-none-match",
            "range",
            "x-session-token",
        ],
        expose_headers=[
            "content-disposition",
            "content-range",
            "etag",
            "link",
            "location",
            "retry-after",
            "x-next-cursor",
            "x-request-id",
        ],
        max_age=HOUR,
    )
    if origins
    else None,
    opts=ours,
)
integration = aws.apigatewayv2.Integration(
    f"{NAME}-door-function",
    api_id=api.id,
    integration_type="AWS_PROXY",
    integration_method="POST",
    integration_uri=function.invoke_arn,
    payload_format_version="2.0",
    timeout_milliseconds=GATEWAY_MILLISECONDS,
    opts=ours,
)
aws.apigatewayv2.Route(
    f"{NAME}-door-route",
    api_id=api.id,
    route_key="$default",
    target=pulumi.Output.concat("integrations/", integration.id),
    opts=ours,
)
aws.apigatewayv2.Stage(
    f"{NAME}-door-stage",
    api_id=api.id,
    name="$default",  # a named stage would lead every path
    auto_deploy=True,
    default_route_settings=aws.apigatewayv2.StageDefaultRouteSettingsArgs(
        throttling_rate_limit=whole("throttleRate", 1, 10_000),
        throttling_burst_limit=whole("throttleBurst", 1, 5_000),
    ),
    access_log_settings=aws.apigatewayv2.StageAccessLogSettingsArgs(
        destination_arn=access_log.arn,
        # No path, query or header: a path may hold a link's secret, a query a file's name. The
        # function's own log says the route, under the same request id.
        format=json.dumps(
            {
                "request_id": "$context.requestId",
                "time": "$context.requestTime",
                "from": "$context.identity.sourceIp",
                "method": "$context.httpMethod",
                "status": "$context.status",
                "bytes": "$context.responseLength",
                "milliseconds": "$context.responseLatency",
                "gateway_error": "$context.error.message",
                "function_error": "$context.integrationErrorMessage",
            }
        ),
    ),
    opts=ours,
)
aws.lambda_.Permission(
    f"{NAME}-door-may-call",
    action="lambda:InvokeFunction",
    function=function.name,
    principal="apigateway.amazonaws.com",
    source_arn=pulumi.Output.concat(api.execution_arn, "/*/*"),
    opts=ours,
)

# --- exports -------------------------------------------------------------------------------------

pulumi.export("url", api.api_endpoint)
pulumi.export("bucket", bucket.bucket)
pulumi.export("tables", {noun: each.name for noun, each in tables.items()})
pulumi.export("function", function.name)
pulumi.export("role", role.arn)
pulumi.export("logs", {"function": log_group.name, "access": access_log.name})
