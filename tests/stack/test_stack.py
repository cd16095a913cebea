"""The resources of the stack as it declares them: for `dev`, and as in production."""

import json
import re

import pytest

import bundle
from function import contract
from function.core.limits import UPLOAD_SECONDS
from local import record
from local.fake_outputs import OUTPUTS, fake_outputs
from local.resource import Resource
from tests.stack.declared import Stack, rebuild

ORIGINS = ["https://files.example.org", "https://www.example.org:8443"]
CONFIGURED = {"production": {"allowedOrigins": ORIGINS}, "dev": {}}


@pytest.fixture(scope="module", params=sorted(CONFIGURED))
def stack(request):
    return Stack(request.param, CONFIGURED[request.param])


@pytest.fixture(scope="module")
def production():
    return Stack("production", CONFIGURED["production"])


# --- well formed ---------------------------------------------------------------------------------


def test_every_input_has_a_key_and_a_type_of_the_sdk(stack):
    """The mocks accept a misspelt key in a nested input, and the provider ignores it."""
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
def test_a_wrong_input_is_refused(production, change, complaint):
    """The test above can fail."""
    function = production.one("Function")
    wrong = Resource(function.kind, function.name, {**function.inputs, **change})
    with pytest.raises((TypeError, ValueError), match=complaint):
        rebuild(wrong)


def test_every_resource_is_tagged_by_the_provider_of_the_stack(stack):
    """Pulumi's default provider adds no tags and could use another region."""
    provider = stack.one("aws")
    tags = json.loads(provider.inputs["defaultTags"])["tags"]
    assert tags == {"project": "satchel", "stack": stack.name}
    for resource in stack.resources:
        assert resource is provider or resource.provider.split("::")[-2] == provider.name


# --- data ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", contract.TABLES, ids=lambda shape: shape.name)
def test_a_table_has_the_keys_of_the_contract(stack, shape):
    """The function reads by these keys and indexes, and expects DynamoDB to delete expired rows."""
    table = {each.inputs["hashKey"]: each.inputs for each in stack.all("Table")}[shape.partition]
    indexes = [
        (each["name"], *(key["attributeName"] for key in each["keySchemas"]))
        for each in table.get("globalSecondaryIndexes", [])
    ]
    index = shape.index
    assert table.get("rangeKey") == shape.sort
    assert indexes == ([(index.name, index.partition, index.sort)] if index else [])
    assert table.get("ttl", {}).get("attributeName") == shape.ttl


def test_every_table_can_be_restored_and_costs_nothing_when_idle(stack):
    """Point-in-time recovery to the second, and no provisioned capacity."""
    for table in stack.all("Table"):
        assert table.inputs["pointInTimeRecovery"] == {"enabled": True}
        assert table.inputs["billingMode"] == "PAY_PER_REQUEST"


