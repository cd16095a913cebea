"""Forgotten passwords: mailed and issued tokens, and what requests show to strangers: nothing."""

import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from function import contract
from function.auth.password_change import MAILS_OF_NAME, REQUESTS_OF_ADDRESS
from function.auth.passwords import Passwords
from function.aws.ses import NOBODY
from function.core.runtime import iso
from tests.auth.test_sessions import OTHER
from tests.conftest import Behind, Clock
from tests.crashes.meetings import act_before_commit
from tests.http.test_secrets import captured_logs
from tests.support.client import PASSWORD, Answer, Client, join
from tests.support.fake_aws import FakeAws, failure, response
from tests.support.mfa import enable_mfa

ADDRESS = "alice@example.org"


@pytest.fixture
def known(alice: Client) -> Client:
    """Alice, with a mail address."""
    wish = {"email": ADDRESS, "current_password": PASSWORD}
    assert alice.send("PATCH", "/me", json_=wish).status == 200
    return alice


def forgot(name: str = "alice", address: str = "192.0.2.1") -> Answer:
    return Client(address=address).post("/password/forgot", username=name)


def reset(token: str, password: str = OTHER) -> Answer:
    return Client().post("/password/reset", token=token, new_password=password)


def login(password: str) -> Answer:
    return Client().post("/login", username="alice", password=password)


def mailed_token(fake_aws: FakeAws) -> str:
    """The token in the last mail."""
    text = fake_aws.mails[-1]["Content"]["Simple"]["Body"]["Text"]["Data"]
    found = set(re.findall(r"alice\.[A-Za-z0-9_-]{43}", text))
    assert len(found) == 1
    return str(found.pop())


def test_a_mailed_token_sets_a_new_password(known: Client, fake_aws: FakeAws) -> None:
    """It ends every session and API key."""
    key = Client(
        known.post("/keys", name="x", scopes=["read"], current_password=PASSWORD).json()["token"]
    )
    answer = forgot()
    assert (answer.status, answer.content) == (202, b"")
    (mail,) = fake_aws.mails
    assert mail["FromEmailAddress"] == "satchel@example.org"
    assert mail["Destination"] == {"ToAddresses": [ADDRESS]}
    assert login(PASSWORD).status == 200
    assert reset(mailed_token(fake_aws)).status == 204
    assert known.get("/me").slug == key.get("/files").slug == "not-signed-in"
    assert login(PASSWORD).slug == "wrong-credentials"
    assert login(OTHER).status == 200


def test_a_token_works_once_and_for_an_hour(
    known: Client, fake_aws: FakeAws, clock: Clock, behind: Behind
) -> None:
    """Used, expired and invented tokens get one answer, and change nothing."""
    forgot()
    token = mailed_token(fake_aws)
    assert reset(token).status == 204
    assert reset(token, PASSWORD).slug == "wrong-reset-token"
    forgot()
    token = mailed_token(fake_aws)
    clock.time += 3600
    before = behind.state()
    wrong = [token, token[:-1] + ("A" if token[-1] != "A" else "B"), "x", "", "zoe." + "A" * 43]
    answers = [reset(each) for each in wrong]
    assert {each.slug for each in answers} == {"wrong-reset-token"}
    assert len({each.json()["detail"] for each in answers}) == 1
    assert behind.state() == before


def test_only_the_newest_token_works(known: Client, fake_aws: FakeAws) -> None:
    """The second mail replaces the token of the first."""
    forgot()
    first = mailed_token(fake_aws)
    forgot()
    assert reset(first).slug == "wrong-reset-token"
    assert reset(mailed_token(fake_aws)).status == 204


def test_a_weak_password_does_not_use_the_token_up(known: Client, fake_aws: FakeAws) -> None:
    """The token works with a better password."""
    forgot()
    token = mailed_token(fake_aws)
    assert reset(token, "short").slug == reset(token, "alicealice").slug == "weak-password"
    assert reset(token).status == 204


@pytest.mark.parametrize("way", ["password", "address", "everywhere", "disabled", "namesake"])
def test_a_change_of_the_account_ends_the_token(
    known: Client, fake_aws: FakeAws, behind: Behind, way: str
) -> None:
    """It is for the account as it was: its holder may be the reader of the old address."""
    forgot()
    token = mailed_token(fake_aws)
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


