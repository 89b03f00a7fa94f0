"""Alert rules against one new document: 100 and 10,000 rules of the form (A or B) and (C or D) not E, on one core."""

from __future__ import annotations

import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from importlib import resources

from tests.bench import Figure, median, quantile
from tests.web.documents import load


def run(say: Callable[[str], None]) -> list[Figure]:
    """Rules drawn from the words of the imitation web's documents, so that a realistic share of them matches."""
    from db.search import parse
    from db.search.match import Matcher

    texts = [(d["title"], d["body"]) for d in load()[0] if d["language"] == "zh" and len(d.get("body", "")) > 300]
    vocabulary = "\n".join(d.get("body", "") for d in load()[0] if d["language"] == "zh")
    shelf = stored(texts)
    figures = []
    for count in (100, 10_000):
        rng = random.Random(1)
        words = drawn(rng, vocabulary)
        rules = {
            f"r{n}": parse(f"({next(words)} OR {next(words)}) AND ({next(words)} OR {next(words)}) NOT {next(words)}")
            for n in range(count)
        }
        began = time.process_time()
        matcher = Matcher(rules)
        built = time.process_time() - began
        spent, fired = [], 0
        for pk in range(1, len(texts) + 1):
            began = time.process_time()
            fired += sum(map(len, matcher.match(shelf, [pk]).values()))
            spent.append((time.process_time() - began) * 1000)
        say(f"{count} rules: built in {built:.2f} s, {fired / len(texts):.1f} fire per document")
        figures.append(
            Figure(f"{count} rules against one document, p50", median(spent), "ms CPU", "<= 50" if count > 100 else "")
        )
        figures.append(Figure(f"{count} rules against one document, p95", quantile(spent, 0.95), "ms CPU"))
    return figures


def drawn(rng: random.Random, text: str) -> Iterator[str]:
    """Endless words of two to six characters out of the text."""
    runs = [run for run in re.findall("[一-鿿]+", text) if len(run) >= 2]
    while True:
        run = rng.choice(runs)
        length = min(len(run), rng.choice((2, 2, 3, 4, 4, 5, 6)))
        start = rng.randrange(len(run) - length + 1)
        yield run[start : start + length]


def stored(texts: list[tuple[str, str]]) -> sqlite3.Connection:
    """A database in memory that holds just these texts."""
    from db.search import register
    from db.search.index import refresh

    connection = sqlite3.connect(":memory:")
    register(connection)
    for step in ("m0001_spine.sql", "m0002_search.sql"):
        connection.executescript(resources.files("db.migrations").joinpath(step).read_text(encoding="utf-8"))
    connection.executemany(
        "insert into documents(pk, id, identity, url, canonical_url, source, kind, title, text, language, published_on, "
        "first_seen_at, fetch) values (?, ?, ?, 'u', ?, 'nfra', 'news', ?, ?, 'zh', '2026-10-08', '2026-10-08T00:00:00Z', 1)",
        [(n, f"d{n}", f"u{n}", f"u{n}", title, body) for n, (title, body) in enumerate(texts, 1)],
    )
    refresh(connection)
    return connection
