"""Uppy's Companion protocol; each request is as `@uppy/aws-s3` sends it (versions 4 and 5)."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import moto.s3.models
import pytest

from function.uploads import completion
from tests.conftest import Clock
from tests.support import presigned as s3
from tests.support.client import Answer, Client
from tests.support.fake_aws import FakeAws
from tests.support.transfers import (
    SMALLEST,
    bytes_used,
    count_multipart_uploads,
    fetch,
    notify,
    set_quota,
    start,
    stored,
    sweep,
)

PARTS = (b"first", b"second", b"3rd")
KEY = {"key": "a.bin"}
WRONG_QUERIES: list[Any] = [
    {},
    {"type": "x/y"},
    {"filename": "../a"},
    {"filename": "a", "size": "1"},
    {"filename": "a", "metadatax": "1"},
    "filename=a&metadata[x]=1&metadata[x]=2",
]
NO_PARTS: list[Any] = [
    None,
    [None],
    [{"PartNumber": 1}],
    [{"PartNumber": 0, "ETag": "x"}],
    [{"PartNumber": "1", "ETag": "x"}],
    "1",
]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moto.s3.models, "S3_UPLOAD_PART_MIN_SIZE", SMALLEST)


def create(client: Client, filename: str = "a.bin", **fields: Any) -> dict[str, str]:
    """Creates an upload, as `createMultipartUpload` does."""
    body = {"filename": filename, "type": "video/mp4", "metadata": {"name": filename}, **fields}
    answer = client.send("POST", "/s3/multipart", json_=body)
    assert answer.status == 200, answer.content
    return answer.json()


def path(upload: dict[str, str], rest: str = "") -> str:
    return f"/s3/multipart/{upload['uploadId']}{rest}"


def send(client: Client, upload: dict[str, str], number: int, data: bytes) -> dict[str, Any]:
    """Signs a part and sends it; Uppy keeps the ETag header with its quotes."""
    answer = client.send("GET", path(upload, f"/{number}"), query=KEY)
    assert answer.status == 200, answer.content
    reply = s3.send("PUT", answer.json()["url"], body=data)
    assert reply.status == 200, reply.code
    return {"PartNumber": number, "ETag": reply.headers["etag"]}


def complete(client: Client, upload: dict[str, str], parts: Any) -> Answer:
    return client.send("POST", path(upload, "/complete"), query=KEY, json_={"parts": parts})


def test_a_file_is_uploaded_in_parts(alice: Client, fake_aws: FakeAws) -> None:
    """Create, sign, list, complete; the size is that of the parts."""
    upload = create(alice)
    assert upload["key"] == "a.bin"
    parts = [send(alice, upload, number, data) for number, data in enumerate(PARTS, 1)]
    listed = alice.send("GET", path(upload), query=KEY).json()
    assert listed == [{**part, "Size": len(data)} for part, data in zip(parts, PARTS, strict=True)]
    assert all(part["ETag"].startswith('"') for part in listed)
    answer = complete(alice, upload, parts)
    assert answer.status == 200
    assert fetch(alice, "a.bin") == b"".join(PARTS)
    (file,) = alice.get("/files").json()
    assert (file["size"], file["content_type"], file["sha256"]) == (14, "video/mp4", None)
    assert bytes_used(fake_aws, "alice") == 14
    assert complete(alice, upload, parts).json() == answer.json()


def test_the_location_downloads_the_file(alice: Client) -> None:
    """What Uppy shows as `uploadURL` works for a caller with a token."""
    upload = create(alice, "d/a & b?.bin")
    answer = complete(alice, upload, [send(alice, upload, 1, b"bytes")])
    location = urlsplit(answer.json()["location"])
    told = alice.send("GET", location.path, query=location.query).json()
    assert s3.send("GET", told["url"]).body == b"bytes"


def test_parts_are_signed_one_by_one_or_in_a_batch(alice: Client) -> None:
    """`expires` is seconds; no URL is bound to a size."""
    upload = create(alice)
    one = alice.send("GET", path(upload, "/1"), query=KEY).json()
    assert one["expires"] == 300
    query = {"key": "a.bin", "partNumbers": "1,2,10000"}
    batch = alice.send("GET", path(upload, "/batch"), query=query).json()["presignedUrls"]
    assert [*batch] == ["1", "2", "10000"]
    for number, url in batch.items():
        assert dict(parse_qsl(urlsplit(url).query))["partNumber"] == number
        assert s3.signed_headers(url) == {"host"}
    for data in (b"short", b"and longer than that"):
        assert s3.send("PUT", batch["1"], body=data).status == 200
    moved = batch["1"].replace("partNumber=1&", "partNumber=2&")
    assert s3.send("PUT", moved, body=b"x").code == "SignatureDoesNotMatch"


def test_unknown_part_numbers_are_refused(alice: Client) -> None:
    """They are from 1 to 10,000, in ASCII digits."""
    upload = create(alice)
    for number in ("0", "10001", "-1", "1.5", "x", "00001x", "\uff11", "999999999", "1e3"):
        assert alice.send("GET", path(upload, f"/{number}"), query=KEY).slug == "invalid-request"
        for numbers in (number, f"1,{number}", f"{number},"):
            query = {**KEY, "partNumbers": numbers}
            answer = alice.send("GET", path(upload, "/batch"), query=query)
            assert answer.slug == "invalid-request", numbers


def test_a_batch_has_1_to_100_parts(alice: Client) -> None:
    """More, or none, is 422."""
    upload = create(alice)
    for count, status in ((0, 422), (100, 200), (101, 422)):
        numbers = ",".join(map(str, range(1, count + 1)))
        answer = alice.send("GET", path(upload, "/batch"), query={**KEY, "partNumbers": numbers})
        assert answer.status == status
    assert alice.send("GET", path(upload, "/batch"), query=KEY).slug == "invalid-request"


@pytest.mark.parametrize("kind", ["", None, "not a type", "text/html\r\nx: y"])
def test_an_invalid_type_is_guessed_from_the_name(alice: Client, kind: str | None) -> None:
    """A browser that does not know a type sends an empty one."""
    upload = create(alice, "a.png", type=kind)
    complete(alice, upload, [send(alice, upload, 1, b"bytes")])
    assert alice.get("/files").json()[0]["content_type"] == "image/png"


@pytest.mark.parametrize(
    ("path_", "name"),
    [
        ("photos/2024/a.bin", "photos/2024/a.bin"),
        ("/photos/a.bin", "photos/a.bin"),
        ("", "a.bin"),
        (None, "a.bin"),
        ("null", "a.bin"),
        ("undefined", "a.bin"),
        (5, "a.bin"),
    ],
)
def test_a_file_of_a_folder_keeps_its_path(alice: Client, path_: Any, name: str) -> None:
    """Uppy sends it as `relativePath`; browsers send null in several spellings."""
    assert create(alice, metadata={"relativePath": path_})["key"] == name
    query = {"filename": "a.bin", "type": "x/y", "metadata[relativePath]": str(path_ or "")}
    answer = alice.send("GET", "/s3/params", query=query)
    assert answer.status == 200
    names = {view["file_name"] for view in alice.get("/uploads").json()}
    assert names == ({name} if path_ != 5 else {name, "5"})


def test_invalid_names_are_refused(alice: Client) -> None:
    """The rules of names hold for names and paths from Uppy."""
    for wrong in ["../a", "a//b", "a\\b", "//a", "a\u202eb", "\ud800", "a/", "x" * 901]:
        for body in (
            {"filename": "a", "metadata": {"relativePath": wrong}},
            {"filename": wrong, "metadata": {}},
        ):
            for route in ("/s3/multipart", "/s3/params"):
                assert alice.send("POST", route, json_=body).status == 422, wrong
    assert alice.get("/uploads").json() == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_event_completes_a_put_of_uppy(alice: Client, fake_aws: FakeAws, method: str) -> None:
    """Uppy does not complete it; a file of any size is accepted."""
    if method == "GET":
        query = {
            "filename": "a.txt",
            "type": "text/plain",
            "metadata[name]": "a.txt",
            "metadata[x]": "1",
        }
        answer = alice.send("GET", "/s3/params", query=query)
    else:
        body = {"filename": "a.txt", "type": "text/plain", "metadata": {"name": "a.txt"}}
        answer = alice.send("POST", "/s3/params", json_=body)
    assert answer.status == 200
    order = answer.json()
    assert (order["method"], order["fields"]) == ("PUT", {})
    assert s3.signed_headers(order["url"]) == {"content-type", "host", "if-none-match"}
    assert s3.send("PUT", order["url"], order["headers"], b"some bytes").status == 200
    assert alice.names() == []
    assert notify(unquote(urlsplit(order["url"]).path[1:])) == []
    assert alice.read("a.txt").content == b"some bytes"
    assert s3.send("PUT", order["url"], order["headers"], b"others").code == "PreconditionFailed"
    assert bytes_used(fake_aws, "alice") == 10


def test_invalid_parameters_are_refused(alice: Client) -> None:
    """Without a name, or with unknown parameters, it is 422."""
    for query in WRONG_QUERIES:
        assert alice.send("GET", "/s3/params", query=query).status == 422, query
    assert alice.get("/uploads").json() == []


def test_an_abort_deletes_the_parts(alice: Client, fake_aws: FakeAws) -> None:
    """After it, the upload is 404."""
    upload = create(alice)
    send(alice, upload, 1, b"bytes")
    answer = alice.send("DELETE", path(upload), query=KEY)
    assert (answer.status, answer.json()) == (200, {})
    assert (count_multipart_uploads(fake_aws), stored(fake_aws)) == (0, [])
    assert alice.send("DELETE", path(upload), query=KEY).slug == "no-such-upload"
    assert alice.send("GET", path(upload), query=KEY).slug == "no-such-upload"


def test_invalid_part_lists_are_refused(alice: Client) -> None:
    """It is 422, and no file is made."""
    upload = create(alice)
    send(alice, upload, 1, b"bytes")
    for parts in NO_PARTS:
        assert complete(alice, upload, parts).slug == "invalid-request", parts
    assert alice.names() == []


def test_an_upload_with_missing_parts_is_not_completed(alice: Client) -> None:
    """No parts, an unknown one, another's ETag, one left out: 409, and still in progress."""
    upload = create(alice)
    first, third = send(alice, upload, 1, PARTS[0]), send(alice, upload, 3, PARTS[2])
    for parts in (
        [],
        [first, {"PartNumber": 2, "ETag": '"x"'}, third],
        [{**first, "ETag": third["ETag"]}],
        [first, third],
        [third],
    ):
        assert complete(alice, upload, parts).slug == "upload-incomplete"
    assert alice.post(f"/uploads/{upload['uploadId']}/complete").slug == "upload-incomplete"
    assert alice.get(f"/uploads/{upload['uploadId']}").json()["missing"] == [2]
    second = send(alice, upload, 2, PARTS[1])
    assert complete(alice, upload, [third, second, first]).status == 200
    assert fetch(alice, "a.bin") == b"".join(PARTS)