def test_known_and_unknown_names_cannot_be_told_apart(
    known: Client, bob: Client, fake_aws: FakeAws
) -> None:
    """Answers, AWS calls and rows are alike; mail for an unknown name has a fixed recipient."""
    seen = []
    for name in ("alice", "bob", "nobody"):
        held = {noun: len(fake_aws.rows(noun)) for noun in _tables(fake_aws)}
        with fake_aws.counted() as calls:
            answer = forgot(name, address=f"203.0.113.{len(seen)}")
        more = {noun: len(fake_aws.rows(noun)) - count for noun, count in held.items()}
        headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
        seen.append((answer.status, answer.content, headers, calls, more))
    assert seen[0] == seen[1] == seen[2]
    to = [mail["Destination"]["ToAddresses"] for mail in fake_aws.mails]
    assert to == [[ADDRESS], [NOBODY], [NOBODY]]


def _tables(fake_aws: FakeAws) -> list[str]:
    settings = contract.settings(fake_aws.deployed.environment)
    return [getattr(settings, table.name) for table in contract.TABLES]


def test_a_token_without_an_address_works_for_no_account(bob: Client, fake_aws: FakeAws) -> None:
    """The token that was stored for a name without an address belongs to nobody."""
    forgot("bob")
    text = fake_aws.mails[-1]["Content"]["Simple"]["Body"]["Text"]["Data"]
    (token,) = set(re.findall(r"bob\.[A-Za-z0-9_-]{43}", text))
    assert reset(token).slug == "wrong-reset-token"
    assert bob.get("/me").status == 200


def test_requests_of_an_address_are_limited(known: Client, fake_aws: FakeAws, clock: Clock) -> None:
    """For all names together, until the next window."""
    answers = [forgot(f"name{n}") for n in range(REQUESTS_OF_ADDRESS + 2)]
    assert [each.status for each in answers] == [202] * REQUESTS_OF_ADDRESS + [429] * 2
    wait = int(answers[-1].headers["retry-after"])
    assert 0 < wait <= 901
    assert forgot(address="203.0.113.9").status == 202
    clock.time += wait
    assert forgot().status == 202


def test_mails_to_a_name_are_limited(known: Client, fake_aws: FakeAws, clock: Clock) -> None:
    """Strangers at many addresses cannot fill a mailbox, and the last token stays good."""
    for number in range(MAILS_OF_NAME + 5):
        assert forgot(address=f"203.0.113.{number}").status == 202
        if number == MAILS_OF_NAME - 1:
            token = mailed_token(fake_aws)
    to = [mail["Destination"]["ToAddresses"][0] for mail in fake_aws.mails]
    assert to == [ADDRESS] * MAILS_OF_NAME + [NOBODY] * 5
    assert reset(token).status == 204


def test_a_second_factor_stays(known: Client, fake_aws: FakeAws, clock: Clock) -> None:
    """The reader of the mail has one factor, not both."""
    app = enable_mfa(known, clock)
    forgot()
    assert reset(mailed_token(fake_aws)).status == 204
    assert login(OTHER).slug == "otp-required"
    answer = Client().post("/login", username="alice", password=OTHER, otp=app.code(1))
    assert answer.status == 200


def test_one_of_two_resets_with_one_token_succeeds(known: Client, fake_aws: FakeAws) -> None:
    """Although both were read before either was used."""
    forgot()
    token, others = mailed_token(fake_aws), list[Answer]()

    def meet(call: object) -> None:
        if getattr(call, "operation", "") == "TransactWriteItems":
            fake_aws.before = lambda _: None
            others.append(reset(token, "the other horse battery"))

    fake_aws.before = meet
    mine = reset(token)
    assert [each.status for each in others] == [204]
    assert mine.slug == "wrong-reset-token"
    assert login("the other horse battery").status == 200


def test_only_a_hash_is_stored(known: Client, fake_aws: FakeAws, behind: Behind) -> None:
    """Neither tables nor audit records contain the token."""
    forgot()
    secret = mailed_token(fake_aws).partition(".")[2]
    rows = repr([behind.rows(noun) for noun in ("users", "sessions", "files")])
    assert secret not in rows
    assert "password.request_reset" in rows


