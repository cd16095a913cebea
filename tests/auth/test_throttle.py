"""Windows: a count reaches its limit, refuses with the time to wait, and begins again at 0.

Addresses of one network count together.
"""

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function import base
from function.access.addresses import network
from function.access.windows import Window
from function.aws.dynamodb import ConditionFailed, Dynamo
from function.core.errors import SlowDown
from function.core.runtime import system_runtime
from function.tables.windows import add, increment, left_in, require_left
from tests.conftest import Clock
from tests.crashes.crashes import collide
from tests.support.client import Client
from tests.support.fake_aws import FakeAws

SECONDS, LIMIT = 60, 3


@pytest.fixture
def window(clock: Clock) -> Window:
    return Window(replace(system_runtime(), now=clock), "test", limit=LIMIT, seconds=SECONDS)


@pytest.fixture
def db(fake_aws: FakeAws) -> Dynamo:
    return base.current().db


def test_a_count_ends_at_its_limit(window: Window, db: Dynamo) -> None:
    """Neither one more, nor another commit that requires one left; another subject is free."""
    counter, other = window.counter("192.0.2.1"), window.counter("192.0.2.2")
    for number in range(LIMIT):
        rows = db.read([counter.key])
        assert left_in(rows, counter) == LIMIT - number
        window.check(rows, counter)
        db.commit([increment(counter)])
    rows = db.read([counter.key, other.key])
    assert (left_in(rows, counter), left_in(rows, other)) == (0, LIMIT)
    with pytest.raises(SlowDown):
        window.check(rows, counter)
    for write in (increment(counter), require_left(counter)):
        with pytest.raises(ConditionFailed) as failed:
            db.commit([write, increment(other)])
        assert failed.value.failed == [0]
    assert left_in(db.read([other.key]), other) == LIMIT


def test_a_count_can_be_taken_back_and_exceeded(window: Window, db: Dynamo) -> None:
    """`add` knows no limit, and writes several counters of one row at once."""
    counter, named = window.counter("192.0.2.1"), window.counter("192.0.2.1", "name:alice")
    assert counter.key == named.key
    db.write(add({counter: LIMIT + 2, named: 1}))
    rows = db.read([counter.key])
    assert (left_in(rows, counter), left_in(rows, named)) == (-2, LIMIT - 1)
    db.write(add({counter: -LIMIT}))
    assert left_in(db.read([counter.key]), counter) == LIMIT - 2


def test_the_next_window_begins_at_zero(window: Window, db: Dynamo, clock: Clock) -> None:
    """In a row of its own; the TTL deletes the old one at the end of its window."""
    clock.time = 10 * SECONDS + 0.5
    old = window.counter("192.0.2.1")
    db.commit([increment(old)])
    assert db.read([old.key])[old.key]["expires_at"] == 11 * SECONDS
    clock.time = 11 * SECONDS
    new = window.counter("192.0.2.1")
    assert left_in(db.read([old.key, new.key]), new) == LIMIT


@pytest.mark.parametrize(("passed", "wait"), [(0, 61), (0.5, 60), (59.5, 1)])
def test_the_wait_is_the_rest_of_the_window(
    window: Window, clock: Clock, passed: float, wait: int
) -> None:
    """In whole seconds, and never too short."""
    clock.time = 10 * SECONDS + passed
    problem = window.slow_down(" Hint.")
    assert problem.headers["retry-after"] == str(wait)
    assert problem.detail.endswith(" Hint.")
    clock.time += wait
    assert clock.time >= 11 * SECONDS


@given(st.ip_addresses(v=4).map(str))
def test_an_ipv4_address_counts_for_itself(address: str) -> None:
    """Also as an IPv4-mapped IPv6 address: one /64 would contain all of them."""
    assert network(address) == network(f"::ffff:{address}") == address


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_addresses_of_one_ipv6_network_count_together(address: object, host: int) -> None:
    """A provider gives one customer a /64."""
    top = int(address) >> 64 << 64  # type: ignore[call-overload]
    if top:
        one, other = ipaddress.IPv6Address(top), ipaddress.IPv6Address(top | host)
        assert network(str(one)) == network(str(other)) == f"{one}/64"


@pytest.mark.parametrize("address", ["", "unknown", "192.0.2.300", "a.b", "1" * 500, "é"])
def test_malformed_addresses_count_together(address: str) -> None:
    """Whatever a gateway sends can be counted."""
    assert network(address) == "unknown"


def test_a_failure_counts_although_others_write_the_same_rows(
    alice: Client, fake_aws: FakeAws, clock: Clock
) -> None:
    """A flood at the same moment is no way round the throttle; only its record may be short."""
    clock.time += 900 - clock.time % 900  # a window begins: the attempts wait for the others
    stranger = Client(address="203.0.113.9")
    fields = {"username": "alice", "password": "a guess"}
    fake_aws.before = lambda call: None if call.operation == "UpdateItem" else collide(call)
    tries = [stranger.post("/login", **fields).status for _ in range(11)]
    assert tries == [401] * 10 + [429]
