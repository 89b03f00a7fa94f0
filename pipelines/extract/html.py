"""Reads one page by the selectors of its source into a draft; what they leave open is asked of the page's own metas.

The body is handed on as markup, `pipelines.clean` makes it text. Everything here costs a parse and a few XPath searches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from lxml import etree, html

from pipelines import furniture
from pipelines.extract import fallback, labels, links
from pipelines.extract.draft import Draft
from pipelines.extract.select import compiled, first, squeeze, text_of
from pipelines.extract.tree import markup, parse


@lru_cache(maxsize=1024)
def regex(pattern: str) -> re.Pattern[str]:
    """A compiled pattern of the configuration (checked at load)."""
    return re.compile(pattern)


def cut(text: str, patterns: Iterable[str]) -> str:
    """The text without what the patterns match."""
    for pattern in patterns:
        text = regex(pattern).sub("", text)
    return text.strip()


def read(text: str, url: str, source: Any) -> Draft:
    """A draft of a page of a configured source."""
    root = parse(text)
    return read_tree(root, text, url, source)


def read_tree(root: html.HtmlElement, text: str, url: str, source: Any) -> Draft:
    """The same for a page that was parsed already; the tree is changed (parts are taken out of the body)."""
    options = source.article
    metas = fallback.metas(root)
    base = base_url(root, url)
    draft = Draft(url=url)
    draft.labels = _labels(root, text, options)
    # where the page has a table of the document's own data, its title is the official one; headings may be the site's
    official = draft.labels.get("title", "") if options.label_table is not None else ""
    draft.title = (
        official or cut(first(options.title, root, text, url), options.title_strip) or draft.labels.get("title", "")
    )
    draft.published = _dates(root, text, url, options)
    draft.written = first(options.written, root, text, url) or draft.labels.get("written", "")
    draft.modified = first(options.modified, root, text, url)
    draft.author = cut(first(options.author, root, text, url), options.author_strip)
    draft.outlet = cut(first(options.source, root, text, url), options.source_strip) or draft.labels.get("source", "")
    draft.category = first(options.category, root, text, url) or draft.labels.get("category", "")
    draft.doc_number = first(options.doc_number, root, text, url) or draft.labels.get("doc_number", "")
    draft.index_number = first(options.index_number, root, text, url) or draft.labels.get("index_number", "")
    draft.doc_kind = draft.labels.get("doc_kind", "")
    issuer = first(options.issuer, root, text, url) or draft.labels.get("issuer", "")
    draft.issuers = [issuer] if issuer else []
    draft.paywalled = any(compiled(s).nodes(root) for s in options.paywall_markers)
    body = find_body(root, options.body)
    _attach(draft, root, body, base, source)
    fallback.complete(draft, root, text, metas, body, authors=source.type in ("media", "aggregator"))
    draft.selected = body is not None
    if body is None:
        body = fallback.known_body(root, draft.title)
    if body is not None:
        draft.body = body_markup(body, options.remove)
    return draft


def base_url(root: html.HtmlElement, url: str) -> str:
    """What relative addresses are joined to: `<base href>` if there is one."""
    for node in root.iter("base"):
        href = node.get("href", "")
        if href:
            return links.absolute(href, url) or url
    return url


def _labels(root: html.HtmlElement, text: str, options: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    table = options.label_table
    if table is not None:
        labels.without(root, table.exclude)
        rows = [node for raw in table.rows for node in compiled(raw).nodes(root)]
        found = labels.read(rows, table.labels)
    if any(mark in text for mark in labels.MARKS):
        for name, value in labels.read(fallback.label_places(root)).items():
            found.setdefault(name, value)
    return found


def _dates(root: html.HtmlElement, text: str, url: str, options: Any) -> list[str]:
    """The first value of each selector, in order: a later one may tell the minute of the same day."""
    found = []
    for raw in options.published:
        for value in compiled(raw).values(root, text, url):
            value = cut(value, options.date_strip)
            if value and value not in found:
                found.append(value)
            break
    return found


def find_body(root: html.HtmlElement, selectors: Iterable[str]) -> html.HtmlElement | None:
    """The first element, in the order of the selectors, that holds any text, table or frame."""
    empty: html.HtmlElement | None = None
    for raw in selectors:
        for node in compiled(raw).nodes(root):
            if len(text_of(node)) >= 2:
                return node
            if empty is None:
                empty = node
    return empty


def body_markup(body: html.HtmlElement, remove: Iterable[str] = ()) -> str:
    """The markup of a body without the elements that the source says are no text."""
    for raw in remove:
        for node in compiled(raw).nodes(body):
            if node is not body and node.getparent() is not None:
                node.drop_tree()
    thin(body)
    return markup(body)


# elements that only paint letters; the text that `clean` makes is the same without them, at half the cost
_PAINT = ("span", "font", "b", "strong", "em", "i", "u", "o:p", "st1", "big", "small")


def thin(body: html.HtmlElement) -> None:
    """Dissolve the paint of word processors; an element that is hidden or has a name stays, for `clean` looks at these."""
    for node in body.iter("span", "font"):
        attributes = node.attrib
        if "class" in attributes or "id" in attributes or "hidden" in attributes or ":" in attributes.get("style", ""):
            named = furniture.matters(attributes)
            if named:
                node.tag = "x-span"
    etree.strip_tags(body, *_PAINT)


def _attach(draft: Draft, root: html.HtmlElement, body: html.HtmlElement | None, base: str, source: Any) -> None:
    """Files by the source's selectors, then those linked inside the body and in the usual boxes of attachments."""
    endings = source.attachment_ext
    found = links.configured(root, source.article.attachments, base, endings)
    for place in ([body] if body is not None else []) + fallback.attachment_boxes(root):
        found += links.in_element(place, base, endings)
    seen: dict[str, None] = {}
    draft.attachments = [a for a in found if not (a.url in seen or seen.setdefault(a.url))]


def next_body(text: str, url: str, source: Any) -> tuple[str, list[Any]]:
    """Body markup and files of a further page of a document."""
    root = parse(text)
    options = source.article
    body = find_body(root, options.body)
    if body is None:
        body = fallback.known_body(root, "")
    if body is None:
        return "", []
    return body_markup(body, options.remove), links.in_element(body, base_url(root, url), source.attachment_ext)


def shown(text: str) -> str:
    """Text of a piece of markup in one line (titles inside JSON hold tags)."""
    if "<" not in text and "&" not in text:
        return squeeze(text)
    return text_of(parse(f"<html><body><div>{text}</div></body></html>"))
