"""The second factor: enrolment, codes that work once, recovery codes, and limits on guesses."""

import base64
import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from function.auth.mfa import PERIOD, WRONG_CODES_OF_DAY, totp_code
from function.core.limits import DAY
from function.core.tokens import token_hash
from tests.auth.test_sessions import OTHER
from tests.conftest import Behind, Clock, reason_at
from tests.support.client import PASSWORD, Answer, Client, join
from tests.support.fake_aws import FakeAws
from tests.support.mfa import Authenticator, disable_mfa, enable_mfa


@pytest.fixture
def app(alice: Client, clock: Clock) -> Authenticator:
    """The authenticator app of Alice, who has a second factor."""
    return enable_mfa(alice, clock)


def login(otp: str | None = None, password: str = PASSWORD, address: str = "192.0.2.1") -> Answer:
    fields = {"username": "alice", "password": password} | ({"otp": otp} if otp else {})
    return Client(address=address).post("/login", **fields)


def test_codes_are_those_of_the_standard() -> None:
    """The values of RFC 6238, appendix B, for SHA-1, cut to six digits."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    at = {59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"}
    assert {time: totp_code(secret, time // PERIOD) for time in at} == at


def test_a_factor_is_on_when_it_is_confirmed(alice: Client, clock: Clock) -> None:
    """Before that no login needs a code; a second enrolment replaces the secret of the first."""
    first = alice.post("/mfa", current_password=PASSWORD).json()["secret"]
    made = alice.post("/mfa", current_password=PASSWORD)
    assert made.status == 201
    secret, uri = made.json()["secret"], urlsplit(made.json()["uri"])
    assert secret != first
    assert re.fullmatch("[A-Z2-7]{32}", secret)
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/Satchel:alice")
    assert parse_qs(uri.query)["secret"] == [secret]
    assert login().status == 200
    assert alice.get("/me").json()["mfa"] is False
    step = int(clock.time) // PERIOD
    assert alice.post("/mfa/confirm", otp=totp_code(first, step)).slug == "wrong-otp"
    answer = alice.post("/mfa/confirm", otp=totp_code(secret, step))
    assert answer.status == 200
    codes = answer.json()["recovery_codes"]
    assert len(set(codes)) == 10
    assert all(re.fullmatch("([a-z2-7]{4}-){6}[a-z2-7]{2}", code) for code in codes)
    me = alice.get("/me").json()
    assert (me["mfa"], me["recovery_codes_left"]) == (True, 10)
    assert login().slug == "otp-required"
    assert alice.post("/mfa/confirm", otp=totp_code(secret, step + 1)).slug == "no-such-factor"
    assert alice.post("/mfa", current_password=PASSWORD).slug == "mfa-on"


def test_enrolment_requires_the_password(alice: Client, behind: Behind) -> None:
    """With a stolen session alone, the owner could be locked out."""
    before = behind.state()
    assert alice.post("/mfa", current_password="a guess").slug == "wrong-credentials"
    assert alice.post("/mfa").status == 422
    assert behind.state() == before


def test_only_the_right_password_learns_that_a_code_is_required(
    app: Authenticator, clock: Clock
) -> None:
    """Otherwise a guesser would learn who has a second factor."""
    clock.time += PERIOD
    assert login(password="wrong").slug == "wrong-credentials"
    assert login(app.code(), password="wrong").slug == "wrong-credentials"
    assert login().slug == "otp-required"
    assert login(app.code()).status == 200


def test_a_code_works_once(app: Authenticator, clock: Clock) -> None:
    """A replayed code is refused, and so is every earlier one."""
    clock.time += 3 * PERIOD
    old, new = app.code(-1), app.code()
    assert login(new).status == 200
    assert login(new).slug == login(old).slug == "wrong-otp"
    clock.time += PERIOD
    assert login(new).slug == "wrong-otp"
    assert login(app.code()).status == 200


def test_the_code_that_confirmed_cannot_log_in(alice: Client, clock: Clock) -> None:
    """The confirmation has used it up."""
    app = enable_mfa(alice, clock)
    assert login(app.code()).slug == "wrong-otp"
    clock.time += PERIOD
    assert login(app.code()).status == 200


@pytest.mark.parametrize(("off", "good"), [(-2, 0), (-1, 1), (0, 1), (1, 1), (2, 0)])
def test_clocks_may_differ_by_one_step(
    app: Authenticator, clock: Clock, off: int, good: int
) -> None:
    """The codes of the step before and after work, and no others."""
    clock.time += 5 * PERIOD
    assert login(app.code(off)).status == (200 if good else 401)


def test_codes_are_accepted_as_people_type_them(app: Authenticator, clock: Clock) -> None:
    """With a space or dashes, in lower or upper case."""
    clock.time += PERIOD
    code = app.code()
    assert login(f"{code[:3]} {code[3:]}").status == 200
    assert login(app.recovery[0].upper()).status == 200
    assert login(app.recovery[1].replace("-", "")).status == 200


@pytest.mark.parametrize(
    "otp", ["12345", "1234567", "12345a", "a" * 15, "\uff11" * 6, "", "x" * 5000]
)
def test_malformed_codes_are_refused(app: Authenticator, behind: Behind, otp: str) -> None:
    """The validation refuses them before anything is read or counted."""
    before = behind.state()
    answer = Client().post("/login", username="alice", password=PASSWORD, otp=otp)
    assert (answer.status, answer.slug) == (422, "invalid-request")
    assert behind.state() == before


def test_each_recovery_code_works_once(alice: Client, app: Authenticator) -> None:
    """The profile shows how many are left."""
    for number, code in enumerate(app.recovery):
        assert login(code).status == 200
        assert login(code).slug == "wrong-otp" or number == 9
        left = alice.get("/me").json()["recovery_codes_left"]
        assert left == 9 - number
        if number == 8:
            break
    assert login("aaaa-aaaa-aaaa-aaaa").slug in {"wrong-otp", "slow-down"}


def test_a_recovery_code_has_128_random_bits(app: Authenticator) -> None:
    """So that nobody finds one by its stored hash."""
    codes = [each.replace("-", "").upper() + "======" for each in app.recovery]
    numbers = {int.from_bytes(base64.b32decode(each), "big") for each in codes}
    assert len(numbers) == 10
    assert max(number.bit_length() for number in numbers) > 120


def test_a_recovery_code_of_an_earlier_release_works(app: Authenticator, behind: Behind) -> None:
    """It has 16 characters, and is used up as the new ones are."""
    old = "abcd-efgh-ijkl-2345"
    behind.change("users", {"username": "alice"}, recovery=[token_hash(old.replace("-", ""))])
    assert login(old).status == 200
    assert login(old).slug == "wrong-otp"


def test_recovery_codes_are_stored_as_hashes(app: Authenticator, behind: Behind) -> None:
    """The secret cannot be hashed: codes are computed from it."""
    row = repr(behind.row("users", username="alice"))
    assert not any(code in row or code.replace("-", "") in row for code in app.recovery)
    assert app.secret in row
    assert app.secret not in repr(behind.rows("files") + behind.rows("sessions"))


def test_wrong_codes_of_a_day_are_limited(alice: Client, app: Authenticator, clock: Clock) -> None:
    """From whatever address; then even a right code is refused until the next day.

    Sessions stay valid, and a recovery code still works.
    """
    clock.time += PERIOD
    wrong = next(each for each in ("000000", "000001") if each != app.code())
    tries = [login(wrong, address=f"203.0.113.{n}") for n in range(WRONG_CODES_OF_DAY + 5)]
    assert [each.status for each in tries] == [401] * WRONG_CODES_OF_DAY + [429] * 5
    wait = int(tries[-1].headers["retry-after"])
    assert 0 < wait <= DAY + 1
    assert login(app.code(), address="203.0.113.99").slug == "slow-down"
    assert alice.get("/me").status == 200
    assert login(app.recovery[0], address="203.0.113.99").status == 200
    clock.time += wait
    assert login(app.code(), address="203.0.113.99").status == 200


def use_up_codes(app: Authenticator) -> Answer:
    """Sends wrong codes until one is refused; the last answer."""
    wrong = next(each for each in ("000000", "000001") if each != app.code())
    return [login(wrong, address=f"203.0.113.{n}") for n in range(WRONG_CODES_OF_DAY + 1)][-1]


def test_the_limit_mentions_the_recovery_code(
    alice: Client, app: Authenticator, clock: Clock
) -> None:
    """Otherwise its owner would wait for a day; at a confirmation there is none to mention."""
    answer = use_up_codes(app)
    assert (answer.status, answer.slug) == (429, "slow-down")
    assert "recovery code" in answer.json()["detail"]
    assert disable_mfa(alice, app.recovery[0]).status == 204
    secret = alice.post("/mfa", current_password=PASSWORD).json()["secret"]
    wrong = next(
        each
        for each in ("000000", "000001")
        if each != totp_code(secret, int(clock.time) // PERIOD)
    )
    told = [
        Client(alice.token, f"198.51.100.{n}").post("/mfa/confirm", otp=wrong)
        for n in range(WRONG_CODES_OF_DAY + 1)
    ]
    assert [each.status for each in told] == [401] * WRONG_CODES_OF_DAY + [429]
    assert "recovery" not in told[-1].json()["detail"]


@pytest.mark.parametrize("by", ["recovery code", "administrator"])
def test_wrong_codes_of_another_secret_do_not_count(
    alice: Client, app: Authenticator, clock: Clock, by: str
) -> None:
    """An owner who lost the old secret starts with a new count on the same day."""
    use_up_codes(app)
    if by == "recovery code":
        assert disable_mfa(alice, app.recovery[0]).status == 204
    else:
        join("root").send("PATCH", "/users/alice", json_={"mfa": False})
        alice = Client(login(address="198.51.100.1").json()["token"])
    again = enable_mfa(alice, clock)
    clock.time += PERIOD
    assert login(again.code(), address="198.51.100.1").status == 200
    assert use_up_codes(again).status == 429


def test_wrong_codes_count_for_the_address_as_well(app: Authenticator) -> None:
    """As wrong passwords do: ten for one name, where its owner has not logged in before."""
    tries = [login("000000", address="203.0.113.9").status for _ in range(11)]
    assert tries == [401] * 10 + [429]


def test_a_stranger_cannot_lock_the_owner_out(app: Authenticator, clock: Clock) -> None:
    """Without the password no code is counted."""
    clock.time += PERIOD
    for number in range(WRONG_CODES_OF_DAY + 5):
        login("000000", password="a guess", address=f"203.0.113.{number}")
    assert login(app.code()).status == 200


def test_guesses_at_the_same_moment_are_counted(
    app: Authenticator, clock: Clock, fake_aws: FakeAws
) -> None:
    """The commit refuses a right code that was read before the count was full."""
    clock.time += PERIOD
    wrong = next(each for each in ("000000", "000001") if each != app.code())

    def fill(call: object) -> None:
        if getattr(call, "operation", "") == "TransactWriteItems":
            fake_aws.before = lambda _: None
            for n in range(WRONG_CODES_OF_DAY):
                login(wrong, address=f"203.0.113.{n}")

    fake_aws.before = fill
    assert login(app.code()).slug == "slow-down"


@pytest.mark.parametrize("kind", ["code", "recovery code"])
def test_one_of_two_logins_with_one_code_succeeds(
    app: Authenticator, clock: Clock, fake_aws: FakeAws, kind: str
) -> None:
    """Although both were read before either was used."""
    clock.time += PERIOD
    code = app.code() if kind == "code" else app.recovery[0]
    others: list[Answer] = []

    def meet(call: object) -> None:
        if getattr(call, "operation", "") == "TransactWriteItems":
            fake_aws.before = lambda _: None
            others.append(login(code))

    fake_aws.before = meet
    mine = login(code)
    assert [each.status for each in others] == [200]
    assert (mine.status, mine.slug) == (401, "wrong-otp")


def test_a_confirmed_factor_ends_other_sessions_and_keys(alice: Client, clock: Clock) -> None:
    """None of them needed a code, and a thief may have begun one; only the caller's stays."""
    thief = Client(login().json()["token"])
    key = {"name": "x", "scopes": ["read"], "current_password": PASSWORD}
    stolen = Client(thief.send("POST", "/keys", json_=key).json()["token"])
    begun = alice.post("/mfa", current_password=PASSWORD).json()
    assert thief.get("/me").status == stolen.get("/files").status == 200
    app = Authenticator(begun["secret"], lambda: clock.time)
    assert alice.post("/mfa/confirm", otp="000000").slug == "wrong-otp"
    assert thief.get("/me").status == 200
    assert alice.post("/mfa/confirm", otp=app.code()).status == 200
    assert thief.get("/me").slug == stolen.get("/files").slug == "not-signed-in"
    assert [each["current"] for each in alice.get("/sessions").json()] == [True]
    assert alice.get("/keys").json() == []


