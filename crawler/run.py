"""The process that only crawls: `python -m crawler.run --sources a,b`. Started by `circularwatch crawl` and the scheduler.

Downloads and reads links; never parses a document. One process crawls many sources at once. Standard output carries
JSON lines (`crawler.progress`) when asked for, the log goes to standard error. Exit status 0 done, 1 done with failures
(or stopped), 2 bad usage or configuration. Ends within seconds on SIGINT or SIGTERM, and when its parent dies.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from typing import Any, cast

import config
from crawler import progress
from crawler.house import configuration, why_not

# What is still running this long after a stop was asked for is left behind: the archive is whole at any moment.
STOP_S = 10.0
# After every crawl has written its row, the process has this long to end by itself.
LINGER_S = 1.5


def _day(text: str) -> str:
    """A date as YYYY-MM-DD; an empty one means no back-fill."""
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write YYYY-MM-DD") from None


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m crawler.run", description="Crawl sources; only download.")
    parser.add_argument("--sources", default="", help="ids, comma separated (default: all that are enabled)")
    parser.add_argument("--db", help="the database file")
    parser.add_argument("--archive", help="the archive folder")
    parser.add_argument("--config", help="the configuration folder")
    parser.add_argument("--since", type=_day, default="", help="back-fill: follow the pages of lists back to this date")
    parser.add_argument("--trigger", default="manual", help="why this crawl runs, for the ledger")
    parser.add_argument("--planned-at", default="", help="instant at which it was due, for the ledger")
    parser.add_argument("--memory-mb", type=int, default=0, help="bound of this process's address space in MB")
    parser.add_argument("--json-progress", action="store_true", help="JSON lines on standard output")
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="end when standard input does, that is with the parent"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Crawl and give the exit status."""
    args = arguments(argv)
    for name, value in (("DB", args.db), ("ARCHIVE", args.archive), ("CONFIG", args.config)):
        if value:
            os.environ[f"CIRCULARWATCH_{name}"] = value
    if args.memory_mb:
        _bound_memory(args.memory_mb)
    try:
        house = configuration(os.environ.get("CIRCULARWATCH_CONFIG") or None)
        names = chosen(house, args.sources)
    except config.ConfigError as e:
        return _refuse(str(e))
    if why_not(house.settings):
        return _refuse(why_not(house.settings))
    # imported late: the settings module reads the environment that was just completed
    from scrapy.settings import Settings

    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    ours = {"MANAGED": True, "PROGRESS": args.json_progress, "TRIGGER": args.trigger, "SINCE": args.since}
    ours["PLANNED_AT"] = args.planned_at
    for name, value in ours.items():
        settings.set(f"CIRCULARWATCH_{name}", value, priority="cmdline")
    try:
        return crawl(settings, names, with_stdin=args.until_stdin_closes)
    except config.ConfigError as e:
        return _refuse(str(e))


def _bound_memory(megabytes: int) -> None:
    """A crawl that swallows memory fails by itself instead of taking the machine down."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def chosen(house: Any, wanted: str) -> list[str]:
    """The ids of the sources to crawl; raises ConfigError for one that doesn't exist."""
    names = [n.strip() for n in wanted.split(",") if n.strip()]
    if not names:
        return [s.id for s in house.sources.values() if s.enabled]
    from config.errors import hint

    for name in names:
        if name not in house.sources:
            raise config.ConfigError("--sources", 0, f"there is no source {name!r}{hint(name, house.sources)}")
    return list(dict.fromkeys(names))


