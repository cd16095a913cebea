"""What a request costs: its calls of AWS, exactly, and how many of them wait for one another."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.conftest import Behind
from tests.api.samples import MIB, World
from tests.client import PASSWORD, Answer, Client
from tests.ground import Call, Ground

READ, COMMIT = "BatchGetItem", "TransactWriteItems"
Send = Callable[[World], Answer]

COSTS: dict[str, tuple[Send, int, list[str]]] = {
    "register": (
        lambda w: Client().post("/register", username="erin", password=PASSWORD),
        201,
        ["PutItem"],
    ),
    "login": (
        lambda w: Client().post("/login", username="alice", password=PASSWORD),
        200,
        [READ, "PutItem"],
    ),
    "wrong login": (
        lambda w: Client().post("/login", username="alice", password="wrong"),
        401,
        [READ, "UpdateItem"],
    ),
    "logout": (lambda w: w.alice.post("/logout"), 204, ["UpdateItem"]),
    "me": (lambda w: w.alice.get("/me"), 200, [READ]),
    "get": (lambda w: w.alice.read("a.txt"), 200, [READ, "GetObject"]),
    "get another's": (
        lambda w: w.bob.read("a.txt", username="alice"),
        200,
        [READ, "GetObject"],
    ),
    "get what one has": (
        lambda w: w.alice.send(
            "GET", "/file", query={"file_name": "a.txt"}, headers={"if-none-match": "*"}
        ),
        304,
        [READ],
    ),
    "get what is not there": (lambda w: w.alice.read("b.txt"), 404, [READ]),
    "head": (lambda w: w.alice.send("HEAD", "/file", query={"file_name": "a.txt"}), 200, [READ]),
    "download": (lambda w: w.alice.get("/download", file_name="a.txt"), 200, [READ]),
    "put": (lambda w: w.alice.put("b.txt"), 201, [READ, "PutObject", COMMIT]),
    "replace": (lambda w: w.alice.put("a.txt"), 200, [READ, "PutObject", COMMIT]),
    "replace another's": (
        lambda w: w.carol.put("a.txt", username="alice"),
        200,
        [READ, "PutObject", COMMIT],
    ),
    "put without the right": (lambda w: w.bob.put("a.txt", username="alice"), 404, [READ]),
    "delete": (
        lambda w: w.alice.delete("/file", file_name="a.txt"),
        204,
        [READ, "Query", COMMIT],
    ),
    "share": (
        lambda w: w.alice.post("/share", file_name="a.txt", username="dave"),
        201,
        [READ, COMMIT],
    ),
    "unshare": (
        lambda w: w.alice.delete("/share", file_name="a.txt", username="bob"),
        204,
        [READ, "DeleteItem"],
    ),
    "list, nothing shared": (lambda w: w.alice.get("/files"), 200, [READ, "Query", "Query"]),
    "list, something shared": (
        lambda w: w.bob.get("/files"),
        200,
        [READ, "Query", "Query", READ],
    ),
    "list one's own": (lambda w: w.bob.get("/files", scope="own"), 200, [READ, "Query"]),
    "begin an upload of one PUT": (
        lambda w: w.alice.post("/uploads", file_name="b", size=MIB),
        201,
        [READ, COMMIT],
    ),
    "begin an upload in parts": (
        lambda w: w.alice.post("/uploads", file_name="b", size=100 * MIB),
        201,
        [READ, "CreateMultipartUpload", COMMIT],
    ),
    "sign parts": (
        lambda w: w.alice.post(f"/uploads/{w.upload}/parts", part_numbers=[1, 2, 3]),
        200,
        [READ],
    ),
    "list uploads": (lambda w: w.alice.get("/uploads"), 200, [READ, "Query"]),
    "look at an upload": (
        lambda w: w.alice.get(f"/uploads/{w.upload}"),
        200,
        [READ, "ListParts"],
    ),
    "complete what has not arrived": (
        lambda w: w.alice.post(f"/uploads/{w.upload}/complete"),
        409,
        [READ, "ListParts"],
    ),
    "abort": (
        lambda w: w.alice.delete(f"/uploads/{w.upload}"),
        204,
        [READ, "DeleteItem", "AbortMultipartUpload", "DeleteObject"],
    ),
    "health": (lambda w: w.alice.get("/health"), 200, []),
    "info": (lambda w: w.alice.get("/info"), 200, []),
    "nobody": (lambda w: Client().get("/files"), 401, []),
    "no such route": (lambda w: w.alice.get("/nothing"), 404, []),
    "somebody's bad request": (lambda w: w.alice.get("/files", limit=0), 422, [READ]),
    "nobody's bad request": (lambda w: Client().post("/login", username=1), 422, []),
}


@pytest.mark.parametrize("what", COSTS)
def test_a_request_costs_no_more_than_it_needs(world: World, ground: Ground, what: str) -> None:
    """These calls, and no others."""
    send, status, expected = COSTS[what]
    with ground.counted() as calls:
        answer = send(world)
    assert (answer.status, calls) == (status, expected), answer.text


class Watch:
    """When each call began and ended; calls take a while, so that those at one time overlap."""

    def __init__(self, ground: Ground, seconds: float = 0.02) -> None:
        self.spans: list[tuple[float, float]] = []
        self._began = threading.local()
        self._seconds = seconds
        ground.before, ground.after = self._before, self._after

    def _before(self, call: Call) -> None:
        self._began.at = time.perf_counter()
        time.sleep(self._seconds)

    def _after(self, call: Call, answer: Any) -> Any:
        self.spans.append((self._began.at, time.perf_counter()))
        return answer

    def in_sequence(self) -> int:
        """The most calls of which each began after the one before had ended."""
        count, end = 0, 0.0
        for began, ended in sorted(self.spans, key=lambda span: span[1]):
            if began >= end:
                count, end = count + 1, ended
        return count


def test_the_watch_tells_one_after_another_from_at_once() -> None:
    """Else the next test would show nothing."""
    watch = Watch.__new__(Watch)
    watch.spans = [(0, 2), (1, 3), (4, 6), (5, 7)]
    assert watch.in_sequence() == 2
    watch.spans = [(0, 1), (1, 2), (2, 3)]
    assert watch.in_sequence() == 3


def test_a_list_reads_files_and_grants_at_once(world: World, ground: Ground) -> None:
    """Two calls in sequence for one's own files, three with shared ones."""
    for client, expected in ((world.alice, 2), (world.bob, 3)):
        watch = Watch(ground)
        assert client.get("/files").status == 200
        assert watch.in_sequence() == expected


@pytest.mark.parametrize("owners", [1, 3])
def test_a_list_of_a_hundred_shares_costs_no_more(
    world: World, ground: Ground, behind: Behind, owners: int
) -> None:
    """Whatever their number up to a hundred, and whoever's they are."""
    file = behind.row("files", shelf="alice", name="a.txt")
    grant = behind.row("shares", grantee="user:bob", file="alice/a.txt")
    people = [behind.row("users", username=name) for name in ("alice", "carol", "dave")][:owners]
    for number in range(99):
        person = people[number % owners]
        name, owner = f"in/{number:02}", str(person["username"])
        row = {"shelf": owner, "name": name, "id": f"id{number}", "owner_id": person["id"]}
        behind.put("files", file | row)
        key = {"file": f"{owner}/{name}", "owner": owner, "owner_id": person["id"]}
        behind.put("shares", grant | key | {"file_id": f"id{number}"})
    watch = Watch(ground)
    assert len(world.bob.get("/files").json()) == 100
    assert watch.in_sequence() == 3
