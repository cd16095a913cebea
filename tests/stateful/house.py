"""The system under test: four people, their lists, and faults of AWS calls.

Changes past the API are here too: disabled and deleted accounts, and expired rows.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import boto3

from function import base
from function.aws.rows import Key, decode, encode
from function.contract import FILES, Settings
from function.core.runtime import system_runtime
from function.files.purge import Purger
from tests.conftest import Clock
from tests.crashes.crashes import FAULTS, Fault, Killed
from tests.crashes.seen import require
from tests.stateful.model import PEOPLE, Model
from tests.support.client import PASSWORD, Answer, Client, join
from tests.support.fake_aws import Call, FakeAws

BY_NAME = {fault.name: fault for fault in FAULTS}
MOMENT = 0.001  # seconds between two requests: of two that were deleted one is the later
View = dict[str, Any]


@dataclass(frozen=True)
class Cut:
    """The AWS call at which a request fails, and the fault; `again`: whether it is sent again."""

    call: int
    fault: str
    again: bool


@dataclass
class House:
    """The emulated account with four people, which is restored for each example."""

    fake_aws: FakeAws
    settings: Settings
    clock: Clock
    session: boto3.Session
    people: dict[str, Client] = field(default_factory=dict)
    hits: Counter[str] = field(default_factory=Counter)
    cut: Fault | None = None  # what fails while something is sent
    ids: dict[str, str] = field(default_factory=dict)  # of links, by their notes
    paths: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._doors = itertools.count()
        self.db = self.session.client("dynamodb")
        self.people = {each: join(each) for each in PEOPLE}
        self._joined = dict(self.people)
        self._begun, self._since = self.clock.time, self.clock.time
        self.keep(Model(self.clock.time, frozenset(PEOPLE)))

    def keep(self, beginning: Model) -> None:
        """Takes the present state as the beginning of each example."""
        self.beginning, self._restore = beginning, self.fake_aws.snapshot()
        self._known = dict(self.ids), dict(self.paths)

    def begin(self) -> None:
        """Restores the beginning."""
        self._restore()
        self.clock.time = self._since = self._begun
        self.people = dict(self._joined)
        self.ids, self.paths = map(dict, self._known)

    def turn(self, seconds: int) -> None:
        """Moves the clock on, and logs all people in again before their sessions expire."""
        self.clock.time += seconds
        if self.clock.time - self._since > self.settings.session_seconds / 2:
            self._since = self.clock.time
            for each in self.people:
                self.sign_in(each)

    def sign_in(self, who: str) -> None:
        """Starts a new session, unless the account is missing or disabled."""
        client = Client(address=f"198.51.100.{next(self._doors) % 250}")
        answer = client.post("/login", username=who, password=PASSWORD)
        if answer.status == 200:
            self.people[who] = Client(answer.json()["token"])

    def send(
        self, send: Callable[[Client], Answer], who: str | None, cut: Cut | None
    ) -> Answer | None:
        """Sends a request; None if the process was killed. No answer may be 500."""
        self.clock.time += MOMENT
        answer: Answer | None = None
        with self.cutting(cut):
            answer = send(self.people[who] if who else Client())
        if answer is None:
            return None
        require(answer.status != 500, "it answered 500")
        require(answer.status != 503 or "retry-after" in answer.headers, "503 without Retry-After")
        return answer

    @contextmanager
    def cutting(self, cut: Cut | None) -> Iterator[None]:
        """Fails an AWS call, and its further tries unless the fault occurs once."""
        self.cut = BY_NAME[cut.fault] if cut else None
        made, hits = itertools.count(), 0

        def fails(call: Call) -> Any:
            nonlocal hits
            if not (self.cut and cut) or next(made) < cut.call or (self.cut.once and hits):
                return None
            hits += 1
            failed = self.cut.fail(call)
            hits -= failed is None  # what only writes can suffer
            return failed

        if self.cut and self.cut.effect:
            self.fake_aws.after = lambda call, answer: fails(call) or answer
        else:
            self.fake_aws.before = fails
        try:
            yield
        except Killed:
            pass
        finally:
            self.fake_aws.before = lambda _: None
            self.fake_aws.after = lambda _, answer: answer
            self.cut = None
            if cut:
                self.hits[f"fault: {cut.fault}"] += bool(hits)

    def listed(self, who: str, limit: int = 1000) -> View | None:
        """All pages of a person's list; None if the session is not valid."""
        seen: View = {}
        query: dict[str, Any] = {"limit": limit}
        while True:
            answer = self.people[who].get("/files", **query)
            if answer.status == 401 or (self.cut and answer.status == 503):
                return None
            require(answer.status == 200, f"the list answers {answer.status}")
            for file in answer.json():
                require(file["key"] not in seen, f"{file['key']} is listed twice")
                seen[file["key"]] = file["permission"], file["version"], file["sha256"]
            if "x-next-cursor" not in answer.headers:
                return seen
            query["cursor"] = answer.headers["x-next-cursor"]

    def change(self, noun: str, key: dict[str, str], **values: Any) -> None:
        """Changes fields of a row."""
        table = getattr(self.settings, noun)
        row = decode(self.db.get_item(TableName=table, Key=encode(dict(key)))["Item"])
        self.db.put_item(TableName=table, Item=encode(row | values))

    def remove_account(self, who: str) -> None:
        """Deletes the row of an account, and nothing else."""
        self.db.delete_item(TableName=self.settings.users, Key=encode({"username": who}))

    def expire_rows(self) -> int:
        """Deletes expired shares, as TTL does in time; their number."""
        rows = self.fake_aws.rows(self.settings.shares)
        late = [row for row in rows if int(row.get("expires_at") or 0) in range(1, self._second())]
        for row in late:
            key = encode({"grantee": row["grantee"], "file": row["file"]})
            self.db.delete_item(TableName=self.settings.shares, Key=key)
        return len(late)

    def go_on(self) -> bool:
        """Continues unfinished permanent deletions, as the sweep does; whether there were any."""
        rows = self.fake_aws.rows(self.settings.files)
        ended = [row for row in rows if int(row.get("until") or 0) in range(1, self._second() + 1)]
        lines = [row for row in ended if row["partition"].startswith("~expiry/")]
        for line in lines:
            owner, partition, name = line["name"].split("/", 2)
            kept = Key(FILES, f"{owner}/{partition}", name)
            due = Key(FILES, line["partition"], line["name"])
            base.one(Purger).purge(kept, due)
        return bool(lines)

    def _second(self) -> int:
        return int(self.clock.time)


def rewired(settings: Settings, clock: Clock, session: boto3.Session) -> None:
    """Gives the handler a runtime whose pauses take no time."""
    origins = replace(system_runtime(), now=clock, sleep=lambda _: None)
    base.use(base.Base(settings, session.client, origins))