def test_without_mail_the_answer_is_501(
    known: Client,
    settings: contract.Settings,
    rewire: Callable[[contract.Settings], None],
    behind: Behind,
) -> None:
    """For every name, and nothing is changed."""
    rewire(replace(settings, mail_from=""))
    before = behind.state()
    for name in ("alice", "nobody"):
        answer = forgot(name)
        assert (answer.status, answer.slug) == (501, "mail-not-configured")
        assert "administrator" in answer.json()["detail"]
    assert behind.state() == before


def test_an_outage_of_ses_is_the_same_for_all_names(known: Client, fake_aws: FakeAws) -> None:
    """The client is told to try again."""
    fake_aws.before = lambda call: (
        failure(call, 503, "ServiceUnavailable") if call.operation == "SendEmail" else None
    )
    assert forgot().slug == forgot("nobody").slug == "unavailable"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "MessageRejected"),
        (403, "AccessDeniedException"),
        (400, "MailFromDomainNotVerifiedException"),
        (400, "AccountSuspendedException"),
        (400, "LimitExceededException"),
        (429, "TooManyRequestsException"),
    ],
)
def test_a_refusal_of_ses_is_answered_alike_and_logged(
    known: Client, fake_aws: FakeAws, status: int, code: str
) -> None:
    """SES judges the recipient too; only the operator learns of it, by an error and a metric."""
    kind = {"content-type": "application/json", "x-amzn-errortype": code}
    refused = response(status, kind, b"{}")
    fake_aws.before = lambda call: refused if call.operation == "SendEmail" else None
    with captured_logs(logging.INFO) as text:
        assert forgot().status == forgot("nobody").status == 202
    lines = [json.loads(line) for line in text.getvalue().splitlines()]
    assert {line["code"] for line in lines if line.get("level") == "ERROR"} == {code}
    metrics = [line for line in lines if "mail_refused" in line]
    assert [line["stack"] for line in metrics] == ["dev", "dev"]
    assert "example.org" not in text.getvalue()


@pytest.mark.parametrize("name", ["", "a", "x" * 65, None, 1])
def test_malformed_names_are_refused(fake_aws: FakeAws, name: object) -> None:
    """No mail is sent for them."""
    assert Client().post("/password/forgot", username=name).status == 422
    assert fake_aws.mails == []


@pytest.fixture
def root(fake_aws: FakeAws) -> Client:
    return join("root")


def issue(who: Client, username: str = "alice") -> Answer:
    """Has an administrator issue a token for an account."""
    return who.post(f"/users/{username}/reset")


@pytest.mark.parametrize("mail_from", ["", "satchel@example.org"])
def test_an_administrator_issues_a_token(
    alice: Client,
    root: Client,
    settings: contract.Settings,
    rewire: Callable[[contract.Settings], None],
    fake_aws: FakeAws,
    mail_from: str,
) -> None:
    """For an owner without an address, with mail or without: it works once, for one account."""
    rewire(replace(settings, mail_from=mail_from))
    made = issue(root)
    assert (made.status, made.json().keys()) == (201, {"username", "token", "expires_at"})
    assert made.json()["username"] == "alice"
    assert (alice.get("/me").status, login(PASSWORD).status) == (200, 200)
    token = made.json()["token"]
    assert reset(token.replace("alice.", "root.")).slug == "wrong-reset-token"
    assert reset(token).status == 204
    assert alice.get("/me").slug == "not-signed-in"
    assert (login(PASSWORD).slug, login(OTHER).status) == ("wrong-credentials", 200)
    assert reset(token, PASSWORD).slug == "wrong-reset-token"
    assert fake_aws.mails == []


def test_an_issued_token_expires(alice: Client, root: Client, clock: Clock) -> None:
    """In an hour, or with the next one; the answer has the time."""
    first, second = (issue(root).json() for _ in range(2))
    assert second["expires_at"] == iso(int(clock.time) + 3600)
    assert reset(first["token"]).slug == "wrong-reset-token"
    clock.time += 3600
    assert reset(second["token"]).slug == "wrong-reset-token"


def test_a_request_for_mail_keeps_the_issued_token(
    known: Client, root: Client, fake_aws: FakeAws
) -> None:
    """A stranger cannot end it by asking for mail; whichever is used first ends the other."""
    token = issue(root).json()["token"]
    forgot()
    assert reset(token).status == 204
    assert reset(mailed_token(fake_aws), PASSWORD).slug == "wrong-reset-token"


