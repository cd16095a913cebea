"""Upload rules: size and type of what each role may upload, by name and by content."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from function import contract
from tests.conftest import Behind
from tests.crashes.meetings import act_before_commit
from tests.crashes.world import other_process
from tests.support.api_register import MIB
from tests.support.client import Answer, Client, join
from tests.support.fake_aws import Call, FakeAws
from tests.support.office import SAMPLES, office, zipped
from tests.support.transfers import put

Ruled = Callable[..., None]
OFFICE = [".pptx", ".docx", ".xlsx"]
WAYS = ["small", "large"]


@pytest.fixture
def rule(settings: contract.Settings, rewire: Callable[[contract.Settings], None]) -> Ruled:
    """Has members upload only what a rule says."""
    return lambda **rule: rewire(replace(settings, upload_rules=json.dumps({"member": rule})))


def send(who: Client, way: str, name: str, data: bytes, **fields: Any) -> Answer:
    """Uploads a file through the function, or straight to S3."""
    if way == "small":
        return who.put(name, data, **fields)
    begun = who.post("/uploads", file_name=name, size=len(data), **fields)
    if begun.status != 201:
        return begun
    assert put(begun.json(), data).status == 200
    return who.post(f"/uploads/{begun.json()['upload_id']}/complete")


def test_members_see_their_upload_rule(
    alice: Client, rule: Ruled, settings: contract.Settings
) -> None:
    """Before an upload is refused; a role without a rule sees no limit."""
    untold = {"upload_types": None, "upload_bytes": None}
    root = join(settings.administrator)
    for rules, told in (
        ({}, untold),
        ({"maxBytes": 10}, untold | {"upload_bytes": 10}),
        ({"types": OFFICE}, untold | {"upload_types": OFFICE}),
        ({"types": [], "maxBytes": 0}, {"upload_types": [], "upload_bytes": 0}),
    ):
        rule(**rules)
        assert alice.get("/me").json().items() >= told.items()
        assert root.get("/me").json().items() >= untold.items()


@pytest.mark.parametrize("way", WAYS)
def test_members_upload_only_allowed_types(alice: Client, rule: Ruled, way: str) -> None:
    """The name decides before a byte is sent."""
    rule(types=OFFICE)
    assert send(alice, way, "in/talk.PPTX", office(".pptx")).status in {200, 201}
    for name in ("a.exe", "a.pdf", "pptx", "a.pptx.txt", "talk"):
        answer = send(alice, way, name, SAMPLES[".pdf"])
        assert (answer.status, answer.slug) == (422, "type-not-allowed")
        assert ".pptx, .docx, .xlsx" in answer.json()["detail"]
    assert alice.names() == ["alice/in/talk.PPTX"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "data"),
    [("a.pptx", SAMPLES[".exe"]), ("a.pptx", zipped(("a.txt", b"no talk"))),
     ("a.docx", b"Just words.\n"), ("a.docx", office(".xlsx")), ("a.pptx", office(".pptm")),
     ("a.pptx", b"")],
    ids=["a program", "a zip", "words", "a table", "macros", "nothing"],
)  # fmt: skip
def test_content_that_contradicts_the_name_is_refused(
    alice: Client, behind: Behind, rule: Ruled, way: str, name: str, data: bytes
) -> None:
    """None of it stays, and nothing is charged."""
    rule(types=OFFICE)
    answer = send(alice, way, name, data)
    assert (answer.status, answer.slug) == (422, "type-not-allowed")
    assert alice.names() == []
    assert alice.get("/uploads").json() == []
    assert behind.objects() == {}
    (used,) = alice.get("/usage").json()
    assert (used["bytes_used"], used["files_used"]) == (0, 0)


def test_a_rule_may_name_a_family_of_media_types(alice: Client, rule: Ruled) -> None:
    """The name's own media type counts, not the one that the client sends."""
    rule(types=["image/*", "text/csv"])
    for extension in (".png", ".jpg", ".csv"):
        assert alice.put(f"a{extension}", SAMPLES[extension]).status == 201
    assert alice.put("a.txt", b"words", content_type="image/png").slug == "type-not-allowed"
    assert alice.put("a", SAMPLES[".png"], content_type="image/png").slug == "type-not-allowed"
    assert alice.put("b.png", SAMPLES[".jpg"]).slug == "type-not-allowed"


