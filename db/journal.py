"""What the crawl writes down: exchanges and list reads, applied in one transaction, as often and in whatever portions.

The archive holds the same events, so a crash between archive and database, or a rebuild, is only a replay: applying an
event that is known already changes nothing. The state of an entry is never counted up or down; it is computed from the
fetches that exist for it, which makes it independent of the order and the batching of events.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlite_utils import Database

from db.connection import immediate

DOCUMENT_KINDS = ("document", "inline")
PART_KINDS = ("page", "attachment")
# Say nothing about whether the entry can be had: the exchange goes on elsewhere, or nothing changed.
NEUTRAL = frozenset({"redirect", "unchanged"})
# Asking again would give the same answer. A refusal is respected, not worn down.
FINAL = frozenset(
    {"not-found", "soft-404", "forbidden", "login", "paywall", "wrong-host", "private-address", "too-large"}
    | {"too-many-redirects", "unreadable"}
)
# Passes (runs) in which an entry may fail transiently before it is given up. Several tries within one run count once:
# a server that is down for a minute must not use up the patience of days.
MAX_ATTEMPTS = 5


@dataclass(slots=True)
class Exchange:
    """One request and what came of it. Field for field the context of its WARC record, plus where that record lies.

    `kind`: robots, list, document, inline, page, attachment. `parent` is the fetch id of the document that a page or
    an attachment belongs to, `entry` the key of the list entry. `fetched_at` is an instant in UTC. `outcome` is `ok`
    or a word of `pipelines.outcomes`, `reason` the same in words for users.
    """

    fetch_id: int
    run: str
    source: str
    kind: str
    url: str
    fetched_at: str
    record_id: str
    archive_file: str
    archive_offset: int
    entry: str | None = None
    parent: int | None = None
    method: str = "GET"
    status: int | None = None
    outcome: str = "ok"
    reason: str = ""
    media_type: str = ""
    bytes: int = 0
    sha256: str = ""
    said: dict[str, Any] = field(default_factory=dict)
    etag: str = ""
    last_modified: str = ""


@dataclass(slots=True)
class ListRead:
    """What a list page listed. Each row: `key`, `url` and `said` (title, published_at, published_on, summary …).

    A row may bring its own `section`. Validators are those of the response; they count only once every row is done.
    """

    fetch_id: int
    run: str
    source: str
    url: str
    read_at: str
    outcome: str = "ok"
    section: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    etag: str = ""
    last_modified: str = ""
    sha256: str = ""


Event = Exchange | ListRead


@dataclass(slots=True)
class Applied:
    """What `apply` did: events that were new, that were known, and record ids whose fetch id another record holds."""

    new: int = 0
    known: int = 0
    clashes: list[str] = field(default_factory=list)


class Validators(NamedTuple):
    """What to ask a list with (If-None-Match, If-Modified-Since); empty strings where there is nothing to ask with."""

    etag: str = ""
    last_modified: str = ""


class Entry(NamedTuple):
    """A list entry as the crawl sees it."""

    key: str
    url: str
    state: str
    attempts: int
    reason: str
    said: dict[str, Any]
    section: str


def reserve(database: Database, n: int = 1) -> int:
    """Take `n` fetch ids that nobody else will get; returns the first."""
    with immediate(database) as conn:
        first = int(conn.execute("select next from counters where name = 'fetch'").fetchone()[0])
        conn.execute("update counters set next = ? where name = 'fetch'", (first + n,))
    return first


def apply(database: Database, events: Iterable[Event]) -> Applied:
    """Write events in one transaction. Call it only for what is on disk in the archive."""
    events = list(events)
    done = Applied()
    if not events:
        return done
    with immediate(database) as conn:
        entries: dict[tuple[str, str], None] = {}
        lists: dict[str, None] = {}
        for event in events:
            if isinstance(event, Exchange):
                _exchange(conn, event, done, entries)
            else:
                _list_read(conn, event, done)
                lists[event.url] = None
        for source, key in entries:
            settle_entry(conn, source, key)
        for url in lists_of(conn, entries):
            lists[url] = None
        _promote(conn, list(lists))
        conn.execute(
            "update counters set next = max(next, ?) where name = 'fetch'", (max(e.fetch_id for e in events) + 1,)
        )
    return done


def fetch_state(kind: str, outcome: str) -> str:
    """`pending` for what the processor has to look at, else `none`.

    A page or attachment that failed is looked at too, so that its document can say what is missing.
    """
    if outcome == "ok":
        return "pending" if kind in DOCUMENT_KINDS + PART_KINDS else "none"
    return "pending" if kind in PART_KINDS and outcome not in NEUTRAL else "none"


_FETCH = """insert into fetches (id, run, source, kind, entry, parent, url, method, status, outcome, reason, fetched_at,
  archive_file, archive_offset, record_id, media_type, bytes, sha256, said, state)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing"""


def _exchange(conn: sqlite3.Connection, e: Exchange, done: Applied, entries: dict[tuple[str, str], None]) -> None:
    asked = (e.fetch_id, e.run, e.source, e.kind, e.entry, e.parent, e.url, e.method, e.status, e.outcome, e.reason)
    got = (e.fetched_at, e.archive_file, e.archive_offset, e.record_id, e.media_type, e.bytes, e.sha256)
    cursor = conn.execute(_FETCH, (*asked, *got, dumps(e.said), fetch_state(e.kind, e.outcome)))
    if not cursor.rowcount:
        held = conn.execute("select record_id from fetches where id = ?", (e.fetch_id,)).fetchone()
        if held and held[0] != e.record_id:
            done.clashes.append(e.record_id)
        done.known += 1
        return
    done.new += 1
    if e.kind == "list":
        conn.execute(
            "update lists set status = ?, outcome = ?, checked_at = ? where url = ? and coalesce(checked_at, '') <= ?",
            (e.status, e.outcome, e.fetched_at, e.url, e.fetched_at),
        )
    if e.entry is not None and e.kind in DOCUMENT_KINDS:
        conn.execute(
            "insert into entries (source, key, url, state, said, first_listed_at, last_listed_at) "
            "values (?, ?, ?, 'new', ?, ?, ?) on conflict do nothing",
            (e.source, e.entry, e.url, dumps(e.said), e.fetched_at, e.fetched_at),
        )
        entries[(e.source, e.entry)] = None


def settle_entry(conn: sqlite3.Connection, source: str, key: str) -> None:
    """Compute an entry's state, attempts, reason and fetch from all that was fetched for it."""
    _date_unlisted(conn, source, key)
    best: tuple[int, str, str] | None = None
    failures: list[tuple[str, str, str]] = []
    for id_, kind, outcome, reason, state, error, run in conn.execute(
        "select id, kind, outcome, reason, state, error, run from fetches where source = ? and entry = ? order by id",
        (source, key),
    ):
        if kind not in DOCUMENT_KINDS or outcome in NEUTRAL:
            continue
        if outcome == "ok":
            best, failures = (id_, state, error), []
        else:
            failures.append((outcome, reason, run))
    attempts = len({run for _, _, run in failures})
    reason = (failures[-1][1] or failures[-1][0]) if failures else ""
    if best:
        state = {"pending": "fetched", "failed": "failed"}.get(best[1], "done")
        reason = best[2] if state == "failed" else reason
    else:
        final = [f for f in failures if f[0] in FINAL]
        state = "failed" if final or attempts >= MAX_ATTEMPTS else "new"
        reason = (final[-1][1] or final[-1][0]) if final else reason
        if state == "failed" and not final:
            reason = f"given up after {attempts} passes: {reason}"
    conn.execute(
        "update entries set state = ?, attempts = ?, reason = ?, fetch = ? where source = ? and key = ?",
        (state, attempts, reason, best[0] if best else None, source, key),
    )


