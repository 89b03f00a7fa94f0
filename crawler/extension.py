"""Begins and ends a crawl of one source: its lock, its row in the run ledger, its archive file, its clean end.

An extension (setting EXTENSIONS), so that `scrapy crawl nfra` leaves the same rows as `circularwatch crawl nfra`.
Where the crawl wasn't started by our own command, the processor is run as a child after it.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scrapy import signals
from scrapy.exceptions import CloseSpider

from crawler import house, progress
from crawler.archive import Archive
from crawler.bounds import Bounds
from crawler.house import NO_CONTACT
from crawler.leases import SourceBusy, SourceLock
from crawler.shared import Shared
from crawler.writer import ArchiveError
from db import DatabaseError, runs
from db.tables import sync
from pipelines.archive import adopt_orphans

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.crawler import Crawler

logger = logging.getLogger(__name__)

# After a stop is asked for, exchanges under way get this long to end by themselves.
GRACE_S = 1.5
PROGRESS_S = 1.0


class CrawlExtension:
    """One per crawler. Gives it `crawler.archive`."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self.crawler = crawler
        self.source: Any = crawler.spidercls.source  # type: ignore[attr-defined]
        self.database = Path(settings["CIRCULARWATCH_DB"])
        self.folder = Path(settings["CIRCULARWATCH_ARCHIVE"])
        self.archive = Archive(self.source.id, Bounds(self.source), since=settings["CIRCULARWATCH_SINCE"])
        crawler.archive = self.archive  # type: ignore[attr-defined]
        self.managed = settings.getbool("CIRCULARWATCH_MANAGED")
        self.shared: Shared | None = None
        self.lock: SourceLock | None = None
        self.trouble = ""
        self.state = ""
        self.started = False
        self._ticker: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> CrawlExtension:
        extension = cls(crawler)
        crawler.signals.connect(extension.opened, signals.spider_opened)
        crawler.signals.connect(extension.closed, signals.spider_closed)
        return extension

    # ------------------------------------------------------------------ begin

    async def opened(self, spider: Spider) -> None:
        """Take the source's lock, open the database, begin the run. Raises CloseSpider where that cannot be."""
        settings = self.crawler.settings
        if not settings["CIRCULARWATCH_CONTACT"] and not settings.getbool("CIRCULARWATCH_IMITATION"):
            self._give_up(NO_CONTACT)
        try:
            self.shared = Shared.get(self.database, self.folder)
            self.shared.on_stop.add(self.stop)
            await self.shared.ask(self._sync)
            self.lock = SourceLock(self.database.parent / "locks", self.source.id)
            self.archive.open(self.shared, self.folder)
            why = self._why()
            await self.shared.ask(
                lambda db: runs.start_run(
                    db, self.archive.run, self.source.id, archive_file=self.archive.file.name, **why
                )
            )
            await self.archive.first_id()
        except SourceBusy as e:
            await self._note_skipped(str(e))
            self._give_up(str(e), state="skipped")
        except DatabaseError as e:
            self._give_up(str(e))
        except OSError as e:
            self._give_up(f"{e.strerror} ({e.filename}); check the free space, the rights and the path")
        except Exception as e:
            logger.exception("the crawl of %s could not begin", self.source.id)
            self._give_up(f"the crawl could not begin: {type(e).__name__}: {e}")
        self.started = True
        if self.crawler.settings.getbool("CIRCULARWATCH_PROGRESS"):
            progress.emit("start", run=self.archive.run, source=self.source.id)
            self._ticker = asyncio.get_running_loop().create_task(self._tell())

    def _sync(self, database: Any) -> None:
        assert self.shared is not None
        if not self.shared.synced:
            self.shared.synced = True
            self._fill_sources(database)
            # before the first fetch id is taken: what an earlier crawl left in the archive has its numbers already
            if self.folder.is_dir():
                adopt_orphans(database, self.folder)

    def _fill_sources(self, database: Any) -> None:
        sync(database, house.configuration(self.crawler.settings["CIRCULARWATCH_CONFIG"]))

    def _why(self) -> dict[str, Any]:
        """What started this crawl, and when it was due, for the run ledger."""
        settings = self.crawler.settings
        return {
            "trigger": settings["CIRCULARWATCH_TRIGGER"],
            "planned_at": settings["CIRCULARWATCH_PLANNED_AT"] or None,
        }

    async def _note_skipped(self, reason: str) -> None:
        assert self.shared is not None
        run, source, why = self.archive.run, self.source.id, self._why()

        def note(db: Any) -> None:
            runs.start_run(db, run, source, **why)
            runs.finish_run(db, run, state="skipped", reason=reason)

        await self.shared.ask(note)

    def _give_up(self, sentence: str, state: str = "failed") -> None:
        self.trouble, self.state = sentence, state
        logger.error("%s", sentence)
        if self.crawler.settings.getbool("CIRCULARWATCH_PROGRESS"):
            progress.emit("end", source=self.source.id, state=state, outcome=state, reason=sentence, failures=[])
        raise CloseSpider(state)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(PROGRESS_S)
            progress.emit("progress", source=self.source.id, **self.archive.ledger.as_dict())

    # ------------------------------------------------------------------ end

    def stop(self, sentence: str = "") -> None:
        """End this crawl within seconds: nothing new is asked, what hangs is broken off. `sentence` says why, if bad."""
        if sentence and not self.trouble:
            self.trouble = sentence
        assert self.shared is not None
        self.shared.stopping = True
        loop = asyncio.get_running_loop()
        self._closing = loop.create_task(self._close_spider())
        loop.call_later(0.0 if sentence else GRACE_S, self._break_off)

    async def _close_spider(self) -> None:
        if self.crawler.spider is not None and self.crawler.crawling:
            await self.crawler.stop_async()

    def _break_off(self) -> None:
        for handler in set(self.crawler.engine.downloader.handlers._handlers.values()):
            cancel = getattr(handler, "cancel_all", None)
            if cancel is not None:
                cancel()

    async def closed(self, spider: Spider, reason: str) -> None:
        """Wait for the disk, write the run's row, give back what is shared."""
        if self._ticker is not None:
            self._ticker.cancel()
        if self.shared is None:
            return
        self.shared.on_stop.discard(self.stop)
        try:
            if self.started:
                await self._finish(reason)
        finally:
            for name, figure in self.shared.meter.figures().items():
                self.crawler.stats.set_value(f"loop/{name}", figure)
            if self.lock is not None:
                self.lock.close()
            await self.shared.release()
        if self.started and not self.managed:
            await self._process()

    async def _finish(self, reason: str) -> None:
        assert self.shared is not None
        ledger = self.archive.ledger
        try:
            await self.archive.close()
        except ArchiveError as e:
            self.trouble = self.trouble or str(e)
        errors = self.crawler.stats.get_value("spider_exceptions/count", 0)
        if errors:
            self.archive.remark("unreadable", f"the spider failed on {errors} answers; the log says where")
        state, outcome, why = self._verdict(reason)
        run, counts, failures = self.archive.run, ledger.totals(), ledger.failures
        try:
            await self.shared.ask(
                lambda db: runs.finish_run(
                    db, run, state=state, outcome=outcome, reason=why, counts=counts, failures=failures
                )
            )
        except DatabaseError as e:
            self.trouble = self.trouble or str(e)
            state, outcome, why = "failed", "archive", self.trouble
        self.state = state
        if self.crawler.settings.getbool("CIRCULARWATCH_PROGRESS"):
            fields = {"state": state, "outcome": outcome, "reason": why, "failures": failures}
            progress.emit("end", run=run, source=self.source.id, **fields, **ledger.as_dict())

    def _verdict(self, reason: str) -> tuple[str, str, str]:
        """(state, outcome, reason) of the run. A run with failures is done all the same: each is named."""
        if self.trouble:
            return "failed", "archive", self.trouble
        assert self.shared is not None
        if reason == "shutdown" or self.shared.stopping:
            return "stopped", "stopped", "the crawl was stopped before its end; the next one goes on"
        outcome, why = self.archive.ledger.verdict()
        if reason != "finished":
            return "failed", "unreadable", why or f"the spider ended early ({reason}); the log says why"
        return "done", outcome, why

    async def _process(self) -> None:
        """Run the processor as `circularwatch crawl` does, for a crawl that was started by `scrapy crawl`."""
        settings = self.crawler.settings
        command = [sys.executable, "-m", "crawler", "process", "--db", str(self.database)]
        if settings["CIRCULARWATCH_CONFIG"]:
            command += ["--config", settings["CIRCULARWATCH_CONFIG"]]
        await asyncio.get_running_loop().run_in_executor(None, lambda: subprocess.run(command, check=False))
