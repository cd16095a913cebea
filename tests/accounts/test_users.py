"""Administration of accounts, and the usage of each."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from function import contract
from function.auth.mfa import PERIOD
from tests.conftest import Behind, Clock
from tests.crashes.meetings import act_before_commit
from tests.support.client import PASSWORD, Answer, Client, join
from tests.support.fake_aws import FakeAws
from tests.support.mfa import Authenticator, disable_mfa, enable_mfa
from tests.support.world import World

Rewire = Callable[[contract.Settings], None]


def change(who: Client, user: str, **fields: object) -> Answer:
    return who.send("PATCH", f"/users/{user}", json_=fields)


def login(username: str) -> Answer:
    return Client().post("/login", username=username, password=PASSWORD)


def pages(who: Client, path: str, **query: str) -> list[list[dict[str, object]]]:
    """All pages of a list."""
    found = []
    while True:
        answer = who.get(path, **query)
        assert answer.status == 200, answer.text
        found.append(answer.json())
        if "x-next-cursor" not in answer.headers:
            return found
        query["cursor"] = answer.headers["x-next-cursor"]


def test_all_accounts_are_listed(world: World) -> None:
    """With the fields for administrators, and no secrets."""
    (everybody,) = pages(world.root, "/users")
    found = {user["username"]: user for user in everybody}
    assert found.keys() == {"alice", "bob", "carol", "dave", "root"}
    assert found["root"]["role"] == "admin"
    assert found["alice"].keys() == {
        "username", "role", "created", "email", "mfa", "disabled", "quota", "files_quota",
        "bytes_used", "files_used",
    }  # fmt: skip
    assert found["alice"]["bytes_used"] == world.alice.get("/me").json()["bytes_used"] > 0


@pytest.mark.parametrize("limit", [1, 2, 5, 6])
@pytest.mark.parametrize(("path", "more"), [("/users", {}), ("/usage", {"everybody": "true"})])
def test_each_account_is_on_one_page(
    world: World, path: str, more: dict[str, str], limit: int
) -> None:
    """And no page follows the last account."""
    found = pages(world.root, path, limit=str(limit), **more)
    names = sorted(str(user["username"]) for page in found for user in page)
    assert names == ["alice", "bob", "carol", "dave", "root"]
    assert len(found) == -(-5 // limit)


def test_a_cursor_belongs_to_one_list(world: World) -> None:
    """And to one administrator."""
    cursor = world.root.get("/users", limit=1).headers["x-next-cursor"]
    answer = world.root.get("/usage", everybody="true", cursor=cursor)
    assert (answer.status, answer.slug) == (400, "invalid-cursor")
    change(world.root, "bob", role="admin")
    assert world.bob.get("/users", cursor=cursor).slug == "invalid-cursor"


def test_a_changed_role_holds_at_once(world: World) -> None:
    """With the next request of every session."""
    answer = change(world.root, "bob", role="client")
    assert (answer.status, answer.json()["role"]) == (200, "client")
    assert world.bob.put("b.txt").slug == "not-allowed"
    assert world.bob.read("a.txt", username="alice").status == 200
    change(world.root, "bob", role="admin")
    assert world.bob.get("/users").status == 200
    change(world.bob, "dave", role="client")
    change(world.root, "bob", role="member")
    assert change(world.bob, "dave", role="admin").slug == "not-allowed"


def test_quotas_are_set_and_cleared(world: World) -> None:
    """Fields that are not sent stay; null is no limit."""
    answer = change(world.root, "dave", quota=3, files_quota=7)
    assert (answer.json()["quota"], answer.json()["files_quota"]) == (3, 7)
    assert world.dave.put("a.txt", b"four").slug == "quota-exceeded"
    assert change(world.root, "dave", role="member").json()["quota"] == 3
    assert change(world.root, "dave", quota=None).json()["quota"] is None
    assert world.dave.put("a.txt", b"four").status == 201
    assert change(world.root, "dave", disabled=False).json()["files_quota"] == 7


@pytest.mark.parametrize(
    "body",
    [{"role": "owner"}, {"quota": -1}, {"quota": 1.5}, {"quota": 10**16}, {"disabled": 1},
     {"mfa": True}, {"mfa": 0}, {"mfa": "false"}, {"totp": None},
     {"password": "x"}, {"epoch": "x"}, {"username": "x"}, {"bytes_used": 0}],
)  # fmt: skip
def test_other_fields_are_refused(world: World, behind: Behind, body: dict[str, object]) -> None:
    """An administrator sets no password and no count, and turns on no second factor."""
    before = behind.state()
    answer = change(world.root, "dave", **body)
    assert (answer.status, answer.slug) == (422, "invalid-request")
    assert behind.state() == before


@pytest.mark.parametrize("body", [{}, {"role": None}, {"disabled": None, "mfa": None}])
def test_a_change_needs_a_field(world: World, behind: Behind, body: dict[str, object]) -> None:
    """Null is a value of quotas alone."""
    before = behind.state()
    answer = change(world.root, "dave", **body)
    assert (answer.status, answer.slug) == (422, "invalid-request")
    assert "role, quota" in answer.json()["detail"]
    assert change(world.alice, "dave", **body).slug == "not-allowed"
    assert behind.state() == before


def test_present_values_are_no_change(world: World, behind: Behind) -> None:
    """They are neither written nor audited."""
    change(world.root, "dave", quota=3)
    before = behind.state()
    same = {"role": "member", "quota": 3, "files_quota": None, "disabled": False, "mfa": False}
    answer = change(world.root, "dave", **same)
    assert (answer.status, answer.json()["quota"]) == (200, 3)
    assert behind.state() == before
    change(world.root, "dave", **same | {"role": "client"})
    told = {
        each["subject"]
        for each in world.root.get("/audit", username="dave", action="account.update").json()
    }
    assert told == {"quota: 3", "role: client"}


def test_a_disabled_account_is_refused_everywhere(world: World) -> None:
    """Sessions, links, file requests and shares stop with the next request."""
    paths = (f"/s/{world.ids.link_token}", f"/r/{world.ids.request_token}")
    assert all(Client().get(path).status == 200 for path in paths)
    assert change(world.root, "alice", disabled=True).json()["disabled"] is True
    assert world.alice.get("/me").slug == "not-signed-in"
    assert login("alice").slug == "wrong-credentials"
    assert [Client().get(path).status for path in paths] == [404, 404]
    assert world.bob.read("a.txt", username="alice").slug == "no-such-file"
    answer = world.dave.post("/share", file_name="x/", username="alice")
    assert answer.slug == "no-such-user"
    listed = {user["username"]: user["disabled"] for user in world.root.get("/users").json()}
    assert [name for name, disabled in listed.items() if disabled] == ["alice"]


def test_enabling_restores_all_but_sessions(world: World) -> None:
    """A token that another person may hold stays invalid; files and rights are as before."""
    change(world.root, "alice", disabled=True)
    change(world.root, "alice", disabled=False)
    assert world.alice.get("/me").slug == "not-signed-in"
    assert world.bob.read("a.txt", username="alice").status == 200
    assert Client().get(f"/s/{world.ids.link_token}").status == 200
    token = login("alice").json()["token"]
    assert Client(token).read("a.txt").content == b"the first bytes"


def test_disabling_twice_is_the_same(world: World, behind: Behind) -> None:
    """Other changes leave the sessions alone."""
    change(world.root, "alice", quota=10**6, role="admin", disabled=False)
    assert world.alice.get("/me").status == 200
    change(world.root, "alice", disabled=True)
    epoch = behind.row("users", username="alice")["epoch"]
    change(world.root, "alice", disabled=True)
    assert behind.row("users", username="alice")["epoch"] == epoch


def test_an_administrator_removes_a_second_factor(
    world: World, clock: Clock, behind: Behind
) -> None:
    """The owner then needs the password alone; sessions and keys have ended."""
    app = enable_mfa(world.dave, clock)
    proof = {"current_password": PASSWORD, "otp": app.recovery[1]}
    key = world.dave.post("/keys", name="x", scopes=["read"], **proof).json()["token"]
    others = behind.row("users", username="alice")
    answer = change(world.root, "dave", mfa=False)
    assert (answer.status, answer.json()["mfa"]) == (200, False)
    assert world.dave.get("/me").slug == Client(key).get("/me").slug == "not-signed-in"
    row = behind.row("users", username="dave")
    assert not {"totp", "totp_new", "totp_step", "recovery"} & row.keys()
    again = Client(login("dave").json()["token"])
    me = again.get("/me").json()
    assert (me["mfa"], me["recovery_codes_left"]) == (False, 0)
    assert disable_mfa(again, app.recovery[0]).slug == "no-such-factor"
    assert behind.row("users", username="alice") == others
    clock.time += PERIOD
    assert enable_mfa(again, clock).secret != app.secret
    assert login("dave").slug == "otp-required"


def test_the_list_shows_who_has_a_second_factor(world: World, clock: Clock) -> None:
    """Other changes keep it; an unconfirmed one is none."""
    enable_mfa(world.dave, clock)
    world.bob.post("/mfa", current_password=PASSWORD)
    assert change(world.root, "dave", quota=1, disabled=False, mfa=None).json()["mfa"] is True
    assert world.dave.get("/me").status == 200
    listed = {user["username"]: user["mfa"] for user in world.root.get("/users").json()}
    assert [name for name, on in listed.items() if on] == ["dave"]


def test_removing_no_second_factor_is_no_change(world: World, clock: Clock) -> None:
    """Sessions stay, and an enrolment can still be confirmed."""
    secret = world.dave.post("/mfa", current_password=PASSWORD).json()["secret"]
    assert change(world.root, "dave", mfa=False).status == 200
    code = Authenticator(secret, clock).code()
    assert world.dave.post("/mfa/confirm", otp=code).status == 200


def test_nobody_removes_their_own_second_factor_here(
    world: World, clock: Clock, behind: Behind
) -> None:
    """A stolen session could, without a code; nor the configured administrator's."""
    change(world.root, "bob", role="admin")
    assert change(world.bob, "bob", mfa=False).status == 200, "there is none"
    apps = {who: enable_mfa(who, clock) for who in (world.root, world.bob)}
    before = behind.state()
    for who, whom in ((world.bob, "bob"), (world.bob, "root"), (world.root, "root")):
        answer = change(who, whom, mfa=False)
        assert (answer.status, answer.slug) == (409, "protected-account")
    assert behind.state() == before
    assert change(world.root, "bob", mfa=False).slug == "otp-required"
    code = apps[world.root].recovery[0]
    assert change(world.root, "bob", mfa=False, otp=code).status == 200


