"""The rules of file and folder names.

A name is a path of segments that `/` separates, without a leading slash; a trailing slash makes it
a folder. It is stored in NFC, so that two spellings of one text are one name, and nothing in it can
climb out of a folder, break a line or be mistaken for another name.
"""

import unicodedata

from pydantic_core import PydanticCustomError

NAME_BYTES = 900  # of UTF-8: a DynamoDB sort key has at most 1,024
SEGMENT_BYTES = 255
RESERVED_BYTES = 100  # left below the folder of a file request for the names of its files
SUFFIX_BYTES = 40  # left for a number, such as ` (1)`, and the extension
MAX_NUMBER = 1000  # of a name that `numbered` makes
MAX_EXTENSION = 20  # bytes
# U+202A-202E and U+2066-2069 change the direction of text, U+2028 and U+2029 break a line.
DECEPTIVE = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")


def invalid_name(reason: str) -> PydanticCustomError:
    """The validation error that is answered as `invalid-name` (422)."""
    return PydanticCustomError("invalid_name", "{reason}", {"reason": reason})


def normal_name(name: str) -> str:
    """A name or the beginning of one in NFC. Raises `invalid_name`."""
    name = unicodedata.normalize("NFC", name)
    if is_too_long(name):
        raise invalid_name(f"a name has at most {NAME_BYTES} bytes of UTF-8")
    if "\\" in name or any(is_deceptive(character) for character in name):
        raise invalid_name("a name has no backslash, control or direction-changing character")
    return name


def file_or_folder_name(name: str) -> str:
    """The name of a file or folder in NFC. Raises `invalid_name`."""
    name = normal_name(name)
    for segment in name.removesuffix("/").split("/"):
        if segment in {"", ".", ".."}:
            raise invalid_name("a segment of a name is not empty, '.' or '..'")
        if len(segment.encode()) > SEGMENT_BYTES:
            raise invalid_name(f"a segment of a name has at most {SEGMENT_BYTES} bytes of UTF-8")
    return name


def file_name(name: str) -> str:
    """The name of a file in NFC. Raises `invalid_name`."""
    name = file_or_folder_name(name)
    if name.endswith("/"):
        raise invalid_name("a file's name does not end with '/'")
    return name


def folder_name(name: str) -> str:
    """The name of a folder in NFC. Raises `invalid_name`."""
    name = file_or_folder_name(name)
    if not name.endswith("/"):
        raise invalid_name("a folder's name ends with '/'")
    return name


def short_folder_name(name: str) -> str:
    """The name of a folder below which 100 bytes are left. Raises `invalid_name`."""
    name = folder_name(name)
    limit = NAME_BYTES - RESERVED_BYTES
    if len(name.encode()) > limit:
        raise invalid_name(f"the name of this folder has at most {limit} bytes of UTF-8")
    return name


def is_deceptive(character: str) -> bool:
    """Whether a character is a control character, breaks a line or changes the direction."""
    return character in DECEPTIVE or unicodedata.category(character) == "Cc"


def is_too_long(name: str) -> bool:
    """Whether a name has more than 900 bytes of UTF-8."""
    return len(name.encode()) > NAME_BYTES


def folders_of(name: str) -> list[str]:
    """The folders above a name, outermost first: `a/b/c` is in `a/` and `a/b/`."""
    parts = name.removesuffix("/").split("/")[:-1]
    return ["/".join(parts[: depth + 1]) + "/" for depth in range(len(parts))]


def numbered(name: str, number: int | str) -> str:
    """A name with a number before its extension: `a/b.txt` becomes `a/b (1).txt`.

    The last segment is cut so that neither it nor the name is too long.
    """
    folder, slash, last = name.rpartition("/")
    stem, dot, extension = last.rpartition(".")
    if not stem or len(extension.encode()) > MAX_EXTENSION:
        stem, dot, extension = last, "", ""
    suffix = f" ({number}){dot}{extension}"
    limit = min(SEGMENT_BYTES, NAME_BYTES - len(f"{folder}{slash}".encode()))
    length = max(limit - len(suffix.encode()), 0)
    return f"{folder}{slash}{stem.encode()[:length].decode(errors='ignore')}{suffix}"


def without_deep_folders(name: str) -> str:
    """A name without its innermost folders, so that 40 bytes are left for the last segment."""
    folder, _, last = name.rpartition("/")
    while len(f"{folder}/".encode()) > NAME_BYTES - SUFFIX_BYTES:
        folder = folder.rpartition("/")[0]
    return f"{folder}/{last}" if folder else last
