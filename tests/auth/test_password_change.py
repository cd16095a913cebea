"""Forgotten passwords: a mailed token, good once, and what strangers learn by asking: nothing."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from function import contract
from function.auth.password_change import MAILS_OF_NAME, REQUESTS_OF_ADDRESS
from function.aws.ses import NOBODY
from function.core.runtime import iso
from tests.auth.test_sessions import OTHER
from tests.conftest import Behind, Clock
from tests.crashes.meetings import at_the_commit
from tests.support.client import PASSWORD, Answer, Client, join
from tests.support.fake_aws import Ground, failure, response
from tests.support.mfa import enrolled

ADDRESS = "alice@example.org"


@pytest.fixture
def known(alice: Client) -> Client:
    """Alice has an address."""
    wish = {"email": ADDRESS, "current_password": PASSWORD}
    assert alice.send("PATCH", "/me", json_=wish).status == 200
    return alice


def forgot(name: str = "alice", address: str = "192.0.2.1") -> Answer:
    return Client(address=address).post("/password/forgot", username=name)


def reset(token: str, password: str = OTHER) -> Answer:
    return Client().post("/password/reset", token=token, new_password=password)


def login(password: str) -> Answer:
    return Client().post("/login", username="alice", password=password)


def token_in(ground: Ground) -> str:
    """What the last mail brought."""
    text = ground.mails[-1]["Content"]["Simple"]["Body"]["Text"]["Data"]
    found = set(re.findall(r"alice\.[A-Za-z0-9_-]{43}", text))
    assert len(found) == 1
    return str(found.pop())


def test_a_token_is_mailed_and_good_for_a_new_password(known: Client, ground: Ground) -> None:
    """Every session and key is dead with the old one."""
    key = Client(known.post("/keys", name="x", scopes=["read"]).json()["token"])
    answer = forgot()
    assert (answer.status, answer.content) == (202, b"")
    (mail,) = ground.mails
    assert mail["FromEmailAddress"] == "satchel@example.org"
    assert mail["Destination"] == {"ToAddresses": [ADDRESS]}
    assert login(PASSWORD).status == 200
    assert reset(token_in(ground)).status == 204
    assert known.get("/me").slug == key.get("/files").slug == "not-signed-in"
    assert login(PASSWORD).slug == "wrong-credentials"
    assert login(OTHER).status == 200


def test_a_token_is_good_once_and_for_an_hour(
    known: Client, ground: Ground, clock: Clock, behind: Behind
) -> None:
    """Used, late, or made up: one answer, and nothing happens."""
    forgot()
    token = token_in(ground)
    assert reset(token).status == 204
    assert reset(token, PASSWORD).slug == "wrong-reset-token"
    forgot()
    token = token_in(ground)
    clock.time += 3600
    before = behind.state()
    wrong = [token, token[:-1] + ("A" if token[-1] != "A" else "B"), "x", "", "zoe." + "A" * 43]
    answers = [reset(each) for each in wrong]
    assert {each.slug for each in answers} == {"wrong-reset-token"}
    assert len({each.json()["detail"] for each in answers}) == 1
    assert behind.state() == before


def test_the_newest_token_alone_is_good(known: Client, ground: Ground) -> None:
    """Whoever asked twice takes the second mail."""
    forgot()
    first = token_in(ground)
    forgot()
    assert reset(first).slug == "wrong-reset-token"
    assert reset(token_in(ground)).status == 204


def test_a_weak_password_does_not_use_the_token_up(known: Client, ground: Ground) -> None:
    """It can be tried again with a better one."""
    forgot()
    token = token_in(ground)
    assert reset(token, "short").slug == reset(token, "alicealice").slug == "weak-password"
    assert reset(token).status == 204


@pytest.mark.parametrize("way", ["password", "address", "everywhere", "disabled", "namesake"])
def test_a_change_of_the_account_ends_the_token(
    known: Client, ground: Ground, behind: Behind, way: str
) -> None:
    """It was for the account as it was: who has it may have had the old address."""
    forgot()
    token = token_in(ground)
    if way == "password":
        fields = {"current_password": PASSWORD, "new_password": OTHER}
        assert known.post("/password", **fields).status == 204
    elif way == "address":
        wish = {"email": "new@example.org", "current_password": PASSWORD}
        assert known.send("PATCH", "/me", json_=wish).status == 200
    elif way == "everywhere":
        known.send("POST", "/logout", query={"everywhere": "true"})
    elif way == "disabled":
        behind.change("users", {"username": "alice"}, disabled=True)
    else:
        behind.delete("users", username="alice")
        Client().post("/register", username="alice", password=PASSWORD, email=ADDRESS)
    assert reset(token).slug == "wrong-reset-token"


def test_known_and_unknown_are_the_same(known: Client, bob: Client, ground: Ground) -> None:
    """The answer, and the work: calls, rows and bytes; mail for nobody goes to nobody."""
    seen = []
    for name in ("alice", "bob", "nobody"):
        held = {noun: len(ground.rows(noun)) for noun in _tables(ground)}
        with ground.counted() as calls:
            answer = forgot(name, address=f"203.0.113.{len(seen)}")
        more = {noun: len(ground.rows(noun)) - count for noun, count in held.items()}
        headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
        seen.append((answer.status, answer.content, headers, calls, more))
    assert seen[0] == seen[1] == seen[2]
    to = [mail["Destination"]["ToAddresses"] for mail in ground.mails]
    assert to == [[ADDRESS], [NOBODY], [NOBODY]]


def _tables(ground: Ground) -> list[str]:
    settings = contract.settings(ground.deployed.environment)
    return [getattr(settings, table.noun) for table in contract.TABLES]


def test_nobodys_token_opens_nothing(bob: Client, ground: Ground) -> None:
    """What was made for a name without an address is good for no account."""
    forgot("bob")
    text = ground.mails[-1]["Content"]["Simple"]["Body"]["Text"]["Data"]
    (token,) = set(re.findall(r"bob\.[A-Za-z0-9_-]{43}", text))
    assert reset(token).slug == "wrong-reset-token"
    assert bob.get("/me").status == 200


def test_an_address_asks_so_often(known: Client, ground: Ground, clock: Clock) -> None:
    """And then waits, whatever names it asks for."""
    answers = [forgot(f"name{n}") for n in range(REQUESTS_OF_ADDRESS + 2)]
    assert [each.status for each in answers] == [202] * REQUESTS_OF_ADDRESS + [429] * 2
    wait = int(answers[-1].headers["retry-after"])
    assert 0 < wait <= 901
    assert forgot(address="203.0.113.9").status == 202
    clock.time += wait
    assert forgot().status == 202


def test_strangers_fill_nobodys_mailbox(known: Client, ground: Ground, clock: Clock) -> None:
    """From many addresses: some mails an hour, and the last token stays good."""
    for number in range(MAILS_OF_NAME + 5):
        assert forgot(address=f"203.0.113.{number}").status == 202
        if number == MAILS_OF_NAME - 1:
            token = token_in(ground)
    to = [mail["Destination"]["ToAddresses"][0] for mail in ground.mails]
    assert to == [ADDRESS] * MAILS_OF_NAME + [NOBODY] * 5
    assert reset(token).status == 204


def test_a_second_factor_stays(known: Client, ground: Ground, clock: Clock) -> None:
    """Whoever reads the mail has one factor, not both."""
    app = enrolled(known, clock)
    forgot()
    assert reset(token_in(ground)).status == 204
    assert login(OTHER).slug == "otp-required"
    answer = Client().post("/login", username="alice", password=OTHER, otp=app.code(1))
    assert answer.status == 200


def test_of_two_with_one_token_one_wins(known: Client, ground: Ground) -> None:
    """Though both were read before either was used."""
    forgot()
    token, others = token_in(ground), list[Answer]()

    def meet(call: object) -> None:
        if getattr(call, "operation", "") == "TransactWriteItems":
            ground.before = lambda _: None
            others.append(reset(token, "the other horse battery"))

    ground.before = meet
    mine = reset(token)
    assert [each.status for each in others] == [204]
    assert mine.slug == "wrong-reset-token"
    assert login("the other horse battery").status == 200


def test_only_a_hash_is_stored(known: Client, ground: Ground, behind: Behind) -> None:
    """In the tables and the record."""
    forgot()
    secret = token_in(ground).partition(".")[2]
    rows = repr([behind.rows(noun) for noun in ("users", "sessions", "files")])
    assert secret not in rows
    assert "password.request_reset" in rows


def test_without_mail_it_is_said(
    known: Client,
    settings: contract.Settings,
    rewire: Callable[[contract.Settings], None],
    behind: Behind,
) -> None:
    """Clearly, to everybody, and nothing happens."""
    rewire(replace(settings, mail_from=""))
    before = behind.state()
    for name in ("alice", "nobody"):
        answer = forgot(name)
        assert (answer.status, answer.slug) == (501, "mail-not-configured")
        assert "administrator" in answer.json()["detail"]
    assert behind.state() == before


def test_what_ses_refuses_is_not_told(known: Client, ground: Ground) -> None:
    """Or it would tell who has an address; that SES is gone is the same for all."""
    refused = response(
        400, {"content-type": "application/json", "x-amzn-errortype": "MessageRejected"}, b"{}"
    )
    ground.before = lambda call: refused if call.operation == "SendEmail" else None
    assert forgot().status == forgot("nobody").status == 202
    ground.before = lambda call: (
        failure(call, 503, "ServiceUnavailable") if call.operation == "SendEmail" else None
    )
    assert forgot().slug == forgot("nobody").slug == "unavailable"


def test_too_many_mails_at_once_are_for_later(known: Client, ground: Ground) -> None:
    """The account's rate of SES is used up: no fault of ours."""
    kind = {"content-type": "application/json", "x-amzn-errortype": "TooManyRequestsException"}
    many = response(429, kind, b"{}")
    ground.before = lambda call: many if call.operation == "SendEmail" else None
    answer = forgot()
    assert (answer.status, answer.slug) == (503, "unavailable")
    assert "retry-after" in answer.headers


