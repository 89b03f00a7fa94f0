"""What the scheduler writes into the run ledger: runs of dead processes, crawls that could not begin and why, and when
each source is due next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from crawler.leases import SourceBusy, SourceLock
from crawler.ledger import new_run_id
from db import runs
from db.connection import immediate
from db.health import instant
from db.outbox import stamp

# outcome of a run whose process vanished with its parent: our own fault, and no sign of how the source is
CRASHED = "crashed"
STILL_RUNNING, PAUSED, WAITING = "still-running", "paused", "waiting"


def locks_of(database: Path) -> Path:
    """The folder of the locks on sources and hosts."""
    return database.parent / "locks"


def is_crawled(database: Path, source: str) -> bool:
    """Whether any process crawls this source now: it holds the source's lock, which a dead process cannot."""
    try:
        SourceLock(locks_of(database), source).close()
    except SourceBusy:
        return True
    return False


def reap(opened: Database, database: Path) -> list[runs.Run]:
    """Mark as killed the runs that say `running` while nobody holds their source's lock; gives them.

    Better than asking for the process number, which another process may have by now.
    """
    dead: list[runs.Run] = []
    for run in runs.list_runs_in_state(opened, "running"):
        try:
            lock = SourceLock(locks_of(database), run.source)
        except SourceBusy:
            continue
        try:
            reason = f"its process ({run.pid}) ended before it could report; what it had received is kept"
            if close(opened, run.id, "killed", reason, CRASHED):
                dead.append(run)
        finally:
            lock.close()
    return dead


def close(opened: Database, run: str, state: str, reason: str, outcome: str = "") -> bool:
    """End a run that has not ended itself; False if it has."""
    with immediate(opened) as conn:
        done = conn.execute(
            "update source_runs set state = ?, outcome = ?, reason = ?, finished_at = ? where id = ? and state = 'running'",
            (state, outcome or state, reason, runs.now(), run),
        )
        return done.rowcount == 1


def explain_stop(opened: Database, run: str, reason: str) -> None:
    """Say why a run that was stopped was stopped."""
    with immediate(opened) as conn:
        conn.execute("update source_runs set reason = ? where id = ? and state in ('stopped', 'killed')", (reason, run))


def left_out(opened: Database, source: str, why: str, reason: str, planned: datetime) -> None:
    """Note that a planned crawl did not begin. The same reason again and again is one row, which counts them."""
    with immediate(opened) as conn:
        last = conn.execute(
            "select id, state, outcome, reason, planned_at, seen from source_runs where source = ? "
            "order by started_at desc, id desc limit 1",
            (source,),
        ).fetchone()
        if last and last[1:3] == ("skipped", why) and why == PAUSED:
            many = last[5] + 1
            text = f"{reason}; {many} planned crawls left out since {last[4]}"
            conn.execute(
                "update source_runs set reason = ?, seen = ?, finished_at = ? where id = ?",
                (text, many, runs.now(), last[0]),
            )
            return
        run = new_run_id(source)
        conn.execute(
            "insert into source_runs (id, source, trigger, planned_at, started_at, finished_at, state, outcome, reason, seen) "
            "values (?, ?, 'schedule', ?, ?, ?, 'skipped', ?, ?, ?)",
            (run, source, stamp(planned), runs.now(), runs.now(), why, reason, 1 if why == PAUSED else 0),
        )


def never_began(opened: Database, source: str, trigger: str, planned: datetime, state: str, reason: str) -> None:
    """Note a crawl whose process ended before it had a row of its own."""
    run = new_run_id(source)
    runs.start_run(opened, run, source, trigger=trigger, planned_at=stamp(planned), pid=0)
    runs.finish_run(opened, run, state=state, outcome=state, reason=reason)


def last_ends(opened: Database) -> dict[str, datetime]:
    """Source -> start of its newest crawl that came to an end by itself: only such a one counts as having been done."""
    rows = opened.conn.execute(
        "select id, (select started_at from source_runs where source = s.id and state in ('done', 'failed') "
        "order by started_at desc limit 1) from sources s"
    ).fetchall()
    return {source: instant(at) for source, at in rows if at}


def note_next(opened: Database, when: Mapping[str, datetime | None]) -> None:
    """Keep when each source is due next, for people to see."""
    if not when:
        return
    with immediate(opened) as conn:
        conn.executemany(
            "insert into schedule (source, next_at) values (?, ?) on conflict (source) do update set next_at = excluded.next_at",
            [(source, stamp(at) if at else None) for source, at in when.items()],
        )


def note_queued(opened: Database, source: str, at: datetime | None) -> None:
    """Keep that a source waits for a free place, or no longer does."""
    with immediate(opened) as conn:
        conn.execute(
            "insert into schedule (source, queued_at) values (?, ?) on conflict (source) do update set queued_at = excluded.queued_at",
            (source, stamp(at) if at else None),
        )


def forget_plan(opened: Database) -> None:
    """Without a scheduler nothing is due and nothing waits."""
    with immediate(opened) as conn:
        conn.execute("update schedule set next_at = null, queued_at = null")


def paused(opened: Database) -> dict[str, tuple[str, str]]:
    """The paused sources: since when (UTC), and why."""
    rows = opened.conn.execute("select source, paused_at, paused_why from schedule where paused_at is not null")
    return {source: (at, why) for source, at, why in rows.fetchall()}


def pause(opened: Database, sources: Iterable[str], why: str) -> list[str]:
    """Pause sources; gives those that were not paused before."""
    changed = []
    with immediate(opened) as conn:
        for source in sources:
            done = conn.execute(
                "insert into schedule (source, paused_at, paused_why) values (?, ?, ?) on conflict (source) do update set "
                "paused_at = excluded.paused_at, paused_why = excluded.paused_why where paused_at is null",
                (source, stamp(datetime.now(UTC)), why),
            )
            changed += [source] * done.rowcount
    return changed


def resume(opened: Database, sources: Iterable[str]) -> list[str]:
    """Let paused sources go on; gives those that were paused."""
    changed = []
    with immediate(opened) as conn:
        for source in sources:
            done = conn.execute(
                "update schedule set paused_at = null, paused_why = '' where source = ? and paused_at is not null",
                (source,),
            )
            changed += [source] * done.rowcount
    return changed
