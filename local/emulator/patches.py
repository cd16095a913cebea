"""Every patch of ministack, and the only module that uses its private names.

`@patch` names the release that a patch is for, and each name of ministack that it uses, by module.
A patch gets these modules as keyword arguments, and raises RuntimeError when a name is gone.
"""

# ruff: noqa: SLF001 - ministack has no public way to change what is changed here

import asyncio
import functools
import importlib
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.emulator.crc64 import joined_crc64nvme
from local.emulator.journal import Journal, exit_if_disk_failed, write_durably
from local.emulator.mail import mail_printer

JOURNAL_LIMIT = 64 * 1024 * 1024  # bytes; after that the tables are saved and the journal cleared
SAVE_SECONDS = 1.0  # from the change of a service other than DynamoDB to its saving

_ROW_WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
_READS = ("Get", "BatchGet", "TransactGet", "Query", "Scan", "Describe", "List")
_REPEATED = {"UpdateTimeToLive", "UpdateContinuousBackups"}  # by each start of `make serve`

Handle = Callable[..., Awaitable[Any]]
Save = Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True)
class Patch:
    """The release of ministack that a patch is for, and the names that it uses, by module."""

    release: str
    names: dict[str, list[str]]

    def load(self) -> dict[str, Any]:
        """The modules, by the last part of their names. Raises RuntimeError for a missing name."""
        modules = {module: importlib.import_module(f"ministack.{module}") for module in self.names}
        missing = [
            f"ministack.{module}.{name}"
            for module, names in self.names.items()
            for name in names
            if not hasattr(modules[module], name)
        ]
        if missing:
            raise RuntimeError(f"a patch for ministack {self.release} needs {', '.join(missing)}")
        return {module.rpartition(".")[2]: loaded for module, loaded in modules.items()}


PATCHES: dict[str, Patch] = {}


