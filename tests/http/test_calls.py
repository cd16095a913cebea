"""The AWS calls of each request, and how many of them are made at the same time."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import Behind
from tests.support.api_register import COMMIT, MIB, QUERY, READ, ROUTES, Route
from tests.support.client import PASSWORD, Answer, Client
from tests.support.fake_aws import Call, FakeAws
from tests.support.links import make
from tests.support.world import World

OTHER = "another horse battery"


@dataclass(frozen=True)
class Case:
    """Another request to a route of the register, or to none, with its status and its calls."""

    name: str
    send: Callable[[World], Answer]
    status: int
    calls: list[str]

    def __str__(self) -> str:
        return self.name


def visit(method: str, path: str, **fields: Any) -> Callable[[World], Answer]:
    """Sends a request without a token; the world's ids replace the parameters of the path."""
    return lambda world: Client().send(method, world.ids.path(path), json_=fields or None)


CASES = (
    Case(
        "POST /register with an invitation",
        lambda w: Client().post(
            "/register", username="erin", password=PASSWORD, invite=w.ids.invitation
        ),
        201,
        [READ, COMMIT],
    ),
    Case(
        "PATCH /users/{username} that changes nothing",
        lambda w: w.root.send("PATCH", "/users/dave", json_={"mfa": False}),
        200,
        [READ],
    ),
    Case(
        "GET /usage of another account",
        lambda w: w.root.get("/usage", username="alice"),
        200,
        [READ],
    ),
    Case(
        "GET /usage of all accounts",
        lambda w: w.root.get("/usage", everybody="true"),
        200,
        [READ, "Scan"],
    ),
    Case(
        "GET /audit, one record",
        lambda w: w.root.get("/audit", limit=1),
        200,
        [READ, *[QUERY] * 17],
    ),
    Case(
        "GET /audit of a week",
        lambda w: w.root.get("/audit", action="share"),
        200,
        [READ, *[QUERY] * 24],
    ),
    Case(
        "POST /login with a wrong password",
        visit("POST", "/login", username="alice", password="wrong"),
        401,
        [READ, COMMIT],
    ),
    Case(
        "POST /logout everywhere",
        lambda w: w.alice.send("POST", "/logout", query={"everywhere": "true"}),
        204,
        [READ, COMMIT],
    ),
    Case(
        "POST /password with a wrong password",
        lambda w: w.alice.post("/password", current_password="wrong", new_password=OTHER),
        401,
        [READ, COMMIT],
    ),
    Case(
        "POST /keys, the first key",
        lambda w: w.bob.post("/keys", name="backup", scopes=["read"], current_password=PASSWORD),
        201,
        [READ, COMMIT],
    ),
    Case("GET /keys without keys", lambda w: w.bob.get("/keys"), 200, [READ]),
    Case("GET /file, bytes", lambda w: w.alice.read("a.txt"), 200, [READ, "GetObject"]),
    Case(
        "GET /file of another account",
        lambda w: w.bob.read("a.txt", username="alice"),
        200,
        [READ, "GetObject"],
    ),
    Case(
        "GET /file that has not changed",
        lambda w: w.alice.send(
            "GET", "/file", query={"file_name": "a.txt"}, headers={"if-none-match": "*"}
        ),
        304,
        [READ],
    ),
    Case("GET /file that does not exist", lambda w: w.alice.read("b.txt"), 404, [READ]),
    Case("PUT /file, a new one", lambda w: w.alice.put("b.txt"), 201, [READ, "PutObject", COMMIT]),
    Case(
        "PUT /file of another account",
        lambda w: w.carol.put("a.txt", username="alice"),
        200,
        [READ, "PutObject", COMMIT],
    ),
    Case(
        "PUT /file without the right",
        lambda w: w.bob.put("a.txt", username="alice"),
        404,
        [READ, "UpdateItem"],
    ),
    Case(
        "DELETE /file permanently",
        lambda w: w.alice.delete("/file", file_name="a.txt", permanent="true"),
        204,
        [READ, COMMIT, READ, QUERY, READ, COMMIT, "DeleteObject", "DeleteItem"],
    ),
    Case(
        "GET /versions of another account",
        lambda w: w.bob.get("/versions", file_name="a.txt", username="alice"),
        200,
        [READ],
    ),
    Case(
        "PATCH /file, a folder that does not exist",
        lambda w: w.alice.send("PATCH", "/file", json_={"file_name": "a/", "new_name": "b/"}),
        404,
        [READ, QUERY, QUERY, READ, QUERY, QUERY, READ, QUERY],
    ),
    Case(
        "POST /copy without replacing",
        lambda w: w.alice.post("/copy", file_name="a.txt", new_name="b.txt"),
        201,
        [READ, COMMIT],
    ),
    Case(
        "POST /copy of another account",
        lambda w: w.bob.post("/copy", file_name="a.txt", new_name="b.txt", username="alice"),
        201,
        [READ, COMMIT],
    ),
    Case(
        "PATCH /file, tags",
        lambda w: w.alice.send("PATCH", "/file", json_={"file_name": "a.txt", "tags": ["x"]}),
        200,
        [READ, COMMIT],
    ),
    Case(
        "GET /shares with me",
        lambda w: w.bob.get("/shares", with_me="true"),
        200,
        [READ, QUERY, READ],
    ),
    Case(
        "PUT /groups/{group}, a new one",
        lambda w: w.bob.send("PUT", "/groups/new"),
        201,
        [READ, COMMIT],
    ),
    Case(
        "GET /groups, invitations",
        lambda w: w.dave.get("/groups", invited="true"),
        200,
        [READ, QUERY],
    ),
    Case(
        "POST /share with a group",
        lambda w: w.alice.post("/share", file_name="a.txt", group="team"),
        201,
        [READ, COMMIT],
    ),
    Case("GET /files, nothing shared", lambda w: w.dave.get("/files"), 200, [READ, QUERY, QUERY]),
    Case(
        "GET /files, something shared",
        lambda w: w.bob.get("/files"),
        200,
        [READ, QUERY, QUERY, READ],
    ),
    Case("GET /files, own", lambda w: w.bob.get("/files", scope="own"), 200, [READ, QUERY]),
    Case(
        "GET /files by time",
        lambda w: w.alice.get("/files", sort="modified"),
        200,
        [READ, QUERY, QUERY, QUERY, READ],
    ),
    Case(
        "GET /files by words",
        lambda w: w.alice.get("/files", q="a", scope="own"),
        200,
        [READ, QUERY, READ],
    ),
    Case(
        "GET /files by tag",
        lambda w: w.alice.get("/files", tag="a", scope="own"),
        200,
        [READ, QUERY],
    ),
    Case("GET /changes, all", lambda w: w.alice.get("/changes"), 200, [READ, QUERY, READ]),
    Case("GET /changes, start", lambda w: w.alice.get("/changes", start="now"), 200, [READ]),
    Case(
        "POST /uploads in one PUT",
        lambda w: w.alice.post("/uploads", file_name="b", size=MIB),
        201,
        [READ, COMMIT],
    ),
    Case(
        "POST /uploads of a new file",
        lambda w: w.alice.post("/uploads", file_name="b", size=100 * MIB),
        201,
        [READ, "CreateMultipartUpload", COMMIT],
    ),
    Case(
        "POST /uploads/{upload_id}/complete without parts",
        lambda w: w.alice.post(f"/uploads/{w.ids.upload_id}/complete"),
        409,
        [READ, "ListParts"],
    ),
    Case(
        "POST /links without options",
        lambda w: w.alice.post("/links", items=["a.txt"]),
        201,
        [READ, COMMIT],
    ),
    Case(
        "GET /s/{token} that does not exist",
        visit("GET", "/s/" + "A" * 43),
        404,
        [QUERY, COMMIT],
    ),
    Case(
        "POST /s/{token}/unlock without a password",
        visit("POST", "/s/{token}/unlock"),
        200,
        [QUERY, READ],
    ),
    Case(
        "POST /s/{token}/download, an invalid form",
        visit("POST", "/s/{token}/download", unknown=1),
        422,
        [],
    ),
    Case(
        "GET /r/{token} that does not exist",
        visit("GET", "/r/" + "A" * 43),
        404,
        [READ, COMMIT],
    ),
    Case(
        "POST /r/{token}/uploads in one PUT",
        visit("POST", "/r/{token}/uploads", file_name="b", size=MIB),
        201,
        [READ, COMMIT],
    ),
    Case(
        "POST /r/{token}/uploads/{upload_id}/complete without parts",
        visit("POST", "/r/{token}/uploads/{upload_id}/complete"),
        409,
        [READ, READ, "ListParts"],
    ),
    Case("GET /files without a token", visit("GET", "/files"), 401, []),
    Case("no such route", lambda w: w.alice.get("/nothing"), 404, []),
    Case("GET /files, invalid", lambda w: w.alice.get("/files", limit=0), 422, [READ]),
    Case("POST /login, invalid", visit("POST", "/login", username=1), 422, []),
)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_the_request_of_the_register_makes_these_calls(
    world: World, fake_aws: FakeAws, route: Route
) -> None:
    """In this order, unless threads make them, and no others."""
    with fake_aws.counted() as calls:
        answer = world.send(world.sender(route), route)
    assert answer.status == route.status, answer.text
    if route.concurrent:
        assert sorted(calls) == sorted(route.calls)
    else:
        assert calls == list(route.calls)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_another_request_makes_these_calls(world: World, fake_aws: FakeAws, case: Case) -> None:
    """In this order, and no others."""
    with fake_aws.counted() as calls:
        answer = case.send(world)
    assert (answer.status, calls) == (case.status, case.calls), answer.text


