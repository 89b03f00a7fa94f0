"""Sources: which is read, which is silent or refuses, since when and why; and one source with its lists and runs."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from typing import Any

from db import health
from db.datasette import text
from db.datasette.ask import Ask, Refused, house

DAYS = 21
RUNS = 40


def build(conn: sqlite3.Connection, ask: Ask) -> dict[str, Any]:
    """The page's values."""
    found = health.sources(house(conn), ask.site.now())
    today = ask.site.now().date()
    counts: dict[str, int] = {}
    for h in found:
        counts[h.state] = counts.get(h.state, 0) + 1
    return {
        "title": ask.t("sources_title"),
        "sources": [h for h in found if h.enabled],
        "off": [h for h in found if not h.enabled],
        "counts": counts,
        "days": [(today - timedelta(days=n)).isoformat() for n in reversed(range(DAYS))],
        "watch": health.watch(found, today, DAYS),
        "order": [*health.TROUBLE, "paused", "fine"],
    }


def build_one(conn: sqlite3.Connection, ask: Ask) -> dict[str, Any]:
    """One source."""
    id_ = ask.var("source")
    now = ask.site.now()
    found = health.sources(house(conn), now, only=id_)
    if not found:
        raise Refused(404, "no_source", source=text.clip(id_, 60))
    one = found[0]
    runs = conn.execute(
        "select * from source_runs where source = ? order by started_at desc limit ?", (id_, RUNS)
    ).fetchall()
    waiting = dict(
        conn.execute("select state, count(*) from entries where source = ? group by state", (id_,)).fetchall()
    )
    return {
        "title": one.name,
        "one": one,
        "days": [(now.date() - timedelta(days=n)).isoformat() for n in reversed(range(84))],
        "gaps": list(reversed(health.gaps(one, now.date()))),
        "runs": [(run, failures(run["failures"])) for run in runs],
        "lists": conn.execute("select * from lists where source = ? order by section, url", (id_,)).fetchall(),
        "entries": waiting,
        "events": one.events,
    }


def failures(stored: str) -> list[dict[str, str]]:
    """The failures of a run, bounded for display; the table holds all of them."""
    try:
        found = json.loads(stored)
    except ValueError:
        return []
    return [f for f in found if isinstance(f, dict)][:50]
