"""Measures the calls and units of the largest requests: those of `tests/http/bounds.py`.

They are sent where lists, groups, grants and parts are as many as the limits allow.
"""

from dataclasses import replace

import boto3

from function import base
from function.core.runtime import system_runtime
from tests.conftest import Behind, Clock, settings_on
from tests.http.bounds import BOUNDS
from tests.http.crowded import crowded
from tests.support.fake_aws import REGION, FakeAws
from tests.support.meter import Cost, measured
from tests.support.world import create_world

WorstCost = tuple[str, Cost]
CALL_SECONDS = 0.02  # of each call of AWS, for requests that work until a time


def measure(fake_aws: FakeAws) -> list[WorstCost]:
    """The cost of each. Raises RuntimeError when one is not answered as its row says."""
    session = boto3.Session("testing", "testing", region_name=REGION)
    clock, settings = Clock(), settings_on(fake_aws)
    runtime = replace(system_runtime(), now=clock, sleep=clock.sleep)
    base.use(base.Base(settings, session.client, runtime))
    fake_aws.reset()
    try:
        crowd = crowded(create_world(), Behind(fake_aws, settings, session.client("dynamodb")))
        restore, found = fake_aws.snapshot(), []
        for bound in BOUNDS:
            if bound.send is None:
                continue
            with measured(fake_aws, lambda: clock.sleep(CALL_SECONDS)) as cost:
                answer = bound.send(crowd)
            if answer.status != bound.status:
                raise RuntimeError(f"{bound}: {answer.status} {answer.text}")
            found.append((str(bound), cost))
            if cost.writes:
                restore()
    finally:
        base.use(None)
    return found
