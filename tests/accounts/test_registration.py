"""Registration policies, and invitations."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from function import contract
from function.auth.passwords import Passwords
from function.aws.dynamodb import ConditionFailed, Dynamo
from function.aws.writes import Write
from function.core.tokens import token_hash
from tests.conftest import Behind, Clock
from tests.crashes.meetings import act_before_commit
from tests.support.client import PASSWORD, SETUP_TOKEN, Answer, Client, join
from tests.support.fake_aws import FakeAws
from tests.support.mfa import enable_mfa

Rewire = Callable[[contract.Settings], None]


def register(username: str, **fields: object) -> Answer:
    return Client().post("/register", username=username, password=PASSWORD, **fields)


@pytest.fixture
def root(fake_aws: FakeAws) -> Client:
    return join("root")


@pytest.fixture
def only(settings: contract.Settings, rewire: Rewire) -> Callable[[str], None]:
    """Sets the registration policy of the configuration."""
    return lambda registration: rewire(replace(settings, registration=registration))


@pytest.mark.parametrize("registration", ["invite", "closed"])
def test_a_closed_registration_is_refused(
    alice: Client, only: Callable[[str], None], behind: Behind, registration: str
) -> None:
    """It does not show which names exist, nor judge the password."""
    only(registration)
    before = behind.state()
    for name in ("carol", "alice"):
        answer = register(name)
        assert (answer.status, answer.slug) == (403, "registration-closed")
        assert ("Ask an administrator" in answer.json()["detail"]) is (registration == "invite")
    weak = Client().post("/register", username="carol", password="x")
    assert weak.slug == "registration-closed"
    assert behind.state() == before


@pytest.mark.parametrize("registration", ["open", "invite", "closed"])
def test_the_configured_administrator_may_always_register(
    fake_aws: FakeAws, only: Callable[[str], None], registration: str
) -> None:
    """Once: then the name is taken, as any other."""
    only(registration)
    assert register("root", setup_token=SETUP_TOKEN).json()["role"] == "admin"
    answer = register("root", setup_token=SETUP_TOKEN)
    assert (answer.status, answer.slug) == (409, "username-taken")


@pytest.mark.parametrize("registration", ["open", "invite", "closed"])
@pytest.mark.parametrize(
    "token", [None, "", "x", SETUP_TOKEN[:-1], SETUP_TOKEN + "x", token_hash(SETUP_TOKEN)]
)
def test_the_name_of_the_administrator_is_reserved(
    fake_aws: FakeAws, behind: Behind, only: Callable[[str], None], registration: str, token: Any
) -> None:
    """Whoever is first, an invitation is of no use, and the answer is the same for a taken name."""
    only(registration)
    with fake_aws.counted() as made:
        answers = [register(name, setup_token=token) for name in ("root", "ROOT", "Root")]
    assert {(each.status, each.slug) for each in answers} == {(403, "wrong-setup-token")}
    assert (made, behind.rows("users")) == ([], [])
    assert register("root", setup_token=SETUP_TOKEN).status == 201
    again = register("root", setup_token=token)
    assert again.json()["detail"] == answers[0].json()["detail"]


def test_without_a_setup_token_there_is_no_first_administrator(
    settings: contract.Settings, rewire: Rewire, fake_aws: FakeAws
) -> None:
    """`GET /info` says so. One who is registered already goes on."""
    root = join("root")
    assert Client().get("/info").json()["administrator_setup"] is True
    rewire(replace(settings, administrator_token_hash=""))
    assert root.get("/users").status == 200
    assert Client().post("/login", username="root", password=PASSWORD).status == 200
    rewire(replace(settings, administrator="boss", administrator_token_hash=""))
    assert Client().get("/info").json()["administrator_setup"] is False
    for token in (None, "", SETUP_TOKEN):
        answer = register("boss", setup_token=token)
        assert (answer.status, answer.slug) == (403, "wrong-setup-token")
        assert "no setup token" in answer.json()["detail"]
    rewire(replace(settings, administrator=""))
    assert Client().get("/info").json()["administrator_setup"] is False


def test_the_setup_token_is_for_no_other_name(fake_aws: FakeAws, behind: Behind) -> None:
    """Whoever mistypes the name learns it, and has no account that is not the administrator's."""
    for token in (SETUP_TOKEN, "x"):
        assert register("rot", setup_token=token).slug == "wrong-setup-token"
    assert behind.rows("users") == []


