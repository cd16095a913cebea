"""The HTTP API, which hands every request to the function, and its access log.

Nothing else of the stack can be reached from the internet. Imports Pulumi.
"""

import pulumi
import pulumi_aws as aws

# Below the 30 s of API Gateway; the function's own timeout is shorter, so that it still answers.
INTEGRATION_TIMEOUT_MILLISECONDS = 29_000

# How long a browser caches the answer to a preflight request.
CORS_SECONDS = 3_600

METHODS = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"]
REQUEST_HEADERS = [
    "accept",
    "authorization",
    "content-digest",
    "content-type",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "range",
    "repr-digest",
    "x-link-grant",
    "x-link-password",
    "x-otp",
    "x-session-token",
]
RESPONSE_HEADERS = [
    "content-disposition",
    "content-range",
    "etag",
    "link",
    "location",
    "repr-digest",
    "retry-after",
    "x-file-size",
    "x-link-grant",
    "x-next-cursor",
    "x-request-id",
]

# Neither path nor query nor headers: a path can hold the secret of a link, a query the name of a
# file. The function's own log names the route, and its error, under the same request id.
#
# API Gateway escapes no quotes within a value, so these are values that have none, and the one text
# is the variable that API Gateway quotes itself.
ACCESS_LOG = {
    "request_id": '"$context.requestId"',
    "time": '"$context.requestTime"',
    "from": '"$context.identity.sourceIp"',
    "method": '"$context.httpMethod"',
    "status": '"$context.status"',
    "bytes": '"$context.responseLength"',
    "milliseconds": '"$context.responseLatency"',
    "gateway_error": "$context.error.messageString",
    "function_status": '"$context.integration.status"',
}


class HttpApi(pulumi.ComponentResource):
    """The HTTP API in front of a function.

    `origins` are the web pages that can call it. From all clients together it accepts `rate`
    requests per second and `burst` at once, and answers further ones with 429.
    """

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
        super().__init__("satchel:infra:HttpApi", name, None, opts)
        self._name = name
        self._child = pulumi.ResourceOptions(parent=self)
        self.access_log = aws.cloudwatch.LogGroup(
            f"{name}-http-api-access-log",
            # CloudWatch allows delivery to this prefix without a statement for each log group in
            # the account's resource policy, whose length is limited.
            name=f"/aws/vendedlogs/{name}/access",
            retention_in_days=log_days,
            opts=self._child,
        )
        self.api = aws.apigatewayv2.Api(
            f"{name}-http-api",
            protocol_type="HTTP",
            cors_configuration=cors_configuration(origins) if origins else None,
            opts=self._child,
        )
        self._integrate(function)
        self._add_stage(rate, burst)
        self.register_outputs({})

    def _integrate(self, function: aws.lambda_.Function) -> None:
        """Send every request to the function, and permit this API, and no other, to invoke it."""
        integration = aws.apigatewayv2.Integration(
            f"{self._name}-http-api-integration",
            api_id=self.api.id,
            integration_type="AWS_PROXY",
            integration_method="POST",
            integration_uri=function.invoke_arn,
            payload_format_version="2.0",
            timeout_milliseconds=INTEGRATION_TIMEOUT_MILLISECONDS,
            opts=self._child,
        )
        aws.apigatewayv2.Route(
            f"{self._name}-http-api-route",
            api_id=self.api.id,
            route_key="$default",
            target=pulumi.Output.concat("integrations/", integration.id),
            opts=self._child,
        )
        aws.lambda_.Permission(
            f"{self._name}-http-api-permission",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="apigateway.amazonaws.com",
            source_arn=pulumi.Output.concat(self.api.execution_arn, "/*/*"),
            opts=self._child,
        )

    def _add_stage(self, rate: int, burst: int) -> None:
        """Publish the API, throttled and logged."""
        fields = [f'"{key}":{value}' for key, value in ACCESS_LOG.items()]
        aws.apigatewayv2.Stage(
            f"{self._name}-http-api-stage",
            api_id=self.api.id,
            name="$default",  # the name of another stage would begin every path
            auto_deploy=True,
            default_route_settings={
                "throttling_rate_limit": rate,
                "throttling_burst_limit": burst,
            },
            access_log_settings={
                "destination_arn": self.access_log.arn,
                "format": f"{{{','.join(fields)}}}",
            },
            opts=self._child,
        )


def cors_configuration(origins: list[str]) -> aws.apigatewayv2.ApiCorsConfigurationArgsDict:
    """The methods and headers that scripts of these origins can use.

    API Gateway answers the preflight requests and ignores CORS headers of the function.
    """
    return {
        "allow_origins": origins,
        "allow_methods": METHODS,
        "allow_headers": REQUEST_HEADERS,
        "expose_headers": RESPONSE_HEADERS,
        "max_age": CORS_SECONDS,
    }
