"""Readers of one kind of file each: `read(body, limits) -> Text`. They run in the confined child only, never elsewhere."""

from __future__ import annotations

import contextlib
import encodings
import pkgutil
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pipelines.attachments.limits import Limits, NotRead
from pipelines.attachments.tidy import tidy

# kind -> module of this package that reads it
READERS = {
    "pdf": "pdf",
    "docx": "docx",
    "ofd": "ofd",
    **dict.fromkeys(("doc", "xls", "ole", "encrypted", "ppt"), "ole"),
    "rtf": "rtf",
    **dict.fromkeys(("html", "mhtml", "wordxml"), "markup"),
    **dict.fromkeys(("xlsx", "csv"), "sheets"),
    **dict.fromkeys(("pptx", "odf"), "slides"),
    "text": "plain",
    "zip": "bundle",
    "image": "ocr",
}
REFUSED = {
    "rar": "RAR archives cannot be read, ask for a ZIP",
    "7z": "7z archives cannot be read, ask for a ZIP",
    "gzip": "a gzip file, which is not read",
    "empty": "the file is empty",
    "unknown": "of an unknown kind",
}
# slow to import (0.2 s) and not needed for most files: imported by the warden when the first such file comes
_HEAVY = {
    "xlsx": ("openpyxl", "openpyxl.reader.excel"),
    "zip": ("openpyxl", "openpyxl.reader.excel", "xlrd"),
    **dict.fromkeys(("xls", "doc", "ole"), ("xlrd",)),
}
# what the standard library imports only when it is called
_ALWAYS = ("heapq", "bisect", "email.charset", "email.base64mime", "email.quoprimime", "quopri", "uu", "stringprep")
# Windows only, or not text
_NO_CODECS = frozenset({"mbcs", "oem", "aliases", "bz2_codec", "zlib_codec", "uu_codec", "idna", "punycode"})


@dataclass(slots=True)
class Text:
    """What a reader gives. `note` says what was left out."""

    text: str
    reader: str
    pages: int | None = None
    confidence: float | None = None
    note: str = ""


def preload(kind: str) -> None:
    """Import what a kind needs while files can still be opened; the forked children inherit it. "" is what all need."""
    if kind:
        for name in _HEAVY.get(kind, ()):
            import_module(name)
        return
    for name in (*_ALWAYS, *(f"pipelines.attachments.readers.{m}" for m in sorted(set(READERS.values())))):
        with contextlib.suppress(ImportError):  # uu is gone in Python 3.13
            import_module(name)
    # a declared charset may be any; one that cannot be imported any more would look like damage
    for module in pkgutil.iter_modules(encodings.__path__):
        if module.name not in _NO_CODECS:
            import_module(f"encodings.{module.name}")


def read(kind: str, body: bytes, options: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """The answer of the child as plain values: text, reader … or `error`."""
    try:
        found = read_kind(kind, body, options, limits)
        text = tidy(found.text)
        if not text:
            raise NotRead("there is no text in it")
    except NotRead as error:
        return {"error": str(error)}
    note = found.note
    if len(text) > limits.characters:
        text, note = text[: limits.characters], f"only its first {limits.characters:,} characters were read"
    return {"text": text, "reader": found.reader, "pages": found.pages, "confidence": found.confidence, "note": note}


def read_kind(kind: str, body: bytes, options: dict[str, Any], limits: Limits) -> Text:
    """Call the reader of a kind. Raises NotRead."""
    if kind in REFUSED or kind not in READERS:
        raise NotRead(REFUSED.get(kind, f"files of the kind {kind} are not read"))
    module = import_module(f"pipelines.attachments.readers.{READERS[kind]}")
    found: Text = module.read(body, options, limits)
    return found
