"""Renames of files, changes of their details, and the list of who has access to a file."""

import pytest

from function.moves import rename
from tests.conftest import Behind, Clock
from tests.crashes.world import other_process
from tests.support.client import Answer, Client, join
from tests.support.fake_aws import Call, FakeAws
from tests.support.world import World


def change(client: Client, name: str, **fields: object) -> Answer:
    return client.send("PATCH", "/file", json_={"file_name": name, **fields})


def test_a_file_is_renamed(alice: Client, behind: Behind) -> None:
    """It stays the same file with the same object in S3."""
    created = alice.put("a.txt", b"the bytes").json()
    objects = behind.objects()
    answer = change(alice, "a.txt", new_name="in/b.txt")
    assert (answer.status, answer.json()) == (
        200, created | {"key": "alice/in/b.txt", "file_name": "in/b.txt"},
    )  # fmt: skip
    assert alice.read("in/b.txt").content == b"the bytes"
    assert alice.read("a.txt").slug == "no-such-file"
    assert alice.names() == ["alice/in/b.txt"]
    assert behind.objects() == objects
    assert alice.get("/me").json()["bytes_used"] == 9


def test_description_and_tags_change(alice: Client) -> None:
    """A field that is not sent stays; null clears it."""
    alice.put("a.txt")
    file = change(alice, "a.txt", description="what it is", tags=["one", "two"]).json()
    assert (file["description"], file["tags"]) == ("what it is", ["one", "two"])
    file = change(alice, "a.txt", tags=["three"]).json()
    assert (file["description"], file["tags"]) == ("what it is", ["three"])
    file = change(alice, "a.txt", description=None, tags=None).json()
    assert (file["description"], file["tags"]) == (None, [])
    assert change(alice, "a.txt").slug == "invalid-request"
    assert change(alice, "a.txt", if_match="*").slug == "invalid-request"
    assert change(alice, "a.txt", new_name=None).slug == "invalid-request"
    assert change(alice, "a.txt", new_name=None, tags=["four"]).json()["tags"] == ["four"]


def test_a_name_that_another_file_has_is_refused(alice: Client) -> None:
    """Neither file changes. The file's own name is allowed."""
    alice.put("a.txt", b"a")
    alice.put("b.txt", b"b")
    assert change(alice, "a.txt", new_name="b.txt").slug == "file-exists"
    assert (alice.read("a.txt").content, alice.read("b.txt").content) == (b"a", b"b")
    assert change(alice, "a.txt", new_name="a.txt").status == 200
    assert change(alice, "c.txt", new_name="d.txt").slug == "no-such-file"
    for name in ("../x", "in/", "/x", ""):
        assert change(alice, "a.txt", new_name=name).slug == "invalid-name"


def test_if_match_prevents_a_change_of_another_state(alice: Client) -> None:
    """`if_match` is the tag of the file as the caller knows it."""
    etag = alice.put("a.txt", b"1").json()["etag"]
    alice.put("a.txt", b"2")
    assert change(alice, "a.txt", new_name="b.txt", if_match=etag).status == 412
    assert alice.names() == ["alice/a.txt"]


def test_the_second_of_two_changes_of_one_revision_is_refused(world: World) -> None:
    """A change of details gives another revision and leaves the ETag, which is of the bytes."""
    known = world.alice.get("/files").json()[0]
    etag, revision = known["etag"], known["revision"]
    first = change(world.alice, "a.txt", tags=["one"], if_match=revision)
    assert (first.status, first.json()["etag"]) == (200, etag)
    for late in ({"tags": ["two"]}, {"description": "two"}, {"new_name": "b.txt"}):
        assert change(world.alice, "a.txt", **late, if_match=revision).status == 412
    now = world.alice.get("/files").json()[0]
    assert (now["tags"], now["description"]) == (["one"], None)
    assert now["revision"] == first.json()["revision"] != revision
    stale, headers = {"file_name": "a.txt"}, {"if-match": f'"{revision}"'}
    assert world.alice.send("DELETE", "/file", query=stale, headers=headers).status == 412
    assert world.alice.send("PUT", "/file", query=stale, body=b"x", headers=headers).status == 412
    assert world.alice.send("GET", "/file", query=stale, headers=headers).status == 412
    headers = {"if-match": f'"{revision}", "{now["revision"]}"'}
    put = world.alice.send("PUT", "/file", query=stale, body=b"x", headers=headers)
    assert (put.status, put.json()["tags"]) == (200, ["one"])
    assert put.json()["revision"] not in {revision, now["revision"]}


def test_shares_and_renames_leave_the_revision(world: World) -> None:
    """It is of the bytes and the details, and the same for everybody."""
    (before,) = world.alice.get("/files").json()
    world.alice.post("/share", file_name="a.txt", username="carol")
    assert change(world.alice, "a.txt", new_name="b.txt").status == 200
    seen = {each["revision"] for each in world.carol.get("/files").json()}
    assert seen == {before["revision"]}
    again = change(world.alice, "b.txt", tags=[], description=None)
    assert again.json()["revision"] == before["revision"]


