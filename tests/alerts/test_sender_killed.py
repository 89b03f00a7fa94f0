"""kill -9 of the sender at many points: nothing lost, and a repeat only between sending and noting, with the same key."""

from __future__ import annotations

import collections
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import db
from tests.alerts.conftest import Hook, Office
from tests.alerts.test_alerts import store

ROOT = Path(__file__).resolve().parents[2]
KILLS, MESSAGES = 12, 24


def start(office: Office) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "crawler", "alerts", "send", "--config", str(office.folder / "config")]
    return subprocess.Popen(
        command, cwd=ROOT, env=os.environ | office.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def rows(office: Office, sql: str) -> list[tuple]:
    database = office.database()
    try:
        found: list[tuple] = database.conn.execute(sql).fetchall()
        return found
    finally:
        database.close()


def test_killed_at_many_points(office: Office, hook: Hook) -> None:
    database = office.database()
    db.sync(database, office.config)
    for number in range(1, MESSAGES + 1):
        store(database, office.config, number, f"贷款第{number}批")
    database.close()
    rng = random.Random(7)
    repeats: set[str] = set()
    for _ in range(KILLS):
        process = start(office)
        before = len(hook.got)
        deadline = time.monotonic() + 30
        while len(hook.got) == before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        process.wait()
        repeats |= {row[0] for row in rows(office, "select message from alert_attempts where outcome = 'unknown'")}
        # what a crash left pending is due again at once, as it would be after its back-off
        forward(office)
    last = start(office)
    assert last.wait(timeout=120) in (0, 1)
    got = collections.Counter(key for key, _ in hook.got)
    sent = {row[0] for row in rows(office, "select id from alert_messages where recipient = 'channel:hook'")}
    assert len(sent) == MESSAGES
    assert set(got) == sent, "a message was lost"
    assert {key for key, count in got.items() if count > 1} <= repeats, (
        "a repeat without a crash between sending and noting"
    )
    assert rows(office, "select count(*) from alert_messages where recipient = 'channel:hook' and state != 'sent'") == [
        (0,)
    ]


def forward(office: Office) -> None:
    database: Any = office.database()
    with db.immediate(database) as connection:
        connection.execute("update alert_messages set next_attempt_at = created_at where state = 'pending'")
    database.close()
