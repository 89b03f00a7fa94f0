"""Makes stored text fit to be shown: bounded, free of marks that reorder it, cut into marked pieces; links that are safe.

Whatever a site wrote is hostile until shown: titles of a megabyte, `javascript:` addresses, marks that reverse the line.
Escaping itself is Jinja's; nothing here returns markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

TITLE, LINE, ADDRESS = 240, 600, 200
# marks that change the direction of what follows, and characters that no page may hold
BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE = re.compile(f"[{BIDI}\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufff9-\uffff\ufeff\ufdd0-\ufdef]")
# what XML 1.0 cannot hold even escaped
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")


def plain(value: Any) -> str:
    """The text without control characters and without marks of direction; for titles, links, feeds."""
    return _INVISIBLE.sub("", str(value if value is not None else ""))


def for_xml(value: Any) -> str:
    """The same, also without what XML forbids."""
    return _NOT_XML.sub("", plain(value))


def clip(value: Any, most: int = LINE) -> str:
    """One line of at most `most` characters, with … where it goes on."""
    text = str(value if value is not None else "")
    head = " ".join(plain(text[: 4 * most + 200]).split())
    if len(head) > most:
        return head[: most - 1].rstrip() + "…"
    return head + ("…" if len(text) > 4 * most + 200 else "")


def title(value: Any) -> str:
    """A title in one line, bounded."""
    return clip(value, TITLE)


def safe_link(value: Any) -> str:
    """The address if a browser may follow it (http, https), else ""."""
    address = str(value or "").strip()
    if not address or len(address) > 4000 or _INVISIBLE.search(address) or re.search(r"[\s<>\"\\]", address):
        return ""
    try:
        parts = urlsplit(address)
        return address if parts.scheme.lower() in ("http", "https") and parts.hostname else ""
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Characters to be marked, and why: `labels` are keys of the legend."""

    start: int
    end: int
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of characters with everything that marks it; `labels` empty = unmarked.

    `begins` are the numbers of the legend that begin here, each once however many marks of it overlap.
    """

    text: str
    labels: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()

    @property
    def several(self) -> bool:
        """Whether marks of more than one number lie over it."""
        return len({legend(label) for label in self.labels}) > 1


def legend(label: str) -> str:
    """The number of the legend that a label belongs to: "p3" (a passage) and "3" (words) are both 3."""
    return label.removeprefix("p")


def pieces(text: str, marks: Iterable[Mark], start: int = 0, end: int | None = None) -> list[Piece]:
    """The text from `start` to `end` as runs, overlapping marks side by side."""
    end = len(text) if end is None else min(end, len(text))
    inside = [m for m in marks if m.start < end and m.end > start and m.start < m.end]
    bounds = sorted({start, end, *(max(m.start, start) for m in inside), *(min(m.end, end) for m in inside)})
    inside.sort(key=lambda m: m.start)
    out, waiting, active = [], 0, list[Mark]()
    for left, right in pairwise(bounds):
        while waiting < len(inside) and inside[waiting].start <= left:
            active.append(inside[waiting])
            waiting += 1
        active = [m for m in active if m.end > left]
        labels = tuple(dict.fromkeys(label for m in active for label in m.labels))
        before = {legend(label) for m in active if m.start < left for label in m.labels}
        new = (legend(label) for m in active if max(m.start, start) == left for label in m.labels)
        out.append(Piece(visible(text[left:right]), labels, tuple(dict.fromkeys(n for n in new if n not in before))))
    return out


def visible(text: str) -> str:
    """Running text as it is shown: marks of direction as ⟪U+202E⟫, other control characters left out."""

    def show(match: re.Match[str]) -> str:
        char = match.group()
        return f"⟪U+{ord(char):04X}⟫" if re.match(f"[{BIDI}]", char) else ""

    return _INVISIBLE.sub(show, text)


def paragraphs(found: Sequence[Piece]) -> list[list[Piece]]:
    """Pieces cut at line ends, so that each line of the text is a paragraph; empty lines are left out."""
    out: list[list[Piece]] = [[]]
    for piece in found:
        for number, line in enumerate(piece.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")):
            if number:
                out.append([])
            if line:
                out[-1].append(Piece(line, piece.labels, () if number else piece.begins))
    return [line for line in out if any(piece.text.strip() for piece in line)]


def number(value: Any) -> str:
    """A count with commas."""
    return f"{value:,}" if isinstance(value, int) else str(value)


def money(value: dict[str, Any]) -> str:
    """An amount as it was normalised: CNY 1,500,000,000."""
    amount = value.get("amount")
    shown = f"{amount:,}" if isinstance(amount, int) else f"{amount:,.2f}" if isinstance(amount, float) else str(amount)
    return f"{value.get('currency') or ''} {shown}".strip()


FILTERS = {
    "clip": clip,
    "plain": plain,
    "title_line": title,
    "safe_link": safe_link,
    "number": number,
    "visible": visible,
}
