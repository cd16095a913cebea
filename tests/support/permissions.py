"""What the role of the function allows, beside what the function does.

`FakeAws` refuses a call of the function that its role does not allow, as AWS does, and notes those
that it allows. Calls that tests make themselves need no permission.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import local
from typing import Any

from local.resource import Resource, only_resource

# An action, and the resource that it is for: a table, its index, or a service.
Permission = tuple[str, str]

# The action that IAM checks for an operation, where it has another name.
ACTIONS = {
    "CompleteMultipartUpload": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteObjects": "DeleteObject",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "UploadPart": "PutObject",
}
WRITES = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}
# Allowed for others that act by the role: Lambda reads the queue and writes the log.
OF_LAMBDA = {"logs", "sqs"}


class Role:
    """The permissions of the function's role, and those of them that were used."""

    def __init__(self, resources: list[Resource]) -> None:
        policy = only_resource(resources, "aws:iam/rolePolicy:RolePolicy").inputs["policy"]
        self.allowed = set(_granted(json.loads(policy)))
        self.used: set[Permission] = set()
        self._handlers = 0
        self._hook = local()

    @contextmanager
    def acting(self) -> Iterator[None]:
        """A block in which calls are the function's, those of its threads too."""
        outer, self._hook.runs = self._runs_hook(), False
        self._handlers += 1
        try:
            yield
        finally:
            self._handlers -= 1
            self._hook.runs = outer

    @contextmanager
    def pausing(self) -> Iterator[None]:
        """A block in which the calls of this thread are those of a hook of a test."""
        outer, self._hook.runs = self._runs_hook(), True
        try:
            yield
        finally:
            self._hook.runs = outer

    def _runs_hook(self) -> bool:
        return getattr(self._hook, "runs", False)

    def refuses(self, operation: str, url: str, body: bytes) -> bool:
        """Whether a call is the function's and not allowed; notes it where it is allowed."""
        if not self._handlers or self._runs_hook():
            return False
        needed = set(needed_permissions(operation, url, body))
        self.used |= needed & self.allowed
        return not needed <= self.allowed


def needed_permissions(operation: str, url: str, body: bytes) -> Iterator[Permission]:
    """The permissions that a call needs."""
    if "dynamodb" not in url:
        service = "ses" if operation == "SendEmail" else "s3"
        yield ACTIONS.get(operation, operation), service
        return
    sent = json.loads(body)
    if operation == "TransactWriteItems":
        for item in sent["TransactItems"]:
            ((kind, write),) = item.items()
            yield WRITES[kind], write["TableName"]
    elif operation.startswith("Batch"):
        yield from ((operation, name) for name in sent["RequestItems"])
    else:
        index = f"/index/{sent['IndexName']}" if "IndexName" in sent else ""
        yield operation, sent["TableName"] + index


def _granted(policy: Mapping[str, Any]) -> Iterator[Permission]:
    """Each action of a policy, with its table, index or service."""
    for statement in policy["Statement"]:
        for action in statement["Action"]:
            service, name = action.split(":")
            if service not in OF_LAMBDA:
                table = statement["Resource"].partition(":table/")[2]
                yield name, table if service == "dynamodb" else service
