"""Finds where a text goes on that a site cuts into several pages."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

_NEXT = re.compile(
    r"^[\s\[【<(]*(?:下一?页|下页|后一?页|余下全文|阅读余下全文|next(?: page)?|older|2|[»>›]{1,2})[\s\]】>)»›]*$", re.I
)
# a list of pages and not a single number in the text has at least a 2 or a "next" whose address is made from the page's own
_SUFFIX = re.compile(r"^[-_/]?(?:p|page|part)?[-_=]?(\d{1,3})$")
_MOST_LINKS = 3000
# the remark on a text that goes on elsewhere; the address of the next page follows
ONE_OF_SEVERAL = "this is one of several pages of the text; the next is"


def following(root: Any, url: str) -> str:
    """The address of the page after this one, "" where the text is whole: a link `下一页` or `2` to this address with a number.

    `root` is the page's tree."""
    if not url.startswith("http"):
        url = ""
    stem = _stem(url)
    for number, node in enumerate(root.iter("a")):
        if number > _MOST_LINKS:
            break
        href = node.get("href") or ""
        if not href or href.startswith(("#", "javascript:")) or len(href) > 500:
            continue
        shown = " ".join("".join(node.itertext()).split())[:20]
        if not _NEXT.match(shown):
            continue
        if target := _next(stem, url, href):
            return target
    for node in root.iter("link"):
        if (node.get("rel") or "").lower() == "next" and (target := _next(stem, url, node.get("href") or "")):
            return target
    return ""


def _next(stem: str, url: str, href: str) -> str:
    """Where a link leads, if it leads to the page after this one; "" where it does not, or is no address."""
    try:
        target = urljoin(url, href)
    except ValueError:
        return ""
    return target if _goes_on(stem, _stem(target)) else ""


def _stem(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return unquote(re.sub(r"\.(?:s?html?|php|aspx?|jsp)$", "", parts.path)) + (f"?{parts.query}" if parts.query else "")


def _goes_on(stem: str, other: str) -> bool:
    """Whether one address is the other with the number of a page behind it, or the next number."""
    if not stem or not other or stem == other:
        return False
    if other.startswith(stem):
        found = _SUFFIX.match(other[len(stem) :].lstrip("?&"))
        return found is not None and 2 <= int(found.group(1)) <= 99
    mine, theirs = re.search(r"^(.*?[-_])(\d{1,3})$", stem), re.search(r"^(.*?[-_])(\d{1,3})$", other)
    return bool(
        mine
        and theirs
        and mine.group(1) == theirs.group(1)
        and int(theirs.group(2)) == int(mine.group(2)) + 1
        and int(mine.group(2)) < 60
    )
