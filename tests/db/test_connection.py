"""Opening: migrations, and one clear sentence for each way in which a database cannot be used."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import threading
from pathlib import Path

import pytest
from sqlite_utils import Database

import db
from db import journal, migrations
from db.connection import immediate
from db.errors import DatabaseError
from tests.db.helpers import add_tasks, exchange


def test_opening_makes_the_folder_and_the_newest_schema(tmp_path: Path) -> None:
    database = db.connect(tmp_path / "a" / "b" / "x.db")
    conn = database.conn
    assert migrations.version(conn) == migrations.newest()
    assert conn.execute("pragma journal_mode").fetchone()[0] == "wal"
    assert conn.execute("pragma foreign_keys").fetchone()[0] == 1
    assert conn.execute("pragma busy_timeout").fetchone()[0] == 30_000


def test_a_newer_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    db.connect(path).close()
    with contextlib.closing(sqlite3.connect(path)) as conn:
        conn.execute("pragma user_version = 999")
    with pytest.raises(DatabaseError, match=r"newer circularwatch \(schema 999.*update circularwatch"):
        db.connect(path)


@pytest.mark.parametrize("content", [b"<html>no database</html>" * 100, b"SQLite format 3\0" + b"\xff" * 2000])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match="not a usable SQLite database"):
        db.connect(path)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with contextlib.closing(sqlite3.connect(path)) as conn:
        conn.execute("create table bookmarks (url text)")
    before = path.read_bytes()
    with pytest.raises(DatabaseError, match="another program"):
        db.connect(path)
    assert path.read_bytes() == before


def test_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="check --db"):
        db.connect(tmp_path)


def test_reading_does_not_create_and_does_not_write(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="There is no database"):
        db.connect(tmp_path / "x.db", readonly=True)
    db.connect(tmp_path / "x.db").close()
    database = db.connect(tmp_path / "x.db", readonly=True)
    with pytest.raises(DatabaseError, match="cannot be written"), immediate(database) as conn:
        conn.execute("delete from tasks")


def mounted(where: Path, *options: str) -> bool:
    """A small disk of its own; False where this user may not mount."""
    where.mkdir(exist_ok=True)
    if os.geteuid() or not shutil.which("mount"):
        return False
    done = subprocess.run(["mount", *options, str(where)], capture_output=True, check=False)
    return done.returncode == 0


def test_a_full_disk_undoes_the_batch_and_says_so(tmp_path: Path) -> None:
    """The same error that a full disk gives, by a limit on the size of the file."""
    database = db.connect(tmp_path / "x.db")
    pages = database.conn.execute("pragma page_count").fetchone()[0]
    database.conn.execute(f"pragma max_page_count = {pages + 5}").fetchone()
    with pytest.raises(DatabaseError, match="is full: free some space"):
        fill_state(database)
    assert not database.conn.in_transaction
    assert database["state"].count == 0


def test_a_really_full_disk_and_a_read_only_one(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    if not mounted(disk, "-t", "tmpfs", "-o", "size=600k", "tmpfs"):
        pytest.skip("mounting a small disk needs rights that this user does not have")
    try:
        database = db.connect(disk / "x.db")
        add_tasks(database)
        with pytest.raises(DatabaseError, match="is full: free some space"):
            apply_many(database)
        database.close()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(DatabaseError, match=r"cannot be written \(read-only disk"):
            db.connect(disk / "x.db")
        reader = db.connect(disk / "x.db", readonly=True)
        assert reader["tasks"].count == 2
        reader.close()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def fill_state(database: Database) -> None:
    with immediate(database) as conn:
        for n in range(1000):
            conn.execute("insert into state values (?, ?)", (str(n), "x" * 1000))


def apply_many(database: Database) -> None:
    for n in range(2000):
        journal.apply(database, [exchange(n + 1, entry=f"e{n}", said={"title": "题" * 200})])


def test_several_may_open_an_empty_database_at_once(tmp_path: Path) -> None:
    faults: list[BaseException] = []

    def opening() -> None:
        try:
            db.connect(tmp_path / "x.db").close()
        except BaseException as e:
            faults.append(e)

    threads = [threading.Thread(target=opening) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert faults == []
    assert db.connect(tmp_path / "x.db").conn.execute("pragma integrity_check").fetchall() == [("ok",)]


def test_a_step_that_fails_leaves_the_schema_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [(n, name) for n, name in migrations.steps()]
    following = numbers[-1][0] + 1
    monkeypatch.setattr(migrations, "steps", lambda: (*numbers, (following, "broken")))

    def broken(conn: sqlite3.Connection, name: str) -> None:
        if name == "broken":
            conn.execute("create table half (x)")
            raise sqlite3.OperationalError("near this")
        original(conn, name)

    original = migrations._run
    monkeypatch.setattr(migrations, "_run", broken)
    with pytest.raises(DatabaseError):
        db.connect(tmp_path / "x.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "x.db")) as conn:
        assert migrations.version(conn) == following - 1
        assert conn.execute("select name from sqlite_master where name = 'half'").fetchall() == []


def test_statements_are_split_where_they_end() -> None:
    script = "-- one; two\ncreate table a (x text default ';');\ncreate trigger t after insert on a begin\n select 1; end;\n-- end\n"
    assert [s.split()[-1] for s in migrations.statements(script)] == ["';');", "end;"]
    with pytest.raises(sqlite3.OperationalError):
        list(migrations.statements("create table a (x"))


def test_immediate_joins_an_open_transaction_and_undoes_all_of_it(tmp_path: Path) -> None:
    database = db.connect(tmp_path / "x.db")

    def nested() -> None:
        with immediate(database) as conn:
            conn.execute("insert into state values ('a', '1')")
            with immediate(database) as inner:
                inner.execute("insert into state values ('b', '1')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        nested()
    assert database["state"].count == 0


def test_an_older_database_read_only_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    db.connect(path).close()
    with contextlib.closing(sqlite3.connect(path)) as conn:
        conn.execute("pragma user_version = 1")
    with pytest.raises(DatabaseError, match="run any writing command once"):
        db.connect(path, readonly=True)
