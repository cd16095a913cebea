"""Health, info, the OpenAPI document and its page."""

import gzip
import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from function import contract
from function.core.errors import Problem
from function.http import dependencies, router
from function.meta.problems import problems
from function.meta.tags import tag_of
from tests.support.api_register import BY_NAME, ROUTES
from tests.support.client import Client
from tests.support.fake_aws import FakeAws

HIDDEN = {("GET", "/openapi.json"), ("GET", "/docs"), ("GET", "/")}


@pytest.fixture
def document(anyone: Client) -> Any:
    answer = anyone.get("/openapi.json")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    return answer.json()


def operations(document: Any) -> dict[tuple[str, str], Any]:
    """The operations by method and path."""
    return {
        (method.upper(), path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }


def references(part: Any) -> set[str]:
    """Every reference in a part of the document."""
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*map(references, part.values()))
    return set().union(*map(references, part)) if isinstance(part, list) else set()


def test_health_calls_no_aws(fake_aws: FakeAws, anyone: Client) -> None:
    """`GET /health` answers with the version."""
    with fake_aws.counted() as calls:
        assert anyone.get("/health").json() == {"status": "ok", "version": contract.VERSION}
    assert calls == []


def test_info_has_the_limits(anyone: Client, settings: contract.Settings) -> None:
    """They are those that the other routes enforce."""
    info = anyone.get("/info").json()
    assert info["version"] == contract.VERSION
    assert {"folders", "shares", "trash", "versions"} <= set(info["features"])
    limits = info["limits"]
    assert limits["small_file_bytes"] == 4 * 1024 * 1024
    assert (limits["name_bytes"], limits["segment_bytes"]) == (900, 255)
    assert limits["name_levels"] == 20
    assert limits["password_min_length"] == settings.password_min_length
    assert limits["session_seconds"] == settings.session_seconds
    assert limits["keep_seconds"] == settings.keep_seconds


def test_features_follow_the_configuration(
    anyone: Client, settings: contract.Settings, rewire: Callable[[contract.Settings], None]
) -> None:
    """`GET /info` lists a feature only where the settings turn it on."""
    varying = {"registration", "invites", "password-reset"}
    for registration, mail_from, on in (
        ("open", "satchel@example.org", varying),
        ("invite", "satchel@example.org", {"invites", "password-reset"}),
        ("closed", "", set()),
    ):
        rewire(replace(settings, registration=registration, mail_from=mail_from))
        info = anyone.get("/info").json()
        assert info["registration"] == registration
        assert varying & set(info["features"]) == on
        assert info["features"] == sorted(info["features"])


def test_the_document_lists_every_route(document: Any) -> None:
    """It lists no other."""
    assert document["openapi"].startswith("3.1")
    assert operations(document).keys() == {(each.method, each.path) for each in ROUTES} - HIDDEN
    assert document["info"]["version"] == contract.VERSION


# Public routes that answer 401 for a missing or wrong password.
WITH_PASSWORD = {
    "/login", "/s/{token}", "/s/{token}/unlock", "/s/{token}/download",
    "/r/{token}", "/r/{token}/unlock", "/r/{token}/uploads",
}  # fmt: skip


def test_no_field_of_a_request_has_a_default(document: Any) -> None:
    """Generated clients send defaults, and TypeScript's types require the fields that have one."""
    schemas = document["components"]["schemas"]
    for key, operation in operations(document).items():
        content = operation.get("requestBody", {}).get("content", {})
        for body in content.values():
            model = schemas.get(body["schema"].get("$ref", "").rpartition("/")[2], {})
            assert not [
                each for each in model.get("properties", {}).values() if "default" in each
            ], key
    field = schemas["LinkRequest"]["properties"]["expires_in"]
    assert field["description"] == "By default `604800`."


def test_the_document_lists_where_a_token_is_required(document: Any) -> None:
    """In either header; 401 is documented for the same routes."""
    schemes = document["components"]["securitySchemes"]
    assert {scheme["type"] for scheme in schemes.values()} == {"apiKey", "http"}
    for key, operation in operations(document).items():
        public = BY_NAME[" ".join(key)].public
        needed = [] if public else [{name: []} for name in schemes]
        assert operation.get("security", document["security"]) == needed, key
        assert ("401" in operation["responses"]) is (not public or key[1] in WITH_PASSWORD), key


def test_the_server_is_absolute(alice: Client) -> None:
    """Postman and generated clients need it; it is the address that links have."""
    host = {"host": "files.example.org"}
    (server,) = alice.send("GET", "/openapi.json", headers=host).json()["servers"]
    alice.put("a.txt")
    link = alice.send("POST", "/links", json_={"items": ["a.txt"]}, headers=host).json()["url"]
    assert server == {"url": "http://files.example.org:443"}  # as the local gateway says it
    assert link.startswith(server["url"] + "/s/")


