"""`circularwatch serve`: starts, refuses in a sentence, reads only, sees a rebuilt file, stops when told."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.datasette import file as file_module
from db.datasette.file import HouseFile
from tests.db import shelf
from tests.db.shelf import document, get, page

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    where = tmp_path / "with # and ? %41 in its name" / "x.db"
    where.parent.mkdir()
    shelf.shelf(where, [document(1, "标题", "出口信用保险", {"foreign-trade": "出口"})]).close()
    return where


def command(*args: str) -> list[str]:
    return [sys.executable, "-P", "-m", "crawler", "serve", *args]


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("CIRCULARWATCH_")} | {"PYTHONPATH": str(ROOT)}


@contextlib.contextmanager
def serving(path: Path, *args: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        command("--port", "0", "--db", str(path), *args), env=environment(), cwd=path.parent, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address), process.stderr.read() if process.stderr else ""
        yield process, address
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def refused(*args: str) -> tuple[int, str]:
    done = subprocess.run(command(*args), env=environment(), capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_stops_cleanly(path: Path, sign: signal.Signals) -> None:
    with serving(path) as (process, address):
        with urllib.request.urlopen(address, timeout=60) as answer:
            assert answer.status == 200 and "circularwatch" in answer.read().decode()
        process.send_signal(sign)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert "Traceback" not in err


def test_a_taken_port_is_a_sentence(path: Path) -> None:
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, said = refused("--port", str(port), "--db", str(path))
    assert status == 2 and f"port {port} of 127.0.0.1 is taken" in said and "--port" in said
    status, said = refused("--host", "203.0.113.1", "--port", "0", "--db", str(path))
    assert status == 2 and "--host takes an address of this machine" in said


def test_what_cannot_be_shown_is_a_sentence(tmp_path: Path) -> None:
    status, said = refused("--db", str(tmp_path / "none.db"))
    assert status == 1 and "circularwatch crawl" in said
    other = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(other)) as conn:
        conn.execute("create table bookmarks (url text)")
    status, said = refused("--db", str(other))
    assert status == 1 and "another program" in said


def test_nothing_can_be_written(path: Path) -> None:
    house = HouseFile(None, path)
    with contextlib.closing(house.connect()) as conn, pytest.raises(sqlite3.OperationalError):
        conn.execute("delete from documents")
    with pytest.raises(PermissionError):
        house.connect(write=True)
    (answer,) = get(path, "/circularwatch?sql=delete+from+documents")
    assert answer.status_code == 400
    (download,) = get(path, "/circularwatch.db")
    assert download.status_code == 403


def test_a_wal_database_in_a_folder_that_cannot_be_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write anywhere, so what SQLite and the file system say is played."""
    real = HouseFile._connect

    def connect(self: HouseFile, option: str) -> sqlite3.Connection:
        if option == "mode=ro":
            raise sqlite3.OperationalError("unable to open database file")
        return real(self, option)

    assert not Path(f"{path}-wal").exists()
    monkeypatch.setattr(HouseFile, "_connect", connect)
    monkeypatch.setattr(file_module.os, "access", lambda place, mode: False)
    assert "1 document" in page(path, "/task/foreign-trade")


def test_a_database_that_was_rebuilt_beneath_it_is_seen(path: Path) -> None:
    with serving(path) as (_, address):

        def titles() -> list[str]:
            with urllib.request.urlopen(address + "task/foreign-trade", timeout=60) as answer:
                return re.findall(r"<h3><a[^>]*><bdi>([^<]*)", answer.read().decode())

        assert [titles() for _ in range(8)] == [["标题"]] * 8  # every thread has its connection now
        fresh = path.with_name("fresh.db")
        shelf.shelf(fresh, [document(1, "新的", "出口信用保险", {"foreign-trade": "出口"})]).close()
        os.replace(fresh, path)
        assert [titles() for _ in range(8)] == [["新的"]] * 8


def test_new_documents_are_seen_at_once(path: Path) -> None:
    with serving(path) as (_, address):
        database = shelf.shelf(path)
        shelf.store(database, [document(2, "刚到", "出口信用保险", {"foreign-trade": "出口"})])
        with urllib.request.urlopen(address, timeout=60) as answer:
            assert "刚到" in answer.read().decode()


def test_an_older_database_is_brought_up_to_date_where_it_may_be_written(path: Path) -> None:
    from db import migrations
    from db.datasette.server import check, upgrade
    from db.errors import DatabaseError

    old = path.with_name("old.db")
    with contextlib.closing(sqlite3.connect(old)) as conn:
        from db.search.fold import register

        register(conn)
        for number, name in migrations.steps()[:3]:
            migrations._run(conn, name)
            conn.execute(f"pragma user_version = {number}")
        conn.execute(f"pragma application_id = {migrations.APPLICATION_ID}")
        conn.commit()
    with pytest.raises(DatabaseError, match=r"schema 3 .* run any writing command"):
        check(old)
    upgrade(old)
    check(old)


def test_help_explains_itself() -> None:
    done = subprocess.run(command("--help"), env=environment(), capture_output=True, text=True, timeout=60)
    for words in ("--host", "--port", "--open", "read only", "no password"):
        assert words in " ".join(done.stdout.split()), words


def test_serving_to_others_is_said_aloud(path: Path) -> None:
    from crawler.cli.serve import loopback

    assert loopback("127.0.0.1") and loopback("localhost") and loopback("::1")
    assert not loopback("0.0.0.0") and not loopback("192.0.2.1")


def test_a_copy_without_its_wal_files_opens(path: Path, tmp_path: Path) -> None:
    shutil.copy(path, tmp_path / "copy.db")
    assert "1 document" in page(tmp_path / "copy.db", "/task/foreign-trade")
