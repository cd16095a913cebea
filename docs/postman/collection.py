"""Makes the collection (Postman's format 2.1) of the OpenAPI document and the folders' requests."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docs.postman.accounts import ACCOUNTS, ADMINISTRATION
from docs.postman.files import FILES, FIRST_STEPS, LARGE_FILES
from docs.postman.requests import Folder, Request
from docs.postman.sharing import FILE_REQUESTS, LINKS, SHARING
from docs.postman.uppy import UPPY
from function import app
from function.meta.openapi import document

FILE = Path(__file__).parents[1] / "satchel.postman_collection.json"
assert app.lambda_handler, "registers the routes"
SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
ABOUT = """Every route of Satchel, in an order in which all succeed from top to bottom, again and \
again: each run registers accounts of its own.

Set `base_url`, and run the collection or send its requests one by one. *Log in* stores the token; \
later requests take it, and what the answers before them said, from variables. Administration is \
skipped without `admin_password`; to register the administrator, set `setup_token` too (`make \
serve` prints it).

Made by `make reference` from the OpenAPI document; edit the code instead."""
# What a person may set. The requests set all other variables.
VARIABLES = {
    "base_url": "http://127.0.0.1:8000",
    "setup_token": "",
    "admin": "admin",
    "admin_password": "",
}
FOLDERS: tuple[Folder, ...] = (
    FIRST_STEPS, FILES, LARGE_FILES, SHARING, LINKS, FILE_REQUESTS, ACCOUNTS, ADMINISTRATION, UPPY,
)  # fmt: skip
LINE = 160  # characters of a line of the file, where an object or a list fits into one


def text() -> str:
    """The collection as the file has it."""
    return _pretty(collection()) + "\n"


def collection() -> dict[str, Any]:
    """The collection as plain data; the same at each call."""
    described = _Described()
    return {
        "info": {"name": "Satchel", "description": ABOUT, "schema": SCHEMA},
        "auth": _auth("token"),
        "variable": [{"key": key, "value": value} for key, value in VARIABLES.items()],
        "item": [
            {
                "name": folder.name,
                "description": folder.about,
                "item": [_item(request, described.take(request)) for request in folder.requests],
            }
            for folder in FOLDERS
        ],
    }


class _Described:
    """The operations of the document. The first request for each describes it."""

    def __init__(self) -> None:
        self._paths = document()["paths"]
        self._taken: set[str] = set()

    def take(self, request: Request) -> dict[str, Any]:
        """What the request shows of its operation: all, or nothing where another has done so."""
        method, _, path = request.route.partition(" ")
        if path.startswith("{{") or request.route in self._taken:
            return {}
        self._taken.add(request.route)
        operation: dict[str, Any] = self._paths[path][method.lower()]
        return operation


def _item(request: Request, operation: Mapping[str, Any]) -> dict[str, Any]:
    """A request with its scripts."""
    scripts = {"prerequest": request.prerequest, "test": request.tests}
    method, _, path = request.route.partition(" ")
    made: dict[str, Any] = {"method": method, "url": _url(request, path, operation)}
    if request.auth != "token":
        made["auth"] = _auth(request.auth)
    if headers := _headers(request, operation):
        made["header"] = headers
    if body := _body(request):
        made["body"] = body
    if about := operation.get("description"):
        made["description"] = about
    return {
        "name": request.name,
        "event": [
            {"listen": listen, "script": {"type": "text/javascript", "exec": lines}}
            for listen, lines in scripts.items()
            if lines
        ],
        "request": made,
    }


def _auth(variable: str) -> dict[str, Any]:
    """An API key in a header, whose value a variable has; "" for no authorization."""
    if not variable:
        return {"type": "noauth"}
    values = {"key": "x-session-token", "value": f"{{{{{variable}}}}}", "in": "header"}
    return {
        "type": "apikey",
        "apikey": [{"key": key, "value": value, "type": "string"} for key, value in values.items()],
    }


def _url(request: Request, path: str, operation: Mapping[str, Any]) -> str | dict[str, Any]:
    """The address: a variable, or `base_url`, the path, its parameters and the query."""
    if path.startswith("{{"):
        return path
    raw = path.replace("{", ":").replace("}", "")
    query = [{"key": key, "value": value} for key, value in request.query.items()]
    query += _optional(request.query, operation, "query")
    sent = "&".join(f"{each['key']}={each['value']}" for each in query if "disabled" not in each)
    url: dict[str, Any] = {
        "raw": "{{base_url}}" + raw + (f"?{sent}" if sent else ""),
        "host": ["{{base_url}}"],
        "path": raw[1:].split("/"),
    }
    if query:
        url["query"] = query
    names = [each[1:] for each in url["path"] if each.startswith(":")]
    if names:
        values = {name: request.path.get(name, f"{{{{{name}}}}}") for name in names}
        url["variable"] = [{"key": name, "value": value} for name, value in values.items()]
    return url


def _headers(request: Request, operation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The header fields that the request has, and those that it may have."""
    fields = dict(request.headers)
    if request.body is not None and not isinstance(request.body, str):
        fields["Content-Type"] = "application/json"
    sent = [{"key": key, "value": value} for key, value in fields.items()]
    return sent + _optional(fields, operation, "header")


def _optional(
    given: Mapping[str, str], operation: Mapping[str, Any], place: str
) -> list[dict[str, Any]]:
    """The other parameters of the operation, switched off."""
    known = {name.lower() for name in given}
    return [
        {
            "key": each["name"],
            "value": str(each.get("example", "")),
            "description": each.get("description", ""),
            "disabled": True,
        }
        for each in operation.get("parameters", [])
        if each["in"] == place and each["name"].lower() not in known
    ]


def _body(request: Request) -> dict[str, Any] | None:
    if request.form is not None:
        parts = [{"key": key, "type": "text", "value": each} for key, each in request.form.items()]
        return {"mode": "formdata", "formdata": parts}
    if request.body is None:
        return None
    if isinstance(request.body, str):
        return {"mode": "raw", "raw": request.body, "options": {"raw": {"language": "text"}}}
    raw = json.dumps(request.body, indent=2, ensure_ascii=False)
    return {"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}}


def _pretty(value: Any, indent: str = "") -> str:
    """JSON with each object and list on one line where it fits."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= LINE or not isinstance(value, dict | list) or not value:
        return line
    deeper = indent + " "
    if isinstance(value, dict):
        items = [f"{json.dumps(key)}: {_pretty(each, deeper)}" for key, each in value.items()]
    else:
        items = [_pretty(each, deeper) for each in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n{deeper}" + f",\n{deeper}".join(items) + f"\n{indent}{closing}"
