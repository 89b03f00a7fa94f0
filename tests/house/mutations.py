"""Damage for readers: a sound file or page is changed the way faulty servers, bad converters and attackers change one.

Every change is drawn from the random numbers given, so a case is its seed, and hypothesis can shrink one.
"""

from __future__ import annotations

import gzip
import io
import random
import warnings
import zipfile
import zlib
from collections.abc import Callable

Change = Callable[[random.Random, bytearray, list[bytes]], None]

RUBBISH = [
    b"\x00", b"\x00" * 300, b"\xff\xfe", b"\xef\xbb\xbf", b"</html>", b"</body></html>", b"<", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<script>",
    b"</script>", b"<style>", b"&#0;", b"&#x110000;", b"&nbsp;" * 50, b"&" * 200, b"]}", b'"', b"\\", b"\\u0000", b"\r", b"\x1b$)A", b"\x81", b"\xa1\xa1" * 40,
    "喆镕〇㎡".encode("gb18030"), "\u200b\u202e\ufeff".encode(), b"<p>" * 400, b"<div>" * 3000, b"</div>" * 300, b"<table><tr><td>" * 60, b"<br>" * 500, b"0" * 400,
    b"<meta charset=gb2312>", b'<meta charset="utf-16">', b'<base href="file:///etc/">', b'<!DOCTYPE x [<!ENTITY a "&a;&a;">]>', b'<a href="file:///etc/passwd">',
    b"9999-99-99", "公元〇年".encode(), b"[[[[[[[[", b"{" * 500, b"[" * 5000, b'{"a":' * 500, b"1e999999", b"-" * 2000, b"NaN",
]  # fmt: skip


def _span(rng: random.Random, body: bytearray, longest: int = 600) -> tuple[int, int]:
    at = rng.randint(0, len(body))
    return at, min(len(body), at + rng.randint(0, longest))


def _cut(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    a, b = _span(rng, body, rng.choice([20, 600, 20_000]))
    del body[a:b]


def _double(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    a, b = _span(rng, body)
    body[a:a] = body[a:b] * rng.choice([1, 2, 50, 400])


def _write(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    a, b = _span(rng, body, 60)
    body[a:b] = rng.randbytes(rng.randint(0, 60))


def _insert(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    a, _b = _span(rng, body)
    body[a:a] = rng.choice(RUBBISH)


def _swap(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    a, b = _span(rng, body)
    c, d = _span(rng, body)
    body[a:b] = bytes(body[c:d])


def _bits(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    a, b = _span(rng, body, 200)
    for at in range(a, b, rng.randint(1, 30)):
        body[at] ^= 1 << rng.randint(0, 7)


def _end(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    del body[rng.randint(0, len(body)) :]


def _splice(rng: random.Random, body: bytearray, others: list[bytes]) -> None:
    other = rng.choice(others)
    c = rng.randint(0, len(other))
    a, b = _span(rng, body)
    body[a:b] = other[c : c + rng.randint(0, 4000)]


def _tags(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    """One kind of tag becomes another, everywhere: paragraphs become cells, the body becomes a script."""
    names = [b"p", b"div", b"span", b"table", b"td", b"a", b"li", b"h1", b"article", b"section", b"script", b"title", b"template", b"noscript"]  # fmt: skip
    old, new = rng.choice(names), rng.choice(names)
    changed = body.replace(b"<" + old, b"<" + new).replace(b"</" + old, b"</" + new)
    body[:] = changed


def _tag_out(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    """One tag is dropped, so that what it closed stays open."""
    at = body.find(b"</" if rng.random() < 0.6 else b"<", rng.randint(0, len(body)))
    end = body.find(b">", at) if at >= 0 else -1
    if end > at >= 0:
        del body[at : end + 1]


def _digits(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    """Dates and numbers become impossible ones."""
    a, b = _span(rng, body, 4000)
    for at in range(a, b):
        if 48 <= body[at] <= 57 and rng.random() < 0.5:
            body[at] = 48 + rng.randint(0, 9)


def _recode(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    """The same characters in another charset, while the page goes on to declare the old one."""
    text = bytes(body).decode("utf-8", "replace")
    body[:] = text.encode(rng.choice(["gb18030", "big5", "utf-16", "utf-16-be", "latin-1", "utf-7"]), "ignore")


def _long(rng: random.Random, body: bytearray, _: list[bytes]) -> None:
    """Something short becomes very long: a line, a number, an attribute."""
    a, b = _span(rng, body, 40)
    body[a:a] = bytes(body[a:b]) * rng.choice([2000, 20_000])


CHANGES: list[Change] = [_cut, _double, _write, _insert, _insert, _swap, _bits, _end, _splice, _tags, _tag_out, _tag_out, _digits, _recode, _long]  # fmt: skip
BINARY: list[Change] = [_cut, _double, _write, _swap, _bits, _bits, _end, _splice, _insert]
LARGEST = 8 * 1024 * 1024


def mutate(rng: random.Random, body: bytes, others: list[bytes], *, binary: bool = False) -> bytes:
    """One to eight changes of one page or file; `others` is what pieces are taken from. At most 8 MB."""
    out = bytearray(body)
    for _ in range(rng.choice([1, 1, 2, 3, 5, 8])):
        rng.choice(BINARY if binary else CHANGES)(rng, out, others)
        if len(out) > LARGEST:
            del out[LARGEST:]
    return bytes(out)


def wrap(rng: random.Random, body: bytes) -> tuple[bytes, str]:
    """The body as it might come over the wire, and its Content-Encoding, which may be untrue."""
    kind = rng.choice(["", "", "", "gzip", "deflate", "lie", "cut", "br"])
    if kind == "gzip":
        return gzip.compress(body, 1), "gzip"
    if kind == "deflate":
        return zlib.compress(body, 1), rng.choice(["deflate", "x-deflate"])
    if kind == "cut":
        packed = gzip.compress(body, 1)
        return packed[: rng.randint(0, len(packed))], "gzip"
    if kind == "lie":
        return body, rng.choice(["gzip", "br", "zstd", "identity", "x-unknown", "gzip, gzip"])
    if kind == "br":
        return rng.randbytes(rng.randint(0, 200)) + body, "br"
    return body, ""


def package(rng: random.Random, parts: list[tuple[str, bytes]]) -> bytes:
    """A ZIP of files, some under names that lead out of a folder or are not text."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as archive:
        for name, body in parts:
            name = rng.choice(
                [name, name, f"../../{name}", f"/etc/{name}", f"a/{name}", "附件 1.pdf", "x" * 300 + name]
            )
            with warnings.catch_warnings(
                action="ignore", category=UserWarning
            ):  # one name twice is what some sites send
                archive.writestr(zipfile.ZipInfo(name.replace("\0", "")), body)
    return out.getvalue()


def repack(rng: random.Random, body: bytes, others: list[bytes]) -> bytes:
    """A file that is a ZIP inside (DOCX, XLSX, ODT, OFD): one member changed and packed again, so that the change is met.

    What is no ZIP comes back as it is.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, zlib.error, EOFError, ValueError):
        return body
    if not members:
        return body
    which = rng.randrange(len(members))
    members[which] = (members[which][0], mutate(rng, members[which][1], others))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in dict(members).items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()
