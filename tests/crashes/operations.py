"""The operations of the API, one row each: whoever adds a route adds its rows here.

A row says who sends what in the world of `world.py`, what the first and the repeated request
answer when all goes well, and what else they may answer when somebody else came between. The crash
enumerator and the interleaver take everything else from what the operation does.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from function.tables.accounts import invite_id
from tests.crashes import people
from tests.crashes.links import LOCKED, gives_the_bytes_or_is_used_up, on_link, visit
from tests.crashes.people import OTHER
from tests.crashes.uploads import begin, begun, gives_the_bytes, of, on
from tests.support.client import PASSWORD, Answer, Client

# The token of the one invitation that stands at the beginning.
INVITED: list[str] = []
# What the plan is at the beginning, for whoever changes that and nothing newer.
KNOWN: list[str] = []
REPORT, PLAN, FRESH, FOLDER = "work/report.txt", "plan.txt", "fresh.txt", "work/"
OLD = "old.txt"

Check = Callable[[Answer], None]


@dataclass(frozen=True)
class Operation:
    """One request.

    `done` is what it answers, `again` what it answers when it has been done already; `others` what
    it may answer when another operation came between. `alike` are answers that two may get who
    wanted the same at the same moment, whoever was first. `calls` is the least number of AWS
    calls, so that a case that never happens is noticed. `after` names an operation that was done
    before, `check` looks into an answer of success. `quiet` calls come after the commit and only
    tidy up: their failure is not told.
    """

    name: str
    route: str
    who: str
    send: Callable[[Client], Answer]
    done: int
    again: int
    calls: int
    others: frozenset[int] = frozenset()
    alike: frozenset[int] = frozenset()
    writes: bool = True
    after: str = ""
    quiet: int = 0
    check: Check = lambda _: None

    @property
    def allowed(self) -> frozenset[int]:
        return self.others | {self.done, self.again}


def _signs_in(answer: Answer) -> None:
    """Registered or not for the first time: the account is the caller's."""
    assert Client().post("/login", username="carol", password=PASSWORD).status == 200


def _token_works(answer: Answer) -> None:
    """It is a session; one that somebody ended meanwhile can still be put away."""
    client = Client(answer.json()["token"])
    assert client.get("/me").status == 200 or client.post("/logout").status == 204


def _token_works_or_none(answer: Answer) -> None:
    if answer.status == 200:
        _token_works(answer)


def _owner_signs_in(answer: Answer) -> None:
    """A wrong password shuts nobody out."""
    tried = [Client().post("/login", username="alice", password=p) for p in (PASSWORD, OTHER)]
    assert any(each.status == 200 or each.slug == "otp-required" for each in tried)


def _put(name: str, data: bytes, **fields: Any) -> Callable[[Client], Answer]:
    """Each puts bytes of its own length, so that nobody's can be taken for another's."""
    return lambda client: client.put(name, data, **fields)


def _share(name: str, permission: str = "read") -> Callable[[Client], Answer]:
    fields = {"file_name": name, "username": "bob", "permission": permission}
    return lambda client: client.post("/share", **fields)


def _raw_put(client: Client) -> Answer:
    return client.send("PUT", "/file", query={"file_name": FRESH}, body=b"new")


def _get_text(client: Client) -> Answer:
    answer = client.get("/file", file_name=REPORT)
    assert answer.status != 200 or base64.b64decode(answer.text, validate=True)
    return answer


def _change(name: str, **fields: Any) -> Callable[[Client], Answer]:
    return lambda client: client.send("PATCH", "/file", json_={"file_name": name, **fields})


def _change_known(**fields: Any) -> Callable[[Client], Answer]:
    body = {"file_name": PLAN, **fields}
    return lambda client: client.send("PATCH", "/file", json_=body | {"if_match": KNOWN[0]})


def _group(method: str, path: str) -> Callable[[Client], Answer]:
    return lambda client: client.send(method, f"/groups/{path}")


