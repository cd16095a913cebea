"""The queue of the bucket's notifications about uploads, its dead-letter queue, and two alarms.

A client can upload an object with one presigned PUT and send no request afterwards; the function
learns of the object from this queue. The alarms have no actions: an operator attaches an SNS topic.
Imports Pulumi, `infra.policies`, and `function.contract` for the suffix of the keys.
"""

import pulumi
import pulumi_aws as aws

from function import contract
from infra.policies import allow_notifications, deny_plain_http, document

DAY = 86_400

# An upload expires after a week; a notification is useless afterwards.
RETENTION_DAYS = 7
# The maximum of SQS, so that an operator has time to look at the message.
DEAD_LETTER_RETENTION_DAYS = 14
MAX_RECEIVES = 5

# The visibility timeout of the queue in timeouts of the function, the least that Lambda recommends
# (AWS Lambda Developer Guide, Creating and configuring an Amazon SQS event source mapping).
VISIBILITY_TIMEOUTS = 6

# A message that fails reaches the dead-letter queue within a quarter of an hour.
DELAY_SECONDS = 1_800


class UploadNotifications(pulumi.ComponentResource):
    """The queue, to which only `bucket` can send, and its dead-letter queue.

    The bucket sends notifications once its setting `after` is made. `function_timeout` is the
    longest time, in seconds, that the function works on a batch.
    """

    def __init__(
        self,
        name: str,
        bucket: aws.s3.Bucket,
        *,
        after: pulumi.Resource,
        function_timeout: int,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("satchel:infra:UploadNotifications", name, None, opts)
        self._name = name
        self._child = pulumi.ResourceOptions(parent=self)
        self.dead_letter_queue = aws.sqs.Queue(
            f"{name}-upload-notifications-dead-letter",
            message_retention_seconds=DEAD_LETTER_RETENTION_DAYS * DAY,
            sqs_managed_sse_enabled=True,
            opts=self._child,
        )
        self.queue = aws.sqs.Queue(
            f"{name}-upload-notifications",
            visibility_timeout_seconds=VISIBILITY_TIMEOUTS * function_timeout,
            message_retention_seconds=RETENTION_DAYS * DAY,
            sqs_managed_sse_enabled=True,
            redrive_policy=pulumi.Output.json_dumps(
                {"deadLetterTargetArn": self.dead_letter_queue.arn, "maxReceiveCount": MAX_RECEIVES}
            ),
            opts=self._child,
        )
        self._notify(bucket, after)
        self._add_alarms()
        self.register_outputs({})

    def _notify(self, bucket: aws.s3.Bucket, after: pulumi.Resource) -> None:
        """Have the bucket send a message for each object that a presigned PUT has created."""
        aws.sqs.QueuePolicy(
            f"{self._name}-upload-notifications-dead-letter-policy",
            queue_url=self.dead_letter_queue.url,
            policy=document(deny_plain_http("sqs", self.dead_letter_queue.arn)),
            opts=self._child,
        )
        policy = aws.sqs.QueuePolicy(
            f"{self._name}-upload-notifications-policy",
            queue_url=self.queue.url,
            policy=document(
                deny_plain_http("sqs", self.queue.arn), allow_notifications(bucket, self.queue)
            ),
            opts=self._child,
        )
        aws.s3.BucketNotification(
            f"{self._name}-objects-notification",
            bucket=bucket.id,
            queues=[
                {
                    "id": "upload-notifications",
                    "queue_arn": self.queue.arn,
                    "events": ["s3:ObjectCreated:Put"],
                    "filter_suffix": contract.SINGLE_PUT_SUFFIX,
                }
            ],
            # S3 sends a test message at once and refuses a queue that does not accept it.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy, after]),
        )

    def _add_alarms(self) -> None:
        """Raise an alarm when messages wait too long, and when one is in the dead-letter queue."""
        self._alarm("delayed", self.queue, "ApproximateAgeOfOldestMessage", DELAY_SECONDS)
        self._alarm("failed", self.dead_letter_queue, "ApproximateNumberOfMessagesVisible", 0)

    def _alarm(self, state: str, queue: aws.sqs.Queue, metric: str, threshold: int) -> None:
        aws.cloudwatch.MetricAlarm(
            f"{self._name}-upload-notifications-{state}",
            namespace="AWS/SQS",
            metric_name=metric,
            dimensions={"QueueName": queue.name},
            statistic="Maximum",
            period=300,
            evaluation_periods=1,
            comparison_operator="GreaterThanThreshold",
            threshold=threshold,
            treat_missing_data="notBreaching",  # SQS reports nothing about an idle queue
            opts=self._child,
        )
