"""Home: the task ledger. Each task with this week against its usual week, and its newest words; what was watched."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from db import health, ledger, weeks
from db.datasette import items
from db.datasette.ask import Ask, house
from db.datasette.text import Piece

# no evidence in this many days is worth a word, and the watch of just these days is held beside it
MONTH = 30
# below this share of source-days watched, "no evidence" is not said without "watched in part"
WELL_WATCHED = 0.8

Verdict = Literal["some", "none-week", "none-month", "partly-watched", "not-watched", "none-ever"]


@dataclass(slots=True)
class Line:
    """One task as the page shows it."""

    task: ledger.TaskLine
    course: weeks.Course
    verdict: Verdict
    words: list[Piece]


def build(conn: sqlite3.Connection, ask: Ask) -> dict[str, Any]:
    """The page's values."""
    database, today = house(conn), ask.site.today()
    span = weeks.weeks(database, today)
    courses = weeks.courses(database, span)
    found = health.sources(database, ask.site.now())
    month = health.watch(found, ask.site.now().date(), MONTH)
    lines = []
    for task in ledger.tasks(database):
        course = courses.get((task.id, ""), weeks.no_course(span))
        words = items.evidence_pieces(task.newest) if task.newest else []
        lines.append(Line(task, course, verdict(task, course, month), words))
    read = conn.execute("select count(*) from search_rows").fetchone()[0]
    relevant = conn.execute("select coalesce(sum(documents), 0) from task_days where task = ''").fetchone()[0]
    return {
        "title": ask.t("home_title"),
        "lines": lines,
        "weeks": span,
        "top": max((max(line.course.counts) for line in lines), default=0),
        "all": courses.get(("", ""), weeks.no_course(span)),
        "watch": month,
        "day": health.watch(found, ask.site.now().date(), 2),
        "read": read,
        "relevant": relevant,
        "trouble": [h for h in found if h.enabled and h.state in (*health.TROUBLE, "paused")],
        "gaps": all_gaps(found, ask),
        "since_today": since_today(month.since, ask),
        "today": today,
    }


def verdict(task: ledger.TaskLine, course: weeks.Course, month: health.Watch) -> Verdict:
    """What may be said of a task: that there is evidence, that there is none, or that nobody looked."""
    if course.this_week:
        return "some"
    if course.month:
        return "none-week"
    if not month.days_watched:
        return "not-watched"
    if month.share < WELL_WATCHED:
        return "partly-watched"
    return "none-month" if task.documents else "none-ever"


def since_today(since: str | None, ask: Ask) -> bool:
    """Whether the watch began within the last thirty days, so that figures before that are incomplete."""
    if since is None:
        return True
    return health.instant(since) > ask.site.now() - timedelta(days=MONTH)


def all_gaps(found: list[health.Health], ask: Ask) -> list[tuple[health.Health, Any, Any]]:
    """The newest gaps of the watch, of all sources: (source, first day, last day)."""
    today = ask.site.now().date()
    gaps = [(h, first, last) for h in found for first, last in health.gaps(h, today, MONTH)]
    return sorted(gaps, key=lambda gap: (gap[2], gap[1], gap[0].source), reverse=True)
