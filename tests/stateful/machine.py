"""The state machine: requests of all people, some of them with faults of AWS calls.

After each step the people see exactly the files of the model.
"""

from functools import partial

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.crashes.seen import require
from tests.stateful import requests
from tests.stateful.driving import (
    choice,
    cuts,
    grantees,
    groups,
    lasting,
    mostly_not,
    names,
    owners,
    people,
    places,
    rarely,
    rights,
    when,
)
from tests.stateful.house import Cut
from tests.stateful.living import Living
from tests.stateful.model import NAMES, PEOPLE, Model, Place, may_read, may_write
from tests.stateful.requests import Effect
from tests.stateful.watching import WAYS, everything
from tests.support.client import PASSWORD, Client


def others_writing(model: Model) -> list[tuple[str, str, str]]:
    return [
        (who, owner, name)
        for who in PEOPLE
        for owner in PEOPLE
        for name in NAMES
        if who != owner and may_write(model, who, owner, name)
    ]


def others_reading(model: Model) -> list[tuple[str, str, str]]:
    return [
        (who, *place) for who in PEOPLE for place in model.files if may_read(model, who, *place)
    ]


def granted(model: Model) -> list[tuple[str, str, str]]:
    return sorted(model.grants)


def shared_files(model: Model) -> list[Place]:
    return sorted({key[1:] for key in model.grants} & model.files.keys())


def belonging(model: Model) -> list[tuple[str, str]]:
    return sorted(model.members | model.invited)


def invited(model: Model) -> list[tuple[str, str]]:
    return sorted(model.invited)


