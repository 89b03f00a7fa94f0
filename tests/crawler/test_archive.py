"""The archive under stress: torn and damaged files, crawls that are killed, disks that are full; nothing whole is lost."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

import db
from crawler import warc
from db import journal, runs
from pipelines import archive
from tests.crawler.conftest import documents
from tests.crawler.webserver import Asked, Reply

PAGE = "<html><p>金融支持制造业高质量发展</p></html>".encode() * 20


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
