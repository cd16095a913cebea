"""The header field `Location` of every answer 201 (RFC 9110, section 15.3.2)."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

FILE = "/file?file_name={file_name}&username={owner}"
# By the route that creates a thing, where to get it. Names in braces are fields of the answer, and
# `path` is the path of the request. Where a thing has no address, the list that has it takes its
# place.
LOCATIONS: Mapping[str, str] = {
    "POST /register": "/me",
    "POST /mfa": "/me",
    "POST /keys": "/keys",
    "POST /invites": "/invites",
    "POST /users/{username}/reset": "/users",
    "PUT /file": FILE,
    "PUT /send/{name}": "/links/{id}",
    "POST /copy": FILE,
    "POST /uploads": "/uploads/{upload_id}",
    "POST /share": "/shares?file_name={file_name}",
    "PUT /groups/{group}": "/groups/{group}",
    "PUT /groups/{group}/members/{username}": "/groups/{group}",
    "POST /links": "/links/{id}",
    "POST /requests": "/requests/{id}",
    "POST /r/{token}/uploads": "{path}/{upload_id}",
}


def location_of(route: str, path: str, body: str) -> str:
    """The address of what a route, such as `POST /links`, has created, by the JSON of its answer.

    It is relative to the address of the request, as `Link` of a list is.
    """
    template = LOCATIONS[route]
    if "{" not in template:
        return template
    created: dict[str, Any] = json.loads(body)
    fields = {name: quote(value, "") for name, value in created.items() if isinstance(value, str)}
    return template.format(**fields | {"path": path})
