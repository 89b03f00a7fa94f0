"""Finds the text of a page: the element whose sentences outweigh what else it holds, then its first and last line.

Every block has a gain: its characters if it reads like sentences, less than nothing if it is a link, a button, a menu. The
text is the element with the greatest sum, and in it the stretch with the greatest sum; ties go to the inner element. So a
page needs neither known names nor a certain depth, and a side bar, a list of other articles or a long footer has to outweigh
the text itself to be taken for it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import accumulate

from pipelines.extract.anypage import blocks as cut
from pipelines.extract.anypage import elements, lines, names, teasers
from pipelines.extract.anypage.blocks import Block, Element, Page

__all__ = ["Region", "find", "flat", "trim"]

_CONTAINERS = frozenset((
    "div", "article", "section", "main", "td", "body", "center", "form", "fieldset", "li", "dd", "blockquote",
    "pre", "html", "span", "x-article",
))  # fmt: skip
# a list of other articles has at least so many items of one make
_LISTING = 3


@dataclass(slots=True)
class Region:
    """The text of a page: its element, its blocks, and the share of the page's sentences that it holds."""

    node: Element
    blocks: list[Block]
    start: int
    end: int
    share: float
    value: int


def find(page: Page, title: str, title_at: int) -> Region | None:
    """The region of the text; None where no block reads like sentences. `title_at` is the block of the headline, or -1."""
    if not page.listed:
        page.listed = True
        _mark_listings(page)
    gains = _gains(page, title, title_at)
    sums = list(accumulate(gains, initial=0))
    node = _heaviest(page, sums)
    if node is None:
        return None
    node = _roomy(page, node, sums)
    start, end = page.spans[node]
    first, last = _stretch(gains, start, end)
    first, last = _widen(page, first, last, start, end, title_at)
    last = _before_next(page, first, last, title_at)
    chosen = [b for b in page.blocks[first:last] if not b.has(names.BOX)]
    chosen = trim(chosen, title)
    if not chosen:
        return None
    value = sum(b.value for b in chosen)
    total = max(1, page.value(0, len(page.blocks)))
    return Region(node, chosen, chosen[0].order, chosen[-1].order + 1, value / total, value)


def _mark_listings(page: Page) -> None:
    """Mark lists of other articles and of comments: several elements of one make, each beginning with a link."""
    families: dict[Element, dict[str, list[Element]]] = defaultdict(lambda: defaultdict(list))
    for node in page.spans:
        if node.tag in ("li", "div", "article", "dl", "dd", "section", "tr", "ul", "a"):
            parent = node.getparent()
            if parent is not None:
                families[parent][f"{node.tag}.{(node.get('class') or '').split(' ')[0]}"].append(node)
    total = max(1, page.value(0, len(page.blocks)))
    for family in families.values():
        for members in family.values():
            if len(members) >= _LISTING:
                _mark_listing(page, members, total)
    teasers.mark(page)
    page.weigh_again()


def _mark_listing(page: Page, members: list[Element], total: int) -> None:
    enough = max(_LISTING, 0.6 * len(members))
    led = [m for m in members if _led_by_link(page, m)]
    if sum(_answerable(page, m) for m in members) >= enough:
        _mark_answers(page, members, total)
    elif len(led) >= enough and page.value(page.spans[led[0]][0], page.spans[led[-1]][1]) <= 0.5 * total:
        _mark(page, led, names.BOX)


