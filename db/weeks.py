"""How much of each task came in which week, and whether anybody watched in that week.

A week is seven days that end on the day asked about, so that Monday morning is not held against whole weeks. Only weeks
that were watched say what is usual: a week before the first crawl holds what lists still showed of it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from sqlite_utils import Database

WEEKS = 12
# so many watched weeks before "usual" is said at all
ENOUGH_WEEKS = 3
# a source that was down on one day is no reason to call the week unwatched
ENOUGH_DAYS = 6


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days, first and last included (civil dates), with the days on which at least one source was reached."""

    first: date
    last: date
    days_watched: int

    @property
    def watched(self) -> bool:
        """Whether the sources were read nearly every day of it."""
        return self.days_watched >= ENOUGH_DAYS


@dataclass(frozen=True, slots=True)
class Course:
    """Documents of one task in each week, oldest first, this week last; `usual` is None where too little was watched."""

    counts: tuple[int, ...]
    month: int
    usual: float | None

    @property
    def this_week(self) -> int:
        return self.counts[-1]


def weeks(database: Database, today: date, number: int = WEEKS) -> list[Week]:
    """The last weeks, oldest first; the last one ends `today`."""
    start = today - timedelta(days=7 * number - 1)
    watched = {
        row[0]
        for row in database.conn.execute(
            "select day from source_days where day >= ? and reached > 0 group by day", (start.isoformat(),)
        ).fetchall()
    }
    out = []
    for index in range(number):
        first = start + timedelta(days=7 * index)
        days = [first + timedelta(days=n) for n in range(7)]
        out.append(Week(first, days[-1], sum(day.isoformat() in watched for day in days)))
    return out


def courses(database: Database, found: list[Week], measure: bool = False) -> dict[tuple[str, str], Course]:
    """(task, measure) -> its course over the weeks of `weeks`; those without a document in them are left out.

    `month` counts the thirty days up to the last. Documents dated tomorrow (a source east of the operator) count as of
    the last day. The key ("", "") stands for all relevant documents.
    """
    start, today = found[0].first, found[-1].last
    rows = database.conn.execute(
        "select task, measure, day, documents from task_days where task in (select id from tasks union all select '') "
        "and measure in (select '' union all select id from tasks where ?) and day between ? and ?",
        (measure, start.isoformat(), (today + timedelta(days=1)).isoformat()),
    ).fetchall()
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * len(found))
    month: dict[tuple[str, str], int] = defaultdict(int)
    since = today - timedelta(days=29)
    for task, under, text, number in rows:
        day = min(date.fromisoformat(text), today)
        counts[(task, under)][(day - start).days // 7] += number
        month[(task, under)] += number if day >= since else 0
    return {key: Course(tuple(values), month[key], usual(values, found)) for key, values in counts.items()}


def no_course(found: list[Week]) -> Course:
    """The course of a task of which nothing came."""
    nothing = [0] * len(found)
    return Course(tuple(nothing), 0, usual(nothing, found))


def usual(counts: list[int], found: list[Week]) -> float | None:
    """The middle of the earlier weeks that were watched; None when they are too few."""
    known = [count for count, week in zip(counts[:-1], found[:-1], strict=True) if week.watched]
    return float(median(known)) if len(known) >= ENOUGH_WEEKS else None
