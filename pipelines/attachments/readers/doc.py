"""Text of a legacy Word file (.doc, and .wps of Kingsoft): an OLE file whose piece table says where its characters lie.

Source of the format: [MS-DOC] 2.4.1 (how to find the characters), 2.5 (FIB), 2.8.35 and 2.9.38 (piece table). Word 6 and 95
have the same idea with 8-bit text ([MS-DOC] does not cover them; their FIB keeps the piece table at 0x160).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Any

from pipelines.attachments.limits import ENCRYPTED, Limits, NotRead, damaged
from pipelines.attachments.readers import Text

_ENCRYPTED = 0x0100
_TABLE_1 = 0x0200
_WORD_97 = 0x00C1
_WORD_6 = 0x0065
# code pages by language of Word 6 and 95 texts
_CODEPAGES = {0x0804: "gb18030", 0x1004: "gb18030", 0x0404: "big5hkscs", 0x0C04: "big5hkscs", 0x0411: "cp932"}
# the parts of the text, in their order ([MS-DOC] 2.5.4 FibRgLw97); what an author would not count as text is left out
_PARTS = (("ccpText", 3), ("ccpFtn", 4), ("ccpHdd", 5), ("ccpAtn", 7), ("ccpEdn", 8), ("ccpTxbx", 9))
_WANTED = frozenset({"ccpText", "ccpFtn", "ccpEdn", "ccpTxbx"})
# page, section and column marks end a line; footnote and comment marks, pictures and drawn objects are no text
_MARKS = {
    11: "\n",
    12: "\n",
    13: "\n",
    14: "\n",
    30: "-",
    31: None,
    1: None,
    2: None,
    3: None,
    4: None,
    5: None,
    8: None,
}


def read_ole(ole: Any, limits: Limits) -> Text:
    """Main text, footnotes, endnotes and text boxes of an opened OLE file. Raises NotRead."""
    try:
        main = ole.openstream("WordDocument").read()
        if len(main) < 0x22:
            raise damaged("its head is cut off")
        flags = _short(main, 0x0A)
        if flags & _ENCRYPTED:
            raise NotRead(ENCRYPTED)
        version = _short(main, 2)
        if version < _WORD_97:
            return Text("\n".join(shown(_word_6(main, version))), "doc")
        names = ("1Table", "0Table") if flags & _TABLE_1 else ("0Table", "1Table")
        table = ole.openstream(next((n for n in names if ole.exists(n)), names[0])).read()
        return Text("\n".join(_word_97(main, table, limits)), "doc")
    except NotRead:
        raise
    except (OSError, struct.error, IndexError, ValueError, TypeError) as error:
        raise damaged("its piece table cannot be read") from error


def _word_97(main: bytes, table: bytes, limits: Limits) -> Iterator[str]:
    at = 32
    at += 2 + 2 * _short(main, at)  # FibRgW97
    words = at + 2
    at = words + 4 * _short(main, at)  # FibRgLw97
    clx_at, clx_size = struct.unpack_from("<II", main, at + 2 + 33 * 8)
    counts = {name: max(0, struct.unpack_from("<i", main, words + 4 * n)[0]) for name, n in _PARTS}
    text = _pieces(main, table[clx_at : clx_at + clx_size], limits)
    place = 0
    for name, _ in _PARTS:
        part = text[place : place + counts[name]]
        place += counts[name]
        if name in _WANTED and part.strip():
            yield from shown(part)


def _short(data: bytes, at: int) -> int:
    value: int = struct.unpack_from("<H", data, at)[0]
    return value


def _pieces(main: bytes, clx: bytes, limits: Limits) -> str:
    """All characters, piece by piece: UTF-16, or one byte each where bit 30 of the address says so."""
    at = 0
    while at < len(clx) and clx[at] == 1:  # formatting that fast saves leave behind
        at += 3 + _short(clx, at + 1)
    if at >= len(clx) or clx[at] != 2:
        raise damaged("it has no piece table")
    size = struct.unpack_from("<I", clx, at + 1)[0]
    plc = clx[at + 5 : at + 5 + size]
    count = (len(plc) - 4) // 12
    bounds = struct.unpack_from(f"<{count + 1}I", plc, 0)
    out: list[str] = []
    total = 0
    for n in range(count):
        address = struct.unpack_from("<I", plc, 4 * (count + 1) + 8 * n + 2)[0]
        length = bounds[n + 1] - bounds[n]
        total += length
        if length < 0 or total > limits.characters:
            raise damaged("its piece table names more characters than it can have")
        if address & 0x40000000:
            start = (address & 0x3FFFFFFF) // 2
            out.append(main[start : start + length].decode("cp1252", "replace"))
        else:
            out.append(main[address : address + 2 * length].decode("utf-16-le", "replace"))
    return "".join(out)


def _word_6(main: bytes, version: int) -> str:
    """8-bit text between the addresses of the head, in the code page of the document's language."""
    if version < _WORD_6:
        raise NotRead("a Word file from before 1993, which is not read")
    start, end = struct.unpack_from("<II", main, 0x18)
    codepage = _CODEPAGES.get(_short(main, 6), "cp1252")
    return main[start:end].decode(codepage, "replace")


def shown(text: str) -> Iterator[str]:
    """The lines that are seen: results of fields without their codes, table cells parted by tabs."""
    text = _without_codes(text)
    # a row ends with the mark of its last cell and one of its own
    text = text.replace("\r\x07", "\x07").replace("\x07\x07", "\n").replace("\x07", "\t")
    yield from text.translate(_MARKS).split("\n")


def _without_codes(text: str) -> str:
    """Fields are 0x13 code 0x14 result 0x15, and may stand inside each other; only results are shown."""
    if "\x13" not in text:
        return text
    out: list[str] = []
    states: list[bool] = []  # for each open field: whether its result has begun
    for token in re.split("([\x13\x14\x15])", text):
        if token == "\x13":
            states.append(False)
        elif token == "\x14" and states:
            states[-1] = True
        elif token == "\x15" and states:
            states.pop()
        elif all(states):
            out.append(token)
    return "".join(out)