def test_a_counted_download_makes_fewer_calls(world: World, fake_aws: FakeAws) -> None:
    """With its access token it is not counted again; a password adds three writes to unlocking."""
    path = f"/s/{world.ids.link_token}/download"
    grant = Client().post(path).headers["x-link-grant"]
    with fake_aws.counted() as calls:
        assert Client().post(path, file_name="a.txt", grant=grant).status == 303
    assert calls == [QUERY, READ]
    world.alice.send("PATCH", f"/links/{world.ids.link_id}", json_={"password": "knock twice"})
    with fake_aws.counted() as calls:
        unlocked = Client().post(f"/s/{world.ids.link_token}/unlock", password="knock twice")
    assert unlocked.status == 200
    assert calls == [QUERY, READ, COMMIT, COMMIT, "PutItem"]


def test_an_alias_adds_one_read(world: World, fake_aws: FakeAws) -> None:
    """The same call reads how many unknown aliases the client's address has requested."""
    link = make(world.alice, "a.txt", alias="summer")
    with fake_aws.counted() as calls:
        assert link.open().status == 200
    assert calls == [READ, QUERY, READ, "UpdateItem"]
    with fake_aws.counted() as calls:
        assert Client().get("/s/winter").status == 404
    assert calls == [READ, COMMIT]


