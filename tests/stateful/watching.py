"""The views of people, compared with the model."""

import hashlib
import itertools
from collections import Counter
from typing import Any

from tests.crashes.seen import require
from tests.stateful.house import House, View
from tests.stateful.model import PEOPLE, Model, Place, is_in, may_read, may_write, permission, used
from tests.stateful.visiting import links_of, links_seen

WAYS = ("read", "write", "head", "download")


def listed(model: Model, who: str) -> View | None:
    """The expected list of a person: the readable files, with the highest permission."""
    if not is_in(model, who):
        return None
    return {
        f"{owner}/{name}": (permission(model, who, owner, name), file.version, digest(file.content))
        for (owner, name), file in model.files.items()
        if may_read(model, who, owner, name)
    }


def everything(model: Model) -> Any:
    """The expected views of all people."""
    return {
        who: (listed(model, who), links_of(model, who, items=True), trash_of(model, who))
        for who in PEOPLE
    }


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Watching:
    """Compares views; `hits` counts events."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.hits: Counter[str] = house.hits
        self._turn = itertools.count()

    def everything(self) -> Any:
        """The views of all people."""
        return {
            who: (self.house.listed(who), links_seen(self.house, who, items=True), self.trash(who))
            for who in PEOPLE
        }

    def compare(self, model: Model, who: str, limit: int = 1000) -> None:
        """Compares the list of a person, with permissions."""
        seen, should = self.house.listed(who, limit), listed(model, who)
        require(
            seen == should or (seen is None and bool(self.house.cut)),
            f"{who} is listed {seen}, not {should}",
        )
        if not self.house.cut:
            links = links_seen(self.house, who, items=False)
            require(links == links_of(model, who, items=False), f"{who} has {links}")
        for key, (right, *_) in (should or {}).items():
            if right != "own":
                self.hits[f"{right}s another's"] += 1
                self.hits["through a group"] += by_group_alone(model, who, key)

    def probe(self, model: Model, place: Place) -> None:
        """Has each person try a file, each in another way."""
        for who in PEOPLE:
            way = WAYS[next(self._turn) % len(WAYS)]
            getattr(self, way)(model, who, *place)

    def read(self, model: Model, who: str, owner: str, name: str) -> None:
        """Gets the bytes of the last acknowledged PUT, or a refusal."""
        answer = self.house.people[who].read(name, username=owner)
        if self._let_in(model, who, owner, name, answer.status):
            require(answer.content == model.files[owner, name].content, "it has other bytes")

    def head(self, model: Model, who: str, owner: str, name: str) -> None:
        query = {"file_name": name, "username": owner}
        answer = self.house.people[who].send("HEAD", "/file", query=query)
        self._let_in(model, who, owner, name, answer.status)

    def download(self, model: Model, who: str, owner: str, name: str) -> None:
        """Gets a URL for the right bytes, or a refusal."""
        answer = self.house.people[who].get("/download", file_name=name, username=owner)
        if self._let_in(model, who, owner, name, answer.status):
            should = digest(model.files[owner, name].content)
            require(answer.json()["sha256"] == should, "the address is for other bytes")

    def write(self, model: Model, who: str, owner: str, name: str) -> None:
        """Writes without the right, which is refused; with the right it reads instead."""
        if may_write(model, who, owner, name):
            self.read(model, who, owner, name)
            return
        status = self.house.people[who].put(name, b"forbidden", username=owner).status
        should = 404 if is_in(model, who) else 401
        fits = {should, 503} if self.house.cut else {should}
        require(status in fits, f"{who} put {owner}/{name}: {status}, not {should}")
        self.hits["refused a write"] += 1

    def _let_in(self, model: Model, who: str, owner: str, name: str, status: int) -> bool:
        if self.house.cut and status == 503:
            return False
        may = may_read(model, who, owner, name)
        should = 200 if may else 404 if is_in(model, who) else 401
        require(status == should, f"{who} got {status} of {owner}/{name}, not {should}")
        if who != owner:
            there = (owner, name) in model.files
            self.hits["read another's" if may else "refused" if there else "nothing there"] += 1
        return may

    def groups(self, model: Model, who: str) -> None:
        """Compares a person's groups and their members."""
        if not is_in(model, who):
            return
        client = self.house.people[who]
        mine = {group for group, member in model.members if member == who}
        seen = {each["group"] for each in client.get("/groups").json()}
        require(seen == mine, f"{who} belongs to {seen}, not {mine}")
        asked = {group for group, member in model.invited if member == who}
        found = {each["group"] for each in client.get("/groups", invited="true").json()}
        require(found == asked, f"{who} is invited to {found}, not {asked}")
        for group in sorted(seen):
            answer = client.get(f"/groups/{group}").json()
            said = {(group, each["username"]) for each in answer["members"]} - model.ghosts
            known = model.members | (model.invited if model.groups[group] == who else set())
            should = {held for held in known if held[0] == group}
            require(said == should, f"the members are {said}, not {should}")

    def charged(self, model: Model, who: str) -> None:
        """Compares the bytes used, the trash and the versions of a person."""
        if is_in(model, who):
            client = self.house.people[who]
            told = client.get("/me").json()["bytes_used"]
            mine, _ = used(model, who)
            require(told == mine, f"{who} is charged {told}, has {mine}")
            require(self.trash(who) == trash_of(model, who), f"{who}'s trash is {self.trash(who)}")
            for (owner, name), file in model.files.items():
                if owner == who:
                    kept = client.get("/versions", file_name=name, limit=1000).json()
                    should = [len(each) for each in (*file.past, file.content)]
                    sizes = [each["size"] for each in kept][::-1]
                    require(sizes == should, f"{owner}/{name} has versions of {sizes}")

    def trash(self, who: str) -> list[tuple[str, str]] | None:
        """The trash of a person, by name."""
        answer = self.house.people[who].get("/trash", limit=1000)
        if answer.status != 200:
            return None
        return sorted((each["file_name"], each["sha256"]) for each in answer.json())


def trash_of(model: Model, who: str) -> list[tuple[str, str]] | None:
    """The expected trash of a person."""
    if not is_in(model, who):
        return None
    return sorted(
        (name, digest(file.content))
        for (owner, name), files in model.trash.items()
        if owner == who
        for file in files
    )


def by_group_alone(model: Model, who: str, key: str) -> bool:
    """Whether a person may read a file only as a member of a group."""
    owner, _, name = key.partition("/")
    alone = model.but(members=frozenset(held for held in model.members if held[1] != who))
    return not may_read(alone, who, owner, name)
