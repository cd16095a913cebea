"""Groups and their members, and shares with a group."""

import pytest

from function.sharing import groups
from tests.conftest import Behind, Clock
from tests.support.client import PASSWORD, Answer, Client, join
from tests.support.fake_aws import FakeAws
from tests.support.world import World


def put(client: Client, path: str) -> Answer:
    return client.send("PUT", f"/groups/{path}")


def add(owner: Client, group: str, member: Client) -> None:
    """Invites an account to a group, and accepts."""
    path = f"{group}/members/{name_of(member)}"
    assert put(owner, path).json()["accepted"] is False
    assert put(member, path).json()["accepted"] is True


def name_of(client: Client) -> str:
    assert client.token
    return client.token.partition(".")[0]


def share(client: Client, name: str, **fields: object) -> Answer:
    return client.post("/share", file_name=name, **fields)


@pytest.fixture
def team(alice: Client, bob: Client) -> Client:
    """Alice's group `team` with Bob as a member; and Carol, who is not."""
    assert put(alice, "team").status == 201
    add(alice, "team", bob)
    return join("carol")


def test_a_group_belongs_to_its_creator(alice: Client, bob: Client) -> None:
    """Creating it again answers the same; another account gets a conflict; names are folded."""
    answer = put(alice, "Team")
    made = {"group": "team", "owner": "alice", "created": "2026-09-21T14:13:20.250Z"}
    assert (answer.status, answer.json()) == (201, made)
    assert (put(alice, "team").status, put(alice, "team").json()) == (200, made)
    assert put(bob, "team").slug == "group-taken"
    assert alice.get("/groups").json() == [made]
    assert bob.get("/groups").json() == []
    assert bob.get("/groups/team").slug == "no-such-group"
    assert alice.get("/groups/team").json()["members"] == [
        {"group": "team", "username": "alice", "created": made["created"], "accepted": True}
    ]


@pytest.mark.parametrize("name", ["x", "a b", "a" * 65, "é", "~", "a/b"])
def test_invalid_names_are_refused(alice: Client, name: str) -> None:
    """A name has 2 to 64 of the characters of user names."""
    assert put(alice, name).status in {404, 422}
    assert alice.get("/groups").json() == []


def test_members_are_added_and_removed(alice: Client, bob: Client, team: Client) -> None:
    """By the owner; a member can leave."""
    assert put(alice, "team/members/bob").status == 200
    assert put(alice, "team/members/zoe").slug == "no-such-user"
    assert put(bob, "team/members/carol").slug == "no-such-group"
    assert put(team, "team/members/carol").slug == "no-such-group"
    assert [each["group"] for each in bob.get("/groups").json()] == ["team"]
    members = bob.get("/groups/team").json()["members"]
    assert [each["username"] for each in members] == ["alice", "bob"]
    assert bob.delete("/groups/team/members/alice").slug == "no-such-group"
    assert alice.delete("/groups/team/members/alice").slug == "invalid-request"
    assert alice.delete("/groups/team/members/carol").slug == "no-such-member"
    assert bob.delete("/groups/team/members/bob").status == 204
    assert bob.delete("/groups/team/members/bob").slug == "no-such-group"
    assert bob.get("/groups").json() == []


def test_members_are_listed_in_pages(alice: Client, bob: Client, team: Client) -> None:
    """Each once, sorted by name."""
    add(alice, "team", team)
    names, cursor = [], {}
    while True:
        answer = alice.get("/groups/team", limit=1, **cursor)
        names += [each["username"] for each in answer.json()["members"]]
        if "x-next-cursor" not in answer.headers:
            break
        cursor = {"cursor": answer.headers["x-next-cursor"]}
    assert names == ["alice", "bob", "carol"]
    assert bob.get("/groups/team", limit=1, **cursor).slug == "invalid-cursor"


def test_a_share_with_a_group_covers_its_members(alice: Client, bob: Client, team: Client) -> None:
    """It no longer covers an account that was removed."""
    alice.put("plan.txt", b"the plan")
    answer = share(alice, "plan.txt", group="team")
    assert (answer.status, answer.json()["group"], answer.json()["username"]) == (201, "team", None)
    assert share(alice, "plan.txt", group="team", permission="read").status == 200
    assert bob.read("plan.txt", username="alice").content == b"the plan"
    assert bob.names() == ["alice/plan.txt"]
    assert team.read("plan.txt", username="alice").slug == "no-such-file"
    assert bob.put("plan.txt", b"his", username="alice").slug == "no-such-file"
    assert share(alice, "plan.txt", group="team", permission="write").status == 200
    answer = bob.put("plan.txt", b"his", username="alice")
    assert (answer.status, answer.json()["permission"]) == (200, "write")
    assert answer.json()["modified_by"] == "bob"
    assert alice.delete("/groups/team/members/bob").status == 204
    assert bob.read("plan.txt", username="alice").slug == "no-such-file"
    assert bob.put("plan.txt", b"again", username="alice").slug == "no-such-file"
    assert bob.names() == []


