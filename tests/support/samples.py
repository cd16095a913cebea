"""A good request for every route, and people to send it; what the tests over all routes start from.

A route without a sample fails them: whoever adds a route says here how it is used.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from function.http import router as http_router
from function.http.dependencies import needs_token, power_of
from tests.support.client import PASSWORD, Answer, Client, join
from tests.support.fake_aws import Call, Ground, response

MIB = 1024 * 1024
WRITES = {
    "AbortMultipartUpload",
    "BatchWriteItem", "CompleteMultipartUpload", "CreateMultipartUpload", "DeleteItem",
    "DeleteObject", "PutItem", "PutObject", "TransactWriteItems", "UpdateItem", "UploadPart",
}  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """What a good request has; `path` is what of its path is not as the world has it."""

    query: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | None = None
    path: dict[str, str] = field(default_factory=dict)


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
SAMPLES: dict[tuple[str, str], Sample] = {
    ("POST", "/register"): Sample(
        body={
            "username": "newcomer",
            "password": PASSWORD,
            "email": "new@example.org",
            "invite": None,
        }
    ),
    ("POST", "/login"): Sample(body={"username": "alice", "password": PASSWORD, "otp": None}),
    ("POST", "/logout"): Sample({"everywhere": "false"}),
    ("POST", "/mfa"): Sample(body={"current_password": PASSWORD}),
    ("POST", "/mfa/confirm"): Sample(body={"otp": "123456"}),
    ("DELETE", "/mfa"): Sample({"otp": "123456"}),
    ("GET", "/me"): Sample(),
    ("PATCH", "/me"): Sample(body={"email": "a@example.org", "current_password": PASSWORD}),
    ("POST", "/password"): Sample(
        body={"current_password": PASSWORD, "new_password": "another horse battery"}
    ),
    ("POST", "/password/forgot"): Sample(body={"username": "alice"}),
    ("POST", "/password/reset"): Sample(
        body={"token": "alice." + "A" * 43, "new_password": "another horse battery"}
    ),
    ("GET", "/sessions"): Sample({"limit": "10"}),
    ("DELETE", "/sessions/{session_id}"): Sample(),
    ("POST", "/keys"): Sample(body={"name": "other", "scopes": ["admin"], "expires_in": 60}),
    ("GET", "/keys"): Sample(),
    ("DELETE", "/keys/{key_id}"): Sample(),
    ("POST", "/invites"): Sample(
        body={"role": "client", "email": "new@example.org", "expires_in": 3600}
    ),
    ("GET", "/invites"): Sample({"limit": "10"}),
    ("DELETE", "/invites/{invite_id}"): Sample(),
    ("GET", "/users"): Sample({"limit": "10"}),
    ("PATCH", "/users/{username}"): Sample(
        body={
            "role": "client",
            "quota": 10**9,
            "files_quota": None,
            "disabled": False,
            "mfa": False,
        }
    ),
    ("GET", "/audit"): Sample(
        {"username": "alice", "action": "share", "since": "2026-09-01T00:00:00Z", "limit": "10"}
    ),
    ("DELETE", "/users/{username}"): Sample(),
    ("POST", "/users/{username}/reset"): Sample(),
    ("GET", "/usage"): Sample({"limit": "10"}),
    ("PUT", "/file"): Sample(
        body={
            "file_name": "a.txt",
            "content": "bmV3",
            "username": "alice",
            "content_type": "text/plain",
            "on_conflict": "replace",
        }
    ),
    ("GET", "/file"): Sample(FILE),
    ("HEAD", "/file"): Sample(FILE),
    ("PATCH", "/file"): Sample(
        body=FILE
        | {"new_name": "b.txt", "description": "what it is", "tags": ["one"], "if_match": "*"}
    ),
    ("DELETE", "/file"): Sample(FILE | {"permanent": "false"}),
    ("GET", "/versions"): Sample(FILE | {"limit": "10"}),
    ("POST", "/restore"): Sample(body=FILE | {"version": 1, "if_match": "*"}),
    ("POST", "/copy"): Sample(
        body=FILE | {"new_name": "copy.txt", "on_conflict": "replace", "if_match": None}
    ),
    ("GET", "/jobs/{job_id}"): Sample(),
    ("GET", "/trash"): Sample({"limit": "10"}),
    ("DELETE", "/trash"): Sample(),
    ("GET", "/files"): Sample(
        {
            "prefix": "a",
            "limit": "10",
            "scope": "all",
            "q": "a",
            "sort": "name",
            "order": "asc",
            "folders": "false",
            "urls": "false",
        }
    ),
    ("GET", "/changes"): Sample({"prefix": "a", "limit": "10"}),
    ("POST", "/uploads"): Sample(
        body={
            "file_name": "big.bin",
            "size": 100 * MIB,
            "username": "alice",
            "content_type": "x/y",
            "sha256": "0" * 64,
            "on_conflict": "replace",
            "if_match": None,
            "description": "what it is",
            "tags": ["one", "two"],
        }
    ),
    ("GET", "/uploads"): Sample({"limit": "10"}),
    ("GET", "/uploads/{upload_id}"): Sample(),
    ("POST", "/uploads/{upload_id}/parts"): Sample(body={"part_numbers": [1, 2]}),
    ("POST", "/uploads/{upload_id}/complete"): Sample(
        body={"parts": [{"part_number": 1, "etag": "x"}]}
    ),
    ("DELETE", "/uploads/{upload_id}"): Sample(),
    ("GET", "/download"): Sample(FILE | {"inline": "true"}),
    ("POST", "/share"): Sample(
        body={
            "file_name": "a.txt",
            "username": "dave",
            "permission": "read",
            "expires_in": 3600,
        }
    ),
    ("GET", "/shares"): Sample({"file_name": "a.txt", "limit": "10"}),
    ("DELETE", "/share"): Sample({"file_name": "a.txt", "username": "bob"}),
    ("GET", "/groups"): Sample({"limit": "10"}),
    ("PUT", "/groups/{group}"): Sample(),
    ("GET", "/groups/{group}"): Sample({"limit": "10"}),
    ("DELETE", "/groups/{group}"): Sample(),
    ("PUT", "/groups/{group}/members/{username}"): Sample(),
    ("DELETE", "/groups/{group}/members/{username}"): Sample(path={"username": "carol"}),
    ("POST", "/links"): Sample(body=LINK),
    ("GET", "/links"): Sample({"limit": "10"}),
    ("GET", "/links/{link_id}"): Sample(),
    ("PATCH", "/links/{link_id}"): Sample(body=LINK),
    ("DELETE", "/links/{link_id}"): Sample(),
    ("GET", "/links/{link_id}/events"): Sample({"limit": "10"}),
    ("GET", "/s/{token}"): Sample({"limit": "10"}),
    ("POST", "/s/{token}/unlock"): Sample(body={"password": PASSWORD}),
    ("POST", "/s/{token}/download"): Sample(
        body={"file_name": "a.txt", "grant": None, "format": None, "inline": True}
    ),
    ("POST", "/requests"): Sample(
        body={
            "title": "Slides",
            "folder": "in/",
            "expires_in": 3600,
            "max_files": 5,
            "max_file_size": 10**9,
            "max_total_size": 10**10,
            "allowed_types": [".pptx", "image/*"],
            "password": PASSWORD,
            "require_name": True,
        }
    ),
    ("GET", "/requests"): Sample({"limit": "10"}),
    ("GET", "/requests/{request_id}"): Sample(),
    ("PATCH", "/requests/{request_id}"): Sample(
        body={
            "title": "Other slides",
            "folder": "out/",
            "expires_in": None,
            "max_files": 7,
            "max_file_size": None,
            "max_total_size": 10**9,
            "allowed_types": [".odp"],
            "password": None,
            "require_name": False,
            "open": False,
        }
    ),
    ("DELETE", "/requests/{request_id}"): Sample(),
    ("GET", "/r/{token}"): Sample({"grant": "x"}),
    ("POST", "/r/{token}/unlock"): Sample(body={"password": PASSWORD}),
    ("POST", "/r/{token}/uploads"): Sample(
        body={
            "file_name": "big.bin",
            "size": 100 * MIB,
            "content_type": "x/y",
            "sha256": "0" * 64,
            "sender": "Zoë",
            "grant": None,
        }
    ),
    ("GET", "/r/{token}/uploads/{upload_id}"): Sample(),
    ("POST", "/r/{token}/uploads/{upload_id}/parts"): Sample(body={"part_numbers": [1, 2]}),
    ("POST", "/r/{token}/uploads/{upload_id}/complete"): Sample(
        body={"parts": [{"part_number": 1, "etag": "x"}]}
    ),
    ("DELETE", "/r/{token}/uploads/{upload_id}"): Sample(),
    ("POST", "/s3/multipart"): Sample(body=UPPY),
    ("GET", "/s3/multipart/{upload_id}/batch"): Sample({"partNumbers": "1,2", "key": "k"}),
    ("GET", "/s3/multipart/{upload_id}/{part_number}"): Sample({"key": "k"}),
    ("GET", "/s3/multipart/{upload_id}"): Sample({"key": "k"}),
    ("POST", "/s3/multipart/{upload_id}/complete"): Sample(
        {"key": "k"}, {"parts": [{"PartNumber": 1, "ETag": "x"}]}
    ),
    ("DELETE", "/s3/multipart/{upload_id}"): Sample({"key": "k"}),
    ("GET", "/s3/params"): Sample({"filename": "small.bin", "type": "x/y"}),
    ("POST", "/s3/params"): Sample(body=UPPY),
    ("GET", "/health"): Sample(),
    ("GET", "/info"): Sample(),
    ("GET", "/openapi.json"): Sample(),
    ("GET", "/docs"): Sample(),
    ("GET", "/"): Sample(),
}


def key_of(route: Any) -> tuple[str, str]:
    """A route's method and path, its varying parts in braces."""
    return route.method, route.openapi_path


