"""Bytes to text: every content coding within bounds, and the charset that the bytes have, whatever they are said to have."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from pipelines import content
from pipelines.content import ContentError, decompress, to_text
from pipelines.stages import Context, Fetched, Unreadable

CODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}
CHINESE = (
    "<html><head><meta charset=gb2312><title>胡喆 镕 䶮 𠮷</title></head><body>制造业中长期贷款余额增长</body></html>"
)


@pytest.mark.parametrize("coding", CODERS)
@given(body=st.binary(max_size=5000))
def test_coding_is_undone(coding: str, body: bytes) -> None:
    assert decompress(CODERS[coding](body), coding) == (body, "")


@pytest.mark.parametrize("coding", CODERS)
def test_large_bodies_survive(coding: str) -> None:
    body = b"0123456789abcdef" * 200_000
    assert decompress(CODERS[coding](body), coding)[0] == body


@pytest.mark.parametrize("coding", CODERS)
def test_a_bomb_is_refused_while_small(coding: str) -> None:
    bomb = CODERS[coding](b"\0" * 30_000_000)
    with pytest.raises(ContentError) as caught:
        decompress(bomb, coding, limit=1_000_000)
    assert caught.value.outcome == "too-large"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_cut_stream_gives_what_came_and_says_so(coding: str) -> None:
    body = "制造业贷款余额增长。".encode() * 40_000
    out, remark = decompress(CODERS[coding](body)[:-8], coding)
    assert body.startswith(out)
    assert "ends early" in remark


@pytest.mark.parametrize("coding", CODERS)
def test_bytes_that_are_not_in_their_coding_are_taken_as_they_are(coding: str) -> None:
    assert decompress(b"<html>plain</html>", coding)[0] == b"<html>plain</html>"


def test_several_codings_are_undone_in_reverse() -> None:
    assert decompress(brotli.compress(gzip.compress(b"body")), "gzip, br")[0] == b"body"


def test_raw_deflate() -> None:
    engine = zlib.compressobj(wbits=-15)
    assert decompress(engine.compress(b"body") + engine.flush(), "deflate")[0] == b"body"


def test_two_gzip_members() -> None:
    assert decompress(gzip.compress(b"one") + gzip.compress(b"two") + b"\0\0", "gzip")[0] == b"onetwo"


def test_an_unknown_coding_is_named() -> None:
    with pytest.raises(ContentError, match="compress2000"):
        decompress(b"x", "compress2000")


@pytest.mark.parametrize(
    ("body", "header", "encoding"),
    [
        (CHINESE.encode("gb18030"), "text/html; charset=gb2312", "gb18030"),
        (CHINESE.encode("gb18030"), "text/html; charset=gbk", "gb18030"),
        (CHINESE.encode("gb18030"), "text/html", "gb18030"),
        (CHINESE.encode("gb18030"), "text/html; charset=iso-8859-1", "gb18030"),
        (CHINESE.encode("gb18030"), "text/html; charset=utf-8", "gb18030"),
        (CHINESE.encode("utf-8"), "text/html; charset=gb2312", "utf-8"),
        (CHINESE.encode("utf-8"), "text/html; charset=iso-8859-1", "utf-8"),
        (CHINESE.encode("utf-8"), "", "utf-8"),
        (b"\xef\xbb\xbf" + CHINESE.encode("utf-8"), "text/html; charset=gb2312", "utf-8"),
        (CHINESE.encode("utf-16"), "text/html", "utf-16"),
        (CHINESE.encode("utf-16-le"), "text/html", "utf-16-le"),
    ],
)
def test_charset(body: bytes, header: str, encoding: str) -> None:
    found = to_text(body, header)
    assert found.text == CHINESE
    assert found.encoding == encoding


@given(text=st.text(alphabet=st.characters(codec="gb18030", exclude_characters="\0\ufeff"), min_size=30, max_size=300))
def test_gb18030_declared_gb2312_is_never_damaged(text: str) -> None:
    body = ("<meta charset=gb2312>制造业" + text).encode("gb18030")
    found = to_text(body, "text/html; charset=gb2312")
    assert found.text == body.decode(found.encoding)


@pytest.mark.parametrize("text", ["Café society naïve", "L’économie — déjà vu", "Zürich’s naïve café"])
def test_western_text_is_not_made_chinese(text: str) -> None:
    body = ("<p>" + "plain words " * 30 + text + "</p>").encode("cp1252")
    assert text in to_text(body, "text/html").text


def test_nuls_are_dropped_with_a_remark() -> None:
    found = to_text("<p>制造\0业</p>".encode(), "text/html")
    assert found.text == "<p>制造业</p>"
    assert any("NUL" in r for r in found.remarks)


def test_a_character_cut_off_at_the_end_does_not_change_the_charset() -> None:
    found = to_text(("制造业贷款" * 50).encode()[:-1], "text/html")
    assert found.encoding == "utf-8"
    assert "\ufffd" not in found.text


def test_a_meta_inside_json_says_nothing() -> None:
    found = to_text('{"docClob": "<meta charset=gb2312>贷款"}'.encode(), "application/json")
    assert found.text.endswith('贷款"}')
    assert not found.remarks


def test_some_broken_bytes_are_counted() -> None:
    body = ("制造业贷款" * 200).encode() + b"\xff\xfe\xff" + ("余额增长" * 200).encode()
    found = to_text(body, "text/html; charset=utf-8")
    assert found.text.count("余额增长") == 200
    assert any("could not be decoded" in r for r in found.remarks)


@given(body=st.binary(max_size=400), label=st.sampled_from(["utf-8", "gb2312", "big5", "iso-8859-1", "x-unknown", ""]))
def test_nothing_raises(body: bytes, label: str) -> None:
    assert isinstance(to_text(body, f"text/html; charset={label}").text, str)


def _context(body: bytes, **headers: str) -> Context:
    return Context(Fetched("https://a.cn/", body=body, headers=headers), None, None, "2026-10-08T00:00:00Z")  # type: ignore[arg-type]


def test_stage_leaves_the_text() -> None:
    from db.documents import Document

    context = _context(gzip.compress(b"<p>x</p>"), **{"content-encoding": "gzip"})
    content.stage(Document(), context)
    assert context.scratch["content"].text == "<p>x</p>"


@pytest.mark.parametrize("head", [b"%PDF-1.7", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_stage_leaves_files_alone(head: bytes) -> None:
    from db.documents import Document

    context = _context(head + b"\0" * 100)
    content.stage(Document(), context)
    assert context.scratch["content"] is None
    assert context.scratch["file"].startswith(head)


def test_stage_names_the_outcome_of_what_cannot_be_read() -> None:
    from db.documents import Document

    with pytest.raises(Unreadable) as caught:
        content.stage(Document(), _context(b"x", **{"content-encoding": "snappy"}))
    assert caught.value.outcome == "unreadable"


@pytest.mark.parametrize(
    "head",
    [
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"GIF89a",
        b"II*\0",
        b"MM\0*",
        b"\x1f\x8b\x08\0",
        bytes(range(256)) * 9,
    ],
)
def test_pictures_and_unknown_bytes_are_no_text(head: bytes) -> None:
    assert content.is_file(head + b"\x01\x02 more" * 9)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>\x01\x02\x03\x04</html>",
        "制造业贷款\n".encode(),
        "制造业贷款\n".encode("gb18030"),
        "製造業貸款\n".encode("big5"),
        "\ufeff制造业中长期贷款".encode("utf-16-le"),
        b"loan\x01 text of a page with one stray character " * 3,
        b"".join(bytes([c, 0]) for c in b"<p>every second byte is nothing</p>"),
        b"",
    ],
)
def test_text_with_stray_bytes_stays_text(body: bytes) -> None:
    assert not content.is_file(body)
