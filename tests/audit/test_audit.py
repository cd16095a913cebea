"""The audit log: each change writes one row without secrets, and administrators query them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from function import contract
from function.audit import service as audit_service
from tests.conftest import Behind, Clock
from tests.crashes.meetings import act_before_commit
from tests.support.api_register import COMMIT, ROUTES, route_of
from tests.support.client import PASSWORD as KNOWN
from tests.support.client import Answer, Client, join
from tests.support.every_operation import NAME, PASSWORD, WRONG, Run
from tests.support.fake_aws import FakeAws
from tests.support.world import World

DAY = 86_400
REFUSALS = {"access.refused", "mfa.refused", "session.refused", "throttled"}


def records(fake_aws: FakeAws, settings: contract.Settings) -> list[dict[str, Any]]:
    """All audit records in the order of time."""
    rows = [row for row in fake_aws.rows(settings.files) if row["partition"].startswith("~audit/")]
    return sorted(rows, key=lambda row: str(row["name"]))


@dataclass
class Watched(Run):
    """A run that reads the audit log after each request that may change something."""

    fake_aws: FakeAws | None = None
    settings: contract.Settings | None = None
    done: Counter[str] = field(default_factory=Counter)

    def send(self, client: Client, method: str, path: str, **sent: Any) -> Answer:
        assert self.fake_aws
        assert self.settings
        if method in {"GET", "HEAD"}:
            return super().send(client, method, path, **sent)
        before = {row["name"] for row in records(self.fake_aws, self.settings)}
        calls = len(self.fake_aws.calls)
        answer: Answer = super().send(client, method, path, **sent)
        new = [r for r in records(self.fake_aws, self.settings) if r["name"] not in before]
        new = [r for r in new if r["action"] not in REFUSALS]
        route = route_of(method, path)
        committed = COMMIT in self.fake_aws.calls[calls:]
        if answer.status >= 400 or not committed:
            assert new == [], (route, answer.status)
        elif not route.unrecorded:
            self.done[str(route)] += 1
            assert len(new) == route.records, (route, answer.status, new)
            for record in new:
                self.name_the_actor(client, path, sent, record)
        return answer

    def name_the_actor(self, client: Client, path: str, sent: Any, record: dict[str, Any]) -> None:
        """The actor is the account of the token, the new account, or the holder of a link."""
        who = (client.token or ".").partition(".")[0] or sent["json_"].get("username")
        if path.startswith(("/s/", "/r/")):
            assert record["actor"].startswith("~")
            assert record["owner"] == "alice"
        elif path == "/password/forgot":  # the caller has proven nothing
            assert record["actor"] == "~stranger"
        elif path == "/password/reset":  # the mailed token proves who
            assert record["actor"] == "alice"
        else:
            assert record["actor"] == who
        assert record["address"] == client.address
        assert record["action"].count(".") == 1


@pytest.fixture
def watched(world: World, fake_aws: FakeAws, settings: contract.Settings) -> Watched:
    """A run of every operation, with the audit log read after each."""
    run = Watched(fake_aws=fake_aws, settings=settings)
    run.everything(world, fake_aws)
    return run


def test_every_change_writes_its_audit_records(watched: Watched) -> None:
    """They name the actor. A refused request writes none; every changing route succeeds once."""
    changing = {route for route in ROUTES if route.method not in {"GET", "HEAD"}}
    unrecorded = {route for route in ROUTES if route.unrecorded}
    assert watched.done.keys() == {str(route) for route in changing - unrecorded}
    assert unrecorded <= changing


def test_no_audit_row_holds_a_secret(
    watched: Watched, fake_aws: FakeAws, settings: contract.Settings
) -> None:
    """It names files and people; passwords, tokens and addresses of links are not in it."""
    text = repr(records(fake_aws, settings))
    assert NAME in text
    assert "bob" in text
    names = {NAME, "the name of a file"}
    secrets = (watched.secrets | watched.never_stored | {PASSWORD, WRONG}) - names
    assert len(secrets) > 20
    assert [secret for secret in secrets if secret in text] == []


def audit(who: Client, **query: str) -> list[dict[str, Any]]:
    answer = who.get("/audit", **query)
    assert answer.status == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def pages(who: Client, **query: str) -> list[list[dict[str, Any]]]:
    """All pages."""
    found = []
    while True:
        answer = who.get("/audit", **query)
        assert answer.status == 200, answer.text
        found.append(answer.json())
        if "x-next-cursor" not in answer.headers:
            return found
        query["cursor"] = answer.headers["x-next-cursor"]


def again(username: str) -> Client:
    """A new session, because the older one has expired."""
    answer = Client().post("/login", username=username, password=KNOWN)
    return Client(answer.json()["token"])


def test_a_record_says_who_did_what_from_where(world: World, clock: Clock) -> None:
    """The newest record is the first."""
    share = {"file_name": "a.txt", "username": "dave", "permission": "write"}
    sent = {"user-agent": "curl/8.5.0" + "x" * 500}
    clock.time += 1
    world.alice.send("POST", "/share", json_=share, headers=sent)
    clock.time += 1
    world.dave.delete("/share", file_name="a.txt", owner="alice")
    left, shared = audit(world.root, limit="2")
    assert shared["at"].endswith("Z")
    assert shared == {
        "at": shared["at"], "action": "share.create", "actor": "alice", "owner": "alice",
        "file_name": "a.txt", "subject": "user:dave write", "address": "192.0.2.0",
        "agent": ("curl/8.5.0" + "x" * 500)[:200], "count": 1,
    }  # fmt: skip
    assert (left["action"], left["actor"], left["owner"]) == ("share.delete", "dave", "alice")


def test_records_are_filtered_by_account(world: World, clock: Clock) -> None:
    """An account is found as the actor and as the owner."""
    clock.time += 1
    world.bob.send("PUT", "/groups/bobs")
    clock.time += 1
    world.bob.delete("/share", file_name="a.txt", owner="alice")
    of_bob = sorted(audit(world.root, username="bob"), key=lambda each: each["at"], reverse=True)
    assert [each["action"] for each in of_bob][:2] == [
        "share.delete", "group.create",
    ]  # fmt: skip
    of_alice = audit(world.root, username="alice")
    assert {"alice", "bob", "carol"} == {each["actor"] for each in of_alice}
    assert audit(world.root, username="zoe") == []


def test_records_are_filtered_by_action(world: World) -> None:
    """A filter is a noun, or a noun and a verb."""
    actions = {each["action"] for each in audit(world.root)}
    assert {"share.create", "link.create", "member.create"} <= actions
    assert {each["action"] for each in audit(world.root, action="share")} == {"share.create"}
    assert audit(world.root, action="share.delete") == []
    assert len(audit(world.root, action="share.create")) == 2
    assert audit(world.root, action="sha") == []


def test_records_are_filtered_by_time(world: World, clock: Clock) -> None:
    """`since` is included and `until` is not."""
    for number in range(4):
        clock.time = 1_790_000_001 + number * DAY
        again("alice").send("PUT", f"/groups/g{number}")
    root = again("root")

    def between(**query: str) -> list[str]:
        found = audit(root, action="group", username="alice", **query)
        return [str(each["subject"]) for each in found]

    assert between(since="2026-09-22T14:13:21Z") == ["g3", "g2", "g1"]
    assert between(since="2026-09-22T14:13:21Z", until="2026-09-24T14:13:21Z") == ["g2", "g1"]
    assert between(since="2026-09-22T16:13:21.001+02:00") == ["g3", "g2"]
    assert between(until="2026-09-22T14:13:21Z")[0] == "g0"


@pytest.mark.parametrize("text", ["yesterday", "2026-09-22", "2026-09-22T14:13:20", ""])
def test_a_time_needs_a_zone(world: World, text: str) -> None:
    """Without one nobody could say which moment it is."""
    answer = world.root.get("/audit", since=text)
    assert (answer.status, answer.slug) == (422, "invalid-request")


@pytest.mark.parametrize(
    "query",
    [{"since": "0001-01-01T00:00:00Z"}, {"until": "9999-12-31T23:59:59-12:00"},
     {"since": "9999-01-01T00:00:00Z"}, {"until": "0001-01-01T00:00:00+14:00"}],
)  # fmt: skip
def test_far_times_cost_few_reads(world: World, fake_aws: FakeAws, query: dict[str, str]) -> None:
    """No day is queried for which no rows are kept."""
    with fake_aws.counted() as calls:
        assert world.root.get("/audit", **query).status == 200
    assert len(calls) < 50


def test_a_query_without_since_covers_seven_days(world: World, clock: Clock) -> None:
    """Older records are found by `since`."""
    clock.time += 8 * DAY
    assert audit(again("root"), action="share") == []
    assert len(audit(again("root"), action="share", since="2026-09-01T00:00:00Z")) == 2


def test_expired_records_are_not_listed(
    world: World, clock: Clock, settings: contract.Settings
) -> None:
    """DynamoDB may not have deleted them yet."""
    clock.time += settings.audit_seconds
    found = [e for page in pages(again("root"), since="2026-01-01T00:00:00Z") for e in page]
    assert [each for each in found if each["action"].startswith("share")] == []


def test_since_after_until_is_refused(world: World) -> None:
    """It is a mistake, to which [] would say that nothing happened. An empty interval is valid."""
    since, until = "2026-09-22T14:13:21Z", "2026-09-22T16:13:20+02:00"
    answer = world.root.get("/audit", since=since, until=until)
    assert (answer.status, answer.slug) == (422, "invalid-request")
    assert audit(world.root, since=since, until=since) == []


def test_a_changed_email_is_recorded_without_the_address(world: World) -> None:
    """The audit log never holds an address."""
    wish = {"email": "new@example.org", "current_password": KNOWN}
    assert world.dave.send("PATCH", "/me", json_=wish).status == 200
    (told,) = audit(world.root, username="dave", action="account.update")
    assert (told["actor"], told["owner"], told["subject"]) == ("dave", "dave", "email")


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_each_record_is_on_one_page(
    world: World, clock: Clock, fake_aws: FakeAws, settings: contract.Settings, limit: int
) -> None:
    """Days without records between them change nothing."""
    for days in (1, 2, 30, 1):
        clock.time += days * DAY
        again("root").send("PATCH", "/users/dave", json_={"quota": days})
    root = again("root")
    all_of_them = records(fake_aws, settings)
    found = [
        e for page in pages(root, since="2026-01-01T00:00:00Z", limit=str(limit)) for e in page
    ]
    assert [each["at"] for each in found] == [row["at"] for row in reversed(all_of_them)]
    quotas = [each["subject"] for each in found if each["action"] == "account.update"]
    assert quotas == ["quota: 1", "quota: 30", "quota: 2", "quota: 1"]


def test_a_page_that_has_read_many_rows_ends_early(
    world: World, clock: Clock, fake_aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be empty, with a cursor by which the next one goes on."""
    monkeypatch.setattr(audit_service, "READ_LIMIT", 60)
    monkeypatch.setattr(audit_service, "BATCH_SIZE", 5)
    clock.time += 1
    for number in range(70):
        world.root.send("PATCH", "/users/dave", json_={"quota": number})
    with fake_aws.counted() as calls:
        assert audit(world.root, action="share") == []
    assert len(calls) < 1 + 16 + 1 + 70 / 5
    found = pages(world.root, action="share")
    assert found[0] == []
    assert sum(map(len, found)) == 2