ROUTES: dict[tuple[str, str], Any] = {key_of(route): route for route in http_router.all_routes()}
PROTECTED = [key for key, route in ROUTES.items() if needs_token(route)]


def name_of(key: tuple[str, str]) -> str:
    """How a route is called in a test's name."""
    return " ".join(key)


@dataclass(frozen=True)
class World:
    """Alice's file, which Bob may read and Carol write; Dave, who may nothing; an upload, a link.

    Root is the administrator, and has invited somebody.

    Alice has a group, to which Carol belongs as well, and has `asked` by a token for files, of
    which one is being `sent`. She is signed in elsewhere too, and has a key.
    `ids` are what stands in paths.
    """

    alice: Client
    bob: Client
    carol: Client
    dave: Client
    root: Client
    upload: str
    ids: dict[str, str]

    def path(self, key: tuple[str, str]) -> str:
        """A route's path with this world's ids."""
        own = SAMPLES[key].path if key in SAMPLES else {}
        if key[1].startswith("/r/"):
            own = {"upload_id": self.ids["sent"], "token": self.ids["asked"], **own}
        return key[1].format(**self.ids | own)

    def sender(self, key: tuple[str, str]) -> Client:
        """Whose good request it is: the administrator's, where only they may send it."""
        return self.root if power_of(ROUTES[key]) == "admin" else self.alice

    def send(self, client: Client, key: tuple[str, str], sample: Sample | None = None) -> Answer:
        """Sends somebody's good request, or another."""
        sample = sample or SAMPLES[key]
        return client.send(key[0], self.path(key), query=sample.query, json_=sample.body)


