"""An account of thousands of files: no request takes more calls than in one of hundreds."""

from collections.abc import Callable

import pytest

from bench.scaling import numbered_name
from function.core.cursors import seal
from function.listing.query import ListQuery
from tests.conftest import Behind
from tests.support.bulk_files import fill
from tests.support.client import Client, join
from tests.support.fake_aws import Ground


def calls_in(ground: Ground, behind: Behind, size: int) -> dict[str, list[str]]:
    """What each request asks of AWS in an account of some size, calls at one time in any order."""
    owner = f"has{size}"
    client = join(owner)
    rows = fill(behind.settings, owner, map(numbered_name, range(size)), content_type="image/jpeg")
    near = seal(["", sorted(row.name for row in rows)[-150]], rows[0].owner_id, LIST_ID)
    made: dict[str, list[str]] = {}
    for request, send in REQUESTS.items():
        with ground.counted() as calls:
            assert send(client, near) == 200
        made[request] = sorted(calls)
    return made


def listing(**query: str) -> Callable[[Client, str], int]:
    return lambda client, _: client.get("/files", **query).status


LIST_ID = ListQuery().settled().list_id
REQUESTS: dict[str, Callable[[Client, str], int]] = {
    "the first page": listing(),
    "the page before the last": lambda client, near: client.get("/files", cursor=near).status,
    "the last page": listing(order="desc"),
    "the newest": listing(sort="modified", order="desc"),
    "the largest images": listing(sort="size", order="desc", type="image"),
    "all that is found": listing(q="photo"),
    "one that is found": listing(q="pho 000042"),
    "none that is found": listing(q="zebra"),
    "all of a kind": listing(type="image"),
    "one level": listing(folders="true"),
    "what has changed": lambda client, _: client.get("/changes").status,
    "a move": lambda client, _: (
        client.send(
            "PATCH", "/file", json_={"file_name": numbered_name(0), "new_name": "moved.jpg"}
        ).status
    ),
}


@pytest.mark.slow
def test_a_request_takes_as_many_calls_among_thousands(ground: Ground, behind: Behind) -> None:
    """Those of a page are as many in an account of 300 files and in one of 3,000."""
    few, many = calls_in(ground, behind, 300), calls_in(ground, behind, 3000)
    less = {what for what in few if few[what] != many[what]}
    # Where a hundred are wanted of what is compared one by one, more is looked at, up to a limit.
    assert less == {"the largest images"}
    assert len(many["the largest images"]) == 4 + 10
