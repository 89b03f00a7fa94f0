"""Reads WordPress: the REST interface's posts, which carry the whole text, or its feed where REST is closed."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from pipelines.content import header
from pipelines.lists import json_paths, list_dates
from pipelines.lists.feed import read_feed
from pipelines.lists.json_paths import as_text, get, parse_json
from pipelines.lists.model import ListPage
from pipelines.lists.options import option
from pipelines.lists.rows import Reading

DEFAULTS = {
    "id": "id", "link": "link", "title": "title.rendered", "published_gmt": "date_gmt", "modified_gmt": "modified_gmt",
    "body_html": "content.rendered", "summary": "excerpt.rendered",
}  # fmt: skip


def read_wordpress(reading: Reading, text: str) -> ListPage:
    """The posts of a REST answer or feed; a REST error is told in its own words, so that a fall-back can be tried."""
    head = text.lstrip("\ufeff \t\r\n")[:1]
    if head == "<":
        reading.max_pages = 1  # `page` is a parameter of REST; the feed is only a way in, not the archive
        return read_feed(reading, text)
    try:
        data = parse_json(text)
    except ValueError:
        return reading.page.fail(
            "unreadable", "the REST interface answers neither JSON nor a feed; it may be switched off"
        )
    if isinstance(data, dict) and "code" in data:
        words = as_text(data.get("message")) or as_text(data.get("code"))
        return reading.page.fail(
            "not-found", f"WordPress answers {data.get('code')} ({words}); its REST interface is closed"
        )
    posts = [p for p in data if isinstance(p, dict)] if isinstance(data, list) else []
    for post in posts:
        _read_post(reading, post)
    total = header(reading.headers, str(option(option(reading.source, "wordpress"), "total_header", "X-WP-TotalPages")))
    if total.isdigit() and len(total) < 7:
        reading.page.total_pages = int(total)
    return reading.finish(len(posts), "the REST answer")


def post_fields(post: dict[str, Any], options: Any) -> dict[str, Any]:
    """What a post says; also for readers of archived posts (`inline`)."""

    def path(name: str) -> str:
        return str(option(options, name, DEFAULTS[name]))

    said: dict[str, Any] = {}
    for name in ("title", "summary", "id"):
        value = as_text(get(post, path(name)))
        if value:
            said[name] = value[:2000]
    author = json_paths.text(post, ["_embedded.author[].name"])
    terms = json_paths.text(post, ["_embedded.wp:term[].[].name"])
    said.update({k: v for k, v in (("author", author), ("category", terms)) if v})
    body = get(post, path("body_html"))
    if isinstance(body, str) and body.strip():
        said["body_html"] = body
    return said


def _read_post(reading: Reading, post: dict[str, Any]) -> None:
    options = option(reading.source, "wordpress")
    said = post_fields(post, options)
    stamp = as_text(get(post, str(option(options, "published_gmt", DEFAULTS["published_gmt"]))))
    local = as_text(post.get("date"))
    moment = list_dates.read(stamp, ["%Y-%m-%dT%H:%M:%S"], UTC, reading.now) if stamp else None
    if moment is not None and moment.at:
        # read as UTC, then told as a civil date of the source's zone
        reading.dated(said, [moment.at])
        said["published_raw"] = stamp
    else:
        reading.dated(said, [local or stamp])
    modified = as_text(get(post, str(option(options, "modified_gmt", DEFAULTS["modified_gmt"]))))
    changed = list_dates.read(modified, ["%Y-%m-%dT%H:%M:%S"], UTC, reading.now) if modified else None
    if changed is not None and changed.at:
        said["modified_at"] = changed.at
    body = said.pop("body_html", "")
    reading.add(
        reading.link(as_text(get(post, str(option(options, "link", DEFAULTS["link"]))))), said, post if body else None
    )
