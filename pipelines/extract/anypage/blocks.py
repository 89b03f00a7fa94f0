"""Cuts a page into blocks of text in the order in which people read them, and remembers which blocks each element holds.

One walk over the tree, without recursion and with a bound on its length: everything that the other modules ask of a page
(how many characters of links are in this box, what stands before the headline) is a sum over a range of blocks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, TypeAlias

from lxml import etree

from pipelines.extract.anypage import elements, lines, names
from pipelines.extract.anypage.elements import HEADINGS, INLINE, ROLES, SEMANTIC_BOX, SKIP
from pipelines.extract.select import squeeze
from pipelines.extract.tree import mend

# lxml comes without type hints
Element: TypeAlias = Any

# a page of more markup than this is cut: news pages stay under 2 MB, the largest annexes in HTML under 8 MB
MOST_MARKUP = 8_000_000
# elements and blocks beyond these are left unread: no page for people holds as many
MOST_ELEMENTS = 150_000
MOST_BLOCKS = 30_000

# flags of a block beyond those of `names`
HEADING, TABLE, AFTER_IMAGE, QUOTE, LIST, SERIES, PRE = 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16

_SENTENCE_ZH = re.compile(r"[，。！？；、：…”]")
_STOPS = re.compile(r"[。！？；]|[.!?][\"”’']?(?:\s|$)")
_SENTENCE_EN = re.compile(r"[a-z\d)\"”’][,;:.!?][\"”’]?(?:\s|$)|\s[–—-]\s")

# not weighed together: there may be more comments than text
_SURE_BOX = names.COMMENT | names.FOOT
_DATED_DATA = re.compile(r"data-[\w-]*(?:time|date)[\w-]*$")
# pieces of text before a link that are looked at: a line may hold a hundred thousand links
_LOOKED_BACK = 8
_RUN_OF_TAGS = re.compile(r"(?:<[A-Za-z][^<>]{0,200}>\s{0,20}){200,}")


@dataclass(slots=True, eq=False)
class Block:
    """A line of text: what it says, the block element it stands in, how much of it is links, and what is known of its place."""

    text: str
    node: Element
    order: int
    flags: int = 0
    linked: int = 0
    #: characters outside links when the block reads like sentences, else 0
    value: int = 0
    boxes: tuple[int, ...] = ()
    row: int = 0
    #: the same with a blank wherever an inline element begins or ends (`<span>来源</span><span>新华社</span>`)
    spaced: str = ""

    @property
    def plain(self) -> int:
        """Characters outside links."""
        return len(self.text) - self.linked

    def has(self, flag: int) -> bool:
        return bool(self.flags & flag)


@dataclass(slots=True, eq=False)
class Box:
    """An element whose name says that it holds no text: its flags and its range of blocks."""

    flags: int
    start: int
    end: int = -1
    word: str = ""


@dataclass(slots=True)
class Page:
    """A page as blocks. `spans` gives each block element's range of blocks (start, end)."""

    root: Element
    #: the markup as it was parsed
    text: str
    blocks: list[Block] = field(default_factory=list)
    hidden: list[Block] = field(default_factory=list)
    spans: dict[Element, tuple[int, int]] = field(default_factory=dict)
    boxes: list[Box] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    #: elements that are made for a date, with the block that begins there
    stamped: list[tuple[Element, int]] = field(default_factory=list)
    #: boxes that publishing systems make for the files of a document
    file_boxes: list[Element] = field(default_factory=list)
    cut: bool = False
    chinese: bool = False
    listed: bool = False
    _values: list[int] = field(default_factory=list)

    def value(self, start: int, end: int) -> int:
        """Characters of sentences in a range of blocks that no box was found to hold."""
        return self._values[end] - self._values[start]

    def weigh(self) -> None:
        """Decide which of the boxes are boxes: one that holds most of the page's sentences is its text."""
        sums = list(accumulate((b.value for b in self.blocks), initial=0))
        total = max(1, sums[-1])
        text = self._without_comments(sums)
        # a text in pieces, each in a box of one make (page builders do so), is weighed as a whole; nested ones count once
        together: dict[str, int] = {}
        ends: dict[str, int] = {}
        for box in self.boxes:
            if box.start >= ends.get(box.word, 0):
                together[box.word] = together.get(box.word, 0) + sums[box.end] - sums[box.start]
                ends[box.word] = box.end
        flags: list[int] = []
        for box in self.boxes:
            held = sums[box.end] - sums[box.start]
            share = held / total if box.flags & _SURE_BOX else max(held, together[box.word]) / text
            most = 0.85 if box.flags & _SURE_BOX else 0.4
            flags.append(box.flags & (names.BOX | _SURE_BOX) if share < most else 0)
        for block in self.blocks:
            for number in block.boxes:
                block.flags |= flags[number]
        self.weigh_again()

    def _without_comments(self, sums: list[int]) -> int:
        """Sentences outside comments: however much is said under a short text, the box that holds it grows no smaller."""
        said, end = 0, 0
        for box in self.boxes:
            if box.flags & names.COMMENT and box.start >= end:
                said, end = said + sums[box.end] - sums[box.start], box.end
        return max(1, sums[-1] - said if said < 0.85 * sums[-1] else sums[-1])

    def weigh_again(self) -> None:
        """Sum up anew after blocks were found to be of a box."""
        self._values = list(accumulate((0 if b.has(names.BOX) else b.value for b in self.blocks), initial=0))


