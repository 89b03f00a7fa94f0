"""Writes small archives for tests: events as the records that a crawl would write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crawler import warc
from db.journal import Event, Exchange

BODY = "<html><body><h1>标题</h1><p>制造业贷款</p></body></html>".encode()


def write(folder: Path, name: str, events: Iterable[Event], body: bytes = BODY) -> list[Event]:
    """Write one file; gives the events with their true places, as the crawl applies them."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    events = list(events)
    first = min(e.fetch_id for e in events)
    data = warc.warcinfo("2026-01-01T00:00:00Z", path.name, "test", {"first": first})
    placed: list[Event] = []
    for event in events:
        if isinstance(event, Exchange):
            event.archive_file, event.archive_offset = name, len(data)
            data += _exchange(event, body)
        else:
            about = {"event": "list_read", "fetch_id": event.fetch_id}
            fields = [("WARC-Target-URI", event.url), (warc.JSON_METADATA, warc.one_line(about))]
            block = warc.one_line(asdict(event)).encode()
            data += warc.record("metadata", warc.record_id(), event.read_at, fields, block)
        placed.append(event)
    path.write_bytes(data)
    return placed


def _exchange(event: Exchange, body: bytes) -> bytes:
    event.record_id = warc.record_id()
    context: dict[str, Any] = asdict(event)
    for key in ("archive_file", "archive_offset"):
        context.pop(key)
    fields = [("WARC-Target-URI", event.url), (warc.JSON_METADATA, warc.one_line(context))]
    if event.outcome == "ok":
        block = warc.http_block(b"HTTP/1.1 200 OK", [(b"Content-Type", b"text/html; charset=utf-8")], body)
        return warc.record("response", event.record_id, event.fetched_at, fields, block)
    return warc.record("metadata", event.record_id, event.fetched_at, fields, b"{}")
