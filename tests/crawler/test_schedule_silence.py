"""When a source counts as silent or in trouble, that an event is opened and closed once, and what the operators are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

import config
import db
from crawler.schedule.silence import Silence, allowed_h
from db import runs
from db.tables import sync

NOW = datetime(2026, 10, 8, 1, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
MANY_LISTS, ONE = "nfra", "trulynews"
GOOD = {"outcome": "ok", "counts": {"list_rows": 20, "new": 0}}


class Ledger:
    """A database with the shipped sources, to which runs are added; `look` is the moment's look."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        loaded = config.load(None, {})
        changed = loaded.settings.model_copy(update={"alerts_to": ("ops@example.org",), **settings})
        self.config = replace(loaded, settings=changed)
        self.opened: Database = db.connect(folder / "c.db")
        sync(self.opened, self.config)
        self.silence = Silence(self.config, hold_s=0.0)
        self.number = 0

    def run(
        self, source: str, at: datetime, state: str = "done", outcome: str = "ok", reason: str = "", **counts: int
    ) -> str:
        self.number += 1
        name, stamp = f"r{self.number:05}", at.strftime("%Y-%m-%dT%H:%M:%SZ")
        runs.start_run(self.opened, name, source, started_at=stamp, trigger="schedule")
        runs.finish_run(
            self.opened, name, state=state, outcome=outcome, reason=reason, counts=counts, finished_at=stamp
        )
        return name

    def good(self, source: str, at: datetime, new: int = 0) -> str:
        return self.run(source, at, list_rows=20, new=new)

    def look(self, at: datetime = NOW, paused: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
        return [(c.what, c.source, c.kind) for c in self.silence.look(self.opened, at, paused)]

    def events(self) -> list[dict]:
        return list(self.opened.query("select * from source_events order by opened_at, id"))

    def messages(self) -> list[dict]:
        rows = self.opened.query("select * from alert_messages where kind = 'silence' order by created_at, rowid")
        return [row | {"payload": json.loads(row["payload"])} for row in rows]

    def fetch(self, run: str, url: str, outcome: str, reason: str = "") -> None:
        self.number += 1
        with db.immediate(self.opened) as conn:
            conn.execute(
                "insert into fetches (id, run, source, kind, url, outcome, reason, fetched_at, archive_file, archive_offset, "
                "record_id, state) values (?, ?, ?, 'list', ?, ?, ?, '2026-10-08T00:00:00Z', 'f', 0, ?, 'none')",
                (self.number, run, MANY_LISTS, url, outcome, reason, f"u{self.number}"),
            )


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path)
    yield made
    made.opened.close()


