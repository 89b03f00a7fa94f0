"""The second step: pending fetches become documents, in fetch order, by one processor at a time.

Workers read (see `pipelines.worker`), one thread writes, this loop hands out and collects. A kill at any moment leaves
pending rows, and the next processor goes on; nothing here needs to be repaired.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from sqlite_utils import Database

from db.bundles import Bundle, count, fail_strays, look
from db.connection import connect
from db.documents import Processed
from db.tables import sync
from db.writer import AfterStore, Stored, Writer
from pipelines.archive import adopt_orphans
from pipelines.stages import Result
from pipelines.worker import LIMIT_S, SETUP, Pool

# One transaction per hundred documents or per second: large enough to be cheap, small enough to be seen soon.
BATCH = 100
BATCH_S = 1.0
# Bundles under way or waiting for their turn to be written; bounds memory, since each holds its texts.
WINDOW = 240
POLL_S = 0.5
# How often a processor that works looks for what a crawl has brought meanwhile.
LOOK_S = 0.25


class ProcessorBusy(Exception):
    """Another processor works on this database."""


@dataclass(slots=True)
class Summary:
    """What a processor did. `cpu` are CPU seconds by stage (`archive`, the stages, `store`), of `read` bundles."""

    read: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: list[dict[str, Any]] = field(default_factory=list)
    adopted: int = 0
    losses: list[str] = field(default_factory=list)
    cpu: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    stopped: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain values; `cpu_ms` are CPU milliseconds per bundle by stage."""
        per = {k: round(1000 * v / self.read, 3) for k, v in self.cpu.items()} if self.read else {}
        values = {k: getattr(self, k) for k in ("read", "new", "changed", "unchanged", "failed", "adopted", "losses")}
        return values | {"cpu_ms": per, "seconds": round(self.seconds, 3), "stopped": self.stopped}


Progress = Callable[[Summary, int], None]


def match_alerts(config: Any, database: Database) -> AfterStore:
    """The maker of the alert matching; imported late, since most commands never match."""
    from pipelines.alerts.hook import make

    return make(config, database)


# Makers of what runs inside each writing transaction (alert matching): called once per processor with the configuration
# and the writing database. A rebuild runs none of them, since it tells nobody anything.
HOOKS: list[Callable[[Any, Database], AfterStore]] = [match_alerts]


def process(
    config: Any,
    db_path: str | Path,
    archive: str | Path,
    *,
    until_idle: bool = True,
    follow: bool = False,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    drain: threading.Event | None = None,
    wait: bool = False,
    workers: int = 0,
    limit_s: float = LIMIT_S,
    after_store: Iterable[AfterStore] | None = None,
    setup_name: str = SETUP,
    adopt: bool = True,
) -> Summary:
    """Read and store all that is pending. Raises ProcessorBusy, DatabaseError, WorkerError.

    `until_idle` ends when nothing is pending. `follow` stays and looks for new fetches until `stop` is set or SIGTERM
    comes; with `drain`, it stays until that event is set and then ends when nothing is pending (for `crawl`, whose
    child still downloads). `after_store` are run in each writing transaction (HOOKS by default). `progress(summary, pending)` is called after each batch. `wait` waits for another processor.
    """
    stop = stop or threading.Event()
    stay = follow or not until_idle or drain is not None
    with lock(db_path, wait=wait, stop=stop), _signals(stop):
        run = _Run(config, Path(db_path), Path(archive), stop, progress)
        try:
            run.start(workers, limit_s, after_store, setup_name, adopt)
            run.loop(stay, drain)
        finally:
            run.close()
        return run.summary


