"""Reads feeds: RSS 0.9 to 2.0, Atom and JSON Feed, also those with links without scheme, odd date tags and broken XML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree

from pipelines.lists.json_paths import parse_json
from pipelines.lists.model import ListPage
from pipelines.lists.options import option, texts
from pipelines.lists.rows import Reading
from pipelines.lists.selectors import Element, squeeze, strip_tags

DATE_TAGS = (
    "pubDate",
    "published",
    "issued",
    "date",
    "pubTime",
    "pubdate",
    "created",
    "updated",
    "modified",
    "lastBuildDate",
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
# what XML does not know and feeds use all the same; & that begins nothing is taken literally
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)")
_HOST_FIRST = re.compile(r"^(?:[\w-]+\.)+[a-z]{2,}(?:/|$)", re.IGNORECASE)


def parse_xml(text: str) -> Element | None:
    """The root of an XML text, mended where it is broken; None when there is no XML in it. Entities are not expanded."""
    text = _ENTITY.sub("&amp;", _CONTROL.sub("", _DECLARATION.sub("", text.lstrip("\ufeff"))))
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False)
    try:
        root = etree.fromstring(text.strip().encode("utf-8"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return root


def read_feed(reading: Reading, text: str) -> ListPage:
    """The entries of a feed; HTML in its place is an outcome (closed feeds answer with a page and status 200)."""
    head = text.lstrip("\ufeff \t\r\n")[:300].lower()
    if head.startswith(("{", "[")):
        return _json_feed(reading, text)
    if head.startswith(("<!doctype html", "<html")):
        return reading.page.fail(
            "unreadable", "the feed's address answers with an HTML page: the feed was closed or moved"
        )
    root = parse_xml(text)
    if root is None:
        return reading.page.fail("unreadable", "the feed's address answers neither XML nor a JSON Feed")
    entries = [e for e in root.iter() if local_name(e) in ("item", "entry")]
    for entry in entries:
        _read_entry(reading, entry)
    return reading.finish(len(entries), "`item` or `entry`")


def local_name(element: Element) -> str:
    """The name of an element without its namespace; an empty string for comments."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _children(entry: Element, *names: str) -> Iterator[Element]:
    """Children by name, in the order of the names; those of the feed's own vocabulary before extensions' (media:title)."""
    for name in names:
        found = [c for c in entry if local_name(c) == name]
        found.sort(key=lambda c: "media" in str(c.tag) or "itunes" in str(c.tag))
        yield from found


def _text(entry: Element, *names: str) -> str:
    for child in _children(entry, *names):
        value = "".join(child.itertext()) if len(child) == 0 else _inner(child)
        if value.strip():
            return value
    return ""


def _inner(element: Element) -> str:
    """Text and markup below an element (Atom's `type="xhtml"`)."""
    parts = [element.text or ""]
    parts += [etree.tostring(c, encoding="unicode") for c in element]
    return "".join(parts)


def _links(entry: Element) -> Iterator[str]:
    links = list(_children(entry, "link"))
    for link in links:
        if link.get("rel", "alternate") == "alternate" and link.get("href"):
            yield link.get("href") or ""
    for link in links:
        yield (link.text or "").strip()
    for guid in _children(entry, "guid", "id"):
        value = (guid.text or "").strip()
        if guid.get("isPermaLink", "true") != "false" and (value.startswith("http") or _HOST_FIRST.match(value)):
            yield value
    about = entry.get("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about")
    if about:
        yield about


def _read_entry(reading: Reading, entry: Element) -> None:
    options = option(reading.source, "feed")
    said: dict[str, Any] = {}
    values = {
        "title": strip_tags(_text(entry, "title")),
        "summary": strip_tags(_text(entry, "description", "summary"))[:2000],
        "author": strip_tags(_author(entry)),
        "category": " ".join(dict.fromkeys(filter(None, (squeeze(c.text or c.get("term") or "") for c in _children(entry, "category"))))),
        "outlet": strip_tags(_text(entry, "source")),
    }  # fmt: skip
    said.update({k: v for k, v in values.items() if v})
    tags = [*texts(options, "date_tags"), *DATE_TAGS]
    reading.dated(said, [squeeze(_text(entry, tag)) for tag in dict.fromkeys(tags)])
    if option(options, "title_may_be_truncated"):
        said["title_may_be_truncated"] = True
    url = next((u for u in (feed_link(reading, v) for v in _links(entry)) if u), "")
    content = _text(entry, "encoded", "content")
    reading.add(url, said, _inline(reading, said, url, content), merge=True)


def _author(entry: Element) -> str:
    for author in _children(entry, "author", "creator"):
        name = _text(author, "name") or "".join(author.itertext())
        if name.strip():
            return name
    return ""


def _inline(reading: Reading, said: dict[str, Any], url: str, content: str) -> dict[str, Any] | None:
    """The entry as a whole document: WordPress feeds carry the text, and of some sources only the feed may be read."""
    if option(option(reading.source, "article"), "skip") or (content and option(reading.source, "kind") == "wordpress"):
        return {**{k: v for k, v in said.items() if k != "position"}, "link": url, "content_html": content}
    return None


def feed_link(reading: Reading, href: str) -> str:
    """An entry's link; without a scheme (`www.pbc.gov.cn/…`) it is a host, not a path."""
    href = squeeze(href)
    if _HOST_FIRST.match(href):
        prefix = str(option(option(reading.source, "feed"), "link_prefix", "") or "https://")
        href = prefix + href
    return reading.link(href)


def _json_feed(reading: Reading, text: str) -> ListPage:
    try:
        data = parse_json(text)
    except ValueError:
        return reading.page.fail("unreadable", "the feed's address answers something that only looks like JSON")
    entries = data.get("items") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        return reading.page.fail("unreadable", "the feed's address answers JSON that is not a JSON Feed (no `items`)")
    for entry in entries:
        if isinstance(entry, dict):
            _read_json_entry(reading, entry)
    return reading.finish(len(entries), "`items`")


def _read_json_entry(reading: Reading, entry: dict[str, Any]) -> None:
    def text(name: str) -> str:
        value = entry.get(name)
        return value if isinstance(value, str) else ""

    listed = entry.get("authors")
    authors = [entry.get("author"), *(listed if isinstance(listed, list) else [])]
    names = [str(a.get("name", "")) for a in authors if isinstance(a, dict)]
    tags = entry.get("tags")
    values = {
        "title": strip_tags(text("title")), "summary": strip_tags(text("summary"))[:2000], "author": " ".join(filter(None, names)),
        "category": " ".join(str(t) for t in tags) if isinstance(tags, list) else "", "id": str(entry.get("id", "") or ""),
    }  # fmt: skip
    said: dict[str, Any] = {k: v for k, v in values.items() if v}
    reading.dated(said, [text("date_published"), text("date_modified")])
    url = next((u for u in (feed_link(reading, text(n)) for n in ("url", "external_url", "id") if text(n)) if u), "")
    content = text("content_html") or text("content_text")
    reading.add(url, said, _inline(reading, said, url, content), merge=True)
