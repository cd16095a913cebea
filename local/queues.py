"""How queues, and what the bucket tells them, are made with boto3; imported by `create`."""

from typing import TYPE_CHECKING, Any

from local.declare import Resource

if TYPE_CHECKING:
    from local.create import Emulator

# The provider's names of what a queue is, and SQS's.
ATTRIBUTES = {
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}


def queue(at: "Emulator", resource: Resource) -> dict[str, Any]:
    """A queue, made without attributes first: one that stands with others would be refused."""
    url = at.client("sqs").create_queue(QueueName=resource.physical)["QueueUrl"]
    attributes = {
        name: str(resource.inputs[key]).lower()
        if isinstance(resource.inputs[key], bool)
        else str(resource.inputs[key])
        for key, name in ATTRIBUTES.items()
        if key in resource.inputs
    }
    at.client("sqs").set_queue_attributes(QueueUrl=url, Attributes=attributes)
    return {"url": url}


def queue_policy(at: "Emulator", resource: Resource) -> dict[str, Any]:
    """Who may send to a queue."""
    at.client("sqs").set_queue_attributes(
        QueueUrl=resource.inputs["queueUrl"], Attributes={"Policy": resource.inputs["policy"]}
    )
    return {}


def notification(at: "Emulator", resource: Resource) -> dict[str, Any]:
    """Which news of the bucket goes to which queue."""
    told = [
        {
            "Id": each["id"],
            "QueueArn": each["queueArn"],
            "Events": each["events"],
            "Filter": {"Key": {"FilterRules": [{"Name": "suffix", "Value": each["filterSuffix"]}]}},
        }
        for each in resource.inputs["queues"]
    ]
    at.s3.put_bucket_notification_configuration(
        Bucket=resource.physical, NotificationConfiguration={"QueueConfigurations": told}
    )
    return {}
