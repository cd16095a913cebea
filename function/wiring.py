"""The house put together: the ground → stores → services."""

from dataclasses import dataclass
from functools import partial

import boto3

from function import contract
from function.ground import Ground, ground
from function.services.access import Access
from function.services.accounts import AccountService
from function.services.auditing import AuditService
from function.services.closing import Closing
from function.services.completing import Completing
from function.services.copying import Copying
from function.services.counting import Counting
from function.services.credentials import CredentialService
from function.services.directory import DirectoryService
from function.services.downloads import Downloads
from function.services.factors import Factors
from function.services.files import FileService
from function.services.folder_batches import Batches, Tools
from function.services.folder_moves import FolderMoves
from function.services.groups import GroupService
from function.services.guesses import Guesses
from function.services.inbox import Inbox
from function.services.invites import InviteService
from function.services.keys import KeyService
from function.services.leaving import Leaving
from function.services.links import LinkService
from function.services.listing import Listing
from function.services.logins import Logins
from function.services.mfa import MfaService
from function.services.moving import Moving
from function.services.news import News
from function.services.origins import Origins
from function.services.own_files import OwnFiles
from function.services.placing import Placing
from function.services.reach import Reach
from function.services.reconciling import Reconciling
from function.services.recovering import Recovering
from function.services.registering import Registering
from function.services.requests import RequestService
from function.services.room import Room
from function.services.sessions import SessionService
from function.services.shared import SharedFiles
from function.services.shares import ShareService
from function.services.showing import Showing
from function.services.signing import Signing
from function.services.sorting import SortedFiles
from function.services.sweeping import Sweeping
from function.services.transfers import TransferService
from function.services.trash import Trash
from function.services.unlocking import Unlocking
from function.services.uploads import Uploads
from function.services.versions import Versions
from function.services.visits import Visits
from function.stores.attempts import Attempts
from function.stores.audit import Records
from function.stores.books import Books
from function.stores.changes import Changes
from function.stores.due import DueList
from function.stores.files import Files
from function.stores.folders import Folders
from function.stores.groups import Groups
from function.stores.links import Links
from function.stores.requests import Requests
from function.stores.sessions import Sessions
from function.stores.shares import Shares
from function.stores.terms import Terms
from function.stores.transfers import Transfers


@dataclass(frozen=True)
class PeopleWiring:
    """What routes of accounts use."""

    accounts: AccountService
    logins: Logins
    sessions: SessionService
    keys: KeyService
    mfa: MfaService
    credentials: CredentialService
    recovering: Recovering


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
class AdminWiring:
    """What lets people in, and what administrators use."""

    registering: Registering
    invites: InviteService
    directory: DirectoryService
    auditing: AuditService
    closing: Closing


@dataclass(frozen=True)
class LifeWiring:
    """What routes of versions, the trash and copies use."""

    versions: Versions
    trash: Trash
    copying: Copying
    folders: FolderMoves


@dataclass(frozen=True)
class Wiring:
    """Everything that routes use."""

    settings: contract.Settings
    access: Access
    people: PeopleWiring
    admin: AdminWiring
    uploads: Uploads
    transfers: TransferService
    completing: Completing
    downloads: Downloads
    sweeping: Sweeping
    reconciling: Reconciling
    files: FileService
    moving: Moving
    listing: Listing
    news: News
    shares: ShareService
    groups: GroupService
    reach: Reach
    links: LinkWiring
    requests: RequestWiring
    life: LifeWiring


