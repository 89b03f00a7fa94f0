"""How each source is: reached or not, giving news or silent, since when and why; and the days nobody watched.

"No evidence" is worth something only where a source was read, so everything here says what was *watched*, from the run
ledger. Instants are UTC; days are UTC days of the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any, Literal

from sqlite_utils import Database

from db.ledger import _REACHED, documents_of

State = Literal["fine", "quiet", "doubtful", "failing", "overdue", "never", "paused", "off"]
# states that a person should look at, worst first
TROUBLE: tuple[State, ...] = ("failing", "never", "overdue", "doubtful", "quiet")
DOUBTS = ("empty-list", "shrunk-list", "stale")
# gaps between two runs that brought something: so many are looked at, so many are needed to speak of a usual gap
GAPS_READ, GAPS_NEEDED = 60, 8
# a source is overdue when it was not tried for so many of its intervals, and at least so many hours
INTERVALS, LEAST_OVERDUE_H = 4, 12.0
# quiet: longer than the usual longest gap by this factor
PATIENCE = 1.5


@dataclass(slots=True)
class Health:
    """One source. `usual_gap_h`: hours within which nine of ten pieces of news followed the one before (None = not known);
    `allowed_h`: silence longer than this is called quiet; `silent_h`: hours since the last news (None = never any);
    `paused_at`: since when the schedule leaves it out, because somebody said so (None = it does not)."""

    source: str
    name: str
    type: str
    language: str
    enabled: bool
    note: str
    interval_min: int
    base_url: str
    watched_since: str | None = None
    last_reached: str | None = None
    last_tried: str | None = None
    last_new: str | None = None
    usual_gap_h: float | None = None
    allowed_h: float | None = None
    silent_h: float | None = None
    state: State = "fine"
    outcome: str = ""
    reason: str = ""
    failing_since: str | None = None
    paused_at: str | None = None
    documents: int = 0
    days: dict[str, tuple[int, int, int, int]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)


_SOURCE = (
    "select id, name, type, language, enabled, note, interval_min, base_url, newest_max_age_h, paused_at, paused_why "
    "from sources left join schedule on schedule.source = sources.id"
)


def sources(database: Database, now: datetime, *, only: str | None = None, days: int = 84) -> list[Health]:
    """Every source (or `only` one), in the order of trouble, then by name."""
    conn = database.conn
    where, values = (" where id = ?", (only,)) if only is not None else ("", ())
    rows = conn.execute(_SOURCE + where, values).fetchall()
    since = (now.astimezone(UTC).date() - timedelta(days=days - 1)).isoformat()
    ledger: dict[str, dict[str, tuple[int, int, int, int]]] = {}
    for source, day, *figures in conn.execute(
        "select source, day, reached, doubtful, failed, new from source_days where day >= ?", (since,)
    ).fetchall():
        ledger.setdefault(source, {})[day] = tuple(figures)
    found = [_health(database, row, now, ledger.get(row[0], {})) for row in rows]
    order = {state: number for number, state in enumerate((*TROUBLE, "paused", "fine", "off"))}
    return sorted(found, key=lambda h: (order[h.state], h.source))


def _health(database: Database, row: Sequence[Any], now: datetime, days: dict[str, Any]) -> Health:
    conn = database.conn
    *plain, limit, paused_at, paused_why = row
    id_, name, type_, language, enabled, note, interval, base_url = plain
    health = Health(id_, name, type_, language, bool(enabled), note, interval, base_url, days=days, paused_at=paused_at)
    health.watched_since = _one(conn, f"where source = ? and {_REACHED} order by started_at asc", id_)
    health.last_reached = _one(conn, f"where source = ? and {_REACHED} order by started_at desc", id_)
    health.last_new = _one(conn, "where source = ? and new > 0 order by started_at desc", id_)
    health.documents = documents_of(conn, id_)
    health.usual_gap_h = usual_gap(conn, id_)
    # learned from its own history, never below what is expected of it: a ministry's weekend is no silence
    health.allowed_h = max(PATIENCE * health.usual_gap_h, limit or 24.0) if health.usual_gap_h is not None else limit
    if health.last_new:
        health.silent_h = hours(health.last_new, now)
    health.events = [
        dict(zip(("kind", "since", "reason", "opened_at"), event, strict=True))
        for event in conn.execute(
            "select kind, since, reason, opened_at from source_events where source = ? and closed_at is null "
            "order by opened_at",
            (id_,),
        ).fetchall()
    ]
    last = conn.execute(
        "select started_at, state, outcome, reason, list_rows from source_runs where source = ? "
        "and state not in ('running', 'skipped') order by started_at desc limit 1",
        (id_,),
    ).fetchone()
    _judge(health, last, now)
    if health.state == "paused":
        health.reason, health.outcome = paused_why, ""
    if health.state in ("failing", "never"):
        health.failing_since = _failing_since(conn, health)
    return health


def _judge(health: Health, last: Sequence[Any] | None, now: datetime) -> None:
    """Fill state, outcome and reason."""
    if last is not None:
        health.last_tried, _, health.outcome, health.reason = last[:4]
        health.outcome = "" if health.outcome in ("ok", "unchanged") else health.outcome
    overdue = max(INTERVALS * health.interval_min / 60, LEAST_OVERDUE_H)
    if not health.enabled:
        health.state, health.reason, health.outcome = "off", health.note, ""
    elif health.paused_at is not None:
        health.state = "paused"
    elif health.watched_since is None:
        health.state = "never"
    elif last is not None and not _reached(last) and last[1] != "stopped":
        health.state = "failing"
    elif last is None or hours(last[0], now) > overdue:
        health.state = "overdue"
    elif health.outcome in DOUBTS:
        health.state = "doubtful"
    elif health.silent_h is not None and health.allowed_h is not None and health.silent_h > health.allowed_h:
        health.state = "quiet"
    else:
        health.state = "fine"


def _reached(run: Sequence[Any]) -> bool:
    _, state, outcome, _, list_rows = run
    return state == "done" and (outcome in ("ok", "unchanged", "") or list_rows > 0)


def _one(conn: Any, tail: str, source: str) -> str | None:
    row = conn.execute(f"select started_at from source_runs {tail} limit 1", (source,)).fetchone()
    return row[0] if row else None


def _failing_since(conn: Any, health: Health) -> str | None:
    """The first try after the source was last reached."""
    row = conn.execute(
        "select started_at from source_runs where source = ? and started_at > ? and state not in ('running', 'skipped') "
        "order by started_at limit 1",
        (health.source, health.last_reached or ""),
    ).fetchone()
    return row[0] if row else None


def usual_gap(conn: Any, source: str) -> float | None:
    """Hours within which nine of ten pieces of news followed the one before; None while too few are known."""
    rows = conn.execute(
        "select started_at from source_runs where source = ? and new > 0 order by started_at desc limit ?",
        (source, GAPS_READ + 1),
    ).fetchall()
    instants = [instant(row[0]) for row in rows]
    gaps = sorted((later - earlier).total_seconds() / 3600 for earlier, later in pairwise(reversed(instants)))
    return gaps[int(0.9 * (len(gaps) - 1))] if len(gaps) >= GAPS_NEEDED else None


def gaps(health: Health, today: date, days: int = 84) -> list[tuple[date, date]]:
    """Days on which a watched source was not reached, as (first, last), oldest first; `today` does not count yet."""
    if health.watched_since is None or not health.enabled:
        return []
    day = max(today - timedelta(days=days - 1), instant(health.watched_since).date())
    out: list[tuple[date, date]] = []
    while day < today:
        if not health.days.get(day.isoformat(), (0, 0, 0, 0))[0]:
            if out and out[-1][1] == day - timedelta(days=1):
                out[-1] = (out[-1][0], day)
            else:
                out.append((day, day))
        day += timedelta(days=1)
    return out


@dataclass(frozen=True, slots=True)
class Watch:
    """How much of the last `days` was watched, over all enabled sources."""

    enabled: int
    reached: int
    never: int
    since: str | None
    last: str | None
    days: int
    days_watched: int
    days_possible: int

    @property
    def share(self) -> float:
        """Source-days that were watched, of those that could have been."""
        return self.days_watched / self.days_possible if self.days_possible else 0.0


def watch(found: Sequence[Health], today: date, days: int) -> Watch:
    """What `sources` found, summed up over the last days, `today` included."""
    on = [h for h in found if h.enabled]
    span = [(today - timedelta(days=n)).isoformat() for n in range(days)]
    by_source = [sum(1 for day in span if h.days.get(day, (0,))[0]) for h in on]
    return Watch(
        enabled=len(on),
        reached=sum(1 for number in by_source if number),
        never=sum(h.watched_since is None for h in on),
        since=min((h.watched_since for h in found if h.watched_since), default=None),
        last=max((h.last_reached for h in found if h.last_reached), default=None),
        days=days,
        days_watched=sum(by_source),
        days_possible=days * len(on),
    )


def instant(text: str) -> datetime:
    """An ISO instant that ends in Z."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def hours(text: str, now: datetime) -> float:
    """Hours from an instant until now."""
    return (now - instant(text)).total_seconds() / 3600
