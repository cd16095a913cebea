"""The rules for versions, trash, copies, moved folders and quotas."""

from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.stateful import requests
from tests.stateful.driving import choice, cuts, mostly_not, names, owners, people, rarely, when
from tests.stateful.house import Cut
from tests.stateful.linking import Linking
from tests.stateful.model import FOLDERS, PEOPLE, Model, Place, may_read, used

folders = st.sampled_from(["a/", "a/", *FOLDERS])


def replaced(model: Model) -> list[Place]:
    return sorted(place for place, file in model.files.items() if file.past)


def thrown_away(model: Model) -> list[Place]:
    return sorted(place for place, files in model.trash.items() if files)


def readable(model: Model) -> list[tuple[str, str, str]]:
    return [
        (who, *place) for who in PEOPLE for place in model.files if may_read(model, who, *place)
    ]


class Living(Linking):
    """Rules for the life of files."""

    @when(replaced)
    @rule(which=choice(replaced), back=st.integers(0, 3), by=mostly_not | people, cut=cuts)
    def restore_version(self, which: Place, back: int, by: str | None, cut: Cut | None) -> None:
        owner, name = which
        who, version = by or owner, max(1, self.model.files[which].version - back)
        self.hit("restored a version", who == owner and back > 0)
        body = {"file_name": name, "username": owner, "version": version}
        effect = partial(requests.restore_version, who=who, owner=owner, name=name, version=version)
        self.do(who, lambda client: client.post("/restore", **body), effect, which, cut)

    @when(thrown_away)
    @rule(which=choice(thrown_away), cut=cuts)
    def restore(self, which: Place, cut: Cut | None) -> None:
        who, name = which
        self.hit("brought back", 200 in requests.restore(self.model, who, name)[0])
        effect = partial(requests.restore, who=who, name=name)
        self.do(who, lambda client: client.post("/restore", file_name=name), effect, which, cut)

    @when(thrown_away)
    @rule(which=choice(thrown_away), cut=cuts)
    def empty(self, which: Place, cut: Cut | None) -> None:
        who = which[0]
        self.hit("emptied the trash")
        effect = partial(requests.empty, who=who)
        self.do(who, lambda client: client.delete("/trash"), effect, None, cut)
        self.hit("went on with what was cut off", self.house.go_on())

    @rule(owner=owners, name=names, cut=cuts)
    def delete_for_good(self, owner: str, name: str, cut: Cut | None) -> None:
        self.hit("deleted for good", (owner, name) in self.model.files)
        query = {"file_name": name, "permanent": "true"}
        effect = partial(requests.delete, who=owner, owner=owner, name=name, for_good=True)
        self.do(owner, lambda client: client.delete("/file", **query), effect, (owner, name), cut)
        self.hit("went on with what was cut off", self.house.go_on())

    @when(readable)
    @rule(
        which=choice(readable), new=names, conflict=st.sampled_from(["fail", "replace"]), cut=cuts
    )
    def copy(self, which: tuple[str, str, str], new: str, conflict: str, cut: Cut | None) -> None:
        who, owner, name = which
        fits, _ = requests.copy(self.model, who, owner, name, new, conflict)
        self.hit("copied", 201 in fits)
        self.hit("copied another's", 201 in fits and who != owner)
        body = {"file_name": name, "username": owner, "new_name": new, "on_conflict": conflict}
        effect = partial(requests.copy, who=who, owner=owner, name=name, new=new, conflict=conflict)
        self.do(who, lambda client: client.post("/copy", **body), effect, (who, new), cut)

    @rule(owner=owners, old=folders, new=folders, other=rarely, cut=cuts)
    def move(self, owner: str, old: str, new: str, other: bool, cut: Cut | None) -> None:
        who = "carol" if other else owner
        fits, _ = requests.move(self.model, who, owner, old, new)
        shared = any(own == owner and at.startswith(old) for _, own, at in self.model.grants)
        self.hit("moved a folder", 200 in fits)
        self.hit("moved a folder that was shared", 200 in fits and shared)
        body = {"file_name": old, "new_name": new, "username": owner}
        effect = partial(requests.move, who=who, owner=owner, old=old, new=new)
        place = (owner, new if self.step % 2 else old)
        self.do(who, lambda client: client.send("PATCH", "/file", json_=body), effect, place, cut)

    @rule(who=owners, room=st.sampled_from([None, 0, 12, 40]), files=st.sampled_from([None, 2]))
    def limit(self, who: str, room: int | None, files: int | None) -> None:
        """Sets quotas to the present use and some more."""
        if who not in self.model.accounts:
            return
        has_bytes, has_files = used(self.model, who)
        quotas = (
            None if room is None else has_bytes + room,
            None if files is None else has_files + files,
        )
        fields = dict(zip(("quota", "files_quota"), quotas, strict=True))
        self.house.change("users", {"username": who}, **fields)
        self.model = self.model.but(quotas={**self.model.quotas, who: quotas})
        self.look(None)
