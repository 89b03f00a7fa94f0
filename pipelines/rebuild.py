"""Makes the database again from the archive and the configuration, beside the old one, and swaps the two when it is right.

A rebuild sends nothing: alert hooks don't run. What no archive holds (judgements, alert history, runs) is carried over.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from db import journal, observations
from db.connection import connect, hold, immediate, open_migrated
from db.errors import explain
from db.search.index import faults
from db.tables import sync
from db.transplant import Kept, transplant
from pipelines import archive as warc
from pipelines.processor import Progress, Summary, lock, process

# Events per transaction of the replay.
PORTION = 1000


class RebuildError(Exception):
    """The rebuilt database was not put in the place of the old one; str() says why."""


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild did: events replayed, what could not be read of the archive, what is kept, what is gone."""

    events: int = 0
    documents: int = 0
    losses: list[str] = field(default_factory=list)
    kept: Kept = field(default_factory=Kept)
    summary: Summary = field(default_factory=Summary)
    old_file: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        gone = [{"id": i, "url": u} for i, u in self.kept.missing_documents]
        return {
            "events": self.events,
            "documents": self.documents,
            "losses": self.losses,
            "kept": self.kept.rows,
            "lost_rows": self.kept.lost_rows,
            "missing_documents": gone,
            "failed": self.summary.failed,
            "old_file": self.old_file,
            "seconds": round(self.seconds, 3),
        }


