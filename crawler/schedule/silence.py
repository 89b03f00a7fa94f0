"""Notices that a source has stopped giving news, says why in words, and notices when news comes again.

Two kinds of event can be open for one source. Trouble: its list is `empty`, `shrunk`, `frozen` (the newest row is too
old), `refused`, or it is `failing` (time-outs, server errors, the disk). And `quiet`: everything answers, but nothing new
has come for longer than its own history allows. One bad answer is weather; an event needs a run of them. An event is
opened once, closed once, and told to the operators through the outbox, those of some minutes in one message.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlite_utils import Database

from crawler.failures import REFUSALS
from crawler.schedule.book import CRASHED
from db.connection import immediate
from db.health import GAPS_NEEDED, PATIENCE, instant, usual_gap
from db.outbox import put, stamp

RULE = "circularwatch"
TROUBLE = ("empty", "shrunk", "frozen", "refused", "failing")
QUIET = "quiet"
KIND_OF = {"empty-list": "empty", "shrunk-list": "shrunk", "stale": "frozen"}
# Trouble is believed after three runs in a row, or two that lie half a day apart (a source that is read once a day).
RUNS, FEWER_RUNS, APART_H = 3, 2, 12.0
# A refusal that comes as a status, not as one of the crawl's own words for it.
ALSO_REFUSED = frozenset({"rate-limited", "template", "soft-404"})
NAMED_LISTS = 3
WORDS = {
    "empty": "without a single row", "shrunk": "short of rows", "frozen": "frozen", "refused": "refusing us",
    "failing": "not answering", "quiet": "quiet",
}  # fmt: skip
NOT_TOLD = "-"


@dataclass(frozen=True, slots=True)
class Change:
    """An event that was opened or closed by this look."""

    what: str
    source: str
    kind: str
    since: str
    reason: str

    def words(self) -> str:
        """For people."""
        if self.what == "closed":
            return f"{self.source}: news again ({self.kind} since {self.since} is over)"
        return f"{self.source}: {self.kind} since {self.since}: {self.reason}"


@dataclass(slots=True)
class Finding:
    """What is wrong with a source now."""

    kind: str
    since: str
    reason: str


@dataclass(slots=True)
class Silence:
    """Looks at the ledger. `hold_s`: events of so many seconds are told in one message."""

    config: Any
    hold_s: float = 600.0

    def look(self, opened: Database, now: datetime, paused: Collection[str] = ()) -> list[Change]:
        """Open, keep and close events, and queue what is to be told. Gives what was opened and closed."""
        changes: list[Change] = []
        with immediate(opened) as conn:
            watched = _watched(self.config)
            open_ = _open_events(conn)
            for name in sorted({source for source, _ in open_} - watched.keys()):
                changes += self._close(conn, open_, name, (*TROUBLE, QUIET), now, told=False)
            for name, source in watched.items():
                if name in paused:
                    continue
                changes += self._source(conn, source, open_, now)
            self._tell(conn, now)
        return changes

    # ------------------------------------------------------------------ one source

    def _source(
        self, conn: sqlite3.Connection, source: Any, open_: dict[tuple[str, str], Any], now: datetime
    ) -> list[Change]:
        changes: list[Change] = []
        last = _runs(conn, source.id)
        if not last:
            return changes
        trouble, surely = judge_trouble(conn, source, last)
        held = next((kind for kind in TROUBLE if (source.id, kind) in open_), None)
        if trouble is not None and held is not None:
            if trouble.kind != held or trouble.reason != open_[(source.id, held)]["reason"]:
                # the same trouble in other words: kept up to date, not told again
                conn.execute(
                    "update source_events set kind = ?, reason = ? where id = ?",
                    (trouble.kind, trouble.reason, open_[(source.id, held)]["id"]),
                )
        elif trouble is not None and surely:
            changes.append(_open(conn, source.id, trouble, now))
        elif trouble is None and held is not None:
            changes += self._close(conn, open_, source.id, TROUBLE, now)
        quiet = judge_quiet(conn, source, last)
        if quiet is not None and (source.id, QUIET) not in open_ and trouble is None:
            changes.append(_open(conn, source.id, quiet, now))
        elif (source.id, QUIET) in open_:
            event = open_[(source.id, QUIET)]
            if any(run["new"] and run["started_at"] > event["opened_at"] for run in last) or (
                quiet is None and trouble is None
            ):
                changes += self._close(conn, open_, source.id, (QUIET,), now)
        return changes

    def _close(
        self, conn: sqlite3.Connection, open_: dict[tuple[str, str], Any], source: str, kinds: Sequence[str],
        now: datetime, *, told: bool = True,
    ) -> list[Change]:  # fmt: skip
        changes = []
        for kind in kinds:
            event = open_.pop((source, kind), None)
            if event is None:
                continue
            conn.execute(
                "update source_events set closed_at = ?, told_open = coalesce(told_open, ?), told_close = ? where id = ?",
                # one that was over before anybody was told of it is no news
                (stamp(now), NOT_TOLD, None if told and event["told_open"] not in (None, NOT_TOLD) else NOT_TOLD,
                 event["id"]),
            )  # fmt: skip
            changes.append(Change("closed", source, kind, event["since"], event["reason"]))
        return changes

    # ------------------------------------------------------------------ telling

    def _tell(self, conn: sqlite3.Connection, now: datetime) -> None:
        """One message to each operator for all that is untold, once the oldest of it is `hold_s` old."""
        rows = conn.execute(
            "select id, source, kind, since, reason, opened_at, closed_at, told_open from source_events "
            "where told_open is null or (closed_at is not null and told_close is null) order by opened_at, id"
        ).fetchall()
        names = ("id", "source", "kind", "since", "reason", "opened_at", "closed_at", "told_open")
        events = [dict(zip(names, row, strict=True)) for row in rows]
        if not events:
            return
        oldest = min(instant(e["closed_at"] or e["opened_at"]) for e in events)
        if (now - oldest).total_seconds() < self.hold_s:
            return
        told = stamp(now)
        payload = message([self._event(e) for e in events], self.config.settings.timezone)
        for recipient in self.config.settings.alerts_to:
            put(conn, RULE, f"mail:{recipient}", "silence", [], now, payload)
        mark = told if self.config.settings.alerts_to else NOT_TOLD
        for event in events:
            column = "told_close" if event["closed_at"] else "told_open"
            conn.execute(f"update source_events set {column} = ? where id = ?", (mark, event["id"]))

    def _event(self, event: dict[str, Any]) -> dict[str, Any]:
        source = self.config.sources.get(event["source"])
        about = {"name": source.name if source else event["source"], "url": source.base_url if source else ""}
        return {k: v for k, v in event.items() if k != "told_open"} | about


def message(events: Sequence[dict[str, Any]], zone: str) -> dict[str, Any]:
    """The message of some events: a subject and lines for people, the events as data. Times in the operator's zone."""
    begun, over = [e for e in events if not e["closed_at"]], [e for e in events if e["closed_at"]]
    heads = []
    if begun:
        heads.append(
            f"{begun[0]['name']} is {WORDS[begun[0]['kind']]}"
            if len(begun) == 1
            else f"{len(begun)} sources give no news"
        )
    if over:
        heads.append(f"news again from {over[0]['name'] if len(over) == 1 else f'{len(over)} sources'}")
    lines = [
        f"{e['name']} ({e['source']}) is {WORDS[e['kind']]} since {clock(e['since'], zone)}. {sentence(e['reason'])}"
        for e in begun
    ]
    lines += [
        f"{e['name']} ({e['source']}) gives news again since {clock(e['closed_at'], zone)}; it was {WORDS[e['kind']]} since {clock(e['since'], zone)}."
        for e in over
    ]
    if begun:
        lines.append("Until then, no news from these sources means nothing. `circularwatch sources health` shows all.")
    return {"subject": f"circularwatch: {'; '.join(heads)}", "lines": lines, "events": list(events)}


