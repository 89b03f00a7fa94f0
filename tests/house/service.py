"""A service (`circularwatch up` or `schedule`) running on the imitation web, and what tests want to know of it."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from tests.house.house import House

# Longer than any machine needs; a test that waits this long has failed.
PATIENCE_S = 120.0


class Service:
    """Started in a process group of its own, its words in a file."""

    def __init__(self, house: House, *args: str) -> None:
        self.house, self.words = house, house.folder / f"service-{time.monotonic_ns()}.log"
        with open(self.words, "wb") as out:
            self.process = subprocess.Popen(
                house.command(*args), cwd=house.folder, env=house.env, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self.began = time.monotonic()

    def said(self) -> str:
        return self.words.read_text("utf-8", "replace")

    def family(self) -> list[psutil.Process]:
        """All its processes below the first."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def part(self, *words: str) -> psutil.Process | None:
        """The process of a part, by words of its command line."""
        for process in self.family():
            try:
                line = process.cmdline()
            except psutil.Error:
                continue
            if all(word in line for word in words):
                return process
        return None

    def crawls(self) -> list[psutil.Process]:
        found = []
        for process in self.family():
            try:
                if "crawler.run" in process.cmdline():
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        """Until the condition holds; its value."""
        until = time.monotonic() + PATIENCE_S
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > until:
                raise AssertionError(f"{what} did not happen; the service said:\n{self.said()[-6000:]}")
            if self.process.poll() is not None and time.monotonic() > self.began + 5:
                raise AssertionError(
                    f"the service ended ({self.process.returncode}) before {what}:\n{self.said()[-6000:]}"
                )
            time.sleep(0.1)

    def stop(self) -> tuple[int, float]:
        """SIGTERM; (status, seconds until all of it was gone)."""
        family = self.family()
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        _, alive = psutil.wait_procs(family, timeout=20)
        seconds = time.monotonic() - began
        assert not alive, [p.cmdline() for p in alive if p.is_running()]
        return status, seconds

    def clear_away(self) -> None:
        """At the end of a test, whatever happened: only what it started itself."""
        family = self.family()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for process in family:
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def rows(house: House, sql: str, *values: Any) -> list[dict[str, Any]]:
    """What the database says now; [] while there is none."""
    if not house.database.exists():
        return []
    from db import DatabaseError

    try:
        opened = house.open()
    except DatabaseError:  # being made at this moment
        return []
    try:
        return list(opened.query(sql, values))
    finally:
        opened.close()


def done(house: House) -> dict[str, int]:
    """Finished crawls by source."""
    found = rows(house, "select source, count(*) as n from source_runs where state = 'done' group by source")
    return {r["source"]: r["n"] for r in found}


def two_at_once(house: House) -> list[tuple[str, str, str]]:
    """Pairs of crawls of one source that overlap in time by their archive files' ends; [] where the rule was kept.

    Ledger times are whole seconds, so touching ends are no overlap.
    """
    found = []
    runs = rows(house, "select id, source, started_at, coalesce(finished_at, '9999') as until from source_runs "
                       "where state != 'skipped' and pid != 0 order by source, started_at, id")  # fmt: skip
    for a, b in itertools.pairwise(runs):
        if a["source"] == b["source"] and b["started_at"] < a["until"]:
            found.append((a["source"], a["id"], b["id"]))
    return found


def write_settings(folder: Path, **values: Any) -> None:
    """./circularwatch.yaml of a house."""
    import json

    text = "".join(f"{name}: {json.dumps(value)}\n" for name, value in values.items())
    (folder / "circularwatch.yaml").write_text(text, encoding="utf-8")
