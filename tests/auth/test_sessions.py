"""Sessions: where they were started, how long they last, and what ends them."""

import json
import re
import unicodedata

import pytest
from argon2 import PasswordHasher
from botocore.awsrequest import AWSResponse

from function.tables import sessions
from tests.conftest import Behind, Clock
from tests.support.client import PASSWORD, Client, join
from tests.support.fake_aws import Call, FakeAws, failure, response, sent_body

OTHER = "another horse battery"


def login_again(name: str = "alice", address: str = "192.0.2.1", agent: str = "") -> Client:
    """A client with another session of an account."""
    fields = {"username": name, "password": PASSWORD}
    answer = Client(address=address).send(
        "POST", "/login", json_=fields, headers={"user-agent": agent} if agent else {}
    )
    return Client(answer.json()["token"], address)


def test_sessions_show_where_they_were_started(alice: Client, clock: Clock) -> None:
    """The newest first, with address and agent; one is the caller's."""
    clock.time += 1
    login_again(address="203.0.113.7", agent="Firefox/1")
    new, old = alice.get("/sessions").json()
    assert (new["address"], new["agent"], new["current"]) == ("203.0.113.7", "Firefox/1", False)
    assert (old["address"], old["current"]) == ("192.0.2.1", True)
    assert new["created"] > old["created"]
    assert all(re.fullmatch("[0-9a-f]{64}", each["id"]) for each in (new, old))
    assert set(new) == {"id", "created", "address", "agent", "seen", "expires_at", "current"}


def test_only_valid_own_sessions_are_listed(
    alice: Client, bob: Client, clock: Clock, behind: Behind
) -> None:
    """Although the table still contains the ended ones."""
    ended = login_again()
    ended.post("/logout")
    assert len(alice.get("/sessions").json()) == 1
    assert len(behind.rows("sessions")) == 3
    clock.time += 3600
    new = login_again()
    clock.time += 12 * 3600 - 3000
    assert [each["current"] for each in new.get("/sessions").json()] == [True]


def test_sessions_come_in_pages(alice: Client, bob: Client, clock: Clock) -> None:
    """Each once, the newest first; a cursor works for its account alone."""
    for _ in range(6):
        clock.time += 1
        login_again()
    whole = [each["id"] for each in alice.get("/sessions").json()]
    assert len(whole) == 7
    found, query = [], {"limit": "3"}
    while True:
        answer = alice.send("GET", "/sessions", query=query)
        found.append([each["id"] for each in answer.json()])
        if "x-next-cursor" not in answer.headers:
            break
        query["cursor"] = answer.headers["x-next-cursor"]
    assert [len(page) for page in found] == [3, 3, 1]
    assert [each for page in found for each in page] == whole
    assert bob.send("GET", "/sessions", query=query).slug == "invalid-cursor"


