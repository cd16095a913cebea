"""What routes write in their signatures: who is calling, and the services they use.

The wiring is made once per process, on first use; the clock and randomness are made here.
"""

import secrets
import time
from dataclasses import fields
from typing import Annotated, Any

import boto3
from aws_lambda_powertools.event_handler import Request
from aws_lambda_powertools.event_handler.depends import Depends

from function import contract
from function.models import Caller as Caller_
from function.models import Conditions as Conditions_
from function.models import Incoming
from function.services.accounts import AccountService
from function.services.auditing import AuditService
from function.services.closing import Closing
from function.services.completing import Completing
from function.services.copying import Copying
from function.services.counting import Counting
from function.services.credentials import CredentialService
from function.services.directory import DirectoryService
from function.services.downloads import Downloads
from function.services.files import FileService, Wanted
from function.services.folder_moves import FolderMoves
from function.services.groups import GroupService
from function.services.inbox import Inbox
from function.services.invites import InviteService
from function.services.keys import KeyService
from function.services.links import LinkService
from function.services.listing import Listing
from function.services.logins import Logins
from function.services.mfa import MfaService
from function.services.moving import Moving
from function.services.news import News
from function.services.origins import Origins
from function.services.reach import Reach
from function.services.recovering import Recovering
from function.services.registering import Registering
from function.services.requests import RequestService
from function.services.sessions import SessionService
from function.services.shares import ShareService
from function.services.signing import Signing
from function.services.transfers import TransferService
from function.services.trash import Trash
from function.services.uploads import Uploads
from function.services.versions import Versions
from function.services.visits import Visits
from function.wiring import Wiring, wire

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


class Fields(Depends):
    """What a route reads of the request's header, which the OpenAPI document shows: a dataclass."""

    def __init__(self, kind: type[Any]) -> None:
        """Its fields are called as the header's."""
        self.names = {each.name: each.name.replace("_", "-") for each in fields(kind)}

        def read(request: Request) -> Any:
            said = incoming(request).headers
            return kind(**{name: said.get(field) for name, field in self.names.items()})

        super().__init__(read)


_said = Depends(caller)
_let_in = Depends(incoming)
# Who is calling, and the power (`roles`) that the route takes; a Caller may be anybody signed in.
Caller = Annotated[Caller_, _said]
Reader = Annotated[Caller_, _said, "read"]
Writer = Annotated[Caller_, _said, "write"]
Sharer = Annotated[Caller_, _said, "share"]
Holder = Annotated[Caller_, _said, "account"]
Admin = Annotated[Caller_, _said, "admin"]
Visitor = Annotated[Caller_ | None, Depends(visitor)]
Sent = Annotated[Incoming, _let_in]
# The same where the route reads the body itself: it is of several kinds.
SentBody = Annotated[Incoming, _let_in, "body"]
Conditions = Annotated[Conditions_, Fields(Conditions_)]
Partial = Annotated[Wanted, Fields(Wanted)]
AccountsDep = Annotated[AccountService, Depends(lambda: wiring().people.accounts)]
LoginsDep = Annotated[Logins, Depends(lambda: wiring().people.logins)]
SessionsDep = Annotated[SessionService, Depends(lambda: wiring().people.sessions)]
KeysDep = Annotated[KeyService, Depends(lambda: wiring().people.keys)]
MfaDep = Annotated[MfaService, Depends(lambda: wiring().people.mfa)]
RecoveringDep = Annotated[Recovering, Depends(lambda: wiring().people.recovering)]
CredentialsDep = Annotated[CredentialService, Depends(lambda: wiring().people.credentials)]
RegisteringDep = Annotated[Registering, Depends(lambda: wiring().admin.registering)]
InvitesDep = Annotated[InviteService, Depends(lambda: wiring().admin.invites)]
DirectoryDep = Annotated[DirectoryService, Depends(lambda: wiring().admin.directory)]
ClosingDep = Annotated[Closing, Depends(lambda: wiring().admin.closing)]
AuditDep = Annotated[AuditService, Depends(lambda: wiring().admin.auditing)]
TransfersDep = Annotated[TransferService, Depends(lambda: wiring().transfers)]
CompletingDep = Annotated[Completing, Depends(lambda: wiring().completing)]
DownloadsDep = Annotated[Downloads, Depends(lambda: wiring().downloads)]
UploadsDep = Annotated[Uploads, Depends(lambda: wiring().uploads)]
FilesDep = Annotated[FileService, Depends(lambda: wiring().files)]
MovingDep = Annotated[Moving, Depends(lambda: wiring().moving)]
VersionsDep = Annotated[Versions, Depends(lambda: wiring().life.versions)]
TrashDep = Annotated[Trash, Depends(lambda: wiring().life.trash)]
CopyingDep = Annotated[Copying, Depends(lambda: wiring().life.copying)]
FolderMovesDep = Annotated[FolderMoves, Depends(lambda: wiring().life.folders)]
ListingDep = Annotated[Listing, Depends(lambda: wiring().listing)]
NewsDep = Annotated[News, Depends(lambda: wiring().news)]
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
