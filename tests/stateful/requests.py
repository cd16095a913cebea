"""The expected answer to each request, and the model after it.

An outcome is the statuses that fit, and the model after; a request that is refused changes nothing.
"""

from collections.abc import Callable
from dataclasses import replace

from tests.stateful.model import (
    File,
    Grant,
    Key,
    Link,
    Model,
    alive,
    has_room,
    is_in,
    may_read,
    may_write,
)

Outcome = tuple[set[int], Model]
Effect = Callable[[Model], Outcome]


def put(model: Model, who: str, owner: str, name: str, content: bytes) -> Outcome:
    if not is_in(model, who):
        return {401}, model
    if not may_write(model, who, owner, name):
        return {404}, model
    # Each put makes an object of its own, whatever its bytes are.
    return place(model, owner, name, bytes(bytearray(content)))


def place(model: Model, owner: str, name: str, content: bytes) -> Outcome:
    """Puts a file, if the quotas allow it."""
    if not has_room(model, owner, len(content)):
        return {507}, model
    if (owner, name) in model.blocked:
        return {409}, model
    old = model.files.get((owner, name))
    file = old.replaced(content) if old else File(content, 1)
    return {200 if old else 201}, model.but(files={**model.files, (owner, name): file})


def restore_version(model: Model, who: str, owner: str, name: str, version: int) -> Outcome:
    """Makes an earlier version the current one; the owner alone may."""
    if not is_in(model, who):
        return {401}, model
    file = model.files.get((owner, name))
    if who != owner or file is None or version > file.version:
        return {404}, model
    content = (*file.past, file.content)[version - 1]
    if content is file.content:
        return {200}, model
    return place(model, owner, name, content)


def copy(model: Model, who: str, owner: str, name: str, new: str, conflict: str) -> Outcome:
    """Copies a readable file to one's own files."""
    if not is_in(model, who):
        return {401}, model
    if not may_read(model, who, owner, name):
        return {404}, model
    there, content = model.files.get((who, new)), model.files[owner, name].content
    if there and conflict == "replace" and there.content is content:
        return {200}, model
    if there and conflict == "fail":
        return {409}, model
    return place(model, who, new, content)


def restore(model: Model, who: str, name: str) -> Outcome:
    """Restores the latest deleted file of a name, without its shares."""
    if not is_in(model, who):
        return {401}, model
    deleted = model.trash.get((who, name), ())
    if not deleted:
        return {404}, model
    if (who, name) in model.files or (who, name) in model.blocked:
        return {409}, model
    files = {**model.files, (who, name): deleted[-1]}
    return {200}, model.but(files=files, trash={**model.trash, (who, name): deleted[:-1]})


def empty(model: Model, who: str) -> Outcome:
    """Empties the trash of an account."""
    if not is_in(model, who):
        return {401}, model
    left = {place: files for place, files in model.trash.items() if place[0] != who}
    return {204}, model.but(trash=left)


def move(model: Model, who: str, owner: str, old: str, new: str) -> Outcome:
    """Moves a folder with its files and the grants on them."""
    if not is_in(model, who):
        return {401}, model
    if new.startswith(old):
        return {422}, model
    below = [name for whose, name in model.files if whose == owner and name.startswith(old)]
    if who != owner or not below:
        return {404}, model
    there = {*model.files, *model.blocked}
    if any(whose == owner and name.startswith(new) for whose, name in there):
        return {409}, model

    def moved(whose: str, name: str) -> str:
        within = whose == owner and name.startswith(old)
        return new + name.removeprefix(old) if within else name

    files = {(whose, moved(whose, name)): file for (whose, name), file in model.files.items()}
    grants = dict(model.grants)
    for (grantee, whose, where), grant in model.grants.items():
        key = (grantee, whose, moved(whose, where))
        if key[2] != where:
            del grants[grantee, whose, where]
            stands = model.grants.get(key)
            gives = (grant.permission, stands.permission) == ("write", "read") if stands else True
            if not stands or not alive(model, stands) or (gives and alive(model, grant)):
                grants[key] = grant
    links = {
        id_: replace(link, items=frozenset(moved(link.owner, item) for item in link.items))
        for id_, link in model.links.items()
    }
    ghosts = {(each[0], each[1], moved(*each[1:])) for each in model.ghosts if len(each) == 3}
    return {200}, model.but(files=files, grants=grants, links=links, ghosts=model.ghosts | ghosts)


def delete(model: Model, who: str, owner: str, name: str, *, for_good: bool = False) -> Outcome:
    """Deletes a file with its grants and its places in links."""
    if not is_in(model, who):
        return {401}, model
    if who != owner or (owner, name) not in model.files:
        return {404}, model
    files = {place: file for place, file in model.files.items() if place != (owner, name)}
    gone = {key for key in model.grants if key[1:] == (owner, name)}
    links = {
        id_: replace(link, items=link.items - {name}) if link.owner == owner else link
        for id_, link in model.links.items()
    }
    trash = model.trash
    if not for_good:
        deleted = (*trash.get((owner, name), ()), model.files[owner, name])
        trash = {**trash, (owner, name): deleted}
    return {204}, without(model, gone).but(files=files, links=links, trash=trash)


