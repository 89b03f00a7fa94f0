"""Says what a file is by its first bytes and its inner directory, never by its name: names and media types of attachments lie."""

from __future__ import annotations

import io
import re
import zipfile

PDF = "application/pdf"
OFD = "application/ofd"
DOC = "application/msword"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLS = "application/vnd.ms-excel"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPT = "application/vnd.ms-powerpoint"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"

# kind -> media type, as it is stored
MEDIA_TYPES = {
    "pdf": PDF,
    "ofd": OFD,
    "doc": DOC,
    "docx": DOCX,
    "xls": XLS,
    "xlsx": XLSX,
    "ppt": PPT,
    "pptx": PPTX,
    "odf": "application/vnd.oasis.opendocument",
    "rtf": "application/rtf",
    "html": "text/html",
    "mhtml": "multipart/related",
    "wordxml": "application/xml",
    "text": "text/plain",
    "csv": "text/csv",
    "zip": "application/zip",
    "rar": "application/vnd.rar",
    "7z": "application/x-7z-compressed",
    "gzip": "application/gzip",
    "image": "image/*",
    "ole": "application/x-ole-storage",
    "encrypted": "application/x-ole-storage",
    "empty": "",
    "unknown": "application/octet-stream",
}
_IMAGES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"II*\0": "image/tiff",
    b"MM\0*": "image/tiff",
}
_HTML = re.compile(rb"<\s*(?:!doctype\s+html|html|head|body|meta|table|div|p|font|style|span)\b", re.I)
_OFFICE_XML = re.compile(rb"<\?mso-application|schemas\.microsoft\.com/office/word/2003|<w:wordDocument|<pkg:package")


def kind_of(body: bytes, name: str = "") -> str:
    """One of the keys of MEDIA_TYPES. `name` is asked only for what bytes cannot tell (comma separated or plain text)."""
    head = body[:1024]
    if not body.strip(b"\0 \r\n\t"):
        return "empty"
    if head[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return _ole(body)
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"):
        return _package(body)
    # readers accept a PDF whose head comes within the first 1,024 bytes (ISO 32000-1, annex H.3.4.1)
    if b"%PDF-" in head:
        return "pdf"
    simple = {b"Rar!": "rar", b"7z\xbc\xaf": "7z", b"\x1f\x8b\x08": "gzip", b"{\\rt": "rtf"}
    for magic, kind in simple.items():
        if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(magic):
            return kind
    if any(head.startswith(magic) for magic in _IMAGES):
        return "image"
    return _textual(body, name)


def media_type(kind: str, body: bytes) -> str:
    """The media type to store for a kind."""
    if kind == "image":
        return next((kind for magic, kind in _IMAGES.items() if body.startswith(magic)), "image/*")
    return MEDIA_TYPES.get(kind, MEDIA_TYPES["unknown"])


def _ole(body: bytes) -> str:
    """Names of streams stand in the directory as UTF-16; which one is there says what wrote the file."""

    def has(name: str) -> bool:
        return name.encode("utf-16-le") in body

    if has("EncryptedPackage"):
        return "encrypted"
    if has("WordDocument"):
        return "doc"
    if has("Workbook\0") or has("Book\0"):
        return "xls"
    if has("PowerPoint Document"):
        return "ppt"
    return "ole"


def _package(body: bytes) -> str:
    """Which kind of zip: by names in its directory; the names may also stand in a directory that is cut off."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as package:
            names = {n.replace("\\", "/").lstrip("/").lower() for n in package.namelist()[:5000]}
    except Exception:  # a damaged directory; the reader will say so
        names = {
            n.decode("latin-1").lower() for n in re.findall(rb"PK\x03\x04.{26}([ -~]{3,60}?\.(?:xml|rels))", body, re.S)
        }
    if "ofd.xml" in names:
        return "ofd"
    if "word/document.xml" in names or any(n.startswith("word/document") for n in names):
        return "docx"
    if "xl/workbook.xml" in names or "xl/workbook.bin" in names:
        return "xlsx"
    if "ppt/presentation.xml" in names:
        return "pptx"
    if "content.xml" in names and ("meta-inf/manifest.xml" in names or "mimetype" in names):
        return "odf"
    return "zip"


def _textual(body: bytes, name: str) -> str:
    sample = body[:4096]
    if re.match(rb"(?:\xef\xbb\xbf)?\s*(?:From .*\r?\n)?(?:[\w-]+:[^\n]*\n[ \t\w]*){0,8}?MIME-Version:", sample, re.I):
        return "mhtml"
    if sample[:2] in (b"\xff\xfe", b"\xfe\xff"):
        sample = sample.decode("utf-16", "replace").encode("utf-8", "replace")
    start = sample.lstrip(b"\xef\xbb\xbf \r\n\t")
    if start.startswith(b"<"):
        if _OFFICE_XML.search(sample):
            return "wordxml"
        if _HTML.search(sample) or start.startswith(b"<!--"):
            return "html"
    odd = sum(c < 9 or 13 < c < 27 or 27 < c < 32 or c == 127 for c in sample)
    if odd * 50 > len(sample):
        return "unknown"
    return "csv" if name.lower().endswith((".csv", ".tsv")) else "text"
