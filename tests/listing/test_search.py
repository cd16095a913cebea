"""Searches by words, tags and kinds, sorted lists, lists by folders, lists with URLs."""

from typing import Any

import pytest

from function.listing import sorted_files
from tests.conftest import Behind, Clock, reason_at
from tests.listing.test_changes import cursor, log_in_again
from tests.listing.test_listing import follow, keys, share
from tests.support.bulk_files import fill
from tests.support.client import Client


def names(client: Client, **query: Any) -> list[str]:
    """The names that a query lists, which must be the same for every limit."""
    lists = [
        [file["file_name"] for page in follow(client, limit=limit, **query) for file in page.json()]
        for limit in (1, 2, 100)
    ]
    assert lists[0] == lists[1] == lists[2]
    return lists[0]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("report", ["Q3 Report.pdf", "reports/old.txt", "two reports, one report.txt"]),
        ("REP", ["Q3 Report.pdf", "reports/old.txt", "two reports, one report.txt"]),
        ("q3 rep", ["Q3 Report.pdf"]),
        ("rep, Q3!", ["Q3 Report.pdf"]),
        ("resume", ["año/Résumé.doc"]),
        ("RÉSUMÉ", ["año/Résumé.doc"]),
        ("ano resume", ["año/Résumé.doc"]),
        ("strasse", ["Straße_10.jpg"]),
        ("10", ["Straße_10.jpg"]),
        ("port", []),
        ("report zebra", []),
        ("9", []),
    ],
)
def test_words_are_found(alice: Client, bob: Client, q: str, found: list[str]) -> None:
    """Whole or by their beginning, folded, all of them; each file once, shared files as well."""
    for name in (
        "Q3 Report.pdf",
        "reports/old.txt",
        "two reports, one report.txt",
        "año/Résumé.doc",
        "Straße_10.jpg",
        "other.txt",
    ):
        alice.put(name, b"")
    assert sorted(names(alice, q=q)) == found
    assert sorted(names(alice, q=q, order="desc")) == found
    for sort in ("modified", "size"):
        assert sorted(names(alice, q=q, sort=sort)) == found
    for name in ("Q3 Report.pdf", "reports/", "two reports, one report.txt", "año/Résumé.doc"):
        share(alice, name, "bob")
    shared = {"Q3 Report.pdf", "reports/old.txt", "two reports, one report.txt", "año/Résumé.doc"}
    assert sorted(names(bob, q=q)) == [name for name in found if name in shared]


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_file_with_two_matching_words_is_found_once(alice: Client, order: str) -> None:
    """At the word that comes first in the list's order."""
    for name in ("ab ad.txt", "aa af.txt", "ac.txt"):
        alice.put(name, b"")
    assert names(alice, q="a", order=order) == ["aa af.txt", "ab ad.txt", "ac.txt"]


def test_words_longer_than_an_index_key_are_told_apart(alice: Client) -> None:
    """The index row holds only their beginning; the name decides."""
    long = "x" * 150
    alice.put(f"{long}a.txt", b"")
    alice.put(f"{long}b.txt", b"")
    assert names(alice, q=f"{long}b") == [f"{long}b.txt"]
    assert len(names(alice, q=long)) == 2


@pytest.mark.parametrize("q", ["", " ", "!!!", "…", "a b c d e f g h i", "x" * 201])
def test_a_search_has_1_to_8_words(alice: Client, q: str) -> None:
    """None, or more, is 422."""
    answer = alice.get("/files", q=q)
    assert (answer.status, answer.slug) == (422, "invalid-request")
    assert reason_at(answer, "query.q")


