"""What has changed since a cursor, and copies that are kept up by it."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import Behind, Clock
from tests.crashes.world import elsewhere
from tests.support.client import PASSWORD, Answer, Client, join
from tests.support.fake_aws import Call, Ground

DAY = 86_400


def told(answer: Answer) -> list[tuple[str, Any]]:
    """Names with what they are now: their size, or None when they are gone."""
    assert answer.status == 200, answer.text
    return [(each["file_name"], each["file"] and each["file"]["size"]) for each in answer.json()]


def cursor(answer: Answer) -> str:
    assert answer.status == 200, answer.text
    return answer.headers["x-next-cursor"]


def again(username: str) -> Client:
    """Somebody who has logged in again."""
    answer = Client().post("/login", username=username, password=PASSWORD)
    return Client(answer.json()["token"])


@pytest.fixture
def hour(clock: Clock) -> Iterator[Any]:
    """An hour goes by, so that nothing is young any more."""

    def passes() -> None:
        clock.time += 3600

    return passes


def test_what_changes_is_told_in_its_order(alice: Client, clock: Clock, hour: Any) -> None:
    """What came, what is otherwise and what is gone; each name once, as it is now."""
    alice.put("before.txt")
    hour()
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
    assert told(answer) == [("a.txt", 2), ("b.txt", None), ("before.txt", 4)]
    first, gone, _ = answer.json()
    assert first == {"file_name": "a.txt", "gone": False, "was": None, "file": made}
    assert gone == {"file_name": "b.txt", "gone": True, "was": None, "file": None}
    assert "link" not in answer.headers


def test_a_move_is_told_with_both_names(alice: Client, hour: Any) -> None:
    """Where it went first, so that what one has of it can go there."""
    alice.put("a.txt", b"1")
    hour()
    following = cursor(alice.get("/changes", start="now"))
    alice.send("PATCH", "/file", json_={"file_name": "a.txt", "new_name": "in/b.txt"})
    new, old = alice.get("/changes", cursor=following).json()
    assert (new["file_name"], new["was"], new["gone"]) == ("in/b.txt", "a.txt", False)
    assert (old["file_name"], old["was"], old["gone"]) == ("a.txt", None, True)
    assert told(alice.get("/changes", prefix="in/")) == [("in/b.txt", 1)]
    assert alice.get("/changes", prefix="in/").json()[0]["was"] is None
    assert told(alice.get("/changes", prefix="a")) == [("a.txt", None)]


def test_changes_come_in_pages(alice: Client, hour: Any) -> None:
    """Link while more follows, a cursor on each; what is old is told once, in any size."""
    for number in range(5):
        alice.put(f"{number}", bytes(number))
    alice.send("PATCH", "/file", json_={"file_name": "0", "new_name": "zero"})
    hour()
    for limit in (1, 2, 3, 100):
        answer = alice.get("/changes", limit=limit)
        found = told(answer)
        assert len(found) <= max(limit, 2)
        while "link" in answer.headers:
            answer = alice.get("/changes", limit=limit, cursor=cursor(answer))
            found += told(answer)
            assert len(found) < 20
        last = dict(found)
        assert last == {"0": None, "zero": 0, "1": 1, "2": 2, "3": 3, "4": 4}
        assert told(alice.get("/changes", limit=limit, cursor=cursor(answer))) == []


def test_what_is_young_is_told_again(alice: Client, clock: Clock) -> None:
    """For a minute, since what happened before it may still come to light."""
    following = cursor(alice.get("/changes", start="now"))
    alice.put("a.txt", b"1")
    for _ in range(3):
        answer = alice.get("/changes", cursor=following)
        assert told(answer) == [("a.txt", 1)]
        following = cursor(answer)
        clock.time += 20
    clock.time += 1
    following = cursor(alice.get("/changes", cursor=following))
    assert told(alice.get("/changes", cursor=following)) == []


def test_a_change_that_comes_to_light_late_is_told(
    alice: Client, bob: Client, ground: Ground, clock: Clock
) -> None:
    """A commit is held back while a later one is seen and its cursor taken."""
    for share in ({"file_name": "in/", "username": "bob", "permission": "write"},):
        alice.post("/share", **share)
    clock.time += 3600
    following = [cursor(alice.get("/changes", start="now"))]

    def before(call: Call) -> None:
        if call.operation == "TransactWriteItems":
            ground.before = lambda _: None
            with elsewhere():
                clock.time += 20
                alice.put("later.txt", b"22")
                answer = alice.get("/changes", cursor=following[0])
                assert told(answer) == [("later.txt", 2)]
                following[0] = cursor(answer)
                clock.time += 7

    ground.before = before
    assert bob.put("in/held.txt", b"1", username="alice").status == 201
    answer = alice.get("/changes", cursor=following[0])
    assert ("in/held.txt", 1) in told(answer)


def test_a_cursor_ends_with_what_it_is_of(
    alice: Client, bob: Client, clock: Clock, behind: Behind
) -> None:
    """410 when changes after it may be kept no more; another's or another list's is none."""
    following = cursor(alice.get("/changes", start="now"))
    clock.time += behind.settings.keep_seconds - 61
    assert again("alice").get("/changes", cursor=following).status == 200
    clock.time += 2
    alice = again("alice")
    answer = alice.get("/changes", cursor=following)
    assert (answer.status, answer.slug) == (410, "cursor-expired")
    following = cursor(alice.get("/changes", start="now"))
    for client, query in ((again("bob"), {}), (alice, {"prefix": "a"})):
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
def test_odd_questions(alice: Client, query: dict[str, Any]) -> None:
    """422, or ignored where nothing else reads such a field."""
    assert alice.get("/changes", **query).status == 422


def test_one_begins_once(alice: Client) -> None:
    """A start and a cursor are two beginnings."""
    following = cursor(alice.get("/changes", start="now"))
    assert alice.get("/changes", cursor=following, start="now").slug == "invalid-request"


def test_changes_are_ones_own(alice: Client, bob: Client, behind: Behind) -> None:
    """Nobody sees another's, not even of what is shared, nor those of a namesake before."""
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
    """A copy of a folder, kept up as the document says, by somebody who is cut off at times."""

    alice: Client
    limit: int
    files: dict[str, str] = field(default_factory=dict)
    cursor: str | None = None
    fetched: int = 0

    def begin(self) -> None:
        """Take a cursor, then list."""
        following = cursor(self.alice.get("/changes", start="now", prefix="in/"))
        self.files = {}
        for item in self.alice.get("/files", prefix="in/", scope="own", limit=1000).json():
            self.files[item["file_name"]] = item["etag"]
        self.cursor = following

    def hear(self, pages: int) -> bool:
        """Some pages; whether all is heard."""
        if self.cursor is None:
            self.begin()
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
        """What one does with each."""
        if item["gone"]:
            self.files.pop(item["file_name"], None)
            return
        if self.files.get(item["was"]) != item["file"]["etag"]:
            self.fetched += 1
        self.files[item["file_name"]] = item["file"]["etag"]


