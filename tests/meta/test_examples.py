"""The examples of the OpenAPI document are requests that succeed.

Each is sent as a client sends it: the required parameters and the body, and then each optional
parameter beside them. The world has what the examples name; ids in paths and tokens are made by the
server, so those of the world take their places.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode

import pytest

from function.core.tokens import token_hash
from function.meta.examples import FIELDS, PARAMETERS, REQUESTS
from function.meta.openapi import document
from tests.conftest import Behind
from tests.support import presigned
from tests.support.api_register import BY_NAME, Route
from tests.support.client import PASSWORD, Answer, Client
from tests.support.world import World

Value = TypeVar("Value")
JSON = "application/json"
PART = b"the first part"  # its MD5 is the ETag in the examples


class Operation(NamedTuple):
    """An operation of the document."""

    id: str
    method: str
    path: str
    parameters: list[dict[str, Any]]
    content: dict[str, Any]


def operations() -> Iterator[Operation]:
    """Every operation."""
    for path, item in document()["paths"].items():
        for method, each in item.items():
            content = each.get("requestBody", {}).get("content", {})
            parameters = each.get("parameters", [])
            yield Operation(each["operationId"], method.upper(), path, parameters, content)


OPERATIONS = list(operations())


class Sent(NamedTuple):
    """A request with examples: a body, or None, and the optional parameter that it has."""

    operation: Operation
    example: str
    body: Any
    optional: dict[str, Any] | None

    def __repr__(self) -> str:
        name = self.optional["name"] if self.optional else ""
        return " ".join(filter(None, (self.operation.id, self.example, name)))


def requests() -> Iterator[Sent]:
    """Each body alone, and the first body with each optional parameter."""
    for operation in OPERATIONS:
        examples = operation.content.get(JSON, {}).get("examples", {"": {"value": None}})
        bodies = {name: each["value"] for name, each in examples.items()}
        for name, body in bodies.items():
            yield Sent(operation, name, body, None)
        for parameter in operation.parameters:
            if not parameter.get("required"):
                yield Sent(operation, *next(iter(bodies.items())), parameter)


SENT = list(requests())


def example_of(parameter: dict[str, Any]) -> Any:
    """The example of a parameter."""
    return parameter["example"] if "example" in parameter else parameter["schema"]["examples"][0]


def text_of(value: Any) -> str:
    """A value in a query or a header field."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_every_parameter_and_body_has_an_example() -> None:
    """Answers in JSON too; and no example is of something that does not exist any more."""
    for operation in OPERATIONS:
        for parameter in operation.parameters:
            assert example_of(parameter) is not None, (operation.id, parameter["name"])
        for media_type, media in operation.content.items():
            assert media.keys() & {"example", "examples"}, (operation.id, media_type)
        for status, answer in document()["paths"][operation.path][operation.method.lower()][
            "responses"
        ].items():
            if status < "3" and JSON in answer.get("content", {}):
                assert "example" in answer["content"][JSON], (operation.id, status)
    ids = {operation.id for operation in OPERATIONS}
    assert REQUESTS.keys() <= ids
    named = {name.partition(".")[0] for name in PARAMETERS if "." in name}
    assert named <= ids
    models = {name.partition(".")[0] for name in FIELDS if "." in name}
    assert models <= document()["components"]["schemas"].keys()


# Who sends an example, where it is neither Alice nor, for administrators, root.
SENDERS = {"unshareFile owner": "bob"}
# The parameters that an optional one needs beside it, or (None) whose place it takes.
BESIDE: dict[str, dict[str, Any]] = {
    "getDownload": {"file_name": "hello.txt"},
    "emptyTrash If-Match": {"id": "of the file"},
    "emptyTrash If-None-Match": {"id": "of the file"},
    "listShares": {"file_name": "hello.txt"},
    "listShares with_me": {"file_name": None},
    "unshareFile": {"username": "bob"},
    "unshareFile group": {"username": None},
    "unshareFile owner": {"username": None},
} | {
    f"getDownload {name}": {"file_name": None, "prefix": "photos/", "format": "curl"}
    for name in ("prefix", "format", "dotfiles", "limit", "cursor")
}
# These are for the body as the file itself: the JSON form takes no query.
RAW = {"putFile file_name", "putFile username", "putFile content_type", "putFile on_conflict"}
# A secret whose code is 123456 when the tests' clock begins.
SECRET = "X4ZCFHAFO4MF2RXRE5B2DDQYQN6LE4KO"


