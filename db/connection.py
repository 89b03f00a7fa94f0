"""How the database is opened and written: WAL, foreign keys, migrations on open, and one way to write (BEGIN IMMEDIATE).

sqlite-utils' own `atomic()` begins deferred: of four processes that read and then write, nearly all transactions are
lost. So all writing goes through `immediate()`.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlite_utils import Database

from db import migrations
from db.errors import DatabaseError, explain
from db.search.fold import register
from db.search.index import refresh

BUSY_MS = 30_000
# How often BEGIN IMMEDIATE is tried before giving up: 10 x 30 s is longer than any transaction of the house takes.
BUSY_TRIES = 10


class HouseDatabase(Database):
    """A writing connection. As long as it is open it holds the database's lock shared, so that nobody swaps the file."""

    held: IO[str] | None = None

    def close(self) -> None:
        """Close the connection, and let a rebuild have the file."""
        super().close()
        if self.held:
            self.held.close()
            self.held = None


def hold(path: Path, *, exclusive: bool = False) -> IO[str]:
    """Hold the lock beside the database: shared by all who write, exclusive by `rebuild`, which replaces the file."""
    file = open(f"{path}.lock", "a")  # noqa: SIM115 - it lives as long as the connection
    try:
        fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        if exclusive:
            raise DatabaseError(
                f"{path} is in use (a crawl, a processor or the service is running): stop it and run the command again"
            ) from None
        raise DatabaseError(
            f"{path} is being rebuilt at this moment: run the command again when that is done"
        ) from None
    return file


def connect(path: str | Path, *, readonly: bool = False) -> Database:
    """Open the database, make its folder and bring its schema up to date; with `readonly` touch nothing.

    Raises DatabaseError: missing (readonly only), newer than this program, not a database, read-only disk, full disk.
    """
    path = Path(path)
    try:
        return _open_readonly(path) if readonly else _open(path)
    except (sqlite3.Error, OSError) as e:
        raise explain(e, path) from e


def _open(path: Path) -> Database:
    path.parent.mkdir(parents=True, exist_ok=True)
    held = hold(path)
    try:
        database = HouseDatabase(open_migrated(path))
    except BaseException:
        held.close()
        raise
    database.held = held
    return database


def open_migrated(path: Path) -> sqlite3.Connection:
    """The bare connection, for who holds the database exclusively. Raises WrongDatabaseError, sqlite3.Error."""
    # The crawl opens in one thread and writes in another, never in two at once.
    conn = sqlite3.connect(path.absolute().as_uri(), uri=True, timeout=BUSY_MS / 1000, check_same_thread=False)
    try:
        register(conn)
        migrations.check(conn, path)
        if conn.execute("pragma journal_mode").fetchone()[0] != "wal":
            conn.execute("pragma journal_mode = wal").fetchone()
        migrations.migrate(conn, path)
        _settle(conn)
        return conn
    except BaseException:
        conn.close()
        raise


def _open_readonly(path: Path) -> Database:
    if not path.is_file():
        raise DatabaseError(f"There is no database at {path}: run a crawl first, or name the right file with --db")
    try:
        conn = _connect_uri(path, "mode=ro")
    except sqlite3.OperationalError:
        if Path(f"{path}-wal").exists() or os.access(path.parent, os.W_OK):
            raise
        # A WAL database on a read-only disk needs its -shm file, which cannot be made: without a -wal file there is
        # nothing that could change under us.
        conn = _connect_uri(path, "immutable=1")
    migrations.check(conn, path, readonly=True)
    _settle(conn)
    return Database(conn)


def _connect_uri(path: Path, option: str) -> sqlite3.Connection:
    uri = path.absolute().as_uri() + f"?{option}"
    conn = sqlite3.connect(uri, uri=True, timeout=BUSY_MS / 1000, check_same_thread=False)
    register(conn)
    conn.execute("select count(*) from sqlite_master").fetchone()
    return conn


def _settle(conn: sqlite3.Connection) -> None:
    conn.execute(f"pragma busy_timeout = {BUSY_MS}")
    conn.execute("pragma foreign_keys = on")
    # In WAL mode NORMAL survives a crash of the program; the archive (fsynced first) makes good a power cut.
    conn.execute("pragma synchronous = normal")
    conn.execute("pragma cache_size = -32768")


def path_of(database: Database) -> str:
    """The file of an open database, for messages."""
    return next((row[2] for row in database.conn.execute("pragma database_list") if row[1] == "main"), "") or ":memory:"


@contextmanager
def immediate(database: Database) -> Iterator[sqlite3.Connection]:
    """One writing transaction: BEGIN IMMEDIATE … COMMIT, ROLLBACK on any error; inside another one it joins that.

    Documents that changed are in the search index when it commits.

    Yields the sqlite3 connection. Raises DatabaseError where SQLite does (full disk, lock held for minutes).
    """
    conn = database.conn
    if conn.in_transaction:
        yield conn
        return
    _begin(database)
    try:
        yield conn
        refresh(conn)
        conn.execute("commit")
    except sqlite3.OperationalError as e:
        _rollback(conn)
        raise explain(e, path_of(database)) from e
    except BaseException:
        _rollback(conn)
        raise


def _begin(database: Database) -> None:
    for attempt in range(BUSY_TRIES):
        try:
            database.conn.execute("begin immediate")
            return
        except sqlite3.OperationalError as e:
            if not any(w in str(e).lower() for w in ("locked", "busy")) or attempt == BUSY_TRIES - 1:
                raise explain(e, path_of(database)) from e
            time.sleep(0.05)


def _rollback(conn: sqlite3.Connection) -> None:
    if conn.in_transaction:
        conn.execute("rollback")
