"""`make serve`: who has access to the emulator, which data survives, how everything ends."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError
from moto.core.models import botocore_stubber

from local import ROOT
from local.emulator.process import HOST, REGION, Emulator, listen
from local.emulator.state import ServeError, StateFolder
from local.serve import main, stack_config, welcome
from local.worker_pool import WorkerPool

pytestmark = pytest.mark.enable_socket

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
ONCE = Config(retries={"total_max_attempts": 1})


class Cloud:
    """Clients of an emulator, for its administrator or somebody else."""

    def __init__(self, emulator: Emulator, *keys: str) -> None:
        self._session = boto3.Session(*keys, region_name=REGION)
        self._url = emulator.url

    @contextlib.contextmanager
    def client(self, service: str) -> Iterator[Any]:
        client = self._session.client(service, endpoint_url=self._url, config=ONCE)
        # Other tests of this process may have moto stand in for AWS.
        client.meta.events.unregister("before-send", botocore_stubber)
        try:
            yield client
        finally:
            client.close()

    def make(self) -> str:
        """A table, a bucket and a role that may put rows, read objects and no more."""
        with self.client("dynamodb") as tables:
            tables.create_table(
                TableName="rows",
                KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        with self.client("s3") as bucket:
            place = {"LocationConstraint": REGION}
            bucket.create_bucket(Bucket="bytes", CreateBucketConfiguration=place)
        powers = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"},
                {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
            ],
        }
        with self.client("iam") as iam:
            made = iam.create_role(RoleName="it", AssumeRolePolicyDocument=json.dumps(TRUST))
            policy = json.dumps(powers)
            iam.put_role_policy(RoleName="it", PolicyName="powers", PolicyDocument=policy)
        return str(made["Role"]["Arn"])

    def put(self, key: str) -> None:
        with self.client("dynamodb") as tables:
            tables.put_item(TableName="rows", Item={"k": {"S": key}})

    def rows(self) -> set[str]:
        with self.client("dynamodb") as tables:
            return {item["k"]["S"] for item in tables.scan(TableName="rows")["Items"]}

    def refusal(self, service: str, call: Callable[[Any], Any]) -> str:
        """The error code that a call gets."""
        with self.client(service) as client, pytest.raises(ClientError) as refused:
            call(client)
        return str(refused.value.response["Error"]["Code"])


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateFolder]:
    with StateFolder(tmp_path / "state") as state:
        yield state


def test_the_emulator_holds_a_role_to_its_policy(state: StateFolder) -> None:
    with Emulator(state, 0) as emulator:
        admin = Cloud(emulator, *state.admin_keys())
        arn = admin.make()
        with admin.client("sts") as sts:
            taken = sts.assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        keys = taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"]
        role = Cloud(emulator, *keys)
        role.put("mine")
        delete = role.refusal(
            "dynamodb", lambda c: c.delete_item(TableName="rows", Key={"k": {"S": "mine"}})
        )
        assert delete == "AccessDeniedException"
        put = role.refusal("s3", lambda c: c.put_object(Bucket="bytes", Key="a", Body=b""))
        assert put == "AccessDenied"
        # A transaction is what its parts are.
        parts = [{"Delete": {"TableName": "rows", "Key": {"k": {"S": "mine"}}}}]
        write = role.refusal("dynamodb", lambda c: c.transact_write_items(TransactItems=parts))
        assert write == "AccessDeniedException"
        forged = Cloud(emulator, keys[0], "x" * 40, keys[2])
        scan = forged.refusal("dynamodb", lambda c: c.scan(TableName="rows"))
        assert scan == "InvalidSignatureException"
        assert admin.rows() == {"mine"}


def test_no_other_key_has_the_rights_of_the_administrator(state: StateFolder) -> None:
    with Emulator(state, 0) as emulator:
        Cloud(emulator, *state.admin_keys()).make()
        for key in ("test", "000000000000", "AKIA" * 5):  # the first two are, in plain ministack
            stranger = Cloud(emulator, key, "test")
            scan = stranger.refusal("dynamodb", lambda c: c.scan(TableName="rows"))
            assert scan == "UnrecognizedClientException"
        for path in ("/_ministack/reset", "/_ministack/config", "/bytes/x", "/?Action=ListRoles"):
            request = urllib.request.Request(f"{emulator.url}{path}", b"", method="POST")
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request)
            with refused.value:
                assert refused.value.code in {400, 403, 404, 405}
        assert Cloud(emulator, *state.admin_keys()).rows() == set()


@pytest.mark.slow
def test_the_setup_token_is_printed_and_the_same_at_each_start(tmp_path: Path) -> None:
    """It is random, private, and on a line of its own."""
    tokens = list[str]()
    for name in ("one", "one", "two"):
        with StateFolder(tmp_path / name) as state:
            tokens.append(state.setup_token())
    assert tokens[0] == tokens[1] != tokens[2]
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", tokens[0])
    assert (tmp_path / "one/aws/setup-token").stat().st_mode & 0o077 == 0
    lines = welcome(8000, 8001, tmp_path, tokens[0]).splitlines()
    assert f"administrator setup token: {tokens[0]}" in lines


def test_an_acknowledged_change_survives_a_killed_emulator(state: StateFolder) -> None:
    with Emulator(state, 0) as emulator:
        admin = Cloud(emulator, *state.admin_keys())
        admin.make()
        for number in range(20):
            admin.put(str(number))
        with admin.client("dynamodb") as tables:
            moved = [
                {"Put": {"TableName": "rows", "Item": {"k": {"S": "new"}}}},
                {"Delete": {"TableName": "rows", "Key": {"k": {"S": "0"}}}},
            ]
            tables.transact_write_items(TransactItems=moved)
        with admin.client("s3") as bucket:
            bucket.put_object(Bucket="bytes", Key="a/b", Body=b"kept")
        time.sleep(1.5)  # roles and bucket settings are saved every second
        emulator.process.kill()
        emulator.process.wait()
    with (state.folder / "tables" / "rows.journal").open("ab") as journal:
        journal.write(b'[["arn:aws:dynamodb:')  # it was writing one that was never answered
    for _ in range(2):  # the second time from what was saved at the end
        with Emulator(state, 0) as emulator:
            admin = Cloud(emulator, *state.admin_keys())
            assert admin.rows() == {"new", *map(str, range(1, 20))}
            with admin.client("s3") as bucket:
                assert bucket.get_object(Bucket="bytes", Key="a/b")["Body"].read() == b"kept"
            with admin.client("iam") as iam:
                assert iam.get_role(RoleName="it")


def test_a_state_in_use_and_a_taken_port_print_one_sentence(
    state: StateFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.emulator.state._LOCK_SECONDS", 0.2)
    monkeypatch.setenv("SATCHEL_STATE", str(state.folder))
    for arguments in ([], ["--reset"]):
        assert main(arguments, Event()) == 1
        sentence = f"{state.folder} is in use by another `make serve`; stop that first.\n"
        assert capsys.readouterr() == ("", sentence)
    monkeypatch.setenv("SATCHEL_STATE", str(state.folder.with_name("other")))
    with socket.create_server((HOST, 0)) as taken:
        monkeypatch.setenv("PORT", str(taken.getsockname()[1]))
        assert main([], Event()) == 1
        with listen(taken.getsockname()[1], fallback=0) as another:
            assert another.getsockname() != taken.getsockname()
    port = os.environ["PORT"]
    assert f"Port {port} of {HOST} cannot be used" in capsys.readouterr().err
    monkeypatch.setenv("PORT", "eighty")
    assert main([], Event()) == 1
    assert capsys.readouterr().err == "PORT=eighty is not a port.\n"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("{", "is no JSON object"),
        ('["allowedOrigins"]', "is no JSON object"),
        ('{"keepDayz": 4}', "cannot be used: satchel:keepDayz is no key of Pulumi.yaml"),
        ('{"keepDays": 0}', "cannot be used: keepDays = 0: .*greater than or equal to 1"),
        ('{"keepDays": "soon"}', "cannot be used: stack dev: keepDays must be of type integer"),
        (
            '{"allowedOrigins": "[]"}',
            "cannot be used: stack dev: allowedOrigins must be of type array<string>",
        ),
        (
            '{"allowedOrigins": ["*"]}',
            r"cannot be used: allowedOrigins.0 = \*: it is not an origin",
        ),
    ],
)
def test_an_invalid_configuration_prints_one_sentence(
    said: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SATCHEL_CONFIG", said)
    with pytest.raises(ServeError, match=f"SATCHEL_CONFIG {sentence}"):
        stack_config()


def test_a_configuration_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable, or with an empty object, nothing is set."""
    monkeypatch.setenv(
        "SATCHEL_CONFIG", '{"allowedOrigins": ["http://localhost:5173"], "keepDays": 4}'
    )
    assert stack_config() == {"allowedOrigins": ["http://localhost:5173"], "keepDays": 4}
    for nothing in ("", "{}"):
        monkeypatch.setenv("SATCHEL_CONFIG", nothing)
        assert stack_config() == {}


