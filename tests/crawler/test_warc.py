"""What a crawl leaves in the archive: every form of an answer is read back, by us and by warcio, and replayed."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

import brotli
import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import BufferedReader

import db
from db import journal
from pipelines import archive
from pipelines.content import decompress
from tests.crawler.conftest import documents
from tests.crawler.webserver import Asked, Reply

PAGE = "<html><p>金融支持制造业高质量发展</p></html>".encode() * 20
GZIPPED = gzip.compress(PAGE, mtime=0)
CHUNKED = b"".join(b"%x\r\n%b\r\n" % (len(c), c) for c in (PAGE[:100], PAGE[100:])) + b"0\r\n\r\n"
FORMS = {
    "/plain": Reply(body=PAGE),
    "/gzip": Reply(body=GZIPPED, headers={"Content-Encoding": "gzip"}),
    "/br": Reply(body=brotli.compress(PAGE), headers={"Content-Encoding": "br"}),
    "/deflate": Reply(body=zlib.compress(PAGE), headers={"Content-Encoding": "deflate"}),
    "/chunked": Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED),
    "/until-close": Reply(raw=b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + PAGE),
    "/many": Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: a\r\nVia: b\r\nX-Name: \xe9\r\n\r\nok"),
    "/empty": Reply(204, b""),
    "/moved": Reply(301, b"", {"Location": "/plain?moved"}),
    "/gone": Reply(404, b"not here"),
    "/cut": Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9999\r\n\r\n" + PAGE[:300], reset=True),
    "/cut-gzip": Reply(
        raw=b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9999\r\n\r\n" + GZIPPED[:60],
        reset=True,
    ),
    "/dead": Reply(raw=b"", reset=True),
    "/list": Reply(body=b"http://news.test/plain?row", headers={"ETag": '"v1"', "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}),
}  # fmt: skip


def site(asked: Asked) -> Reply:
    if asked.path == "/list" and asked.headers.get("if-none-match") == '"v1"':
        return Reply(304, b"", {"ETag": '"v1"'})
    return FORMS.get(asked.path, Reply(404, b"") if asked.path == "/robots.txt" else Reply(body=PAGE))


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One crawl of every form, read many times."""
    from tests.crawler.conftest import Crawl
    from tests.crawler.webserver import Web

    crawl = Crawl(tmp_path_factory.mktemp("forms"))
    with Web(site) as server:
        plan = documents(*(f"http://news.test{p}" for p in FORMS if p != "/list"))
        plan["requests"].append({"url": "http://news.test/list", "kind": "list"})
        yield crawl([plan], server.proxy, RETRY_TIMES=0)


def stored(done: Any, path: str) -> tuple[dict[str, Any], Any]:
    row = done.rows(f"select * from fetches where url = 'http://news.test{path}' order by id desc limit 1")[0]
    return row, archive.read(done.archive / row["archive_file"], row["archive_offset"])


def by_warcio(done: Any) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for file in archive.files(done.archive):
        with open(file, "rb") as stream:
            for record in ArchiveIterator(stream, check_digests=True):
                fields: dict[str, Any] = {"type": record.rec_type, "headers": record.rec_headers}
                fields |= {"http": record.http_headers, "raw": record.raw_stream.read()}
                found.setdefault(record.rec_headers.get_header("WARC-Target-URI") or "", []).append(fields)
    return found


@pytest.mark.parametrize("path", ["/plain", "/gzip", "/br", "/deflate", "/chunked", "/until-close"])
def test_bodies_come_back_as_received_and_unpack_to_the_page(path: str, everything: Any) -> None:
    row, fetched = stored(everything, path)
    assert row["outcome"] == "ok"
    assert row["bytes"] == len(fetched.body)
    assert decompress(fetched.body, fetched.headers.get("content-encoding", ""))[0] == PAGE
    if path in ("/gzip", "/br", "/deflate"):
        assert fetched.body == FORMS[path].body
    if path == "/chunked":
        assert fetched.headers["x-archive-orig-transfer-encoding"] == "chunked"
        assert "transfer-encoding" not in fetched.headers


class Brotli:
    """What warcio 1.8.1 wants of a decompressor; it sets an attribute on brotli's own, which that type does not take."""

    unused_data = None

    def __init__(self) -> None:
        self.inner = brotli.Decompressor()

    def decompress(self, data: bytes) -> bytes:
        return bytes(self.inner.process(data))

    def flush(self) -> bytes:
        return b""


@pytest.mark.parametrize("path", ["/plain", "/gzip", "/br", "/chunked", "/until-close"])
def test_warcio_decodes_every_form(path: str, everything: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BufferedReader.DECOMPRESSORS, "br", Brotli)
    for file in archive.files(everything.archive):
        with open(file, "rb") as stream:
            for record in ArchiveIterator(stream):
                if record.rec_type == "response" and record.rec_headers.get_header("WARC-Target-URI").endswith(path):
                    body = record.content_stream().read()
                    assert body == PAGE
                    return
    pytest.fail(f"no response record for {path}")


def test_every_record_is_a_member_of_its_own_that_warcio_indexes(everything: Any) -> None:
    offsets = {r["archive_offset"] for r in everything.rows("select archive_offset from fetches")}
    (file,) = archive.files(everything.archive)
    with open(file, "rb") as stream:
        iterator = ArchiveIterator(stream)
        seen = set()
        for record in iterator:
            record.raw_stream.read()
            seen.add(iterator.get_record_offset())
    assert offsets <= seen


