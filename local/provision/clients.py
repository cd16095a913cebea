"""boto3 clients for one emulator. Imports boto3 only."""

from collections.abc import Callable
from functools import cache
from typing import Any

import boto3


class Clients:
    """One client a service, for an endpoint, or for the emulator in this process without one."""

    def __init__(self, session: boto3.Session, endpoint_url: str | None) -> None:
        self.region = session.region_name
        self.uses_tls = bool(endpoint_url and endpoint_url.startswith("https:"))
        self._client: Callable[[str], Any] = cache(
            lambda service: session.client(service, endpoint_url=endpoint_url)
        )

    @property
    def s3(self) -> Any:
        """S3."""
        return self._client("s3")

    @property
    def dynamodb(self) -> Any:
        """DynamoDB."""
        return self._client("dynamodb")

    @property
    def iam(self) -> Any:
        """IAM."""
        return self._client("iam")

    @property
    def ses(self) -> Any:
        """SES, version 2 of its API."""
        return self._client("sesv2")

    @property
    def sqs(self) -> Any:
        """SQS."""
        return self._client("sqs")

    @property
    def sts(self) -> Any:
        """STS."""
        return self._client("sts")
