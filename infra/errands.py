"""What calls the function besides the front door: the queue of arrivals, and the clock.

Imports Pulumi, and `function.contract` for what the schedule sends.
"""

import json

import pulumi
import pulumi_aws as aws

from function import contract

BATCH = 10

# However many files arrive at once, people's requests find a function that is free.
AT_ONCE = 5

SCHEDULES = {
    "sweep": (contract.SWEEP, "rate(1 hour)"),
    "reconcile": (contract.RECONCILE, "rate(1 day)"),
}


class Errands(pulumi.ComponentResource):
    """Hands messages of `queue` to a function, and has it do by schedule what nobody asks for."""

    def __init__(
        self,
        name: str,
        function: aws.lambda_.Function,
        queue: aws.sqs.Queue,
        *,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("satchel:infra:Errands", name, None, opts)
        self.name = name
        self.child = pulumi.ResourceOptions(parent=self)
        aws.lambda_.EventSourceMapping(
            f"{name}-arrivals",
            event_source_arn=queue.arn,
            function_name=function.arn,
            batch_size=BATCH,
            # One bad message comes back alone; without this its whole batch would.
            function_response_types=["ReportBatchItemFailures"],
            scaling_config=aws.lambda_.EventSourceMappingScalingConfigArgs(
                maximum_concurrency=AT_ONCE
            ),
            opts=self.child,
        )
        for what, (event, every) in SCHEDULES.items():
            self._schedule(what, function, event, every)
        self.register_outputs({})

    def _schedule(
        self, what: str, function: aws.lambda_.Function, event: dict[str, str], every: str
    ) -> None:
        """Have the function do something, and let this schedule, and it alone, ask for it."""
        rule = aws.cloudwatch.EventRule(
            f"{self.name}-{what}", schedule_expression=every, opts=self.child
        )
        aws.cloudwatch.EventTarget(
            f"{self.name}-{what}",
            rule=rule.name,
            arn=function.arn,
            input=json.dumps(event),
            opts=self.child,
        )
        aws.lambda_.Permission(
            f"{self.name}-{what}-may-call",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            opts=self.child,
        )
