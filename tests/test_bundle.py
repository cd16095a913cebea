"""The artifact: its files, botocore's data in it, and the same bytes for the same sources."""

import ast
import datetime as dt
import gzip
import json
import marshal
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import boto3
import botocore
import botocore.session
import pytest
from botocore import xform_name
from botocore.loaders import Loader

import bundle
from bench import recorder
from function.base import _client as client
from tests.support.fake_aws import REGION, response

ARM = b"\x7fELF\x02\x01\x01" + bytes(9) + (3).to_bytes(2, "little") + (183).to_bytes(2, "little")
INTEL = ARM[:18] + (62).to_bytes(2, "little")

LITTER = [
    "__pycache__/six.cpython-311.pyc",
    "argon2/__pycache__/low.pyc",
    "argon2/low.pyi",
    "bin/jp.py",
    "botocore-1.dist-info/INSTALLER",
    "botocore-1.dist-info/RECORD",
    "botocore-1.dist-info/REQUESTED",
    "botocore-1.dist-info/direct_url.json",
    "botocore/data/ec2/2016-11-15/service-2.json.gz",
    "botocore/data/s3/2006-03-01/examples-1.json",
    "botocore/data/s3control/2018-08-20/service-2.json.gz",
]
KEPT = [
    "argon2/data/ec2/kept.json",
    "argon2/low.py",
    "botocore-1.dist-info/METADATA",
    "botocore/data/_retry.json",
    "botocore/data/partitions.json",
    "six.py",
]
# Written anew: the descriptions of the services in use, and the list of endpoints.
DESCRIBED = {
    "dynamodb": "botocore/data/dynamodb/2012-08-10/service-2.json",
    "s3": "botocore/data/s3/2006-03-01/service-2.json",
    "sesv2": "botocore/data/sesv2/2019-09-27/service-2.json",
}
PREFIXES = {"dynamodb": "dynamodb", "s3": "s3", "sesv2": "email"}
ENDPOINTS = "botocore/data/endpoints.json"


def plant(root, names, contents=b"x = 1\n"):
    """Files of the given names, and the folders they are in."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
    return root


def names(root):
    return [path.relative_to(root).as_posix() for path in bundle.files(root)]


def describe(root):
    """A small description of each service in botocore's form, with an operation too many."""
    for service, name in DESCRIBED.items():
        operations = {
            each: {"input": {"shape": f"{each}Request"}, "documentation": "Long."}
            for each in ["Other", *sorted(bundle.OPERATIONS[service])]
        }
        shapes = {f"{each}Request": {"members": {"Key": {"shape": "Key"}}} for each in operations}
        shapes |= {"Key": {"type": "string", "documentation": "Long."}, "Unused": {}}
        metadata = {"endpointPrefix": PREFIXES[service]}
        described = {"metadata": metadata, "operations": operations, "shapes": shapes}
        plant(root, [f"{name}.gz"], gzip.compress(json.dumps(described).encode()))
    services = {prefix: {"endpoints": {}} for prefix in [*PREFIXES.values(), "ec2"]}
    plant(root, [ENDPOINTS], json.dumps({"partitions": [{"services": services}]}).encode())


class Project:
    """A project of a few lines, whose packages are planted instead of downloaded."""

    def __init__(self, root):
        self.root, self.installs = root, 0
        self.contents = ARM
        plant(root, ["function/__init__.py", "function/app.py", "function/web/page.html"])
        plant(
            root,
            [
                "function/__pycache__/old.pyc",
                "function/requirements.txt",
                "function/.swp",
            ],
        )

    def install(self, into):
        self.installs += 1
        plant(into, [*KEPT, *LITTER], b"{}")
        describe(into)
        plant(into, ["argon2/_ffi.abi3.so"], self.contents)

    def build(self):
        """Build, and answer the artifact's directory."""
        return self.root / bundle.build()


@pytest.fixture
def project(tmp_path, monkeypatch):
    project = Project(tmp_path)
    monkeypatch.setattr(bundle, "ROOT", tmp_path)
    monkeypatch.setattr(bundle, "REQUIREMENTS", tmp_path / "function/requirements.txt")
    monkeypatch.setattr(bundle, "install", project.install)
    monkeypatch.setattr(bundle, "find_python", lambda: None)
    monkeypatch.setenv(bundle.UNCOMPILED, "1")
    return project


