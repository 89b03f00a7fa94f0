"""Finds the files that belong to a document: their absolute addresses and the names that people see."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from lxml import html

from db.documents import Attachment
from pipelines.extract.select import compiled, short_text

EXTENSIONS = (
    "pdf",
    "ofd",
    "doc",
    "docx",
    "wps",
    "xls",
    "xlsx",
    "et",
    "ppt",
    "pptx",
    "zip",
    "rar",
    "7z",
    "csv",
    "rtf",
    "ceb",
    "caj",
)
_FILE = re.compile(r"\.(" + "|".join(EXTENSIONS) + r")$", re.I)
_VIEWER = ("file", "url", "src", "path", "filename", "filepath")
_GENERIC_NAMES = re.compile(
    r"^(?:点击|下载|下载图片版|下载文字版|附件|查看|download|pdf|word|here|点此|详见)[\s\d:：.]*$", re.I
)


# what browsers and servers take for an address is shorter; longer ones are not remembered
_LONGEST_REMEMBERED = 2000


def absolute(href: str, base: str) -> str:
    """An absolute http(s) address without fragment; "" for what is none. Blanks and Chinese characters stay as they are."""
    href = href.strip().replace("\\", "/")
    if not href or href[:12].lower().startswith(("javascript:", "mailto:", "tel:", "data:", "#", "about:")):
        return ""
    return (_joined if len(href) <= _LONGEST_REMEMBERED else _joined.__wrapped__)(href, base)


@lru_cache(maxsize=4096)
def _joined(href: str, base: str) -> str:
    try:
        url = urljoin(base, href).split("#", 1)[0]
        parts = urlsplit(url)
    except ValueError:
        return ""
    if base and (parts.scheme not in ("http", "https") or not parts.netloc):
        return ""
    return url


def extension(url: str) -> str:
    """The file name ending of an address ("" if it is not that of a file), also inside viewers' `?file=` parameters."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    match = _FILE.search(unquote(parts.path).rstrip())
    if match:
        return match.group(1).lower()
    for key, value in parse_qsl(parts.query):
        if key.lower() in _VIEWER:
            match = _FILE.search(value.split("?", 1)[0].strip())
            if match:
                return match.group(1).lower()
    return ""


def target(url: str, base: str) -> str:
    """The file behind a viewer's address (`viewer.html?file=/x/y.pdf`), else the address itself."""
    parts = urlsplit(url)
    if not _FILE.search(unquote(parts.path)):
        for key, value in parse_qsl(parts.query):
            if key.lower() in _VIEWER and _FILE.search(value.split("?", 1)[0].strip()):
                return absolute(value, url) or url
    return url


def filename(url: str, shown: str = "", title: str = "") -> str:
    """The name of a file for people: what the link says unless it says only "download", else the address's last part."""
    last = unquote(posixpath.basename(urlsplit(url).path))
    ending = extension(url)
    name = " ".join((shown or "").split())
    if not name or _GENERIC_NAMES.match(name) or len(name) > 150:
        name = last or title
    if ending and not name.lower().endswith("." + ending):
        name = f"{name}.{ending}"
    return name


def in_element(node: html.HtmlElement, base: str, endings: Iterable[str] = ()) -> list[Attachment]:
    """Files that are linked, framed or embedded in an element, each once, in order."""
    wanted = {e.lower().lstrip(".") for e in endings} | set(EXTENSIONS)
    found: dict[str, Attachment] = {}
    for child in node.iter("a", "iframe", "embed", "object"):
        href = child.get("href") or child.get("src") or child.get("data") or ""
        url = absolute(href, base)
        if not url or extension(url) not in wanted:
            continue
        url = target(url, base)
        if url in found:
            continue
        shown = child.get("download") or short_text(child) or child.get("title") or ""
        if _GENERIC_NAMES.match(shown) and child.get("title"):
            shown = child.get("title", "")
        found[url] = Attachment(url=url, filename=filename(url, shown))
    return list(found.values())


def configured(
    root: html.HtmlElement, selectors: Iterable[str], base: str, endings: Iterable[str] = ()
) -> list[Attachment]:
    """Files that the source's selectors find (`a[href$=".pdf"]::attr(href)`); all selectors count.

    Iframes and links without a file's ending are taken only if their path looks like a file store.
    """
    found: dict[str, Attachment] = {}
    wanted = {e.lower().lstrip(".") for e in endings} | set(EXTENSIONS)
    for raw in selectors:
        selector = compiled(raw)
        for node in selector.nodes(root):
            href = node.get(selector.attr or "href") or node.get("href") or node.get("src") or ""
            url = absolute(href, base)
            if not url or extension(url) not in wanted:
                continue
            url = target(url, base)
            if url in found:
                continue
            shown = node.get("download") or short_text(node) or node.get("title") or ""
            found[url] = Attachment(url=url, filename=filename(url, shown, node.get("title", "")))
    return list(found.values())
