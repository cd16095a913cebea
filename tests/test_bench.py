"""The reference of the benchmarks works, and checks requests as Satchel does."""

import ast
import base64
import importlib
import inspect
import json
import marshal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import botocore
import pytest

from bench import cold_start
from function import app
from local.gateway.http1 import Request
from local.gateway.lambda_proxy import build_event
from tests.support.client import CONTEXT, PASSWORD, answer_of
from tests.support.fake_aws import REGION, empty_account

DATA = bytes(range(256))
FILE = {"file_name": "in/a.bin", "content": base64.b64encode(DATA).decode()}
KEYS = {
    "USERS": ("username",),
    "SESSIONS": ("token_hash",),
    "FILES": ("owner", "name"),
    "SHARES": ("grantee", "file"),
}


class Person:
    """Somebody who calls one of the two handlers, logged in or not."""

    def __init__(self, handler, username=None):
        self.handler, self.token = handler, None
        if username:
            credentials = {"username": username, "password": PASSWORD}
            assert self.ask("POST", "/register", fields=credentials).status == 201
            self.token = self.ask("POST", "/login", fields=credentials).json()["token"]

    def ask(self, method, path, fields=None, headers=(), **query):
        body = b"" if fields is None else json.dumps(fields).encode()
        sent = [("content-type", "application/json"), *headers]
        if self.token:
            sent.append(("x-session-token", self.token))
        target = f"{path}?{urlencode(query)}" if query else path
        event = build_event(Request(method, target, tuple(sent), body), "192.0.2.1", 443)
        return answer_of(self.handler(event, CONTEXT))


@pytest.fixture
def reference(monkeypatch):
    """The reference's handler, on tables and a bucket of its own."""
    with empty_account() as session:
        for name, value in cold_start.ENVIRONMENT.items():
            monkeypatch.setenv(name, value)
        for noun, keys in KEYS.items():
            session.client("dynamodb").create_table(
                TableName=cold_start.ENVIRONMENT[noun],
                AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in keys],
                KeySchema=[
                    {"AttributeName": key, "KeyType": kind}
                    for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
                BillingMode="PAY_PER_REQUEST",
            )
        place = {"LocationConstraint": REGION}
        bucket = cold_start.ENVIRONMENT["BUCKET"]
        session.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
        yield importlib.import_module("bench.reference.download").lambda_handler


def test_files_are_put_got_listed_and_shared(reference):
    """The seven endpoints, from registration to logging out."""
    alice, bob = Person(reference, "alice"), Person(reference, "bob")
    assert [alice.ask("PUT", "/file", FILE).status for _ in range(2)] == [201, 200]
    got = alice.ask("GET", "/file", file_name="in/a.bin")
    assert base64.b64decode(got.text) == DATA
    etag = [("if-none-match", got.headers["ETag".lower()])]
    assert alice.ask("GET", "/file", headers=etag, file_name="in/a.bin").status == 304
    (listed,) = alice.ask("GET", "/files", prefix="in/").json()
    assert (listed["key"], listed["version"], listed["permission"]) == ("alice/in/a.bin", 2, "own")

    assert bob.ask("GET", "/file", file_name="in/a.bin", username="alice").status == 404
    share = {"file_name": "in/a.bin", "username": "bob"}
    assert [alice.ask("POST", "/share", share).status for _ in range(2)] == [201, 200]
    raw = [("accept", "application/octet-stream")]
    theirs = bob.ask("GET", "/file", headers=raw, file_name="in/a.bin", username="alice")
    assert theirs.content == DATA
    (listed,) = bob.ask("GET", "/files").json()
    assert (listed["key"], listed["permission"]) == ("alice/in/a.bin", "read")
    url = bob.ask("GET", "/download", file_name="in/a.bin", username="alice").json()["url"]
    assert "X-Amz-Signature" in url

    assert bob.ask("POST", "/logout").status == 204
    assert bob.ask("GET", "/files").status == 401


def test_pages_follow_each_other(reference):
    """The cursor of one page begins the next."""
    alice = Person(reference, "alice")
    for name in "abc":
        alice.ask("PUT", "/file", {**FILE, "file_name": name})
    first = alice.ask("GET", "/files", limit=2)
    cursor = first.headers["x-next-cursor"]
    second = alice.ask("GET", "/files", limit=2, cursor=cursor)
    assert [file["file_name"] for file in first.json() + second.json()] == ["a", "b", "c"]


