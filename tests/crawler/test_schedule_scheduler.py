"""The scheduler at work, with crawls that only pretend: who begins when, who waits, who is left out, and a changed configuration."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import config
import db
from crawler.schedule import book, children, control, plan
from crawler.schedule.scheduler import Scheduler
from db import runs
from db.tables import sync

NAMES = ("nfra", "ndrc_zcfb", "pboc_lists", "mof_zcfb", "csrc_yw")
CHILD = """
import json, os, sys, time
source, folder, seconds, ending = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
def note(word):
    with open(os.path.join(folder, 'log'), 'a') as file:
        file.write(f'{time.monotonic()} {word} {source}\\n')
if ending == 'refused':
    sys.exit('circularwatch: this cannot be')
print(json.dumps({'event': 'start', 'run': 'r', 'source': source}), flush=True)
note('begin')
time.sleep(seconds)
note('end')
print(json.dumps({'event': 'end', 'source': source, 'state': 'done', 'outcome': 'ok', 'reason': ''}), flush=True)
"""


class Live:
    """A scheduler in this process, whose crawls are `CHILD`. `seconds` and `ending` say what they do."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, *, at_once: int = 2) -> None:
        self.folder = folder
        self.configuration = folder / "config"
        shutil.copytree(
            Path(config.__file__).parent,
            self.configuration,
            ignore=shutil.ignore_patterns("*.py", "__pycache__", "training"),
        )
        self.env = {"CIRCULARWATCH_DB": str(folder / "c.db"), "CIRCULARWATCH_CRAWLS_AT_ONCE": str(at_once)}
        self.seconds, self.ending = 0.0, "good"
        self.said: list[dict[str, Any]] = []
        script = folder / "child.py"
        script.write_text(CHILD, encoding="utf-8")

        def command(_: Any, source: str, trigger: str, planned: str, bounds: Any) -> list[str]:
            return [sys.executable, str(script), source, str(folder), str(self.seconds), self.ending]

        monkeypatch.setattr(children, "command", command)
        monkeypatch.setattr(plan, "CATCH_UP_GAP_S", 0.2)

    def say(self, line: str, **facts: Any) -> None:
        self.said.append({"text": line} | facts)

    def make(self, every: float, only: tuple[str, ...] = NAMES) -> Scheduler:
        return Scheduler(config.load(self.configuration, self.env), self.env, self.say, every_s=every, only=only)

    def go(
        self, every: float, until: Callable[[Scheduler], bool], only: tuple[str, ...] = NAMES, limit: float = 60.0
    ) -> Scheduler:
        """Run until the condition holds, then stop."""
        scheduler = self.make(every, only)

        async def main() -> None:
            task = asyncio.create_task(scheduler.run())
            waited = 0.0
            while not task.done() and not until(scheduler):
                await asyncio.sleep(0.05)
                waited += 0.05
                assert waited < limit, (self.said, self.log())
            scheduler.stop()
            await task

        asyncio.run(main())
        return scheduler

    def log(self) -> list[tuple[float, str, str]]:
        path = self.folder / "log"
        rows = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [(float(at), word, source) for at, word, source in rows]

    def count(self, word: str = "begin") -> int:
        return sum(w == word for _, w, _ in self.log())

    def heard(self, words: str) -> bool:
        return any(words in said["text"] for said in self.said)

    @contextmanager
    def database(self) -> Iterator[Any]:
        opened = db.connect(self.folder / "c.db")
        try:
            yield opened
        finally:
            opened.close()

    def rows(self, sql: str = "select * from source_runs order by started_at, id") -> list[dict]:
        with self.database() as opened:
            return list(opened.query(sql))


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Live:
    return Live(tmp_path, monkeypatch)


def test_never_more_at_once_than_allowed_and_never_two_of_one_source(live: Live) -> None:
    live.seconds = 0.3
    live.go(2.0, lambda s: live.count("end") >= 12)
    under_way: list[str] = []
    most = 0
    for _, word, source in live.log():
        if word == "begin":
            assert source not in under_way
            under_way.append(source)
        elif source in under_way:
            under_way.remove(source)
        most = max(most, len(under_way))
    assert most == 2