def test_the_artifact_is_the_packages_pruned_and_our_own_sources(project):
    """Traces of installers and services without calls stay out; no other file is lost."""
    own = ["function/__init__.py", "function/app.py", "function/web/page.html"]
    data = [*DESCRIBED.values(), ENDPOINTS]
    assert sorted(names(project.build())) == sorted([*KEPT, *own, *data, "argon2/_ffi.abi3.so"])


def test_the_same_sources_give_the_same_bytes_and_others_do_not(project):
    """An unchanged build is no change to deploy."""
    first = bundle.digest(project.build())
    assert bundle.digest(project.build()) == first
    plant(project.root, ["function/app.py"], b"x = 2\n")
    changed = bundle.digest(project.build())
    assert changed != first
    plant(project.root, ["function/app.py"])
    assert bundle.digest(project.build()) == first


def test_neither_times_nor_modes_count_and_names_do(tmp_path):
    """The hash is of what Lambda would see."""
    one, two = (plant(tmp_path / name, ["a/b.py", "c.py"]) for name in ("one", "two"))
    (two / "c.py").chmod(0o700)
    os.utime(two / "c.py", (1, 1))
    assert bundle.digest(one) == bundle.digest(two)
    (two / "c.py").rename(two / "d.py")
    assert bundle.digest(one) != bundle.digest(two)


def test_packages_are_installed_again_only_when_requirements_change(project):
    """The second build is quick; what was removed from the function is gone from it."""
    project.build()
    (project.root / "function/web/page.html").unlink()
    assert "function/web/page.html" not in names(project.build())
    assert project.installs == 1
    plant(project.root, ["function/requirements.txt"], b"boto3==2\n")
    project.build()
    assert project.installs == 2
    assert len(list((project.root / ".build").glob("packages-*"))) == 1


def test_a_compiled_file_for_another_machine_stops_the_build(project):
    """It would be found out by the first request otherwise."""
    project.contents = INTEL
    with pytest.raises(RuntimeError, match=r"argon2/_ffi\.abi3\.so"):
        project.build()
    assert names(project.root / ".build") == [], "no half-made packages for the next build"
    project.contents = ARM
    assert project.build().is_dir()


@pytest.mark.parametrize(
    ("header", "fits"),
    [(ARM, True), (INTEL, False), (b"MZ" + ARM[2:], False), (ARM[:4] + b"\x01" + ARM[5:], False)],
    ids=["arm", "intel", "not ELF", "32 bits"],
)
def test_the_machine_is_read_from_the_file_itself(header, fits):
    """A name may say what it likes."""
    assert bundle.for_aarch64(header) is fits


def test_sources_are_compiled_beforehand_in_a_form_that_lambda_trusts(project, monkeypatch):
    """Unchecked, because Lambda's times differ; with its paths; and the same bytes each time."""
    monkeypatch.setattr(bundle, "find_python", lambda: sys.executable)
    first = bundle.digest(project.build())
    (path,) = (project.root / bundle.ARTIFACT / "function/__pycache__").glob("app.*.pyc")
    compiled = path.read_bytes()
    assert int.from_bytes(compiled[4:8], "little") == 1, "hash-based and not checked (PEP 552)"
    assert marshal.loads(compiled[16:]).co_filename == "/var/task/function/app.py"
    shutil.rmtree(project.root / ".build")
    assert bundle.digest(project.build()) == first


def test_a_build_without_lambdas_python_is_refused_unless_told(project, monkeypatch):
    """The message says what it would cost and what to do; the flag builds without bytecode."""
    monkeypatch.delenv(bundle.UNCOMPILED)
    with pytest.raises(RuntimeError, match=f"needs Python {bundle.PYTHON}") as raised:
        project.build()
    assert {"uv", f"{bundle.UNCOMPILED}=1."} <= set(str(raised.value).split())
    assert "three times as much CPU" in str(raised.value)
    assert not (project.root / ".build").exists()
    monkeypatch.setenv(bundle.UNCOMPILED, "1")
    assert not [name for name in names(project.build()) if name.endswith(".pyc")]


def test_the_command_exits_with_the_reason(project, monkeypatch):
    """No traceback for somebody who only lacks a Python."""
    monkeypatch.delenv(bundle.UNCOMPILED)
    with pytest.raises(SystemExit) as raised:
        bundle.main()
    assert raised.value.code == bundle.NO_PYTHON


