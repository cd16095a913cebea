"""Names of accounts are not told apart without limit, on any route where somebody names one."""

from collections.abc import Callable

import pytest

from function.access.lookups import SECONDS, UNKNOWN_NAMES
from tests.conftest import Clock
from tests.support.client import Answer
from tests.support.fake_aws import FakeAws
from tests.support.world import World

Try = Callable[[World, str], Answer]


def share(world: World, name: str) -> Answer:
    return world.alice.post("/share", file_name="a.txt", username=name)


def share_folder(world: World, name: str) -> Answer:
    return world.alice.post("/share", file_name="in/", username=name)


def invite(world: World, name: str) -> Answer:
    return world.alice.send("PUT", f"/groups/team/members/{name}")


def create_link(world: World, name: str) -> Answer:
    return world.alice.post("/links", items=["a.txt"], audience=name)


def change_link(world: World, name: str) -> Answer:
    return world.alice.send("PATCH", f"/links/{world.ids.link_id}", json_={"audience": name})


ROUTES = (share, share_folder, invite, create_link, change_link)


@pytest.mark.parametrize("route", ROUTES)
def test_unknown_names_are_limited(world: World, clock: Clock, route: Try) -> None:
    """Afterwards the answer is the same whether or not an account has the name."""
    for number in range(UNKNOWN_NAMES):
        answer = ROUTES[number % 5](world, f"unknown{number}")
        assert (answer.status, answer.slug) == (404, "no-such-user")
    for name in ("unknown", "dave", "root"):
        answer = route(world, name)
        assert (answer.status, answer.slug) == (429, "slow-down")
        assert 0 < int(answer.headers["retry-after"]) <= SECONDS
    for name in ("bob", "carol"):  # with whom Alice shares a file
        assert route(world, name).status in {200, 201}
    assert world.bob.post("/share", file_name="x/", username="unknown").status == 404
    clock.time += SECONDS
    assert route(world, "dave").status in {200, 201}


def test_known_names_are_not_counted(world: World) -> None:
    """However many, and however often."""
    for number in range(UNKNOWN_NAMES + 1):
        assert share(world, ("bob", "carol", "dave", "root")[number % 4]).status in {200, 201}
    assert share(world, "unknown").slug == "no-such-user"


def test_an_unknown_name_costs_one_write(world: World, fake_aws: FakeAws) -> None:
    """The count is read with the account."""
    with fake_aws.counted() as calls:
        assert share(world, "unknown").status == 404
    assert calls == ["BatchGetItem", "UpdateItem"]
