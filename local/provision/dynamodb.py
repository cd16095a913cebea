"""The tables."""

from typing import Any

from botocore.exceptions import ClientError

from local.provision.clients import Clients
from local.resource import Resource, to_boto3


def create_table(clients: Clients, resource: Resource) -> dict[str, Any]:
    """Create a table with its indexes, TTL, backups and deletion protection.

    Raises RuntimeError when a table of that name exists with other keys or indexes.
    """
    name, request = resource.physical_name, _table_request(resource.inputs, resource.physical_name)
    dynamodb = clients.dynamodb
    try:
        table = dynamodb.create_table(**request)["TableDescription"]
    except dynamodb.exceptions.ResourceInUseException:
        table = dynamodb.describe_table(TableName=name)["Table"]
        if _keys(table) != _keys(request):
            raise RuntimeError(
                f"the table {name} was made for an older Satchel; `make reset` deletes its rows"
            ) from None
    if ttl := resource.inputs.get("ttl"):
        _set_ttl(dynamodb, name, ttl)
    backups = {"PointInTimeRecoveryEnabled": resource.inputs["pointInTimeRecovery"]["enabled"]}
    dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=backups)
    return {"arn": table["TableArn"]}


def _table_request(inputs: dict[str, Any], name: str) -> dict[str, Any]:
    keys = [(inputs["hashKey"], "HASH"), (inputs.get("rangeKey"), "RANGE")]
    request = {
        "TableName": name,
        "BillingMode": inputs["billingMode"],
        "AttributeDefinitions": [
            {"AttributeName": each["name"], "AttributeType": each["type"]}
            for each in inputs["attributes"]
        ],
        "KeySchema": [{"AttributeName": key, "KeyType": kind} for key, kind in keys if key],
        "DeletionProtectionEnabled": inputs["deletionProtectionEnabled"],
    }
    indexes = [
        {
            "IndexName": index["name"],
            "KeySchema": to_boto3(index["keySchemas"]),
            "Projection": {"ProjectionType": index["projectionType"]},
        }
        for index in inputs.get("globalSecondaryIndexes", [])
    ]
    return {**request, "GlobalSecondaryIndexes": indexes} if indexes else request


def _keys(table: dict[str, Any]) -> Any:
    """The keys of the table and of its indexes, which DynamoDB cannot change."""
    indexes = table.get("GlobalSecondaryIndexes", [])
    return table["KeySchema"], {each["IndexName"]: each["KeySchema"] for each in indexes}


def _set_ttl(dynamodb: Any, name: str, ttl: dict[str, Any]) -> None:
    try:
        dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=to_boto3(ttl))
    except ClientError as error:
        if "already enabled" not in str(error):
            raise
