"""What earlier runs of a source left: how many rows its lists had, of when the newest was, and what was broken off."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

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


class BrokenOff(NamedTuple):
    """A document that a run fetched before it was broken off. `parts`: addresses of what came of its attachments and pages."""

    fetch: int
    kind: str
    url: str
    entry: str
    said: str
    archive_file: str
    archive_offset: int
    parts: frozenset[str]


_BROKEN_OFF = """
select f.id, f.kind, f.url, f.entry, f.said, f.archive_file, f.archive_offset from source_runs r join fetches f on f.run = r.id
where r.source = ?1 and r.id != ?2 and r.state not in ('done', 'skipped') and f.kind in ('document', 'inline')
  and f.outcome = 'ok' and r.started_at > coalesce(
    (select max(started_at) from source_runs where source = ?1 and id != ?2 and state = 'done'), '')
order by f.id"""


def broken_off(database: Database, source: str, run: str) -> list[BrokenOff]:
    """Documents of the runs that did not end by themselves since the last one that did.

    Their entries are done once they are stored, so nothing else would ask for attachments that were never reached.
    """
    found = []
    for row in database.conn.execute(_BROKEN_OFF, (source, run)).fetchall():
        parts = database.conn.execute("select url from fetches where parent = ?", (row[0],)).fetchall()
        came = frozenset(unquote(url) for (url,) in parts)
        found.append(BrokenOff(row[0], row[1], row[2], row[3], row[4], row[5], row[6], came))
    return found
