"""Folders as configurations for curl: each file once, safely named, and only allowed ones."""

from pathlib import PurePosixPath

import pytest

from function.contract import Settings
from tests.support import curls
from tests.support import presigned as s3
from tests.support.bulk_files import fill
from tests.support.client import Client, join

ODD = [
    'quo"te.txt',
    "-o",
    "--config",
    "#1",
    "a #{x}.txt",
    "img[1-3].png",
    "{a,b}",
    "a = b",
    "url = x",
    " leading and trailing ",
    "it's",
    "$(id)`id`",
    "a:b",
    "%2e%2e",
    "é/ü ñ/日本.txt",
    "~",
    "CON",
]


def config(client: Client, prefix: str, **query: object) -> curls.Config:
    """A page of a folder, as curl reads it."""
    answer = client.get("/download", prefix=prefix, format="curl", **query)
    assert answer.status == 200, answer.content
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    return curls.read(answer.text)


def fetched(client: Client, prefix: str, **query: object) -> dict[str, bytes]:
    """The files that curl would write, by their paths."""
    said = config(client, prefix, **query)
    return {
        output: s3.send("GET", url).body
        for url, output in zip(said.urls, said.outputs, strict=True)
    }


def test_odd_names_are_quoted_for_curl(alice: Client) -> None:
    """Each file is written under its own name below curl's working directory."""
    for name in ODD:
        alice.put(f"d/{name}", name.encode())
    assert fetched(alice, "d/") == {f"./d/{name}": name.encode() for name in ODD}
    everything = fetched(alice, "")
    assert everything == {f"./alice/d/{name}": name.encode() for name in ODD}


HIDDEN = [".bashrc", ".ssh/authorized_keys", "a/.git/hooks/post-checkout", "...", "..a", "a/.-b"]


@pytest.mark.parametrize("prefix", ["", "d/"])
def test_no_output_is_hidden_unless_asked_for(alice: Client, prefix: str) -> None:
    """A program may read a hidden file without being asked to: a shell, an editor, ssh, git."""
    for name in HIDDEN:
        alice.put(prefix + name, name.encode())
    below = prefix or "alice/"
    shown = [name.replace("/.", "/_.") for name in HIDDEN]
    shown = [f"_{name}" if name.startswith(".") else name for name in shown]
    files = fetched(alice, prefix)
    assert files == {f"./{below}{a}": b.encode() for a, b in zip(shown, HIDDEN, strict=True)}
    kept = set(fetched(alice, prefix, dotfiles="true"))
    assert kept == {f"./{below}{name}" for name in HIDDEN if name != "..."} | {f"./{below}_..."}


def test_the_folder_of_the_prefix_is_not_hidden(alice: Client, bob: Client) -> None:
    """Nor that of an owner whose name begins with a dot."""
    alice.put(".ssh/rc")
    assert config(alice, ".ssh/").outputs == ["./_.ssh/rc"]
    assert config(alice, ".ssh/", dotfiles="true").outputs == ["./.ssh/rc"]
    dotted = join(".profile")
    dotted.put("rc")
    assert config(dotted, "", dotfiles="true").outputs == ["./_.profile/rc"]


def test_the_line_of_a_file_names_no_hidden_file(alice: Client) -> None:
    """It is pasted into a shell, perhaps in a home directory."""
    alice.put("d/.bashrc")
    line = alice.get("/download", file_name="d/.bashrc").json()["curl"]
    assert line.startswith("curl -fgS -o _.bashrc ")


@pytest.mark.parametrize("query", [{"file_name": "a", "dotfiles": "true"}, {"dotfiles": "x"}])
def test_dotfiles_is_about_folders(alice: Client, query: dict[str, str]) -> None:
    """A parameter that would change nothing is refused."""
    alice.put("a")
    assert alice.get("/download", **query).status == 422


def test_no_output_leaves_the_directory(alice: Client) -> None:
    """No output is absolute, has `..` or could be an option; no URL is a pattern."""
    for name in ODD:
        alice.put(name)
    said = config(alice, "")
    assert {"globoff", "fail", "create-dirs", "no-clobber"} <= said.flags
    for output in said.outputs:
        assert output.startswith("./alice/")
        assert ".." not in PurePosixPath(output).parts
    assert len(set(said.outputs)) == len(ODD)