def _date_unlisted(conn: sqlite3.Connection, source: str, key: str) -> None:
    """An entry that no list has shown (yet) takes from its first fetch what a list would have said."""
    row = conn.execute("select listed from entries where source = ? and key = ?", (source, key)).fetchone()
    if row is None or row[0]:
        return
    where = "from fetches where source = ? and entry = ? and kind in ('document', 'inline')"
    url, said = conn.execute(f"select url, said {where} order by id limit 1", (source, key)).fetchone()
    first, last = conn.execute(f"select min(fetched_at), max(fetched_at) {where}", (source, key)).fetchone()
    conn.execute(
        "update entries set url = ?, said = ?, first_listed_at = ?, last_listed_at = ? where source = ? and key = ?",
        (url, said, first, last, source, key),
    )


_ENTRY = """insert into entries (source, key, url, state, said, section, first_listed_at, last_listed_at, listed)
  values (?, ?, ?, 'new', ?, ?, ?, ?, ?)
  on conflict (source, key) do update set
    url = iif(excluded.listed >= listed, excluded.url, url), said = iif(excluded.listed >= listed, excluded.said, said),
    section = iif(excluded.listed >= listed, excluded.section, section), listed = max(listed, excluded.listed),
    first_listed_at = iif(listed = 0, excluded.first_listed_at, min(first_listed_at, excluded.first_listed_at)),
    last_listed_at = iif(listed = 0, excluded.last_listed_at, max(last_listed_at, excluded.last_listed_at))"""

