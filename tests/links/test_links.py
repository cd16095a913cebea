"""Links as their owners create, change, list and revoke them."""

import hashlib
import re
from typing import Any

import pytest

from function import base
from function.auth.passwords import Passwords
from tests.conftest import Behind, Clock, reason_at
from tests.crashes.meetings import act_before_commit
from tests.crashes.world import other_process
from tests.support.client import PASSWORD, Client, join
from tests.support.fake_aws import Call, FakeAws
from tests.support.links import HTML, Made, change, make, revoke


def test_a_new_link_has_defaults(alice: Client) -> None:
    """Its address has 256 random bits, and its id is the hash of them."""
    alice.put("a.txt")
    link = make(alice, "a.txt", "photos/", "a.txt")
    token = link.path.removeprefix("/s/")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert link.view | {"url": ""} == {
        "id": hashlib.sha256(token.encode()).hexdigest(),
        "url": "",
        "created": "2026-09-21T14:13:20.250Z",
        "expires_at": "2026-09-28T14:13:20.000Z",
        "has_password": False,
        "max_downloads": None,
        "downloads": 0,
        "allow_download": True,
        "audience": None,
        "note": None,
        "alias": None,
        "items": ["a.txt", "photos/"],
    }
    assert alice.get(f"/links/{link.id}").json() == link.view | {"url": None}


def test_links_are_listed_newest_first(alice: Client, bob: Client, clock: Clock) -> None:
    """In pages; without the links of other accounts and without revoked ones."""
    alice.put("a.txt")
    bob.put("a.txt")
    made = []
    for _ in range(5):
        made.append(make(alice, "a.txt"))
        clock.time += 1
    make(bob, "a.txt")
    revoke(alice, made[2])
    expected = [link.id for link in reversed(made) if link is not made[2]]
    found, cursor = [], {}
    while True:
        answer = alice.get("/links", limit=3, **cursor)
        found += [view["id"] for view in answer.json()]
        assert all(view["url"] is None for view in answer.json())
        if "x-next-cursor" not in answer.headers:
            break
        cursor = {"cursor": answer.headers["x-next-cursor"]}
        assert bob.get("/links", **cursor).slug == "invalid-cursor"
    assert found == expected


BAD: list[dict[str, Any]] = [
    {"items": []},
    {"items": None},
    {"items": "a.txt"},
    {"items": ["a.txt"] * 41},
    {"items": ["../a.txt"]},
    *({"expires_in": value} for value in (0, -1, 10**12, "tomorrow", 1.5, True)),
    *({"max_downloads": value} for value in (0, -1, 2**63, 2**31 + 1, 1.5, True, "1")),
    *({"password": value} for value in ("", "x" * 1025, 1, "\ud800")),
    *({"allow_download": value} for value in (None, "true", 1)),
    *({"note": value} for value in ("", "x" * 2001, "a\0b", "\ud800")),
    *({"alias": value} for value in ("ab", "-abc", "Abc", "a" * 41, "a b c", "a/b", "abc\n")),
    {"audience": "x"},
    {"owner_id": "bob"},
]


@pytest.mark.parametrize("wrong", BAD, ids=str)
def test_invalid_fields_are_refused(alice: Client, behind: Behind, wrong: dict[str, Any]) -> None:
    """422 names the field, on create and on change; no row is written."""
    alice.put("a.txt")
    link, before = make(alice, "a.txt"), behind.state()
    for answer in (
        alice.post("/links", **{"items": ["a.txt"], **wrong}),
        change(alice, link, **wrong),
    ):
        assert answer.status == 422
        assert reason_at(answer, next(e["at"] for e in answer.json()["errors"]))
        assert next(iter(wrong)) in answer.json()["errors"][0]["at"]
    assert behind.state() == before


def test_a_link_shows_only_files_of_its_owner(alice: Client, bob: Client, behind: Behind) -> None:
    """A share does not allow a link, not even one with write permission; no row is left behind."""
    alice.put("a.txt")
    alice.post("/share", file_name="a.txt", username="bob", permission="write")
    before = behind.state()
    assert bob.post("/links", items=["a.txt"]).slug == "no-such-file"
    assert alice.post("/links", items=["a.txt", "b.txt"]).slug == "no-such-file"
    assert alice.post("/links", items=["a.txt"], audience="zoe").slug == "no-such-user"
    assert behind.state() == before


def test_a_link_of_another_account_is_not_found(alice: Client, bob: Client, behind: Behind) -> None:
    """404 as for an id that does not exist, and the link still works."""
    alice.put("a.txt")
    bob.put("a.txt")
    link = make(alice, "a.txt")
    before = behind.state()
    for at in (link.id, "0" * 64, "x" * 3000, "~link"):
        theirs = Made(at, link.path, {})
        answers = [
            bob.get(f"/links/{at}"),
            bob.get(f"/links/{at}/events"),
            change(bob, theirs, items=["a.txt"], password=None),
            revoke(bob, theirs),
        ]
        assert {answer.slug for answer in answers} == {"no-such-link"}
    assert behind.state() == before
    assert link.names() == ["a.txt"]