def test_an_invitation_creates_one_account(
    root: Client, only: Callable[[str], None], behind: Behind
) -> None:
    """With its role and address."""
    only("invite")
    made = root.post("/invites", role="client", email="carol@example.org")
    assert made.status == 201
    invite = made.json()
    assert (invite["role"], invite["username"]) == ("client", "root")
    (listed,) = root.get("/invites").json()
    assert listed == {name: value for name, value in invite.items() if name != "token"}
    assert register("carol", invite=invite["token"]).json()["role"] == "client"
    row = behind.row("users", username="carol")
    assert (row["email"], row["role"]) == ("carol@example.org", "client")
    answer = register("dave", invite=invite["token"])
    assert (answer.status, answer.slug) == (404, "no-such-invite")
    assert root.get("/invites").json() == []
    assert {row["username"] for row in behind.rows("users")} == {"root", "carol"}


def test_an_invitation_works_with_open_registration(root: Client, alice: Client) -> None:
    """It sets the role; an invalid one is refused there as well."""
    token = root.post("/invites", role="admin").json()["token"]
    assert register("carol", invite=token).json()["role"] == "admin"
    assert register("dave", invite=token).slug == "no-such-invite"
    assert register("dave").status == 201


def test_an_invitation_does_not_open_a_closed_registration(
    root: Client, only: Callable[[str], None]
) -> None:
    """It stays valid for when the policy changes."""
    token = root.post("/invites").json()["token"]
    only("closed")
    assert register("carol", invite=token).slug == "registration-closed"
    only("invite")
    assert register("carol", invite=token).status == 201


def test_no_invitation_is_created_with_closed_registration(
    root: Client, alice: Client, only: Callable[[str], None], behind: Behind
) -> None:
    """Its token would be of no use; earlier ones are listed, and can be deleted."""
    invite = root.post("/invites").json()["id"]
    only("closed")
    before = behind.state()
    answer = root.post("/invites")
    assert (answer.status, answer.slug) == (403, "registration-closed")
    assert alice.post("/invites").slug == "not-allowed"
    assert behind.state() == before
    assert [each["id"] for each in root.get("/invites").json()] == [invite]
    assert root.delete(f"/invites/{invite}").status == 204


def test_a_refused_registration_keeps_the_invitation(root: Client, alice: Client) -> None:
    """Another name or a stronger password can follow."""
    token = root.post("/invites", role="client").json()["token"]
    assert register("alice", invite=token).slug == "username-taken"
    weak = Client().post("/register", username="carol", password="carol", invite=token)
    assert weak.slug == "weak-password"
    assert register("carol", invite=token).json()["role"] == "client"


def test_one_of_two_with_one_invitation_registers(root: Client, fake_aws: FakeAws) -> None:
    """Another registration can come between the read and the commit."""
    token = root.post("/invites").json()["token"]
    met = act_before_commit(fake_aws, lambda: register("carol", invite=token))
    answer = register("dave", invite=token)
    assert met[0].status == 201
    assert (answer.status, answer.slug) == (404, "no-such-invite")


@pytest.mark.parametrize("default", ["member", "client"])
def test_an_invitation_has_the_default_role(
    settings: contract.Settings, rewire: Rewire, fake_aws: FakeAws, default: str
) -> None:
    """Where the administrator names none."""
    rewire(replace(settings, default_role=default))
    assert join("root").post("/invites").json()["role"] == default


def test_an_invitation_expires(root: Client, clock: Clock) -> None:
    """At its second, whether or not the TTL has deleted the row."""
    token = root.post("/invites", expires_in=60).json()["token"]
    clock.time += 60
    assert register("carol", invite=token).slug == "no-such-invite"
    assert root.get("/invites").json() == []


