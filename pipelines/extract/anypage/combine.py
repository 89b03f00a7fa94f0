"""Puts two readings of one page together line by line: the house's own blocks and what a library took for the text.

A line that both have is text. What only one of them has is text where it stands among such lines (under the same parent), or
where it is too much to be an oversight; never in a box whose name says that it is something else.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from html import unescape
from itertools import groupby

from pipelines.extract.anypage import blocks as cut
from pipelines.extract.anypage import names
from pipelines.extract.anypage.blocks import Block, Element, Page
from pipelines.extract.anypage.body import Region, flat, trim
from pipelines.extract.tree import untagged

_BREAK = re.compile(
    r"</?(?:p|h[1-6]|li|ul|ol|blockquote|table|tr|td|th|div|br|pre|code|dl|dt|dd)\b[^>]*>|\n\s*\n", re.I
)
# a line shorter than this must be a line of the other reading, not only stand somewhere in its text
_SURE_LENGTH = 20
# both readings must have so much of the lesser one in common, and the library's lines be found on the page so far
_IN_COMMON, _FOUND = 0.5, 0.8
# a run of lines that only one reading has, and that stands elsewhere, is text from this share of the common lines on
_TOO_MUCH = 0.3
# a box with this share of the library's lines is taken for text against its name
_HOLDS = 0.5
# and only if the library found so many times as much as we did
_MORE = 1.5
# names of boxes that are often no more than a manner of setting text beside something
_WEAK_BOX = re.compile(r"float|fixed|pop|hot|side|right|left|mask|tools?|page", re.I)
_LISTS = frozenset(("ul", "ol", "dl", "li", "dd", "blockquote"))
_DEEPEST_LIST = 6


def combine(
    page: Page, region: Region | None, theirs: str, title: str, third: Callable[[], str] = str
) -> list[Block] | None:
    """The blocks of the text by both readings; None where they have too little in common. `third` judges the rest."""
    if region is None:
        return None
    own = {b.order: b for b in region.blocks}
    told = _told(page, own, theirs)
    if told is None:
        return None
    common = {o: b for o, b in own.items() if o in told}
    weight = _weight(common.values())
    least = min(_weight(own.values()), _weight(page.blocks[o] for o in told))
    if not common or weight < _IN_COMMON * least:
        return None
    place = _Place(page, common)
    chosen: list[Block] = []
    for (mine, both), run in groupby(_union(page, own, told), key=lambda b: (b.order in own, b.order in told)):
        members = [own.get(b.order, b) for b in run]
        if mine and both:
            chosen += members
        elif _weight(b for b in members if not b.has(names.BOX)) < _TOO_MUCH * weight:
            chosen += place.fitting(members, theirs=both)
        elif both or place.inside(members) or _backed(page, members, third()):
            chosen += [b for b in members if not place.boxed(b)]
    return _without_last_headings(trim(chosen, title))


def unbox(page: Page, region: Region | None, theirs: str) -> bool:
    """Take the boxes that hold most of the library's text for no boxes, if it is more than ours; whether there were such."""
    told = _told(page, {}, theirs) or set()
    total = _weight(page.blocks[o] for o in told)
    if region is not None and total < _MORE * region.value:
        return False
    held: Counter[int] = Counter()
    for order in told:
        block = page.blocks[order]
        if block.has(names.BOX):
            held.update(dict.fromkeys(block.boxes, block.value))
    wrong = {n for n, value in held.items() if value >= _HOLDS * total and not page.boxes[n].flags & names.COMMENT}
    for block in page.blocks:
        if block.boxes and wrong.issuperset(block.boxes) and not block.has(cut.SERIES):
            block.flags &= ~(names.BOX | names.FOOT)
    page.weigh_again()
    return bool(wrong and total)


def trimmed(page: Page, theirs: str, title: str) -> list[Block]:
    """The blocks of a library's reading alone, without boxes and furniture; none where its lines are not on the page."""
    told = _told(page, {}, theirs) or set()
    return _without_last_headings(trim([b for b in page.blocks if b.order in told and not b.has(names.BOX)], title))


def _weight(members: Iterable[Block]) -> int:
    return sum(b.value for b in members)


def _union(page: Page, own: dict[int, Block], told: set[int]) -> list[Block]:
    return [page.blocks[o] for o in sorted(own.keys() | told)]


