"""The reference: a plain Powertools handler with boto3 resources, as tutorials write it."""

from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

logger = Logger(service="bare")
app = APIGatewayHttpResolver()
table = boto3.resource("dynamodb").Table("files")
bucket = boto3.resource("s3").Bucket("bytes")


@app.get("/item")
def item() -> dict[str, Any]:
    """One row."""
    found: dict[str, Any] = table.get_item(Key={"partition": "alice", "name": "a.txt"})["Item"]
    return found


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers one request, and logs it."""
    answer: dict[str, Any] = app.resolve(event, context)
    logger.info("request", status=answer["statusCode"])
    return answer