def test_after_a_downtime_the_most_overdue_begin_first(live: Live) -> None:
    with live.database() as opened:
        sync(opened, config.load(live.configuration, live.env))
        now = datetime.now(UTC)
        for hours, name in ((2, "nfra"), (30, "ndrc_zcfb"), (5, "pboc_lists"), (90, "mof_zcfb")):  # csrc_yw: never
            at = (now - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
            runs.start_run(opened, f"r{name}", name, started_at=at)
            runs.finish_run(opened, f"r{name}")
    live.env["CIRCULARWATCH_CRAWLS_AT_ONCE"] = "1"
    live.go(3600.0, lambda s: live.count("end") == 5)
    assert [source for _, word, source in live.log() if word == "begin"] == [
        "csrc_yw",
        "mof_zcfb",
        "ndrc_zcfb",
        "pboc_lists",
        "nfra",
    ]
    assert live.heard("5 are overdue and begin one after the other")


def test_what_is_not_due_does_not_begin(live: Live) -> None:
    with live.database() as opened:
        sync(opened, config.load(live.configuration, live.env))
        for name in ("nfra", "ndrc_zcfb"):
            runs.start_run(opened, f"r{name}", name)
            runs.finish_run(opened, f"r{name}")
    live.go(3600.0, lambda s: live.count("end") == 1, only=("nfra", "ndrc_zcfb", "csrc_yw"))
    assert {source for _, _, source in live.log()} == {"csrc_yw"}


def test_a_crawl_that_takes_longer_than_its_interval_is_not_begun_twice(live: Live) -> None:
    live.seconds = 2.5
    live.go(1.0, lambda s: live.count("end") >= 1, only=("nfra",))
    skipped = [r for r in live.rows() if r["state"] == "skipped"]
    assert skipped
    assert {(r["source"], r["outcome"], r["reason"]) for r in skipped} == {
        ("nfra", "still-running", "its last crawl is still running")
    }
    assert all(r["planned_at"] for r in skipped)


def test_one_that_cannot_begin_leaves_the_reason(live: Live) -> None:
    live.ending = "refused"
    live.go(1.0, lambda s: any(said.get("event") == "crawl" for said in live.said), only=("nfra",))
    row = live.rows()[0]
    assert row["state"] == "failed"
    assert "this cannot be" in row["reason"]
    assert row["planned_at"]


def test_paused_is_left_out_and_an_order_begins_all_the_same(live: Live) -> None:
    with live.database() as opened:
        sync(opened, config.load(live.configuration, live.env))
        book.pause(opened, ["nfra"], "moving house")
    asked: list[int] = []

    def until(scheduler: Scheduler) -> bool:
        if not asked and scheduler.aps.running:
            with live.database() as opened:
                skipped = opened.conn.execute("select count(*) from source_runs where outcome = 'paused'").fetchone()[0]
                if skipped:
                    assert live.count() == 0
                    asked.append(control.order(opened, "run", "nfra"))
        return live.count("end") == 1

    live.go(1.0, until, only=("nfra",))
    (skipped,) = [r for r in live.rows() if r["state"] == "skipped"]
    assert "moving house" in skipped["reason"]
    (order,) = live.rows("select * from schedule_orders")
    assert order["answer"] in ("begun", "waits for a free place")


def test_old_orders_are_not_carried_out(live: Live) -> None:
    with live.database() as opened:
        sync(opened, config.load(live.configuration, live.env))
        runs.start_run(opened, "r", "nfra")
        runs.finish_run(opened, "r")
        control.order(opened, "run", "nfra")
    live.go(3600.0, lambda s: live.count("end") == 1, only=("nfra", "csrc_yw"))
    assert {source for _, _, source in live.log()} == {"csrc_yw"}


def test_a_changed_configuration_is_taken_over_and_a_faulty_one_is_not(live: Live) -> None:
    sources = live.configuration / "sources.yaml"
    text = sources.read_text("utf-8")
    steps: list[str] = []
    counted: list[int] = []

    def until(scheduler: Scheduler) -> bool:
        if not steps and live.count("end") >= 2:
            sources.write_text(text.replace("- id: nfra\n", "- id: nfra\n  lnik: 1\n"), encoding="utf-8")
            steps.append("faulty")
        if steps == ["faulty"] and live.heard("the old one stays"):
            counted.append(live.count("end"))
            steps.append("told")
        if steps == ["faulty", "told"] and live.count("end") >= counted[0] + 2:  # it goes on with the old one
            sources.write_text(
                text.replace("- id: nfra\n", "- id: nfra\n  enabled: false\n", 1).replace("  enabled: true\n", "", 1),
                encoding="utf-8",
            )
            steps.append("changed")
        return steps[-1:] == ["changed"] and live.heard("was read again")

    scheduler = live.go(1.0, until, only=("nfra", "csrc_yw"))
    assert "lnik" in next(s["text"] for s in live.said if "old one stays" in s["text"])
    assert list(scheduler.timings) == ["csrc_yw"]
    assert live.heard("1 gone")


def test_a_hangup_reads_the_configuration_again(live: Live) -> None:
    sent: list[bool] = []

    def until(scheduler: Scheduler) -> bool:
        if not sent and hasattr(scheduler, "watch"):
            os.kill(os.getpid(), signal.SIGHUP)
            sent.append(True)
        return live.heard("was read again")

    live.go(3600.0, until, only=("nfra",))
    assert live.heard("0 new or changed, 0 gone")


def test_starts_that_a_sleeping_machine_missed_are_caught_up_with(live: Live) -> None:
    slept: list[int] = []

    def until(scheduler: Scheduler) -> bool:
        # on a busy machine every start may be under way just then, and none is missed: so it sleeps again
        if not live.heard("were missed") and live.count("end") >= 5 * (len(slept) + 1):
            slept.append(live.count("end"))
            time.sleep(4.0)  # nothing of this process goes on meanwhile, longer than the grace of a second
        return bool(slept) and live.heard("were missed") and live.count("end") >= slept[-1] + 5

    live.go(2.0, until)
    assert {r["outcome"] for r in live.rows()} <= {"still-running", "waiting", "stopped"}


def test_a_second_scheduler_is_refused(live: Live) -> None:
    with control.be_the_scheduler(live.folder / "c.db", {}), pytest.raises(control.SchedulerBusy, match="already"):
        asyncio.run(live.make(1.0).run())


def test_without_a_scheduler_nothing_is_said_to_be_due(live: Live) -> None:
    live.go(3600.0, lambda s: live.count("end") >= 2)
    assert {r["next_at"] for r in live.rows("select next_at from schedule")} == {None}


def test_crawls_that_do_not_listen_do_not_hold_up_the_end(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "STOP_S", 0.5)
    script = live.folder / "child.py"
    script.write_text("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + CHILD, encoding="utf-8")
    live.seconds = 600
    live.go(3600.0, lambda s: live.count() == 2)
    assert live.said[-1]["text"] == "stopped"
    assert live.count("end") == 0
