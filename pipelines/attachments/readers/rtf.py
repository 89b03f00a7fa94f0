"""Text of an RTF file (many .doc are such): groups, code pages of fonts, Unicode escapes; nothing of it is run or loaded.

Source of the format: Rich Text Format Specification 1.9.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pipelines.attachments.limits import Limits, damaged
from pipelines.attachments.readers import Text

_TOKEN = re.compile(
    rb"\\'([0-9a-fA-F]{2})|\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\([^a-zA-Z])|([{}])|[\r\n]+|([^\\{}\r\n]+)", re.S
)
# destinations whose text is not the document's
_SKIP = frozenset(
    [
        "fonttbl",
        "colortbl",
        "stylesheet",
        "info",
        "pict",
        "object",
        "objdata",
        "fldinst",
        "header",
        "headerl",
        "headerr",
        "headerf",
        "footer",
        "footerl",
        "footerr",
        "footerf",
        "themedata",
        "datastore",
        "colorschememapping",
        "latentstyles",
        "listtable",
        "listoverridetable",
        "rsidtbl",
        "generator",
        "xmlnstbl",
        "filetbl",
        "revtbl",
        "annotation",
        "atnid",
        "atnauthor",
        "atndate",
        "bkmkstart",
        "bkmkend",
        "pntext",
        "pntxta",
        "pntxtb",
        "pn",
        "shpinst",
        "sp",
        "sn",
        "sv",
        "nonshppict",
        "template",
        "userprops",
        "mmathPr",
        "xmlopen",
        "xmlclose",
        "upr",
        "ftnsep",
        "ftnsepc",
        "aftnsep",
        "aftnsepc",
    ]
)
_BREAKS = {
    **dict.fromkeys(("par", "line", "sect", "page", "column", "softpage", "row", "nestrow"), "\n"),
    **dict.fromkeys(("cell", "nestcell", "tab"), "\t"),
    **dict.fromkeys(("emspace", "enspace", "qmspace"), " "),
    "emdash": "—",
    "endash": "–",
    "bullet": "•",
    "lquote": "‘",
    "rquote": "’",
    "ldblquote": "“",
    "rdblquote": "”",
}
# \fcharset -> code page (RTF 1.9.1, font table)
_CHARSETS = {0: 1252, 77: 10000, 128: 932, 129: 949, 134: 936, 136: 950, 161: 1253, 162: 1254, 204: 1251, 238: 1250}
_NAMES = {936: "gb18030", 950: "big5hkscs", 65001: "utf-8", 10000: "mac_roman"}
_DEPTH = 2000


@dataclass(slots=True)
class _State:
    skip: bool = False
    note: bool = False
    hidden: bool = False
    unicode_skip: int = 1
    font: int = -1


def read(body: bytes, options: dict[str, object], limits: Limits) -> Text:
    """The document's text, then its footnotes. Raises NotRead."""
    reader = _Reader(body)
    reader.run()
    if reader.damaged_depth:
        raise damaged("its groups are nested too deeply")
    return Text("".join([*reader.out, "\n", *reader.notes]), "rtf")


class _Reader:
    """One pass over the tokens with a stack of group states."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.out: list[str] = []
        self.notes: list[str] = []
        self.pending = bytearray()
        self.codepage = 1252
        self.fonts: dict[int, int] = {}
        self.default_font = -1
        self.state = _State()
        self.stack: list[_State] = []
        self.in_fonts = 0
        self.star = False
        self.to_skip = 0
        self.damaged_depth = False

    def run(self) -> None:
        """Read to the end; what is cut off is read as far as it goes."""
        at = 0
        while at < len(self.body):
            found = _TOKEN.match(self.body, at)
            if found is None:
                at += 1
                continue
            at = found.end()
            code, word, number, symbol, brace, plain = found.groups()
            if word is not None:
                at += self._word(word.decode(), int(number) if number else None)
            elif code is not None:
                self._bytes(bytes([int(code, 16)]))
            elif plain is not None:
                self._bytes(plain)
            elif brace is not None:
                self._brace(brace)
                if self.damaged_depth:
                    return
            elif symbol is not None:
                self._symbol(symbol)
        self._flush()

    def _brace(self, brace: bytes) -> None:
        self._flush()
        self.to_skip = 0
        if brace == b"{":
            if len(self.stack) >= _DEPTH:
                self.damaged_depth = True
                return
            self.stack.append(replace(self.state))
        elif self.stack:
            self.state = self.stack.pop()
            if self.in_fonts > len(self.stack):
                self.in_fonts = 0
        self.star = False

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self.star = True
        elif symbol in (b"\\", b"{", b"}"):
            self._bytes(symbol)
        elif symbol == b"~":
            self._text(" ")
        elif symbol == b"_":
            self._text("-")
        elif symbol in (b"\n", b"\r"):
            self._text("\n")

    def _word(self, word: str, number: int | None) -> int:
        """Deal with a control word; returns how many bytes behind it are to be passed over."""
        if word == "u" and number is not None:
            self._unicode(number)
            return 0
        if word == "bin":
            return max(0, number or 0)
        if word in _BREAKS:
            self._text(_BREAKS[word])
        elif word == "fonttbl":
            self.in_fonts = len(self.stack)
            self.state.skip = True
        elif word in _SKIP or (self.star and word not in ("shppict", "footnote", "shptxt")):
            self.state.skip = True
        elif word == "ansicpg" and number:
            self.codepage = number
        elif word == "uc":
            self.state.unicode_skip = max(0, min(8, number or 0))
        else:
            self._style(word, number)
        self.star = False
        return 0

    def _style(self, word: str, number: int | None) -> None:
        if word in ("f", "af") and number is not None:
            if word == "f" and number != self.state.font:
                self._flush()
                self.state.font = number
        elif word == "deff":
            self.default_font = number or 0
        elif word == "fcharset" and self.in_fonts and number is not None:
            self.fonts[self.state.font] = _CHARSETS.get(number, 0)
        elif word in ("v", "deleted"):
            self._flush()
            self.state.hidden = number != 0
        elif word == "plain":
            self._flush()
            self.state.hidden, self.state.font = False, self.default_font
        elif word == "footnote":
            self._flush()
            self.state.note = True
            self.notes.append("\n")

    def _unicode(self, number: int) -> None:
        self._text(chr(number % 0x10000))
        self.to_skip = self.state.unicode_skip

    def _bytes(self, data: bytes) -> None:
        if self.to_skip:
            skipped = min(self.to_skip, len(data))
            self.to_skip -= skipped
            data = data[skipped:]
        if data and not self.state.skip and not self.state.hidden:
            self.pending += data

    def _text(self, text: str) -> None:
        self._flush()
        self.to_skip = 0
        if not self.state.skip and not self.state.hidden:
            self._put(text)

    def _put(self, text: str) -> None:
        (self.notes if self.state.note else self.out).append(text)

    def _flush(self) -> None:
        if not self.pending:
            return
        page = self.fonts.get(self.state.font, 0) or self.codepage
        # Western fonts are named for Chinese text too: what is Chinese by the document stays so
        data = bytes(self.pending)
        if page == 1252 and self.codepage in (936, 950):
            page = self.codepage
        try:
            self._put(data.decode(_NAMES.get(page, f"cp{page}"), "replace"))
        except LookupError:
            self._put(data.decode("cp1252", "replace"))
        self.pending.clear()
