"""Asks a page for values with the selector strings of `sources.yaml`: CSS by default, `xpath:`, `re:`, `re_url:`.

A list of selectors means "the first that gives a non-empty value". `::text` gives all the text of the first element that
has any (headlines are cut in pieces by `<br>` and `<span>`), `::attr(x)` an attribute. Compiled once per string.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, TypeAlias

from lxml import etree
from parsel.csstranslator import HTMLTranslator

# lxml comes without type hints
Node: TypeAlias = Any
_TRANSLATOR = HTMLTranslator()
_PSEUDO = re.compile(r"^(?P<css>.*?)\s*::(?:(?P<text>text)|attr\((?P<attr>[\w:-]+)\))\s*$", re.S)
_SPACE = re.compile(r"[\s\u00a0\u3000]+")
_INVISIBLE = {"script", "style", "noscript", "template"}
# a link or a cell has a few elements inside
_MOST_INSIDE = 60
_ARTEFACT = re.compile(
    r"(?<=[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef])[ \t]*[\r\n][\s]*(?=[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef])"
)


def squeeze(text: str) -> str:
    """White space of any kind to single blanks; line breaks between Chinese characters (layout of the source) vanish."""
    return _SPACE.sub(" ", _ARTEFACT.sub("", text)).strip()


def text_of(node: Node) -> str:
    """Visible text of an element and its children, squeezed."""
    if not any(isinstance(child.tag, str) for child in node):
        return squeeze(node.text or "")
    parts: list[str] = []
    _collect(node, parts)
    return squeeze("".join(parts))


def short_text(node: Node) -> str:
    """The text of a cell or a link; "" for one that holds more elements than these have. Broken pages put thousands of
    them inside each other, and each would cost a walk over all the others."""
    if len(node) >= 12 or sum(1 for _ in islice(node.iterdescendants(), _MOST_INSIDE + 1)) > _MOST_INSIDE:
        return ""
    return text_of(node)


def _collect(node: Node, parts: list[str]) -> None:
    for event, element in etree.iterwalk(node, events=("start", "end", "comment", "pi")):
        if event == "start":
            if element.tag not in _INVISIBLE and element.text:
                parts.append(element.text)
            if element.tag == "br":
                parts.append(" ")
        if event != "start" and element is not node and element.tail:
            parts.append(element.tail)


class Selector:
    """One compiled selector string. `values(page, node)` yields strings, `nodes(page, node)` elements."""

    __slots__ = ("attr", "kind", "pattern", "raw", "xpath")

    def __init__(self, raw: str) -> None:
        self.raw, self.attr = raw, ""
        self.pattern: re.Pattern[str] | None = None
        self.xpath: etree.XPath | None = None
        if raw.startswith("re_url:") or raw.startswith("re:"):
            self.kind, _, pattern = raw.partition(":")
            self.pattern = re.compile(pattern)
            return
        if raw.startswith("xpath:"):
            self.kind, self.xpath = "xpath", etree.XPath(raw[6:])
            return
        self.kind = "css"
        match = _PSEUDO.match(raw)
        css = match.group("css") if match else raw
        self.attr = "" if match is None else "text()" if match.group("text") else match.group("attr")
        self.xpath = etree.XPath(_TRANSLATOR.css_to_xpath(css)) if css else None

    def nodes(self, root: Node) -> list[Node]:
        """Elements that a CSS or XPath selector finds, in document order."""
        if self.kind not in ("css", "xpath"):
            return []
        found = [root] if self.xpath is None else self.xpath(root)
        return [n for n in found if isinstance(n, etree._Element)] if isinstance(found, list) else []

    def values(self, root: Node, text: str = "", url: str = "") -> Iterator[str]:
        """Every value, squeezed, empty ones left out. `text` is the page's source for `re:`, `url` for `re_url:`."""
        if self.pattern is not None:
            for match in self.pattern.finditer(url if self.kind == "re_url" else text):
                value = squeeze(
                    "".join(g or "" for g in match.groups())
                    if len(match.groups()) > 1
                    else match.group(1)
                    if match.groups()
                    else match.group()
                )
                if value:
                    yield value
            return
        found: Any = [root] if self.xpath is None else self.xpath(root)
        for item in found if isinstance(found, list) else [found]:
            if isinstance(item, etree._Element):
                value = item.get(self.attr, "") if self.attr not in ("", "text()") else text_of(item)
            else:
                value = str(item)
            value = squeeze(value)
            if value:
                yield value


@lru_cache(maxsize=4096)
def compiled(raw: str) -> Selector:
    """The selector of a string, compiled once in each process. Raises on a broken selector (config checks them at load)."""
    return Selector(raw)


def strings(value: Any) -> list[str]:
    """Selector strings of a configured value: a string, a list, or compiled objects that keep their `raw` string."""
    if value is None or value == "":
        return []
    items: Iterable[Any] = value if isinstance(value, list | tuple) else [value]
    return [i if isinstance(i, str) else str(getattr(i, "raw", i)) for i in items]


def first(selectors: Iterable[str], root: Node, text: str = "", url: str = "") -> str:
    """The first non-empty value of the first selector that gives one; "" if none does."""
    for raw in selectors:
        for value in compiled(raw).values(root, text, url):
            return value
    return ""


def every(selectors: Iterable[str], root: Node, text: str = "", url: str = "") -> list[str]:
    """All values of all selectors, in order, without repeats (attachments: each selector names one kind of file)."""
    found: dict[str, None] = {}
    for raw in selectors:
        for value in compiled(raw).values(root, text, url):
            found.setdefault(value)
    return list(found)