def test_an_update_changes_the_fields_provided(alice: Client, bob: Client) -> None:
    """Null clears a field; a field that is left out stays, and so does the address."""
    alice.put("a.txt")
    alice.put("b.txt")
    link = make(alice, "a.txt")
    said = {"note": "look", "max_downloads": 3, "alias": "my-link", "audience": "bob"}
    answer = change(
        alice, link, **said, expires_in=60, allow_download=False, password="knock twice"
    )
    expected = link.view | said
    expected |= {"url": None, "allow_download": False, "has_password": True}
    assert answer.json() == expected | {"expires_at": "2026-09-21T14:14:20.000Z"}
    assert change(alice, link).json() == answer.json()
    nulls = dict.fromkeys([*said, "expires_in", "password"])
    answer = change(alice, link, **nulls, items=["b.txt", "c/"], allow_download=True)
    cleared = link.view | {"url": None, "expires_at": None, "items": ["b.txt", "c/"]}
    assert answer.json() == cleared == alice.get(f"/links/{link.id}").json()
    assert link.names() == ["b.txt"]
    assert Client().get("/s/my-link").slug == "no-such-link"


def test_a_file_names_the_links_to_it_as_grantees(alice: Client, behind: Behind) -> None:
    """A removed item and a revoked link are no longer among the grantees."""

    def noted(name: str) -> list[str]:
        row = behind.row("files", partition="alice", name=name)
        return sorted(row.get("grantees", []))

    alice.put("a.txt")
    alice.put("b.txt")
    link, other = make(alice, "a.txt", "c/"), make(alice, "a.txt")
    assert noted("a.txt") == sorted([f"link:{link.id}", f"link:{other.id}"])
    change(alice, link, items=["b.txt", "c/"])
    assert (noted("a.txt"), noted("b.txt")) == ([f"link:{other.id}"], [f"link:{link.id}"])
    revoke(alice, link)
    revoke(alice, other)
    assert (noted("a.txt"), noted("b.txt")) == ([], [])
    rows = behind.rows("shares")
    left = {row["file"] for row in rows if str(row["grantee"]).startswith("link:")}
    assert left == {f"~link/{each.id}" for each in (link, other)}


def test_items_without_their_file_are_not_listed(alice: Client, behind: Behind) -> None:
    """A grant that a delete or a rename left behind does not apply to a new file of that name."""
    for name in ("a.txt", "b.txt", "c.txt"):
        alice.put(name)
    link = make(alice, "a.txt", "b.txt", "c.txt", "in/")
    left = [behind.row("shares", grantee=f"link:{link.id}", file=f"alice/{n}.txt") for n in "ab"]
    alice.delete("/file", file_name="a.txt")
    alice.send("PATCH", "/file", json_={"file_name": "b.txt", "new_name": "d.txt"})
    alice.put("b.txt")
    for grant in left:
        behind.put("shares", grant)
    assert alice.get(f"/links/{link.id}").json()["items"] == ["c.txt", "d.txt", "in/"]


def test_an_item_renamed_during_a_read_is_listed(alice: Client, fake_aws: FakeAws) -> None:
    """The rename comes between the read of the link and the read of its files."""
    alice.put("a.txt")
    link = make(alice, "a.txt")

    def before(call: Call) -> None:
        if call.operation == "BatchGetItem":
            fake_aws.before = lambda _: None
            with other_process():
                renamed = {"file_name": "a.txt", "new_name": "b.txt"}
                assert alice.send("PATCH", "/file", json_=renamed).status == 200

    fake_aws.before = before
    assert alice.get(f"/links/{link.id}").json()["items"] == ["b.txt"]


@pytest.mark.slow
def test_a_link_has_at_most_forty_items(alice: Client) -> None:
    """Replacing all of them is too much for one commit, is refused, and succeeds in two steps."""
    first, second = ([f"{letter}{n:02}" for n in range(40)] for letter in "ab")
    for name in [*first, *second]:
        alice.put(name, b"")
    link = make(alice, *first)
    assert change(alice, link, items=second).slug == "invalid-request"
    assert link.names() == first
    assert change(alice, link, items=first[:20] + second[:20]).status == 200
    assert change(alice, link, items=second).status == 200
    assert link.names() == second
    assert revoke(alice, link).status == 204


