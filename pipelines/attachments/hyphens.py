"""Decides what a hyphen at the end of a row is: the printer's mark of a broken word, or part of a word (`medium-|term`).

A file does not say which. The document itself does: its other rows hold most of its words, broken or joined. Where it
is silent, short words that are never the end of a broken one tell, then the habit of the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

# PDFium's sign for a hyphen that ends a row, and the hyphen that browsers break words with
SOFT, BREAKING = "\u00ad", "\u2010"
_LETTERS = r"[^\W\d_\u2e80-\u9fff]"
_WORD = re.compile(rf"{_LETTERS}+(?:['’]{_LETTERS}+)?(?:-{_LETTERS}+)*")
_BROKEN = re.compile(rf"((?:{_LETTERS}+-)*)({_LETTERS}+)[{SOFT}{BREAKING}]({_LETTERS}+)")
# parts of compounds at which a word is hardly ever broken
_BEFORE = frozenset("medium long short high low mid non self well cross large small full zero".split())  # noqa: SIM905
_AFTER = frozenset(
    """and of the its to by up term based owned led backed related sized scale level wide chain credit tech driven oriented
    specific year month saving risk intensive friendly speed quality cost carbon income profit border free loan grade
    """.split()  # noqa: SIM905
)
# beyond this share of rows that end in a hyphen, the document breaks its words
_MANY = 0.06


class Hyphens:
    """What the rows of one document say about its words."""

    def __init__(self, rows: Iterable[str]) -> None:
        self.words: set[str] = set()
        self.pairs: set[tuple[str, str]] = set()
        joined: set[str] = set()
        latin = marks = 0
        text = "\n".join(rows).replace(f"{BREAKING}\n", BREAKING).replace(f"{SOFT}\n", SOFT)
        for row in text.split("\n"):
            broken = _BROKEN.findall(row)
            marks += len(broken)
            joined.update((first + last).lower() for _, first, last in broken)
            words = _WORD.findall(_BROKEN.sub(" ", row) if broken else row)  # halves are no words
            latin += len(broken) + (len(words) > 2)
            for word in words:
                parts = word.lower().split("-")
                self.words.update(parts)
                self.pairs.update(pairwise(parts))
        # one word that stands whole elsewhere shows that words are broken here
        self.breaks = bool(joined & self.words) or marks > _MANY * latin

    def settled(self, text: str) -> str:
        """The text with each mark made a hyphen, or gone where a word was broken."""
        return _BROKEN.sub(self._settle, text) if SOFT in text or BREAKING in text else text

    def _settle(self, match: re.Match[str]) -> str:
        before, first, last = match.groups()
        return f"{before}{first}-{last}" if self._belongs(before, first, last) else f"{before}{first}{last}"

    def _belongs(self, before: str, first: str, last: str) -> bool:
        if last[0].isupper():
            return True
        first, last = first.lower(), last.lower()
        if (first, last) in self.pairs:
            return True
        if first + last in self.words:
            return False
        if before or last in _AFTER or (first in _BEFORE and last in self.words):
            return True
        if first in self.words and last in self.words and min(len(first), len(last)) > 3:
            return True
        return not self.breaks
