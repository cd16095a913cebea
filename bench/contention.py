"""Simulates clients side by side, and counts the requests that fail because their commits meet.

Each client puts small files, one after the other, by the real code on the fake AWS. The time is
simulated (`tests.support.side_by_side`): a transaction takes 10 to 20 ms, and DynamoDB cancels it
when another one is in progress on one of its rows.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from function import base, contract
from function.core.runtime import system_runtime
from tests.support.client import Answer, Client, join
from tests.support.fake_aws import FakeAws, session
from tests.support.side_by_side import SideBySide

BEGINNING = 1_790_000_000.0  # seconds since 1970
BETWEEN = 0.02, 0.08  # seconds between the answer to a request and the client's next one
FILES = 8  # that each client puts


@dataclass(frozen=True)
class Contention:
    """What clients that put files side by side met.

    `statuses` of all requests; `transactions`, and those of them in `conflict`; `seconds` is the
    time from the first request to the last answer, `slowest` that of the slowest request.
    """

    clients: int
    statuses: Counter[int]
    transactions: int
    conflicts: int
    seconds: float
    slowest: float

    @property
    def failed(self) -> float:
        """The share of requests that failed."""
        return 1 - self.statuses[201] / self.statuses.total()


def simulate(
    fake_aws: FakeAws,
    settings: contract.Settings,
    clients: int,
    name: Callable[[int, int], str],
    *,
    seed: int = 1,
) -> Contention:
    """Puts FILES files from each of the clients of one account; `name` is that of a file."""
    fake_aws.reset()
    world = SideBySide(fake_aws, seed)
    runtime = replace(system_runtime(), now=lambda: BEGINNING + world.time, sleep=world.sleep)
    base.use(base.Base(settings, session().client, runtime))
    alice, answers, slowest = join("alice"), list[Answer](), 0.0
    fake_aws.calls.clear()

    def put(number: int) -> Callable[[], None]:
        client, waits = Client(alice.token), random.Random(f"{seed} {number}")  # noqa: S311

        def puts() -> None:
            nonlocal slowest
            for at in range(FILES):
                began = world.time
                answers.append(client.put(name(number, at)))
                slowest = max(slowest, world.time - began)
                world.sleep(waits.uniform(*BETWEEN))

        return puts

    try:
        world.run([put(number) for number in range(clients)])
    finally:
        base.use(None)
    statuses = Counter(answer.status for answer in answers)
    return Contention(clients, statuses, world.transactions, world.conflicts, world.time, slowest)
