"""Media types by the extensions of names."""

import mimetypes

import pytest

from function.core.media_types import extension_of, guessed_type, suggested_type


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
