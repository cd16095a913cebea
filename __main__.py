"""The stack: storage, the function and its role, the event sources, the HTTP API, the exports.

`Pulumi.yaml` describes the settings, `infra/` holds the components, `bundle` builds the artifact.
`local` runs this same program under Pulumi's mocks, for `make serve` and for the tests.
"""

from typing import Any

import pulumi
import pulumi_aws as aws

import bundle
from function import contract
from infra.config import StackConfig
from infra.event_sources import EventSources
from infra.http_api import HttpApi
from infra.limits import NAME_SUFFIX, require_environment, require_stack_name
from infra.policies import FunctionRole
from infra.storage import Storage
from infra.upload_notifications import UploadNotifications

NAME = f"{pulumi.get_project()}-{pulumi.get_stack()}"

# The minimum of Argon2id that OWASP recommends. Each concurrent login takes this much memory.
# Several lanes gain nothing on the one CPU of a function.
HASH_MEMORY_KIB = 19_456
HASH_PASSES = 2

# Shorter than the timeout of the HTTP API, so that the function itself answers a slow request.
FUNCTION_TIMEOUT_SECONDS = 28

require_stack_name(pulumi.get_stack())
config = StackConfig.load()


def environment(bucket: Any, tables: dict[str, Any]) -> dict[str, Any]:
    """The environment variables of the function, for the names of the bucket and the tables."""
    return {
        **contract.environment(
            stack=pulumi.get_stack(),
            bucket=bucket,
            **tables,
            hash_memory=HASH_MEMORY_KIB,
            hash_passes=HASH_PASSES,
            **config.function_settings(),
        ),
        "POWERTOOLS_SERVICE_NAME": "satchel",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }


tables = {each.name: f"{NAME}-{each.name}{NAME_SUFFIX}" for each in contract.TABLES}
require_environment(environment(f"{NAME}-objects{NAME_SUFFIX}", tables))
provider = aws.Provider(
    "aws",
    region=aws.config.region,
    profile=aws.config.profile,
    default_tags={"tags": {"project": pulumi.get_project(), "stack": pulumi.get_stack()}},
)
options = pulumi.ResourceOptions(provider=provider)

storage = Storage(
    NAME,
    origins=config.allowed_origins,
    keep_days=config.keep_days,
    protect=config.protect,
    opts=options,
)
notifications = UploadNotifications(
    NAME,
    storage.bucket,
    after=storage.settings[-1],
    function_timeout=FUNCTION_TIMEOUT_SECONDS,
    opts=options,
)
log_group = aws.cloudwatch.LogGroup(
    f"{NAME}-function-log",
    name=f"/satchel/{NAME}/function",
    retention_in_days=config.log_retention_days,
    opts=options,
)
role = FunctionRole(
    NAME,
    tables=storage.tables,
    bucket=storage.bucket,
    queue=notifications.queue,
    log_group=log_group,
    mail_from=config.mail_from,
    opts=options,
)

function = aws.lambda_.Function(
    f"{NAME}-function",
    runtime=aws.lambda_.Runtime.PYTHON3D13,
    architectures=["arm64"],
    handler="function.app.lambda_handler",
    code=pulumi.FileArchive(bundle.build()),
    role=role.arn,
    memory_size=config.memory_mb,
    timeout=FUNCTION_TIMEOUT_SECONDS,
    environment={
        "variables": environment(
            storage.bucket.bucket, {noun: table.name for noun, table in storage.tables.items()}
        )
    },
    logging_config={"log_format": "Text", "log_group": log_group.name},
    # Without its permissions the function would fail the first requests.
    opts=pulumi.ResourceOptions(provider=provider, depends_on=[role.policy]),
)
EventSources(NAME, function, notifications.queue, enabled=not config.paused, opts=options)
http_api = HttpApi(
    NAME,
    function,
    origins=config.allowed_origins,
    rate=0 if config.paused else config.throttle_rate,
    burst=0 if config.paused else config.throttle_burst,
    log_days=config.log_retention_days,
    opts=options,
)

pulumi.export("url", http_api.api.api_endpoint)
pulumi.export("bucket", storage.bucket.bucket)
pulumi.export("tables", {noun: table.name for noun, table in storage.tables.items()})
queues = {
    "uploadNotifications": notifications.queue.url,
    "deadLetter": notifications.dead_letter_queue.url,
}
pulumi.export("queues", queues)
pulumi.export("function", function.name)
pulumi.export("role", role.arn)
pulumi.export("logs", {"function": log_group.name, "access": http_api.access_log.name})