def test_a_prefix_selects_files(alice: Client) -> None:
    """It is the beginning of names; where it is no folder's, the owner's name is the folder."""
    for name in ("photos/a", "photos/b/c", "photos2/a", "other"):
        alice.put(name)
    assert config(alice, "photos/").outputs == ["./photos/a", "./photos/b/c"]
    below = [f"./alice/{name}" for name in ("photos/a", "photos/b/c", "photos2/a")]
    assert config(alice, "photos").outputs == below
    assert config(alice, "none/").urls == []


def many(settings: Settings, count: int) -> None:
    """Writes the rows of many files of Alice."""
    fill(settings, "alice", (f"many/{number:04}" for number in range(count)))


@pytest.mark.parametrize(
    ("count", "asked", "page"),
    [
        (250, {"limit": 100}, 100),
        pytest.param(2_500, {"limit": 1_000}, 1_000, marks=pytest.mark.slow),
    ],
)
def test_a_large_folder_is_paged(
    alice: Client, settings: Settings, count: int, asked: dict[str, int], page: int
) -> None:
    """Each file is on one page, and none is left out."""
    many(settings, count)
    outputs: list[str] = []
    query: dict[str, str] = {}
    for size in (page, page, count - 2 * page):
        answer = alice.get("/download", prefix="many/", format="curl", **asked, **query)
        assert len(curls.read(answer.text).outputs) == size
        outputs += curls.read(answer.text).outputs
        query = {"cursor": answer.headers.get("x-next-cursor", "")}
    assert "link" not in answer.headers
    assert outputs == [f"./many/{number:04}" for number in range(count)]


def test_the_link_leads_to_the_next_page(alice: Client) -> None:
    """Of the same folder."""
    for number in range(3):
        alice.put(f"d/{number}")
    answer = alice.get("/download", prefix="d/", format="curl", limit=2)
    path, _, query = answer.headers["link"].partition(";")[0].strip("<>").partition("?")
    following = alice.send("GET", path, query=query)
    assert curls.read(following.text).outputs == ["./d/2"]


def test_a_cursor_is_valid_for_one_folder(alice: Client, bob: Client) -> None:
    """A forged one, another account's and another folder's are 400."""
    for person in (alice, bob):
        for number in range(3):
            person.put(f"d/{number}")
            person.put(f"e/{number}")
    theirs = bob.get("/download", prefix="d/", format="curl", limit=1).headers["x-next-cursor"]
    other = alice.get("/download", prefix="e/", format="curl", limit=1).headers["x-next-cursor"]
    for cursor in (theirs, other, "forged", ""):
        answer = alice.get("/download", prefix="d/", format="curl", cursor=cursor)
        assert (answer.status, answer.slug) == (400, "invalid-cursor")


def test_a_shared_folder_is_downloaded(alice: Client, bob: Client) -> None:
    """Its shared files and no others; none when the share is revoked."""
    for name in ("in/a", "in/b/c", "in2/a", "secret"):
        alice.put(name, name.encode())
    bob.put("in/mine", b"mine")
    assert config(bob, "", username="alice").urls == []
    alice.post("/share", file_name="in/", username="bob")
    alice.post("/share", file_name="secret", username="bob")
    assert fetched(bob, "in/", username="alice") == {"./in/a": b"in/a", "./in/b/c": b"in/b/c"}
    assert fetched(bob, "in/") == {"./in/mine": b"mine"}
    everything = {f"./alice/{name}" for name in ("in/a", "in/b/c", "secret")}
    assert set(fetched(bob, "", username="alice")) == everything
    alice.delete("/share", file_name="in/", username="bob")
    assert config(bob, "in/", username="alice").urls == []


def test_a_shared_folder_is_paged(alice: Client, bob: Client) -> None:
    """The cursor resumes within the share."""
    for number in range(5):
        alice.put(f"in/{number}")
    alice.post("/share", file_name="in/", username="bob")
    outputs: list[str] = []
    query: dict[str, str] = {}
    for _ in range(3):
        asked = {"prefix": "in/", "format": "curl", "username": "alice", "limit": 2, **query}
        answer = bob.get("/download", **asked)
        outputs += curls.read(answer.text).outputs
        query = {"cursor": answer.headers.get("x-next-cursor", "")}
    assert outputs == [f"./in/{number}" for number in range(5)]
    assert not query["cursor"]


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1001}, {"prefix": "a\\b"}])
def test_invalid_parameters_are_refused(alice: Client, query: dict[str, object]) -> None:
    """Limits are those of every list, prefixes those of names."""
    assert alice.get("/download", **{"prefix": "a", "format": "curl", **query}).status == 422