def rebuild(
    config: Any,
    db_path: str | Path,
    archive: str | Path,
    *,
    force: bool = False,
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda _: None,
    stop: threading.Event | None = None,
    **processing: Any,
) -> Rebuilt:
    """Rebuild `db_path` from `archive`. Raises RebuildError, DatabaseError, ProcessorBusy; the old file stays then.

    Refuses an archive that holds nothing, and one that lacks documents the old database has, unless `force`; the
    old file is then kept beside the new one. `processing` goes to `pipelines.processor.process`.
    """
    path, folder, began = Path(db_path), Path(archive), time.monotonic()
    if not warc.files(folder):
        raise RebuildError(f"There is no archive in {folder}: name the folder with --archive; {path} stays as it is")
    path.parent.mkdir(parents=True, exist_ok=True)
    with lock(path), contextlib.closing(hold(path, exclusive=True)), _beside(path) as fresh:
        done = Rebuilt()
        readable = _is_readable(path, say)
        _replay(config, fresh, folder, done, say)
        say(f"{done.events} events replayed; reading the documents")
        done.summary = process(
            config, fresh, folder, adopt=False, progress=progress, stop=stop, after_store=(), **processing
        )
        if done.summary.stopped:
            raise RebuildError(f"Stopped before everything was read: {path} stays as it is")
        with contextlib.closing(connect(fresh)) as database:
            readable = readable and _carry_over(database, path, done, say)
            verify(database)
            done.documents = database["documents"].count
            database.conn.execute("pragma wal_checkpoint(truncate)").fetchone()
        gone = len(done.kept.missing_documents)
        if gone and not force:
            raise RebuildError(
                f"The archive lacks {gone} documents that {path} has (the first: {done.kept.missing_documents[0][1]}); "
                "it stays as it is. Use --force to rebuild all the same"
            )
        if path.exists() and (gone or not readable):
            done.old_file = str(_set_aside(path))
        swap(fresh, path)
        done.seconds = time.monotonic() - began
        return done


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A name for the new database on the same disk; whatever is left of it at the end is removed."""
    fresh = path.with_name(path.name + ".rebuild")
    _sweep(fresh)
    try:
        yield fresh
    finally:
        _sweep(fresh)


def _sweep(fresh: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal", ".lock", ".processor.lock"):
        Path(f"{fresh}{ending}").unlink(missing_ok=True)


def _replay(config: Any, fresh: Path, folder: Path, done: Rebuilt, say: Callable[[str], None]) -> None:
    losses: list[warc.Loss] = []
    with contextlib.closing(connect(fresh)) as database:
        sync(database, config)
        events = warc.events(folder, losses)
        while portion := list(itertools.islice(events, PORTION)):
            applied = journal.apply(database, portion)
            done.events += len(portion)
            done.losses += [f"the record {c} has the number of another record" for c in applied.clashes]
        with immediate(database) as conn:
            conn.executemany(
                "insert or replace into state (key, value) values (?, ?)",
                [(f"archive/{p.relative_to(folder).as_posix()}", str(p.stat().st_size)) for p in warc.files(folder)],
            )
    done.losses += [str(loss) for loss in losses]
    for loss in losses:
        say(f"lost: {loss}")


def _is_readable(old: Path, say: Callable[[str], None]) -> bool:
    """Whether there is an old database to carry something over from; one that is damaged is kept aside at the end.

    Raises DatabaseError for one that a rebuild must not replace: of a newer circularwatch, of another program, a folder.
    """
    if not old.exists():
        return False
    try:
        open_migrated(old).close()
    except sqlite3.OperationalError as e:
        raise explain(e, old) from e
    except sqlite3.DatabaseError as e:
        say(f"nothing can be carried over from the old database, which will be kept aside ({e})")
        return False
    return True


def _carry_over(database: Database, old: Path, done: Rebuilt, say: Callable[[str], None]) -> bool:
    """Bring over what is not derivable; False if the old database is damaged somewhere (it is then kept aside)."""
    try:
        done.kept = transplant(database, old)
    except sqlite3.DatabaseError as e:
        done.losses.append(f"judgements, alert history and runs of the old database, which is damaged: {e}")
        say(f"lost: {done.losses[-1]}")
        return False
    return True


def verify(database: Database) -> None:
    """Raise RebuildError unless file, references, search index and every span are right."""
    conn = database.conn
    check = conn.execute("pragma integrity_check").fetchall()[0][0]
    if check != "ok":
        raise RebuildError(f"The rebuilt database is damaged ({check}): check the disk")
    broken = conn.execute("pragma foreign_key_check").fetchall()
    if broken:
        raise RebuildError(f"The rebuilt database has {len(broken)} rows of {broken[0][0]} that point at nothing")
    with immediate(database):  # FTS5's check is an INSERT: without this it would leave a transaction open
        wrong = faults(conn)
    if wrong:
        raise RebuildError(f"The search index of the rebuilt database is wrong: {wrong[0]}")
    for (fetch,) in conn.execute("select fetch from observations where slim = 1").fetchall():
        row = observations.of_fetch(conn, fetch)
        if row:
            observations.load(conn, row).check_spans()


def _set_aside(path: Path) -> Path:
    """Keep the old file under another name (a hard link: the swap then takes nothing away)."""
    kept = path.with_name(f"{path.name}.before-rebuild-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}")
    _settle_old(path)
    os.link(path, kept)
    return kept


def swap(fresh: Path, path: Path) -> None:
    """Put the new file in the place of the old one, so that at any moment one whole database stands there.

    The old write-ahead log must be empty before: SQLite would apply what is left of it to the new file.
    """
    if path.exists():
        _settle_old(path)
    with open(fresh, "rb") as file:
        os.fsync(file.fileno())
    for ending in ("-wal", "-shm"):
        Path(f"{path}{ending}").unlink(missing_ok=True)
    os.replace(fresh, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _settle_old(path: Path) -> None:
    """Bring the log of the old database into its file. One that cannot be read has nothing to be settled."""
    with contextlib.suppress(sqlite3.DatabaseError):
        conn = sqlite3.connect(path, timeout=30)
        try:
            busy = conn.execute("pragma wal_checkpoint(truncate)").fetchone()[0]
        finally:
            conn.close()
        if busy:
            raise RebuildError(
                f"Somebody keeps reading {path}: end that query (or stop circularwatch serve) and try again"
            )