def test_a_type_guessed_from_the_name_follows_the_name(alice: Client) -> None:
    """A search by type finds the file. A type that the client gave stays."""
    alice.put("a", content_type="application/octet-stream")
    alice.put("b.txt", content_type="text/x-mine")
    for name, new_name, kind in (("a", "a.png", "image/png"), ("b.txt", "b.png", "text/x-mine")):
        answer = change(alice, name, new_name=new_name)
        assert answer.json()["content_type"] == kind
    assert [each["file_name"] for each in alice.get("/files", type="image").json()] == ["a.png"]
    copied = alice.post("/copy", file_name="a.png", new_name="c.html").json()
    assert copied["content_type"] == "text/html"
    alice.delete("/file", file_name="a.png")
    restored = alice.post("/restore", file_name="a.png", new_name="a.txt").json()
    assert restored["content_type"] == "text/plain"
    assert change(alice, "a.txt", new_name="a").json()["content_type"] == "application/octet-stream"


def test_shares_follow_a_renamed_file(world: World, fake_aws: FakeAws) -> None:
    """They have the same permission at the new name, and none on a new file of the old name."""
    world.alice.post("/share", file_name="a.txt", group="team")
    assert change(world.alice, "a.txt", new_name="b.txt").status == 200
    for client in (world.bob, world.carol):
        assert client.read("b.txt", username="alice").content == b"the first bytes"
        assert client.read("a.txt", username="alice").slug == "no-such-file"
        assert client.names() == ["alice/b.txt"]
    assert world.bob.put("b.txt", username="alice").slug == "no-such-file"
    assert world.carol.put("b.txt", username="alice").status == 200
    shares = world.alice.get("/shares", file_name="b.txt").json()
    recipients = [each["group"] or each["username"] for each in shares if not each["link"]]
    assert recipients == ["team", "bob", "carol"]
    assert world.carol.get("/shares", file_name="b.txt").slug == "no-such-file"
    world.alice.put("a.txt", b"a new one")
    for client in (world.bob, world.carol):
        assert client.read("a.txt", username="alice").slug == "no-such-file"
    assert world.alice.delete("/share", file_name="b.txt", username="bob").status == 204
    assert world.bob.read("b.txt", username="alice").slug == "no-such-file"


def test_a_grant_on_a_folder_covers_the_files_in_it_alone(world: World) -> None:
    """A file that leaves the folder loses it, a file that enters gets it."""
    world.alice.put("in/x.txt", b"x")
    world.alice.post("/share", file_name="in/", username="dave")
    assert change(world.alice, "in/x.txt", new_name="x.txt").status == 200
    assert world.dave.read("x.txt", username="alice").slug == "no-such-file"
    assert change(world.alice, "a.txt", new_name="in/a.txt").status == 200
    assert world.dave.read("in/a.txt", username="alice").status == 200


@pytest.mark.slow
@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_an_interrupted_rename_with_many_grants_gives_no_access(
    alice: Client, bob: Client, fake_aws: FakeAws, behind: Behind, cut: int
) -> None:
    """The process dies before each call. Then a share is revoked, and the rename is repeated."""
    alice.put("a.txt", b"the bytes")
    for number in range(60):
        name = f"user{number:02}"
        behind.put("users", behind.row("users", username="bob") | {"username": name, "id": name})
        assert alice.post("/share", file_name="a.txt", username=name).status == 201
    alice.post("/share", file_name="a.txt", username="bob", permission="write")
    calls = 0

    def before(call: Call) -> None:
        nonlocal calls
        calls += 1
        if calls == cut + 1:
            raise KeyboardInterrupt

    fake_aws.before = before
    with pytest.raises(KeyboardInterrupt):
        change(alice, "a.txt", new_name="b.txt")
    fake_aws.before = lambda _: None
    assert bob.names() == ["alice/a.txt"]
    assert bob.read("b.txt", username="alice").slug == "no-such-file"
    assert alice.delete("/share", file_name="a.txt", username="bob").status == 204
    assert change(alice, "a.txt", new_name="b.txt").status == 200
    assert bob.read("b.txt", username="alice").slug == "no-such-file"
    shares = alice.get("/shares", file_name="b.txt", limit=1000).json()
    assert len(shares) == 60
    assert all(each["key"] == "alice/b.txt" for each in shares)
    left = {row["file"] for row in behind.rows("shares") if row["grantee"] != "user:bob"}
    assert left == {"alice/b.txt"}


