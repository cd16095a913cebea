"""The operations that the crash suites cut and interleave: at least one for each route.

An operation sends the request of its row in the register, in the world of `world.py`, unless it
says another. The row has its status, the answer to a replay, the answers when another request is
done between its calls, and what must be set up before. An operation names only what differs.
"""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.crashes import people
from tests.crashes.known import Known, Send
from tests.crashes.links import LOCKED, assert_downloads_or_exhausted, change_link, visit
from tests.crashes.people import OTHER
from tests.crashes.setups import FOLDER, FRESH, OLD, PLAN, REPORT
from tests.crashes.uploads import act_on_upload, assert_downloads, change_request, start_upload
from tests.support.api_register import BY_NAME as ROUTES_BY_NAME
from tests.support.api_register import ROUTES, Route, SetupName
from tests.support.client import PASSWORD, Answer, Client


@dataclass(frozen=True)
class Operation:
    """One request, sent by `who`.

    `done` is its status, `again` the status of its replay. `others` are further statuses when
    another operation is done between its calls. Two operations that want the same at the same time
    may both get an answer of `alike`. `calls` is the least number of AWS calls, so that a case
    that never happens is noticed. `after` names a setup. `check` asserts that the answer of a
    success is true. The last `quiet` calls tidy up after the commit, and their failure does not
    change the answer. `rereads` is the key of the entries of a list that finds its entries first
    and then reads the present state of each.
    """

    name: str
    route: Route
    who: str
    send: Send
    done: int
    again: int
    calls: int
    others: frozenset[int]
    alike: frozenset[int]
    writes: bool
    after: SetupName
    quiet: int
    check: Callable[[Answer], None]
    rereads: str

    def __str__(self) -> str:
        return self.name

    @property
    def allowed(self) -> frozenset[int]:
        return self.others | {self.done, self.again}


def operation(
    name: str,
    route_name: str,
    send: Send | None = None,
    *,
    who: str = "",
    done: int = 0,
    again: int = 0,
    calls: int = 0,
    others: Iterable[int] | None = None,
    alike: Iterable[int] = (),
    writes: bool | None = None,
    after: SetupName = "",
    quiet: int = 0,
    check: Callable[[Answer], None] = lambda _: None,
    rereads: str = "",
) -> Operation:
    """An operation; the row of its route has all that is not given."""
    route = ROUTES_BY_NAME[route_name]
    done, again = done or route.status, again or done or route.answer_to_replay
    if route.both_succeed:
        alike = alike or (route.status, route.answer_to_replay)
    return Operation(
        name=name,
        route=route,
        who=who or sender_of(route),
        send=send or request_of(route),
        done=done,
        again=again,
        calls=calls or len(route.calls),
        others=frozenset(route.interleaved if others is None else others),
        alike=frozenset(alike),
        writes=route.writes if writes is None else writes,
        after=after or route.setup,
        quiet=quiet,
        check=check,
        rereads=rereads,
    )


def sender_of(route: Route) -> str:
    """The person whose request succeeds."""
    if route.public:
        return "nobody"
    return "root" if route.power == "admin" else "alice"


def request_of(route: Route) -> Send:
    """Sends the request of the register."""

    def send(client: Client, known: Known) -> Answer:
        path = known.ids.path(route.path, **route.ids)
        return client.send(
            route.method, path, query=route.query, json_=route.body, headers=route.headers
        )

    return send


def post(path: str, **fields: Any) -> Send:
    """Sends a JSON body."""
    return lambda client, _known: client.post(path, **fields)


def post_once(path: str, key: str, **fields: Any) -> Send:
    """Sends a JSON body with an Idempotency-Key, which no other operation sends."""
    headers = {"idempotency-key": key}
    return lambda client, _known: client.send("POST", path, json_=fields, headers=headers)