def test_parts_that_s3_refuses_to_join(alice: Client) -> None:
    """All but the last have a minimal size; the upload stays in progress."""
    upload = create(alice)
    parts = [send(alice, upload, number, b"tiny") for number in (1, 2)]
    assert complete(alice, upload, parts).slug == "upload-incomplete"
    parts[0] = send(alice, upload, 1, b"large enough")
    assert complete(alice, upload, parts).status == 200


def test_parts_of_more_than_5_tib_are_refused(
    alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before S3 joins them."""
    monkeypatch.setattr(completion, "MAX_FILE_BYTES", 13)
    upload = create(alice)
    parts = [send(alice, upload, number, data) for number, data in enumerate(PARTS, 1)]
    assert complete(alice, upload, parts).slug == "too-large"
    assert complete(alice, upload, parts[:2]).status == 200


def test_both_protocols_share_uploads(alice: Client) -> None:
    """An upload of Uppy can be completed by `/uploads`, and the other way round."""
    upload = create(alice)
    send(alice, upload, 1, b"bytes")
    view = alice.get(f"/uploads/{upload['uploadId']}").json()
    assert (view["size"], view["total_parts"], view["arrived"]) == (None, None, [1])
    assert alice.post(f"/uploads/{upload['uploadId']}/complete").status == 200
    sized = start(alice, "b.bin", 70 * 1024 * 1024)
    upload = {"uploadId": sized["upload_id"]}
    signed = alice.send("GET", path(upload, "/9"), query=KEY).json()
    assert s3.signed_headers(signed["url"]) == {"content-length", "host"}
    assert alice.send("GET", path(upload, "/10"), query=KEY).slug == "invalid-request"


def test_signing_takes_one_call(alice: Client, fake_aws: FakeAws) -> None:
    """It reads session and upload; signing itself calls no service."""
    upload = create(alice)
    for rest, query in (("/1", KEY), ("/batch", {**KEY, "partNumbers": "1,2,3"})):
        with fake_aws.counted() as calls:
            assert alice.send("GET", path(upload, rest), query=query).status == 200
        assert calls == ["BatchGetItem"]


def test_every_route_needs_a_token(anyone: Client) -> None:
    """401 comes before any other problem."""
    for method, where in (
        ("POST", "/s3/multipart"),
        ("GET", "/s3/multipart/x"),
        ("GET", "/s3/multipart/x/1"),
        ("GET", "/s3/multipart/x/batch"),
        ("POST", "/s3/multipart/x/complete"),
        ("DELETE", "/s3/multipart/x"),
        ("GET", "/s3/params"),
        ("POST", "/s3/params"),
    ):
        assert anyone.send(method, where, body=b"[").slug == "not-signed-in"


def left(fake_aws: FakeAws) -> tuple[list[bytes], int, int]:
    """What S3 keeps of Alice's uploads, and the bytes that she is charged for."""
    return stored(fake_aws), count_multipart_uploads(fake_aws), bytes_used(fake_aws, "alice")


@pytest.mark.parametrize(
    "fields",
    [{"size": 14}, {"metadata": {"size": 14}}, {"metadata": {"size": "14"}}],
    ids=["size", "number", "text"],
)
def test_a_declared_size_is_reserved_and_kept(
    alice: Client, fake_aws: FakeAws, fields: dict[str, Any]
) -> None:
    """Uppy sends what the page puts into the metadata; parts are as long as Uppy cuts them."""
    set_quota(fake_aws, "alice", 20)
    upload = create(alice, **fields)
    assert bytes_used(fake_aws, "alice") == 14
    assert alice.send("POST", "/s3/multipart", json_={"filename": "b", "size": 7}).status == 507
    view = alice.get(f"/uploads/{upload['uploadId']}").json()
    assert (view["size"], view["part_size"], view["total_parts"]) == (14, None, None)
    parts = [send(alice, upload, number, data) for number, data in enumerate(PARTS, 1)]
    assert complete(alice, upload, parts[:2]).slug == "upload-incomplete"
    assert complete(alice, upload, parts).status == 200
    assert fetch(alice, "a.bin") == b"".join(PARTS)
    assert left(fake_aws) == ([b"".join(PARTS)], 0, 14)


@pytest.mark.parametrize("size", ["XL", "", None, -1, 1.5, True, [14], "1" * 31, "\u0661"])
def test_metadata_that_are_no_size_declare_none(alice: Client, size: Any) -> None:
    """The metadata are the page's; `size` itself must be a size."""
    upload = create(alice, metadata={"size": size})
    assert alice.get(f"/uploads/{upload['uploadId']}").json()["size"] is None
    if size is not None:
        body = {"filename": "a", "size": size}
        assert alice.send("POST", "/s3/multipart", json_=body).slug == "invalid-request"


@pytest.mark.parametrize("route", ["/s3/params", "/s3/multipart"])
def test_a_size_beyond_a_limit_is_refused_at_once(
    alice: Client, fake_aws: FakeAws, route: str
) -> None:
    """By the quota 507, by the limit of all files 413."""
    for size in (2**60, "9" * 30):
        body = {"filename": "a", "metadata": {"size": size}}
        assert alice.send("POST", route, json_=body).slug == "too-large"
    set_quota(fake_aws, "alice", 20)
    body = {"filename": "a", "metadata": {"size": 21}}
    assert alice.send("POST", route, json_=body).slug == "quota-exceeded"
    assert left(fake_aws) == ([], 0, 0)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_one_put_is_bound_to_its_declared_size(alice: Client, method: str) -> None:
    """S3 refuses other lengths, as with `POST /uploads`."""
    body = {"filename": "a.txt", "metadata": {"size": "3"}}
    sent = {"query": {"filename": "a.txt", "metadata[size]": "3"}}
    answer = alice.send(method, "/s3/params", **(sent if method == "GET" else {"json_": body}))
    order = answer.json()
    assert "content-length" in s3.signed_headers(order["url"])
    assert s3.send("PUT", order["url"], order["headers"], b"four").code == "SignatureDoesNotMatch"
    assert s3.send("PUT", order["url"], order["headers"], b"abc").status == 200
    assert notify(unquote(urlsplit(order["url"]).path[1:])) == []
    assert alice.read("a.txt").content == b"abc"


def test_a_put_that_does_not_fit_is_deleted_at_its_event(alice: Client, fake_aws: FakeAws) -> None:
    """Its row and its bytes, by the run that noticed; the next event finds nothing."""
    set_quota(fake_aws, "alice", 5)
    order = alice.send("GET", "/s3/params", query={"filename": "a.txt"}).json()
    assert s3.send("PUT", order["url"], order["headers"], b"sixsix").status == 200
    assert notify(unquote(urlsplit(order["url"]).path[1:])) == []
    assert left(fake_aws) == ([], 0, 0)
    assert alice.get("/uploads").json() == alice.names() == []
    assert notify(unquote(urlsplit(order["url"]).path[1:])) == []


def test_parts_that_do_not_fit_are_deleted_at_the_completion(
    alice: Client, fake_aws: FakeAws
) -> None:
    """507, and neither row nor bytes stay; of two that fit one at a time, one becomes a file."""
    set_quota(fake_aws, "alice", 10)
    first, second = create(alice, "a.bin"), create(alice, "b.bin")
    parts = [[send(alice, each, 1, b"sixsix")] for each in (first, second)]
    assert complete(alice, first, parts[0]).status == 200
    assert complete(alice, second, parts[1]).slug == "quota-exceeded"
    assert left(fake_aws) == ([b"sixsix"], 0, 6)
    assert complete(alice, second, parts[1]).slug == "no-such-upload"


@pytest.mark.parametrize("size", [None, 10])
def test_parts_are_signed_only_while_they_fit(
    alice: Client, fake_aws: FakeAws, size: int | None
) -> None:
    """Within what the quota leaves, or the declared size; a part may be sent again."""
    set_quota(fake_aws, "alice", 10)
    upload = create(alice, **({"size": size} if size else {}))
    parts = [send(alice, upload, 1, b"first")]
    assert alice.send("GET", path(upload, "/1"), query=KEY).status == 200
    two = {**KEY, "partNumbers": "2,3"}  # of which one would have 5 MiB
    assert alice.send("GET", path(upload, "/batch"), query=two).status in {413, 507}
    parts.append(send(alice, upload, 2, b"other"))
    assert alice.send("GET", path(upload, "/3"), query=KEY).status in {413, 507}
    assert complete(alice, upload, parts).status == 200
    assert left(fake_aws) == ([b"firstother"], 0, 10)


@pytest.mark.parametrize("size", [None, 10])
def test_parts_that_do_not_fit_are_deleted_when_more_are_to_be_signed(
    alice: Client, fake_aws: FakeAws, size: int | None
) -> None:
    """Whatever is asked for then."""
    set_quota(fake_aws, "alice", 10)
    for number in (1, 2):
        upload = create(alice, **({"size": size} if size else {}))
        send(alice, upload, 1, b"eleven byte")
        assert alice.send("GET", path(upload, f"/{number}"), query=KEY).status in {413, 507}
        assert left(fake_aws) == ([], 0, 0)
        assert alice.send("GET", path(upload), query=KEY).slug == "no-such-upload"


def test_more_parts_than_declared_make_no_file(alice: Client, fake_aws: FakeAws) -> None:
    """They are deleted, and the reservation with them."""
    upload = create(alice, size=8)
    url = alice.send("GET", path(upload, "/2"), query=KEY).json()["url"]
    part = send(alice, upload, 1, b"first")
    etag = s3.send("PUT", url, body=b"other").headers["etag"]
    answer = complete(alice, upload, [part, {"PartNumber": 2, "ETag": etag}])
    assert answer.slug == "upload-mismatch"
    assert left(fake_aws) == ([], 0, 0)


def test_an_upload_of_unknown_size_expires_after_a_day(
    alice: Client, fake_aws: FakeAws, clock: Clock
) -> None:
    """No quota says that its parts are there; one of a declared size has its seven days."""
    for number, size in enumerate((None, 9)):
        send(alice, create(alice, f"{number}", **({"size": size} if size else {})), 1, b"first")
    clock.time += 26 * 3600
    assert sweep() == 1
    assert left(fake_aws) == ([], 1, 9)
    clock.time += 6 * 24 * 3600
    assert sweep() == 1
    assert left(fake_aws) == ([], 0, 0)