@pytest.fixture
def prepared(world: World, once: dict[str, Any], behind: Behind) -> World:
    """The world with what the examples name, created once in a process."""
    if "examples" not in once:
        once["examples"] = prepare(world), behind.fake_aws.snapshot()
    made, restore = once["examples"]
    restore()
    return made


def prepare(world: World) -> World:
    """Alice's files, shares, link and file request, with the names of the examples."""
    alice = world.alice
    for name in ("hello.txt", "photos/lake.txt", "old.txt"):
        assert alice.put(name, b"Hello, world.\n").status == 201
    assert alice.put("hello.txt", b"Hello, friend.\n").status == 200
    assert alice.delete("/file", file_name="old.txt").status == 204
    for grantee in ({"username": "bob"}, {"group": "team"}):
        assert alice.post("/share", file_name="hello.txt", **grantee).status == 201
    link = alice.post("/links", items=["hello.txt", "photos/"]).json()
    request = alice.post("/requests", title="Slides", folder="slides/").json()
    token = request["url"].rpartition("/")[2]
    body = {"file_name": "talk.pdf", "size": 100 * 1024 * 1024}
    upload = Client().post(f"/r/{token}/uploads", **body).json()
    ids = replace(
        world.ids,
        link_id=link["id"],
        link_token=link["url"].rpartition("/")[2],
        request_id=request["id"],
        request_token=token,
        request_upload_id=upload["upload_id"],
    )
    return replace(world, ids=ids)


def send_part(world: World, behind: Behind) -> World:
    """An upload of one part, which S3 has."""
    body = {"filename": "film.mkv", "type": "video/x-matroska", "metadata": {"size": len(PART)}}
    upload_id = world.alice.post("/s3/multipart", **body).json()["uploadId"]
    url = world.alice.get(f"/s3/multipart/{upload_id}/1").json()["url"]
    assert presigned.send("PUT", url, {}, PART).status == 200
    return replace(world, ids=replace(world.ids, upload_id=upload_id))


def send_to_request(world: World, behind: Behind) -> World:
    """An upload by the file request, which S3 has."""
    path = f"/r/{world.ids.request_token}/uploads"
    upload = Client().post(path, file_name="slides.pdf", size=len(PART)).json()
    put = upload["put"]
    assert presigned.send("PUT", put["url"], put["headers"], PART).status == 200
    return replace(world, ids=replace(world.ids, request_upload_id=upload["upload_id"]))


def begin_factor(world: World, behind: Behind) -> World:
    """A second factor that is not confirmed."""
    assert world.alice.post("/mfa", current_password=PASSWORD).status == 201
    behind.change("users", {"username": "alice"}, totp_new=SECRET)
    return world


def turn_on_factor(world: World, behind: Behind) -> World:
    """A second factor."""
    behind.change("users", {"username": "alice"}, totp=SECRET, recovery=[])
    return world


def issue_reset(world: World, behind: Behind) -> World:
    """The token of the example, for a new password."""
    assert world.root.send("POST", "/users/alice/reset").status == 201
    body = REQUESTS["resetPassword"]["token"]
    key = {"token_hash": "reset-by-admin:alice"}
    behind.change("sessions", key, secret=token_hash(body["token"]))
    return world


def remove_alice(world: World, behind: Behind) -> World:
    """Nobody has the name of the example."""
    behind.delete("users", username="alice")
    return world


def create_targets(world: World, behind: Behind) -> World:
    """The files whose state is a condition exist."""
    for name in ("hello again.txt", "film.mkv"):
        assert world.alice.put(name).status == 201
    return world


# What only an operation needs, or one with that parameter.
SETUPS: dict[str, Callable[[World, Behind], World]] = {
    "registerAccount": remove_alice,
    "completeUpload": send_part,
    "completeMultipart": send_part,
    "completeFileRequestUpload": send_to_request,
    "confirmMfa": begin_factor,
    "removeMfa": turn_on_factor,
    "resetPassword": issue_reset,
    "copyFile If-Match": create_targets,
    "startUpload If-Match": create_targets,
}


