"""Upload rules: the sizes and types of files that each role may upload.

A rule of types would be easy to go around by a false extension, so the bytes are compared with the
name: by signatures (those of puremagic), by the parts of office documents, and by whether text is
text. A format without a known signature passes: nobody knows all formats.
"""

import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from function.aws.s3 import Stored
from function.base import Base
from function.core.errors import TooLarge
from function.core.media_types import extension_of, is_allowed, suggested_type
from function.files.errors import TypeNotAllowed
from function.tables.files import FileRow

HEAD_BYTES = 8192  # how much of the beginning of a file is compared with its name
INFLATE_LIMIT = 256 * 1024  # bytes of one part of a zip, which may be a bomb
STRONG_SIGNATURE = 3  # bytes; a file of another format hardly has so long a signature by chance
ZIP, PDF = b"PK\x03\x04", b"%PDF-"
EXECUTABLES = (b"MZ", b"\x7fELF")
# The header of a part of a zip: method, packed size, lengths of name and extra field.
LOCAL_HEADER = re.compile(re.escape(ZIP) + rb".{4}(.{2}).{8}(.{4}).{4}(.{2})(.{2})", re.DOTALL)
STORED, DEFLATED = 0, 8
# Office Open XML: the folder of the document's parts, and the media type of its main part.
OFFICE = {
    ".docx": ("word/", "wordprocessingml.document.main+xml"),
    ".docm": ("word/", "ms-word.document.macroEnabled.main+xml"),
    ".dotx": ("word/", "wordprocessingml.template.main+xml"),
    ".xlsx": ("xl/", "spreadsheetml.sheet.main+xml"),
    ".xlsm": ("xl/", "ms-excel.sheet.macroEnabled.main+xml"),
    ".xltx": ("xl/", "spreadsheetml.template.main+xml"),
    ".pptx": ("ppt/", "presentationml.presentation.main+xml"),
    ".pptm": ("ppt/", "ms-powerpoint.presentation.macroEnabled.main+xml"),
    ".ppsx": ("ppt/", "presentationml.slideshow.main+xml"),
    ".potx": ("ppt/", "presentationml.template.main+xml"),
}
# OpenDocument and EPUB: the first part of the zip is `mimetype`, not compressed.
MIMETYPE_FIRST = {".odt", ".ods", ".odp", ".odg", ".epub"}
# ISO base media files: one container, whose brand tells pictures from sound and video.
MEDIA = {".mp4", ".m4v", ".m4a", ".mov", ".3gp", ".3g2", ".f4v", ".qt"}
PICTURES = {".heic", ".heif", ".avif"}
PICTURE_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis")
RIFF_FORMS = {".wav": b"WAVE", ".webp": b"WEBP", ".avi": b"AVI "}
TEXT_TYPES = re.compile(r"text/.*|application/(json|xml|yaml|javascript|x-sh|sql)|.*\+(xml|json)")
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16 and UTF-32
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


@dataclass(frozen=True)
class Rule:
    """The files that a role may upload: types by extension or media type, and bytes.

    None is no limit.
    """

    types: Sequence[str] | None = None
    max_bytes: int | None = None


class UploadRules:
    """Applies the configured upload rules; a role without a rule may upload everything."""

    def __init__(self, base: Base) -> None:
        self._bucket = base.bucket
        rules: Mapping[str, Mapping[str, object]] = json.loads(base.settings.upload_rules)
        self._rules = {role: _rule(rule) for role, rule in rules.items()}

    def rule_for(self, role: str) -> Rule:
        """The rule of a role."""
        return self._rules.get(role, Rule())

    def require_allowed(
        self, role: str, name: str, size: int | None, head: bytes | None = None
    ) -> None:
        """Checks a file against the rule of a role.

        `head` is its first HEAD_BYTES, None before the bytes have arrived.
        Raises TooLarge, TypeNotAllowed.
        """
        rule = self.rule_for(role)
        if rule.max_bytes is not None and size is not None and size > rule.max_bytes:
            raise TooLarge(f"Your role may upload files of at most {rule.max_bytes} bytes.")
        if rule.types is None:
            return
        if not extension_of(name) or not is_allowed(rule.types, name):
            raise TypeNotAllowed(f"Your role may upload only {', '.join(rule.types)}.")
        if head is not None and contradicts(name, head):
            raise TypeNotAllowed("The content of the file does not match its name.")

    def require_name_allowed(self, role: str, row: FileRow, name: str) -> None:
        """Checks a file against the rule of a role under another name; one of its type passes.

        Reads its first bytes from S3 where the rule allows the type. Raises TypeNotAllowed.
        """
        types, old = self.rule_for(role).types, row.file_name or row.name
        if types is None or (
            extension_of(name) == extension_of(old)
            and is_allowed(types, name) is is_allowed(types, old)
        ):
            return
        self.require_allowed(role, name, None)
        self.require_allowed(role, name, None, self.read_head(role, row.stored))

    def read_head(self, role: str, stored: Stored) -> bytes | None:
        """Reads the first HEAD_BYTES of an object; None where the role may upload any type."""
        if self.rule_for(role).types is None:
            return None
        last = min(stored.size, HEAD_BYTES) - 1
        return self._bucket.get(stored.object, (0, last)) if stored.size else b""


