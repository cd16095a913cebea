"""A handler that answers with its process and identity, for the tests of the server."""

import json
import os
import time
from typing import Any

import boto3


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answers with the process and its AWS identity; `/slow` takes a second."""
    if event["rawPath"] == "/slow":
        time.sleep(1)
    identity = boto3.client("sts").get_caller_identity() if event["rawPath"] == "/who" else {}
    body = {"pid": os.getpid(), "arn": identity.get("Arn"), "key": os.environ.get("SECRET_OF_MINE")}
    return {"statusCode": 200, "body": json.dumps(body)}
