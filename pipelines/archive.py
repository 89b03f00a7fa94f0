"""Reads the WARC archive back: one exchange by its place, or every event in order for a replay, with what was lost.

The archive is the truth and the database derived from it, so a damaged file gives all that is whole in it and a Loss
for what isn't. Format as `crawler.warc` writes it: WARC 1.1, each record its own gzip member, the context of an
exchange in the header WARC-JSON-Metadata. Also read by any WARC tool.
"""

from __future__ import annotations

import fcntl
import heapq
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, BinaryIO

from sqlite_utils import Database

from db import immediate, journal
from pipelines.stages import Fetched

JSON_METADATA = "warc-json-metadata"
CHUNK = 256 * 1024
# The head of a gzip member as zlib writes it: where reading goes on after a damaged record.
MEMBER = b"\x1f\x8b\x08\x00"
_EXCHANGE_FIELDS = frozenset(f.name for f in fields(journal.Exchange))
_LIST_FIELDS = frozenset(f.name for f in fields(journal.ListRead))


class ArchiveReadError(Exception):
    """There is no whole record at this place; the message names the file and the offset."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Something in the archive that could not be read: where it lies, how many bytes, and why in words."""

    file: str
    offset: int
    bytes: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, byte {self.offset}: {self.reason} ({self.bytes} bytes lost)"


@dataclass(slots=True)
class Record:
    """One record: lower-case WARC headers, and its block."""

    offset: int
    headers: dict[str, str]
    block: bytes

    @property
    def context(self) -> dict[str, Any]:
        """What WARC-JSON-Metadata says; empty without it."""
        text = self.headers.get(JSON_METADATA)
        value = json.loads(text) if text else {}
        return value if isinstance(value, dict) else {}


# ------------------------------------------------------------------------------------------ one exchange


def read(path: str | Path, offset: int) -> Fetched:
    """The exchange whose record begins at this byte of this file. Raises ArchiveReadError, OSError."""
    with open(path, "rb") as file:
        file.seek(offset)
        data, _, trouble = _member(file)
    if trouble:
        raise ArchiveReadError(f"{path}, byte {offset}: {trouble}")
    try:
        return _fetched(_parse(data, offset))
    except ValueError as e:
        raise ArchiveReadError(f"{path}, byte {offset}: {e}") from e


def _fetched(record: Record) -> Fetched:
    context = record.context
    headers: dict[str, str] = {}
    body = record.block
    if record.headers.get("warc-type") == "response":
        head, _, body = record.block.partition(b"\r\n\r\n")
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            key, text = name.decode("latin-1").strip().lower(), value.decode("latin-1").strip()
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
    elif record.headers.get("warc-type") == "metadata":
        body = b""
    return Fetched(
        url=str(context.get("url") or record.headers.get("warc-target-uri", "")),
        final_url=record.headers.get("warc-target-uri", ""),
        status=context.get("status") or 0,
        headers=headers,
        body=body,
        media_type=str(context.get("media_type") or ""),
        kind=str(context.get("kind") or "document"),
        said=context.get("said") or {},
        fetched_at=str(context.get("fetched_at") or record.headers.get("warc-date", "")),
        fetch_id=int(context.get("fetch_id") or 0),
        truncated="warc-truncated" in record.headers,
        outcome=str(context.get("outcome") or "ok"),
        error=str(context.get("reason") or ""),
    )


# ------------------------------------------------------------------------------------------ one file


def _member(file: BinaryIO) -> tuple[bytes, int, str]:
    """Unpack the gzip member at the file's position: (data, its length in the file, what is wrong with it)."""
    unpack = zlib.decompressobj(31)
    parts: list[bytes] = []
    taken = 0
    while not unpack.eof:
        chunk = file.read(CHUNK)
        if not chunk:
            return b"", taken, "the record is cut off" if taken else "nothing is there"
        taken += len(chunk)
        try:
            parts.append(unpack.decompress(chunk))
        except zlib.error:
            return b"", taken, "the record is damaged"
    return b"".join(parts), taken - len(unpack.unused_data), ""


def _parse(data: bytes, offset: int) -> Record:
    head, sep, rest = data.partition(b"\r\n\r\n")
    if not head.startswith(b"WARC/1.") or not sep:
        raise ValueError("this is no WARC record")
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    if len(rest) < length:
        raise ValueError("the record is shorter than it says")
    return Record(offset, headers, rest[:length])


