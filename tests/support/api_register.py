"""The register of the API: one row describes a route to all suites.

A row holds a request that Satchel accepts, its answer, its calls of AWS, the answer to the same
request sent again, and who may send it. The suites of roles, calls, odd inputs, conditions, logs,
audit and crashes take these facts from here. A route without a row fails
`tests/http/test_register.py`.

The requests fit the world of `world.py`: Alice owns `a.txt`, and the ids in paths are of things
that she or the administrator has created.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from function.core.roles import Power
from function.http import router
from tests.support.client import PASSWORD

MIB = 1024 * 1024
READ, QUERY, COMMIT = "BatchGetItem", "Query", "TransactWriteItems"
WRITES = {
    "AbortMultipartUpload", "BatchWriteItem", "CompleteMultipartUpload", "CreateMultipartUpload",
    "DeleteItem", "DeleteObject", "PutItem", "PutObject", COMMIT, "UpdateItem", "UploadPart",
}  # fmt: skip

# What a caller is to the owner of the file, upload or other thing that a request names. Each has
# the rights of those before it.
Relation = Literal["stranger", "reader", "writer", "owner"]
RELATIONS: tuple[Relation, ...] = ("stranger", "reader", "writer", "owner")
# What the crash suite creates before the request (`tests/crashes/setups.py`).
SetupName = Literal[
    "", "API key", "MFA not confirmed", "complete multipart upload",
    "complete multipart upload by request", "complete upload", "complete upload by request",
    "complete upload for another", "empty group", "file in the trash", "file with two versions",
    "group with a member", "invitation to a group", "reset token issued", "reset token mailed",
    "shared folder",
    "upload by a small request", "upload by request in progress", "upload in progress",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Route:
    """One route of the API. `str` and `repr` are its name: "GET /file"."""

    method: str
    path: str
    """With its parameters in braces, as in the OpenAPI document."""
    power: Power | Literal["public", "session"]
    """The power that it requires; "session": any valid token; "public": no token."""
    beyond: Power | None = None
    """The power that this request requires besides, because of what it asks for."""
    relation: Relation = "stranger"
    """The least relation that it requires."""
    refusal: int = 404
    """The status for a caller with a lower relation."""

    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    file_body: bool = False
    """Whether its body is a file, and so any bytes; the suites send an empty one."""
    headers: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the path that differ from those of the world."""
    outlives_owner: bool = False
    """Whether it answers callers other than the owner after the owner's account is deleted."""
    conditional: bool = False
    """Whether it evaluates If-Match and If-None-Match."""
    if_match: bool = False
    """Whether it evaluates If-Match alone."""
    revalidates: bool = False
    """Whether it evaluates If-None-Match alone, because a client keeps its answer."""
    idempotent: bool = False
    """Whether it takes an Idempotency-Key."""

    status: int
    """The answer to the request. An error where only a secret of the moment could succeed."""
    calls: tuple[str, ...] = ()
    """Its calls of AWS, in order."""
    concurrent: bool = False
    """Whether threads make some of the calls, which then come in any order."""
    replay: int = 0
    """The answer to the same request sent again; 0: the same as `status`."""
    records: int = 1
    """The audit records that a changing route writes."""
    unrecorded: str = ""
    """Why a changing route writes no audit record; "": it writes some."""

    setup: SetupName = ""
    """What the crash suite must create before it."""
    interleaved: tuple[int, ...] = ()
    """Other answers when another request is completed between two of its calls."""
    both_succeed: bool = False
    """Whether two of the same request at the same time may both be answered with `status`."""

    def __repr__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def public(self) -> bool:
        """Whether it takes no token."""
        return self.power == "public"

    @property
    def writes(self) -> bool:
        """Whether the request changes data of an account."""
        return self.method not in {"GET", "HEAD"} and self.unrecorded != NOTHING_CHANGES

    @property
    def answer_to_replay(self) -> int:
        """The status of the same request sent again."""
        return self.replay or self.status

    @property
    def handler(self) -> Any:
        """The route as Powertools holds it."""
        return HANDLERS[self.method, self.path]

    def matches(self, method: str, path: str) -> bool:
        """Whether it answers a request of this method for this path."""
        return method == self.method and bool(self.handler.rule.fullmatch(path))


