"""Sessions expire when they are idle for `idleMinutes`; API keys do not."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from function import contract
from tests.conftest import Behind, Clock
from tests.support.client import PASSWORD, Client
from tests.support.fake_aws import FakeAws

MINUTE = 60


@pytest.fixture
def idle(
    settings: contract.Settings, rewire: Callable[[contract.Settings], None]
) -> Callable[[int], None]:
    """A function that sets the idle time, in minutes."""
    return lambda minutes: rewire(replace(settings, idle_seconds=minutes * MINUTE))


@pytest.mark.parametrize("minutes", [5, 120, 200])
def test_a_session_expires_when_it_is_idle(
    alice: Client, clock: Clock, idle: Callable[[int], None], minutes: int
) -> None:
    """After the idle time and not before, however long it was in use until then."""
    idle(minutes)
    spare = minutes * MINUTE / 120  # the precision of the record
    for _ in range(3):
        clock.time += minutes * MINUTE - spare - 1
        assert alice.get("/me").status == 200
        clock.time += spare - 1  # too soon for another record
        assert alice.get("/me").status == 200
    clock.time += minutes * MINUTE
    assert alice.get("/me").slug == "not-signed-in"
    assert alice.put("a.txt").slug == "not-signed-in"


def test_a_session_that_was_never_used_is_idle_since_its_login(
    alice: Client, clock: Clock, idle: Callable[[int], None], behind: Behind
) -> None:
    """Also one of an earlier release, which recorded no use before the first request."""
    idle(120)
    (row,) = behind.rows("sessions")
    row.pop("seen")
    behind.put("sessions", row)
    clock.time += 119 * MINUTE
    assert alice.get("/me").status == 200
    clock.time += 121 * MINUTE
    assert alice.get("/me").slug == "not-signed-in"


def test_an_idle_session_is_not_listed_and_a_use_does_not_revive_it(
    alice: Client, clock: Clock, idle: Callable[[int], None]
) -> None:
    """It is over for good; the others go on."""
    idle(120)
    clock.time += 100 * MINUTE
    answer = Client().post("/login", username="alice", password=PASSWORD)
    other = Client(answer.json()["token"])
    clock.time += 50 * MINUTE
    assert [each["current"] for each in other.get("/sessions").json()] == [True]
    assert alice.get("/sessions").slug == "not-signed-in"
    assert alice.get("/sessions").slug == "not-signed-in"


def test_an_api_key_does_not_idle_out(
    alice: Client, clock: Clock, idle: Callable[[int], None]
) -> None:
    """A script may run once a month."""
    idle(120)
    body = {"name": "monthly", "scopes": ["read"], "current_password": PASSWORD}
    key = Client(alice.post("/keys", **body).json()["token"])
    clock.time += 60 * 86_400
    assert key.get("/files").status == 200
    assert alice.get("/files").slug == "not-signed-in"


def test_few_requests_cost_a_write(
    alice: Client, clock: Clock, idle: Callable[[int], None], fake_aws: FakeAws
) -> None:
    """One a minute at most, with the default of two hours."""
    idle(120)
    with fake_aws.counted() as calls:
        for _ in range(600):
            clock.time += 1
            assert alice.get("/me").status == 200
    assert calls.count("UpdateItem") <= 10
