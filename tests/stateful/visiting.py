"""Opens links and compares them with the model."""

import itertools
from typing import Any

from tests.crashes.seen import require
from tests.stateful.house import House
from tests.stateful.model import PEOPLE, Model, is_in, opening, shown
from tests.support.client import Answer, Client

JSON = {"accept": "application/json"}


class Visiting:
    """Visitors with and without accounts."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._turn = itertools.count()

    def visitor(self) -> str | None:
        """An account, or None: a visitor without one."""
        return [None, None, *PEOPLE][next(self._turn) % 6]

    def client(self, who: str | None) -> Client:
        address = f"203.0.113.{next(self._turn) % 250}"
        return Client(self.house.people[who].token, address) if who else Client(address=address)

    def unlock(self, model: Model, note: str, who: str | None) -> str | None:
        """The access token of a link with a password; None if the link refuses the visitor."""
        link = model.links[note]
        answer = self.client(who).post(f"{self.house.paths[note]}/unlock", password=link.password)
        should = opening(model, link, who, unlocked=True) if link.items else answer.status
        require(answer.status == should, f"to unlock is answered {answer.status}, not {should}")
        return answer.json()["grant"] if answer.status == 200 else None

    def open(self, model: Model, note: str) -> None:
        """Compares a link with the model, locked and unlocked."""
        link, who = model.links[note], self.visitor()
        if link.audience and next(self._turn) % 2:
            who = link.audience
        self._look(model, note, who, None)
        if link.password is not None:
            grant = self.unlock(model, note, who)
            if grant:
                self._look(model, note, who, grant)

    def _look(self, model: Model, note: str, who: str | None, grant: str | None) -> None:
        link = model.links[note]
        answer = self.get(note, who, grant)
        should = opening(model, link, who, unlocked=grant is not None)
        require(answer.status == should, f"link {note} answers {answer.status}, not {should}")
        self.house.hits[f"link {should}"] += 1
        if should == 200:
            seen = [item["file_name"] for item in answer.json()["items"]]
            require(len(seen) == len(set(seen)), "a link lists a file twice")
            require(set(seen) == shown(model, link), f"link {note} shows {seen}")
            self.house.hits["link shows a file"] += bool(seen)

    def get(self, note: str, who: str | None, grant: str | None) -> Answer:
        """Opens a link."""
        headers = JSON | ({"x-link-grant": grant} if grant else {})
        return self.client(who).send("GET", self.house.paths[note], headers=headers)


def links_seen(house: House, who: str, *, items: bool) -> dict[str, Any] | None:
    """The view of an owner's links, by note; with `items`, the items of each."""
    client = house.people[who]
    answer = client.get("/links")
    if answer.status == 401:
        return None
    require(answer.status == 200, f"the list of links answers {answer.status}")
    seen: dict[str, Any] = {}
    for each in answer.json():
        house.ids[each["note"]] = each["id"]
        told = each["max_downloads"], each["downloads"], each["has_password"]
        seen[each["note"]] = told
        if items:
            link = client.get(f"/links/{each['id']}")
            require(link.status == 200, "a link is listed, yet is not there")
            seen[each["note"]] = *told, tuple(link.json()["items"])
    return seen


def links_of(model: Model, who: str, *, items: bool) -> dict[str, Any] | None:
    """The expected view of an owner's links."""
    if not is_in(model, who):
        return None
    return {
        note: (link.most, link.used, link.password is not None)
        + ((tuple(sorted(link.items)),) if items else ())
        for note, link in model.links.items()
        if link.owner == who and not link.revoked
    }