def test_a_page_skips_a_bounded_number_of_ended_sessions(
    alice: Client, clock: Clock, fake_aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cursor goes on after them, and no session is listed twice."""
    monkeypatch.setattr(sessions, "PAGE_SIZE", 2)
    for name in ("x", "y", "x"):
        clock.time += 1
        for _ in range(3 if name == "x" else 1):
            login_again(agent=name)
    clock.time += 1
    for _ in range(11):
        login_again().post("/logout")
    pages, query = [], {"limit": "2"}
    while True:
        with fake_aws.counted() as calls:
            answer = alice.send("GET", "/sessions", query=query)
        assert calls.count("Query") <= sessions.MAX_PAGES
        pages.append([each["id"] for each in answer.json()])
        if "x-next-cursor" not in answer.headers:
            break
        query["cursor"] = answer.headers["x-next-cursor"]
    found = [each for page in pages for each in page]
    assert pages[0] == []
    assert len(found) == len(set(found)) == 8
    assert all(len(page) <= 2 for page in pages)


def test_a_session_newer_than_the_index_is_listed(
    alice: Client, clock: Clock, fake_aws: FakeAws
) -> None:
    """The others follow it, each once."""
    old = alice.get("/sessions").json()
    clock.time += 1
    new = login_again()

    def lags(call: Call, answer: AWSResponse) -> AWSResponse:
        if call.operation != "Query" or "ExclusiveStartKey" in sent_body(call).decode():
            return answer
        body = json.loads(answer.content)
        rows = [row for row in body["Items"] if row["token_hash"]["S"] == old[0]["id"]]
        return response(200, answer.headers, json.dumps(body | {"Items": rows}).encode())

    fake_aws.after = lags
    first = new.get("/sessions", limit=1)
    assert [each["current"] for each in first.json()] == [True]
    rest = new.get("/sessions", limit=1, cursor=first.headers["x-next-cursor"])
    assert [each["id"] for each in rest.json()] == [old[0]["id"]]
    assert "x-next-cursor" not in rest.headers
    assert len(new.get("/sessions").json()) == 2


def test_a_session_is_ended_from_another(alice: Client, bob: Client) -> None:
    """At once, and only by its owner."""
    other = login_again()
    (session,) = (each["id"] for each in alice.get("/sessions").json() if not each["current"])
    assert bob.delete(f"/sessions/{session}").slug == "no-such-session"
    assert other.get("/me").status == 200
    assert alice.delete(f"/sessions/{session}").status == 204
    assert other.get("/me").slug == "not-signed-in"
    assert alice.delete(f"/sessions/{session}").slug == "no-such-session"
    (own,) = (each["id"] for each in alice.get("/sessions").json())
    assert alice.delete(f"/sessions/{own}").status == 204
    assert alice.get("/me").slug == "not-signed-in"


@pytest.mark.parametrize("session", ["x", "0" * 64, "A" * 64, "login:192.0.2.1:1", "0" * 3000])
def test_malformed_ids_are_no_session(alice: Client, session: str) -> None:
    """They are not read, and name no row of another kind."""
    answer = alice.delete(f"/sessions/{session}")
    assert answer.slug in {"no-such-session", "no-such-route"}


def test_logout_everywhere_ends_all_sessions(alice: Client, bob: Client) -> None:
    """The caller's own as well, and none of another account."""
    other = login_again()
    answer = alice.send("POST", "/logout", query={"everywhere": "true"})
    assert answer.status == 204
    assert alice.get("/me").slug == other.get("/me").slug == "not-signed-in"
    assert alice.send("POST", "/logout", query={"everywhere": "true"}).slug == "not-signed-in"
    assert bob.get("/me").status == 200
    assert login_again().get("/me").status == 200


def test_use_is_recorded_every_ten_minutes(alice: Client, clock: Clock, fake_aws: FakeAws) -> None:
    """One write then, and none in between."""
    first = alice.get("/sessions").json()[0]["seen"]
    clock.time += 599
    with fake_aws.counted() as calls:
        alice.get("/me")
    assert calls == ["BatchGetItem"]
    assert alice.get("/sessions").json()[0]["seen"] == first
    clock.time += 2
    with fake_aws.counted() as calls:
        alice.get("/me")
    assert calls == ["BatchGetItem", "UpdateItem"]
    assert alice.get("/sessions").json()[0]["seen"] > first
    with fake_aws.counted() as calls:
        alice.get("/me")
    assert calls == ["BatchGetItem"]


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "InternalServerError"])
def test_recording_use_never_fails_a_request(
    alice: Client, clock: Clock, fake_aws: FakeAws, code: str
) -> None:
    """Although the table refuses it or does not answer."""
    clock.time += 601
    status = 400 if code.startswith("Prov") else 500
    fake_aws.before = lambda call: (
        failure(call, status, code) if call.operation == "UpdateItem" else None
    )
    assert alice.get("/me").status == 200


def test_recording_use_does_not_restore_a_session(
    alice: Client, clock: Clock, fake_aws: FakeAws, behind: Behind
) -> None:
    """A row that the TTL deletes meanwhile is not written again."""
    clock.time += 601
    (row,) = behind.rows("sessions")
    fake_aws.before = lambda call: (
        behind.delete("sessions", token_hash=str(row["token_hash"]))
        if call.operation == "UpdateItem"
        else None
    )
    assert alice.get("/me").status == 200
    fake_aws.before = lambda _: None
    assert behind.rows("sessions") == []


def test_a_new_password_ends_the_other_sessions(alice: Client, bob: Client) -> None:
    """At once, but for the caller's; the old password no longer works."""
    other = login_again()
    answer = alice.post("/password", current_password=PASSWORD, new_password=OTHER)
    assert answer.status == 204
    assert other.get("/me").slug == "not-signed-in"
    assert alice.get("/me").status == 200
    assert [each["current"] for each in alice.get("/sessions").json()] == [True]
    anyone = Client()
    assert anyone.post("/login", username="alice", password=PASSWORD).slug == "wrong-credentials"
    assert anyone.post("/login", username="alice", password=OTHER).status == 200
    assert bob.get("/me").status == 200


@pytest.mark.parametrize(
    "password", ["short", "Satchel2024!", "alicealice", "x" * 1025, "password12345678"]
)
def test_a_new_password_must_be_strong(alice: Client, behind: Behind, password: str) -> None:
    """By the rules of registration; a refused one changes nothing."""
    before = behind.state()
    answer = alice.post("/password", current_password=PASSWORD, new_password=password)
    assert answer.status == 422
    assert answer.slug in {"weak-password", "invalid-request"}
    assert behind.state() == before


