"""The forward proxy that plays the web: plain HTTP by absolute address, HTTPS by CONNECT with its own certificates."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import ssl
import struct
import sys
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from .answering import Web
from .faults import Fault
from .log import Entry
from .wire import BadRequest, Frozen, Request, Response, date_line, freeze, html, parse_headers, plain, redirect

MAX_HEAD = 65_536


class Connection(asyncio.Protocol):
    """One client. TLS runs through memory buffers, so that every byte that leaves is under control."""

    _numbers = itertools.count(1)

    def __init__(self, web: Web) -> None:
        self.web, self.number = web, next(self._numbers)
        self.buffer = bytearray()
        self.host: str | None = None
        self.tls: ssl.SSLObject | None = None
        self.handshaken = False
        self.busy: asyncio.Task[None] | None = None
        self.entry: Entry | None = None
        self.closing = False
        self.writable = asyncio.Event()
        self.writable.set()

    # ---- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.port = transport.get_extra_info("peername")[1]
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.web.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.web.connections.discard(self)
        self.closing = True
        self.writable.set()
        if self.busy:
            self.busy.cancel()
        if self.entry:
            self.entry.close(None, 0, aborted=True)

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def data_received(self, data: bytes) -> None:
        if self.tls is None:
            self.buffer += data
        else:
            self._incoming.write(data)
            if not self._decrypt():
                return
        if self.busy is None:
            self._serve()

    def eof_received(self) -> bool:
        return False

    # ---- TLS

    def _start_tls(self, host: str) -> None:
        context = self.web.authority.context(host, self.web.faults.certificate(host))
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.host = host
        if self.buffer:
            rest = bytes(self.buffer)
            self.buffer.clear()
            self.data_received(rest)

    def _decrypt(self) -> bool:
        """Move what came in to the buffer; False where the connection is no more."""
        assert self.tls is not None
        try:
            if not self.handshaken:
                self.tls.do_handshake()
                self.handshaken = True
            while piece := self.tls.read(65_536):
                self.buffer += piece
        except ssl.SSLWantReadError:
            self._flush()
            return True
        except (ssl.SSLError, OSError):  # the client refused our certificate, or said good-bye
            self._flush()
            self.transport.close()
            return False
        self._flush()
        self.transport.close()
        return False

    def _flush(self) -> None:
        if self._outgoing.pending and not self.transport.is_closing():
            self.transport.write(self._outgoing.read())

    def write(self, data: bytes) -> None:
        if self.transport.is_closing() or not data:
            return
        if self.tls is None:
            self.transport.write(data)
        else:
            try:
                self.tls.write(data)
            except ssl.SSLError:
                self.transport.abort()
                return
            self._flush()

    def reset(self) -> None:
        """A real RST, not an orderly end."""
        raw = self.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    # ---- HTTP

    def _serve(self) -> None:
        """Answer what is complete in the buffer, one after another."""
        while self.buffer and not self.closing and self.busy is None:
            try:
                request = self._next()
            except BadRequest as error:
                self.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n" + date_line())
                print(f"imitation web: not a request: {error}", file=sys.stderr)
                self._close()
                return
            if request is None:
                return
            self.entry = self.web.log.open(request, self.port, self.number)
            if request.method == "CONNECT":
                self._connect(request)
            else:
                self._answer(request, self.entry)

    def _next(self) -> Request | None:
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self.buffer) > MAX_HEAD:
                raise BadRequest("no end of the headers")
            return None
        head = bytes(self.buffer[:end])
        parts = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            raise BadRequest(repr(parts)[:100])
        length = 0
        if parts[0] in ("POST", "PUT"):
            length = int(parse_headers(head).get("content-length", "0"))
        if len(self.buffer) < end + 4 + length:
            return None
        body = bytes(self.buffer[end + 4 : end + 4 + length])
        del self.buffer[: end + 4 + length]
        return self._request(parts[0], parts[1], head, body)

    def _request(self, method: str, target: str, head: bytes, body: bytes) -> Request:
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
            return Request(method, "https", host.lower(), f":{port}", head, body)
        if self.host is not None and target.startswith("/"):
            return Request(method, "https", self.host, target, head, body)
        parts = urlsplit(target)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadRequest(f"a proxy needs a whole address, not {target[:80]!r}")
        rest = target.split("://", 1)[1].partition("/")[2]
        rest = "/" + rest if "/" in target.split("://", 1)[1] else "/" + ("?" + parts.query if parts.query else "")
        return Request(method, parts.scheme, parts.hostname.lower(), rest, head, body)

    def _connect(self, request: Request) -> None:
        entry, host = self.entry, request.host
        assert entry is not None
        fault = self.web.faults.for_connect(host)
        if fault:
            entry.fault = fault.id
            if fault.connect == "hang":
                self.busy = asyncio.ensure_future(asyncio.sleep(10**8))
                return
            if fault.connect == "reset":
                entry.close(None, 0, aborted=True)
                self.reset()
                return
        if fault or host not in self.web.world.hosts:
            frozen = freeze(plain(f"The imitation web cannot reach {host}.\n", 502))
            self._send(frozen, entry, close=True)
            return
        self.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        entry.close(200, 0)
        self.entry = None
        self._start_tls(host)

    def _answer(self, request: Request, entry: Entry) -> None:
        fault = None
        if request.path == "/robots.txt" and request.host in self.web.robots:
            order = self.web.robots[request.host]
            fault = order if order.spend() else None
        if fault is None and self.web.faults.all:
            fault = self.web.faults.for_request(request.url)
        close = b"close" in request.head and request.headers.get("connection", "").lower() == "close"
        if fault is None:
            frozen = self.web.answer(request)
            if request.method == "HEAD":
                frozen = Frozen(frozen.status, frozen.head, b"")
            self._send(frozen, entry, close)
            return
        entry.fault = fault.id
        self.busy = asyncio.ensure_future(self._disturbed(request, entry, fault, close))

    def _send(self, frozen: Frozen, entry: Entry, close: bool) -> None:
        head = frozen.head + (b"Connection: close\r\n" if close else b"") + date_line()
        self.write(head + frozen.payload)
        entry.close(frozen.status, len(head) + len(frozen.payload))
        self.entry = None
        if close:
            self._close()

    def _close(self) -> None:
        self.closing = True
        if self.tls is not None:
            with contextlib.suppress(ssl.SSLError):
                self.tls.unwrap()
            self._flush()
        self.transport.close()

    # ---- misbehaviour

    async def _disturbed(self, request: Request, entry: Entry, fault: Fault, close: bool) -> None:
        try:
            keep = await self._misbehave(request, entry, fault)
        except asyncio.CancelledError:
            return
        self.busy = self.entry = None
        if close or not keep:
            if not self.transport.is_closing():
                self._close() if keep else self.transport.close()
            return
        self._serve()

    async def _misbehave(self, request: Request, entry: Entry, fault: Fault) -> bool:
        """Carry out an order; False where the connection is not to be used again."""
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.hang is True:
            await asyncio.sleep(10**8)
        if fault.reset is True:
            entry.close(None, 0, aborted=True)
            self.reset()
            return False
        if fault.raw is not None:
            await self._trickle(fault.raw, fault.slow)
            entry.close(None, len(fault.raw))
            return False
        frozen = self._changed(request, fault)
        payload = b"" if request.method == "HEAD" else frozen.payload
        head = frozen.head + date_line()
        stop = self._stop(fault, len(payload))
        await self._trickle(head, None)
        sent = await self._trickle(payload if stop is None else payload[:stop], fault.slow)
        if fault.size:
            sent += await self._filler(fault)
        if stop is not None:
            if fault.hang == "body":
                await asyncio.sleep(10**8)
            entry.close(frozen.status, len(head) + sent, aborted=True)
            if fault.reset == "body":
                await asyncio.sleep(0.05)  # let the first half arrive before the RST discards it
                self.reset()
            return False
        entry.close(frozen.status, len(head) + sent)
        return True

    @staticmethod
    def _stop(fault: Fault, length: int) -> int | None:
        """After how many bytes of the body it all ends, if it does."""
        if fault.truncate is not None:
            return int(length * fault.truncate) if 0 < fault.truncate < 1 else int(fault.truncate)
        return length // 2 if "body" in (fault.hang, fault.reset) else None

    def _changed(self, request: Request, fault: Fault) -> Frozen:
        """The answer that an order asks for, else the true one, with headers set or taken away."""
        if fault.redirect is not None:
            response = redirect(fault.redirect, fault.status or 302)
        elif fault.size:
            response = Response(b"", "text/html; charset=utf-8", fault.status or 200)
        elif fault.content is not None:
            response = Response(fault.content, "text/html; charset=utf-8", fault.status or 200)
        elif fault.status is not None:
            phrase = HTTPStatus(fault.status).phrase if fault.status in HTTPStatus._value2member_map_ else "Trouble"
            response = html(f"<html><head><title>{fault.status}</title></head><body>{phrase}</body></html>")
            response.status = fault.status
        else:
            frozen = self.web.answer(request)
            return Frozen(frozen.status, _set_headers(frozen.head, fault.headers), frozen.payload)
        frozen = freeze(response)
        head = frozen.head
        if fault.size:
            head = head.replace(b"Content-Length: 0", b"Content-Length: %d" % fault.size)
        return Frozen(frozen.status, _set_headers(head, fault.headers), frozen.payload)

    async def _trickle(self, data: bytes, rate: float | None) -> int:
        """Write, at `rate` bytes a second if given; large things in pieces as the client takes them."""
        step = 65_536 if not rate else max(1, int(rate / 10))
        for start in range(0, len(data), step):
            if rate:
                await asyncio.sleep(min(step, len(data) - start) / rate)
            self.write(data[start : start + step])
            await self.writable.wait()
        return len(data)

    async def _filler(self, fault: Fault) -> int:
        left, piece = int(fault.size or 0), b"<p>filler</p>\n" * 4096
        stop = int(fault.truncate) if fault.truncate and fault.truncate >= 1 else left
        left = min(left, stop)
        total = left
        while left > 0 and not self.closing:
            await self._trickle(piece[:left], fault.slow)
            left -= len(piece)
        return total


def _set_headers(head: bytes, changes: dict[str, str | None]) -> bytes:
    lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    names = {name.lower() for name in changes}
    kept = lines[:1] + [line for line in lines[1:] if line.split(":")[0].lower() not in names]
    kept += [f"{name}: {value}" for name, value in changes.items() if value is not None]
    return ("\r\n".join(kept) + "\r\n").encode("latin-1")


async def listen(web: Web, port: int) -> asyncio.Server:
    """Serve on 127.0.0.1 and nowhere else."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(web), "127.0.0.1", port, backlog=512)


def port_of(server: Any) -> int:
    return int(server.sockets[0].getsockname()[1])
