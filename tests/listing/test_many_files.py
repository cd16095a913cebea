"""An account with thousands of files: no request takes more AWS calls than with hundreds."""

from collections.abc import Callable

import pytest

from bench.scaling import numbered_name
from function.core.cursors import encode_cursor
from function.listing.query import ListQuery
from tests.conftest import Behind
from tests.support.bulk_files import fill
from tests.support.client import Client, join
from tests.support.fake_aws import FakeAws


def calls_in(fake_aws: FakeAws, behind: Behind, size: int) -> dict[str, list[str]]:
    """The AWS calls of each request in an account of `size` files, sorted: some are parallel."""
    owner = f"has{size}"
    client = join(owner)
    rows = fill(behind.settings, owner, map(numbered_name, range(size)), content_type="image/jpeg")
    near = encode_cursor(["", sorted(row.name for row in rows)[-150]], rows[0].owner_id, LIST_ID)
    found: dict[str, list[str]] = {}
    for request, send in REQUESTS.items():
        with fake_aws.counted() as calls:
            assert send(client, near) == 200
        found[request] = sorted(calls)
    return found


def listing(**query: str) -> Callable[[Client, str], int]:
    return lambda client, _: client.get("/files", **query).status


LIST_ID = ListQuery().validated().list_id
REQUESTS: dict[str, Callable[[Client, str], int]] = {
    "the first page": listing(),
    "the last page but one": lambda client, near: client.get("/files", cursor=near).status,
    "the last page": listing(order="desc"),
    "the newest": listing(sort="modified", order="desc"),
    "the largest images": listing(sort="size", order="desc", type="image"),
    "a search with many files": listing(q="photo"),
    "a search with one file": listing(q="pho 000042"),
    "a search without files": listing(q="zebra"),
    "all images": listing(type="image"),
    "one level": listing(folders="true"),
    "the changes feed": lambda client, _: client.get("/changes").status,
    "a rename": lambda client, _: (
        client.send(
            "PATCH", "/file", json_={"file_name": numbered_name(0), "new_name": "moved.jpg"}
        ).status
    ),
}


@pytest.mark.slow
def test_the_calls_of_a_request_do_not_grow_with_the_account(
    fake_aws: FakeAws, behind: Behind
) -> None:
    """They are the same in an account of 300 files and in one of 3,000."""
    few, many = calls_in(fake_aws, behind, 300), calls_in(fake_aws, behind, 3000)
    differing = {what for what in few if few[what] != many[what]}
    # A filter that is compared file by file reads more files to fill a page, up to a limit.
    assert differing == {"the largest images"}
    assert len(many["the largest images"]) == 4 + 10