def test_a_code_may_be_sent_in_a_header(alice: Client, clock: Clock) -> None:
    """Wherever a body takes one; that of the body wins. No address contains one."""
    secret = alice.post("/mfa", current_password=PASSWORD).json()["secret"]
    assert alice.post("/mfa/confirm").slug == "otp-required"
    app = Authenticator(secret, lambda: clock.time)
    done = alice.send("POST", "/mfa/confirm", json_={}, headers={"x-otp": app.code()})
    recovery = done.json()["recovery_codes"]
    clock.time += PERIOD
    who = {"username": "alice", "password": PASSWORD}
    wrong = {"x-otp": recovery[1].replace("-", "")[::-1]}
    for fields, otp in ((who, app.code()), (who | {"otp": recovery[0]}, wrong["x-otp"])):
        answer = Client().send("POST", "/login", json_=fields, headers={"X-OTP": otp})
        assert answer.status == 200, answer.text
    assert Client().send("POST", "/login", json_=who, headers=wrong).slug == "wrong-otp"
    for headers in ({}, {"x-otp": recovery[1]}):
        answer = alice.send("DELETE", "/mfa", query={"otp": recovery[1]}, headers=headers)
        assert (answer.status, reason_at(answer, "query.otp")) == (422, "unknown field")
    assert disable_mfa(alice, recovery[1]).status == 204


