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