def rename(model: Model, who: str, owner: str, name: str, new: str) -> Outcome:
    """Renames a file with its own grants and links; those on folders stay."""
    if not is_in(model, who):
        return {401}, model
    if who != owner or (who, name) not in model.files:
        return {404}, model
    if name == new:
        return {200}, model
    if (who, new) in model.files or (who, new) in model.blocked:
        return {409}, model
    files = {
        (whose, new if (whose, each) == (who, name) else each): file
        for (whose, each), file in model.files.items()
    }
    grants = {
        (grantee, whose, new if (whose, each) == (who, name) else each): grant
        for (grantee, whose, each), grant in model.grants.items()
    }
    links = {
        id_: replace(link, items=link.items - {name} | {new})
        if link.owner == who and name in link.items
        else link
        for id_, link in model.links.items()
    }
    ghosts = {(each[0], who, new) for each in model.ghosts if each[1:] == (who, name)}
    after = model.but(files=files, grants=grants, links=links)
    return {200}, after.but(ghosts=model.ghosts | ghosts)


def share(
    model: Model, who: str, where: str, grantee: str, permission: str, expires_in: int | None
) -> Outcome:
    if not is_in(model, who):
        return {401}, model
    if not where.endswith("/") and (who, where) not in model.files:
        return {404}, model
    if grantee == f"user:{who}":
        return {422}, model
    kind, _, name = grantee.partition(":")
    if not (is_in(model, name) if kind == "user" else (name, who) in model.members):
        return {404}, model
    key = (grantee, who, where)
    stood = key in model.grants and alive(model, model.grants[key])
    grant = Grant(permission, int(model.now) + expires_in if expires_in else None)
    ghosts = model.ghosts - {key}
    return {200 if stood else 201}, model.but(grants={**model.grants, key: grant}, ghosts=ghosts)


def unshare(model: Model, who: str, owner: str, where: str, grantee: str) -> Outcome:
    """Deletes a share, by the owner or the grantee."""
    key = (grantee, owner, where)
    if not is_in(model, who):
        return {401}, model
    if who != owner and grantee != f"user:{who}":
        return {404}, model
    if key in model.ghosts:
        return {204, 404}, without(model, {key}).but(ghosts=model.ghosts - {key})
    stands = key in model.grants and alive(model, model.grants[key])
    if not stands or not is_in(model, owner):
        return {404}, model
    return {204}, without(model, {key})


def without(model: Model, gone: set[Key]) -> Model:
    """The model without some grants."""
    return model.but(grants={key: each for key, each in model.grants.items() if key not in gone})


def make_group(model: Model, who: str, group: str) -> Outcome:
    if not is_in(model, who):
        return {401}, model
    if group in model.groups:
        return {200 if model.groups[group] == who else 409}, model
    if model.reserved.get(group, who) != who:
        return {409}, model
    held = (group, who)
    after = model.but(members=model.members | {held}, ghosts=model.ghosts - {held})
    return {201}, after.but(groups={**model.groups, group: who})


def put_member(model: Model, who: str, group: str, member: str) -> Outcome:
    """Invites a person to a group of the sender's, or accepts the sender's own invitation."""
    held = (group, member)
    if not is_in(model, who):
        return {401}, model
    if who == member:
        accepted = model.invited & {held}
        after = model.but(members=model.members | accepted, invited=model.invited - accepted)
        return {200 if held in after.members else 404}, after
    if model.groups.get(group) != who or not is_in(model, member):
        return {404}, model
    if held in model.members | model.invited:
        return {200}, model
    return {201}, model.but(invited=model.invited | {held}, ghosts=model.ghosts - {held})


def remove(model: Model, who: str, group: str, member: str) -> Outcome:
    """Removes a member or an invitation, by the owner or the person."""
    held, known = (group, member), model.members | model.invited
    if not is_in(model, who):
        return {401}, model
    if (group, who) not in known or who not in {model.groups[group], member}:
        return {404}, model
    if held in model.ghosts:
        return {204, 404}, model.but(ghosts=model.ghosts - {held})
    if held not in known:
        return {404}, model
    if model.groups[group] == member:
        return {422}, model
    return {204}, model.but(members=model.members - {held}, invited=model.invited - {held})


def delete_group(model: Model, who: str, group: str) -> Outcome:
    if not is_in(model, who):
        return {401}, model
    if model.groups.get(group) != who:
        return {404}, model
    groups = {name: owner for name, owner in model.groups.items() if name != group}
    gone = {held for held in model.members | model.invited if held[0] == group}
    granted = {key for key in model.grants if key[0] == f"group:{group}"}
    after = without(model, granted).but(groups=groups, reserved={**model.reserved, group: who})
    members, invited = model.members - gone, model.invited - gone
    return {204}, after.but(members=members, invited=invited, ghosts=model.ghosts | gone | granted)


def forget(model: Model, who: str) -> Model:
    """Deletes an account and all that others could see of it."""
    mine = {place for place in model.files if place[0] == who}
    reserved = model.reserved.items()
    gone = {key for key in model.grants if who == key[1] or key[0] == f"user:{who}"}
    members = {held for held in model.members | model.invited if held[1] == who}
    return without(model, gone).but(
        accounts=model.accounts - {who},
        disabled=model.disabled - {who},
        files={place: file for place, file in model.files.items() if place not in mine},
        groups={name: None if own == who else own for name, own in model.groups.items()},
        members=model.members - members,
        invited=model.invited - members,
        reserved={name: f"former {own}" if own == who else own for name, own in reserved},
        links={note: orphaned(link, who) for note, link in model.links.items()},
        ghosts=model.ghosts | gone | members,
        blocked=model.blocked | mine,
        trash={place: files for place, files in model.trash.items() if place[0] != who},
        quotas={name: each for name, each in model.quotas.items() if name != who},
    )


def orphaned(link: Link, who: str) -> Link:
    """A link after the deletion of an account."""
    owner = "" if link.owner == who else link.owner
    return replace(link, owner=owner, audience="" if link.audience == who else link.audience)
