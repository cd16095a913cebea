"""What Postman makes of `/openapi.json`: its own converter, and then the requests that it shows.

Two settings of the import are not the default: values come from the examples, and parameters that
may be left out are switched off. By default Postman fills each with its type, such as `<string>`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.e2e.node import run
from tests.e2e.person import Person

pytestmark = pytest.mark.enable_socket

SETTINGS = "parametersResolution=Example,enableOptionalParameters=false"
# What somebody with a new account can do with the examples of the document, in this order.
OF_A_NEW_ACCOUNT = [
    "GET health", "GET info", "GET me", "PUT file", "GET files", "GET file", "HEAD file",
    "GET versions", "PATCH file", "POST links", "GET links", "POST requests",
    "GET requests", "POST uploads", "GET uploads", "GET changes", "GET usage", "GET sessions",
    "GET keys", "GET groups", "POST restore", "DELETE file", "GET trash", "POST logout",
]  # fmt: skip


@pytest.fixture
def imported(url: str, tmp_path: Path) -> dict[str, Any]:
    """The collection that an import makes."""
    document, made = tmp_path / "openapi.json", tmp_path / "imported.json"
    with urlopen(f"{url}/openapi.json", timeout=60) as answer:
        document.write_bytes(answer.read())
    run("openapi2postmanv2", "-s", document, "-o", made, "-O", SETTINGS)
    collection: dict[str, Any] = json.loads(made.read_text())
    return collection


def requests(folder: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The requests of a collection, in all its folders."""
    for each in folder["item"]:
        yield from requests(each) if "item" in each else [each]


def name(item: dict[str, Any]) -> str:
    request = item["request"]
    return f"{request['method']} {'/'.join(request['url']['path'])}"


def test_requests_work_once_the_token_is_set(
    imported: dict[str, Any], alice: Person, tmp_path: Path
) -> None:
    """A person sets the variable of the collection's authorization, and sends one by one."""
    found = {name(each): each for each in requests(imported)}
    chosen = tmp_path / "chosen.json"
    chosen.write_text(json.dumps(imported | {"item": [found[each] for each in OF_A_NEW_ACCOUNT]}))
    report = tmp_path / "report.json"
    run(
        "newman", "run", chosen, f"--env-var=apiKey={alice.token}",
        "--reporters=json", f"--reporter-json-export={report}",
    )  # fmt: skip
    done = json.loads(report.read_text())["run"]["executions"]
    codes = {
        name(found[each]): one["response"]["code"]
        for each, one in zip(OF_A_NEW_ACCOUNT, done, strict=True)
    }
    assert {each: code for each, code in codes.items() if code // 100 != 2} == {}


def test_every_request_has_the_address_and_the_token(imported: dict[str, Any], url: str) -> None:
    """No request has an authorization of its own that would have to be filled in."""
    assert {each["key"]: each["value"] for each in imported["variable"]} == {"baseUrl": url}
    keys = {each["key"]: each["value"] for each in imported["auth"]["apikey"]}
    assert keys == {"key": "x-session-token", "value": "{{apiKey}}", "in": "header"}
    for each in requests(imported):
        assert each["request"]["url"]["host"] == ["{{baseUrl}}"]
        assert (each["request"].get("auth") or {"type": "noauth"})["type"] == "noauth", each["name"]
