"""The address that counts: the source of the connection, or what a trusted proxy says."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from function import contract
from tests.support.client import PASSWORD, Client

SECRET = "a-secret-that-only-cloudfront-knows"
HASH = hashlib.sha256(SECRET.encode()).hexdigest()
EDGE, INNER, VIEWER = "130.176.0.7", "10.1.2.3", "198.51.100.10"
PROXIES = "130.176.0.0/16,10.0.0.0/8,2600:9000::/28"


def address_of(client: Client, **headers: str) -> str:
    """The address that is stored with a session that logs in."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"username": "alice", "password": PASSWORD}
    answer = client.send("POST", "/login", json_=sent, headers=fields)
    assert answer.status == 200, answer.text
    sessions = Client(answer.json()["token"]).get("/sessions").json()
    return str(next(each["address"] for each in sessions if each["current"]))


@pytest.fixture
def behind_proxies(
    alice: Client, settings: contract.Settings, rewire: Callable[[contract.Settings], None]
) -> Callable[..., None]:
    """A function that sets the settings."""

    def use(proxies: str = "", origin_secret_hash: str = "") -> None:
        changes = {"trusted_proxies": proxies, "origin_secret_hash": origin_secret_hash}
        rewire(replace(settings, **changes))  # type: ignore[arg-type]

    return use


@pytest.mark.parametrize("headers", [
    {"x_forwarded_for": VIEWER},
    {"x_forwarded_for": f"{VIEWER}, {EDGE}"},
    {"cloudfront_viewer_address": f"{VIEWER}:443"},
    {"cloudfront_viewer_address": f"{VIEWER}:443", "x_origin_secret": ""},
    {"cloudfront_viewer_address": f"{VIEWER}:443", "x_origin_secret": SECRET},
    {"forwarded": f"for={VIEWER}"}, {"x_real_ip": VIEWER}, {"true_client_ip": VIEWER},
])  # fmt: skip
def test_without_settings_no_header_changes_the_address(
    alice: Client, headers: dict[str, str]
) -> None:
    """Whatever a client claims."""
    assert address_of(Client(address=EDGE), **headers) == EDGE


@pytest.mark.parametrize(
    ("source", "forwarded", "address"),
    [
        (EDGE, VIEWER, VIEWER),
        (EDGE, f"203.0.113.66, {VIEWER}", VIEWER),  # what the viewer claimed stands before
        (EDGE, f"203.0.113.66, {VIEWER}, {INNER}", VIEWER),
        (EDGE, f"{VIEWER},{INNER},{INNER}", VIEWER),
        (EDGE, f"{VIEWER}:52011", VIEWER),
        (EDGE, "2001:db8::7", "2001:db8::7"),
        (EDGE, "[2001:db8::7]:443", "2001:db8::7"),
        (EDGE, f"::ffff:{VIEWER}", VIEWER),
        ("2600:9000::1", VIEWER, VIEWER),
        (EDGE, "", EDGE),
        (EDGE, INNER, INNER),
        (EDGE, f"{VIEWER}, unknown", EDGE),
        (EDGE, f"{VIEWER}, _hidden, {INNER}", INNER),
        ("203.0.113.5", VIEWER, "203.0.113.5"),  # nobody that is trusted
        ("203.0.113.5", f"{VIEWER}, {EDGE}", "203.0.113.5"),
    ],
)
def test_the_last_hop_that_is_not_trusted_counts(
    behind_proxies: Callable[..., None], source: str, forwarded: str, address: str
) -> None:
    """Each proxy adds the address that it saw; before that stands what its client claimed."""
    behind_proxies(PROXIES)
    assert address_of(Client(address=source), x_forwarded_for=forwarded) == address


@pytest.mark.parametrize(
    ("secret", "viewer", "address"),
    [
        (SECRET, f"{VIEWER}:46532", VIEWER),
        (SECRET, "2001:db8:1:2:3:4:5:6:46532", "2001:db8:1:2:3:4:5:6"),
        (SECRET, "[2001:db8::7]:46532", "2001:db8::7"),
        (SECRET, "", EDGE),
        (SECRET, "nonsense", EDGE),
        (SECRET, f"{VIEWER}:1,203.0.113.9:2", EDGE),
        (SECRET + "x", f"{VIEWER}:46532", EDGE),
        (HASH, f"{VIEWER}:46532", EDGE),
        ("", f"{VIEWER}:46532", EDGE),
    ],
)
def test_the_viewer_of_cloudfront_counts_beside_the_secret(
    behind_proxies: Callable[..., None], secret: str, viewer: str, address: str
) -> None:
    """Without the secret, anybody could send the field."""
    behind_proxies(origin_secret_hash=HASH)
    headers = {"x_origin_secret": secret, "cloudfront_viewer_address": viewer}
    assert address_of(Client(address=EDGE), x_forwarded_for=VIEWER, **headers) == address


def test_clients_of_one_proxy_count_apart(behind_proxies: Callable[..., None]) -> None:
    """And a client that claims other addresses counts as one."""
    behind_proxies(PROXIES)

    def guess(viewer: str, claimed: str = "") -> int:
        forwarded = f"{claimed}, {viewer}" if claimed else viewer
        sent = {"username": "alice", "password": "a guess"}
        headers = {"x-forwarded-for": forwarded}
        return Client(address=EDGE).send("POST", "/login", json_=sent, headers=headers).status

    tries = [guess("203.0.113.9", claimed=f"203.0.113.{n}") for n in range(12)]
    assert tries == [401] * 10 + [429] * 2
    assert guess("203.0.113.10") == 401
