"""What the stack promises, asked of the declaration itself: for `dev` and as in production."""

import json
import re

import pytest

import bundle
from function import contract
from function.core.limits import UPLOAD_SECONDS
from local import declare, imagine
from tests.stack.declared import Stack, rebuild

ORIGINS = ["https://files.example.org", "https://www.example.org:8443"]
CONFIGURED = {"production": {"allowedOrigins": json.dumps(ORIGINS)}, "dev": {}}


@pytest.fixture(scope="module", params=sorted(CONFIGURED))
def stack(request):
    return Stack(request.param, CONFIGURED[request.param])


@pytest.fixture(scope="module")
def production():
    return Stack("production", CONFIGURED["production"])


# --- well formed ---------------------------------------------------------------------------------


def test_every_input_is_one_the_sdk_knows_and_of_its_type(stack):
    """A misspelt key in a nested input is sent to AWS by nobody and complained of by nobody."""
    for resource in stack.resources:
        rebuild(resource)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"memorysize": 1024}, "memorysize"),
        ({"memorySize": "a lot"}, "memorySize"),
        ({"loggingConfig": {"logGroupe": "x"}}, "logGroupe"),
        ({"architectures": [7]}, "architectures"),
        ({"role": None}, "role"),
    ],
)
def test_a_wrong_input_would_be_noticed(production, change, complaint):
    """The test above can fail."""
    function = production.one("Function")
    wrong = declare.Resource(function.kind, function.name, {**function.inputs, **change})
    with pytest.raises((TypeError, ValueError), match=complaint):
        rebuild(wrong)


def test_every_resource_is_tagged_by_the_stacks_own_provider(stack):
    """A resource of the default provider would carry no tags and might land in another region."""
    provider = stack.one("aws")
    tags = json.loads(provider.inputs["defaultTags"])["tags"]
    assert tags == {"project": "satchel", "stack": stack.name}
    for resource in stack.resources:
        assert resource is provider or resource.provider.split("::")[-2] == provider.name


# --- data ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", contract.TABLES, ids=lambda shape: shape.noun)
def test_a_table_has_the_keys_of_the_contract(stack, shape):
    """The function reads by these keys and indexes and trusts rows to expire."""
    table = {each.inputs["hashKey"]: each.inputs for each in stack.all("Table")}[shape.partition]
    indexes = [
        (each["name"], *(key["attributeName"] for key in each["keySchemas"]))
        for each in table.get("globalSecondaryIndexes", [])
    ]
    index = shape.index
    assert table.get("rangeKey") == shape.sort
    assert indexes == ([(index.name, index.partition, index.sort)] if index else [])
    assert table.get("ttl", {}).get("attributeName") == shape.ttl


def test_every_table_can_be_restored_and_costs_nothing_idle(stack):
    """Backups to the second, and no capacity that is paid for while nobody asks."""
    for table in stack.all("Table"):
        assert table.inputs["pointInTimeRecovery"] == {"enabled": True}
        assert table.inputs["billingMode"] == "PAY_PER_REQUEST"


