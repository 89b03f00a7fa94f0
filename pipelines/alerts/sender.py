"""Delivers the outbox: one sender at a time, an attempt noted before it is made and settled after.

A crash between sending and noting leaves the attempt `unknown`; the message is then sent again under the same key.
"""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from config.alerts import read_alerts
from db import immediate, outbox
from pipelines.alerts.channels import Channels, DeliveryError
from pipelines.alerts.render import render
from pipelines.alerts.rules import enabled, outbox_rule

if TYPE_CHECKING:
    from sqlite_utils import Database

    from config import Config

# Late finds and back-fills are told in one summary a day, from this local time on.
SUMMARY_AT = "08:00"
LOOK_EVERY_S = 2.0
Say = Callable[[str], None]


class SenderBusy(Exception):
    """Another sender is at work on this database."""


@dataclass(slots=True)
class Sent:
    """What a sender did: keys of messages by how they ended, and what could not be tried."""

    sent: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    blocked: dict[str, str] = field(default_factory=dict)


@contextmanager
def only_one(db_path: Path) -> Iterator[None]:
    """Hold the sender's lock, which a dead process does not keep; raises SenderBusy."""
    path = Path(f"{db_path}.sender.lock")
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise SenderBusy(
                "another sender is at work on this database; `circularwatch alerts log` shows what it does"
            ) from error
        yield


def send(
    config: Config,
    database: Database,
    *,
    follow: bool = False,
    stop: threading.Event | None = None,
    summaries_now: bool = False,
    say: Say = lambda text: None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Sent:
    """Gather digests and summaries that are due and deliver every message that is due; with `follow` until `stop` is set."""
    stop = stop or threading.Event()
    channels = Channels(config, read_alerts(config.directory).channels)
    done = Sent()
    with only_one(Path(config.settings.database)):
        while not stop.is_set():
            gather(config, database, clock(), summaries_now)
            while not stop.is_set() and deliver_next(config, database, channels, done, say, clock):
                pass
            if not follow:
                break
            stop.wait(LOOK_EVERY_S)
    return done


def gather(config: Config, database: Database, now: datetime, summaries_now: bool = False) -> int:
    """Queue the digests and summaries whose local time has come; gives how many."""
    local = now.astimezone(ZoneInfo(config.settings.timezone))
    made = 0
    with immediate(database) as connection:
        for rule in enabled(config):
            at = rule.daily_at or SUMMARY_AT
            due = summaries_now or local.strftime("%H:%M") >= at
            today = (local.date() if due else local.date() - timedelta(days=1)).isoformat()
            stream = "digest" if rule.daily_at else "summary"
            made += outbox.gather(connection, outbox_rule(rule, config), stream, today, now, {"on": today})
    return made


def deliver_next(
    config: Config, database: Database, channels: Channels, done: Sent, say: Say, clock: Callable[[], datetime]
) -> bool:
    """Deliver one message; False when none is due that can be tried."""
    done.blocked = blocked(database, channels, clock())
    with immediate(database) as connection:
        message = outbox.claim(connection, clock(), skip=tuple(done.blocked))
    if message is None:
        return False
    rule = config.alerts.get(message.rule)
    error: DeliveryError | None = None
    try:
        rendered = render(database, message, rule.name if rule else message.rule, config.settings.timezone)
        channels.deliver(message.recipient, message.id, rendered)
    except DeliveryError as failure:
        error = failure
    with immediate(database) as connection:
        state = outbox.settle(
            connection, message, clock(), error=str(error or ""),
            permanent=bool(error and error.permanent), wait=error.wait if error else None,
        )  # fmt: skip
    {"sent": done.sent, "pending": done.failed, "dead": done.dead}[state].append(message.id)
    words = {"sent": "sent", "pending": f"not sent ({error}), tried again later", "dead": f"given up ({error})"}[state]
    say(f"{message.kind} of {message.rule} to {message.recipient}: {words}")
    return True


def blocked(database: Database, channels: Channels, now: datetime) -> dict[str, str]:
    """Recipients with messages due to whom nothing can be sent as things are configured, and why."""
    rows = database.conn.execute(
        "select distinct recipient from alert_messages where state = 'pending' and next_attempt_at <= ?",
        (outbox.stamp(now),),
    ).fetchall()
    return {recipient: reason for (recipient,) in rows if (reason := channels.problem(recipient))}
