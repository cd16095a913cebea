"""Creates in an emulator the resources that `__main__.py` declares.

The emulator is moto in this process, or a server at an endpoint. Resources keep their declared
names, so that a second run adopts those of the first.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from function.contract import variable
from local.emulator.mail import verify_sender
from local.fake_outputs import fake_outputs
from local.provision import dynamodb, iam, s3, sqs
from local.provision.clients import Clients
from local.record import configuration, run_program
from local.resource import Resource, only_resource

PROVISIONED: dict[str, Callable[[Clients, Resource], dict[str, Any]]] = {
    "aws:dynamodb/table:Table": dynamodb.create_table,
    "aws:iam/role:Role": iam.create_role,
    "aws:iam/rolePolicy:RolePolicy": iam.put_role_policy,
    "aws:s3/bucket:Bucket": s3.create_bucket,
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": s3.set_cors,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": s3.set_lifecycle,
    "aws:s3/bucketNotification:BucketNotification": s3.set_notification,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": s3.set_ownership,
    "aws:s3/bucketPolicy:BucketPolicy": s3.set_bucket_policy,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": s3.block_public_access,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        s3.set_encryption
    ),
    "aws:s3/bucketVersioning:BucketVersioning": s3.set_versioning,
    "aws:sqs/queue:Queue": sqs.create_queue,
    "aws:sqs/queuePolicy:QueuePolicy": sqs.set_queue_policy,
}

# Declared but not created, each for its reason.
NOT_PROVISIONED: dict[str, str] = {
    "pulumi:providers:aws": "the emulator is the provider",
    "aws:apigatewayv2/api:Api": "`local/gateway` is the API",
    "aws:apigatewayv2/integration:Integration": "`local/gateway` calls the handler itself",
    "aws:apigatewayv2/route:Route": "`local/gateway` sends every path to the handler",
    "aws:apigatewayv2/stage:Stage": "one user needs neither throttling nor an access log",
    "aws:cloudwatch/eventRule:EventRule": "`local/event_sources.py` runs the schedules",
    "aws:cloudwatch/eventTarget:EventTarget": "`local/event_sources.py` sends their events",
    "aws:cloudwatch/logGroup:LogGroup": "the handler logs to a file of the state folder",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "the user sees the log",
    "aws:lambda/eventSourceMapping:EventSourceMapping": "`local/event_sources.py` polls the queue",
    "aws:lambda/function:Function": "the handler runs in a process of this machine",
    "aws:lambda/permission:Permission": "`local/gateway` needs no permission",
}


@dataclass(frozen=True)
class Deployment:
    """The environment and the role of the function, the stack outputs, and all resources."""

    environment: dict[str, str]
    role_arn: str
    exports: dict[str, Any]
    resources: list[Resource]


def deploy(
    session: boto3.Session,
    stack: str = "dev",
    config: Mapping[str, Any] | None = None,
    endpoint_url: str | None = None,
) -> Deployment:
    """Create the resources of a stack, or adopt those that exist.

    Without an endpoint the session must already lead to an emulator in this process. Raises
    LookupError for a kind that neither table names, RuntimeError when a table has other keys.
    """
    region = session.region_name
    assert region, "the session needs a region: ARNs and presigned URLs carry it"
    clients = Clients(session, endpoint_url)
    account = clients.sts.get_caller_identity()["Account"]
    lock = threading.Lock()  # a boto3 session is not thread-safe

    def create(resource: Resource) -> tuple[str, dict[str, Any]]:
        resource_id, outputs = fake_outputs(resource, region, account)
        if provision := PROVISIONED.get(resource.kind):
            with lock:
                outputs |= provision(clients, resource)
        elif resource.kind not in NOT_PROVISIONED:
            raise LookupError(f"local/deploy.py does not know {resource.kind}")
        return resource_id, outputs

    own = {**(config or {}), "aws:region": region}
    declaration = run_program(stack, configuration(stack, own), create)
    function = only_resource(declaration.resources, "aws:lambda/function:Function").inputs
    environment: dict[str, str] = function["environment"]["variables"]
    if sender := environment[variable("mail_from")]:
        verify_sender(clients.ses, sender)
    return Deployment(environment, function["role"], declaration.exports, declaration.resources)
