"""What elements of HTML mean for reading: which are never text, which stand within a line, which are boxes beside the text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeAlias

from lxml import etree

from pipelines.extract.anypage import names

# lxml comes without type hints
Element: TypeAlias = Any

SKIP = frozenset((
    "script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "math", "canvas", "audio",
    "video", "select", "textarea", "head", "title", "meta", "link", "rt", "rp", "map", "area", "option", "datalist",
))  # fmt: skip
INLINE = frozenset((
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i",
    "ins", "kbd", "label", "mark", "q", "ruby", "rb", "s", "samp", "small", "span", "strike", "strong", "sub",
    "sup", "tt", "u", "var", "time", "wbr", "o:p", "st1", "nobr", "center-inline", "button", "input", "img", "br",
))  # fmt: skip
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
SEMANTIC_BOX = {
    "nav": names.BOX,
    "footer": names.FOOT | names.BOX,
    "aside": names.BOX,
    "form": 0,
    "button": names.BOX,
    "fieldset": 0,
}
ROLES = {
    "navigation": names.BOX,
    "complementary": names.BOX,
    "contentinfo": names.FOOT | names.BOX,
    "search": names.BOX,
    "dialog": names.BOX,
    "alert": names.BOX,
}


def deeper(root: Element, levels: int) -> bool:
    """Whether elements stand in each other on more than so many levels."""
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > levels:
            return True
    return False


def ancestors(node: Element, most: int = 80) -> Iterator[Element]:
    """The elements around one, innermost first, at most so many."""
    for _ in range(most):
        node = node.getparent()
        if node is None:
            return
        yield node


# an element in which single lines are looked at holds some links; a list of thousands would be walked for each of its lines
_MOST_LINKS = 60


def links(node: Element) -> Iterator[Element]:
    """The first links in an element."""
    return islice(node.iter("a"), _MOST_LINKS)


def text(node: Element, most: int, joint: str = "") -> str:
    """The first characters of the text of an element, without walking through the rest of it."""
    parts: list[str] = []
    size = 0
    for part in node.itertext():
        parts.append(part[:most])
        size += len(part)
        if size >= most:
            break
    return joint.join(parts)[:most]
