"""The type of a file, as its name suggests it: by the last extension, the same on every machine.

Imports nothing of ours.
"""

import mimetypes
from collections.abc import Iterable

PLAIN_BYTES = "application/octet-stream"
# What people ask for and Python's own table lacks or says otherwise from version to version, from
# https://www.iana.org/assignments/media-types; the three with `x-` are in use unregistered.
REGISTERED = {
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
    "application/json", "application/xml", "application/yaml",
}  # fmt: skip
ARCHIVES = {
    "application/zip", "application/gzip", "application/x-7z-compressed", "application/vnd.rar",
    "application/x-tar", "application/zstd", "application/x-bzip2", "application/x-xz",
}  # fmt: skip
# Given no files, it knows what Python knows, and nothing of the machine's own tables.
KNOWN = mimetypes.MimeTypes(())


def extension_of(name: str) -> str:
    """What follows the last dot of the last segment, with the dot, in lower case; "" for none."""
    _, dot, last = name.rpartition("/")[2].rpartition(".")
    return (dot + last).lower() if dot else ""


def suggested_type(name: str) -> str | None:
    """The type that a name suggests; what is compressed is not of the type within."""
    extension = extension_of(name)
    if extension in REGISTERED:
        return REGISTERED[extension]
    # Its tables alone: Python's own guess reads a name as an address, which may say another type.
    packed = extension in KNOWN.encodings_map or extension in KNOWN.suffix_map
    return PLAIN_BYTES if packed else KNOWN.types_map[True].get(extension)


def guessed_type(name: str) -> str:
    """The same, and plain bytes for a name that suggests nothing."""
    return suggested_type(name) or PLAIN_BYTES


def retyped(content_type: str, name: str, new_name: str) -> str:
    """The type of a file with another name: by that, if it was by the name that it had."""
    by_name = content_type in {guessed_type(name), PLAIN_BYTES}
    return guessed_type(new_name) if by_name else content_type


def kind_of(content_type: str) -> str:
    """What sort of thing a type is: `image`, `audio`, `video`, `document`, `archive` or `other`."""
    kind = content_type.partition(";")[0].strip().lower()
    top, _, sub = kind.partition("/")
    if top in {"image", "audio", "video"}:
        return top
    if top == "text" or kind in DOCUMENTS or sub.startswith(OFFICE):
        return "document"
    return "archive" if kind in ARCHIVES else "other"


def allowed(types: Iterable[str], name: str, said: str | None = None) -> bool:
    """Whether a file is of one of the types: by its name, which tells what will open it.

    A type is an extension such as `.pdf`, or a media type whose second half may be `*`.
    """
    folded = name.casefold()
    kind = bare(type_of(name, said) or "")
    whole = f"{kind.partition('/')[0]}/*"
    return any(folded.endswith(each) if each[0] == "." else each in {kind, whole} for each in types)


def type_of(name: str, said: str | None = None) -> str | None:
    """The type that a file is judged by: what its name suggests, and None where that is unknown.

    What is `said` of it counts where the name has no extension, and for parameters beside.
    """
    suggested = suggested_type(name)
    if suggested:
        return said if said and bare(said) == suggested else suggested
    return None if extension_of(name) else said


def bare(kind: str) -> str:
    """A media type without its parameters."""
    return kind.partition(";")[0].strip().lower()
