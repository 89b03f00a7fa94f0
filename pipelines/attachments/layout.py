"""From characters with places on pages to paragraphs: lines put together, page furniture dropped, hard line breaks undone.

Fixed-layout files (PDF, OFD) know lines only. A Chinese official text indents the first line of a paragraph by two
characters and fills the other lines to the margin; both facts say where a paragraph ends. Lengths are in the units of the
file; only ratios to the size of the characters are used. y grows downwards.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from pipelines.attachments.hyphens import BREAKING, SOFT, Hyphens

_CJK = re.compile(
    "[\u2e80-\u303f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\u201c\u201d\u2018\u2019\u2014\u2026]"
)
_WORD = re.compile(r"[^\s\u2e80-\u9fff\uff00-\uffef]*")
_PAGE_NUMBER = re.compile(
    r"^[\s\-—–―─·•~|]*(?:(?:第|Page|P\.?)\s*)?(?:\d{1,4}|[ivxlcIVXLC]{1,6})\s*页?"
    r"(?:\s*(?:/|of|共|,|，)\s*(?:共\s*)?\d{1,4}\s*页?)?[\s\-—–―─·•~|]*$",
    re.I,
)
_ENDS = re.compile(r"[。！？；：.!?;:…][”’）)』」]?$")
_NOTE = re.compile(r"^(?:\d{1,3}|[①-⑳*＊※†‡]|[\[［〔]\d{1,3}[\]］〕]|注[：:\d])")
# the beginning of an item: 一、 （一） (1) 1. 第三条 附件1 Article 3
_ITEM = re.compile(
    r"^(?:[一二三四五六七八九十百〇]+、|[（(][一二三四五六七八九十百\d]{1,4}[）)]|\d{1,3}(?:[.．、)）]|\s*\.\s)(?!\d)"
    r"|第[一二三四五六七八九十百零〇\d]{1,6}[章节条款编]|附\s?[件表录]|[●•■◆·➢]|Article\s+\d+|Annex|Appendix)"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Some characters that stand in a row: left edge, base line, width, size of the characters."""

    x: float
    y: float
    width: float
    size: float
    text: str


@dataclass(slots=True)
class Line:
    """A row of a page: left and right edge, base line, size, characters."""

    x0: float
    x1: float
    y: float
    size: float
    text: str


def lines(pieces: list[Piece], *, ordered: bool = False) -> list[Line]:
    """Rows from pieces. By position, unless the file's own order is to be kept (`ordered`: columns stay columns)."""
    if not ordered:
        pieces = _by_position(pieces)
    made: list[Line] = []
    for piece in pieces:
        last = made[-1] if made else None
        if last is not None and _same_row(last, piece):
            _append(last, piece)
        else:
            made.append(Line(piece.x, piece.x + piece.width, piece.y, piece.size, piece.text))
    return [replace(line, text=line.text.strip()) for line in made if line.text.strip()]


