"""CPU milliseconds per document by stage, on documents of configured sources, and the peak memory of a reading process."""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from tests.bench import Figure
from tests.bench.download import SOURCES, environment, our_crawl
from tests.web import ImitationWeb

# stages that belong to understanding a page; reading the archive and storing are told apart
READING = ("content", "extract", "clean", "recognise", "identify")


def run(say: Callable[[str], None], pages: int = 60) -> list[Figure]:
    """Crawl `pages` generated documents a host and the demo's own, then process all of them, timed by stage."""
    import config
    from pipelines.processor import process

    with ImitationWeb() as web, tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for source in SOURCES:
            web.control.bulk(source, pages)
        our_crawl(web, place)
        env = environment(web, place)
        with patch.dict(os.environ, env):
            summary = process(config.load(None, env), place / "bench.db", place / "archive")
    per = summary.as_json()["cpu_ms"]
    say(f"{summary.read} documents: " + ", ".join(f"{stage} {ms} ms" for stage, ms in per.items()))
    figures = [Figure(f"CPU per document, {stage}", ms, "ms") for stage, ms in per.items()]
    reading = sum(ms for stage, ms in per.items() if stage.split(".")[0] in READING)
    figures.append(Figure("CPU per document, all reading stages before classifying", reading, "ms", "<= 15"))
    figures.append(Figure("documents processed a second", summary.read / summary.seconds, "1/s"))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    figures.append(Figure("peak memory of a child process", peak, "MB"))
    return figures