@pytest.mark.parametrize("name", ["", "a", "x" * 65, None, 1])
def test_other_names_are_refused(ground: Ground, name: object) -> None:
    """As everywhere."""
    assert Client().post("/password/forgot", username=name).status == 422
    assert ground.mails == []


@pytest.fixture
def root(ground: Ground) -> Client:
    return join("root")


def hand(who: Client, username: str = "alice") -> Answer:
    return who.post(f"/users/{username}/reset")


@pytest.mark.parametrize("mail_from", ["", "satchel@example.org"])
def test_an_administrator_hands_a_token_over(
    alice: Client,
    root: Client,
    settings: contract.Settings,
    rewire: Callable[[contract.Settings], None],
    ground: Ground,
    mail_from: str,
) -> None:
    """To somebody without an address, with mail or without: good once, for one account."""
    rewire(replace(settings, mail_from=mail_from))
    made = hand(root)
    assert (made.status, made.json().keys()) == (201, {"username", "token", "expires_at"})
    assert made.json()["username"] == "alice"
    assert (alice.get("/me").status, login(PASSWORD).status) == (200, 200)
    token = made.json()["token"]
    assert reset(token.replace("alice.", "root.")).slug == "wrong-reset-token"
    assert reset(token).status == 204
    assert alice.get("/me").slug == "not-signed-in"
    assert (login(PASSWORD).slug, login(OTHER).status) == ("wrong-credentials", 200)
    assert reset(token, PASSWORD).slug == "wrong-reset-token"
    assert ground.mails == []


