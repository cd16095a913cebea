"""How each kind of resource is made with boto3; creating what stands already changes nothing.

Imports boto3's errors, `declare` for the shape of a declaration, `queues` for the makers of those.
A maker answers what the provider would add to the inputs, as far as the emulator decides it.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError

from local import queues
from local.declare import Resource

Answers = dict[str, Any]


class Emulator:
    """Clients for one emulator, each made once."""

    def __init__(self, session: boto3.Session, endpoint_url: str | None) -> None:
        self.region = session.region_name
        self.speaks_tls = bool(endpoint_url and endpoint_url.startswith("https:"))
        self.client: Callable[[str], Any] = cache(
            lambda service: session.client(service, endpoint_url=endpoint_url)
        )

    @property
    def s3(self) -> Any:
        """The client of the bucket."""
        return self.client("s3")

    @property
    def dynamodb(self) -> Any:
        """The client of the tables."""
        return self.client("dynamodb")

    @property
    def iam(self) -> Any:
        """The client of the role."""
        return self.client("iam")


def bucket(at: Emulator, resource: Resource) -> Answers:
    """The bucket, in the session's region."""
    name = resource.physical
    place = {"CreateBucketConfiguration": {"LocationConstraint": at.region}}
    try:
        at.s3.create_bucket(Bucket=name, **({} if at.region == "us-east-1" else place))
    except (at.s3.exceptions.BucketAlreadyOwnedByYou, at.s3.exceptions.BucketAlreadyExists):
        at.s3.head_bucket(Bucket=name)  # ours, or this refuses
    return {}


def versioning(at: Emulator, resource: Resource) -> Answers:
    """Whether replaced bytes are kept."""
    wanted = {"Status": resource.inputs["versioningConfiguration"]["status"]}
    at.s3.put_bucket_versioning(Bucket=resource.physical, VersioningConfiguration=wanted)
    return {}


def encryption(at: Emulator, resource: Resource) -> Answers:
    """How bytes are encrypted at rest."""
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": {
                "SSEAlgorithm": rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"]
            }
        }
        for rule in resource.inputs["rules"]
    ]
    at.s3.put_bucket_encryption(
        Bucket=resource.physical, ServerSideEncryptionConfiguration={"Rules": rules}
    )
    return {}


def public_access(at: Emulator, resource: Resource) -> Answers:
    """That nothing in the bucket can be made public."""
    at.s3.put_public_access_block(
        Bucket=resource.physical, PublicAccessBlockConfiguration=_capitals(resource, "bucket")
    )
    return {}


def ownership(at: Emulator, resource: Resource) -> Answers:
    """That the account owns every object, whoever wrote it."""
    rule = {"ObjectOwnership": resource.inputs["rule"]["objectOwnership"]}
    at.s3.put_bucket_ownership_controls(
        Bucket=resource.physical, OwnershipControls={"Rules": [rule]}
    )
    return {}


def lifecycle(at: Emulator, resource: Resource) -> Answers:
    """What the bucket forgets by itself."""
    names = {"id": "ID"}
    rules = [_renamed(rule, names) for rule in resource.inputs["rules"]]
    at.s3.put_bucket_lifecycle_configuration(
        Bucket=resource.physical, LifecycleConfiguration={"Rules": rules}
    )
    return {}


def cors(at: Emulator, resource: Resource) -> Answers:
    """Which pages may send bytes to the bucket and read them."""
    rules = [_renamed(rule, {}) for rule in resource.inputs["corsRules"]]
    at.s3.put_bucket_cors(Bucket=resource.physical, CORSConfiguration={"CORSRules": rules})
    return {}


def bucket_policy(at: Emulator, resource: Resource) -> Answers:
    """The bucket's policy, without what asks for TLS where the emulator speaks none.

    Moto ignores conditions, so that a statement of TLS would refuse everybody there.
    """
    policy = json.loads(resource.inputs["policy"])
    if not at.speaks_tls:
        policy["Statement"] = [each for each in policy["Statement"] if not _asks_for_tls(each)]
    if policy["Statement"]:
        at.s3.put_bucket_policy(Bucket=resource.physical, Policy=json.dumps(policy))
    return {}


