"""Accounts: registration, login, logout, profiles, and the login throttle."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from function import contract
from function.auth import throttle
from function.core.limits import DAY
from function.core.runtime import system_runtime
from tests.conftest import Behind, Clock, reason_at
from tests.support.client import PASSWORD, Answer, Client, join
from tests.support.fake_aws import FakeAws

WINDOW = 900


def login(client: Client, username: str = "alice", password: str = PASSWORD) -> Answer:
    return client.post("/login", username=username, password=password)


def test_registration_creates_an_account(anyone: Client) -> None:
    """The answer has the fields that clients were written against."""
    answer = anyone.post(
        "/register", username="alice", password=PASSWORD, email="alice@example.org"
    )
    assert answer.status == 201
    created = answer.json().pop("created")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", created)
    assert answer.json() == {"username": "alice", "role": "member", "created": created}
    token = login(anyone).json()["token"]
    me = Client(token).get("/me").json()
    assert (me["email"], me["bytes_used"], me["quota"]) == ("alice@example.org", 0, None)


def test_a_name_is_taken_once(alice: Client, anyone: Client, behind: Behind) -> None:
    """The second registration changes nothing, in lower case or upper."""
    before = behind.state()
    for name in ("alice", "Alice", "ALICE"):
        answer = anyone.post("/register", username=name, password="another horse battery")
        assert (answer.status, answer.slug) == (409, "username-taken")
    assert behind.state() == before
    assert login(anyone).status == 200
    assert login(anyone, password="another horse battery").slug == "wrong-credentials"
    assert login(anyone, "AlIcE").json()["token"].startswith("alice.")


@pytest.mark.parametrize("name", ["", "a", "ab", "a" * 65, "a" * 3000, "a/b", "a b", "álice"])
def test_malformed_names_are_refused(anyone: Client, behind: Behind, name: str) -> None:
    """A user name has an alphabet and a length."""
    answer = anyone.post("/register", username=name, password=PASSWORD)
    assert (answer.status, answer.slug) == (422, "invalid-request")
    assert reason_at(answer, "body.username")
    assert behind.rows("users") == []


@pytest.mark.parametrize("name", ["abc", "a" * 64, "alice@example.org", "a.b_c@d+e-f", "007"])
def test_usual_names_are_accepted(fake_aws: FakeAws, name: str) -> None:
    """An e-mail address fits."""
    assert join(name).get("/me").json()["username"] == name


@pytest.mark.parametrize(
    ("length", "status"), [(7, 422), (9, 201), (64, 201), (1024, 201), (1025, 422)]
)
@pytest.mark.parametrize("letters", ["q8#vL0zt horse ", "🐎🔋 📎é🦄🌵🍄🎩🐇"])
def test_a_password_has_a_length(anyone: Client, length: int, status: int, letters: str) -> None:
    """From eight code points, of which none is strong, to 1,024, of whatever letters."""
    password = (letters * 1025)[:length]
    assert anyone.post("/register", username="alice", password=password).status == status
    if status == 201:
        assert login(anyone, password=password).status == 200
        assert login(anyone, password=password[:-1] + "x").status == 401


@pytest.mark.parametrize(
    "password", ["password12345678", "Satchel2024!", "alicealice", "1234567890"]
)
def test_a_weak_password_is_refused_with_its_reason(
    anyone: Client, behind: Behind, password: str
) -> None:
    """The reason is one to act on, and does not repeat the password."""
    answer = anyone.post("/register", username="alice", password=password)
    assert (answer.status, answer.slug) == (422, "weak-password")
    assert len(answer.json()["detail"]) > 20
    assert password not in answer.text
    assert behind.rows("users") == []


@pytest.mark.parametrize("extra", ["role", "quota", "is_admin", "created", "bytes_used", "id"])
def test_privileged_fields_are_refused(anyone: Client, behind: Behind, extra: str) -> None:
    """Not ignored."""
    answer = anyone.post("/register", username="alice", password=PASSWORD, **{extra: "admin"})
    assert answer.status == 422
    assert reason_at(answer, f"body.{extra}")
    assert behind.rows("users") == []


def test_an_unknown_name_is_answered_as_a_wrong_password(alice: Client, anyone: Client) -> None:
    """The words do not show which names exist."""
    wrong, nobody = login(anyone, password="wrong"), login(anyone, "nobody", "wrong")
    assert wrong.status == nobody.status == 401
    assert wrong.slug == nobody.slug == "wrong-credentials"
    assert wrong.json() | {"request_id": ""} == nobody.json() | {"request_id": ""}
    assert wrong.headers["www-authenticate"]


def test_an_unknown_name_makes_the_calls_of_a_wrong_password(
    fake_aws: FakeAws, alice: Client, anyone: Client
) -> None:
    """Nor do the calls."""
    with fake_aws.counted() as wrong:
        login(anyone, password="wrong")
    with fake_aws.counted() as nobody:
        login(anyone, "nobody", "wrong")
    assert wrong == nobody == ["BatchGetItem", "TransactWriteItems"]


def test_a_session_ends_with_logout(alice: Client) -> None:
    """Only that session, and only once."""
    other = Client(login(alice).json()["token"])
    assert alice.post("/logout").status == 204
    assert alice.get("/me").slug == "not-signed-in"
    assert alice.post("/logout").slug == "not-signed-in"
    assert other.get("/me").status == 200


def test_a_session_expires(alice: Client, clock: Clock, behind: Behind) -> None:
    """At the second that the login announced, although the table still contains its row."""
    answer = login(alice)
    session = Client(answer.json()["token"])
    (row,) = (r for r in behind.rows("sessions") if token_hash_of(session) == r["token_hash"])
    clock.time = float(str(row["expires_at"])) - 0.5
    assert session.get("/me").status == 200
    clock.time += 0.5
    before = behind.state()
    for method, path in (("GET", "/me"), ("GET", "/files"), ("POST", "/logout")):
        assert session.send(method, path).slug == "not-signed-in"
    assert behind.state() == before


def token_hash_of(client: Client) -> str:
    return hashlib.sha256(str(client.token).encode()).hexdigest()


def test_both_headers_carry_the_token(alice: Client) -> None:
    """`x-session-token` or a Bearer token; two different ones are refused."""
    token = str(alice.token)
    bearer = Client()
    for words in (f"Bearer {token}", f"bearer {token}"):
        assert bearer.send("GET", "/me", headers={"authorization": words}).status == 200
    for words in (token, f"Basic {token}", f"Bearer{token}", "Bearer", "Bearer alice.x"):
        answer = bearer.send("GET", "/me", headers={"authorization": words})
        assert answer.slug == "not-signed-in"
    other = login(alice).json()["token"]
    both = {"x-session-token": token, "authorization": f"Bearer {other}"}
    assert bearer.send("GET", "/me", headers=both).slug == "not-signed-in"
    both["authorization"] = f"Bearer {token}"
    assert bearer.send("GET", "/me", headers=both).status == 200


def test_a_guesser_is_refused_and_the_owner_is_not(alice: Client, clock: Clock) -> None:
    """After ten failures at one name; live sessions and other addresses go on."""
    guesser = Client(address="203.0.113.9")
    answers = [login(guesser, password=f"guess {n}") for n in range(40)]
    assert [a.status for a in answers] == [401] * 10 + [429] * 30
    assert answers[-1].slug == "slow-down"
    wait = int(answers[-1].headers["retry-after"])
    assert 0 < wait <= WINDOW
    assert str(wait) in answers[-1].json()["detail"]
    assert login(guesser).status == 429  # not even with the right one
    assert alice.get("/me").status == 200
    assert login(alice).status == 200
    clock.time += wait
    assert login(guesser).status == 200


def test_unknown_names_refuse_nobody_else(fake_aws: FakeAws, alice: Client) -> None:
    """Not even somebody who has never logged in from that address; each name has its own count."""
    guesser = Client(address="203.0.113.9")
    statuses = [login(guesser, f"name{n}", "x").status for n in range(80)]
    assert statuses == [401] * 80
    assert login(guesser, "alice", PASSWORD).status == 200
    tries = [login(guesser, "nobody", "x").status for _ in range(12)]
    assert tries == [401] * 10 + [429] * 2


def test_a_flood_of_unknown_names_is_refused(
    alice: Client,
    monkeypatch: pytest.MonkeyPatch,
    behind: Behind,
    settings: contract.Settings,
    rewire: Callable[[contract.Settings], None],
) -> None:
    """It makes three rows. Whoever has logged in from the address before is still let in."""
    monkeypatch.setattr(throttle, "FAILURES_OF_ADDRESS", 30)
    rewire(settings)
    before = len(behind.rows("sessions") + behind.rows("files"))
    guesser = Client(address=alice.address)
    statuses = [login(guesser, f"name{n}", "x").status for n in range(40)]
    assert statuses == [401] * 30 + [429] * 10
    assert len(behind.rows("sessions") + behind.rows("files")) == before + 3
    assert login(alice).status == 200


@pytest.mark.parametrize("guesses", [10, 11, 50, 99])
def test_a_colleague_behind_the_same_address_cannot_shut_the_owner_out(
    alice: Client, bob: Client, guesses: int
) -> None:
    """Where the owner has logged in before; nobody else gets another answer than elsewhere."""
    colleague = Client(address=alice.address)
    here = [login(colleague, "alice", f"guess {n}").status for n in range(guesses)]
    elsewhere = Client(address="203.0.113.9")
    there = [login(elsewhere, "alice", f"guess {n}").status for n in range(guesses)]
    unknown = [login(elsewhere, "nobody", f"guess {n}").status for n in range(guesses)]
    assert here == there == unknown == [401] * 10 + [429] * (guesses - 10)
    assert login(elsewhere, "alice").status == 429
    assert login(elsewhere, "bob").status == 200
    assert login(colleague).status == 200
    change = {"current_password": PASSWORD, "new_password": "a lamp in the winter rain"}
    assert alice.post("/password", **change).status == 204


def test_even_the_owner_is_refused_after_a_hundred_failures(
    alice: Client, fake_aws: FakeAws, clock: Clock
) -> None:
    """Then no password is looked at, and the count ends with its window."""
    for n in range(100):
        login(alice, password=f"guess {n}")
    with fake_aws.counted() as calls:
        answer = login(alice)
    assert (answer.status, answer.slug) == (429, "slow-down")
    assert "TransactWriteItems" not in calls
    clock.time += int(answer.headers["retry-after"])
    assert login(alice).status == 200


def test_an_address_is_known_for_thirty_days(alice: Client, clock: Clock, behind: Behind) -> None:
    """Since the last login from there, and for the account that logged in, not for a namesake."""

    def owner_is_let_in() -> bool:
        for n in range(10):
            login(alice, password=f"guess {n}")
        answer = login(alice)
        clock.time += WINDOW + 1
        return answer.status == 200

    clock.time += 29 * DAY
    assert owner_is_let_in()
    clock.time += 29 * DAY
    assert owner_is_let_in()
    clock.time += 31 * DAY
    assert not owner_is_let_in()
    assert login(alice).status == 200
    behind.change("users", {"username": "alice"}, id="0" * 32)
    assert not owner_is_let_in()


def test_an_address_is_stored_once_a_day(alice: Client, fake_aws: FakeAws, clock: Clock) -> None:
    """Logins at the same time then share no row that they write."""
    written = []
    for seconds in (0, 23 * 3600, 2 * 3600):
        clock.time += seconds
        fake_aws.before = lambda call: written.append(b"/logins" in call.request.body)
        assert login(alice).status == 200
        fake_aws.before = lambda _: None
    assert written == [True, False, True, False, True, True]


def test_known_names_weigh_once(fake_aws: FakeAws) -> None:
    """An address is refused after fifty wrong passwords for names that exist."""
    for n in range(6):
        join(f"person{n}")
    guesser = Client(address="203.0.113.9")
    tries = [login(guesser, f"person{n % 6}", "x").status for n in range(52)]
    assert tries == [401] * 50 + [429] * 2


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "client-ip"])
def test_no_header_changes_the_counted_address(alice: Client, header: str) -> None:
    """The address is the one that the gateway saw."""
    guesser = Client(address="203.0.113.9")
    body = {"username": "alice", "password": "x"}
    statuses = [
        guesser.send("POST", "/login", json_=body, headers={header: f"198.51.100.{n}"}).status
        for n in range(12)
    ]
    assert statuses == [401] * 10 + [429] * 2


def test_neighbours_in_one_ipv6_network_count_together(alice: Client) -> None:
    """One customer has 2**64 addresses, and one count."""
    guessers = [Client(address=f"2001:db8:0:1::{n:x}") for n in range(1, 13)]
    assert [login(g, password="x").status for g in guessers] == [401] * 10 + [429] * 2
    assert login(Client(address="2001:db8:0:2::1"), password="x").status == 401


def test_a_success_does_not_reset_the_count(alice: Client) -> None:
    """An attacker with an account of their own gets no more tries at another's."""
    guesser = Client(address="203.0.113.9")
    join("mallory", guesser.address)
    for _ in range(10):
        login(guesser, password="x")
        assert login(guesser, "mallory").status == 200
    assert login(guesser, password="x").status == 429
    assert login(guesser, "mallory").status == 200