def launcher(folder, name, program):
    """A program of a few lines of shell on the path."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{program}\n")
    path.chmod(0o755)
    return path


def test_a_launcher_of_a_python_that_is_not_there_is_not_believed(tmp_path, monkeypatch):
    """Version managers put names on the path for versions they do not have."""
    name = f"python{bundle.PYTHON}"
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(launcher(tmp_path, "python", "exit 127")))
    launcher(tmp_path, name, "exit 127")
    assert bundle.find_python() is None
    launcher(tmp_path, name, f'test "$PYENV_VERSION" = {bundle.PYTHON} && echo /found/here')
    assert bundle.find_python() == "/found/here"


def test_uv_is_asked_last(tmp_path, monkeypatch):
    """It downloads a Python where it finds none."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(launcher(tmp_path, "python", "exit 0")))
    launcher(tmp_path, "uv", 'echo "$1 $4 $5 /uv/python"')
    assert bundle.find_python() == f"run --python {bundle.PYTHON} /uv/python"
    launcher(tmp_path, f"python{bundle.PYTHON}", "echo /found/here")
    assert bundle.find_python() == "/found/here"


def test_an_interpreter_of_another_version_is_not_taken(monkeypatch):
    """The interpreter that runs the build is asked first, and says its version itself."""
    monkeypatch.setenv("PATH", "")
    running = "{}.{}".format(*sys.version_info)
    monkeypatch.setattr(bundle, "PYTHON", running)
    assert bundle.find_python() == sys.executable
    monkeypatch.setattr(bundle, "PYTHON", "3.0")
    assert bundle.find_python() is None


def test_pips_complaint_is_passed_on_without_addresses(tmp_path, monkeypatch):
    """Where packages come from is often private, and its address may hold a password."""
    pip = tmp_path / "pip"
    pip.write_text(
        "#!/bin/sh\n"
        "echo \"Looking in https://me:secret@index.example/simple host='index.example'\" >&2\n"
        "echo 'ERROR: No matching distribution found for nonesuch' >&2\n"
        "exit 1\n"
    )
    pip.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(pip))
    with pytest.raises(RuntimeError, match="No matching distribution") as raised:
        bundle.install(tmp_path / "packages")
    assert "index.example" not in str(raised.value)
    assert "secret" not in str(raised.value)


# --- botocore's data ------------------------------------------------------------------------------

BOTOCORE = Path(botocore.__file__).parent / "data"
# Only this package calls clients of AWS: test_architecture keeps botocore in it and in base.
SOURCES = sorted((Path(bundle.__file__).parent / "function" / "aws").glob("*.py"))
# Regions of each partition that has both services and is open to customers.
REGIONS = ["eu-central-1", "us-east-1", "us-west-2", "il-central-1", "cn-north-1", "us-gov-west-1"]
BUCKETS = ["satchel-dev-bytes", "with.dots", "Path_Style"]


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory):
    """The data of the installed botocore, cut as the artifact's."""
    data = tmp_path_factory.mktemp("packages") / "botocore" / "data"
    bundle.copy_trimmed(BOTOCORE, data)
    return data


@cache
def loader(data):
    """Reads descriptions from a directory alone, and each once."""
    return Loader(extra_search_paths=[str(data)], include_default_search_paths=False)


def session_on(data, region):
    """A session whose clients read their descriptions from a directory alone."""
    core = botocore.session.Session()
    core.register_component("data_loader", loader(data))
    return boto3.Session("testing", "testing", region_name=region, botocore_session=core)


def test_the_operations_kept_are_those_that_the_function_calls():
    """Each call names its operation as an attribute or, for a presigned URL, as a text."""
    words = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            words.add(getattr(node, "attr", None))
            words.add(node.value if isinstance(node, ast.Constant) else None)
    core = botocore.session.Session()
    called = {
        name: {
            operation
            for operation in core.get_service_model(name).operation_names
            if xform_name(operation) in words
        }
        for name in bundle.OPERATIONS
    }
    called["s3"].add("HeadBucket")  # a call of botocore's own
    assert called == bundle.OPERATIONS
    assert words & {"get_paginator", "get_waiter", "resource"} == set()


def test_only_what_the_operations_reach_is_kept(trimmed):
    """With empty documentation, and the shapes of every error that an operation declares."""
    s3 = json.loads((trimmed / "s3/2006-03-01/service-2.json").read_text())
    assert s3["operations"].keys() == bundle.OPERATIONS["s3"]
    assert {"GetObjectOutput", "InvalidObjectState", "StorageClass"} <= s3["shapes"].keys()
    assert not {"ListBucketsOutput", "SelectParameters"} & s3["shapes"].keys()
    assert s3["operations"]["GetObject"]["documentation"] == ""
    endpoints = json.loads((trimmed / "endpoints.json").read_text())
    assert {"aws", "aws-cn", "aws-us-gov"} <= {
        each["partition"] for each in endpoints["partitions"]
    }
    for partition in endpoints["partitions"]:
        assert partition["services"].keys() <= {"dynamodb", "s3", "email"}
        assert partition["regions"]


