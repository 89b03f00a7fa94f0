"""Reads documents in processes of their own: a stuck or killed reader costs one document two tries, and no other anything.

Why not `ProcessPoolExecutor`: when one of its workers dies, every document under way fails with it and nobody can say
whose fault it was. Here each worker has its own pipe, so the guilty document is known and the others stay where they are.
Workers are started by a fork server (forking a process with threads and sockets copies their locks) and load models once.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from db.bundles import Bundle, Piece
from pipelines.stages import Chain, Fetched, Result

SETUP = "pipelines.worker:setup"
PRELOAD = ["pipelines.worker", "pipelines.archive", *(f"pipelines.{n}" for n in ("extract", "clean", "attachments"))]
PRELOAD += [f"pipelines.{n}" for n in ("recognise", "identify", "classify", "explain")]
# CPU seconds for one document. The slowest honest ones (scanned PDF of a hundred pages) take some seconds a page with OCR.
LIMIT_S = 120.0
# Wall-clock seconds per CPU second before a worker counts as stuck: other programs may have the processor meanwhile.
WALL = 4.0
TRIES = 2
# Jobs that a worker holds: one under way and one behind it, so that it does not wait while the parent writes.
AHEAD = 3
# A bundle of so many parts is sent only to a worker that waits for it: two full pipes would wait for each other.
MANY = 30


class TooSlow(BaseException):
    """The CPU limit of one document; not an Exception, so that no stage swallows it."""


class WorkerError(Exception):
    """Workers cannot be started at all; str() says why."""


def setup(config_directory: str, archive: str) -> Callable[[Bundle], Result]:
    """Run once per worker: load configuration and models; returns what reads one bundle."""
    import config as configuration
    from pipelines import archive as warc

    loaded = configuration.load(Path(config_directory))
    chain = Chain(loaded)

    def read(bundle: Bundle) -> Result:
        source = loaded.sources.get(bundle.source)
        if source is None:
            return Result(None, "unreadable", f"the source {bundle.source!r} is not configured any more")
        began = time.process_time()
        try:
            fetched = assemble(
                bundle, lambda piece: warc.read(Path(archive) / piece.archive_file, piece.archive_offset)
            )
        except (OSError, ValueError, EOFError, warc.ArchiveReadError) as e:
            return Result(None, "unreadable", f"the archive cannot be read: {e}")
        spent = time.process_time() - began
        result = chain.run(fetched, source)
        result.cpu = {"archive": spent, **result.cpu}
        return result

    return read


def assemble(bundle: Bundle, read: Callable[[Piece], Fetched]) -> Fetched:
    """A document's bytes with those of its pages and attachments; what the journal says wins over the record."""
    fetched = _complete(read(bundle.main), bundle.main)
    fetched.parts = [_complete(read(p), p) if p.outcome == "ok" else _complete(Fetched(p.url), p) for p in bundle.parts]
    return fetched


def _complete(fetched: Fetched, piece: Piece) -> Fetched:
    fetched.url, fetched.kind, fetched.fetch_id = piece.url, piece.kind, piece.fetch_id
    fetched.final_url = fetched.final_url or piece.url
    fetched.said, fetched.fetched_at = piece.said, piece.fetched_at
    fetched.media_type = fetched.media_type or piece.media_type
    fetched.outcome, fetched.error = piece.outcome, "" if piece.outcome == "ok" else piece.reason or piece.outcome
    return fetched


