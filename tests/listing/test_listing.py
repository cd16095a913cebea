"""Lists of own and shared files, in pages."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from function.core.names import NAME_LEVELS
from tests.conftest import Behind, Clock, reason_at
from tests.support.bulk_files import fill
from tests.support.client import Answer, Client

LINK = re.compile(r'<(/files\?[^>]+)>; rel="next"')


def write_files(behind: Behind, owner: str, names: Iterable[str]) -> None:
    """Writes the rows of many files at once, without bytes."""
    fill(behind.settings, owner, names)


def follow(client: Client, **query: Any) -> list[Answer]:
    """The pages of a list, each requested by the Link of the one before."""
    pages = [client.get("/files", **query)]
    while link := pages[-1].headers.get("link"):
        match = LINK.fullmatch(link)
        assert match
        target = urlsplit(match[1])
        assert parse_qs(target.query)["cursor"] == [pages[-1].headers["x-next-cursor"]]
        pages.append(client.send("GET", target.path, query=target.query))
        assert len(pages) < 100
    assert "x-next-cursor" not in pages[-1].headers
    return pages


def keys(pages: Iterable[Answer]) -> list[str]:
    return [file["key"] for page in pages for file in page.json()]


def share(owner: Client, name: str, username: str, **fields: Any) -> None:
    assert owner.post("/share", file_name=name, username=username, **fields).status in {200, 201}


@pytest.mark.slow
def test_1205_files_are_each_listed_once(alice: Client, behind: Behind) -> None:
    """In the order of names, although neither a page nor a Query holds them all."""
    names = sorted((f"{n % 7}/file {n:05}, ü&#?.txt" for n in range(1205)), key=str.encode)
    write_files(behind, "alice", names)
    found = follow(alice, limit=1000)
    assert [len(page.json()) for page in found] == [1000, 205]
    assert keys(found) == [f"alice/{name}" for name in names]


@pytest.mark.parametrize("limit", [1, 6, 7, 19, 20, 21])
def test_every_limit_gives_the_same_list(alice: Client, behind: Behind, limit: int) -> None:
    """Each file once, in the order of names."""
    names = sorted((f"{n % 3}/{n:02}" for n in range(20)), key=str.encode)
    write_files(behind, "alice", names)
    found = follow(alice, limit=limit)
    assert len(found) == -(-20 // limit)
    assert keys(found) == [f"alice/{name}" for name in names]


def test_a_page_has_100_files_by_default(alice: Client, behind: Behind) -> None:
    """As the API documents."""
    write_files(behind, "alice", [f"{n:03}" for n in range(101)])
    assert [len(page.json()) for page in follow(alice)] == [100, 1]


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "1000000000", "1.5", "ten", "", "NaN"])
def test_a_limit_out_of_range_is_refused(alice: Client, limit: str) -> None:
    """A page has from 1 to 1,000 files."""
    answer = alice.get("/files", limit=limit)
    assert (answer.status, answer.slug) == (422, "invalid-request")
    assert reason_at(answer, "query.limit")


def test_the_last_page_has_no_link(alice: Client, behind: Behind) -> None:
    """Not even when the page is exactly full; an empty list is a list."""
    assert keys(follow(alice, limit=2)) == []
    write_files(behind, "alice", ["a", "b", "c", "d"])
    assert [len(page.json()) for page in follow(alice, limit=2)] == [2, 2]
    assert [len(page.json()) for page in follow(alice, limit=4)] == [4]
    assert [len(page.json()) for page in follow(alice, limit=1)] == [1, 1, 1, 1]


def test_the_link_repeats_the_query(alice: Client, behind: Behind) -> None:
    """Prefix, scope and limit are those of the first page, however odd the prefix."""
    write_files(behind, "alice", ["a&b=c/é 1", "a&b=c/é 2", "a&b=c/é 3", "z"])
    found = follow(alice, prefix="a&b=c/é", scope="own", limit=1)
    assert keys(found) == [f"alice/a&b=c/é {n}" for n in (1, 2, 3)]


def test_a_cursor_is_valid_for_its_account_and_list(
    alice: Client, bob: Client, behind: Behind
) -> None:
    """With any limit; a forged or altered cursor is refused."""
    write_files(behind, "alice", ["a/1", "a/2", "a/3", "b"])
    write_files(behind, "bob", ["a/1", "a/2"])
    cursor = alice.get("/files", limit=1).headers["x-next-cursor"]
    assert keys([alice.get("/files", cursor=cursor, limit=2)]) == ["alice/a/2", "alice/a/3"]
    others: list[tuple[Client, dict[str, str]]] = [
        (bob, {}),
        (alice, {"prefix": "a"}),
        (alice, {"scope": "own"}),
    ]
    for client, query in others:
        assert client.get("/files", cursor=cursor, **query).slug == "invalid-cursor"
    for forged in (
        cursor[:-1],
        cursor + "A",
        "A" + cursor,
        cursor[::-1],
        "x",
        "",
        "é",
        "=",
        "A" * 99,
        "A" * 5000,
    ):
        answer = alice.get("/files", cursor=forged)
        assert (answer.status, answer.slug) == (400, "invalid-cursor")


def test_a_cursor_stays_valid_when_files_change(alice: Client) -> None:
    """Its file may be deleted and others created; no file is listed twice or left out."""
    for name in "abcd":
        alice.put(name)
    cursor = alice.get("/files", limit=2).headers["x-next-cursor"]
    alice.delete("/file", file_name="b")
    alice.put("bb")
    assert alice.names(cursor=cursor) == ["alice/bb", "alice/c", "alice/d"]


def test_a_prefix_is_the_beginning_of_a_name(alice: Client, behind: Behind) -> None:
    """Not necessarily of a folder, and case matters."""
    write_files(behind, "alice", ["a", "a/1", "ab", "b/a", "A"])
    assert alice.names(prefix="a") == ["alice/a", "alice/a/1", "alice/ab"]
    assert alice.names(prefix="a/") == ["alice/a/1"]
    assert alice.names(prefix="c") == []
    assert alice.get("/files", prefix="a\\").slug == "invalid-name"


def test_a_scope_selects_own_or_shared_files(alice: Client, bob: Client) -> None:
    """Or both, the own ones first."""
    bob.put("z.txt")
    alice.put("a.txt")
    share(alice, "a.txt", "bob")
    assert bob.names() == bob.names(scope="all") == ["bob/z.txt", "alice/a.txt"]
    assert bob.names(scope="own") == ["bob/z.txt"]
    assert bob.names(scope="shared") == ["alice/a.txt"]
    assert alice.names(scope="shared") == []
    assert reason_at(bob.get("/files", scope="everything"), "query.scope")


def test_a_list_has_the_file_object_of_the_put(alice: Client, bob: Client) -> None:
    """The same fields, but for the permission of the reader."""
    put = alice.put("a.txt", content_type="x/y").json()
    share(alice, "a.txt", "bob", permission="write")
    assert alice.get("/files").json() == [put]
    assert bob.get("/files").json() == [put | {"permission": "write"}]


def test_a_shared_folder_lists_its_files(alice: Client, bob: Client) -> None:
    """Present and later ones, at any depth, and no file beside the folder."""
    for name in ("p/1", "p/q/2", "p", "pp/3", "q"):
        alice.put(name)
    share(alice, "p/", "bob")
    assert bob.names() == ["alice/p/1", "alice/p/q/2"]
    alice.put("p/0")
    assert bob.names() == ["alice/p/0", "alice/p/1", "alice/p/q/2"]
    assert bob.names(prefix="p/q/") == ["alice/p/q/2"]
    assert bob.names(prefix="q") == []


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_a_file_with_several_grants_is_listed_once(alice: Client, bob: Client, limit: int) -> None:
    """With the best permission that any of them gives, for any limit."""
    for name in ("f/a", "f/b", "f/g/c", "f/g/d", "h"):
        alice.put(name)
    share(alice, "f/", "bob", permission="read")
    share(alice, "f/b", "bob", permission="write")
    share(alice, "f/g/", "bob", permission="write")
    share(alice, "f/g/c", "bob", permission="read")
    share(alice, "h", "bob", permission="read")
    files = [file for page in follow(bob, limit=limit) for file in page.json()]
    assert [(file["file_name"], file["permission"]) for file in files] == [
        ("f/a", "read"),
        ("f/b", "write"),
        ("f/g/c", "write"),
        ("f/g/d", "write"),
        ("h", "read"),
    ]


def test_expired_grants_list_nothing(alice: Client, bob: Client, clock: Clock) -> None:
    """Neither on a file nor on a folder; a grant that still holds lists its file."""
    for name in ("f/a", "f/b", "c"):
        alice.put(name)
    share(alice, "f/", "bob", expires_in=60)
    share(alice, "f/b", "bob", permission="write", expires_in=120)
    share(alice, "c", "bob", expires_in=60)
    assert bob.names() == ["alice/c", "alice/f/a", "alice/f/b"]
    clock.time += 60
    assert bob.names() == ["alice/f/b"]
    clock.time += 60
    assert bob.names() == []


def test_a_deleted_or_unshared_file_is_not_listed(alice: Client, bob: Client) -> None:
    """From the next request on; a new file of the same name is another file."""
    alice.put("a")
    alice.put("b")
    share(alice, "a", "bob")
    share(alice, "b", "bob")
    alice.delete("/file", file_name="a")
    alice.delete("/share", file_name="b", username="bob")
    alice.put("a")
    assert bob.names() == []


@pytest.mark.slow
def test_many_shares_are_all_listed(alice: Client, bob: Client, behind: Behind) -> None:
    """More than one read returns, in pages, with folders among them."""
    names = [f"{n:03}" for n in range(105)] + ["f/1", "f/2", "f/3"]
    write_files(behind, "alice", names)
    share(alice, "000", "bob")
    share(alice, "f/", "bob")
    grant = behind.row("shares", grantee="user:bob", file="alice/000")
    for number, name in enumerate(names[1:105], start=1):
        behind.put("shares", grant | {"file": f"alice/{name}", "file_id": f"{number:032x}"})
    for limit in (1000, 80):
        assert keys(follow(bob, limit=limit)) == [f"alice/{name}" for name in names]


def test_a_grant_reaches_the_deepest_folder(alice: Client, bob: Client) -> None:
    """A file as many levels below the shared folder as a name can have."""
    deep = "/".join(["d"] * (NAME_LEVELS - 1)) + "/file"
    alice.put(deep)
    share(alice, "d/", "bob")
    assert bob.names() == [f"alice/{deep}"]
    assert bob.read(deep, username="alice").content == b"data"
