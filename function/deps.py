"""The wiring: settings → clients → stores → services, made once per process on first use.

Also who is calling, as the types that routes write in their signatures. The clock, randomness, the
password hasher and the clients are made here and passed in.
"""

import secrets
import time
from dataclasses import dataclass
from typing import Annotated, Any

import argon2
import boto3
from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends
from botocore.config import Config

from function import contract
from function.models import Caller as Caller_
from function.models import Incoming
from function.services.access import Access
from function.services.accounts import AccountService
from function.services.completing import Completing
from function.services.counting import Counting
from function.services.downloads import Downloads
from function.services.files import FileService
from function.services.groups import GroupService
from function.services.inbox import Inbox
from function.services.links import LinkService
from function.services.listing import Listing
from function.services.moving import Moving
from function.services.origins import Origins
from function.services.passwords import Passwords
from function.services.placing import Placing
from function.services.reach import Reach
from function.services.requests import RequestService
from function.services.room import Room
from function.services.shared import SharedFiles
from function.services.shares import ShareService
from function.services.showing import Showing
from function.services.signing import Signing
from function.services.sweeping import Sweeping
from function.services.transfers import TransferService
from function.services.unlocking import Unlocking
from function.services.uploads import Uploads
from function.services.visits import Visits
from function.stores.accounts import Accounts
from function.stores.attempts import Attempts
from function.stores.due import DueList
from function.stores.dynamo import Dynamo
from function.stores.files import Files
from function.stores.groups import Groups
from function.stores.links import Links
from function.stores.multipart import Multipart
from function.stores.objects import Objects
from function.stores.requests import Requests
from function.stores.shares import Shares
from function.stores.transfers import Transfers


@dataclass(frozen=True)
class LinkWiring:
    """What routes of links use."""

    service: LinkService
    visits: Visits
    counting: Counting
    signing: Signing


@dataclass(frozen=True)
class RequestWiring:
    """What routes of requests use."""

    service: RequestService
    inbox: Inbox


@dataclass(frozen=True)
class Wiring:
    """Everything that routes use."""

    settings: contract.Settings
    access: Access
    accounts: AccountService
    uploads: Uploads
    transfers: TransferService
    completing: Completing
    downloads: Downloads
    sweeping: Sweeping
    files: FileService
    moving: Moving
    listing: Listing
    shares: ShareService
    groups: GroupService
    reach: Reach
    links: LinkWiring
    requests: RequestWiring


_wired: list[Wiring] = []


def wiring() -> Wiring:
    """The wiring of this process, made on first use from its environment."""
    if not _wired:
        _wired.append(wire(contract.settings(), boto3.Session(), origins()))
    return _wired[0]


def rewire(made: Wiring | None = None) -> None:
    """Replaces this process's wiring; None has it made again on the next use."""
    _wired[:] = [made] if made else []


def origins() -> Origins:
    """The real clock and the system's randomness."""
    return Origins(
        now=time.time,
        new_id=lambda: secrets.token_hex(16),
        new_secret=lambda: secrets.token_urlsafe(32),
        sleep=time.sleep,
    )


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


