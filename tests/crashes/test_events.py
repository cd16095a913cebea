"""Upload notifications and sweeps that fail at each AWS call, and a sweep during a completion.

An acknowledged request was done, nothing is done twice, and the next sweep continues the rest.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from function.base import current
from function.contract import Settings
from function.core.errors import Problem
from function.tables import expiry
from tests.conftest import Clock
from tests.crashes.crashes import FAULTS, Fault, Killed
from tests.support.client import Client, join
from tests.support.fake_aws import Call, FakeAws
from tests.support.invariants import assert_consistent
from tests.support.senders import ask, counts
from tests.support.transfers import (
    bytes_used,
    complete,
    count_multipart_uploads,
    fetch,
    key_of,
    notify,
    put,
    send,
    send_parts,
    start,
    stored,
    sweep,
    upload,
    use_small_parts,
)

pytestmark = pytest.mark.slow

DATA = bytes(range(45))
LATER = 8 * 24 * 3600
AFTER_SENT = 3 * 24 * 3600  # what comes by a request has less time
EACH = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    use_small_parts(monkeypatch)
    monkeypatch.setattr(expiry, "LEGACY_DAYS", 1)


@contextmanager
def failing(fake_aws: FakeAws, number: int, fault: Fault) -> Iterator[list[str]]:
    """Fails the call of that number, and its further tries unless the fault occurs once."""
    made: list[str] = []
    hit: list[str] = []

    def fail(call: Call) -> Any:
        again = not fault.once and call.operation in hit
        if not again and len(made) != number + 1:
            return None
        hit.append(call.operation)
        return fault.fail(call)

    def enter(call: Call) -> Any:
        made.append(call.operation)
        return None if fault.effect else fail(call)

    def leave(call: Call, answer: Any) -> Any:
        return (fail(call) or answer) if fault.effect else answer

    fake_aws.before, fake_aws.after = enter, leave
    try:
        yield hit
    finally:
        fake_aws.before, fake_aws.after = (lambda _: None), (lambda _, answer: answer)


@contextmanager
def meeting(fake_aws: FakeAws, number: int, other: Callable[[], Any]) -> Iterator[list[Any]]:
    """Runs `other` just before the call of that number."""
    made: list[str] = []
    done: list[Any] = []

    def interrupt(call: Call) -> None:
        made.append(call.operation)
        if len(made) == number + 1:
            fake_aws.before = lambda _: None
            done.append(other())
            fake_aws.before = interrupt

    fake_aws.before = interrupt
    try:
        yield done
    finally:
        fake_aws.before = lambda _: None


def calls_of(fake_aws: FakeAws, action: Callable[[], Any]) -> range:
    """The numbers of the AWS calls when nothing fails."""
    with fake_aws.counted() as calls:
        action()
    return range(len(calls))


def unless_cut_off(action: Callable[[], Any]) -> Any:
    """The answer of an invocation, or None if it failed."""
    try:
        return action()
    except (Killed, Problem):
        return None


def due(fake_aws: FakeAws) -> list[str]:
    """The uploads on the list of what falls due."""
    rows = fake_aws.rows(fake_aws.deployed.environment["SATCHEL_FILES"])
    names = [row["name"] for row in rows if row["partition"].startswith("~expiry/")]
    return [name for name in names if "/uploads/" in name]


Make = Callable[..., Any]


def once(make: Make) -> Make:
    """Makes what tests begin from once in a process, and brings it back each time."""
    kept: dict[Any, tuple[Any, Callable[[], None], float]] = {}

    def begin(fake_aws: FakeAws, clock: Clock, *told: Any) -> Any:
        if told not in kept:
            fake_aws.reset()
            made = make(fake_aws, clock, *told)
            kept[told] = made, fake_aws.snapshot(), clock.time
        made, bring_back, clock.time = kept[told]
        bring_back()
        return made

    return begin


# --- news ----------------------------------------------------------------------------------------


@once
def arrived(fake_aws: FakeAws, clock: Clock) -> tuple[Client, dict[str, Any]]:
    """Somebody whose file is about to be replaced by what has arrived."""
    alice = join("alice")
    assert alice.put("a", b"before").status == 201
    view = start(alice, "a", 3)
    put(view, b"abc")
    return alice, view


@EACH
def test_news_cut_off_anywhere_makes_one_file_in_the_end(
    fake_aws: FakeAws, clock: Clock, fault: Fault
) -> None:
    """It is acknowledged when the file is there, and else it comes again."""
    _, view = arrived(fake_aws, clock)
    numbers = calls_of(fake_aws, lambda: notify(key_of(view)))
    assert len(numbers) >= 5
    hits = 0
    for number in numbers:
        alice, view = arrived(fake_aws, clock)
        with failing(fake_aws, number, fault) as hit:
            back = unless_cut_off(partial(notify, key_of(view)))
        hits += bool(hit)
        file = alice.get("/files").json()[0]
        if back == []:
            assert file["version"] == 2, f"acknowledged, and lost at call {number}"
        assert notify(key_of(view)) == []
        (file,) = alice.get("/files").json()
        assert (file["version"], file["size"]) == (2, 3)
        assert fetch(alice, "a") == b"abc"
        assert complete(alice, view).json() == file
        assert (bytes_used(fake_aws, "alice"), due(fake_aws)) == (len(b"before") + 3, [])
        assert stored(fake_aws) == [b"abc", b"before"]
    assert hits == len(numbers)


# --- sweeps --------------------------------------------------------------------------------------


@once
def abandoned(fake_aws: FakeAws, clock: Clock) -> Client:
    """Somebody with two uploads given up long ago, one given up in form, and a file."""
    alice = join("alice")
    done = start(alice, "done", 15)
    send(alice, done, DATA[:15])
    assert complete(alice, done).status == 200
    put(start(alice, "one", 3), b"abc")
    send_parts(alice, start(alice, "parts", 45), DATA, [1, 2])
    view = start(alice, "late", 4)
    assert alice.delete(f"/uploads/{view['upload_id']}").status == 204
    put(view, b"late")
    clock.time += LATER
    return alice


@EACH
def test_a_sweep_cut_off_anywhere_is_gone_on_with(
    fake_aws: FakeAws, clock: Clock, fault: Fault
) -> None:
    """The next one leaves nothing but the file, whose bytes are never touched."""
    abandoned(fake_aws, clock)
    numbers = calls_of(fake_aws, sweep)
    assert len(numbers) >= 12
    for number in numbers:
        alice = abandoned(fake_aws, clock)
        with failing(fake_aws, number, fault):
            unless_cut_off(sweep)
        assert DATA[:15] in stored(fake_aws)
        sweep()
        assert (stored(fake_aws), count_multipart_uploads(fake_aws), due(fake_aws)) == (
            [DATA[:15]],
            0,
            [],
        )
        clock.time -= LATER
        assert alice.names() == ["alice/done"]
        assert alice.get("/uploads").json() == []
        assert fetch(alice, "done") == DATA[:15]
        clock.time += LATER


@once
def archived(fake_aws: FakeAws, clock: Clock) -> Client:
    """Somebody whose versions, deleted files and copies of them are past their time."""
    alice = join("alice")
    for data in (b"1", b"2", b"3"):
        alice.put("stays", data)
        alice.put("deleted", data)
    alice.post("/copy", file_name="stays", new_name="copy")
    for number in range(3):
        alice.put(f"{number}", b"plain")
    for name in ("deleted", "copy", *"012"):
        assert alice.delete("/file", file_name=name).status == 204
    clock.time += current().settings.keep_seconds + 24 * 3600
    return alice


@EACH
def test_a_sweep_of_archived_files_cut_off_anywhere_is_gone_on_with(
    fake_aws: FakeAws, clock: Clock, settings: Settings, fault: Fault
) -> None:
    """The next one leaves the live file alone, charged once."""
    archived(fake_aws, clock)
    numbers = calls_of(fake_aws, sweep)
    assert len(numbers) >= 12
    for number in numbers:
        archived(fake_aws, clock)
        with failing(fake_aws, number, fault):
            unless_cut_off(sweep)
        assert b"3" in stored(fake_aws)
        sweep()
        assert stored(fake_aws) == [b"3"], f"call {number}"
        assert bytes_used(fake_aws, "alice") == 1
        rows = fake_aws.rows(settings.files)
        assert not [row for row in rows if row["partition"].startswith("~expiry/")]
        assert_consistent(rows, fake_aws.rows(settings.users))


@once
def asked(fake_aws: FakeAws, clock: Clock) -> tuple[Client, str]:
    """Somebody to whom one file has come by a request, and two that nobody completed."""
    alice = join("alice")
    request_id, sender = ask(alice, expires_in=None)
    assert upload(sender, "done", DATA[:15]).status == 200
    put(start(sender, "one", 3), b"abc")
    send_parts(sender, start(sender, "parts", 45), DATA, [1, 2])
    clock.time += AFTER_SENT
    return alice, request_id


@EACH
def test_a_sweep_cut_off_anywhere_gives_each_place_back_once(
    fake_aws: FakeAws, clock: Clock, fault: Fault
) -> None:
    """The next one gives back what is left, and a third nothing."""
    asked(fake_aws, clock)
    numbers = calls_of(fake_aws, sweep)
    assert len(numbers) >= 9
    for number in numbers:
        alice, request_id = asked(fake_aws, clock)
        with failing(fake_aws, number, fault):
            unless_cut_off(sweep)
        for _ in range(2):
            sweep()
            assert (stored(fake_aws), count_multipart_uploads(fake_aws), due(fake_aws)) == (
                [DATA[:15]],
                0,
                [],
            )
            clock.time -= AFTER_SENT
            assert counts(alice, request_id) == (1, 15)
            clock.time += AFTER_SENT


@once
def expiring(fake_aws: FakeAws, clock: Clock, size: int) -> tuple[Client, dict[str, Any]]:
    """Somebody whose upload has arrived and is about to expire."""
    alice = join("alice")
    view = start(alice, "a", size)
    send(alice, view, DATA[:size])
    return alice, view


def settled(fake_aws: FakeAws, clock: Clock, alice: Client, status: int, size: int) -> None:
    """The file is there whole if it was said to be, and else nothing is; a sweep leaves no more."""
    assert alice.names() == (["alice/a"] if status == 200 else [])
    if status == 200:
        assert fetch(alice, "a") == DATA[:size]
        assert bytes_used(fake_aws, "alice") == size
    clock.time += LATER
    sweep()
    clock.time -= LATER
    kept = [DATA[:size]] if status == 200 else []
    assert (stored(fake_aws), count_multipart_uploads(fake_aws), due(fake_aws)) == (kept, 0, [])


@pytest.mark.parametrize("size", [15, 45])
def test_a_sweep_at_any_call_of_a_completion(fake_aws: FakeAws, clock: Clock, size: int) -> None:
    """Whoever comes first: a file with its bytes, or neither."""
    alice, view = expiring(fake_aws, clock, size)
    numbers = calls_of(fake_aws, lambda: complete(alice, view))
    seen = set()

    def swept() -> None:
        clock.time += LATER
        sweep()
        clock.time -= LATER

    for number in numbers:
        alice, view = expiring(fake_aws, clock, size)
        with meeting(fake_aws, number, swept) as done:
            status = complete(alice, view).status
        assert done
        assert status in {200, 404, 409}
        seen.add(status)
        settled(fake_aws, clock, alice, status, size)
    assert len(seen) > 1 or seen == {404}, seen


@pytest.mark.parametrize(("by", "size"), [("client", 15), ("client", 45), ("news", 15)])
def test_a_completion_at_any_call_of_a_sweep(
    fake_aws: FakeAws, clock: Clock, by: str, size: int
) -> None:
    """Asked for or told of just when its turn comes: a file with its bytes, or neither."""

    def swept() -> None:
        clock.time += LATER
        sweep()
        clock.time -= LATER

    def completed() -> int:
        clock.time -= LATER
        if by == "news":
            assert notify(key_of(view)) == []
        answer = complete(alice, view) if by == "client" else alice.get("/files")
        clock.time += LATER
        return answer.status if by == "client" else (200 if answer.json() else 404)

    alice, view = expiring(fake_aws, clock, size)
    seen = set()
    for number in calls_of(fake_aws, swept):
        alice, view = expiring(fake_aws, clock, size)
        with meeting(fake_aws, number, completed) as done:
            swept()
        seen.update(done)
        if done:
            settled(fake_aws, clock, alice, done[0], size)
    assert seen == {200, 404}, "the two never met"