def clock(text: str, zone: str) -> str:
    """An instant in the operator's zone."""
    return f"{instant(text).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def sentence(text: str) -> str:
    """With a capital letter and a full stop; an address at the beginning stays as it is."""
    text = text if text.startswith("http") else text[:1].upper() + text[1:]
    return text if text.endswith((".", "。", ")")) else text + "."


# ---------------------------------------------------------------------- judging


def judge_trouble(conn: sqlite3.Connection, source: Any, last: Sequence[dict[str, Any]]) -> tuple[Finding | None, bool]:
    """What is wrong with the newest run of a source, and whether it has been so for long enough to be an event.

    `last` are its finished runs, newest first.
    """
    if _kind(last[0]) is None:
        return _lists_that_fail(conn, source, last)
    bad = []
    for run in last:
        if _kind(run) is None:
            break
        bad.append(run)
    first = bad[-1]
    apart = (instant(bad[0]["started_at"]) - instant(first["started_at"])).total_seconds() / 3600
    surely = len(bad) >= RUNS or (len(bad) >= FEWER_RUNS and apart >= APART_H)
    kind = _kind(bad[0]) or "failing"
    words = bad[0]["reason"] or bad[0]["outcome"]
    many = "" if len(bad) < 2 else f" ({len(bad)}{'+' if len(bad) == len(last) else ''} runs in a row)"
    return Finding(kind, first["started_at"], f"{words}{many}"), surely


def _kind(run: dict[str, Any]) -> str | None:
    """The kind of trouble that a finished run shows; None for a good one."""
    outcome = run["outcome"]
    if run["state"] == "done" and outcome in KIND_OF:
        return KIND_OF[outcome]
    if run["state"] == "done" and (outcome in ("ok", "unchanged", "") or run["list_rows"] > 0):
        return None
    return "refused" if outcome in REFUSALS or outcome in ALSO_REFUSED else "failing"