def test_the_bucket_keeps_noncurrent_versions_and_deletes_incomplete_uploads(stack):
    """A deleted object can be restored for `keepDays`; parts cost storage for at most 8 days."""
    values = record.configuration(stack.name)
    first, second = stack.inputs("BucketLifecycleConfiguration")["rules"]
    assert stack.inputs("BucketVersioning")["versioningConfiguration"] == {"status": "Enabled"}
    assert first["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 8}
    kept = second["noncurrentVersionExpiration"]["noncurrentDays"]
    assert kept == int(values["satchel:keepDays"])
    assert {first["status"], second["status"]} == {"Enabled"}
    assert "expiration" not in first, "current versions never expire"
    assert second["expiration"] == {"expiredObjectDeleteMarker": True}


def test_the_bucket_deletes_no_part_of_an_upload_that_can_still_be_completed(stack):
    """An upload expires before the bucket deletes its parts."""
    rules = stack.inputs("BucketLifecycleConfiguration")["rules"]
    (days,) = (
        rule["abortIncompleteMultipartUpload"]["daysAfterInitiation"]
        for rule in rules
        if "abortIncompleteMultipartUpload" in rule
    )
    assert days * 86_400 > UPLOAD_SECONDS
    bucket = stack.one("Bucket").physical_name
    assert bucket == stack.inputs("BucketLifecycleConfiguration")["bucket"]


def test_protect_covers_the_bucket_and_every_table():
    """No mistake deletes the data of production; one command deletes a stack for development."""
    for name, guarded in (("production", True), ("dev", False)):
        stack = Stack(name, {})
        holding = [*stack.all("Bucket"), *stack.all("Table")]
        assert len(holding) == 1 + len(contract.TABLES)
        assert {each.protect for each in holding} == {guarded}
        assert {each.inputs["deletionProtectionEnabled"] for each in holding[1:]} == {guarded}
        assert holding[0].inputs["forceDestroy"] is not guarded


# --- access --------------------------------------------------------------------------------------


def test_the_bucket_is_private_and_encrypted(stack):
    """No public object, none of another account, encryption at rest and in transit."""
    shut = stack.inputs("BucketPublicAccessBlock")
    assert [value for key, value in sorted(shut.items()) if key != "bucket"] == [True] * 4
    assert stack.inputs("BucketOwnershipControls")["rule"] == {
        "objectOwnership": "BucketOwnerEnforced"
    }
    (rule,) = stack.inputs("BucketServerSideEncryptionConfiguration")["rules"]
    assert rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"] in {"AES256", "aws:kms"}
    assert rule["blockedEncryptionTypes"] == ["SSE-C"]
    (statement,) = json.loads(stack.inputs("BucketPolicy")["policy"])["Statement"]
    arn = f"arn:aws:s3:::{stack.exports['bucket']}"
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert (statement["Action"], statement["Resource"]) == ("s3:*", [arn, f"{arn}/*"])


def test_only_the_http_api_can_be_reached_from_the_internet(stack):
    """No function URL and no ACL; only this API and these schedules can invoke the function."""
    kinds = {each.kind for each in stack.resources}
    assert kinds <= set(OUTPUTS), "decide here whether the new kind of resource is reachable"
    assert not any("Url" in kind or "Acl" in kind for kind in kinds)
    allowed = [each.inputs for each in stack.all("Permission")]
    sources = {each["principal"]: set() for each in allowed}
    for each in allowed:
        sources[each["principal"]].add(each["sourceArn"])
    (api,) = sources.pop("apigateway.amazonaws.com")
    assert api.endswith(f":{stack.one('Api').physical_name}/*/*")
    schedules = {fake_outputs(each)[1]["arn"] for each in stack.all("EventRule")}
    assert sources == {"events.amazonaws.com": schedules}
    assert {each["function"] for each in allowed} == {stack.exports["function"]}


# --- the function and its HTTP API ---------------------------------------------------------------


def test_the_environment_of_the_function_is_that_of_the_contract(stack):
    """Its settings can be read, and no variable has Powertools log events or print tracebacks."""
    variables = stack.inputs("Function")["environment"]["variables"]
    settings = contract.settings(variables)
    names = {table.inputs["hashKey"]: table.physical_name for table in stack.all("Table")}
    for shape in contract.TABLES:
        assert getattr(settings, shape.name) == names[shape.partition]
    assert settings.bucket == stack.one("Bucket").physical_name
    others = {key: value for key, value in variables.items() if not key.startswith(contract.PREFIX)}
    assert others == {"POWERTOOLS_SERVICE_NAME": "satchel", "POWERTOOLS_LOG_LEVEL": "INFO"}


def test_passwords_are_hashed_as_owasp_requires(stack):
    """Its minimum for Argon2id is 19 MiB and two passes."""
    settings = contract.settings(stack.inputs("Function")["environment"]["variables"])
    assert settings.hash_memory >= 19 * 1024
    assert settings.hash_passes >= 2
    assert settings.password_min_length >= 8


def test_the_function_runs_the_artifact_on_the_python_and_processor_of_its_build(stack):
    """A compiled package for another Python or processor cannot be imported."""
    function = stack.inputs("Function")
    assert function["code"] == {"archive": bundle.ARTIFACT}
    assert function["runtime"] == f"python{bundle.PYTHON}"
    assert function["architectures"] == ["arm64"]
    assert function["handler"] == "function.app.lambda_handler"


def test_the_function_times_out_before_the_http_api(stack):
    """The function itself answers a slow request. API Gateway's own maximum is 30 s."""
    timeout = stack.inputs("Integration")["timeoutMilliseconds"]
    assert stack.inputs("Function")["timeout"] * 1_000 < timeout < 30_000


def test_logs_expire_and_hold_no_secret(stack):
    """A path can hold a link's secret, a query a file's name, a header a session token."""
    groups = stack.all("LogGroup")
    assert all(group.inputs["retentionInDays"] for group in groups)
    settings = stack.inputs("Stage")["accessLogSettings"]
    function_log = stack.inputs("Function")["loggingConfig"]["logGroup"]
    assert {function_log} < {group.physical_name for group in groups}
    assert settings["destinationArn"] in {fake_outputs(group)[1]["arn"] for group in groups}
    variables = set(re.findall(r"\$context[.\w]+", settings["format"]))
    secret = re.compile(
        r"path|query|header|authorizer|cookie|domain|userAgent|routeKey", re.IGNORECASE
    )
    assert "$context.requestId" in variables
    assert not [each for each in variables if secret.search(each)]


# What stands in variables whose values are chosen by clients or by the function's errors.
WITH_QUOTES = {
    "$context.error.message": 'a "quoted" \\ word',
    "$context.error.messageString": json.dumps('a "quoted" \\ word'),
    "$context.integration.error": 'no module named "x"',
    "$context.integrationErrorMessage": 'no module named "x"',
    "$context.protocol": "HTTP/1.1",
    "$context.requestTime": "27/Nov/2026:22:57:33 +0000",
}


def test_every_line_of_the_access_log_is_json(stack):
    """API Gateway puts values into the format as they are, quotes included."""
    line = stack.inputs("Stage")["accessLogSettings"]["format"]
    assert "\n" not in line  # API Gateway accepts one line
    for variable in sorted(set(re.findall(r"\$context[.\w]+", line)), key=len, reverse=True):
        line = line.replace(variable, WITH_QUOTES.get(variable, "200"))
    logged = json.loads(line)
    assert logged["gateway_error"] == 'a "quoted" \\ word'
    assert len(logged) == 9


def test_the_settings_of_the_bucket_are_made_one_after_the_other(stack):
    """S3 answers OperationAborted to two changes of one bucket at the same time."""
    names = {
        each.name: each
        for each in stack.resources
        if each.kind.startswith("aws:s3/bucket") and not each.kind.endswith(":Bucket")
    }

    def waits_for(each):
        mine = set(each.depends_on) & names.keys()
        return mine.union(*(waits_for(names[name]) for name in mine))

    assert len(names) >= 7
    assert sorted(len(waits_for(each)) for each in names.values()) == list(range(len(names)))


def test_every_request_goes_to_the_function_through_a_throttle(stack):
    """One route, and one stage whose name is not part of the path."""
    values = record.configuration(stack.name)
    stage = stack.inputs("Stage")
    assert stack.inputs("Route")["routeKey"] == stage["name"] == "$default"
    assert stage["defaultRouteSettings"] == {
        "throttlingRateLimit": int(values["satchel:throttleRate"]),
        "throttlingBurstLimit": int(values["satchel:throttleBurst"]),
    }
    assert stack.inputs("Integration")["payloadFormatVersion"] == "2.0"


def test_only_the_allowed_origins_have_cors(production):
    """Without an allowed origin neither the API nor the bucket has a CORS configuration."""
    assert production.inputs("Api")["corsConfiguration"]["allowOrigins"] == ORIGINS
    (rule,) = production.inputs("BucketCorsConfiguration")["corsRules"]
    assert rule["allowedOrigins"] == ORIGINS
    assert rule["exposeHeaders"] == ["ETag"]
    assert sorted(rule["allowedMethods"]) == ["GET", "HEAD", "PUT"]
    assert {"content-type", "if-none-match", "x-amz-*"} <= set(rule["allowedHeaders"])
    plain = Stack("production", {})
    assert "corsConfiguration" not in plain.inputs("Api")
    assert not plain.all("BucketCorsConfiguration")


def test_the_exports_name_what_an_operator_needs(stack):
    """The URL of the API, and the resources to inspect."""
    names = {"url", "bucket", "tables", "queues", "function", "role", "logs"}
    assert set(stack.exports) == names
    assert set(stack.exports["queues"]) == {"uploadNotifications", "deadLetter"}
    assert stack.exports["url"].startswith("https://")
    assert set(stack.exports["tables"]) == {shape.name for shape in contract.TABLES}


# --- mail ----------------------------------------------------------------------------------------


def test_the_function_can_send_mail_from_the_configured_address_only():
    """To any recipient: SES also checks one that is an identity of the account."""

    def permissions(config):
        policy = json.loads(Stack("production", config).inputs("RolePolicy")["policy"])
        return [each for each in policy["Statement"] if ":ses:" in each["Resource"]]

    assert permissions({}) == []
    assert permissions({"mailFrom": "satchel@files.example.org"}) == [
        {
            "Effect": "Allow",
            "Action": ["ses:SendEmail"],
            "Resource": "arn:aws:ses:eu-central-1:123456789012:identity/*",
            "Condition": {"StringEquals": {"ses:FromAddress": "satchel@files.example.org"}},
        }
    ]
    with pytest.raises(ValueError, match="mailFrom"):
        Stack("production", {"mailFrom": "nobody"})