def test_reset_deletes_the_files_of_a_server_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SATCHEL_STATE", str(tmp_path))
    (tmp_path / "diary.txt").write_text("dear diary")
    with StateFolder(tmp_path) as state:
        first = state.admin_keys()
        assert state.admin_keys() == first
    (tmp_path / "objects" / "x").write_text("x")
    assert main(["--reset"], Event()) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]
    with StateFolder(tmp_path) as state:
        assert state.admin_keys() != first


def test_a_function_that_does_not_start_prints_one_sentence(tmp_path: Path) -> None:
    listener = listen(0)
    log = tmp_path / "log"
    with WorkerPool(listener, {}, log, handler="no.such.handler", size=1) as pool:
        with pytest.raises(ServeError, match="does not start"):
            _until(lambda: pool.restart_killed() or False, seconds=30)
        assert "No module named 'no'" in log.read_text()


# --- the whole server, with a handler that returns its identity -----------------------------------


class Served:
    """`make serve` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        with listen(0) as free:
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local.serve"],
            cwd=ROOT,
            env={
                **os.environ,
                "SATCHEL_STATE": str(folder),
                "SATCHEL_HANDLER": "tests.support.tiny.handler",
                "SATCHEL_CONFIG": '{"allowedOrigins": ["https://page.example"]}',
                "PORT": str(self.port),
                # Of the person's own environment nothing may reach the function.
                "SECRET_OF_MINE": "x",
                "AWS_ACCESS_KEY_ID": "AKIAOFMYREALACCOUNT",
                "AWS_PROFILE": "real",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout
        self.said = self.process.stdout.readline()
        assert self.said.startswith("Satchel is at"), self.said + self.process.stdout.read()

    def ask(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://{HOST}:{self.port}{path}", timeout=20) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found

    def lets_in(self, origin: str) -> bool:
        """Whether a page of that origin may read what is answered."""
        url = f"http://{HOST}:{self.port}/"
        request = urllib.request.Request(url, headers={"origin": origin})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return bool(answer.headers["access-control-allow-origin"] == origin)

    def children(self) -> set[int]:
        command = ["ps", "-A", "-o", "pid=,ppid="]
        table = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        pairs = [line.split() for line in table.splitlines()]
        return {int(pid) for pid, parent in pairs if int(parent) == self.process.pid}

    def end(self, how: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(how)
        assert self.process.stdout
        with self.process.stdout as output:
            rest = output.read()
        return self.process.wait(), self.said + rest


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    if served.process.poll() is None:
        served.end(signal.SIGKILL)


def _until(true: Callable[[], bool], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not."""
    command = ["ps", "-o", "stat=", "-p", str(pid)]
    shown = subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip()
    return bool(shown) and not shown.startswith("Z")


