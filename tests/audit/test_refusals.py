"""Refusals on record: failed logins, wrong codes, refused rights and 429s, counted in windows."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Behind, Clock
from tests.http.test_secrets import captured_logs
from tests.support.client import PASSWORD, Client
from tests.support.fake_aws import FakeAws, failure
from tests.support.mfa import enable_mfa
from tests.support.world import World

Refuse = Callable[[World], Any]


def refusals(world: World, **query: str) -> list[dict[str, Any]]:
    """The records of refusals, without those fields that are the same in all."""
    found = world.root.get("/audit", limit="1000", **query).json()
    kinds = ("access.refused", "mfa.refused", "session.refused", "throttled")
    return [each for each in found if each["action"] in kinds]


def summary(records: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("action", "actor", "owner", "address", "count")
    return sorted(tuple(each[name] for name in names) for each in records)


def guess(username: str, address: str, password: str = "a guess") -> int:
    fields = {"username": username, "password": password}
    return Client(address=address).post("/login", **fields).status


def test_failed_logins_are_counted_by_name_address_and_window(world: World, clock: Clock) -> None:
    """One record each; who tried has proven nothing, and the name is that of the owner."""
    for username, address, times in [
        ("alice", "203.0.113.9", 3), ("alice", "203.0.113.10", 1), ("bob", "203.0.113.9", 2),
    ]:  # fmt: skip
        for _ in range(times):
            assert guess(username, address) == 401
    clock.time += 900
    guess("alice", "203.0.113.9")
    assert summary(refusals(world)) == [
        ("session.refused", "~stranger", "alice", "203.0.113.10", 1),
        ("session.refused", "~stranger", "alice", "203.0.113.9", 1),
        ("session.refused", "~stranger", "alice", "203.0.113.9", 3),
        ("session.refused", "~stranger", "bob", "203.0.113.9", 2),
    ]
    found = refusals(world, username="alice", action="session.refused")
    assert [each["owner"] for each in found] == ["alice"] * 3
    assert [each["at"] for each in found] == sorted((each["at"] for each in found), reverse=True)


def test_names_without_an_account_share_a_record(world: World, behind: Behind) -> None:
    """So that invented names make no rows; a name may also be a password in the wrong field."""
    before = len(behind.rows("files"))
    for number in range(30):
        assert guess(f"invented{number}", "203.0.113.9") == 401
    assert summary(refusals(world)) == [
        ("session.refused", "~stranger", "~stranger", "203.0.113.9", 30)
    ]
    assert len(behind.rows("files")) == before + 1
    assert "invented" not in repr(behind.rows("files") + behind.rows("sessions"))


def test_addresses_of_one_network_share_a_record(world: World) -> None:
    """An IPv6 customer has a /64."""
    for host in range(5):
        guess("alice", f"2001:db8::{host + 1}")
    (record,) = refusals(world)
    assert (record["count"], record["address"]) == (5, "2001:db8::5")


def test_wrong_codes_are_counted(world: World, clock: Clock) -> None:
    """At a login, and when the second factor is confirmed or removed."""
    enable_mfa(world.alice, clock)
    for code in ("000000", "aaaa-bbbb-cccc-dddd"):
        fields = {"username": "alice", "password": PASSWORD, "otp": code}
        assert Client(address="203.0.113.9").post("/login", **fields).slug == "wrong-otp"
        headers = {"x-otp": code}
        assert world.alice.send("DELETE", "/mfa", headers=headers).slug == "wrong-otp"
    assert summary(refusals(world)) == [
        ("mfa.refused", "alice", "alice", "192.0.2.0", 2),
        ("mfa.refused", "alice", "alice", "203.0.113.9", 2),
    ]


ACCESS: dict[str, tuple[Refuse, int]] = {
    "role": (lambda w: w.dave.get("/users"), 403),
    "read": (lambda w: w.dave.read("a.txt", username="alice"), 404),
    "nothing": (lambda w: w.dave.read("no.txt", username="alice"), 404),
    "write": (lambda w: w.dave.put("a.txt", username="alice"), 404),
    "delete": (lambda w: w.dave.delete("/file", file_name="a.txt", username="alice"), 404),
    "download": (lambda w: w.dave.get("/download", file_name="a.txt", username="alice"), 404),
    "versions": (lambda w: w.dave.get("/versions", file_name="a.txt", username="alice"), 404),
    "group": (lambda w: w.dave.send("GET", "/groups/team"), 404),
}


@pytest.mark.parametrize("name", ACCESS)
def test_a_refused_right_is_counted(world: World, name: str) -> None:
    """Of a role, of a key's scope, or to what belongs to somebody else."""
    refuse, status = ACCESS[name]
    for _ in range(2):
        assert refuse(world).status == status
    assert summary(refusals(world)) == [("access.refused", "dave", "dave", world.dave.address, 2)]


