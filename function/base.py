"""What services are made of: the settings, the clients of AWS, the clock and randomness.

A service is a class whose constructor takes a `Base` and picks what it uses, other services
included: `base.one(UploadService)` makes it at its first use and once.
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
    """The settings, the clients, the runtime and the services of one process."""

    def __init__(
        self, settings: contract.Settings, make_client: MakeClient, runtime: Runtime
    ) -> None:
        """`make_client` makes a client of a service, as a session of botocore or boto3 does."""
        tables = {table.noun: str(getattr(settings, table.noun)) for table in contract.TABLES}
        self.settings = settings
        self.runtime = runtime
        self.db = Dynamo(_client(make_client, "dynamodb", read_timeout=2), tables, runtime)
        self.bucket = Bucket(_client(make_client, "s3", read_timeout=5), settings.bucket)
        self.mail = Mail(
            cache(lambda: _client(make_client, "sesv2", read_timeout=5)), settings.mail_from
        )
        self._services: dict[Callable[[Base], Any], Any] = {}

    def one(self, make: Callable[["Base"], Service]) -> Service:
        """The service of a class, made at its first use."""
        if make not in self._services:
            self._services[make] = make(self)
        return cast("Service", self._services[make])


def _client(make_client: MakeClient, service: str, read_timeout: float) -> Any:
    """A client with at most three tries, each with a second to connect and `read_timeout` seconds.

    SigV4 and regional virtual addresses: otherwise presigned URLs name the global host in SigV2.
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


def current() -> Base:
    """The base of this process, made at its first use from the environment."""
    if not _current:
        _current.append(Base(contract.settings(), _session().create_client, system_runtime()))
    return _current[0]


def use(base: Base | None) -> None:
    """Replaces the base of this process; None has the next use make it from the environment."""
    _current[:] = [base] if base else []


def one(make: Callable[[Base], Service]) -> Service:
    """The service of a class, as this process's base makes it."""
    return current().one(make)