def a_job(client: Client) -> str:
    """A folder that did not fit one commit, and has moved since."""
    for number in range(9):
        client.put(f"old/{number}.txt", b"")
    body = {"file_name": "old/", "new_name": "new/"}
    while (answer := client.send("PATCH", "/file", json_=body)).status == 202:
        pass  # the test for which it is made may leave it little time
    for number in range(9):
        client.delete("/file", file_name=f"new/{number}.txt", permanent="true")
    return str(answer.json()["id"])


def a_world() -> World:
    """Five people, a file, two shares, an upload in parts, a group, a link, a request."""
    names = ("alice", "bob", "carol", "dave", "root")
    alice, bob, carol, dave, root = (join(name, f"192.0.2.{at}") for at, name in enumerate(names))
    assert alice.put("a.txt", b"the first bytes").status == 201
    for name, permission in (("bob", "read"), ("carol", "write")):
        share = {"file_name": "a.txt", "username": name, "permission": permission}
        assert alice.send("POST", "/share", json_=share).status == 201
    answer = alice.post("/uploads", file_name="big.bin", size=100 * MIB)
    assert answer.status == 201, answer.text
    assert alice.send("PUT", "/groups/team").status == 201
    assert alice.send("PUT", "/groups/team/members/carol").status == 201
    upload = answer.json()["upload_id"]
    ids = {
        "job_id": a_job(alice),
        "upload_id": upload,
        "part_number": "1",
        "group": "team",
        "username": "dave",
    }
    answer = alice.post("/links", items=["a.txt"])
    assert answer.status == 201, answer.text
    ids |= {"link_id": answer.json()["id"], "token": answer.json()["url"].rpartition("/")[2]}
    asked = alice.post("/requests", title="Slides", folder="in/", max_files=2).json()
    token = asked["url"].rpartition("/")[2]
    sent = Client().post(f"/r/{token}/uploads", file_name="s.bin", size=100 * MIB).json()
    other = Client().post("/login", username="alice", password=PASSWORD).json()["token"]
    ids["session_id"] = hashlib.sha256(other.encode()).hexdigest()
    ids["key_id"] = alice.post("/keys", name="backup", scopes=["read"]).json()["id"]
    ids |= {"request_id": asked["id"], "asked": token, "sent": sent["upload_id"]}
    invited = root.post("/invites").json()
    ids |= {"invite_id": invited["id"], "invitation": invited["token"]}
    return World(alice, bob, carol, dave, root, upload, ids)


def remember_reads(ground: Ground) -> None:
    """Answers a read as the last time until something is written: thousands of requests of people
    who may not do a thing then take no longer than they must.
    """
    known: dict[bytes, Any] = {}
    reads = {"BatchGetItem", "Query"}
    serve: Callable[[Call], Any] = ground.before

    def before(call: Call) -> Any:
        answer = serve(call)
        if answer is None and call.operation in WRITES:
            known.clear()
        held = known.get(call.request.body) if call.operation in reads else None
        return answer or (held and response(200, *held))

    def after(call: Call, answer: Any) -> Any:
        if call.operation in reads and answer.status_code == 200:
            known[call.request.body] = (answer.headers, answer.content)
        return answer

    ground.before, ground.after = before, after