def _told(page: Page, own: dict[int, Block], theirs: str) -> set[int] | None:
    """The blocks that the library's reading has too; None where most of it is nowhere on the page."""
    texts = [flat(unescape(untagged(part))) for part in _BREAK.split(theirs)]
    waiting = Counter(t for t in texts if t)
    whole = "".join(texts)
    found: set[int] = set()
    size = 0
    # a line that stands twice on a page is the one in the text
    for block in sorted(page.blocks, key=lambda b: b.order not in own):
        text = flat(block.text)
        if not text:
            continue
        if waiting[text] > 0:
            waiting[text] -= 1
        elif len(text) < _SURE_LENGTH or not _stands_in(text, whole):
            continue
        elif size > 1.2 * len(whole):
            break
        found.add(block.order)
        size += len(text)
    return found if whole and size >= _FOUND * len(whole) else None


def _stands_in(text: str, whole: str) -> bool:
    """Whether a text has these words; words inside (the name of a link, say) may be missing there."""
    return text in whole or (len(text) >= 80 and text[:30] in whole and text[-30:] in whole)


def _backed(page: Page, members: list[Block], third: str) -> bool:
    """Whether a third reading has most of these lines."""
    told = _told(page, {b.order: b for b in members}, third) or set()
    return 2 * _weight(b for b in members if b.order in told) >= _weight(members)


class _Place:
    """Where the common lines stand."""

    def __init__(self, page: Page, common: dict[int, Block]) -> None:
        self.page = page
        self.first, self.last = min(common), max(common)
        self.nodes = {b.node for b in common.values()}
        self.kin = {(b.node.getparent(), b.node.tag) for b in common.values()}
        self.parents = {home for b in common.values() if b.value for home in _homes(b)}
        self.boxes = {number for b in common.values() for number in b.boxes}

    def inside(self, run: list[Block]) -> bool:
        """Whether a run has common lines before and after it."""
        return self.first < run[0].order and run[-1].order < self.last

    def boxed(self, block: Block) -> bool:
        """Whether a box holds the line that holds no common line, and whose name is more than a manner of setting."""
        if not block.has(names.BOX):
            return False
        words = [self.page.boxes[n].word for n in block.boxes if n not in self.boxes]
        if words and self.first < block.order < self.last:
            return not all(_WEAK_BOX.search(w) for w in words)
        # `introduction` may be a paragraph like those that follow it, in other letters
        first_of_all = (
            block.order == self.first - 1 and block.node.tag == "p" and block.node.getparent() in self.parents
        )
        return not (words and first_of_all and all(names.summary(w) for w in words))

    def fitting(self, run: list[Block], *, theirs: bool) -> list[Block]:
        """The lines of a run that only one reading has, which belong to the text by where they stand."""
        fits = self._near if theirs else self._fits
        if self.inside(run):
            return [b for b in run if fits(b)]
        if theirs:
            return [b for b in run if self._near(b)]
        if run[0].order > self.last:
            return self._adjoining(run, self.last, 1)
        return self._adjoining(run[::-1], self.first, -1)[::-1]

    def _adjoining(self, run: list[Block], edge: int, step: int) -> list[Block]:
        """Lines without a gap from the edge of the common lines on."""
        found: list[Block] = []
        for block in run:
            edge += step
            if block.order != edge or not self._fits(block) or block.linked > 0.7 * len(block.text):
                break
            found.append(block)
        return found

    def _near(self, block: Block) -> bool:
        """Whether a line of the library stands under the parent of common lines, or in a list there."""
        if self.boxed(block):
            return False
        if block.has(names.BOX):
            return bool(block.value)
        return block.node in self.nodes or bool(self.parents & set(_homes(block)))

    def _fits(self, block: Block) -> bool:
        """Whether a line of the own reading stands among common lines."""
        if self.boxed(block):
            return False
        if block.has(names.BOX):
            return bool(block.value)
        node, parent = block.node, block.node.getparent()
        if node in self.nodes or (parent, node.tag) in self.kin or node in self.parents:
            return True
        inside = self.first < block.order < self.last
        if block.has(cut.HEADING):
            return inside and parent in self.parents
        listed = block.has(cut.LIST) and bool(self.parents & set(_homes(block)))
        return listed or (inside and parent in self.parents and bool(block.value))


def _homes(block: Block) -> list[Element]:
    """The parent of a line, and that of the lists which it stands in."""
    found: list[Element] = []
    parent = block.node.getparent()
    while parent is not None and len(found) < _DEEPEST_LIST:
        found.append(parent)
        if parent.tag not in _LISTS:
            break
        parent = parent.getparent()
    return found


def _without_last_headings(found: list[Block]) -> list[Block]:
    """A heading with nothing below it introduced something that is not of the text."""
    while len(found) > 1 and found[-1].has(cut.HEADING) and not found[-1].value:
        found.pop()
    return found