def test_a_revoked_link_stops_working_immediately(alice: Client) -> None:
    """Visitors are told so, its owner cannot find it, and other links are not affected."""
    alice.put("a.txt")
    link, other = make(alice, "a.txt", alias="mine"), make(alice, "a.txt")
    change(alice, other, note="another")
    token = make(alice, "a.txt")
    assert revoke(alice, token).status == 204
    for answer in (token.open(), token.download("a.txt"), token.unlock("knock twice")):
        assert (answer.status, answer.slug) == (410, "link-revoked")
    assert revoke(alice, link).status == 204
    assert link.open().slug == "no-such-link"  # by its alias, which is free again
    for answer in (revoke(alice, link), change(alice, link), alice.get(f"/links/{link.id}")):
        assert answer.slug == "no-such-link"
    assert other.names() == ["a.txt"]
    assert make(alice, "a.txt", alias="mine").names() == ["a.txt"]


def test_an_alias_belongs_to_one_link(alice: Client, bob: Client) -> None:
    """A second link cannot have it, nor another account's when the first is changed."""
    alice.put("a.txt")
    bob.put("b.txt")
    link = make(alice, "a.txt", alias="summer")
    assert link.path == "/s/summer"
    assert bob.post("/links", items=["b.txt"], alias="summer").slug == "alias-taken"
    other = make(bob, "b.txt")
    assert change(bob, other, alias="summer").slug == "alias-taken"
    assert change(alice, link, alias="winter").status == 200
    assert change(bob, other, alias="summer").slug == "alias-taken"
    assert Client().get("/s/summer").slug == "no-such-link"
    assert Client().get("/s/winter").json()["owner"] == "alice"


def give_up(alice: Client, how: str) -> None:
    """Alice makes a link with the alias `summer`, which then loses it."""
    alice.put("a.txt")
    link = make(alice, "a.txt", alias="summer")
    if how == "revoke":
        assert revoke(alice, link).status == 204
    else:
        assert change(alice, link, alias="winter" if how == "change" else None).status == 200


def log_in_again(username: str) -> Client:
    """A session after the earlier ones have expired."""
    return Client(Client().post("/login", username=username, password=PASSWORD).json()["token"])


@pytest.mark.parametrize("how", ["change", "clear", "revoke"])
def test_an_alias_stays_with_its_owner_for_ninety_days(
    alice: Client, bob: Client, clock: Clock, how: str
) -> None:
    """People who have the address would take another account's files for its owner's."""
    give_up(alice, how)
    bob.put("b.txt")
    other = make(bob, "b.txt", expires_in=None)
    for seconds in (0, 90 * 86_400 - 5):
        clock.time += seconds
        bob = log_in_again("bob")
        assert Client().get("/s/summer").slug == "no-such-link"
        assert bob.post("/links", items=["b.txt"], alias="summer").slug == "alias-taken"
        assert change(bob, other, alias="summer").slug == "alias-taken"
    clock.time += 5
    assert make(bob, "b.txt", alias="summer").names() == ["b.txt"]


def test_an_owner_can_use_an_alias_again(alice: Client) -> None:
    """For another link, and for the same."""
    give_up(alice, "change")
    link = make(alice, "a.txt", alias="summer")
    assert change(alice, link, alias=None).json()["alias"] is None
    assert change(alice, link, alias="summer").json()["alias"] == "summer"
    assert revoke(alice, link).status == 204
    assert make(alice, "a.txt", alias="summer").names() == ["a.txt"]


def test_an_alias_of_an_older_release_is_held_too(
    alice: Client, bob: Client, behind: Behind
) -> None:
    """Its row names only the link that has it."""
    alice.put("a.txt")
    bob.put("b.txt")
    link = make(alice, "a.txt", alias="summer")
    row = behind.row("shares", grantee="alias:summer", file="~link/summer")
    del row["owner_id"]
    behind.put("shares", row)
    assert link.names() == ["a.txt"]
    assert change(alice, link, note="look").json()["alias"] == "summer"
    behind.put("shares", row)
    assert revoke(alice, link).status == 204
    assert bob.post("/links", items=["b.txt"], alias="summer").slug == "alias-taken"
    assert make(alice, "a.txt", alias="summer").names() == ["a.txt"]


def test_two_accounts_cannot_take_an_alias_at_once(
    alice: Client, bob: Client, fake_aws: FakeAws
) -> None:
    """The commit has the condition that the read had."""
    bob.put("b.txt")
    alice.put("a.txt")

    def meanwhile() -> None:
        assert revoke(alice, make(alice, "a.txt", alias="summer")).status == 204

    act_before_commit(fake_aws, meanwhile)
    assert bob.post("/links", items=["b.txt"], alias="summer").slug == "alias-taken"


WEAK = ["x", "short", "password", "Password1", "12345678", "qwertyuiop", "iloveyou", "a" * 8]


