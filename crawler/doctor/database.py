"""The database: whole, consistent, searchable; what waits in it, who works on it, and what is silent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from crawler.doctor import Finding, bad, ok, warn
from crawler.schedule import book, control
from db.connection import connect, immediate
from db.errors import DatabaseError, WrongDatabaseError
from db.outbox import stamp

# What waits longer than this waits for somebody who is not there.
PATIENCE = timedelta(hours=1)
SHOWN = 3


def open_it(path: Path) -> tuple[Database | None, list[Finding]]:
    """The database for writing (that also brings its schema up to date), or why it cannot be opened."""
    try:
        return connect(path), []
    except DatabaseError as e:
        try:
            return connect(path, readonly=True), [warn("database", f"{e}; it is only looked at")]
        except DatabaseError:
            # the sentence of one that is whole, and not for this program, says what to do already
            remedy = (
                "" if isinstance(e, WrongDatabaseError) else "`circularwatch rebuild` makes it again from the archive"
            )
            return None, [bad("database", str(e), remedy)]


def content(opened: Database, path: Path, *, mend: bool) -> Iterator[Finding]:
    """Pages, references, index."""
    conn = opened.conn
    try:
        found = [row[0] for row in conn.execute("pragma integrity_check(5)").fetchall()]
    except sqlite3.DatabaseError as e:
        found = [str(e)]
    if found != ["ok"]:
        yield bad("database", f"{path} is damaged: {'; '.join(map(str, found[:SHOWN]))}",
                  "stop everything and run `circularwatch rebuild`, or take a backup")  # fmt: skip
        return
    documents = conn.execute("select count(*) from documents").fetchone()[0]
    yield ok("database", f"{path}: {path.stat().st_size / 1e6:.1f} MB, {documents} documents, whole")
    broken = conn.execute("pragma foreign_key_check").fetchall()
    if broken:
        tables = ", ".join(sorted({row[0] for row in broken}))
        yield bad(
            "references", f"{len(broken)} rows of {tables} point at nothing", "`circularwatch rebuild` makes it again"
        )
    else:
        yield ok("references", "every row points at something")
    yield from _index(opened, mend=mend)


def _index(opened: Database, *, mend: bool) -> Iterator[Finding]:
    from db.search.index import faults, remake

    try:
        with immediate(opened) as conn:  # FTS5's own check is an INSERT
            wrong = faults(conn)
            made = remake(conn) if wrong and mend else 0
            left = faults(conn) if made else wrong
    except DatabaseError as e:
        yield warn("search index", f"could not be checked: {e}")
        return
    if left:
        yield bad("search index", "; ".join(left), "`circularwatch doctor --mend` makes it anew")
    elif wrong:
        yield ok("search index", f"was wrong ({wrong[0]}) and was made anew: {made} documents")
    else:
        yield ok("search index", "matches the documents (FTS5's own check)")


def work(opened: Database, path: Path, *, mend: bool) -> Iterator[Finding]:
    """What waits, who is at work, and runs of the dead."""
    yield from _queue(opened, path)
    yield from _outbox(opened)
    yield from _locks(path)
    yield from _runs(opened, path, mend=mend)


def _queue(opened: Database, path: Path) -> Iterator[Finding]:
    count, oldest = opened.conn.execute(
        "select count(*), min(fetched_at) from fetches where state = 'pending'"
    ).fetchone()
    failed = opened.conn.execute("select count(*) from fetches where state = 'failed'").fetchone()[0]
    tail = f"; {failed} could not be read" if failed else ""
    if count and _old(oldest) and not held(Path(f"{path}.processor.lock")):
        yield warn(
            "queue", f"{count} fetches wait to be read, the oldest since {oldest}{tail}", "run `circularwatch process`"
        )
    else:
        yield ok("queue", f"{count} fetches wait to be read{tail}")


def _outbox(opened: Database) -> Iterator[Finding]:
    pending, oldest, error = opened.conn.execute(
        "select count(*), min(created_at), max(error) from alert_messages where state = 'pending'"
    ).fetchone()
    dead = opened.conn.execute("select count(*) from alert_messages where state = 'dead'").fetchone()[0]
    if dead:
        yield warn(
            "messages",
            f"{dead} were given up",
            "`circularwatch alerts log --state dead` says why; `alerts retry` tries again",
        )
    if pending and _old(oldest):
        why = f" ({error})" if error else ""
        yield warn("messages", f"{pending} wait to be sent, the oldest since {oldest}{why}",
                   "run `circularwatch up` or `circularwatch alerts send`, which says what is missing")  # fmt: skip
    elif not dead:
        yield ok("messages", f"{pending} wait to be sent")


def _locks(path: Path) -> Iterator[Finding]:
    live = control.scheduler_of(path)
    names = {"processor": f"{path}.processor.lock", "sender": f"{path}.sender.lock"}
    busy = [name for name, file in names.items() if held(Path(file))]
    busy = ([f"scheduler (process {live.get('pid')}, since {live.get('since')})"] if live else []) + busy
    yield ok("locks", f"at work now: {', '.join(busy)}" if busy else "nobody is at work; no lock is held")


def held(path: Path) -> bool:
    """Whether a living process holds this lock."""
    import fcntl

    try:
        with open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _runs(opened: Database, path: Path, *, mend: bool) -> Iterator[Finding]:
    rows = opened.conn.execute("select source from source_runs where state = 'running'").fetchall()
    dead = [source for (source,) in rows if not book.is_crawled(path, source)]
    if dead and mend:
        reaped = book.reap(opened, path)
        yield ok("runs", f"{len(reaped)} said to be running though their process is gone; noted as killed")
    elif dead:
        yield warn("runs", f"{len(dead)} are said to be running though their process is gone: {', '.join(dead[:SHOWN])}",
                   "the next scheduler notes it, or `circularwatch doctor --mend`")  # fmt: skip
    else:
        yield ok("runs", f"{len(rows)} are running" if rows else "none is said to be running that is not")


def watch(opened: Database, config: Any) -> Iterator[Finding]:
    """Sources that are silent, or that nobody reads."""
    from db.health import sources

    found = [h for h in sources(opened, datetime.now(UTC)) if h.enabled and h.source in config.sources]
    paused = book.paused(opened)
    silent = [h.source for h in found if h.events and h.source not in paused]
    unread = [h.source for h in found if h.state == "overdue" and h.source not in paused]
    never = [h.source for h in found if h.state == "never"]
    for names, words in ((silent, "are silent or in trouble"), (unread, "were not read for much longer than planned"),
                         (never, "were never read")):  # fmt: skip
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            yield warn(
                "sources",
                f"{len(names)} {words}: {', '.join(names[:SHOWN])}{more}",
                "`circularwatch sources health` says why",
            )
    if paused:
        yield ok("sources", f"paused: {', '.join(sorted(paused))}")
    if not (silent or unread or never):
        yield ok("sources", f"all {len(found)} that are on give news")


def _old(instant: str | None) -> bool:
    return bool(instant) and str(instant) < stamp(datetime.now(UTC) - PATIENCE)
