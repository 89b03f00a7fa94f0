"""Fixtures that crawl: small spiders in a process of their own, against a server that plays faults."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlite_utils

from tests.crawler.webserver import Answer, Web

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Crawled:
    """What a crawl left: its lines, exit status and database."""

    folder: Path
    status: int
    lines: list[dict[str, Any]]
    errors: str

    @property
    def got(self) -> list[str]:
        return [line["got"] for line in self.lines if "got" in line]

    @property
    def missed(self) -> dict[str, str]:
        return {line["missed"]: line["outcome"] for line in self.lines if "missed" in line}

    def end(self, source: str) -> dict[str, Any]:
        return next(line for line in self.lines if line.get("event") == "end" and line["source"] == source)

    @property
    def db(self) -> sqlite_utils.Database:
        return sqlite_utils.Database(self.folder / "c.db")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return list(self.db.query(sql))

    @property
    def archive(self) -> Path:
        return self.folder / "archive"


@dataclass
class Crawl:
    """Runs crawls in one folder: `crawl(sources, proxy=…)`, or `start` for one that is to be disturbed."""

    folder: Path
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, sources: list[dict[str, Any]], proxy: str = "", ca_file: str = "", **settings: Any) -> Any:
        spec = {"db": str(self.folder / "c.db"), "archive": str(self.folder / "archive"), "proxy": proxy}
        spec |= {"ca_file": ca_file, "settings": settings, "sources": sources}
        path = self.folder / f"spec-{len(self.running)}.json"
        path.write_text(json.dumps(spec), encoding="utf-8")
        env = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.crawler.harness", str(path)],
            cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.running.append(process)
        return process

    def end(self, process: Any) -> Crawled:
        out, err = process.communicate(timeout=120)
        lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        return Crawled(self.folder, process.returncode, lines, err)

    def __call__(self, sources: list[dict[str, Any]], proxy: str = "", **settings: Any) -> Crawled:
        return self.end(self.start(sources, proxy, **settings))


@pytest.fixture
def crawl(tmp_path: Path) -> Iterator[Crawl]:
    runner = Crawl(tmp_path)
    yield runner
    for process in runner.running:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture
def web() -> Iterator[Callable[[Answer], Web]]:
    opened: list[Web] = []

    def make(answer: Answer, **options: Any) -> Web:
        server = Web(answer, **options)
        server.__enter__()
        opened.append(server)
        return server

    yield make
    for server in opened:
        server.__exit__()


def documents(*urls: str, host: str = "news.test", source: str = "news", **more: Any) -> dict[str, Any]:
    """A source of the harness that asks for these addresses as documents."""
    requests = [{"url": u, "kind": "document", "entry": u} for u in urls]
    return {"id": source, "hosts": [host], "requests": requests, **more}
