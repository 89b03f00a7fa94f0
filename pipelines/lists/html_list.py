"""Reads lists that are HTML: static pages, and HTML that stands inside a JSON answer (`html_path`)."""

from __future__ import annotations

from typing import Any

from pipelines.lists.model import ListPage
from pipelines.lists.options import option, texts
from pipelines.lists.rows import Reading
from pipelines.lists.selectors import Element, first, outer_html, parse_html, select_nodes, values

# said name -> option name, for the plain text fields of a row
FIELDS = {
    "subtitle": "subtitle", "summary": "summary", "outlet": "source", "author": "author", "issuer": "issuer",
    "doc_number": "doc_number", "index_number": "index_number", "category": "category",
}  # fmt: skip


def read_html(reading: Reading, text: str) -> ListPage:
    """The rows of an HTML list; selectors that give nothing are an outcome, not an exception."""
    root = parse_html(text)
    base = first(root, ["base::attr(href)"])
    base_url = reading.link(base) if base else ""
    items = texts(reading.options, "items")
    nodes, _ = select_nodes(root, items)
    for node in nodes:
        _read_node(reading, node, base_url or reading.url)
    return reading.finish(len(nodes), f"`items` ({' or '.join(items) or 'not set'})")


def _read_node(reading: Reading, node: Element, base: str) -> None:
    options = reading.options
    link = texts(options, "link") or ["::attr(href)"]
    url = next((u for u in (reading.link(v, base) for v in values(node, link)) if u), "")
    said: dict[str, Any] = {}
    title = _title(node, texts(options, "title") or ["::attr(title)", "::text"])
    if title:
        said["title"] = title
    for name, option_name in FIELDS.items():
        value = first(node, texts(options, option_name), url)
        if value:
            said[name] = value[:2000]
    published = texts(options, "published")
    if published:
        reading.dated(said, values(node, published, url, outer_html(node) if _searches(published) else ""))
    if option(options, "external_link") and url and not reading.allowed(url):
        said["external_url"] = url
    reading.add(url, said, {"title": title, "link": url} if "external_url" in said else None, merge=True)


def _title(node: Element, selectors: list[str]) -> str:
    """The first title; one that the page cut with dots gives way to a longer value that begins alike."""
    found = list(dict.fromkeys(values(node, selectors)))
    if not found:
        return ""
    title = found[0]
    stem = title.rstrip(".…").rstrip()
    if stem != title:
        title = next((v for v in found[1:] if v.startswith(stem) and len(v) > len(stem)), title)
    return title


def _searches(selectors: list[str]) -> bool:
    return any(s.startswith("re:") for s in selectors)
