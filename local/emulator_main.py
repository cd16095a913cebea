"""The emulator's own process: ministack, made to keep what it has acknowledged.

Ministack alone writes its tables to disk when it stops in good order, so a power cut would take
every row since the start. Here each changed row is appended to a journal and synced before the
answer leaves, and the journal is replayed at the next start; objects are synced as they are
written, and so is what the bucket tells of them; everything else (roles, bucket settings) is saved
within a second of its change.
A disk that refuses ends the process: no answer is better than a promise that is not kept.

Run by `emulator` with the interpreter of the emulator's virtual environment, so it imports
ministack, the standard library, `journal` and `mails`. It stops when its standard input ends, which
it also does when the parent is killed.
"""

# ruff: noqa: SLF001 - ministack offers no other way in, and its version is pinned

import asyncio
import importlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from local.journal import Journal, refuse, write_durably
from local.mails import shown_on

JOURNAL_LIMIT = 64 * 1024 * 1024  # bytes, then the tables are saved whole
SAVE_EVERY = 1.0  # seconds, when something other than rows has changed

HEALTH = "/_ministack/health"
_ROW_WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
_READS = ("Get", "BatchGet", "TransactGet", "Query", "Scan", "Describe", "List")
# Said again at every start of the server, so that saving them can wait for the end.
_SETTINGS = {"UpdateTimeToLive", "UpdateContinuousBackups"}

state = Path(os.environ["STATE_DIR"])
app: Any = importlib.import_module("ministack.app")
dynamodb: Any = importlib.import_module("ministack.services.dynamodb")
actions: Any = importlib.import_module("ministack.core.iam_actions")
evaluator: Any = importlib.import_module("ministack.core.iam_evaluator")
persistence: Any = importlib.import_module("ministack.core.persistence")
s3: Any = importlib.import_module("ministack.services.s3")
ses: Any = importlib.import_module("ministack.services.ses_v2")
sqs: Any = importlib.import_module("ministack.services.sqs")
sts: Any = importlib.import_module("ministack.services.sts")
_plain, _restored = persistence._json_default, persistence._json_object_hook


def save(service: str, data: dict[str, Any]) -> None:
    """One service's state to its file; takes the place of ministack's own function."""
    wrapped = {
        "__ministack_format__": persistence._state_format_version(service),
        "payload": data,
    }
    text = json.dumps(wrapped, default=_plain)
    write_durably(str(state / f"{service}.json"), text)


def keep_rows(journal: Journal) -> None:
    """Make every acknowledged change of a row or a table durable before its answer."""
    set_item, remove_item = dynamodb._set_item, dynamodb._remove_item
    answer = dynamodb.handle_request

    def set_and_note(table: Any, partition: Any, sort: Any, item: Any) -> Any:
        old = set_item(table, partition, sort, item)
        journal.note(table["TableArn"], partition, sort, item)
        return old

    def remove_and_note(table: Any, partition: Any, sort: Any) -> Any:
        old = remove_item(table, partition, sort)
        journal.note(table["TableArn"], partition, sort, None)
        return old

    async def answer_when_kept(method: str, path: str, headers: Any, body: Any, query: Any) -> Any:
        result = await answer(method, path, headers, body, query)
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            journal.flush()
        except OSError as error:
            refuse(error)
        known = operation in _ROW_WRITES | _SETTINGS or operation.startswith(_READS)
        if not known or journal.size > JOURNAL_LIMIT:
            save_tables(journal)
        return result

    dynamodb._set_item, dynamodb._remove_item = set_and_note, remove_and_note
    dynamodb.handle_request = answer_when_kept


def save_tables(journal: Journal) -> None:
    """All tables to their file, after which the journal starts again."""
    with dynamodb._lock:  # the thread that removes expired rows
        save("dynamodb", dynamodb.get_state())
    journal.restart()


def keep_the_rest() -> set[str]:
    """Note which services changed; returns the set that `save_changes` empties."""
    changed: set[str] = set()

    def noting(service: str, handler: Any) -> Any:
        module = app.SERVICE_REGISTRY[service]["module"]

        async def handle(method: str, path: str, *rest: Any) -> Any:
            result = await handler(method, path, *rest)
            an_object = module == "s3" and "/" in path.strip("/")
            asked = rest[0].get("x-amz-target", "").endswith("ReceiveMessage")  # again and again
            if not (asked or an_object or method in {"GET", "HEAD"} or module == "dynamodb"):
                changed.add(module)
            return result

        return handle

    app.SERVICE_HANDLERS = {name: noting(name, call) for name, call in app.SERVICE_HANDLERS.items()}
    return changed