def _main(pipe: Connection, setup_name: str, arguments: tuple[Any, ...], limit_s: float) -> None:
    """The life of a worker: set up, then read bundles until the pipe closes (also when the parent was killed)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, _too_slow)
    # One thread per worker: there is a worker per core already.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    module, _, function = setup_name.partition(":")
    try:
        read = getattr(import_module(module), function)(*arguments)
    except BaseException as e:
        with contextlib.suppress(OSError):
            _send(pipe, ("broken", f"{type(e).__name__}: {e}"))
        return
    with contextlib.suppress(EOFError, OSError):  # the parent is gone, perhaps killed: so are we
        _send(pipe, ("ready", None))
        while True:
            bundle = pipe.recv()
            _send(pipe, ("done", _guarded(read, bundle, limit_s)))


def _guarded(read: Callable[[Bundle], Result], bundle: Bundle, limit_s: float) -> Result:
    try:
        signal.setitimer(signal.ITIMER_PROF, limit_s)
        try:
            return read(bundle)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except TooSlow:
        return Result(None, "timeout", f"reading took more than {limit_s:g} seconds of computing")
    except Exception as e:
        return Result(None, "unreadable", f"{type(e).__name__}: {str(e)[:200]}")


def _too_slow(*_: object) -> None:
    raise TooSlow


def _send(pipe: Connection, message: tuple[str, Any]) -> None:
    try:
        pipe.send(message)
    except (ValueError, TypeError, AttributeError) as e:  # a document that cannot be pickled must not end the worker
        pipe.send(("done", Result(None, "unreadable", f"the result cannot be handed on: {e}")))


@dataclass(slots=True)
class _Job:
    bundle: Bundle
    tries: int = 0


@dataclass(slots=True)
class _Worker:
    process: Any
    pipe: Connection
    jobs: deque[_Job] = field(default_factory=deque)
    since: float = 0.0
    ready: bool = False


class Pool:
    """Workers that read bundles. Not for several threads at once."""

    def __init__(
        self, arguments: tuple[Any, ...], *, setup_name: str = SETUP, size: int = 0, limit_s: float = LIMIT_S
    ) -> None:
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(PRELOAD)
        self.setup_name, self.arguments, self.limit_s = setup_name, arguments, limit_s
        self.size = size or len(os.sched_getaffinity(0))
        self.queue: deque[_Job] = deque()
        self.workers: list[_Worker] = []
        self.false_starts = 0

    def submit(self, bundle: Bundle) -> None:
        """Queue a bundle; workers are started when there is something to do."""
        self.queue.append(_Job(bundle))

    def poll(self, timeout: float) -> list[tuple[Bundle, Result]]:
        """Hand out work, wait up to `timeout` seconds for results, and deal with dead and stuck workers."""
        self._fill()
        found: list[tuple[Bundle, Result]] = []
        pipes = {w.pipe: w for w in self.workers}
        for pipe in wait(list(pipes), timeout) if pipes else ():
            found += self._receive(pipes[pipe])  # type: ignore[index]
        now = time.monotonic()
        for worker in [w for w in self.workers if w.ready and w.jobs and now - w.since > self.limit_s * WALL]:
            worker.process.kill()
            found += self._lost(worker, "it stood still")
        self._fill()
        return found

    def close(self) -> None:
        """End all workers at once; what they had in hand stays pending."""
        for worker in self.workers:
            worker.pipe.close()
            worker.process.terminate()
        for worker in self.workers:
            worker.process.join(5)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self.workers.clear()

    def _fill(self) -> None:
        while self.queue and len(self.workers) < min(
            self.size, len(self.queue) + sum(bool(w.jobs) for w in self.workers)
        ):
            self.workers.append(self._start())
        for depth in range(AHEAD):
            for worker in list(self.workers):
                if self.queue and len(worker.jobs) <= depth and (not depth or len(self.queue[0].bundle.parts) < MANY):
                    self._give(worker, self.queue.popleft())

    def _start(self) -> _Worker:
        ours, theirs = self.context.Pipe()
        arguments = (theirs, self.setup_name, self.arguments, self.limit_s)
        process = self.context.Process(target=_main, args=arguments, daemon=True, name="circularwatch-reader")
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _give(self, worker: _Worker, job: _Job) -> None:
        if not worker.jobs:
            worker.since = time.monotonic()
        worker.jobs.append(job)
        # A dead worker is noticed when its pipe is read; the job is with it then and comes back.
        with contextlib.suppress(OSError):
            worker.pipe.send(job.bundle)

    def _receive(self, worker: _Worker) -> Iterator[tuple[Bundle, Result]] | list[tuple[Bundle, Result]]:
        try:
            kind, value = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join(5)
            return self._lost(worker, _how_it_ended(worker.process.exitcode))
        if kind == "broken":
            raise WorkerError(f"The reading processes cannot start: {value}")
        if kind == "ready":
            worker.ready, self.false_starts = True, 0
            worker.since = time.monotonic()
            return []
        job = worker.jobs.popleft()
        worker.since = time.monotonic()
        if value.outcome == "timeout" and value.document is None and job.tries + 1 < TRIES:
            job.tries += 1
            self.queue.appendleft(job)
            return []
        return [(job.bundle, value)]

    def _lost(self, worker: _Worker, how: str) -> list[tuple[Bundle, Result]]:
        """A worker is gone: its current document has used one try, those behind it none."""
        self.workers.remove(worker)
        worker.pipe.close()
        jobs = list(worker.jobs)
        if not worker.ready:
            self.false_starts += 1
            if self.false_starts >= 3:
                raise WorkerError(f"The reading processes die before they are ready ({how}): is there memory enough?")
            self.queue.extendleft(reversed(jobs))
            return []
        current, behind = jobs[:1], jobs[1:]
        self.queue.extendleft(reversed(behind))
        for job in current:
            job.tries += 1
            if job.tries >= TRIES:
                reason = f"its reader was lost {job.tries} times while reading it ({how})"
                return [(job.bundle, Result(None, "unreadable", reason))]
            self.queue.appendleft(job)
        return []


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"ended with status {code}"
