"""What the routes accept and answer that use Request and Response directly.

Powertools does not know it: the three bodies of `PUT /file`, bytes and ranges of `GET /file`, the
configurations of curl, and the pages and forms of links and file requests.
"""

from typing import Any

from function.core.media_types import JSON, PLAIN_BYTES
from function.http.forms import MULTIPART, URLENCODED
from function.http.request import is_public
from function.links.models import LinkDownloadRequest
from function.meta.examples import REQUESTS
from function.meta.headers import add_headers
from function.public.models import UnlockRequest
from function.requests.models import FileRequestUpload

SCHEMAS = "#/components/schemas/"
FILE_BYTES = "Hello, friend.\n"
PAGE = {"schema": {"type": "string"}, "example": "<!doctype html><title>Satchel</title>…"}
CURL = {
    "schema": {"type": "string"},
    "example": 'url = "https://bucket.s3.…"\noutput = "hello.txt"',
}
ADDRESS = {"schema": {"type": "string"}, "example": "https://files.example.org/s/VqsCp0uYJ1hN\n"}
SCRIPT = {"schema": {"type": "string"}, "example": "# Sends a file to S3 in parts, …"}
LINK_TEXT = {
    "schema": {"type": "string"},
    "example": "alice shares hello.txt (15 B).\n\n"
    "curl -fgSL -d '' -o hello.txt https://files.example.org/s/VqsCp0uYJ1hN3sWz/download\n",
}
SEND = {
    "schema": {"type": "string"},
    "example": "curl -fgsS -T talk.pdf -H 'content-type: application/pdf' https://bucket.s3.…\n",
}
BYTES = {"schema": {"type": "string", "format": "binary"}, "example": FILE_BYTES}
BASE64 = {
    "schema": {"type": "string", "contentEncoding": "base64"},
    "example": REQUESTS["putFile"]["text"]["content"],
}
FILE_FORM = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "file_name": {"type": "string", "description": "By default the file name of the part."},
    },
    "required": ["file"],
}
FORM = {
    "schema": {"$ref": SCHEMAS + "FileForm"},
    "example": {"file": FILE_BYTES, "file_name": "hello.txt"},
}
FILE_HEADERS = ("ETag", "Accept-Ranges", "Content-Disposition", "Repr-Digest", "x-file-size")


def complete_media(paths: dict[str, Any]) -> None:
    """Completes the operations of these routes."""
    _complete_file(paths["/file"])
    _complete_download(paths["/download"]["get"]["responses"])
    _complete_send(paths["/send/{name}"])
    _complete_public(paths)


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
    put["200"]["description"], put["201"]["description"] = (
        "The file was replaced",
        "The file is new",
    )
    get["200"]["content"] = {"text/plain": BASE64, PLAIN_BYTES: BYTES}
    get["206"] = {"description": "The range", "content": {PLAIN_BYTES: BYTES}}
    add_headers(get["206"], "Content-Range")
    for method, statuses in (("get", ("200", "206", "304")), ("head", ("200", "304"))):
        responses = path[method]["responses"]
        responses["304"] = {"description": "The file has not changed"}
        for status in statuses:
            add_headers(responses[status], *FILE_HEADERS)
    path["head"]["responses"]["200"].pop("content", None)


def _complete_download(responses: dict[str, Any]) -> None:
    """`GET /download` also redirects, and answers a configuration of curl."""
    responses["200"]["content"]["text/plain"] = CURL
    responses["302"] = {"description": "To the file's bytes, with `redirect`"}
    add_headers(responses["302"], "Location")


def _complete_send(path: dict[str, Any]) -> None:
    """`PUT /send` accepts the bytes of a file, and answers text or JSON; `GET` answers a script."""
    path["put"]["requestBody"] = {"required": True, "content": {PLAIN_BYTES: BYTES}}
    path["put"]["responses"]["201"]["content"]["text/plain"] = ADDRESS
    path["get"]["responses"]["200"]["content"] = {"text/plain": SCRIPT}


def _complete_public(paths: dict[str, Any]) -> None:
    """Links and file requests accept JSON and forms, and answer programs and browsers."""
    link, file_request = paths["/s/{token}"], paths["/r/{token}"]
    unlock_link, unlock_request = paths["/s/{token}/unlock"], paths["/r/{token}/unlock"]
    download, uploads = paths["/s/{token}/download"], paths["/r/{token}/uploads"]
    for path, model in (
        (unlock_link, UnlockRequest),
        (unlock_request, UnlockRequest),
        (download, LinkDownloadRequest),
        (uploads, FileRequestUpload),
    ):
        schema = {"$ref": SCHEMAS + model.__name__}
        content = {media_type: {"schema": schema} for media_type in (JSON, URLENCODED)}
        path["post"]["requestBody"] = {"content": content}
    for operation in (link["get"], file_request["get"]):
        operation["responses"]["200"]["content"] |= {"text/html": PAGE, "text/plain": LINK_TEXT}
        operation["responses"]["401"]["content"]["text/plain"] = LINK_TEXT
    uploads["post"]["responses"]["201"]["content"]["text/plain"] = SEND
    problem = paths["/problems/{slug}"]["get"]
    problem["responses"]["200"]["content"]["text/html"] = PAGE
    for operation in (unlock_link["post"], unlock_request["post"]):
        response = operation["responses"]["303"] = {"description": "To the page"}
        add_headers(response, "Location", "Set-Cookie")
    responses = download["post"]["responses"]
    responses["200"]["content"]["text/plain"] = CURL
    responses["303"] = {"description": "To the file's bytes"}
    add_headers(responses["303"], "Location", "x-link-grant")
    add_headers(responses["200"], "x-link-grant")


def add_pages(path: str, responses: dict[str, Any], shared: dict[str, Any]) -> None:
    """A browser gets each problem of a public route as a page.

    `shared` has the responses of several routes, by reference.
    """
    if not is_public(path):
        return
    for status, response in responses.items():
        inline = shared.get(response.get("$ref"), response)
        content = inline.get("content", {})
        if status >= "400" and status != "default":
            responses[status] = {**inline, "content": {**content, "text/html": PAGE}}
