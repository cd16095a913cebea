"""File requests as their owners create, change, list and delete them."""

from typing import Any

import pytest

from function.auth.passwords import Passwords
from tests.conftest import Behind, Clock, reason_at
from tests.crashes.meetings import act_before_commit
from tests.crashes.world import other_process
from tests.support.client import Client, join
from tests.support.fake_aws import Call, FakeAws
from tests.support.senders import Sender, ask, change, counts
from tests.support.side_by_side import collide
from tests.support.transfers import complete, put, start, upload

DAY = 24 * 3600
WEEK = 7 * DAY
NONE = {"max_files": None, "max_file_size": None, "max_total_size": None}


def test_a_new_file_request_has_its_settings(alice: Client) -> None:
    """Every setting is shown but the password."""
    said = {
        "title": "Slides for Friday",
        "folder": "talks/friday/",
        "max_files": 20,
        "max_file_size": 10**9,
        "max_total_size": 10**10,
        "allowed_types": [".pptx", "image/*"],
        "require_name": True,
    }
    made = alice.post("/requests", **said, password="knock twice", expires_in=DAY).json()
    assert {name: made[name] for name in said} == said
    assert made["has_password"] is True
    assert (made["open"], made["files"], made["bytes"]) == (True, 0, 0)
    assert "password" not in made
    assert made["expires_at"] == "2026-09-22T14:13:20.000Z"
    url = made.pop("url")
    assert alice.get(f"/requests/{made['id']}").json() == made
    assert alice.get("/requests").json() == [made]
    assert url.startswith("http")


def test_a_new_file_request_has_defaults(alice: Client) -> None:
    """It expires after a week and has no other limit; null never expires."""
    made = alice.post("/requests", title="x", folder="in/").json()
    assert made["expires_at"] == "2026-09-28T14:13:20.000Z"
    assert {name: made[name] for name in NONE} == NONE
    assert (made["allowed_types"], made["require_name"]) == ([], False)
    assert alice.post("/requests", title="x", folder="in/", expires_in=None).json()[
        "expires_at"
    ] is None  # fmt: skip


WRONG: list[dict[str, Any]] = [
    {"title": ""},
    {"title": " "},
    {"title": "two\nlines"},
    {"title": "\u3164\u200b"},
    {"title": "\u202egnp.exe"},
    {"title": "x" * 201},
    {"title": None},
    {"folder": "in"},
    {"folder": "/"},
    {"folder": ""},
    {"folder": "../in/"},
    {"folder": "x" * 256 + "/"},
    {"folder": ("x" * 199 + "/") * 4 + "x/"},
    {"expires_in": 0},
    {"expires_in": "7"},
    {"max_files": 0},
    {"max_files": 1.5},
    {"max_file_size": -1},
    {"max_total_size": True},
    {"allowed_types": "pptx"},
    {"allowed_types": ["pptx"]},
    {"allowed_types": ["*/*"]},
    {"allowed_types": ["image/"]},
    {"allowed_types": [".a/b"]},
    {"allowed_types": [".a"] * 51},
    {"password": ""},
    {"require_name": "yes"},
    {"owner": "bob"},
    {"files": 7},
    {"open": False},
]


def test_invalid_fields_are_refused(alice: Client) -> None:
    """Unknown fields too; no file request is created."""
    for wrong in WRONG:
        answer = alice.post("/requests", **{"title": "x", "folder": "in/", **wrong})
        assert answer.status == 422, wrong
    assert alice.post("/requests", title="x", folder="in").slug == "invalid-name"
    assert alice.get("/requests").json() == []


def test_an_extension_is_lower_case(alice: Client) -> None:
    """`.PPTX` is `.pptx`."""
    request_id, _ = ask(alice, allowed_types=[".PPTX", "Image/*"])
    assert alice.get(f"/requests/{request_id}").json()["allowed_types"] == [".pptx", "image/*"]


