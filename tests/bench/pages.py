"""How long every page takes at 100,000 stored documents, and how that compares with a tenth of them in the same run.

Time is that of the whole answer, made in this process (no network): median and slowest of several requests after one
that warms up. The ratio to the small database says whether a page's cost grows with what is stored.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import config
from tests.bench import Figure, corpus, median, quantile

DOCUMENTS = int(os.environ.get("CIRCULARWATCH_BENCH_DOCUMENTS", "100000"))
SMALL = DOCUMENTS // 10
TIMES = 9
BAR_MS = 300.0
PAGES: dict[str, str] = {
    "home": "/",
    "task": "/task/foreign-trade",
    "task, last page": "/task/foreign-trade?page=LAST",
    "task, filtered": "/task/foreign-trade?lang=zh&kind=circular",
    "document": "/document/DOCUMENT",
    "search, rare words": "/search?q=" + "%E5%88%B6%E9%80%A0%E4%B8%9A%E4%B8%AD%E9%95%BF%E6%9C%9F%E8%B4%B7%E6%AC%BE",
    "search, frequent word": "/search?q=%E8%B4%B7%E6%AC%BE",
    "search by relevance": "/search?q=%E8%B4%B7%E6%AC%BE+%E8%AE%BE%E5%A4%87&order=relevance",
    "search, English phrase": "/search?q=%22export+trade%22",
    "sources": "/sources",
    "one source": "/sources/nfra",
    "questions": "/questions",
    "about": "/about",
    "question, weeks by task": "/questions/weeks_by_task",
    "question, newest circulars": "/questions/newest_circulars",
    "feed of a task": "/feed/task/foreign-trade.atom",
    "feed of a frequent search": "/feed/search.json?q=%E8%B4%B7%E6%AC%BE",
    "Datasette's table": "/circularwatch/documents",
    "Datasette's search box": "/circularwatch/documents?_search=%E8%B4%B7%E6%AC%BE",
}


@dataclass(slots=True)
class _Timed:
    """Milliseconds of each request of a page, and its bytes."""

    ms: list[float]
    size: int


def run(say: Callable[[str], None]) -> list[Figure]:
    """Time of each page at DOCUMENTS documents; its ratio to a tenth of them; an export's rows a second."""
    with tempfile.TemporaryDirectory(prefix="circularwatch-bench-") as folder:
        timed = {}
        for number in (SMALL, DOCUMENTS):
            path = Path(folder) / f"{number}.db"
            start = time.perf_counter()
            corpus.build(path, number, say=say).close()
            say(
                f"pages: {number:,} documents made in {time.perf_counter() - start:.0f} s, {path.stat().st_size / 1e6:.0f} MB"
            )
            timed[number] = asyncio.run(_measure(path, say))
    large, small = timed[DOCUMENTS], timed[SMALL]
    figures = []
    for name in PAGES:
        note = f"slowest of {TIMES} {quantile(large[name].ms, 1.0):.0f} ms; {large[name].size / 1000:.0f} kB"
        figures.append(Figure(f"page: {name}", round(median(large[name].ms), 1), "ms", f"<= {BAR_MS:.0f}", note))
        ratio = median(large[name].ms) / max(median(small[name].ms), 0.1)
        figures.append(Figure(f"page: {name}, {DOCUMENTS:,} against {SMALL:,} documents", round(ratio, 2), "x"))
    rows, seconds = large["export"].size, large["export"].ms[0] / 1000
    figures.append(
        Figure("export: rows a second (CSV with evidence)", round(rows / seconds), "rows/s", note=f"{rows:,} rows")
    )
    return figures


async def _measure(path: Path, say: Callable[[str], None]) -> dict[str, _Timed]:
    from db.datasette import build

    now = datetime.combine(corpus.TODAY, datetime.min.time(), UTC) + timedelta(hours=3)
    datasette = build(config.load(), path, clock=lambda: now)
    await datasette.invoke_startup()
    conn = datasette.databases["circularwatch"].connect()
    document = conn.execute(
        "select d.id from documents d join document_tasks t on t.document = d.pk order by d.pk desc limit 1"
    ).fetchone()[0]
    total = conn.execute(
        "select sum(documents) from task_days where task = 'foreign-trade' and measure = ''"
    ).fetchone()[0]
    conn.close()
    found: dict[str, _Timed] = {}
    for name, address in PAGES.items():
        address = address.replace("DOCUMENT", document).replace("LAST", str(max(1, total // 25)))
        found[name] = await _page(datasette, address)
        say(f"pages: {name} {median(found[name].ms):.0f} ms")
    start = time.perf_counter()
    answer = await datasette.client.get("/export/search.csv?q=task:foreign-trade")
    rows = answer.content.count(b"\r\n") - 1
    found["export"] = _Timed([(time.perf_counter() - start) * 1000], rows)
    datasette.databases["circularwatch"].close()
    return found


async def _page(datasette: Any, address: str) -> _Timed:
    answer = await datasette.client.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answers {answer.status_code}")
    ms = []
    for _ in range(TIMES):
        start = time.perf_counter()
        answer = await datasette.client.get(address)
        ms.append((time.perf_counter() - start) * 1000)
    return _Timed(ms, len(answer.content))


if __name__ == "__main__":
    for figure in run(print):
        print(f"{figure.name}: {figure.value} {figure.unit} {figure.bar} {figure.note}")
