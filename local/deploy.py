"""Creates in an emulator what `__main__.py` declares: moto in this process, or one at an endpoint.

Imports boto3 and the rest of `local`. Names are those of the declaration, so a second run finds
what the first one made and adopts it.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from function.contract import variable
from local import create, imagine, mails
from local.declare import Resource, configuration, run

# Declared, noted and not made, each for its reason. `local/gateway.py` stands in for the door.
NOT_HERE: dict[str, str] = {
    "pulumi:providers:aws": "the emulator is the provider",
    "aws:apigatewayv2/api:Api": "the local gateway is the door",
    "aws:apigatewayv2/integration:Integration": "the local gateway calls the handler itself",
    "aws:apigatewayv2/route:Route": "the local gateway sends every path to the handler",
    "aws:apigatewayv2/stage:Stage": "one person needs neither throttle nor access log",
    "aws:cloudwatch/eventRule:EventRule": "`local/arrivals.py` keeps the hours",
    "aws:cloudwatch/eventTarget:EventTarget": "`local/arrivals.py` sends what it says",
    "aws:cloudwatch/logGroup:LogGroup": "the handler's log goes to the terminal",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "who runs it sees the terminal",
    "aws:lambda/eventSourceMapping:EventSourceMapping": "`local/arrivals.py` polls the queue",
    "aws:lambda/function:Function": "the handler runs in a process of this machine",
    "aws:lambda/permission:Permission": "the local gateway needs no permission",
}


@dataclass(frozen=True)
class Deployed:
    """What now stands: the function's environment, its role, the exports, and what was declared."""

    environment: dict[str, str]
    role_arn: str
    exports: dict[str, Any]
    resources: list[Resource]


def deploy(
    session: boto3.Session,
    stack: str = "dev",
    config: Mapping[str, str] | None = None,
    endpoint_url: str | None = None,
) -> Deployed:
    """Create or adopt what a stack declares, and answer what its function is told.

    Without an endpoint the session must already lead to an emulator in this process. Raises
    LookupError for a kind nobody here knows, RuntimeError when what stands has another shape.
    """
    region = session.region_name
    assert region, "the session needs a region: ARNs and presigned URLs carry it"
    emulator = create.Emulator(session, endpoint_url)
    account = emulator.client("sts").get_caller_identity()["Account"]
    lock = threading.Lock()  # boto3 sessions are not made for two threads at once

    def make(resource: Resource) -> tuple[str, dict[str, Any]]:
        identity, answers = imagine.made(resource, region, account)
        if maker := create.MAKERS.get(resource.kind):
            with lock:
                answers |= maker(emulator, resource)
        elif resource.kind not in NOT_HERE:
            raise LookupError(f"nobody here makes a {resource.kind}")
        return identity, answers

    own = {**(config or {}), "aws:region": region}
    declared = run(stack, configuration(stack, own), make)
    function = only(declared.resources, "aws:lambda/function:Function").inputs
    return Deployed(
        environment=_told(emulator, function),
        role_arn=function["role"],
        exports=declared.exports,
        resources=declared.resources,
    )


def _told(emulator: create.Emulator, function: dict[str, Any]) -> dict[str, str]:
    """What the function is told; the address that it sends mail from is one that SES knows."""
    environment: dict[str, str] = function["environment"]["variables"]
    if sender := environment[variable("mail_from")]:
        mails.know(emulator.client("sesv2"), sender)
    return environment


def only(resources: list[Resource], kind: str) -> Resource:
    """The one resource of a kind. Raises ValueError when there is none or more than one."""
    (found,) = (resource for resource in resources if resource.kind == kind)
    return found
