"""The scheduler: APScheduler says when a source is due, this says whether it begins, waits or is left out, and notes it.

One child process per crawl, one crawl per source, at most `crawls_at_once` of them. Everything that happens on the
event loop is short: the database is asked in a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from apscheduler.events import EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from sqlite_utils import Database

from crawler.schedule import book, children, control, plan
from crawler.schedule.book import PAUSED, STILL_RUNNING, WAITING
from crawler.schedule.silence import Silence
from crawler.schedule.watch import ConfigWatch
from db.connection import connect
from db.errors import DatabaseError
from db.outbox import stamp
from db.tables import sync

T = TypeVar("T")

# A service that is asked to end has ended after this many seconds: crawls get twelve to end in order (children.STOP_S).
STOP_S = 15.0
ORDERS_S, CONFIG_S, SILENCE_S = 0.5, 2.0, 60.0
# How long a new scheduler waits for the crawls of one that was killed: they notice by themselves and end.
SETTLE_S = 14.0

Say = Callable[..., None]


class Scheduler:
    """The live schedule of one database. `run()` stays until `stop()` and gives the exit status.

    `every_s`: one interval for all sources. `only`: just these sources. `say(line, **facts)` tells what happens.
    """

    def __init__(
        self, config: Any, env: dict[str, str], say: Say, *, every_s: float | None = None, only: tuple[str, ...] = ()
    ) -> None:
        self.config, self.env, self.say = config, env, say
        self.every_s, self.only = every_s, only
        self.database = config.settings.database.absolute()
        self.timings: dict[str, plan.Timing] = {}
        self.planned: dict[str, datetime] = {}
        self.running: dict[str, children.Crawl] = {}
        self.waiting: dict[str, tuple[datetime, str]] = {}
        self.paused: dict[str, tuple[str, str]] = {}
        self.missed: set[str] = set()
        self.tasks: set[asyncio.Task[Any]] = set()
        self.stopping = asyncio.Event()
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="book")
        self.opened: Database | None = None
        self.silence = Silence(config, hold_s=min(600.0, every_s or 600.0))
        self.catching_up: set[str] = set()
        # APScheduler tells at INFO of every job; what matters is told here
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self.aps = AsyncIOScheduler(
            timezone=plan.BEIJING, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 300}
        )

    # ------------------------------------------------------------------ begin and end

    async def run(self) -> int:
        """Schedule until stopped. Raises SchedulerBusy, DatabaseError."""
        about = {"every_s": self.every_s, "crawls_at_once": self.config.settings.crawls_at_once}
        with control.be_the_scheduler(self.database, about):
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self.stop)
            loop.add_signal_handler(signal.SIGHUP, lambda: self._spawn(self._reload(force=True)))
            self.watch = ConfigWatch(self.config, self.env, lambda text: self.say(text, event="config"), "schedule")
            try:
                await self.ask(self._begin)
                self.paused = await self.ask(book.paused)
                await self._settle()
                await self._plan_all()
                self.aps.add_listener(self._missed, EVENT_JOB_MISSED)
                self.aps.start()
                for work, pause in ((self._orders, ORDERS_S), (self._reload, CONFIG_S), (self._look, SILENCE_S)):
                    self._spawn(self._again(work, pause))
                await self.stopping.wait()
            finally:
                await self._end()
        return 0

    def stop(self) -> None:
        """End in order, within STOP_S seconds."""
        if not self.stopping.is_set():
            self.say(f"stopping: {len(self.running)} crawls are asked to end, within {STOP_S:g} s", event="stopping")
        self.stopping.set()

    def _begin(self, opened: Database) -> None:
        sync(opened, self.config)
        for number, _, _ in control.open_orders(opened):
            control.withdraw(opened, number)

    async def _settle(self) -> None:
        """Crawls of a scheduler that was killed end by themselves; what did not report is noted as killed."""
        until = time.monotonic() + SETTLE_S
        told = False
        while not self.stopping.is_set():
            for run in await self.ask(lambda db: book.reap(db, self.database)):
                self.say(f"{run.source}: {run.reason}", event="killed", source=run.source, run=run.id)
            alive = await self.ask(_scheduled_and_alive)
            if not alive or time.monotonic() > until:
                return
            if not told:
                self.say(f"waiting for crawls of an earlier scheduler to end: {', '.join(alive)}", event="settling")
            told = True
            await asyncio.sleep(0.25)

    async def _end(self) -> None:
        if self.aps.running:
            self.aps.shutdown(wait=False)
        crawls = [t for t in self.tasks if t.get_name().startswith("crawl ")]
        for task in self.tasks - set(crawls):
            task.cancel()
        for crawl in self.running.values():
            crawl.stop("stopped with the service; the next crawl goes on")
        if crawls:
            _, late = await asyncio.wait(crawls, timeout=children.STOP_S)
            for crawl in self.running.values():
                crawl.kill()
            if late:
                await asyncio.wait(late, timeout=1.5)
        if self.opened is not None:
            with contextlib.suppress(DatabaseError):
                await self.ask(book.forget_plan)
            await self.ask(lambda db: db.close())
        self.thread.shutdown(wait=False)
        self.watch.close()
        self.say("stopped", event="stopped")

    async def ask(self, function: Callable[[Database], T]) -> T:
        """Run `function(database)` in the thread that owns the connection."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, self._answer, function)

    def _answer(self, function: Callable[[Database], T]) -> T:
        if self.opened is None:
            self.opened = connect(self.database)
        return function(self.opened)

    def _spawn(self, work: Any, name: str = "") -> None:
        task = asyncio.get_running_loop().create_task(work, name=name or None)
        self.tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[Any]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            error = task.exception()
            self.say(f"unexpected {type(error).__name__}: {error}; the schedule goes on", event="fault")

    async def _again(self, work: Callable[[], Any], pause_s: float) -> None:
        """Do it again and again; a database that is busy or full for a while must not end the schedule."""
        while not self.stopping.is_set():
            try:
                await work()
            except Exception as e:
                words = str(e) if isinstance(e, (DatabaseError, OSError)) else f"unexpected {type(e).__name__}: {e}"
                self.say(f"{words}; tried again in a few seconds", event="fault")
                await asyncio.sleep(5.0)
            await asyncio.sleep(pause_s)

    # ------------------------------------------------------------------ the plan

    async def _plan_all(self) -> None:
        self.timings = self._wanted()
        last = await self.ask(book.last_ends)
        await self._plan(list(self.timings), last)
        count, off = len(self.timings), len(self.config.sources) - len(self.timings)
        late = len(self.catching_up)
        self.say(
            f"{count} sources are scheduled, {off} are off, {len(self.paused.keys() & self.timings.keys())} are paused"
            + (f"; {late} are overdue and begin one after the other" if late else ""),
            event="planned", sources=count, overdue=late,
        )  # fmt: skip

    def _wanted(self) -> dict[str, plan.Timing]:
        found = plan.timings(self.config.sources, self.every_s)
        return {name: how for name, how in found.items() if not self.only or name in self.only}

    async def _plan(self, names: list[str], last: dict[str, datetime]) -> None:
        """Give these sources their first start, the overdue ones spread."""
        now = datetime.now(UTC)
        when = {name: plan.due(self.timings[name], last.get(name), now) for name in names}
        late = {name for name, at in when.items() if at is None or at <= now}
        gap = plan.gap_s(len(late), min((self.timings[n].interval_s for n in names), default=60.0))
        firsts = plan.spread(when, now, gap)
        self.catching_up |= late
        for name, at in firsts.items():
            how = self.timings[name]
            self.planned[name] = (when[name] or at) if name in late else at
            self.aps.add_job(
                self._due, plan.trigger(how), args=[name], id=name, next_run_time=at, replace_existing=True,
                misfire_grace_time=max(1, int(how.grace_s)), coalesce=True, max_instances=1,
            )  # fmt: skip
        await self.ask(partial(book.note_next, when=firsts))

    def _missed(self, event: JobExecutionEvent) -> None:
        """The machine slept through a start: catch up in order, as after a downtime."""
        if not self.missed:
            asyncio.get_running_loop().call_later(1.0, lambda: self._spawn(self._catch_up()))
        self.missed.add(event.job_id)

    async def _catch_up(self) -> None:
        names, self.missed = [n for n in self.timings if n in self.missed], set()
        self.say(f"{len(names)} starts were missed (this machine slept or was too busy); catching up", event="missed")
        await self._plan(names, await self.ask(book.last_ends))

    # ------------------------------------------------------------------ one source

    async def _due(self, source: str) -> None:
        """A source is due (called by APScheduler)."""
        planned = self.planned.get(source) or datetime.now(UTC)
        job = self.aps.get_job(source)
        if job is not None and job.next_run_time is not None:
            self.planned[source] = job.next_run_time.astimezone(UTC)
            await self.ask(partial(book.note_next, when={source: self.planned[source]}))
        trigger = "catch-up" if source in self.catching_up else "schedule"
        self.catching_up.discard(source)
        await self.begin(source, planned, trigger)

    async def begin(self, source: str, planned: datetime, trigger: str) -> str:
        """Crawl this source now, or say why not; "" when it begins or waits for a free place."""
        why = reason = ""
        if source in self.paused and trigger != "command":
            since, said = self.paused[source]
            why, reason = PAUSED, f"paused since {since}" + (f" ({said})" if said else "")
        elif source in self.running:
            why, reason = STILL_RUNNING, "its last crawl is still running"
        elif source in self.waiting:
            why = WAITING
            reason = (
                f"its last crawl still waits for a free place ({self.config.settings.crawls_at_once} crawls at once)"
            )
        if why:
            if trigger != "command":
                await self.ask(lambda db: book.left_out(db, source, why, reason, planned))
                if why != PAUSED:
                    self.say(f"{source}: left out, {reason}", event="skipped", source=source, reason=reason)
            return reason
        self.waiting[source] = (planned, trigger)
        self._pump()
        if source in self.waiting:
            await self.ask(partial(book.note_queued, source=source, at=datetime.now(UTC)))
        return ""

    def _pump(self) -> None:
        """Start what waits while there is a free place: what people asked for first, then the most overdue."""
        while self.waiting and len(self.running) < self.config.settings.crawls_at_once and not self.stopping.is_set():
            source = min(self.waiting, key=lambda n: (self.waiting[n][1] != "command", self.waiting[n][0]))
            planned, trigger = self.waiting.pop(source)
            settings = self.config.settings
            bounds = children.Bounds(settings.crawl_minutes * 60.0, settings.crawl_memory_mb)
            words = children.command(self.config, source, trigger, stamp(planned), bounds)
            crawl = children.Crawl(source, words, bounds, lambda line: self.say(line, event="log"))
            crawl.env, crawl.folder = self.watch.environment(), self.watch.copy
            self.running[source] = crawl
            self._spawn(self._crawl(crawl, planned, trigger), name=f"crawl {source}")

    async def _crawl(self, crawl: children.Crawl, planned: datetime, trigger: str) -> None:
        source = crawl.source
        try:
            await self.ask(partial(book.note_queued, source=source, at=None))
            try:
                end = await crawl.run()
            except OSError as e:
                end = children.End(source, 1, 0.0, log=(f"it could not be started: {os.strerror(e.errno or 0)}",))
            await self.ask(lambda db: self._note_end(db, end, planned, trigger))
            self._tell(end)
        finally:
            self.running.pop(source, None)
            self._pump()
        await self._look()

    def _note_end(self, opened: Database, end: children.End, planned: datetime, trigger: str) -> None:
        """What the crawl itself could not write: that it was killed, why it was stopped, that it never began."""
        if end.run:
            if book.close(opened, end.run, "killed", end.reason) or not end.stopped_for:
                return
            book.explain_stop(opened, end.run, end.stopped_for)
        elif not end.told:
            state = "stopped" if end.stopped_for else "failed"
            book.never_began(opened, end.source, trigger, planned, state, end.reason)

    def _tell(self, end: children.End) -> None:
        facts = {k: v for k, v in end.told.items() if k not in ("event", "failures")}
        if not facts:
            self.say(f"{end.source}: {end.reason}", event="crawl", source=end.source, state="killed", reason=end.reason)
            return
        tail = "" if facts["outcome"] in ("ok", facts["state"]) else f"; {facts['outcome']}: {facts['reason']}"
        self.say(
            f"{end.source}: {facts['state']} in {end.seconds:.1f} s, {facts.get('new', 0)} new, "
            f"{facts.get('requests', 0)} requests{tail}",
            **(facts | {"event": "crawl", "seconds": round(end.seconds, 2)}),
        )

    # ------------------------------------------------------------------ what goes on beside

    async def _look(self) -> None:
        """Has a source gone silent, or come back?"""
        for change in await self.ask(lambda db: self.silence.look(db, datetime.now(UTC), set(self.paused))):
            self.say(change.words(), event=change.what, source=change.source, kind=change.kind, reason=change.reason)

    async def _orders(self) -> None:
        """What people asked for by command, and who is paused."""
        orders, self.paused = await self.ask(lambda db: (control.open_orders(db), book.paused(db)))
        for number, action, source in orders:
            if action == "reload":
                said = "read" if await self._reload(force=True) else "not read: it has a fault, and the old one stays"
            elif source not in self.config.sources:
                said = f"refused: the scheduler knows no source {source}"
            else:
                said = await self.begin(source, datetime.now(UTC), "command")
                said = f"not begun: {said}" if said else "waits for a free place" if source in self.waiting else "begun"
            await self.ask(partial(control.answer, number=number, text=said))

    async def _reload(self, *, force: bool = False) -> bool:
        """Take over a changed configuration."""
        loop = asyncio.get_running_loop()
        fresh = await loop.run_in_executor(None, lambda: self.watch.look(force=force))
        if fresh is None:
            return False
        if fresh.settings.database.absolute() != self.database:
            self.say("the setting `database` changed: that needs a restart; the rest is taken over", event="config")
        self.config = self.silence.config = fresh
        await self.ask(lambda db: sync(db, fresh))
        wanted = self._wanted()
        gone = [name for name in self.timings if name not in wanted]
        changed = [name for name, how in wanted.items() if self.timings.get(name) != how]
        self.timings = wanted
        for name in gone:
            with contextlib.suppress(Exception):
                self.aps.remove_job(name)
            self.planned.pop(name, None)
            self.waiting.pop(name, None)
        await self.ask(partial(book.note_next, when=dict.fromkeys(gone)))
        await self._plan(changed, await self.ask(book.last_ends))
        self._pump()
        self.say(
            f"the configuration was read again: {len(wanted)} sources are scheduled, "
            f"{len(changed)} new or changed, {len(gone)} gone",
            event="config",
        )
        return True


def _scheduled_and_alive(opened: Database) -> list[str]:
    """Sources that say they are being crawled for a schedule, after the dead ones were noted: these are alive."""
    rows = opened.conn.execute(
        "select distinct source from source_runs where state = 'running' and trigger in ('schedule', 'catch-up', 'command')"
    )
    return [source for (source,) in rows.fetchall()]
