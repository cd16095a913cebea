"""The declared stack, created in an emulator: once, again, and refused where it does not fit."""

import re

import pytest

from function import contract
from local import record
from local.deploy import NOT_PROVISIONED, PROVISIONED, deploy
from local.fake_outputs import OUTPUTS, fake_outputs
from local.provision.clients import Clients
from local.provision.s3 import set_bucket_policy
from local.resource import only_resource
from tests.support.fake_aws import Session, empty_account


@pytest.fixture
def session():
    with empty_account() as session:
        yield session


def test_what_is_declared_is_what_stands(session):
    """The function's settings name things that exist, shaped as the contract says."""
    deployed = deploy(session)
    settings = contract.settings(deployed.environment)
    tables = session.client("dynamodb")
    for shape in contract.TABLES:
        name = getattr(settings, shape.name)
        found = tables.describe_table(TableName=name)["Table"]
        keys = [key["AttributeName"] for key in found["KeySchema"]]
        assert keys == [key for key in (shape.partition, shape.sort) if key]
        indexes = [index["IndexName"] for index in found.get("GlobalSecondaryIndexes", [])]
        assert indexes == ([shape.index.name] if shape.index else [])
        ttl = tables.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        assert ttl.get("AttributeName") == shape.ttl
    versioning = session.client("s3").get_bucket_versioning(Bucket=settings.bucket)
    assert versioning["Status"] == "Enabled"
    role = session.client("iam").get_role(RoleName=deployed.role_arn.split("/")[1])["Role"]
    assert role["Arn"] == deployed.role_arn


def test_a_second_run_adopts_what_the_first_made_and_loses_nothing(session):
    """`make serve` deploys at each start, onto data of yesterday."""
    first = deploy(session)
    settings = contract.settings(first.environment)
    row = {"username": {"S": "alice"}}
    session.client("dynamodb").put_item(TableName=settings.users, Item=row)
    session.client("s3").put_object(Bucket=settings.bucket, Key="alice/1", Body=b"hello")
    second = deploy(session)
    assert (second.environment, second.role_arn) == (first.environment, first.role_arn)
    assert second.exports == first.exports
    assert session.client("dynamodb").scan(TableName=settings.users)["Items"] == [row]
    assert session.client("s3").get_object(Bucket=settings.bucket, Key="alice/1")["Body"].read()


def test_a_table_of_another_shape_is_refused_not_adopted(session):
    """Rows of an older layout would be read wrongly; the sentence says what to do."""
    session.client("dynamodb").create_table(
        TableName="satchel-dev-files",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    with pytest.raises(RuntimeError, match=r"satchel-dev-files .*`make reset`"):
        deploy(session)


def test_stacks_stand_side_by_side(session):
    """Names carry the stack, so that one never answers for another."""
    names = [set(deploy(session, stack).environment.values()) for stack in ("dev", "production")]
    buckets = [each["Name"] for each in session.client("s3").list_buckets()["Buckets"]]
    assert buckets == ["satchel-dev-objects", "satchel-production-objects"]
    assert not {name for name in names[0] & names[1] if name.startswith("satchel-")}


def test_requests_obey_what_the_service_itself_says_of_them(session):
    """The emulator takes any word; the service's own description knows which there are."""
    asked = []

    def check(params, model, **_):
        asked.append(model.name)
        _conform(params, model.input_shape, model.name)

    heard = Session()  # of its own: nobody else is listened to
    heard.events.register("before-parameter-build", check)
    deploy(heard, config={"allowedOrigins": ["https://files.example.org"]})
    assert {"CreateTable", "CreateRole", "PutBucketLifecycleConfiguration"} <= set(asked)
    with pytest.raises(AssertionError, match="BillingMode"):
        heard.client("dynamodb").create_table(TableName="x" * 3, BillingMode="FREE")


def _conform(value, shape, at):
    """Check a request against the words, patterns and lengths of the service's model."""
    if shape.type_name == "structure":
        for key, item in value.items():
            _conform(item, shape.members[key], f"{at}.{key}")
    elif shape.type_name == "list":
        for item in value:
            _conform(item, shape.member, at)
    elif shape.type_name == "string":
        limits = shape.metadata
        assert not shape.enum or value in shape.enum, f"{at}: {value} is none of {shape.enum}"
        assert limits.get("min", 0) <= len(value) <= limits.get("max", 10**6), f"{at}: {len(value)}"
        pattern = limits.get("pattern")
        assert not pattern or re.fullmatch(_python(pattern), value), f"{at}: {value}, {pattern}"


def _python(pattern):
    """A pattern of the service's model as Python writes it."""
    return re.sub(r"\\u([0-9A-Fa-f]{4})", lambda m: re.escape(chr(int(m[1], 16))), pattern)


def test_each_kind_is_either_made_or_left_out_for_a_reason():
    """Whoever adds a kind decides which, and says why."""
    assert set(PROVISIONED) | set(NOT_PROVISIONED) == set(OUTPUTS)
    assert not set(PROVISIONED) & set(NOT_PROVISIONED)
    assert all(len(reason) > 10 for reason in NOT_PROVISIONED.values())


def test_the_tls_statement_holds_where_the_emulator_speaks_tls(session):
    """Only plain loopback goes without it, because it would refuse everybody."""
    clients = Clients(session, None)
    policy = only_resource(record.record_resources("dev"), "aws:s3/bucketPolicy:BucketPolicy")
    place = {"LocationConstraint": "eu-central-1"}
    clients.s3.create_bucket(Bucket=policy.physical_name, CreateBucketConfiguration=place)
    set_bucket_policy(clients, policy)
    with pytest.raises(clients.s3.exceptions.ClientError, match="NoSuchBucketPolicy"):
        clients.s3.get_bucket_policy(Bucket=policy.physical_name)
    clients.uses_tls = True
    set_bucket_policy(clients, policy)
    assert "SecureTransport" in clients.s3.get_bucket_policy(Bucket=policy.physical_name)["Policy"]


PROGRAMS = {
    "aws.sns.Topic('x')": (LookupError, "aws:sns/topic:Topic"),
    "aws.get_caller_identity()": (Exception, "getCallerIdentity"),
    "aws.s3.Bucket('x'); aws.s3.Bucket('x')": (ValueError, "declared twice"),
    "aws.s3.BucketPolicy('x', bucket='b', policy=1/0)": (ZeroDivisionError, "division"),
    "aws.s3.Bucket('x').id.apply(lambda name: 1/0)": (ZeroDivisionError, "division"),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_that_goes_wrong_is_not_passed_over(program, tmp_path, monkeypatch):
    """A kind or a call that nobody can answer, one name twice, an error in the program or later."""
    kind, words = PROGRAMS[program]
    (tmp_path / "__main__.py").write_text(f"import pulumi_aws as aws\n{program}\n")
    values = record.configuration("dev")
    monkeypatch.setattr(record, "PROGRAM", tmp_path / "__main__.py")
    with pytest.raises(kind, match=words):
        record.run_program("dev", values, fake_outputs)


def test_declaring_leaves_nothing_behind_for_the_next():
    """Two stacks in one process, in either order, know nothing of each other."""
    first = record.record_resources("dev")
    record.record_resources("production")
    assert record.record_resources("dev") == first
