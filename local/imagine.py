"""What AWS would answer for each kind of resource, made up from its name; nothing of ours imported.

A kind that is not in the table is an error: a stand-in that answers anything proves nothing.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.declare import Resource

# What the provider adds to the inputs, by kind. `{name}` is the resource's name where it runs.
AT = "{region}:{account}"
ANSWERS: dict[str, dict[str, str]] = {
    "pulumi:providers:aws": {},
    "aws:apigatewayv2/api:Api": {
        "apiEndpoint": "https://{name}.execute-api.{region}.amazonaws.com",
        "executionArn": f"arn:aws:execute-api:{AT}:{{name}}",
    },
    "aws:apigatewayv2/integration:Integration": {},
    "aws:apigatewayv2/route:Route": {},
    "aws:apigatewayv2/stage:Stage": {},
    "aws:cloudwatch/eventRule:EventRule": {"arn": f"arn:aws:events:{AT}:rule/{{name}}"},
    "aws:cloudwatch/eventTarget:EventTarget": {},
    "aws:cloudwatch/logGroup:LogGroup": {"arn": f"arn:aws:logs:{AT}:log-group:{{name}}"},
    "aws:cloudwatch/metricAlarm:MetricAlarm": {"arn": f"arn:aws:cloudwatch:{AT}:alarm:{{name}}"},
    "aws:dynamodb/table:Table": {"arn": f"arn:aws:dynamodb:{AT}:table/{{name}}"},
    "aws:iam/role:Role": {"arn": "arn:aws:iam::{account}:role/{name}"},
    "aws:iam/rolePolicy:RolePolicy": {},
    "aws:lambda/eventSourceMapping:EventSourceMapping": {},
    "aws:lambda/function:Function": {
        "arn": f"arn:aws:lambda:{AT}:function:{{name}}",
        "invokeArn": "arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/"
        f"arn:aws:lambda:{AT}:function:{{name}}/invocations",
    },
    "aws:lambda/permission:Permission": {},
    "aws:s3/bucket:Bucket": {"arn": "arn:aws:s3:::{name}", "bucket": "{name}"},
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": {},
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {},
    "aws:s3/bucketNotification:BucketNotification": {},
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": {},
    "aws:s3/bucketPolicy:BucketPolicy": {},
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": {},
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {},
    "aws:s3/bucketVersioning:BucketVersioning": {},
    "aws:sqs/queue:Queue": {
        "arn": f"arn:aws:sqs:{AT}:{{name}}",
        "url": "https://sqs.{region}.amazonaws.com/{account}/{name}",
    },
    "aws:sqs/queuePolicy:QueuePolicy": {},
}


def made(
    resource: "Resource", region: str = "eu-central-1", account: str = "123456789012"
) -> tuple[str, dict[str, Any]]:
    """The id and the added outputs of a resource, as AWS would word them."""
    if resource.kind not in ANSWERS:
        raise LookupError(f"no answer is known for {resource.kind} ({resource.name})")
    words: Mapping[str, str] = {"name": resource.physical, "region": region, "account": account}
    answers = {key: text.format_map(words) for key, text in ANSWERS[resource.kind].items()}
    return resource.physical, {"name": resource.physical, **answers}
