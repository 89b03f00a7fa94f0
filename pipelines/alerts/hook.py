"""Matches new documents against the alert rules inside the transaction that stores them."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from config.errors import ConfigError
from db import immediate, outbox
from db.search.match import Matcher
from pipelines.alerts.rules import enabled, outbox_rule, parsed

if TYPE_CHECKING:
    from sqlite_utils import Database

    from db.writer import StoredDocument

# A run is a back-fill if it was asked for as one, or is the first that ever read its source: an empty database that
# fills up is one summary, not a flood.
_BACKFILL = """
select d.pk, d.id, d.published_on, d.first_seen_at, coalesce(r.trigger = 'backfill', 0) or not exists (
    select 1 from source_runs e where e.source = r.source and e.id != r.id and e.state = 'done' and e.started_at < r.started_at)
from documents d left join fetches f on f.id = d.fetch left join source_runs r on r.id = f.run where d.pk = ?"""


def make(config: Any, database: Database) -> Callable[[sqlite3.Connection, Sequence[StoredDocument]], None]:
    """The writer's hook for the configured rules; raises ConfigError for a rule that cannot run."""
    queries, faults = parsed(config)
    if faults:
        raise ConfigError("alerts.yaml", 0, "; ".join(map(str, faults)))
    rules = {rule.id: outbox_rule(rule, config) for rule in enabled(config)}
    matcher = Matcher(queries)
    with immediate(database) as connection:
        outbox.sync_rules(connection, rules.values(), datetime.now(UTC))

    def after_store(connection: sqlite3.Connection, documents: Sequence[StoredDocument]) -> None:
        now = datetime.now(UTC)
        finds: dict[str, list[tuple[str, str, list[str]]]] = defaultdict(list)
        for pk, names in sorted(matcher.match(connection, [d.pk for d in documents]).items()):
            _, document, published, seen, backfill = connection.execute(_BACKFILL, (pk,)).fetchone()
            reason = outbox.reason_for(published, seen, bool(backfill))
            for name in names:
                if not known(connection, name, document):
                    finds[name].append((document, reason, matcher.clauses(connection, pk, name)))
        for name, found in finds.items():
            outbox.record(connection, rules[name], found, now)

    return after_store


def known(connection: sqlite3.Connection, rule: str, document: str) -> bool:
    """Whether this rule found this document before."""
    sql = "select 1 from alert_matches where rule = ? and document = ?"
    return connection.execute(sql, (rule, document)).fetchone() is not None
