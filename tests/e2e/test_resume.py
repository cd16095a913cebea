"""An upload in parts dies half-way, and somebody who knows nothing but its id goes on with it."""

from pathlib import Path

import pytest

from tests.e2e.parts import PART, assert_same, die, go_on, made, send, status
from tests.e2e.person import Person
from tests.e2e.test_large_files import begin

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


def test_only_what_is_missing_is_sent_again(alice: Person, tmp_path: Path) -> None:
    """The next client has a token of its own and the id, and not one part goes twice."""
    file = made(tmp_path)
    view = begin(alice, "d/long.bin", file.read_bytes())
    assert view["total_parts"] == 9
    for number in (5, 1, 2):
        send(alice, view["upload_id"], file, number)
    die(alice, view["upload_id"], file, 4)
    assert alice.files() == []

    again = Person(alice.url, alice.name)
    again.token = again.call("POST", "/login", again.credentials).json["token"]
    assert again.token != alice.token
    at = status(again, view["upload_id"])
    assert (at["arrived"], at["missing"]) == ([1, 2, 5], [3, 4, 6, 7, 8, 9])
    sent = go_on(again, view["upload_id"], file)
    assert sent == {3: PART, 4: PART, 6: PART, 7: PART, 8: PART, 9: 12_345}
    (listed,) = again.files()
    assert (listed["size"], listed["version"]) == (file.stat().st_size, 1)
    assert_same(again, "d/long.bin", file)


def test_it_may_die_more_than_once(alice: Person, tmp_path: Path) -> None:
    """Each time what has arrived stays, and what was cut off counts for nothing."""
    file = made(tmp_path)
    upload_id = begin(alice, "long.bin", file.read_bytes())["upload_id"]
    for number in range(1, 9):
        if number % 3 == 0:
            die(alice, upload_id, file, number)
        else:
            send(alice, upload_id, file, number)
    refused = alice.call("POST", f"/uploads/{upload_id}/complete", {})
    assert (refused.status, refused.json["type"]) == (409, "/problems/upload-incomplete")
    assert alice.files() == []
    assert [*go_on(alice, upload_id, file)] == [3, 6, 9]
    assert_same(alice, "long.bin", file)