def test_tags_and_kinds_are_found(alice: Client, bob: Client) -> None:
    """Alone and combined, with words, below a prefix, in any order, and among shared files."""
    for name, tags in (
        ("a/one.jpg", ["Été", "x"]),
        ("a/two.jpg", ["x"]),
        ("b/one.mp4", ["été"]),
        ("b/one.pdf", ["ete", "y"]),
        ("c.zip", []),
    ):
        alice.put(name, b"")
        if tags:
            alice.send("PATCH", "/file", json_={"file_name": name, "tags": tags})
    assert names(alice, tag="ÉTÉ") == ["a/one.jpg", "b/one.mp4", "b/one.pdf"]
    assert names(alice, tag="x") == ["a/one.jpg", "a/two.jpg"]
    assert names(alice, tag="et") == []
    assert names(alice, type="image") == ["a/one.jpg", "a/two.jpg"]
    assert names(alice, type="archive") == ["c.zip"]
    assert names(alice, type="other") == []
    assert names(alice, tag="ete", type="document") == ["b/one.pdf"]
    assert names(alice, q="one", tag="x") == ["a/one.jpg"]
    assert names(alice, q="on", type="video") == ["b/one.mp4"]
    assert names(alice, q="one", prefix="b/") == ["b/one.mp4", "b/one.pdf"]
    assert names(alice, tag="ete", prefix="b/") == ["b/one.mp4", "b/one.pdf"]
    assert names(alice, type="image", prefix="a/t", order="desc") == ["a/two.jpg"]
    assert names(alice, tag="ete", sort="modified", order="desc") == [
        "b/one.pdf", "b/one.mp4", "a/one.jpg",
    ]  # fmt: skip
    share(alice, "a/", "bob")
    share(alice, "b/one.pdf", "bob")
    assert names(bob, tag="ete") == ["a/one.jpg", "b/one.pdf"]
    assert names(bob, type="image", scope="shared") == ["a/one.jpg", "a/two.jpg"]
    assert names(bob, type="image", scope="own") == []


@pytest.mark.parametrize("why", ["its changes are deleted", "more changes than are read"])
def test_a_sorted_list_that_cannot_go_on_has_to_begin_again(
    alice: Client, clock: Clock, behind: Behind, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """410: a file that changed meanwhile might be missed."""
    for name in ("a", "b", "c"):
        alice.put(name, b"")
    following = cursor(alice.get("/files", sort="modified", limit=1))
    with monkeypatch.context() as patch:
        if why == "its changes are deleted":
            clock.time += behind.settings.keep_seconds + 60
        else:
            patch.setattr(sorted_files, "MAX_CHANGES", 2)
        alice = log_in_again("alice")
        answer = alice.get("/files", sort="modified", limit=1, cursor=following)
    assert (answer.status, answer.slug) == (410, "cursor-expired")
    assert names(alice, sort="modified") == ["a", "b", "c"]


def test_lists_are_sorted(alice: Client, clock: Clock) -> None:
    """By time or size, in both directions; equal ones by name."""
    for name, size in (("c", 10), ("a", 9), ("d", 100), ("b", 9)):
        clock.time += 1
        alice.put(name, bytes(size))
    assert names(alice, sort="modified") == ["c", "a", "d", "b"]
    assert names(alice, sort="modified", order="desc") == ["b", "d", "a", "c"]
    assert names(alice, sort="size") == ["a", "b", "c", "d"]
    assert names(alice, sort="size", order="desc") == ["d", "c", "b", "a"]
    assert names(alice, sort="name", order="desc") == ["d", "c", "b", "a"]
    assert names(alice, sort="size", prefix="c") == ["c"]
    clock.time += 1
    alice.put("a", bytes(50))
    assert names(alice, sort="modified", order="desc") == ["a", "b", "d", "c"]


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "modified", "scope": "all"},
        {"sort": "size", "scope": "shared"},
        {"order": "desc", "scope": "all"},
        {"folders": "true", "scope": "shared"},
    ],
)
def test_shared_files_are_listed_by_name_only(alice: Client, query: dict[str, str]) -> None:
    """Another order needs scope=own, and the problem says so."""
    answer = alice.get("/files", **query)
    assert answer.status == 422
    assert "own" in reason_at(answer, "query.scope")
    assert alice.get("/files", **query | {"scope": "own"}).status == 200


def test_one_level_lists_folders_first(alice: Client) -> None:
    """Each with the number of files at any depth below it; an empty folder is not listed."""
    for name in ("z", "a", "p/1", "p/2", "p/q/3", "p/q/r/4", "o/1", "gone/1"):
        alice.put(name, b"")
    alice.delete("/file", file_name="gone/1")

    def level(**query: str) -> list[Any]:
        found = [
            [
                (item["folder"], item["files"]) if "folder" in item else item["file_name"]
                for page in follow(alice, folders="true", limit=limit, **query)
                for item in page.json()
            ]
            for limit in (1, 2, 3, 100)
        ]
        assert found[0] == found[1] == found[2] == found[3]
        return found[0]

    assert level() == [("o/", 1), ("p/", 4), "a", "z"]
    assert level(order="desc") == [("p/", 4), ("o/", 1), "z", "a"]
    assert level(prefix="p/") == [("p/q/", 2), "p/1", "p/2"]
    assert level(prefix="p/q/r/") == ["p/q/r/4"]
    assert level(prefix="nothing/") == []
    alice.put("p/1", bytes(7))
    assert level(prefix="p/", sort="size", order="desc") == [("p/q/", 2), "p/1", "p/2"]
    assert level(prefix="p/", sort="modified") == [("p/q/", 2), "p/1", "p/2"]
    entry = alice.get("/files", folders="true", prefix="p/").json()[0]
    assert entry == {"key": "alice/p/q/", "owner": "alice", "folder": "p/q/", "files": 2}