def test_the_declared_hash_is_strong_enough(fake_aws: FakeAws) -> None:
    """Argon2id, at no less than OWASP's floor: 19 MiB and two passes."""
    declared = contract.settings(fake_aws.deployed.environment)
    assert declared.hash_memory >= 19_456
    assert declared.hash_passes >= 2


def test_a_password_is_rehashed_when_the_parameters_change(
    alice: Client,
    behind: Behind,
    settings: contract.Settings,
    rewire: Callable[[contract.Settings], None],
) -> None:
    """Argon2id with the configured parameters; the next login replaces an older hash."""
    weak = str(behind.row("users", username="alice")["password"])
    assert weak.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    rewire(replace(settings, hash_memory=16, hash_passes=2))
    assert login(alice, password="wrong").status == 401
    assert behind.row("users", username="alice")["password"] == weak
    assert login(alice).status == 200
    strong = str(behind.row("users", username="alice")["password"])
    assert strong.startswith("$argon2id$v=19$m=16,t=2,p=1$")
    assert login(alice).status == 200
    assert behind.row("users", username="alice")["password"] == strong
    assert alice.get("/me").status == 200


def test_tokens_are_random_and_stored_as_hashes(alice: Client, behind: Behind) -> None:
    """Each is 256 bits, and no table contains it."""
    tokens = {login(alice).json()["token"] for _ in range(15)}
    assert len(tokens) == 15
    assert all(re.fullmatch(r"alice\.[A-Za-z0-9_-]{43}", token) for token in tokens)
    rows = behind.rows("sessions")
    held = {row["token_hash"] for row in rows}
    assert {hashlib.sha256(token.encode()).hexdigest() for token in tokens} <= held
    text = repr(rows)
    assert not any(token.partition(".")[2] in text for token in tokens)


