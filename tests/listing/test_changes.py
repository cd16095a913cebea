"""The changes feed, and copies that clients keep with it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import Behind, Clock
from tests.crashes.world import other_process
from tests.support.client import PASSWORD, Answer, Client, join
from tests.support.fake_aws import Call, FakeAws

DAY = 86_400


def listed_changes(answer: Answer) -> list[tuple[str, Any]]:
    """The listed names with the present size of their files, None when deleted."""
    assert answer.status == 200, answer.text
    return [(each["file_name"], each["file"] and each["file"]["size"]) for each in answer.json()]


def cursor(answer: Answer) -> str:
    assert answer.status == 200, answer.text
    return answer.headers["x-next-cursor"]


def log_in_again(username: str) -> Client:
    """A client with a new session of an account."""
    answer = Client().post("/login", username=username, password=PASSWORD)
    return Client(answer.json()["token"])


@pytest.fixture
def wait_an_hour(clock: Clock) -> Callable[[], None]:
    """Turns the clock, so that no change is recent any more."""

    def wait() -> None:
        clock.time += 3600

    return wait


def test_changes_are_listed_in_order(
    alice: Client, clock: Clock, wait_an_hour: Callable[[], None]
) -> None:
    """Creations, updates and deletions, each name once and with its present state."""
    alice.put("before.txt")
    wait_an_hour()
    following = cursor(alice.get("/changes", start="now"))
    assert alice.get("/changes", cursor=following).json() == []
    alice.put("a.txt", b"1")
    clock.time += 1
    alice.put("b.txt", b"1")
    clock.time += 1
    made = alice.put("a.txt", b"22").json()
    clock.time += 1
    alice.delete("/file", file_name="b.txt")
    clock.time += 1
    alice.send("PATCH", "/file", json_={"file_name": "before.txt", "description": "said"})
    answer = alice.get("/changes", cursor=following)
    assert listed_changes(answer) == [("a.txt", 2), ("b.txt", None), ("before.txt", 4)]
    first, gone, _ = answer.json()
    assert first == {"file_name": "a.txt", "gone": False, "was": None, "file": made}
    assert gone == {"file_name": "b.txt", "gone": True, "was": None, "file": None}
    assert "link" not in answer.headers


def test_a_rename_is_listed_under_both_names(
    alice: Client, wait_an_hour: Callable[[], None]
) -> None:
    """The new name comes first, so that a client can move its copy."""
    alice.put("a.txt", b"1")
    wait_an_hour()
    following = cursor(alice.get("/changes", start="now"))
    alice.send("PATCH", "/file", json_={"file_name": "a.txt", "new_name": "in/b.txt"})
    new, old = alice.get("/changes", cursor=following).json()
    assert (new["file_name"], new["was"], new["gone"]) == ("in/b.txt", "a.txt", False)
    assert (old["file_name"], old["was"], old["gone"]) == ("a.txt", None, True)
    assert listed_changes(alice.get("/changes", prefix="in/")) == [("in/b.txt", 1)]
    assert alice.get("/changes", prefix="in/").json()[0]["was"] is None
    assert listed_changes(alice.get("/changes", prefix="a")) == [("a.txt", None)]


def test_changes_are_paged(alice: Client, wait_an_hour: Callable[[], None]) -> None:
    """`Link` while more follow, a cursor on each answer; old changes come once, for any limit."""
    for number in range(5):
        alice.put(f"{number}", bytes(number))
    alice.send("PATCH", "/file", json_={"file_name": "0", "new_name": "zero"})
    wait_an_hour()
    for limit in (1, 2, 3, 100):
        answer = alice.get("/changes", limit=limit)
        found = listed_changes(answer)
        assert len(found) <= max(limit, 2)
        while "link" in answer.headers:
            answer = alice.get("/changes", limit=limit, cursor=cursor(answer))
            found += listed_changes(answer)
            assert len(found) < 20
        last = dict(found)
        assert last == {"0": None, "zero": 0, "1": 1, "2": 2, "3": 3, "4": 4}
        assert listed_changes(alice.get("/changes", limit=limit, cursor=cursor(answer))) == []


def test_recent_changes_are_sent_again(alice: Client, clock: Clock) -> None:
    """For a minute, since an earlier commit may still become visible."""
    following = cursor(alice.get("/changes", start="now"))
    alice.put("a.txt", b"1")
    for _ in range(3):
        answer = alice.get("/changes", cursor=following)
        assert listed_changes(answer) == [("a.txt", 1)]
        following = cursor(answer)
        clock.time += 20
    clock.time += 1
    following = cursor(alice.get("/changes", cursor=following))
    assert listed_changes(alice.get("/changes", cursor=following)) == []


def test_a_change_that_becomes_visible_late_is_listed(
    alice: Client, bob: Client, fake_aws: FakeAws, clock: Clock
) -> None:
    """A commit is delayed while a later one is read and its cursor is taken."""
    for share in ({"file_name": "in/", "username": "bob", "permission": "write"},):
        alice.post("/share", **share)
    clock.time += 3600
    following = [cursor(alice.get("/changes", start="now"))]

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            fake_aws.before = lambda _: None
            with other_process():
                clock.time += 20
                alice.put("later.txt", b"22")
                answer = alice.get("/changes", cursor=following[0])
                assert listed_changes(answer) == [("later.txt", 2)]
                following[0] = cursor(answer)
                clock.time += 7

    fake_aws.before = before
    assert bob.put("in/held.txt", b"1", username="alice").status == 201
    answer = alice.get("/changes", cursor=following[0])
    assert ("in/held.txt", 1) in listed_changes(answer)


def test_a_cursor_expires_with_the_changes_after_it(
    alice: Client, bob: Client, clock: Clock, behind: Behind
) -> None:
    """410 once changes after it may be deleted; 400 for another account's or another list's."""
    following = cursor(alice.get("/changes", start="now"))
    clock.time += behind.settings.keep_seconds - 61
    assert log_in_again("alice").get("/changes", cursor=following).status == 200
    clock.time += 2
    alice = log_in_again("alice")
    answer = alice.get("/changes", cursor=following)
    assert (answer.status, answer.slug) == (410, "cursor-expired")
    following = cursor(alice.get("/changes", start="now"))
    for client, query in ((log_in_again("bob"), {}), (alice, {"prefix": "a"})):
        assert client.get("/changes", cursor=following, **query).slug == "invalid-cursor"
    for forged in ("", "x", following[:-1], following + "A", "é"):
        assert alice.get("/changes", cursor=forged).slug == "invalid-cursor"
    assert alice.get("/files", cursor=following).slug == "invalid-cursor"
    alice.put("a")
    alice.put("b")
    listed = alice.get("/files", limit=1).headers["x-next-cursor"]
    assert alice.get("/changes", cursor=listed).slug == "invalid-cursor"


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 1001}, {"start": "then"}, {"start": ""}, {"since": "now"}]
)
def test_invalid_parameters_are_refused(alice: Client, query: dict[str, Any]) -> None:
    """Each is 422, as on every other list."""
    assert alice.get("/changes", **query).status == 422


def test_start_and_cursor_exclude_each_other(alice: Client) -> None:
    """A request has one of them."""
    following = cursor(alice.get("/changes", start="now"))
    assert alice.get("/changes", cursor=following, start="now").slug == "invalid-request"


def test_changes_are_those_of_own_files(alice: Client, bob: Client, behind: Behind) -> None:
    """Not of another account's shared files, nor of an earlier account with the same username."""
    alice.put("a.txt")
    alice.post("/share", file_name="a.txt", username="bob")
    assert alice.get("/changes").json() != []
    assert bob.get("/changes").json() == []
    row = behind.row("users", username="alice")
    behind.put("users", row | {"id": "another", "bytes_used": 0, "files_used": 0})
    for session in behind.rows("sessions"):
        if session["username"] == "alice":
            behind.put("sessions", session | {"user_id": "another"})
    assert alice.get("/changes").json() == []