def requests(session):
    """What the function's clients send and sign, as text: URL, headers and body of each."""
    sent = []

    def answer(request, **_):
        body = request.body
        content = body.read() if hasattr(body, "read") else body
        sent.append((request.url, sorted(request.headers.items()), content))
        return response(400, {}, b"")

    clients = {name: client(session.client, name, 1) for name in bundle.OPERATIONS}
    for name, each in clients.items():
        each.meta.events.register_first(f"before-send.{name}", answer)
        sent.append((each.meta.endpoint_url, each.meta.region_name, each.meta.partition))
    s3 = clients["s3"]
    for bucket in BUCKETS:
        object_ = {"Bucket": bucket, "Key": "alice/1 é"}
        part = {**object_, "UploadId": "u", "PartNumber": 1, "ContentLength": 5}
        sent.append(s3.generate_presigned_url("get_object", Params=object_, ExpiresIn=60))
        sent.append(s3.generate_presigned_url("upload_part", Params=part, ExpiresIn=60))
        failing(s3.put_object, **object_, Body=b"data", ContentType="text/plain")
    failing(clients["dynamodb"].scan, TableName="files", ConsistentRead=True)
    simple = {"Simple": {"Subject": {"Data": "s"}, "Body": {"Text": {"Data": "t"}}}}
    failing(clients["sesv2"].send_email, FromEmailAddress="a@example.org", Content=simple)
    return sent


def failing(call, **parameters):
    """Makes a call that is answered 400, and so not repeated."""
    with pytest.raises(botocore.exceptions.ClientError):
        call(**parameters)


@pytest.mark.parametrize("region", REGIONS)
def test_requests_and_presigned_urls_are_those_of_the_whole_data(region, trimmed, monkeypatch):
    """Byte for byte, at one time, in each partition and for buckets of every style of address."""
    now = dt.datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - as botocore's own
    for module in ("auth", "signers"):
        monkeypatch.setattr(f"botocore.{module}.get_current_datetime", lambda **_: now)
    monkeypatch.setattr("uuid.uuid4", lambda: "6f1ed002-ab5a-4a2e-9a5e-1d2c3b4a5f60")
    sent = requests(session_on(trimmed, region))
    assert len(sent) == len(bundle.OPERATIONS) + 3 * len(BUCKETS) + 2
    assert sent == requests(session_on(BOTOCORE, region))


@pytest.mark.slow
def test_each_route_works_on_the_data_that_is_kept(fake_aws, settings, trimmed):
    """Every operation is sent and its answer read, once in each route's usual case."""
    assert recorder.record_routes(fake_aws, settings, session_on(trimmed, REGION)).keys()


# --- the real one, where it was built ------------------------------------------------------------


@pytest.fixture
def artifact():
    directory = bundle.ROOT / bundle.ARTIFACT
    if not directory.is_dir():
        pytest.skip("not built here: python bundle.py")
    if directory.stat().st_mtime < (bundle.ROOT / "bundle.py").stat().st_mtime:
        pytest.skip("built before bundle.py was changed: python bundle.py")
    return directory


def test_the_real_artifact_fits_lambda_and_its_machine(artifact):
    """Unpacked at most 250 MB, each compiled file for Arm, nothing of an installer."""
    bundle.check_machine(artifact)
    assert sum(path.stat().st_size for path in bundle.files(artifact)) < 100 * 2**20
    assert any(name.endswith(".so") for name in names(artifact))
    left = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
    assert not {path.name for path in bundle.files(artifact)} & left


def test_the_real_artifact_can_make_every_client_that_it_keeps(artifact):
    """No client misses what was trimmed."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import botocore.session\n"
        "session = botocore.session.get_session()\n"
        "for name in sys.argv[2:]:\n"
        "    print(session.create_client(name, 'eu-central-1').meta.endpoint_url)\n"
    )
    command = [sys.executable, "-I", "-S", "-B", "-c", program, artifact, *PREFIXES]
    environment = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == [
        f"https://{prefix}.eu-central-1.amazonaws.com" for prefix in PREFIXES.values()
    ]
