"""`circularwatch sources health`: which source gives news, which has gone silent, since when and why."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from crawler.cli.common import (
    CommandError,
    config_option,
    db_option,
    json_option,
    load_config,
    open_database,
    print_json,
    say,
)


@click.command("health")
@click.argument("ids", nargs=-1, metavar="[SOURCE]...")
@db_option
@config_option
@json_option
@click.option("--trouble", is_flag=True, help="Only sources that somebody should look at.")
def health(ids: tuple[str, ...], db_path: Path | None, config_dir: Path | None, as_json: bool, trouble: bool) -> None:
    """Every source: reached or not, its last news, how long it is usually silent, what is wrong and since when."""
    from crawler.schedule import book
    from db.health import TROUBLE, sources

    config = load_config(config_dir, db_path)
    for name in ids:
        if name not in config.sources:
            from config.errors import hint

            raise CommandError(f"there is no source {name!r}{hint(name, list(config.sources))}")
    opened = open_database(config.settings.database, readonly=True)
    paused = book.paused(opened)
    found = [h for h in sources(opened, datetime.now(UTC)) if not ids or h.source in ids]
    rows = [_row(h, paused.get(h.source)) for h in found]
    if trouble:
        rows = [r for r in rows if (r["state"] in TROUBLE or r["events"]) and not r["paused_at"]]
    if as_json:
        for row in rows:
            print_json(row)
        return
    _show(rows, config.settings.timezone)
    bad = [r for r in rows if r["events"] and not r["paused_at"]]
    if bad:
        say(f"{len(bad)} sources are silent or in trouble: no news from them means nothing")


def _row(h: Any, paused: tuple[str, str] | None) -> dict[str, Any]:
    return {
        "source": h.source, "name": h.name, "state": h.state, "outcome": h.outcome, "reason": h.reason,
        "watched_since": h.watched_since, "last_reached": h.last_reached, "last_tried": h.last_tried,
        "last_new": h.last_new, "usual_gap_h": h.usual_gap_h, "allowed_h": h.allowed_h, "silent_h": h.silent_h,
        "failing_since": h.failing_since, "documents": h.documents, "events": h.events,
        "paused_at": paused[0] if paused else None, "paused_why": paused[1] if paused else "",
    }  # fmt: skip


def _show(rows: list[dict[str, Any]], zone: str) -> None:
    from crawler.cli.tables import print_table
    from crawler.schedule.talk import moment

    shown = []
    for row in rows:
        event = row["events"][0] if row["events"] else None
        state = "paused" if row["paused_at"] else event["kind"] if event else row["state"]
        since = row["paused_at"] or (event["since"] if event else row["failing_since"])
        why = row["paused_why"] if row["paused_at"] else event["reason"] if event else row["reason"]
        shown.append(
            {
                "source": row["source"], "state": state, "since": moment(since, zone), "why": why,
                "last reached": moment(row["last_reached"], zone) or "never", "last news": moment(row["last_new"], zone),
                "usual gap": _hours(row["usual_gap_h"]), "documents": row["documents"],
            }
        )  # fmt: skip
    columns = ("source", "state", "since", "last reached", "last news", "usual gap", "documents", "why")
    print_table(shown, columns, f"health of the sources (times in {zone})", right=("documents", "usual gap"))


def _hours(value: float | None) -> str:
    if value is None:
        return "not known yet"
    return f"{value * 60:.0f} min" if value < 2 else f"{value:.0f} h" if value < 72 else f"{value / 24:.0f} days"
