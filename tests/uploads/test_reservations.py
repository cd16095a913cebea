"""Reservations: what others hold of an owner's quota, and that it ends with their right."""

from collections.abc import Callable
from typing import Any

import pytest

from function import base
from function.access import releases
from function.core.runtime import BatchResult
from tests.conftest import Behind, Clock
from tests.crashes.world import other_process
from tests.support.client import Client, join
from tests.support.fake_aws import Call, FakeAws
from tests.support.senders import Sender
from tests.support.transfers import (
    bytes_used,
    complete,
    count_multipart_uploads,
    send,
    send_parts,
    set_quota,
    start,
    stored,
    sweep,
    use_small_parts,
)

DATA = bytes(range(45))
SIZE = len(DATA)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_parts(monkeypatch)


@pytest.fixture
def root(behind: Behind) -> Client:
    """An administrator."""
    client = join("chief")
    behind.change("users", {"username": "chief"}, role="admin")
    return client


@pytest.fixture
def carol() -> Client:
    """Somebody else."""
    return join("carol")


def share(alice: Client, name: str = "in/", permission: str = "write", **fields: Any) -> int:
    to = fields or {"username": "bob"}
    answer = alice.post("/share", file_name=name, permission=permission, **to)
    assert answer.status in {200, 201}, answer.content
    return answer.status


def held(fake_aws: FakeAws) -> tuple[int, int, list[bytes]]:
    """The bytes that Alice is charged for, and what S3 has of uploads."""
    return bytes_used(fake_aws, "alice"), count_multipart_uploads(fake_aws), stored(fake_aws)


def change_bob(root: Client, **fields: Any) -> int:
    return root.send("PATCH", "/users/bob", json_=fields).status


Act = Callable[[Client, Client, Client], int]
ENDS: dict[str, Act] = {
    "unshared": lambda alice, *_: alice.delete("/share", file_name="in/", username="bob").status,
    "left": lambda _, bob, __: bob.delete("/share", file_name="in/", owner="alice").status,
    "for reading": lambda alice, *_: share(alice, permission="read"),
    "disabled": lambda _, __, root: change_bob(root, disabled=True),
    "demoted": lambda _, __, root: change_bob(root, role="client"),
    "deleted": lambda _, __, root: root.delete("/users/bob").status,
}
GROUP_ENDS: dict[str, Act] = {
    "unshared": lambda alice, *_: alice.delete("/share", file_name="in/", group="team").status,
    "removed": lambda alice, *_: alice.delete("/groups/team/members/bob").status,
    "left": lambda _, bob, __: bob.delete("/groups/team/members/bob").status,
    "deleted": lambda alice, *_: alice.delete("/groups/team").status,
}


def assert_ended(alice: Client, bob: Client, view: dict[str, Any], fake_aws: FakeAws) -> None:
    """One sweep frees the room and deletes the parts."""
    assert held(fake_aws)[0] == SIZE
    sweep()
    assert held(fake_aws) == (0, 0, [])
    assert alice.get("/uploads", held="true").json() == []
    assert complete(bob, view).status in {401, 403, 404}


@pytest.mark.parametrize("how", ENDS)
def test_a_reservation_ends_with_the_share(
    alice: Client, bob: Client, root: Client, fake_aws: FakeAws, how: str
) -> None:
    """However it ends, the next sweep frees the room."""
    share(alice)
    view = start(bob, "in/a", SIZE, username="alice")
    send_parts(bob, view, DATA, [1, 2])
    sweep()
    assert held(fake_aws)[:2] == (SIZE, 1)
    assert ENDS[how](alice, bob, root) in {200, 202, 204}
    assert_ended(alice, bob, view, fake_aws)


@pytest.mark.parametrize("how", GROUP_ENDS)
def test_a_reservation_ends_with_the_group(
    alice: Client, bob: Client, root: Client, fake_aws: FakeAws, how: str
) -> None:
    """Whether the group, the membership or the share goes."""
    join_group(alice, bob)
    share(alice, group="team")
    view = start(bob, "in/a", SIZE, username="alice")
    send_parts(bob, view, DATA, [1])
    assert GROUP_ENDS[how](alice, bob, root) == 204
    assert_ended(alice, bob, view, fake_aws)


def join_group(alice: Client, bob: Client) -> None:
    """Makes Bob a member of a group of Alice's."""
    assert alice.send("PUT", "/groups/team").status == 201
    assert alice.send("PUT", "/groups/team/members/bob").status in {200, 201}
    bob.send("PUT", "/groups/team/members/bob")


