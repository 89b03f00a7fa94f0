"""The database file as Datasette opens it: read only, also on a read-only disk, and anew after a rebuild swapped it.

Datasette keeps one connection per thread for good and builds its URI without escaping. A rebuild puts another file in
the place of the old one, so a kept connection would go on showing the old documents for ever.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from datasette.app import Datasette
from datasette.database import Database

T = TypeVar("T")
# The name in every address, whatever the file is called: links, metadata and canned queries depend on it.
NAME = "circularwatch"
BUSY_MS = 5_000


class HouseFile(Database):
    """One database file, opened read only."""

    def __init__(self, datasette: Datasette, path: Path) -> None:
        # is_mutable: Datasette then looks at the file at each request instead of counting every table once at start
        super().__init__(datasette, path=str(path), is_mutable=True)
        self.file = path
        self._local = threading.local()

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """A new connection. Nobody gets one that writes."""
        if write:
            raise PermissionError("these pages only read")
        try:
            conn = self._connect("mode=ro")
        except sqlite3.OperationalError:
            if Path(f"{self.file}-wal").exists() or os.access(self.file.parent, os.W_OK):
                raise
            # WAL needs its -shm file, which cannot be made on a read-only disk; without a -wal file nothing can change
            conn = self._connect("immutable=1")
        self._all_file_connections.append(conn)
        return conn

    def _connect(self, option: str) -> sqlite3.Connection:
        uri = f"{self.file.absolute().as_uri()}?{option}"
        conn = sqlite3.connect(uri, uri=True, timeout=BUSY_MS / 1000, check_same_thread=False)
        try:
            conn.execute("select count(*) from sqlite_master").fetchone()
        except BaseException:
            conn.close()
            raise
        conn.execute("pragma query_only = on")
        conn.execute("pragma cache_size = -16384")
        return conn

    def prepared(self) -> sqlite3.Connection:
        """A new connection with all SQL functions, for an export: it is closed by who asked for it."""
        conn = self.connect()
        self._all_file_connections.remove(conn)
        self.ds._prepare_connection(conn, self.name)
        return conn

    def _current(self) -> sqlite3.Connection:
        """This thread's connection; a new one when the file was replaced."""
        status = os.stat(self.file)
        stamp = (status.st_dev, status.st_ino)
        held: tuple[tuple[int, int], sqlite3.Connection] | None = getattr(self._local, "held", None)
        if held is None or held[0] != stamp:
            if held is not None:
                self._all_file_connections.remove(held[1])
                held[1].close()
            conn = self.connect()
            self.ds._prepare_connection(conn, self.name)
            self._local.held = held = (stamp, conn)
        return held[1]

    async def execute_fn(self, fn: Callable[[sqlite3.Connection], T]) -> T:
        """Run `fn(connection)` in one of Datasette's threads."""
        if self.ds.executor is None:
            return fn(self._current())
        import asyncio

        return await asyncio.get_running_loop().run_in_executor(self.ds.executor, lambda: fn(self._current()))

    async def execute_write_fn(self, fn: Any, block: bool = True) -> Any:
        """Refused."""
        raise PermissionError("these pages only read")
