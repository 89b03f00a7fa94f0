"""Runs small spiders through the house's real handler, middlewares, archive and extension, in a process of their own.

    python -m tests.crawler.harness SPEC.json

SPEC: {"db", "archive", "proxy", "ca_file", "settings": {…}, "sources": [{"id", "hosts", "delay", "timeout",
"requests": [{"url", "kind", "entry"}], "follow": "list" | ""}]}. Prints one JSON line per callback or errback.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import scrapy

from crawler.extension import CrawlExtension
from crawler.run import crawl
from db import immediate

DEFAULTS: dict[str, Any] = {
    "DOWNLOAD_TIMEOUT": 20.0,
    "DOWNLOAD_MAXSIZE": 10_000_000,
    "REDIRECT_MAX_TIMES": 5,
    "LOG_LEVEL": "WARNING",
    "CIRCULARWATCH_CONTACT": "tests@example.org",
    "CIRCULARWATCH_CONFIG": None,
    "CIRCULARWATCH_CA_FILE": "",
    "CIRCULARWATCH_DELAY": None,
    "CIRCULARWATCH_PROGRESS": True,
    "CIRCULARWATCH_MANAGED": True,
    "USER_AGENT": "circularwatch/0.1 (+tests@example.org)",
}


class Extension(CrawlExtension):
    """The real one, with the source's row made here instead of from the configuration."""

    def _fill_sources(self, database: Any) -> None:
        with immediate(database) as conn:
            conn.executemany(
                "insert or ignore into sources (id, name, kind, type, language, certainty, enabled, base_url, "
                "interval_min, lists, updated_at) values (?, ?, 'html-list', 'media', 'zh', 'A', 1, '', 30, 1, '')",
                [(s["id"], s["id"]) for s in Loader.spec["sources"]],
            )


class Loader:
    """Gives a spider class for each source of the spec."""

    spec: dict[str, Any]

    @classmethod
    def from_settings(cls, settings: Any) -> Loader:
        return cls()

    def load(self, name: str) -> type[scrapy.Spider]:
        source = next(s for s in self.spec["sources"] if s["id"] == name)
        return type(name, (PlainSpider,), {"name": name, "source": fake_source(source), "plan": source})

    def list(self) -> list[str]:
        return [s["id"] for s in self.spec["sources"]]

    def find_by_request(self, request: Any) -> list[str]:
        return []


def fake_source(plan: dict[str, Any]) -> Any:
    """Of a Source what the crawl looks at."""
    hosts = plan["hosts"]
    return SimpleNamespace(
        id=plan["id"],
        base_url=plan.get("base_url", f"http://{hosts[0]}/"),
        lists=(),
        headers=plan.get("headers", {"User-Agent": "Mozilla/5.0", "Accept-Language": "zh-CN"}),
        download_delay_s=plan.get("delay", 0),
        timeout_s=plan.get("timeout", 20),
        blocked_body_markers=(),
        allows=lambda host: host in hosts,
    )


def tell(**fields: Any) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


class PlainSpider(scrapy.Spider):
    """Asks for what the plan says; with `follow` it takes the lines of lists as document addresses."""

    plan: dict[str, Any]

    async def start(self) -> AsyncIterator[scrapy.Request]:
        archive = self.crawler.archive  # type: ignore[attr-defined]
        for item in self.plan["requests"]:
            headers = await archive.validators(item["url"]) if item.get("kind") == "list" else {}
            meta = archive.meta(
                item.get("kind", "document"),
                entry=item.get("entry"),
                said=item.get("said"),
                mirrors=item.get("mirrors", ()),
            )
            yield scrapy.Request(item["url"], self.got, errback=self.missed, meta=meta, headers=headers)

    async def got(self, response: Any) -> AsyncIterator[scrapy.Request]:
        archive = self.crawler.archive  # type: ignore[attr-defined]
        fetch, status = response.meta["fetch_id"], response.status
        tell(got=response.url, status=status, fetch=fetch, outcome=response.meta["outcome"], size=len(response.body))
        if response.meta.get("kind") == "list":
            rows = [SimpleNamespace(key=u, url=u, said={"title": u}) for u in response.text.split() if status == 200]
            outcome = "unchanged" if status == 304 else "ok"
            for row in await archive.list_read(response, rows, section="news", outcome=outcome):
                meta = archive.meta("document", entry=row.key, said=row.said)
                yield scrapy.Request(row.url, self.got, errback=self.missed, meta=meta)
            for entry in await archive.unfinished():
                meta = archive.meta("document", entry=entry.key, said=entry.said)
                yield scrapy.Request(entry.url, self.got, errback=self.missed, meta=meta)

    def missed(self, failure: Any) -> None:
        error = failure.value
        tell(
            missed=failure.request.url,
            outcome=getattr(error, "outcome", repr(error)),
            reason=getattr(error, "reason", ""),
        )


def house_settings() -> dict[str, Any]:
    """The real settings module, with plain values for what the operator chooses."""
    import config

    limits = SimpleNamespace(timeout_s=20, max_body_bytes=10_000_000, max_redirects=5)
    chosen = SimpleNamespace(
        database="",
        archive="",
        contact="",
        proxy="",
        ca_file="",
        delay_s=None,
        limits=limits,
        log_level="warning",
        user_agent="",
    )
    config.load_settings = lambda *a, **k: chosen  # type: ignore[assignment]
    from crawler import settings

    return {name: getattr(settings, name) for name in dir(settings) if name.isupper()}


def main(path: str) -> int:
    from scrapy.settings import Settings

    with open(path, encoding="utf-8") as f:
        spec = json.load(f)
    Loader.spec = spec
    settings = Settings()
    values = house_settings() | DEFAULTS
    values |= {"CIRCULARWATCH_DB": spec["db"], "CIRCULARWATCH_ARCHIVE": spec["archive"]}
    values |= {"CIRCULARWATCH_PROXY": spec.get("proxy", ""), "CIRCULARWATCH_CA_FILE": spec.get("ca_file", "")}
    values |= {"SPIDER_LOADER_CLASS": "tests.crawler.harness.Loader", "SPIDER_MODULES": []}
    values["EXTENSIONS"] = {**values["EXTENSIONS"], "crawler.extension.CrawlExtension": None}
    values["EXTENSIONS"]["tests.crawler.harness.Extension"] = 0
    for name, value in (values | spec.get("settings", {})).items():
        settings.set(name, value, priority="cmdline")
    return crawl(settings, [s["id"] for s in spec["sources"]])


if __name__ == "__main__":
    # under its module name, so that the loader that Scrapy imports is the one that was given the spec
    from tests.crawler import harness

    sys.exit(harness.main(sys.argv[1]))