def _mark_answers(page: Page, members: list[Element], total: int) -> None:
    """Comments below a text, or all but the first of a thread, which begins with the text that the others answer."""
    first = page.value(*page.spans[members[0]])
    before = page.value(0, page.spans[members[0]][0])
    others = sorted(page.value(*page.spans[m]) for m in members[1:])
    opens = first > 2 * others[len(others) // 2] and before < 0.3 * first
    if opens or before >= min(100, 0.15 * total):
        _mark(page, members[1:] if opens else members, names.BOX | names.COMMENT)


def _mark(page: Page, members: list[Element], flags: int) -> None:
    for member in members:
        first, last = page.spans[member]
        for block in page.blocks[first:last]:
            block.flags |= flags


_ANSWER = re.compile(
    r"^[\s\[(（【]*(?:回\s?复|举\s?报|回应|点赞|赞|顶|踩|支持|反对|引用|沙发|板凳|reply|like|report|quote|upvote|permalink)(?:[\s\d(（\])）】]|回复|举报|reply|report|share)*$"
    r"|^(?:发表于|回复于|posted on|#?\d{1,4}\s?(?:楼|#))",
    re.I,
)


def _answerable(page: Page, node: Element) -> bool:
    """An item with a button to answer, praise or report it."""
    start, end = page.spans[node]
    return end - start <= 30 and any(len(b.spaced) <= 40 and _ANSWER.match(b.spaced) for b in page.blocks[start:end])


def _led_by_link(page: Page, node: Element) -> bool:
    start, end = page.spans[node]
    if start == end or end - start > 30:
        return False
    head = page.blocks[start]
    if len(head.text) < 3 and end - start > 1:
        head = page.blocks[start + 1]
    return head.linked >= 0.8 * len(head.text)


def _gains(page: Page, title: str, title_at: int) -> list[float]:
    homes: dict[Element, int] = defaultdict(int)
    for block in page.blocks:
        if block.value and not block.has(names.BOX):
            homes[block.node] += block.value
            parent = block.node.getparent()
            if parent is not None:
                homes[parent] += block.value
    return [_gain(block, homes, title_at) for block in page.blocks]


def _gain(block: Block, homes: dict[Element, int], title_at: int) -> float:
    length = len(block.text)
    if block.has(names.BOX):
        return -6.0 - 0.8 * (block.value or length)
    kind = lines.kind(block.text)
    if kind in (lines.RIGHTS, lines.OTHER):
        return -10.0 - 0.5 * length
    if block.value and kind != lines.CREDIT:
        if block.node.tag == "h1":
            return 0.0
        # what stands above the headline belongs to something else
        return float(block.value) if block.order >= title_at else -0.5 * block.value
    if block.has(names.CAPTION) or block.has(cut.TABLE):
        return -0.5 * block.linked
    parent = block.node.getparent()
    at_home = homes.get(block.node, 0) >= 40 or (parent is not None and homes.get(parent, 0) >= 40)
    if at_home and not block.linked:
        return 0.0
    return -6.0 - 0.7 * block.linked


def _heaviest(page: Page, sums: list[float]) -> Element | None:
    best: Element | None = None
    best_sum, best_size = 0.0, 0
    for node, (start, end) in page.spans.items():
        if start == end or node.tag not in _CONTAINERS:
            continue
        total = sums[end] - sums[start]
        size = end - start
        if total > best_sum or (total == best_sum and best is not None and size <= best_size):
            best, best_sum, best_size = node, total, size
    if best is None or best_sum <= 0:
        # short texts whose surroundings outweigh them: the element around the greatest sum of neighbours
        values = [b for b in page.blocks if b.value and not b.has(names.BOX)]
        if not values:
            return None
        top = max(values, key=lambda b: b.value)
        around = [top.node, *elements.ancestors(top.node)]
        return next((n for n in around if n in page.spans and n.tag in _CONTAINERS), None)
    return best


def _roomy(page: Page, node: Element, sums: list[float]) -> Element:
    """The element around one that adds only short plain lines: signatures and headings have elements of their own."""
    start, end = page.spans[node]
    for around in elements.ancestors(node, 3):
        if around not in page.spans or around.tag in ("body", "html"):
            break
        first, last = page.spans[around]
        added = [*page.blocks[first:start], *page.blocks[end:last]]
        if sums[last] - sums[first] < sums[end] - sums[start] - 12 or any(
            b.linked > 20 or b.has(names.BOX) for b in added
        ):
            break
        node, start, end = around, first, last
    return node


def _before_next(page: Page, first: int, last: int, title_at: int) -> int:
    """Where another article begins below this one: a headline of the same make, with credits of its own."""
    if not 0 <= title_at <= first:
        return last
    mine = page.blocks[title_at].node
    if mine.tag in ("p", "div", "td", "span") and not mine.get("class"):
        return last
    for block in page.blocks[first + 1 : last]:
        if block.node.tag == mine.tag and block.node.get("class") == mine.get("class"):
            below = page.blocks[block.order + 1 : block.order + 4]
            if any(
                lines.kind(b.spaced) == lines.CREDIT
                or (re.search(r"(?:19|20)\d{2}[-/.年]\d{1,2}", b.spaced) and len(b.spaced) < 60)
                for b in below
            ):
                return block.order
    return last


def _stretch(gains: list[float], start: int, end: int) -> tuple[int, int]:
    """The part of a range with the greatest sum."""
    best, first, last = 0.0, start, end
    running, since = 0.0, start
    for position in range(start, end):
        if running <= 0:
            running, since = 0.0, position
        running += gains[position]
        if running > best:
            best, first, last = running, since, position + 1
    return first, last


def _widen(page: Page, first: int, last: int, start: int, end: int, title_at: int) -> tuple[int, int]:
    """Take in the short lines beside a stretch that stand in the same element as its edge: verses, headings, signatures."""
    while (
        first > start and first - 1 > title_at and _neighbour(page.blocks[first - 1], page.blocks[first], lines.CREDIT)
    ):
        first -= 1
    while last < end and _neighbour(page.blocks[last], page.blocks[last - 1], ""):
        last += 1
    return first, last


_DAY_ALONE = re.compile(r"^\s*(?:19|20)\d{2}\s?年\s?\d{1,2}\s?月\s?\d{1,2}\s?日\s*$")
_PASSED_AS_LAW = re.compile(r"通过|公布|修订|修正|施行|批准|发布|令第")


def _legal_note(text: str) -> bool:
    """（2024年…会议通过 …修订）: the note under the title of a law belongs to its text."""
    return (
        text.startswith(("（", "("))
        and text.endswith(("）", ")"))
        and bool(_PASSED_AS_LAW.search(text, 1, len(text) - 1))
    )


def _neighbour(block: Block, edge: Block, refused: str) -> bool:
    if _legal_note(block.text):
        return True
    if block.has(names.BOX) or block.has(names.META | names.TITLE):
        return False
    if block.linked > 0.5 * len(block.text) and _lonely(block):
        return False
    if (kind := lines.kind(block.text)) and kind in (
        refused,
        lines.RIGHTS,
        lines.OTHER,
        lines.BUTTON,
        lines.ORIGINAL,
        lines.EDITOR,
    ):
        return False
    return (
        block.node is edge.node
        or block.node.getparent() is edge.node.getparent()
        or block.node.getparent() is edge.node
        or edge.node.getparent() is block.node
    )


def trim(found: list[Block], title: str) -> list[Block]:
    """Without credits before the text, editors, rights and other things after it, captions and buttons in it."""
    found = _cut_after(found)
    kept: list[Block] = []
    told = False
    total = max(1, sum(b.value for b in found))
    passed = 0
    flat_title = flat(title)
    for number, block in enumerate(found):
        kind = lines.kind(block.text)
        passed += block.value
        text = flat(block.text)
        early = passed <= max(0.12 * total, 60) and len(kept) < 6
        late = passed >= 0.7 * total
        if flat_title and early and (text == flat_title or (not told and len(text) > 8 and text in flat_title)):
            continue
        if kind in (lines.BUTTON, lines.EDITOR, lines.ORIGINAL) and not block.has(cut.TABLE):
            continue
        if kind in (lines.RIGHTS, lines.OTHER) and (early or late) and not block.has(cut.TABLE):
            continue
        if (early or late) and lines.promotes(block.text) and not block.has(cut.TABLE):
            continue
        # the day under a covering letter is its signature
        signed = _legal_note(block.text) or (told and _DAY_ALONE.match(block.text)) or _of_event(found, number)
        if kind == lines.CREDIT and (early or not kept) and not signed:
            continue
        if block.linked > 0.4 * len(block.text) and lines.points_elsewhere(block.text):
            continue
        if block.has(names.CAPTION) and len(block.text) < 300:
            continue
        if lines.describes_picture(block.text) and _pictured(found, number):
            continue
        if block.linked > 0.7 * len(block.text) and _lonely(block):
            continue
        kept.append(block)
        told = told or bool(block.value)
    return _sign_off(kept)


def _pictured(found: list[Block], number: int) -> bool:
    """A line below a picture, or the second line of its caption."""
    before = found[number - 1] if number else None
    return found[number].has(cut.AFTER_IMAGE) or bool(
        before and before.has(cut.AFTER_IMAGE) and lines.describes_picture(before.text)
    )


def _of_event(found: list[Block], number: int) -> bool:
    """A time that stands among the fields of an event."""
    return any(lines.of_event(b.text) for b in (*found[max(0, number - 1) : number], *found[number + 1 : number + 2]))


_FILE = re.compile(r"\.(?:pdf|docx?|xlsx?|ofd|wps|zip)\b", re.I)


def _lonely(block: Block) -> bool:
    """A line that is nothing but a link to somewhere, and not a word of a sentence or a file."""
    return not block.has(cut.TABLE) and not (
        re.search(r"附件|附表|attachment|annex", block.text, re.I)
        or _FILE.search(block.text)
        or any(_FILE.search(a.get("href") or "") for a in elements.links(block.node))
    )


def _cut_after(found: list[Block]) -> list[Block]:
    """End at the first line that closes a text, if little that reads like sentences comes after it."""
    total = sum(b.value for b in found)
    passed = 0
    run: list[int] = []
    for position, block in enumerate(found):
        kind = lines.kind(block.text)
        editor = kind == lines.EDITOR and lines.last_editor(block.text)
        closes = kind in (lines.RIGHTS, lines.OTHER) or editor or lines.ends_text(block.text)
        if (
            closes
            and position
            and not block.has(cut.TABLE)
            and passed >= 0.5 * total
            and total - passed - block.value <= 0.4 * total
        ):
            return found[:position]
        # three such lines with nothing to read between them (neighbours, comments, other articles) end it at any rate
        run = [*run, position] if closes else [] if block.value else run
        if len(run) >= 3 and run[0] and passed >= 0.3 * total:
            return found[: run[0]]
        passed += block.value
    return found


def _sign_off(kept: list[Block]) -> list[Block]:
    """Bylines at the very end go; two of them at most."""
    for _ in range(4):
        if len(kept) > 2 and (lines.signs_off(kept[-1].text) or lines.about_people(kept[-1].text)):
            kept = kept[:-1]
    for position in range(max(0, len(kept) - 2), len(kept)):
        text = lines.without_editor(kept[position].text)
        if text and text != kept[position].text and not kept[position].has(cut.TABLE):
            kept[position] = replace(kept[position], text=text)
    return kept


def flat(text: str) -> str:
    """For comparison of lines: letters and figures only, lower case."""
    return re.sub(r"[\W_]+", "", text).lower()