def test_restoring_makes_at_most_two_reads(world: World, fake_aws: FakeAws) -> None:
    """Restoring from the trash by id makes one read; by name, or of a version, two."""
    world.alice.put("a.txt", b"second")
    with fake_aws.counted() as calls:
        assert world.alice.post("/restore", file_name="a.txt", version=1).status == 200
    assert calls == [READ, READ, COMMIT]
    world.alice.delete("/file", file_name="a.txt")
    (item,) = world.alice.get("/trash").json()
    with fake_aws.counted() as calls:
        answer = world.alice.post("/restore", file_name="a.txt", id=item["id"])
        assert answer.status == 200
    assert calls == [READ, COMMIT]
    world.alice.delete("/file", file_name="a.txt")
    with fake_aws.counted() as calls:
        assert world.alice.post("/restore", file_name="a.txt").status == 200
    assert calls == [READ, QUERY, COMMIT]


class Rounds:
    """Blocks each AWS call until all calls of its round are made; calls in sequence never are."""

    def __init__(self, fake_aws: FakeAws, *sizes: int, seconds: float = 10) -> None:
        """`sizes` are the numbers of calls at the same time, round after round."""
        self.fake_aws, self.made = fake_aws, 0
        barriers = [threading.Barrier(size, timeout=seconds) for size in sizes]
        self._of_call = [at for at, size in zip(barriers, sizes, strict=True) for _ in range(size)]
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self.fake_aws.before = self._before

    def __exit__(self, *_: object) -> None:
        self.fake_aws.before = lambda _: None
        assert self.made == len(self._of_call)

    def _before(self, _: Call) -> None:
        with self._lock:
            self.made += 1
            barrier = self._of_call[self.made - 1]
        barrier.wait()


