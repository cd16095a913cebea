"""The AWS calls of each request, and how many of them are made at the same time."""

import threading
from collections.abc import Callable

import pytest

from tests.conftest import Behind
from tests.support.client import PASSWORD, Answer, Client
from tests.support.fake_aws import Call, Ground
from tests.support.links import make
from tests.support.samples import MIB, World

READ, COMMIT = "BatchGetItem", "TransactWriteItems"
OTHER = "another horse battery"
Send = Callable[[World], Answer]

COSTS: dict[str, tuple[Send, int, list[str]]] = {
    "register": (
        lambda w: Client().post("/register", username="erin", password=PASSWORD),
        201,
        [COMMIT],
    ),
    "register with an invitation": (
        lambda w: Client().post(
            "/register", username="erin", password=PASSWORD, invite=w.ids["invitation"]
        ),
        201,
        [READ, COMMIT],
    ),
    "invite": (lambda w: w.root.post("/invites"), 201, [READ, COMMIT]),
    "list accounts": (lambda w: w.root.get("/users"), 200, [READ, "Scan"]),
    "change an account": (
        lambda w: w.root.send("PATCH", "/users/dave", json_={"disabled": True}),
        200,
        [READ, COMMIT],
    ),
    "change nothing of an account": (
        lambda w: w.root.send("PATCH", "/users/dave", json_={"mfa": False}),
        200,
        [READ],
    ),
    "make a token for another's password": (
        lambda w: w.root.post("/users/dave/reset"),
        201,
        [READ, COMMIT],
    ),
    "close an account": (
        lambda w: w.root.delete("/users/dave"),
        204,
        [READ, COMMIT, "Query", "Query", READ, "Query", "Query", "Query", COMMIT],
    ),
    "usage": (lambda w: w.alice.get("/usage"), 200, [READ]),
    "another's usage": (lambda w: w.root.get("/usage", username="alice"), 200, [READ]),
    "everybody's usage": (lambda w: w.root.get("/usage", everybody="true"), 200, [READ, "Scan"]),
    "the last changes": (lambda w: w.root.get("/audit", limit=1), 200, [READ, "Query"]),
    "the changes of a week": (
        lambda w: w.root.get("/audit", action="share"),
        200,
        [READ, *["Query"] * 8],
    ),
    "list invitations": (lambda w: w.root.get("/invites"), 200, [READ, "Query"]),
    "take an invitation back": (
        lambda w: w.root.delete(f"/invites/{w.ids['invite_id']}"),
        204,
        [READ, COMMIT],
    ),
    "login": (
        lambda w: Client().post("/login", username="alice", password=PASSWORD),
        200,
        [READ, COMMIT],
    ),
    "wrong login": (
        lambda w: Client().post("/login", username="alice", password="wrong"),
        401,
        [READ, "UpdateItem"],
    ),
    "logout": (lambda w: w.alice.post("/logout"), 204, [COMMIT]),
    "logout everywhere": (
        lambda w: w.alice.send("POST", "/logout", query={"everywhere": "true"}),
        204,
        [READ, COMMIT],
    ),
    "me": (lambda w: w.alice.get("/me"), 200, [READ]),
    "change one's address": (
        lambda w: w.alice.send(
            "PATCH", "/me", json_={"email": "a@example.org", "current_password": PASSWORD}
        ),
        200,
        [READ, COMMIT],
    ),
    "change one's password": (
        lambda w: w.alice.post("/password", current_password=PASSWORD, new_password=OTHER),
        204,
        [READ, COMMIT],
    ),
    "change one's password wrongly": (
        lambda w: w.alice.post("/password", current_password="wrong", new_password=OTHER),
        401,
        [READ, "UpdateItem"],
    ),
    "forget one's password": (
        lambda w: Client().post("/password/forgot", username="alice"),
        202,
        [READ, COMMIT, "SendEmail"],
    ),
    "choose another with a wrong token": (
        lambda w: Client().post("/password/reset", token="alice." + "A" * 43, new_password=OTHER),
        403,
        [READ],
    ),
    "list sessions": (lambda w: w.alice.get("/sessions"), 200, [READ, "Query", READ]),
    "end a session": (
        lambda w: w.alice.delete(f"/sessions/{w.ids['session_id']}"),
        204,
        [READ, COMMIT],
    ),
    "make a key": (
        lambda w: w.bob.post("/keys", name="backup", scopes=["read"]),
        201,
        [READ, COMMIT],
    ),
    "list no keys": (lambda w: w.bob.get("/keys"), 200, [READ]),
    "list keys": (lambda w: w.alice.get("/keys"), 200, [READ, READ]),
    "revoke a key": (
        lambda w: w.alice.delete(f"/keys/{w.ids['key_id']}"),
        204,
        [READ, COMMIT],
    ),
    "begin with a second factor": (
        lambda w: w.alice.post("/mfa", current_password=PASSWORD),
        201,
        [READ, COMMIT],
    ),
    "confirm none": (lambda w: w.alice.post("/mfa/confirm", otp="123456"), 404, [READ]),
    "take none off": (lambda w: w.alice.delete("/mfa", otp="123456"), 404, [READ]),
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
        [READ, COMMIT],
    ),
    "delete for good": (
        lambda w: w.alice.delete("/file", file_name="a.txt", permanent="true"),
        204,
        [READ, COMMIT, READ, "Query", READ, COMMIT, "DeleteObject", "DeleteItem"],
    ),
    "list versions": (lambda w: w.alice.get("/versions", file_name="a.txt"), 200, [READ, "Query"]),
    "list another's versions": (
        lambda w: w.bob.get("/versions", file_name="a.txt", username="alice"),
        200,
        [READ],
    ),
    "list the trash": (lambda w: w.alice.get("/trash"), 200, [READ, "Query"]),
    "empty an empty trash": (lambda w: w.alice.delete("/trash"), 204, [READ, "Query"]),
    "how far a job is": (lambda w: w.alice.get(f"/jobs/{w.ids['job_id']}"), 200, [READ]),
    "move a folder": (
        lambda w: w.alice.send("PATCH", "/file", json_={"file_name": "a/", "new_name": "b/"}),
        404,
        [READ, "Query", "Query", READ, "Query", "Query", READ, "Query"],
    ),
    "copy": (
        lambda w: w.alice.post("/copy", file_name="a.txt", new_name="b.txt"),
        201,
        [READ, COMMIT],
    ),
    "copy another's": (
        lambda w: w.bob.post("/copy", file_name="a.txt", new_name="b.txt", username="alice"),
        201,
        [READ, COMMIT],
    ),
    "describe": (
        lambda w: w.alice.send("PATCH", "/file", json_={"file_name": "a.txt", "tags": ["x"]}),
        200,
        [READ, COMMIT],
    ),
    "rename": (
        lambda w: w.alice.send("PATCH", "/file", json_={"file_name": "a.txt", "new_name": "b"}),
        200,
        [READ, READ, COMMIT],
    ),
    "who can reach it": (lambda w: w.alice.get("/shares", file_name="a.txt"), 200, [READ, READ]),
    "what is shared with me": (
        lambda w: w.bob.get("/shares", with_me="true"),
        200,
        [READ, "Query", READ],
    ),
    "share": (
        lambda w: w.alice.post("/share", file_name="a.txt", username="dave"),
        201,
        [READ, COMMIT],
    ),
    "unshare": (
        lambda w: w.alice.delete("/share", file_name="a.txt", username="bob"),
        204,
        [READ, COMMIT],
    ),
    "make a group": (lambda w: w.bob.send("PUT", "/groups/new"), 201, [READ, COMMIT]),
    "add a member": (
        lambda w: w.alice.send("PUT", "/groups/team/members/dave"),
        201,
        [READ, COMMIT],
    ),
    "remove a member": (
        lambda w: w.alice.send("DELETE", "/groups/team/members/carol"),
        204,
        [READ, COMMIT],
    ),
    "list groups": (lambda w: w.alice.get("/groups"), 200, [READ, READ]),
    "list members": (lambda w: w.alice.get("/groups/team"), 200, [READ, "Query"]),
    "share with a group": (
        lambda w: w.alice.post("/share", file_name="a.txt", group="team"),
        201,
        [READ, COMMIT],
    ),
    "list, nothing shared": (lambda w: w.dave.get("/files"), 200, [READ, "Query", "Query"]),
    "list, something shared": (
        lambda w: w.bob.get("/files"),
        200,
        [READ, "Query", "Query", READ],
    ),
    "list one's own": (lambda w: w.bob.get("/files", scope="own"), 200, [READ, "Query"]),
    "list by time": (
        lambda w: w.alice.get("/files", sort="modified"),
        200,
        [READ, "Query", "Query", "Query", READ],
    ),
    "search": (lambda w: w.alice.get("/files", q="a", scope="own"), 200, [READ, "Query", READ]),
    "search by tag": (lambda w: w.alice.get("/files", tag="a", scope="own"), 200, [READ, "Query"]),
    "what has changed": (lambda w: w.alice.get("/changes"), 200, [READ, "Query", READ]),
    "begin a copy": (lambda w: w.alice.get("/changes", start="now"), 200, [READ]),
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
        [READ, COMMIT, "AbortMultipartUpload", "DeleteObject"],
    ),
    "make a link": (lambda w: w.alice.post("/links", items=["a.txt"]), 201, [READ, COMMIT]),
    "list links": (lambda w: w.alice.get("/links"), 200, [READ, "Query", READ]),
    "look at a link": (lambda w: w.alice.get(f"/links/{w.ids['link_id']}"), 200, ["Query", READ]),
    "change a link": (
        lambda w: w.alice.send("PATCH", f"/links/{w.ids['link_id']}", json_={"note": "new"}),
        200,
        ["Query", READ, COMMIT],
    ),
    "revoke a link": (
        lambda w: w.alice.delete(f"/links/{w.ids['link_id']}"),
        204,
        ["Query", READ, COMMIT],
    ),
    "what was done with a link": (
        lambda w: w.alice.get(f"/links/{w.ids['link_id']}/events"),
        200,
        ["Query", READ, "Query"],
    ),
    "open a link": (
        lambda w: Client().get(f"/s/{w.ids['token']}"),
        200,
        ["Query", READ, "UpdateItem"],
    ),
    "open a link that is not there": (
        lambda w: Client().get("/s/" + "A" * 43),
        404,
        ["Query", COMMIT],
    ),
    "unlock a link without a password": (
        lambda w: Client().post(f"/s/{w.ids['token']}/unlock"),
        200,
        ["Query", READ],
    ),
    "download by a link": (
        lambda w: Client().post(f"/s/{w.ids['token']}/download", file_name="a.txt"),
        303,
        ["Query", READ, COMMIT],
    ),
    "nobody's bad form": (
        lambda w: Client().post(f"/s/{w.ids['token']}/download", unknown=1),
        422,
        [],
    ),
    "make a request": (
        lambda w: w.alice.post("/requests", title="Slides", folder="in/"),
        201,
        [READ, COMMIT],
    ),
    "list requests": (lambda w: w.alice.get("/requests"), 200, [READ, "Query", READ]),
    "one request": (lambda w: w.alice.get(f"/requests/{w.ids['request_id']}"), 200, [READ]),
    "change a request": (
        lambda w: w.alice.send("PATCH", f"/requests/{w.ids['request_id']}", json_={"open": False}),
        200,
        [READ, COMMIT],
    ),
    "delete a request": (
        lambda w: w.alice.delete(f"/requests/{w.ids['request_id']}"),
        204,
        [READ, COMMIT],
    ),
    "look at a request": (lambda w: Client().get(f"/r/{w.ids['asked']}"), 200, [READ, READ]),
    "look at none": (lambda w: Client().get("/r/" + "A" * 43), 404, [READ, COMMIT]),
    "send a file in one PUT": (
        lambda w: Client().post(f"/r/{w.ids['asked']}/uploads", file_name="b", size=MIB),
        201,
        [READ, COMMIT],
    ),
    "send a file in parts": (
        lambda w: Client().post(f"/r/{w.ids['asked']}/uploads", file_name="b", size=100 * MIB),
        201,
        [READ, "CreateMultipartUpload", COMMIT],
    ),
    "sign parts of what is sent": (
        lambda w: Client().post(
            f"/r/{w.ids['asked']}/uploads/{w.ids['sent']}/parts", part_numbers=[1, 2]
        ),
        200,
        [READ, READ],
    ),
    "look at what is sent": (
        lambda w: Client().get(f"/r/{w.ids['asked']}/uploads/{w.ids['sent']}"),
        200,
        [READ, READ, "ListParts"],
    ),
    "complete what was not sent": (
        lambda w: Client().post(f"/r/{w.ids['asked']}/uploads/{w.ids['sent']}/complete"),
        409,
        [READ, READ, "ListParts"],
    ),
    "give up what is sent": (
        lambda w: Client().delete(f"/r/{w.ids['asked']}/uploads/{w.ids['sent']}"),
        204,
        [READ, READ, COMMIT, "AbortMultipartUpload", "DeleteObject"],
    ),
    "health": (lambda w: w.alice.get("/health"), 200, []),
    "info": (lambda w: w.alice.get("/info"), 200, []),
    "nobody": (lambda w: Client().get("/files"), 401, []),
    "no such route": (lambda w: w.alice.get("/nothing"), 404, []),
    "somebody's bad request": (lambda w: w.alice.get("/files", limit=0), 422, [READ]),
    "nobody's bad request": (lambda w: Client().post("/login", username=1), 422, []),
}