def prepare_trash(world: World) -> str:
    """The id of the file in the trash."""
    return str(world.alice.get("/trash").json()[0]["id"])


def headers_and_query(sent: Sent, world: World) -> tuple[dict[str, str], dict[str, str]]:
    """The header fields and the query of a request."""
    places: dict[str, dict[str, str]] = {"header": {}, "query": {}, "path": {}}
    for parameter in sent.operation.parameters:
        if parameter.get("required") or parameter is sent.optional:
            places[parameter["in"]][parameter["name"]] = text_of(example_of(parameter))
    for name, value in of_request(BESIDE, sent, {}).items():
        places["query"].pop(name, None)
        if value is not None:
            places["query"][name] = value
    if "id" in places["query"]:
        places["query"]["id"] = prepare_trash(world)
    if "x-link-grant" in places["header"]:
        unlocked = Client().post(f"{opened(sent, world)}/unlock").json()
        places["header"]["x-link-grant"] = unlocked["grant"]
    return places["header"], places["query"]


def opened(sent: Sent, world: World) -> str:
    """The path of the link or file request that a public operation is about."""
    token = world.ids.request_token if sent.operation.path[:3] == "/r/" else world.ids.link_token
    return f"{sent.operation.path[:2]}/{token}"


def key_of(sent: Sent) -> str:
    """The operation, and the optional parameter if the request has one."""
    return f"{sent.operation.id} {sent.optional['name']}" if sent.optional else sent.operation.id


def of_request(values: Mapping[str, Value], sent: Sent, default: Value) -> Value:
    """The value for a request with this parameter, or else for its operation."""
    return values.get(key_of(sent), values.get(sent.operation.id, default))


def as_it_is(world: World, behind: Behind) -> World:
    """Needs nothing more."""
    return world


def answer_to(sent: Sent, world: World) -> Answer:
    """The answer to a request with examples."""
    operation = sent.operation
    route: Route = BY_NAME[f"{operation.method} {operation.path}"]
    key = key_of(sent)
    who = SENDERS.get(key, "root" if route.power == "admin" else "alice")
    client = Client() if route.public else getattr(world, who)
    headers, query = headers_and_query(sent, world)
    ids = {
        each["name"]: text_of(each["example"])
        for each in operation.parameters
        if each["in"] == "path" and each["name"] in {"group", "username", "part_number", "slug"}
    }
    path = world.ids.path(operation.path, **ids)
    if key in RAW or (operation.content and JSON not in operation.content):
        body = operation.content["application/octet-stream"]["example"].encode()
        headers["content-type"] = "application/octet-stream"
        if key in RAW:
            query.setdefault("file_name", PARAMETERS["file_name"])
        return client.send(operation.method, path, query=query, headers=headers, body=body)
    return client.send(
        operation.method, path, query=urlencode(query), headers=headers, json_=sent.body
    )


@pytest.mark.parametrize("sent", SENT, ids=repr)
def test_an_example_succeeds(sent: Sent, prepared: World, behind: Behind) -> None:
    """The answer is 2xx, or a redirect to the bytes.

    Not for a cursor: the server signs each for one account and one list.
    """
    world = of_request(SETUPS, sent, as_it_is)(prepared, behind)
    answer = answer_to(sent, world)
    is_signed = key_of(sent).endswith(" cursor") and answer.status == 400
    assert is_signed or answer.status < 400, (answer.status, answer.text)


def test_the_form_and_the_body_of_put_file_succeed(prepared: World) -> None:
    """The examples that are not JSON; a client makes the same form of the fields."""
    content = document()["paths"]["/file"]["put"]["requestBody"]["content"]
    fields = content["multipart/form-data"]["example"]
    lines = []
    for name, value in fields.items():
        file = '; filename="x"' if name == "file" else ""
        lines += ["--b", f'content-disposition: form-data; name="{name}"{file}', "", value]
    body = "\r\n".join([*lines, "--b--", ""]).encode()
    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = prepared.alice.send("PUT", "/file", body=body, headers=headers)
    assert (answer.status, answer.json()["file_name"]) == (200, "hello.txt")
    assert prepared.alice.read("hello.txt").text == fields["file"]