@pytest.mark.parametrize("password", WEAK)
def test_a_weak_password_is_refused(alice: Client, password: str) -> None:
    """A link is guessed from its address alone: at least 8 characters, and no common choice."""
    alice.put("a.txt")
    link = make(alice, "a.txt", password="knock twice")
    for answer in (
        alice.post("/links", items=["a.txt"], password=password),
        change(alice, link, password=password),
    ):
        assert (answer.status, answer.slug) == (422, "weak-password")
    assert len(alice.get("/links").json()) == 1
    assert link.unlock("knock twice").status == 200


def test_a_short_password_of_an_older_release_still_opens(alice: Client, behind: Behind) -> None:
    """The rule is for new ones, and changes of other fields do not need another."""
    alice.put("a.txt")
    link = make(alice, "a.txt", password="knock twice")
    key = {"grantee": f"link:{link.id}", "file": f"~link/{link.id}"}
    hashed = base.current().one(Passwords).hash("x")
    behind.change("shares", key, password=hashed)
    assert change(alice, link, note="look").status == 200
    assert link.unlock("x").status == 200


@pytest.mark.parametrize("meanwhile", [False, True])
def test_an_alias_that_another_link_took_stays_with_it(
    alice: Client, bob: Client, behind: Behind, fake_aws: FakeAws, meanwhile: bool
) -> None:
    """Its row had expired; the old link is changed and revoked without it."""
    alice.put("a.txt")
    bob.put("b.txt")
    old, older = make(alice, "a.txt", alias="summer"), make(alice, "a.txt", alias="winter")

    def take() -> None:
        for alias in ("summer", "winter"):
            behind.delete("shares", grantee=f"alias:{alias}", file=f"~link/{alias}")
            make(bob, "b.txt", alias=alias)

    if meanwhile:
        act_before_commit(fake_aws, take)
    else:
        take()
        assert alice.get(f"/links/{old.id}").json()["alias"] is None
    assert change(alice, old, note="look").json() | {"url": ""} == old.view | {
        "url": "", "note": "look", "alias": None,
    }  # fmt: skip
    assert change(alice, old, alias="summer").slug == "alias-taken"
    assert revoke(alice, old).status == revoke(alice, older).status == 204
    for alias in ("summer", "winter"):
        assert Client().get(f"/s/{alias}").json()["owner"] == "bob"


def test_an_update_restores_the_row_of_an_alias(alice: Client, behind: Behind) -> None:
    """As long as no other link has the alias."""
    alice.put("a.txt")
    link = make(alice, "a.txt", alias="summer")
    behind.delete("shares", grantee="alias:summer", file="~link/summer")
    assert link.open().slug == "no-such-link"
    assert change(alice, link, expires_in=None).json()["alias"] == "summer"
    assert link.names() == ["a.txt"]


def test_a_new_account_of_the_same_name_has_no_links(
    alice: Client, behind: Behind, clock: Clock
) -> None:
    """Links are found by name and trusted by id: it cannot list, get or revoke them."""
    alice.put("a.txt")
    link = make(alice, "a.txt", "in/")
    behind.delete("users", username="alice")
    again = join("alice")
    again.put("in/secret.txt")
    assert again.get("/links").json() == []
    assert again.get(f"/links/{link.id}").slug == "no-such-link"
    assert revoke(again, link).slug == "no-such-link"
    assert (link.open().slug, link.download("in/secret.txt").slug) == ("no-such-link",) * 2


def test_events_are_listed_newest_first(alice: Client, clock: Clock) -> None:
    """Opens are counted per minute and channel; unlocks and downloads are recorded each."""
    alice.put("a.txt")
    link = make(alice, "a.txt", password="knock twice")
    for _ in range(3):
        grant = link.unlock("knock twice").json()["grant"]
        link.open(grant=grant)
        clock.time += 30
    Client().send("GET", link.path, headers=HTML | {"x-link-grant": grant})
    assert link.download("a.txt", grant=grant).status == 200
    found, cursor = [], {}
    while True:
        answer = alice.get(f"/links/{link.id}/events", limit=2, **cursor)
        found += [(e["kind"], e["how"], e["file_name"], e["times"]) for e in answer.json()]
        if "x-next-cursor" not in answer.headers:
            break
        cursor = {"cursor": answer.headers["x-next-cursor"]}
    assert found == [
        ("downloaded", "json", "a.txt", 1),
        ("unlocked", "json", None, 1),
        ("opened", "page", None, 1),
        ("opened", "json", None, 1),
        ("unlocked", "json", None, 1),
        ("unlocked", "json", None, 1),
        ("opened", "json", None, 2),
    ]
    clock.time += 90 * 86_400 + 60
    alice = Client(alice.post("/login", username="alice", password=PASSWORD).json()["token"])
    change(alice, link, expires_in=None)
    assert alice.get(f"/links/{link.id}/events").json() == []