def test_the_removal_is_audited(world: World, clock: Clock) -> None:
    """With actor and owner."""
    enable_mfa(world.dave, clock)
    change(world.root, "dave", mfa=False)
    (told, *_) = world.root.get("/audit", username="dave", action="account.update").json()
    assert (told["actor"], told["owner"], told["subject"]) == ("root", "dave", "mfa: False")


@pytest.mark.parametrize("body", [{"role": "member"}, {"disabled": True}])
def test_an_administrator_remains(world: World, behind: Behind, body: dict[str, object]) -> None:
    """Nobody demotes or disables themselves or the configured administrator."""
    change(world.root, "bob", role="admin")
    before = behind.state()
    for who, whom in ((world.bob, "bob"), (world.bob, "root"), (world.root, "root")):
        answer = change(who, whom, **body)
        assert (answer.status, answer.slug) == (409, "protected-account")
    assert behind.state() == before
    assert change(world.bob, "bob", quota=10**9, role="admin", disabled=False).status == 200


def test_one_of_two_who_demote_each_other_succeeds(world: World, fake_aws: FakeAws) -> None:
    """The commit requires that the caller is still an administrator."""
    for name in ("alice", "bob"):
        change(world.root, name, role="admin")
    met = act_before_commit(fake_aws, lambda: change(world.bob, "alice", role="member"))
    answer = change(world.alice, "bob", role="member")
    assert met[0].status == 200
    assert (answer.status, answer.slug) == (403, "not-allowed")
    roles = {user["username"]: user["role"] for user in world.root.get("/users").json()}
    assert (roles["alice"], roles["bob"]) == ("member", "admin")


