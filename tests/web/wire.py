"""What goes over the wire: a request as parsed, a response as a site means it, and its exact bytes."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import brotli


class BadRequest(ValueError):
    """The bytes received are not an HTTP/1.x request."""


@dataclass
class Request:
    """One request; `target` is path and query as sent, `head` the raw bytes of request line and headers."""

    method: str
    scheme: str
    host: str
    target: str
    head: bytes
    body: bytes = b""

    @cached_property
    def headers(self) -> dict[str, str]:
        return parse_headers(self.head)

    @cached_property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path) or "/"

    @cached_property
    def query(self) -> dict[str, str]:
        """First value of each parameter, of the form body too (MIIT and PBoC take either)."""
        pairs = parse_qsl(urlsplit(self.target).query, keep_blank_values=True)
        if self.body and "form-urlencoded" in self.headers.get("content-type", ""):
            pairs += parse_qsl(self.body.decode("latin-1"), keep_blank_values=True)
        return dict(reversed(pairs))

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}{self.target}"


def parse_headers(head: bytes) -> dict[str, str]:
    """Header names in lower case; repeated ones joined by a comma."""
    headers: dict[str, str] = {}
    for line in head.split(b"\r\n")[1:]:
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            name = name.strip().lower()
            headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    return headers


@dataclass
class Response:
    """What a site answers, before framing.

    `compress` and `chunked` say how it travels (compression only if the client accepts it);
    `validators` adds an ETag of the body, `modified` (seconds since 1970) a Last-Modified.
    """

    body: bytes = b""
    content_type: str | None = "text/html"
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    compress: str | None = None
    chunked: bool = False
    validators: bool = False
    modified: float | None = None


@dataclass
class Frozen:
    """A response as bytes: `head` lacks only the Date line and the blank line after it."""

    status: int
    head: bytes
    payload: bytes
    etag: str | None = None
    modified: float | None = None

    def unchanged(self, request: Request) -> bool:
        """RFC 9110 section 13: If-None-Match decides where it is sent, else If-Modified-Since."""
        match = request.headers.get("if-none-match")
        if match is not None:
            return self.etag is not None and self.etag in [tag.strip().removeprefix("W/") for tag in match.split(",")]
        since = request.headers.get("if-modified-since")
        if since is None or self.modified is None:
            return False
        try:
            return int(self.modified) <= parsedate_to_datetime(since).timestamp()
        except ValueError:
            return False

    def not_modified(self) -> Frozen:
        lines = ["HTTP/1.1 304 Not Modified", "Server: imitation"]
        if self.etag:
            lines.append(f"ETag: {self.etag}")
        if self.modified is not None:
            lines.append(f"Last-Modified: {formatdate(self.modified, usegmt=True)}")
        return Frozen(304, ("\r\n".join(lines) + "\r\n").encode("latin-1"), b"", self.etag, self.modified)


def freeze(response: Response, accepts: str = "") -> Frozen:
    """Frame a response for a client that sent `accepts` as its Accept-Encoding."""
    body, coding = response.body, None
    if response.compress and body and response.compress in accepts:
        coding = response.compress
        body = brotli.compress(body, quality=3) if coding == "br" else gzip.compress(body, 3, mtime=0)
    lines = [f"HTTP/1.1 {response.status} {reason(response.status)}", "Server: imitation"]
    if response.content_type:
        lines.append(f"Content-Type: {response.content_type}")
    if coding:
        lines += [f"Content-Encoding: {coding}", "Vary: Accept-Encoding"]
    etag = None
    if response.validators:
        etag = '"' + hashlib.sha1(response.body).hexdigest()[:20] + '"'
        lines.append(f"ETag: {etag}")
    if response.modified is not None:
        lines.append(f"Last-Modified: {formatdate(response.modified, usegmt=True)}")
    lines += [f"{name}: {value}" for name, value in response.headers]
    if response.chunked:
        lines.append("Transfer-Encoding: chunked")
        body = chunk(body)
    else:
        lines.append(f"Content-Length: {len(body)}")
    head = ("\r\n".join(lines) + "\r\n").encode("latin-1")
    return Frozen(response.status, head, body, etag, response.modified)


def chunk(body: bytes, size: int = 4096) -> bytes:
    """Chunked framing (RFC 9112 section 7.1)."""
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


_date: tuple[int, bytes] = (0, b"")


def date_line() -> bytes:
    """The Date header with the blank line that ends a head; made once a second."""
    global _date
    now = int(time.time())
    if _date[0] != now:
        _date = (now, f"Date: {formatdate(now, usegmt=True)}\r\n\r\n".encode())
    return _date[1]


def html(
    text: str, encoding: str = "utf-8", content_type: str | None = "text/html; charset=utf-8", **more: Any
) -> Response:
    return Response(text.encode(encoding, "xmlcharrefreplace"), content_type, **more)


def as_json(value: Any, content_type: str = "application/json;charset=UTF-8", **more: Any) -> Response:
    return Response(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), content_type, **more)


def plain(text: str, status: int = 200, **more: Any) -> Response:
    return Response(text.encode(), "text/plain; charset=utf-8", status, **more)


def redirect(location: str, status: int = 301) -> Response:
    body = f'<html><head><title>{status}</title></head><body><a href="{location}">moved</a></body></html>'
    return Response(body.encode(), "text/html", status, [("Location", location)])


def not_found(text: str = "404 Not Found") -> Response:
    return Response(
        f"<html><head><title>404</title></head><body><h1>{text}</h1></body></html>".encode(), "text/html", 404
    )
