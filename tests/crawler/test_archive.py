"""The archive: what was received is on disk before it counts, and every form of it is read back, by us and by warcio."""

from __future__ import annotations

import contextlib
import gzip
import os
import signal
import time
import zlib
from pathlib import Path
from typing import Any

import brotli
import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import BufferedReader

import db
from crawler import warc
from db import journal, runs
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


def test_events_of_overlapping_files_come_in_order_of_fetch_id(tmp_path: Path) -> None:
    ids = {"a": (1, [3, 1, 2, 9]), "b": (1, [4, 8]), "c": (20, [21, 20]), "d": (5, [5, 22])}
    for name, (first, numbers) in ids.items():
        file = tmp_path / "2026" / "04" / f"{name}.warc.gz"
        file.parent.mkdir(parents=True, exist_ok=True)
        parts = [warc.warcinfo("2026-04-01T00:00:00Z", file.name, "x", {"first": first})]
        parts += [plain_record(n) for n in numbers]
        file.write_bytes(b"".join(parts))
    assert [e.fetch_id for e in archive.events(tmp_path)] == [1, 2, 3, 4, 5, 8, 9, 20, 21, 22]


def plain_record(number: int, body: bytes = b"x") -> bytes:
    name = warc.record_id()
    context = {"fetch_id": number, "run": "r", "source": "news", "kind": "list", "url": "http://a.test/"}
    context |= {"fetched_at": "2026-04-01T00:00:00Z", "record_id": name}
    fields = [("WARC-Target-URI", "http://a.test/"), (warc.JSON_METADATA, warc.one_line(context))]
    fields.append(("Content-Type", "application/http; msgtype=response"))
    block = warc.http_block(b"HTTP/1.1 200 OK", [(b"Content-Type", b"text/html")], body)
    return warc.record("response", name, "2026-04-01T00:00:00Z", fields, block)


def file_of(folder: Path, *parts: bytes) -> Path:
    file = folder / "2026" / "04" / "run.warc.gz"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(warc.warcinfo("2026-04-01T00:00:00Z", file.name, "x", {"first": 1}) + b"".join(parts))
    return file


@pytest.mark.parametrize("cut", [1, 5, 40, 100])
def test_a_file_cut_in_mid_record_gives_all_that_was_whole_and_says_what_is_lost(cut: int, tmp_path: Path) -> None:
    file = file_of(tmp_path, *(plain_record(n, os.urandom(500)) for n in (1, 2, 3)))
    size = file.stat().st_size
    os.truncate(file, size - cut)
    losses: list[archive.Loss] = []
    assert [e.fetch_id for e in archive.events(tmp_path, losses)] == [1, 2]
    (loss,) = losses
    assert loss.reason == "the record is cut off"
    assert loss.offset + loss.bytes == size - cut
    assert "2026/04/run.warc.gz, byte" in str(loss)


@pytest.mark.parametrize("damage", [b"\x00" * 60, b"\xff" * 60, b"\x1f\x8b\x08\x00" * 15], ids=["00", "ff", "magic"])
def test_damage_in_the_middle_costs_one_record(damage: bytes, tmp_path: Path) -> None:
    records = [plain_record(n, os.urandom(2000)) for n in (1, 2, 3, 4)]
    file = file_of(tmp_path, *records)
    data = bytearray(file.read_bytes())
    at = len(data) - sum(map(len, records[1:])) + 200
    data[at : at + 60] = damage
    file.write_bytes(data)
    losses: list[archive.Loss] = []
    assert [e.fetch_id for e in archive.events(tmp_path, losses)] == [1, 3, 4]
    assert len(losses) == 1
    assert losses[0].bytes == len(records[1])


def test_reading_a_place_where_no_record_begins_says_so(tmp_path: Path) -> None:
    file = file_of(tmp_path, plain_record(1))
    with pytest.raises(archive.ArchiveReadError, match=r"run\.warc\.gz, byte 7: the record is damaged"):
        archive.read(file, 7)
    with pytest.raises(archive.ArchiveReadError, match="nothing is there"):
        archive.read(file, file.stat().st_size)


# ------------------------------------------------------------------------------------------ crashes


def slow_site(asked: Asked) -> Reply:
    if asked.path == "/robots.txt":
        return Reply(404, b"")
    if asked.path == "/list":
        return Reply(body=b"\n".join(b"http://news.test/d/%d" % i for i in range(60)))
    return Reply(body=PAGE + asked.path.encode(), hang=0.01)


LISTED = {"id": "news", "hosts": ["news.test"], "requests": [{"url": "http://news.test/list", "kind": "list"}]}


@pytest.mark.parametrize("after", [5, 20, 45])
def test_kill_9_in_mid_crawl_loses_nothing_that_counted(after: int, crawl: Any, web: Any, tmp_path: Path) -> None:
    server = web(slow_site)
    process = crawl.start([LISTED], server.proxy)
    while len(server.log) < after and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    database = db.connect(tmp_path / "c.db")
    folder = tmp_path / "archive"
    for row in database.query("select url, archive_file, archive_offset from fetches"):
        assert archive.read(folder / row["archive_file"], row["archive_offset"]).url == row["url"]
    adopted = archive.adopt_orphans(database, folder)
    assert adopted.clashes == []
    known = {r[0] for r in database.execute("select id from fetches").fetchall()}
    assert {e.fetch_id for e in archive.events(folder) if isinstance(e, journal.Exchange)} == known
    assert archive.adopt_orphans(database, folder).events == 0
    done = crawl([LISTED], server.proxy)
    assert done.rows("select state, count(*) as n from entries group by state") == [{"state": "fetched", "n": 60}]
    assert done.rows("select count(*) as n from fetches where kind = 'document' and outcome = 'ok'") == [{"n": 60}]