def test_rounds_fail_for_calls_in_sequence(world: World, fake_aws: FakeAws) -> None:
    """Two calls of which one waits for the other are not a round of two."""
    fake_aws.before = Rounds(fake_aws, 2, seconds=0.05)._before
    assert world.alice.read("a.txt").status == 500


def test_a_list_reads_files_and_grants_at_the_same_time(world: World, fake_aws: FakeAws) -> None:
    """A list of own files makes two rounds of calls, with shared files three."""
    with Rounds(fake_aws, 1, 2):
        assert world.dave.get("/files").status == 200
    with Rounds(fake_aws, 1, 3):  # the grants to a group as well
        assert world.alice.get("/files").status == 200
    with Rounds(fake_aws, 1, 2, 1):
        assert world.bob.get("/files").status == 200


def test_a_level_is_read_in_two_rounds(world: World, fake_aws: FakeAws) -> None:
    """Folders and file names are queried at the same time, then the rows of the files."""
    world.alice.put("in/b.txt")
    with Rounds(fake_aws, 1, 2, 1):
        assert len(world.alice.get("/files", folders="true").json()) == 2


def test_a_list_through_many_groups_makes_three_rounds(world: World, fake_aws: FakeAws) -> None:
    """The grants to all groups are queried at the same time, then their files and owners."""
    for number in range(20):
        path = f"/groups/g{number}"
        assert world.alice.send("PUT", path).status == 201
        assert world.alice.send("PUT", f"{path}/members/dave").status == 201
        assert world.dave.send("PUT", f"{path}/members/dave").status == 200
    share = {"file_name": "a.txt", "group": "g7"}
    assert world.alice.post("/share", **share).status == 201
    with Rounds(fake_aws, 1, 21, 1):
        assert world.dave.names(scope="shared") == ["alice/a.txt"]
    with Rounds(fake_aws, 1, 21, 1):
        assert len(world.dave.get("/shares", with_me="true").json()) == 1
    with Rounds(fake_aws, 1, 1, 1):
        assert world.dave.read("a.txt", username="alice").status == 200


@pytest.mark.parametrize("owners", [1, 3])
@pytest.mark.odd_rows
def test_a_list_of_a_hundred_shares_makes_three_rounds(
    world: World, fake_aws: FakeAws, behind: Behind, owners: int
) -> None:
    """The number of rounds does not depend on the number of shares or of owners."""
    file = behind.row("files", partition="alice", name="a.txt")
    grant = behind.row("shares", grantee="user:bob", file="alice/a.txt")
    people = [behind.row("users", username=name) for name in ("alice", "carol", "dave")][:owners]
    for number in range(99):
        person = people[number % owners]
        name, owner = f"in/{number:02}", str(person["username"])
        row = {"partition": owner, "name": name, "id": f"id{number}", "owner_id": person["id"]}
        behind.put("files", file | row)
        key = {"file": f"{owner}/{name}", "owner": owner, "owner_id": person["id"]}
        behind.put("shares", grant | key | {"file_id": f"id{number}"})
    with Rounds(fake_aws, 1, 2, 3):  # about two hundred rows, a hundred in a call
        assert len(world.bob.get("/files").json()) == 100


def test_a_link_reads_ten_folders_at_the_same_time(world: World, fake_aws: FakeAws) -> None:
    """Forty folders take four rounds; folders after the end of the page are not read."""
    for number in range(40):
        world.alice.put(f"in{number:02}/a", b"")
    link = make(world.alice, *(f"in{number:02}/" for number in range(40)))
    with Rounds(fake_aws, 1, 1, 10, 10, 10, 10, 1):
        assert len(link.names()) == 40
    with Rounds(fake_aws, 1, 1, 10, 1):
        assert link.names(limit=9) == [f"in{number:02}/a" for number in range(9)]
    following = link.open(limit=9).headers["x-next-cursor"]
    with Rounds(
        fake_aws, 1, 1, 10, 10, 10, 2, 1
    ):  # the folder in which it resumes, and those after it
        assert len(link.names(cursor=following)) == 31
