"""Finds in a document what the crawler still has to fetch for it: its attachments and its next pages. Nothing else is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from pipelines.content import to_text
from pipelines.extract.anypage import pages as anypage
from pipelines.lists import json_paths
from pipelines.lists.options import option, texts
from pipelines.lists.rows import Reading, utc
from pipelines.lists.selectors import Element, compile_regex, element_text, parse_html, select_nodes, values

EXTENSIONS = ("pdf", "ofd", "doc", "docx", "wps", "xls", "xlsx", "et", "zip", "rar")
MOST_ATTACHMENTS = 40  # a circular with annexes has up to a dozen; beyond this it is a download page
_EPOCH = "1970-01-01T00:00:00Z"  # links have no dates: any moment does


@dataclass(frozen=True, slots=True)
class Link:
    """A file that belongs to a document, and the name that the page gives it."""

    url: str
    name: str = ""


@dataclass(slots=True)
class DocumentLinks:
    """What is still to be fetched for a document. `redirect` is where a script would go instead of showing anything."""

    attachments: list[Link] = field(default_factory=list)
    next_pages: list[str] = field(default_factory=list)
    redirect: str = ""
    remarks: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Any]:
        """So that callers may write `attachments, next_pages = document_links(…)`."""
        return iter((self.attachments, self.next_pages))


def document_links(
    body: bytes,
    url: str,
    source: Any,
    *,
    headers: Mapping[str, Any] | None = None,
    said: Mapping[str, Any] | None = None,
) -> DocumentLinks:
    """The links of one document that are to be followed, on allowed hosts only. `body` is without content coding."""
    article = option(source, "article")
    content_type = next((str(v) for k, v in (headers or {}).items() if str(k).lower() == "content-type"), "")
    text = to_text(body, content_type, str(option(source, "encoding", "") or "")).text
    found = _Finder(source, url)
    if option(article, "format") == "json" or text.lstrip("\ufeff \r\n\t")[:1] in ("{", "["):
        found.in_json(text, article, said or {})
    else:
        found.in_html(text, article)
    return found.links


def row_links(attachments: Iterable[Any], url: str, source: Any) -> list[Link]:
    """The files that a list row names, as links to follow."""
    found = _Finder(source, url)
    for item in attachments:
        href, name = (item.get("url", ""), item.get("name", "")) if isinstance(item, Mapping) else (str(item), "")
        found.take(str(href), str(name))
    return found.links.attachments


class _Finder:
    """Collects the links of one document."""

    def __init__(self, source: Any, url: str) -> None:
        self.source, self.url = source, url
        self.reading = Reading(source, None, url, utc(_EPOCH))
        self.links = DocumentLinks()
        self.seen: set[str] = set()
        wanted = texts(source, "attachment_ext") or list(EXTENSIONS)
        self.extensions = tuple("." + e.lower().lstrip(".") for e in wanted)

    def take(self, href: str, name: str = "", base: str | None = None) -> None:
        """Keep a file's address once, if it is on an allowed host."""
        url = _viewed(self.reading.link(href, base or self.url))
        if not url or url in self.seen or url == self.url:
            return
        self.seen.add(url)
        if not self.reading.allowed(url):
            self.links.remarks.append(f"the attachment {url} is on a host that is not in allowed_hosts: left out")
        elif len(self.links.attachments) >= MOST_ATTACHMENTS:
            self.links.remarks.append(f"more than {MOST_ATTACHMENTS} attachments: the rest is left out")
        else:
            self.links.attachments.append(Link(url, name))

    def is_file(self, href: str) -> bool:
        """Whether the address ends like an attachment."""
        try:
            return urlsplit(_viewed(href)).path.lower().endswith(self.extensions)
        except ValueError:
            return False

    def in_html(self, text: str, article: Any) -> None:
        """Configured selectors first, then every file that is linked inside the body."""
        self.redirect(text, article)
        root = parse_html(text)
        anchors = {a.get("href") or "": a for a in root.iter("a")}
        for selector in texts(article, "attachments"):
            for value in values(root, [selector], self.url, text):
                # an iframe or a loose selector may give pages too; only files are attachments
                if self.is_file(value) or "cms_files" in value or "download" in value.lower():
                    self.take(value, _name(anchors[value]) if value in anchors else "")
        nodes, _ = select_nodes(root, texts(article, "body") or ["body"])
        for node in nodes[:1]:
            for href, name in _hrefs(node):
                if self.is_file(href):
                    self.take(href, name)
        following = list(values(root, texts(article, "next_page"), self.url, text))
        if not texts(article, "next_page") and not texts(article, "title"):
            # of a source whose pages are read by evidence, so is where they go on
            following = [f for f in [anypage.following(root, self.url)] if f]
        for value in following:
            url = self.reading.link(value)
            if url and url != self.url and self.reading.allowed(url) and url not in self.links.next_pages:
                self.links.next_pages.append(url)

    def redirect(self, text: str, article: Any) -> None:
        """Where a page that only runs a script would go (old MOFCOM addresses)."""
        pattern = option(article, "js_redirect_regex")
        found = compile_regex(str(pattern)).search(text) if pattern and len(text) < 4000 else None
        url = self.reading.link(found.group(1)) if found and found.groups() else ""
        if url and url != self.url and self.reading.allowed(url):
            self.links.redirect = url

    def in_json(self, text: str, article: Any, said: Mapping[str, Any]) -> None:
        """Files that a JSON answer lists, and those linked in its HTML. The list's copies of the text only if there is none."""
        try:
            data = json_paths.parse_json(text)
        except ValueError:
            self.links.remarks.append("the answer is not JSON: no attachments were looked for")
            return
        root = json_paths.get(data, str(option(article, "root"))) if option(article, "root") else data
        rows = option(article, "attachment_rows")
        if rows is not None:
            base = str(option(rows, "base", "") or self.url)
            for item, _ in json_paths.walk(root, str(option(rows, "path"))):
                self.take(json_paths.text(item, texts(rows, "url")), json_paths.text(item, texts(rows, "name")), base)
        markup = json_paths.raw(root, texts(article, "body_html"))
        tree = parse_html(markup) if markup else None
        if tree is not None:
            for href, name in _hrefs(tree):
                if self.is_file(href):
                    self.take(href, name)
        if tree is None or not element_text(tree):
            for item in said.get("copies") or ():
                if isinstance(item, Mapping):
                    self.take(
                        str(item.get("url", "")),
                        str(item.get("name", "")),
                        str(option(self.source, "base_url", "")) or None,
                    )


def _hrefs(node: Element) -> Iterator[tuple[str, str]]:
    for anchor in node.iter("a"):
        if anchor.get("href"):
            yield anchor.get("href") or "", _name(anchor)
    for frame in node.iter("iframe", "embed", "object"):
        target = frame.get("src") or frame.get("data") or ""
        if target:
            yield target, ""


def _name(anchor: Element) -> str:
    return (element_text(anchor) or anchor.get("title") or "")[:200]


def _viewed(href: str) -> str:
    """The file that a viewer shows (`…/viewer.html?file=/a/b.pdf`), else the address itself."""
    found = re.search(r"[?&](?:file|url|src)=([^&#]+)", href)
    if not found:
        return href
    try:
        target = parse_qs(urlsplit(href).query).get(found.group(0)[1:].partition("=")[0], [""])[0]
        return urljoin(href, target) if re.search(r"\.(?:pdf|ofd|docx?|xlsx?|wps)$", target, re.IGNORECASE) else href
    except ValueError:
        return href