@contextlib.contextmanager
def lock(db_path: str | Path, *, wait: bool = False, stop: threading.Event | None = None) -> Iterator[None]:
    """Be the one processor of this database. The lock ends with the process, however it ends."""
    path = Path(f"{db_path}.processor.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+") as file:
        while not _try_lock(file):
            if not wait or (stop and stop.is_set()):
                file.seek(0)
                who = file.read().strip()
                by = f" (process {who})" if who else ""
                raise ProcessorBusy(
                    f"Another processor{by} is at work on {db_path}: what is pending will be read by it, "
                    "or use --wait to take over when it ends"
                )
            time.sleep(0.2)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _try_lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """SIGTERM and Ctrl-C end the loop cleanly; in a thread they are the caller's business."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {s: signal.signal(s, lambda *_: stop.set()) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Run:
    """One processor at work: the order in which bundles were handed out, the results that came, the batch to write."""

    def __init__(
        self, config: Any, db_path: Path, archive: Path, stop: threading.Event, progress: Progress | None
    ) -> None:
        self.config, self.db_path, self.archive = config, db_path, archive
        self.stop, self.progress = stop, progress
        self.summary = Summary()
        self.began = time.monotonic()
        self.order: deque[Bundle] = deque()
        self.results: dict[int, Processed] = {}
        self.under_way: set[int] = set()
        self.batch: list[Processed] = []
        self.batch_since = 0.0
        self.writing: Future[Stored] | None = None
        self.written: list[Processed] = []
        self.cursor, self.at_end, self.looked, self.skipped = 0, False, 0.0, False
        self.pool: Pool | None = None
        self.thread = ThreadPoolExecutor(1, "circularwatch-writer")

    def start(
        self, workers: int, limit_s: float, hooks: Iterable[AfterStore] | None, setup_name: str, adopt: bool
    ) -> None:
        self.database = connect(self.db_path)
        self.reader = connect(self.db_path)
        sync(self.database, self.config)
        if adopt and self.archive.is_dir():
            self._adopt()
        made = [make(self.config, self.database) for make in HOOKS] if hooks is None else hooks
        self.writer = Writer(self.database, self.config, made)
        arguments = (str(self.config.directory), str(self.archive))
        self.pool = Pool(arguments, setup_name=setup_name, size=workers, limit_s=limit_s)

    def _adopt(self) -> None:
        adopted = adopt_orphans(self.database, self.archive)
        self.summary.adopted = adopted.events
        self.summary.losses = [str(loss) for loss in adopted.losses]
        self.summary.losses += [
            f"the record {c} has the number of another: run circularwatch rebuild" for c in adopted.clashes
        ]

    def loop(self, stay: bool, drain: threading.Event | None) -> None:
        assert self.pool is not None
        while not self.stop.is_set():
            ending = not stay or (drain is not None and drain.is_set())
            self._hand_out()
            if not self.under_way:
                if self._idle():
                    if ending:
                        break
                    self.stop.wait(POLL_S)
                continue
            for bundle, result in self.pool.poll(0.05 if self.batch or self.writing else POLL_S):
                self._collect(bundle, result)
            self._write()
        self.summary.stopped = self.stop.is_set()
        self._finish_writing()

    def _hand_out(self) -> None:
        """Give out bundles up to the window, each once: what is under way is looked at again when it is written."""
        assert self.pool is not None
        if self.at_end and time.monotonic() - self.looked < LOOK_S:
            return
        while len(self.under_way) < WINDOW // 2:
            seen = look(self.reader, WINDOW // 2, self.cursor, self.under_way)
            self.cursor, self.at_end, self.looked = seen.last, not seen.full, time.monotonic()
            self.skipped = self.skipped or seen.skipped
            for bundle in seen.bundles:
                self.under_way.add(bundle.fetch_id)
                self.order.append(bundle)
                self.pool.submit(bundle)
            if self.at_end:
                break

    def _look_again(self) -> None:
        """Look from the beginning next time."""
        self.cursor, self.at_end, self.looked, self.skipped = 0, False, 0.0, False

    def _idle(self) -> bool:
        """Nothing is under way: look from the beginning. True if nothing is pending at all."""
        self._look_again()
        self._hand_out()
        if self.under_way:
            return False
        if count(self.reader):
            strays = self.thread.submit(fail_strays, self.database).result()
            self.summary.failed += [{"fetch": s, "url": "", "reason": "its document was not received"} for s in strays]
            return not strays and not count(self.reader)
        return True

    def _collect(self, bundle: Bundle, result: Result) -> None:
        for stage, seconds in result.cpu.items():
            self.summary.cpu[stage] = self.summary.cpu.get(stage, 0.0) + seconds
        self.results[bundle.fetch_id] = Processed(
            bundle.fetch_id,
            bundle.source,
            bundle.entry,
            result.document,
            result.outcome,
            result.reason,
            list(bundle.covered),
        )
        while self.order and self.order[0].fetch_id in self.results:
            self.batch_since = self.batch_since if self.batch else time.monotonic()
            self.batch.append(self.results.pop(self.order.popleft().fetch_id))

    def _write(self, *, force: bool = False) -> None:
        """Start writing a batch that is full, old, or the last; one at a time, in order."""
        if self.writing and (force or self.writing.done()):
            self._written(self.writing.result())
        if not self.batch or self.writing:
            return
        if force or len(self.batch) >= BATCH or not self.order or time.monotonic() - self.batch_since > BATCH_S:
            self.written, self.batch = self.batch[:BATCH], self.batch[BATCH:]
            self.writing = self.thread.submit(self._store, self.written)

    def _store(self, items: list[Processed]) -> Stored:
        began = time.thread_time()
        stored = self.writer.store(items)
        self.summary.cpu["store"] = self.summary.cpu.get("store", 0.0) + time.thread_time() - began
        return stored

    def _written(self, stored: Stored) -> None:
        summary, self.writing = self.summary, None
        self.under_way -= {i.fetch_id for i in self.written}
        if self.skipped:  # a page or attachment came while its document was under way: it may be among those
            self._look_again()
        summary.read += len(self.written)
        summary.new += sum(d.new for d in stored.documents)
        summary.changed += sum(not d.new for d in stored.documents)
        summary.unchanged += stored.unchanged
        for fetch, reason in stored.failed:
            row = self.reader.conn.execute("select url, source from fetches where id = ?", (fetch,)).fetchone()
            summary.failed.append({"fetch": fetch, "source": row[1], "url": row[0], "reason": reason})
        summary.seconds = time.monotonic() - self.began
        if self.progress:
            self.progress(summary, count(self.reader))

    def _finish_writing(self) -> None:
        """Write what is read and in order, also on the way out after SIGTERM."""
        while self.writing or self.batch:
            self._write(force=True)
        self.summary.seconds = time.monotonic() - self.began

    def close(self) -> None:
        if self.pool:
            self.pool.close()
        self.thread.shutdown()
        for name in ("database", "reader"):
            if hasattr(self, name):
                getattr(self, name).close()
