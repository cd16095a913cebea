"""What the stack's policies allow: no more than it names, and nothing that a linter objects to."""

import json
import re
import warnings

import pytest

from local import imagine
from tests.declared import Stack

with warnings.catch_warnings():
    warnings.simplefilter("ignore", ResourceWarning)  # it leaves its own tables open
    from parliament import analyze_policy_string


@pytest.fixture(scope="module", params=["production", "dev"])
def stack(request):
    return Stack(request.param, {})


def test_policies_hold_no_mistake_that_a_linter_knows(stack):
    """A misspelt action or an action that its resource does not have grants nothing, silently."""
    assert len(stack.policies()) == 3
    for name, policy in stack.policies().items():
        if name.endswith("-function"):
            continue  # a trust policy has no resource, and the linter knows only identity's
        assert analyze_policy_string(json.dumps(policy)).findings == [], name


def test_policies_allow_exact_actions_on_what_the_stack_declares(stack):
    """`*` grants what nobody thought of: no action holds one, and no resource begins with it."""
    arns = {f"arn:aws:s3:::{each.physical}" for each in stack.all("Bucket")}
    for table in stack.all("Table"):
        arns.add(imagine.made(table)[1]["arn"])
    arns |= {imagine.made(group)[1]["arn"] for group in stack.all("LogGroup")}
    for statement in json.loads(stack.inputs("RolePolicy")["policy"])["Statement"]:
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in statement["Action"])
        resource = statement["Resource"]
        owner = re.sub(r"(/\*|:\*|/index/[a-z_]+)$", "", resource)
        assert owner in arns, f"{resource} is nothing of this stack"


def test_only_lambda_takes_on_the_role(stack):
    """A role that others may assume is another way in."""
    trust = json.loads(stack.inputs("Role")["assumeRolePolicy"])["Statement"]
    assert [(each["Principal"], each["Action"]) for each in trust] == [
        ({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")
    ]
