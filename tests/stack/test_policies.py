"""The policies of the stack: exact actions on exact resources, and no finding of a linter."""

import json
import re
import warnings

import pytest

from local.fake_outputs import fake_outputs
from tests.stack.declared import Stack

with warnings.catch_warnings():
    warnings.simplefilter("ignore", ResourceWarning)  # it leaves its own tables open
    from parliament import analyze_policy_string


@pytest.fixture(scope="module", params=["production", "dev"])
def stack(request):
    return Stack(request.param, {})


def test_a_linter_finds_nothing_in_the_policies(stack):
    """IAM accepts a misspelt action, or one that the resource does not have, and ignores it."""
    assert len(stack.policies()) == 5
    for name, policy in stack.policies().items():
        if name.endswith("-function-role"):
            continue  # the linter knows identity policies only; a trust policy names no resource
        assert analyze_policy_string(json.dumps(policy)).findings == [], name


def test_policies_allow_exact_actions_on_what_the_stack_declares(stack):
    """A wildcard would allow more than the stack needs."""
    arns = {f"arn:aws:s3:::{each.physical_name}" for each in stack.all("Bucket")}
    for table in stack.all("Table"):
        arns.add(fake_outputs(table)[1]["arn"])
    for kind in ("LogGroup", "Queue"):
        arns |= {fake_outputs(each)[1]["arn"] for each in stack.all(kind)}
    for statement in json.loads(stack.inputs("RolePolicy")["policy"])["Statement"]:
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in statement["Action"])
        resource = statement["Resource"]
        owner = re.sub(r"(/\*|:\*|/index/[a-z_]+)$", "", resource)
        assert owner in arns, f"{resource} is not part of this stack"


def test_the_function_can_read_only_the_queue_of_notifications(stack):
    """It never sends a message, and it leaves the dead-letter queue to operators."""
    statements = json.loads(stack.inputs("RolePolicy")["policy"])["Statement"]
    (mine,) = (each for each in statements if each["Action"][0].startswith("sqs:"))
    names = {"ReceiveMessage", "DeleteMessage", "GetQueueAttributes"}
    assert set(mine["Action"]) == {f"sqs:{name}" for name in names}
    assert mine["Resource"] == stack.inputs("EventSourceMapping")["eventSourceArn"]


def test_only_the_bucket_can_send_to_the_queue_and_only_over_tls(stack):
    """Another account can create a bucket of the same name after this one has been deleted."""
    mapped = stack.inputs("EventSourceMapping")["eventSourceArn"]
    for queue in stack.all("Queue"):
        added = fake_outputs(queue)[1]
        (policy,) = (
            json.loads(each.inputs["policy"])["Statement"]
            for each in stack.all("QueuePolicy")
            if each.inputs["queueUrl"] == added["url"]
        )
        closed, *allowed = policy
        assert (closed["Effect"], closed["Principal"], closed["Action"]) == ("Deny", "*", "sqs:*")
        assert closed["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert {each["Resource"] for each in policy} == {added["arn"]}
        if added["arn"] != mapped:
            assert not allowed
            continue
        (send,) = allowed
        assert (send["Effect"], send["Action"]) == ("Allow", "sqs:SendMessage")
        assert send["Principal"] == {"Service": "s3.amazonaws.com"}
        assert send["Condition"] == {
            "ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{stack.exports['bucket']}"},
            "StringEquals": {"aws:SourceAccount": mapped.split(":")[4]},
        }


def test_only_lambda_can_assume_the_role(stack):
    """Any other principal would have the permissions of the function."""
    trust = json.loads(stack.inputs("Role")["assumeRolePolicy"])["Statement"]
    assert [(each["Principal"], each["Action"]) for each in trust] == [
        ({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")
    ]
