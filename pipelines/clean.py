"""Turns the markup of a body into the text that people read: one paragraph a line, one table row a line, nothing added.

Left out are what a reader of the printed page does not see (hidden elements, scripts, pronunciation marks) and what is not
the document's: captions of pictures, editors' lines, share and print buttons, promotion, copyright notices. The words that
stay are the words of the page; only white space, zero-width characters and Unicode composition (NFC) are changed.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from bs4 import BeautifulSoup
from bs4.element import CData, Comment, NavigableString, PreformattedString, Tag

from db.documents import Document
from pipelines import furniture
from pipelines.extract import tree

_BLOCK_NAMES = (
    "p div section article header footer main aside nav h1 h2 h3 h4 h5 h6 ul ol li dl dt dd table tbody thead tfoot tr td th "
    "caption blockquote pre center figure figcaption form fieldset address hr details summary option"
)
_SKIP_NAMES = (
    "script style noscript template iframe object embed svg math canvas audio video button select textarea input head title "
    "meta link rt rp map area"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_SKIP = frozenset(_SKIP_NAMES.split())
_ZERO_WIDTH = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad\ufff9-\ufffb]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BLANKS = re.compile(r"[ \t\r\n\f\v\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
_CJK = "\u2e80-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef"
_SOURCE_BREAK = re.compile(rf"(?<=[{_CJK}])[ \t]*[\r\n]\s*(?=[{_CJK}])")
# the longest headlines have some 200 characters; what is longer than this is a text in the wrong place
LONGEST = {"title": 1000, "author": 300, "outlet": 300}
# a cell longer than this, beside at most one other, is layout and not data
_LAYOUT_CELL = 300


def stage(document: Document, context: Any) -> Document:
    """Make `document.text` of the markup that `pipelines.extract` left in `context.scratch["body"]`."""
    for field, most in LONGEST.items():
        value = line(getattr(document, field))
        if len(value) > most:
            document.remarks.append(
                f"the {field} on the page has {len(value)} characters: only the first {most} were kept"
            )
        setattr(document, field, value[:most].rstrip())
    document.text = to_text(context.scratch.get("body", ""), title=document.title)
    strip = context.source.article.text_strip if context.source is not None else ()
    if strip:
        document.text = _strip_lines(document.text, strip)
    document.body_is_stub = is_stub(document)
    return document


def _strip_lines(text: str, patterns: tuple[str, ...]) -> str:
    """The source's own promotional lines cut out, line by line."""
    lines = text.split("\n")
    for pattern in patterns:
        lines = [re.sub(pattern, "", entry).strip() for entry in lines]
    return "\n".join(entry for entry in lines if entry)


def line(text: str) -> str:
    """One line: composed (NFC), without zero-width and control characters, white space squeezed to single blanks."""
    text = _CONTROL.sub("", _ZERO_WIDTH.sub("", text))
    text = _BLANKS.sub(" ", _SOURCE_BREAK.sub("", text)).strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def to_text(markup: str, *, title: str = "") -> str:
    """Plain text of a fragment of HTML. Hidden text is kept only where nothing else would be left."""
    if not markup.strip():
        return ""
    soup = BeautifulSoup(tree.mend(markup), "lxml")
    _drop_furniture(soup)
    lines = _Renderer(keep_hidden=False).run(soup)
    if not lines:
        lines = _Renderer(keep_hidden=True).run(soup)
    return "\n".join(furniture.keep_lines(lines, title))


def is_stub(document: Document) -> bool:
    """Whether the page only announces a text that stands in an attachment: short, and pointing elsewhere."""
    length = len(re.sub(r"\s+", "", document.text))
    if length < 20:
        return True
    if not document.attachments or length > 400:
        return False
    return length < 30 or bool(
        re.search(r"(?:[见如]|另附)附件|附后|印发|予以?公布|予公告|全文|attach|annex|full text", document.text, re.I)
    )


def _drop_furniture(soup: BeautifulSoup) -> None:
    """Remove boxes of buttons, promotion and related links, as long as they are a small part of the whole."""
    total = 0
    for tag in soup.find_all(furniture.is_box):
        if tag.decomposed:
            continue
        total = total or len(soup.get_text())
        if len(tag.get_text()) < 0.3 * total:
            tag.decompose()