def contradicts(name: str, head: bytes) -> bool:
    """Whether the first bytes of a file are not what its name says.

    `head` is its first HEAD_BYTES, or the whole file if that is shorter.
    """
    extension, media_type = extension_of(name), suggested_type(name) or ""
    if extension in OFFICE:
        return not _is_office(extension, head)
    if extension in MIMETYPE_FIRST:
        mimetype = b"mimetype" + media_type.encode()
        return not (head.startswith(ZIP) and head[30:].startswith(mimetype))
    if TEXT_TYPES.fullmatch(media_type):
        return not is_text(head) or head.startswith(PDF)
    if extension in MEDIA | PICTURES and head[4:8] == b"ftyp":
        return (extension in PICTURES) is not head[8:12].startswith(PICTURE_BRANDS)
    if extension in RIFF_FORMS and head.startswith(b"RIFF"):
        return head[8:12] != RIFF_FORMS[extension]
    return _has_other_signature(extension, media_type, head)


def is_text(head: bytes) -> bool:
    """Whether bytes could be text, in any encoding."""
    return head.startswith(BYTE_ORDER_MARKS) or CONTROL.search(head) is None


def _rule(rule: Mapping[str, object]) -> Rule:
    types, max_bytes = rule.get("types"), rule.get("maxBytes")
    return Rule(
        tuple(str(each) for each in types) if isinstance(types, list) else None,
        max_bytes if isinstance(max_bytes, int) else None,
    )


def _has_other_signature(extension: str, media_type: str, head: bytes) -> bool:
    """Whether bytes have another format's signature, or none although the extension has one."""
    found = _signatures(head)
    own = [
        each
        for each in found
        if each.extension == extension or (media_type and each.mime_type == media_type)
    ]
    text = is_text(head)
    if any(_is_strong(each) or not text for each in own):
        return False
    if not media_type or not _has_known_signature(extension):
        # A format of its own, which may well be made of a zip or of another container.
        return head.startswith(EXECUTABLES)
    return text or any(map(_is_strong, found)) or head.startswith(b"MZ")


def _is_strong(signature: Any) -> bool:
    return len(signature.byte_match) >= STRONG_SIGNATURE


def _signatures(head: bytes) -> list[Any]:
    import puremagic  # noqa: PLC0415 - it reads a table of signatures, which few requests need

    try:
        found: list[Any] = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return []
    return found


def _has_known_signature(extension: str) -> bool:
    import puremagic  # noqa: PLC0415

    tables = (puremagic.magic_header_array, puremagic.magic_footer_array)
    return any(row.extension == extension for table in tables for row in table)


def _is_office(extension: str, head: bytes) -> bool:
    """Whether a zip begins as an office document of that kind does.

    Its list of content types tells the kind. Where the list is not among the first bytes, the
    folders of its parts do; they do not tell macros, so no name with macros (.docm) passes then.
    """
    if not head.startswith(ZIP):
        return False
    folder, main_type = OFFICE[extension]
    parts = dict(_zip_parts(head))
    types = parts.get("[Content_Types].xml", b"").decode(errors="ignore")
    known = [each for _, each in OFFICE.values() if each in types]
    if known:
        return main_type in known
    relations = parts.get("_rels/.rels", b"").decode(errors="ignore")
    has_macros = main_type.startswith("ms-")
    inside = any(part.startswith(folder) for part in parts) or f'"{folder}' in relations
    return (inside or f'"/{folder}' in relations) and not has_macros


def _zip_parts(head: bytes) -> Iterator[tuple[str, bytes]]:
    """The parts of a zip that begin in its first bytes, as (name, data), the data perhaps cut."""
    for local in LOCAL_HEADER.finditer(head):
        method, size, named, extra = (int.from_bytes(each, "little") for each in local.groups())
        start = local.end() + named
        name = head[local.end() : start].decode(errors="ignore")
        data = head[start + extra :]
        if method == DEFLATED:
            try:
                data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, INFLATE_LIMIT)
            except zlib.error:
                data = b""
        yield name, data[:size] if method == STORED else data
