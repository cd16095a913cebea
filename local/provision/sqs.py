"""The queues and their policies."""

from typing import Any

from local.provision.clients import Clients
from local.resource import Resource

# The provider's name of each attribute, and SQS's.
ATTRIBUTES = {
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}


def create_queue(clients: Clients, resource: Resource) -> dict[str, Any]:
    """Create a queue and then set its attributes.

    SQS refuses to create a queue that exists with other attributes.
    """
    url = clients.sqs.create_queue(QueueName=resource.physical_name)["QueueUrl"]
    attributes = {
        name: _text(resource.inputs[key])
        for key, name in ATTRIBUTES.items()
        if key in resource.inputs
    }
    clients.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    return {"url": url}


def set_queue_policy(clients: Clients, resource: Resource) -> dict[str, Any]:
    """Set who may send to a queue."""
    clients.sqs.set_queue_attributes(
        QueueUrl=resource.inputs["queueUrl"], Attributes={"Policy": resource.inputs["policy"]}
    )
    return {}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
