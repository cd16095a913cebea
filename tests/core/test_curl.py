"""Lines and configurations for curl, whatever a file is called."""

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given

from function.core import curl
from function.uploads import parts
from tests.support import curls
from tests.support.strategies import file_names

URL = "https://b.s3.eu-central-1.amazonaws.com/a/b?X-Amz-Signature=0&response=%22"


@given(file_names())
def test_a_configuration_says_the_name(name: str) -> None:
    """curl reads back the name itself, below the folder where it runs."""
    said = curls.read(curl.config(name, URL))
    assert (said.urls, said.outputs) == ([URL], [f"./{name}"])


@given(file_names())
def test_a_line_says_the_name(name: str) -> None:
    """The shell hands curl the last segment, as one argument that is no option and no pattern."""
    last = name.rpartition("/")[2]
    for line in (curl.get(name, URL), parts.curl_put(name, URL, {"x-h": "it's"})):
        words = shlex.split(line)
        file = words[3]
        names = {last, f"./{last}"} if line.startswith("curl -fgT") else {curl.visible(last)}
        assert file in names | {f"./{each}" for each in names}
        assert not file.startswith("-")
        assert "g" in words[1]
        assert words[-1] == URL


@pytest.mark.parametrize(
    ("path", "shown", "kept"),
    [
        ("a/b.txt", "a/b.txt", "a/b.txt"),
        (".bashrc", "_.bashrc", ".bashrc"),
        ("a/.ssh/.rc", "a/_.ssh/_.rc", "a/.ssh/.rc"),
        ("../../a", "_../_../a", "_../_../a"),
        ("./a/...", "_./a/_...", "_./a/_..."),
        ("..a", "_..a", "..a"),
    ],
)
def test_no_segment_begins_with_a_dot(path: str, shown: str, kept: str) -> None:
    """Unless asked for; one of dots alone never stays."""
    assert curl.visible(path) == shown
    assert curl.visible(path, dotfiles=True) == kept


def test_curl_writes_below_one_folder_and_over_no_file(tmp_path: Path) -> None:
    """curl itself, in a folder where it would have much to destroy."""
    source = tmp_path / "source"
    source.write_text("new")
    home = tmp_path / "home"
    (home / "link-1").mkdir(parents=True)
    for name in (".bashrc", "link-1/report.txt", "link-1/.profile"):
        (home / name).write_text("old")
    odd = ['q"\n\\', "-o", " $(id) ; `id`", "é"]
    names = ["report.txt", ".profile", "../.bashrc", ".ssh/rc", *odd]
    text = curl.configuration([(name, source.as_uri()) for name in names], "link-1")
    run = ["curl", "-Z", "-K", "-"]
    subprocess.run(run, cwd=home, input=text, text=True, capture_output=True, check=True)
    found = {
        str(path.relative_to(home)): path.read_text() for path in home.rglob("*") if path.is_file()
    }
    assert {name for name, text in found.items() if text == "old"} == {
        ".bashrc", "link-1/report.txt", "link-1/.profile",
    }  # fmt: skip
    written = ["report.txt.1", "_.profile", "_../_.bashrc", "_.ssh/rc", *odd]
    new = {name for name, text in found.items() if text == "new"}
    assert new == {f"link-1/{name}" for name in written}
