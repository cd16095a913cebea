"""The documents' walk-throughs on a served stack, where signed addresses lead somewhere."""

import secrets
from pathlib import Path

import pytest

from local import ROOT
from tests.support.doc_runner import masked, steps, walk

pytestmark = pytest.mark.enable_socket


DOCUMENTS = [
    "README.md",
    "docs/accounts.md",
    "docs/administration.md",
    "docs/files.md",
    "docs/large-files.md",
    "docs/sharing.md",
    "docs/walkthrough.md",
]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_shown_is_what_is_printed(name: str, url: str, state: str, tmp_path: Path) -> None:
    """Pasted block by block, with names that nobody had before."""
    found = steps(ROOT / name)
    if "SATCHEL_STATE" in found[0].program and not state:
        pytest.skip("it reads the setup token: --e2e-state")
    printed = walk(found, url, tmp_path, suffix=f"-{secrets.token_hex(6)}", state=state)
    assert printed == [masked(step.said) for step in found]
