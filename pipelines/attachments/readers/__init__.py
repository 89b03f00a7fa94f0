"""Readers of one kind of file each: `read(body, limits) -> Text`. They run in the confined child only, never elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pipelines.attachments.limits import Limits, NotRead
from pipelines.attachments.tidy import tidy

# kind -> module of this package that reads it
READERS = {"pdf": "pdf", "docx": "docx", "ofd": "ofd"}
REFUSED = {
    "rar": "RAR archives cannot be read, ask for a ZIP",
    "7z": "7z archives cannot be read, ask for a ZIP",
    "gzip": "a gzip file, which is not read",
    "ppt": "the old PowerPoint format (.ppt) is not read",
    "ole": "an OLE file of an unknown program",
    "encrypted": "encrypted",
    "empty": "the file is empty",
    "unknown": "of an unknown kind",
}
_HEAVY = {"pdf": ("pypdfium2",), "xlsx": ("openpyxl",), "xls": ("xlrd",)}
_ALWAYS = ("encodings.gb18030", "encodings.utf_16", "encodings.utf_16_le", "encodings.utf_16_be", "encodings.cp1252")


@dataclass(slots=True)
class Text:
    """What a reader gives. `note` says what was left out."""

    text: str
    reader: str
    pages: int | None = None
    confidence: float | None = None
    note: str = ""


def preload(kind: str) -> None:
    """Import what a kind needs while files can still be opened; the forked children inherit it."""
    for name in (*_HEAVY.get(kind, ()), *(() if kind else _ALWAYS)):
        import_module(name)
    for module in [READERS[kind]] if kind in READERS else [] if kind else sorted(set(READERS.values())):
        import_module(f"pipelines.attachments.readers.{module}")


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
