"""The outbox: what alert rules found, what is to be told to whom, and what became of it.

A match, its message and the end of the document's fetch are one transaction, so a document can neither be stored
without its alert nor alert twice. A message's id is a digest of what it tells to whom: the receiver's key to drop a
repeat. A repeat can only come from a crash between sending and noting (an attempt left `unknown`).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

# More finds of one rule in one transaction than this are told in one message, not one by one.
AT_ONCE = 5
# A document published this long before it was first seen is a late find: told in the daily summary.
LATE_DAYS = 7
MAX_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert rule as the outbox needs it. `pace` is `at-once` or `daily`; `recipients` are names of channels."""

    id: str
    query: str
    recipients: tuple[str, ...] = ()
    pace: str = "at-once"


@dataclass(slots=True)
class Message:
    """A message to be sent, with its key (`id`) and its attempts so far."""

    id: str
    rule: str
    recipient: str
    kind: str
    attempts: int
    sequences: list[int] = field(default_factory=list)
    payload: dict[str, Any] = field(default_factory=dict)


def key(*parts: object) -> str:
    """The idempotency key of a message: the same contents to the same recipient give the same key."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]


def stamp(moment: datetime) -> str:
    """An instant as the database writes it: UTC, whole seconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def sync_rules(connection: sqlite3.Connection, rules: Iterable[Rule], now: datetime) -> None:
    """Bring `alert_rules` in line with the configuration; a rule that is gone is kept as inactive, with its history."""
    known = {
        row[0]: row[1:] for row in connection.execute("select id, query, recipients, pace, active from alert_rules")
    }
    wanted = {}
    for rule in rules:
        values = (rule.query, json.dumps(rule.recipients, ensure_ascii=False), rule.pace, 1)
        wanted[rule.id] = rule
        if rule.id not in known:
            connection.execute(
                "insert into alert_rules(id, query, recipients, pace, active, first_seen_at, changed_at) values (?,?,?,?,?,?,?)",
                (rule.id, *values, stamp(now), stamp(now)),
            )
        elif known[rule.id] != values:
            connection.execute(
                "update alert_rules set query = ?, recipients = ?, pace = ?, active = ?, changed_at = ? where id = ?",
                (*values, stamp(now), rule.id),
            )
    for gone in known.keys() - wanted.keys():
        connection.execute(
            "update alert_rules set active = 0, changed_at = ? where id = ? and active = 1", (stamp(now), gone)
        )


def reason_for(published_on: str | None, first_seen_at: str, backfill: bool) -> str:
    """Why a document is found now: `backfill` (asked for, or a source's first run), `late`, or `new`."""
    if backfill:
        return "backfill"
    if (
        published_on
        and published_on < (datetime.fromisoformat(first_seen_at) - timedelta(days=LATE_DAYS)).date().isoformat()
    ):
        return "late"
    return "new"


def record(
    connection: sqlite3.Connection,
    rule: Rule,
    finds: Sequence[tuple[str, str, list[str]]],
    now: datetime,
) -> int:
    """Note what one rule found in this transaction, `(document id, reason, clauses)` each, and queue what is told at once.

    A document that the rule found before is not told again. Returns how many finds were new.
    """
    fresh: list[tuple[int, str]] = []
    for document, reason, clauses in finds:
        cursor = connection.execute(
            "insert or ignore into alert_matches(rule, document, reason, clauses, matched_at) values (?,?,?,?,?)",
            (rule.id, document, reason, json.dumps(clauses, ensure_ascii=False), stamp(now)),
        )
        if cursor.rowcount == 1 and cursor.lastrowid is not None:
            fresh.append((cursor.lastrowid, reason))
    told = [sequence for sequence, reason in fresh if reason == "new"]
    if rule.pace == "at-once" and told:
        groups = [told] if len(told) > AT_ONCE else [[sequence] for sequence in told]
        for recipient in rule.recipients:
            for group in groups:
                put(connection, rule.id, recipient, "alert", group, now)
    return len(fresh)


def put(
    connection: sqlite3.Connection,
    rule: str,
    recipient: str,
    kind: str,
    sequences: Sequence[int],
    now: datetime,
    payload: dict[str, Any] | None = None,
) -> str:
    """Queue a message; the same message is queued once. Returns its key."""
    documents = [
        connection.execute("select document from alert_matches where sequence = ?", (s,)).fetchone()[0]
        for s in sequences
    ]
    name = key(kind, rule, recipient, *(documents or [json.dumps(payload, sort_keys=True, ensure_ascii=False)]))
    connection.execute(
        "insert or ignore into alert_messages(id, rule, recipient, kind, state, created_at, next_attempt_at, sequences, payload) "
        "values (?, ?, ?, ?, 'pending', ?, ?, ?, ?)",
        (
            name,
            rule,
            recipient,
            kind,
            stamp(now),
            stamp(now),
            json.dumps(list(sequences)),
            json.dumps(payload or {}, ensure_ascii=False),
        ),
    )
    return name