def test_a_token_is_required_where_an_operation_does_not_say_otherwise(document: Any) -> None:
    """Postman takes it from the top of the document."""
    names = list(document["components"]["securitySchemes"])
    assert document["security"] == [{name: []} for name in names]


def test_a_parameter_has_no_default(document: Any) -> None:
    """Swagger UI and generated clients send each default, and `PUT /file` refuses some of them."""
    for key, operation in operations(document).items():
        for parameter in operation.get("parameters", []):
            assert "default" not in parameter["schema"], (key, parameter["name"])
            assert "null" not in json.dumps(parameter["schema"]), (key, parameter["name"])
    limit = next(
        each for each in document["paths"]["/files"]["get"]["parameters"] if each["name"] == "limit"
    )
    assert limit["description"].endswith("By default `100`.")


def test_the_fields_of_a_change_have_no_defaults(document: Any) -> None:
    """A client that sends them would change fields that its user did not name."""
    for (method, path), operation in operations(document).items():
        if method != "PATCH":
            continue
        body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        fields = document["components"]["schemas"][body.rpartition("/")[2]]["properties"]
        assert not [name for name, field in fields.items() if "default" in field], path


def test_the_json_form_of_put_file_needs_no_query(alice: Client, document: Any) -> None:
    """A generated client sends what is required: nothing but the body."""
    put = document["paths"]["/file"]["put"]
    assert not [each["name"] for each in put["parameters"] if each.get("required")]
    body = {"file_name": "report.pdf", "content": "cmVwb3J0"}
    assert document["components"]["schemas"]["PutFile"]["required"] == list(body)
    assert alice.send("PUT", "/file", json_=body).status == 201


def test_operation_ids_are_a_verb_and_what_it_is_about(document: Any) -> None:
    """In camel case, for the methods of generated clients."""
    ids = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(ids)) == len(ids)
    assert not [each for each in ids if not re.fullmatch("[a-z]+([A-Z][a-z]*)+", each)]
    assert {"putFile", "getFile", "listFiles", "createLink", "registerAccount"} <= set(ids)


def test_the_document_is_complete(document: Any) -> None:
    """Each reference exists; each operation has a description, an id and its answers."""
    names = {
        f"#/components/{kind}/{name}"
        for kind in ("examples", "headers", "responses", "schemas")
        for name in document["components"][kind]
    }
    assert references(document) <= names
    found = operations(document)
    for key, operation in found.items():
        assert len(operation["description"]) > 10, key
        assert any(status.startswith(("2", "3")) for status in operation["responses"]), key
        assert {"400", "413", "415", "422", "500", "503", "default"} <= operation[
            "responses"
        ].keys()
        for status, said in operation["responses"].items():
            shared = said.get("$ref", "").rpartition("/")[2]
            answer = document["components"]["responses"][shared] if shared else said
            assert answer["description"], (key, status)
            if status in {"204", "304"} or (key[0], status) == ("HEAD", "200"):
                assert "content" not in answer, (key, status)
            if status.startswith(("4", "5")):
                page = {"text/html"} if key[1].startswith(("/s/", "/r/")) else set()
                if status == "401" and key in {("GET", "/s/{token}"), ("GET", "/r/{token}")}:
                    page.add("text/plain")  # how to open it with its password
                assert set(answer["content"]) == {"application/problem+json"} | page, (key, status)
        in_path = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", key[1])), key


def test_the_document_lists_the_bodies_of_put_file(document: Any) -> None:
    """JSON, bytes or a form; the answer is 200 or 201."""
    put = document["paths"]["/file"]["put"]
    kinds = set(put["requestBody"]["content"])
    assert kinds == {"application/json", "application/octet-stream", "multipart/form-data"}
    assert {"200", "201", "404", "409", "412", "413", "507"} <= put["responses"].keys()


def test_the_order_is_that_of_the_work(document: Any) -> None:
    """Swagger UI shows the tags and the operations as the document has them."""
    tags = [tag["name"] for tag in document["tags"]]
    assert tags[:5] == ["Account", "Files", "Versions and trash", "Uploads", "Sharing"]
    assert all(tag["description"].endswith(".") for tag in document["tags"])
    found = [tag for operation in operations(document).values() for tag in operation["tags"]]
    assert list(dict.fromkeys(found)) == tags
    assert sorted(found, key=tags.index) == found
    assert list(document["paths"])[:2] == ["/register", "/login"]
    assert list(document["paths"]["/file"]) == ["put", "get", "head", "patch", "delete"]


