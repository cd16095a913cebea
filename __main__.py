"""The stack, top to bottom: configuration, data, permissions, function, what calls it, exports.

Imports Pulumi, `infra` for the longer parts, `bundle` for the artifact and `function.contract` for
every name that the function reads. `local` runs this same program under mocks, for the tests and
for `make serve`.
"""

import json

import pulumi
import pulumi_aws as aws

import bundle
from function import contract
from infra.arrivals import Arrivals
from infra.config import StackConfig
from infra.door import Door
from infra.errands import Errands
from infra.storage import Storage

NAME = f"{pulumi.get_project()}-{pulumi.get_stack()}"
HOUR, DAY = 3_600, 86_400
MIB = 1024 * 1024

# Argon2id: OWASP's floor. Lanes gain nothing on the one core that a function has, and each login
# that runs at the same time needs this much memory of its own.
HASH_MEMORY_KIB = 19_456
HASH_PASSES = 2

# Less than the gateway waits, so that the function answers for itself.
FUNCTION_SECONDS = 28

config = StackConfig.load()

provider = aws.Provider(
    "aws",
    region=aws.config.region,
    profile=aws.config.profile,
    default_tags=aws.ProviderDefaultTagsArgs(
        tags={"project": pulumi.get_project(), "stack": pulumi.get_stack()}
    ),
)
ours = pulumi.ResourceOptions(provider=provider)

# --- data ----------------------------------------------------------------------------------------

storage = Storage(
    NAME,
    origins=config.allowed_origins,
    keep_days=config.keep_days,
    protect=config.protect,
    opts=ours,
)
bucket, tables = storage.bucket, storage.tables

arrivals = Arrivals(NAME, bucket, handling_seconds=FUNCTION_SECONDS, opts=ours)

log_group = aws.cloudwatch.LogGroup(
    f"{NAME}-log",
    name=f"/satchel/{NAME}/function",
    retention_in_days=config.log_retention_days,
    opts=ours,
)

# --- permissions: what is not in this table the function cannot do -------------------------------

USERS = "BatchGetItem PutItem UpdateItem DeleteItem ConditionCheckItem Scan"
SESSIONS = "BatchGetItem PutItem UpdateItem ConditionCheckItem"
SHARES = "BatchGetItem PutItem UpdateItem DeleteItem BatchWriteItem ConditionCheckItem Query"
FILES = "BatchGetItem PutItem UpdateItem DeleteItem ConditionCheckItem Query"
OBJECTS = "GetObject PutObject DeleteObject ListMultipartUploadParts AbortMultipartUpload"
MESSAGES = "ReceiveMessage DeleteMessage GetQueueAttributes"

POWERS = [
    ("dynamodb", USERS, tables["users"].arn),
    ("dynamodb", SESSIONS, tables["sessions"].arn),
    ("dynamodb", "Query", storage.index_arn(contract.SESSIONS)),
    ("dynamodb", SHARES, tables["shares"].arn),
    ("dynamodb", "Query", storage.index_arn(contract.SHARES)),
    ("dynamodb", FILES, tables["files"].arn),
    ("s3", OBJECTS, pulumi.Output.concat(bucket.arn, "/*")),
    ("s3", "ListBucket", bucket.arn),  # without it a missing object is 403, not 404
    ("sqs", MESSAGES, arrivals.queue.arn),
    ("logs", "CreateLogStream PutLogEvents", pulumi.Output.concat(log_group.arn, ":*")),
]

if config.mail_from:
    # SES asks for the identity that it knows: the address itself, or else its domain.
    account = tables["users"].arn.apply(lambda arn: ":".join(arn.split(":")[1:5]))
    account = account.apply(lambda words: words.replace(":dynamodb:", ":ses:"))
    POWERS += [
        ("ses", "SendEmail", pulumi.Output.concat("arn:", account, ":identity/", identity))
        for identity in (config.mail_from, config.mail_from.rpartition("@")[2])
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
    f"{NAME}-powers",
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

settings = contract.environment(
    bucket=bucket.bucket,
    users=tables["users"].name,
    sessions=tables["sessions"].name,
    shares=tables["shares"].name,
    files=tables["files"].name,
    session_seconds=config.session_hours * HOUR,
    keep_seconds=config.keep_days * DAY,
    password_min_length=config.password_min_length,
    hash_memory=HASH_MEMORY_KIB,
    hash_passes=HASH_PASSES,
    administrator=config.administrator,
    registration=config.registration,
    default_role=config.default_role,
    quota=config.quota_mb * MIB,
    files_quota=config.quota_files,
    keep_versions=config.keep_versions,
    upload_rules=json.dumps(config.upload_rules, sort_keys=True),
    audit_seconds=config.audit_days * DAY,
    mail_from=config.mail_from,
)
function = aws.lambda_.Function(
    f"{NAME}-function",
    runtime=aws.lambda_.Runtime.PYTHON3D13,
    architectures=["arm64"],
    handler="function.app.lambda_handler",
    code=pulumi.FileArchive(bundle.build()),
    role=role.arn,
    memory_size=config.memory_mb,
    timeout=FUNCTION_SECONDS,
    environment=aws.lambda_.FunctionEnvironmentArgs(
        variables={
            **settings,
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

# --- what calls it: the queue and the clock -------------------------------------------------------

Errands(NAME, function, arrivals.queue, opts=ours)

# --- the front door ------------------------------------------------------------------------------

door = Door(
    NAME,
    function,
    origins=config.allowed_origins,
    rate=config.throttle_rate,
    burst=config.throttle_burst,
    log_days=config.log_retention_days,
    opts=ours,
)

# --- exports -------------------------------------------------------------------------------------

pulumi.export("url", door.api.api_endpoint)
pulumi.export("bucket", bucket.bucket)
pulumi.export("tables", {noun: table.name for noun, table in tables.items()})
pulumi.export("queues", {"arrivals": arrivals.queue.url, "failed": arrivals.failed.url})
pulumi.export("function", function.name)
pulumi.export("role", role.arn)
pulumi.export("logs", {"function": log_group.name, "access": door.log.name})
