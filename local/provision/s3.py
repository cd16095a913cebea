"""The bucket and its settings."""

import json
from typing import Any

from local.provision.clients import Clients
from local.resource import Resource, to_boto3

Outputs = dict[str, Any]


def create_bucket(clients: Clients, resource: Resource) -> Outputs:
    """Create the bucket in the region of the session. A bucket of another account is an error."""
    name = resource.physical_name
    place = {"CreateBucketConfiguration": {"LocationConstraint": clients.region}}
    s3 = clients.s3
    try:
        s3.create_bucket(Bucket=name, **({} if clients.region == "us-east-1" else place))
    except (s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
        s3.head_bucket(Bucket=name)
    return {}


def set_versioning(clients: Clients, resource: Resource) -> Outputs:
    """Set whether S3 keeps earlier versions of an object."""
    status = {"Status": resource.inputs["versioningConfiguration"]["status"]}
    clients.s3.put_bucket_versioning(Bucket=resource.physical_name, VersioningConfiguration=status)
    return {}


def set_encryption(clients: Clients, resource: Resource) -> Outputs:
    """Set the encryption at rest."""
    # The emulator does not know the encryption types that a rule blocks.
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": {
                "SSEAlgorithm": rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"]
            }
        }
        for rule in resource.inputs["rules"]
    ]
    clients.s3.put_bucket_encryption(
        Bucket=resource.physical_name, ServerSideEncryptionConfiguration={"Rules": rules}
    )
    return {}


def block_public_access(clients: Clients, resource: Resource) -> Outputs:
    """Block every way of making an object public."""
    blocks = {key: value for key, value in resource.inputs.items() if key != "bucket"}
    clients.s3.put_public_access_block(
        Bucket=resource.physical_name, PublicAccessBlockConfiguration=to_boto3(blocks)
    )
    return {}


def set_ownership(clients: Clients, resource: Resource) -> Outputs:
    """Set who owns the objects that other accounts write."""
    rule = {"ObjectOwnership": resource.inputs["rule"]["objectOwnership"]}
    clients.s3.put_bucket_ownership_controls(
        Bucket=resource.physical_name, OwnershipControls={"Rules": [rule]}
    )
    return {}


def set_lifecycle(clients: Clients, resource: Resource) -> Outputs:
    """Set when S3 expires versions and incomplete multipart uploads."""
    rules = to_boto3(resource.inputs["rules"], {"id": "ID"})
    clients.s3.put_bucket_lifecycle_configuration(
        Bucket=resource.physical_name, LifecycleConfiguration={"Rules": rules}
    )
    return {}


def set_cors(clients: Clients, resource: Resource) -> Outputs:
    """Set which web origins may upload to the bucket and read from it."""
    rules = to_boto3(resource.inputs["corsRules"])
    clients.s3.put_bucket_cors(
        Bucket=resource.physical_name, CORSConfiguration={"CORSRules": rules}
    )
    return {}


def set_bucket_policy(clients: Clients, resource: Resource) -> Outputs:
    """Set the bucket policy, without the statement that requires TLS where the emulator has none.

    Moto ignores conditions: that statement would deny every request there.
    """
    policy = json.loads(resource.inputs["policy"])
    if not clients.uses_tls:
        policy["Statement"] = [each for each in policy["Statement"] if not _requires_tls(each)]
    if policy["Statement"]:
        clients.s3.put_bucket_policy(Bucket=resource.physical_name, Policy=json.dumps(policy))
    return {}


def set_notification(clients: Clients, resource: Resource) -> Outputs:
    """Set which events S3 sends to which queue."""
    queues = [
        {
            "Id": each["id"],
            "QueueArn": each["queueArn"],
            "Events": each["events"],
            "Filter": {"Key": {"FilterRules": [{"Name": "suffix", "Value": each["filterSuffix"]}]}},
        }
        for each in resource.inputs["queues"]
    ]
    clients.s3.put_bucket_notification_configuration(
        Bucket=resource.physical_name, NotificationConfiguration={"QueueConfigurations": queues}
    )
    return {}


def _requires_tls(statement: dict[str, Any]) -> bool:
    conditions = statement.get("Condition", {}).values()
    return any("aws:SecureTransport" in keys for keys in conditions)
