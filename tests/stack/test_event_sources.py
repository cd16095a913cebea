"""The notifications of the bucket, the queues with their alarms, and the schedules."""

import json

import pytest

from function import contract
from function.core.limits import UPLOAD_SECONDS
from function.tables.uploads import object_key
from local.fake_outputs import fake_outputs
from tests.stack.declared import Stack


@pytest.fixture(scope="module", params=["production", "dev"])
def stack(request):
    return Stack(request.param, {})


def test_the_bucket_notifies_of_objects_that_one_presigned_put_created(stack):
    """The function knows of the objects that it writes or completes itself."""
    (notification,) = stack.inputs("BucketNotification")["queues"]
    assert stack.inputs("BucketNotification")["bucket"] == stack.exports["bucket"]
    assert notification["queueArn"] == stack.inputs("EventSourceMapping")["eventSourceArn"]
    assert notification["events"] == ["s3:ObjectCreated:Put"]
    assert notification["filterSuffix"] == contract.SINGLE_PUT_SUFFIX
    assert "filterPrefix" not in notification
    assert object_key("a", "b", "c", single=True).endswith(contract.SINGLE_PUT_SUFFIX)
    assert not object_key("a", "b", "c", single=False).endswith(contract.SINGLE_PUT_SUFFIX)
    # S3 sends a test message at once, so the queue's policy must allow it before.
    assert f"{stack.exports['queues']['uploadNotifications'].rsplit('/', 1)[-1]}-policy" in (
        stack.one("BucketNotification").depends_on
    )


def test_a_message_is_tried_five_times_and_then_kept_for_an_operator(stack):
    """It is invisible while the function works on it, so that no second try begins meanwhile."""
    queues = {fake_outputs(each)[1]["arn"]: each.inputs for each in stack.all("Queue")}
    mapped = stack.inputs("EventSourceMapping")
    queue = queues.pop(mapped["eventSourceArn"])
    ((dead_letter_arn, dead_letters),) = queues.items()
    assert queue["visibilityTimeoutSeconds"] >= 6 * stack.inputs("Function")["timeout"]
    redrive = json.loads(queue["redrivePolicy"])
    assert redrive == {"deadLetterTargetArn": dead_letter_arn, "maxReceiveCount": 5}
    assert dead_letters["messageRetentionSeconds"] == 14 * 86_400
    assert UPLOAD_SECONDS <= queue["messageRetentionSeconds"] < 14 * 86_400
    assert queue["sqsManagedSseEnabled"] is dead_letters["sqsManagedSseEnabled"] is True
    assert mapped["functionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapped["batchSize"] == 10
    function = stack.one("Function")
    assert mapped["functionName"] == fake_outputs(function)[1]["arn"]


def test_the_function_sweeps_every_five_minutes_and_reconciles_every_day(stack):
    """It recognises the events of the schedules, and no HTTP request looks like one."""
    rules = {
        each.physical_name: each.inputs["scheduleExpression"] for each in stack.all("EventRule")
    }
    targets = [each.inputs for each in stack.all("EventTarget")]
    sent = {rules.pop(each["rule"]): json.loads(each["input"]) for each in targets}
    assert sent == {
        "rate(5 minutes)": contract.SWEEP_EVENT,
        "rate(1 day)": contract.RECONCILE_EVENT,
    }
    assert not rules
    function = fake_outputs(stack.one("Function"))[1]["arn"]
    assert {each["arn"] for each in targets} == {function}
    assert all(contract.is_background_event(each) for each in sent.values())


def test_a_paused_stack_answers_no_request_and_runs_nothing():
    """Of the resources, properties alone change: names stay."""
    for config, state, enabled in (({}, "ENABLED", True), ({"paused": "true"}, "DISABLED", False)):
        stack = Stack("production", config)
        assert {each.inputs["state"] for each in stack.all("EventRule")} == {state}
        assert stack.inputs("EventSourceMapping")["enabled"] is enabled
        limits = stack.inputs("Stage")["defaultRouteSettings"]
        for name in ("throttlingRateLimit", "throttlingBurstLimit"):
            assert (limits[name] > 0) is enabled


def test_delayed_and_failed_messages_raise_an_alarm(stack):
    """One failed message is enough. An idle queue, which reports nothing, raises none."""
    alarms = {each.inputs["metricName"]: each.inputs for each in stack.all("MetricAlarm")}
    queues = {key: url.rsplit("/", 1)[-1] for key, url in stack.exports["queues"].items()}
    delayed = alarms["ApproximateAgeOfOldestMessage"]
    failed = alarms["ApproximateNumberOfMessagesVisible"]
    assert delayed["dimensions"] == {"QueueName": queues["uploadNotifications"]}
    assert failed["dimensions"] == {"QueueName": queues["deadLetter"]}
    assert failed["threshold"] == 0
    (invisible,) = (
        each.inputs["visibilityTimeoutSeconds"]
        for each in stack.all("Queue")
        if each.physical_name == queues["uploadNotifications"]
    )
    assert delayed["threshold"] > 5 * invisible, "five tries must not look like a delay"
    for alarm in alarms.values():
        assert alarm["comparisonOperator"] == "GreaterThanThreshold"
        assert alarm["treatMissingData"] == "notBreaching"
