"""The OpenAPI document: Powertools generates it from the routes, and this module completes it.

Powertools does not know which routes need a token, that errors are problems (RFC 9457), which
header fields a route reads, and what the routes accept and answer that use Request and Response
directly: `PUT /file`, `GET /file` and the public routes of links and file requests.
"""

import copy
import inspect
import json
from functools import cache
from typing import Any

from function.access.errors import NotAllowed
from function.contract import VERSION
from function.core.errors import (
    Internal,
    Invalid,
    Malformed,
    MethodNotAllowed,
    NoSuchRoute,
    NotSignedIn,
    Problem,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from function.core.media_types import JSON, PLAIN_BYTES
from function.core.models import Problem as ProblemModel
from function.files.models import PutFile
from function.http.dependencies import header_fields, needs_token
from function.http.forms import MULTIPART, URLENCODED
from function.http.problems import PROBLEM_TYPE
from function.http.request import is_public
from function.http.router import all_routes, resolver
from function.links.models import LinkDownloadRequest
from function.public.models import UnlockRequest

ABOUT = (
    "File sharing that you run in your own AWS account. Register, log in, and send the token in "
    "the header `x-session-token` (or as a Bearer token); programs may send a user name and an API "
    "key as Basic credentials. Errors are `application/problem+json`."
)
SECURITY = {
    "token": {"type": "apiKey", "in": "header", "name": "x-session-token"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "basic": {"type": "http", "scheme": "basic", "description": "A user name and an API key."},
}
ANY_TOKEN: list[dict[str, list[str]]] = [{name: []} for name in SECURITY]
SCHEMAS = "#/components/schemas/"
TEXT = {"schema": {"type": "string"}}
LOCATION = {"description": "The presigned URL", "schema": {"type": "string"}}
PAGE = {"description": "The page", "schema": {"type": "string"}}
COOKIE = {"description": "The access token, for the page", "schema": {"type": "string"}}
FILE_SIZE = {"description": "The size of the file in bytes", "schema": {"type": "integer"}}
BYTES = {"schema": {"type": "string", "format": "binary"}}
RESPONSES = "#/components/responses/"
PROBLEM = {"content": {PROBLEM_TYPE: {"schema": {"$ref": SCHEMAS + "Problem"}}}}
# Before a request reaches its route, or when the route meets what nobody expected.
OF_ANY_ROUTE = (Malformed, TooLarge, UnsupportedMediaType, Invalid, Internal, Unavailable)
# Where a parameter of a path has characters that no route takes.
OF_PATHS = (NoSuchRoute, MethodNotAllowed)
# API Gateway answers some requests itself, such as those above the throttle.
OF_GATEWAY = {
    JSON: {"schema": {"$ref": SCHEMAS + "GatewayProblem"}},
    **PROBLEM["content"],
}
HEADER_FIELDS = {
    "if-match": "The file must have one of these tags (`etag` or `revision`), or exist (`*`).",
    "if-none-match": "The file must have none of these tags, or not exist (`*`).",
    "range": "A range of bytes, as `bytes=0-499`; requires `Accept: application/octet-stream`.",
    "if-range": "The `etag` of the file that the range is from; if it changed, you get all bytes.",
}
# Schemas that are no model. Generated clients call each by its name.
OTHER_SCHEMAS = {
    "FileForm": {
        "type": "object",
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "file_name": {"type": "string", "description": "By default the file name of the part."},
        },
        "required": ["file"],
    },
    "GatewayProblem": {"type": "object", "properties": {"message": {"type": "string"}}},
}
FORM = {"schema": {"$ref": SCHEMAS + "FileForm"}}


def document_at(base: str) -> dict[str, Any]:
    """The document of the API at an address. Postman and generators need it to be absolute."""
    return {**document(), "servers": [{"url": base}]}


@cache
def document() -> dict[str, Any]:
    """The document without its server. It takes some hundred milliseconds, once in a process."""
    routes = all_routes()
    generated = resolver.get_openapi_json_schema(
        title="Satchel", version=VERSION, description=ABOUT
    )
    spec: dict[str, Any] = json.loads(generated)
    spec["security"] = ANY_TOKEN
    spec["components"]["securitySchemes"] = SECURITY
    _complete_schemas(spec["components"]["schemas"])
    common = (*OF_ANY_ROUTE, *OF_PATHS, NotSignedIn, NotAllowed)
    spec["components"]["responses"] = {each.__name__: _problem(each) for each in common}
    # In the order of the routes: Powertools lists them in the order in which they were imported.
    paths = spec["paths"]
    spec["paths"] = {
        route.openapi_path: paths[route.openapi_path]
        for route in routes
        if route.openapi_path in paths
    }
    for route in routes:
        if operation := paths.get(route.openapi_path, {}).get(route.method.lower()):
            _complete_operation(operation, route)
    _complete_file(paths["/file"])
    _complete_download(paths["/download"]["get"]["responses"])
    _complete_public(paths)
    _complete_bodies(spec)
    return spec


def _complete_schemas(schemas: dict[str, Any]) -> None:
    """Removes Powertools' own error models, and adds models that no route has in its signature."""
    for name in ("HTTPValidationError", "ValidationError", "ResponseValidationError"):
        schemas.pop(name, None)
    for model in (ProblemModel, PutFile, UnlockRequest, LinkDownloadRequest):
        schema = model.model_json_schema(ref_template=SCHEMAS + "{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    schemas.update(copy.deepcopy(OTHER_SCHEMAS))


def _complete_operation(operation: dict[str, Any], route: Any) -> None:
    """Adds a route's texts, token, header fields and problems to its operation."""
    text, is_protected = inspect.getdoc(route.func) or "", needs_token(route)
    operation["operationId"] = _operation_id(route.func.__name__)
    operation["summary"], operation["description"] = text.partition(".")[0], text
    # The others have the security of the document: Postman inherits it, as it inherits no copy.
    operation.update({} if is_protected else {"security": []})
    for parameter in operation.get("parameters", []):
        _complete_parameter(parameter)
    if names := sorted(header_fields(route)):
        operation.setdefault("parameters", []).extend(_header_field(name) for name in names)
    responses = operation["responses"]
    for status in ("422", "500"):  # Powertools' own; ours have problems in place of its models
        if PROBLEM_TYPE not in responses.get(status, {}).get("content", ()):
            responses.pop(status, None)
    if is_protected:
        responses.pop("401", None)
    problems = [*OF_ANY_ROUTE, *([NotSignedIn, NotAllowed] if is_protected else [])]
    problems += OF_PATHS if "{" in route.openapi_path else []
    for problem in problems:
        responses.setdefault(str(problem.status), {"$ref": RESPONSES + problem.__name__})
    responses["default"] = {"description": "An answer of API Gateway itself", "content": OF_GATEWAY}
    responses.get("204", {}).pop("content", None)
    for response in responses.values():
        if response.get("content", {}).get(JSON, {}).get("schema", {}).get("type") == "null":
            del response["content"]  # Powertools documents null for a route that returns nothing


def _operation_id(name: str) -> str:
    """The name of a route's function in camel case, as generated clients call the operation."""
    first, *words = name.split("_")
    return first + "".join(word.capitalize() for word in words)


def _complete_parameter(parameter: dict[str, Any]) -> None:
    """Says a default in the description alone: Swagger UI and generated clients send a `default`.

    A parameter is text, so it cannot be null as the field of a body can.
    """
    schema = parameter["schema"]
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    schema.update(kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {})
    default = schema.pop("default", None)
    for repeated in ("title", "description"):
        schema.pop(repeated, None)
    _describe_default(parameter, default)


def _complete_bodies(spec: dict[str, Any]) -> None:
    """Says the defaults of requests' fields in their descriptions, as those of parameters.

    Generated clients would send them, or require that their users do. A change leaves a field that
    is not sent as it is, so its fields have none.
    """
    for path in spec["paths"].values():
        for method, operation in path.items():
            schema = operation.get("requestBody", {}).get("content", {}).get(JSON, {}).get("schema")
            if schema is None:
                continue
            model = spec["components"]["schemas"][schema["$ref"].removeprefix(SCHEMAS)]
            for field in model["properties"].values():
                default = field.pop("default", None)
                if method != "patch":
                    _describe_default(field, default)


def _describe_default(described: dict[str, Any], default: Any) -> None:
    """Adds a default to a description, where it says more than that there is nothing."""
    if default not in (None, False, "", [], {}):
        shown = json.dumps(default).strip('"')
        text = [described.get("description", ""), f"By default `{shown}`."]
        described["description"] = " ".join(text).strip()


def _problem(problem: type[Problem]) -> dict[str, Any]:
    """The response for a problem."""
    return {"description": f"{problem.title} (`{problem.slug}`)", **PROBLEM}


def _header_field(name: str) -> dict[str, Any]:
    """The parameter for a header field."""
    return {"name": name.title(), "in": "header", "description": HEADER_FIELDS[name], **TEXT}


def _complete_file(path: dict[str, Any]) -> None:
    """`PUT /file` accepts JSON, bytes and forms; `GET /file` answers text and bytes, or a range."""
    path["put"]["requestBody"] = {
        "required": True,
        "content": {
            JSON: {"schema": {"$ref": SCHEMAS + "PutFile"}},
            PLAIN_BYTES: BYTES,
            MULTIPART: FORM,
        },
    }
    put, get = path["put"]["responses"], path["get"]["responses"]
    put["201"] = {**put["200"], "description": "The file is new"}
    put["200"]["description"] = "The file was replaced"
    text = {"schema": {"type": "string", "contentEncoding": "base64"}}
    get["200"]["content"] = {"text/plain": text, PLAIN_BYTES: BYTES}
    get["206"] = {"description": "The range", "content": {PLAIN_BYTES: BYTES}}
    for method, statuses in (("get", ("200", "206")), ("head", ("200",))):
        path[method]["responses"]["304"] = {"description": "The file has not changed"}
        for status in statuses:
            path[method]["responses"][status]["headers"] = {"X-File-Size": FILE_SIZE}
    path["head"]["responses"]["200"].pop("content", None)


def _complete_download(responses: dict[str, Any]) -> None:
    """`GET /download` also redirects, and answers a configuration of curl."""
    responses["200"]["content"]["text/plain"] = TEXT
    responses["302"] = {"description": "With `redirect`", "headers": {"Location": LOCATION}}


def _complete_public(paths: dict[str, Any]) -> None:
    """Links and file requests accept JSON and forms, and answer programs and browsers."""
    link, file_request = paths["/s/{token}"], paths["/r/{token}"]
    unlock_link, unlock_request = paths["/s/{token}/unlock"], paths["/r/{token}/unlock"]
    download = paths["/s/{token}/download"]
    for path, model in (
        (unlock_link, UnlockRequest),
        (unlock_request, UnlockRequest),
        (download, LinkDownloadRequest),
    ):
        schema = {"schema": {"$ref": SCHEMAS + model.__name__}}
        media_types = (JSON, URLENCODED)
        path["post"]["requestBody"] = {"content": dict.fromkeys(media_types, schema)}
    for operation in (link["get"], file_request["get"]):
        operation["responses"]["200"]["content"]["text/html"] = TEXT
    for operation in (unlock_link["post"], unlock_request["post"]):
        headers = {"Location": PAGE, "Set-Cookie": COOKIE}
        operation["responses"]["303"] = {"description": "To the page", "headers": headers}
    responses = download["post"]["responses"]
    responses["200"]["content"]["text/plain"] = TEXT
    responses["303"] = {"description": "The file's bytes", "headers": {"Location": LOCATION}}
    for route in (each for path, each in paths.items() if is_public(path)):
        for operation in route.values():
            _add_pages(operation["responses"])


def _add_pages(responses: dict[str, Any]) -> None:
    """A browser gets each problem of a public route as a page."""
    common = {RESPONSES + each.__name__: _problem(each) for each in (*OF_ANY_ROUTE, *OF_PATHS)}
    for status, response in responses.items():
        inline = common.get(response.get("$ref"), response)
        content = inline.get("content", {})
        if PROBLEM_TYPE in content and status != "default":
            responses[status] = {**inline, "content": {**content, "text/html": TEXT}}