def test_folders_below_the_counted_levels_are_listed_flat(alice: Client) -> None:
    """As files with their whole names."""
    top = "d/" * 15
    for name in (f"{top}f", f"{top}e/f"):
        alice.put(name, b"")
    fourteen = alice.get("/files", folders="true", prefix="d/" * 14).json()
    assert fourteen == [{"key": f"alice/{top}", "owner": "alice", "folder": top, "files": 2}]
    assert names(alice, folders="true", prefix=top) == [f"{top}e/f", f"{top}f"]


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ({"folders": "true", "prefix": "a"}, "prefix"),
        ({"folders": "true", "q": "a"}, "folders"),
        ({"folders": "true", "tag": "a"}, "folders"),
        ({"folders": "true", "type": "image"}, "folders"),
        ({"type": "text"}, "type"),
        ({"sort": "owner"}, "sort"),
        ({"order": "down"}, "order"),
        ({"tag": "x" * 65}, "tag"),
        ({"urls": "maybe"}, "urls"),
    ],
)
def test_an_invalid_query_names_the_field(alice: Client, query: dict[str, str], at: str) -> None:
    """422, with the field in `errors`."""
    answer = alice.get("/files", **query)
    assert (answer.status, answer.slug) == (422, "invalid-request")
    assert reason_at(answer, f"query.{at}")


def test_urls_are_signed_with_the_list(alice: Client, bob: Client) -> None:
    """One for each file, own or shared; none unless the query asks for them."""
    alice.put("a.jpg", b"the bytes")
    share(alice, "a.jpg", "bob")
    for client in (alice, bob):
        (file,) = client.get("/files", urls="true").json()
        (plain,) = client.get("/files").json()
        assert file.keys() - plain.keys() == {"url"}
        assert "X-Amz-Signature=" in file["url"]
        assert "image%2Fjpeg" in file["url"]
    alice.put("in/b.jpg")
    folder, _ = alice.get("/files", urls="true", folders="true").json()
    assert "url" not in folder


def test_a_cursor_is_valid_for_its_search(alice: Client, behind: Behind) -> None:
    """Not for another one; with or without URLs it is the same list."""
    fill(behind.settings, "alice", ["a/1.jpg", "a/2.jpg", "a/3.jpg"], content_type="image/jpeg")
    searches: list[dict[str, str]] = [
        {}, {"q": "a"}, {"q": "a", "order": "desc"}, {"type": "image"}, {"sort": "size"},
        {"sort": "modified"}, {"sort": "size", "order": "desc"}, {"sort": "size", "type": "image"},
        {"folders": "true", "prefix": "a/"},
    ]  # fmt: skip
    for query in searches:
        first = alice.get("/files", limit=1, **query)
        cursor = first.headers["x-next-cursor"]
        assert keys([alice.get("/files", cursor=cursor, urls="true", **query)])
        for other in searches:
            if other != query:
                assert alice.get("/files", cursor=cursor, **other).slug == "invalid-cursor"


def test_files_of_an_earlier_account_are_not_found(alice: Client, behind: Behind) -> None:
    """Those of a deleted account with the same username are passed over by every search."""
    fill(behind.settings, "alice", ["a.jpg"], content_type="image/jpeg", tags=["t"])
    row = behind.row("users", username="alice")
    behind.put("users", row | {"id": "another", "bytes_used": 0, "files_used": 0})
    for session in behind.rows("sessions"):
        behind.put("sessions", session | {"user_id": "another"})
    for query in ({}, {"q": "a"}, {"tag": "t"}, {"type": "image"}, {"sort": "size"}):
        assert alice.get("/files", **query).json() == []


@pytest.mark.parametrize("tag", ["a\x1fb", "a\0b", "\n", " ", "\u202e"])
def test_a_tag_is_a_line_of_text(alice: Client, tag: str) -> None:
    """A separator of cursors or index keys in it would cut them in the wrong place."""
    alice.put("a")
    answer = alice.send("PATCH", "/file", json_={"file_name": "a", "tags": [tag]})
    assert (answer.status, answer.slug) == (422, "invalid-request")