def test_an_unknown_account_is_404(world: World) -> None:
    """Names are compared in lower case."""
    answer = change(world.root, "zoe", quota=1)
    assert (answer.status, answer.slug) == (404, "no-such-user")
    assert world.root.get("/usage", username="zoe").slug == "no-such-user"
    assert change(world.root, "DAVE", quota=1).json()["username"] == "dave"


def test_usage_is_the_callers_own(world: World) -> None:
    """Only administrators see another account's."""
    (mine,) = world.alice.get("/usage").json()
    assert (mine["username"], mine["quota"]) == ("alice", None)
    assert mine["bytes_used"] == world.alice.get("/me").json()["bytes_used"]
    assert world.alice.get("/usage", username="alice").json() == [mine]
    assert world.root.get("/usage", username="alice").json() == [mine]
    for query in ({"username": "bob"}, {"everybody": "true"}, {"username": "zoe"}):
        answer = world.alice.get("/usage", **query)
        assert (answer.status, answer.slug) == (403, "not-allowed")


def test_a_new_account_has_the_configured_quotas(
    settings: contract.Settings, rewire: Rewire
) -> None:
    """Both of them."""
    rewire(replace(settings, quota=1000, files_quota=3))
    (used,) = join("erin").get("/usage").json()
    assert (used["quota"], used["files_quota"]) == (1000, 3)