@dataclass
class Mirror:
    """A client that keeps a copy of a folder as documented, and is interrupted at times."""

    alice: Client
    limit: int
    files: dict[str, str] = field(default_factory=dict)
    cursor: str | None = None
    fetched: int = 0

    def start(self) -> None:
        """Takes a cursor, then lists the files."""
        following = cursor(self.alice.get("/changes", start="now", prefix="in/"))
        self.files = {}
        for item in self.alice.get("/files", prefix="in/", scope="own", limit=1000).json():
            self.files[item["file_name"]] = item["etag"]
        self.cursor = following

    def read(self, pages: int) -> bool:
        """Reads some pages of the feed; returns whether it was the last one."""
        if self.cursor is None:
            self.start()
        for _ in range(pages):
            query = {"prefix": "in/", "limit": self.limit, "cursor": self.cursor}
            answer = self.alice.get("/changes", **query)
            assert answer.status == 200, answer.text
            for item in answer.json():
                self.apply(item)
            self.cursor = cursor(answer)
            if "link" not in answer.headers:
                return True
        return False

    def apply(self, item: dict[str, Any]) -> None:
        """Applies one change to the copy."""
        if item["gone"]:
            self.files.pop(item["file_name"], None)
            return
        if self.files.get(item["was"]) != item["file"]["etag"]:
            self.fetched += 1
        self.files[item["file_name"]] = item["file"]["etag"]


NAMES = ["in/a", "in/b", "in/c", "out/a", "in/d/e"]
STEP = st.tuples(
    st.sampled_from(["put", "put", "delete", "rename", "rename", "read", "wait", "lose"]),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    st.integers(0, 27),
)


def run(alice: Client, clock: Clock, mirror: Mirror, step: Any, seen: dict[str, float]) -> None:
    what, name, other, late = step
    now = clock.time
    since = max(seen.get(name, 0), seen.get(other, 0))
    if what in {"put", "delete", "rename"}:
        # The commit becomes visible `late` seconds after its time.
        clock.time = max(now - late, since + 0.001)
        if what == "put":
            alice.put(name, f"{now} {late}".encode())
        elif what == "delete":
            alice.delete("/file", file_name=name)
        else:
            alice.send("PATCH", "/file", json_={"file_name": name, "new_name": other})
        clock.time = now
        seen |= {name: now, other: now}
    elif what == "read":
        kept = replace(mirror)
        mirror.read(1 + late % 3)
        if late % 4 == 0:  # interrupted before it has stored the cursor
            mirror.cursor = kept.cursor
    elif what == "wait":
        clock.time += late * 3
    elif late % 5 == 0:
        mirror.cursor = None


def test_a_copy_kept_by_the_feed_ends_up_right(fake_aws: FakeAws, clock: Clock) -> None:
    """After any changes, pauses and interruptions, the copy has the files that exist."""

    @settings(
        max_examples=40,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(STEP, max_size=30), st.integers(1, 4))
    def kept(steps: list[Any], limit: int) -> None:
        fake_aws.reset()
        alice = join("alice")
        mirror = Mirror(alice, limit)
        seen: dict[str, float] = {}
        for step in steps:
            run(alice, clock, mirror, step, seen)
            clock.time += 1
        while not mirror.read(1):
            pass
        listed = alice.get("/files", prefix="in/", scope="own", limit=1000).json()
        assert mirror.files == {item["file_name"]: item["etag"] for item in listed}

    kept()