def test_secrets_do_not_repeat() -> None:
    """A thousand are a thousand."""
    secrets = {system_runtime().new_secret() for _ in range(1000)}
    assert len(secrets) == 1000
    assert {len(secret) for secret in secrets} == {43}


def test_a_namesake_gets_nothing(alice: Client, bob: Client, behind: Behind) -> None:
    """The next owner of a deleted account's name has none of its sessions, files and grants."""
    alice.put("hers.txt")
    bob.put("his.txt")
    bob.post("/share", file_name="his.txt", username="alice")
    alice.post("/share", file_name="hers.txt", username="bob")
    behind.delete("users", username="alice")
    assert alice.get("/me").slug == "not-signed-in"
    assert bob.read("hers.txt", username="alice").slug == "no-such-file"
    namesake = join("alice")
    assert alice.get("/me").slug == "not-signed-in"
    assert namesake.names() == []
    assert namesake.read("hers.txt").slug == "no-such-file"
    assert namesake.read("his.txt", username="bob").slug == "no-such-file"
    assert bob.names() == ["bob/his.txt"]
    assert bob.read("hers.txt", username="alice").slug == "no-such-file"


def test_a_disabled_account_is_refused_at_once(alice: Client, bob: Client, behind: Behind) -> None:
    """Its sessions, its logins and its shares; enabled, it has all but sessions again."""
    alice.put("a.txt")
    alice.post("/share", file_name="a.txt", username="bob")
    behind.change("users", {"username": "alice"}, disabled=True)
    assert alice.get("/me").slug == "not-signed-in"
    assert login(alice).slug == "wrong-credentials"
    assert bob.read("a.txt", username="alice").slug == "no-such-file"
    assert bob.names() == []
    assert bob.post("/share", file_name="a.txt", username="alice").status == 404
    behind.change("users", {"username": "alice"}, disabled=False)
    assert bob.read("a.txt", username="alice").content == b"data"


def test_an_epoch_ends_every_session(alice: Client, behind: Behind) -> None:
    """One write to the account is enough to end them all."""
    other = Client(login(alice).json()["token"])
    behind.change("users", {"username": "alice"}, epoch="another")
    assert alice.get("/me").slug == other.get("/me").slug == "not-signed-in"
    assert Client(login(alice).json()["token"]).get("/me").status == 200
