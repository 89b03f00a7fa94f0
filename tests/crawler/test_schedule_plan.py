"""When sources are due: intervals, cron lines in Beijing time, and catching up without a storm."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import config
from config.cron import check_cron, parse_cron
from crawler.schedule import plan
from crawler.schedule.plan import BEIJING, CATCH_UP_GAP_S, CATCH_UP_WINDOW_S, Timing, due, gap_s, spread, trigger

NOW = datetime(2026, 10, 8, 1, 30, tzinfo=UTC)
HALF_HOUR = Timing(1800.0)


@pytest.mark.parametrize(("text", "weekdays"), [
    ("0 9 * * 1", {1}), ("0 9 * * 0", {7}), ("0 9 * * 7", {7}), ("0 9 * * 1-5", {1, 2, 3, 4, 5}), ("0 9 * * sun-tue", {7, 1, 2}),
    ("0 9 * * 5-7", {5, 6, 7}), ("0 9 * * *", {1, 2, 3, 4, 5, 6, 7}), ("0 9 * * */3", {7, 3, 6}),
])  # fmt: skip
def test_weekdays_are_those_of_crontab(text: str, weekdays: set[int]) -> None:
    fires, at = [], NOW
    how = trigger(Timing(0.0, check_cron(text)))
    for _ in range(14):
        at = how.get_next_fire_time(at, at + timedelta(seconds=1))
        fires.append(at)
    assert {f.isoweekday() for f in fires} == weekdays
    assert all((f.hour, f.minute, f.utcoffset()) == (9, 0, timedelta(hours=8)) for f in fires)


@pytest.mark.parametrize("text", ["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *",
                                  "*/0 * * * *", "a * * * *", "1,,2 * * * *", "0 0 31 2 *", "0 0 30 2 *", "0 9 1 * 1"])  # fmt: skip
def test_a_wrong_cron_line_is_refused_with_its_words(text: str) -> None:
    with pytest.raises(ValueError, match=r".{15,}"):
        check_cron(text)


@given(st.tuples(*(st.integers(low, high) for low, high in ((0, 59), (0, 23), (1, 28), (1, 12)))))
def test_single_values_come_back(values: tuple[int, int, int, int]) -> None:
    assert parse_cron(" ".join(map(str, values)) + " *") == (*map(str, values), "*")


def test_cron_of_a_source_is_checked_by_the_configuration(tmp_path) -> None:
    from pydantic import ValidationError

    source = next(iter(config.load_sources().values()))
    values = source.model_dump() | {"cron": "0 9 * * 9"}
    with pytest.raises(ValidationError, match="not a weekday"):
        type(source).model_validate(values)
    assert plan.timing(source.model_copy(update={"cron": "0 9 * * 1-5"})).cron == "0 9 * * 1-5"


def test_due_counts_from_the_last_start() -> None:
    assert due(HALF_HOUR, NOW - timedelta(minutes=10), NOW) == NOW + timedelta(minutes=20)
    assert due(HALF_HOUR, NOW - timedelta(hours=5), NOW) == NOW - timedelta(hours=4.5)
    assert due(HALF_HOUR, None, NOW) is None


def test_a_clock_that_was_set_back_puts_nothing_off() -> None:
    assert due(HALF_HOUR, NOW + timedelta(days=40), NOW) == NOW + timedelta(minutes=30)


def test_a_cron_line_that_passed_during_a_downtime_is_overdue() -> None:
    how = Timing(0.0, "0 9 * * *")  # 01:00 UTC
    assert due(how, NOW - timedelta(days=1), NOW) == datetime(2026, 10, 8, 1, 0, tzinfo=UTC)
    assert due(how, NOW - timedelta(minutes=29), NOW) == datetime(2026, 10, 9, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize("how", [Timing(10.0), Timing(600.0), Timing(86_400.0), Timing(86_400.0, "5 4 * * *")])
def test_jitter_and_grace_stay_small(how: Timing) -> None:
    assert 0 < how.jitter_s <= min(plan.MOST_JITTER_S, how.interval_s / 10)
    assert 1 <= how.grace_s <= 300
    at = trigger(how).get_next_fire_time(None, NOW)
    after = trigger(how).get_next_fire_time(at, at)
    if how.cron is None:
        assert how.interval_s <= (after - at).total_seconds() <= how.interval_s * 1.1 + 0.001
    else:
        assert (
            0
            <= (
                after.astimezone(BEIJING) - after.astimezone(BEIJING).replace(hour=4, minute=5, second=0, microsecond=0)
            ).total_seconds()
            <= 30
        )


offsets = st.one_of(st.none(), st.integers(-10_000_000, 100_000))


@given(st.dictionaries(st.text("abcdefgh", min_size=1, max_size=3), offsets, max_size=60), st.floats(1.0, 86_400.0))
def test_catching_up(given_: dict[str, int | None], shortest: float) -> None:
    when = {name: None if s is None else NOW + timedelta(seconds=s) for name, s in given_.items()}
    late = [name for name, at in when.items() if at is None or at <= NOW]
    gap = gap_s(len(late), shortest)
    firsts = spread(when, NOW, gap)
    assert firsts.keys() == when.keys()
    # what is not overdue starts when it is due
    assert all(firsts[name] == at for name, at in when.items() if name not in late)
    # the overdue: one after the other, within the window, before the shortest interval would bring them again
    starts = sorted(firsts[name] for name in late)
    assert all((b - a).total_seconds() == pytest.approx(gap, abs=1e-5) for a, b in itertools.pairwise(starts))
    assert gap <= CATCH_UP_GAP_S
    if late:
        assert starts[0] == NOW
        assert (starts[-1] - NOW).total_seconds() <= min(CATCH_UP_WINDOW_S, max(shortest, 1)) + 1e-3
    # most overdue first
    beginning = datetime.min.replace(tzinfo=UTC)
    in_order = sorted(late, key=lambda n: firsts[n])
    lateness = [when[n] or beginning for n in in_order]
    assert lateness == sorted(lateness)


def test_sources_that_are_off_are_not_scheduled() -> None:
    sources = config.load_sources()
    timings = plan.timings(sources)
    assert timings
    assert set(timings) <= {s.id for s in sources.values() if s.enabled}
    assert {t.interval_s for t in plan.timings(sources, 7.0).values()} == {7.0}
