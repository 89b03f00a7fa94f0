"""When each source is due: intervals and cron lines in Beijing time, and how a service that was down catches up.

Nothing here looks at a clock or a database: `now` and what is known of earlier runs are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")
# A crawl begins up to a tenth of its interval later than it could, so that sources of one interval drift apart.
JITTER, MOST_JITTER_S = 0.1, 300.0
# What was due this long before it could begin (a machine that slept) is not run on its own but caught up with in order.
GRACE_SHARE, LEAST_GRACE_S, MOST_GRACE_S = 0.5, 1.0, 300.0
# Catching up: the overdue begin one after the other, never further apart than this, all within the window.
CATCH_UP_GAP_S, CATCH_UP_WINDOW_S = 20.0, 300.0


@dataclass(frozen=True, slots=True)
class Timing:
    """How often one source is polled: every `interval_s` seconds, or by `cron` (five fields, Beijing time)."""

    interval_s: float
    cron: str | None = None

    @property
    def jitter_s(self) -> float:
        """Seconds by which a start may be late on purpose. A cron line is somebody's wish: at most half a minute."""
        most = min(self.interval_s * JITTER, MOST_JITTER_S)
        return min(most, 30.0) if self.cron else most

    @property
    def grace_s(self) -> float:
        """Seconds of lateness up to which a start still counts as on time."""
        return min(max(self.interval_s * GRACE_SHARE, LEAST_GRACE_S), MOST_GRACE_S)

    def words(self) -> str:
        """For people."""
        if self.cron:
            return f"cron {self.cron}"
        if self.interval_s < 120:
            return f"{self.interval_s:g} s"
        return f"{self.interval_s / 60:g} min"


def timing(source: Any, every_s: float | None = None) -> Timing:
    """The timing of a configured source; `every_s` is the operator's interval for all."""
    if every_s:
        return Timing(every_s)
    return Timing(source.interval_min * 60.0, getattr(source, "cron", None))


def timings(sources: Mapping[str, Any], every_s: float | None = None) -> dict[str, Timing]:
    """The timing of all sources that can be crawled, in the order of the file."""
    from crawler.spiders.refusal import refusal

    return {name: timing(s, every_s) for name, s in sources.items() if not refusal(s, named=False)}


def trigger(how: Timing) -> Any:
    """The APScheduler trigger."""
    from apscheduler.triggers.cron import CronTrigger
    from apscheduler.triggers.interval import IntervalTrigger

    from config.cron import parse_cron

    if how.cron is None:
        return IntervalTrigger(seconds=how.interval_s, jitter=how.jitter_s or None, timezone=BEIJING)
    cron = parse_cron(how.cron)
    return CronTrigger(
        minute=cron.minute, hour=cron.hour, day=cron.day, month=cron.month, day_of_week=cron.weekday,
        timezone=BEIJING, jitter=how.jitter_s or None,
    )  # fmt: skip


def due(how: Timing, last: datetime | None, now: datetime) -> datetime | None:
    """When the next crawl is due, given the start of the last one that came to an end; None = never crawled, due at once.

    In the past for a source that is overdue.
    """
    if last is None:
        return None
    last = min(last, now)  # a clock that was set back must not put a source off for days
    if how.cron is None:
        return last + timedelta(seconds=how.interval_s)
    found: datetime | None = trigger(Timing(0.0, how.cron)).get_next_fire_time(None, last + timedelta(seconds=60))
    return found.astimezone(UTC) if found else now + timedelta(days=36500)


def gap_s(overdue: int, shortest_s: float) -> float:
    """Seconds between two starts while `overdue` sources are caught up with."""
    return min(CATCH_UP_GAP_S, CATCH_UP_WINDOW_S / max(overdue, 1), shortest_s / 2 / max(overdue, 1))


def spread(when: Mapping[str, datetime | None], now: datetime, gap: float) -> dict[str, datetime]:
    """First starts: what is overdue one after the other, most overdue first (never crawled: first of all, in the order
    given), everything else when it is due."""
    beginning = datetime.min.replace(tzinfo=UTC)
    late = sorted((name for name, at in when.items() if at is None or at <= now), key=lambda n: when[n] or beginning)
    firsts = {name: now + timedelta(seconds=place * gap) for place, name in enumerate(late)}
    return {name: firsts.get(name) or at or now for name, at in when.items()}
