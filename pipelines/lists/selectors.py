"""Runs the selectors of sources.yaml on a page: CSS by default, `xpath:`, `re:` (on the markup), `re_url:` (on the URL).

lxml is used directly, with compiled expressions, because a list page asks the same five questions of every row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, TypeAlias, cast

import lxml.html
from lxml import etree
from parsel.csstranslator import HTMLTranslator

Element: TypeAlias = etree._Element
# all white space except U+3000, which Chinese titles use on purpose between their halves
_SPACE = re.compile(r"(?:[^\S\u3000]|[\u00a0\u200b\ufeff])+")
# libxml2 2.14 ends the tree at the first </html>, and real gov.cn pages have one in the middle
_CLOSERS = re.compile(r"</\s*(?:html|body)\s*>", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_EXSLT = {"re": "http://exslt.org/regular-expressions"}


class SelectorError(ValueError):
    """A selector that cannot be compiled; the message holds the selector and what is wrong with it."""


def parse_html(text: str) -> Element:
    """A tree of any text, however broken; stray `</html>` and control characters do not cut it short."""
    text = _CONTROL.sub(" ", _CLOSERS.sub("", text))
    if not text.strip():
        text = "<html></html>"
    # bytes, so that a false <?xml encoding?> or meta cannot make lxml refuse or re-read it
    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=False, no_network=True)
    try:
        tree = lxml.html.document_fromstring(text.encode("utf-8"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, AssertionError):
        tree = lxml.html.document_fromstring(b"<html></html>")
    return cast(Element, tree)


def squeeze(text: str) -> str:
    """Text with every run of white space (no-break ones too) as one blank, ends trimmed."""
    return _SPACE.sub(" ", text).strip(" \u3000")


_TEXT_NODES = etree.XPath("descendant::text()[not(parent::script or parent::style)]", smart_strings=False)


def element_text(node: Element) -> str:
    """All text under an element without script, style and comments, squeezed."""
    return squeeze("".join(_TEXT_NODES(node)))


def strip_tags(markup: str) -> str:
    """The text of a value that may hold markup (`<em>`, `<a ng-href=…>`, `&amp;`), squeezed."""
    if "<" not in markup and "&" not in markup:
        return squeeze(markup)
    return element_text(parse_html(f"<div>{markup}</div>"))


@lru_cache(maxsize=2048)
def css_to_xpath(css: str) -> str:
    """CSS as XPath. `:has(> a > span)` is translated here: cssselect 1.3 gets the first form wrong and refuses longer ones."""
    predicates: list[str] = []
    while (at := css.find(":has(")) >= 0:
        depth, end = 1, at + 5
        while end < len(css) and depth:
            depth += {"(": 1, ")": -1}.get(css[end], 0)
            end += 1
        if depth:
            raise SelectorError(f"{css!r}: ':has(' is never closed")
        inner, axis = css[at + 5 : end - 1].strip(), "descendant::"
        for sign, path in ((">", "./"), ("+", "following-sibling::*[1]/self::"), ("~", "following-sibling::")):
            if inner.startswith(sign):
                inner, axis = inner[1:].strip(), path
        predicates.append(HTMLTranslator().css_to_xpath(inner, prefix=axis))
        css = f"{css[:at]}[cwhas{len(predicates) - 1}]{css[end:]}"
    try:
        path = HTMLTranslator().css_to_xpath(css)
    except Exception as error:  # cssselect raises SelectorSyntaxError, ExpressionError and plain SyntaxError
        raise SelectorError(f"{css!r} is not a CSS selector: {error}") from error
    for number, predicate in enumerate(predicates):
        path = path.replace(f"@cwhas{number}", f"({predicate})")
    return path


@lru_cache(maxsize=2048)
def compile_xpath(path: str) -> etree.XPath:
    """A compiled XPath with EXSLT regular expressions; SelectorError names what is wrong."""
    try:
        return etree.XPath(path, namespaces=_EXSLT, regexp=True, smart_strings=False)
    except etree.XPathSyntaxError as error:
        raise SelectorError(f"{path!r} is not an XPath: {error}") from error


@lru_cache(maxsize=512)
def compile_regex(pattern: str) -> re.Pattern[str]:
    """A compiled pattern; SelectorError names what is wrong."""
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error as error:
        raise SelectorError(f"{pattern!r} is not a regular expression: {error}") from error


@lru_cache(maxsize=2048)
def _plan(selector: str) -> tuple[str, Any, str]:
    """How to run a selector: (what: nodes|text|strings|joined|regex|url, compiled, attribute)."""
    if selector.startswith("re_url:"):
        return "url", compile_regex(selector[7:]), ""
    if selector.startswith("re:"):
        return "regex", compile_regex(selector[3:]), ""
    if selector.startswith("xpath:"):
        path = selector[6:].strip()
        return ("joined" if path.endswith("//text()") else "strings"), compile_xpath(path), ""
    css, part, attribute = selector.strip(), "nodes", ""
    if css.endswith("::text"):
        css, part = css[:-6], "text"
    elif (found := re.search(r"::attr\(\s*([\w:-]+)\s*\)$", css)) is not None:
        css, part, attribute = css[: found.start()], "attr", found.group(1)
    if (
        not css.strip()
    ):  # "::attr(href)" asks the item itself; but "the first of itself and what is below" is what works
        return part, compile_xpath("descendant-or-self::*" if part == "attr" else "self::*"), attribute
    return part, compile_xpath(css_to_xpath(css.strip())), attribute


def check_selector(selector: str) -> None:
    """Raise SelectorError when the selector cannot be run."""
    _plan(selector)


def select_nodes(root: Element, selectors: Iterable[str]) -> tuple[list[Element], str]:
    """The elements of the first selector that finds any, and that selector."""
    for selector in selectors:
        what, compiled, _ = _plan(selector)
        if what in ("regex", "url"):
            continue
        found = compiled(root)
        nodes = [n for n in found if isinstance(n, etree._Element)] if isinstance(found, list) else []
        if nodes:
            return nodes, selector
    return [], ""


def values(node: Element | None, selectors: Iterable[str], url: str = "", markup: str | None = None) -> Iterator[str]:
    """Every non-empty value of the selectors in their order. `markup` is what `re:` searches (else the node itself)."""
    for selector in selectors:
        what, compiled, attribute = _plan(selector)
        if what == "url":
            yield from _matches(compiled, url)
        elif what == "regex":
            text = markup if markup is not None else outer_html(node)
            yield from _matches(compiled, text)
        elif node is not None:
            for value in _results(what, compiled(node), attribute):
                if value:
                    yield value


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    for match in pattern.finditer(text):
        groups = [g for g in match.groups() if g is not None]
        value = squeeze("-".join(groups) if groups else match.group())
        if value:
            yield value


def _results(what: str, found: Any, attribute: str) -> Iterator[str]:
    if not isinstance(found, list):
        yield squeeze(str(found))
    elif what == "attr":
        yield from (squeeze(n.get(attribute) or "") for n in found if isinstance(n, etree._Element))
    elif what == "joined":
        yield squeeze("".join(str(v) for v in found))
    else:
        for value in found:
            yield element_text(value) if isinstance(value, etree._Element) else squeeze(str(value))


def first(node: Element | None, selectors: Iterable[str], url: str = "", markup: str | None = None) -> str:
    """The first non-empty value, or an empty string."""
    return next(values(node, selectors, url, markup), "")


def outer_html(node: Element | None) -> str:
    """The markup of an element without what follows it."""
    if node is None:
        return ""
    return cast(str, etree.tostring(node, encoding="unicode", method="html", with_tail=False))