def test_a_reservation_ends_when_the_share_expires(
    alice: Client, bob: Client, clock: Clock, fake_aws: FakeAws
) -> None:
    """And not before."""
    share(alice, username="bob", expires_in=60)
    view = start(bob, "in/a", SIZE, username="alice")
    clock.time += 59
    sweep()
    clock.time += 1
    assert_ended(alice, bob, view, fake_aws)


@pytest.mark.parametrize(
    "act",
    [
        lambda alice: alice.delete("/file", file_name="in/a"),
        lambda alice: alice.send("PATCH", "/file", json_={"file_name": "in/a", "new_name": "b"}),
        lambda alice: alice.send("PATCH", "/file", json_={"file_name": "in/", "new_name": "out/"}),
    ],
    ids=["deleted", "renamed", "moved"],
)
@pytest.mark.parametrize("shared", ["in/a", "in/"])
def test_a_reservation_ends_with_its_name(
    alice: Client, bob: Client, fake_aws: FakeAws, act: Callable[[Client], Any], shared: str
) -> None:
    """The share has gone with the file or to another name; a share of the folder stays."""
    alice.put("in/a", b"")
    share(alice, shared)
    view = start(bob, "in/a", SIZE, username="alice")
    assert act(alice).status in {200, 204}
    sweep()
    stays = shared == "in/" and alice.get("/files", prefix="out/").json() == []
    assert held(fake_aws)[0] == (SIZE if stays else 0)
    assert len(bob.get("/uploads").json()) == stays
    del view


@pytest.mark.parametrize(
    "change",
    [
        lambda alice, path, _: alice.send("PATCH", path, json_={"open": False}),
        lambda alice, path, _: alice.delete(path),
        lambda _, __, root: root.send("PATCH", "/users/alice", json_={"disabled": True}),
        lambda _, __, root: root.send("PATCH", "/users/alice", json_={"role": "client"}),
    ],
    ids=["closed", "deleted", "disabled", "demoted"],
)
def test_a_reservation_ends_with_the_file_request(
    alice: Client, root: Client, fake_aws: FakeAws, change: Callable[..., Any]
) -> None:
    """Closed, deleted, or of an owner who may not have one any more."""
    asked = alice.post("/requests", title="t", folder="in/").json()
    sender = Sender(asked["url"])
    views = [start(sender, f"{number}", SIZE) for number in range(3)]
    send_parts(sender, views[0], DATA, [1])
    assert bytes_used(fake_aws, "alice") == 3 * SIZE
    assert change(alice, f"/requests/{asked['id']}", root).status in {200, 204}
    sweep()
    assert held(fake_aws) == (0, 0, [])


def test_what_the_owner_holds_ends_when_the_account_is_disabled(
    alice: Client, root: Client, fake_aws: FakeAws
) -> None:
    """The owner's own uploads as well; after that the account has all its room."""
    start(alice, "a", SIZE)
    root.send("PATCH", "/users/alice", json_={"disabled": True})
    sweep()
    assert held(fake_aws) == (0, 0, [])


def test_a_reservation_stays_with_another_right(
    alice: Client, bob: Client, fake_aws: FakeAws
) -> None:
    """The share of a folder above, or through a group."""
    join_group(alice, bob)
    share(alice)
    share(alice, group="team")
    view = start(bob, "in/a", SIZE, username="alice")
    alice.delete("/share", file_name="in/", username="bob")
    sweep()
    assert held(fake_aws)[0] == SIZE
    send(bob, view, DATA)
    assert complete(bob, view).status == 200


def test_no_upload_begins_after_its_right_has_ended(
    alice: Client, bob: Client, fake_aws: FakeAws, root: Client
) -> None:
    """Not even between the read of the right and the commit."""
    for end in (ENDS["unshared"], ENDS["for reading"], ENDS["disabled"]):
        share(alice)
        met: list[Call] = []

        def before(call: Call, end: Act = end, met: list[Call] = met) -> None:
            if call.operation == "TransactWriteItems" and not met:
                met.append(call)
                with other_process():
                    end(alice, bob, root)

        fake_aws.before = before
        assert bob.post("/uploads", file_name="in/a", size=3, username="alice").status >= 400
        fake_aws.before = lambda _: None
        assert met
        assert bytes_used(fake_aws, "alice") == 0


