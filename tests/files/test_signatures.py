"""A file's first bytes agree with its name, or do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.files.upload_rules import HEAD_BYTES, contradicts, is_text
from tests.support.office import OOXML, SAMPLES, TYPES, office, zipped

TEXTS = {".txt", ".csv", ".md", ".json", ".svg", ".html"}
OLE = {".doc", ".xls", ".ppt"}  # what is in such a container stands anywhere in it
SAME = [TEXTS, OLE, {".mp4", ".mov"}]


@pytest.mark.parametrize("extension", SAMPLES)
def test_what_is_what_it_says(extension: str) -> None:
    """In any letters."""
    assert not contradicts(f"a{extension}", SAMPLES[extension])
    assert not contradicts(f"a{extension.upper()}", SAMPLES[extension][:HEAD_BYTES])


@pytest.mark.parametrize("extension", SAMPLES)
@pytest.mark.parametrize("said", [e for e in SAMPLES if e != ".exe"])
def test_what_is_something_else(extension: str, said: str) -> None:
    """Each under the name of each other, but where nothing can tell them apart."""
    alike = extension == said or any({extension, said} <= each for each in SAME)
    assert contradicts(f"a{said}", SAMPLES[extension]) is not alike


@pytest.mark.parametrize("extension", [".docx", ".xlsx", ".pptx"])
def test_an_office_document_of_any_program(extension: str) -> None:
    """Whether the list of its types comes first or last."""
    assert not contradicts(f"a{extension}", office(extension, last=True)[:HEAD_BYTES])
    others = [each for each in OOXML if each != extension]
    assert all(contradicts(f"a{other}", office(extension, last=True)) for other in others)


def test_a_zip_that_is_no_document() -> None:
    """Nor one that has only the name of a part somewhere within."""
    for data in (
        zipped(("a.txt", b"ppt/presentation.xml")),
        zipped((TYPES, b"<Types/>"), ("a.txt", b"")),
        zipped(("x/ppt/slide.xml", b"")),
        zipped(("mimetype", b"application/zip")),
        b"PK\x05\x06" + bytes(18),
    ):
        assert contradicts("a.pptx", data)
        assert contradicts("a.odp", data)


@pytest.mark.parametrize("name", ["a.pptx", "a.pdf", "a.png", "a.odt", "a.zip", "a.doc"])
def test_what_has_a_signature_has_it(name: str) -> None:
    """Text is none of them, nor is nothing."""
    assert contradicts(name, b"")
    assert contradicts(name, b"Just a few words.\n")


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.xyz", "a.log", "notes"])
def test_what_has_none_is_taken_at_its_word(name: str) -> None:
    """Words, and nothing at all; a program is none of them."""
    assert not contradicts(name, b"")
    assert not contradicts(name, b"Just a few words.\n")
    assert contradicts(name, SAMPLES[".exe"])


def test_a_format_that_nobody_knows() -> None:
    """It may well be made of a zip."""
    assert not contradicts("a.sketchy", zipped(("document.json", b"{}")))


def test_text_is_text_in_any_encoding() -> None:
    """With and without a mark."""
    for encoding in ("utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-32"):
        assert is_text("Grüße\tan alle\r\n".encode(encoding))
    assert not is_text(b"a\0b")


@given(st.binary(max_size=300), st.sampled_from(sorted(SAMPLES)))
def test_any_bytes_are_judged(data: bytes, extension: str) -> None:
    """A file that is broken on purpose breaks nothing."""
    for head in (data, SAMPLES[extension][:40] + data, b"PK\x03\x04" + data):
        contradicts(f"a{extension}", head)


def test_a_bomb_is_not_inflated() -> None:
    """A part that grows without end is looked at for its beginning only."""
    bomb = zipped((TYPES, bytes(50_000_000)))
    assert contradicts("a.pptx", bomb[:HEAD_BYTES])