def test_wrong_passwords_of_sessions_are_counted_by_account(alice: Client) -> None:
    """From whatever address: a stolen session is no way round. No login is refused by them."""
    addresses = [f"203.0.113.{number}" for number in range(12)]
    change = {"new_password": OTHER, "email": "a@example.org"}
    tries = []
    for number in range(12):
        path, method, more = (
            ("/password", "POST", "new_password") if number % 2 else ("/me", "PATCH", "email")
        )
        fields = {"current_password": f"guess {number}", more: change[more]}
        thief = Client(alice.token, addresses[number])
        tries.append(thief.send(method, path, json_=fields))
    assert [each.status for each in tries] == [401] * 10 + [429] * 2
    assert {each.slug for each in tries[:10]} == {"wrong-credentials"}
    change = {"current_password": PASSWORD, "new_password": OTHER}
    assert alice.post("/password", **change).status == 429
    fields = {"username": "alice", "password": PASSWORD}
    for address in (alice.address, *addresses):
        assert Client(address=address).post("/login", **fields).status == 200
    assert alice.get("/me").status == 200


def test_the_mail_address_changes_with_the_password(alice: Client) -> None:
    """Without it a stolen session would be worth the account."""
    for email in ("alice@example.org", None):
        answer = alice.send("PATCH", "/me", json_={"email": email, "current_password": PASSWORD})
        assert (answer.status, answer.json()["email"]) == (200, email)
        assert alice.get("/me").json()["email"] == email
    for wrong in ({"email": "x"}, {"current_password": PASSWORD}, {"email": "a@example.org"}):
        assert alice.send("PATCH", "/me", json_=wrong).status == 422
    wrong = {"email": "m@example.org", "current_password": "wrong"}
    assert alice.send("PATCH", "/me", json_=wrong).slug == "wrong-credentials"
    assert alice.get("/me").json()["email"] is None


def test_the_profile_shows_usage_and_quotas(alice: Client, behind: Behind) -> None:
    """Bytes and files, with those that are reserved."""
    behind.change("users", {"username": "alice"}, quota=9, files_quota=3)
    alice.put("a", b"four")
    assert alice.post("/uploads", file_name="b", size=5).status == 201
    me = alice.get("/me").json()
    assert (me["bytes_used"], me["bytes_reserved"], me["quota"]) == (9, 5, 9)
    assert (me["files_used"], me["files_reserved"], me["files_quota"]) == (2, 1, 3)


def test_every_change_of_an_account_is_audited_once(alice: Client, behind: Behind) -> None:
    """With actor and address, and without secrets."""
    login_again()
    alice.send("PATCH", "/me", json_={"email": None, "current_password": PASSWORD})
    alice.post("/password", current_password=PASSWORD, new_password=OTHER)
    alice.post("/password", current_password=OTHER, new_password=PASSWORD)
    other = login_again()
    other.post("/logout")
    alice.send("POST", "/logout", query={"everywhere": "true"})
    rows = [row for row in behind.rows("files") if "action" in row]
    rows.sort(key=lambda row: str(row["action"]))
    assert [row["action"] for row in rows] == [
        "account.create", "account.update", "password.update", "password.update",
        "session.login", "session.login", "session.login", "session.logout", "session.logout_all",
    ]  # fmt: skip
    assert {(row["actor"], row["owner"], row["address"]) for row in rows} == {
        ("alice", "alice", "192.0.2.1")
    }
    assert not any(secret in repr(rows) for secret in (PASSWORD, OTHER, str(alice.token)))


def test_a_session_of_a_namesake_is_not_listed(alice: Client, behind: Behind) -> None:
    """The present owner of the name lists and ends only their own."""
    (session,) = (each["id"] for each in alice.get("/sessions").json())
    behind.delete("users", username="alice")
    namesake = join("alice")
    assert [each["current"] for each in namesake.get("/sessions").json()] == [True]
    assert namesake.delete(f"/sessions/{session}").slug == "no-such-session"


def test_a_password_hashed_as_it_was_typed_still_opens(alice: Client, behind: Behind) -> None:
    """By an earlier release; the login that uses it hashes it in NFKC, as any keyboard types it."""
    typed = unicodedata.normalize("NFD", "pässwörter im herbst")
    old = PasswordHasher(1, 8, parallelism=1).hash(typed)
    behind.change("users", {"username": "alice"}, password=old)
    names = {"username": "alice"}
    composed = unicodedata.normalize("NFC", typed)
    assert Client().post("/login", password=composed, **names).slug == "wrong-credentials"
    assert Client().post("/login", password=typed, **names).status == 200
    assert behind.row("users", username="alice")["password"] != old
    for password in (typed, composed):
        assert Client().post("/login", password=password, **names).status == 200