def records(path: Path, name: str, losses: list[Loss], start: int = 0) -> Iterator[Record]:
    """All whole records of a file from a byte on; what isn't whole goes to `losses`, and reading goes on after it."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        offset = start
        while offset < size:
            file.seek(offset)
            data, length, trouble = _member(file)
            if not trouble:
                try:
                    record = _parse(data, offset)
                except ValueError as e:
                    trouble = str(e)
                else:
                    yield record
                    offset += length
                    continue
            following = _next_member(file, offset + 1, size)
            losses.append(Loss(name, offset, following - offset, trouble))
            offset = following


def _next_member(file: BinaryIO, start: int, size: int) -> int:
    """Where the next member begins that is a WARC record; the end of the file if there is none."""
    place, tail = start, b""
    while place < size:
        file.seek(place)
        chunk = tail + file.read(CHUNK)
        base = place - len(tail)
        at = chunk.find(MEMBER)
        while at >= 0:
            file.seek(base + at)
            try:
                if zlib.decompressobj(31).decompress(file.read(4096), 8).startswith(b"WARC/1."):
                    return base + at
            except zlib.error:
                pass
            at = chunk.find(MEMBER, at + 1)
        place = base + len(chunk)
        tail = chunk[-(len(MEMBER) - 1) :]
    return size


def event_of(record: Record, name: str) -> journal.Event | None:
    """The event that a record stands for, None for requests and the like."""
    context = record.context
    kind = record.headers.get("warc-type")
    if context.get("event") == "list_read":
        return journal.ListRead(**{k: v for k, v in json.loads(record.block).items() if k in _LIST_FIELDS})
    if kind not in ("response", "metadata", "resource") or "fetch_id" not in context:
        return None
    known = {k: v for k, v in context.items() if k in _EXCHANGE_FIELDS}
    return journal.Exchange(**known, archive_file=name, archive_offset=record.offset)


def events_of(path: Path, name: str, losses: list[Loss]) -> list[journal.Event]:
    """The events of one file in the order of the file."""
    found: list[journal.Event] = []
    for record in records(path, name, losses):
        try:
            event = event_of(record, name)
        except (ValueError, TypeError) as e:
            losses.append(Loss(name, record.offset, 0, f"the context of the record cannot be read: {e}"))
            continue
        if event is not None:
            found.append(event)
    return found


# ------------------------------------------------------------------------------------------ the whole archive


def order(event: journal.Event) -> tuple[int, int]:
    """By fetch id; what a list said comes after the exchange that brought it."""
    return event.fetch_id, isinstance(event, journal.ListRead)


def files(folder: Path) -> list[Path]:
    """All WARC files of an archive, oldest first (their names begin with the time)."""
    return sorted(folder.glob("[0-9][0-9][0-9][0-9]/[0-9][0-9]/*.warc.gz"), key=lambda p: (p.name, str(p)))


def events(folder: str | Path, losses: list[Loss] | None = None) -> Iterator[journal.Event]:
    """Every event of the archive, ordered by fetch id; what is lost is appended to `losses`.

    Files of runs that didn't overlap in time are read one after the other: each says in its first record from which
    fetch id on it counts, so that only files of simultaneous runs are in memory together.
    """
    folder = Path(folder)
    lost = losses if losses is not None else []
    waiting = sorted(((_first_id(p), i, p) for i, p in enumerate(files(folder))), key=lambda x: x[:2])
    heap: list[tuple[tuple[int, int], int, int, list[journal.Event]]] = []
    following = 0
    while heap or following < len(waiting):
        while following < len(waiting) and (not heap or waiting[following][0] <= heap[0][0][0]):
            _, number, path = waiting[following]
            following += 1
            found = sorted(events_of(path, path.relative_to(folder).as_posix(), lost), key=order)
            if found:
                heapq.heappush(heap, (order(found[0]), number, 0, found))
        if not heap:
            continue
        _, number, at, found = heap[0]
        yield found[at]
        if at + 1 < len(found):
            heapq.heapreplace(heap, (order(found[at + 1]), number, at + 1, found))
        else:
            heapq.heappop(heap)


def _first_id(path: Path) -> int:
    """The lower bound of a file's fetch ids, as its first record says; 0 if that can't be read."""
    try:
        with open(path, "rb") as file:
            data, _, trouble = _member(file)
        return 0 if trouble else int(_parse(data, 0).context.get("first") or 0)
    except (OSError, ValueError):
        return 0


# ------------------------------------------------------------------------------------------ after a crash


@dataclass(slots=True)
class Adopted:
    """What `adopt_orphans` found: events that the journal did not know, the files they lie in, and what is lost."""

    events: int = 0
    files: list[str] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    clashes: list[str] = field(default_factory=list)


def adopt_orphans(database: Database, folder: str | Path) -> Adopted:
    """Bring into the journal what lies in the archive but not in it: a crawl was killed between disk and database, or
    the database is an older copy.

    Only files whose crawl is over (nobody holds them locked) and whose run did not report a clean end are looked at,
    and each only until it is known to be in. Applying what is known already changes nothing.
    """
    folder = Path(folder)
    adopted = Adopted()
    sealed = _sealed(database)
    for path in files(folder):
        name = path.relative_to(folder).as_posix()
        size = path.stat().st_size
        if sealed.get(name) in (-1, size):
            continue
        with _unheld(path) as free:
            if not free:
                continue
            _adopt(database, path, name, adopted)
    return adopted


def _adopt(database: Database, path: Path, name: str, adopted: Adopted) -> None:
    losses: list[Loss] = []
    found = sorted(events_of(path, name, losses), key=order)
    applied = journal.apply(database, found)
    with immediate(database) as conn:
        conn.execute(
            "insert into state (key, value) values (?, ?) on conflict (key) do update set value = excluded.value",
            (f"archive/{name}", str(path.stat().st_size)),
        )
    adopted.losses += losses
    adopted.clashes += applied.clashes
    if applied.new:
        adopted.events += applied.new
        adopted.files.append(name)


def _sealed(database: Database) -> dict[str, int]:
    """Files that need no look: -1 where the run reported a clean end, else the size at which the file was adopted."""
    sealed = {
        key.removeprefix("archive/"): int(value)
        for key, value in database.conn.execute("select key, value from state where key like 'archive/%'")
    }
    clean = database.conn.execute(
        "select archive_file from source_runs where state in ('done', 'stopped') and archive_file != ''"
    )
    return sealed | {name: -1 for (name,) in clean}


@contextmanager
def _unheld(path: Path) -> Iterator[bool]:
    """Whether no crawl writes this file; it is held for as long as the block lasts."""
    with open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        try:
            yield True
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
