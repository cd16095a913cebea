"""Two links that operations use: one that allows a single download, and one with a password."""

from collections.abc import Iterable
from typing import Any

from tests.crashes.known import Known, Send, View
from tests.crashes.seen import require
from tests.crashes.uploads import assert_downloads
from tests.support.client import PASSWORD, Answer, Client

ONCE, LOCKED = "once", "locked"


def create_links(owner: Client, report: str, plan: str) -> dict[str, View]:
    """Creates both; they need no account."""
    wishes = {
        ONCE: {"items": [report], "max_downloads": 1},
        LOCKED: {"items": [plan], "password": PASSWORD},
    }
    answers = {which: owner.post("/links", **wish) for which, wish in wishes.items()}
    assert {answer.status for answer in answers.values()} == {201}
    return {which: answer.json() for which, answer in answers.items()}


def path_of(link: View) -> str:
    """The path that opens a link."""
    return "/s/" + link["url"].rpartition("/")[2]


def change_link(**fields: Any) -> Send:
    """The owner changes the link that allows one download."""

    def send(client: Client, known: Known) -> Answer:
        return client.send("PATCH", f"/links/{known.links[ONCE]['id']}", json_=fields)

    return send


def visit(path: str, which: str = ONCE, **fields: Any) -> Send:
    """Somebody uses a link, by a program that wants JSON."""

    def send(client: Client, known: Known) -> Answer:
        headers = {"accept": "application/json"}
        target = path_of(known.links[which]) + path
        return client.send("POST", target, json_=fields, headers=headers)

    return send


def assert_downloads_or_exhausted(answer: Answer) -> None:
    """The URL works, or the link has no downloads left."""
    if answer.status == 200:
        assert_downloads(answer)
    else:
        assert answer.slug in {"link-exhausted", "link-revoked"}


def seen_of_links(owner: Client, links: Iterable[View]) -> dict[str, Any]:
    """The view of an owner's links, and what each of `links` opens."""
    answer = owner.get("/links")
    require(answer.status == 200, f"the list of links answers {answer.status}")
    listed: list[Any] = []
    for view in answer.json():
        link = owner.get(f"/links/{view['id']}")
        require(link.status == 200, "a link is listed, yet does not exist")
        events = owner.get(f"/links/{view['id']}/events").json()
        counted = sum(each["times"] for each in events if each["kind"] == "downloaded")
        require(counted == view["downloads"], f"{counted} downloads are events, not counted")
        most = view["max_downloads"]
        require(most is None or counted <= max(most, 1), "it was downloaded too often")
        listed.append((link.json()["items"], most, counted, view["has_password"], view["alias"]))
    seen: dict[str, Any] = {"listed": sorted(listed, key=repr)}
    for where in (*map(path_of, links), "/s/the-plan"):
        opened = Client(address="198.51.100.1").get(where)
        shown = opened.json().get("items") or []
        names = [item["file_name"] for item in shown]
        key = "alias" if where.endswith("the-plan") else f"link {len(seen)}"
        seen[key] = opened.status, names, opened.json().get("downloads_left")
    return seen
