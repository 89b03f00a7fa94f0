"""What each source is doing as far as the schedule goes: running, waiting, paused, off, or idle until it is due."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from crawler.schedule import book, plan
from crawler.spiders.refusal import refusal
from db.health import instant


def rows_of(
    opened: Database, config: Any, live: dict[str, Any] | None, now: datetime, only: Collection[str] = ()
) -> list[dict[str, Any]]:
    """One dict per source: source, every, state, why, next_at, last_at, last, planned_at of the last crawl."""
    conn = opened.conn
    paused = book.paused(opened)
    known = {
        source: (next_at, queued_at)
        for source, next_at, queued_at in conn.execute("select source, next_at, queued_at from schedule").fetchall()
    }
    running = dict(
        conn.execute(
            "select source, max(started_at) from source_runs where state = 'running' group by source"
        ).fetchall()
    )
    rows = []
    for name, source in config.sources.items():
        if only and name not in only:
            continue
        how = plan.timing(source, (live or {}).get("every_s"))
        next_at, queued_at = known.get(name, (None, None))
        off = refusal(source, named=False)
        state, why = "idle", ""
        if name in running:
            state = "running"
        elif off:
            state, why = "off", source.note or off
        elif name in paused:
            state, why = "paused", paused[name][1]
        elif queued_at:
            state, why = "waiting", "for a free place"
        elif live and next_at and instant(next_at) <= now:
            state = "due"
        last = conn.execute(
            "select started_at, planned_at, state, outcome, reason, new from source_runs where source = ? and state != 'running' "
            "order by started_at desc, id desc limit 1",
            (name,),
        ).fetchone()
        rows.append(
            {
                "source": name, "every": how.words(), "state": state, "why": why,
                "next_at": next_at if live and not off and name not in paused else None,
                "running_since": running.get(name),
                "paused_at": paused[name][0] if name in paused else None,
                "last_at": last[0] if last else None, "planned_at": last[1] if last else None, "last": _ended(last),
            }
        )  # fmt: skip
    return rows


def _ended(last: Any) -> str:
    if last is None:
        return "never crawled"
    _, _, state, outcome, reason, new = last
    if state == "done" and outcome in ("ok", "unchanged", ""):
        return f"done, {new} new"
    said = f"{state}, {outcome}" if outcome not in ("", state) else state
    return f"{said}: {reason}" if reason else said
