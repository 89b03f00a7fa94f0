"""What elements of HTML mean for reading: which are never text, which stand within a line, which are boxes beside the text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from pipelines.extract.anypage import names

# lxml comes without type hints
Element: TypeAlias = Any

SKIP = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "iframe",
        "object",
        "embed",
        "svg",
        "math",
        "canvas",
        "audio",
        "video",
        "select",
        "textarea",
        "head",
        "title",
        "meta",
        "link",
        "rt",
        "rp",
        "map",
        "area",
        "option",
        "datalist",
    ]
)
INLINE = frozenset(
    [
        "a",
        "abbr",
        "acronym",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "label",
        "mark",
        "q",
        "ruby",
        "rb",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "tt",
        "u",
        "var",
        "time",
        "wbr",
        "o:p",
        "st1",
        "nobr",
        "center-inline",
        "button",
        "input",
        "img",
        "br",
    ]
)
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


def ancestors(node: Element, most: int = 80) -> Iterator[Element]:
    """The elements around one, innermost first, at most so many."""
    for _ in range(most):
        node = node.getparent()
        if node is None:
            return
        yield node
