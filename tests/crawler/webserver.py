"""A tiny forward proxy for tests of the crawler: answers any host by a function, and logs who asked what and when.

The imitation web plays real sites; this one plays faults, byte by byte.
"""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Asked:
    """One request as the server saw it."""

    host: str
    path: str
    headers: dict[str, str]
    client: int
    start: float
    end: float = 0.0
    method: str = "GET"


@dataclass
class Reply:
    """What to answer. `raw` replaces everything; `hang` waits before it; `reset` breaks the connection after it."""

    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    hang: float = 0.0
    reset: bool = False

    def bytes(self) -> bytes:
        if self.raw is not None:
            return self.raw
        head = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(self.body))} | self.headers
        lines = "".join(f"{k}: {v}\r\n" for k, v in head.items())
        return f"HTTP/1.1 {self.status} X\r\n{lines}\r\n".encode() + self.body


Answer = Callable[[Asked], Reply]


class Web:
    """`with Web(answer) as web:` then crawl through `web.proxy`; `web.log` is the witness."""

    def __init__(self, answer: Answer, tls: Any = None) -> None:
        self.answer = answer
        self.tls = tls
        self.log: list[Asked] = []
        self.stopping = threading.Event()
        web = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                web._serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: Any, client_address: Any) -> None:
                return

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.proxy = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Web:
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def paths(self, host: str | None = None) -> list[str]:
        return [a.path for a in self.log if host in (None, a.host)]

    def _serve(self, conn: socket.socket) -> None:
        client = conn.getpeername()[1]
        while True:
            head = _head(conn)
            if not head:
                return
            if head.startswith(b"CONNECT"):
                conn.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                conn = self.tls.wrap_socket(conn, server_side=True)
                continue
            asked = _asked(head, client)
            self.log.append(asked)
            reply = self.answer(asked)
            if reply.hang:
                self.stopping.wait(reply.hang)
            asked.end = time.time()
            data = reply.bytes()
            if data:
                conn.sendall(data)
            if reply.reset:
                conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                conn.close()
                return
            if b"connection: close" in data[:2000].lower():
                return


def _head(conn: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            more = conn.recv(65536)
        except OSError:
            return b""
        if not more:
            return b""
        data += more
    return data


def _asked(head: bytes, client: int) -> Asked:
    first, *lines = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    parts = urlsplit(target)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Asked(headers.get("host", parts.netloc), path, headers, client, time.time(), method=method)
