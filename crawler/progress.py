"""The lines by which a crawl process tells its parent how far it is: one JSON object per line on standard output.

{"event": "start", "run", "source"}          a crawl began
{"event": "progress", "source", …figures}    at most once a second per source, and when it ends
{"event": "end", "source", "state", "outcome", "reason", "failures", …figures}
{"event": "process", "lag_p99_ms", "lag_own_p99_ms", "peak_rss_mb", "seconds"}   once, at the end
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import Any

from scrapy.logformatter import LogFormatter


def emit(event: str, **fields: Any) -> None:
    """Write one line. A parent that is gone is not an error here: the child notices by itself."""
    try:
        sys.stdout.write(json.dumps({"event": event, **fields}, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        return


class LagMeter:
    """How late the event loop runs what is due: a ticker measures, histograms of quarter milliseconds keep it.

    `own` counts of each delay only what the loop's thread spent computing; the rest is other processes of the machine.
    """

    EVERY = 0.02
    STEP = 0.00025
    STEPS = 8000  # up to two seconds; what is later counts as that

    def __init__(self) -> None:
        self.counts = [0] * (self.STEPS + 1)
        self.own = [0] * (self.STEPS + 1)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._tick())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, began = loop.time() + self.EVERY, time.thread_time()
            await asyncio.sleep(self.EVERY)
            late = max(0.0, loop.time() - due)
            spent = min(late, time.thread_time() - began)
            self.counts[min(int(late / self.STEP), self.STEPS)] += 1
            self.own[min(int(spent / self.STEP), self.STEPS)] += 1

    def figures(self) -> dict[str, float]:
        """The 99th percentiles in milliseconds."""
        return {
            "lag_p99_ms": round(self.quantile(self.counts, 0.99), 2),
            "lag_own_p99_ms": round(self.quantile(self.own, 0.99), 2),
        }

    def quantile(self, counts: list[int], q: float) -> float:
        """The lag in milliseconds below which this share of the ticks was; 0 without ticks."""
        total = sum(counts)
        wanted, passed = q * total, 0
        for step, count in enumerate(counts):
            passed += count
            if total and passed >= wanted:
                return (step + 1) * self.STEP * 1000
        return 0.0


def peak_rss_mb() -> float:
    """The most memory this process ever held, in MB (Linux counts in kB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class QuietFormatter(LogFormatter):
    """Scrapy's log without a line per page: what came is in the archive, what failed in the run ledger."""

    def crawled(self, request: Any, response: Any, spider: Any) -> None:  # type: ignore[override]
        return None
