"""Makes text of any reader look alike: one paragraph a line, no control characters, blanks squeezed, composed (NFC)."""

from __future__ import annotations

import re
import unicodedata

_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")
_ZERO_WIDTH = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad\ufff9-\ufffb]")
_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANKS = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
# Kangxi and CJK radicals that fonts' maps give instead of the characters themselves (⼀ for 一)
_RADICALS = re.compile("[\u2e80-\u2fdf]")


def tidy(text: str) -> str:
    """Lines without leading, trailing and repeated blanks, empty ones dropped; tabs part the cells of a table."""
    text = _ZERO_WIDTH.sub("", _CONTROL.sub("", _BREAKS.sub("\n", text)))
    text = _RADICALS.sub(_radical, _BLANKS.sub(" ", text))
    lines = (_cells(line) if "\t" in line else line.strip() for line in text.split("\n"))
    joined = "\n".join(line for line in lines if line)
    return joined if joined.isascii() else unicodedata.normalize("NFC", joined)


def _cells(line: str) -> str:
    cells = (cell.strip() for cell in line.split("\t"))
    return "\t".join(cell for cell in cells if cell)


def _radical(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFKC", match.group())