class Sharing(Living):
    """Rules for files, shares, groups, time and accounts."""

    @initialize()
    def begin(self) -> None:
        """Gives each person a file of the same name, and shares some of them."""
        self.house.begin()
        self.model = self.house.beginning
        if not self.model.files:
            self.first()
            self.house.keep(self.model)
            self.step = 0

    def first(self) -> None:
        """Creates the first files, shares, groups and links, once for all examples."""
        for who in PEOPLE:
            self.put(who, "a/x", None)
        self.put("alice", "b/x", None)
        self.make_group("alice", "team", None)
        for who in ("bob", "carol"):
            self.put_member("alice", "team", who, None)
            self.put_member(who, "team", who, None)
        self.share("alice", "a/", "user:bob", "write", None, None)
        self.share("bob", "a/x", "user:carol", "read", 60, None)
        self.share("carol", "a/", "group:team", "read", None, None)
        self.share("dave", "a/x", "user:alice", "write", 3600, None)
        self.share("dave", "b/", "user:alice", "write", None, None)
        for who, items, password, most, lasts in (
            ("alice", ["a/", "b/x"], None, 2, 3600),
            ("bob", ["a/x"], PASSWORD, None, 60),
        ):
            self.make_link(who, items, password, lasts, most, None, None)

    @rule(who=owners, name=names, cut=cuts)
    def put(self, who: str, name: str, cut: Cut | None) -> None:
        self.put_anothers((who, who, name), cut)

    @when(others_writing)
    @rule(which=choice(others_writing), cut=cuts)
    def put_anothers(self, which: tuple[str, str, str], cut: Cut | None) -> None:
        who, owner, name = which
        content = f"{self.step} by {who}".encode()
        self.hit("put another's", who != owner)
        self.do(
            who,
            lambda client: client.put(name, content, username=owner),
            partial(requests.put, who=who, owner=owner, name=name, content=content),
            (owner, name),
            cut,
        )

    @rule(owner=owners, name=names, other=mostly_not | people, cut=cuts)
    def delete(self, owner: str, name: str, other: str | None, cut: Cut | None) -> None:
        who = other or owner
        self.hit(
            "deleted what was shared", any(key[1:] == (owner, name) for key in self.model.grants)
        )
        self.do(
            who,
            lambda client: client.delete("/file", file_name=name, username=owner),
            partial(requests.delete, who=who, owner=owner, name=name),
            (owner, name),
            cut,
        )

    @rule(owner=owners, name=names, new=names, other=rarely, cut=cuts)
    def rename(self, owner: str, name: str, new: str, other: bool, cut: Cut | None) -> None:
        who = "carol" if other else owner
        fits, _ = requests.rename(self.model, owner, owner, name, new)
        shared = any(key[1:] == (owner, name) for key in self.model.grants)
        self.hit("renamed", who == owner and 200 in fits)
        self.hit("renamed what was shared", who == owner and 200 in fits and shared)
        body = {"file_name": name, "new_name": new, "username": owner}
        self.do(
            who,
            lambda client: client.send("PATCH", "/file", json_=body),
            partial(requests.rename, who=who, owner=owner, name=name, new=new),
            (owner, new if self.step % 2 else name),
            cut,
        )

    @when(shared_files)
    @rule(which=choice(shared_files), cut=cuts)
    def make_anew_what_is_shared(self, which: Place, cut: Cut | None) -> None:
        """Deletes a shared file and creates another of its name, which is not shared."""
        self.delete(*which, None, cut)
        self.put(*which, None)

    @when(shared_files)
    @rule(which=choice(shared_files), new=names, cut=cuts)
    def rename_what_is_shared(self, which: Place, new: str, cut: Cut | None) -> None:
        self.rename(*which, new, other=False, cut=cut)

    @rule(who=owners, where=places, grantee=grantees, right=rights, lasts=lasting, cut=cuts)
    def share(
        self, who: str, where: str, grantee: str, right: str, lasts: int | None, cut: Cut | None
    ) -> None:
        fields = {"file_name": where, "permission": right, "expires_in": lasts}
        self.do(
            who,
            lambda client: client.post("/share", **fields, **named(grantee)),
            partial(
                requests.share,
                who=who, where=where, grantee=grantee, permission=right, expires_in=lasts,
            ),
            (who, where),
            cut,
        )  # fmt: skip

    @rule(who=people, owner=people, where=places, grantee=grantees, cut=cuts)
    def unshare(self, who: str, owner: str, where: str, grantee: str, cut: Cut | None) -> None:
        self.do(
            who,
            lambda client: client.delete("/share", file_name=where, owner=owner, **named(grantee)),
            partial(requests.unshare, who=who, owner=owner, where=where, grantee=grantee),
            (owner, where),
            cut,
        )

    @when(granted)
    @rule(which=choice(granted), leaves=rarely, cut=cuts)
    def unshare_what_is_shared(
        self, which: tuple[str, str, str], leaves: bool, cut: Cut | None
    ) -> None:
        grantee, owner, where = which
        kind, _, name = grantee.partition(":")
        leaves = leaves and kind == "user"
        self.hit("left" if leaves else "unshared")
        self.unshare(name if leaves else owner, owner, where, grantee, cut)

    @rule(who=people, group=groups, cut=cuts)
    def make_group(self, who: str, group: str, cut: Cut | None) -> None:
        self.in_group(who, "PUT", group, partial(requests.make_group, who=who, group=group), cut)

    @rule(who=people, group=groups, member=people, cut=cuts)
    def put_member(self, who: str, group: str, member: str, cut: Cut | None) -> None:
        effect = partial(requests.put_member, who=who, group=group, member=member)
        self.in_group(who, "PUT", f"{group}/members/{member}", effect, cut)

    @when(invited)
    @rule(which=choice(invited), cut=cuts)
    def accept(self, which: tuple[str, str], cut: Cut | None) -> None:
        group, member = which
        self.hit("accepted an invitation")
        self.put_member(member, group, member, cut)

    @when(belonging)
    @rule(which=choice(belonging), by=mostly_not | people, cut=cuts)
    def remove(self, which: tuple[str, str], by: str | None, cut: Cut | None) -> None:
        group, member = which
        who = by or self.model.groups[group] or member
        self.hit("removed a member", (group, member) in self.model.members)
        effect = partial(requests.remove, who=who, group=group, member=member)
        self.in_group(who, "DELETE", f"{group}/members/{member}", effect, cut)

    @rule(group=groups, by=mostly_not | people, cut=cuts)
    def delete_group(self, group: str, by: str | None, cut: Cut | None) -> None:
        who = by or self.model.groups.get(group) or "alice"
        self.hit("deleted a group", self.model.groups.get(group) == who)
        effect = partial(requests.delete_group, who=who, group=group)
        self.in_group(who, "DELETE", group, effect, cut)

    def in_group(self, who: str, method: str, path: str, effect: Effect, cut: Cut | None) -> None:
        self.do(who, lambda client: client.send(method, f"/groups/{path}"), effect, None, cut)
        self.watching.groups(self.model, PEOPLE[self.step % len(PEOPLE)])

    @rule(seconds=st.sampled_from([1, 59, 60, 3600]), tidied=st.booleans())
    def turn(self, seconds: int, tidied: bool) -> None:
        """Moves the clock on; expired rows are deleted or not yet."""
        before = everything(self.model)
        self.house.turn(seconds)
        self.model = self.model.but(now=self.house.clock.time)
        now = everything(self.model)
        self.hit("expired", now != before)
        if tidied:
            self.hit("removed what had expired", self.house.expire_rows() > 0)
        self.look(None, {each for each in PEOPLE if before[each] != now[each]})
        self.open_links()

    @precondition(lambda self: self.step > 10)
    @rule(who=people)
    def disable(self, who: str) -> None:
        """Disables an account past the API, or enables it again."""
        there = who in self.model.accounts
        if there:
            off = who not in self.model.disabled
            self.house.change("users", {"username": who}, disabled=off)
            self.model = self.model.but(disabled=self.model.disabled ^ {who})
            self.hit("disabled" if off else "enabled")
            if not off:
                self.house.sign_in(who)
        self.look(None, PEOPLE)
        self.open_links()

    @precondition(lambda self: self.step > 5)
    @rule(comes=st.booleans())
    def remove_account(self, comes: bool) -> None:
        """Deletes an account past the API; later another person may register its name."""
        who = "dave"
        if who in self.model.accounts:
            self.house.remove_account(who)
            self.model = requests.forget(self.model, who)
        elif comes:
            answer = Client().post("/register", username=who, password=PASSWORD)
            require(answer.status == 201, f"to register is answered {answer.status}")
            self.model = self.model.but(accounts=self.model.accounts | {who})
            self.house.sign_in(who)
            self.put(who, "b/x", None)
            self.hit("a namesake came")
        self.look(None, PEOPLE)
        self.open_links()

    @when(others_reading)
    @rule(which=choice(others_reading), way=st.sampled_from([*WAYS, "list"]), cut=cuts)
    def read(self, which: tuple[str, str, str], way: str, cut: Cut | None) -> None:
        """Reads with a fault; the answer is right or an error."""
        who, owner, name = which
        with self.house.cutting(cut):
            if way == "list":
                self.watching.compare(self.model, who)
            else:
                getattr(self.watching, way)(self.model, who, owner, name)
        self.look(None)


def named(grantee: str) -> dict[str, str]:
    """A grantee as a field of the API."""
    kind, _, name = grantee.partition(":")
    return {"username" if kind == "user" else "group": name}