def test_the_token_is_shown_once_and_stored_as_a_hash(alice: Client, behind: Behind) -> None:
    """Neither the tables nor later answers have it."""
    request_id, sender = ask(alice, password="knock twice")
    token = sender.below.rpartition("/")[2]
    assert len(token) == 43
    held = repr([behind.rows(noun) for noun in ("shares", "files", "sessions")])
    assert request_id in held
    for secret in (token, "knock twice"):
        assert secret not in held
        assert secret not in alice.get("/requests").text + alice.get(f"/requests/{request_id}").text


def test_a_file_request_of_another_account_is_not_found(alice: Client, bob: Client) -> None:
    """404 as for an id that does not exist, and the file request still works."""
    request_id, sender = ask(alice)
    for other in (request_id, "0" * 64, "x", "A" * 64, "~request", ".."):
        answers = [
            bob.get(f"/requests/{other}"),
            change(bob, other, open=False),
            bob.delete(f"/requests/{other}"),
        ]
        assert {answer.slug for answer in answers} == {"no-such-request"}, other
    assert bob.get("/requests").json() == []
    assert sender.get("").status == 200


@pytest.mark.parametrize("password", ["x", "short", "password", "12345678", "a" * 8])
def test_a_weak_password_is_refused(alice: Client, password: str) -> None:
    """At least 8 characters, and no common choice; nothing changes."""
    request_id, sender = ask(alice, password="knock twice")
    for answer in (
        alice.post("/requests", title="t", folder="in/", password=password),
        change(alice, request_id, password=password),
    ):
        assert (answer.status, answer.slug) == (422, "weak-password")
    assert len(alice.get("/requests").json()) == 1
    assert sender.post("/unlock", password="knock twice").status == 200


def test_an_update_changes_the_fields_provided(alice: Client, clock: Clock) -> None:
    """Null clears a field; a field that is left out stays, and so do the address and the counts."""
    request_id, sender = ask(
        alice, max_files=5, max_file_size=6, password="knock twice", title="One"
    )
    upload(
        sender, "a", b"abc", grant=sender.post("/unlock", password="knock twice").json()["grant"]
    )
    before = alice.get(f"/requests/{request_id}").json()
    clock.time += 60
    changes: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({}, {}),
        ({"title": "Two"}, {"title": "Two"}),
        ({"folder": "out/"}, {"folder": "out/"}),
        ({"max_files": None}, {"max_files": None}),
        ({"max_total_size": 7}, {"max_total_size": 7}),
        ({"allowed_types": [".a"]}, {"allowed_types": [".a"]}),
        ({"allowed_types": None}, {"allowed_types": []}),
        ({"require_name": True}, {"require_name": True}),
        ({"open": False}, {"open": False}),
        ({"password": None}, {"has_password": False}),
        ({"expires_in": None}, {"expires_at": None}),
        ({"expires_in": 60}, {"expires_at": "2026-09-21T14:15:20.000Z"}),
        ({"password": "knock twice", "open": True}, {"has_password": True, "open": True}),
    ]
    for said, otherwise in changes:
        answer = change(alice, request_id, **said)
        before |= otherwise
        assert (answer.status, answer.json()) == (200, before), said
        assert alice.get(f"/requests/{request_id}").json() == before
        assert alice.get("/requests").json() == [before]
    assert sender.get("").slug == "password-required"


def test_an_invalid_update_changes_nothing(alice: Client) -> None:
    """Required fields cannot be cleared, and counts cannot be set."""
    request_id, _ = ask(alice)
    before = alice.get(f"/requests/{request_id}").json()
    wrong = [each for each in WRONG if each != {"open": False}]
    cleared: list[dict[str, Any]] = [{"folder": None}, {"open": None}, {"require_name": None}]
    for each in [*wrong, *cleared, {"bytes": 0}, {"id": "x"}]:
        assert change(alice, request_id, **each).status == 422, each
    assert alice.get(f"/requests/{request_id}").json() == before


def test_a_new_password_revokes_the_grants_of_the_old(alice: Client) -> None:
    """Also when it is the same password again."""
    request_id, sender = ask(alice, password="knock twice")
    grant = sender.post("/unlock", password="knock twice").json()["grant"]
    assert sender.open(grant).status == 200
    change(alice, request_id, title="Two")
    assert sender.open(grant).status == 200
    change(alice, request_id, password="knock twice")
    assert sender.open(grant).slug == "password-required"


