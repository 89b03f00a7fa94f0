"""Marks texts that stand beside the text and look like it: teasers of other articles, the slides of a gallery.

Teasers end alike (`Read more` below each), slides begin alike (the gallery's name above each). Neither is decided by how much
of the page it is: below a short note the teasers of six other articles outweigh it.
"""

from __future__ import annotations

import re
from collections import defaultdict

from pipelines.extract.anypage import blocks as cut
from pipelines.extract.anypage import lines, names
from pipelines.extract.anypage.blocks import Block, Page
from pipelines.extract.select import squeeze

# so many of one make are a series
_SERIES = 3
_LEADS_ON = re.compile(
    r"^\W*(?:(?:read|view|see|show|open|get|go to|continue|learn)\b.{0,12}\b(?:more|rest|story|article|full|post|on|it|reading)|more|full (?:story|article|text)|details?"
    r"|(?:阅读|查看|点击|展开|显示)?(?:更多|全文|原文|详情|详细).{0,4})\W*$",
    re.I,
)
# a gallery's name is longer than a label (Answer, Photo) that a text may repeat
_SHORTEST_NAME = 12
# a slide has a name, a heading, a text, a credit
_MOST_IN_SLIDE = 8
# characters of sentences that must be left, or the series is what the page is there for
_LEAST_LEFT = 60


def mark(page: Page) -> None:
    """Take series of teasers and of slides for boxes, where the page has sentences besides."""
    found = [*_teasers(page), *_slides(page)]
    inside = {b.order for b in found}
    left = sum(b.value for b in page.blocks if b.order not in inside and not b.has(names.BOX))
    if found and left >= _LEAST_LEFT:
        for block in found:
            block.flags |= names.BOX | cut.SERIES


def _teasers(page: Page) -> list[Block]:
    groups: dict[str, list[list[Block]]] = defaultdict(list)
    for block in page.blocks:
        leads_on = len(block.text) <= 40 and 0.8 * len(block.text) <= block.linked and _LEADS_ON.match(block.text)
        if leads_on and (teaser := _above(page, block)):
            groups[squeeze(block.text).lower()].append(teaser)
    return [b for members in groups.values() if len(members) >= _SERIES for teaser in members for b in teaser]


def _above(page: Page, last: Block) -> list[Block]:
    """The teaser that a link ends: a headline that is a link, then one or two lines of text; empty where it is none."""
    texts = 0
    for position in range(last.order - 1, max(-1, last.order - 6), -1):
        block = page.blocks[position]
        if block.linked >= 0.8 * len(block.text):
            return page.blocks[position : last.order + 1] if texts else []
        texts += bool(block.value)
        if texts > 2 or lines.kind(block.text) == lines.BUTTON:
            return []
    return []


def _slides(page: Page) -> list[Block]:
    groups: dict[tuple[str, str], list[Block]] = defaultdict(list)
    for block in page.blocks:
        if block.has(cut.HEADING) and len(block.text) >= _SHORTEST_NAME:
            groups[squeeze(block.text).lower(), str(block.node.tag)].append(block)
    found: list[Block] = []
    for members in groups.values():
        homes = dict.fromkeys(b.node.getparent() for b in members)
        spans = [page.spans[h] for h in homes if h is not None and h in page.spans]
        if len(spans) >= _SERIES and all(end - start <= _MOST_IN_SLIDE for start, end in spans):
            found += [b for start, end in spans for b in page.blocks[start:end]]
    return found
