"""Media types: their grammar, and those of the extensions of names."""

import mimetypes
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.core.media_types import (
    PLAIN_BYTES,
    cleaned_type,
    extension_of,
    guessed_type,
    kind_of,
    parsed_type,
    suggested_type,
)

SIGNS = "aZ0/;,= \t\"\\'*%|~\r\n\x00\x7fé"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("a/b", "a/b"),
        ("IMAGE/Png", "image/png"),
        ("application/vnd.ms-word.document.12+zip", "application/vnd.ms-word.document.12+zip"),
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        ("text/plain;CHARSET=UTF-8", "text/plain; charset=utf-8"),
        ('text/plain ;\t charset="UTF-8" ', "text/plain; charset=utf-8"),
        (r'text/plain; charset="\u\t\f-8"', "text/plain; charset=utf-8"),
        ("text/plain;; charset=utf-8;", "text/plain; charset=utf-8"),
        ("text/plain; format=flowed; charset=utf-8; x=y", "text/plain; charset=utf-8"),
        ("image/png; x=y", "image/png"),
        ('image/png; a="b,text/html"', "image/png"),
        (r'image/png; a="\";charset=x,text/html"', "image/png"),
        ("multipart/mixed; boundary=a'b", "multipart/mixed"),
    ],
)
def test_a_media_type_is_stored_without_parameters_but_the_charset(text: str, stored: str) -> None:
    """In lower case, whatever its spaces and quotes (RFC 9110, section 8.3.1)."""
    assert parsed_type(text) == cleaned_type(text) == parsed_type(stored) == stored


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "a/", "/b", "a/b/c", "a/b c", " a/b", "a/b\r\nx: y", "a/b\n", "a/é", "a/b\x00",
        "*/*", "image/*", "a/b'", "a/(b)", "image/png, text/html", "image/png,text/html",
        "image/png;a=b,text/html", "image/png; a=b, text/html", "image/png;,text/html",
        "a/b; c", "a/b; c=", "a/b; =c", "a/b; c =d", "a/b; c= d", "a/b; c=d e", "a/b; c=é",
        'a/b; c="d', 'a/b; c="d"e', 'a/b; c="d\n"', 'a/b; c="d\x7f"', 'a/b; c="é"', 'a/b; c="\\"',
        "a/b; c=d; C=e", "text/plain; charset=utf-8; charset=utf-7",
        'text/plain; charset="utf-8,text/html"', 'text/plain; charset=""',
        "text/plain; charset='x'", "text/plain; charset=" + "x" * 41, "a/" + "b" * 199,
    ],
)  # fmt: skip
def test_other_text_is_no_media_type(text: str) -> None:
    """Lists, broken quotes, control characters, parameters that are repeated."""
    assert parsed_type(text) is None


@given(st.text(st.sampled_from(SIGNS)).map("image/png".__add__) | st.text())
def test_what_is_stored_is_one_type(text: str) -> None:
    """No client makes a header of two types, and storing twice changes nothing."""
    stored = parsed_type(text)
    assert stored is None or parsed_type(stored) == stored
    for each in filter(None, [stored, cleaned_type(text)]):
        bare, _, parameter = each.partition("; ")
        assert "," not in each
        assert each.isascii()
        assert each.isprintable()
        assert each == each.lower()
        assert not parameter or parameter.startswith("charset=")
        assert bare.count("/") == 1
        assert not set(bare) & set(' ;="')


@pytest.mark.parametrize(
    ("old", "cleaned"),
    [
        ("image/png;a=b,text/html", "image/png"),
        ('Image/PNG; a=", text/html', "image/png"),
        ("image/svg+xml; charset=utf-8,image/png", "image/svg+xml"),
        ("image/png,text/html", PLAIN_BYTES),
        ("", PLAIN_BYTES),
    ],
)
def test_a_type_that_an_older_release_stored_is_cleaned(old: str, cleaned: str) -> None:
    """Its kind stays, for the search index has that."""
    assert cleaned_type(old) == cleaned
    assert "," in old.partition(";")[0] or kind_of(old) == kind_of(cleaned)


@pytest.mark.parametrize(
    "text",
    [
        "a/b" + ";a=b " * 39 + "\x7f", "a/b;" + "a= b ; " * 27 + "é", "a/b;a=" + " " * 190,
        "a/b" + " ;" * 98 + ",", "a/b;" + "\t" * 195, 'a/b;a="' + "\\" * 190,
        "a/b" + ";a=a" * 49 + ",",
    ],
)  # fmt: skip
def test_no_media_type_takes_long_to_refuse(text: str) -> None:
    """The regular expression does not backtrack exponentially."""
    started = time.process_time()
    parsed_type(text)
    assert time.process_time() - started < 0.1


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.PNG", "image/png"),
        ("d.png/a.pdf", "application/pdf"),
        (".png", "image/png"),
        ("a.mkv", "video/matroska"),
        ("a.tar.gz", "application/gzip"),
        ("a.tgz", "application/octet-stream"),
        ("a.svgz", "application/octet-stream"),
        ("d.png/a", None),
        ("a.exe.", None),
        ("a.png ", None),
        ("data:image/png,a", None),
        ("data:image/png,a.unheard-of", None),
        ("http://a.png/?x.unheard-of", None),
        ("a.\u0440ng", None),
    ],
)
def test_the_last_extension_gives_the_type(name: str, kind: str | None) -> None:
    """No other part of the name matters."""
    assert suggested_type(name) == kind
    assert guessed_type(name) == (kind or "application/octet-stream")


def test_the_tables_of_the_machine_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A type that only the machine knows is unknown."""
    monkeypatch.setitem(mimetypes.types_map, ".unheard-of", "image/png")
    assert mimetypes.guess_type("a.unheard-of")[0] == "image/png"
    assert suggested_type("a.unheard-of") is None


@pytest.mark.parametrize(
    ("name", "extension"), [("a.B", ".b"), ("a.b/c", ""), ("a.", "."), (".a", ".a"), ("a", "")]
)
def test_an_extension_begins_at_the_last_dot(name: str, extension: str) -> None:
    """Of the last segment."""
    assert extension_of(name) == extension
