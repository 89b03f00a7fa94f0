"""Download rate, undelayed, against the bare spider on the same pages through the same proxy, in turn; lag and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import Figure, median
from tests.web import ImitationWeb

SOURCES = ("nfra", "ndrc_zcfb", "govcn_en", "mof_zcfb", "globaltimes", "xinhua_en", "safe_zcfg", "mofcom_zcfb")
ROUNDS = 3
Say = Callable[[str], None]


def run(say: Say, pages: int = 120) -> list[Figure]:
    """Each round: our crawl of `pages` generated documents on each of eight hosts, then the bare spider on the same."""
    ratios, ours_rates, lags, memory = [], [], [], []
    with ImitationWeb() as web, tempfile.TemporaryDirectory() as folder:
        for source in SOURCES:
            web.control.bulk(source, pages)
        for number in range(ROUNDS):
            place = Path(folder) / str(number)
            place.mkdir()
            web.control.clear_log()
            stats = our_crawl(web, place)
            ours, urls = rate(web)
            web.control.clear_log()
            bare_crawl(web, place, urls)
            bare, _ = rate(web)
            say(f"round {number + 1}: ours {ours:.0f} pages/s, bare spider {bare:.0f} pages/s ({len(urls)} pages)")
            ratios.append(ours / bare)
            ours_rates.append(ours)
            lags.append(float(stats["lag_p99_ms"]))
            memory.append(float(stats["peak_rss_mb"]))
    return [
        Figure("download rate against a bare spider", median(ratios), "ratio", ">= 0.7, aim 0.9"),
        Figure("download rate", median(ours_rates), "pages/s"),
        Figure("event-loop lag, p99", median(lags), "ms", "<= 100"),
        Figure("peak memory of the crawl", max(memory), "MB"),
    ]


def environment(web: ImitationWeb, place: Path) -> dict[str, str]:
    return (
        os.environ
        | web.environment()
        | {
            "CIRCULARWATCH_DB": str(place / "bench.db"),
            "CIRCULARWATCH_ARCHIVE": str(place / "archive"),
            "CIRCULARWATCH_DELAY": "0",
        }
    )


def our_crawl(web: ImitationWeb, place: Path) -> dict[str, object]:
    """Only the crawl (archive and rows included), as `circularwatch crawl` starts it; its closing figures."""
    command = [sys.executable, "-m", "crawler.run", "--sources", ",".join(SOURCES), "--json-progress"]
    done = subprocess.run(command, env=environment(web, place), capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    found = [line for line in lines if line.get("event") == "process"]
    if not found:
        raise RuntimeError(f"the crawl ended without its figures: {done.stderr[-2000:]}")
    return found[-1]


def bare_crawl(web: ImitationWeb, place: Path, urls: list[str]) -> None:
    listing, pages = place / "urls.txt", place / "pages"
    pages.mkdir()
    listing.write_text("\n".join(urls))
    command = [sys.executable, "-m", "tests.bench.bare_spider", str(listing), str(pages)]
    env = environment(web, place) | {
        "http_proxy": web.proxy,
        "https_proxy": web.proxy,
        "SSL_CERT_FILE": str(web.ca_file),
    }
    subprocess.run(command, env=env, check=True, capture_output=True)


def rate(web: ImitationWeb) -> tuple[float, list[str]]:
    """Pages a second between the first and the last answer, robots.txt left out, by the server's own log."""
    log = [entry for entry in web.log() if not entry["url"].endswith("/robots.txt") and entry["status"] == 200]
    first, last = min(entry["t_start"] for entry in log), max(entry["t_end"] for entry in log)
    return len(log) / (last - first), [entry["url"] for entry in log]
