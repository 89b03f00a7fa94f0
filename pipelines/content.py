"""Turns the bytes as they came over the wire into text: content coding undone within bounds, charset believed only when true.

Headers and metas of Chinese sites lie about the charset, so the bytes are asked first: what decodes strictly as UTF-8 is
UTF-8 (the chance that real GBK text does so is negligible beyond a few characters); what is declared gb2312 or gbk is
gb18030, its superset, because pages declared gb2312 hold characters that gb2312 does not know (喆, 镕).
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import brotli

# a page of 64 MB is no page; news pages stay under 1 MB, the largest annexes inside HTML under 10 MB
MAX_DECODED = 64 * 1024 * 1024
_CHUNK = 256 * 1024
_META = re.compile(rb"""<meta[^>]{0,300}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{2,40})""", re.I)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9_:.-]{2,40})""", re.I)
_HEADER = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{2,40})""", re.I)
# office files, archives, pictures
_OFFICE = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"Rar!", b"7z\xbc\xaf", b"{\\rtf", b"\x1f\x8b\x08")
_FILES = (*_OFFICE, b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")
_NEVER = bytes({*range(1, 9), 11, *range(14, 27), *range(28, 32), 127})
_HIGH = re.compile(rb"[\x80-\xff]+")

# labels that mean GB18030 in the wild (WHATWG Encoding Standard, plus two that Chinese sites use)
_GB = {"gb2312", "gbk", "gb18030", "gb_2312", "gb_2312-80", "x-gbk", "cp936", "ms936", "chinese", "gb-2312", "csgb2312"}
# labels that servers put on everything: they say nothing
_NEUTRAL = {"", "iso-8859-1", "latin-1", "latin1", "windows-1252", "cp1252", "us-ascii", "ascii", "iso8859-1"}


class ContentError(ValueError):
    """Bytes that cannot be made text; `outcome` is the word for the run ledger (`too-large`, `unreadable`)."""

    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome


class FetchedLike(Protocol):
    """What is needed of `pipelines.stages.Fetched`."""

    body: bytes
    headers: Any
    media_type: str


@dataclass(frozen=True, slots=True)
class Content:
    """Decoded text, the charset that was used, the one that was declared, and remarks in words."""

    text: str
    encoding: str
    declared: str = ""
    remarks: tuple[str, ...] = ()
    truncated: bool = False


def stage(document: Any, context: Any) -> Any:
    """First link of the chain: leaves the decoded `Content` in `context.scratch["content"]`, None for a file (PDF, Word …)."""
    fetched = context.fetched
    try:
        body, cut = decompress(fetched.body, header(fetched.headers, "Content-Encoding"))
        if is_file(body):
            context.scratch["content"] = None
            context.scratch["file"] = body
            return document
        content = _text_of(body, cut, fetched, context.source)
    except ContentError as error:
        from pipelines.stages import Unreadable

        raise Unreadable(error.outcome, str(error)) from error
    context.scratch["content"] = content
    document.remarks += content.remarks
    return document


def is_file(body: bytes) -> bool:
    """Whether bytes are a file and not text (by their first bytes; servers' media types are often wrong)."""
    return body[:8].lstrip()[:5] == b"%PDF-" or body.startswith(_FILES) or _is_binary(body[:4096])


def _is_binary(head: bytes) -> bool:
    """Control characters that no text has, beyond a stray one; NULs do not count, since pages have them, and UTF-16."""
    if head.lstrip(b"\xef\xbb\xbf \t\r\n\0")[:1] in (b"<", b"{", b"[") or head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return False
    return len(head) - len(head.translate(None, _NEVER)) > 0.03 * len(head)


def header(headers: Any, name: str) -> str:
    """The value of a header, whatever the case of its name and whether values are str, bytes or lists of them."""
    if not headers:
        return ""
    wanted = name.lower()
    for key in headers:
        shown = key.decode("latin-1") if isinstance(key, bytes) else str(key)
        if shown.lower() == wanted:
            value = headers[key]
            if isinstance(value, list | tuple):
                value = value[0] if value else ""
            return value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return ""


def read(fetched: FetchedLike, source: Any = None, *, limit: int = MAX_DECODED) -> Content:
    """Text of a fetched exchange. `source.encoding` is a last hint only. Raises ContentError."""
    body, cut = decompress(fetched.body, header(fetched.headers, "Content-Encoding"), limit=limit)
    return _text_of(body, cut, fetched, source)


def _text_of(body: bytes, cut: str, fetched: FetchedLike, source: Any) -> Content:
    kind = header(fetched.headers, "Content-Type") or fetched.media_type or ""
    content = to_text(body, kind, getattr(source, "encoding", "") or "")
    if not cut:
        return content
    return Content(content.text, content.encoding, content.declared, (*content.remarks, cut), True)


# ---------------------------------------------------------------------------------------------- content coding


def decompress(body: bytes, coding: str, *, limit: int = MAX_DECODED) -> tuple[bytes, str]:
    """Undo `Content-Encoding` (several, comma separated, last applied first undone).

    Returns the bytes and a remark in words when the coded stream was cut off ("" otherwise). Bytes that are not in the
    coding that their header names are taken as they are: proxies and archives decode and forget the header.
    Raises ContentError `too-large` beyond `limit` decoded bytes, `unreadable` for a broken stream.
    """
    remark = ""
    for name in reversed([c.strip().lower() for c in coding.split(",") if c.strip()]):
        undo = _CODINGS.get(name)
        if undo is None:
            if name in ("identity", "none", "utf-8", "utf8"):
                continue
            raise ContentError("unreadable", f"the answer is coded as {name!r}, which is not known here")
        body, cut = undo(body, limit)
        if cut:
            remark = f"the {name} stream ends early; what came was read"
    if len(body) > limit:
        raise ContentError("too-large", f"the answer is larger than {limit // 1024 // 1024} MB")
    return body, remark


def _bounded(step: Callable[[bytes], bytes], more: Callable[[], bytes | None], body: bytes, limit: int) -> bytes:
    """Collect what `step` gives, chunk by chunk, never more than `limit` bytes."""
    out: list[bytes] = []
    size, data = 0, body
    while True:
        piece = step(data)
        size += len(piece)
        if size > limit:
            raise ContentError("too-large", f"the answer unpacks to more than {limit // 1024 // 1024} MB")
        out.append(piece)
        rest = more()
        if rest is None or (not piece and not rest):
            return b"".join(out)
        data = rest


def _gzip(body: bytes, limit: int) -> tuple[bytes, bool]:
    """One or several gzip members; trailing rubbish after the last is dropped, as browsers do."""
    if body[:2] != b"\x1f\x8b":
        return body, False
    out = b""
    while body[:2] == b"\x1f\x8b":
        piece, cut, body = _zlib_stream(body, 31, limit - len(out))
        out += piece
        if cut:
            return out, True
    return out, False


def _zlib_stream(body: bytes, wbits: int, limit: int) -> tuple[bytes, bool, bytes]:
    engine = zlib.decompressobj(wbits)

    def more() -> bytes | None:
        return None if engine.eof or not engine.unconsumed_tail else engine.unconsumed_tail

    try:
        out = _bounded(lambda data: engine.decompress(data, _CHUNK), more, body, limit)
    except zlib.error as error:
        raise ContentError("unreadable", f"the compressed answer is broken ({error})") from error
    return out, not engine.eof, engine.unused_data


def _deflate(body: bytes, limit: int) -> tuple[bytes, bool]:
    """`deflate` is zlib by the standard and raw deflate from many servers."""
    if not body:
        return body, False
    zlib_head = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    try:
        out, cut, _ = _zlib_stream(body, 15 if zlib_head else -15, limit)
    except ContentError as error:
        if error.outcome == "unreadable" and body.lstrip()[:1] in (b"<", b"{", b"["):
            return body, False
        raise
    return out, cut


def _brotli(body: bytes, limit: int) -> tuple[bytes, bool]:
    engine = brotli.Decompressor()

    def more() -> bytes | None:
        return None if engine.is_finished() else b""

    def step(data: bytes) -> bytes:
        piece: bytes = engine.process(data, output_buffer_limit=_CHUNK)
        return piece

    try:
        return _bounded(step, more, body, limit), not engine.is_finished()
    except brotli.error as error:
        if body.lstrip()[:1] in (b"<", b"{", b"["):
            return body, False
        raise ContentError("unreadable", "the brotli stream of the answer is broken") from error


def _zstd(body: bytes, limit: int) -> tuple[bytes, bool]:
    if body[:4] != b"\x28\xb5\x2f\xfd":
        return body, False
    try:
        from backports import zstd
    except ImportError:
        try:
            from compression import zstd  # type: ignore
        except ImportError as error:
            raise ContentError("unreadable", "the answer is zstd-coded; install backports.zstd to read it") from error
    engine = zstd.ZstdDecompressor()

    def more() -> bytes | None:
        return None if engine.eof else b""

    try:
        out = _bounded(lambda data: engine.decompress(data, max_length=_CHUNK), more, body, limit)
    except zstd.ZstdError as error:
        raise ContentError("unreadable", f"the zstd stream of the answer is broken ({error})") from error
    return out, not engine.eof


_CODINGS: dict[str, Callable[[bytes, int], tuple[bytes, bool]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}


# --------------------------------------------------------------------------------------------------- charset


def to_text(body: bytes, content_type: str = "", hint: str = "") -> Content:
    """Decode bytes of HTML, XML, JSON or plain text; never raises. NULs are dropped, with a remark."""
    declared = declared_charset(body, content_type)
    text, encoding, remarks = _decode(body, declared, hint.lower())
    if "\0" in text:
        text = text.replace("\0", "")
        remarks.append("NUL characters were dropped")
    if text.startswith("\ufeff"):
        text = text[1:]
    if declared and encoding != _python_name(declared) and not body.isascii():
        remarks.append(f"declared {declared}, read as {encoding}")
    return Content(text, encoding, declared, tuple(remarks))


def declared_charset(body: bytes, content_type: str = "") -> str:
    """What the header says unless it is a label that servers put on everything; else the meta or XML declaration."""
    match = _HEADER.search(content_type)
    said = match.group(1).lower() if match else ""
    if said and said not in _NEUTRAL:
        return said
    head = body[:8192]
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        # the metas inside JSON strings speak of other bytes (Word exports say gb2312 in UTF-8 answers)
        return said
    inside = _XML.search(head) or _META.search(head)
    return inside.group(1).decode("ascii").lower() if inside else said


def _python_name(label: str) -> str:
    label = label.lower()
    if label in _GB:
        return "gb18030"
    if label in ("big5", "big5-hkscs", "cn-big5", "x-x-big5"):
        return "big5hkscs"
    try:
        return codecs.lookup(label).name
    except LookupError:
        return ""


def _decode(body: bytes, declared: str, hint: str) -> tuple[str, str, list[str]]:
    for mark, name in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if body.startswith(mark):
            return body.decode(name, "replace"), name, []
    if _looks_utf16(body):
        name = "utf-16-le" if body[1:2] == b"\0" else "utf-16-be"
        return body.decode(name, "replace"), name, []
    text = _strict(body, "utf-8")
    if text is not None:
        return text, "utf-8", []
    for label in (declared, hint):
        name = _python_name(label)
        if name and name != "utf-8" and label not in _NEUTRAL:
            text = _strict(body, name)
            if text is not None:
                return text, name, []
    return _guess(body, declared, hint)


def _looks_utf16(body: bytes) -> bool:
    """Every second byte NUL in the first bytes: UTF-16 text without a mark."""
    head = body[:200]
    return len(head) >= 20 and max(head[0::2].count(0), head[1::2].count(0)) > 0.4 * len(head)


def _strict(body: bytes, name: str) -> str | None:
    """The text if the bytes are valid; a character cut off at the very end (truncated body) is forgiven."""
    try:
        return body.decode(name)
    except UnicodeDecodeError as error:
        if error.start >= len(body) - 3 and error.start > 0:
            try:
                return body[: error.start].decode(name)
            except UnicodeDecodeError:
                return None
        return None


def _guess(body: bytes, declared: str, hint: str) -> tuple[str, str, list[str]]:
    """Bytes that are valid in nothing that was declared: the reading with the least damage."""
    chinese = _pairs_share(body) > 0.9
    if chinese:
        text = _strict(body, "gb18030")
        if text is not None:
            return text, "gb18030", []
    best, name, lost = "", "utf-8", len(body) + 1
    wanted = [_python_name(declared), _python_name(hint), "utf-8", *(["gb18030"] if chinese else [])]
    for candidate in dict.fromkeys(n for n in wanted if n):
        text = body.decode(candidate, "replace")
        damage = text.count("\ufffd")
        if damage < lost:
            best, name, lost = text, candidate, damage
    # single high bytes among ASCII: Western text, which the one-byte table reads without damage
    if lost > 0 and not chinese and lost * 20 > len(best) - sum(map(len, _HIGH.split(body))):
        return body.decode("cp1252", "replace"), "cp1252", []
    return best, name, [f"{lost} characters could not be decoded"] if lost else []


def _pairs_share(body: bytes) -> float:
    """Share of high bytes that stand in runs of two or more: near 1 in Chinese multi-byte text, near 0 in Latin."""
    runs = [len(m.group()) for m in _HIGH.finditer(body, 0, 200_000)]
    return sum(n for n in runs if n > 1) / max(1, sum(runs))