@pytest.mark.parametrize("what", COSTS)
def test_a_request_makes_these_calls(world: World, ground: Ground, what: str) -> None:
    """A request makes the calls of its row in COSTS, in that order, and no other."""
    send, status, expected = COSTS[what]
    with ground.counted() as calls:
        answer = send(world)
    assert (answer.status, calls) == (status, expected), answer.text


def test_a_counted_download_makes_fewer_calls(world: World, ground: Ground) -> None:
    """With its access token it is not counted again; a password adds three writes to unlocking."""
    path = f"/s/{world.ids['token']}/download"
    grant = Client().post(path).headers["x-link-grant"]
    with ground.counted() as calls:
        assert Client().post(path, file_name="a.txt", grant=grant).status == 303
    assert calls == ["Query", READ]
    world.alice.send("PATCH", f"/links/{world.ids['link_id']}", json_={"password": "x"})
    with ground.counted() as calls:
        assert Client().post(f"/s/{world.ids['token']}/unlock", password="x").status == 200
    assert calls == ["Query", READ, COMMIT, COMMIT, "PutItem"]


def test_an_alias_adds_one_read(world: World, ground: Ground) -> None:
    """The same call reads how many unknown aliases the client's address has requested."""
    link = make(world.alice, "a.txt", alias="summer")
    with ground.counted() as calls:
        assert link.open().status == 200
    assert calls == [READ, "Query", READ, "UpdateItem"]
    with ground.counted() as calls:
        assert Client().get("/s/winter").status == 404
    assert calls == [READ, COMMIT]


