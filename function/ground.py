"""What every service stands on: the clients of AWS, the stores that speak to it, who may what.

The clients are made here; the clock and randomness are passed in.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import argon2
import boto3
from botocore.config import Config

from function import contract
from function.services.access import Access
from function.services.audit import Audit
from function.services.origins import Origins
from function.services.passwords import Passwords
from function.services.purging import Purging
from function.services.rules import Rules
from function.services.shelving import Shelving
from function.stores.dynamo import Dynamo
from function.stores.mail import Mail
from function.stores.multipart import Multipart
from function.stores.objects import Objects


def client(session: boto3.Session, service: Any, read_timeout: float) -> Any:
    """A client whose calls end in time: at most three tries of a second to connect and these reads.

    SigV4 and regional virtual addresses, or presigned URLs would name the global host and be SigV2.
    """
    return session.client(
        service,
        config=Config(
            signature_version="s3v4" if service == "s3" else "v4",
            s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
            retries={"mode": "standard", "total_max_attempts": 3},
            connect_timeout=1,
            read_timeout=read_timeout,
        ),
    )


@dataclass(frozen=True)
class Ground:
    """What every service may stand on."""

    settings: contract.Settings
    db: Dynamo
    objects: Objects
    multipart: Multipart
    access: Access
    mail: Mail
    passwords: Passwords
    audit: Audit
    shelving: Shelving
    purging: Purging
    rules: Rules
    of: Origins


def ground(settings: contract.Settings, session: boto3.Session, of: Origins) -> Ground:
    """The ground, with its clients."""
    tables = {table.noun: str(getattr(settings, table.noun)) for table in contract.TABLES}
    db = Dynamo(client(session, "dynamodb", read_timeout=2), tables, of.sleep)
    s3 = client(session, "s3", read_timeout=5)
    objects, multipart = Objects(s3, settings.bucket), Multipart(s3, settings.bucket)
    hasher = argon2.PasswordHasher(settings.hash_passes, settings.hash_memory, parallelism=1)
    return Ground(
        settings=settings,
        db=db,
        objects=objects,
        multipart=multipart,
        access=Access(db, of.now, settings.administrator),
        mail=Mail(cache(lambda: client(session, "sesv2", read_timeout=5)), settings.mail_from),
        passwords=Passwords(hasher, settings.password_min_length),
        audit=Audit(of, settings.audit_seconds),
        shelving=Shelving(of, settings.keep_seconds),
        purging=Purging(db, multipart, of),
        rules=Rules(objects, settings.upload_rules),
        of=of,
    )
