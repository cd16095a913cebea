"""The OpenAPI document: Powertools generates it from the routes, and this module completes it.

Powertools does not know which routes need a token, that errors are problems (RFC 9457), which
header fields a route reads and answers, and examples. `meta.media` completes the routes that use
Request and Response directly.
"""

import copy
import inspect
import json
import re
from functools import cache
from typing import Any

from function.access.errors import MfaRequired, NotAllowed
from function.contract import VERSION
from function.core.errors import (
    Internal,
    Invalid,
    Malformed,
    MethodNotAllowed,
    NoSuchRoute,
    NotSignedIn,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from function.core.media_types import JSON
from function.core.models import Problem as ProblemModel
from function.files.models import PutFile
from function.http.dependencies import header_fields, needs_token
from function.http.forms import URLENCODED
from function.http.problems import PROBLEM_TYPE
from function.http.responses import problem_response
from function.http.router import all_routes, resolver
from function.links.models import LinkDownloadRequest
from function.meta.examples import (
    DESCRIPTIONS,
    REQUESTS,
    answer_example,
    parameter_example,
)
from function.meta.headers import (
    OF_EVERY_ANSWER,
    OF_PAGES,
    OF_STATUS,
    add_headers,
    header_components,
)
from function.meta.media import FILE_FORM, add_pages, complete_media
from function.meta.problems import problem_examples
from function.meta.tags import TAG_ORDER, TAGS, Tag, tag_of
from function.public.models import UnlockRequest
from function.requests.models import FileRequestUpload

INFO = {
    "title": "Satchel",
    "version": VERSION,
    "summary": "File sharing that you run in your own AWS account.",
    "description": (
        "Register with `POST /register`, log in with `POST /login`, and send the token in the "
        "header `x-session-token`, or as a Bearer token; programs may "
        "send a user name and an API key as Basic credentials. `PUT /file` puts a file, and "
        "`POST /links` makes an address that opens it for people without an account.\n\n"
        "Errors are `application/problem+json` (RFC 9457), and the address in `type` says what to "
        "do. Times are UTC (RFC 3339), sizes are bytes."
    ),
    "contact": {"name": "Satchel maintainers"},
    "license": {"name": "MIT", "identifier": "MIT"},
}
SECURITY = {
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "x-session-token",
        "description": "The token of `POST /login`, or an API key of `POST /keys`.",
    },
    "bearer": {"type": "http", "scheme": "bearer", "description": "The same token."},
    "basic": {"type": "http", "scheme": "basic", "description": "A user name and an API key."},
}
ANY_TOKEN: list[dict[str, list[str]]] = [{name: []} for name in SECURITY]
SCHEMAS, RESPONSES = "#/components/schemas/", "#/components/responses/"
# Before a request reaches its route, or when the route meets what nobody expected.
OF_ANY_ROUTE = (Malformed, TooLarge, UnsupportedMediaType, Invalid, Internal, Unavailable)
# Where a parameter of a path has characters that no route takes.
OF_PATHS = (NoSuchRoute, MethodNotAllowed)
# API Gateway answers some requests itself, such as those above the throttle.
OF_GATEWAY = {
    JSON: {
        "schema": {"$ref": SCHEMAS + "GatewayProblem"},
        "example": {"message": "Too Many Requests"},
    },
    PROBLEM_TYPE: {"schema": {"$ref": SCHEMAS + "Problem"}},
}
HEADER_FIELDS = {
    "if-match": "The file must have one of these tags (`etag` or `revision`), or exist (`*`).",
    "if-none-match": "The file must have none of these tags, or not exist (`*`).",
    "content-digest": "`sha-256=:<Base64>:` of the body, which is verified (RFC 9530).",
    "repr-digest": "The same as `Content-Digest`.",
    "range": "A range of bytes, as `bytes=0-499`; requires `Accept: application/octet-stream`.",
    "if-range": "The `etag` of the file that the range is from; if it changed, you get all bytes.",
}
METHODS = ("post", "put", "get", "head", "patch", "delete")  # the order of the work
# Schemas that are no model. Generated clients call each by its name.
OTHER_SCHEMAS = {
    "FileForm": FILE_FORM,
    "GatewayProblem": {"type": "object", "properties": {"message": {"type": "string"}}},
}
A_TIME, A_URL = r"\d{4}-\d\d-\d\dT[\d:.]+Z", r"[a-z]+://.+"


def document_at(base: str) -> dict[str, Any]:
    """The document of the API at an address. Postman and generators need it to be absolute."""
    return {**document(), "servers": [{"url": base}]}


