"""Whether the first bytes of a file contradict its name.

Signatures are puremagic's; what office documents are is in the directory of their zip. What has no
signature and is not text is taken at its word: nobody knows all formats.
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

HEAD = 8192  # bytes of a file that are looked at
INFLATED = 256 * 1024
ZIP, OLE, PDF = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF-"
LOCAL = re.compile(re.escape(ZIP) + rb".{4}(.{2}).{8}(.{4}).{4}(.{2})(.{2})", re.DOTALL)
STORED, DEFLATED = 0, 8
STRONG = 3  # bytes of a signature that hardly a file has by chance
# By the folder that the parts of an office document are in, and the type of its main part.
MAIN = {
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
# These say what they are in their first part, which is not packed.
NAMED = {".odt", ".ods", ".odp", ".odg", ".epub"}
# One container, whose brands are of pictures or of sound and moving pictures.
BRANDED = {".mp4", ".m4v", ".m4a", ".mov", ".3gp", ".3g2", ".f4v", ".qt"}
PICTURES = {".heic", ".heif", ".avif"}
PICTURE_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis")
FORMS = {".wav": b"WAVE", ".webp": b"WEBP", ".avi": b"AVI "}
TEXTUAL = re.compile(r"text/.*|application/(json|xml|yaml|javascript|x-sh|sql)|.*\+(xml|json)")
MARKS = (b"\xff\xfe", b"\xfe\xff")  # of UTF-16 and UTF-32
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def contradicts(name: str, head: bytes) -> bool:
    """Whether the first bytes of a file are not what its name says; `head` has HEAD or all."""
    extension, kind = extension_of(name), suggested_type(name) or ""
    if extension in MAIN:
        return not _is_office(extension, head)
    if extension in NAMED:
        return not (head.startswith(ZIP) and head[30:].startswith(b"mimetype" + kind.encode()))
    if TEXTUAL.fullmatch(kind):
        return not is_text(head) or head.startswith(PDF)
    if extension in BRANDED | PICTURES and head[4:8] == b"ftyp":
        return (extension in PICTURES) is not head[8:12].startswith(PICTURE_BRANDS)
    if extension in FORMS and head.startswith(b"RIFF"):
        return head[8:12] != FORMS[extension]
    return _unlike(extension, kind, head)


def is_text(head: bytes) -> bool:
    """Whether bytes could be text, in any encoding."""
    return head.startswith(MARKS) or CONTROL.search(head) is None


def _unlike(extension: str, kind: str, head: bytes) -> bool:
    """Whether bytes have another signature than their extension, or none where it has one."""
    found = _signatures(head)
    own = [
        each for each in found if each.extension == extension or (kind and each.mime_type == kind)
    ]
    text = is_text(head)
    if any(len(each.byte_match) >= STRONG or not text for each in own):
        return False
    if not kind or not _is_known(extension):
        # A format of its own, which may well be made of a zip or of another container.
        return head.startswith((b"MZ", b"\x7fELF"))
    return text or any(len(each.byte_match) >= STRONG for each in found) or head[:2] == b"MZ"


def _signatures(head: bytes) -> list[Any]:
    import puremagic  # noqa: PLC0415 - it reads a table of signatures, which few need

    try:
        found: list[Any] = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return []
    return found


def _is_known(extension: str) -> bool:
    import puremagic  # noqa: PLC0415

    tables = (puremagic.magic_header_array, puremagic.magic_footer_array)
    return any(row.extension == extension for table in tables for row in table)


def _is_office(extension: str, head: bytes) -> bool:
    """Whether a zip begins as an office document of that kind does.

    What kind it is says its list of types; where that comes last, the folders of its parts.
    """
    if not head.startswith(ZIP):
        return False
    folder, main = MAIN[extension]
    parts = dict(_parts(head))
    types = parts.get("[Content_Types].xml", b"").decode(errors="ignore")
    known = [each for _, each in MAIN.values() if each in types]
    if known:
        return main in known
    relations = parts.get("_rels/.rels", b"").decode(errors="ignore")
    macros = main.startswith("ms-")
    inside = any(part.startswith(folder) for part in parts) or f'"{folder}' in relations
    return (inside or f'"/{folder}' in relations) and not macros


def _parts(head: bytes) -> Iterator[tuple[str, bytes]]:
    """The parts of a zip that begin in its first bytes, as far as those go."""
    for local in LOCAL.finditer(head):
        method, size, named, extra = (int.from_bytes(each, "little") for each in local.groups())
        start = local.end() + named
        name = head[local.end() : start].decode(errors="ignore")
        data = head[start + extra :]
        if method == DEFLATED:
            try:
                data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, INFLATED)
            except zlib.error:
                data = b""
        yield name, data[:size] if method == STORED else data


@dataclass(frozen=True)
class Rule:
    """What one role may upload; None is no limit."""

    types: Sequence[str] | None = None
    most: int | None = None


class UploadRules:
    """Judges uploads; a role without a rule may upload everything."""

    def __init__(self, base: Base) -> None:
        self._bucket = base.bucket
        read: Mapping[str, Mapping[str, object]] = json.loads(base.settings.upload_rules)
        self._rules = {role: _rule(said) for role, said in read.items()}

    def of(self, role: str) -> Rule:
        """What a role may upload."""
        return self._rules.get(role, Rule())

    def judge(self, role: str, name: str, size: int | None, head: bytes | None = None) -> None:
        """Whether a role may upload such a file; `head` are its first bytes, once they are there.

        Raises TooLarge, TypeNotAllowed.
        """
        rule = self.of(role)
        if rule.most is not None and size is not None and size > rule.most:
            raise TooLarge(f"Your role uploads files of at most {rule.most} bytes.")
        if rule.types is None:
            return
        if not extension_of(name) or not is_allowed(rule.types, name):
            raise TypeNotAllowed(f"Your role uploads only {', '.join(rule.types)}.")
        if head is not None and contradicts(name, head):
            raise TypeNotAllowed("What is in the file is not what its name says.")

    def judge_name(self, role: str, row: FileRow, name: str) -> None:
        """Whether a role may give a file another name: judged is one of another type.

        Its bytes are read only where types matter, and the name has one that is allowed.

        Raises TypeNotAllowed.
        """
        types, old = self.of(role).types, row.file_name or row.name
        if types is None or (
            extension_of(name) == extension_of(old)
            and is_allowed(types, name) is is_allowed(types, old)
        ):
            return
        self.judge(role, name, None)
        stored = Stored(row.object, row.size, row.etag, row.sha256)
        self.judge(role, name, None, self.head(role, stored))

    def head(self, role: str, stored: Stored) -> bytes | None:
        """The first bytes of what is in S3; None where a role may upload any type."""
        if self.of(role).types is None:
            return None
        last = min(stored.size, HEAD) - 1
        return self._bucket.get(stored.object, (0, last)) if stored.size else b""


def _rule(said: Mapping[str, object]) -> Rule:
    types, most = said.get("types"), said.get("maxBytes")
    kinds = tuple(str(each) for each in types) if isinstance(types, list) else None
    return Rule(kinds, most if isinstance(most, int) else None)