def test_a_deleted_invitation_stops_working(root: Client) -> None:
    """At once; a second deletion is 404."""
    invite = root.post("/invites").json()
    path = f"/invites/{invite['id']}"
    assert root.delete(path).status == 204
    assert (root.delete(path).status, root.delete(path).slug) == (404, "no-such-invite")
    assert register("carol", invite=invite["token"]).slug == "no-such-invite"


@pytest.mark.parametrize("change", [{"role": "member"}, {"disabled": True}, {"id": "another"}])
def test_an_invitation_needs_its_administrator(
    root: Client, behind: Behind, change: dict[str, object]
) -> None:
    """A demoted, disabled or replaced administrator leaves no valid invitation behind."""
    token = root.post("/invites", role="admin").json()["token"]
    assert register("carol", invite=token).json()["role"] == "admin"
    carol = Client(Client().post("/login", username="carol", password=PASSWORD).json()["token"])
    left = carol.post("/invites", role="admin").json()["token"]
    behind.change("users", {"username": "carol"}, **change)
    before = behind.state()
    assert register("dave", invite=left).slug == "no-such-invite"
    assert behind.state() == before
    last = root.post("/invites").json()["token"]
    assert register("root", invite=last, setup_token=SETUP_TOKEN).slug == "no-such-invite"
    assert register("dave", invite=last).status == 201


def test_an_invitation_is_stored_as_a_hash(root: Client, behind: Behind) -> None:
    """Nobody can register with the contents of the tables."""
    made = [root.post("/invites").json() for _ in range(3)]
    rows = repr(behind.rows("files"))
    for invite in made:
        assert invite["id"] in rows
        assert invite["token"][10:] not in rows
    assert len({invite["token"] for invite in made}) == 3


def test_invitations_come_in_pages(root: Client, clock: Clock) -> None:
    """The oldest first, each once."""
    made = []
    for _ in range(5):
        made.append(root.post("/invites").json()["id"])
        clock.time += 1
    found, query = [], {"limit": "2"}
    while True:
        answer = root.get("/invites", **query)
        found += [each["id"] for each in answer.json()]
        if "x-next-cursor" not in answer.headers:
            break
        query["cursor"] = answer.headers["x-next-cursor"]
    assert found == made


