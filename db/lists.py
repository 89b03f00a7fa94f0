"""What is known of the lists of a source from earlier runs: how many rows they had, and of when the newest was."""

from __future__ import annotations

from typing import NamedTuple

from sqlite_utils import Database


class Seen(NamedTuple):
    """A list as it was when it was last read: its rows, and the civil date of the newest ("" when rows have no dates)."""

    rows: int
    newest_on: str


def seen(database: Database, source: str) -> dict[str, Seen]:
    """The lists of a source that were read well at least once, by address."""
    rows = database.query(
        "select url, rows, coalesce(newest_published_on, '') as newest from lists where source = ? and rows > 0",
        [source],
    )
    return {r["url"]: Seen(r["rows"], r["newest"]) for r in rows}


def incomplete(database: Database, source: str, run: str) -> bool:
    """Whether the run before `run` may have left pages of lists unread: killed or stopped, or one of its lists failed.

    Entries of a page that was read are remembered one by one; of a page that was not, only this tells. True too where
    there was no run before.
    """
    sql = "select id, state from source_runs where source = ? and id != ? and state != 'skipped' order by started_at desc, id desc"
    before = next(iter(database.query(sql, [source, run])), None)
    if before is None or before["state"] != "done":
        return True
    sql = "select 1 from fetches where run = ? and kind = 'list' and outcome not in ('ok', 'unchanged', 'redirect', 'not-found')"
    return database.execute(sql, [before["id"]]).fetchone() is not None
