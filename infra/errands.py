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

EVERY = "rate(1 hour)"


class Errands(pulumi.ComponentResource):
    """Hands messages of `queue` to a function, and has it sweep every hour."""

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
        self._sweep(function)
        self.register_outputs({})

    def _sweep(self, function: aws.lambda_.Function) -> None:
        """Have the function sweep, and let this schedule, and it alone, ask for it."""
        hourly = aws.cloudwatch.EventRule(
            f"{self.name}-sweep", schedule_expression=EVERY, opts=self.child
        )
        aws.cloudwatch.EventTarget(
            f"{self.name}-sweep",
            rule=hourly.name,
            arn=function.arn,
            input=json.dumps(contract.SWEEP),
            opts=self.child,
        )
        aws.lambda_.Permission(
            f"{self.name}-sweep-may-call",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="events.amazonaws.com",
            source_arn=hourly.arn,
            opts=self.child,
        )