NAMES = ["in/a", "in/b", "in/c", "out/a", "in/d/e"]
STEP = st.tuples(
    st.sampled_from(["put", "put", "delete", "rename", "rename", "hear", "wait", "lose"]),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    st.integers(0, 27),
)


def do(alice: Client, clock: Clock, mirror: Mirror, step: Any, seen: dict[str, float]) -> None:
    what, name, other, late = step
    now = clock.time
    since = max(seen.get(name, 0), seen.get(other, 0))
    if what in {"put", "delete", "rename"}:
        clock.time = max(now - late, since + 0.001)  # it is seen that much later than it says
        if what == "put":
            alice.put(name, f"{now} {late}".encode())
        elif what == "delete":
            alice.delete("/file", file_name=name)
        else:
            alice.send("PATCH", "/file", json_={"file_name": name, "new_name": other})
        clock.time = now
        seen |= {name: now, other: now}
    elif what == "hear":
        kept = replace(mirror)
        mirror.hear(1 + late % 3)
        if late % 4 == 0:  # cut off before it could note how far it came
            mirror.cursor = kept.cursor
    elif what == "wait":
        clock.time += late * 3
    elif late % 5 == 0:
        mirror.cursor = None


def test_a_copy_is_kept_up_through_anything(ground: Ground, clock: Clock) -> None:
    """Whatever happens and however often it is cut off, in the end it has what is there."""

    @settings(
        max_examples=40,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(STEP, max_size=30), st.integers(1, 4))
    def kept(steps: list[Any], limit: int) -> None:
        ground.reset()
        alice = join("alice")
        mirror = Mirror(alice, limit)
        seen: dict[str, float] = {}
        for step in steps:
            do(alice, clock, mirror, step, seen)
            clock.time += 1
        while not mirror.hear(1):
            pass
        listed = alice.get("/files", prefix="in/", scope="own", limit=1000).json()
        assert mirror.files == {item["file_name"]: item["etag"] for item in listed}

    kept()
