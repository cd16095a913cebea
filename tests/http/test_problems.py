"""Every error is a problem of the same shape, and every answer has the same security headers."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from function.aws.dynamodb import Dynamo
from function.core import errors as core_errors
from function.http.dependencies import takes_body
from function.http.forms import URLENCODED
from tests.conftest import Behind, Clock
from tests.support.api_register import BY_NAME, PROTECTED, ROUTES, Route
from tests.support.client import PASSWORD, Answer, Client
from tests.support.fake_aws import Call, FakeAws, failure
from tests.support.world import World

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"}
BODY = {"type", "title", "status", "detail", "request_id"}


def assert_problem(answer: Answer) -> None:
    """Asserts that an answer is a problem (RFC 9457) with the title and status of its slug."""
    assert answer.slug in SLUGS
    body = answer.json()
    assert body.keys() - {"errors"} == BODY
    assert body["title"] == SLUGS[answer.slug].title
    assert answer.status == SLUGS[answer.slug].status
    assert body["request_id"]
    assert len(body["detail"]) > 10
    for error in body.get("errors", []):
        assert error.keys() == {"at", "reason"}
        assert all(isinstance(text, str) and text for text in error.values())


def classes(problem: type[core_errors.Problem]) -> list[type[core_errors.Problem]]:
    """A class of problems and all its subclasses."""
    return [problem, *(kind for each in problem.__subclasses__() for kind in classes(each))]


SLUGS = {kind.slug: kind for kind in classes(core_errors.Problem) if "slug" in vars(kind)}


# These are the same for everybody; nothing else may be stored.
STORED = {"/docs", "/openapi.json"}


def assert_secured(answer: Answer, path: str = "") -> None:
    """Asserts that an answer has the headers that every answer has."""
    headers = answer.headers
    assert headers["x-request-id"]
    assert headers["strict-transport-security"].startswith("max-age=63072000")
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    is_stored = path in STORED and answer.status == 200
    assert ("no-store" in headers["cache-control"]) is not is_stored
    assert not [name for name in headers if name.startswith("access-control-")]
    assert "server" not in headers


def test_every_problem_has_its_own_slug_and_title() -> None:
    """Clients distinguish problems by the slug, people by the title."""
    all_classes = [kind for kind in classes(core_errors.Problem) if "slug" in vars(kind)]
    assert len(SLUGS) == len(all_classes) > 20
    assert len({kind.title for kind in all_classes}) == len(all_classes)
    assert all(kind.slug == kind.slug.lower() and " " not in kind.slug for kind in all_classes)


@pytest.mark.parametrize(
    "path",
    ["/files/", "/files\n", "/files%0A", "/Files", "/file.", "//files", "/file/x", "/openapiXjson",
     "/nothing", "/uploads/", "/s3", "", "/files%2F", "/files;x", "/%66iles%00", "/é"],
)  # fmt: skip
def test_other_paths_have_no_route(alice: Client, anyone: Client, path: str) -> None:
    """Only the exact path has a route, for every caller and every method."""
    for client in (alice, anyone):
        for method in ("GET", "POST", "OPTIONS"):
            answer = client.send(method, path)
            if path == "":
                assert answer.status in {302, 405}  # it is how `/` arrives
                continue
            assert (answer.status, answer.slug) == (404, "no-such-route")
            assert_problem(answer)
            assert_secured(answer)


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
def test_other_methods_are_not_allowed(world: World, path: str) -> None:
    """405 lists the allowed methods, HEAD among them where GET is; no token and no body is read."""
    here = world.ids.path(path)
    allowed = {route.method for route in ROUTES if route.matches(route.method, here)}
    allowed |= {"HEAD"} if "GET" in allowed else set()
    for method in METHODS - allowed:
        answer = Client().send(method, here, body=b"{")
        assert answer.status == 405
        assert set(answer.headers["allow"].split(", ")) == allowed
        assert_secured(answer)
        if method != "HEAD":
            assert answer.slug == "method-not-allowed"
            assert_problem(answer)


@pytest.mark.parametrize("route", [each for each in ROUTES if each.method == "GET"], ids=str)
def test_head_is_get_without_the_body(world: World, route: Route) -> None:
    """HEAD answers with the status and type of GET, and no body."""
    got = world.send(world.sender(route), route)
    head = world.sender(route).send("HEAD", world.path(route), query=route.query)
    assert (head.status, head.content) == (got.status, b"")
    assert head.headers.get("content-type") == got.headers.get("content-type")
    nobody = Client().send("HEAD", world.path(route), query=route.query)
    assert (nobody.status == 401) is not route.public
    assert nobody.content == b""


@pytest.mark.parametrize("route", PROTECTED, ids=str)
def test_401_comes_before_everything(
    world: World, behind: Behind, clock: Clock, route: Route
) -> None:
    """A missing, malformed, unknown or expired token gives 401 whatever else is wrong."""
    old = world.bob
    expired = Client(old.token)
    (row,) = (row for row in behind.rows("sessions") if row["username"] == "bob")
    behind.change("sessions", {"token_hash": str(row["token_hash"])}, expires_at=1)
    unknown = Client("alice." + "A" * 43)
    before = behind.state()
    bad: list[dict[str, Any]] = [
        {"body": b"{", "headers": {"content-type": "application/json"}},
        {"body": b"\xff", "headers": {"content-type": "text/html"}},
        {"body": b"x", "headers": {"content-encoding": "gzip"}},
        {"query": "unknown=1&%ff"},
        {"query": "file_name=../x&limit=0&limit=1"},
        {"body": bytes(6_400_000)},
        {},
    ]
    for client in (Client(), Client(""), Client("garbage"), Client("é"), unknown, expired):
        for request in bad if client is unknown else bad[-1:]:
            answer = client.send(route.method, world.path(route), **request)
            assert answer.status == 401, (request, answer.text)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            if route.method != "HEAD":
                assert answer.slug == "not-signed-in"
                assert_problem(answer)
    assert behind.state() == before


@pytest.mark.parametrize("route", PROTECTED, ids=str)
def test_a_bad_request_with_a_token_names_the_wrong_field(world: World, route: Route) -> None:
    """So the 401 above depends on the token, not on the bad request."""
    answer = world.sender(route).send(route.method, world.path(route), query="unknown=1")
    assert answer.status == 422
    if route.method != "HEAD":
        assert answer.json()["errors"] == [{"at": "query.unknown", "reason": "unknown field"}]


WITHOUT_BODY = [route for route in ROUTES if not takes_body(route.handler)]


@pytest.mark.parametrize("route", WITHOUT_BODY, ids=str)
def test_a_route_without_a_body_refuses_one(world: World, behind: Behind, route: Route) -> None:
    """A client that sends a body expects an effect, so GET and HEAD refuse it too."""
    sender, before = world.sender(route), behind.state()
    sent: list[dict[str, Any]] = [
        {"json_": {"everywhere": True, "permanent": True}},
        {"body": b"x", "headers": {"content-type": "text/plain"}},
        {"body": b"everywhere=true", "headers": {"content-type": URLENCODED}},
    ]
    for each in sent:
        answer = sender.send(route.method, world.path(route), query=route.query, **each)
        assert answer.status == 422
        if route.method != "HEAD":
            assert [error["at"] for error in answer.json()["errors"]] == ["body"]
            assert "takes no body" in answer.json()["detail"]
            assert_problem(answer)
    assert behind.state() == before
    assert world.send(sender, route).status == route.status


@pytest.mark.parametrize("body", [b"{}", b" { }\r\n", b"\n"])
def test_an_empty_body_is_accepted_everywhere(world: World, body: bytes) -> None:
    """Some clients send an empty object with each request."""
    headers = {"content-type": "application/json"}
    assert world.alice.send("GET", "/me", body=body, headers=headers).status == 200
    assert world.alice.send("POST", "/logout", body=body, headers=headers).status == 204


def test_the_document_lists_the_bodies_of_routes(anyone: Client) -> None:
    """A request body is documented for each route that reads one, and for no other."""
    paths = anyone.get("/openapi.json").json()["paths"]
    for route in ROUTES:
        if said := paths.get(route.path, {}).get(route.method.lower()):
            assert ("requestBody" in said) is takes_body(route.handler), route


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_every_answer_has_the_security_headers(
    world: World, fake_aws: FakeAws, route: Route
) -> None:
    """Answers of success, refusal and failure have them; none allows another origin."""
    seen = set()
    evil = {"origin": "https://evil.example", "access-control-request-method": "GET"}
    for _ in range(2):
        for client in (world.sender(route), Client()):
            for query in ({"unknown": "1"}, route.query):
                headers = {**route.headers, **evil}
                answer = world.send(client, route, query=query, headers=headers)
                assert_secured(answer, route.path)
                seen.add(answer.status)
        fake_aws.before = lambda call: failure(call, 500, "InternalServerError")
    assert 422 in seen
    assert (401 in seen) is not route.public
    assert route.status in seen
    assert (503 in seen) is bool(route.calls)


SECRET = "the words of an exception, with a secret in them"
FAULTS: list[Callable[[], Exception]] = [
    lambda: RuntimeError(SECRET),
    lambda: KeyError(SECRET),
    lambda: ValueError(SECRET),
    lambda: RecursionError(SECRET),
    lambda: MemoryError(SECRET),
    lambda: ClientError({"Error": {"Code": "AccessDenied", "Message": SECRET}}, "BatchGetItem"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_an_unexpected_exception_is_500_without_its_message(
    world: World,
    fault: Callable[[], Exception],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The log has its type and place under the request id; neither has its message."""

    def broken(*_: Any) -> None:
        raise fault()

    monkeypatch.setattr(Dynamo, "read", broken)
    with caplog.at_level(logging.DEBUG, "satchel"):
        answer = world.alice.get("/files")
    assert (answer.status, answer.slug) == (500, "internal-error")
    assert_problem(answer)
    assert_secured(answer)
    said = answer.text + capsys.readouterr().out + repr([vars(r) for r in caplog.records])
    assert SECRET not in said
    assert type(fault()).__name__ not in answer.text
    (logged,) = (r for r in caplog.records if r.levelname == "ERROR")
    assert vars(logged)["error"] == type(fault()).__name__
    assert any("broken" in frame for frame in vars(logged)["frames"])