def repeated(name: str, route_name: str, send: Send | None = None, **fields: Any) -> Operation:
    """An operation with an Idempotency-Key: its replay answers the same and changes nothing."""
    route = ROUTES_BY_NAME[route_name]
    body: Any = route.body
    send = send or post_once(route.path, name.replace(" ", "-"), **body)
    return operation(name, route_name, send, again=route.status, **fields)


def get(path: str, **query: Any) -> Send:
    return lambda client, _known: client.get(path, **query)


def delete(path: str, **query: Any) -> Send:
    return lambda client, _known: client.delete(path, **query)


def put(path: str) -> Send:
    """Sends no body."""
    return lambda client, _known: client.send("PUT", path)


def patch(path: str, **fields: Any) -> Send:
    return lambda client, _known: client.send("PATCH", path, json_=fields)


def put_file(name: str, data: bytes, **fields: Any) -> Send:
    """Sends bytes of a length of its own, so that no other upload's can be taken for them."""
    return lambda client, _known: client.put(name, data, **fields)


def put_raw(client: Client, _known: Known) -> Answer:
    """Sends the bytes of a file as the body."""
    return client.send("PUT", "/file", query={"file_name": FRESH}, body=b"new")


def send_file(client: Client, _known: Known) -> Answer:
    """Sends the bytes of a file whose name is taken."""
    said = {"accept": "application/json"}
    return client.send("PUT", f"/send/{REPORT}", body=b"sent to somebody", headers=said)


def get_script(client: Client, _known: Known) -> Answer:
    """Gets the script that begins a new upload; the script contains a token."""
    return client.send("HEAD", f"/send/{FRESH}")


def get_text(client: Client, _known: Known) -> Answer:
    """Gets a file as JSON does: in Base64."""
    answer = client.get("/file", file_name=REPORT)
    assert answer.status != 200 or base64.b64decode(answer.text, validate=True)
    return answer


def get_shared(client: Client, _known: Known) -> Answer:
    """Gets the bytes of Alice's file."""
    return client.read(REPORT, username="alice")


def patch_unchanged(**fields: Any) -> Send:
    """Changes the plan if it is still as at the beginning."""
    return lambda client, known: client.send(
        "PATCH", "/file", json_={"file_name": PLAN, "if_match": known.revision, **fields}
    )


def register_invited(username: str) -> Send:
    """Registers with the one invitation."""
    return lambda client, known: client.post(
        "/register", username=username, password=PASSWORD, invite=known.ids.invitation
    )


def log_out_everywhere(client: Client, _known: Known) -> Answer:
    return client.send("POST", "/logout", query={"everywhere": "true"})


def newcomer_logs_in(_answer: Answer) -> None:
    """The account is the caller's, whether this request or an earlier one registered it."""
    assert Client().post("/login", username="newcomer", password=PASSWORD).status == 200


def token_works(answer: Answer) -> None:
    """The token is of a session. If it has been ended meanwhile, it can be logged out."""
    client = Client(answer.json()["token"])
    assert client.get("/me").status == 200 or client.post("/logout").status == 204


def token_works_or_none(answer: Answer) -> None:
    """A code works once."""
    if answer.status == 200:
        token_works(answer)


def owner_logs_in(_answer: Answer) -> None:
    """A wrong password shuts nobody out."""
    tried = [Client().post("/login", username="alice", password=p) for p in (PASSWORD, OTHER)]
    assert any(each.status == 200 or each.slug == "otp-required" for each in tried)