def wire(settings: contract.Settings, session: boto3.Session, of: Origins) -> Wiring:
    """Puts the house together."""
    db = _wire_tables(settings, session, of)
    s3 = client(session, "s3", read_timeout=5)
    objects, multipart = Objects(s3, settings.bucket), Multipart(s3, settings.bucket)
    hasher = argon2.PasswordHasher(settings.hash_passes, settings.hash_memory, parallelism=1)
    passwords = Passwords(hasher, settings.password_min_length)
    access, shares, transfers = Access(db, of.now), Shares(db), Transfers(db)
    keep, files = settings.keep_seconds, Files(db)
    placing = Placing(db, of, keep)
    listing = Listing(access, files, SharedFiles(db, access, files, shares))
    signing, unlocking = Signing(multipart, of), Unlocking(Attempts(db), passwords, of)
    uploading = TransferService(access, transfers, multipart, placing, of)
    return Wiring(
        settings=settings,
        access=access,
        accounts=AccountService(Accounts(db), access, passwords, of, settings.session_seconds),
        uploads=Uploads(access, objects, placing, of),
        transfers=uploading,
        completing=Completing(access, transfers, multipart, placing, of),
        downloads=Downloads(db, access, listing, signing, of),
        sweeping=Sweeping(DueList(db), multipart, of),
        files=FileService(db, access, objects, of, keep),
        moving=Moving(db, access, of),
        listing=listing,
        shares=ShareService(db, access, Room(db, of), of),
        groups=GroupService(access, Groups(db), of),
        reach=Reach(db, access, shares, of),
        links=_wire_links(db, access, passwords, unlocking, signing, of),
        requests=RequestWiring(
            RequestService(access, Requests(db), passwords, of),
            Inbox(access, Requests(db), uploading, transfers, multipart, unlocking, of),
        ),
    )


def _wire_tables(settings: contract.Settings, session: boto3.Session, of: Origins) -> Dynamo:
    tables = {table.noun: str(getattr(settings, table.noun)) for table in contract.TABLES}
    return Dynamo(client(session, "dynamodb", read_timeout=2), tables, of.sleep)


def _wire_links(
    db: Dynamo,
    access: Access,
    passwords: Passwords,
    unlocking: Unlocking,
    signing: Signing,
    of: Origins,
) -> LinkWiring:
    links = Links(db)
    visits = Visits(db, access, links, Files(db), unlocking, of)
    return LinkWiring(
        service=LinkService(db, access, links, Showing(Room(db, of), of), passwords, of),
        visits=visits,
        counting=Counting(db, visits, unlocking, signing, of),
        signing=signing,
    )


def incoming(request: Request) -> Incoming:
    """The request as the gate let it in."""
    let_in: Incoming = request.context["incoming"]
    return let_in


def caller(request: Request) -> Caller_:
    """Who the token says is calling; the gate has seen to its form, the services prove it."""
    says: Caller_ = request.context["caller"]
    return says


def visitor(request: Request) -> Caller_ | None:
    """Who a token names, if there is one, on a route that is open to everybody."""
    says: Caller_ | None = request.context["visitor"]
    return says


Caller = Annotated[Caller_, Depends(caller)]
Visitor = Annotated[Caller_ | None, Depends(visitor)]
Sent = Annotated[Incoming, Depends(incoming)]
AccountsDep = Annotated[AccountService, Depends(lambda: wiring().accounts)]
TransfersDep = Annotated[TransferService, Depends(lambda: wiring().transfers)]
CompletingDep = Annotated[Completing, Depends(lambda: wiring().completing)]
DownloadsDep = Annotated[Downloads, Depends(lambda: wiring().downloads)]
UploadsDep = Annotated[Uploads, Depends(lambda: wiring().uploads)]
FilesDep = Annotated[FileService, Depends(lambda: wiring().files)]
MovingDep = Annotated[Moving, Depends(lambda: wiring().moving)]
ListingDep = Annotated[Listing, Depends(lambda: wiring().listing)]
SharesDep = Annotated[ShareService, Depends(lambda: wiring().shares)]
ReachDep = Annotated[Reach, Depends(lambda: wiring().reach)]
GroupsDep = Annotated[GroupService, Depends(lambda: wiring().groups)]
LinksDep = Annotated[LinkService, Depends(lambda: wiring().links.service)]
VisitsDep = Annotated[Visits, Depends(lambda: wiring().links.visits)]
CountingDep = Annotated[Counting, Depends(lambda: wiring().links.counting)]
SigningDep = Annotated[Signing, Depends(lambda: wiring().links.signing)]
RequestsDep = Annotated[RequestService, Depends(lambda: wiring().requests.service)]
InboxDep = Annotated[Inbox, Depends(lambda: wiring().requests.inbox)]
SettingsDep = Annotated[contract.Settings, Depends(lambda: wiring().settings)]
