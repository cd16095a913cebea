"""The base of every service: settings, AWS clients, clock and randomness.

The constructor of a service takes a `Base` and keeps the parts that it uses, which may be other
services: `base.one(UploadService)` makes one at its first use, once for each `Base`. A process has
one `Base`, made from its environment variables; tests replace it (`use`).
"""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

import botocore.session
from botocore.config import Config

from function import contract
from function.aws.dynamodb import Dynamo
from function.aws.s3 import Bucket
from function.aws.ses import Mail
from function.core.runtime import Runtime, system_runtime

Service = TypeVar("Service")
# Takes the name of a service and `config=`.
MakeClient = Callable[..., Any]

_current: list["Base"] = []


class Base:
    """Settings, AWS clients, runtime and services of one process."""

    def __init__(
        self, settings: contract.Settings, make_client: MakeClient, runtime: Runtime
    ) -> None:
        """Makes the clients of DynamoDB and S3; that of SES is made at its first use.

        `make_client` is `create_client` of a botocore session or `client` of a boto3 session.
        """
        tables = {table.name: str(getattr(settings, table.name)) for table in contract.TABLES}
        self.settings = settings
        self.runtime = runtime
        self.db = Dynamo(_client(make_client, "dynamodb", read_timeout=2), tables, runtime)
        self.bucket = Bucket(_client(make_client, "s3", read_timeout=5), settings.bucket)
        self.mail = Mail(
            cache(lambda: _client(make_client, "sesv2", read_timeout=5)), settings.mail_from
        )
        self._services: dict[Callable[[Base], Any], Any] = {}

    def one(self, service: Callable[["Base"], Service]) -> Service:
        """The one instance of a service's class; made at its first use."""
        if service not in self._services:
            self._services[service] = service(self)
        return cast("Service", self._services[service])


def current() -> Base:
    """The base of this process; made at its first use, from the environment variables."""
    if not _current:
        _current.append(Base(contract.settings(), _session().create_client, system_runtime()))
    return _current[0]


def use(base: Base | None) -> None:
    """Replaces the base of this process; after None, `current` makes a new one."""
    _current[:] = [base] if base else []


def one(service: Callable[[Base], Service]) -> Service:
    """The one instance of a service's class in this process."""
    return current().one(service)


def _client(make_client: MakeClient, service: str, read_timeout: float) -> Any:
    """A client of an AWS service that tries three times; timeouts are seconds.

    For S3, botocore would presign URLs with SigV2 and for the global host by default; these options
    make it SigV4 and the virtual-hosted address of the region.
    """
    return make_client(
        service,
        config=Config(
            signature_version="s3v4" if service == "s3" else "v4",
            s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
            retries={"mode": "standard", "total_max_attempts": 3},
            connect_timeout=1,
            read_timeout=read_timeout,
        ),
    )


def _session() -> botocore.session.Session:
    """A session of botocore: boto3 would add a tenth to a cold start and nothing that is used."""
    return botocore.session.Session()
