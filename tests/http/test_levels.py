"""The levels of a name: every field that takes a name, and the files of an older release."""

from collections.abc import Iterator
from typing import Any

import pytest

from function.core.names import NAME_LEVELS
from tests.conftest import Behind
from tests.support.api_register import ROUTES, Route
from tests.support.bulk_files import fill
from tests.support.client import Answer, Client
from tests.support.fake_aws import FakeAws
from tests.support.links import make
from tests.support.world import World

NAMES = {"file_name", "filename", "new_name", "folder", "items", "prefix", "relativePath"}
# The deepest name of 900 bytes, and the name of one level more than a name can have.
DEEPEST, TOO_DEEP = ("/".join(["a"] * levels) for levels in (450, NAME_LEVELS + 1))


def named_fields() -> Iterator[Any]:
    """Each field of each route that takes a name, a part of one, or names."""
    for route in ROUTES:
        for where in ("query", "body"):
            for field in (getattr(route, where) or {}).keys() & NAMES:
                yield pytest.param(route, where, field, id=f"{route} {field}")
    for name, query in (("/shares", {"file_name": ""}), ("/download", {"prefix": ""})):
        route = next(each for each in ROUTES if (each.method, each.path) == ("GET", name))
        for field in query:
            yield pytest.param(route, "query", field, id=f"{route} {field} alone")


def with_name(route: Route, where: str, field: str, name: str) -> dict[str, Any]:
    """The register's request with another name in one field."""
    name = f"{name}/" if field in {"folder", "prefix"} else name
    value = [name] if field == "items" else name
    if (route.path, field) == ("/download", "prefix"):
        return {"query": {"prefix": name, "format": "curl"}, "json_": None}
    sent = dict(getattr(route, where)) | {field: value}
    return {("json_" if where == "body" else "query"): sent}


@pytest.mark.parametrize(("route", "where", "field"), list(named_fields()))
@pytest.mark.parametrize("name", [TOO_DEEP, DEEPEST], ids=["21 levels", "450 levels"])
def test_a_name_has_at_most_twenty_levels(
    world: World, behind: Behind, fake_aws: FakeAws, route: Route, where: str, field: str, name: str
) -> None:
    """In whatever field it is sent; nothing is changed, and nothing of its folders is read."""
    before = behind.state()
    with fake_aws.counted() as calls:
        answer = world.send(world.sender(route), route, **with_name(route, where, field, name))
    assert answer.status == 422
    assert route.method == "HEAD" or answer.slug == "invalid-name"
    assert len(calls) <= 3
    assert behind.state() == before


def test_names_of_twenty_levels_are_accepted(alice: Client, bob: Client) -> None:
    """Put, shared, listed, read, moved, linked and deleted."""
    name = "/".join(["a"] * NAME_LEVELS)
    folder, other = name[:-1], "/".join(["b"] * NAME_LEVELS)
    assert alice.put(name).status == 201
    assert alice.post("/share", file_name=folder, username="bob").status == 201
    assert bob.read(name, username="alice").status == 200
    assert bob.names(prefix=folder, scope="shared") == [f"alice/{name}"]
    assert make(alice, folder).names() == [name]
    move = {"file_name": name, "new_name": other}
    assert alice.send("PATCH", "/file", json_=move).status == 200
    assert alice.post("/requests", title="x", folder="/".join("a" * 19) + "/").status == 201
    assert alice.post("/requests", title="x", folder="/".join("a" * 20) + "/").status == 422
    assert alice.delete("/file", file_name=other).status == 204


def test_a_folder_does_not_move_too_deep(alice: Client) -> None:
    """Its files would have more levels than a name can have."""
    name = "in/" + "/".join(["a"] * (NAME_LEVELS - 1))
    alice.put(name)
    move = {"file_name": "in/", "new_name": "deeper/in/"}
    answer = alice.send("PATCH", "/file", json_=move)
    assert (answer.status, answer.slug) == (422, "invalid-name")
    assert alice.names() == [f"alice/{name}"]
    move = {"file_name": "in/", "new_name": "out/"}
    assert alice.send("PATCH", "/file", json_=move).status == 200


def test_a_file_request_takes_no_deeper_names(alice: Client) -> None:
    """The levels of its folder count."""
    token = alice.post("/requests", title="x", folder="in/").json()["url"].rpartition("/")[2]
    name = "/".join(["a"] * NAME_LEVELS)
    answer = Client().post(f"/r/{token}/uploads", file_name=name, size=1)
    assert (answer.status, answer.slug) == (422, "invalid-name")
    answer = Client().post(f"/r/{token}/uploads", file_name=name[2:], size=1)
    assert answer.status == 201


@pytest.fixture
def deep(alice: Client, behind: Behind) -> str:
    """The name of a file of Alice's that was put when names had no limit of levels."""
    row = fill(behind.settings, "alice", [DEEPEST])[0]
    return row.name


def test_the_owner_lists_reads_renames_and_deletes_a_deeper_file(alice: Client, deep: str) -> None:
    """A file of an older release is not lost to its owner."""
    assert alice.names() == [f"alice/{deep}"]
    assert alice.get("/download", file_name=deep).status == 200
    assert alice.send("HEAD", "/file", query={"file_name": deep}).status == 200
    assert len(alice.get("/versions", file_name=deep).json()) == 1
    assert alice.get("/shares", file_name=deep).json() == []
    assert alice.delete("/file", file_name=deep).status == 204
    assert alice.post("/restore", file_name=deep).status == 200
    move = {"file_name": deep, "new_name": "shallow"}
    assert alice.send("PATCH", "/file", json_=move).status == 200
    assert alice.names() == ["alice/shallow"]


def test_a_deeper_file_is_read_by_a_grant_on_an_outer_folder(
    alice: Client, bob: Client, deep: str, fake_aws: FakeAws
) -> None:
    """No other folder is read; to strangers the name is one that cannot be."""

    def read() -> Answer:
        return bob.get("/download", file_name=deep, username="alice")

    assert (read().status, read().slug) == (422, "invalid-name")
    assert alice.post("/share", file_name="a/", username="bob").status == 201
    with fake_aws.counted() as calls:
        assert read().status == 200
    assert calls == ["BatchGetItem"]
