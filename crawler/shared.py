"""What all crawls of one process share: the writer thread, the leases on hosts, the answers of robots.txt, the stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from crawler.leases import Leases
from crawler.progress import LagMeter
from crawler.writer import Writer
from db import connect, journal

if TYPE_CHECKING:
    from crawler.robots import Answer

T = TypeVar("T")

# Fetch ids are taken from the database in blocks, small ones first: most runs need a handful.
FIRST_BLOCK, LARGEST_BLOCK = 32, 512

_instances: dict[tuple[str, str], Shared] = {}


class Shared:
    """One per process and database. Made by the first crawl that opens, closed by the last that ends."""

    def __init__(self, database: Path, archive: Path) -> None:
        self.database, self.folder = database, archive
        self.loop = asyncio.get_running_loop()
        self.leases = Leases(database.parent / "locks")
        self.robots: dict[str, Answer] = {}
        self.crawl_delays: dict[str, float] = {}
        self.synced = False
        self.stopping = False
        self.meter = LagMeter()
        self.meter.start()
        self.users = 0
        self.on_stop: set[Callable[[str], None]] = set()
        self._asker = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._db: Any = None
        self._writer: Writer | None = None
        self._next = self._limit = 0
        self._block = FIRST_BLOCK
        self._taking: asyncio.Lock = asyncio.Lock()

    @classmethod
    def get(cls, database: Path, archive: Path) -> Shared:
        """The instance for this database and archive; to be given back with `release`."""
        key = (str(database), str(archive))
        shared = _instances.get(key)
        if shared is None:
            shared = _instances[key] = cls(database, archive)
        shared.users += 1
        return shared

    async def release(self) -> None:
        """Give it back; the last one closes everything."""
        self.users -= 1
        if self.users > 0:
            return
        _instances.pop((str(self.database), str(self.folder)), None)
        self.meter.stop()
        if self._writer is not None:
            await self.loop.run_in_executor(None, self._writer.stop)
        if self._db is not None:
            await self.ask(lambda db: db.close())
        self._asker.shutdown()
        self.leases.close()

    @property
    def writer(self) -> Writer:
        if self._writer is None:
            self._writer = Writer(self.database, self.loop, self.fail)
        return self._writer

    def fail(self, sentence: str) -> None:
        """End all crawls of the process: what comes can no longer be recorded, and the sentence says why."""
        self.stopping = True
        for stop in list(self.on_stop):
            stop(sentence)

    async def ask(self, function: Callable[[Any], T]) -> T:
        """Run `function(database)` in the thread that reads the journal. Raises DatabaseError where it does."""
        return await self.loop.run_in_executor(self._asker, self._answer, function)

    def _answer(self, function: Callable[[Any], T]) -> T:
        if self._db is None:
            self._db = connect(self.database)
        return function(self._db)

    async def fetch_id(self) -> int:
        """The number of the next exchange; from the database only once per block."""
        while self._next >= self._limit:
            async with self._taking:
                if self._next < self._limit:
                    break
                size = self._block
                self._next = await self.ask(partial(journal.reserve, n=size))
                self._limit = self._next + size
                self._block = min(size * 2, LARGEST_BLOCK)
        self._next += 1
        return self._next - 1

    async def peek_id(self) -> int:
        """A lower bound of all ids that `fetch_id` will still give."""
        if self._next >= self._limit:
            await self.fetch_id()
            self._next -= 1
        return self._next