@pytest.mark.parametrize("way", WAYS)
def test_members_upload_at_most_the_allowed_bytes(alice: Client, rule: Ruled, way: str) -> None:
    """To the byte."""
    rule(maxBytes=1000)
    assert send(alice, way, "a.bin", bytes(1000)).status in {200, 201}
    answer = send(alice, way, "b.bin", bytes(1001))
    assert (answer.status, answer.slug) == (413, "too-large")
    assert "1000" in answer.json()["detail"]
    assert alice.names() == ["alice/a.bin"]


def test_an_undeclared_size_is_checked_at_completion(alice: Client, rule: Ruled) -> None:
    """Uppy starts uploads without a size."""
    rule(maxBytes=1000)
    asked = {"filename": "a.bin", "type": "x/y", "metadata": {}}
    order = alice.send("POST", "/s3/params", json_=asked).json()
    put({"put": {"url": order["url"], "headers": order["headers"]}}, bytes(2000))
    (upload,) = alice.get("/uploads").json()
    answer = alice.post(f"/uploads/{upload['upload_id']}/complete")
    assert (answer.status, answer.slug) == (413, "too-large")
    assert alice.get("/uploads").json() == []


def test_other_roles_have_other_rules(alice: Client, rule: Ruled) -> None:
    """A role without a rule may upload everything."""
    rule(types=OFFICE, maxBytes=10)
    root = join("root")
    assert root.put("a.exe", SAMPLES[".exe"]).status == 201
    root.post("/share", file_name="in/", username="alice", permission="write")
    answer = alice.put("in/a.exe", SAMPLES[".exe"], username="root")
    assert answer.status in {413, 422}


def test_an_upload_to_a_file_request_follows_the_owners_rule(
    alice: Client, rule: Ruled, behind: Behind
) -> None:
    """Otherwise members would send a request to themselves."""
    rule(types=OFFICE)
    asked = alice.post("/requests", title="Slides", folder="in/").json()["url"]
    path = asked[asked.index("/r/") :] + "/uploads"
    for name, data, status in (("a.pptx", office(".pptx"), 200), ("b.pptx", b"words", 422)):
        begun = Client().post(path, file_name=name, size=len(data)).json()
        assert put(begun, data).status == 200
        answer = Client().post(f"{path}/{begun['upload_id']}/complete")
        assert answer.status == status, answer.text
    assert alice.names() == ["alice/in/a.pptx"]
    assert len(behind.objects()) == 1


def rename(who: Client, name: str, new_name: str) -> Answer:
    return who.send("PATCH", "/file", json_={"file_name": name, "new_name": new_name})


def test_a_restored_version_follows_the_rule(alice: Client, rule: Ruled) -> None:
    """It may be older than the rule."""
    for data in (b"a longer text", b"short"):
        alice.put("a.txt", data)
    restored = {"file_name": "a.txt", "version": 1}
    for rules, slug in (({"types": OFFICE}, "type-not-allowed"), ({"maxBytes": 9}, "too-large")):
        rule(**rules)
        assert alice.post("/restore", **restored).slug == slug
    assert alice.read("a.txt").content == b"short"
    rule(types=[".txt"], maxBytes=13)
    assert alice.post("/restore", **restored).status == 200


@pytest.mark.parametrize("name", ["in/a.exe", "in/a", "in/a.docx", "in/a.pptx.zip", "pptx"])
def test_a_new_name_follows_the_rule(alice: Client, behind: Behind, rule: Ruled, name: str) -> None:
    """By its extension and by the content, for files from the trash too."""
    rule(types=OFFICE)
    alice.put("in/a.pptx", office(".pptx"))
    before = behind.state()
    answer = rename(alice, "in/a.pptx", name)
    assert (answer.status, answer.slug) == (422, "type-not-allowed")
    assert behind.state() == before
    alice.delete("/file", file_name="in/a.pptx")
    before = behind.state()
    answer = alice.post("/restore", file_name="in/a.pptx", new_name=name)
    assert (answer.status, answer.slug) == (422, "type-not-allowed")
    assert behind.state() == before
    assert alice.post("/restore", file_name="in/a.pptx", new_name="b.PPTX").status == 200
    assert rename(alice, "b.PPTX", "x.exe/c.pptx").status == 200
    assert alice.names() == ["alice/x.exe/c.pptx"]


def test_an_older_file_keeps_its_extension(alice: Client, rule: Ruled) -> None:
    """It moves as before, with its folder too, but gets no extension that is false."""
    alice.put("in/a.exe", SAMPLES[".exe"])
    alice.put("in/b.bin", office(".pptx"))
    rule(types=OFFICE, maxBytes=10)
    assert rename(alice, "in/", "out/").status == 200
    assert rename(alice, "out/a.exe", "out/c.exe").status == 200
    assert rename(alice, "out/c.exe", "out/c.pptx").slug == "type-not-allowed"
    assert rename(alice, "out/b.bin", "out/b.pptx").status == 200, "its size is not judged"
    assert alice.names() == ["alice/out/b.pptx", "alice/out/c.exe"]


