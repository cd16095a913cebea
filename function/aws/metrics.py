"""Metrics for CloudWatch in its embedded metric format: log lines that CloudWatch reads."""

from collections.abc import Mapping

NAMESPACE = "Satchel"
SECONDS = {"lag"}  # metrics that are no counts


def put_metrics(stack: str, counts: Mapping[str, int]) -> None:
    """Writes counts as metrics of one stack, so that two stacks of an account stay apart."""
    # Few requests need this library, so a cold start does not load it.
    from aws_lambda_powertools.metrics import Metrics, MetricUnit  # noqa: PLC0415

    metrics = Metrics(namespace=NAMESPACE, service="satchel")
    metrics.add_dimension("stack", stack)
    for name, count in counts.items():
        unit = MetricUnit.Seconds if name in SECONDS else MetricUnit.Count
        metrics.add_metric(name, unit, count)
    metrics.flush_metrics()