@pytest.mark.parametrize("of", [lambda app: app.code(), lambda app: app.recovery[3]])
def test_removal_requires_a_code(
    alice: Client, app: Authenticator, clock: Clock, of: Callable[[Authenticator], str]
) -> None:
    """A session alone is not enough; afterwards the password is, and enrolment is possible."""
    clock.time += PERIOD
    assert alice.delete("/mfa").status == 422
    assert disable_mfa(alice, "000000").slug == "wrong-otp"
    assert login().slug == "otp-required"
    assert disable_mfa(alice, of(app)).status == 204
    assert login().status == 200
    me = alice.get("/me").json()
    assert (me["mfa"], me["recovery_codes_left"]) == (False, 0)
    assert disable_mfa(alice, "000000").slug == "no-such-factor"
    again = enable_mfa(alice, clock)
    assert again.secret != app.secret
    clock.time += PERIOD
    assert login(app.code()).slug == "wrong-otp"
    assert login(again.code()).status == 200


def test_a_new_password_keeps_the_second_factor(
    alice: Client, app: Authenticator, clock: Clock
) -> None:
    """One factor does not replace the other."""
    fields = {"current_password": PASSWORD, "new_password": OTHER}
    assert alice.post("/password", **fields).status == 204
    clock.time += PERIOD
    assert login(password=OTHER).slug == "otp-required"
    assert login(app.code(), OTHER).status == 200


def test_enrolment_and_removal_make_two_calls_each(
    alice: Client, clock: Clock, fake_aws: FakeAws
) -> None:
    """One read and one commit."""
    with fake_aws.counted() as made:
        app = enable_mfa(alice, clock)
        disable_mfa(alice, app.recovery[0])
    assert made == ["BatchGetItem", "TransactWriteItems"] * 3


def test_login_with_a_code_makes_two_calls(
    app: Authenticator, clock: Clock, fake_aws: FakeAws
) -> None:
    """As without one: the commit that creates the session uses the code up."""
    clock.time += PERIOD
    for code, calls in (
        (app.code(), ["BatchGetItem", "TransactWriteItems"]),
        (app.recovery[0], ["BatchGetItem", "TransactWriteItems"]),
        (None, ["BatchGetItem"]),
        ("000000", ["BatchGetItem", "TransactWriteItems"]),
    ):
        with fake_aws.counted() as made:
            login(code)
        assert made == calls
