"""Events that are no requests: schedules, an operator's, and S3 notifications from the SQS queue.

A message of the queue is acknowledged when its uploads are complete or never can be. One that fails
returns to the queue alone (ReportBatchItemFailures, AWS Lambda Developer Guide), which delivers it
again or moves it to the dead-letter queue.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from aws_lambda_powertools import Logger

from function import base
from function.aws.metrics import put_metrics
from function.contract import CONFIRMED_EVENT, DRY_RUN_EVENT, RECONCILE_EVENT, SWEEP_EVENT
from function.core.errors import Unavailable
from function.core.runtime import BatchResult
from function.maintenance.reconcile import Reconciliation, Report
from function.maintenance.sweep import Sweep
from function.uploads.completion import CompletionService

STEP_SECONDS = 10  # one step of scheduled work takes less


def handle(event: Mapping[str, Any], context: Any, logger: Logger) -> dict[str, Any]:
    """Handles an event, and returns what its source expects: failed messages, or counts.

    An operator's run of the reconciliation also returns what it found, and whether it is `done`;
    otherwise the same event continues it. Raises Unavailable when a part of the scheduled work
    failed, so that the invocation counts as failed.
    """
    if "Records" in event:
        failed = [
            each["messageId"] for each in event["Records"] if not _complete_uploads(each, logger)
        ]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
    milliseconds_left: Callable[[], int] = context.get_remaining_time_in_millis

    def seconds_left() -> float:
        return milliseconds_left() / 1000 - STEP_SECONDS

    if event in (DRY_RUN_EVENT, CONFIRMED_EVENT):
        report = Reconciliation(base.current(), event["mode"]).run(lambda: seconds_left() > 0)
        findings = {"findings": report.findings, "reasons": report.reasons}
        return {"done": report.done, **_counts(report), **findings}
    if event not in (SWEEP_EVENT, RECONCILE_EVENT):
        raise ValueError(f"unknown event {event}")
    return _work(event, seconds_left, logger)


def uploaded_keys(body: str) -> Iterator[str]:
    """The keys of the objects that an S3 notification names; none for any other text.

    S3 itself sends another kind first, an `s3:TestEvent`. Keys are encoded as forms are (Amazon S3
    User Guide, event message structure).
    """
    try:
        message = json.loads(body)
    except ValueError:
        return
    records = message.get("Records", []) if isinstance(message, dict) else []
    for record in records:
        yield unquote_plus(record["s3"]["object"]["key"])


def _work(
    event: Mapping[str, Any], seconds_left: Callable[[], float], logger: Logger
) -> dict[str, int]:
    """Does the work of a schedule, and tells of it also when a part has failed."""
    counts, errors = _sweep(seconds_left) if event == SWEEP_EVENT else ({}, [])
    reconciled = BatchResult()
    with reconciled.attempt():
        counts |= _reconcile(seconds_left, logger, begin=event == RECONCILE_EVENT)
    if errors := [*errors, *reconciled.failed]:
        counts["failed"] = len(errors)
    logger.info("scheduled work", extra=counts)
    _send_metrics(counts)
    if errors:
        raise Unavailable(
            f"Scheduled work failed to finish {len(errors)} of its tasks; the next run tries again."
        ) from errors[0]
    return counts


def _sweep(seconds_left: Callable[[], float]) -> tuple[dict[str, int], list[Exception]]:
    result = base.one(Sweep).run(seconds_left)
    errors = result.expired.failed + result.moves.failed + result.accounts.failed
    counts = {
        "expired": result.expired.done,
        "moves_finished": result.moves.done,
        "accounts_deleted": result.accounts.done,
        "failed": 0,
        "lag": result.lag,
    }
    return counts, errors


def _reconcile(seconds_left: Callable[[], float], logger: Logger, *, begin: bool) -> dict[str, int]:
    """Continues the reconciliation if it is unfinished; `begin` also begins a new one."""
    reconciliation = base.one(Reconciliation)
    if not base.current().settings.reconcile or not (
        begin or (seconds_left() > 0 and reconciliation.is_unfinished())
    ):
        return {}
    report = reconciliation.run(lambda: seconds_left() > 0)
    for reason in report.reasons:
        logger.error("reconciliation stopped", reason=reason, findings=report.findings)
    return _counts(report)


def _send_metrics(counts: Mapping[str, int]) -> None:
    """Sends the counts that are not 0: a metric is paid for each hour in which it has a value."""
    if happened := {name: count for name, count in counts.items() if count}:
        put_metrics(base.current().settings.stack, happened)


def _counts(report: Report) -> dict[str, int]:
    return {name: count for name, count in vars(report).items() if type(count) is int}


def _complete_uploads(record: Mapping[str, Any], logger: Logger) -> bool:
    """Completes the uploads that a message of the queue names; False when it must be sent again."""
    try:
        for key in uploaded_keys(record.get("body", "")):
            completed = base.one(CompletionService).complete_arrived(key)
            logger.info("upload notification", completed=completed)
    except Exception as error:  # noqa: BLE001 - one message must not fail the others of its batch
        logger.warning("upload notification failed", error=type(error).__name__)
        return False
    return True
