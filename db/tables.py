"""Brings the tables `sources` and `tasks` in line with the configuration, so that rows can point at them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from sqlite_utils import Database

from db.connection import immediate
from db.journal import dumps
from db.runs import now

_SOURCE: tuple[str, ...] = (
    *("id", "name", "kind", "type", "language", "certainty", "enabled", "base_url", "interval_min", "lists"),
    *("newest_max_age_h", "min_items", "note"),
)
_TASK: tuple[str, ...] = (
    *("id", "parent", "position", "zh", "en", "status", "description_zh", "description_en", "confidence"),
    *("seed_quote", "provisional"),
)


def sync(database: Database, config: Any) -> None:
    """Write the sources and tasks of a configuration; what is no longer configured stays, as disabled or retired.

    Without a change nothing is written, so every command may call it.
    """
    sources = [source_row(s) for s in config.sources.values()]
    tasks = [row for i, t in enumerate(config.taxonomy.tasks) for row in task_rows(t, i)]
    with immediate(database) as conn:
        _merge(conn, "sources", _SOURCE, sources, stamp=True)
        _merge(conn, "tasks", _TASK, tasks)
        ids = {s["id"] for s in sources}
        for (gone,) in conn.execute("select id from sources where enabled = 1").fetchall():
            if gone not in ids:
                conn.execute("update sources set enabled = 0, updated_at = ? where id = ?", (now(), gone))
        kept = {t["id"] for t in tasks}
        for (gone,) in conn.execute("select id from tasks where status != 'retired'").fetchall():
            if gone not in kept:
                conn.execute("update tasks set status = 'retired' where id = ?", (gone,))


def _merge(
    conn: sqlite3.Connection, table: str, columns: tuple[str, ...], rows: list[dict[str, Any]], *, stamp: bool = False
) -> None:
    names = ", ".join(columns)
    held = {r[0]: r for r in conn.execute(f"select {names} from {table}").fetchall()}
    for row in rows:
        values = tuple(row[c] for c in columns)
        if held.get(row["id"]) == values:
            continue
        into = (names + ", updated_at", (*values, now())) if stamp else (names, values)
        sets = ", ".join(f"{c.strip()} = excluded.{c.strip()}" for c in into[0].split(",")[1:])
        marks = ", ".join("?" * len(into[1]))
        conn.execute(f"insert into {table} ({into[0]}) values ({marks}) on conflict (id) do update set {sets}", into[1])


def source_row(source: Any) -> dict[str, Any]:
    """The columns of `sources` from a configured source."""
    expect = _get(source, "expect")
    return {
        "id": source.id,
        "name": _text(_get(source, "name")) or source.id,
        "kind": _text(_get(source, "kind")),
        "type": _text(_get(source, "type")),
        "language": _text(_get(source, "language")),
        "certainty": _text(_get(source, "certainty")),
        "enabled": int(bool(_get(source, "enabled", True))),
        "base_url": _text(_get(source, "base_url")),
        "interval_min": int(_get(source, "interval_min") or 0),
        "lists": len(_get(source, "lists") or ()),
        "newest_max_age_h": _get(expect, "newest_max_age_h"),
        "min_items": _get(expect, "min_items"),
        "note": _text(_get(source, "note")),
    }


def task_rows(task: Any, position: int) -> list[dict[str, Any]]:
    """The rows of `tasks` from a task of the taxonomy: itself and its measures, which have it as their parent."""
    rows = [_task_row(task, None, position * 100)]
    measures = _get(task, "measures") or ()
    for i, measure in enumerate(measures.values() if isinstance(measures, Mapping) else measures):
        if _get(measure, "id"):
            rows.append(_task_row(measure, task.id, position * 100 + i + 1))
    return rows


def _task_row(task: Any, parent: str | None, position: int) -> dict[str, Any]:
    described = _get(task, "description")
    return {
        "id": _get(task, "id"),
        "parent": parent,
        "position": position,
        "zh": _text(_get(task, "zh")),
        "en": _text(_get(task, "en")),
        "status": _text(_get(task, "status")) or "core",
        "description_zh": _text(_get(described, "zh") if not isinstance(described, str) else ""),
        "description_en": _text(_get(described, "en") if not isinstance(described, str) else described),
        "confidence": _text(_get(task, "confidence")),
        "seed_quote": _text(_get(task, "seed_quote")),
        "provisional": int(bool(_get(task, "provisional"))),
    }


def _get(thing: Any, name: str, default: Any = None) -> Any:
    if thing is None:
        return default
    return thing.get(name, default) if isinstance(thing, Mapping) else getattr(thing, name, default)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return (
        value if isinstance(value, str) else dumps(value if isinstance(value, (dict, list, int, float)) else str(value))
    )