def test_redirects_errors_and_304_are_kept(everything: Any) -> None:
    row, fetched = stored(everything, "/moved")
    assert (row["outcome"], row["status"], row["state"]) == ("redirect", 301, "none")
    assert fetched.headers["location"] == "/plain?moved"
    row, fetched = stored(everything, "/gone")
    assert (row["outcome"], fetched.status, fetched.body) == ("not-found", 404, b"not here")


def test_repeated_and_odd_headers_survive(everything: Any) -> None:
    _, fetched = stored(everything, "/many")
    assert fetched.headers["via"] == "a, b"
    assert fetched.headers["x-name"] == "\xe9"


@pytest.mark.parametrize(("path", "kept"), [("/cut", PAGE[:300]), ("/cut-gzip", GZIPPED[:60])], ids=["plain", "gzip"])
def test_cut_off_bytes_are_kept_and_the_exchange_has_failed(path: str, kept: bytes, everything: Any) -> None:
    row, fetched = stored(everything, path)
    assert row["outcome"] == "truncated"
    assert row["state"] == "none"
    assert fetched.truncated
    assert fetched.body == kept
    entry = everything.rows(f"select state from entries where key = 'http://news.test{path}'")
    assert entry == [{"state": "new"}]
    records = by_warcio(everything)[f"http://news.test{path}"]
    assert [r["headers"].get_header("WARC-Truncated") for r in records if r["type"] == "response"] == ["disconnect"]


def test_an_exchange_without_a_response_has_a_metadata_record_with_the_error_in_words(everything: Any) -> None:
    row, fetched = stored(everything, "/dead")
    assert (row["outcome"], row["status"], fetched.body) == ("reset", None, b"")
    assert fetched.outcome == "reset"
    assert fetched.error == row["reason"] != ""
    records = by_warcio(everything)["http://news.test/dead"]
    assert [r["type"] for r in records] == ["request", "metadata"]
    assert b'"error":' in records[1]["raw"]


def test_requests_are_kept_beside_their_responses(everything: Any) -> None:
    records = by_warcio(everything)["http://news.test/plain"]
    request, response = records
    assert request["headers"].get_header("WARC-Concurrent-To") == response["headers"].get_header("WARC-Record-ID")
    assert request["http"].get_header("User-Agent") == "circularwatch/0.1 (+tests@example.org)"
    assert request["http"].get_header("Host") == "news.test"
    assert request["http"].protocol == "GET"


def test_a_conditional_request_after_all_is_stored_and_its_304(tmp_path: Path, web: Any, crawl: Any) -> None:
    server = web(site)
    plan = {"id": "news", "hosts": ["news.test"], "requests": [{"url": "http://news.test/list", "kind": "list"}]}
    crawl([plan], server.proxy)
    assert "if-none-match" not in server.log[-2].headers
    opened = db.connect(tmp_path / "c.db")
    with db.immediate(opened) as conn:
        conn.execute("update entries set state = 'done'")
        conn.execute("update fetches set state = 'done' where state = 'pending'")
    journal.promote_validators(opened)
    again = crawl([plan], server.proxy)
    lists = [a for a in server.log if a.path == "/list"]
    assert lists[-1].headers["if-none-match"] == '"v1"'
    assert lists[-1].headers["if-modified-since"] == "Mon, 01 Jan 2024 00:00:00 GMT"
    assert len([p for p in server.paths() if p == "/plain?row"]) == 1
    row = again.rows("select * from fetches order by id desc limit 1")[0]
    assert (row["status"], row["outcome"]) == (304, "unchanged")
    assert archive.read(again.archive / row["archive_file"], row["archive_offset"]).status == 304
    assert again.rows("select etag from lists") == [{"etag": '"v1"'}]


def test_an_entry_that_failed_is_asked_again_although_its_list_is_unchanged(
    web: Any, crawl: Any, tmp_path: Path
) -> None:
    broken = [True]

    def flaky(asked: Asked) -> Reply:
        return Reply(503, b"") if asked.path == "/plain?row" and broken[0] else site(asked)

    server = web(flaky)
    plan = {"id": "news", "hosts": ["news.test"], "requests": [{"url": "http://news.test/list", "kind": "list"}]}
    first = crawl([plan], server.proxy, RETRY_TIMES=0)
    assert first.end("news")["failed"] == 1
    broken[0] = False
    second = crawl([plan], server.proxy, RETRY_TIMES=0)
    assert second.got[-1] == "http://news.test/plain?row"
    assert second.rows("select state from entries") == [{"state": "fetched"}]


# ------------------------------------------------------------------------------------------ replay


def fetch_rows(database: Any) -> list[tuple[Any, ...]]:
    return database.execute("select * from fetches order by id").fetchall()


def test_a_replay_gives_the_same_tables(everything: Any, tmp_path: Path) -> None:
    fresh = db.connect(tmp_path / "fresh.db")
    losses: list[archive.Loss] = []
    events = list(archive.events(everything.archive, losses))
    assert losses == []
    assert [e.fetch_id for e in events] == sorted(e.fetch_id for e in events)
    journal.apply(fresh, events)
    crawled = db.connect(everything.folder / "c.db")
    for table in ("fetches", "entries", "lists", "list_entries"):
        sql = f"select * from {table} order by 1, 2, 3"
        assert fresh.execute(sql).fetchall() == crawled.execute(sql).fetchall(), table