# The routes of the code by method and path.
HANDLERS: dict[tuple[str, str], Any] = {
    (each.method, each.openapi_path): each for each in router.all_routes()
}


def route_of(method: str, path: str) -> Route:
    """The route that answers a request, as the resolver chooses it."""
    return next(each for each in ROUTES if each.matches(method, path))


FILE = {"file_name": "a.txt", "username": "alice"}
UPPY = {"filename": "big.bin", "type": "x/y", "metadata": {"relativePath": "in/big.bin"}}
LINK = {
    "items": ["a.txt", "a folder/"],
    "password": PASSWORD,
    "expires_in": 3600,
    "max_downloads": 5,
    "allow_download": True,
    "audience": "dave",
    "note": "what it is",
    "alias": "a-file",
}
SENT = {
    "expires_in": "3600", "max_downloads": "5", "allow_download": "true", "audience": "dave",
    "note": "what it is", "alias": "a-sent-file",
}  # fmt: skip
# Reasons why a changing route writes no audit record.
NOTHING_CHANGES = "it changes no data of an account"
BEGINS = "the completion of the upload is what writes the row"

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST", path="/register", power="public",
        body={
            "username": "newcomer", "password": PASSWORD, "email": "new@example.org",
            "invite": None, "setup_token": None,
        },
        status=201, calls=(COMMIT,), replay=409,
    ),
    Route(
        method="POST", path="/login", power="public",
        body={"username": "alice", "password": PASSWORD, "otp": None},
        status=200, calls=(READ, COMMIT), interleaved=(401,),
    ),
    Route(
        method="POST", path="/logout", power="session",
        query={"everywhere": "false"},
        status=204, calls=(COMMIT,), replay=401,
    ),
    Route(
        method="POST", path="/mfa", power="account",
        body={"current_password": PASSWORD},
        status=201, calls=(READ, COMMIT), interleaved=(401, 409),
    ),
    Route(
        method="POST", path="/mfa/confirm", power="account",
        body={"otp": "123456"},
        status=404, calls=(READ,), interleaved=(401,), setup="MFA not confirmed",
    ),
    Route(
        method="DELETE", path="/mfa", power="account",
        headers={"x-otp": "123456"},
        status=404, calls=(READ,), interleaved=(401,),
    ),
    Route(
        method="GET", path="/me", power="session",
        status=200, calls=(READ,), interleaved=(401,),
    ),
    Route(
        method="PATCH", path="/me", power="account",
        body={"email": "a@example.org", "current_password": PASSWORD, "otp": None},
        status=200, calls=(READ, COMMIT), interleaved=(401,),
    ),
    Route(
        method="POST", path="/password", power="account",
        body={"current_password": PASSWORD, "new_password": "another horse battery"},
        status=204, calls=(READ, COMMIT), replay=401,
    ),
    Route(
        method="POST", path="/password/forgot", power="public",
        body={"username": "alice"},
        status=202, calls=(READ, COMMIT, "SendEmail"),
    ),
    Route(
        method="POST", path="/password/reset", power="public",
        body={
            "token": "alice." + "A" * 43,
            "new_password": "another horse battery",
        },
        status=403, calls=(READ, "UpdateItem"), setup="reset token issued",
    ),
    Route(
        method="GET", path="/sessions", power="account",
        query={"limit": "10"},
        status=200, calls=(READ, QUERY, READ), interleaved=(401,),
    ),
    Route(
        method="DELETE", path="/sessions/{session_id}", power="account", relation="owner",
        status=204, calls=(READ, COMMIT), replay=404, interleaved=(401,), both_succeed=True,
    ),
    Route(
        method="POST", path="/keys", power="account",
        body={
            "name": "other", "scopes": ["admin"], "expires_in": 60,
            "current_password": PASSWORD, "otp": None,
        },
        status=201, calls=(READ, COMMIT), interleaved=(401,), idempotent=True,
    ),
    Route(
        method="GET", path="/keys", power="account",
        status=200, calls=(READ, READ), interleaved=(401,), setup="API key",
    ),
    Route(
        method="DELETE", path="/keys/{key_id}", power="account", relation="owner",
        status=204, calls=(READ, COMMIT), replay=404, interleaved=(401,), both_succeed=True,
        setup="API key",
    ),
    Route(
        method="POST", path="/invites", power="admin",
        body={"role": "client", "email": "new@example.org", "expires_in": 3600, "otp": None},
        status=201, calls=(READ, COMMIT), idempotent=True,
    ),
    Route(
        method="GET", path="/invites", power="admin",
        query={"limit": "10"},
        status=200, calls=(READ, QUERY),
    ),
    Route(
        method="DELETE", path="/invites/{invite_id}", power="admin",
        status=204, calls=(READ, COMMIT), replay=404, both_succeed=True,
    ),
    Route(
        method="GET", path="/users", power="admin",
        query={"limit": "10"},
        status=200, calls=(READ, "Scan"),
    ),
    Route(
        method="PATCH", path="/users/{username}", power="admin", beyond="accounts",
        body={
            "role": "client", "quota": 10**9, "files_quota": None, "disabled": False, "mfa": False,
            "otp": None,
        },
        status=200, calls=(READ, COMMIT),
    ),
    Route(
        method="GET", path="/audit", power="admin",
        query={
            "username": "alice", "action": "share", "since": "2026-09-01T00:00:00Z", "limit": "10",
        },
        status=200, calls=(READ, *37 * (QUERY,)), concurrent=True,
    ),
    Route(
        method="DELETE", path="/users/{username}", power="admin",
        status=204,
        calls=(
            READ, COMMIT, QUERY, QUERY, READ, QUERY, "DeleteItem", QUERY, QUERY, QUERY, COMMIT,
        ),
        replay=404,
    ),
    Route(
        method="POST", path="/users/{username}/reset", power="admin", beyond="accounts",
        status=201, calls=(READ, COMMIT),
    ),
    Route(
        method="GET", path="/usage", power="read",
        query={"limit": "10"},
        status=200, calls=(READ,), interleaved=(401,),
    ),
    Route(
        method="PUT", path="/file", power="write", relation="writer",
        body=FILE | {"content": "bmV3", "content_type": "text/plain", "on_conflict": "replace"},
        status=200, calls=(READ, "PutObject", COMMIT), interleaved=(401,), conditional=True,
    ),
    Route(
        method="GET", path="/file", power="read", relation="reader",
        query=FILE,
        status=200, calls=(READ, "GetObject"), interleaved=(401, 404), conditional=True,
    ),
    Route(
        method="HEAD", path="/file", power="read", relation="reader",
        query=FILE,
        status=200, calls=(READ,), conditional=True,
    ),
    Route(
        method="PATCH", path="/file", power="write", relation="owner",
        body=FILE | {
            "new_name": "b.txt", "description": "what it is", "tags": ["one"], "if_match": "*",
        },
        status=200, calls=(READ, READ, COMMIT), replay=404, interleaved=(401, 409),
        conditional=True,
    ),
    Route(
        method="DELETE", path="/file", power="write", relation="owner",
        query=FILE | {"permanent": "false"},
        status=204, calls=(READ, COMMIT), replay=404, interleaved=(401,), conditional=True,
    ),
    Route(
        method="GET", path="/versions", power="read", relation="reader",
        query=FILE | {"limit": "10"},
        status=200, calls=(READ, QUERY), interleaved=(401, 404), setup="file with two versions",
    ),
    Route(
        method="POST", path="/restore", power="write", relation="owner",
        body=FILE | {"version": 1, "if_match": "*"},
        status=200, calls=(READ,), interleaved=(401, 404), setup="file with two versions",
        conditional=True,
    ),
    Route(
        method="POST", path="/copy", power="write", relation="reader",
        body=FILE | {"new_name": "copy.txt", "on_conflict": "replace", "if_match": None},
        status=201, calls=(READ, COMMIT), replay=200, interleaved=(401, 404), conditional=True,
    ),
    Route(
        method="GET", path="/jobs/{job_id}", power="read", relation="owner",
        status=200, calls=(READ,), interleaved=(401,),
    ),
    Route(
        method="GET", path="/trash", power="read",
        query={"limit": "10"},
        status=200, calls=(READ, QUERY), interleaved=(401,), setup="file in the trash",
    ),
    Route(
        method="DELETE", path="/trash", power="write",
        status=204, calls=(READ, QUERY), interleaved=(401,), setup="file in the trash",
        conditional=True, unrecorded="it writes one for each file that it deletes",
    ),
    Route(
        method="GET", path="/files", power="read",
        query={
            "prefix": "a", "limit": "10", "scope": "all", "q": "a", "sort": "name", "order": "asc",
            "folders": "false", "urls": "false",
        },
        status=200, calls=(READ, QUERY, READ, QUERY, QUERY), concurrent=True, interleaved=(401,),
    ),
    Route(
        method="GET", path="/changes", power="read",
        query={"prefix": "a", "limit": "100"},
        status=200, calls=(READ, QUERY, READ), interleaved=(401,),
    ),
    Route(
        method="POST", path="/uploads", power="write", relation="writer",
        body=FILE | {
            "size": 100 * MIB, "content_type": "x/y",
            "sha256": None, "crc64nvme": "0" * 16, "part_checksum": None,
            "on_conflict": "replace", "if_match": None, "description": "what it is",
            "tags": ["one", "two"],
        },
        status=201, calls=(READ, "CreateMultipartUpload", COMMIT), interleaved=(401,),
        conditional=True, idempotent=True, unrecorded=BEGINS,
    ),
    Route(
        method="GET", path="/uploads", power="write",
        query={"limit": "10"},
        status=200, calls=(READ, QUERY), interleaved=(401,), setup="upload in progress",
    ),
    Route(
        method="GET", path="/uploads/{upload_id}", power="write", relation="owner",
        status=200, calls=(READ, "ListParts"), interleaved=(401,), setup="upload in progress",
    ),
    Route(
        method="POST", path="/uploads/{upload_id}/parts", power="write", relation="owner",
        body={"part_numbers": [1, 2]},
        status=200, calls=(READ,), interleaved=(401,), setup="upload in progress",
        unrecorded=NOTHING_CHANGES,
    ),
    Route(
        method="POST", path="/uploads/{upload_id}/complete", power="write", relation="owner",
        body={"parts": [{"part_number": 1, "etag": "x"}]},
        status=409, calls=(READ, "ListParts"), interleaved=(401, 404), setup="complete upload",
    ),
    Route(
        method="DELETE", path="/uploads/{upload_id}", power="write", relation="owner",
        status=204, calls=(READ, COMMIT, "AbortMultipartUpload", "DeleteObject"), replay=404,
        interleaved=(401,), both_succeed=True, setup="complete upload", unrecorded=BEGINS,
    ),
    Route(
        method="GET", path="/download", power="read", relation="reader",
        query=FILE | {"inline": "true"},
        status=200, calls=(READ,), interleaved=(401, 404),
        if_match=True,
    ),
    Route(
        method="POST", path="/share", power="share", relation="owner",
        body={
            "file_name": "a.txt", "username": "dave", "permission": "read", "expires_in": 3600,
        },
        status=201, calls=(READ, COMMIT), replay=200, interleaved=(401, 404), both_succeed=True,
    ),
    Route(
        method="GET", path="/shares", power="read", relation="owner",
        query={"file_name": "a.txt", "limit": "10"},
        status=200, calls=(READ, READ), interleaved=(401, 404),
    ),
    Route(
        method="DELETE", path="/share", power="share", relation="owner",
        query={"file_name": "a.txt", "username": "bob"},
        status=204, calls=(READ, COMMIT), replay=404, interleaved=(401,), both_succeed=True,
    ),
    Route(
        method="GET", path="/groups", power="read",
        query={"limit": "10"},
        status=200, calls=(READ, READ), setup="group with a member",
    ),
    Route(
        method="PUT", path="/groups/{group}", power="share", relation="owner", refusal=409,
        status=200, calls=(READ,), interleaved=(401, 409),
    ),
    Route(
        method="GET", path="/groups/{group}", power="read", relation="writer",
        outlives_owner=True,
        query={"limit": "10"},
        status=200, calls=(READ, QUERY), interleaved=(404,), setup="group with a member",
    ),
    Route(
        method="DELETE", path="/groups/{group}", power="share", relation="owner",
        status=204, calls=(READ, COMMIT, QUERY, COMMIT, QUERY), replay=404,
        interleaved=(401,), both_succeed=True, setup="group with a member",
    ),
    Route(
        method="PUT", path="/groups/{group}/members/{username}", power="session", beyond="share",
        relation="owner",
        status=201, calls=(READ, COMMIT), replay=200, interleaved=(401, 404), both_succeed=True,
        setup="empty group",
    ),
    Route(
        method="DELETE", path="/groups/{group}/members/{username}", power="session",
        beyond="share", relation="writer", outlives_owner=True,
        ids={"username": "carol"},
        status=204, calls=(READ, COMMIT), replay=404, interleaved=(401,), both_succeed=True,
        setup="group with a member",
    ),
    Route(
        method="POST", path="/links", power="share", relation="owner",
        body=LINK,
        status=201, calls=(READ, COMMIT), replay=409, interleaved=(401, 404), idempotent=True,
    ),
    Route(
        method="GET", path="/links", power="share",
        query={"limit": "10"},
        status=200, calls=(READ, QUERY, READ), interleaved=(401,),
    ),
    Route(
        method="GET", path="/links/{link_id}", power="share", relation="owner",
        status=200, calls=(QUERY, READ), interleaved=(401, 404),
    ),
    Route(
        method="PATCH", path="/links/{link_id}", power="share", relation="owner",
        body=LINK,
        status=200, calls=(QUERY, READ, COMMIT), interleaved=(401, 404, 409),
    ),
    Route(
        method="DELETE", path="/links/{link_id}", power="share", relation="owner",
        status=204, calls=(QUERY, READ, COMMIT), replay=404, interleaved=(401,), both_succeed=True,
    ),
    Route(
        method="GET", path="/links/{link_id}/events", power="share", relation="owner",
        query={"limit": "10"},
        status=200, calls=(QUERY, READ, QUERY), interleaved=(401, 404),
    ),
    Route(
        method="PUT", path="/send/{name}", power="write", beyond="share",
        query=SENT | {"content_type": "text/plain", "on_conflict": "rename"},
        headers={"x-link-password": PASSWORD}, file_body=True,
        status=201, calls=(READ, "PutObject", READ, COMMIT), replay=409,
        interleaved=(401, 409), conditional=True, records=2,
    ),
    Route(
        method="GET", path="/send/{name}", power="write", beyond="share",
        query=SENT | {"size": "100"},
        headers={"x-link-password": PASSWORD},
        status=200, calls=(READ, QUERY), interleaved=(401, 404, 409),
    ),
    Route(
        method="GET", path="/s/{token}", power="public",
        query={"limit": "10"},
        status=200, calls=(QUERY, READ, "UpdateItem"), interleaved=(404, 410),
    ),
    Route(
        method="POST", path="/s/{token}/unlock", power="public",
        body={"password": PASSWORD},
        status=200, calls=(QUERY, READ), interleaved=(404, 410), unrecorded=NOTHING_CHANGES,
    ),
    Route(
        method="POST", path="/s/{token}/download", power="public",
        body={"file_name": "a.txt", "grant": None, "format": None, "inline": True},
        status=303, calls=(QUERY, READ, COMMIT), interleaved=(404, 410),
        if_match=True,
    ),
    Route(
        method="POST", path="/requests", power="share",
        body={
            "title": "Slides", "folder": "in/", "expires_in": 3600, "max_files": 5,
            "max_file_size": 10**9, "max_total_size": 10**10,
            "allowed_types": [".pptx", "image/*"], "password": PASSWORD, "require_name": True,
        },
        status=201, calls=(READ, COMMIT), interleaved=(401,), idempotent=True,
    ),
    Route(
        method="GET", path="/requests", power="share",
        query={"limit": "10"},
        status=200, calls=(READ, QUERY, READ), interleaved=(401,),
    ),
    Route(
        method="GET", path="/requests/{request_id}", power="share", relation="owner",
        status=200, calls=(READ,), interleaved=(401, 404),
    ),
    Route(
        method="PATCH", path="/requests/{request_id}", power="share", relation="owner",
        body={
            "title": "Other slides", "folder": "out/", "expires_in": None, "max_files": 7,
            "max_file_size": None, "max_total_size": 10**9, "allowed_types": [".odp"],
            "password": None, "require_name": False, "open": False,
        },
        status=200, calls=(READ, COMMIT), interleaved=(401, 404),
    ),
    Route(
        method="DELETE", path="/requests/{request_id}", power="share", relation="owner",
        status=204, calls=(READ, COMMIT), replay=404, interleaved=(401,), both_succeed=True,
    ),
    Route(
        method="GET", path="/r/{token}", power="public",
        status=200, calls=(READ, READ), interleaved=(404, 410),
    ),
    Route(
        method="POST", path="/r/{token}/unlock", power="public",
        body={"password": PASSWORD},
        status=200, calls=(READ, READ), unrecorded=NOTHING_CHANGES,
    ),
    Route(
        method="POST", path="/r/{token}/uploads", power="public",
        body={
            "file_name": "big.bin", "size": 100 * MIB, "content_type": "x/y",
            "sha256": None, "crc64nvme": "0" * 16, "part_checksum": None,
            "sender": "Zoë", "grant": None,
        },
        status=201, calls=(READ, "CreateMultipartUpload", COMMIT), replay=409,
        unrecorded=BEGINS,
    ),
    Route(
        method="GET", path="/r/{token}/uploads/{upload_id}", power="public",
        status=200, calls=(READ, READ, "ListParts"), interleaved=(404,),
        setup="upload by request in progress",
    ),
    Route(
        method="POST", path="/r/{token}/uploads/{upload_id}/parts", power="public",
        body={"part_numbers": [1, 2]},
        status=200, calls=(READ, READ), interleaved=(404,),
        setup="upload by request in progress", unrecorded=NOTHING_CHANGES,
    ),
    Route(
        method="POST", path="/r/{token}/uploads/{upload_id}/complete", power="public",
        body={"parts": [{"part_number": 1, "etag": "x"}]},
        status=409, calls=(READ, READ, "ListParts"), interleaved=(404, 410),
        setup="complete upload by request",
    ),
    Route(
        method="DELETE", path="/r/{token}/uploads/{upload_id}", power="public",
        status=204, calls=(READ, READ, COMMIT, "AbortMultipartUpload", "DeleteObject"), replay=404,
        both_succeed=True, setup="complete upload by request", unrecorded=BEGINS,
    ),
    Route(
        method="POST", path="/s3/multipart", power="write",
        body=UPPY,
        status=200, calls=(READ, "CreateMultipartUpload", COMMIT), unrecorded=BEGINS,
    ),
    Route(
        method="GET", path="/s3/multipart/{upload_id}/batch", power="write", relation="owner",
        query={"partNumbers": "1,2", "key": "k"},
        status=200, calls=(READ,),
    ),
    Route(
        method="GET", path="/s3/multipart/{upload_id}/{part_number}", power="write",
        relation="owner",
        query={"key": "k"},
        status=200, calls=(READ,),
    ),
    Route(
        method="GET", path="/s3/multipart/{upload_id}", power="write", relation="owner",
        query={"key": "k"},
        status=200, calls=(READ, "ListParts"),
    ),
    Route(
        method="POST", path="/s3/multipart/{upload_id}/complete", power="write", relation="owner",
        query={"key": "k"}, body={"parts": [{"PartNumber": 1, "ETag": "x"}]},
        status=409, calls=(READ, "ListParts"),
        unrecorded="the bytes of its upload never arrive in the tests",
    ),
    Route(
        method="DELETE", path="/s3/multipart/{upload_id}", power="write", relation="owner",
        query={"key": "k"},
        status=200, calls=(READ, COMMIT, "AbortMultipartUpload", "DeleteObject"), replay=404,
        unrecorded=BEGINS,
    ),
    Route(
        method="GET", path="/s3/params", power="write",
        query={"filename": "small.bin", "type": "x/y"},
        status=200, calls=(READ, COMMIT),
    ),
    Route(
        method="POST", path="/s3/params", power="write",
        body=UPPY,
        status=200, calls=(READ, COMMIT), unrecorded=BEGINS,
    ),
    Route(
        method="GET", path="/health", power="public",
        status=200,
    ),
    Route(
        method="GET", path="/info", power="public",
        status=200,
    ),
    Route(
        method="GET", path="/problems/{slug}", power="public",
        status=200,
    ),
    Route(
        method="GET", path="/openapi.json", power="public",
        status=200, revalidates=True,
    ),
    Route(
        method="GET", path="/docs", power="public",
        status=200, revalidates=True,
    ),
    Route(
        method="GET", path="/", power="public",
        status=302,
    ),
)  # fmt: skip
BY_NAME: dict[str, Route] = {str(route): route for route in ROUTES}
PROTECTED: tuple[Route, ...] = tuple(route for route in ROUTES if not route.public)
