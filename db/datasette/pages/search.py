"""Search: the query language with its help, errors with their position, hits with the words that were found."""

from __future__ import annotations

import sqlite3
from typing import Any

from db.datasette import hits, items
from db.datasette.ask import Ask
from db.search import QueryError

SIZE = 25


def build(conn: sqlite3.Connection, ask: Ask) -> dict[str, Any]:
    """The page's values; without a query, the help alone."""
    q = ask.arg("q")
    order = "relevance" if ask.arg("order") == "relevance" else "newest"
    values: dict[str, Any] = {
        "title": ask.t("search_title_of", query=items.text.clip(q, 60)) if q else ask.t("search_title"),
        "q": q, "order": order, "error": None, "total": None, "items": [], "page": 1, "pages": 1, "understood": "",
        "links": {}, "fields": fields(ask),
    }  # fmt: skip
    if not q:
        return values
    try:
        found = hits.of_query(q, ask.site.allowed)
    except QueryError as error:
        return values | {"error": error, "before": q[: error.position], "at": q[error.position : error.position + 1] or " ",
                         "after": q[error.position + 1 :]}  # fmt: skip
    total, page = found.count(conn), ask.page()
    rows = found.page(conn, items.COLUMNS, order, SIZE, (page - 1) * SIZE)
    kept = {"q": q, "order": order if order != "newest" else None}
    return values | {
        "total": total,
        "page": page,
        "pages": max(1, -(-total // SIZE)),
        "items": items.items(conn, ask, rows, found.query),
        "understood": str(found.query),
        "ranked": found.match,
        "links": {name: ask.url(f"/export/search.{name}", **kept) for name in ("csv", "xlsx", "json", "jsonl")},
        "feeds": [
            ("application/atom+xml", "Atom", ask.url("/feed/search.atom", q=q)),
            ("application/feed+json", "JSON Feed", ask.url("/feed/search.json", q=q)),
        ],
    }


def fields(ask: Ask) -> list[tuple[str, list[tuple[str, str]]]]:
    """Fields with few values, and these: (field, [(value, name)])."""
    allowed = ask.site.allowed
    named = {
        "task": [(t.id, ask.name("task", t.id)) for t in ask.site.config.taxonomy.tasks],
        "kind": sorted((v, ask.v("kind", v)) for v in allowed["kind"]),
        "level": [(v, ask.v("level", v)) for v in ("central", "provincial", "municipal", "institution")],
        "lang": [(v, ask.v("language", v)) for v in sorted(allowed["lang"])],
        "measure": [(m.id, ask.name("measure", m.id)) for t in ask.site.config.taxonomy.tasks for m in t.measures],
        "source": sorted((v, ask.name("source", v)) for v in allowed["source"]),
        "industry": sorted((v, ask.name("industry", v)) for v in allowed["industry"]),
        "instrument": sorted((v, ask.name("instrument", v)) for v in allowed["instrument"]),
        "institution": sorted((v, ask.name("institution", v)) for v in allowed["institution"]),
    }
    return list(named.items())
