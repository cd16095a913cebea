"""The rules for links: create, change, revoke, download."""

from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.crashes.seen import require
from tests.stateful import link_requests
from tests.stateful.driving import (
    Driving,
    choice,
    cuts,
    lasting,
    mostly_not,
    names,
    owners,
    people,
    places,
    rarely,
    when,
)
from tests.stateful.house import Cut
from tests.stateful.model import Model, shown
from tests.stateful.visiting import JSON
from tests.support.client import PASSWORD, Client

MOST_LINKS = 5
at_most = st.sampled_from([None, 1, 2])
passwords = st.sampled_from([None, None, PASSWORD, "another of them"])
CHANGES = st.one_of(
    st.fixed_dictionaries({"expires_in": lasting}),
    st.fixed_dictionaries({"max_downloads": at_most}),
    st.fixed_dictionaries({"password": passwords}),
    st.fixed_dictionaries({"items": st.lists(places, min_size=1, max_size=2, unique=True)}),
)


def standing(model: Model) -> list[str]:
    return sorted(model.links)


class Linking(Driving):
    """Rules for links. A link whose creation was not answered is only in the model."""

    @precondition(lambda self: len(self.model.links) < MOST_LINKS)
    @rule(
        who=owners,
        items=st.lists(places, min_size=1, max_size=2, unique=True),
        password=passwords,
        lasts=lasting,
        most=at_most,
        audience=st.sampled_from([None] * 4 + ["bob", "carol"]),
        cut=cuts,
    )
    def make_link(
        self,
        who: str,
        items: list[str],
        password: str | None,
        lasts: int | None,
        most: int | None,
        audience: str | None,
        cut: Cut | None,
    ) -> None:
        note = f"link {len(self.model.links)}"
        wanted = {
            "items": items,
            "password": password,
            "expires_in": lasts,
            "max_downloads": most,
            "audience": audience,
        }
        effect = partial(link_requests.make, who=who, note=note, **wanted)
        answer = self.do(
            who,
            lambda client: client.post("/links", note=note, **wanted),
            effect,
            None,
            cut,
            repeatable=False,
        )
        if answer and answer.status == 201:
            made = answer.json()
            self.house.ids[note] = made["id"]
            self.house.paths[note] = "/s/" + made["url"].rpartition("/")[2]
            self.visiting.open(self.model, note)
        self.hit("link lost on the way", note in self.model.links.keys() - self.house.paths.keys())

    @when(standing)
    @rule(note=choice(standing), wanted=CHANGES, other=mostly_not | people, cut=cuts)
    def change_link(
        self, note: str, wanted: dict[str, Any], other: str | None, cut: Cut | None
    ) -> None:
        who = other or self.model.links[note].owner or "alice"
        path = f"/links/{self.house.ids[note]}"
        grant = self.grant_of(note) if "password" in wanted else None
        self.do(
            who,
            lambda client: client.send("PATCH", path, json_=wanted),
            partial(link_requests.change, who=who, note=note, **wanted),
            None,
            cut,
        )
        self.after_change(note)
        if grant and self.model.links[note].password != PASSWORD:
            self.hit("an old grant was tried")
            locked = self.model.links[note].password is not None
            status = self.visiting.get(note, None, grant).status
            require(status != 200 or not locked, "an old grant opens a new password")

    def grant_of(self, note: str) -> str | None:
        """An access token by the password that is going to be changed."""
        link = self.model.links[note]
        if link.password != PASSWORD or note not in self.house.paths:
            return None
        return self.visiting.unlock(self.model, note, None)

    @when(standing)
    @rule(note=choice(standing), other=rarely, cut=cuts)
    def revoke_link(self, note: str, other: bool, cut: Cut | None) -> None:
        who = "dave" if other else self.model.links[note].owner or "alice"
        path = f"/links/{self.house.ids[note]}"
        effect = partial(link_requests.revoke, who=who, note=note)
        self.do(who, lambda client: client.delete(path), effect, None, cut)
        self.after_change(note)

    def after_change(self, note: str) -> None:
        if note in self.house.paths:
            self.visiting.open(self.model, note)

    @when(lambda model: [link for link in model.links.values() if shown(model, link)])
    @rule(note=choice(standing), name=names, named=st.booleans(), cut=cuts)
    def download_by_link(self, note: str, name: str, named: bool, cut: Cut | None) -> None:
        """Downloads, and again by the access token of the first download, which is not counted."""
        link = self.model.links[note]
        if note not in self.house.paths:
            return
        there = sorted(shown(self.model, link))
        name = name if named or not there else there[self.step % len(there)]
        who = link.audience or self.visiting.visitor()
        who = who or None
        grant = None
        if link.password is not None and self.step % 3:
            grant = self.visiting.unlock(self.model, note, who)
        fields = {"file_name": name} | ({"grant": grant} if grant else {})
        path, client = f"{self.house.paths[note]}/download", self.visiting.client(who)

        def send(_: Client) -> Any:
            return client.send("POST", path, json_=fields, headers=JSON)

        effect = partial(
            link_requests.download, visitor=who, note=note, name=name, unlocked=bool(grant)
        )
        answer = self.do(None, send, effect, None, cut, repeatable=False)
        self.hit(f"downloaded by link: {answer.status if answer else 'killed'}")
        if answer and answer.status == 200:
            fields["grant"] = answer.json()["grant"]
            require(send(client).status == 200, "it cannot be had again by its grant")
            require(
                answer.json()["size"] == len(self.model.files[link.owner, name].content),
                "a link gives another file",
            )
