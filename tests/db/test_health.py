"""The kept figures equal what a count over everything gives, whatever is written; states and gaps of sources."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from db import health, runs, weeks
from db.connection import immediate
from db.documents import Document
from tests.db import shelf
from tests.db.helpers import memory
from tests.db.shelf import NOW

DAYS = ["2026-11-01", "2026-11-02", None]


def counted(database: Database) -> tuple[list[Any], list[Any], list[Any]]:
    """What the tables should hold, by counting."""
    labels = database.execute(
        "select task, '' as m, pk from (select distinct t.task, d.pk from document_tasks t join documents d on d.pk = t.document "
        "and d.classifier = t.classifier where d.relevant) union all "
        "select t.task, t.measure, d.pk from document_tasks t join documents d on d.pk = t.document and d.classifier = t.classifier "
        "where d.relevant and t.measure <> '' union all select '', '', pk from documents where relevant"
    ).fetchall()
    days = database.execute("select pk, coalesce(published_on, substr(first_seen_at, 1, 10)) from documents").fetchall()
    by_pk = dict(days)
    by_day: dict[tuple[str, str, str], int] = {}
    for task, measure, pk in labels:
        by_day[(task, measure, by_pk[pk])] = by_day.get((task, measure, by_pk[pk]), 0) + 1
    sources = database.execute("select source, count(*) from document_urls group by source order by 1").fetchall()
    return sorted(labels), sorted((*k, n) for k, n in by_day.items()), sources


def kept(database: Database) -> tuple[list[Any], list[Any], list[Any]]:
    """What they do hold."""
    return (
        sorted(database.execute("select task, measure, document from task_documents").fetchall()),
        sorted(database.execute("select task, measure, day, documents from task_days").fetchall()),
        database.execute("select source, documents from source_documents order by 1").fetchall(),
    )


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    """Documents stored, stored again with other verdicts, labels, dates, addresses that turn out to be one document."""
    out = []
    for _ in range(draw(st.integers(1, 8))):
        out.append((
            draw(st.integers(1, 4)), draw(st.lists(st.sampled_from(["t1", "t2", "t1/m1"]), max_size=3, unique=True)),
            draw(st.booleans()), draw(st.sampled_from(DAYS)), draw(st.sampled_from(["c1", "c2"])),
            draw(st.sampled_from(["", "金发〔2024〕5号"])), draw(st.sampled_from(["s", "s2"])),
        ))  # fmt: skip
    return out


def made(
    number: int, labels: list[str], relevant: bool, day: str | None, classifier: str, doc: str, source: str
) -> Document:
    found = shelf.document(
        number,
        "标题",
        "出口信用保险",
        dict.fromkeys(labels, "出口"),
        published_on=day,
        classifier=classifier,
        source=source,
    )
    found.relevant = relevant
    found.published_at = None
    found.identity = f"doc:{doc}|x" if doc else found.identity
    return found


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(steps())
def test_figures_of_the_ledger_equal_a_count_after_every_step(todo: list[tuple[Any, ...]]) -> None:
    database = memory()
    with immediate(database) as conn:
        conn.execute("insert into tasks (id, parent, position, zh, en, status) values ('m1', 't1', 9, 'm', 'm', 'x')")
    for step in todo:
        shelf.store(database, [made(*step)])
        assert kept(database) == counted(database)
    with immediate(database) as conn:
        conn.execute("delete from documents where pk = (select min(pk) from documents)")
    assert kept(database)[:2] == counted(database)[:2]


RUN = st.tuples(
    st.sampled_from(["2026-11-01T00:00:00Z", "2026-11-02T05:00:00Z"]), st.sampled_from(["done", "failed", "stopped", "skipped", "killed"]),
    st.sampled_from(["ok", "", "timeout", "shrunk-list"]), st.integers(0, 2), st.integers(0, 3), st.booleans(),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(RUN, max_size=8))
def test_days_of_a_source_equal_a_count_of_its_runs(found: list[tuple[Any, ...]]) -> None:
    database = memory()
    for number, (at, state, outcome, rows, new, twice) in enumerate(found):
        runs.start_run(database, f"r{number}", "s", started_at=at)
        for _ in range(1 + twice):
            runs.finish_run(
                database, f"r{number}", state=state, outcome=outcome, counts={"list_rows": rows, "new": new}
            )
    good = "state = 'done' and (outcome in ('ok', '') or list_rows > 0)"
    counted = database.execute(
        f"select source, substr(started_at, 1, 10), sum({good}), sum(state = 'done' and outcome = 'shrunk-list'), "
        f"sum(state in ('failed', 'killed') or state = 'done' and not ({good})), sum(new) from source_runs group by 1, 2 order by 1, 2"
    ).fetchall()
    assert database.execute("select * from source_days order by source, day").fetchall() == counted


def one(database: Database, now: datetime = NOW) -> health.Health:
    return next(h for h in health.sources(database, now) if h.source == "nfra")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return shelf.shelf(tmp_path / "x.db")


def test_a_source_goes_through_its_states(database: Database) -> None:
    assert (one(database).state, one(database).last_tried) == ("never", None)
    shelf.run(database, "nfra", "2026-11-20T00:00:00Z", state="failed", outcome="dns", reason="no such host")
    assert (one(database).state, one(database).failing_since) == ("never", "2026-11-20T00:00:00Z")
    shelf.run(database, "nfra", "2026-11-26T01:00:00Z", list_rows=5, new=3)
    assert (one(database).state, one(database).watched_since) == ("fine", "2026-11-26T01:00:00Z")
    shelf.run(database, "nfra", "2026-11-26T01:30:00Z", outcome="shrunk-list", reason="3 rows", list_rows=3)
    assert (one(database).state, one(database).reason) == ("doubtful", "3 rows")
    shelf.run(database, "nfra", "2026-11-26T02:00:00Z", outcome="forbidden", reason="403")
    shelf.run(database, "nfra", "2026-11-26T02:30:00Z", outcome="timeout", reason="slow")
    assert (one(database).state, one(database).failing_since) == ("failing", "2026-11-26T02:00:00Z")
    shelf.run(database, "nfra", "2026-11-26T02:40:00Z")
    assert one(database).state == "fine"
    assert one(database, NOW + timedelta(hours=13)).state == "overdue"
    with immediate(database) as conn:
        conn.execute("update sources set enabled = 0, note = 'off' where id = 'nfra'")
    assert (one(database).state, one(database).reason) == ("off", "off")


def test_a_paused_source_is_neither_overdue_nor_never_read(database: Database) -> None:
    with immediate(database) as conn:
        conn.execute(
            "insert into schedule (source, paused_at, paused_why) values ('nfra', '2026-11-25T00:00:00Z', 'moving')"
        )
    assert (one(database).state, one(database).reason, one(database).paused_at) == (
        "paused",
        "moving",
        "2026-11-25T00:00:00Z",
    )
    shelf.run(database, "nfra", "2026-11-20T00:00:00Z", list_rows=5, outcome="shrunk-list", reason="3 rows")
    assert (one(database).state, one(database).reason, one(database).outcome) == ("paused", "moving", "")
    # what was not read while it was paused is a gap all the same
    assert health.gaps(one(database), date(2026, 11, 26))[-1] == (date(2026, 11, 21), date(2026, 11, 25))
    with immediate(database) as conn:
        conn.execute("update sources set enabled = 0, note = 'gone' where id = 'nfra'")
    assert (one(database).state, one(database).reason) == ("off", "gone")
    with immediate(database) as conn:
        conn.execute("update sources set enabled = 1 where id = 'nfra'")
        conn.execute("update schedule set paused_at = null, paused_why = ''")
    assert one(database).state == "overdue"


def test_a_document_that_fails_does_not_make_its_source_fail(database: Database) -> None:
    shelf.run(database, "nfra", "2026-11-26T02:00:00Z", outcome="timeout", reason="one page", list_rows=20, new=1)
    assert one(database).state == "fine"


def test_silence_is_held_against_the_sources_own_habit(database: Database) -> None:
    for day in range(40):
        shelf.run(database, "nfra", (NOW - timedelta(days=60 - day)).strftime("%Y-%m-%dT%H:%M:%SZ"), list_rows=9, new=1)
    shelf.run(database, "nfra", (NOW - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"), list_rows=9)
    found = one(database)
    assert found.usual_gap_h == pytest.approx(24) and found.silent_h == pytest.approx(21 * 24)
    assert found.allowed_h is not None and found.allowed_h >= 36
    # the source promises news within thirty days, which is longer than its habit
    assert found.state == ("quiet" if found.silent_h > found.allowed_h else "fine")
    assert one(database, NOW + timedelta(hours=1)).state == found.state
    with immediate(database) as conn:
        conn.execute("update sources set newest_max_age_h = 24 where id = 'nfra'")
    assert one(database).state == "quiet"


def test_gaps_are_the_days_without_a_reading_since_the_watch_began(database: Database) -> None:
    for day in ("2026-11-18", "2026-11-20", "2026-11-25"):
        shelf.run(database, "nfra", f"{day}T04:00:00Z", list_rows=5)
    shelf.run(database, "nfra", "2026-11-22T04:00:00Z", outcome="timeout")
    assert health.gaps(one(database), date(2026, 11, 26)) == [
        (date(2026, 11, 19), date(2026, 11, 19)), (date(2026, 11, 21), date(2026, 11, 24)),
    ]  # fmt: skip
    watch = health.watch([one(database)], date(2026, 11, 26), 10)
    assert (watch.days_watched, watch.days_possible, watch.reached, watch.since) == (3, 10, 1, "2026-11-18T04:00:00Z")


def test_only_watched_weeks_say_what_is_usual(database: Database) -> None:
    documents = [
        shelf.document(
            n,
            "t",
            "出口信用保险",
            {"foreign-trade": "出口"},
            published_on=(date(2026, 11, 26) - timedelta(days=7 * (n % 5))).isoformat(),
        )
        for n in range(1, 26)
    ]
    shelf.store(database, documents)
    span = weeks.weeks(database, date(2026, 11, 26))
    assert (span[-1].first, span[-1].last, len(span)) == (date(2026, 11, 20), date(2026, 11, 26), weeks.WEEKS)
    before = weeks.courses(database, span)[("foreign-trade", "")]
    assert (before.counts[-5:], before.month, before.usual) == ((5, 5, 5, 5, 5), 25, None)
    shelf.watched(database, 7 * 4, sources=["nfra"])
    span = weeks.weeks(database, date(2026, 11, 26))
    assert [week.watched for week in span][-5:] == [False, True, True, True, True]
    assert weeks.courses(database, span)[("foreign-trade", "")].usual == 5.0
    assert weeks.no_course(span).usual == 0.0


def test_tomorrows_date_counts_today_and_a_wild_one_never(database: Database) -> None:
    shelf.store(database, [shelf.document(n, "t", "出口信用保险", {"foreign-trade": "出口"}, published_on=day)
                           for n, day in enumerate(("2026-11-27", "2036-01-01"), 1)])  # fmt: skip
    course = weeks.courses(database, weeks.weeks(database, date(2026, 11, 26)))[("foreign-trade", "")]
    assert (course.this_week, course.month) == (1, 1)