def test_a_folder_is_shared_with_a_group(alice: Client, bob: Client, team: Client) -> None:
    """With all files below it; the widest permission of several grants applies."""
    assert share(alice, "in/", group="team").status == 201
    alice.put("in/deep/er/a.txt", b"a")
    assert bob.read("in/deep/er/a.txt", username="alice").content == b"a"
    assert share(alice, "in/deep/", username="bob", permission="write").status == 201
    assert bob.put("in/deep/b.txt", b"b", username="alice").status == 201
    assert bob.put("in/c.txt", b"c", username="alice").slug == "no-such-file"
    listed = {each["key"]: each["permission"] for each in bob.get("/files").json()}
    assert listed == {"alice/in/deep/b.txt": "write", "alice/in/deep/er/a.txt": "write"}
    assert alice.delete("/share", file_name="in/", group="team").status == 204
    assert alice.delete("/share", file_name="in/", group="team").slug == "no-such-share"


def test_a_membership_begins_when_it_is_accepted(
    alice: Client, bob: Client, team: Client, fake_aws: FakeAws
) -> None:
    """Until then it gives nothing, costs nothing, and only its two sides see it."""
    alice.put("plan.txt", b"the plan")
    share(alice, "plan.txt", group="team", permission="write")
    with fake_aws.counted() as before:
        assert team.get("/files").json() == []
    assert put(alice, "team/members/carol").status == 201
    assert put(alice, "team/members/carol").status == 200
    assert team.read("plan.txt", username="alice").slug == "no-such-file"
    assert team.put("plan.txt", username="alice").slug == "no-such-file"
    assert share(team, "plan.txt", group="team").slug == "no-such-file"
    with fake_aws.counted() as calls:
        assert team.get("/files").json() == []
    assert sorted(calls) == sorted(before)
    assert team.get("/groups").json() == []
    assert team.get("/groups/team").slug == "no-such-group"
    shown = {who: who.get("/groups/team").json()["members"] for who in (alice, bob)}
    assert [each["username"] for each in shown[bob]] == ["alice", "bob"]
    assert [(each["username"], each["accepted"]) for each in shown[alice]] == [
        ("alice", True), ("bob", True), ("carol", False),
    ]  # fmt: skip
    assert [each["group"] for each in team.get("/groups", invited="true").json()] == ["team"]
    assert put(bob, "team/members/carol").slug == "no-such-group"
    assert put(team, "team/members/carol").status == 200
    assert team.read("plan.txt", username="alice").content == b"the plan"
    assert team.get("/groups", invited="true").json() == []
    assert [each["group"] for each in team.get("/groups").json()] == ["team"]


def test_an_invitation_is_declined_or_taken_back(alice: Client, bob: Client, team: Client) -> None:
    """It can be neither accepted nor declined afterwards."""
    for who in (team, alice):
        assert put(alice, "team/members/carol").status == 201
        assert who.delete("/groups/team/members/carol").status == 204
        assert team.delete("/groups/team/members/carol").slug == "no-such-group"
        assert put(team, "team/members/carol").slug == "no-such-group"
        assert team.get("/groups", invited="true").json() == []
    assert put(alice, "team/members/carol").status == 201
    assert bob.delete("/groups/team/members/carol").slug == "no-such-group"
    assert alice.delete("/groups/team").status == 204
    assert put(team, "team/members/carol").slug == "no-such-group"
    assert team.get("/groups", invited="true").json() == []