def crawl(settings: Any, names: list[str], *, with_stdin: bool = False) -> int:
    """Run one crawler per source in this process until all have ended; raises ConfigError before any begins."""
    from scrapy.crawler import AsyncCrawlerProcess

    if settings["LOG_LEVEL"] == "INFO":
        # what Scrapy says of itself at INFO is a page per source; what this crawl says goes through the progress lines
        settings.set("LOG_LEVEL", "WARNING", priority="cmdline")
    process = AsyncCrawlerProcess(settings)
    crawlers = [process.create_crawler(process.spider_loader.load(name)) for name in names]
    began = time.monotonic()
    faults: list[str] = []

    async def one(crawler: Any) -> None:
        try:
            await process.crawl(crawler)
        except Exception as e:
            faults.append(f"{crawler.spidercls.name}: {type(e).__name__}: {e}")

    async def everything() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop_all, crawlers)
        if with_stdin:
            loop.add_reader(sys.stdin.fileno(), _stdin_closed, crawlers)
        tasks = []
        for crawler in crawlers:
            tasks.append(loop.create_task(one(crawler)))
            await asyncio.sleep(0)  # starting one takes some milliseconds; those that run already must not wait for all
        await asyncio.gather(*tasks)

    # what is loaded now stays: keep the collector from walking through it, on the event loop, again and again
    gc.collect()
    gc.freeze()
    _run_reactor(process, everything)
    for fault in faults:
        print(f"circularwatch: {fault}", file=sys.stderr)
    if settings.getbool("CIRCULARWATCH_PROGRESS"):
        seconds = round(time.monotonic() - began, 3)
        progress.emit("process", **lag_of(crawlers), peak_rss_mb=round(progress.peak_rss_mb(), 1), seconds=seconds)
    return 1 if faults or any(_failed(c) for c in crawlers) else 0


def _run_reactor(process: Any, everything: Any) -> None:
    from twisted.internet import reactor

    task = asyncio.get_event_loop().create_task(everything())

    def over(_: Any) -> None:
        with suppress(RuntimeError):
            cast(Any, reactor).stop()

    task.add_done_callback(over)
    process.start(stop_after_crawl=False, install_signal_handlers=False)


def stop_all(crawlers: list[Any]) -> None:
    """End every crawl soon and clean; what hangs beyond STOP_S is left, since the archive is whole at any moment."""
    from crawler.extension import CrawlExtension

    for crawler in crawlers:
        with suppress(RuntimeError):
            extension = crawler.get_extension(CrawlExtension)
            if extension is not None and extension.shared is not None:
                extension.stop()
    loop = asyncio.get_running_loop()
    loop.call_later(STOP_S, os._exit, 1)
    _leaving.append(loop.create_task(_leave_when_over(crawlers)))


_leaving: list[asyncio.Task[None]] = []


async def _leave_when_over(crawlers: list[Any]) -> None:
    """A crawl that is stopped in its first moment has written its row and is closed, and Scrapy waits on all the same."""
    from crawler.extension import CrawlExtension

    def is_over(crawler: Any) -> bool:
        try:
            extension = crawler.get_extension(CrawlExtension)
        except RuntimeError:  # not begun
            return True
        return extension is None or extension.state != "" or extension.shared is None

    while not all(is_over(crawler) for crawler in crawlers):
        await asyncio.sleep(0.1)
    await asyncio.sleep(LINGER_S)
    with suppress(OSError, ValueError):  # nobody listens any more
        sys.stdout.flush()
    os._exit(1)


def lag_of(crawlers: list[Any]) -> dict[str, float]:
    """The event loop's lag, as measured from the first source's begin to the last one's end."""
    from crawler.extension import CrawlExtension

    figures: dict[str, float] = {}
    for crawler in crawlers:
        with suppress(RuntimeError):
            extension = crawler.get_extension(CrawlExtension)
            if extension is not None and extension.shared is not None:
                figures = extension.shared.meter.figures()
    return figures


def _stdin_closed(crawlers: list[Any]) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop_all(crawlers)


def _failed(crawler: Any) -> bool:
    """Whether this crawl ended with anything to name."""
    from crawler.extension import CrawlExtension

    try:
        extension = crawler.get_extension(CrawlExtension)
    except RuntimeError:
        return True
    return extension is None or extension.state != "done" or extension.archive.ledger.is_bad


def _refuse(sentence: str) -> int:
    print(f"circularwatch: {sentence}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
