"""What must exist before some operations; it is created once and is never cut itself."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.crashes import people
from tests.crashes.known import Known
from tests.crashes.uploads import set_up_upload
from tests.support.api_register import SetupName
from tests.support.client import Client

REPORT, PLAN, FRESH, FOLDER = "work/report.txt", "plan.txt", "fresh.txt", "work/"
OLD = "old.txt"


@dataclass(frozen=True)
class Setup:
    """Who creates it, and how: `act` sends requests and notes ids. Bob may then act too."""

    who: str
    act: Callable[[Client, Known], None]
    bob: Callable[[Client], None] | None = None


def create_group(client: Client, known: Known, name: str = "team") -> None:
    """A group with an invitation for Bob, which may write in a folder."""
    for path in ("", "/members/bob"):
        assert client.send("PUT", f"/groups/{name}{path}").status == 201
    client.post("/share", file_name=f"{name}/", group=name, permission="write")


def accept(bob: Client) -> None:
    """Bob's membership begins."""
    assert bob.send("PUT", "/groups/team/members/bob").status == 200


def create_empty_group(client: Client, known: Known) -> None:
    client.send("PUT", "/groups/club")


def replace_report(client: Client, known: Known) -> None:
    client.put(REPORT, b"the report as it is now")


def delete_file(client: Client, known: Known) -> None:
    client.put(OLD, b"thrown away")
    client.delete("/file", file_name=OLD)


def share_folder(client: Client, known: Known) -> None:
    client.post("/share", file_name=FOLDER, username="bob", permission="read")


def upload(who: str, what: SetupName, name: str, *parts: int, **fields: str | int) -> Setup:
    """Starts an upload and sends all of its bytes, or some parts."""
    return Setup(who, partial(set_up_upload, what=what, parts=parts, name=name, **fields))


SETUPS: dict[SetupName, Setup] = {
    "API key": Setup("alice", people.set_up_key),
    "MFA not confirmed": Setup("alice", people.set_up_mfa),
    "empty group": Setup("alice", create_empty_group),
    "file in the trash": Setup("alice", delete_file),
    "file with two versions": Setup("alice", replace_report),
    "group with a member": Setup("alice", create_group, accept),
    "invitation to a group": Setup("alice", partial(create_group, name="choir")),
    "reset token issued": Setup("root", people.set_up_issued_token),
    "reset token mailed": Setup("nobody", people.set_up_mailed_token),
    "shared folder": Setup("alice", share_folder),
    "upload in progress": upload("alice", "upload in progress", "half.bin", 1, 3, size=45),
    "complete upload": upload("alice", "complete upload", FRESH, size=15),
    "complete multipart upload": upload("alice", "complete multipart upload", REPORT, size=45),
    "complete upload for another": upload(
        "bob", "complete upload for another", REPORT, size=15, username="alice"
    ),
    "upload by request in progress": upload(
        "sender", "upload by request in progress", "half.bin", 1, 3, size=45
    ),
    "complete upload by request": upload(
        "sender", "complete upload by request", "come.txt", size=15, sender="Zoë"
    ),
    "complete multipart upload by request": upload(
        "sender", "complete multipart upload by request", "report.txt", size=45
    ),
    "upload by a small request": upload(
        "small request", "upload by a small request", "narrow.txt", size=15
    ),
}
