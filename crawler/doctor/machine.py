"""The machine and the installation: packages, configuration, disk, clock."""

from __future__ import annotations

import os
import shutil
import sqlite3
import statistics
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from crawler.doctor import Finding, bad, ok, warn

SMALLEST_SQLITE = (3, 38, 0)
# Less free space than this: the next crawls fail soon, or fail now.
LOW_BYTES, NONE_BYTES = 2_000_000_000, 200_000_000
# Difference between this clock and those of the sites beyond which dates are doubtful, in seconds.
MOST_SKEW_S = 120.0
ANSWERS = 25


def packages() -> Iterator[Finding]:
    """Python, SQLite, and every package that circularwatch needs in a version that it knows."""
    from packaging.requirements import Requirement

    version = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info[:2] < (3, 14):
        yield ok("python", version)
    else:
        yield bad("python", f"{version} is not known to work", "use Python 3.11 to 3.13: make setup PYTHON=python3.12")
    yield from _sqlite()
    try:
        needed = [Requirement(text) for text in metadata.requires("circularwatch") or []]
    except metadata.PackageNotFoundError:
        yield bad(
            "packages", "circularwatch is not installed in this Python", "make setup, and use .venv/bin/circularwatch"
        )
        return
    wrong = []
    count = 0
    for need in needed:
        if need.marker is not None and not need.marker.evaluate({"extra": ""}):
            continue
        count += 1
        try:
            have = metadata.version(need.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{need.name} is missing")
            continue
        if not need.specifier.contains(have, prereleases=True):
            wrong.append(f"{need.name} {have} (needed {need.specifier})")
    if wrong:
        yield bad("packages", "; ".join(wrong), "make setup installs the locked versions")
    else:
        yield ok("packages", f"all {count} in the right versions")


def _sqlite() -> Iterator[Finding]:
    version = sqlite3.sqlite_version
    conn = sqlite3.connect(":memory:")
    try:
        conn.execute("create virtual table t using fts5(x)")
    except sqlite3.OperationalError:
        yield bad("sqlite", f"{version} has no full-text search (FTS5)", "use a Python whose SQLite has FTS5")
        return
    finally:
        conn.close()
    if sqlite3.sqlite_version_info < SMALLEST_SQLITE:
        yield bad("sqlite", f"{version} is too old", "use a Python with SQLite 3.38 or newer")
    else:
        yield ok("sqlite", f"{version} with FTS5")


def configuration(config_dir: Path | None, env: Mapping[str, str]) -> Iterator[tuple[Finding, Any]]:
    """The configuration with its warnings; the loaded one comes beside a finding."""
    import config
    from config.effective import effective

    try:
        loaded = config.load(config_dir, env)
    except config.ConfigError as e:
        more = f" (and {len(e.further)} more)" if e.further else ""
        yield bad("configuration", f"{e}{more}", "mend it; `circularwatch config check` shows every fault"), None
        return
    on = sum(s.enabled for s in loaded.sources.values())
    words = f"{loaded.directory}: {len(loaded.sources)} sources, {on} on, {len(loaded.alerts)} alert rules"
    yield ok("configuration", words), loaded
    for text in effective(loaded.directory, env).warnings:
        yield warn("configuration", text), None


def disk(config: Any) -> Iterator[Finding]:
    """Room, and the right to write, where database and archive lie."""
    seen: set[int] = set()
    for name, folder in (
        ("database", config.settings.database.absolute().parent),
        ("archive", config.settings.archive.absolute()),
    ):
        while not folder.exists():
            folder = folder.parent
        if not os.access(folder, os.W_OK):
            yield bad("disk", f"{folder} (for the {name}) cannot be written", "give this user the right to write there")
        device = os.stat(folder).st_dev
        if device in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(folder).free
        words = f"{free / 1e9:.1f} GB free at {folder}"
        if free < NONE_BYTES:
            yield bad("disk", words, "make room: a crawl stops when it cannot write")
        elif free < LOW_BYTES:
            yield warn("disk", words, "make room soon")
        else:
            yield ok("disk", words)


def clock(opened: Any, config: Any) -> Iterator[Finding]:
    """The clock against what was written before, and against the clocks of the sites, as their answers told them."""
    rows: list[Any] = []
    if opened is not None:
        rows = opened.conn.execute(
            "select fetched_at, archive_file, archive_offset from fetches where outcome = 'ok' order by id desc limit ?",
            (ANSWERS,),
        ).fetchall()
    now = datetime.now(UTC)  # after the question: a crawl that is at work may have stored its answer a moment ago
    newest = max((row[0] for row in rows), default="")
    if newest and newest[:19] > now.strftime("%Y-%m-%dT%H:%M:%S"):
        yield bad("clock", f"it says {now:%Y-%m-%d %H:%M} UTC, and something was fetched at {newest} already",
                  "set the clock (NTP); what comes meanwhile gets wrong times")  # fmt: skip
        return
    skews = list(_skews(rows, config.settings.archive))
    if len(skews) >= 5 and abs(statistics.median(skews)) > MOST_SKEW_S:
        yield warn(
            "clock",
            f"it differs from the clocks of the sites by {statistics.median(skews):+.0f} s",
            "set the clock (NTP)",
        )
        return
    told = f", {len(skews)} answers of sites agree" if len(skews) >= 5 else ""
    yield ok("clock", f"{now:%Y-%m-%d %H:%M} UTC{told}")


def _skews(rows: list[Any], archive: Path) -> Iterator[float]:
    """Seconds by which our time of an answer is ahead of the server's own."""
    from pipelines.archive import ArchiveReadError, read

    for fetched_at, file, offset in rows:
        try:
            said = read(archive / file, offset).headers.get("date", "")
            server = parsedate_to_datetime(said)
        except (ArchiveReadError, OSError, ValueError, TypeError):
            continue
        ours = datetime.fromisoformat(fetched_at.replace("Z", "+00:00"))
        yield (ours - (server if server.tzinfo else server.replace(tzinfo=UTC))).total_seconds()