def gather(
    connection: sqlite3.Connection, rule: Rule, stream: str, today: str, now: datetime, payload: dict[str, Any]
) -> int:
    """Make the digest (`stream` digest) or the summary of late finds and back-fills of a rule, once per local day.

    Goes by sequence numbers after the recipient's cursor, whatever the documents' dates. Returns how many were queued.
    """
    reasons = ("new", "late", "backfill") if stream == "digest" else ("late", "backfill")
    made = 0
    for recipient in rule.recipients:
        row = connection.execute(
            "select sequence, told_on from alert_cursors where rule = ? and recipient = ? and stream = ?",
            (rule.id, recipient, stream),
        ).fetchone() or (0, "")
        if row[1] >= today:
            continue
        marks = ", ".join("?" * len(reasons))
        found = connection.execute(
            f"select sequence from alert_matches where rule = ? and sequence > ? and reason in ({marks}) order by sequence",
            (rule.id, row[0], *reasons),
        ).fetchall()
        sequences = [sequence for (sequence,) in found]
        if sequences:
            put(connection, rule.id, recipient, "digest" if stream == "digest" else "summary", sequences, now, payload)
            made += 1
        connection.execute(
            "insert into alert_cursors(rule, recipient, stream, sequence, told_on) values (?,?,?,?,?) "
            "on conflict(rule, recipient, stream) do update set sequence = excluded.sequence, told_on = excluded.told_on",
            (rule.id, recipient, stream, sequences[-1] if sequences else row[0], today),
        )
    return made


def claim(connection: sqlite3.Connection, now: datetime, skip: Sequence[str] = ()) -> Message | None:
    """The next message that is due, with a new attempt noted as `unknown` before anything is sent.

    `skip` are recipients to leave alone (their channel is not configured). Needs a write transaction.
    """
    marks = ", ".join("?" * len(skip))
    row = connection.execute(
        "select id, rule, recipient, kind, attempts, sequences, payload from alert_messages "
        f"where state = 'pending' and next_attempt_at <= ? and recipient not in ({marks}) "
        "order by next_attempt_at, created_at, id limit 1",
        (stamp(now), *skip),
    ).fetchone()
    if row is None:
        return None
    number = row[4] + 1
    connection.execute(
        "insert into alert_attempts(message, number, started_at, outcome) values (?, ?, ?, 'unknown')",
        (row[0], number, stamp(now)),
    )
    connection.execute(
        "update alert_messages set attempts = ?, next_attempt_at = ? where id = ?",
        (number, stamp(now + backoff(number)), row[0]),
    )
    return Message(
        row[0], row[1], row[2], row[3], attempts=number, sequences=json.loads(row[5]), payload=json.loads(row[6])
    )


def backoff(attempt: int) -> timedelta:
    """How long to wait after an attempt: 1, 2, 4 … minutes, at most four hours."""
    return timedelta(minutes=min(2 ** (attempt - 1), 240))


def settle(
    connection: sqlite3.Connection,
    message: Message,
    now: datetime,
    *,
    error: str = "",
    permanent: bool = False,
    wait: timedelta | None = None,
) -> str:
    """Note how an attempt ended: `sent`, `pending` again after a back-off (or `wait`, what the receiver asked for), or `dead`."""
    outcome = "failed" if error else "sent"
    connection.execute(
        "update alert_attempts set finished_at = ?, outcome = ?, reason = ? where message = ? and number = ?",
        (stamp(now), outcome, error, message.id, message.attempts),
    )
    state = "sent" if not error else "dead" if permanent or message.attempts >= MAX_ATTEMPTS else "pending"
    connection.execute(
        "update alert_messages set state = ?, error = ?, sent_at = ?, next_attempt_at = ? where id = ?",
        (
            state,
            error,
            stamp(now) if state == "sent" else None,
            stamp(now + (wait or backoff(message.attempts))),
            message.id,
        ),
    )
    return state


def revive(connection: sqlite3.Connection, message: str, now: datetime) -> bool:
    """Give a dead message another series of attempts, under the same key; False if there is no such dead message."""
    cursor = connection.execute(
        "update alert_messages set state = 'pending', next_attempt_at = ? where id = ? and state = 'dead'",
        (stamp(now), message),
    )
    return cursor.rowcount == 1