def patch(
    release: str, names: Mapping[str, str]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a patch. `names` are separated by spaces, for each module below `ministack`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        declared = Patch(release, {module: each.split() for module, each in names.items()})
        PATCHES[function.__name__] = declared

        @functools.wraps(function)
        def apply(*arguments: Any) -> Any:
            return function(*arguments, **declared.load())

        return apply

    return decorate


@patch(
    "1.5.33",
    {
        "core.persistence": "save_state _json_default _state_format_version",
        "services.s3": "_atomic_write",
    },
)
def write_files_durably(folder: Path, *, persistence: Any, s3: Any) -> Save:
    """Sync every object and every file of state to disk; ministack leaves that to the kernel.

    Returns the function that saves the state of a service in `folder`.
    """

    def save(service: str, state: dict[str, Any]) -> None:
        version = persistence._state_format_version(service)
        wrapped = {"__ministack_format__": version, "payload": state}
        text = json.dumps(wrapped, default=persistence._json_default)
        write_durably(str(folder / f"{service}.json"), text)

    persistence.save_state, s3._atomic_write = save, write_durably
    return save


@patch(
    "1.5.33",
    {
        "app": "_load_persisted_state",
        "core.persistence": "_json_default _json_object_hook",
        "services.dynamodb": "_lock _remove_item _set_item _tables get_state handle_request",
    },
)
def journal_rows(folder: Path, save: Save, *, app: Any, persistence: Any, dynamodb: Any) -> None:
    """Sync each changed row to a journal before the response, and replay the journal at the start.

    ministack saves tables only when it stops gracefully.
    """
    load_state = app._load_persisted_state

    def load_and_replay() -> None:
        load_state()
        journal = Journal(folder / "rows.journal", persistence._json_default)
        rows = _JournaledRows(dynamodb, journal, save)
        rows.replay(persistence._json_object_hook)
        dynamodb._set_item, dynamodb._remove_item = rows.set_item, rows.remove_item
        dynamodb.handle_request = rows.handle_request

    app._load_persisted_state = load_and_replay


class _JournaledRows:
    """Ministack's functions that change rows, with a journal; used by `journal_rows`."""

    def __init__(self, dynamodb: Any, journal: Journal, save: Save) -> None:
        self._dynamodb, self._journal, self._save = dynamodb, journal, save
        self._set_item, self._remove_item = dynamodb._set_item, dynamodb._remove_item
        self._handle_request = dynamodb.handle_request

    def set_item(self, table: Any, partition: Any, sort: Any, item: Any) -> Any:
        old = self._set_item(table, partition, sort, item)
        self._journal.add(table["TableArn"], partition, sort, item)
        return old

    def remove_item(self, table: Any, partition: Any, sort: Any) -> Any:
        old = self._remove_item(table, partition, sort)
        self._journal.add(table["TableArn"], partition, sort, None)
        return old

    async def handle_request(
        self, method: str, path: str, headers: Any, body: Any, query: Any
    ) -> Any:
        response = await self._handle_request(method, path, headers, body, query)
        try:
            self._journal.flush()
        except OSError as error:
            exit_if_disk_failed(error)
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        journaled = operation in _ROW_WRITES | _REPEATED or operation.startswith(_READS)
        if not journaled or self._journal.size > JOURNAL_LIMIT:
            self._save_tables()
        return response

    def replay(self, object_hook: Callable[[Any], Any]) -> None:
        tables = {table["TableArn"]: table for table in self._dynamodb._tables.all_values()}
        for arn, partition, sort, item in self._journal.changes(object_hook):
            if arn in tables and item is None:
                self._remove_item(tables[arn], partition, sort)
            elif arn in tables:
                self._set_item(tables[arn], partition, sort, item)
        if self._journal.size:
            self._save_tables()

    def _save_tables(self) -> None:
        with self._dynamodb._lock:  # against the thread that deletes expired rows
            self._save("dynamodb", self._dynamodb.get_state())
        self._journal.clear()


@patch("1.5.33", {"app": "SERVICE_HANDLERS SERVICE_REGISTRY _state_map"})
def save_changed_services(save: Save, *, app: Any) -> Callable[[], Awaitable[None]]:
    """Save each service but DynamoDB soon after a change; returns the endless task that saves.

    ministack saves them only when it stops gracefully.
    """
    changed: set[str] = set()
    app.SERVICE_HANDLERS = {
        service: _noting(changed, app.SERVICE_REGISTRY[service]["module"], handle)
        for service, handle in app.SERVICE_HANDLERS.items()
    }
    services = {module: service for service, module in app._state_map.items()}

    async def save_forever() -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            while changed:
                module = changed.pop()
                loaded = sys.modules.get(f"ministack.services.{module}")
                state = loaded.get_state() if loaded and hasattr(loaded, "get_state") else None
                if state is not None:
                    save(services[module], state)

    return save_forever


def _noting(changed: set[str], module: str, handle: Handle) -> Handle:
    """The handler of a service that adds its module to `changed` when it may have changed it."""

    async def handle_and_note(method: str, path: str, headers: Any, *rest: Any) -> Any:
        response = await handle(method, path, headers, *rest)
        object_request = module == "s3" and "/" in path.strip("/")
        polling = headers.get("x-amz-target", "").endswith("ReceiveMessage")
        reading = method in {"GET", "HEAD"}
        if not (module == "dynamodb" or object_request or polling or reading):
            changed.add(module)
        return response

    return handle_and_note


@patch(
    "1.5.33",
    {
        "services.s3": "_deliver_event_to_sqs _fire_s3_event _fire_s3_event_async"
        " _next_event_sequencer",
        "services.sqs": "get_state",
    },
)
def deliver_notifications_before_the_response(save: Save, *, s3: Any, sqs: Any) -> None:
    """Put the notification of an object in the queue, on disk, before the response to the PUT.

    ministack sends it afterwards from a thread, and loses it when the process is killed. S3
    delivers notifications at least once.
    """
    deliver = s3._deliver_event_to_sqs

    def deliver_and_save(*arguments: Any, **options: Any) -> None:
        deliver(*arguments, **options)
        save("sqs", sqs.get_state())

    def fire(bucket: str, key: str, event: str, *arguments: Any, **options: Any) -> None:
        sequencer = s3._next_event_sequencer(event)
        s3._fire_s3_event(bucket, key, event, *arguments, sequencer=sequencer, **options)

    s3._deliver_event_to_sqs, s3._fire_s3_event_async = deliver_and_save, fire


@patch("1.5.33", {"services.s3": "_complete_multipart_upload _error _multipart_uploads _qp"})
def verify_checksums_of_whole_objects(*, s3: Any) -> None:
    """Verify the CRC-64/NVME that a completion declares over the bytes of the joined parts.

    ministack compares it with a checksum over the checksums of the parts.
    """
    complete, header = s3._complete_multipart_upload, "x-amz-checksum-crc64nvme"

    def verify_and_complete(
        bucket: str, key: str, body: bytes, query: Any, headers: dict[str, str] | None = None
    ) -> Any:
        upload_id, sent = s3._qp(query, "uploadId"), dict(headers or {})
        upload = s3._multipart_uploads.get(upload_id) or {}
        declared = sent.pop(header, None)
        if declared and upload.get("checksum_algorithm") == "CRC64NVME":
            parts = [upload["parts"][number] for number in sorted(upload["parts"])]
            if joined_crc64nvme(parts) != declared:
                return s3._error("BadDigest", "Another CRC64NVME.", 400, f"/{bucket}/{key}")
        return complete(bucket, key, body, query, sent)

    s3._complete_multipart_upload = verify_and_complete


@patch(
    "1.5.33",
    {"services.sqs": "DEFAULT_HOST DEFAULT_PORT _CANONICAL_NETLOC _HOST_EXPLICIT"},
)
def find_queues_on_any_port(*, sqs: Any) -> None:
    """Store queue URLs without the port, and give out URLs with the port of the request.

    ministack stores them with its port, and finds no queue after a start on another port.
    """
    sqs.DEFAULT_PORT, sqs._CANONICAL_NETLOC = "0", f"{sqs.DEFAULT_HOST}:0"
    sqs._HOST_EXPLICIT = False


@patch(
    "1.5.33",
    {
        "core.iam_actions": "_SES_V2_RESOURCES",
        "core.iam_evaluator": "_resolve_condition_key",
        "services.ses_v2": "_smtp_relay",
    },
)
def print_mail(terminal: int, *, iam_actions: Any, iam_evaluator: Any, ses_v2: Any) -> None:
    """Print mails on a terminal, and authorize senders by the identity that they send from.

    ministack relays mails to an SMTP server, authorizes every sender alike, and does not know the
    condition `ses:FromAddress`.
    """
    resolve = iam_evaluator._resolve_condition_key

    def resolve_sender(key: str, request: Any) -> Any:
        if key.lower() == "ses:fromaddress":
            return request.resource_arn.rpartition(":identity/")[2]
        return resolve(key, request)

    iam_actions._SES_V2_RESOURCES["outbound-emails"] = ("identity", "FromEmailAddress")
    iam_evaluator._resolve_condition_key = resolve_sender
    ses_v2._smtp_relay = mail_printer(terminal)


@patch(
    "1.5.33",
    {"core.iam_evaluator": "is_root_access_key", "services.sts": "is_root_access_key"},
)
def accept_one_root_key(key: str, *, iam_evaluator: Any, sts: Any) -> None:
    """Give the rights of the root account to one access key alone.

    ministack gives them to the key `test`, to any twelve digits and to requests without a key, and
    verifies no signature of these.
    """

    def is_root_access_key(given: str) -> bool:
        return given == key

    iam_evaluator.is_root_access_key = sts.is_root_access_key = is_root_access_key
