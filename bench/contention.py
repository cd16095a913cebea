"""Simulates clients side by side, and counts the requests that fail because their commits meet.

Each client sends small requests, one after the other, by the real code to the fake AWS. The time is
simulated (`tests.support.side_by_side`): a transaction takes 10 to 20 ms, and DynamoDB cancels it
when another one is in progress on one of its rows.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from function import base, contract
from function.core.runtime import system_runtime
from tests.support.client import Answer, Client, join
from tests.support.fake_aws import FakeAws, session
from tests.support.side_by_side import SideBySide

BEGINNING = 1_790_000_000.0  # seconds since 1970
BETWEEN = 0.02, 0.08  # seconds between the answer to a request and the client's next one
CLIENTS = 10, 50, 100
REQUESTS = 8  # of each client
QUOTA = 1 << 40
OK = 200, 399
# Sends the request of that number of a client.
Send = Callable[[int, int], Answer]


@dataclass(frozen=True)
class Contention:
    """What clients that sent requests side by side met.

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
        done = sum(times for status, times in self.statuses.items() if OK[0] <= status <= OK[1])
        return 1 - done / self.statuses.total()


def put_into_one_folder(alice: Client) -> Send:
    """Puts files into one folder."""
    return lambda client, number: Client(alice.token).put(f"in/{client}-{number}.txt")


def put_into_folders(alice: Client) -> Send:
    """Puts files into a folder of each client, below one folder."""
    return lambda client, number: Client(alice.token).put(f"in/{client}/{number}.txt")


def put_into_no_folder(alice: Client) -> Send:
    """Puts files into no folder."""
    return lambda client, number: Client(alice.token).put(f"{client}-{number}.txt")


def put_into_a_shared_folder(alice: Client) -> Send:
    """Puts files into a folder that another account shares with the one of all clients."""
    bob = join("bob", "192.0.2.2")
    share = {"file_name": "in/", "username": "bob", "permission": "write"}
    alice.send("POST", "/share", json_=share)
    return lambda client, number: bob.put(f"in/{client}-{number}.txt", username="alice")


def download_by_link(alice: Client) -> Send:
    """Downloads a file by one link."""
    alice.put("a.txt")
    path = urlsplit(alice.post("/links", items=["a.txt"]).json()["url"]).path
    return lambda client, _: Client(address=f"192.0.2.{client}").post(
        f"{path}/download", file_name="a.txt"
    )


def upload_by_request(alice: Client) -> Send:
    """Begins uploads to one file request."""
    made = alice.post("/requests", title="Plans", folder="in/")
    path = f"{urlsplit(made.json()['url']).path}/uploads"
    return lambda client, number: Client(address=f"192.0.2.{client}").post(
        path, file_name=f"{client}-{number}.txt", size=1
    )


SCENARIOS: dict[str, Callable[[Client], Send]] = {
    "`PUT /file`, one folder": put_into_one_folder,
    "`PUT /file`, a folder for each client": put_into_folders,
    "`PUT /file`, a folder that is shared with the clients' account": put_into_a_shared_folder,
    "`POST /s/{token}/download`, one link": download_by_link,
    "`POST /r/{token}/uploads`, one file request": upload_by_request,
}


def measure(
    fake_aws: FakeAws, settings: contract.Settings
) -> Iterator[tuple[str, list[Contention]]]:
    """Each scenario with each number of clients; the first one with a quota too."""
    settings = replace(settings, quota=0, files_quota=0)
    limited = replace(settings, quota=QUOTA)
    for name, scenario in SCENARIOS.items():
        yield name, [simulate(fake_aws, settings, each, scenario) for each in CLIENTS]
        if scenario is put_into_one_folder:
            met = [simulate(fake_aws, limited, each, scenario) for each in CLIENTS]
            yield f"{name}, with a quota", met


def simulate(
    fake_aws: FakeAws,
    settings: contract.Settings,
    clients: int,
    scenario: Callable[[Client], Send],
    *,
    seed: int = 1,
) -> Contention:
    """Sends REQUESTS requests from each of the clients of the account `alice`."""
    fake_aws.reset()
    world = SideBySide(fake_aws, seed)
    runtime = replace(system_runtime(), now=lambda: BEGINNING + world.time, sleep=world.sleep)
    base.use(base.Base(settings, session().client, runtime))
    send, answers, slowest = scenario(join("alice")), list[Answer](), 0.0

    def client(number: int) -> Callable[[], None]:
        waits = random.Random(f"{seed} {number}")  # noqa: S311

        def send_all() -> None:
            nonlocal slowest
            for at in range(REQUESTS):
                began = world.time
                answers.append(send(number, at))
                slowest = max(slowest, world.time - began)
                world.sleep(waits.uniform(*BETWEEN))

        return send_all

    try:
        world.run([client(number) for number in range(clients)])
    finally:
        base.use(None)
    statuses = Counter(answer.status for answer in answers)
    return Contention(clients, statuses, world.transactions, world.conflicts, world.time, slowest)
