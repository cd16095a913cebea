"""The comparison of a file's first bytes with its name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.files.upload_rules import HEAD_BYTES, contradicts, is_text
from tests.support.office import OOXML, SAMPLES, TYPES, office, zipped

TEXTS = {".txt", ".csv", ".md", ".json", ".svg", ".html"}
OLE = {".doc", ".xls", ".ppt"}  # what is in such a container stands anywhere in it
SAME = [TEXTS, OLE, {".mp4", ".mov"}]


@pytest.mark.parametrize("extension", SAMPLES)
def test_content_of_the_named_type_passes(extension: str) -> None:
    """With an extension in either case."""
    assert not contradicts(f"a{extension}", SAMPLES[extension])
    assert not contradicts(f"a{extension.upper()}", SAMPLES[extension][:HEAD_BYTES])


@pytest.mark.parametrize("extension", SAMPLES)
@pytest.mark.parametrize("said", [e for e in SAMPLES if e != ".exe"])
def test_content_of_another_type_is_noticed(extension: str, said: str) -> None:
    """Each type under the name of each other, where first bytes tell them apart."""
    alike = extension == said or any({extension, said} <= each for each in SAME)
    assert contradicts(f"a{said}", SAMPLES[extension]) is not alike


@pytest.mark.parametrize("extension", [".docx", ".xlsx", ".pptx"])
def test_an_office_document_of_any_program_passes(extension: str) -> None:
    """The list of its types may come first or last."""
    assert not contradicts(f"a{extension}", office(extension, last=True)[:HEAD_BYTES])
    others = [each for each in OOXML if each != extension]
    assert all(contradicts(f"a{other}", office(extension, last=True)) for other in others)


def test_a_plain_zip_is_no_document() -> None:
    """Not even with the name of a part somewhere within."""
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
def test_a_format_with_a_signature_needs_it(name: str) -> None:
    """Text and empty files do not have one."""
    assert contradicts(name, b"")
    assert contradicts(name, b"Just a few words.\n")


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.xyz", "a.log", "notes"])
def test_a_format_without_a_signature_passes(name: str) -> None:
    """Text and empty files do; a program does not."""
    assert not contradicts(name, b"")
    assert not contradicts(name, b"Just a few words.\n")
    assert contradicts(name, SAMPLES[".exe"])


def test_an_unknown_format_passes() -> None:
    """It may be made of a zip."""
    assert not contradicts("a.sketchy", zipped(("document.json", b"{}")))


def test_text_is_text_in_any_encoding() -> None:
    """With and without a byte order mark."""
    for encoding in ("utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-32"):
        assert is_text("Grüße\tan alle\r\n".encode(encoding))
    assert not is_text(b"a\0b")


@given(st.binary(max_size=300), st.sampled_from(sorted(SAMPLES)))
def test_any_bytes_are_compared_without_an_error(data: bytes, extension: str) -> None:
    """A file that is broken on purpose raises nothing."""
    for head in (data, SAMPLES[extension][:40] + data, b"PK\x03\x04" + data):
        contradicts(f"a{extension}", head)


def test_a_zip_bomb_is_not_inflated() -> None:
    """Only the beginning of a part is."""
    bomb = zipped((TYPES, bytes(50_000_000)))
    assert contradicts("a.pptx", bomb[:HEAD_BYTES])