@cache
def document() -> dict[str, Any]:
    """The document without its server. It takes some hundred milliseconds, once in a process."""
    routes = sorted(all_routes(), key=lambda route: TAG_ORDER.index(tag_of(route.openapi_path)))
    spec: dict[str, Any] = json.loads(resolver.get_openapi_json_schema(title="", version=""))
    components, paths = spec["components"], spec["paths"]
    complete_media(paths)
    _complete_schemas(components["schemas"])
    components["responses"] = _shared_responses()
    components |= {
        "securitySchemes": SECURITY,
        "headers": header_components(),
        "examples": problem_examples(),
    }
    for route in routes:
        if operation := paths.get(route.openapi_path, {}).get(route.method.lower()):
            _complete_operation(operation, route, components)
    _complete_formats(components["schemas"])
    return {
        "openapi": spec["openapi"],
        "info": INFO,
        "security": ANY_TOKEN,
        "tags": [{"name": tag.name, "description": tag.description} for tag in _used_tags(paths)],
        # In the order of the routes: Powertools has that in which they were imported.
        "paths": {
            route.openapi_path: _in_order(paths[route.openapi_path])
            for route in routes
            if route.openapi_path in paths
        },
        "components": components,
    }


def _shared_responses() -> dict[str, Any]:
    """The responses of several routes, by the name of the problem."""
    shared = {}
    for each in (*OF_ANY_ROUTE, *OF_PATHS, NotSignedIn, NotAllowed):
        kinds = (each, MfaRequired) if each is NotAllowed else (each,)
        response = shared[each.__name__] = problem_response(*kinds)
        add_headers(response, *OF_EVERY_ANSWER, *OF_STATUS.get(str(each.status), ()))
    return shared


def _used_tags(paths: dict[str, Any]) -> list[Tag]:
    """The tags that an operation has."""
    names = {tag_of(path) for path in paths}
    return [tag for tag in TAGS if tag.name in names]


def _in_order(item: dict[str, Any]) -> dict[str, Any]:
    """The operations of a path: those that create, read, change, delete."""
    return {method: item[method] for method in METHODS if method in item}


