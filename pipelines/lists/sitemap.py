"""Reads sitemaps: plain and news sitemaps, indexes of sitemaps, gzip-packed ones."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from pipelines.content import ContentError, decompress
from pipelines.lists.feed import local_name, parse_xml
from pipelines.lists.model import ListPage
from pipelines.lists.options import option, texts
from pipelines.lists.rows import Reading
from pipelines.lists.selectors import Element, squeeze, strip_tags

MOST_SITEMAPS = 3  # the newest ones of an index; an archive index has hundreds, back to the site's first day


def unpack(body: bytes) -> bytes:
    """The bytes of a sitemap that is a gzip file whatever its headers say; other bytes as they are."""
    if body[:2] != b"\x1f\x8b":
        return body
    try:
        return decompress(body, "gzip")[0]
    except ContentError:
        return body


def read_sitemap(reading: Reading, text: str) -> ListPage:
    """The pages of a sitemap, or the sitemaps of an index as `next_urls`."""
    head = text.lstrip("\ufeff \t\r\n")[:300].lower()
    if head.startswith(("<!doctype html", "<html")):
        return reading.page.fail(
            "unreadable", "the sitemap's address answers with an HTML page: it was moved or closed"
        )
    root = parse_xml(text)
    if root is None:
        return reading.page.fail("unreadable", "the sitemap's address does not answer XML")
    entries = [e for e in root.iter() if local_name(e) in ("url", "sitemap")]
    indexed = [e for e in entries if local_name(e) == "sitemap"]
    if indexed:
        return _read_index(reading, indexed)
    oldest = reading.now - timedelta(days=int(option(option(reading.source, "sitemap"), "max_age_days", 0) or 0))
    for entry in entries:
        _read_entry(reading, entry, oldest.astimezone(reading.tz).date().isoformat() if oldest < reading.now else "")
    return reading.finish(len(entries), "`url`")


def _read_index(reading: Reading, entries: list[Element]) -> ListPage:
    follow = [re.compile(p) for p in texts(option(reading.source, "sitemap"), "follow")]
    dated = []
    for position, entry in enumerate(entries):
        url = reading.link(_find(entry, "loc"))
        if url and reading.allowed(url) and url != reading.url and (not follow or any(p.search(url) for p in follow)):
            moment = reading.moment([_find(entry, "lastmod")])
            dated.append((moment.on if moment else "", -position, url))
    dated.sort(reverse=True)
    reading.page.next_urls = [url for _, _, url in dated[: len(dated) if follow else MOST_SITEMAPS]]
    if not dated:
        reading.page.fail(
            "empty-list", f"the sitemap index names {len(entries)} sitemaps, none of them on an allowed host"
        )
    return reading.page


def _read_entry(reading: Reading, entry: Element, oldest: str) -> None:
    said: dict[str, Any] = {}
    values = {
        "title": strip_tags(_find(entry, "title")), "outlet": _find(entry, "name"), "category": _find(entry, "keywords")[:500],
    }  # fmt: skip
    said.update({k: v for k, v in values.items() if v})
    reading.dated(said, [_find(entry, "publication_date"), _find(entry, "lastmod")])
    if oldest and said.get("published_on", oldest) < oldest:
        reading.dropped["older than max_age_days"] += 1
        return
    reading.add(reading.link(_find(entry, "loc")), said, merge=True)


def _find(entry: Element, name: str) -> str:
    """The text of the first element of that name below; image and video extensions have titles of their own."""
    for child in entry.iter():
        if local_name(child) == name and not any(w in str(child.tag) for w in ("sitemap-image", "sitemap-video")):
            return squeeze("".join(child.itertext()))
    return ""
