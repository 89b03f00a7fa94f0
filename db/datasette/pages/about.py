"""About: what is watched and since when, how to read the pages, what the words and figures mean, and the tables."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import Any

from db import health
from db.datasette.ask import Ask, house
from db.datasette.pages.home import MONTH, all_gaps


def build(conn: sqlite3.Connection, ask: Ask) -> dict[str, Any]:
    """The page's values."""
    found = health.sources(house(conn), ask.site.now())
    today = ask.site.now().date()
    by_type: dict[str, list[health.Health]] = {}
    for h in sorted(found, key=lambda h: h.source):
        by_type.setdefault(h.type, []).append(h)
    tables = ask.datasette.metadata("databases")["circularwatch"]["tables"]
    return {
        "title": ask.t("about_title"),
        "by_type": by_type,
        "watch": health.watch(found, today, MONTH),
        "gaps": all_gaps(found, ask),
        "month_from": (today - timedelta(days=MONTH - 1)).isoformat(),
        "circular": ask.site.config.taxonomy.circular,
        "zone": str(ask.site.config.settings.timezone),
        "tables": [(name, table) for name, table in tables.items() if not table.get("hidden")],
        "documents": conn.execute("select count(*) from search_rows").fetchone()[0],
    }
