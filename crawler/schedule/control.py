"""How commands and the live scheduler find each other: a lock that a dead scheduler does not hold, and orders in the database."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from db.connection import immediate
from db.outbox import stamp

# How often the lock is tried, 20 ms apart.
LOOKS = 10


class SchedulerBusy(Exception):
    """A scheduler is at work on this database already."""


def lock_file(database: Path) -> Path:
    """Where the scheduler of a database holds its lock and says who it is."""
    return Path(f"{database}.scheduler.lock")


@contextlib.contextmanager
def be_the_scheduler(database: Path, about: dict[str, Any]) -> Iterator[None]:
    """Be the one scheduler of this database; the kernel drops the lock when this process ends, however it ends."""
    path = lock_file(database)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        for left in reversed(range(LOOKS)):  # somebody who only looks holds it for a moment
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if left:
                    time.sleep(0.02)
                    continue
                who = _read(path).get("pid", "?")
                raise SchedulerBusy(
                    f"a scheduler (process {who}) is at work on {database} already; `circularwatch schedule status` shows it"
                ) from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "since": stamp(datetime.now(UTC)), **about}))
        file.flush()
        yield


def scheduler_of(database: Path) -> dict[str, Any] | None:
    """What the live scheduler says of itself (pid, since …); None when none is running."""
    path = lock_file(database)
    try:
        with open(path, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _read(path) or {"pid": None, "since": None}
    except FileNotFoundError:
        return None
    return None


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def order(opened: Database, action: str, source: str = "") -> int:
    """Ask something of the live scheduler; gives the order's number."""
    with immediate(opened) as conn:
        made = conn.execute(
            "insert into schedule_orders (action, source, given_at) values (?, ?, ?)",
            (action, source, stamp(datetime.now(UTC))),
        )
        return int(made.lastrowid or 0)


def open_orders(opened: Database) -> list[tuple[int, str, str]]:
    """(number, action, source) of what nobody has taken yet, oldest first."""
    sql = "select id, action, source from schedule_orders where taken_at is null order by id"
    return [(int(n), action, source) for n, action, source in opened.conn.execute(sql).fetchall()]


def answer(opened: Database, number: int, text: str) -> None:
    """Say what became of an order."""
    with immediate(opened) as conn:
        conn.execute(
            "update schedule_orders set taken_at = ?, answer = ? where id = ? and taken_at is null",
            (stamp(datetime.now(UTC)), text, number),
        )


def wait_for(opened: Database, number: int, seconds: float) -> str | None:
    """The scheduler's answer to an order, at most so many seconds from now; None when there is none by then."""
    until = time.monotonic() + seconds
    while True:
        row = opened.conn.execute("select taken_at, answer from schedule_orders where id = ?", (number,)).fetchone()
        if row and row[0]:
            return str(row[1])
        if time.monotonic() > until:
            return None
        time.sleep(0.1)


def withdraw(opened: Database, number: int) -> None:
    """Take an order back that nobody took: it must not surprise somebody a week later."""
    answer(opened, number, "withdrawn: no scheduler answered")