def _team(client: Client) -> Answer:
    """A group with Bob in it, which may write in a folder."""
    for path in ("", "/members/bob"):
        assert client.send("PUT", f"/groups/team{path}").status == 201
    return client.post("/share", file_name="team/", group="team", permission="write")


def _replaced(client: Client) -> Answer:
    """A version of the report."""
    return client.put(REPORT, b"the report as it is now")


def _thrown_away(client: Client) -> Answer:
    """Something in the trash."""
    answer = client.put(OLD, b"thrown away")
    client.delete("/file", file_name=OLD)
    return answer


def _login(password: str) -> Callable[[Client], Answer]:
    return lambda client: client.post("/login", username="alice", password=password)


def _op(name: str, route: str, who: str, done: int, again: int, calls: int, **rest: Any) -> Any:
    """A row; the sets may be written as tuples."""
    for field in ("others", "alike"):
        rest[field] = frozenset(rest.get(field, ()))
    return Operation(name, route, who, rest.pop("send"), done, again, calls, **rest)


GONE, MADE, UNMADE = (401, 404), (200, 201), (204, 404)
OPERATIONS: tuple[Operation, ...] = (
    _op(
        "register", "POST /register", "nobody", 201, 409, 1, check=_signs_in,
        send=lambda client: client.post("/register", username="carol", password=PASSWORD),
    ),
    _op(
        "log in", "POST /login", "nobody", 200, 200, 2, send=_login(PASSWORD), others=(401,),
        check=_token_works,
    ),
    _op(
        "register by invitation", "POST /register", "nobody", 201, 404, 2, others=(409,),
        send=lambda client: client.post(
            "/register", username="dave", password=PASSWORD, invite=INVITED[0]
        ),
    ),
    _op(
        "register another by it", "POST /register", "nobody", 201, 404, 2,
        send=lambda client: client.post(
            "/register", username="erin", password=PASSWORD, invite=INVITED[0]
        ),
    ),
    _op(
        "invite", "POST /invites", "root", 201, 201, 2,
        send=lambda client: client.post("/invites", role="client"),
    ),
    _op(
        "list invitations", "GET /invites", "root", 200, 200, 2, writes=False,
        send=lambda client: client.get("/invites"),
    ),
    _op(
        "take an invitation back", "DELETE /invites/<invite_id>", "root", 204, 404, 2,
        alike=UNMADE,
        send=lambda client: client.delete(f"/invites/{invite_id(INVITED[0])}"),
    ),
    _op(
        "list accounts", "GET /users", "root", 200, 200, 2, writes=False,
        send=lambda client: client.get("/users"),
    ),
    _op(
        "demote", "PATCH /users/<username>", "root", 200, 200, 2,
        send=lambda client: client.send("PATCH", "/users/bob", json_={"role": "client"}),
    ),
    _op(
        "disable", "PATCH /users/<username>", "root", 200, 200, 2,
        send=lambda client: client.send("PATCH", "/users/bob", json_={"disabled": True}),
    ),
    _op(
        "take another's second factor off", "PATCH /users/<username>", "root", 200, 200, 2,
        send=lambda client: client.send("PATCH", "/users/dora", json_={"mfa": False}),
    ),
    _op(
        "make a token for another's password", "POST /users/<username>/reset", "root", 201, 201, 2,
        send=lambda client: client.post("/users/bob/reset"),
    ),
    _op(
        "choose another by it", "POST /password/reset", "nobody", 204, 403, 2,
        send=people.choose_another("handed"), after="helped",
    ),
    _op(
        "usage", "GET /usage", "alice", 200, 200, 1, others=(401,), writes=False,
        send=lambda client: client.get("/usage"),
    ),
    _op(
        "what was changed", "GET /audit", "root", 200, 200, 2, writes=False,
        send=lambda client: client.get("/audit", limit=1),
    ),
    _op(
        "log in wrongly", "POST /login", "nobody", 401, 401, 2,
        send=_login("not the password"), check=_owner_signs_in,
    ),
    _op(
        "log out", "POST /logout", "alice", 204, 401, 1,
        send=lambda client: client.post("/logout"),
    ),
    _op(
        "log out everywhere", "POST /logout", "alice", 204, 401, 2, others=(401,),
        send=lambda client: client.send("POST", "/logout", query={"everywhere": "true"}),
    ),
    _op(
        "change the password", "POST /password", "alice", 204, 401, 2, others=(401,),
        send=people.change_password,
    ),
    _op(
        "change the address", "PATCH /me", "alice", 200, 200, 2, others=(401,),
        send=lambda client: client.send(
            "PATCH", "/me", json_={"email": "a@example.org", "current_password": PASSWORD}
        ),
    ),
    _op(
        "list sessions", "GET /sessions", "alice", 200, 200, 3, others=(401,), writes=False,
        send=lambda client: client.get("/sessions"),
    ),
    _op(
        "end a session", "DELETE /sessions/<session_id>", "alice", 204, 404, 2, others=(401,),
        alike=UNMADE, send=people.end("elsewhere"),
    ),
    _op("make a key", "POST /keys", "alice", 201, 201, 2, send=people.make_key, others=(401,)),
    _op(
        "list keys", "GET /keys", "alice", 200, 200, 2, others=(401,), writes=False,
        send=lambda client: client.get("/keys"), after="with a key",
    ),
    _op(
        "revoke a key", "DELETE /keys/<key_id>", "alice", 204, 404, 2, others=(401,), alike=UNMADE,
        send=people.end("uploader", "keys"), after="with a key",
    ),
    _op(
        "log in with a code", "POST /login", "nobody", 200, 401, 2, check=_token_works_or_none,
        send=people.sign_in_with("code"),
    ),
    _op(
        "log in with a recovery code", "POST /login", "nobody", 200, 401, 2,
        check=_token_works_or_none, send=people.sign_in_with("recovery"),
    ),
    _op(
        "begin a second factor", "POST /mfa", "alice", 201, 201, 2, others=(401, 409),
        send=people.begin_mfa,
    ),
    _op(
        "confirm a second factor", "POST /mfa/confirm", "alice", 200, 404, 2,
        others=(401,), send=people.confirm_mfa, after="with a factor begun",
    ),
    _op(
        "take a second factor off", "DELETE /mfa", "dora", 204, 404, 2, others=(401,),
        send=people.take_off,
    ),
    _op("forget", "POST /password/forgot", "nobody", 202, 202, 3, send=people.forget),
    _op(
        "choose another password", "POST /password/reset", "nobody", 204, 403, 2,
        send=people.choose_another("token"), after="forgotten",
    ),
    _op("put new", "PUT /file", "alice", 201, 200, 3, send=_raw_put, others=(401,)),
    _op(
        "replace", "PUT /file", "alice", 200, 200, 3,
        send=_put(REPORT, b"replaced"), others=(201, 401),
    ),
    _op(
        "put beside", "PUT /file", "alice", 201, 201, 4, others=(401,),
        send=_put(REPORT, b"put beside it", on_conflict="rename"),
    ),
    _op(
        "put once", "PUT /file", "alice", 201, 409, 3, others=(401,),
        send=_put(FRESH, b"put there once", on_conflict="fail"),
    ),
    _op(
        "replace another's", "PUT /file", "bob", 200, 200, 3, others=(*GONE, 403),
        send=_put(REPORT, b"replaced by somebody else", username="alice"),
    ),
    _op("get", "GET /file", "alice", 200, 200, 2, send=_get_text, others=GONE, writes=False),
    _op(
        "get another's", "GET /file", "bob", 200, 200, 2, others=GONE, writes=False,
        send=lambda client: client.read(REPORT, username="alice"),
    ),
    _op(
        "list", "GET /files", "alice", 200, 200, 3, others=(401,), writes=False,
        send=lambda client: client.get("/files"),
    ),
    _op(
        "list another's", "GET /files", "bob", 200, 200, 4, writes=False,
        send=lambda client: client.get("/files"),
    ),
    _op(
        "list by time", "GET /files", "alice", 200, 200, 5, others=(401,), writes=False,
        send=lambda client: client.get("/files", sort="modified"),
    ),
    _op(
        "search", "GET /files", "alice", 200, 200, 3, others=(401,), writes=False,
        send=lambda client: client.get("/files", q="report", scope="own"),
    ),
    _op(
        "what has changed", "GET /changes", "alice", 200, 200, 3, others=(401,), writes=False,
        send=lambda client: client.get("/changes"),
    ),
    _op(
        "who am I", "GET /me", "alice", 200, 200, 1, others=(401,), writes=False,
        send=lambda client: client.get("/me"),
    ),
    _op("share", "POST /share", "alice", 201, 200, 2, send=_share(PLAN), others=GONE, alike=MADE),
    _op(
        "share again", "POST /share", "alice", 200, 200, 2, send=_share(REPORT),
        others=(201, *GONE), alike=MADE,
    ),
    _op(
        "share a folder", "POST /share", "alice", 201, 200, 2, send=_share(FOLDER),
        others=(401,), alike=MADE,
    ),
    _op(
        "unshare", "DELETE /share", "alice", 204, 404, 2, others=(401,), alike=UNMADE,
        send=lambda client: client.delete("/share", file_name=REPORT, username="bob"),
    ),
    _op(
        "unshare a folder", "DELETE /share", "alice", 204, 404, 2, others=(401,), alike=UNMADE,
        send=lambda client: client.delete("/share", file_name=FOLDER, username="bob"),
        after="share a folder",
    ),
    _op(
        "make a group", "PUT /groups/<group>", "alice", 201, 200, 2, others=(401, 409), alike=MADE,
        send=_group("PUT", "new"),
    ),
    _op(
        "make a group of that name", "PUT /groups/<group>", "bob", 201, 200, 2, others=(409,),
        alike=MADE, send=_group("PUT", "new"),
    ),
    _op(
        "list groups", "GET /groups", "bob", 200, 200, 2, writes=False,
        send=lambda client: client.get("/groups"), after="with a member",
    ),
    _op(
        "look at a group", "GET /groups/<group>", "bob", 200, 200, 2, others=(404,),
        writes=False, send=_group("GET", "team"), after="with a member",
    ),
    _op(
        "add a member", "PUT /groups/<group>/members/<username>", "alice", 201, 200, 2,
        others=GONE, alike=MADE, send=_group("PUT", "club/members/bob"), after="with a club",
    ),
    _op(
        "remove a member", "DELETE /groups/<group>/members/<username>", "alice", 204, 404, 2,
        others=(401,), alike=UNMADE, send=_group("DELETE", "team/members/bob"),
        after="with a member",
    ),
    _op(
        "leave a group", "DELETE /groups/<group>/members/<username>", "bob", 204, 404, 2,
        alike=UNMADE, send=_group("DELETE", "team/members/bob"), after="with a member",
    ),
    _op(
        "delete a group", "DELETE /groups/<group>", "alice", 204, 404, 3, others=(401,),
        alike=UNMADE, send=_group("DELETE", "team"), after="with a member", quiet=5,
    ),
    _op(
        "share with a group", "POST /share", "alice", 201, 200, 2, others=GONE, alike=MADE,
        send=lambda client: client.post("/share", file_name=PLAN, group="team"),
        after="with a member",
    ),
    _op(
        "put as a member", "PUT /file", "bob", 201, 200, 4, others=GONE,
        send=_put("team/new.txt", b"put by a member", username="alice"), after="with a member",
    ),
    _op(
        "leave a share", "DELETE /share", "bob", 204, 404, 2, alike=UNMADE,
        send=lambda client: client.delete("/share", file_name=REPORT, owner="alice"),
    ),
    _op(
        "rename", "PATCH /file", "alice", 200, 404, 3, others=(401, 409),
        send=_change(REPORT, new_name="work/renamed.txt"),
    ),
    _op(
        "rename to what is put", "PATCH /file", "alice", 200, 404, 2, others=(401, 409),
        send=_change(PLAN, new_name=FRESH),
    ),
    _op(
        "describe", "PATCH /file", "alice", 200, 200, 2, others=GONE,
        send=_change(REPORT, description="what it is"),
    ),
    _op(
        "describe what is known", "PATCH /file", "alice", 200, 412, 2, others=(401, 404),
        send=_change_known(description="known"),
    ),
    _op(
        "tag what is known", "PATCH /file", "alice", 200, 412, 2, others=(401, 404),
        send=_change_known(tags=["known"]),
    ),
    _op(
        "who can reach it", "GET /shares", "alice", 200, 200, 3, others=GONE, writes=False,
        send=lambda client: client.get("/shares", file_name=REPORT),
    ),
    _op(
        "shared with me", "GET /shares", "bob", 200, 200, 3, writes=False,
        send=lambda client: client.get("/shares", with_me="true"),
    ),
    _op(
        "delete", "DELETE /file", "alice", 204, 404, 2, others=(401,),
        send=lambda client: client.delete("/file", file_name=REPORT),
    ),
    _op(
        "delete for good", "DELETE /file", "alice", 204, 404, 10, others=(401,), alike=UNMADE,
        send=lambda client: client.delete("/file", file_name=REPORT, permanent="true"),
        after="replaced",
    ),
    _op(
        "list versions", "GET /versions", "alice", 200, 200, 2, others=GONE, writes=False,
        send=lambda client: client.get("/versions", file_name=REPORT), after="replaced",
    ),
    _op(
        "restore a version", "POST /restore", "alice", 200, 200, 3, others=GONE,
        send=lambda client: client.post("/restore", file_name=REPORT, version=1),
        after="replaced",
    ),
    _op(
        "list the trash", "GET /trash", "alice", 200, 200, 2, others=(401,), writes=False,
        send=lambda client: client.get("/trash"), after="thrown away",
    ),
    _op(
        "restore", "POST /restore", "alice", 200, 404, 3, others=(401, 409),
        send=lambda client: client.post("/restore", file_name=OLD), after="thrown away",
    ),
    _op(
        "empty the trash", "DELETE /trash", "alice", 204, 204, 8, others=(401,),
        send=lambda client: client.delete("/trash"), after="thrown away",
    ),
    _op(
        "move a folder", "PATCH /file", "alice", 200, 404, 7, others=(401, 409),
        send=_change(FOLDER, new_name="moved/"), after="share a folder",
    ),
    _op(
        "how far it is", "GET /jobs/<job_id>", "alice", 404, 404, 1, others=(401,), writes=False,
        send=lambda client: client.get(f"/jobs/{'0' * 32}"),
    ),
    _op(
        "copy", "POST /copy", "alice", 201, 409, 2, others=GONE,
        send=lambda client: client.post("/copy", file_name=REPORT, new_name=FRESH),
    ),
    _op(
        "copy another's", "POST /copy", "bob", 201, 409, 2, others=GONE,
        send=lambda client: client.post(
            "/copy", file_name=REPORT, new_name="mine.txt", username="alice"
        ),
    ),
    _op(
        "begin an upload", "POST /uploads", "alice", 201, 201, 2, others=(401,),
        send=begin(FRESH, 15),
    ),
    _op(
        "begin an upload in parts", "POST /uploads", "bob", 201, 201, 3, others=GONE,
        send=begin(REPORT, 45, username="alice"),
    ),
    _op(
        "list uploads", "GET /uploads", "alice", 200, 200, 2, others=(401,), writes=False,
        send=lambda client: client.get("/uploads"), after="half sent",
    ),
    _op(
        "look at an upload", "GET /uploads/<upload_id>", "alice", 200, 200, 2, others=(401,),
        writes=False, send=on("half sent", "GET", ""), after="half sent",
    ),
    _op(
        "sign parts", "POST /uploads/<upload_id>/parts", "alice", 200, 200, 1, others=(401,),
        writes=False, send=on("half sent", "POST", "/parts", part_numbers=[1, 5]),
        after="half sent",
    ),
    _op(
        "complete", "POST /uploads/<upload_id>/complete", "alice", 200, 200, 4, others=GONE,
        send=on("sent", "POST", "/complete"), after="sent",
    ),
    _op(
        "complete parts", "POST /uploads/<upload_id>/complete", "alice", 200, 200, 6, others=GONE,
        send=on("sent in parts", "POST", "/complete"), after="sent in parts",
    ),
    _op(
        "complete another's", "POST /uploads/<upload_id>/complete", "bob", 200, 200, 4,
        others=GONE, send=on("sent to another", "POST", "/complete"), after="sent to another",
    ),
    _op(
        "abort", "DELETE /uploads/<upload_id>", "alice", 204, 404, 3, others=(401,), alike=UNMADE,
        send=on("sent", "DELETE", ""), after="sent",
    ),
    _op(
        "abort parts", "DELETE /uploads/<upload_id>", "alice", 204, 404, 4, others=(401,),
        alike=UNMADE, send=on("sent in parts", "DELETE", ""), after="sent in parts",
    ),
    _op(
        "make a link", "POST /links", "alice", 201, 201, 2, others=GONE,
        send=lambda client: client.post("/links", items=[REPORT, FOLDER], max_downloads=3),
    ),
    _op(
        "make a named link", "POST /links", "alice", 201, 409, 2, others=GONE,
        send=lambda client: client.post("/links", items=[PLAN], alias="the-plan"),
    ),
    _op(
        "list links", "GET /links", "alice", 200, 200, 3, others=(401,), writes=False,
        send=lambda client: client.get("/links"),
    ),
    _op(
        "look at a link", "GET /links/<link_id>", "alice", 200, 200, 2, others=GONE, writes=False,
        send=on_link("GET"),
    ),
    _op(
        "change a link", "PATCH /links/<link_id>", "alice", 200, 200, 3, others=(*GONE, 409),
        send=on_link("PATCH", items=[PLAN, FOLDER], max_downloads=2, alias="the-plan"),
    ),
    _op(
        "revoke a link", "DELETE /links/<link_id>", "alice", 204, 404, 3, others=(401,),
        alike=UNMADE, send=on_link("DELETE"),
    ),
    _op(
        "what became of a link", "GET /links/<link_id>/events", "alice", 200, 200, 3, others=GONE,
        writes=False, send=on_link("GET", "/events"),
    ),
    _op(
        "open a link", "GET /s/<token>", "nobody", 200, 200, 3, others=(404, 410), writes=False,
        send=visit("GET"),
    ),
    _op(
        "unlock a link", "POST /s/<token>/unlock", "nobody", 200, 200, 5, others=(404, 410),
        writes=False, send=visit("POST", "/unlock", which=LOCKED, password=PASSWORD),
    ),
    _op(
        "download by a link", "POST /s/<token>/download", "nobody", 200, 410, 3,
        others=(404, 410), send=visit("POST", "/download", file_name=REPORT),
        check=gives_the_bytes_or_is_used_up,
    ),
    _op(
        "ask", "POST /requests", "alice", 201, 201, 2, others=(401,),
        send=lambda client: client.post("/requests", title="Slides", folder="in/"),
    ),
    _op(
        "list requests", "GET /requests", "alice", 200, 200, 3, others=(401,), writes=False,
        send=lambda client: client.get("/requests"),
    ),
    _op(
        "look at a request", "GET /requests/<request_id>", "alice", 200, 200, 1, others=GONE,
        writes=False, send=of("wide", "GET"),
    ),
    _op(
        "narrow a request", "PATCH /requests/<request_id>", "alice", 200, 200, 2, others=GONE,
        send=of("narrow", "PATCH", max_files=1, title="narrower"),
    ),
    _op(
        "close a request", "PATCH /requests/<request_id>", "alice", 200, 200, 2, others=GONE,
        send=of("wide", "PATCH", open=False),
    ),
    _op(
        "delete a request", "DELETE /requests/<request_id>", "alice", 204, 404, 2, others=(401,),
        alike=UNMADE, send=of("wide", "DELETE"),
    ),
    _op(
        "look at what is asked", "GET /r/<token>", "sender", 200, 200, 2, others=(404, 410),
        writes=False, send=lambda client: client.get(""),
    ),
    _op(
        "unlock", "POST /r/<token>/unlock", "knocking", 200, 200, 4, quiet=1,
        send=lambda client: client.post("/unlock", password="knock"),
    ),
    _op(
        "send", "POST /r/<token>/uploads", "narrowly", 201, 409, 2, send=begin(FRESH, 15),
        after="coming narrowly",
    ),
    _op(
        "send in parts", "POST /r/<token>/uploads", "sender", 201, 201, 3, others=(404, 410),
        send=begin("report.txt", 45, sender="Zoë"),
    ),
    _op(
        "look at what comes", "GET /r/<token>/uploads/<upload_id>", "sender", 200, 200, 3,
        others=(404,), writes=False, send=on("half come", "GET", ""), after="half come",
    ),
    _op(
        "sign what comes", "POST /r/<token>/uploads/<upload_id>/parts", "sender", 200, 200, 2,
        others=(404,), writes=False, send=on("half come", "POST", "/parts", part_numbers=[1, 5]),
        after="half come",
    ),
    _op(
        "hand over", "POST /r/<token>/uploads/<upload_id>/complete", "sender", 200, 200, 5,
        others=(404,), send=on("coming", "POST", "/complete"), after="coming",
    ),
    _op(
        "hand over parts", "POST /r/<token>/uploads/<upload_id>/complete", "sender", 200, 200, 8,
        others=(404,), send=on("coming in parts", "POST", "/complete"), after="coming in parts",
    ),
    _op(
        "give up", "DELETE /r/<token>/uploads/<upload_id>", "sender", 204, 404, 4, alike=UNMADE,
        send=on("coming", "DELETE", ""), after="coming",
    ),
    _op(
        "give up parts", "DELETE /r/<token>/uploads/<upload_id>", "sender", 204, 404, 5,
        alike=UNMADE, send=on("coming in parts", "DELETE", ""), after="coming in parts",
    ),
    _op(
        "give the place up", "DELETE /r/<token>/uploads/<upload_id>", "narrowly", 204, 404, 4,
        alike=UNMADE, send=on("coming narrowly", "DELETE", ""), after="coming narrowly",
    ),
    _op(
        "download", "GET /download", "alice", 200, 200, 1, others=GONE, writes=False,
        send=lambda client: client.get("/download", file_name=REPORT), check=gives_the_bytes,
    ),
)  # fmt: skip
# What is done before others, and is never cut itself.
PREPARED: tuple[Operation, ...] = tuple(
    _op(name, "", who, 201, 201, 0, send=send)
    for name, who, send in (
        ("half sent", "alice", begun("half sent", "half.bin", 45, [1, 3])),
        ("sent", "alice", begun("sent", FRESH, 15)),
        ("sent in parts", "alice", begun("sent in parts", REPORT, 45)),
        ("sent to another", "bob", begun("sent to another", REPORT, 15, username="alice")),
        ("half come", "sender", begun("half come", "half.bin", 45, [1, 3])),
        ("coming", "sender", begun("coming", "come.txt", 15, sender="Zoë")),
        ("coming in parts", "sender", begun("coming in parts", "report.txt", 45)),
        ("coming narrowly", "narrowly", begun("coming narrowly", "narrow.txt", 15)),
        ("forgotten", "nobody", people.forgotten),
        ("helped", "root", people.helped),
        ("with a factor begun", "alice", people.mfa_begun),
        ("with a key", "alice", people.key("uploader")),
        ("replaced", "alice", _replaced),
        ("thrown away", "alice", _thrown_away),
        ("with a club", "alice", _group("PUT", "club")),
        ("with a member", "alice", _team),
    )
)
BY_NAME = {operation.name: operation for operation in (*OPERATIONS, *PREPARED)}
# Uppy's words for what is cut above: one call each of the same services.
UNCUT = ("/s3/",)
# What is done in steps and is seen half done, cut in a test of its own.
IN_STEPS = {"DELETE /users/<username>"}