def test_a_type_may_be_two_extensions(alice: Client, rule: Ruled) -> None:
    """A new name with only the last of them is refused."""
    rule(types=[".tar.gz"])
    assert alice.put("a.tar.gz", gzip.compress(b"x")).status == 201
    assert rename(alice, "a.tar.gz", "b.gz").slug == "type-not-allowed"
    assert rename(alice, "a.tar.gz", "b.tar.gz").status == 200


def test_a_file_purged_during_the_check_is_not_found(
    alice: Client, rule: Ruled, fake_aws: FakeAws
) -> None:
    """Its row is read again."""
    rule(types=[".txt", ".csv"])
    alice.put("a.txt", b"one;two\n")
    met: list[Answer] = []

    def before(call: Call) -> None:
        if call.operation == "GetObject" and not met:
            with other_process():
                query = {"file_name": "a.txt", "permanent": "true"}
                met.append(alice.send("DELETE", "/file", query=query))

    fake_aws.before = before
    assert rename(alice, "a.txt", "a.csv").slug == "no-such-file"
    assert met[0].status == 204


def test_a_new_name_is_checked_against_the_current_bytes(
    alice: Client, rule: Ruled, fake_aws: FakeAws
) -> None:
    """Bytes that another request puts meanwhile are checked too."""
    rule(types=[".txt", ".csv"])
    root = join("root")
    alice.put("a.txt", b"one;two\n")
    alice.post("/share", file_name="a.txt", username="root", permission="write")
    program = SAMPLES[".exe"]
    met = act_before_commit(fake_aws, lambda: root.put("a.txt", program, username="alice"))
    assert rename(alice, "a.txt", "a.csv").slug == "type-not-allowed"
    assert met[0].status == 200
    assert alice.read("a.txt").content == program


def test_a_new_name_reads_bytes_only_where_types_matter(
    alice: Client, rule: Ruled, fake_aws: FakeAws
) -> None:
    """Without a rule, with the same extension or with a wrong one nothing is read."""
    alice.put("a.txt", b"one;two\n")
    for rules, name, looks in (
        ({}, "a.csv", 0),
        ({"maxBytes": 1}, "a.txt", 0),
        ({"types": [".txt", ".csv"]}, "b.txt", 0),
        ({"types": [".txt", ".csv"]}, "b.exe", 0),
        ({"types": [".txt", ".csv"]}, "b.csv", 1),
    ):
        rule(**rules)
        (now,) = alice.names()
        with fake_aws.counted() as made:
            rename(alice, now.partition("/")[2], name)
        assert made.count("GetObject") == looks, name


def test_only_a_rule_of_types_reads_bytes(alice: Client, rule: Ruled, fake_aws: FakeAws) -> None:
    """A small file passes through the function; of a large one 8 KiB are read."""
    expected = ["BatchGetItem", "PutObject", "TransactWriteItems"]
    for rules in ({}, {"maxBytes": MIB}, {"types": [".txt"]}):
        rule(**rules)
        with fake_aws.counted() as calls:
            assert alice.put("a.txt", b"words").status in {200, 201}
        assert calls == expected
        begun = alice.post("/uploads", file_name="b.txt", size=20_000).json()
        put(begun, b"a word " * 2857 + b"!")
        with fake_aws.counted() as calls:
            done = alice.post(f"/uploads/{begun['upload_id']}/complete")
        assert done.status == 200, done.text
        assert calls.count("GetObject") == ("types" in rules)


def test_a_file_that_is_planned_again_is_read_once(
    alice: Client, rule: Ruled, fake_aws: FakeAws
) -> None:
    """Its bytes are the same at every attempt."""
    rule(types=[".txt"])
    for data in (b"one", b"two"):
        alice.put("a.txt", data)
    described = {"file_name": "a.txt", "description": "another"}
    for path, fields in (
        ("/copy", {"new_name": "b.txt"}),
        ("/restore", {"version": 1}),
    ):
        met = act_before_commit(fake_aws, lambda: alice.send("PATCH", "/file", json_=described))
        with fake_aws.counted() as calls:
            assert alice.post(path, file_name="a.txt", **fields).status in {200, 201}
        assert met[0].status == 200
        assert calls.count("TransactWriteItems") == 3, "one of the other request, two of this one"
        assert calls.count("GetObject") == 1