_LIST = """insert into lists (url, source, section, candidate_etag, candidate_last_modified, status, outcome, rows,
    newest_published_on, checked_at, changed_at, sha256, fetch)
  values (:url, :source, :section, :etag, :last_modified, :status, :outcome, :rows, :newest, :at, :at, :sha256, :fetch)
  on conflict (url) do update set source = :source, section = :section, etag = '', last_modified = '',
    candidate_etag = :etag, candidate_last_modified = :last_modified, status = coalesce(:status, status),
    outcome = :outcome, rows = :rows, newest_published_on = :newest, checked_at = max(coalesce(checked_at, ''), :at),
    changed_at = iif(sha256 = :sha256 and :sha256 != '', changed_at, :at), sha256 = :sha256, fetch = :fetch"""


def _list_read(conn: sqlite3.Connection, e: ListRead, done: Applied) -> None:
    times = (e.read_at, e.read_at, e.fetch_id)
    conn.executemany(
        _ENTRY,
        (
            (e.source, r["key"], r["url"], dumps(r.get("said") or {}), r.get("section") or e.section, *times)
            for r in e.rows
        ),
    )
    held = conn.execute("select fetch from lists where url = ?", (e.url,)).fetchone()
    if held and held[0] is not None and held[0] >= e.fetch_id:
        done.known += 1
        return
    done.new += 1
    if e.outcome == "unchanged":
        conn.execute("update lists set checked_at = ?, outcome = ? where url = ?", (e.read_at, e.outcome, e.url))
        return
    status = conn.execute("select status from fetches where id = ?", (e.fetch_id,)).fetchone()
    dates = [str(r["said"]["published_on"]) for r in e.rows if (r.get("said") or {}).get("published_on")]
    # What is no proper list (empty, shrunk, a template) may not silence the list with a 304 from now on.
    good = e.outcome == "ok"
    values = {"url": e.url, "source": e.source, "section": e.section, "outcome": e.outcome, "rows": len(e.rows)}
    values |= {"status": status[0] if status else None, "newest": max(dates, default=None), "at": e.read_at}
    values |= {"etag": e.etag if good else "", "last_modified": e.last_modified if good else ""}
    conn.execute(_LIST, values | {"sha256": e.sha256, "fetch": e.fetch_id})
    if e.rows or good:
        conn.execute("delete from list_entries where list = ?", (e.url,))
        conn.executemany(
            "insert or ignore into list_entries (list, source, key, position) values (?, ?, ?, ?)",
            ((e.url, e.source, r["key"], i) for i, r in enumerate(e.rows)),
        )


def lists_of(conn: sqlite3.Connection, entries: Iterable[tuple[str, str]]) -> list[str]:
    """The lists on which these entries stand."""
    found: dict[str, None] = {}
    for source, key in entries:
        for (url,) in conn.execute("select list from list_entries where source = ? and key = ?", (source, key)):
            found[url] = None
    return list(found)


_PROMOTE = """update lists set etag = candidate_etag, last_modified = candidate_last_modified
  where (etag != candidate_etag or last_modified != candidate_last_modified) and not exists (
    select 1 from list_entries l join entries e on e.source = l.source and e.key = l.key
    where l.list = lists.url and e.state in ('new', 'fetched'))"""


def _promote(conn: sqlite3.Connection, urls: Sequence[str]) -> int:
    return sum(conn.execute(_PROMOTE + " and url = ?", (url,)).rowcount for url in urls)


def promote_validators(database: Database, urls: Sequence[str] | None = None) -> int:
    """Make the candidate validators valid for lists none of whose entries is new or only fetched; returns how many."""
    with immediate(database) as conn:
        return conn.execute(_PROMOTE).rowcount if urls is None else _promote(conn, urls)


def known(database: Database, source: str, keys: Sequence[str]) -> dict[str, str]:
    """The state of each of these keys that is known; a key that is missing here was never listed."""
    found: dict[str, str] = {}
    for key in keys:
        row = database.conn.execute("select state from entries where source = ? and key = ?", (source, key)).fetchone()
        if row:
            found[key] = row[0]
    return found


def unfinished(database: Database, source: str) -> list[Entry]:
    """Entries still to be fetched: they are tried again even when their list answers 304."""
    rows = database.conn.execute(
        "select key, url, state, attempts, reason, said, section from entries where source = ? and state = 'new' "
        "order by first_listed_at, key",
        (source,),
    )
    return [Entry(r[0], r[1], r[2], r[3], r[4], json.loads(r[5]), r[6]) for r in rows.fetchall()]


def validators(database: Database, url: str) -> Validators:
    """The validators with which this list may be asked."""
    row = database.conn.execute("select etag, last_modified from lists where url = ?", (url,)).fetchone()
    return Validators(*row) if row else Validators()


def dumps(value: Any) -> str:
    """JSON as it is stored: readable characters, keys in order, so that equal values are equal text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
