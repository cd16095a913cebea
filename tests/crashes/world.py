"""The world of the crash suites: its people, their view of it, and its invariants.

Alice has two files, a link to each and three file requests; Bob may write one of her files and has
one of his own. Each person acts in one session and looks in another, which no change of a password
ends. Ids are counted and the clock stands still, so equal states have equal views; the view of a
state is computed once.
"""

import hashlib
import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3

from function import base
from function.contract import TABLES, Settings
from function.core.runtime import Runtime
from function.http import router as http_router
from tests.conftest import Clock
from tests.crashes import links, people
from tests.crashes.calls import Calls
from tests.crashes.known import Known
from tests.crashes.operations import BY_NAME, Operation
from tests.crashes.seen import groups_of, plain, renamed, require, seen_by
from tests.crashes.setups import FRESH, PLAN, REPORT, SETUPS
from tests.crashes.uploads import create_request, parts_of, requests_of, uploads_of
from tests.support.api_register import SetupName
from tests.support.client import Answer, Client, join
from tests.support.fake_aws import Call, FakeAws
from tests.support.invariants import assert_consistent
from tests.support.senders import Sender
from tests.support.side_by_side import other_process
from tests.support.world import Ids

Step = tuple[str, int]
ID = re.compile(r"(?:1d){13}\d{6}")