def test_a_password_is_hashed_once(fake_aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the registration is planned again."""
    hashed: list[str] = []
    commits: list[object] = []
    make_hash, commit = Passwords.hash, Dynamo.commit

    def counted_hash(passwords: Passwords, password: str) -> str:
        hashed.append(password)
        return make_hash(passwords, password)

    def second_commit(db: Dynamo, writes: Sequence[Write], *pauses: Any) -> None:
        commits.append(writes)
        if len(commits) == 1:
            raise ConditionFailed([])
        commit(db, writes, *pauses)

    monkeypatch.setattr(Passwords, "hash", counted_hash)
    monkeypatch.setattr(Dynamo, "commit", second_commit)
    assert register("carol").status == 201
    assert (len(commits), hashed) == (2, [PASSWORD])


ADMIN_ACTS: dict[str, Callable[..., Answer]] = {
    "invitation": lambda client, **more: client.post("/invites", role="admin", **more),
    "role": lambda client, **more: client.send(
        "PATCH", "/users/alice", json_={"role": "admin", **more}
    ),
    "lost factor": lambda client, **more: client.send(
        "PATCH", "/users/alice", json_={"mfa": False, **more}
    ),
    "reset": lambda client, otp=None: client.send(
        "POST", "/users/alice/reset", headers={"x-otp": otp} if otp else {}
    ),
}


def create_key(client: Client, *scopes: str, **fields: object) -> Client:
    wish = {"name": "key", "scopes": scopes, "current_password": PASSWORD} | fields
    answer = client.send("POST", "/keys", json_=wish)
    assert answer.status == 201, answer.text
    return Client(answer.json()["token"])


@pytest.mark.parametrize("act", ADMIN_ACTS.values(), ids=ADMIN_ACTS)
def test_who_may_log_in_as_whom_takes_more_than_an_admin_key(
    root: Client, alice: Client, behind: Behind, clock: Clock, act: Callable[..., Answer]
) -> None:
    """A key needs the scope `accounts`; a session a code, where there is a second factor."""
    assert act(root).status in {200, 201}
    app = enable_mfa(root, clock)
    enable_mfa(alice, clock)
    key = create_key(root, "admin", "read", otp=app.recovery[0])
    accounts = create_key(root, "accounts", otp=app.recovery[1])
    assert key.get("/users").status == accounts.get("/users").status == 200
    before = behind.state()
    assert (act(key).status, act(key).slug) == (403, "not-allowed")
    assert act(key, otp=app.recovery[2]).slug == "not-allowed"
    assert behind.state() == before
    assert key.post("/invites", role="client").status == 201
    assert key.send("PATCH", "/users/alice", json_={"quota": 9}).status == 200
    behind.change("users", {"username": "alice"}, role="client")
    if act is not ADMIN_ACTS["lost factor"]:
        assert act(accounts).status in {200, 201}
    behind.change("users", {"username": "alice"}, role="client")
    assert act(root).slug == "otp-required"
    assert act(root, otp=app.recovery[0]).slug == "wrong-otp"
    assert act(root, otp=app.recovery[3]).status in {200, 201}
    assert root.get("/me").json()["recovery_codes_left"] == 7


@pytest.mark.parametrize("way", ["expiry", "logout", "revoked", "everywhere", "password"])
def test_an_invitation_by_a_key_ends_with_it(root: Client, clock: Clock, way: str) -> None:
    """Whatever expiry it asked for. That of a session ends with the epoch of its account."""
    key = create_key(root, "accounts", expires_in=60)
    made = key.post("/invites", role="admin", expires_in=10 * 365 * 86_400).json()
    own = root.post("/invites", role="admin").json()["token"]
    assert made["expires_at"] == root.get("/keys").json()[0]["expires_at"]
    if way == "expiry":
        clock.time += 60
    elif way == "logout":
        assert key.post("/logout").status == 204
    elif way == "revoked":
        assert root.delete(f"/keys/{root.get('/keys').json()[0]['id']}").status == 204
    elif way == "everywhere":
        root.send("POST", "/logout", query={"everywhere": "true"})
    else:
        wish = {"current_password": PASSWORD, "new_password": "another horse battery"}
        assert root.post("/password", **wish).status == 204
    assert register("mallory", invite=made["token"]).slug == "no-such-invite"
    ends = way in {"everywhere", "password"}
    assert register("carol", invite=own).status == (404 if ends else 201)


@pytest.mark.parametrize("by", ["key", "session"])
@pytest.mark.parametrize("way", ["none", "logout", "everywhere", "demoted"])
def test_a_reset_token_ends_with_its_issuer(
    root: Client, alice: Client, behind: Behind, by: str, way: str
) -> None:
    """With the key that issued it, the epoch and the role of the administrator."""
    root.send("PATCH", "/users/alice", json_={"role": "admin"})
    join("bob")
    issuer = create_key(alice, "accounts", expires_in=60) if by == "key" else alice
    made = issuer.post("/users/bob/reset").json()
    if way == "logout":
        assert issuer.post("/logout").status == 204
    elif way == "everywhere":
        alice.send("POST", "/logout", query={"everywhere": "true"})
    elif way == "demoted":
        root.send("PATCH", "/users/alice", json_={"role": "member"})
    ends = way in {"everywhere", "demoted"} or (way == "logout" and by == "key")
    wish = {"token": made["token"], "new_password": "another horse battery"}
    answer = Client().post("/password/reset", **wish)
    assert answer.status == (403 if ends else 204), answer.text
    assert not ends or answer.slug == "wrong-reset-token"


def test_an_invitation_of_an_earlier_release_has_no_epoch(root: Client, behind: Behind) -> None:
    """It works while its creator is an administrator, as it did."""
    made = root.post("/invites").json()
    (row,) = (each for each in behind.rows("files") if each["name"] == made["id"])
    del row["epoch"]
    behind.put("files", row)
    root.send("POST", "/logout", query={"everywhere": "true"})
    assert register("carol", invite=made["token"]).status == 201
