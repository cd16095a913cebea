"""The event sources of the function beside the HTTP API: the queue and two schedules.

Imports Pulumi, and `function.contract` for the events of the schedules.
"""

import json

import pulumi
import pulumi_aws as aws

from function import contract

BATCH_SIZE = 10

# The queue uses at most this many instances of the function; others stay free for HTTP requests.
MAX_CONCURRENCY = 5

SCHEDULES = {
    "sweep": (contract.SWEEP_EVENT, "rate(5 minutes)"),
    "reconcile": (contract.RECONCILE_EVENT, "rate(1 day)"),
}


class EventSources(pulumi.ComponentResource):
    """Invokes a function with the messages of `queue` and with the events of `SCHEDULES`.

    Without `enabled` the messages wait in the queue, and the schedules do nothing.
    """

    def __init__(
        self,
        name: str,
        function: aws.lambda_.Function,
        queue: aws.sqs.Queue,
        *,
        enabled: bool,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("satchel:infra:EventSources", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._enabled = enabled
        aws.lambda_.EventSourceMapping(
            f"{name}-upload-notifications",
            event_source_arn=queue.arn,
            function_name=function.arn,
            batch_size=BATCH_SIZE,
            enabled=enabled,
            # SQS delivers only the failed messages again; without this, the whole batch.
            function_response_types=["ReportBatchItemFailures"],
            scaling_config={"maximum_concurrency": MAX_CONCURRENCY},
            opts=self._child,
        )
        for job, (event, rate) in SCHEDULES.items():
            self._schedule(f"{name}-{job}", function, event, rate)
        self.register_outputs({})

    def _schedule(
        self, name: str, function: aws.lambda_.Function, event: dict[str, str], rate: str
    ) -> None:
        """Invoke the function with `event` at this rate, and permit that to this schedule only."""
        state = "ENABLED" if self._enabled else "DISABLED"
        rule = aws.cloudwatch.EventRule(
            name, schedule_expression=rate, state=state, opts=self._child
        )
        aws.cloudwatch.EventTarget(
            name, rule=rule.name, arn=function.arn, input=json.dumps(event), opts=self._child
        )
        aws.lambda_.Permission(
            f"{name}-permission",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            opts=self._child,
        )