class World:
    """The emulated account with its people; `restore` brings back the beginning.

    `known` has the ids and tokens of its things.
    """

    def __init__(
        self,
        fake_aws: FakeAws,
        settings: Settings,
        clock: Clock,
        session: boto3.Session,
        views: Any,
    ) -> None:
        """`views` keeps the view of each state; it holds for one version of the code."""
        self.fake_aws, self.settings, self._session, self._views = (
            fake_aws,
            settings,
            session,
            views,
        )
        self._ids = itertools.count()
        self._drawn: dict[int, Iterator[int]] = {}
        self._collide: Callable[[Call], Any] | None = None
        self.run_by(clock)
        self.tables = {getattr(settings, table.name): table.name for table in TABLES}
        self.is_elsewhere = False
        self.people = {"nobody": Client(), "alice": join("alice"), "bob": join("bob")}
        self.people["elsewhere"] = people.login("alice")
        self.people["dora"], self.dora = join("dora"), people.login("dora")
        codes = people.enable_mfa(self.people["dora"], clock)
        self.watching = {name: people.login(name) for name in ("alice", "bob")}
        self._db = session.client("dynamodb")
        for who, name in (("alice", REPORT), ("alice", PLAN), ("bob", "diary.txt")):
            assert self.people[who].put(name, f"{name} of {who}".encode()).status == 201
        alice = self.people["alice"]
        revision = alice.get("/files").json()[0]["revision"]
        shared = {"file_name": REPORT, "username": "bob", "permission": "write"}
        assert alice.post("/share", **shared).status == 201
        made = links.create_links(alice, REPORT, PLAN)
        self.people["root"] = join("root")
        invited = self.people["root"].post("/invites").json()
        requests = {
            "large": create_request(alice, "large"),
            "small": create_request(alice, "small", max_files=2),
            "locked": create_request(alice, "locked", password="knock twice"),
        }
        self.people["sender"] = Sender(requests["large"]["url"])
        self.people["small request"] = Sender(requests["small"]["url"])
        self.people["locked request"] = Sender(requests["locked"]["url"])
        ids = Ids(
            username="bob",
            session_id=people.session_id(self.people["elsewhere"]),
            link_id=made[links.ONCE]["id"],
            link_token=links.path_of(made[links.ONCE]).rpartition("/")[2],
            request_id=requests["large"]["id"],
            request_token=requests["large"]["url"].rpartition("/")[2],
            invite_id=invited["id"],
            invitation=invited["token"],
        )
        self.known = Known(fake_aws.mails, ids, revision, made, requests, {}, codes)
        self._beginning = self._snapshot()
        self._prepared: dict[tuple[SetupName, ...], Callable[[], None]] = {}
        self._calls: dict[Any, Calls] = {}
        self._sessions = {row["token_hash"] for row in fake_aws.rows(settings.sessions)}
        self.keys = {f"alice/{REPORT}", f"alice/{PLAN}", f"alice/{FRESH}", "bob/diary.txt"}

    def run_by(self, clock: Clock) -> None:
        """Starts the handler anew, with that clock and counted ids."""
        self._clock = clock
        runtime = counting(clock, lambda: next(self._ids))
        base.use(base.Base(self.settings, self._session.client, runtime))

    def restore(self) -> None:
        """Restores the beginning; new ids are ones that it has not used."""
        self._beginning()
        self._ids = itertools.count(1000)

    def _snapshot(self) -> Callable[[], None]:
        """The account of AWS and what is known of it, as a function that restores both."""
        restore, known = self.fake_aws.snapshot(), self.known.copy()

        def bring_back() -> None:
            restore()
            self.known = known.copy()

        return bring_back

    def begin(self, *operations: Operation) -> None:
        """Restores the beginning with the setups that the operations need."""
        done = list_setups(*operations)
        if done not in self._prepared:
            self.restore()
            for name in done:
                setup = SETUPS[name]
                setup.act(self.people[setup.who], self.known)
                if setup.bob:
                    setup.bob(self.people["bob"])
            self._prepared[done] = self._snapshot()
        self._prepared[done]()
        self._drawn.clear()

    def send(self, operation: Operation, *, twin: bool = False) -> Answer:
        """Sends a request. No answer may be 500, and a 503 has Retry-After.

        Its ids do not depend on other requests.
        """
        first = 2000 * (1 + list(BY_NAME).index(operation.name)) + 1000 * twin
        self._ids = self._drawn.setdefault(first, itertools.count(first))
        with self._meeting():
            answer = operation.send(self.people[operation.who], self.known)
        require(answer.status != 500, "it answered 500")
        require(answer.status != 503 or "retry-after" in answer.headers, "503 without Retry-After")
        if answer.status in {operation.done, operation.again}:
            operation.check(answer)
        return answer

    def steps(self, operation: Operation) -> list[Step]:
        """The AWS calls that an operation makes when nothing fails."""
        steps: list[Step] = []
        self.begin(operation)
        with self.hooks(before=lambda _, step: steps.append(step)), self._meeting():
            operation.send(self.people[operation.who], self.known)
        return steps

    @contextmanager
    def contended(self, collide: Callable[[Call], Any]) -> Iterator[None]:
        """The first transaction of each request meets another one: `collide` answers it.

        No hook sees this call.
        """
        self._collide = collide
        yield
        self._collide = None

    @contextmanager
    def _meeting(self) -> Iterator[None]:
        before, after, met = self.fake_aws.before, self.fake_aws.after, list[Call]()

        def first(call: Call) -> Any:
            if met or call.operation != "TransactWriteItems" or self._collide is None:
                return before(call)
            met.append(call)
            return self._collide(call)

        self.fake_aws.before = first
        self.fake_aws.after = lambda call, answer: answer if call in met else after(call, answer)
        try:
            yield
        finally:
            self.fake_aws.before, self.fake_aws.after = before, after

    def calls(self, operation: Operation, other: Operation) -> Calls:
        """The calls of an operation alone, from the state in which both begin."""
        key = operation.name, list_setups(operation, other)
        if key not in self._calls:
            made = self._calls[key] = Calls(self.settings)
            self.begin(operation, other)
            self.fake_aws.after = made.note
            self.send(operation)
            self.fake_aws.remove_hooks()
        return self._calls[key]

    def send_elsewhere(self, operation: Operation, *, twin: bool) -> Answer:
        """Sends a request to another process; `twin`: it is the same operation as the first."""
        ids, self.is_elsewhere = self._ids, True
        with other_process():
            answer = self.send(operation, twin=twin)
        self._ids, self.is_elsewhere = ids, False
        return answer

    @contextmanager
    def hooks(
        self,
        before: Callable[[Call, Step], Any] = lambda *_: None,
        after: Callable[[Call, Step, Any], Any] = lambda *arguments: arguments[-1],
    ) -> Iterator[None]:
        """Calls the hooks around each AWS call, with its label and how often it occurred before."""
        made: Counter[str] = Counter()
        of: dict[int, Step] = {}

        def first(call: Call) -> Any:
            label = self._label(call)
            of[id(call)] = (label, made[label])
            made[label] += 1
            return before(call, of[id(call)])

        self.fake_aws.before = first
        self.fake_aws.after = lambda call, answer: after(call, of[id(call)], answer)
        try:
            yield
        finally:
            self.fake_aws.before = lambda _: None
            self.fake_aws.after = lambda _, answer: answer

    def _label(self, call: Call) -> str:
        """A label that does not depend on the order of threads."""
        if "dynamodb" not in call.request.url:
            return call.operation
        names = set(tables_in(json.loads(call.request.body)))
        return f"{call.operation} {'+'.join(sorted(self.tables[name] for name in names))}"

    def view(self) -> dict[str, Any]:
        """What each person sees, and what is archived. Raises Violation for a broken invariant.

        Looking changes nothing: it opens links, whose owner would see that as an event.
        """
        state = self._state()
        if state not in self._views:
            self._holds()
            with self.fake_aws.rows_restored():
                self._views[state] = self._look()
        return self._views[state]

    def stored(self) -> str:
        """All rows and objects, and the state that the process keeps between requests."""
        rows = {table: self.fake_aws.rows(table) for table in self.tables}
        objects = self.fake_aws.objects(self.settings.bucket)
        parts, tokens = parts_of(self.settings.bucket), sorted(self.fake_aws.tokens)
        process = kept(base.current(), set()), http_router.resolver.context, self._clock.time
        return repr((rows, objects, parts, tokens, process))

    def _state(self) -> str:
        """All rows and objects, with ids replaced by numbers in the order of their appearance.

        Without salts, and without the tokens of sessions that nobody here uses: they vary.
        """
        rows = [
            json.dumps(
                {**row, "password": "", "multipart": "multipart" in row, "in": noun}, sort_keys=True
            )
            for table, noun in self.tables.items()
            for row in self.fake_aws.rows(table)
            if row.get("kind") != "opened"
            and ("count" not in row or str(row.get("token_hash")).startswith("login:"))
        ]
        new = {row["token_hash"] for row in self.fake_aws.rows(self.settings.sessions)}
        for token_hash in new - self._sessions:
            rows = [row.replace(token_hash, "new") for row in rows]
        objects = self.fake_aws.objects(self.settings.bucket)
        rows += [f"{key} {hashlib.sha256(data).hexdigest()}" for key, data in objects.items()]
        rows += [f"{key} {etags}" for key, etags in parts_of(self.settings.bucket)]
        return renamed(rows, ID)

    def _look(self) -> dict[str, Any]:
        watched = {**self.watching, "dora": self.dora}
        for name, person in watched.items():
            self._go_on_watching(name, person)
        files = self.fake_aws.rows(self.settings.files)
        now = self._clock.time
        ended = (row for row in files if int(row.get("until") or now + 1) <= now)
        condemned = {row["id"] for row in ended if "id" in row}
        keys = {
            f"{row['partition']}/{row['name']}"
            for row in files
            if re.match("[^~/]+$", row["partition"])
        }
        seen: dict[str, Any] = {
            "accounts": sorted(
                (row["username"], row["role"]) for row in self.fake_aws.rows(self.settings.users)
            ),
            # Those of one moment come in the order of their ids.
            "invitations": sorted(plain(self.people["root"].get("/invites").json()), key=str),
            "kept": sorted(
                (row["partition"], row["file_name"], row["version"], row["etag"])
                for row in files
                if row["partition"].endswith(("/versions", "/trash")) and row["id"] not in condemned
            ),
        }
        seen["links"] = links.seen_of_links(self.watching["alice"], self.known.links.values())
        seen["requests"] = requests_of(self.watching["alice"])
        uploads = (row for row in files if row["partition"].endswith("/uploads"))
        seen["coming"] = sorted(
            (row["file_name"], row["size"], "done" in row) for row in uploads if "request" in row
        )
        seen["elsewhere is signed in"] = self.people["elsewhere"].get("/me").status
        seen["dora is signed in"] = self.people["dora"].get("/me").status
        accounts = {name: people.account_of(person) for name, person in watched.items()}
        seen["accounts as told"] = accounts
        for name, person in self.watching.items():
            if accounts[name] is None:
                continue
            seen[f"keys of {name}"] = people.keys_of(person)
            seen[name] = seen_by(person, keys | self.keys)
            seen[f"uploads of {name}"] = uploads_of(person)
            seen[f"groups of {name}"] = groups_of(person)
            seen[f"{name} is signed in"] = self.people[name].get("/me").status
        return seen

    def _go_on_watching(self, name: str, person: Client) -> None:
        """Moves the session of a viewer to the present epoch of the account."""
        accounts = self.fake_aws.rows(self.settings.users)
        (epoch,) = (row["epoch"] for row in accounts if row["username"] == name)
        self._db.update_item(
            TableName=self.settings.sessions,
            Key={"token_hash": {"S": people.session_id(person)}},
            UpdateExpression="SET epoch = :epoch",
            ExpressionAttributeValues={":epoch": {"S": epoch}},
        )

    def _holds(self) -> None:
        """Requires that every file row has its bytes, and that all rows agree with the files.

        An object belongs to a file, or its upload has an expiry entry.
        """
        rows = self.fake_aws.rows(self.settings.files)
        files = [row for row in rows if "id" in row]
        due = {row["name"] for row in rows if row["partition"].startswith("~expiry/")}
        objects = self.fake_aws.objects(self.settings.bucket)
        for row in files:
            data = objects.get(row["object"])
            require(data is not None, f"{row['name']} on {row['partition']} has no bytes")
            digest = hashlib.sha256(data).hexdigest()
            require(len(data) == int(row["size"]), f"{row['name']} on {row['partition']} is cut")
            require(row.get("sha256", digest) == digest, f"{row['name']} has other bytes")
        for row in rows:
            if row["partition"].endswith("/uploads"):
                listed = f"{row['partition']}/{row['name']}" in due
                require(listed is ("done" not in row), f"{row['name']} is wrong on the list")
        named = {row["object"] for row in files}
        for key in objects.keys() - named:
            _, who, upload = f"{key}//".split("/")[:3]
            listed = f"{who}/uploads/{upload.removesuffix('.put')}" in due
            require(listed or not upload, f"{key} is nobody's and will stay")
        assert_consistent(rows, self.fake_aws.rows(self.settings.users))
        self._holds_places(rows)

    def _holds_places(self, rows: list[dict[str, Any]]) -> None:
        """Requires that a file request counts its uploads, and that its owner's list has it."""
        shares = self.fake_aws.rows(self.settings.shares)
        requests = [row for row in shares if row["grantee"].startswith("request:")]
        ledger = [row["file"].partition("/")[2] for row in shares if "requests:" in row["grantee"]]
        require(sorted(ledger) == sorted(row["id"] for row in requests), "the ledger is wrong")
        uploads = [row for row in rows if row["partition"].endswith("/uploads")]
        for row in requests:
            sizes = [int(each["size"]) for each in uploads if each.get("request") == row["id"]]
            counted, held = (int(row["files"]), int(row["bytes"])), (len(sizes), sum(sizes))
            require(counted == held, f"{row['title']} counts {counted} and holds {held}")


