"""Whether two databases say the same, table by table: how tests prove that a rebuild gives what the crawl gave."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlite_utils import Database

# Not derivable from archive and configuration, or a moment of processing: these may differ after a rebuild.
SKIP_TABLES = ("source_runs", "source_days", "sqlite_sequence", "counters", "state")
SKIP_COLUMNS = {
    "fetches": ("processed_at", "attempts"),
    "sources": ("updated_at",),
}


def tables(database: Database) -> list[str]:
    """Tables that are compared: all but the exceptions and the shadow tables of the search index."""
    rows = database.conn.execute(
        "select name from pragma_table_list where schema = 'main' and type = 'table' and name not like 'sqlite_%'"
    )
    return sorted(r[0] for r in rows.fetchall() if r[0] not in SKIP_TABLES)


def columns(database: Database, table: str) -> list[str]:
    """The columns of a table that are compared, generated ones included."""
    skip = SKIP_COLUMNS.get(table, ())
    rows = database.conn.execute("select name from pragma_table_xinfo(?) where hidden != 1", (table,)).fetchall()
    return [r[0] for r in rows if r[0] not in skip]


def rows(database: Database, table: str) -> list[tuple[Any, ...]]:
    """All rows in an order that does not depend on how they were written."""
    names = ", ".join(f'"{c}"' for c in columns(database, table))
    found: list[tuple[Any, ...]] = database.conn.execute(f'select {names} from "{table}"').fetchall()
    return sorted(found, key=repr)


def differences(one: Database, other: Database, only: Iterable[str] | None = None, limit: int = 5) -> list[str]:
    """What differs, in words: at most `limit` rows per table; [] when the databases say the same."""
    found: list[str] = []
    names = sorted(only) if only is not None else tables(one)
    if only is None and names != tables(other):
        found.append(f"tables differ: {sorted(set(names) ^ set(tables(other)))}")
    for table in names:
        a, b = rows(one, table), rows(other, table)
        if a == b:
            continue
        left, right = set(map(repr, a)), set(map(repr, b))
        found.append(f"{table}: {len(a)} rows against {len(b)}")
        found += [f"{table}: only in the first: {r[:300]}" for r in sorted(left - right)[:limit]]
        found += [f"{table}: only in the second: {r[:300]}" for r in sorted(right - left)[:limit]]
    return found
