"""Events and databases for the tests of this room, short enough that a test shows only what it is about."""

from __future__ import annotations

from typing import Any

from sqlite_utils import Database

from db import migrations
from db.journal import Exchange, ListRead
from db.search.fold import register


def memory() -> Database:
    """A migrated database in memory with one source and two tasks."""
    import sqlite3
    from pathlib import Path

    conn = sqlite3.connect(":memory:")
    register(conn)
    migrations.migrate(conn, Path(":memory:"))
    conn.execute("pragma foreign_keys = on")
    database = Database(conn)
    add_tasks(database)
    return database


def add_tasks(database: Database) -> None:
    """Two tasks and the source `s`, as `db.sync` would write them."""
    with database.conn as conn:
        for position, task in enumerate(("t1", "t2")):
            conn.execute(
                "insert into tasks (id, position, zh, en, status) values (?, ?, ?, ?, 'core')",
                (task, position, task, task),
            )
        conn.execute(
            "insert into sources (id, name, kind, type, language, certainty, enabled, base_url, interval_min, lists, "
            "updated_at) values ('s', 'S', 'html-list', 'regulator', 'zh', 'seen', 1, 'https://s/', 60, 1, '')"
        )


def instant(fetch: int) -> str:
    """A moment that grows with the fetch id."""
    return f"2026-01-01T{fetch // 3600:02}:{fetch // 60 % 60:02}:{fetch % 60:02}Z"


def exchange(
    fetch: int, outcome: str = "ok", *, kind: str = "document", entry: str | None = None, **more: Any
) -> Exchange:
    """An exchange with the fetch id `fetch`; everything else has a sensible value."""
    values: dict[str, Any] = {"run": "r1", "source": "s", "url": f"https://s/{entry or fetch}", "archive_file": "f"}
    values |= {"fetched_at": instant(fetch), "record_id": f"urn:uuid:{fetch}", "archive_offset": fetch, "status": 200}
    return Exchange(fetch_id=fetch, kind=kind, entry=entry, outcome=outcome, **(values | more))


def listing(fetch: int, keys: list[str], url: str = "https://l.example/", **more: Any) -> ListRead:
    """A list page that shows these entries."""
    rows = [{"key": k, "url": f"https://s/{k}", "said": {"title": k, "published_on": "2026-01-01"}} for k in keys]
    values: dict[str, Any] = {"run": "r1", "source": "s", "read_at": instant(fetch), "rows": rows}
    return ListRead(fetch_id=fetch, url=url, **(values | more))