def test_an_owner_sees_and_frees_what_others_hold(
    alice: Client, bob: Client, carol: Client, fake_aws: FakeAws
) -> None:
    """With its holder; only the owner of the room frees it, and it is free at once."""
    share(alice)
    set_quota(fake_aws, "alice", 100)
    asked = alice.post("/requests", title="t", folder="in/").json()
    sender = Sender(asked["url"])
    mine = start(alice, "mine", 1)
    theirs = start(bob, "in/b", SIZE, username="alice")
    anonymous = start(sender, "c", 3, sender="Zoë")
    own = start(bob, "own", 7)
    listed = {view["upload_id"]: view for view in alice.get("/uploads", held="true").json()}
    assert listed.keys() == {theirs["upload_id"], anonymous["upload_id"]}
    seen = [
        (view["uploader"], view["request"], view["sender"], view["file_name"], view["size"])
        for view in sorted(listed.values(), key=lambda view: -view["size"])
    ]
    assert seen == [("bob", None, None, "in/b", SIZE), (None, asked["id"], "Zoë", "in/c", 3)]
    assert all(view["put"] is None for view in listed.values())
    assert [view["upload_id"] for view in alice.get("/uploads").json()] == [mine["upload_id"]]
    assert bob.get("/uploads", held="true").json() == []
    assert alice.post("/uploads", file_name="x", size=60).slug == "quota-exceeded"
    for view in (theirs, anonymous):
        path = f"/uploads/{view['upload_id']}"
        assert carol.delete(path).slug == "no-such-upload"
        assert alice.get(path).slug == "no-such-upload"
        assert alice.delete(path).status == 204
        assert alice.delete(path).slug == "no-such-upload"
    assert alice.delete(f"/uploads/{own['upload_id']}").slug == "no-such-upload"
    assert held(fake_aws) == (1, 0, [])
    assert alice.get("/uploads", held="true").json() == []
    assert complete(bob, theirs).slug == "no-such-upload"
    assert alice.post("/uploads", file_name="x", size=60).status == 201


def test_a_completed_upload_holds_nothing(alice: Client, bob: Client, behind: Behind) -> None:
    """Nor can the owner abort it; no row is left to find it by."""
    share(alice)
    view = start(bob, "in/a", SIZE, username="alice")
    send(bob, view, DATA)
    assert complete(bob, view).status == 200
    assert alice.get("/uploads", held="true").json() == []
    assert alice.delete(f"/uploads/{view['upload_id']}").slug == "no-such-upload"
    kinds = {str(row["partition"]).partition("/")[2] for row in behind.rows("files")}
    assert not kinds & {"held", "reservations"}


def test_what_is_held_is_listed_in_pages(alice: Client, bob: Client, fake_aws: FakeAws) -> None:
    """Each once, in bounded reads, past the owner's own."""
    zoe = join("zoe")
    share(alice)
    share(alice, username="zoe")
    views = [start(each, f"in/{n}", 1, username="alice") for each in (bob, zoe) for n in range(3)]
    for number in range(5):
        start(alice, f"{number}", 1)
    found: list[str] = []
    cursor: dict[str, str] = {}
    while "cursor" not in cursor or cursor["cursor"]:
        with fake_aws.counted() as calls:
            page = alice.get("/uploads", held="true", limit=2, **cursor)
        assert len(calls) <= 3
        found += [view["upload_id"] for view in page.json()]
        cursor = {"cursor": page.headers.get("x-next-cursor", "")}
    assert sorted(found) == sorted(view["upload_id"] for view in views)
    mine = alice.get("/uploads", limit=1).headers["x-next-cursor"]
    assert alice.get("/uploads", held="true", cursor=mine).slug == "invalid-cursor"


def test_a_sweep_goes_on_where_its_time_ended(
    alice: Client,
    bob: Client,
    fake_aws: FakeAws,
    behind: Behind,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many uploads a right carried."""
    monkeypatch.setattr(releases, "PAGE", 2)
    share(alice)
    for number in range(7):
        start(bob, f"in/{number}", 1, username="alice")
    alice.delete("/share", file_name="in/", username="bob")
    service = base.current().one(releases.Releases)
    for left in (4, 1, 0):
        times = iter([True] * 4)
        service.sweep(lambda times=times: next(times, False), BatchResult())  # type: ignore[misc]
        assert bytes_used(fake_aws, "alice") == left
    sweep()
    assert not [row for row in behind.rows("files") if row["partition"] == "~uploads/releases"]
