"""The thread that puts exchanges on disk and then into the journal, so that the event loop never waits for either.

Order of things, which everything else relies on: the records of a batch are written, flushed and fsynced; only then
one transaction of `db.journal.apply`. A crash between the two leaves records that the next processor adopts
(`pipelines.archive.adopt_orphans`); a crash within the first leaves a torn end that reading reports.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import hashlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from scrapy.exceptions import CloseSpider

from crawler import warc
from db import DatabaseError, connect, journal

# A batch: what comes within the linger, at most this much. The linger makes batches (one fsync and one transaction for
# dozens of exchanges) where the crawl is fast; where it is polite nobody waits for it.
LINGER, BATCH = 0.04, 128
# Back-pressure: this many bytes of bodies may wait for the disk before the crawl pauses.
MAX_WAITING = 48 * 1024 * 1024
SOFTWARE = "circularwatch/0.1"


class ArchiveError(CloseSpider):
    """What was received could not be put on disk; the message is one sentence that names the file and the remedy.

    A CloseSpider, so that a spider that meets it in a callback ends instead of reporting a fault of its own.
    """

    def __str__(self) -> str:
        return self.reason


@dataclass(slots=True)
class RunFile:
    """The WARC file of one run; opened (and locked) at its first record. `name` is relative to the archive folder."""

    folder: Path
    name: str
    about: dict[str, Any]
    file: BinaryIO | None = None
    size: int = 0

    @property
    def path(self) -> Path:
        return self.folder / self.name

    def open(self, date: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = open(self.path, "ab", buffering=0)  # noqa: SIM115 (open as long as the run)
        # Held as long as the crawl lives: an unlocked file is one whose crawl is over, however it ended.
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.size = self.file.seek(0, os.SEEK_END)
        if not self.size:
            head = warc.warcinfo(date, self.path.name, SOFTWARE, self.about)
            _write_all(self.file, head)
            self.size = len(head)
            _sync_folder(self.path.parent)

    def close(self) -> None:
        file, self.file = self.file, None
        if file is not None:
            file.close()


@dataclass(slots=True)
class Job:
    """One thing to write. `context` has the fields of the event; the writer adds hash, size and place.

    `request` is (first line, headers, body); `response` (status line, headers), None for an exchange without a response.
    `payload` is the JSON of a row that carries its document, or of a list that was read.
    """

    file: RunFile
    context: dict[str, Any]
    body: bytes = b""
    request: tuple[bytes, list[tuple[bytes, bytes]], bytes] | None = None
    response: tuple[bytes, list[tuple[bytes, bytes]]] | None = None
    truncated: str = ""
    listing: journal.ListRead | None = None
    inline: bool = False


@dataclass(slots=True)
class _Flush:
    done: Callable[[str | None], None]
    close: RunFile | None = None


@dataclass(slots=True)
class _Batch:
    jobs: list[Job] = field(default_factory=list)
    marks: list[_Flush] = field(default_factory=list)
    last: bool = False


class Writer:
    """The writer thread and the event loop's side of it. One per process, for all its crawls."""

    def __init__(self, database: Path, loop: asyncio.AbstractEventLoop, on_error: Callable[[str], None]) -> None:
        self.error: str | None = None
        self._database = database
        self._loop = loop
        self._on_error = on_error
        self._queue: queue.SimpleQueue[Job | _Flush | None] = queue.SimpleQueue()
        self._waiting = 0
        self._room: asyncio.Event = asyncio.Event()
        self._room.set()
        self._thread = threading.Thread(target=self._main, name="archive-writer", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------ the event loop's side

    async def put(self, job: Job) -> None:
        """Hand over a job; waits only while too much is waiting for the disk. Raises ArchiveError once writing failed."""
        while not self._room.is_set() and self.error is None:
            await self._room.wait()
        if self.error is not None:
            raise ArchiveError(self.error)
        self._waiting += len(job.body) + 2000
        if self._waiting > MAX_WAITING:
            self._room.clear()
        self._queue.put(job)

    async def flush(self, close: RunFile | None = None) -> None:
        """Wait until all that was put is on disk and in the journal; then close this file."""
        answer: asyncio.Future[None] = self._loop.create_future()

        def done(error: str | None) -> None:
            self._call(self._settle, answer, error)

        self._queue.put(_Flush(done, close))
        await answer

    def stop(self) -> None:
        """Write what is waiting and end the thread (blocks until it has; a second at most on a healthy disk)."""
        self._queue.put(None)
        self._thread.join(timeout=60)

    @staticmethod
    def _settle(answer: asyncio.Future[None], error: str | None) -> None:
        if answer.cancelled():
            return
        if error is None:
            answer.set_result(None)
        else:
            answer.set_exception(ArchiveError(error))

    def _written(self, size: int) -> None:
        self._waiting -= size
        if self._waiting <= MAX_WAITING // 2:
            self._room.set()

    def _call(self, function: Callable[..., None], *args: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *args)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    # ------------------------------------------------------------------ the thread's side

    def _main(self) -> None:
        database = None
        try:
            database = connect(self._database)
        except DatabaseError as e:
            self._fail(str(e))
        while True:
            batch = self._collect()
            if batch.jobs and self.error is None and database is not None:
                try:
                    self._store(batch.jobs, database)
                except ArchiveError as e:
                    self._fail(str(e))
                except Exception as e:
                    self._fail(f"The archive writer failed: {type(e).__name__}: {e}")
            self._call(self._written, sum(len(j.body) + 2000 for j in batch.jobs))
            for mark in batch.marks:
                if mark.close is not None:
                    self._close(mark.close)
                mark.done(self.error)
            if batch.last:
                break
        if database is not None:
            database.close()

    def _collect(self) -> _Batch:
        batch = _Batch()
        item = self._queue.get()
        lingered = False
        while True:
            if item is None:
                batch.last = True
                return batch
            if isinstance(item, _Flush):
                batch.marks.append(item)
            else:
                batch.jobs.append(item)
            if len(batch.jobs) >= BATCH:
                return batch
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                if lingered or batch.marks:
                    return batch
                lingered = True
                time.sleep(LINGER)
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    return batch

    def _store(self, jobs: list[Job], database: Any) -> None:
        events: list[journal.Event] = []
        buffers: dict[int, tuple[RunFile, list[bytes]]] = {}
        ends: dict[int, int] = {}
        for job in jobs:
            file = job.file
            if file.file is None:
                _open(file, job.context)
            key = id(file)
            place = ends.get(key, file.size)
            records, event = records_of(job, place)
            buffers.setdefault(key, (file, []))[1].extend(records)
            ends[key] = place + sum(map(len, records))
            events.append(event)
        self._put_on_disk(buffers.values(), ends)
        try:
            journal.apply(database, events)
        except DatabaseError as e:
            raise ArchiveError(str(e)) from e

    def _put_on_disk(self, buffers: Iterable[tuple[RunFile, list[bytes]]], ends: dict[int, int]) -> None:
        for file, parts in buffers:
            assert file.file is not None
            try:
                _write_all(file.file, b"".join(parts))
                os.fdatasync(file.file.fileno())
            except OSError as e:
                _take_back(file)
                raise ArchiveError(disk_trouble(e, file.path)) from e
            file.size = ends[id(file)]

    def _close(self, file: RunFile) -> None:
        """A disk may tell of its trouble only here; the thread must live on, or the crawl would wait for it for ever."""
        try:
            file.close()
        except OSError as e:
            self._fail(disk_trouble(e, file.path))

    def _fail(self, sentence: str) -> None:
        if self.error is None:
            self.error = sentence
            self._call(self._room.set)
            self._call(self._on_error, sentence)


def _open(file: RunFile, context: dict[str, Any]) -> None:
    try:
        file.open(context["fetched_at"])
    except OSError as e:
        file.close()
        raise ArchiveError(disk_trouble(e, file.path)) from e


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _take_back(file: RunFile) -> None:
    """After a write that failed: cut the file back to its last whole record, so that nothing stands half recorded."""
    assert file.file is not None
    try:
        os.ftruncate(file.file.fileno(), file.size)
        os.fsync(file.file.fileno())
    except OSError:
        return  # reading reports the torn end then


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def disk_trouble(error: OSError, path: Path) -> str:
    """A fault of the disk as one sentence that says what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk of the archive is full ({path.parent}): free some space and start the crawl again"
    if error.errno == errno.EROFS:
        return f"The archive lies on a read-only disk ({path.parent}): mount it for writing, or set another folder"
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"The archive may not be written ({path.parent}): give this user the right, or set another folder"
    return f"The archive could not be written ({path}): {os.strerror(error.errno or 0)}; check the disk"


def records_of(job: Job, place: int) -> tuple[list[bytes], journal.Event]:
    """The records of a job, compressed, and its event; `place` is where in the file the first of them will lie."""
    if job.listing is not None:
        return [_list_record(job.listing)], job.listing
    context = job.context
    name = warc.record_id()
    digest = hashlib.sha256(job.body).hexdigest() if job.response is not None or job.inline else ""
    context |= {"record_id": name, "bytes": len(job.body), "sha256": digest}
    url, date = context["url"], context["fetched_at"]
    about = [("WARC-Target-URI", url), (warc.JSON_METADATA, warc.one_line(context))]
    records: list[bytes] = []
    if job.request is not None:
        line, headers, sent = job.request
        fields = [("WARC-Target-URI", url), ("WARC-Concurrent-To", name)]
        fields.append(("Content-Type", "application/http; msgtype=request"))
        records.append(warc.record("request", warc.record_id(), date, fields, warc.http_block(line, headers, sent)))
    if job.response is not None:
        line, headers = job.response
        if job.truncated:
            about.append(("WARC-Truncated", job.truncated))
        about.append(("Content-Type", "application/http; msgtype=response"))
        last = warc.record("response", name, date, about, warc.http_block(line, headers, job.body))
    elif job.inline:
        about.append(("Content-Type", "application/json"))
        last = warc.record("resource", name, date, about, job.body)
    else:
        about.append(("Content-Type", "application/json"))
        error = {"outcome": context["outcome"], "error": context["reason"]}
        last = warc.record("metadata", name, date, about, warc.one_line(error).encode("ascii"))
    offset = place + sum(map(len, records))
    records.append(last)
    return records, journal.Exchange(**context, archive_file=job.file.name, archive_offset=offset)


def _list_record(listing: journal.ListRead) -> bytes:
    about = {"event": "list_read", "fetch_id": listing.fetch_id, "run": listing.run, "source": listing.source}
    fields = [
        ("WARC-Target-URI", listing.url),
        (warc.JSON_METADATA, warc.one_line(about)),
        ("Content-Type", "application/json"),
    ]
    block = warc.one_line(asdict(listing)).encode("ascii")
    return warc.record("metadata", warc.record_id(), listing.read_at, fields, block)
