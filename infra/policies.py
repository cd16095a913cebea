"""The permissions of the stack: the function's role, and the policies of the bucket and the queues.

Imports Pulumi, and `function.contract` for the tables.
"""

import json
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from function import contract

# An IAM statement, in which ARNs are outputs of Pulumi.
Statement = dict[str, object]

TABLE_ACTIONS = {
    contract.USERS: "BatchGetItem PutItem UpdateItem DeleteItem ConditionCheckItem Scan",
    contract.SESSIONS: "BatchGetItem PutItem UpdateItem ConditionCheckItem",
    contract.SHARES: "BatchGetItem PutItem UpdateItem DeleteItem ConditionCheckItem Query",
    contract.FILES: "BatchGetItem PutItem UpdateItem DeleteItem ConditionCheckItem Query",
}
OBJECT_ACTIONS = "GetObject PutObject DeleteObject ListMultipartUploadParts AbortMultipartUpload"
QUEUE_ACTIONS = "ReceiveMessage DeleteMessage GetQueueAttributes"
LOG_ACTIONS = "CreateLogStream PutLogEvents"

LAMBDA_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


class FunctionRole(pulumi.ComponentResource):
    """The role of the function; its one policy names each action and each resource.

    `mail_from` is the address that the function sends mail from, empty for none.
    """

    def __init__(
        self,
        name: str,
        *,
        tables: Mapping[str, aws.dynamodb.Table],
        bucket: aws.s3.Bucket,
        queue: aws.sqs.Queue,
        log_group: aws.cloudwatch.LogGroup,
        mail_from: str,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("satchel:infra:FunctionRole", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(f"{name}-function-role", assume_role_policy=LAMBDA_TRUST, opts=child)
        self.policy = aws.iam.RolePolicy(
            f"{name}-function-policy",
            role=role.name,
            policy=document(
                *allow_tables(tables),
                allow("s3", OBJECT_ACTIONS, pulumi.Output.concat(bucket.arn, "/*")),
                # Without ListBucket, S3 answers 403 in place of 404 for a missing object.
                allow("s3", "ListBucket", bucket.arn),
                allow("sqs", QUEUE_ACTIONS, queue.arn),
                allow("logs", LOG_ACTIONS, pulumi.Output.concat(log_group.arn, ":*")),
                *([allow_mail(mail_from, tables[contract.USERS.name].arn)] if mail_from else []),
            ),
            opts=child,
        )
        self.arn = role.arn
        self.register_outputs({})


def document(*statements: Statement) -> pulumi.Output[str]:
    """A policy of these statements, as JSON."""
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(service: str, actions: str, resource: pulumi.Output[str]) -> Statement:
    """Allow actions of one service, separated by spaces, on one resource."""
    return {
        "Effect": "Allow",
        "Action": [f"{service}:{action}" for action in actions.split()],
        "Resource": resource,
    }


def allow_tables(tables: Mapping[str, aws.dynamodb.Table]) -> list[Statement]:
    """Allow the function its reads and writes of each table, and queries of the index."""
    statements = []
    for shape, actions in TABLE_ACTIONS.items():
        arn = tables[shape.name].arn
        statements.append(allow("dynamodb", actions, arn))
        if shape.index:
            index_arn = pulumi.Output.concat(arn, "/index/", shape.index.name)
            statements.append(allow("dynamodb", "Query", index_arn))
    return statements


def allow_mail(sender: str, table_arn: pulumi.Output[str]) -> Statement:
    """Allow mail from one address, whichever identities of the account it concerns.

    SES checks the identity that it has verified, which is the address or its domain, and also each
    recipient that is an identity of the account.
    """
    condition = {"Condition": {"StringEquals": {"ses:FromAddress": sender}}}
    return allow("ses", "SendEmail", table_arn.apply(identities_arn)) | condition


def identities_arn(table_arn: str) -> str:
    """The ARN of all SES identities, in the partition, region and account of a table."""
    _, partition, _, region, account, _ = table_arn.split(":", 5)
    return f"arn:{partition}:ses:{region}:{account}:identity/*"


def allow_notifications(bucket: aws.s3.Bucket, queue: aws.sqs.Queue) -> Statement:
    """Allow S3 to send to a queue, for this bucket of this account only.

    The account is part of the condition because another account can create a bucket of the same
    name after this one has been deleted.
    """
    account = queue.arn.apply(lambda arn: arn.split(":")[4])
    return {
        "Sid": "AllowBucketNotifications",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue.arn,
        "Condition": {
            "ArnEquals": {"aws:SourceArn": bucket.arn},
            "StringEquals": {"aws:SourceAccount": account},
        },
    }


def deny_plain_http(
    service: str, resource: pulumi.Output[str] | list[pulumi.Output[str]]
) -> Statement:
    """Deny requests without TLS to everybody, the administrators of the account included."""
    return {
        "Sid": "DenyPlainHttp",
        "Effect": "Deny",
        "Principal": "*",
        "Action": f"{service}:*",
        "Resource": resource,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