def test_restoring_makes_at_most_two_reads(world: World, ground: Ground) -> None:
    """Restoring from the trash by id makes one read; by name, or of a version, two."""
    world.alice.put("a.txt", b"second")
    with ground.counted() as calls:
        assert world.alice.post("/restore", file_name="a.txt", version=1).status == 200
    assert calls == [READ, READ, COMMIT]
    world.alice.delete("/file", file_name="a.txt")
    (item,) = world.alice.get("/trash").json()
    with ground.counted() as calls:
        answer = world.alice.post("/restore", file_name="a.txt", id=item["id"])
        assert answer.status == 200
    assert calls == [READ, COMMIT]
    world.alice.delete("/file", file_name="a.txt")
    with ground.counted() as calls:
        assert world.alice.post("/restore", file_name="a.txt").status == 200
    assert calls == [READ, "Query", COMMIT]


class Rounds:
    """Blocks each AWS call until all calls of its round are made; calls in sequence never are."""

    def __init__(self, ground: Ground, *sizes: int, seconds: float = 10) -> None:
        """`sizes` are the numbers of calls at the same time, round after round."""
        self.ground, self.made = ground, 0
        barriers = [threading.Barrier(size, timeout=seconds) for size in sizes]
        self._of_call = [at for at, size in zip(barriers, sizes, strict=True) for _ in range(size)]
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self.ground.before = self._before

    def __exit__(self, *_: object) -> None:
        self.ground.before = lambda _: None
        assert self.made == len(self._of_call)

    def _before(self, _: Call) -> None:
        with self._lock:
            self.made += 1
            barrier = self._of_call[self.made - 1]
        barrier.wait()