def test_replaced_bytes_are_kept_and_unfinished_ones_are_not(stack):
    """An overwrite can be undone for the days configured; half an upload costs at most 8."""
    values = declare.configuration(stack.name)
    first, second = stack.inputs("BucketLifecycleConfiguration")["rules"]
    assert stack.inputs("BucketVersioning")["versioningConfiguration"] == {"status": "Enabled"}
    assert first["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 8}
    kept = second["noncurrentVersionExpiration"]["noncurrentDays"]
    assert kept == int(values["satchel:keepDays"])
    assert {first["status"], second["status"]} == {"Enabled"}
    assert "expiration" not in first, "live bytes never expire"
    assert second["expiration"] == {"expiredObjectDeleteMarker": True}


def test_what_s3_forgets_is_older_than_any_upload(stack):
    """An upload that is still good would lose the parts that it has sent."""
    rules = stack.inputs("BucketLifecycleConfiguration")["rules"]
    (days,) = (
        rule["abortIncompleteMultipartUpload"]["daysAfterInitiation"]
        for rule in rules
        if "abortIncompleteMultipartUpload" in rule
    )
    assert days * 86_400 > UPLOAD_SECONDS
    assert stack.one("Bucket").physical == stack.inputs("BucketLifecycleConfiguration")["bucket"]


def test_protect_guards_all_that_holds_data_and_nothing_else_can_be_lost():
    """Production cannot be emptied by a slip; a stack to play with goes away in one command."""
    for name, guarded in (("production", True), ("dev", False)):
        stack = Stack(name, {})
        holding = [*stack.all("Bucket"), *stack.all("Table")]
        assert len(holding) == 1 + len(contract.TABLES)
        assert {each.protect for each in holding} == {guarded}
        assert {each.inputs["deletionProtectionEnabled"] for each in holding[1:]} == {guarded}
        assert holding[0].inputs["forceDestroy"] is not guarded


# --- closed --------------------------------------------------------------------------------------


def test_the_bucket_is_closed(stack):
    """No object can be public, belong to a stranger, lie in clear or travel in clear."""
    shut = stack.inputs("BucketPublicAccessBlock")
    assert [value for key, value in sorted(shut.items()) if key != "bucket"] == [True] * 4
    assert stack.inputs("BucketOwnershipControls")["rule"] == {
        "objectOwnership": "BucketOwnerEnforced"
    }
    (rule,) = stack.inputs("BucketServerSideEncryptionConfiguration")["rules"]
    assert rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] in {"AES256", "aws:kms"}
    (statement,) = json.loads(stack.inputs("BucketPolicy")["policy"])["Statement"]
    arn = f"arn:aws:s3:::{stack.exports['bucket']}"
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert (statement["Action"], statement["Resource"]) == ("s3:*", [arn, f"{arn}/*"])


def test_nothing_but_the_api_can_be_reached_from_outside(stack):
    """No function URL, no public grant; only this API and these schedules call the function."""
    kinds = {each.kind for each in stack.resources}
    assert kinds <= set(imagine.ANSWERS), "a new kind: say here whether it opens anything"
    assert not any("Url" in kind or "Acl" in kind for kind in kinds)
    allowed = [each.inputs for each in stack.all("Permission")]
    sources = {each["principal"]: set() for each in allowed}
    for each in allowed:
        sources[each["principal"]].add(each["sourceArn"])
    (door,) = sources.pop("apigateway.amazonaws.com")
    assert door.endswith(f":{stack.one('Api').physical}/*/*")
    schedules = {imagine.made(each)[1]["arn"] for each in stack.all("EventRule")}
    assert sources == {"events.amazonaws.com": schedules}
    assert {each["function"] for each in allowed} == {stack.exports["function"]}


# --- the function and its door -------------------------------------------------------------------


def test_the_function_is_told_what_the_contract_promises_and_nothing_that_talks(stack):
    """Its settings parse; no switch is set that prints requests or answers with a traceback."""
    told = stack.inputs("Function")["environment"]["variables"]
    settings = contract.settings(told)
    names = {table.inputs["hashKey"]: table.physical for table in stack.all("Table")}
    for shape in contract.TABLES:
        assert getattr(settings, shape.noun) == names[shape.partition]
    assert settings.bucket == stack.one("Bucket").physical
    others = {key: value for key, value in told.items() if not key.startswith(contract.PREFIX)}
    assert others == {"POWERTOOLS_SERVICE_NAME": "satchel", "POWERTOOLS_LOG_LEVEL": "INFO"}


def test_passwords_are_hashed_no_weaker_than_the_floor(stack):
    """OWASP's least for Argon2id: 19 MiB and two passes."""
    settings = contract.settings(stack.inputs("Function")["environment"]["variables"])
    assert settings.hash_memory >= 19 * 1024
    assert settings.hash_passes >= 2
    assert settings.password_min_length >= 8


