"""The artifact: what goes in, what stays out, and the same bytes for the same sources."""

import marshal
import os
import shutil
import subprocess
import sys

import pytest

import bundle

ARM = b"\x7fELF\x02\x01\x01" + bytes(9) + (3).to_bytes(2, "little") + (183).to_bytes(2, "little")
INTEL = ARM[:18] + (62).to_bytes(2, "little")

LITTER = [
    "__pycache__/six.cpython-311.pyc",
    "argon2/__pycache__/low.pyc",
    "argon2/low.pyi",
    "bin/jp.py",
    "boto3-1.dist-info/INSTALLER",
    "boto3-1.dist-info/RECORD",
    "boto3-1.dist-info/REQUESTED",
    "boto3-1.dist-info/direct_url.json",
    "boto3/data/ec2/resources-1.json",
    "botocore/data/ec2/2016-11-15/service-2.json.gz",
    "botocore/data/s3control/2018-08-20/service-2.json.gz",
]
KEPT = [
    "argon2/data/ec2/kept.json",
    "argon2/low.py",
    "boto3-1.dist-info/METADATA",
    "boto3/data/s3/resources-1.json",
    "botocore/data/_retry.json",
    "botocore/data/dynamodb/2012-08-10/service-2.json.gz",
    "botocore/data/endpoints.json",
    "botocore/data/partitions.json",
    "botocore/data/s3/2006-03-01/service-2.json.gz",
    "botocore/data/sdk-default-configuration.json",
    "botocore/data/sqs/2012-11-05/service-2.json.gz",
    "botocore/data/sts/2011-06-15/service-2.json.gz",
    "six.py",
]


def plant(root, names, contents=b"x = 1\n"):
    """Files of the given names, and the folders they are in."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)
    return root


def names(root):
    return [path.relative_to(root).as_posix() for path in bundle.files(root)]


class Project:
    """A project of a few lines, whose packages are planted instead of downloaded."""

    def __init__(self, root):
        self.root, self.installs = root, 0
        self.contents = ARM
        plant(root, ["function/__init__.py", "function/app.py", "function/web/page.html"])
        plant(root, ["function/__pycache__/old.pyc", "function/requirements.txt", "function/.swp"])

    def install(self, into):
        self.installs += 1
        plant(into, [*KEPT, *LITTER])
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
    monkeypatch.setattr(bundle, "compiler", lambda: None)
    return project


def test_the_artifact_is_the_packages_pruned_and_our_own_sources(project):
    """What an installer leaves and what nobody calls stays out; not a file more is lost."""
    own = ["function/__init__.py", "function/app.py", "function/web/page.html"]
    assert sorted(names(project.build())) == sorted([*KEPT, *own, "argon2/_ffi.abi3.so"])


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
    monkeypatch.setattr(bundle, "compiler", lambda: sys.executable)
    first = bundle.digest(project.build())
    (path,) = (project.root / bundle.ARTIFACT / "function/__pycache__").glob("app.*.pyc")
    compiled = path.read_bytes()
    assert int.from_bytes(compiled[4:8], "little") == 1, "hash-based and not checked (PEP 552)"
    assert marshal.loads(compiled[16:]).co_filename == "/var/task/function/app.py"
    shutil.rmtree(project.root / ".build")
    assert bundle.digest(project.build()) == first


def test_a_build_without_lambdas_python_works_and_says_what_it_costs(project, capsys):
    """Nobody is kept from deploying, and nobody wonders about slow first requests."""
    assert not [name for name in names(project.build()) if name.endswith(".pyc")]
    assert f"No Python {bundle.PYTHON}" in capsys.readouterr().out


def test_a_launcher_of_a_python_that_is_not_there_is_no_compiler(tmp_path, monkeypatch):
    """Version managers put names on the path for versions they do not have."""
    launcher = tmp_path / f"python{bundle.PYTHON}"
    launcher.write_text("#!/bin/sh\nexit 127\n")
    launcher.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(launcher))
    assert bundle.compiler() is None
    launcher.write_text(f"#!/bin/sh\necho {bundle.PYTHON}\n")
    assert bundle.compiler() == str(launcher)


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


# --- the real one, where it was built ------------------------------------------------------------


HOSTS = {"sesv2": "email"}


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
    """What was trimmed is missed by no client: whole services stay, with their endpoints."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import boto3\n"
        "session = boto3.Session('key', 'secret', region_name='eu-central-1')\n"
        "for name in sys.argv[2:]:\n"
        "    print(session.client(name).meta.endpoint_url)\n"
    )
    command = [sys.executable, "-I", "-S", "-B", "-c", program, artifact, *sorted(bundle.SERVICES)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={})
    assert done.stdout.split() == [
        f"https://{HOSTS.get(name, name)}.eu-central-1.amazonaws.com"
        for name in sorted(bundle.SERVICES)
    ]