BROKEN: dict[str, Callable[[Call], Any]] = {
    "throttled": lambda call: failure(call, 400, "ThrottlingException"),
    "over capacity": lambda call: failure(call, 400, "ProvisionedThroughputExceededException"),
    "failing": lambda call: failure(call, 500, "InternalServerError"),
    "busy": lambda call: failure(call, 503, "SlowDown"),
}


def unreachable(call: Call) -> None:
    raise ConnectTimeoutError(endpoint_url=call.request.url)


def silent(call: Call) -> None:
    raise ReadTimeoutError(endpoint_url=call.request.url)


BROKEN |= {"unreachable": unreachable, "silent": silent}


@pytest.mark.parametrize("how", BROKEN)
def test_aws_that_fails_is_503_and_the_same_again_works(
    world: World, fake_aws: FakeAws, how: str
) -> None:
    """A failure at any call of the main operations gives 503; the same request then succeeds."""
    restore = fake_aws.snapshot()
    for name in ("PUT /file", "GET /file", "POST /share", "GET /files"):
        route = BY_NAME[name]
        with fake_aws.counted() as needed:
            assert world.send(world.sender(route), route).status < 300
        restore()
        for broken in range(len(needed)):
            fail_from(fake_aws, broken, BROKEN[how])
            answer = world.send(world.sender(route), route)
            assert (answer.status, answer.slug) == (503, "unavailable"), (route, needed[broken])
            assert int(answer.headers["retry-after"]) > 0
            assert_problem(answer)
            fake_aws.before = lambda _: None
            assert world.send(world.sender(route), route).status < 300, (route, needed[broken])
            restore()


