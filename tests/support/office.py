"""The first bytes of files of many types, as common programs write them."""

import io
import zipfile

TYPES = "[Content_Types].xml"
OOXML = {
    ".docx": ("word/document.xml", "wordprocessingml.document.main+xml"),
    ".xlsx": ("xl/workbook.xml", "spreadsheetml.sheet.main+xml"),
    ".pptx": ("ppt/presentation.xml", "presentationml.presentation.main+xml"),
    ".docm": ("word/document.xml", "ms-word.document.macroEnabled.main+xml"),
    ".pptm": ("ppt/presentation.xml", "ms-powerpoint.presentation.macroEnabled.main+xml"),
}
ODF = {
    ".odt": "application/vnd.oasis.opendocument.text",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".epub": "application/epub+zip",
}
PLAIN = {
    ".pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\n",
    ".png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0",
    ".jpg": b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0",
    ".gif": b"GIF89a\x01\0\x01\0\x80\0\0",
    ".webp": b"RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0",
    ".heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    ".mp4": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
    ".mov": b"\0\0\0\x14ftypqt  \0\0\0\0qt  ",
    ".mp3": b"ID3\x04\0\0\0\0\0\x23TSSE\0\0\0",
    ".wav": b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0",
    ".gz": b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    ".doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
    ".xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
    ".ppt": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
    ".exe": b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0\xb8" + bytes(111) + b"PE\0\0",
    ".txt": "Grüße an alle.\n".encode(),
    ".csv": b"name;size\nM\xfcller;3\n",
    ".md": b"# BM is how this begins\n",
    ".json": b'{"a": [1, 2]}',
    ".svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
    ".html": b"<!doctype html><p>Hello.",
}


def zipped(*parts: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of parts in that order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in parts:
            archive.writestr(name, data)
    return out.getvalue()


def office(extension: str, *, last: bool = False) -> bytes:
    """An office document; the list of its types comes `last`, as LibreOffice writes it."""
    if extension in ODF:
        return zipped(("mimetype", ODF[extension].encode()), method=zipfile.ZIP_STORED)
    part, main = OOXML[extension]
    kind = "application/vnd." + ("" if main.startswith("ms-") else "openxmlformats-officedocument.")
    types = f'<Types><Override PartName="/{part}" ContentType="{kind}{main}"/></Types>'
    relations = ("_rels/.rels", f'<Relationship Target="{part}"/>'.encode())
    content = (part, b"<x/>" * 5000)
    listed = (TYPES, types.encode())
    return zipped(relations, content, listed) if last else zipped(listed, relations, content)


SAMPLES = {**PLAIN, **{each: office(each) for each in (*OOXML, *ODF)}}