def _is_hidden(tag: Tag) -> bool:
    attrs = tag.attrs
    return bool(attrs) and ("hidden" in attrs or ("style" in attrs and furniture.hides(str(attrs["style"]))))


class _Renderer:
    """Walks the tree once, without recursion (broken pages nest thousands deep), and collects lines."""

    def __init__(self, *, keep_hidden: bool) -> None:
        self.keep_hidden = keep_hidden
        self.lines: list[furniture.Line] = []
        self.parts: list[str] = []
        self.after_image = False
        self.caption = False

    def run(self, soup: BeautifulSoup) -> list[furniture.Line]:
        root: Tag = soup.body or soup
        children = [c for c in root.children if isinstance(c, Tag)]
        # the container of the body itself may be hidden until a script shows it (WeChat does so)
        shown = children[0] if len(children) == 1 else root
        stack: list[Any] = [root]
        while stack:
            item = stack.pop()
            if isinstance(item, str) and not isinstance(item, NavigableString):
                self._close(item)
            elif isinstance(item, Tag):
                self._open(item, stack, item is root or item is shown)
            elif not isinstance(item, PreformattedString) or isinstance(item, CData):
                self.parts.append(str(item))
        self.flush()
        return self.lines

    def _open(self, tag: Tag, stack: list[Any], is_root: bool) -> None:
        name = tag.name
        if name == "br":
            self.flush()
            return
        if name == "img":
            self.flush_if_text()
            self.after_image = True
            return
        if name in _SKIP or (not self.keep_hidden and not is_root and _is_hidden(tag)):
            return
        if name == "table" and not _is_layout(tag):
            self.flush()
            self._table(tag)
            return
        if name in _BLOCKS:
            self.flush()
            if furniture.is_caption(tag):
                self.caption = True
                stack.append("/caption")
            stack.append("/block")
        stack.extend(reversed(tag.contents))

    def _close(self, mark: str) -> None:
        self.flush()
        if mark == "/caption":
            self.caption = False

    def flush_if_text(self) -> None:
        """An image inside a sentence (an icon, a formula) does not break it; one after a paragraph does."""
        if len(line("".join(self.parts))) > 40:
            self.flush()

    def flush(self) -> None:
        if not self.parts:
            return
        text = line("".join(self.parts))
        self.parts.clear()
        if text:
            self.lines.append(furniture.Line(text, self.caption, self.after_image))
            if not self.caption:
                self.after_image = False

    def _table(self, table: Tag) -> None:
        for row in _outermost(table, ("tr",)):
            if not self.keep_hidden and _is_hidden(row):
                continue
            cells = [_cell_text(c) for c in _outermost(row, ("td", "th"))]
            text = "\t".join(c for c in cells if c)
            if text:
                self.lines.append(furniture.Line(text, False, False, True))


def _outermost(inside: Tag, names: tuple[str, ...]) -> list[Tag]:
    """The elements of these names below one, in order, without those that stand in another of them: broken pages nest
    cells by the thousand, and every text counts once."""
    found: list[Tag] = []
    stack: list[Any] = list(reversed(inside.contents))
    while stack:
        item = stack.pop()
        if isinstance(item, Tag):
            if item.name in names:
                found.append(item)
            else:
                stack.extend(reversed(item.contents))
    return found


def _cell_text(cell: Tag) -> str:
    """All of a cell in one line; paragraphs inside are parted by a blank unless both sides are Chinese."""
    parts: list[str] = []
    for item in cell.descendants:
        if isinstance(item, Tag):
            if item.name in _BLOCKS or item.name == "br":
                parts.append("\n")
        elif not isinstance(item, Comment) and (item.parent is None or item.parent.name not in _SKIP):
            parts.append(str(item))
    return line("".join(parts))


def _is_layout(table: Tag) -> bool:
    """A table that only places things: tables inside, one column, or a cell of a whole text."""
    if table.find("table") is not None:
        return True
    widest = 0
    for row in _outermost(table, ("tr",)):
        cells = [c for c in _outermost(row, ("td", "th")) if c.get_text(strip=True)]
        widest = max(widest, len(cells))
        if len(cells) <= 2 and any(len(c.get_text()) > _LAYOUT_CELL for c in cells):
            return True
    return widest <= 1