def test_a_deleted_file_request_is_gone(alice: Client, behind: Behind) -> None:
    """Uploaded files stay; its rows are deleted, and a second delete is 404."""
    request_id, sender = ask(alice)
    upload(sender, "a", b"abc")
    assert alice.delete(f"/requests/{request_id}").status == 204
    assert alice.delete(f"/requests/{request_id}").slug == "no-such-request"
    assert change(alice, request_id, open=True).slug == "no-such-request"
    assert alice.get("/requests").json() == []
    assert sender.get("").slug == "no-such-request"
    assert behind.rows("shares") == []
    assert alice.names() == ["alice/in/a"]


def test_file_requests_are_listed_oldest_first(alice: Client, bob: Client, clock: Clock) -> None:
    """In pages, with cursors that are valid for one account and one list."""
    made = []
    for _ in range(5):
        clock.time += 1
        made.append(ask(alice)[0])
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        answer = alice.get("/requests", **query)
        seen += [each["id"] for each in answer.json()]
        cursor = answer.headers.get("x-next-cursor")
        assert len(answer.json()) == (2 if cursor else 1)
        if not cursor:
            break
        assert bob.get("/requests", cursor=cursor).slug == "invalid-cursor"
        assert alice.get("/uploads", cursor=cursor).slug == "invalid-cursor"
        query = {"limit": 2, "cursor": cursor}
    assert seen == made
    assert "link" not in alice.get("/requests", limit=5).headers


def test_a_new_account_of_the_same_name_has_no_file_requests(alice: Client, behind: Behind) -> None:
    """Those of the deleted account take no files."""
    request_id, sender = ask(alice)
    behind.delete("users", username="alice")
    assert sender.get("").slug == "no-such-request"
    other = join("alice")
    assert other.get("/requests").json() == []
    assert other.get(f"/requests/{request_id}").slug == "no-such-request"
    assert change(other, request_id, open=True).slug == "no-such-request"
    assert sender.get("").slug == "no-such-request"
    answer = sender.post("/uploads", file_name="a", size=1)
    assert answer.slug == "no-such-request"


def test_an_expired_file_request_is_kept_for_ninety_days(alice: Client, clock: Clock) -> None:
    """Until then its owner can extend it; DynamoDB may delete the row later."""
    request_id, sender = ask(alice)
    clock.time += WEEK + 89 * DAY
    alice = again(alice)
    assert sender.get("").slug == "request-closed"
    assert [each["id"] for each in alice.get("/requests").json()] == [request_id]
    assert change(alice, request_id, expires_in=DAY).status == 200
    assert sender.get("").status == 200
    clock.time += DAY + 90 * DAY
    alice = again(alice)
    assert sender.get("").slug == "no-such-request"
    assert alice.get("/requests").json() == []
    assert alice.get(f"/requests/{request_id}").slug == "no-such-request"


def again(client: Client) -> Client:
    """The same account, signed in again."""
    who = {"username": "alice", "password": "correct horse battery staple"}
    return Client(client.post("/login", **who).json()["token"])


def test_the_rows_have_the_time_at_which_dynamodb_deletes_them(
    alice: Client, behind: Behind
) -> None:
    """Also after a change; a file request that never expires has none."""
    request_id, _ = ask(alice)
    ends = 1_790_000_000 + WEEK + 90 * DAY
    assert {row.get("expires_at") for row in behind.rows("shares")} == {ends}
    change(alice, request_id, expires_in=DAY)
    assert {row.get("expires_at") for row in behind.rows("shares")} == {ends - WEEK + DAY}
    change(alice, request_id, expires_in=None)
    assert {row.get("expires_at") for row in behind.rows("shares")} == {None}