def read(text: str) -> Page:
    """The blocks of a page's markup."""
    cut = len(text) > MOST_MARKUP
    text = mend(text[:MOST_MARKUP])
    page = Page(parse(text), text, cut=cut)
    _Walk(page).run()
    if not page.blocks and not page.hidden and len(text) > 10_000:
        # deeper than the parser goes: runs of opening tags stand for one
        flatter = _RUN_OF_TAGS.sub("<div>", text)
        if len(flatter) < len(text):
            page = Page(parse(flatter), flatter, cut=True)
            _Walk(page).run()
    letters = sum(len(b.text) for b in page.blocks[:2000])
    ideographs = sum(len(re.findall(r"[\u4e00-\u9fff]", b.text)) for b in page.blocks[:2000])
    page.chinese = ideographs > 0.2 * letters
    page.weigh()
    return page


def parse(text: str) -> Element:
    """The tree without comments; an empty page for text that holds no markup. Never raises on soup."""
    parser = etree.HTMLParser(
        encoding="utf-8", huge_tree=True, remove_pis=True, remove_comments=True, default_doctype=False
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser) if text.strip() else None
    except etree.LxmlError:  # nothing but blanks, comments or control characters
        root = None
    return etree.fromstring("<html><head></head><body></body></html>", etree.HTMLParser()) if root is None else root


def value_of(text: str, linked: int) -> int:
    """Characters outside links if the text reads like sentences, 0 for headlines, menus, buttons and links."""
    plain = len(text) - linked
    if plain < 12 or linked > 0.6 * len(text):
        return 0
    if re.search(r"[\u4e00-\u9fff\u3040-\u30ff]", text):
        marks = len(_SENTENCE_ZH.findall(text))
        if marks and (plain >= 28 or _STOPS.search(text)):
            return min(plain, 3000)
        return 0
    if plain >= 40 and text.count(" ") >= 6 and _SENTENCE_EN.search(text):
        return min(plain, 3000) * 2 // 5
    return 0