def test_a_key_without_the_scope_is_counted(world: World) -> None:
    """Under the name of its account."""
    proof = {"current_password": PASSWORD}
    made = world.alice.post("/keys", name="reader", scopes=["read"], **proof).json()
    assert Client(made["token"]).put("b.txt").status == 403
    assert [each["actor"] for each in refusals(world)] == ["alice"]


@pytest.mark.parametrize("path", ["/s/{token}/unlock"])
def test_a_wrong_password_of_a_link_is_counted(world: World, path: str) -> None:
    """Who tried it is a stranger."""
    world.alice.send("PATCH", f"/links/{world.ids.link_id}", json_={"password": PASSWORD})
    visitor = Client(address="203.0.113.9")
    path = path.format(token=world.ids.link_token)
    assert visitor.post(path, password="a wrong guess").status == 401
    assert summary(refusals(world)) == [
        ("access.refused", "~stranger", "~stranger", "203.0.113.9", 1)
    ]


def test_an_own_name_that_does_not_exist_is_no_refusal(world: World, fake_aws: FakeAws) -> None:
    """Nor is anonymous noise: it would make rows of everything that is mistyped."""
    with fake_aws.counted() as calls:
        assert world.alice.read("no.txt").status == 404
        assert Client().get("/files").status == 401
        assert world.alice.get("/nothing").status == 404
    assert calls == ["BatchGetItem"]
    assert refusals(world) == []


def test_throttled_requests_are_counted(world: World) -> None:
    """With the account that was tried, the owner of the session, or neither."""
    for _ in range(13):
        guess("alice", "203.0.113.9")
    change = {"current_password": "a guess", "new_password": "a lamp in the winter rain"}
    for _ in range(12):
        world.bob.post("/password", **change)
    for _ in range(102):
        Client(address="203.0.113.8").get("/s/" + "A" * 43)
    found = [each for each in summary(refusals(world)) if each[0] == "throttled"]
    assert found == [
        ("throttled", "bob", "bob", world.bob.address, 2),
        ("throttled", "~stranger", "alice", "203.0.113.9", 3),
        ("throttled", "~stranger", "~stranger", "203.0.113.8", 2),
    ]


def test_a_flood_costs_few_writes(world: World, fake_aws: FakeAws, behind: Behind) -> None:
    """A record counts a hundred; the process that noticed writes no more in the window."""
    rows = len(behind.rows("files"))
    for _ in range(101):
        assert world.dave.get("/users").status == 403
    with fake_aws.counted() as calls:
        for _ in range(50):
            world.dave.get("/users")
    assert set(calls) == {"BatchGetItem"}
    assert [each["count"] for each in refusals(world)] == [100]
    assert len(behind.rows("files")) == rows + 1


def test_a_refusal_that_cannot_be_recorded_is_answered_alike(
    world: World, fake_aws: FakeAws
) -> None:
    """An error of DynamoDB is no reason for another answer."""
    fake_aws.before = lambda call: (
        failure(call, 500, "InternalServerError") if call.operation == "UpdateItem" else None
    )
    assert world.dave.get("/users").status == 403


def test_refusals_are_listed_in_pages_with_other_records(world: World, clock: Clock) -> None:
    """Each once, by time."""
    for number in range(6):
        clock.time += 450
        world.alice.send("PUT", f"/groups/g{number}")
        guess("alice", f"203.0.113.{number}")
    whole = world.root.get("/audit", limit="1000").json()
    found, query = [], {"limit": "2"}
    while True:
        answer = world.root.send("GET", "/audit", query=query)
        found += answer.json()
        if "x-next-cursor" not in answer.headers:
            break
        query["cursor"] = answer.headers["x-next-cursor"]
    assert found == whole
    assert [each["at"] for each in whole] == sorted((e["at"] for e in whole), reverse=True)
    assert len(refusals(world)) == 6


def test_the_log_names_account_and_address(world: World, behind: Behind) -> None:
    """By id, for requests that succeed and those that are refused; never a secret."""
    ids = {str(row["username"]): row["id"] for row in behind.rows("users")}
    with captured_logs(logging.INFO) as text:
        world.alice.read("a.txt")
        world.dave.get("/users")
        guess("alice", "203.0.113.9")
        guess("nobody", "203.0.113.9")
        guess("alice", "203.0.113.9", PASSWORD)
        Client(address="203.0.113.7").get("/files")
    lines = [json.loads(line) for line in text.getvalue().splitlines() if '"request"' in line]
    seen = dict.fromkeys((each.get("account"), each["address"], each["status"]) for each in lines)
    assert list(seen) == [
        (ids["alice"], world.alice.address, 200),
        (ids["dave"], world.dave.address, 403),
        (ids["alice"], "203.0.113.9", 401),
        (None, "203.0.113.9", 401),
        (ids["alice"], "203.0.113.9", 200),
        (None, "203.0.113.7", 401),
    ]
    assert "a guess" not in text.getvalue()
    assert PASSWORD not in text.getvalue()