@pytest.mark.parametrize("gone", ["namesake", "disabled", "deleting"])
def test_an_issued_token_is_for_the_account_as_it_was(
    alice: Client, root: Client, behind: Behind, gone: str
) -> None:
    """Neither a namesake nor a disabled account can use it."""
    token = issue(root).json()["token"]
    if gone == "namesake":
        behind.delete("users", username="alice")
        join("alice")
    else:
        behind.change("users", {"username": "alice"}, disabled=True, deleting=gone == "deleting")
    assert reset(token).slug == "wrong-reset-token"
    assert issue(root).status == (404 if gone == "deleting" else 201)


def test_an_issued_token_works_once_the_account_is_enabled(alice: Client, root: Client) -> None:
    """An administrator can do both in any order."""
    root.send("PATCH", "/users/alice", json_={"disabled": True})
    token = issue(root).json()["token"]
    assert reset(token).slug == "wrong-reset-token"
    root.send("PATCH", "/users/alice", json_={"disabled": False})
    assert reset(token).status == 204


def test_an_issued_token_keeps_the_second_factor(alice: Client, root: Client, clock: Clock) -> None:
    """An administrator who uses the token has one factor, not both."""
    app = enable_mfa(alice, clock)
    assert reset(issue(root).json()["token"]).status == 204
    assert login(OTHER).slug == "otp-required"
    assert Client().post("/login", username="alice", password=OTHER, otp=app.code(1)).status == 200


def test_protected_accounts_get_no_token(alice: Client, root: Client, behind: Behind) -> None:
    """The configured administrator's, and the caller's own: a stolen session could take it over."""
    root.send("PATCH", "/users/alice", json_={"role": "admin"})
    before = behind.state()
    for who, whom in ((alice, "alice"), (alice, "root"), (root, "root")):
        answer = issue(who, whom)
        assert (answer.status, answer.slug) == (409, "protected-account")
    assert (issue(root, "zoe").status, issue(root, "zoe").slug) == (404, "no-such-user")
    assert behind.state() == before


def test_an_administrator_demoted_meanwhile_issues_no_token(
    alice: Client, bob: Client, root: Client, fake_aws: FakeAws, behind: Behind
) -> None:
    """Between the read and the commit."""
    root.send("PATCH", "/users/bob", json_={"role": "admin"})
    met = act_before_commit(
        fake_aws, lambda: root.send("PATCH", "/users/bob", json_={"role": "member"})
    )
    answer = issue(bob)
    assert met[0].status == 200
    assert (answer.status, answer.slug) == (403, "not-allowed")
    assert "reset-by-admin:" not in repr(behind.rows("sessions"))


def test_issue_and_use_of_a_token_are_audited(alice: Client, root: Client, behind: Behind) -> None:
    """With actor and owner, and without the token."""
    token = issue(root).json()["token"]
    reset(token)
    told = {
        (each["actor"], each["owner"], each["action"])
        for each in root.get("/audit", username="alice").json()
    }
    assert told >= {("root", "alice", "password.issue_reset"), ("alice", "alice", "password.reset")}
    rows = repr([behind.rows(noun) for noun in ("users", "sessions", "files")])
    assert token.partition(".")[2] not in rows


@pytest.mark.parametrize("way", ["change", "reset"])
def test_a_new_password_is_hashed_once(
    alice: Client, root: Client, fake_aws: FakeAws, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Also where the account changes before the commit."""
    token, hashed, make_hash = issue(root).json()["token"], list[str](), Passwords.hash

    def counted_hash(passwords: Passwords, password: str) -> str:
        hashed.append(password)
        return make_hash(passwords, password)

    monkeypatch.setattr(Passwords, "hash", counted_hash)
    met = act_before_commit(
        fake_aws, lambda: root.send("PATCH", "/users/alice", json_={"quota": 10**9})
    )
    if way == "reset":
        assert reset(token).status == 204
    else:
        passwords = {"current_password": PASSWORD, "new_password": OTHER}
        assert alice.post("/password", **passwords).status == 204
    assert (met[0].status, hashed) == (200, [OTHER])
    assert login(OTHER).status == 200