def _complete_schemas(schemas: dict[str, Any]) -> None:
    """Removes Powertools' own error models, and adds models that no route has in its signature."""
    for name in ("HTTPValidationError", "ValidationError", "ResponseValidationError"):
        schemas.pop(name, None)
    for model in (ProblemModel, PutFile, UnlockRequest, LinkDownloadRequest, FileRequestUpload):
        schema = model.model_json_schema(ref_template=SCHEMAS + "{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
    schemas.update(copy.deepcopy(OTHER_SCHEMAS))
    for schema in schemas.values():
        _simplify(schema)
        for field in schema.get("properties", {}).values():
            field.pop("title", None)


def _simplify(schema: Any) -> None:
    """Writes the bounds of whole numbers as such, and no default of null; in all parts."""
    if isinstance(schema, list):
        for each in schema:
            _simplify(each)
    if not isinstance(schema, dict):
        return
    for name, value in [*schema.items()]:
        if isinstance(value, float) and value.is_integer():
            schema[name] = int(value)
        elif name == "default" and value is None:
            del schema[name]
        else:
            _simplify(value)


def _complete_formats(schemas: dict[str, Any]) -> None:
    """Marks the fields of answers whose examples are times or addresses as such."""
    for name, schema in schemas.items():
        example = answer_example(schema, schemas, name)
        for field, part in schema.get("properties", {}).items():
            value = example.get(field)
            kinds = [kind for kind in part.get("anyOf", [part]) if kind.get("type") == "string"]
            for kind in kinds if isinstance(value, str) else ():
                if re.fullmatch(A_TIME, value):
                    kind["format"] = "date-time"
                elif re.fullmatch(A_URL, value):
                    kind["format"] = "uri"


def _complete_operation(operation: dict[str, Any], route: Any, components: dict[str, Any]) -> None:
    """Adds a route's texts, token, parameters, examples and answers to its operation."""
    text = inspect.getdoc(route.func) or ""
    operation["operationId"] = _operation_id(route.func.__name__)
    operation["tags"] = [tag_of(route.openapi_path)]
    operation["summary"], operation["description"] = text.partition(".")[0], text
    # The others have the security of the document: Postman inherits it, as it inherits no copy.
    operation.update({} if needs_token(route) else {"security": []})
    parameters = operation.setdefault("parameters", [])
    parameters.extend(_header_field(name) for name in sorted(header_fields(route)))
    for parameter in parameters:
        _complete_parameter(parameter, operation["operationId"])
    if not parameters:
        del operation["parameters"]
    _complete_body(operation, components["schemas"], is_change=route.method == "PATCH")
    _complete_answers(operation, route, components)


def _operation_id(name: str) -> str:
    """The name of a route's function in camel case, as generated clients call the operation."""
    first, *words = name.split("_")
    return first + "".join(word.capitalize() for word in words)


def _complete_parameter(parameter: dict[str, Any], operation: str) -> None:
    """Adds an example, and says a default in the description alone, because clients send it.

    Swagger UI fills in the example of a required parameter; that of another one is in its schema,
    and is only shown. A parameter is text, so it cannot be null as the field of a body can.
    """
    schema, name = parameter["schema"], parameter["name"]
    kinds = [kind for kind in schema.pop("anyOf", []) if kind != {"type": "null"}]
    schema.update(kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {})
    default = schema.pop("default", None)
    for repeated in ("title", "description"):
        schema.pop(repeated, None)
    _simplify(schema)
    parameter["description"] = parameter.get("description") or DESCRIPTIONS.get(name, "")
    _describe_default(parameter, default)
    example = parameter_example(operation, name)
    if parameter.get("required"):
        parameter["example"] = example
    else:
        schema["examples"] = [example]


def _header_field(name: str) -> dict[str, Any]:
    """The parameter for a header field."""
    schema = {"type": "string"}
    return {
        "name": name.title(),
        "in": "header",
        "description": HEADER_FIELDS[name],
        "schema": schema,
    }


def _complete_body(operation: dict[str, Any], schemas: dict[str, Any], *, is_change: bool) -> None:
    """Adds the examples of the body, and says the defaults of its fields in their descriptions.

    Generated clients would send them, or require that their users do. A change leaves a field that
    is not sent as it is, so its fields have none.
    """
    content = operation.get("requestBody", {}).get("content", {})
    examples = REQUESTS.get(operation["operationId"], {})
    for media_type in (JSON, URLENCODED):
        if examples and media_type in content:
            content[media_type]["examples"] = {
                name: {"value": value} for name, value in examples.items()
            }
    if JSON not in content:
        return
    model = content[JSON]["schema"]["$ref"].removeprefix(SCHEMAS)
    for field in schemas[model].get("properties", {}).values():
        default = field.pop("default", None)
        if not is_change:
            _describe_default(field, default)


def _describe_default(described: dict[str, Any], default: Any) -> None:
    """Adds a default to a description, where it says more than that there is nothing."""
    if default not in (None, False, "", [], {}):
        shown = json.dumps(default).strip('"')
        text = [described.get("description", ""), f"By default `{shown}`."]
        described["description"] = " ".join(text).strip()


def _complete_answers(operation: dict[str, Any], route: Any, components: dict[str, Any]) -> None:
    """Adds the problems of any route, header fields and examples to the answers."""
    responses, path = operation["responses"], route.openapi_path
    for status in ("422", "500"):  # Powertools' own; ours have problems in place of its models
        if PROBLEM_TYPE not in responses.get(status, {}).get("content", ()):
            responses.pop(status, None)
    if needs_token(route):
        responses.pop("401", None)
    problems = [*OF_ANY_ROUTE, *([NotSignedIn, NotAllowed] if needs_token(route) else [])]
    problems += OF_PATHS if "{" in path else []
    for problem in problems:
        status, name = str(problem.status), problem.__name__
        if status in responses:
            _add_problem(responses[status], components["responses"][name])
        else:
            responses[status] = {"$ref": RESPONSES + name}
    names = {each["name"] for each in operation.get("parameters", ())}
    for status, response in responses.items():
        if "$ref" not in response:
            pages = OF_PAGES if "cursor" in names and status == "200" else ()
            add_headers(response, *OF_EVERY_ANSWER, *OF_STATUS.get(status, ()), *pages)
            _complete_answer(response, components["schemas"])
    responses.get("204", {}).pop("content", None)
    shared = {RESPONSES + name: each for name, each in components["responses"].items()}
    add_pages(path, responses, shared)
    responses["default"] = {"description": "An answer of API Gateway itself", "content": OF_GATEWAY}
    operation["responses"] = dict(sorted(responses.items()))


def _add_problem(response: dict[str, Any], shared: dict[str, Any]) -> None:
    """Adds a problem of any route to the problems of a route that have the same status."""
    examples = response["content"][PROBLEM_TYPE]["examples"]
    added = shared["content"][PROBLEM_TYPE]["examples"]
    if not added.keys() <= examples.keys():
        examples.update(added)
        response["description"] += f", or: {shared['description']}"


def _complete_answer(response: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Adds an example of a JSON answer, and removes null, the answer of a route with none."""
    media = response.get("content", {}).get(JSON)
    if media is None:
        return
    if media["schema"].get("type") == "null":
        del response["content"]
    else:
        _simplify(media["schema"])
        media["schema"].pop("title", None)
        media["example"] = answer_example(media["schema"], schemas)
