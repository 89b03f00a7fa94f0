"""A folder, an imitation web and the command line: what the tests of the whole house share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlite_utils

import db
from tests.web import ImitationWeb

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class House:
    """Runs `circularwatch` in a folder of its own, with the imitation web as its only way out."""

    web: ImitationWeb
    folder: Path
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        return self.folder / "circularwatch.db"

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    @property
    def env(self) -> dict[str, str]:
        own = {"CIRCULARWATCH_DB": str(self.database), "CIRCULARWATCH_ARCHIVE": str(self.archive)}
        env = os.environ | self.web.environment() | own | self.extra
        env.pop("CIRCULARWATCH_CONFIG", None)
        return env

    def command(self, *args: str) -> list[str]:
        return [sys.executable, "-P", "-m", "crawler", *args]

    def run(self, *args: str, status: int | None = 0, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; with `status`, insist on it."""
        done = subprocess.run(
            self.command(*args), cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=timeout
        )
        assert status is None or done.returncode == status, (
            f"{args}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """Start a command in a process group of its own and leave it running."""
        return subprocess.Popen(
            self.command(*args), cwd=self.folder, env=self.env, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def open(self) -> sqlite_utils.Database:
        return db.connect(self.database, readonly=True)

    def mark(self) -> int:
        """The number of the last request so far."""
        return max((entry["seq"] for entry in self.web.log()), default=0)

    def requests(self, since: int = 0) -> list[dict[str, Any]]:
        """What was asked of the web, robots.txt left out."""
        return [e for e in self.web.log(since=since) if not e["url"].endswith("/robots.txt")]

    def documents(self) -> dict[str, tuple]:
        """What is known of each document, times of processing left out, by its id."""
        opened = self.open()
        try:
            rows = opened.conn.execute(
                "select id, identity, title, text, published_on, doc_number, relevant, "
                "(select group_concat(task) from (select distinct task from document_tasks where document = pk order by task)), "
                "(select group_concat(canonical_url) from (select canonical_url from document_urls where document = pk "
                "order by canonical_url)) from documents order by id"
            ).fetchall()
        finally:
            opened.close()
        assert len({row[0] for row in rows}) == len(rows)
        return {row[0]: tuple(row[1:]) for row in rows}


def ends(text: str) -> dict[str, dict[str, Any]]:
    """The JSON lines of `crawl --json`, by source."""
    lines = [json.loads(line) for line in text.splitlines()]
    return {line["source"]: line for line in lines if "source" in line}
