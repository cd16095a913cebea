"""The programs of docs/clients.md, for a served stack."""

import re
import secrets

from local import ROOT
from tests.support.doc_runner import SERVED

DOCUMENT = ROOT / "docs" / "clients.md"


def program(language: str, url: str) -> str:
    """The document's one program in a language, for a name that nobody had before."""
    block = re.compile(rf"^```{language}\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
    (found,) = block.findall(DOCUMENT.read_text())
    suffix = secrets.token_hex(6)
    named = re.sub(r"\b(petra|tomas)\b", rf"\1-{suffix}", found)
    return named.replace(SERVED, url)
