"""Chooses among several readings of a page's text, which fail in different ways, by how far they agree.

The house's own reading costs nothing more; the libraries are asked where it is in doubt, and of pages in Western languages,
of which trafilatura knows more than anybody (F1 0.96 on the public benchmark).
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache

from pipelines.extract.anypage import lines, markup, names
from pipelines.extract.anypage.blocks import Block, Page
from pipelines.extract.anypage.body import Region, find, flat, trim
from pipelines.extract.anypage.combine import combine, trimmed, unbox
from pipelines.extract.anypage.elements import deeper
from pipelines.extract.anypage.embedded import Said, Stored
from pipelines.extract.tree import escape, untagged

# fewer characters than this are a headline or a cookie notice, not an article
_ENOUGH = 80
_FROM_DATA = "the text was read from the page's data, not from what it shows"
# a text in linked data has at least so many letters; a page that shows less than this share of it shows its beginning
_WHOLE, _BEGINNING = 400, 0.4
# a text with less than this share of the page's sentences is doubted
_SURE_SHARE = 0.4
# beyond this agreement (F1 of runs of characters) two readings are the same text
_AGREED = 0.8
# libraries are not asked of pages larger than this: their cost grows faster than the page
_MOST_FOR_LIBRARIES = 3_000_000
# nor trafilatura of pages of more lines, which it compares with each other: 6 seconds for 6,000, minutes for 30,000
_MOST_LINES = 8_000
# readability walks every element below every candidate, again and again: minutes where a thousand stand in each other.
# Of 150 real pages the deepest has 32 levels
_DEEPEST = 80
_RUN = 8


@dataclass(slots=True)
class Reading:
    """A text as markup, a headline where its place told one, and remarks in words."""

    markup: str = ""
    title: str = ""
    remarks: list[str] = field(default_factory=list)


def choose(page: Page, region: Region | None, said: Said, kept: Stored, title: str, url: str) -> Reading:
    """The reading that is believed. A page whose text only a script could show says so in a remark."""
    own = markup.write(region.blocks) if region else ""
    if page.chinese:
        found = own if _sure(region) or _below(page, region, title) else _by_vote(own, [_readability(page, url)], said)
    else:
        found = _western(page, region, own, said, title, url)
    found = _from_title(found, title)
    whole = _told_to_machines(said, found, title)
    if whole:
        return Reading(whole, "", [_FROM_DATA])
    if length(found) >= _ENOUGH or _below(page, region, title):
        return Reading(found)
    if length(kept.body) > 2 * length(found):
        body = kept.body if "<" in kept.body else escape(kept.body)
        return Reading(body, kept.title, [_FROM_DATA])
    unseen = _unseen(page)
    if length(unseen) > 2 * length(found):
        return Reading(unseen, "", ["the text is hidden until a script shows it"])
    remarks = []
    if len(page.scripts) + page.text.count("<script") > 0 and sum(len(b.text) for b in page.blocks) < 200:
        remarks.append("the text of this page is made by scripts in a browser; the page itself holds none")
    return Reading(found, "", remarks)


def _told_to_machines(said: Said, found: str, title: str) -> str:
    """The text in an article's linked data, where the page shows only its beginning; "" where it shows enough."""
    body = max(said.bodies, key=len, default="")
    size = len(flat(untagged(body)))
    if size < _WHOLE or length(found) > _BEGINNING * size:
        return ""
    begins = flat(untagged(found, " "))[:30]
    same = (begins and begins in flat(body)) or any(flat(title)[:40] in flat(h) for h in said.headlines if title)
    return (body if "<" in body else escape(body)) if same else ""


def _sure(region: Region | None) -> bool:
    return region is not None and region.value >= _ENOUGH and region.share >= _SURE_SHARE


def _below(page: Page, region: Region | None, title: str) -> bool:
    """A text, however short, that follows its headline closely."""
    if region is None or region.value < 16 or not title:
        return False
    above = page.blocks[max(0, region.start - 6) : region.start]
    return any(flat(b.text) == flat(title) for b in above)


def _from_title(found: str, title: str) -> str:
    """Without the short lines up to the headline, where a reading has it."""
    wanted = flat(title)
    if not wanted:
        return found
    start = re.match(r"\s*(?:<(?:html|body|div|article|section|main)\b[^>]*>\s*)*", found)
    at = start.end() if start else 0
    for _ in range(6):
        match = _LINE.match(found, at) or _LINE.search(found, at, at + 400)
        if match is None or len(match.group(2)) > 400:
            return found
        if flat(untagged(match.group(2))) == wanted:
            return found[: start.end() if start else 0] + found[match.end() :]
        at = match.end()
    return found