def table(at: Emulator, resource: Resource) -> Answers:
    """A table with its indexes, expiry, backups and protection.

    Raises RuntimeError when a table of that name stands and has other keys.
    """
    name, wanted = resource.physical, _table_request(resource)
    try:
        found = at.dynamodb.create_table(**wanted)["TableDescription"]
    except at.dynamodb.exceptions.ResourceInUseException:
        found = at.dynamodb.describe_table(TableName=name)["Table"]
        if _keys(found) != _keys(wanted):
            raise RuntimeError(
                f"the table {name} was made for an older Satchel; `make reset` forgets its rows"
            ) from None
    _expire(at, name, resource.inputs.get("ttl"))
    backups = {"PointInTimeRecoveryEnabled": resource.inputs["pointInTimeRecovery"]["enabled"]}
    at.dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=backups)
    return {"arn": found["TableArn"]}


def role(at: Emulator, resource: Resource) -> Answers:
    """The role that the function takes on."""
    name, trust = resource.physical, resource.inputs["assumeRolePolicy"]
    try:
        made = at.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    except at.iam.exceptions.EntityAlreadyExistsException:
        at.iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust)
        made = at.iam.get_role(RoleName=name)
    return {"arn": made["Role"]["Arn"]}


def role_policy(at: Emulator, resource: Resource) -> Answers:
    """What the role may do."""
    at.iam.put_role_policy(
        RoleName=resource.inputs["role"],
        PolicyName=resource.physical,
        PolicyDocument=resource.inputs["policy"],
    )
    return {}


MAKERS: dict[str, Callable[[Emulator, Resource], Answers]] = {
    "aws:dynamodb/table:Table": table,
    "aws:iam/role:Role": role,
    "aws:iam/rolePolicy:RolePolicy": role_policy,
    "aws:s3/bucket:Bucket": bucket,
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": cors,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": lifecycle,
    "aws:s3/bucketNotification:BucketNotification": queues.notification,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ownership,
    "aws:s3/bucketPolicy:BucketPolicy": bucket_policy,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": public_access,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        encryption
    ),
    "aws:s3/bucketVersioning:BucketVersioning": versioning,
    "aws:sqs/queue:Queue": queues.queue,
    "aws:sqs/queuePolicy:QueuePolicy": queues.queue_policy,
}


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """A rule with the provider's names made boto3's: a capital first, and what `names` says."""
    if isinstance(value, dict):
        return {
            names.get(key, key[0].upper() + key[1:]): _renamed(item, names)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    return value


def _capitals(resource: Resource, *but: str) -> dict[str, Any]:
    return {
        key: value for key, value in _renamed(resource.inputs, {}).items() if key.lower() not in but
    }


def _asks_for_tls(statement: dict[str, Any]) -> bool:
    condition = statement.get("Condition", {})
    return any("aws:SecureTransport" in tested for tested in condition.values())


def _table_request(resource: Resource) -> dict[str, Any]:
    given = resource.inputs
    keys = [(given["hashKey"], "HASH"), (given.get("rangeKey"), "RANGE")]
    request = {
        "TableName": resource.physical,
        "BillingMode": given["billingMode"],
        "AttributeDefinitions": [
            {"AttributeName": each["name"], "AttributeType": each["type"]}
            for each in given["attributes"]
        ],
        "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys if name],
        "DeletionProtectionEnabled": given["deletionProtectionEnabled"],
    }
    indexes = [
        {
            "IndexName": index["name"],
            "KeySchema": _renamed(index["keySchemas"], {}),
            "Projection": {"ProjectionType": index["projectionType"]},
        }
        for index in given.get("globalSecondaryIndexes", [])
    ]
    return {**request, "GlobalSecondaryIndexes": indexes} if indexes else request


def _keys(table: dict[str, Any]) -> Any:
    """What cannot change without a new table or index."""
    indexes = table.get("GlobalSecondaryIndexes", [])
    return table["KeySchema"], {each["IndexName"]: each["KeySchema"] for each in indexes}


def _expire(at: Emulator, name: str, ttl: dict[str, Any] | None) -> None:
    if not ttl:
        return
    try:
        at.dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=_renamed(ttl, {}))
    except ClientError as error:
        if "already enabled" not in str(error):
            raise
