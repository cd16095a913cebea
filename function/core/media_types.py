"""Media types: their grammar, and the type of a file by the extension of its name.

Also the kind of a media type, by which files are searched, and the check of a file's type against a
list of allowed types.
"""

import mimetypes
import re
from collections.abc import Iterable
from functools import lru_cache

JSON = "application/json"
PLAIN_BYTES = "application/octet-stream"
MAX_MEDIA_TYPE = 200  # characters
# The grammar of RFC 9110, section 8.3.1, in ASCII; the words of a type have the characters that can
# be registered (RFC 6838, section 4.2). What repeats begins with a character that cannot end what
# is before it, so no text takes a regular expression long to refuse.
WORD = r"[A-Za-z0-9!#$&^_.+-]+"
VALUE = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
QUOTED = r'"(?:[\t !#-\[\]-~]|\\[\t -~])*"'
PARAMETER = rf"({VALUE})=({VALUE}|{QUOTED})"
MEDIA_TYPE = rf"^{WORD}/{WORD}[ \t]*(;[ \t]*({PARAMETER}[ \t]*)?)*$"
CHARSET = re.compile(r"[a-z0-9][a-z0-9._:+-]{0,39}")
# Types that Python's own table does not have, or not in all of its versions, as registered in
# https://www.iana.org/assignments/media-types. The types with `x-` are in use without registration.
BY_EXTENSION = {
    ".7z": "application/x-7z-compressed",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".epub": "application/epub+zip",
    ".flac": "audio/flac",
    ".gz": "application/gzip",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".ics": "text/calendar",
    ".js": "text/javascript",
    ".jxl": "image/jxl",
    ".m4a": "audio/mp4",
    ".m4v": "video/x-m4v",
    ".md": "text/markdown",
    ".mkv": "video/matroska",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ogg": "audio/ogg",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".psd": "image/vnd.adobe.photoshop",
    ".rar": "application/vnd.rar",
    ".rtf": "application/rtf",
    ".wav": "audio/x-wav",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".yaml": "application/yaml",
    ".zst": "application/zstd",
}
OFFICE = (
    "vnd.openxmlformats-officedocument.", "vnd.oasis.opendocument.", "vnd.ms-excel",
    "vnd.ms-powerpoint", "vnd.ms-word",
)  # fmt: skip
DOCUMENTS = {
    "application/pdf", "application/msword", "application/rtf", "application/epub+zip",
    JSON, "application/xml", "application/yaml",
}  # fmt: skip
ARCHIVES = {
    "application/zip", "application/gzip", "application/x-7z-compressed", "application/vnd.rar",
    "application/x-tar", "application/zstd", "application/x-bzip2", "application/x-xz",
}  # fmt: skip
# Python's own table: without a list of files, it does not read those of the machine.
PYTHON_TYPES = mimetypes.MimeTypes(())


def parsed_type(text: str) -> str | None:
    """A media type as it is stored: in lower case, without parameters but `charset`.

    None where the text is no media type, has a parameter twice (RFC 6838, section 4.3) or a charset
    that cannot be one's name. A browser splits a type at commas and takes the last that is valid,
    so nothing that a client wrote is repeated to one.
    """
    if len(text) > MAX_MEDIA_TYPE or re.fullmatch(MEDIA_TYPE, text) is None:
        return None
    pairs = [(name.lower(), value) for name, value in re.findall(rf";[ \t]*{PARAMETER}", text)]
    parameters = dict(pairs)
    charset = re.sub(r'^"|\\(.)|"$', r"\1", parameters.get("charset", "utf-8")).lower()
    if len(parameters) < len(pairs) or not CHARSET.fullmatch(charset):
        return None
    return bare_type(text) + (f"; charset={charset}" if "charset" in parameters else "")


@lru_cache(maxsize=256)
def cleaned_type(text: str) -> str:
    """The media type of a row that may be of an older release, which stored any parameters."""
    return parsed_type(text) or parsed_type(bare_type(text)) or PLAIN_BYTES


def extension_of(name: str) -> str:
    """The extension of a name in lower case, with its dot; "" where it has none."""
    _, dot, extension = name.rpartition("/")[2].rpartition(".")
    return (dot + extension).lower() if dot else ""


def suggested_type(name: str) -> str | None:
    """The media type of a name's extension; None where the extension is unknown.

    A compressed file has the type of bytes, not that of the file inside.
    """
    extension = extension_of(name)
    if extension in BY_EXTENSION:
        return BY_EXTENSION[extension]
    # `mimetypes.guess_type` would parse the name as a URL, which may name another type.
    is_compressed = extension in PYTHON_TYPES.encodings_map or extension in PYTHON_TYPES.suffix_map
    return PLAIN_BYTES if is_compressed else PYTHON_TYPES.types_map[True].get(extension)


def guessed_type(name: str) -> str:
    """The media type of a name's extension; that of bytes where the extension is unknown."""
    return suggested_type(name) or PLAIN_BYTES


def type_of_bytes(name: str, header: str) -> str:
    """The media type that a content-type says; the name's, where it says bytes or no type."""
    sent_type = parsed_type(header) or PLAIN_BYTES
    return guessed_type(name) if sent_type == PLAIN_BYTES else sent_type


def retyped(content_type: str, name: str, new_name: str) -> str:
    """The media type of a renamed file: the new name's, unless the client chose the old one."""
    is_guessed = content_type in {guessed_type(name), PLAIN_BYTES}
    return guessed_type(new_name) if is_guessed else content_type


def kind_of(content_type: str) -> str:
    """The kind of a media type: `image`, `audio`, `video`, `document`, `archive` or `other`."""
    bare = bare_type(content_type)
    top, _, sub = bare.partition("/")
    if top in {"image", "audio", "video"}:
        return top
    if top == "text" or bare in DOCUMENTS or sub.startswith(OFFICE):
        return "document"
    return "archive" if bare in ARCHIVES else "other"


def is_allowed(types: Iterable[str], name: str, content_type: str | None = None) -> bool:
    """Whether a file has one of the allowed types, by its name where that has an extension.

    An allowed type is an extension such as `.pdf`, or a media type such as `image/png` or
    `image/*`. The name decides because it decides which program opens the file. `content_type` is
    the type that the client sent.
    """
    folded = name.casefold()
    bare = bare_type(type_of(name, content_type) or "")
    accepted = {bare, f"{bare.partition('/')[0]}/*"}
    return any(folded.endswith(each) if each[0] == "." else each in accepted for each in types)


def type_of(name: str, content_type: str | None = None) -> str | None:
    """The media type by which a file is judged; None where its extension is unknown.

    The extension decides. The `content_type` that the client sent counts where the name has no
    extension, and where it is the same type with parameters.
    """
    suggested = suggested_type(name)
    if suggested:
        is_same = content_type is not None and bare_type(content_type) == suggested
        return content_type if is_same else suggested
    return None if extension_of(name) else content_type


def bare_type(content_type: str) -> str:
    """A media type in lower case and without its parameters."""
    return content_type.partition(";")[0].strip().lower()