def test_rounds_fail_for_calls_in_sequence(world: World, ground: Ground) -> None:
    """Two calls of which one waits for the other are not a round of two."""
    ground.before = Rounds(ground, 2, seconds=0.05)._before
    assert world.alice.read("a.txt").status == 500


def test_a_list_reads_files_and_grants_at_the_same_time(world: World, ground: Ground) -> None:
    """A list of own files makes two rounds of calls, with shared files three."""
    with Rounds(ground, 1, 2):
        assert world.dave.get("/files").status == 200
    with Rounds(ground, 1, 3):  # the grants to a group as well
        assert world.alice.get("/files").status == 200
    with Rounds(ground, 1, 2, 1):
        assert world.bob.get("/files").status == 200


def test_a_level_is_read_in_two_rounds(world: World, ground: Ground) -> None:
    """Folders and file names are queried at the same time, then the rows of the files."""
    world.alice.put("in/b.txt")
    with Rounds(ground, 1, 2, 1):
        assert len(world.alice.get("/files", folders="true").json()) == 2


def test_a_list_through_many_groups_makes_three_rounds(world: World, ground: Ground) -> None:
    """The grants to all groups are queried at the same time, then their files and owners."""
    for number in range(20):
        path = f"/groups/g{number}"
        assert world.alice.send("PUT", path).status == 201
        assert world.alice.send("PUT", f"{path}/members/dave").status == 201
    share = {"file_name": "a.txt", "group": "g7"}
    assert world.alice.post("/share", **share).status == 201
    with Rounds(ground, 1, 21, 1):
        assert world.dave.names(scope="shared") == ["alice/a.txt"]
    with Rounds(ground, 1, 21, 1):
        assert len(world.dave.get("/shares", with_me="true").json()) == 1
    with Rounds(ground, 1, 1, 1):
        assert world.dave.read("a.txt", username="alice").status == 200