def fail_from(fake_aws: FakeAws, number: int, answer: Callable[[Call], Any]) -> None:
    """Fails each AWS call after the first `number`."""
    start = len(fake_aws.calls)

    def before(call: Call) -> Any:
        return answer(call) if len(fake_aws.calls) - start > number else None

    fake_aws.before = before


def test_accounts_are_unavailable_where_aws_fails(fake_aws: FakeAws, anyone: Client) -> None:
    """Register, login and logout answer 503, and succeed when AWS answers again."""
    who = {"username": "alice", "password": PASSWORD}
    fake_aws.before = BROKEN["failing"]
    assert anyone.post("/register", **who).slug == "unavailable"
    fake_aws.before = lambda _: None
    assert anyone.post("/register", **who).status == 201
    fake_aws.before = BROKEN["failing"]
    assert anyone.post("/login", **who).slug == "unavailable"
    fake_aws.before = lambda _: None
    alice = Client(anyone.post("/login", **who).json()["token"])
    fake_aws.before = BROKEN["failing"]
    assert alice.post("/logout").slug == "unavailable"
    fake_aws.before = lambda _: None
    assert alice.get("/me").status == 200


def test_a_problem_is_ascii_json(anyone: Client) -> None:
    """Text from the request is escaped, lone surrogates too."""
    headers = {"content-type": "application/json"}
    body = json.dumps({"\ud800<script>": 1}).encode()
    answer = anyone.send("POST", "/login", body=body, headers=headers)
    assert answer.content.isascii()
    assert answer.json()["errors"]