class _Walk:
    """The walk itself: open blocks, inherited flags and unfinished text."""

    def __init__(self, page: Page) -> None:
        self.page = page
        sheets = [n.text or "" for n in page.root.iter("style")][:40]
        self.sheet = names.hidden_by_sheet("\n".join(sheets))
        self.parts: list[str] = []
        self.linked = 0
        self.link_depth = 0
        self.link_start = 0
        self.flags: list[int] = [0]
        self.nodes: list[Element] = [page.root]
        self.open_boxes: list[int] = []
        self.after_image = False
        self.out_of_sight = 0
        self.hidden_roots = 0
        self.on_ground = 0
        self.rows = 0

    def run(self) -> None:
        count = 0
        walk = etree.iterwalk(self.page.root, events=("start", "end"))
        # what was opened for an element, undone when it closes
        undo: dict[Element, list[tuple[str, int]]] = {}
        for event, node in walk:
            tag = node.tag
            if not isinstance(tag, str):
                continue
            if event == "start":
                count += 1
                if tag in SKIP:
                    if tag == "script" and node.text and len(self.page.scripts) < 200:
                        self.page.scripts.append(node.text)
                    if tag != "head":
                        walk.skip_subtree()
                    continue
                if count > MOST_ELEMENTS or len(self.page.blocks) > MOST_BLOCKS:
                    self.page.cut = True
                    break
                steps = self._open(node, tag)
                if steps:
                    undo[node] = steps
                if node.text:
                    self._text(node.text)
            else:
                if tag not in SKIP:
                    for step, start in reversed(undo.pop(node, ())):
                        self._undo(step, node, start)
                if node.tail:
                    self._text(node.tail)
        self._flush()
        end = len(self.page.blocks)
        for node, steps in undo.items():
            for step, start in steps:
                if step == "block":
                    self.page.spans[node] = (start, end)
        for box in self.page.boxes:
            box.end = end if box.end < 0 else box.end

    def _open(self, node: Element, tag: str) -> list[tuple[str, int]]:
        if tag == "br":
            self._flush()
            return []
        if tag in ("img", "picture"):
            if len("".join(self.parts)) > 40:
                self._flush()
            self.after_image = True
            return []
        steps: list[tuple[str, int]] = []
        flags = self._sight(node, steps)
        if tag not in INLINE:
            self._flush()
            start = len(self.page.blocks)
            self.nodes.append(node)
            self.flags.append(self._inherit(node, tag, flags))
            steps.append(("block", start))
        if flags & names.BOX and (tag not in INLINE or flags & names.COMMENT):
            self._flush()
            self.open_boxes.append(len(self.page.boxes))
            word = names.box_word(f"{node.get('class') or ''} {node.get('id') or ''}") or str(tag)
            self.page.boxes.append(Box(flags, len(self.page.blocks), word=word))
            steps.append(("box", len(self.page.boxes) - 1))
        if tag == "a" and node.get("href") is not None:
            self.link_depth += 1
            self.link_start = len(self.parts)
            steps.append(("link", self.linked))
        return steps

    def _sight(self, node: Element, steps: list[tuple[str, int]]) -> int:
        """Flags of an element by its attributes; notes when it takes its contents out of sight."""
        attributes = node.attrib
        flags = 0
        if not attributes:
            return SEMANTIC_BOX.get(node.tag, 0)
        if "itemprop" in attributes or node.tag == "time" or any(_DATED_DATA.match(a) for a in attributes):
            self.page.stamped.append((node, len(self.page.blocks)))
        identity, classes = attributes.get("id", ""), attributes.get("class", "")
        if identity or classes:
            # not of headings inside each other: the text of each would be all that they hold
            alone = node.tag in HEADINGS and not any(n.tag in HEADINGS for n in elements.ancestors(node, 8))
            heading = elements.text(node, names.MOST_OF_HEADING) if alone else ""
            flags = names.kind(names.said(classes, identity, heading))
            if flags & names.FILES:
                self.page.file_boxes.append(node)
        flags |= SEMANTIC_BOX.get(node.tag, 0) | ROLES.get(attributes.get("role", ""), 0)
        if node.tag in ("body", "html", "main") or attributes.get("itemprop") == "articleBody":
            flags &= ~(names.BOX | names.COMMENT | names.FOOT | names.HIDE)
        style = attributes.get("style", "")
        unseen = "hidden" in attributes or bool(flags & names.HIDE)
        if not unseen and self.sheet and (identity or classes):
            unseen = f"#{identity}" in self.sheet or any(f".{c}" in self.sheet for c in classes.split())
        if style and not unseen:
            unseen = names.hiding(style) or (names.white(style) and not self.on_ground)
        if (style and names.ground(style)) or "bgcolor" in attributes:
            self.on_ground += 1
            steps.append(("ground", 0))
        if unseen and node.tag not in ("body", "html"):
            self._flush()
            self.out_of_sight += 1
            self.hidden_roots += self.out_of_sight == 1
            steps.append(("sight", 0))
        return flags

    def _inherit(self, node: Element, tag: str, flags: int) -> int:
        kept = self.flags[-1] & ~(names.META | names.TITLE | HEADING | names.TEXT)
        kept |= flags & (names.CAPTION | names.META | names.TITLE | names.PICTURE)
        if tag in HEADINGS:
            kept |= HEADING
        elif tag == "figcaption":
            kept |= names.CAPTION
        elif tag in ("td", "th"):
            kept |= TABLE
        elif tag == "tr":
            self.rows += 1
        elif tag == "blockquote":
            kept |= QUOTE
        elif tag in ("li", "dd", "dt"):
            kept |= LIST
        elif tag == "pre":
            kept |= PRE
        return kept

    def _undo(self, step: str, node: Element, start: int) -> None:
        if step == "link":
            self.link_depth -= 1
            self._drop_button(start)
        elif step == "ground":
            self.on_ground -= 1
        elif step == "sight":
            self._flush()
            self.out_of_sight -= 1
        elif step == "box":
            self._flush()
            self.page.boxes[start].end = len(self.page.blocks)
            self.open_boxes.pop()
        else:
            self._flush()
            self.nodes.pop()
            self.flags.pop()
            self.page.spans[node] = (start, len(self.page.blocks))

    def _drop_button(self, linked: int) -> None:
        """Take back a link that is a button (`查看更多`) at the end of a line that says something else."""
        if 0 < self.link_start < len(self.parts):
            shown = squeeze("".join(self.parts[self.link_start :]))
            # `on Twitter or Facebook` goes on; a button stands behind a sentence's end
            before = "".join(self.parts[max(0, self.link_start - _LOOKED_BACK) : self.link_start]).rstrip()
            goes_on = re.match(r"[A-Za-z,(]", before[-1:])
            if not goes_on and 2 <= len(shown) <= 40 and lines.kind(shown) == lines.BUTTON:
                del self.parts[self.link_start :]
                self.linked = linked

    def _text(self, text: str) -> None:
        if self.link_depth:
            self.linked += len(text.strip())
        self.parts.append(text)

    def _flush(self) -> None:
        if not self.parts:
            return
        text = squeeze("".join(self.parts))
        linked = min(self.linked, len(text))
        spaced = squeeze(" ".join(self.parts)) if len(self.parts) > 1 and len(text) < 300 else text
        self.parts.clear()
        # a link that began in another line has no place in this one
        self.linked = self.link_start = 0
        if not text:
            return
        flags = self.flags[-1] | (AFTER_IMAGE if self.after_image else 0)
        if self.after_image and flags & names.PICTURE and len(text) <= 120:
            flags |= names.CAPTION
        node, order, value = self.nodes[-1], len(self.page.blocks), value_of(text, linked)
        if self.out_of_sight:
            roots = (self.hidden_roots,)
            self.page.hidden.append(
                Block(text, node, order, flags | names.HIDE, linked, value, roots, self.rows, spaced)
            )
            return
        block = Block(text, node, order, flags, linked, value, tuple(self.open_boxes[-8:]), self.rows, spaced)
        self.after_image = False
        self.page.blocks.append(block)