def test_the_function_is_the_artifact_for_the_machine_it_was_built_for(stack):
    """The bundle is made for this Python and this processor and has this entry."""
    function = stack.inputs("Function")
    assert function["code"] == {"archive": bundle.ARTIFACT}
    assert function["runtime"] == f"python{bundle.PYTHON}"
    assert function["architectures"] == ["arm64"]
    assert function["handler"] == "function.app.lambda_handler"


def test_the_function_gives_up_before_the_gateway_does(stack):
    """A slow request is answered by us; the gateway's own limit is 30 s."""
    waits = stack.inputs("Integration")["timeoutMilliseconds"]
    assert stack.inputs("Function")["timeout"] * 1_000 < waits < 30_000


def test_logs_end_and_carry_no_secret(stack):
    """A path may hold a link's secret, a query a file's name, a header a session."""
    groups = stack.all("LogGroup")
    assert all(group.inputs["retentionInDays"] for group in groups)
    settings = stack.inputs("Stage")["accessLogSettings"]
    function_log = stack.inputs("Function")["loggingConfig"]["logGroup"]
    assert {function_log} < {group.physical for group in groups}
    assert settings["destinationArn"] in {imagine.made(group)[1]["arn"] for group in groups}
    words = set(json.loads(settings["format"]).values())
    told = re.compile(
        r"path|query|header|authorizer|cookie|domain|userAgent|routeKey", re.IGNORECASE
    )
    assert "$context.requestId" in words
    assert not [word for word in words if told.search(word)]


def test_every_request_goes_to_the_function_through_a_throttle(stack):
    """One route, one stage without a name in the path, and an end to what strangers can spend."""
    values = declare.configuration(stack.name)
    stage = stack.inputs("Stage")
    assert stack.inputs("Route")["routeKey"] == stage["name"] == "$default"
    assert stage["defaultRouteSettings"] == {
        "throttlingRateLimit": int(values["satchel:throttleRate"]),
        "throttlingBurstLimit": int(values["satchel:throttleBurst"]),
    }
    assert stack.inputs("Integration")["payloadFormatVersion"] == "2.0"


def test_only_the_configured_pages_may_call(production):
    """Browsers of other origins get no header; without an origin there is no rule at all."""
    assert production.inputs("Api")["corsConfiguration"]["allowOrigins"] == ORIGINS
    (rule,) = production.inputs("BucketCorsConfiguration")["corsRules"]
    assert rule["allowedOrigins"] == ORIGINS
    assert rule["exposeHeaders"] == ["ETag"]
    assert sorted(rule["allowedMethods"]) == ["GET", "HEAD", "PUT"]
    assert {"content-type", "if-none-match", "x-amz-*"} <= set(rule["allowedHeaders"])
    closed = Stack("production", {})
    assert "corsConfiguration" not in closed.inputs("Api")
    assert not closed.all("BucketCorsConfiguration")


def test_what_an_operator_needs_is_exported(stack):
    """The address to hand out, and the names to look at."""
    names = {"url", "bucket", "tables", "queues", "function", "role", "logs"}
    assert set(stack.exports) == names
    assert set(stack.exports["queues"]) == {"arrivals", "failed"}
    assert stack.exports["url"].startswith("https://")
    assert set(stack.exports["tables"]) == {shape.noun for shape in contract.TABLES}


# --- mail ----------------------------------------------------------------------------------------


def test_the_function_may_send_mail_from_the_configured_address_and_no_other():
    """By the address itself, or by its domain, whichever SES knows; without one it may not."""

    def mailing(config):
        policy = json.loads(Stack("production", config).inputs("RolePolicy")["policy"])
        named = {each["Resource"]: each["Action"] for each in policy["Statement"]}
        return {arn: actions for arn, actions in named.items() if ":ses:" in arn}

    arn = "arn:aws:ses:eu-central-1:123456789012:identity/"
    assert mailing({}) == {}
    assert mailing({"mailFrom": "satchel@files.example.org"}) == {
        f"{arn}satchel@files.example.org": ["ses:SendEmail"],
        f"{arn}files.example.org": ["ses:SendEmail"],
    }
    with pytest.raises(ValueError, match="mailFrom"):
        Stack("production", {"mailFrom": "nobody"})
