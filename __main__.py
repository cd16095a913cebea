"""The stack, top to bottom: configuration, data, permissions, function, what calls it, exports.

Imports Pulumi, `infra` for the longer parts, `bundle` for the artifact and `function.contract` for
every name that the function reads. `local` runs this same program under mocks, for the tests and
for `make serve`.
"""

import json
import re

import pulumi
import pulumi_aws as aws

import bundle
from function import contract
from infra.arrivals import Arrivals
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

# What CloudWatch offers; any other number is refused only in the middle of a deployment.
LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1_096, 1_827, 3_653)

# --- configuration: each key is described in Pulumi.yaml -----------------------------------------

config = pulumi.Config()


def whole(key: str, least: int, most: int) -> int:
    """A whole number of the configuration. Raises ValueError outside what makes sense or exists."""
    value = config.require_int(key)
    if not least <= value <= most:
        raise ValueError(f"{key} must be from {least} to {most}, not {value}")
    return value


def web_origins(key: str) -> list[str]:
    """The pages that may call from a browser. Raises ValueError for `*` and for plain http."""
    secure = r"https://[a-z0-9.-]+(:\d+)?|http://(localhost|127\.0\.0\.1)(:\d+)?"
    given = config.require_object(key)
    for origin in given:
        if not re.fullmatch(secure, str(origin)):
            raise ValueError(f"{key}: {origin!r} is not an origin like https://files.example.org")
    return given


def one_of(key: str, *values: str) -> str:
    """One of some words. Raises ValueError for another."""
    if (value := config.require(key)) not in values:
        raise ValueError(f"{key} must be one of {', '.join(values)}, not {value!r}")
    return value


def username(key: str) -> str:
    """A user name, or nothing. Raises ValueError for what no account can be called."""
    value = config.require(key).lower()
    if value and not re.fullmatch(r"[a-z0-9._@+-]{3,64}", value):
        raise ValueError(f"{key}: {value!r} is not a user name")
    return value


def address(key: str) -> str:
    """A mail address, or nothing. Raises ValueError for another text."""
    value = config.require(key)
    if value and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        raise ValueError(f"{key}: {value!r} is not a mail address")
    return value


def upload_rules(key: str) -> str:
    """What each role may upload, as JSON. Raises ValueError for what says nothing of one."""
    rules = json.loads(config.require(key))
    for role, rule in rules.items():
        kinds, size = rule.get("types", []), rule.get("maxBytes", 1)
        known = role in {"admin", "member", "client"} and rule.keys() <= {"types", "maxBytes"}
        plain = all(
            re.fullmatch(r"\.[a-z0-9._+-]+|[a-z]+/(\*|[a-z0-9.+-]+)", str(k)) for k in kinds
        )
        if not known or not plain or type(size) is not int or size < 1:
            raise ValueError(f"{key}.{role}: types such as .pdf or image/*, and maxBytes")
    return json.dumps(rules, sort_keys=True)


protect = config.require_bool("protect")
origins = web_origins("allowedOrigins")
keep_days = whole("keepDays", 1, 3_650)
log_days = config.require_int("logRetentionDays")
if log_days not in LOG_DAYS:
    raise ValueError(f"logRetentionDays must be one of {LOG_DAYS}, not {log_days}")

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

storage = Storage(NAME, origins=origins, keep_days=keep_days, protect=protect, opts=ours)
bucket, tables = storage.bucket, storage.tables

arrivals = Arrivals(NAME, bucket, handling_seconds=FUNCTION_SECONDS, opts=ours)

log_group = aws.cloudwatch.LogGroup(
    f"{NAME}-log", name=f"/satchel/{NAME}/function", retention_in_days=log_days, opts=ours
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

mail_from = address("mailFrom")
if mail_from:
    # SES asks for the identity that it knows: the address itself, or else its domain.
    account = tables["users"].arn.apply(lambda arn: ":".join(arn.split(":")[1:5]))
    account = account.apply(lambda words: words.replace(":dynamodb:", ":ses:"))
    POWERS += [
        ("ses", "SendEmail", pulumi.Output.concat("arn:", account, ":identity/", identity))
        for identity in (mail_from, mail_from.rpartition("@")[2])
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
    session_seconds=whole("sessionHours", 1, 24 * 365) * HOUR,
    keep_seconds=keep_days * DAY,
    password_min_length=whole("passwordMinLength", 8, 64),
    hash_memory=HASH_MEMORY_KIB,
    hash_passes=HASH_PASSES,
    administrator=username("administrator"),
    registration=one_of("registration", "open", "invite", "closed"),
    default_role=one_of("defaultRole", "member", "client"),
    quota=whole("quotaMb", 0, 10**9) * MIB,
    files_quota=whole("quotaFiles", 0, 10**9),
    keep_versions=whole("keepVersions", 1, 1_000),
    upload_rules=upload_rules("uploadRules"),
    audit_seconds=whole("auditDays", 1, 3_650) * DAY,
    mail_from=mail_from,
)
function = aws.lambda_.Function(
    f"{NAME}-function",
    runtime=aws.lambda_.Runtime.PYTHON3D13,
    architectures=["arm64"],
    handler="function.app.lambda_handler",
    code=pulumi.FileArchive(bundle.build()),
    role=role.arn,
    memory_size=whole("memoryMb", 512, 10_240),
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
    origins=origins,
    rate=whole("throttleRate", 1, 10_000),
    burst=whole("throttleBurst", 1, 5_000),
    log_days=log_days,
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