def test_a_limit_below_the_counts_takes_no_more_files(alice: Client) -> None:
    """Uploaded files stay."""
    request_id, sender = ask(alice)
    for name in ("a", "b"):
        upload(sender, name, b"abc")
    assert change(alice, request_id, max_files=1, max_total_size=2).status == 200
    told = sender.get("").json()
    assert (told["files_left"], told["bytes_left"]) == (0, 0)
    assert sender.post("/uploads", file_name="c", size=1).slug == "request-full"
    assert counts(alice, request_id) == (2, 6)


def test_an_upload_that_begins_during_an_update_keeps_its_slot(
    alice: Client, fake_aws: FakeAws
) -> None:
    """It comes between the read and the commit."""
    request_id, sender = ask(alice, max_files=5)
    met = act_before_commit(fake_aws, lambda: start(sender, "a", 3))
    assert change(alice, request_id, title="Two").status == 200
    assert counts(alice, request_id) == (1, 3)
    put(met[0], b"abc")
    assert complete(sender, met[0]).status == 200


def test_uploads_cannot_keep_an_owner_from_closing(alice: Client, fake_aws: FakeAws) -> None:
    """An upload begins before every commit of the update."""
    request_id, sender = ask(alice)

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            fake_aws.before = lambda _: None
            with other_process():
                start(sender, "a", 3)
            fake_aws.before = before

    fake_aws.before = before
    assert change(alice, request_id, open=False).status == 200
    fake_aws.before = lambda _: None
    assert sender.post("/uploads", file_name="z", size=3).slug == "request-closed"
    assert counts(alice, request_id) == (5, 15)  # one at each try that expected the counts


def test_concurrent_updates_are_both_applied(alice: Client, fake_aws: FakeAws) -> None:
    """The second is planned on the row that the first wrote."""
    request_id, _ = ask(alice)
    met = act_before_commit(fake_aws, lambda: change(alice, request_id, max_files=3))
    told = change(alice, request_id, title="Two").json()
    assert met[0].status == 200
    assert (told["title"], told["max_files"]) == ("Two", 3)


@pytest.mark.parametrize("what", ["POST", "PATCH", "DELETE"])
def test_permanent_conflicts_change_nothing(alice: Client, fake_aws: FakeAws, what: str) -> None:
    """503 after the last attempt."""
    request_id, _ = ask(alice)
    before = alice.get("/requests").json()
    fake_aws.before = lambda call: collide(call) if "Transact" in call.operation else None
    send: dict[str, Any] = {
        "POST": lambda: alice.post("/requests", title="x", folder="in/"),
        "PATCH": lambda: change(alice, request_id, open=False),
        "DELETE": lambda: alice.delete(f"/requests/{request_id}"),
    }
    assert send[what]().slug == "unavailable"
    fake_aws.before = lambda _: None
    assert alice.get("/requests").json() == before


def test_the_file_requests_of_a_disabled_account_are_not_found(
    alice: Client, behind: Behind
) -> None:
    """They work again when it is enabled."""
    _, sender = ask(alice, password="knock twice")
    behind.change("users", {"username": "alice"}, disabled=True)
    tries = [
        sender.get(""),
        sender.post("/unlock", password="knock twice"),
        sender.post("/uploads", file_name="a", size=1),
    ]
    assert {each.slug for each in tries} == {"no-such-request"}
    behind.change("users", {"username": "alice"}, disabled=False)
    assert sender.get("").slug == "password-required"


def test_a_missing_field_is_named(alice: Client) -> None:
    """The errors have its place."""
    answer = alice.post("/requests", title="x")
    assert reason_at(answer, "body.folder")
    assert isinstance(Sender("http://x/r/y").below, str)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_the_password_of_an_anonymous_request_is_not_hashed(
    alice: Client, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """Hashing is slow and needs a valid session."""
    monkeypatch.setattr(Passwords, "hash", lambda *_: pytest.fail("hashed"))
    path = "/requests" if method == "POST" else f"/requests/{64 * 'a'}"
    body = {"password": "knock twice"} | ({"title": "t"} if method == "POST" else {})
    stranger = Client("alice." + 43 * "A")
    assert stranger.send(method, path, json_=body).slug == "not-signed-in"