def test_records_are_spread_over_sixteen_partitions(
    world: World, fake_aws: FakeAws, settings: contract.Settings
) -> None:
    """One partition would bound the changes of all accounts together."""
    for number in range(200):
        world.root.send("PATCH", "/users/dave", json_={"quota": number})
    rows = Counter(row["partition"] for row in records(fake_aws, settings))
    assert rows.keys() == {f"~audit/{shard}" for shard in "0123456789abcdef"}
    assert max(rows.values()) < 50


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_rows_of_an_earlier_release_are_merged(
    world: World, clock: Clock, fake_aws: FakeAws, settings: contract.Settings, behind: Behind,
    limit: int,
) -> None:  # fmt: skip
    """It had a partition for each day. Each record is listed once, in the order of time."""
    for number in range(40):
        clock.time += DAY / 9
        again("root").send("PATCH", "/users/dave", json_={"quota": number})
    for row in records(fake_aws, settings)[::2]:
        behind.delete("files", partition=row["partition"], name=row["name"])
        behind.put("files", row | {"partition": f"~audit/{row['at'][:10]}"})
    root = again("root")
    names = [row["name"] for row in records(fake_aws, settings)]
    assert len(names) == len(set(names)) > 80
    expected = [row["at"] for row in reversed(records(fake_aws, settings))]
    found = pages(root, limit=str(limit), until="2026-09-26T23:59:59Z")
    assert [each["at"] for page in found for each in page] == expected
    assert all(len(page) <= limit for page in found)
    with fake_aws.counted() as calls:
        root.get("/audit", limit=str(limit), until="2026-09-26T23:59:59Z")
    assert len(calls) <= 1 + 16 + 8


def test_a_cursor_belongs_to_one_query(world: World) -> None:
    """Another filter refuses it; another limit does not."""
    cursor = world.root.get("/audit", limit="1").headers["x-next-cursor"]
    for query in ({"username": "bob"}, {"action": "share"}, {"until": "2026-09-22T00:00:00Z"}):
        answer = world.root.get("/audit", cursor=cursor, **query)
        assert (answer.status, answer.slug) == (400, "invalid-cursor")
    assert world.root.get("/audit", cursor=cursor, limit="5").status == 200


def test_a_repeated_commit_writes_one_audit_row(
    alice: Client, fake_aws: FakeAws, settings: contract.Settings, behind: Behind
) -> None:
    """Only the commit that succeeds writes the row."""
    met = act_before_commit(fake_aws, lambda: alice.send("PUT", "/groups/club").status)
    assert alice.send("PUT", "/groups/club").status == 200
    assert met == [201]
    made = [row for row in records(fake_aws, settings) if row["action"] == "group.create"]
    assert len(made) == 1
    assert join("bob").send("PUT", "/groups/club").slug == "group-taken"
    assert len([r for r in behind.rows("files") if r.get("action") == "group.create"]) == 1
