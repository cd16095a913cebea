"""AWS refuses some names and sizes only in the middle of a deployment: the program does before."""

import json
import re
from bisect import bisect

import pytest

from function import contract
from infra.limits import MAX_ENVIRONMENT_BYTES, MAX_STACK_NAME, NAME_SUFFIX
from local import record
from tests.stack.declared import Stack

# By the kind of a resource, what AWS accepts as its name.
NAMES = {
    "Api": r".{1,128}",
    "Bucket": r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    "EventRule": r"[.A-Za-z0-9_-]{1,64}",
    "EventTarget": r"[.A-Za-z0-9_-]{1,64}",
    "Function": r"[A-Za-z0-9_-]{1,64}",
    "LogGroup": r"[./#A-Za-z0-9_-]{1,512}",
    "MetricAlarm": r".{1,255}",
    "Permission": r"[A-Za-z0-9_-]{1,100}",
    "Queue": r"[A-Za-z0-9_-]{1,80}",
    "Role": r"[\w+=,.@-]{1,64}",
    "RolePolicy": r"[\w+=,.@-]{1,128}",
    "Table": r"[.A-Za-z0-9_-]{3,255}",
}
LONGEST = "s" * MAX_STACK_NAME


def rules(size):
    """An `uploadRules` of about this many bytes."""
    types = [f".{number:07}" for number in range(size // 11)]
    return json.dumps({"member": {"types": types}}, separators=(",", ":"))


def variables(stack):
    """The size of the function's environment, as Lambda measures it."""
    environment = stack.inputs("Function")["environment"]["variables"]
    return len(json.dumps(environment, separators=(",", ":"), ensure_ascii=False).encode())


@pytest.mark.parametrize("name", ["x", "production", "eu-central-1", LONGEST])
def test_every_resource_of_an_accepted_stack_has_a_name_that_aws_accepts(name):
    """With the characters that Pulumi adds to a name that the program does not fix."""
    seen = set()
    for resource in Stack(name, {"allowedOrigins": ["https://files.example.org"]}).resources:
        kind = resource.kind.rpartition(":")[2]
        if kind in NAMES:
            seen.add(kind)
            full = resource.inputs.get("name") or resource.name + NAME_SUFFIX
            assert re.fullmatch(NAMES[kind], full), (kind, full)
    assert seen == NAMES.keys()


@pytest.mark.parametrize(
    "name", ["Prod_EU", "prod_eu", "Production", "a.b", "-x", "x-", "ü", LONGEST + "s", "s" * 60]
)
def test_a_stack_whose_name_aws_would_refuse_is_not_deployed(name):
    """Before the program declares anything."""
    with pytest.raises(ValueError, match=rf"{re.escape(name)}\. Choose a name of at most 30"):
        record.record_resources(name)


def test_settings_that_the_environment_of_a_function_cannot_hold_are_refused():
    """Lambda holds 4 KB, and refuses more when the bucket and the tables have been created.

    The names that Pulumi makes of them are part of the measure.
    """
    sizes = range(1_000, 4_000, 11)
    largest = sizes[bisect(sizes, False, key=lambda size: is_refused(LONGEST, size)) - 1]
    made = [shape.name for shape in contract.TABLES] + ["bucket"]
    deployed = variables(Stack(LONGEST, {"uploadRules": rules(largest)}))
    deployed += len(made) * len(NAME_SUFFIX)
    assert MAX_ENVIRONMENT_BYTES - 30 < deployed <= MAX_ENVIRONMENT_BYTES
    message = r"take 4,1\d\d bytes .* holds 4,096\. Shorten SATCHEL_UPLOAD_RULES, which has "
    with pytest.raises(ValueError, match=message):
        record.record_resources(LONGEST, {"uploadRules": rules(largest + 22)})


def is_refused(name, size):
    """Whether the program refuses rules of a size."""
    try:
        record.record_resources(name, {"uploadRules": rules(size)})
    except ValueError:
        return True
    return False
