"""Header fields of files as they arrive, whatever stands between the function and the client."""

import pytest

from tests.e2e.person import RAW, Person

pytestmark = pytest.mark.enable_socket


@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_the_size_of_a_file_arrives_with_head_and_get(alice: Person, size: int) -> None:
    """Gateways may drop the content-length of an answer to HEAD, and never `x-file-size`."""
    assert alice.put("a.bin", b"x" * size).status == 201
    for method in ("HEAD", "GET"):
        for headers in ({}, RAW):
            answer = alice.call(method, "/file", headers=headers, file_name="a.bin")
            assert (answer.status, answer.headers["x-file-size"]) == (200, str(size))
    part = alice.call("GET", "/file", headers=RAW | {"range": "bytes=0-0"}, file_name="a.bin")
    assert part.headers.get("x-file-size") == (str(size) if size else None)