GONE, CREATED, DELETED = (401, 404), (200, 201), (204, 404)
REPEATED: tuple[Operation, ...] = (
    repeated("create a key once", "POST /keys"),
    repeated("invite once", "POST /invites"),
    repeated("ask for files once", "POST /requests"),
    repeated(
        "create a link once", "POST /links",
        post_once("/links", "one", items=[REPORT, FOLDER], max_downloads=3),
    ),
    repeated(
        "create a link with an alias once", "POST /links",
        post_once("/links", "alias", items=[PLAN], alias="the-plan"),
        others=(401, 404, 409),
    ),
    repeated(
        "start an upload once", "POST /uploads",
        post_once("/uploads", "put", file_name=FRESH, size=15), calls=2,
    ),
    repeated(
        "start a multipart upload once", "POST /uploads",
        post_once("/uploads", "parts", file_name=REPORT, size=45, username="alice"),
        who="bob", others=GONE,
    ),
)  # fmt: skip
TABLE: tuple[Operation, ...] = (
    operation("register", "POST /register", check=newcomer_logs_in),
    operation(
        "register by invitation", "POST /register", register_invited("dave"),
        again=404, calls=2, others=(409,),
    ),
    operation(
        "register another by invitation", "POST /register", register_invited("erin"),
        again=404, calls=2,
    ),
    operation("log in", "POST /login", check=token_works),
    operation(
        "log in with a wrong password", "POST /login",
        post("/login", username="alice", password="not the password"),
        done=401, check=owner_logs_in,
    ),
    operation(
        "log in with a code", "POST /login", people.login_with("code"),
        again=401, others=(), check=token_works_or_none,
    ),
    operation(
        "log in with a recovery code", "POST /login", people.login_with("recovery"),
        again=401, others=(), check=token_works_or_none,
    ),
    operation("log out", "POST /logout"),
    operation("log out everywhere", "POST /logout", log_out_everywhere, calls=2),
    operation("change the password", "POST /password"),
    operation("change the address", "PATCH /me"),
    operation("view the account", "GET /me"),
    operation("request a reset", "POST /password/forgot", people.request_reset),
    operation(
        "reset by mail", "POST /password/reset", people.reset_password("mailed"),
        done=204, again=403, calls=2, after="reset token mailed",
    ),
    operation(
        "reset by an issued token", "POST /password/reset", people.reset_password("issued"),
        done=204, again=403, calls=2,
    ),
    operation("delete a session", "DELETE /sessions/{session_id}"),
    operation("list sessions", "GET /sessions"),
    operation("create a key", "POST /keys"),
    operation("delete a key", "DELETE /keys/{key_id}"),
    operation("list keys", "GET /keys"),
    operation("begin MFA", "POST /mfa"),
    operation(
        "confirm MFA", "POST /mfa/confirm", people.confirm_mfa, done=200, again=404, calls=2,
    ),
    operation(
        "disable MFA", "DELETE /mfa", people.disable_mfa,
        who="dora", done=204, again=404, calls=2,
    ),
    operation("delete an invitation", "DELETE /invites/{invite_id}"),
    operation("invite", "POST /invites"),
    operation("list invitations", "GET /invites"),
    operation("list accounts", "GET /users"),
    operation("view the usage", "GET /usage"),
    operation("demote", "PATCH /users/{username}", patch("/users/bob", role="client")),
    operation("disable an account", "PATCH /users/{username}", patch("/users/bob", disabled=True)),
    operation("disable another's MFA", "PATCH /users/{username}", patch("/users/dora", mfa=False)),
    operation("issue a reset token", "POST /users/{username}/reset"),
    operation("read the audit log", "GET /audit", get("/audit", limit=1), calls=18),

    operation("put a new file", "PUT /file", put_raw, done=201, again=200),
    operation(
        "replace", "PUT /file", put_file(REPORT, b"replaced"), others=(201, 401),
    ),
    operation(
        "put under another name", "PUT /file",
        put_file(REPORT, b"put beside it", on_conflict="rename"), done=201, calls=4,
    ),
    operation(
        "put or fail", "PUT /file", put_file(FRESH, b"put there once", on_conflict="fail"),
        done=201, again=409,
    ),
    operation(
        "replace another's", "PUT /file",
        put_file(REPORT, b"replaced by somebody else", username="alice"),
        who="bob", others=(*GONE, 403),
    ),
    operation(
        "put as a member", "PUT /file",
        put_file("team/new.txt", b"put by a member", username="alice"),
        who="bob", done=201, again=200, calls=4, others=GONE, after="group with a member",
    ),
    operation("get", "GET /file", get_text),
    operation("get another's", "GET /file", get_shared, who="bob"),
    operation("get a URL", "GET /download", get("/download", file_name=REPORT),
              check=assert_downloads),
    operation(
        "rename", "PATCH /file", patch("/file", file_name=REPORT, new_name="work/renamed.txt"),
    ),
    operation(
        "rename to a new file", "PATCH /file", patch("/file", file_name=PLAN, new_name=FRESH),
        calls=2,
    ),
    operation(
        "describe", "PATCH /file", patch("/file", file_name=REPORT, description="what it is"),
        done=200, again=200, calls=2, others=GONE,
    ),
    operation(
        "describe if unchanged", "PATCH /file", patch_unchanged(description="known"),
        again=412, calls=2, others=GONE,
    ),
    operation(
        "tag if unchanged", "PATCH /file", patch_unchanged(tags=["known"]),
        again=412, calls=2, others=GONE,
    ),
    operation(
        "move a folder", "PATCH /file", patch("/file", file_name=FOLDER, new_name="moved/"),
        calls=7, after="shared folder",
    ),
    operation("get a job", "GET /jobs/{job_id}", done=404),
    operation("delete", "DELETE /file", delete("/file", file_name=REPORT)),
    operation(
        "delete permanently", "DELETE /file", delete("/file", file_name=REPORT, permanent="true"),
        calls=10, alike=DELETED, after="file with two versions",
    ),
    operation("list versions", "GET /versions", get("/versions", file_name=REPORT)),
    operation(
        "restore a version", "POST /restore", post("/restore", file_name=REPORT, version=1),
        calls=3,
    ),
    operation(
        "restore from the trash", "POST /restore", post("/restore", file_name=OLD),
        again=404, calls=3, others=(401, 409), after="file in the trash",
    ),
    operation("empty the trash", "DELETE /trash", calls=8),
    operation("list the trash", "GET /trash"),
    operation(
        "copy", "POST /copy", post("/copy", file_name=REPORT, new_name=FRESH), again=409,
    ),
    operation(
        "copy another's", "POST /copy",
        post("/copy", file_name=REPORT, new_name="mine.txt", username="alice"),
        who="bob", again=409,
    ),
    operation("list", "GET /files", get("/files"), calls=3),
    operation("list another's", "GET /files", get("/files"), who="bob", calls=4, others=()),
    operation("list by time", "GET /files", get("/files", sort="modified")),
    operation("search", "GET /files", get("/files", q="report", scope="own"), calls=3),
    operation("track changes", "GET /changes", get("/changes"), rereads="file_name"),

    operation("share", "POST /share",
              post("/share", file_name=PLAN, username="bob", permission="read")),
    operation(
        "share again", "POST /share",
        post("/share", file_name=REPORT, username="bob", permission="read"),
        done=200, others=(201, *GONE),
    ),
    operation(
        "share a folder", "POST /share",
        post("/share", file_name=FOLDER, username="bob", permission="read"), others=(401,),
    ),
    operation(
        "share with a group", "POST /share", post("/share", file_name=PLAN, group="team"),
        after="group with a member",
    ),
    operation("unshare", "DELETE /share", delete("/share", file_name=REPORT, username="bob")),
    operation(
        "unshare a folder", "DELETE /share", delete("/share", file_name=FOLDER, username="bob"),
        after="shared folder",
    ),
    operation(
        "leave a share", "DELETE /share", delete("/share", file_name=REPORT, owner="alice"),
        who="bob", others=(),
    ),
    operation("list shares", "GET /shares", get("/shares", file_name=REPORT), calls=2),
    operation(
        "list shares with me", "GET /shares", get("/shares", with_me="true"),
        who="bob", calls=3, others=(),
    ),
    operation("list groups", "GET /groups", who="bob"),
    operation("get a group", "GET /groups/{group}", who="bob"),
    operation(
        "create a group", "PUT /groups/{group}", put("/groups/new"),
        done=201, again=200, calls=2, alike=CREATED,
    ),
    operation(
        "create a group of that name", "PUT /groups/{group}", put("/groups/new"),
        who="bob", done=201, again=200, calls=2, others=(409,), alike=CREATED,
    ),
    operation(
        "invite to a group", "PUT /groups/{group}/members/{username}",
        put("/groups/club/members/bob"),
    ),
    operation(
        "accept an invitation", "PUT /groups/{group}/members/{username}",
        put("/groups/choir/members/bob"), who="bob", done=200, others=(404,),
        alike=(200,), after="invitation to a group",
    ),
    operation(
        "decline an invitation", "DELETE /groups/{group}/members/{username}",
        delete("/groups/choir/members/bob"), who="bob", others=(), after="invitation to a group",
    ),
    operation(
        "list invitations", "GET /groups", get("/groups", invited="true"), who="bob", calls=3,
        after="invitation to a group",
    ),
    operation(
        "remove a member", "DELETE /groups/{group}/members/{username}",
        delete("/groups/team/members/bob"),
    ),
    operation(
        "leave a group", "DELETE /groups/{group}/members/{username}",
        delete("/groups/team/members/bob"), who="bob", others=(),
    ),
    operation("delete a group", "DELETE /groups/{group}", calls=3, quiet=5),

    operation(
        "start an upload", "POST /uploads", start_upload(FRESH, 15), calls=2,
    ),
    operation(
        "start a multipart upload", "POST /uploads", start_upload(REPORT, 45, username="alice"),
        who="bob", others=GONE,
    ),
    operation("get an upload", "GET /uploads/{upload_id}"),
    operation("list uploads", "GET /uploads"),
    operation("sign parts", "POST /uploads/{upload_id}/parts"),
    operation(
        "complete", "POST /uploads/{upload_id}/complete",
        act_on_upload("complete upload", "POST", "/complete"), done=200, calls=4,
    ),
    operation(
        "complete parts", "POST /uploads/{upload_id}/complete",
        act_on_upload("complete multipart upload", "POST", "/complete"),
        done=200, calls=6, after="complete multipart upload",
    ),
    operation(
        "complete another's", "POST /uploads/{upload_id}/complete",
        act_on_upload("complete upload for another", "POST", "/complete"),
        who="bob", done=200, calls=4, after="complete upload for another",
    ),
    operation(
        "abort", "DELETE /uploads/{upload_id}", act_on_upload("complete upload", "DELETE"),
        calls=3,
    ),
    operation(
        "abort parts", "DELETE /uploads/{upload_id}",
        act_on_upload("complete multipart upload", "DELETE"), after="complete multipart upload",
    ),
    operation(
        "free what another holds", "DELETE /uploads/{upload_id}",
        act_on_upload("complete upload for another", "DELETE"),
        calls=4, after="complete upload for another",
    ),
    operation("list what others hold", "GET /uploads", get("/uploads", held="true"), calls=3,
              after="complete upload for another"),

    operation(
        "create a link", "POST /links", post("/links", items=[REPORT, FOLDER], max_downloads=3),
        again=201,
    ),
    operation(
        "create a link with an alias", "POST /links",
        post("/links", items=[PLAN], alias="the-plan"),
    ),
    *REPEATED,
    operation("get a link", "GET /links/{link_id}"),
    operation("send", "PUT /send/{name}", send_file, done=201, again=201, calls=4),
    operation("get a script", "GET /send/{name}", get_script, others=(401,)),
    operation("list links", "GET /links"),
    operation(
        "change a link", "PATCH /links/{link_id}",
        change_link(items=[PLAN, FOLDER], max_downloads=2, alias="the-plan"),
    ),
    operation("delete a link", "DELETE /links/{link_id}"),
    operation("list events of a link", "GET /links/{link_id}/events"),
    operation("open a link", "GET /s/{token}"),
    operation(
        "unlock a link", "POST /s/{token}/unlock", visit("/unlock", LOCKED, password=PASSWORD),
        calls=5,
    ),
    operation(
        "download by a link", "POST /s/{token}/download", visit("/download", file_name=REPORT),
        done=200, again=410, check=assert_downloads_or_exhausted,
    ),
    operation("get a file request", "GET /requests/{request_id}"),
    operation("ask for files", "POST /requests"),
    operation("list file requests", "GET /requests"),
    operation("open a file request", "GET /r/{token}"),
    operation(
        "lower a limit of a file request", "PATCH /requests/{request_id}",
        change_request("small", max_files=1, title="smaller"),
    ),
    operation("close a file request", "PATCH /requests/{request_id}",
              change_request("large", open=False)),
    operation("delete a file request", "DELETE /requests/{request_id}"),
    operation(
        "unlock a file request", "POST /r/{token}/unlock", post("/unlock", password="knock twice"),
        who="locked request", calls=4, quiet=1, writes=True,
    ),
    operation(
        "start an upload by request", "POST /r/{token}/uploads", start_upload(FRESH, 15),
        who="small request", calls=2, after="upload by a small request",
    ),
    operation(
        "start a multipart upload by request", "POST /r/{token}/uploads",
        start_upload("report.txt", 45, sender="Zoë"),
        who="sender", again=201, others=(404, 410),
    ),
    operation(
        "get an upload by request", "GET /r/{token}/uploads/{upload_id}",
        act_on_upload("upload by request in progress", "GET"), who="sender",
    ),
    operation(
        "sign parts by request", "POST /r/{token}/uploads/{upload_id}/parts",
        act_on_upload("upload by request in progress", "POST", "/parts", part_numbers=[1, 5]),
        who="sender",
    ),
    operation(
        "complete by request", "POST /r/{token}/uploads/{upload_id}/complete",
        act_on_upload("complete upload by request", "POST", "/complete"),
        who="sender", done=200, calls=5,
    ),
    operation(
        "complete parts by request", "POST /r/{token}/uploads/{upload_id}/complete",
        act_on_upload("complete multipart upload by request", "POST", "/complete"),
        who="sender", done=200, calls=8, after="complete multipart upload by request",
    ),
    operation(
        "abort by request", "DELETE /r/{token}/uploads/{upload_id}",
        act_on_upload("complete upload by request", "DELETE"), who="sender", calls=4,
    ),
    operation(
        "abort parts by request", "DELETE /r/{token}/uploads/{upload_id}",
        act_on_upload("complete multipart upload by request", "DELETE"),
        who="sender", after="complete multipart upload by request",
    ),
    operation(
        "abort by the small request", "DELETE /r/{token}/uploads/{upload_id}",
        act_on_upload("upload by a small request", "DELETE"),
        who="small request", calls=4, after="upload by a small request",
    ),
)  # fmt: skip
# Routes that no operation cuts: Uppy's names for uploads that are cut above, and an operation in
# steps, which `test_closings.py` cuts. HEAD makes fewer calls than GET.
UNCUT = {route for route in ROUTES if route.path.startswith("/s3/") or route.method == "HEAD"}
IN_STEPS = {ROUTES_BY_NAME["DELETE /users/{username}"]}
LEFT = (
    {route for route in ROUTES if route.calls} - UNCUT - IN_STEPS - {each.route for each in TABLE}
)
# The other routes have the operation that the register describes.
OPERATIONS: tuple[Operation, ...] = (
    *TABLE,
    *(operation(str(route), str(route)) for route in ROUTES if route in LEFT),
)
BY_NAME = {each.name: each for each in OPERATIONS}