def test_what_is_handed_over_ends(alice: Client, root: Client, clock: Clock) -> None:
    """In an hour, and with the next one; it says when."""
    first, second = (hand(root).json() for _ in range(2))
    assert second["expires_at"] == iso(int(clock.time) + 3600)
    assert reset(first["token"]).slug == "wrong-reset-token"
    clock.time += 3600
    assert reset(second["token"]).slug == "wrong-reset-token"


def test_no_stranger_ends_what_was_handed_over(known: Client, root: Client, ground: Ground) -> None:
    """By asking for a mail; of the two that are good then, one ends the other."""
    token = hand(root).json()["token"]
    forgot()
    assert reset(token).status == 204
    assert reset(token_in(ground), PASSWORD).slug == "wrong-reset-token"


@pytest.mark.parametrize("gone", ["namesake", "disabled", "deleting"])
def test_it_is_for_the_account_as_it_was(
    alice: Client, root: Client, behind: Behind, gone: str
) -> None:
    """A namesake is somebody else, and nobody comes in who is shut out."""
    token = hand(root).json()["token"]
    if gone == "namesake":
        behind.delete("users", username="alice")
        join("alice")
    else:
        behind.change("users", {"username": "alice"}, disabled=True, deleting=gone == "deleting")
    assert reset(token).slug == "wrong-reset-token"
    assert hand(root).status == (404 if gone == "deleting" else 201)


