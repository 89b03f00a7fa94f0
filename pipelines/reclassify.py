"""Labels of the whole store again, from what is stored, in the background: for a changed taxonomy, model or code.

Killed at any moment it goes on where it was, since what is done stands in `verdicts`. It writes beside the labels that
count, in small transactions, at a low priority; see `db.verdicts` for the comparison and the switch.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from db import verdicts
from db.connection import connect
from db.documents import Document
from db.tables import sync
from db.verdicts import Matrix, NotReady, Reading
from pipelines.processor import _signals, _try_lock
from pipelines.worker import Pool

SETUP = "pipelines.reclassify:setup"
# observations under way; also how many are looked up at once
WINDOW = 200
BATCH_S = 2.0
# how much the readers give way to a crawl and its processor
NICE = 10
# documents that come in while a switch is prepared are read first; after so many rounds somebody else is told to pause
ROUNDS = 20


class ReclassifyBusy(Exception):
    """Another pass is at work on this database."""


@dataclass(frozen=True, slots=True)
class Job:
    """One observation to read. `parts` is what the pool asks every job for."""

    fetch: int
    parts: tuple[()] = ()


@dataclass(slots=True)
class Told:
    """What a reader tells of a job; the pool looks at `document` and `outcome`."""

    document: Document | None
    outcome: str = "ok"
    reason: str = ""
    digest: str = ""


@dataclass(slots=True)
class Summary:
    """What a pass did: `read` now, `total` that were to be read when it began."""

    classifier: str
    scope: str = "all"
    total: int = 0
    read: int = 0
    failed: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    stopped: bool = False
    matrix: Matrix | None = None
    switched: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        names = ("classifier", "scope", "total", "read", "failed", "stopped", "switched")
        rate = self.read / self.seconds if self.seconds else 0.0
        values = {n: getattr(self, n) for n in names} | {
            "seconds": round(self.seconds, 3),
            "per_second": round(rate, 1),
        }
        return values | {"matrix": self.matrix.as_json() if self.matrix else None}


Progress = Callable[[Summary], None]


def setup(config_directory: str, db_path: str) -> Callable[[Job], Told]:
    """Run once per reader: configuration, classifier, and the database for reading."""
    import config as configuration
    from pipelines.stages import make_classifier

    with contextlib.suppress(OSError):
        os.nice(NICE)
    classifier = make_classifier(configuration.load(Path(config_directory)))
    return reader(db_path, classifier.classify)


def reader(db_path: str, classify: Callable[[Document], Document]) -> Callable[[Job], Told]:
    """What reads one observation with the given classifier."""
    from pipelines import explain

    database = connect(db_path, readonly=True)

    def read(job: Job) -> Told:
        document = verdicts.document_of(database, job.fetch)
        if document is None:
            return Told(None, "gone")
        seen = verdicts.digest(document)
        said = explain.stage(classify(document))
        # the verdict alone goes back: texts are where they were
        said.title = said.text = ""
        said.attachments, said.findings = [], []
        return Told(said, digest=seen)

    return read


def reclassify(
    config: Any,
    db_path: str | Path,
    *,
    workers: int = 0,
    scope: str = "all",
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    setup_name: str = SETUP,
    classifier: str = "",
    switch: bool = False,
) -> Summary:
    """Label what the configured classifier has not labelled; with `switch`, make its labels the ones that count.

    `classifier` is its id, found out if it isn't given. Raises ReclassifyBusy, DatabaseError, WorkerError, NotReady.
    """
    stop = stop or threading.Event()
    with lock(db_path), _signals(stop), contextlib.closing(connect(db_path)) as database:
        sync(database, config)
        summary = Summary(classifier or identify(config), scope)
        summary.total = verdicts.left(database, summary.classifier, scope)
        verdicts.begin(database, summary.classifier, scope)
        arguments = (str(config.directory), str(db_path))
        run = _Pass(database, summary, Pool(arguments, setup_name=setup_name, size=workers), progress, stop)
        try:
            run.loop()
            if not summary.stopped:
                summary.matrix = verdicts.finish(database, summary.classifier)
            # where nothing at all could be read, there is nothing that could count: something is wrong with the readers
            if switch and not summary.stopped and (summary.read or not summary.failed):
                run.switch()
        finally:
            run.pool.close()
            summary.seconds = time.monotonic() - run.began
        return summary


def identify(config: Any) -> str:
    """The id of the classifier of a configuration."""
    from pipelines.stages import make_classifier

    return str(make_classifier(config).id)


@contextlib.contextmanager
def lock(db_path: str | Path) -> Iterator[None]:
    """Be the one pass over this database; the lock ends with the process."""
    path = Path(f"{db_path}.reclassify.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+") as file:
        if not _try_lock(file):
            raise ReclassifyBusy(
                f"Another circularwatch reclassify is at work on {db_path}: let it end, or stop it first"
            )
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


class _Pass:
    """One pass at work."""

    def __init__(
        self, database: Database, summary: Summary, pool: Pool, progress: Progress | None, stop: threading.Event
    ) -> None:
        self.database, self.summary, self.pool = database, summary, pool
        self.progress, self.stop = progress, stop
        self.began = self.since = time.monotonic()
        self.under_way = 0
        self.batch: list[Reading] = []

    def loop(self) -> None:
        """Read until nothing is left, also of what came in meanwhile."""
        cursor, found_any = 0, False
        while not self.stop.is_set():
            if self.under_way <= WINDOW // 2:
                fetches = verdicts.unread(self.database, self.summary.classifier, self.summary.scope, cursor, WINDOW)
                for fetch in fetches:
                    self.pool.submit(Job(fetch))  # type: ignore[arg-type]
                self.under_way += len(fetches)
                cursor, found_any = (fetches[-1], True) if fetches else (cursor, found_any)
                if not fetches and not self.under_way:
                    self._write()
                    if not found_any:
                        break
                    cursor, found_any = 0, False
                    continue
            for job, told in self.pool.poll(0.2):
                self._collect(job, told)
            if len(self.batch) >= verdicts.BATCH or time.monotonic() - self.since > BATCH_S:
                self._write()
        self.summary.stopped = self.stop.is_set()
        self._write()

    def _collect(self, job: Any, told: Any) -> None:
        self.under_way -= 1
        if told.outcome == "gone":
            return
        error = "" if told.document is not None else told.reason or told.outcome
        self.batch.append(Reading(job.fetch, told.document, getattr(told, "digest", ""), error))

    def _write(self) -> None:
        self.since = time.monotonic()
        if not self.batch:
            return
        stored, failed = verdicts.stage(self.database, self.summary.classifier, self.batch)
        self.summary.read += stored
        for fetch, reason in failed:
            row = self.database.conn.execute("select url from observations where fetch = ?", (fetch,)).fetchone()
            self.summary.failed.append({"fetch": fetch, "url": row[0] if row else "", "reason": reason})
        self.batch = []
        self.summary.seconds = time.monotonic() - self.began
        if self.progress:
            self.progress(self.summary)

    def switch(self) -> None:
        """Switch; what a processor has stored since the last look is read first."""
        for last in (*[False] * (ROUNDS - 1), True):
            try:
                self.summary.matrix = verdicts.switch(self.database, self.summary.classifier, self.summary.scope)
            except NotReady:
                if last:
                    raise
                self.loop()
                if self.summary.stopped:
                    return
                continue
            self.summary.switched = True
            return