def test_records_that_the_journal_does_not_know_are_adopted_once(tmp_path: Path) -> None:
    database = db.connect(tmp_path / "c.db")
    file_of(tmp_path / "archive", plain_record(7), plain_record(8))
    adopted = archive.adopt_orphans(database, tmp_path / "archive")
    assert (adopted.events, adopted.files, adopted.losses) == (2, ["2026/04/run.warc.gz"], [])
    assert archive.adopt_orphans(database, tmp_path / "archive").events == 0
    # the numbers that the archive has used are not given out again
    assert journal.reserve(database) == 9


def test_a_file_that_a_crawl_holds_is_left_alone(tmp_path: Path) -> None:
    import fcntl

    database = db.connect(tmp_path / "c.db")
    file = file_of(tmp_path / "archive", plain_record(7))
    with open(file, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert archive.adopt_orphans(database, tmp_path / "archive").events == 0
    assert archive.adopt_orphans(database, tmp_path / "archive").events == 1


def test_a_new_database_over_an_old_archive_takes_no_number_twice(crawl: Any, web: Any, tmp_path: Path) -> None:
    server = web(slow_site)
    crawl([documents("http://news.test/one")], server.proxy)
    for file in tmp_path.glob("c.db*"):
        file.unlink()
    done = crawl([documents("http://news.test/two")], server.proxy)
    assert {r["url"] for r in done.rows("select url from fetches where kind = 'document'")} == {
        "http://news.test/one", "http://news.test/two",
    }  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_crawl_within_seconds_and_clean(number: int, crawl: Any, web: Any) -> None:
    def hanging(asked: Asked) -> Reply:
        return Reply(hang=60) if asked.path == "/d/9" else slow_site(asked)

    server = web(hanging)
    process = crawl.start([LISTED], server.proxy)
    while "/d/9" not in server.paths() and process.poll() is None:
        time.sleep(0.01)
    began = time.monotonic()
    process.send_signal(number)
    done = crawl.end(process)
    assert time.monotonic() - began < 8
    assert done.status == 1
    assert done.rows("select state from source_runs") == [{"state": "stopped"}]
    assert done.rows("select outcome, count(*) as n from fetches where kind = 'document' group by 1") == [
        {"outcome": "ok", "n": 9}
    ]
    assert done.rows("select count(*) as n from entries where state = 'new'") == [{"n": 51}]
    assert len(runs.list_runs(done.db)) == 1


# ------------------------------------------------------------------------------------------ a disk that fails


def test_a_write_that_fails_leaves_whole_records_only_and_says_what_to_do(tmp_path: Path, monkeypatch: Any) -> None:
    import asyncio
    import errno

    from crawler import writer

    told: list[str] = []
    room = [3]
    whole = writer._write_all

    def full(file: Any, data: bytes) -> None:
        if room[0] == 0:
            whole(file, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        room[0] -= 1
        whole(file, data)

    monkeypatch.setattr(writer, "_write_all", full)
    db.connect(tmp_path / "c.db").close()

    async def run() -> None:
        thread = writer.Writer(tmp_path / "c.db", asyncio.get_running_loop(), told.append)
        file = writer.RunFile(tmp_path / "archive", "2026/04/r.warc.gz", {"first": 1})
        for number in (1, 2, 3):
            name = f"http://a.test/{number}"
            context = {"fetch_id": number, "run": "r", "source": "s", "kind": "list", "url": name}
            context |= {"fetched_at": "2026-04-01T00:00:00Z", "outcome": "reset", "reason": "it broke"}
            await thread.put(writer.Job(file, context))
            with contextlib.suppress(writer.ArchiveError):
                await thread.flush()
        with pytest.raises(writer.ArchiveError, match=r"The disk of the archive is full .*: free some space"):
            await thread.put(writer.Job(file, {}))
        thread.stop()
        await asyncio.sleep(0)

    asyncio.run(run())
    losses: list[archive.Loss] = []
    assert [e.fetch_id for e in archive.events(tmp_path / "archive", losses)] == [1, 2]
    assert losses == []
    assert len(told) == 1
    assert [r["id"] for r in db.connect(tmp_path / "c.db").query("select id from fetches")] == [1, 2]


def test_a_crawl_whose_archive_cannot_be_written_stops_with_one_sentence(crawl: Any, web: Any, tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("a file where the folder should be")
    server = web(slow_site)
    done = crawl([LISTED], server.proxy)
    assert done.status == 1
    assert len(server.paths()) < 30
    (row,) = done.rows("select state, reason from source_runs")
    assert row["state"] == "failed"
    assert "archive" in row["reason"]
    assert "Traceback" not in done.errors
    assert done.rows("select count(*) as n from fetches") == [{"n": 0}]
