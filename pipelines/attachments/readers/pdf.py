"""Text of a PDF by PDFium: characters with their places, put into paragraphs. Pages that are only pictures go to the OCR."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from itertools import pairwise
from statistics import median
from typing import Any

import pypdfium2
import pypdfium2.raw as c

from pipelines.attachments import layout
from pipelines.attachments.limits import ENCRYPTED, Limits, NotRead, damaged
from pipelines.attachments.readers import Text

# fewer characters than this on an average page, beside pictures, is a scan with a stray stamp or page number
_LEAST_CHARACTERS = 12
# share of characters without meaning (private use, replacement) beyond which a text layer is worthless
_MOST_ODD = 0.3
_BLANK = " \u00a0\u3000\ufffe\0"
# gaps that are no blank, in characters, between two of which none, one, both are Chinese
_CLOSE = (0.0, 0.5, 0.35)
# the least gap between cells, and between further cells of the same row
_CELL, _NEAR_CELL = 1.8, 0.3
# letters set apart by this much, in characters, are set apart on purpose; less is justification, more are columns
_TRACKED = (0.08, 0.35)
# what is left of a gap between such letters when it is no blank
_UNTRACKED = 0.12
_ODD = re.compile("[\ue000-\uf8ff\ufffd\x00-\x08\x0e-\x1f]")


def read(body: bytes, options: dict[str, Any], limits: Limits) -> Text:
    """Text of at most `limits.pages` pages. Raises NotRead; "scanned" asks for another attempt with OCR."""
    document = open_document(body)
    count = len(document)
    if count == 0:
        raise damaged("it has no pages")
    if options.get("ocr"):
        from pipelines.attachments.readers import ocr

        return ocr.read_pdf(document, limits)
    pages: list[list[layout.Line]] = []
    pictures = characters = broken = 0
    for number in range(min(count, limits.pages)):
        try:
            page = document[number]
            pieces = _pieces(page)
        except pypdfium2.PdfiumError:
            broken += 1
            continue
        shown = layout.lines(pieces, ordered=True)
        seen = sum(len(line.text) for line in shown)
        characters += seen
        pictures += seen < _LEAST_CHARACTERS and _has_picture(page)
        pages.append(shown)
        page.close()
    if broken == min(count, limits.pages):
        raise damaged("none of its pages can be opened")
    text = layout.paragraphs(pages)
    if pictures and (characters < _LEAST_CHARACTERS * len(pages) or _is_garbage(text)):
        raise NotRead("scanned")
    return Text(text, "pdf", pages=count, note=_note(count, limits, broken, pictures))


def _note(count: int, limits: Limits, broken: int, pictures: int) -> str:
    if count > limits.pages:
        return f"only the first {limits.pages:,} of {count:,} pages were read"
    if broken:
        return f"{broken} of {count} pages are damaged"
    return f"{pictures} of {count} pages are pictures without text" if pictures else ""


def open_document(body: bytes) -> pypdfium2.PdfDocument:
    """A document; raises NotRead for passwords and damage."""
    try:
        return pypdfium2.PdfDocument(body)
    except pypdfium2.PdfiumError as error:
        if "assword" in str(error):
            raise NotRead(ENCRYPTED) from error
        if "ecurity" in str(error):
            raise NotRead(f"{ENCRYPTED} (by a method that is not known)") from error
        raise damaged("PDFium cannot open it") from error


def _is_garbage(text: str) -> bool:
    shown = re.sub(r"\s", "", text)
    return len(_ODD.findall(shown)) > _MOST_ODD * len(shown)


def _has_picture(page: Any) -> bool:
    """Whether an image is drawn on the page (looked for among the first hundred objects, forms entered once)."""
    handle = page.raw
    for n in range(min(100, c.FPDFPage_CountObjects(handle))):
        item = c.FPDFPage_GetObject(handle, n)
        kind = c.FPDFPageObj_GetType(item)
        if kind == c.FPDF_PAGEOBJ_IMAGE:
            return True
        if kind == c.FPDF_PAGEOBJ_FORM:
            for m in range(min(50, c.FPDFFormObj_CountObjects(item))):
                if c.FPDFPageObj_GetType(c.FPDFFormObj_GetObject(item, m)) == c.FPDF_PAGEOBJ_IMAGE:
                    return True
    return False


def _pieces(page: Any) -> list[layout.Piece]:
    """The rows that PDFium sees, each with its place; y is turned so that it grows downwards."""
    height = page.get_height()
    textpage = page.get_textpage()
    raw = textpage.raw
    text = _characters(textpage)
    pieces = []
    start = 0
    for end in [n for n, char in enumerate(text) if char in "\r\n"] + [len(text)]:
        first, last = start, end
        start = end + 1
        while first < last and text[first] in _BLANK:
            first += 1
        while last > first and text[last - 1] in _BLANK:
            last -= 1
        if first == last or _is_artifact(raw, first):
            continue
        left, right = _edges(raw, first)[0], _edges(raw, last - 1)[1]
        base, size = _base(raw, first)
        shown = "".join(_respaced(raw, text, first, last, size)).replace("\ufffe", "\u00ad")
        pieces.append(layout.Piece(left, height - base, max(0.0, right - left), size, shown))
    textpage.close()
    return pieces


def _respaced(raw: Any, text: list[str], first: int, last: int, size: float) -> Iterator[str]:
    """The characters of a row. Blanks that PDFium made of gaps are looked at again.

    Office programs set Chinese and digits a quarter of a character apart without writing a blank; the cells of a table
    stand further apart than any blank is wide, and where some do, all gaps of the row part cells.
    """
    gaps = {
        n: (_edges(raw, n + 1)[0] - _edges(raw, n - 1)[1]) / size
        for n in range(first + 1, last - 1)
        if text[n] == " " and c.FPDFText_IsGenerated(raw, n) == 1
    }
    tracking = _tracking(raw, text, first, last, size) if gaps else 0.0
    if tracking:
        gaps = {n: gap - tracking for n, gap in gaps.items()}
    in_table = any(gap > _CELL for gap in gaps.values())
    for n in range(first, last):
        if n not in gaps:
            yield text[n]
        elif gaps[n] > (_NEAR_CELL if in_table else _CELL):
            yield "\t"
        elif gaps[n] >= max(_CLOSE[layout.is_cjk(text[n - 1]) + layout.is_cjk(text[n + 1])], tracking and _UNTRACKED):
            yield " "


def _tracking(raw: Any, text: list[str], first: int, last: int, size: float) -> float:
    """How far the letters of a row are set apart, in characters; PDFium takes each such gap between digits for a blank."""
    shown = [n for n in range(first, last) if text[n] not in _BLANK][:200]
    edges = [_edges(raw, n) for n in shown]
    gaps = [(right[0] - left[1]) / size for left, right in pairwise(edges)]
    middle = median(gaps) if len(gaps) > 2 else 0.0
    return middle if _TRACKED[0] < middle < _TRACKED[1] else 0.0


def _is_artifact(raw: Any, index: int) -> bool:
    """Whether a tagged PDF itself says that these characters are page furniture (ISO 32000-1, 14.8.2.2)."""
    item = c.FPDFText_GetTextObject(raw, index)
    if not item:
        return False
    for n in range(min(8, max(0, c.FPDFPageObj_CountMarks(item)))):
        name = (ctypes.c_ushort * 16)()
        size = ctypes.c_ulong()
        if (
            c.FPDFPageObjMark_GetName(c.FPDFPageObj_GetMark(item, n), name, 32, size)
            and bytes(name).decode("utf-16-le", "replace").rstrip("\0") == "Artifact"
        ):
            return True
    return False


def _characters(textpage: Any) -> list[str]:
    """One string per character index of PDFium; in most documents its text has exactly one character each."""
    count = textpage.count_chars()
    text = textpage.get_text_range(0, count) if count else ""
    if len(text) == count:
        return list(text)
    units = [c.FPDFText_GetUnicode(textpage.raw, n) for n in range(count)]
    out = [chr(u) if u and u < 0x110000 and not 0xD800 <= u < 0xE000 else "" for u in units]
    for n in range(count - 1):
        if 0xD800 <= units[n] < 0xDC00 <= units[n + 1] < 0xE000:
            out[n] = chr(0x10000 + ((units[n] - 0xD800) << 10) + units[n + 1] - 0xDC00)
    return out


def _edges(raw: Any, index: int) -> tuple[float, float]:
    """Left and right edge of a character, with the room that its font gives it."""
    box = c.FS_RECTF()
    if not c.FPDFText_GetLooseCharBox(raw, index, box):
        return 0.0, 0.0
    return box.left, box.right


def _base(raw: Any, index: int) -> tuple[float, float]:
    """Base line and size of a character; the size includes the scaling of the page's matrix."""
    x, y = ctypes.c_double(), ctypes.c_double()
    c.FPDFText_GetCharOrigin(raw, index, x, y)
    size = c.FPDFText_GetFontSize(raw, index)
    matrix = c.FS_MATRIX()
    if c.FPDFText_GetMatrix(raw, index, matrix):
        size *= (matrix.c**2 + matrix.d**2) ** 0.5 or 1.0
    return y.value, size or 1.0
