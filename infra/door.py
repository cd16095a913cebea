"""The front door: an HTTP API that hands every request to the function, and its log.

The only thing of the stack that the internet can reach. Imports Pulumi.
"""

import json

import pulumi
import pulumi_aws as aws

# API Gateway gives up after 30 s; the function gives up first, so that it answers for itself.
GATEWAY_MILLISECONDS = 29_000

# How long a browser remembers what it was allowed, in seconds.
CORS_SECONDS = 3_600

METHODS = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"]
MAY_SEND = [
    "accept",
    "authorization",
    "content-type",
    "if-match",
    "if-none-match",
    "range",
    "x-link-grant",
    "x-session-token",
]
MAY_READ = [
    "content-disposition",
    "content-range",
    "etag",
    "link",
    "location",
    "retry-after",
    "x-link-grant",
    "x-next-cursor",
    "x-request-id",
]

# No path, query or header: a path may hold a link's secret and a query a file's name. The
# function's own log names the route, under the same request id.
ACCESS_LOG = {
    "request_id": "$context.requestId",
    "time": "$context.requestTime",
    "from": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "status": "$context.status",
    "bytes": "$context.responseLength",
    "milliseconds": "$context.responseLatency",
    "gateway_error": "$context.error.message",
    "function_error": "$context.integrationErrorMessage",
}


class Door(pulumi.ComponentResource):
    """The API in front of a function; `rate` and `burst` are requests of everybody together."""

    def __init__(
        self,
        name: str,
        function: aws.lambda_.Function,
        *,
        origins: list[str],
        rate: int,
        burst: int,
        log_days: int,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("satchel:infra:Door", name, None, opts)
        self.name = name
        self.child = pulumi.ResourceOptions(parent=self)
        self.log = aws.cloudwatch.LogGroup(
            f"{name}-access",
            # Under this prefix the gateway's right to write needs no room in the account's policy.
            name=f"/aws/vendedlogs/{name}/access",
            retention_in_days=log_days,
            opts=self.child,
        )
        self.api = aws.apigatewayv2.Api(
            f"{name}-door",
            protocol_type="HTTP",
            cors_configuration=cors(origins) if origins else None,
            opts=self.child,
        )
        self._lead_to(function)
        self._open(rate, burst)
        self.register_outputs({})

    def _lead_to(self, function: aws.lambda_.Function) -> None:
        """Hand every path and method to the function, and let this API, and it alone, call it."""
        integration = aws.apigatewayv2.Integration(
            f"{self.name}-door-function",
            api_id=self.api.id,
            integration_type="AWS_PROXY",
            integration_method="POST",
            integration_uri=function.invoke_arn,
            payload_format_version="2.0",
            timeout_milliseconds=GATEWAY_MILLISECONDS,
            opts=self.child,
        )
        aws.apigatewayv2.Route(
            f"{self.name}-door-route",
            api_id=self.api.id,
            route_key="$default",
            target=pulumi.Output.concat("integrations/", integration.id),
            opts=self.child,
        )
        aws.lambda_.Permission(
            f"{self.name}-door-may-call",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="apigateway.amazonaws.com",
            source_arn=pulumi.Output.concat(self.api.execution_arn, "/*/*"),
            opts=self.child,
        )

    def _open(self, rate: int, burst: int) -> None:
        """Serve, at most so many requests, and log each."""
        aws.apigatewayv2.Stage(
            f"{self.name}-door-stage",
            api_id=self.api.id,
            name="$default",  # a named stage would lead every path
            auto_deploy=True,
            default_route_settings=aws.apigatewayv2.StageDefaultRouteSettingsArgs(
                throttling_rate_limit=rate, throttling_burst_limit=burst
            ),
            access_log_settings=aws.apigatewayv2.StageAccessLogSettingsArgs(
                destination_arn=self.log.arn, format=json.dumps(ACCESS_LOG)
            ),
            opts=self.child,
        )


def cors(origins: list[str]) -> aws.apigatewayv2.ApiCorsConfigurationArgs:
    """What pages of these origins may send and read; the gateway answers the preflight itself."""
    return aws.apigatewayv2.ApiCorsConfigurationArgs(
        allow_origins=origins,
        allow_methods=METHODS,
        allow_headers=MAY_SEND,
        expose_headers=MAY_READ,
        max_age=CORS_SECONDS,
    )
