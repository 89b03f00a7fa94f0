"""The run ledger as the scheduler writes it, its lock and its orders."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

import db
from crawler.leases import SourceLock
from crawler.schedule import book, control
from db import runs
from tests.db.helpers import add_tasks

NOW = datetime(2026, 10, 8, 1, 30, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "c.db"


@pytest.fixture
def opened(path: Path) -> Iterator[Database]:
    database = db.connect(path)
    add_tasks(database)
    yield database
    database.close()


def rows(opened: Database) -> list[dict]:
    return list(opened.query("select * from source_runs order by started_at, id"))


def test_a_dead_run_becomes_killed_and_a_living_one_stays(opened: Database, path: Path) -> None:
    runs.start_run(opened, "r1", "s", pid=os.getpid())  # the number is alive, the lock is not held: dead all the same
    lock = SourceLock(book.locks_of(path), "s")
    assert book.reap(opened, path) == []
    assert rows(opened)[0]["state"] == "running"
    lock.close()
    assert [run.id for run in book.reap(opened, path)] == ["r1"]
    row = rows(opened)[0]
    assert (row["state"], row["outcome"]) == ("killed", "crashed")
    assert str(os.getpid()) in row["reason"]
    assert row["finished_at"]
    assert book.reap(opened, path) == []
    SourceLock(book.locks_of(path), "s").close()  # looking left nothing locked


def test_a_run_that_ended_by_itself_is_not_ended_again(opened: Database) -> None:
    runs.start_run(opened, "r1", "s")
    runs.finish_run(opened, "r1", outcome="ok")
    assert not book.close(opened, "r1", "killed", "no")
    assert rows(opened)[0]["state"] == "done"


def test_a_pause_of_weeks_is_one_row(opened: Database) -> None:
    for n in range(40):
        book.left_out(opened, "s", book.PAUSED, "paused since x", NOW + timedelta(minutes=30 * n))
    (row,) = rows(opened)
    assert (row["state"], row["outcome"], row["seen"]) == ("skipped", "paused", 40)
    assert "40 planned crawls left out since 2026-10-08T01:30:00Z" in row["reason"]
    assert row["planned_at"] == "2026-10-08T01:30:00Z"


def test_each_crawl_that_was_left_out_because_of_another_is_a_row(opened: Database) -> None:
    book.left_out(opened, "s", book.STILL_RUNNING, "its last crawl is still running", NOW)
    book.left_out(opened, "s", book.STILL_RUNNING, "its last crawl is still running", NOW)
    assert [r["outcome"] for r in rows(opened)] == ["still-running"] * 2


def test_only_a_crawl_that_came_to_an_end_counts_as_done(opened: Database) -> None:
    for number, state in enumerate(("done", "failed", "stopped", "killed", "skipped")):
        at = f"2026-10-08T0{number}:00:00Z"
        runs.start_run(opened, f"r{number}", "s", started_at=at)
        runs.finish_run(opened, f"r{number}", state=state)
    assert book.last_ends(opened) == {"s": datetime(2026, 10, 8, 1, tzinfo=UTC)}


def test_a_crawl_that_never_began_has_a_row_with_the_reason(opened: Database) -> None:
    book.never_began(opened, "s", "schedule", NOW, "failed", "its process ended with status 2")
    (row,) = rows(opened)
    assert (row["state"], row["reason"]) == ("failed", "its process ended with status 2")
    assert row["planned_at"] == "2026-10-08T01:30:00Z"


def test_pause_and_resume_say_what_changed(opened: Database) -> None:
    assert book.pause(opened, ["s", "t"], "moving house") == ["s", "t"]
    first = book.paused(opened)["s"]
    assert book.pause(opened, ["s"], "another reason") == []
    assert book.paused(opened)["s"] == first
    assert first[1] == "moving house"
    book.note_next(opened, {"s": NOW})
    assert book.resume(opened, ["s", "x"]) == ["s"]
    assert set(book.paused(opened)) == {"t"}
    assert opened.conn.execute("select next_at from schedule where source = 's'").fetchone() == (
        "2026-10-08T01:30:00Z",
    )


def test_one_scheduler_and_a_dead_one_holds_nothing(path: Path) -> None:
    assert control.scheduler_of(path) is None
    words = (
        "import sys; from pathlib import Path; from crawler.schedule import control\n"
        "with control.be_the_scheduler(Path(sys.argv[1]), {'x': 1}):\n    print('held', flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", words, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    live = control.scheduler_of(path)
    assert live is not None
    assert (live["pid"], live["x"]) == (other.pid, 1)
    with pytest.raises(control.SchedulerBusy, match=str(other.pid)), control.be_the_scheduler(path, {}):
        pass
    other.kill()
    other.wait()
    other.stdout.close()
    assert control.scheduler_of(path) is None
    with control.be_the_scheduler(path, {}):
        assert (control.scheduler_of(path) or {})["pid"] == os.getpid()


def test_who_only_looks_does_not_keep_a_scheduler_from_starting(path: Path) -> None:
    with control.be_the_scheduler(path, {}):
        pass
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            control.scheduler_of(path)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        for _ in range(30):
            with control.be_the_scheduler(path, {}):
                pass
    finally:
        stop.set()
        looker.join()


def test_an_order_is_answered_once(opened: Database) -> None:
    number = control.order(opened, "run", "s")
    assert control.open_orders(opened) == [(number, "run", "s")]
    assert control.wait_for(opened, number, 0.0) is None
    control.answer(opened, number, "begun")
    control.withdraw(opened, number)
    assert control.wait_for(opened, number, 0.0) == "begun"
    assert control.open_orders(opened) == []


def test_a_withdrawn_order_is_not_carried_out_a_week_later(opened: Database) -> None:
    control.withdraw(opened, control.order(opened, "run", "s"))
    assert control.open_orders(opened) == []
