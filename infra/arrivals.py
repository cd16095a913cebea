"""News of files that have arrived: a queue that the bucket writes to, and alarms when it jams.

A client may send a file in one PUT and never come back; the queue is how the function hears of it.
The alarms have no action yet: nobody is told until an operator attaches a topic to them.
Imports Pulumi, and `function.contract` for the keys that the bucket tells of.
"""

import pulumi
import pulumi_aws as aws

from function import contract

DAY = 86_400

# A file that has not become one in the week that its upload lives never will.
KEEP_DAYS = 7
# The longest that SQS keeps anything: somebody has to find the time to look.
KEEP_FAILED_DAYS = 14
TRIES = 5

# A message in hand is hidden from others for longer than all that Lambda may do with it
# (AWS Lambda Developer Guide, configuring an SQS queue for use with Lambda).
HIDDEN = 6

# Five tries of a message that fails take about a quarter of an hour.
LATE_SECONDS = 1_800


class Arrivals(pulumi.ComponentResource):
    """A queue of what arrived, and one of what failed too often; `bucket` alone may send.

    `handling_seconds` is how long the function may take over a batch.
    """

    def __init__(
        self,
        name: str,
        bucket: aws.s3.Bucket,
        *,
        handling_seconds: int,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("satchel:infra:Arrivals", name, None, opts)
        self.name = name
        self.child = pulumi.ResourceOptions(parent=self)
        self.failed = aws.sqs.Queue(
            f"{name}-failed",
            message_retention_seconds=KEEP_FAILED_DAYS * DAY,
            sqs_managed_sse_enabled=True,
            opts=self.child,
        )
        self.queue = aws.sqs.Queue(
            f"{name}-arrivals",
            visibility_timeout_seconds=HIDDEN * handling_seconds,
            message_retention_seconds=KEEP_DAYS * DAY,
            sqs_managed_sse_enabled=True,
            redrive_policy=pulumi.Output.json_dumps(
                {"deadLetterTargetArn": self.failed.arn, "maxReceiveCount": TRIES}
            ),
            opts=self.child,
        )
        self._hear(bucket)
        self._watch()
        self.register_outputs({})

    def _hear(self, bucket: aws.s3.Bucket) -> None:
        """Have the bucket, and nobody else, tell of each object that a single PUT made."""
        self._only("failed", self.failed, [])
        policy = self._only("arrivals", self.queue, [from_bucket(bucket, self.queue)])
        aws.s3.BucketNotification(
            f"{self.name}-bytes-news",
            bucket=bucket.id,
            queues=[
                aws.s3.BucketNotificationQueueArgs(
                    id="arrivals",
                    queue_arn=self.queue.arn,
                    events=["s3:ObjectCreated:Put"],
                    filter_suffix=contract.ARRIVING,
                )
            ],
            # S3 tries the queue when it is told of it, and refuses one that it may not send to.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )

    def _only(
        self, what: str, queue: aws.sqs.Queue, allowed: list[dict[str, object]]
    ) -> aws.sqs.QueuePolicy:
        """Close a queue to plain HTTP, and open it to what is allowed."""
        return aws.sqs.QueuePolicy(
            f"{self.name}-{what}-policy",
            queue_url=queue.url,
            policy=pulumi.Output.json_dumps(
                {"Version": "2012-10-17", "Statement": [only_over_tls(queue), *allowed]}
            ),
            opts=self.child,
        )

    def _watch(self) -> None:
        """Alarms for a queue that is not emptied, and for what was put aside."""
        self._alarm("late", self.queue, "ApproximateAgeOfOldestMessage", LATE_SECONDS)
        self._alarm("failed", self.failed, "ApproximateNumberOfMessagesVisible", 0)

    def _alarm(self, what: str, queue: aws.sqs.Queue, metric: str, most: int) -> None:
        aws.cloudwatch.MetricAlarm(
            f"{self.name}-arrivals-{what}",
            namespace="AWS/SQS",
            metric_name=metric,
            dimensions={"QueueName": queue.name},
            statistic="Maximum",
            period=300,
            evaluation_periods=1,
            comparison_operator="GreaterThanThreshold",
            threshold=most,
            treat_missing_data="notBreaching",  # an idle queue reports nothing
            opts=self.child,
        )


def from_bucket(bucket: aws.s3.Bucket, queue: aws.sqs.Queue) -> dict[str, object]:
    """The statement that lets S3 send on behalf of this bucket of this account.

    A bucket's name is free for anybody once the bucket is gone, hence the account as well.
    """
    account = queue.arn.apply(lambda arn: arn.split(":")[4])
    return {
        "Sid": "NewsOfTheBucket",
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue.arn,
        "Condition": {
            "ArnEquals": {"aws:SourceArn": bucket.arn},
            "StringEquals": {"aws:SourceAccount": account},
        },
    }


def only_over_tls(queue: aws.sqs.Queue) -> dict[str, object]:
    """The statement that refuses plain HTTP to everybody, the account's administrators included."""
    return {
        "Sid": "OnlyOverTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": queue.arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
