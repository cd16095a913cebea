"""The OpenAPI document: what Powertools derives from the routes, mended where it cannot know.

It cannot know who needs a token, that errors are problems, that `PUT /file` takes three kinds of
body, or that 204 has none.
"""

import inspect
import json
from functools import cache
from typing import Any

from function.contract import VERSION
from function.core.models import Problem
from function.files.models import PutFile
from function.http.responses import PROBLEM
from function.http.router import all_routes, header_fields, needs_token, resolver
from function.links.models import LinkDownloadRequest
from function.public.models import UnlockRequest

ABOUT = (
    "File sharing that you run in your own AWS account. Register, log in, and send the token in "
    "the header `x-session-token` (or as a Bearer token). Errors are `application/problem+json`."
)
SECURITY = {
    "token": {"type": "apiKey", "in": "header", "name": "x-session-token"},
    "bearer": {"type": "http", "scheme": "bearer"},
}
SCHEMA = "#/components/schemas/"
TEXT = {"schema": {"type": "string"}}
BYTES = {"schema": {"type": "string", "format": "binary"}}
FIELDS = {
    "if-match": "The file has one of these tags (`etag` or `revision`), or is there (`*`).",
    "if-none-match": "The file has none of these tags, or is not there (`*`).",
    "range": "Some of the bytes, as in `bytes=0-499`; with `Accept: application/octet-stream`.",
    "if-range": "The `etag` that the range is of; else all bytes are sent.",
}
FORM = {
    "schema": {
        "type": "object",
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "file_name": {"type": "string", "description": "The part's own name by default."},
        },
        "required": ["file"],
    }
}


@cache
def document() -> dict[str, Any]:
    """The document as plain data; made on first use, for it costs some hundred milliseconds."""
    routes = all_routes()
    schema = resolver.get_openapi_json_schema(title="Satchel", version=VERSION, description=ABOUT)
    spec: dict[str, Any] = json.loads(schema)
    schemas = spec["components"]["schemas"]
    for stranger in ("HTTPValidationError", "ValidationError", "ResponseValidationError"):
        schemas.pop(stranger, None)
    for model in (Problem, PutFile, UnlockRequest, LinkDownloadRequest):
        own = model.model_json_schema(ref_template=SCHEMA + "{model}")
        schemas.update(own.pop("$defs", {}))
        schemas[model.__name__] = own
    spec["components"]["securitySchemes"] = SECURITY
    spec["servers"] = [{"url": "/"}]
    # Routers are included as requests come; the document lists the paths in one order.
    spec["paths"] = {
        route.openapi_path: spec["paths"][route.openapi_path]
        for route in routes
        if route.openapi_path in spec["paths"]
    }
    for route in routes:
        path = route.openapi_path
        if operation := spec["paths"].get(path, {}).get(route.method.lower()):
            _mend(operation, inspect.getdoc(route.func) or "", token=needs_token(route))
            if header := sorted(header_fields(route)):
                operation.setdefault("parameters", []).extend(map(_parameter, header))
    _mend_file(spec["paths"]["/file"])
    _mend_links(spec["paths"])
    return spec


def _mend(operation: dict[str, Any], text: str, *, token: bool) -> None:
    operation["summary"], operation["description"] = text.partition(".")[0], text
    operation["security"] = [{name: []} for name in SECURITY] if token else []
    responses = operation["responses"]
    for status in ("422", "500"):
        responses.pop(status, None)
    problem = {"content": {PROBLEM: {"schema": {"$ref": SCHEMA + "Problem"}}}}
    if token:
        responses["401"] = {"description": "You are not signed in (`not-signed-in`)", **problem}
    responses["default"] = {"description": "Any other problem", **problem}
    responses.get("204", {}).pop("content", None)


def _parameter(field: str) -> dict[str, Any]:
    return {"name": field.title(), "in": "header", "description": FIELDS[field], **TEXT}


def _mend_file(path: dict[str, Any]) -> None:
    json_body = {"schema": {"$ref": SCHEMA + "PutFile"}}
    path["put"]["requestBody"] = {
        "required": True,
        "content": {
            "application/json": json_body,
            "application/octet-stream": BYTES,
            "multipart/form-data": FORM,
        },
    }
    created = path["put"]["responses"]
    created["201"] = {**created["200"], "description": "The file is new"}
    created["200"]["description"] = "The file was replaced"
    got = path["get"]["responses"]
    text = {"schema": {"type": "string", "contentEncoding": "base64"}}
    got["200"]["content"] = {"text/plain": text, "application/octet-stream": BYTES}
    got["206"] = {"description": "The range", "content": {"application/octet-stream": BYTES}}
    for verb in ("get", "head"):
        path[verb]["responses"]["304"] = {"description": "You have it already"}
    path["head"]["responses"]["200"].pop("content", None)


def _mend_links(paths: dict[str, Any]) -> None:
    """What is public takes JSON and forms, and answers programs and browsers."""
    link, unlock, download = (paths[f"/s/{{token}}{each}"] for each in ("", "/unlock", "/download"))
    for path, model in ((unlock, UnlockRequest), (download, LinkDownloadRequest)):
        schema = {"schema": {"$ref": SCHEMA + model.__name__}}
        kinds = ("application/json", "application/x-www-form-urlencoded")
        path["post"]["requestBody"] = {"content": dict.fromkeys(kinds, schema)}
    asked, knock = (paths[f"/r/{{token}}{each}"] for each in ("", "/unlock"))
    knock["post"]["requestBody"] = unlock["post"]["requestBody"]
    for operation in (link["get"], unlock["post"], asked["get"], knock["post"]):
        operation["responses"]["200"]["content"]["text/html"] = TEXT
    answered = download["post"]["responses"]
    answered["200"]["content"]["text/plain"] = TEXT
    location = {"description": "The presigned address", "schema": {"type": "string"}}
    answered["303"] = {"description": "The bytes are there", "headers": {"Location": location}}
