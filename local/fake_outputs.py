"""The outputs of AWS for each kind of resource, derived from its name.

A kind without an entry is an error: a fake that answers everything would hide a mistake.
"""

from typing import Any

from local.resource import Resource

# The outputs that the provider adds to the inputs, by kind.
AT = "{region}:{account}"
OUTPUTS: dict[str, dict[str, str]] = {
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


def fake_outputs(
    resource: Resource, region: str = "eu-central-1", account: str = "123456789012"
) -> tuple[str, dict[str, Any]]:
    """The id and the added outputs of a resource. Raises LookupError for an unknown kind."""
    if resource.kind not in OUTPUTS:
        raise LookupError(f"local/fake_outputs.py has no {resource.kind} ({resource.name})")
    name = resource.physical_name
    values = {"name": name, "region": region, "account": account}
    outputs = {key: text.format_map(values) for key, text in OUTPUTS[resource.kind].items()}
    return name, {"name": name, **outputs}
