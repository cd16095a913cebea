"""Bounds on what one request may cost."""

import pytest

from function.listing.shared import MAX_FOLDERS
from tests.conftest import Behind
from tests.listing.test_listing import follow
from tests.support.client import Client, join
from tests.support.fake_aws import FakeAws

MANY = 6000


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
def test_a_body_with_many_wrong_items_has_few_errors(alice: Client, path: str, body: str) -> None:
    """An error object for each item would use up the memory of the function."""
    headers = {"content-type": "application/json"}
    answer = alice.send("POST", path, body=body.encode(), headers=headers)
    assert answer.status in {400, 422}
    assert len(answer.json().get("errors", [])) <= 1


def test_shares_of_another_account_do_not_make_a_list_endless(
    bob: Client, fake_aws: FakeAws
) -> None:
    """A page ends early, and the cursors lead to the end of the list."""
    mallory = join("mallory")
    for number in range(5 * MAX_FOLDERS):
        assert mallory.post("/share", file_name=f"{number:02}/", username="bob").status == 201
    mallory.put("zz.txt")
    mallory.post("/share", file_name="zz.txt", username="bob")
    found, cursor, pages = [], {}, 0
    while pages < 10:
        with fake_aws.counted() as calls:
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
def test_a_page_fits_a_lambda_response(alice: Client, behind: Behind) -> None:
    """Long descriptions end a page before its limit, and no file is left out."""
    alice.put("0")
    row = behind.row("files", partition="alice", name="0")
    for number in range(1000):
        words = {"name": f"{number:04}", "description": "界" * 2000}
        behind.put("files", row | words)
    answer = alice.get("/files", limit=1000)
    assert len(answer.content) < 5_000_000
    assert 1 < len(answer.json()) < 1001
    names = [file["file_name"] for page in follow(alice, limit=1000) for file in page.json()]
    assert names == ["0", *(f"{number:04}" for number in range(1000))]


@pytest.mark.parametrize("version", ["1000000000", "9" * 4000, "0", "-1"])
def test_a_version_number_is_bounded(alice: Client, version: str) -> None:
    """A longer number would make a key longer than DynamoDB allows."""
    alice.put("a.txt")
    answer = alice.get("/download", file_name="a.txt", version=version)
    assert (answer.status, answer.slug) == (422, "invalid-request")


def test_text_with_replacement_characters_is_refused(alice: Client) -> None:
    """API Gateway replaces a broken character by one of the same length."""
    cut = "log line 😀".encode()[:-1]
    says = {"content-type": "text/plain"}
    answer = alice.send("PUT", "/file", query={"file_name": "a.txt"}, body=cut, headers=says)
    assert (answer.status, answer.slug) == (400, "malformed-request")
    assert alice.names() == []


@pytest.mark.odd_rows
def test_a_second_put_keeps_description_and_tags(alice: Client, behind: Behind) -> None:
    """`PUT /file` cannot set them, so it must not clear them."""
    alice.put("a.txt", b"1")
    where = {"partition": "alice", "name": "a.txt"}
    behind.change("files", where, description="signed", tags=["legal"])
    assert alice.put("a.txt", b"2").json()["description"] == "signed"
    assert alice.get("/files").json()[0]["tags"] == ["legal"]
