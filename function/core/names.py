"""The rules of file and folder names.

A name is a path of segments that `/` separates, its levels, without a leading slash; a trailing
slash makes it a folder. It is stored in NFC, so that two spellings of one text are one name, and
nothing in it can climb out of a folder, break a line or be mistaken for another name.
"""

import unicodedata

from pydantic_core import PydanticCustomError

NAME_BYTES = 900  # of UTF-8: a DynamoDB sort key has at most 1,024
SEGMENT_BYTES = 255
# Of a name, its last segment included: a right can come from each folder above a file, so a request
# reads the grants of each. Files of an older release may have more, and their owner can use them.
NAME_LEVELS = 20
TOO_DEEP = f"a name has at most {NAME_LEVELS} levels, with its last one"
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


def prefix_name(prefix: str) -> str:
    """The beginning of a name in NFC. Raises `invalid_name`."""
    return _of_few_levels(normal_name(prefix))


def existing_name(name: str) -> str:
    """The name of a file or folder in NFC, of any number of levels. Raises `invalid_name`."""
    name = normal_name(name)
    for segment in name.removesuffix("/").split("/"):
        if segment in {"", ".", ".."}:
            raise invalid_name("a segment of a name is not empty, '.' or '..'")
        if len(segment.encode()) > SEGMENT_BYTES:
            raise invalid_name(f"a segment of a name has at most {SEGMENT_BYTES} bytes of UTF-8")
    return name


def file_or_folder_name(name: str) -> str:
    """The name of a file or folder in NFC. Raises `invalid_name`."""
    return _of_few_levels(existing_name(name))


def existing_file_name(name: str) -> str:
    """The name of a file in NFC, of any number of levels. Raises `invalid_name`."""
    name = existing_name(name)
    if name.endswith("/"):
        raise invalid_name("a file's name does not end with '/'")
    return name


def file_name(name: str) -> str:
    """The name of a file in NFC. Raises `invalid_name`."""
    return _of_few_levels(existing_file_name(name))


def folder_name(name: str) -> str:
    """The name of a folder in NFC. Raises `invalid_name`."""
    name = file_or_folder_name(name)
    if not name.endswith("/"):
        raise invalid_name("a folder's name ends with '/'")
    return name


def short_folder_name(name: str) -> str:
    """The name of a folder below which 100 bytes and a level are left. Raises `invalid_name`."""
    name = folder_name(name)
    limit = NAME_BYTES - RESERVED_BYTES
    if len(name.encode()) > limit:
        raise invalid_name(f"the name of this folder has at most {limit} bytes of UTF-8")
    if levels_of(name) >= NAME_LEVELS:
        raise invalid_name(f"the name of this folder has at most {NAME_LEVELS - 1} levels")
    return name


def is_deceptive(character: str) -> bool:
    """Whether a character is a control character, breaks a line or changes the direction."""
    return character in DECEPTIVE or unicodedata.category(character) == "Cc"


def is_too_long(name: str) -> bool:
    """Whether a name has more than 900 bytes of UTF-8."""
    return len(name.encode()) > NAME_BYTES


def levels_of(name: str) -> int:
    """The number of segments of a name, or of the beginning of one."""
    return name.removesuffix("/").count("/") + 1


def is_too_deep(name: str) -> bool:
    """Whether a name has more levels than a new file can have."""
    return levels_of(name) > NAME_LEVELS


def exceeds_limits(name: str) -> bool:
    """Whether a name has too many bytes or levels."""
    return is_too_long(name) or is_too_deep(name)


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
    """A name without its innermost folders: 20 levels, and 40 bytes for the last segment."""
    folder, _, last = name.rpartition("/")
    folder = "/".join(folder.split("/")[: NAME_LEVELS - 1])
    while len(f"{folder}/".encode()) > NAME_BYTES - SUFFIX_BYTES:
        folder = folder.rpartition("/")[0]
    return f"{folder}/{last}" if folder else last


def _of_few_levels(name: str) -> str:
    if is_too_deep(name):
        raise invalid_name(TOO_DEEP)
    return name