@pytest.mark.slow
@pytest.mark.parametrize("stop", [0, 1, 2, 3, 4])
def test_a_new_share_during_a_rename_with_many_grants_is_not_lost(
    alice: Client, bob: Client, fake_aws: FakeAws, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    """A new file at either name keeps its share, whether the rename succeeds or fails."""
    monkeypatch.setattr(rename, "GRANTS_WITH_FILE", 1)
    alice.put("a.txt", b"old")
    for client in ("carol", "dave"):
        join(client)
        alice.post("/share", file_name="a.txt", username=client)
    alice.post("/share", file_name="a.txt", username="bob")
    calls, made = 0, []

    def before(call: Call) -> None:
        nonlocal calls
        calls += 1
        if calls == stop + 1 and not made:
            made.append(True)
            with other_process():
                for name in ("a.txt", "b.txt"):
                    if alice.send("HEAD", "/file", query={"file_name": name}).status == 404:
                        alice.put(name, b"new")
                        alice.post("/share", file_name=name, username="bob")
                        made.append(name)

    fake_aws.before = before
    answer = change(alice, "a.txt", new_name="b.txt")
    fake_aws.before = lambda _: None
    assert answer.status in {200, 409}
    for name in made[1:]:
        assert bob.read(name, username="alice").content == b"new"
    old = "b.txt" if answer.status == 200 else "a.txt"
    assert bob.read(old, username="alice").content == b"old"


@pytest.mark.slow
def test_a_file_deleted_with_many_grants_leaves_none(
    alice: Client, bob: Client, behind: Behind
) -> None:
    """Grants that do not fit the commit are deleted after it."""
    alice.put("a.txt")
    for number in range(120):
        name = f"user{number:03}"
        behind.put("users", behind.row("users", username="bob") | {"username": name, "id": name})
        alice.post("/share", file_name="a.txt", username=name)
    assert alice.delete("/file", file_name="a.txt").status == 204
    assert behind.rows("shares") == []


def test_the_owner_lists_who_has_access_to_a_file(world: World) -> None:
    """By grants on the file and on the folders above it; nobody else may list them."""
    world.alice.put("in/deep/x.txt")
    world.alice.post("/share", file_name="in/", group="team", permission="write")
    world.alice.post("/share", file_name="in/deep/", username="bob", expires_in=60)
    world.alice.post("/share", file_name="in/deep/x.txt", username="dave")
    world.alice.post("/share", file_name="in/deep/y/", username="dave")
    listed = world.alice.get("/shares", file_name="in/deep/x.txt").json()
    shares = [(e["file_name"], e["username"] or e["group"], e["permission"]) for e in listed]
    assert shares == [
        ("in/", "team", "write"), ("in/deep/", "bob", "read"), ("in/deep/x.txt", "dave", "read"),
    ]  # fmt: skip
    folder = world.alice.get("/shares", file_name="in/deep/").json()
    assert [each["file_name"] for each in folder] == ["in/", "in/deep/"]
    assert world.bob.get("/shares", file_name="in/deep/x.txt").slug == "no-such-file"
    assert world.bob.get("/shares", file_name="in/").json() == []
    for query in ({}, {"file_name": "in/", "with_me": "true"}):
        assert world.alice.get("/shares", **query).slug == "invalid-request"


def test_links_are_in_the_list_of_who_has_access(world: World, clock: Clock) -> None:
    """Active links to the file and to a folder above it."""
    world.alice.put("in/x.txt")
    made = [
        world.alice.post("/links", items=[item], expires_in=seconds).json()["id"]
        for item, seconds in (("in/", None), ("in/x.txt", 60), ("in/x.txt", None), ("a.txt", None))
    ]

    def listed() -> set[str]:
        return {each["link"] for each in world.alice.get("/shares", file_name="in/x.txt").json()}

    assert listed() == set(made[:3])
    shares = world.alice.get("/shares", file_name="in/x.txt").json()
    ends = {each["link"]: each["expires_at"] for each in shares}
    assert ends == {made[0]: None, made[1]: "2026-09-21T14:14:20.000Z", made[2]: None}
    clock.time += 60
    assert listed() == {made[0], made[2]}
    assert world.alice.delete(f"/links/{made[2]}").status == 204
    assert listed() == {made[0]}


def test_an_account_lists_what_is_shared_with_it(world: World, behind: Behind) -> None:
    """Directly and by groups, each page within its limit; without grants that give no access."""
    world.alice.put("in/x.txt")
    world.alice.post("/share", file_name="in/", group="team")
    world.carol.put("c.txt")
    world.carol.post("/share", file_name="c.txt", group="team")
    found, cursor = [], {}
    while True:
        answer = world.carol.get("/shares", with_me="true", limit=1, **cursor)
        assert len(answer.json()) <= 1
        found += [(each["key"], each["group"], each["username"]) for each in answer.json()]
        if "x-next-cursor" not in answer.headers:
            break
        cursor = {"cursor": answer.headers["x-next-cursor"]}
    assert found == [("alice/in/", "team", None), ("alice/a.txt", None, "carol")]
    assert world.dave.get("/shares", with_me="true").json() == []
    behind.change("users", {"username": "alice"}, disabled=True)
    assert world.carol.get("/shares", with_me="true").json() == []


def test_a_new_account_of_a_deleted_name_has_no_access(alice: Client, behind: Behind) -> None:
    """A grant to a deleted account is not one to the next account of that name."""
    bob = join("bob")
    alice.put("a.txt")
    alice.post("/share", file_name="a.txt", username="bob")
    behind.delete("users", username="bob")
    assert alice.get("/shares", file_name="a.txt").json() == []
    join("bob")
    assert alice.get("/shares", file_name="a.txt").json() == []
    assert bob.get("/files").status == 401