def test_every_route_has_a_tag() -> None:
    """Also one that the document does not list yet."""
    assert all(tag_of(route.path) for route in ROUTES)


def test_the_fields_of_times_and_addresses_have_formats(document: Any) -> None:
    """Generated clients parse them. The values are text as before."""
    schemas = document["components"]["schemas"]
    file = schemas["FileObject"]["properties"]
    assert file["modified"] == file["created"] == {"type": "string", "format": "date-time"}
    assert schemas["Share"]["properties"]["expires_at"]["anyOf"][0]["format"] == "date-time"
    assert schemas["Download"]["properties"]["url"] == {"type": "string", "format": "uri"}
    assert "format" not in schemas["FieldError"]["properties"]["at"]


def test_the_document_does_not_name_the_framework(document: Any) -> None:
    """It has none of its error models either."""
    text = json.dumps(document)
    assert not any(name in text for name in ("owertools", "HTTPValidationError", "pydantic"))


def test_the_document_does_not_name_our_dependencies(document: Any) -> None:
    """The types of a route's signature; six of them are words that the texts need."""
    words = {"Any", "Conditions", "Cursor", "Limit", "Otp", "Request"}
    names = {name for name in vars(dependencies) if re.fullmatch("([A-Z][a-z]+)+", name)} - words
    assert {"CurrentRequest", "Holder", "SignedIn"} <= names
    assert set(re.findall(r"\w+", json.dumps(document))) & names == set()


def test_the_page_loads_nothing_from_other_hosts(anyone: Client) -> None:
    """It contains its script and style, and its policy allows no other script."""
    answer = anyone.get("/docs")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    scripts = policy.partition("script-src ")[2].partition(";")[0].split()
    assert [each[:8] for each in scripts] == ["'sha256-"] * 2
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=.?(https?:)?//", answer.text)
    assert "<title>Satchel API</title>" in answer.text
    assert 'fetch("/openapi.json")' in answer.text
    assert len(answer.content) < 6 * 1024 * 1024


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_documents_are_compressed_where_the_client_accepts_it(anyone: Client, path: str) -> None:
    """A weight of 0 refuses."""
    plain = anyone.get(path)
    assert "content-encoding" not in plain.headers
    for accepted in ("gzip", "br, gzip;q=0.5", "*"):
        answer = anyone.send("GET", path, headers={"accept-encoding": accepted})
        assert answer.headers["content-encoding"] == "gzip"
        assert gzip.decompress(answer.content) == plain.content
        assert len(answer.content) < len(plain.content) / 2
    for refused in ("br", "gzip;q=0", "gzip; q=0.000", "identity"):
        answer = anyone.send("GET", path, headers={"accept-encoding": refused})
        assert answer.content == plain.content


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_a_client_asks_whether_a_document_has_changed(anyone: Client, path: str) -> None:
    """304 without bytes while it has not; HEAD answers the same header fields."""
    first = anyone.get(path)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "public, no-cache"
    assert first.headers["vary"] == "accept-encoding"
    again = anyone.send("GET", path, headers={"if-none-match": f'"x", {tag}'})
    assert (again.status, again.content, again.headers["etag"]) == (304, b"", tag)
    assert anyone.send("GET", path, headers={"if-none-match": '"x"'}).status == 200
    head = anyone.send("HEAD", path)
    assert (head.status, head.content, head.headers["etag"]) == (200, b"", tag)


@pytest.mark.parametrize("slug", problems())
def test_the_type_of_a_problem_is_an_address_that_explains_it(anyone: Client, slug: str) -> None:
    """As JSON, and as a page for a browser."""
    kind = problems()[slug]
    answer = anyone.get(f"/problems/{slug}")
    told = answer.json()
    assert (told["slug"], told["title"], told["status"]) == (slug, kind.title, kind.status)
    assert told["meaning"].endswith(".")
    assert told["advice"].endswith(".")
    page = anyone.send("GET", f"/problems/{slug}", headers={"accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    assert html.escape(kind.title) in page.text
    assert "script" not in page.headers["content-security-policy"]


def test_every_problem_of_the_code_is_explained(anyone: Client) -> None:
    """Also those that routes declare elsewhere than in `errors`; and no other."""
    router.all_routes()
    declared = [Problem]
    for kind in declared:
        declared += kind.__subclasses__()
    slugs = {kind.slug for kind in declared if "slug" in vars(kind)}
    assert slugs == problems().keys()
    assert anyone.get("/problems/nothing").slug == "no-such-problem"


def test_the_root_redirects_to_the_page(anyone: Client) -> None:
    """A browser that opens the address of the API shows the documentation."""
    answer = anyone.get("/")
    assert (answer.status, answer.headers["location"]) == (302, "/docs")
