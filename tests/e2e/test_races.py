"""Many clients want the same thing at the same moment."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.e2e.person import Answered, Person

pytestmark = pytest.mark.enable_socket

CLIENTS = 16


def at_once(action: Callable[[int], Answered]) -> list[Answered]:
    """What sixteen clients get that begin together."""
    start = Barrier(CLIENTS)

    def begin(number: int) -> Answered:
        start.wait()
        return action(number)

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(begin, range(CLIENTS)))


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
