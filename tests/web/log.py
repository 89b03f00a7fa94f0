"""The witness: every request with its times, so that manners can be proved."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from .wire import Request, parse_headers

LIMIT = 200_000  # entries kept; a benchmark must not eat the memory


class Entry:
    """One exchange; the raw head is kept and parsed only when somebody asks."""

    __slots__ = (
        "aborted",
        "client",
        "connection",
        "fault",
        "head",
        "host",
        "method",
        "sent",
        "seq",
        "status",
        "t_end",
        "t_start",
        "url",
        "wall_end",
        "wall_start",
    )

    def __init__(self, seq: int, method: str, url: str, host: str, head: bytes, client: int, connection: int) -> None:
        self.seq, self.method, self.url, self.host, self.head = seq, method, url, host, head
        self.client, self.connection = client, connection
        self.t_start, self.wall_start = time.monotonic(), time.time()
        self.t_end: float | None = None
        self.wall_end: float | None = None
        self.status: int | None = None
        self.sent = 0
        self.fault: int | None = None
        self.aborted = False

    def close(self, status: int | None, sent: int, aborted: bool = False) -> None:
        if self.t_end is None:
            self.t_end, self.wall_end = time.monotonic(), time.time()
            self.status, self.sent, self.aborted = status, sent, aborted

    def as_dict(self) -> dict[str, Any]:
        return {
            "seq": self.seq,
            "t_start": self.t_start,
            "t_end": self.t_end,
            "wall_start": _instant(self.wall_start),
            "wall_end": _instant(self.wall_end),
            "method": self.method,
            "url": self.url,
            "host": self.host,
            "headers": parse_headers(self.head),
            "status": self.status,
            "bytes": self.sent,
            "client": self.client,
            "connection": self.connection,
            "fault": self.fault,
            "aborted": self.aborted,
        }


class Log:
    """Entries in order of arrival; `since` is the seq after which to look."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.next = 1

    def open(self, request: Request, client: int, connection: int) -> Entry:
        entry = Entry(self.next, request.method, request.url, request.host, request.head, client, connection)
        self.next += 1
        self.entries.append(entry)
        if len(self.entries) > LIMIT:
            del self.entries[: LIMIT // 10]
        return entry

    def since(self, seq: int = 0, host: str | None = None, connects: bool = False) -> list[dict[str, Any]]:
        return [
            one.as_dict()
            for one in self.entries
            if one.seq > seq and host in (None, one.host) and (connects or one.method != "CONNECT" or one.status != 200)
        ]

    def clear(self) -> None:
        self.entries.clear()


def _instant(seconds: float | None) -> str | None:
    return None if seconds is None else dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()
