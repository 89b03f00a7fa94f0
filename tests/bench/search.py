"""Search over 200,000 stored documents: a published mix of queries, newest first and by relevance, p50 and p95."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.bench import Figure, median, quantile
from tests.bench.corpus import build

DOCUMENTS = 200_000
# two-character words from rare to in every second document, phrases, English, fields, dates, Boolean
QUERIES = (
    "贷款", "制造业", "设备更新", "出口信用保险", "专精特新", "首贷户", "再贷款", "科技保险", "银行", "企业",
    "loan", "loans export", '"export credit insurance"', "manufactur*", "equipment renewal",
    "贷款 设备更新", "设备更新 OR 技术改造", "贷款 NOT 房地产", '"中长期贷款" 制造业', "(贷款 OR 融资) (装备 OR 船舶)",
    "task:foreign-trade", "task:industrial-upgrading 贷款", "source:nfra 保险", "kind:circular lang:zh", "level:central 银行",
    "published:2026 贷款", "published:2026-10..2026-11 制造业", "relevance:>=0.8 贷款", "firsthand:yes 通知", "title:贷款",
)  # fmt: skip


def run(say: Callable[[str], None], documents: int = DOCUMENTS) -> list[Figure]:
    """Build the store (not timed), then each query three times in each order; the first run of each warms nothing away."""
    import db
    from db.search import find

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        began = time.monotonic()
        build(path, documents)
        say(f"{documents} documents stored in {time.monotonic() - began:.0f} s, {path.stat().st_size / 1e6:.0f} MB")
        database = db.connect(path, readonly=True)
        figures = []
        for order, bar in (("newest", "<= 20"), ("relevance", "<= 100")):
            times, worst = [], ("", 0.0)
            for query in QUERIES:
                for _ in range(3):
                    start = time.perf_counter()
                    find(database.conn, query, order=order)
                    took = (time.perf_counter() - start) * 1000
                    times.append(took)
                    worst = max(worst, (query, took), key=lambda pair: pair[1])
            say(f"{order}: slowest {worst[0]!r} with {worst[1]:.0f} ms")
            figures.append(Figure(f"search, {order}, p50", median(times), "ms"))
            figures.append(Figure(f"search, {order}, p95", quantile(times, 0.95), "ms", bar))
        database.close()
    return figures
