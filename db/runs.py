"""The run ledger: each pass over a source, what it saw and what failed, with the reason in words."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlite_utils import Database

from db.connection import immediate
from db.journal import dumps

COUNTS = ("list_rows", "seen", "new", "unchanged", "failed", "refused", "requests", "bytes")
# A site that fails ten thousand times fails for the same few reasons; the ledger must stay readable.
MAX_FAILURES = 500


@dataclass(slots=True)
class Counts:
    """Figures of one run: rows that lists showed, entries seen, new, unchanged, failed, refused; requests and bytes."""

    list_rows: int = 0
    seen: int = 0
    new: int = 0
    unchanged: int = 0
    failed: int = 0
    refused: int = 0
    requests: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Run:
    """One row of the ledger. `failures` are dicts of url, outcome and reason."""

    id: str
    source: str
    trigger: str
    started_at: str
    state: str
    planned_at: str | None = None
    finished_at: str | None = None
    outcome: str = ""
    reason: str = ""
    counts: Counts = field(default_factory=Counts)
    archive_file: str = ""
    pid: int | None = None
    failures: list[dict[str, str]] = field(default_factory=list)


def now() -> str:
    """This moment in UTC, to the second, ending in Z."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def start_run(
    database: Database,
    run: str,
    source: str,
    *,
    trigger: str = "manual",
    planned_at: str | None = None,
    started_at: str | None = None,
    archive_file: str = "",
    pid: int | None = None,
) -> None:
    """Note that a run began. The source must be in `sources` (see `db.sync`). Starting the same run twice is one run."""
    with immediate(database) as conn:
        conn.execute(
            "insert into source_runs (id, source, trigger, planned_at, started_at, state, archive_file, pid) "
            "values (?, ?, ?, ?, ?, 'running', ?, ?) on conflict (id) do update set state = 'running', pid = excluded.pid",
            (run, source, trigger, planned_at, started_at or now(), archive_file, os.getpid() if pid is None else pid),
        )


def finish_run(
    database: Database,
    run: str,
    *,
    state: str = "done",
    outcome: str = "ok",
    reason: str = "",
    counts: Counts | Mapping[str, int] | None = None,
    failures: Iterable[Mapping[str, Any]] = (),
    finished_at: str | None = None,
) -> None:
    """Note how a run ended: `state` done, failed, stopped, killed or skipped, `reason` in words for users."""
    figures = {c: (counts.get(c, 0) if isinstance(counts, Mapping) else getattr(counts, c, 0)) for c in COUNTS}
    listed = list(failures)
    if len(listed) > MAX_FAILURES:
        more = len(listed) - MAX_FAILURES
        listed = [*listed[:MAX_FAILURES], {"url": "", "outcome": "", "reason": f"and {more} more failures"}]
    sets = ", ".join(f"{c} = :{c}" for c in COUNTS)
    with immediate(database) as conn:
        conn.execute(
            f"update source_runs set state = :state, outcome = :outcome, reason = :reason, finished_at = :finished_at, "
            f"failures = :failures, {sets} where id = :id",
            {"state": state, "outcome": outcome, "reason": reason, "finished_at": finished_at or now(), "id": run}
            | {"failures": dumps([dict(f) for f in listed])}
            | figures,
        )


def list_runs(database: Database, source: str | None = None, limit: int = 50) -> list[Run]:
    """The newest runs, of one source or of all."""
    where = "" if source is None else "where source = :source "
    rows = database.query(
        f"select * from source_runs {where}order by started_at desc, id desc limit :limit",
        {"source": source, "limit": limit},
    )
    return [_run(row) for row in rows]


def list_runs_in_state(database: Database, state: str) -> list[Run]:
    """All runs in one state."""
    return [_run(r) for r in database.query("select * from source_runs where state = ?", [state])]


def _run(row: dict[str, Any]) -> Run:
    values = {k: row[k] for k in ("id", "source", "trigger", "started_at", "state", "planned_at", "finished_at")}
    values |= {k: row[k] for k in ("outcome", "reason", "archive_file", "pid")}
    return Run(**values, counts=Counts(*(row[c] for c in COUNTS)), failures=json.loads(row["failures"]))
