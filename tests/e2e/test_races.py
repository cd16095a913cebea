"""Many clients want the same thing at the same moment."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.e2e.person import Answered, Person

pytestmark = pytest.mark.enable_socket

CLIENTS = 16


def at_once(action: Callable[[int], Answered], clients: int = CLIENTS) -> list[Answered]:
    """What sixteen clients get that begin together, or so many."""
    start = Barrier(clients)

    def begin(number: int) -> Answered:
        start.wait()
        return action(number)

    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(begin, range(clients)))


def test_a_name_is_given_once(newcomer: Callable[[str], Person], url: str) -> None:
    name = newcomer("carol").name
    people = [Person(url, name, f"seven quiet otters {n}") for n in range(CLIENTS)]
    answers = at_once(lambda number: people[number].register())
    assert Counter(answer.status for answer in answers) == {201: 1, 409: CLIENTS - 1}
    (winner,) = (who for who, answer in zip(people, answers, strict=True) if answer.fine)
    assert winner.call("POST", "/login", winner.credentials).status == 200
    loser = next(person for person in people if person is not winner)
    assert loser.call("POST", "/login", loser.credentials).status == 401


def test_uploads_of_one_name_leave_one_file_and_versions(alice: Person) -> None:
    contents = [f"{number} ".encode() * 10_000 for number in range(CLIENTS)]
    answers = at_once(lambda number: alice.put("same.txt", contents[number]))
    statuses = Counter(answer.status for answer in answers)
    assert statuses[201] == 1
    assert set(statuses) <= {200, 201, 409}
    kept = [content for content, answer in zip(contents, answers, strict=True) if answer.fine]
    (file,) = alice.files()
    assert alice.get("same.txt").body in kept
    assert file["version"] == len(kept)


def test_a_link_for_ten_downloads_gives_ten(alice: Person, url: str) -> None:
    """However many come at once, and however many looked before; who goes on is not counted."""
    assert alice.put("a.txt", b"for ten").status == 201
    wish = {"items": ["a.txt"], "max_downloads": 10}
    made = alice.call("POST", "/links", wish).json
    path = made["url"].removeprefix(url)
    stranger = Person(url, "nobody")
    looks = at_once(lambda number: stranger.call(("GET", "HEAD")[number % 2], path), 64)
    assert {answer.status for answer in looks} == {200}

    def download(number: int) -> Answered:
        return stranger.call("POST", f"{path}/download", {}, {"accept": "application/json"})

    answers = at_once(download, 64)
    assert Counter(answer.status for answer in answers) == {200: 10, 410: 54}
    assert alice.call("GET", f"/links/{made['id']}").json["downloads"] == 10
    for answer in answers:
        if answer.fine:
            headers = {"accept": "application/json", "x-link-grant": answer.json["grant"]}
            again = stranger.call("POST", f"{path}/download", {}, headers)
            part = Person(again.json["url"], "").call("GET", "", headers={"range": "bytes=4-"})
            assert (part.status, part.body) == (206, b"ten")
    assert alice.call("GET", f"/links/{made['id']}").json["downloads"] == 10


def test_a_request_for_five_files_takes_five(alice: Person, url: str) -> None:
    """However many begin at once; who gives up makes room for one."""
    wish = {"title": "Five", "folder": "in/", "max_files": 5, "max_total_size": 50}
    made = alice.call("POST", "/requests", wish).json
    path = made["url"].removeprefix(url)
    stranger = Person(url, "nobody")

    def begin(number: int) -> Answered:
        return stranger.call("POST", f"{path}/uploads", {"file_name": f"{number}", "size": 10})

    answers = at_once(begin, 32)
    assert Counter(answer.status for answer in answers) == {201: 5, 409: 27}
    begun = [answer.json["upload_id"] for answer in answers if answer.fine]
    gone = at_once(lambda _: stranger.call("DELETE", f"{path}/uploads/{begun[0]}"))
    assert 204 in {answer.status for answer in gone} <= {204, 404}
    held = alice.call("GET", f"/requests/{made['id']}").json
    assert (held["files"], held["bytes"]) == (4, 40)
    assert Counter(answer.status for answer in at_once(begin)) == {201: 1, 409: CLIENTS - 1}
