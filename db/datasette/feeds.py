"""Atom and JSON feeds of a task and of a search: title, one sentence of evidence, link; never a publisher's whole text.

Newest *seen* first: a circular of last month that is found today is news to the subscriber. Formats: RFC 4287 with the
paging links of RFC 5005; JSON Feed 1.1.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from datasette.app import Datasette
from datasette.utils.asgi import Request, Response

from db.datasette import hits, items, text
from db.datasette.ask import Ask, Refused
from db.datasette.exports import asked_hits

SIZE = 100
ATOM = "http://www.w3.org/2005/Atom"
# made of what the document is, not of where this site stands: the same after a move
TAG = "tag:circularwatch.invalid,2024:"


@dataclass(slots=True)
class Entry:
    """One document in a feed."""

    id: str
    title: str
    words: str
    link: str
    original: str
    outlet: str
    published: str
    updated: str
    language: str
    tasks: list[tuple[str, str]]


async def view(datasette: Datasette, request: Request) -> Response:
    """/feed/task/ID.atom?…, /feed/search.json?q=… with the arguments of the page; `page` leads further back."""
    ask = Ask(datasette, request)
    what = request.url_vars["what"]
    try:
        return await ask.file.execute_fn(lambda conn: _feed(conn, ask, what))
    except Refused as refusal:
        return Response.text(str(ask.t(refusal.key, **refusal.places)), status=refusal.status)


def _feed(conn: sqlite3.Connection, ask: Ask, what: str) -> Response:
    found = asked_hits(ask, conn, what)
    total, page = found.count(conn), ask.page()
    rows = found.lately_seen(conn, items.COLUMNS + ", d.published_at", SIZE, (page - 1) * SIZE)
    entries = [_entry(ask, item) for item in items.items(conn, ask, rows, found.query, found.task, found.measure)]
    title = _title(ask, found)
    more = page * SIZE < total
    if ask.request.url_vars["format"] == "json":
        return _json(ask, what, found, title, entries, page, more)
    return _atom(ask, what, found, title, entries, page, more, total)


def _title(ask: Ask, found: hits.Hits) -> str:
    if not found.task:
        return str(ask.t("feed_search", query=text.clip(ask.arg("q"), 120)))
    wanted = [ask.name("task", found.task)]
    wanted += [ask.name("measure", found.measure)] if found.measure else []
    wanted += [text.clip(value, 60) for key, value in found.asked.items() if key != "measure"]
    return "circularwatch: " + " · ".join(wanted)


def _entry(ask: Ask, item: items.Item) -> Entry:
    row = item.row
    seen = _instant(row["first_seen_at"])
    return Entry(
        id=f"{TAG}document/{row['id']}",
        title=text.for_xml(text.title(row["title"])) or "—",
        words=text.for_xml(items.plain_words(item.words)),
        link=ask.absolute(ask.url(f"/document/{row['id']}")),
        original=text.safe_link(row["url"]),
        outlet=text.for_xml(text.clip(row["outlet"] or ask.name("source", row["source"]), 120)),
        published=_instant(row["published_at"]) if row["published_at"] else "",
        updated=seen,
        language=row["language"] or "",
        tasks=item.tasks,
    )


def _instant(value: str) -> str:
    """RFC 3339 with seconds, whatever is stored."""
    return value if len(value) > 10 else f"{value}T00:00:00Z"


def _arguments(ask: Ask) -> dict[str, Any]:
    return {name: ask.request.args.getlist(name) for name in ask.request.args if name not in ("page", "hl")}


def _page_url(ask: Ask, found: hits.Hits) -> str:
    path = f"/task/{found.task}" if found.task else "/search"
    return ask.absolute(ask.url(path, **_arguments(ask)))


def _self(ask: Ask, page: int = 1) -> str:
    return ask.absolute(ask.url(ask.path, **_arguments(ask), page=page if page > 1 else None))


def _id(ask: Ask, what: str) -> str:
    """The same feed has the same id on any host."""
    return TAG + ask.url(f"/feed/{what}/{ask.var('task')}", **_arguments(ask)).lstrip("/")


def _atom(
    ask: Ask, what: str, found: hits.Hits, title: str, entries: list[Entry], page: int, more: bool, total: int
) -> Response:
    ElementTree.register_namespace("", ATOM)
    feed = ElementTree.Element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": ask.lang})

    def add(parent: ElementTree.Element, name: str, value: str = "", **attributes: str) -> ElementTree.Element:
        element = ElementTree.SubElement(parent, f"{{{ATOM}}}{name}", attributes)
        element.text = value or None
        return element

    add(feed, "id", _id(ask, what))
    add(feed, "title", text.for_xml(title))
    add(feed, "subtitle", text.for_xml(ask.t("feed_size", count=total, size=SIZE)))
    add(feed, "updated", max((entry.updated for entry in entries), default="2024-04-16T00:00:00Z"))
    add(feed, "link", rel="self", type="application/atom+xml", href=_self(ask, page))
    add(feed, "link", rel="alternate", type="text/html", href=_page_url(ask, found))
    if more:
        add(feed, "link", rel="next", type="application/atom+xml", href=_self(ask, page + 1))
    if page > 1:
        add(feed, "link", rel="previous", type="application/atom+xml", href=_self(ask, page - 1))
    add(add(feed, "author"), "name", "circularwatch")
    add(feed, "generator", "circularwatch")
    for entry in entries:
        element = add(feed, "entry")
        add(element, "id", entry.id)
        add(element, "title", entry.title)
        add(element, "updated", entry.updated)
        if entry.published:
            add(element, "published", entry.published)
        add(element, "link", rel="alternate", type="text/html", href=entry.link)
        if entry.original:
            add(element, "link", rel="via", type="text/html", href=text.for_xml(entry.original))
        add(add(element, "author"), "name", entry.outlet or "—")
        add(element, "summary", entry.words or entry.title)
        for id_, label in entry.tasks:
            add(element, "category", term=text.for_xml(id_), label=text.for_xml(label))
    body = ElementTree.tostring(feed, encoding="unicode")
    return _answer('<?xml version="1.0" encoding="utf-8"?>\n' + body + "\n", "application/atom+xml; charset=utf-8")


def _json(ask: Ask, what: str, found: hits.Hits, title: str, entries: list[Entry], page: int, more: bool) -> Response:
    feed: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": text.plain(title),
        "home_page_url": _page_url(ask, found),
        "feed_url": _self(ask, page),
        "language": ask.lang,
        "authors": [{"name": "circularwatch"}],
        "items": [
            {
                "id": entry.id,
                "url": entry.link,
                **({"external_url": entry.original} if entry.original else {}),
                "title": entry.title,
                "content_text": entry.words or entry.title,
                **({"date_published": entry.published} if entry.published else {}),
                "date_modified": entry.updated,
                "authors": [{"name": entry.outlet or "—"}],
                "tags": [label for _, label in entry.tasks],
                **({"language": entry.language} if entry.language else {}),
            }
            for entry in entries
        ],
    }
    if more:
        feed["next_url"] = _self(ask, page + 1)
    return _answer(json.dumps(feed, ensure_ascii=False, indent=1) + "\n", "application/feed+json; charset=utf-8")


def _answer(body: str, content_type: str) -> Response:
    return Response(body, headers={"cache-control": "max-age=300"}, content_type=content_type)