async def save_changes(changed: set[str]) -> None:
    """Every second, save the services that changed."""
    names = {module: key for key, module in app._state_map.items()}
    while True:
        await asyncio.sleep(SAVE_EVERY)
        while changed:
            module = changed.pop()
            loaded = sys.modules.get(f"ministack.services.{module}")
            data = loaded.get_state() if hasattr(loaded, "get_state") and loaded else None
            if data is not None:
                save(names[module], data)


def tell_before_answering() -> None:
    """Put the bucket's news in the queue, on disk, before the answer to the PUT it tells of.

    Ministack sends it afterwards from a thread, and what dies with that is told to nobody; S3
    promises to tell at least once.
    """
    deliver = s3._deliver_event_to_sqs

    def deliver_and_keep(*told: Any, **of: Any) -> None:
        deliver(*told, **of)
        save("sqs", sqs.get_state())

    def fire(bucket: str, key: str, event: str, *told: Any, **of: Any) -> None:
        number = s3._next_event_sequencer(event)
        s3._fire_s3_event(bucket, key, event, *told, sequencer=number, **of)

    s3._deliver_event_to_sqs, s3._fire_s3_event_async = deliver_and_keep, fire


def know_queues_again() -> None:
    """Keep queues under an address without a port, and give out that of the request.

    Ministack keeps them under the port that it had, and finds none after a start on another.
    """
    sqs.DEFAULT_PORT, sqs._CANONICAL_NETLOC = "0", f"{sqs.DEFAULT_HOST}:0"
    sqs._HOST_EXPLICIT = False


def send_mail(terminal: int) -> None:
    """Show mails on the terminal, and ask who may send as AWS does: by the sender's identity."""
    actions._SES_V2_RESOURCES["outbound-emails"] = ("identity", "FromEmailAddress")
    ses._smtp_relay = shown_on(terminal)


def close_back_doors() -> None:
    """Only the random key made for this state is the administrator's.

    Ministack takes the key `test`, any twelve digits and no key at all for the root account, and
    checks no signature then. Without a key a request is now nobody's.
    """

    def is_administrator(key: str) -> bool:
        return key == os.environ["AWS_ACCESS_KEY_ID"]

    evaluator.is_root_access_key = sts.is_root_access_key = is_administrator


async def behind_the_door(scope: Any, receive: Any, send: Any) -> None:
    """Ministack without its own `/_ministack/…` routes, which need no credentials.

    One of them forgets all data, and any web page open on this machine could call it. What comes
    over loopback counts as TLS, or the bucket's policy would refuse it.
    """
    private = scope["type"] != "lifespan" and scope["path"].startswith(("/_", "/health"))
    if private and scope["path"] != HEALTH:
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})
    elif scope["type"] == "lifespan":
        await app.app(scope, receive, send)
    else:
        kept = [pair for pair in scope["headers"] if pair[0] != b"x-forwarded-proto"]
        secure = {**scope, "headers": [*kept, (b"x-forwarded-proto", b"https")]}
        await app.app(secure, receive, send)


def load_with(journal: Journal, load: Any) -> Any:
    """Ministack's loading of its state, then the journal's rows on top."""

    def load_and_replay() -> None:
        load()
        tables = {table["TableArn"]: table for table in dynamodb._tables.all_values()}
        for arn, partition, sort, item in journal.changes(_restored):
            if arn in tables and item is None:
                dynamodb._remove_item(tables[arn], partition, sort)
            elif arn in tables:
                dynamodb._set_item(tables[arn], partition, sort, item)
        if journal.size:
            save_tables(journal)
        keep_rows(journal)

    return load_and_replay


async def serve(descriptor: int) -> None:
    """Answer on an inherited listening socket until standard input ends."""
    hypercorn: Any = importlib.import_module("hypercorn.asyncio")
    config: Any = importlib.import_module("hypercorn.config").Config()
    config.bind, config.keep_alive_timeout = [f"fd://{descriptor}"], 75
    config.loglevel, config.graceful_timeout = "WARNING", 2
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def watch() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=watch, daemon=True).start()
    saver = asyncio.create_task(save_changes(keep_the_rest()))
    await hypercorn.serve(behind_the_door, config, shutdown_trigger=ended.wait)
    saver.cancel()


def main() -> None:
    """Serve on the socket whose descriptor is the first argument; the second is the terminal's."""
    close_back_doors()
    know_queues_again()
    tell_before_answering()
    send_mail(int(sys.argv[2]))
    s3._atomic_write = write_durably
    persistence.save_state = save
    journal = Journal(state / "rows.journal", _plain)
    app._load_persisted_state = load_with(journal, app._load_persisted_state)
    asyncio.run(serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()