@pytest.mark.parametrize("owners", [1, 3])
@pytest.mark.odd_rows
def test_a_list_of_a_hundred_shares_makes_three_rounds(
    world: World, ground: Ground, behind: Behind, owners: int
) -> None:
    """The number of rounds does not depend on the number of shares or of owners."""
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
    with Rounds(ground, 1, 2, 3):  # about two hundred rows, a hundred in a call
        assert len(world.bob.get("/files").json()) == 100


def test_a_link_reads_ten_folders_at_the_same_time(world: World, ground: Ground) -> None:
    """Forty folders take four rounds; folders after the end of the page are not read."""
    for number in range(40):
        world.alice.put(f"in{number:02}/a", b"")
    link = make(world.alice, *(f"in{number:02}/" for number in range(40)))
    with Rounds(ground, 1, 1, 10, 10, 10, 10, 1):
        assert len(link.names()) == 40
    with Rounds(ground, 1, 1, 10, 1):
        assert link.names(limit=9) == [f"in{number:02}/a" for number in range(9)]
    following = link.open(limit=9).headers["x-next-cursor"]
    with Rounds(
        ground, 1, 1, 10, 10, 10, 2, 1
    ):  # the folder in which it resumes, and those after it
        assert len(link.names(cursor=following)) == 31