@pytest.mark.parametrize(("state", "outcome", "rows", "kind"), [
    ("done", "empty-list", 0, "empty"), ("done", "shrunk-list", 4, "shrunk"), ("done", "stale", 20, "frozen"),
    ("done", "forbidden", 0, "refused"), ("done", "robots", 0, "refused"), ("done", "challenge", 0, "refused"),
    ("done", "rate-limited", 0, "refused"), ("done", "timeout", 0, "failing"), ("done", "server-error", 0, "failing"),
    ("failed", "archive", 0, "failing"), ("killed", "killed", 0, "failing"),
])  # fmt: skip
def test_trouble_three_times_in_a_row_is_an_event_with_its_reason(
    ledger: Ledger, state: str, outcome: str, rows: int, kind: str
) -> None:
    ledger.good(ONE, NOW - 9 * HOUR, new=3)
    for back in (3, 2):
        ledger.run(ONE, NOW - back * HOUR, state, outcome, "it said no", list_rows=rows)
        assert ledger.look() == []
    ledger.run(ONE, NOW - HOUR, state, outcome, "it said no", list_rows=rows)
    assert ledger.look() == [("opened", ONE, kind)]
    (event,) = ledger.events()
    assert event["since"] == (NOW - 3 * HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert "it said no" in event["reason"]
    assert "3 runs in a row" in event["reason"]
    # once, however often one looks and however long it goes on
    ledger.run(ONE, NOW, state, outcome, "it said no", list_rows=rows)
    assert ledger.look(NOW + HOUR) == ledger.look(NOW + 2 * HOUR) == []
    assert len(ledger.events()) == 1


def test_a_bad_answer_between_good_ones_is_weather(ledger: Ledger) -> None:
    for n in range(60):
        if n % 3:
            ledger.run(ONE, NOW - (60 - n) * HOUR, outcome="forbidden", reason="403")
        else:
            ledger.good(ONE, NOW - (60 - n) * HOUR, new=1)
        assert ledger.look(NOW - (60 - n) * HOUR) == []


def test_two_bad_runs_half_a_day_apart_are_enough(ledger: Ledger) -> None:
    ledger.good(ONE, NOW - 49 * HOUR, new=1)
    ledger.run(ONE, NOW - 25 * HOUR, outcome="timeout", reason="no answer")
    assert ledger.look() == []
    ledger.run(ONE, NOW - HOUR, outcome="timeout", reason="no answer")
    assert ledger.look() == [("opened", ONE, "failing")]


def test_a_run_with_a_failed_document_is_no_trouble(ledger: Ledger) -> None:
    for back in range(5, 0, -1):
        ledger.run(ONE, NOW - back * HOUR, outcome="not-found", reason="one document", list_rows=20, new=1)
    assert ledger.look() == []


def test_runs_that_we_stopped_or_lost_ourselves_say_nothing(ledger: Ledger) -> None:
    ledger.good(ONE, NOW - 9 * HOUR, new=1)
    for back, (state, outcome) in enumerate((("stopped", "stopped"), ("killed", "crashed"), ("skipped", "paused")) * 2):
        ledger.run(ONE, NOW - (8 - back) * HOUR, state, outcome)
    assert ledger.look() == []


def test_the_event_closes_once_with_the_first_good_run(ledger: Ledger) -> None:
    for back in (5, 4, 3):
        ledger.run(ONE, NOW - back * HOUR, outcome="forbidden", reason="403")
    ledger.look(NOW - 2 * HOUR)
    ledger.good(ONE, NOW - HOUR)
    assert ledger.look() == [("closed", ONE, "refused")]
    assert ledger.look(NOW + HOUR) == []
    (event,) = ledger.events()
    assert event["closed_at"] == NOW.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_other_words_for_the_same_trouble_are_no_second_event(ledger: Ledger) -> None:
    for back in (5, 4, 3):
        ledger.run(ONE, NOW - back * HOUR, outcome="timeout", reason="no answer")
    ledger.look(NOW - 3 * HOUR)
    ledger.run(ONE, NOW - HOUR, outcome="forbidden", reason="403 now")
    assert ledger.look() == []
    (event,) = ledger.events()
    assert event["kind"] == "refused"
    assert "403 now" in event["reason"]
    assert len(ledger.messages()) == 1


def test_one_list_of_several_that_always_fails_is_told(ledger: Ledger) -> None:
    source = ledger.config.sources[MANY_LISTS]
    bad, fine = source.lists[0], source.lists[1]
    for back in (3, 2, 1):
        run = ledger.good(MANY_LISTS, NOW - back * HOUR, new=1)
        ledger.fetch(run, bad.url, "forbidden", "403: the site refuses us")
        ledger.fetch(run, fine.url, "ok")
    assert ledger.look() == [("opened", MANY_LISTS, "refused")]
    (event,) = ledger.events()
    assert event["reason"].startswith(f"1 of {len(source.lists)} lists cannot be read: {bad.section}: 403")
    run = ledger.good(MANY_LISTS, NOW, new=1)
    ledger.fetch(run, bad.url, "forbidden", "403")
    ledger.fetch(run, bad.url, "ok")  # tried again and answered
    assert ledger.look() == [("closed", MANY_LISTS, "refused")]


# ------------------------------------------------------------------ quiet


def test_quiet_is_longer_than_its_history_allows(ledger: Ledger) -> None:
    source = ledger.config.sources[ONE]
    every = timedelta(hours=source.expect.newest_max_age_h)  # its history is slower than `expect`: history rules
    start = NOW - 14 * every
    for n in range(12):
        ledger.good(ONE, start + n * every, new=1)
    last = start + 11 * every
    limit, _ = allowed_h(ledger.opened.conn, source)
    assert limit == pytest.approx(1.5 * source.expect.newest_max_age_h)
    ledger.good(ONE, last + timedelta(hours=limit) - HOUR)
    assert ledger.look() == []
    ledger.good(ONE, last + timedelta(hours=limit) + HOUR)
    assert ledger.look() == [("opened", ONE, "quiet")]
    (event,) = ledger.events()
    assert event["since"] == last.strftime("%Y-%m-%dT%H:%M:%SZ")
    ledger.good(ONE, last + timedelta(hours=limit) + 2 * HOUR)
    assert ledger.look() == []
    ledger.good(ONE, NOW, new=2)
    assert ledger.look(NOW + HOUR) == [("closed", ONE, "quiet")]


def test_expect_is_the_floor(ledger: Ledger) -> None:
    source = ledger.config.sources[ONE]
    floor = source.expect.newest_max_age_h
    for n in range(40):
        ledger.good(ONE, NOW - timedelta(hours=floor * 3) + n * HOUR, new=1)
    last = NOW - timedelta(hours=floor * 3) + 39 * HOUR
    assert allowed_h(ledger.opened.conn, source)[0] == floor
    ledger.good(ONE, last + timedelta(hours=floor) - HOUR)
    assert ledger.look() == []
    ledger.good(ONE, last + timedelta(hours=floor) + HOUR)
    assert ledger.look() == [("opened", ONE, "quiet")]


def test_what_nobody_watched_is_not_its_silence(ledger: Ledger) -> None:
    floor = ledger.config.sources[ONE].expect.newest_max_age_h
    ledger.good(ONE, NOW - timedelta(hours=3 * floor), new=1)
    ledger.good(ONE, NOW - timedelta(hours=3 * floor) + HOUR)
    assert ledger.look() == []


def test_a_source_that_never_had_any_news_is_not_quiet_but_never_read(ledger: Ledger) -> None:
    assert ledger.look() == []
    ledger.good(ONE, NOW)
    assert ledger.look() == []


# ------------------------------------------------------------------ telling


def trouble(ledger: Ledger, source: str, start: datetime) -> None:
    for n in range(3):
        ledger.run(source, start + n * timedelta(minutes=5), outcome="forbidden", reason="403: refused")


def test_operators_are_told_once_of_the_beginning_and_once_of_the_end(ledger: Ledger) -> None:
    trouble(ledger, ONE, NOW - HOUR)
    ledger.look()
    ledger.look(NOW + HOUR)
    (first,) = ledger.messages()
    assert first["recipient"] == "mail:ops@example.org"
    name = ledger.config.sources[ONE].name
    assert first["payload"]["subject"] == f"circularwatch: {name} is refusing us"
    # Beijing's time, since that is the operator's zone
    assert "2026-10-08 08:30" in first["payload"]["lines"][0]
    assert "403: refused" in first["payload"]["lines"][0]
    ledger.good(ONE, NOW + HOUR, new=1)
    ledger.look(NOW + 2 * HOUR)
    ledger.look(NOW + 3 * HOUR)
    first, second = ledger.messages()
    assert second["payload"]["subject"] == f"circularwatch: news again from {name}"


def test_events_of_some_minutes_are_one_message(ledger: Ledger) -> None:
    ledger.silence.hold_s = 600
    names = ["nfra", "ndrc_zcfb", "pboc_lists", "mof_zcfb"]
    for n, name in enumerate(names):
        trouble(ledger, name, NOW - HOUR)
        assert ledger.look(NOW + n * timedelta(minutes=2))[-1:] == [("opened", name, "refused")]
    assert ledger.messages() == []
    ledger.look(NOW + timedelta(minutes=11))
    (message,) = ledger.messages()
    assert message["payload"]["subject"] == "circularwatch: 4 sources give no news"
    assert {e["source"] for e in message["payload"]["events"]} == set(names)


def test_what_was_over_before_anybody_was_told_is_no_news(ledger: Ledger) -> None:
    ledger.silence.hold_s = 600
    trouble(ledger, ONE, NOW - HOUR)
    ledger.look()
    ledger.good(ONE, NOW, new=1)
    assert ledger.look(NOW + timedelta(minutes=1)) == [("closed", ONE, "refused")]
    ledger.look(NOW + HOUR)
    assert ledger.messages() == []


def test_without_operators_nothing_is_queued_and_the_event_is_there(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, alerts_to=())
    trouble(ledger, ONE, NOW - HOUR)
    assert ledger.look() == [("opened", ONE, "refused")]
    assert ledger.messages() == []
    assert ledger.events()[0]["told_open"] == "-"
    ledger.opened.close()


def test_not_told_of_what_is_paused_or_switched_off(ledger: Ledger) -> None:
    trouble(ledger, ONE, NOW - HOUR)
    assert ledger.look(paused=(ONE,)) == []
    off = next(s.id for s in ledger.config.sources.values() if not s.enabled)
    trouble(ledger, off, NOW - HOUR)
    assert ledger.look(paused=(ONE,)) == []
    assert ledger.events() == []
    # switched off while an event was open: closed, and not told as good news
    assert ledger.look() == [("opened", ONE, "refused")]
    sources = dict(ledger.config.sources)
    sources[ONE] = sources[ONE].model_copy(update={"enabled": False})
    ledger.silence.config = replace(ledger.config, sources=sources)
    assert ledger.look(NOW + HOUR) == [("closed", ONE, "refused")]
    ledger.look(NOW + 2 * HOUR)
    assert len(ledger.messages()) == 1