def wire(settings: contract.Settings, session: boto3.Session, of: Origins) -> Wiring:
    """Puts the house together."""
    on = ground(settings, session, of)
    db, access, files, shares = on.db, on.access, Files(on.db), Shares(on.db)
    transfers, placing = Transfers(db), _placing(on)
    signing, unlocking = Signing(on.multipart, of), Unlocking(Attempts(db), on.passwords, of)
    listing = Listing(access, _own_files(on), SharedFiles(db, access, files, shares), signing)
    uploading = TransferService(access, transfers, on.multipart, placing, on.audit, of)
    inbox = Inbox(access, Requests(db), uploading, transfers, on.multipart, unlocking, on.audit, of)
    moving = Moving(db, access, on.shelving, on.rules, on.audit, of)
    life = _wire_life(on, placing, moving)
    return Wiring(
        settings=settings,
        access=access,
        people=_wire_people(on),
        admin=_wire_admin(on),
        uploads=Uploads(access, on.objects, placing, on.audit, of),
        transfers=uploading,
        completing=Completing(access, transfers, on.multipart, placing, on.audit, of),
        downloads=Downloads(db, access, listing, signing, of, on.settings.keep_versions),
        sweeping=Sweeping(DueList(db), on.purging, life.folders, on.multipart, of),
        reconciling=Reconciling(Books(db), on.objects, on.multipart, of),
        files=FileService(db, access, on.objects, on.shelving, on.purging, on.audit, of),
        moving=moving,
        listing=listing,
        news=News(access, Changes(db), files, of, settings.keep_seconds),
        shares=ShareService(db, access, Room(db, of), on.audit, of),
        groups=GroupService(access, Groups(db), on.audit, of),
        reach=Reach(db, access, shares, of),
        links=_wire_links(on, unlocking, signing),
        requests=RequestWiring(
            RequestService(access, Requests(db), on.passwords, on.audit, of), inbox
        ),
        life=life,
    )


def _wire_people(on: Ground) -> PeopleWiring:
    db, access, audit, of = on.db, on.access, on.audit, on.of
    guesses = Guesses(Attempts(db), on.passwords, of)
    factors = Factors(Attempts(db), guesses, of)
    proving = (db, access, guesses, on.passwords, audit, of)
    return PeopleWiring(
        accounts=AccountService(db, access, guesses, audit, of, on.rules),
        logins=Logins(db, access, guesses, factors, on.passwords, audit, of, on.settings),
        sessions=SessionService(db, access, Sessions(db), audit, of),
        keys=KeyService(db, access, audit, of),
        mfa=MfaService(db, access, guesses, factors, audit, of),
        credentials=CredentialService(*proving),
        recovering=Recovering(
            db, access, Attempts(db), on.mail, on.passwords, audit, of, on.settings.administrator
        ),
    )


def _wire_admin(on: Ground) -> AdminWiring:
    db, access, of, settings = on.db, on.access, on.of, on.settings
    leaving = Leaving(db, access, on.audit, of)
    return AdminWiring(
        registering=Registering(db, access, on.passwords, on.audit, of, settings),
        invites=InviteService(db, access, on.audit, of, settings),
        directory=DirectoryService(db, access, on.audit, of, settings.administrator),
        auditing=AuditService(access, Records(db), of, settings.audit_seconds),
        closing=Closing(db, access, on.shelving, leaving, on.audit, of, settings.administrator),
    )


def _own_files(on: Ground) -> OwnFiles:
    files, terms = Files(on.db), Terms(on.db)
    by_value = SortedFiles(files, terms, Changes(on.db), on.of, on.settings.keep_seconds)
    return OwnFiles(files, terms, Folders(on.db), by_value)


def _placing(on: Ground) -> Placing:
    return Placing(on.db, on.shelving, on.rules, on.audit, on.of, on.settings.keep_versions)


def _wire_life(on: Ground, placing: Placing, moving: Moving) -> LifeWiring:
    tools = Tools(on.db, on.shelving, placing, moving, on.of)
    return LifeWiring(
        versions=Versions(on.db, on.access, placing, on.audit, on.of, on.settings.keep_versions),
        trash=Trash(on.db, on.access, on.shelving, on.purging, on.rules, on.audit, on.of),
        copying=Copying(on.access, placing, on.audit, on.of),
        folders=FolderMoves(on.db, on.access, partial(Batches, tools), on.audit, on.of),
    )


def _wire_links(on: Ground, unlocking: Unlocking, signing: Signing) -> LinkWiring:
    db, access, of, links = on.db, on.access, on.of, Links(on.db)
    visits = Visits(db, access, links, Files(db), unlocking, of)
    return LinkWiring(
        service=LinkService(
            db, access, links, Showing(Room(db, of), of), on.passwords, on.audit, of
        ),
        visits=visits,
        counting=Counting(db, visits, unlocking, signing, on.audit, of),
        signing=signing,
    )
