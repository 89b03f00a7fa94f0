"""Crawls production sources on the imitation web, each crawl in a process of its own, and shows what it left."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.web import ImitationWeb

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Crawled:
    """One crawl: exit status, the end line of each source, and the requests that the web saw of it."""

    status: int
    ends: dict[str, dict[str, Any]]
    log: list[dict[str, Any]]
    errors: str

    def outcomes(self, source: str) -> dict[str, str]:
        """Outcome -> reason of each failure of a source."""
        return {f["outcome"]: f["reason"] for f in self.ends[source]["failures"]}

    @property
    def asked(self) -> list[str]:
        """Addresses asked for, robots.txt left out."""
        return [e["url"] for e in self.log if not e["url"].endswith("/robots.txt")]


@dataclass
class Production:
    """A folder with a database, and an imitation web to fill it from."""

    web: ImitationWeb
    folder: Path
    seen: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    def crawl(self, *sources: str, since: str = "") -> Crawled:
        """Crawl these sources."""
        env = (
            os.environ
            | self.web.environment()
            | {"CIRCULARWATCH_ARCHIVE": str(self.folder / "archive")}
            | self.environment
        )
        env.pop("CIRCULARWATCH_CONFIG", None)
        command = [
            sys.executable,
            "-m",
            "crawler.run",
            "--sources",
            ",".join(sources),
            "--db",
            str(self.database),
            "--json-progress",
        ]
        command += ["--since", since] if since else []
        run = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=200)
        lines = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
        log = self.web.log(since=self.seen)
        self.seen = max([self.seen, *(e["seq"] for e in log)])
        ends = {line["source"]: line for line in lines if line.get("event") == "end"}
        assert set(ends) == set(sources), run.stderr
        assert "Spider error" not in run.stderr, run.stderr
        return Crawled(run.returncode, ends, log, run.stderr)

    @property
    def database(self) -> Path:
        return self.folder / "c.db"

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of a query."""
        with sqlite3.connect(self.database) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(r) for r in connection.execute(sql, values)]

    def process(self) -> None:
        """What the processor does to the journal: every entry that was fetched is done, and its list's validators count."""
        from db import connect, journal

        database = connect(self.database)
        with database.conn:
            database.conn.execute("update entries set state = 'done' where state = 'fetched'")
            database.conn.execute("update fetches set state = 'done' where state = 'pending'")
        journal.promote_validators(database)
        database.close()

    def entries(self, source: str) -> dict[str, str]:
        """Public address -> state of a source's entries."""
        found = {}
        for row in self.rows("select url, state, said from entries where source = ?", source):
            said = json.loads(row["said"])
            found[said.get("public_url") or said.get("external_url") or row["url"]] = row["state"]
        return found
