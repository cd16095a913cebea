"""Options of the tests against a URL; without one they are not collected at all."""

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.person import Person


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--e2e", metavar="URL", help="a running Satchel to test")
    parser.addoption("--e2e-state", metavar="FOLDER", help="the state folder of its `make serve`")
    parser.addoption("--e2e-server", metavar="PID", type=int, help="its `make serve`, to kill from")
    parser.addoption(
        "--uppy", metavar="ORIGIN", help="one of its allowedOrigins, on loopback, for a browser"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if not config.getoption("--e2e", None):
        return True
    options = {"killed": "--e2e-server", "memory": "--e2e-server", "uppy": "--uppy"}
    for name, option in options.items():
        if name in collection_path.name and not config.getoption(option, None):
            return True
    return None


@pytest.fixture
def url(pytestconfig: pytest.Config) -> str:
    return str(pytestconfig.getoption("--e2e")).rstrip("/")


@pytest.fixture
def state(pytestconfig: pytest.Config) -> str:
    """The state folder, "" where it is not known."""
    return str(pytestconfig.getoption("--e2e-state") or "")


@pytest.fixture
def server(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.getoption("--e2e-server"))


@pytest.fixture
def newcomer(url: str) -> Callable[[str], Person]:
    """A person with a name nobody had before, so that the tests may run again on the same data."""
    return lambda name: Person(url, f"{name}-{secrets.token_hex(6)}")


@pytest.fixture
def alice(newcomer: Callable[[str], Person]) -> Person:
    return newcomer("alice").join()


@pytest.fixture
def bob(newcomer: Callable[[str], Person]) -> Person:
    return newcomer("bob").join()
