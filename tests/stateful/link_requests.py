"""The expected answer to each request about links, and the model after it.

Links are known by their notes, each of which is given once.
"""

from dataclasses import replace
from typing import Any

from tests.stateful.model import Link, Model, is_in, opening, shown
from tests.stateful.requests import Outcome


def make(model: Model, who: str, note: str, **wanted: Any) -> Outcome:
    if not is_in(model, who):
        return {401}, model
    if lacks(model, who, wanted):
        return {404}, model
    link = settled(model, Link(who, frozenset()), **wanted)
    return {201}, model.but(links={**model.links, note: link})


def change(model: Model, who: str, note: str, **wanted: Any) -> Outcome:
    link = model.links[note]
    if not is_in(model, who):
        return {401}, model
    if link.revoked or link.owner != who or lacks(model, who, wanted):
        return {404}, model
    return {200}, model.but(links={**model.links, note: settled(model, link, **wanted)})


def revoke(model: Model, who: str, note: str) -> Outcome:
    link = model.links[note]
    if not is_in(model, who):
        return {401}, model
    if link.revoked or link.owner != who:
        return {404}, model
    return {204}, model.but(links={**model.links, note: replace(link, revoked=True)})


def download(model: Model, visitor: str | None, note: str, name: str, *, unlocked: bool) -> Outcome:
    """Downloads a file by a link, which counts it."""
    link = model.links[note]
    status = opening(model, link, visitor, unlocked=unlocked)
    if status != 200:
        return {status}, model
    if name not in shown(model, link):
        return {404}, model
    if link.most is not None and link.used >= link.most:
        return {410}, model
    after = replace(link, used=link.used + 1)
    return {200}, model.but(links={**model.links, note: after})


def lacks(model: Model, who: str, wanted: dict[str, Any]) -> bool:
    """Whether a named file or account does not exist."""
    files = [name for name in wanted.get("items", ()) if not name.endswith("/")]
    audience = wanted.get("audience")
    invited = audience is None or is_in(model, audience)
    return not (invited and all((who, name) in model.files for name in files))


def settled(model: Model, link: Link, **wanted: Any) -> Link:
    """A link with the changed fields."""
    changes: dict[str, Any] = {}
    for name, value in wanted.items():
        if name == "items":
            changes["items"] = frozenset(value)
        elif name == "expires_in":
            changes["until"] = int(model.now) + value if value else None
        elif name == "max_downloads":
            changes["most"] = value
        else:
            changes[name] = value
    return replace(link, **changes)
