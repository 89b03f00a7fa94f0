"""Where the next page of a list is: by parameter, by template, or by the pager that stands on the page itself."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, quote, urljoin, urlsplit, urlunsplit

from pipelines.lists.options import option, texts
from pipelines.lists.rows import Reading
from pipelines.lists.selectors import Element, compile_regex, element_text, parse_html, values

PAGE_SIZES = frozenset(("pagesize", "_pagesize", "per_page", "n", "pg", "size", "count", "limit"))
_NEXT = re.compile(r"^(?:下一?页|后一?页|next(?: page)?|older(?: posts)?|[>›»]+)\s*[>›»]*$", re.IGNORECASE)
_IN_CALL = re.compile(r"""['"]([^'"\s]+\.s?html?[^'"\s]*|/[^'"\s]+)['"]""")


def total_pages(reading: Reading, text: str) -> int | None:
    """How many pages the list says it has (`count_regex`, or WordPress's header); None when it does not say."""
    paging = option(reading.source, "paging")
    pattern = option(paging, "count_regex")
    found = compile_regex(str(pattern)).search(text) if pattern else None
    if found is None:
        return None
    digits = found.group(1) if found.groups() else found.group()
    return int(digits) if digits.isdigit() and len(digits) < 7 else None


def next_pages(reading: Reading, text: str) -> list[str]:
    """The address of the page after this one, or nothing when this was the last one to be read."""
    paging, page = option(reading.source, "paging"), reading.page
    if paging is None or not page.rows:
        return []
    number = reading.number + 1
    page.total_pages = page.total_pages or total_pages(reading, text)
    last = reading.max_pages or int(option(paging, "max", 1))
    if number > last or (page.total_pages is not None and number > page.total_pages):
        return []
    if page.total_pages is None and option(paging, "template") is None and _is_short(reading, paging):
        return []
    url = page_url(reading.first_url or reading.url, paging, number) if not _reads_pager(paging) else ""
    if not url and "<" in text:
        url = _pager(reading, text, texts(paging, "next"))
    if not url and option(paging, "template"):
        url = page_url(reading.first_url or reading.url, paging, number)
    return [url] if url and url != reading.url and reading.allowed(url) else []


def _is_short(reading: Reading, paging: Any) -> bool:
    """Whether the page has fewer rows than a page holds (`pageSize=18` in its address, or in the options): it is the last."""
    sizes = [v for name, v in parse_qsl(urlsplit(reading.url).query) if name.lower() in PAGE_SIZES]
    for name, value in dict(option(paging, "params") or {}).items():
        inside = re.search(r'"pageSize"\s*:\s*(\d+)', str(value))
        sizes += [str(value)] if str(name).lower() in PAGE_SIZES else [inside.group(1)] if inside else []
    return any(s.isdigit() and reading.found < int(s) for s in sizes[:1])


def _reads_pager(paging: Any) -> bool:
    """The page is asked first when selectors say so, or when part of the address is known to the page only."""
    return bool(texts(paging, "next")) or "{column_dir}" in str(option(paging, "template", ""))


def page_url(first_url: str, paging: Any, number: int) -> str:
    """The address of page `number` (2, 3 …) computed from the first; `start` is the number that page 2 has."""
    n = int(option(paging, "start", 2)) + (number - 2) * int(option(paging, "step", 1))
    param, params, template = option(paging, "param"), option(paging, "params"), option(paging, "template")
    if param:
        return _with_query(first_url, {str(param): str(n)})
    if params:
        return _with_query(first_url, {str(k): str(v).replace("{n}", str(n)) for k, v in dict(params).items()})
    if not template:
        return ""
    parts = urlsplit(first_url)
    directory = parts.path if "." not in parts.path.rpartition("/")[2] else parts.path.rpartition("/")[0]
    directory = directory.rstrip("/")
    path = str(template).replace("{n}", str(n)).replace("{column_dir}", directory)
    base = urlunsplit((parts.scheme, parts.netloc, directory + "/", "", ""))
    return urljoin(base, path)


def _with_query(url: str, changes: dict[str, str]) -> str:
    """The URL with some parameters set; the others keep their place and spelling."""
    parts = urlsplit(url)
    pieces, left = [], dict(changes)
    for piece in parts.query.split("&") if parts.query else []:
        name = piece.partition("=")[0]
        decoded = next((k for k, _ in parse_qsl(piece, keep_blank_values=True)), name)
        if decoded in left:
            pieces.append(f"{name}={quote(left.pop(decoded), safe='')}")
        elif decoded not in changes:
            pieces.append(piece)
    pieces += [f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in left.items()]
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "&".join(pieces), ""))


def _pager(reading: Reading, text: str, selectors: list[str]) -> str:
    """The link to the next page on this page: by selector, else the link that is called so."""
    root = parse_html(text)
    for value in values(root, selectors, reading.url, text):
        if url := reading.link(value):
            return url
    for anchor in root.iter("a"):
        if _NEXT.match(element_text(anchor)) and (url := _anchor_url(reading, anchor)):
            return url
    return ""


def _anchor_url(reading: Reading, anchor: Element) -> str:
    """An anchor's target; PBoC's anchors have none, the address stands in `tagname` and in the script call."""
    called = _IN_CALL.search(anchor.get("onclick") or "")
    tag = anchor.get("tagname") or ""
    for href in (anchor.get("href") or "", tag if "/" in tag else "", called.group(1) if called else ""):
        if href and (url := reading.link(href)):
            return url
    return ""
