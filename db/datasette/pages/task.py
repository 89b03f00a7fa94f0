"""A task: what it asks for, its measures, its documents newest first with the words that prove it; filters, feeds, exports."""

from __future__ import annotations

import sqlite3
from typing import Any

from datasette.utils.asgi import Response

from db import health, ledger, weeks
from db.datasette import hits, items, text
from db.datasette.ask import Ask, Refused, house
from db.datasette.pages import home
from db.search import QueryError

SIZE = 25
FIELDS = ("measure", *hits.FILTERS, "from", "to", "q")


def build(conn: sqlite3.Connection, ask: Ask) -> dict[str, Any] | Response:
    """The page's values."""
    id_ = ask.var("task")
    row = conn.execute("select * from tasks where id = ?", (id_,)).fetchone()
    if row is None:
        raise Refused(404, "no_task", task=text.clip(id_, 60))
    if row["parent"]:
        # a measure's own address leads to its task
        return Response.redirect(ask.url(f"/task/{row['parent']}", measure=id_))
    asked = {name: ask.arg(name) for name in FIELDS if ask.arg(name)}
    error = None
    try:
        found = hits.of_task(id_, asked, ask.site.allowed)
    except QueryError as fault:
        error, found = fault, hits.of_task(id_, {}, ask.site.allowed)
    total, page = found.count(conn), ask.page()
    rows = found.page(conn, items.COLUMNS, limit=SIZE, offset=(page - 1) * SIZE)
    database = house(conn)
    span = weeks.weeks(database, ask.site.today())
    courses = weeks.courses(database, span, measure=True)
    course = courses.get((id_, ""), weeks.no_course(span))
    line = next((line for line in ledger.tasks(database) if line.id == id_), None)
    watch = health.watch(health.sources(database, ask.site.now(), days=home.MONTH), ask.site.now().date(), home.MONTH)
    return {
        "title": ask.both(row["zh"], row["en"])[0],
        "task": row,
        "measures": measures(conn, id_, courses),
        "asked": {name: asked.get(name, "") for name in FIELDS},
        "filtered": bool(asked),
        "error": error,
        "total": total,
        "page": page,
        "pages": max(1, -(-total // SIZE)),
        "items": items.items(conn, ask, rows, found.query, id_, found.measure),
        "weeks": span,
        "course": course,
        "verdict": home.verdict(line, course, watch) if line else "some",
        "watch": watch,
        "choices": choices(conn, ask),
        "since_today": home.since_today(watch.since, ask),
        "feeds": feeds(ask, id_, asked),
        "links": {name: ask.url(f"/export/task/{id_}.{name}", **{f"{k}_": v for k, v in asked.items()})
                  for name in ("csv", "xlsx", "json", "jsonl")},
        "query": as_query(id_, asked),
    }  # fmt: skip


def measures(conn: sqlite3.Connection, task: str, courses: dict[tuple[str, str], weeks.Course]) -> list[dict[str, Any]]:
    """The measures under a task with their figures."""
    counts = dict(
        conn.execute(
            "select measure, sum(documents) from task_days where task = ? group by measure", (task,)
        ).fetchall()
    )
    rows = conn.execute("select * from tasks where parent = ? and status <> 'retired' order by position", (task,))
    out = []
    for row in rows.fetchall():
        course = courses.get((task, row["id"]))
        out.append({"row": row, "documents": counts.get(row["id"], 0), "week": course.this_week if course else 0})
    return out


def choices(conn: sqlite3.Connection, ask: Ask) -> dict[str, list[tuple[str, str]]]:
    """What each filter offers: (value, name)."""
    sources = conn.execute("select id, name from sources order by id").fetchall()
    allowed = ask.site.allowed
    return {
        "lang": [(v, str(ask.v("language", v))) for v in sorted(allowed["lang"], reverse=True)],
        "level": [(v, ask.v("level", v)) for v in ("central", "provincial", "municipal", "institution")],
        "kind": sorted(((v, ask.v("kind", v)) for v in allowed["kind"]), key=lambda pair: pair[1]),
        "source": [(row["id"], row["name"]) for row in sources if row["id"] in allowed["source"]],
    }


def feeds(ask: Ask, task: str, asked: dict[str, str]) -> list[tuple[str, str, str]]:
    """(type, title, address) of the feeds of this list."""
    given = {f"{key}_": value for key, value in asked.items()}
    return [
        ("application/atom+xml", "Atom", ask.url(f"/feed/task/{task}.atom", **given)),
        ("application/feed+json", "JSON Feed", ask.url(f"/feed/task/{task}.json", **given)),
    ]


def as_query(task: str, asked: dict[str, str]) -> str:
    """The list as a search, for the search page and for alert rules."""
    parts = [f"task:{task}"]
    parts += [f"measure:{asked['measure']}"] if asked.get("measure") else []
    for name in hits.FILTERS:
        value = asked.get(name)
        if value:
            parts.append(f'{name}:"{value}"' if " " in value else f"{name}:{value}")
    if asked.get("from") or asked.get("to"):
        parts.append(f"published:{asked.get('from', '')}..{asked.get('to', '')}")
    if asked.get("q"):
        parts.append(f"({asked['q']})")
    return " ".join(parts)