def counting(clock: Clock, number: Callable[[], int]) -> Runtime:
    """A runtime with counted ids, whose pauses take no time."""
    return Runtime(
        now=clock,
        sleep=lambda _: None,
        new_id=lambda: f"{'1d' * 13}{number():06}",
        new_secret=lambda: f"{number():043}",
    )


def kept(held: Any, seen: set[int]) -> Any:
    """The attributes of an object of the function, recursively."""
    if isinstance(held, dict):
        return [(repr(name), kept(each, seen)) for name, each in held.items()]
    if isinstance(held, list | tuple | set | frozenset):
        return [kept(each, seen) for each in held]
    if type(held).__module__.startswith("function.") and hasattr(held, "__dict__"):
        if id(held) in seen:
            return id(held)
        seen.add(id(held))
        return [(name, kept(each, seen)) for name, each in vars(held).items()]
    return repr(held) if isinstance(held, str | int | float | bytes | None) else id(held)


def list_setups(*operations: Operation) -> tuple[SetupName, ...]:
    """The setups that these operations need."""
    return tuple(sorted({operation.after for operation in operations if operation.after}))


def tables_in(body: Any) -> Iterator[str]:
    """The physical names of the tables that a request of DynamoDB names."""
    if isinstance(body, list):
        for each in body:
            yield from tables_in(each)
    elif isinstance(body, dict):
        if "TableName" in body:
            yield body["TableName"]
        for name, each in body.items():
            if name == "RequestItems":
                yield from each
            elif name in {"TransactItems", "Put", "Update", "Delete", "ConditionCheck"}:
                yield from tables_in(each)
