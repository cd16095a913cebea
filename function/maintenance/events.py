"""What reaches the function and is no request: news from the bucket by the queue, and the schedule.

Imports deps, services and errors. A message is acknowledged when it is done with or can never be;
what may succeed later is given back, alone, and the queue brings it again or puts it aside.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from aws_lambda_powertools import Logger

from function import base
from function.accounts.closing import AccountDeletion
from function.contract import RECONCILE_EVENT, SWEEP_EVENT
from function.core.errors import Unavailable
from function.core.runtime import BatchResult
from function.maintenance.reconcile import Reconciliation
from function.maintenance.sweep import Sweep
from function.uploads.completion import CompletionService

RESERVE = 10_000  # milliseconds: what one step of a sweep may take at worst


def handle(event: Mapping[str, Any], context: Any, logger: Logger) -> dict[str, Any]:
    """Hands an event to its service, and answers as Lambda expects of its source."""
    if event in (SWEEP_EVENT, RECONCILE_EVENT):
        left: Callable[[], int] = context.get_remaining_time_in_millis
        done, failed = _scheduled(event, lambda: left() > RESERVE)
        logger.info("done by schedule", extra=done)
        _measured(done)
        if failed:
            raise Unavailable(f"{len(failed)} could not be removed.") from failed[0]
        return done
    failed = [record["messageId"] for record in event["Records"] if not _taken(record, logger)]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def _scheduled(
    event: Mapping[str, Any], in_time: Callable[[], bool]
) -> tuple[dict[str, int], list[Exception]]:
    """What was done, by its name, and what went wrong meanwhile."""
    if event == SWEEP_EVENT:
        return _swept(in_time)
    report = base.one(Reconciliation).run(in_time)
    return {name: count for name, count in vars(report).items() if isinstance(count, int)}, []


def _swept(in_time: Callable[[], bool]) -> tuple[dict[str, int], list[Exception]]:
    """Removes what has expired first, which many wait for; neither keeps the other from it."""
    swept, closed = BatchResult(), BatchResult()
    with swept.attempt():
        base.one(Sweep).sweep(in_time, swept)
    with closed.attempt():
        base.one(AccountDeletion).sweep(in_time, closed)
    failed = swept.failed + closed.failed
    return {"swept": swept.done, "closed": closed.done, "failed": len(failed)}, failed


def _measured(done: Mapping[str, int]) -> None:
    """Gives the counts out as metrics; what makes them is of use here alone, so loaded here."""
    from aws_lambda_powertools.metrics import Metrics, MetricUnit  # noqa: PLC0415

    metrics = Metrics(namespace="Satchel", service="satchel")
    for name, count in done.items():
        metrics.add_metric(name, MetricUnit.Count, count)
    metrics.flush_metrics()


def _taken(record: Mapping[str, Any], logger: Logger) -> bool:
    """Whether a message is done with; False gives it back."""
    try:
        for key in arrivals(record.get("body", "")):
            made = base.one(CompletionService).complete_arrived(key)
            logger.info("arrival", completed=made)
    except Exception as error:  # noqa: BLE001 - one bad message must not hold up the others
        logger.warning("arrival not taken", error=type(error).__name__)
        return False
    return True


def arrivals(body: str) -> Iterator[str]:
    """The keys of the objects that a message of S3's tells of.

    Nothing for what is not one: S3 itself begins with an `s3:TestEvent`. Keys are written as forms
    write them (Amazon S3 User Guide, event message structure).
    """
    try:
        message = json.loads(body)
    except ValueError:
        return
    records = message.get("Records", []) if isinstance(message, dict) else []
    for record in records:
        yield unquote_plus(record["s3"]["object"]["key"])
