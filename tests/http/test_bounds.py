"""What no request may cost, whoever sends it and whatever others have shared."""

import pytest

from function.listing.shared import MAX_FOLDERS
from tests.conftest import Behind
from tests.listing.test_listing import follow
from tests.support.client import Client, join
from tests.support.fake_aws import Ground

MANY = 20_000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/uploads", '{"file_name":"x","size":1,"tags":[%s""]}' % ('"",' * MANY)),
        ("/uploads/x/parts", '{"part_numbers":[%s0]}' % ("0," * MANY)),
        ("/uploads/x/complete", '{"parts":[%s0]}' % ("0," * MANY)),
        ("/s3/multipart/x/complete", '{"parts":[%s0]}' % ("0," * MANY)),
        ("/share", "{" + ",".join(f'"{at:x}":0' for at in range(MANY)) + "}"),
    ],
)
def test_a_body_has_few_errors_however_many_it_could(alice: Client, path: str, body: str) -> None:
    """An error object for each of a million elements takes the memory of a function."""
    headers = {"content-type": "application/json"}
    answer = alice.send("POST", path, body=body.encode(), headers=headers)
    assert answer.status in {400, 422}
    assert len(answer.json().get("errors", [])) <= 1


def test_nobody_makes_anothers_list_endless(bob: Client, ground: Ground) -> None:
    """A page ends early, with a cursor, and following it comes to the end."""
    mallory = join("mallory")
    for number in range(5 * MAX_FOLDERS):
        assert mallory.post("/share", file_name=f"{number:02}/", username="bob").status == 201
    mallory.put("zz.txt")
    mallory.post("/share", file_name="zz.txt", username="bob")
    found, cursor, pages = [], {}, 0
    while pages < 10:
        with ground.counted() as calls:
            answer = bob.get("/files", **cursor)
        assert len(calls) <= MAX_FOLDERS + 4
        found += [file["key"] for file in answer.json()]
        pages += 1
        if "x-next-cursor" not in answer.headers:
            break
        cursor = {"cursor": answer.headers["x-next-cursor"]}
    assert (found, pages) == (["mallory/zz.txt"], 5)


@pytest.mark.slow
@pytest.mark.odd_rows
def test_a_page_fits_what_a_function_gives(alice: Client, behind: Behind) -> None:
    """Long words beside the files end a page before its limit, and nothing is lost."""
    alice.put("0")
    row = behind.row("files", shelf="alice", name="0")
    for number in range(1000):
        words = {"name": f"{number:04}", "description": "界" * 2000}
        behind.put("files", row | words)
    answer = alice.get("/files", limit=1000)
    assert len(answer.content) < 5_000_000
    assert 1 < len(answer.json()) < 1001
    names = [file["file_name"] for page in follow(alice, limit=1000) for file in page.json()]
    assert names == ["0", *(f"{number:04}" for number in range(1000))]


@pytest.mark.parametrize("version", ["1000000000", "9" * 4000, "0", "-1"])
def test_a_version_is_a_number_of_a_version(alice: Client, version: str) -> None:
    """A longer one would be a longer key than the table takes."""
    alice.put("a.txt")
    answer = alice.get("/download", file_name="a.txt", version=version)
    assert (answer.status, answer.slug) == (422, "invalid-request")


def test_text_that_the_gateway_replaced_is_refused(alice: Client) -> None:
    """Three bytes cut from a character are as long as what stands for them."""
    cut = "log line 😀".encode()[:-1]
    says = {"content-type": "text/plain"}
    answer = alice.send("PUT", "/file", query={"file_name": "a.txt"}, body=cut, headers=says)
    assert (answer.status, answer.slug) == (400, "malformed-request")
    assert alice.names() == []


@pytest.mark.odd_rows
def test_what_was_said_of_a_file_stays_when_it_is_put_again(alice: Client, behind: Behind) -> None:
    """A plain PUT cannot say it, so it must not unsay it."""
    alice.put("a.txt", b"1")
    where = {"shelf": "alice", "name": "a.txt"}
    behind.change("files", where, description="signed", tags=["legal"])
    assert alice.put("a.txt", b"2").json()["description"] == "signed"
    assert alice.get("/files").json()[0]["tags"] == ["legal"]
