"""What the stack promises of files that arrive without a word, and of the clock."""

import json

import pytest

from function import contract
from function.core.limits import UPLOAD_SECONDS
from function.tables.uploads import object_key
from local import imagine
from tests.stack.declared import Stack


@pytest.fixture(scope="module", params=["production", "dev"])
def stack(request):
    return Stack(request.param, {})


def test_the_bucket_tells_of_what_one_put_made_and_of_nothing_else(stack):
    """Parts, and what the function puts there itself, would be news to nobody."""
    (told,) = stack.inputs("BucketNotification")["queues"]
    assert stack.inputs("BucketNotification")["bucket"] == stack.exports["bucket"]
    assert told["queueArn"] == stack.inputs("EventSourceMapping")["eventSourceArn"]
    assert (told["events"], told["filterSuffix"]) == (["s3:ObjectCreated:Put"], contract.ARRIVING)
    assert "filterPrefix" not in told
    assert object_key("a", "b", "c", single=True).endswith(contract.ARRIVING)
    assert not object_key("a", "b", "c", single=False).endswith(contract.ARRIVING)
    # S3 sends a test when it is told, so it must be let in before.
    assert f"{stack.exports['queues']['arrivals'].rsplit('/', 1)[-1]}-policy" in (
        stack.one("BucketNotification").depends_on
    )


def test_no_message_is_lost_and_none_turns_for_ever(stack):
    """Hidden while the function may be at it, tried five times, then kept for a person."""
    queues = {imagine.made(each)[1]["arn"]: each.inputs for each in stack.all("Queue")}
    mapped = stack.inputs("EventSourceMapping")
    arrivals = queues.pop(mapped["eventSourceArn"])
    ((failed_arn, failed),) = queues.items()
    assert arrivals["visibilityTimeoutSeconds"] >= 6 * stack.inputs("Function")["timeout"]
    redrive = json.loads(arrivals["redrivePolicy"])
    assert redrive == {"deadLetterTargetArn": failed_arn, "maxReceiveCount": 5}
    assert failed["messageRetentionSeconds"] == 14 * 86_400
    assert UPLOAD_SECONDS <= arrivals["messageRetentionSeconds"] < 14 * 86_400
    assert arrivals["sqsManagedSseEnabled"] is failed["sqsManagedSseEnabled"] is True
    assert mapped["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapped["batchSize"] == 10
    function = stack.one("Function")
    assert mapped["functionName"] == imagine.made(function)[1]["arn"]


def test_the_function_sweeps_every_hour_and_compares_every_day(stack):
    """What a schedule sends is what the function knows, and nobody's request can be."""
    rules = {each.physical: each.inputs["scheduleExpression"] for each in stack.all("EventRule")}
    targets = [each.inputs for each in stack.all("EventTarget")]
    sent = {rules.pop(each["rule"]): json.loads(each["input"]) for each in targets}
    assert sent == {"rate(1 hour)": contract.SWEEP, "rate(1 day)": contract.RECONCILE}
    assert not rules
    function = imagine.made(stack.one("Function"))[1]["arn"]
    assert {each["arn"] for each in targets} == {function}
    assert all(contract.is_event(each) for each in sent.values())


def test_a_queue_that_jams_raises_an_alarm(stack):
    """One message put aside is enough; an empty queue, which reports nothing, is none."""
    watched = {each.inputs["metricName"]: each.inputs for each in stack.all("MetricAlarm")}
    arrivals, failed = (
        stack.exports["queues"][each].rsplit("/", 1)[-1] for each in ("arrivals", "failed")
    )
    late = watched["ApproximateAgeOfOldestMessage"]
    aside = watched["ApproximateNumberOfMessagesVisible"]
    assert (late["dimensions"], aside["dimensions"]) == (
        {"QueueName": arrivals},
        {"QueueName": failed},
    )
    assert aside["threshold"] == 0
    (hidden,) = (
        each.inputs["visibilityTimeoutSeconds"]
        for each in stack.all("Queue")
        if each.physical == arrivals
    )
    assert late["threshold"] > 5 * hidden, "a message that fails is put aside, not late"
    for alarm in watched.values():
        assert alarm["comparisonOperator"] == "GreaterThanThreshold"
        assert alarm["treatMissingData"] == "notBreaching"