@pytest.mark.slow
def test_the_server_has_the_role_restarts_a_killed_worker_and_stops_cleanly(served: Served) -> None:
    who = served.ask("/who")
    assert ":assumed-role/" in who["arn"]
    assert who["key"] is None
    before = served.children()
    assert len(before) == 6
    os.kill(who["pid"], signal.SIGKILL)
    _until(lambda: len(served.children() - {who["pid"]}) == 6, seconds=1)
    assert served.ask("/who")["pid"] != who["pid"]
    assert served.lets_in("https://page.example")
    assert not served.lets_in("http://localhost:8000")
    children = served.children()
    status, said = served.end(signal.SIGTERM)
    assert status == 0
    assert "Traceback" not in said
    assert said.endswith("\nStopping.\n")
    _until(lambda: not any(map(_alive, children)))


@pytest.mark.slow
def test_a_response_that_is_owed_is_sent_before_the_end(served: Served) -> None:
    with socket.create_connection((HOST, served.port), timeout=10) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
        time.sleep(0.3)
        assert served.end(signal.SIGINT)[0] == 0
        assert client.recv(100).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.slow
def test_no_child_outlives_a_killed_server_and_the_next_one_finds_its_state(
    served: Served, tmp_path: Path
) -> None:
    children = served.children()
    served.end(signal.SIGKILL)
    again = Served(tmp_path)
    try:
        assert not any(map(_alive, children))
        assert again.ask("/")["pid"]
    finally:
        assert again.end(signal.SIGTERM)[0] == 0
