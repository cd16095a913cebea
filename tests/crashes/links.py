"""Links that operations start from: one good for a single download, one with a password."""

from collections.abc import Callable
from typing import Any

from tests.crashes.seen import require
from tests.crashes.uploads import gives_the_bytes
from tests.support.client import PASSWORD, Answer, Client

ONCE, LOCKED = "once", "locked"
MADE: dict[str, dict[str, Any]] = {}


def make(owner: Client, report: str, plan: str) -> None:
    """Makes both; whoever comes with them needs no account."""
    wishes = {
        ONCE: {"items": [report], "max_downloads": 1},
        LOCKED: {"items": [plan], "password": PASSWORD},
    }
    for which, wish in wishes.items():
        answer = owner.post("/links", **wish)
        assert answer.status == 201, answer.text
        MADE[which] = answer.json()


def path_of(which: str) -> str:
    """Where a link is opened."""
    return "/s/" + MADE[which]["url"].rpartition("/")[2]


def on_link(method: str, path: str = "", **fields: Any) -> Callable[[Client], Answer]:
    """Its owner does something to the link that is good for one download."""

    def act(client: Client) -> Answer:
        target = f"/links/{MADE[ONCE]['id']}{path}"
        return client.send(method, target, json_=fields or None)

    return act


def visit(
    method: str, path: str = "", which: str = ONCE, **fields: Any
) -> Callable[[Client], Answer]:
    """Somebody comes with a link; a program, which is told things as JSON."""

    def act(client: Client) -> Answer:
        headers = {"accept": "application/json"}
        return client.send(method, path_of(which) + path, json_=fields or None, headers=headers)

    return act


def gives_the_bytes_or_is_used_up(answer: Answer) -> None:
    """The address that was given works; a second one is not given."""
    if answer.status == 200:
        gives_the_bytes(answer)
    else:
        assert answer.slug in {"link-exhausted", "link-revoked"}


def seen_of_links(owner: Client) -> dict[str, Any]:
    """What an owner sees of their links, and what they open for whoever has them."""
    answer = owner.get("/links")
    require(answer.status == 200, f"the list of links answers {answer.status}")
    told: list[Any] = []
    for view in answer.json():
        link = owner.get(f"/links/{view['id']}")
        require(link.status == 200, "a link is listed, yet is not there")
        events = owner.get(f"/links/{view['id']}/events").json()
        counted = sum(each["times"] for each in events if each["kind"] == "downloaded")
        require(counted == view["downloads"], f"{counted} downloads are noted, not counted")
        most = view["max_downloads"]
        require(most is None or counted <= max(most, 1), "it was downloaded too often")
        told.append((link.json()["items"], most, counted, view["has_password"], view["alias"]))
    seen: dict[str, Any] = {"listed": sorted(told, key=repr)}
    for where in (*map(path_of, MADE), "/s/the-plan"):
        opened = Client(address="198.51.100.1").get(where)
        shown = opened.json().get("items") or []
        names = [item["file_name"] for item in shown]
        key = "alias" if where.endswith("the-plan") else f"link {len(seen)}"
        seen[key] = opened.status, names, opened.json().get("downloads_left")
    return seen
