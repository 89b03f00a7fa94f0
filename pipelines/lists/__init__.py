"""Reads what a list says: bytes of a list page -> rows, with all that the list tells of each. Pure: no HTTP, no clock.

`read_list` takes every kind that sources.yaml knows (html-list, json-api, wordpress, feed, sitemap). It never raises on
what a site may answer: what cannot be read is an outcome with a reason in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pipelines.content import to_text
from pipelines.lists.feed import read_feed
from pipelines.lists.html_list import read_html
from pipelines.lists.json_api import read_json, row_fields
from pipelines.lists.model import ListPage, Row
from pipelines.lists.options import option
from pipelines.lists.paging import next_pages, page_url
from pipelines.lists.rows import Reading, entry_key, host_allowed, utc
from pipelines.lists.sitemap import read_sitemap, unpack
from pipelines.lists.wordpress import post_fields, read_wordpress

__all__ = ["ListPage", "Row", "entry_key", "host_allowed", "inline_fields", "page_url", "read_list"]

READERS = {
    "html-list": read_html, "json-api": read_json, "wordpress": read_wordpress, "feed": read_feed, "sitemap": read_sitemap,
}  # fmt: skip


def read_list(
    body: bytes,
    url: str,
    source: Any,
    list_config: Any,
    now: datetime | str,
    *,
    headers: Mapping[str, Any] | None = None,
    page: int = 1,
    first_url: str = "",
    max_pages: int | None = None,
) -> ListPage:
    """The rows of one list page.

    `body` is the page as bytes without content coding; `url` where it came from; `list_config` the entry of the
    source's `lists`; `now` the instant of the fetch (no later date is believed). `page` is the number of this page
    (1 = first), `first_url` the address of the first one, `max_pages` overrides the source's `paging.max` (back-fill).
    """
    text = to_text(unpack(body), _content_type(headers), str(option(source, "encoding", "") or "")).text
    kind, options = _kind_and_options(source, list_config)
    reading = Reading(source, list_config, url, utc(now), options, number=page, first_url=first_url or url)
    reading.max_pages, reading.headers = max_pages, dict(headers or {})
    try:
        listed = READERS[kind](reading, text)
        listed.next_urls = listed.next_urls or next_pages(reading, text)
    except RecursionError:
        listed = reading.page.fail("unreadable", "the list is nested too deeply to be read")
    return listed


def _kind_and_options(source: Any, list_config: Any) -> tuple[str, Any]:
    kind = str(option(source, "kind", "html-list"))
    if option(list_config, "xhr_json"):
        return "json-api", option(source, "xhr_list")
    return kind, option(source, "list", option(source, "list_options", {}))


def _content_type(headers: Mapping[str, Any] | None) -> str:
    for name, value in (headers or {}).items():
        if str(name).lower() == "content-type":
            return value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return ""


def inline_fields(row: Mapping[str, Any], source: Any, list_config: Any = None) -> dict[str, Any]:
    """The fields of an archived row that carries its document: those of `said` plus `body_html` and `attachments`."""
    if "content_html" in row:
        return {**row, "body_html": row["content_html"]}
    if option(source, "kind") == "wordpress":
        return post_fields(dict(row), option(source, "wordpress"))
    return row_fields(dict(row), _kind_and_options(source, list_config)[1])