def test_it_waits_until_an_account_is_enabled(alice: Client, root: Client) -> None:
    """Both are an administrator's to do, in any order."""
    root.send("PATCH", "/users/alice", json_={"disabled": True})
    token = hand(root).json()["token"]
    assert reset(token).slug == "wrong-reset-token"
    root.send("PATCH", "/users/alice", json_={"disabled": False})
    assert reset(token).status == 204


def test_whoever_is_helped_keeps_their_factor(alice: Client, root: Client, clock: Clock) -> None:
    """An administrator who uses the token has one factor, not both."""
    app = enrolled(alice, clock)
    assert reset(hand(root).json()["token"]).status == 204
    assert login(OTHER).slug == "otp-required"
    assert Client().post("/login", username="alice", password=OTHER, otp=app.code(1)).status == 200


def test_for_some_nobody_makes_a_token(alice: Client, root: Client, behind: Behind) -> None:
    """Oneself, or a stolen session could; the configured administrator; who is not there."""
    root.send("PATCH", "/users/alice", json_={"role": "admin"})
    before = behind.state()
    for who, whom in ((alice, "alice"), (alice, "root"), (root, "root")):
        answer = hand(who, whom)
        assert (answer.status, answer.slug) == (409, "protected-account")
    assert (hand(root, "zoe").status, hand(root, "zoe").slug) == (404, "no-such-user")
    assert behind.state() == before


def test_whoever_is_demoted_meanwhile_makes_none(
    alice: Client, bob: Client, root: Client, ground: Ground, behind: Behind
) -> None:
    """Between the look and the commit."""
    root.send("PATCH", "/users/bob", json_={"role": "admin"})
    met = at_the_commit(ground, lambda: root.send("PATCH", "/users/bob", json_={"role": "member"}))
    answer = hand(bob)
    assert met[0].status == 200
    assert (answer.status, answer.slug) == (403, "not-allowed")
    assert "handed:" not in repr(behind.rows("sessions"))


def test_that_it_was_handed_over_is_on_record(alice: Client, root: Client, behind: Behind) -> None:
    """By whom and for whom, and that it was used; nowhere is the token."""
    token = hand(root).json()["token"]
    reset(token)
    told = {
        (each["actor"], each["owner"], each["action"])
        for each in root.get("/audit", username="alice").json()
    }
    assert told >= {("root", "alice", "password.issue_reset"), ("alice", "alice", "password.reset")}
    rows = repr([behind.rows(noun) for noun in ("users", "sessions", "files")])
    assert token.partition(".")[2] not in rows