def test_strangers_fill_nobodys_groups(alice: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """An invitation takes no place; and a page of invitations leads to the next."""
    monkeypatch.setattr(groups, "MAX_GROUPS", 2)
    for number in range(5):
        stranger = join(f"stranger{number}")
        assert put(stranger, f"g{number}").status == 201
        assert put(stranger, f"g{number}/members/alice").status == 201
    assert put(alice, "hers").status == 201
    found, cursor = [], {}
    while True:
        answer = alice.get("/groups", invited="true", limit=2, **cursor)
        found += [each["group"] for each in answer.json()]
        if "x-next-cursor" not in answer.headers:
            break
        cursor = {"cursor": answer.headers["x-next-cursor"]}
    assert found == [f"g{number}" for number in range(5)]


def test_open_invitations_are_limited(
    alice: Client, bob: Client, team: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all groups of an inviter together; one that ends in any way makes room."""
    monkeypatch.setattr(groups, "MAX_INVITATIONS", 1)
    put(alice, "other")
    assert put(alice, "team/members/carol").status == 201
    assert put(alice, "other/members/bob").slug == "limit-reached"
    assert team.delete("/groups/team/members/carol").status == 204
    assert put(alice, "other/members/bob").status == 201
    assert put(alice, "team/members/carol").slug == "limit-reached"
    assert put(bob, "other/members/bob").status == 200
    assert put(alice, "team/members/carol").status == 201
    assert alice.delete("/groups/team").status == 204
    assert put(alice, "other/members/carol").status == 201


def test_an_administrators_group_asks_nobody(alice: Client, team: Client) -> None:
    """The membership begins at once, also of somebody who was invited before."""
    root = join("root")
    put(root, "all")
    answer = put(root, "all/members/alice")
    assert (answer.status, answer.json()["accepted"]) == (201, True)
    root.put("news.txt")
    share(root, "news.txt", group="all")
    assert alice.read("news.txt", username="root").status == 200


def test_an_invitation_becomes_a_membership_when_its_owner_is_an_administrator(
    alice: Client, team: Client, behind: Behind
) -> None:
    """Adding the account again is enough."""
    assert put(alice, "team/members/carol").json()["accepted"] is False
    behind.change("users", {"username": "alice"}, role="admin")
    assert put(alice, "team/members/carol").json()["accepted"] is True
    assert [each["group"] for each in team.get("/groups").json()] == ["team"]
    assert "invited" not in behind.row("shares", grantee="invitations:alice", file="~open")


def test_a_membership_of_an_older_release_is_accepted(
    alice: Client, bob: Client, team: Client, behind: Behind
) -> None:
    """Its row does not say so."""
    row = behind.row("shares", grantee="group:team", file="~member/bob")
    behind.put("shares", {name: value for name, value in row.items() if name != "accepted"})
    alice.put("plan.txt")
    share(alice, "plan.txt", group="team")
    assert bob.read("plan.txt", username="alice").status == 200


def test_a_client_and_a_key_decide_on_their_own_membership(
    alice: Client, bob: Client, team: Client, behind: Behind
) -> None:
    """It takes the power `account`; for another account it takes `share`."""
    behind.change("users", {"username": "carol"}, role="client")
    put(alice, "team/members/carol")
    key = bob.post("/keys", name="x", scopes=["share"], current_password=PASSWORD).json()["token"]
    assert put(Client(key), "team/members/bob").slug == "not-allowed"
    assert Client(key).delete("/groups/team/members/bob").slug == "not-allowed"
    assert put(team, "team/members/carol").status == 200
    assert put(team, "team/members/zoe").slug == "not-allowed"
    assert team.delete("/groups/team/members/alice").slug == "not-allowed"
    assert team.delete("/groups/team/members/carol").status == 204


def test_the_name_of_a_deleted_group_stays_its_owners(
    alice: Client, bob: Client, team: Client, clock: Clock
) -> None:
    """For a year nobody else can create a group of that name."""
    assert alice.delete("/groups/team").status == 204
    assert put(bob, "team").slug == "group-taken"
    assert put(alice, "team").status == 201
    assert alice.delete("/groups/team").status == 204
    clock.time += 365 * 86_400 - 1
    bob = Client(Client().post("/login", username="bob", password=PASSWORD).json()["token"])
    assert put(bob, "team").slug == "group-taken"
    clock.time += 1
    assert put(bob, "team").status == 201


def test_only_a_member_shares_with_a_group(alice: Client, bob: Client, team: Client) -> None:
    """To others the group does not exist."""
    team.put("a.txt")
    assert share(team, "a.txt", group="team").slug == "no-such-group"
    assert share(team, "a.txt", group="none").slug == "no-such-group"
    bob.put("b.txt", b"bob's")
    assert share(bob, "b.txt", group="team").status == 201
    assert alice.read("b.txt", username="bob").content == b"bob's"
    for fields in ({}, {"group": "team", "username": "bob"}):
        assert share(bob, "b.txt", **fields).slug == "invalid-request"


def test_a_new_group_of_the_same_name_has_no_access(
    alice: Client, bob: Client, team: Client, behind: Behind
) -> None:
    """Neither the grants nor the members of the deleted group count for it."""
    alice.put("plan.txt")
    share(alice, "plan.txt", group="team")
    rows = behind.rows("shares")
    assert alice.delete("/groups/team").status == 204
    assert alice.delete("/groups/team").slug == "no-such-group"
    assert bob.read("plan.txt", username="alice").slug == "no-such-file"
    left = {row["file"] for row in behind.rows("shares")}
    assert left == {"~former", "~open"}
    for row in rows:  # as if nothing of it had been cleared away
        if row["file"] != "~group":
            behind.put("shares", row)
    behind.change("users", {"username": "bob"}, groups=frozenset({"team"}))
    assert put(alice, "team").status == 201
    assert bob.read("plan.txt", username="alice").slug == "no-such-file"
    assert bob.names() == []
    assert bob.get("/groups/team").slug == "no-such-group"
    members = alice.get("/groups/team").json()["members"]
    assert [each["username"] for each in members] == ["alice"]


def test_a_new_account_of_the_same_name_is_no_member(
    alice: Client, bob: Client, team: Client, behind: Behind
) -> None:
    """A membership is for an account, not for a name."""
    alice.put("plan.txt")
    share(alice, "plan.txt", group="team")
    behind.delete("users", username="bob")
    new = join("bob")
    assert new.read("plan.txt", username="alice").slug == "no-such-file"
    assert new.get("/groups").json() == []
    assert alice.delete("/groups/team/members/bob").status == 204
    behind.delete("users", username="carol")
    assert put(alice, "team/members/carol").slug == "no-such-user"


def test_the_membership_of_a_deleted_account_is_removed(
    alice: Client, bob: Client, team: Client, behind: Behind
) -> None:
    """No account is created by it."""
    behind.delete("users", username="bob")
    assert alice.delete("/groups/team/members/bob").status == 204
    assert {row["username"] for row in behind.rows("users")} == {"alice", "carol"}


def test_the_groups_of_an_account_are_limited(
    alice: Client, bob: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is read in every request that needs a right."""
    monkeypatch.setattr(groups, "MAX_GROUPS", 2)
    assert [put(alice, name).status for name in ("one", "two")] == [201, 201]
    assert put(alice, "three").slug == "limit-reached"
    put(bob, "team")
    assert put(bob, "team/members/alice").status == 201
    assert put(alice, "team/members/alice").slug == "limit-reached"
    assert alice.delete("/groups/one").status == 204
    assert put(alice, "team/members/alice").status == 200


@pytest.mark.parametrize("left", [1, 0])
def test_deleted_groups_do_not_count(
    alice: Client, bob: Client, behind: Behind, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    """Not even those whose memberships were not deleted with them."""
    monkeypatch.setattr(groups, "MAX_GROUPS", 2)
    for name in ("one", "two"):
        put(bob, name)
        add(bob, name, alice)
    for name in ("one", "two")[left:]:
        behind.delete("shares", grantee=f"group:{name}", file="~group")
    assert put(alice, "three").status == 201
    assert len(alice.get("/groups").json()) == left + 1
    row = behind.row("users", username="alice")
    assert row["groups"] == frozenset({"three", *("one", "two")[:left]})


def test_a_grant_on_a_file_does_not_narrow_that_of_a_group(
    alice: Client, bob: Client, team: Client
) -> None:
    """An account that may write to a folder may add a file beside one that it may write."""
    alice.put("in/a.txt")
    share(alice, "in/", group="team", permission="write")
    share(alice, "in/a.txt", username="bob", permission="write")
    answer = bob.put("in/a.txt", b"b", username="alice", on_conflict="rename")
    assert (answer.status, answer.json()["file_name"]) == (201, "in/a (1).txt")


def test_a_share_with_a_group_expires(
    alice: Client, bob: Client, team: Client, clock: Clock
) -> None:
    """To the second."""
    alice.put("plan.txt")
    share(alice, "plan.txt", group="team", expires_in=60)
    clock.time += 59
    assert bob.read("plan.txt", username="alice").status == 200
    clock.time += 1
    assert bob.read("plan.txt", username="alice").slug == "no-such-file"
    assert bob.names() == []


def test_a_recipient_leaves_a_share(world: World) -> None:
    """Nobody else can in their name."""
    leave = {"file_name": "a.txt", "owner": "alice"}
    assert world.dave.delete("/share", **leave).slug == "no-such-share"
    assert world.dave.delete("/share", **leave, username="bob").slug == "no-such-share"
    assert world.bob.delete("/share", **leave).status == 204
    assert world.bob.read("a.txt", username="alice").slug == "no-such-file"
    assert world.bob.delete("/share", **leave).slug == "no-such-share"
    assert world.carol.delete("/share", **leave, username="carol").status == 204
    assert world.alice.read("a.txt").status == 200
    assert world.dave.post("/logout").status == 204
    assert world.dave.delete("/share", **leave, username="bob").slug == "not-signed-in"