def _western(page: Page, region: Region | None, own: str, said: Said, title: str, url: str) -> str:
    """The lines that trafilatura and the house's own reading have between them; one of the readings where they differ."""
    theirs = _trafilatura(page, url)
    third = lru_cache(maxsize=1)(lambda: _readability(page, url))
    both = combine(page, region, theirs, title, third)
    if both is None and unbox(page, region, theirs):
        again = find(page, title, next((b.order for b in page.blocks if flat(b.text) == flat(title)), -1))
        own = markup.write(again.blocks) if again else own
        both = combine(page, again, theirs, title, third)
    if both:
        return markup.write(both)
    alone = markup.write(trimmed(page, theirs, title))
    theirs = alone if length(alone) >= _ENOUGH else _without_boxes(theirs, page)
    if length(theirs) < _ENOUGH:
        if length(own) >= _ENOUGH:
            return own
        # next to nothing: what it is sure of, but not what a page that shows nothing says to machines without scripts
        return (_trafilatura(page, url, precise=True) if page.blocks else "") or own
    if agreement(own, theirs) >= _AGREED:
        return theirs
    return _by_vote(theirs, [own, third()], said)


def _by_vote(first: str, others: list[str], said: Said) -> str:
    """The reading that the others agree with most; the first where they are even."""
    found = [first, *others, *(escape(b) for b in said.bodies[:1])]
    found = [f for f in found if length(f) >= _ENOUGH]
    if len(found) < 2:
        return found[0] if found else max([first, *others], key=length)
    if len(found) == 2:
        return found[0]
    scores = [sum(agreement(one, other) for other in found if other is not one) for one in found]
    return found[scores.index(max(scores))]


def length(found: str) -> int:
    """Characters of the text of markup, without blanks."""
    return len("".join(untagged(found).split()))


def agreement(one: str, other: str) -> float:
    """F1 of the runs of characters of two texts."""
    a, b = _runs(one), _runs(other)
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0


def _runs(found: str) -> set[str]:
    plain = flat(untagged(found, " "))[:60_000]
    return {plain[i : i + _RUN] for i in range(0, max(1, len(plain) - _RUN), 2)} | {
        plain[i : i + _RUN] for i in range(1, max(1, len(plain) - _RUN), 2)
    }


_LINE = re.compile(r"<(p|li|h[1-6]|blockquote|div)\b[^>]*>((?:(?!</?(?:p|li|h[1-6]|blockquote|div)\b).)*)</\1>", re.S)


def _without_boxes(found: str, page: Page) -> str:
    """Lines that stand in boxes of the page (sign-up, comments, other articles) are left out."""
    boxed = {flat(b.text) for b in page.blocks if b.has(names.BOX)} - {
        flat(b.text) for b in page.blocks if not b.has(names.BOX)
    }
    boxed |= {flat(b.text) for b in page.blocks if b.has(names.CAPTION) and len(b.text) < 300}

    def keep(match: re.Match[str]) -> str:
        plain = untagged(match.group(2))
        gone = flat(plain) in boxed or (len(plain) < 300 and lines.kind(plain.strip()) in (lines.BUTTON, lines.RIGHTS))
        return "" if gone and flat(plain) else match.group()

    found = _LINE.sub(keep, found)
    for _ in range(3):
        last = None
        for match in _LINE.finditer(found):
            last = match
        if (
            last is None
            or not lines.about_people(untagged(last.group(2)).strip())
            or length(found[: last.start()]) < 3 * _ENOUGH
        ):
            break
        found = found[: last.start()] + found[last.end() :]
    return found


def _unseen(page: Page) -> str:
    """Text that the page hides, where it shows nothing: the hidden element with the most sentences, if it reads like one text."""
    groups: dict[int, list[Block]] = defaultdict(list)
    for block in page.hidden:
        groups[block.boxes[0]].append(block)
    if not groups or len(groups) > 200:
        return ""
    best = max(groups.values(), key=lambda g: sum(b.value for b in g))
    values = sum(b.value for b in best)
    # a page of keywords that only machines are to see has hardly a line without links or with a full stop
    if values < 2 * _ENOUGH or values < 0.6 * sum(len(b.text) for b in best):
        return ""
    return markup.write(trim(best, ""))


def _readability(page: Page, url: str) -> str:
    from readability import Document

    if len(page.text) > _MOST_FOR_LIBRARIES or deeper(page.root, _DEEPEST):
        return ""
    logging.getLogger("readability").setLevel(logging.CRITICAL)
    try:
        found: str = Document(page.text, url=url or None).summary(html_partial=True)
    except Exception:  # it raises of its own kinds and lxml's on pages without text
        return ""
    return found


def _trafilatura(page: Page, url: str, *, precise: bool = False) -> str:
    import trafilatura

    if len(page.text) > _MOST_FOR_LIBRARIES or len(page.blocks) + len(page.hidden) > _MOST_LINES:
        return ""
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    try:
        found = trafilatura.extract(
            page.text,
            url=url or None,
            output_format="html",
            include_comments=False,
            include_tables=True,
            favor_precision=precise,
        )
    except Exception:  # broken pages: the other reader may still find the text
        return ""
    return found or ""