def _by_position(pieces: list[Piece]) -> list[Piece]:
    """Top to bottom, then left to right; base lines that differ by less than a third of a character are one row."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda p: p.y):
        if rows and abs(rows[-1][0].y - piece.y) < 0.35 * max(piece.size, rows[-1][0].size):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [piece for row in rows for piece in sorted(row, key=lambda p: p.x)]


def _same_row(line: Line, piece: Piece) -> bool:
    near = abs(line.y - piece.y) < 0.35 * max(line.size, piece.size)
    return near and piece.x >= line.x0 and piece.x >= line.x1 - 0.6 * max(line.size, piece.size)


def _append(line: Line, piece: Piece) -> None:
    gap = piece.x - line.x1
    apart = ""
    if gap > 1.8 * line.size:
        apart = "\t"
    elif gap > (0.7 if is_cjk(line.text[-1:]) or is_cjk(piece.text[:1]) else 0.2) * line.size:
        apart = " "
    line.text += apart + piece.text
    line.x1 = max(line.x1, piece.x + piece.width)
    line.size = max(line.size, piece.size)


def is_cjk(char: str) -> bool:
    """Whether a character is Chinese or full-width: between such ones no blank stands."""
    return bool(char) and _CJK.match(char) is not None


# ------------------------------------------------------------------------------------------------ furniture


def without_furniture(pages: list[list[Line]]) -> list[list[Line]]:
    """Page numbers and the headers and footers that repeat at the same height are dropped."""
    kept = [_without_number(page) for page in pages]
    seen: Counter[tuple[str, int]] = Counter()
    for page in kept:
        seen.update({_stamp(line) for line in _edges(page)})
    least = max(3, round(0.4 * len(kept)))
    repeated = {stamp for stamp, count in seen.items() if count >= least}
    if not repeated:
        return kept
    out = []
    for page in kept:
        edges = {id(line) for line in _edges(page)}
        out.append([line for line in page if id(line) not in edges or _stamp(line) not in repeated])
    # a header above the number that is dropped now stands at the edge
    return [_without_number(page) for page in out]


def _without_number(page: list[Line]) -> list[Line]:
    """A lone number counts as a page number at the foot or head, apart from the text or marked by dashes."""
    while len(page) > 1 and _is_number(page[-1], page[-2]):
        page = page[:-1]
    while len(page) > 1 and _is_number(page[0], page[1]):
        page = page[1:]
    return [] if len(page) == 1 and _PAGE_NUMBER.match(page[0].text) else page


def _is_number(line: Line, neighbour: Line) -> bool:
    if not _PAGE_NUMBER.match(line.text):
        return False
    marked = not line.text.strip().isalnum()
    return marked or abs(line.y - neighbour.y) > 1.7 * max(line.size, neighbour.size) or len(line.text.strip()) < 4


def _edges(page: list[Line]) -> list[Line]:
    by_height = sorted(page, key=lambda line: line.y)
    return by_height if len(by_height) <= 4 else by_height[:2] + by_height[-2:]


def _stamp(line: Line) -> tuple[str, int]:
    return re.sub(r"\d+", "#", line.text.strip()), round(line.y / max(line.size, 1.0))


# ------------------------------------------------------------------------------------------------ paragraphs


def paragraphs(pages: list[list[Line]]) -> str:
    """All pages as text, a paragraph a line; footnotes come last, since paragraphs go on behind them on the next page."""
    pages = [page for page in without_furniture(pages) if page]
    rows = [line for page in pages for line in page]
    if not rows:
        return ""
    measure = _Measure(rows)
    parted = [measure.notes(page) for page in pages]
    hyphens = Hyphens(line.text for line in rows)
    main = _flow([page for page, _ in parted if page], measure)
    return hyphens.settled("\n".join(main + _flow([notes for _, notes in parted if notes], measure)))


def _flow(pages: list[list[Line]], measure: _Measure) -> list[str]:
    out: list[str] = []
    last: Line | None = None
    for page in pages:
        for line in page:
            if last is not None and measure.continues(last, line, new_page=line is page[0]):
                marked = out[-1].endswith((SOFT, BREAKING))  # which of the two it is, is settled at the end
                out[-1] = out[-1] + line.text if marked else join(out[-1], line.text)
            else:
                out.append(line.text)
            last = line
    return out


def join(before: str, after: str) -> str:
    """Two halves of a broken line: nothing between Chinese characters, a blank between Latin words."""
    left, right = before.rstrip(), after.lstrip()
    if not left or not right:
        return left + right
    if left[-1] in "\u00ad\u0002":
        return left[:-1] + right
    if is_cjk(left[-1]) or is_cjk(right[0]) or (left[-1] in "-/" and not left[-2:-1].isspace()):
        return left + right
    return f"{left} {right}"


@dataclass(frozen=True, slots=True)
class _Margins:
    """Where the rows of a column begin and end."""

    left: float
    right: float


def _margins(rows: list[Line], size: float) -> _Margins:
    """The left margin is where most continued rows begin: the leftmost place that is not rare."""
    lefts = Counter(round(line.x0 / size * 2) for line in rows)
    common = [place for place, count in lefts.items() if count >= max(1, 0.12 * len(rows))]
    rights = sorted(line.x1 for line in rows)
    return _Margins(min(common or list(lefts)) * size / 2, rights[min(len(rights) - 1, int(0.9 * len(rights)))])


def _gutter(rows: list[Line], size: float) -> float | None:
    """The blank stripe between two columns: next to no row crosses it, and a quarter of all rows stands on each side."""
    if len(rows) < 16:
        return None
    left, right = min(line.x0 for line in rows), max(line.x1 for line in rows)
    place, end = left + 0.3 * (right - left), left + 0.7 * (right - left)
    while place < end:
        before = sum(line.x1 <= place for line in rows)
        after = sum(line.x0 >= place for line in rows)
        if min(before, after) >= 0.25 * len(rows) and before + after >= 0.9 * len(rows):
            return place
        place += size / 2
    return None


class _Measure:
    """The margins and the leading of a document, and where paragraphs break."""

    def __init__(self, rows: list[Line]) -> None:
        weights: Counter[float] = Counter()
        for line in rows:
            weights[round(line.size, 1)] += len(line.text)
        self.size = weights.most_common(1)[0][0] or 1.0
        body = [line for line in rows if abs(line.size - self.size) < 0.15 * self.size] or rows
        long = [line for line in body if len(line.text) > 8] or body
        self.whole = _margins(long, self.size)
        self.gutter = _gutter(long, self.size)
        if self.gutter is not None:
            sides = [x for x in long if x.x1 <= self.gutter], [x for x in long if x.x0 >= self.gutter]
            self.halves = [_margins(side, self.size) for side in sides]
        gaps = [b.y - a.y for a, b in pairwise(body) if 0 < b.y - a.y < 4 * self.size]
        self.leading = median(gaps) if gaps else 1.5 * self.size

    def margins(self, line: Line) -> _Margins:
        """Those of the column in which a row stands; a row across both has those of the page."""
        if self.gutter is None or line.x0 < self.gutter < line.x1:
            return self.whole
        return self.halves[line.x0 >= self.gutter]

    def notes(self, page: list[Line]) -> tuple[list[Line], list[Line]]:
        """A page without its footnotes, and these: small rows at its foot of which the first begins with a mark."""
        at = len(page)
        while at > 0 and page[at - 1].size < 0.85 * self.size and "\t" not in page[at - 1].text:
            at -= 1
        while at < len(page) and not _NOTE.match(page[at].text):
            at += 1
        return (page[:at], page[at:]) if 0 < at < len(page) else (page, [])

    def continues(self, last: Line, line: Line, *, new_page: bool) -> bool:
        """Whether `line` goes on with the paragraph that `last` belongs to."""
        if "\t" in last.text or "\t" in line.text:
            return False
        if abs(last.size - line.size) > 0.15 * max(last.size, line.size):
            return False
        if self._is_heading(last, line, new_page):
            return True
        gap = line.y - last.y
        margins, before = self.margins(line), self.margins(last)
        new_page = new_page or (gap < 0 and before is not margins)
        if not new_page and (gap > 1.45 * self.leading or gap < 0):
            return False
        if line.x0 > margins.left + 1.2 * line.size or last.x0 > before.left + 6 * line.size:
            return False
        if not self._is_full(last, line):
            return False
        return not (_ENDS.search(last.text) and _ITEM.match(line.text))

    def _is_full(self, last: Line, line: Line) -> bool:
        """Whether the first word of the next line did not fit any more (up to two characters hang by punctuation rules)."""
        room = self.margins(last).right - last.x1
        if is_cjk(line.text[:1]) or is_cjk(last.text[-1:]):
            return room < 2.2 * last.size
        word = _WORD.match(line.text).group()  # type: ignore[union-attr]
        width = (line.x1 - line.x0) / max(1, len(line.text)) * len(word)
        # set ragged, the last words of rows end anywhere; a sentence that has not ended goes on
        return room < width + (0.6 if _ENDS.search(last.text) else 3.0) * last.size

    def _is_heading(self, last: Line, line: Line, new_page: bool) -> bool:
        """A title set in several rows of large characters: centred, or as wide as the page allows."""
        if new_page or last.size < 1.2 * self.size or _ENDS.search(last.text) or _ITEM.match(line.text):
            return False
        centred = abs((last.x0 + last.x1) - (line.x0 + line.x1)) / 2 < 1.5 * line.size
        full = self._is_full(last, line) and abs(last.x0 - line.x0) < 0.5 * line.size
        return (centred or full) and 0 < line.y - last.y < 2.6 * line.size