def _lists_that_fail(
    conn: sqlite3.Connection, source: Any, last: Sequence[dict[str, Any]]
) -> tuple[Finding | None, bool]:
    """The source is read, but one of its lists has not been for several runs: its column is silent."""
    wanted = {entry.url: entry.section for entry in source.lists if entry.url}
    if len(last) < FEWER_RUNS or len(wanted) < 2:
        return None, False
    failed: list[dict[str, tuple[str, str]]] = []
    for run in last[:RUNS]:
        newest: dict[str, tuple[str, str]] = {}
        for url, outcome, reason in conn.execute(
            "select url, outcome, reason from fetches where run = ? and kind = 'list' order by id", (run["id"],)
        ).fetchall():
            if url in wanted:
                newest[url] = (outcome, reason)
        failed.append({u: v for u, v in newest.items() if v[0] not in ("ok", "unchanged", "redirect")})
    always = set.intersection(*map(set, failed))
    if not always:
        return None, False
    runs = last[: len(failed)]
    apart = (instant(runs[0]["started_at"]) - instant(runs[-1]["started_at"])).total_seconds() / 3600
    surely = len(runs) >= RUNS or apart >= APART_H
    outcome = Counter(failed[0][u][0] for u in always).most_common(1)[0][0]
    kind = "refused" if outcome in REFUSALS or outcome in ALSO_REFUSED else "failing"
    shown = [f"{wanted[u] or u}: {failed[0][u][1]}" for u in sorted(always)[:NAMED_LISTS]]
    more = f"; and {len(always) - NAMED_LISTS} more" if len(always) > NAMED_LISTS else ""
    return Finding(kind, runs[-1]["started_at"],
                   f"{len(always)} of {len(wanted)} lists cannot be read: {'; '.join(shown)}{more}"), surely  # fmt: skip


def judge_quiet(conn: sqlite3.Connection, source: Any, last: Sequence[dict[str, Any]]) -> Finding | None:
    """Nothing new for longer than usual, as far as the source was read: what nobody watched is not its silence."""
    reached = next((run for run in last if _kind(run) is None), None)
    row = conn.execute(
        "select started_at from source_runs where source = ? and new > 0 order by started_at desc limit 1", (source.id,)
    ).fetchone()
    if reached is None or row is None:
        return None
    silent = (instant(reached["started_at"]) - instant(row[0])).total_seconds() / 3600
    limit, why = allowed_h(conn, source)
    if silent <= limit:
        return None
    return Finding(QUIET, row[0], f"nothing new for {_span(silent)}; {why}")


def allowed_h(conn: sqlite3.Connection, source: Any) -> tuple[float, str]:
    """Hours of silence that are normal for a source, and where that is known from: its own history, never below expect."""
    floor = float(source.expect.newest_max_age_h)
    gap = usual_gap(conn, source.id)
    if gap is None or gap * PATIENCE <= floor:
        learned = "" if gap is None else f", and it usually has some within {_span(gap)}"
        return floor, f"something new is expected within {_span(floor)} (expect.newest_max_age_h){learned}"
    return gap * PATIENCE, f"it usually has something new within {_span(gap)} (nine of ten times, {GAPS_NEEDED}+ seen)"


def _span(hours: float) -> str:
    if hours < 1:
        return f"{hours * 60:.0f} minutes"
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"


def _runs(conn: sqlite3.Connection, source: str, many: int = 12) -> list[dict[str, Any]]:
    """Runs that say something about the source, newest first: not those that we stopped ourselves."""
    names = ("id", "started_at", "state", "outcome", "reason", "list_rows", "new")
    rows = conn.execute(
        f"select {', '.join(names)} from source_runs where source = ? and state in ('done', 'failed', 'killed') "
        f"and outcome != '{CRASHED}' "
        "order by started_at desc, id desc limit ?",
        (source, many),
    ).fetchall()
    return [dict(zip(names, row, strict=True)) for row in rows]


def _open(conn: sqlite3.Connection, source: str, found: Finding, now: datetime) -> Change:
    id_ = f"{source}:{found.kind}:{now.astimezone(UTC):%Y%m%dT%H%M%S}-{os.urandom(2).hex()}"
    conn.execute(
        "insert into source_events (id, source, kind, since, reason, opened_at) values (?, ?, ?, ?, ?, ?)",
        (id_, source, found.kind, found.since, found.reason, stamp(now)),
    )
    return Change("opened", source, found.kind, found.since, found.reason)


def _open_events(conn: sqlite3.Connection) -> dict[tuple[str, str], dict[str, Any]]:
    names = ("id", "source", "kind", "since", "reason", "opened_at", "told_open")
    rows = conn.execute(f"select {', '.join(names)} from source_events where closed_at is null").fetchall()
    events = [dict(zip(names, row, strict=True)) for row in rows]
    return {(e["source"], e["kind"]): e for e in events}


def _watched(config: Any) -> dict[str, Any]:
    from crawler.spiders.refusal import refusal

    return {name: s for name, s in config.sources.items() if not refusal(s, named=False)}
