"""The header that names a download."""

from email.message import Message
from urllib.parse import unquote

from hypothesis import given

from function.core.headers import disposition
from tests.support.strategies import file_names


@given(file_names())
def test_a_download_is_named_as_its_file(name: str) -> None:
    """The header parses back to the last segment of the name, and a name adds no header."""
    header = disposition(name, "attachment")
    assert header.isascii()
    assert header.isprintable()
    kind, _, last = header.rpartition("; filename*=")
    assert unquote(last.removeprefix("UTF-8''"), errors="strict") == name.rpartition("/")[2]
    message = Message()
    message["content-disposition"] = kind
    assert message.get_content_disposition() == "attachment"
    plain = message.get_filename()
    assert plain is not None
    assert not set(plain) & set('"\\%/')
