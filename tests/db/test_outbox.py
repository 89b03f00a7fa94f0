"""The outbox tells each find once to each recipient, in the pace that was asked for, and forgets nothing."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import outbox
from db.outbox import Rule, claim, gather, record, settle, sync_rules
from tests.db.test_search import new_database

NOW = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
RULE = Rule("trade", "出口", ("mail:a", "mail:b"))
DAILY = Rule("daily", "出口", ("mail:a",), "daily")


@pytest.fixture
def box() -> sqlite3.Connection:
    connection = new_database()
    script = resources.files("db.migrations").joinpath("m0003_alerts.sql").read_text(encoding="utf-8")
    connection.executescript(script)
    return connection


def messages(box: sqlite3.Connection) -> list[tuple]:
    return box.execute(
        "select rule, recipient, kind, state, sequences from alert_messages order by recipient, sequences"
    ).fetchall()


def test_a_find_is_told_once_to_each(box: sqlite3.Connection) -> None:
    assert record(box, RULE, [("d1", "new", ["出口"])], NOW) == 1
    assert record(box, RULE, [("d1", "new", ["出口"])], NOW) == 0
    assert [m[1] for m in messages(box)] == ["mail:a", "mail:b"]


def test_late_finds_and_backfills_wait_for_the_summary(box: sqlite3.Connection) -> None:
    record(box, RULE, [("d1", "late", []), ("d2", "backfill", [])], NOW)
    assert messages(box) == []
    assert gather(box, RULE, "summary", "2026-11-25", NOW, {}) == 2
    assert [json.loads(m[4]) for m in messages(box)] == [[1, 2], [1, 2]]


def test_many_finds_in_one_go_are_one_message(box: sqlite3.Connection) -> None:
    record(box, RULE, [(f"d{n}", "new", []) for n in range(outbox.AT_ONCE + 1)], NOW)
    assert len(messages(box)) == 2


def test_digest_once_a_day_by_sequence(box: sqlite3.Connection) -> None:
    record(box, DAILY, [("d1", "new", []), ("d2", "late", [])], NOW)
    assert messages(box) == []
    assert gather(box, DAILY, "digest", "2026-11-25", NOW, {}) == 1
    record(box, DAILY, [("d3", "new", [])], NOW)
    assert gather(box, DAILY, "digest", "2026-11-25", NOW, {}) == 0
    assert gather(box, DAILY, "digest", "2026-11-26", NOW, {}) == 1
    assert [json.loads(m[4]) for m in messages(box)] == [[1, 2], [3]]


def test_an_attempt_is_noted_before_it_is_made(box: sqlite3.Connection) -> None:
    record(box, RULE, [("d1", "new", [])], NOW)
    message = claim(box, NOW)
    assert message is not None
    assert box.execute("select outcome from alert_attempts").fetchall() == [("unknown",)]
    second = claim(box, NOW)
    assert second is not None and second.id != message.id
    assert claim(box, NOW) is None
    again = claim(box, NOW + timedelta(minutes=1))
    assert again is not None and again.id == message.id and again.attempts == 2


def test_failure_backs_off_then_dies_and_can_be_revived(box: sqlite3.Connection) -> None:
    record(box, Rule("r", "x", ("mail:a",)), [("d1", "new", [])], NOW)
    now, states = NOW, []
    while message := claim(box, now):
        states.append(settle(box, message, now, error="refused"))
        now += outbox.backoff(message.attempts)
    assert states == ["pending"] * (outbox.MAX_ATTEMPTS - 1) + ["dead"]
    assert claim(box, now + timedelta(days=9)) is None
    name = box.execute("select id from alert_messages").fetchone()[0]
    assert outbox.revive(box, name, now) and not outbox.revive(box, name, now)
    revived = claim(box, now)
    assert revived is not None and revived.id == name
    assert settle(box, revived, now) == "sent"


def test_receiver_may_say_how_long_to_wait(box: sqlite3.Connection) -> None:
    record(box, Rule("r", "x", ("mail:a",)), [("d1", "new", [])], NOW)
    message = claim(box, NOW)
    assert message is not None
    settle(box, message, NOW, error="429", wait=timedelta(hours=2))
    assert claim(box, NOW + timedelta(hours=1, minutes=59)) is None
    assert claim(box, NOW + timedelta(hours=2)) is not None


def test_permanent_failure_is_dead_at_once(box: sqlite3.Connection) -> None:
    record(box, Rule("r", "x", ("mail:a",)), [("d1", "new", [])], NOW)
    message = claim(box, NOW)
    assert message is not None
    assert settle(box, message, NOW, error="no such address", permanent=True) == "dead"


def test_rules_that_go_are_kept_inactive(box: sqlite3.Connection) -> None:
    sync_rules(box, [RULE, DAILY], NOW)
    sync_rules(box, [Rule("trade", "外贸", RULE.recipients)], NOW + timedelta(days=1))
    rows = box.execute("select id, query, active, first_seen_at < changed_at from alert_rules order by id").fetchall()
    assert rows == [("daily", "出口", 0, 1), ("trade", "外贸", 1, 1)]


@pytest.mark.parametrize(
    ("published", "backfill", "expected"),
    [
        ("2026-11-24", False, "new"),
        ("2026-11-10", False, "late"),
        (None, False, "new"),
        ("2026-11-24", True, "backfill"),
    ],
)
def test_reason(published: str | None, backfill: bool, expected: str) -> None:
    assert outbox.reason_for(published, "2026-11-25T01:00:00Z", backfill) == expected


@given(st.lists(st.tuples(st.integers(1, 6), st.sampled_from(["new", "late", "backfill"]), st.booleans()), max_size=20))
def test_every_find_is_told_exactly_once(steps: list[tuple[int, str, bool]]) -> None:
    box = new_database()
    box.executescript(resources.files("db.migrations").joinpath("m0003_alerts.sql").read_text(encoding="utf-8"))
    rule = Rule("r", "x", ("a",))
    for day, (document, reason, tell) in enumerate(steps, 1):
        record(box, rule, [(f"d{document}", reason, [])], NOW)
        if tell:
            gather(box, rule, "summary", f"2026-01-{day:02}", NOW, {})
    gather(box, rule, "summary", "2026-02-01", NOW, {})
    told = sorted(s for (text,) in box.execute("select sequences from alert_messages") for s in json.loads(text))
    assert told == [s for (s,) in box.execute("select sequence from alert_matches order by sequence")]