SHARE = {"file_name": "in/a.bin", "username": "bob"}
CREDENTIALS = {"username": "carol", "password": PASSWORD}
BAD = [
    *[("POST", "/register", {**CREDENTIALS, "username": each}) for each in ("ab", "a b c", 7)],
    *[
        ("POST", "/register", {**CREDENTIALS, "password": each})
        for each in ("2 short", "\ud800" * 9)
    ],
    ("POST", "/register", {**CREDENTIALS, "email": "nobody"}),
    ("POST", "/register", {**CREDENTIALS, "role": "admin"}),
    ("POST", "/register", {**CREDENTIALS, "username": "Alice"}),
    ("POST", "/login", {**CREDENTIALS, "username": "alice", "password": "wrong"}),
    ("POST", "/login", CREDENTIALS),
    *[
        ("PUT", "/file", {**FILE, "file_name": each})
        for each in (
            "",
            "/a",
            "a//b",
            "../a",
            "a\\b",
            "a\u202eb",
            "a\nb",
            "a/" * 450 + "a",
            "ä" * 128,
        )
    ],
    *[("PUT", "/file", {**FILE, "content": each}) for each in ("aGk", "aGk=\n", "a-_b", 7, "aGl=")],
    ("PUT", "/file", {**FILE, "content": base64.b64encode(bytes((4 << 20) + 1)).decode()}),
    ("PUT", "/file", {**FILE, "content_type": "text"}),
    ("PUT", "/file", {**FILE, "on_conflict": "overwrite"}),
    ("PUT", "/file", {**FILE, "on_conflict": "fail"}),
    ("GET", "/file", {"file_name": "in/b.bin"}),
    ("GET", "/file", {"file_name": "in/../a.bin"}),
    ("GET", "/file", {"file_name": "in/a.bin", "owner": "alice"}),
    ("GET", "/file", {}),
    *[("GET", "/files", {"limit": each}) for each in (0, 1001, "ten")],
    ("GET", "/files", {"scope": "theirs"}),
    ("GET", "/files", {"prefix": "a\\b"}),
    *[("POST", "/share", {**SHARE, "expires_in": each}) for each in (0, "60", 1.5)],
    ("POST", "/share", {**SHARE, "permission": "own"}),
    ("POST", "/share", {**SHARE, "file_name": "in/b.bin"}),
    ("POST", "/share", {**SHARE, "username": "nobody"}),
    ("POST", "/share", {**SHARE, "username": "alice"}),
]


def refusals(handler):
    """The status of each bad request of somebody with a file, and of a list without a token."""
    alice, _ = Person(handler, "alice"), Person(handler, "bob")
    alice.ask("PUT", "/file", FILE)
    statuses = [("no token", Person(handler).ask("GET", "/files").status)]
    for method, path, sent in BAD:
        query, fields = (sent, None) if method == "GET" else ({}, sent)
        statuses.append((method, path, sent, alice.ask(method, path, fields, **query).status))
    return statuses


def test_bad_requests_get_the_status_that_satchel_gives(fake_aws, request):
    """The reference is spared no check of input that Satchel makes."""
    ours = refusals(app.lambda_handler)
    theirs = refusals(request.getfixturevalue("reference"))
    assert all(status >= 400 for *_, status in theirs)
    assert theirs == ours


HANDLER = """
import botocore.session

def lambda_handler(event, context):
    client = botocore.session.Session().create_client("dynamodb", "eu-central-1")
    item = client.get_item(TableName="files", Key={"name": {"S": event["name"]}})["Item"]
    return {"statusCode": int(item["size"]["N"])}
"""


@pytest.mark.parametrize("status", [200, 404])
def test_a_cold_start_answers_a_request_from_the_tape(tmp_path, status):
    """It prints its seconds; a first request that fails ends the benchmark."""
    (tmp_path / "handler.py").write_text(HANDLER)
    packages = str(Path(botocore.__file__).parents[1])
    statements = f"import sys; sys.path.append({packages!r})\nfrom handler import lambda_handler"
    body = json.dumps({"Item": {"size": {"N": str(status)}}}).encode()
    tape = ({"name": "a.bin"}, [(200, {"content-type": "application/x-amz-json-1.0"}, body)])
    script = str(cold_start.BENCH / "cold_process.py")
    done = subprocess.run(
        [sys.executable, "-I", "-S", script, str(tmp_path), statements],
        env=cold_start.ENVIRONMENT,
        input=marshal.dumps(tape),
        capture_output=True,
        check=False,
    )
    if status == 200:
        assert float(done.stdout) > 0, done.stderr
    else:
        assert done.returncode == 1
        assert b"404" in done.stderr


def test_a_ratio_is_the_median_of_the_rounds():
    """Each round is compared with the same round of the other program."""
    reference = cold_start.Program("reference", "reference", "", "reference")
    ours = cold_start.Program("ours", "satchel", "", "reference")
    taken = {"reference": [100.0, 200.0, 400.0], "ours": [80.0, 150.0, 400.0]}
    figure = cold_start.figure(ours, taken, {"reference": 2000.0, "ours": 1500.0})
    assert (figure.milliseconds, figure.ratio, figure.instructions_ratio) == (150, 0.8, 0.75)
    figure = cold_start.figure(reference, taken, {"reference": None, "ours": None})
    assert (figure.milliseconds, figure.ratio, figure.instructions_ratio) == (200, 1, None)


@pytest.mark.parametrize(
    "path",
    sorted((Path(__file__).parent.parent / "bench").glob("*.py")),
    ids=lambda path: path.stem,
)
def test_the_names_that_a_benchmark_uses_exist(path: Path) -> None:
    """No test runs `make bench` whole; a renamed function would show there alone."""
    module = importlib.import_module(f"bench.{path.stem}")
    modules = {name: each for name, each in vars(module).items() if inspect.ismodule(each)}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used = modules.get(node.value.id)
            assert used is None or hasattr(used, node.attr), ast.unparse(node)
