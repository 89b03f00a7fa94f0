"""Stores what was read: one BEGIN IMMEDIATE transaction per batch, in which documents, labels, entries and fetches agree.

Whatever is wrong with one document (a span that does not give its quote, an unknown task) refuses that document alone:
its fetch fails with the reason and the rest of the batch goes on. The order in which fetches arrive makes no
difference to the tables; see `db.observations`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlite_utils import Database

from db import observations, rows
from db.connection import immediate
from db.documents import Document, Processed, SpanError
from db.journal import _promote, lists_of, settle_entry
from db.runs import now
from db.search.index import refresh


class StoredDocument(NamedTuple):
    """A document of the batch as it now stands: `new` if it was not there before."""

    pk: int
    id: str
    new: bool


AfterStore = Callable[[sqlite3.Connection, Sequence[StoredDocument]], None]


@dataclass(slots=True)
class Stored:
    """What one batch did. `documents` are those that are new or different; `failed` are (fetch id, reason)."""

    documents: list[StoredDocument] = field(default_factory=list)
    unchanged: int = 0
    failed: list[tuple[int, str]] = field(default_factory=list)


class Writer:
    """Writes batches of processed documents.

    `after_store` are called inside the same transaction, after the search index is up to date, with the connection and
    the documents that are new or different; what they write is committed with them or not at all.
    """

    def __init__(self, database: Database, config: Any = None, after_store: Iterable[AfterStore] = ()) -> None:
        self.database, self.config = database, config
        self.after_store = list(after_store)

    def store(self, items: Iterable[Processed]) -> Stored:
        """Store a batch in one transaction; either all of it is done afterwards, or none of it was begun."""
        items = list(items)
        stored = Stored()
        if not items:
            return stored
        with immediate(self.database) as conn:
            known = {r[0] for r in conn.execute("select id from tasks").fetchall()}
            touched: dict[int, bool] = {}
            for item in items:
                self._one(conn, item, known, stored, touched)
            refresh(conn)
            stored.documents = _standing(conn, touched)
            for hook in self.after_store:
                hook(conn, stored.documents)
            _promote(conn, lists_of(conn, {(i.source, i.entry): None for i in items if i.entry is not None}))
            _cursor(conn, max(i.fetch_id for i in items))
        return stored

    def _one(
        self, conn: sqlite3.Connection, item: Processed, known: set[str], stored: Stored, touched: dict[int, bool]
    ) -> None:
        reason = item.reason or item.outcome
        if item.document is not None:
            conn.execute("savepoint document")
            try:
                changed = store_document(conn, item, item.document, known)
                conn.execute("release document")
                _fetch_done(conn, item)
                stored.unchanged += not changed
                for pk, new in changed.items():
                    touched[pk] = touched.get(pk, False) or new
                return
            except sqlite3.OperationalError:
                raise  # the disk or the lock, not this document
            except (SpanError, ValueError, TypeError, OverflowError, sqlite3.Error) as e:
                conn.execute("rollback to document")
                conn.execute("release document")
                reason = f"refused: {e}"
        _fetch_failed(conn, item, reason)
        stored.failed.append((item.fetch_id, reason))


def store_document(conn: sqlite3.Connection, item: Processed, document: Document, known: set[str]) -> dict[int, bool]:
    """Store one document; returns the pks of documents that changed by it, with True where one is new.

    Raises SpanError or ValueError for a document that may not be stored.
    """
    document = observations.prepare(document)
    document.check_spans()
    strange = sorted({t.id for t in document.tasks} - known)
    if strange:
        raise ValueError(f"the taxonomy in the database has no task {strange[0]!r}")
    seen = conn.execute("select fetched_at from fetches where id = ?", (item.fetch_id,)).fetchone()
    seen_at = seen[0] if seen else (document.first_seen_at or now())
    noted = observations.note(conn, item, document, seen_at)
    target = document.identity if noted.current else _current_identity(conn, document)
    changed: dict[int, bool] = {}
    if noted.different:
        for identity in noted.identities:
            fresh = (item.fetch_id, document) if noted.current and identity == target else None
            settled = settle(conn, identity, target, fresh)
            if settled:
                changed[settled.pk] = settled.new
    _place(conn, item, document)
    return changed


def settle(
    conn: sqlite3.Connection, identity: str, target: str, fresh: tuple[int, Document] | None
) -> StoredDocument | None:
    """Make a document what its observations say. `target` is where the URL that left it went; None if nothing is left."""
    held = conn.execute(
        "select pk, fetch, first_seen_at, rank from documents where identity = ?", (identity,)
    ).fetchone()
    winner = observations.best(conn, identity)
    if winner is None:
        if held:
            _vanish(conn, held[0], target)
        return None
    pk, seen_at = observations.first(conn, identity)
    if held and held[0] != pk:
        rows.move(conn, held[0], pk)
    is_fresh = fresh is not None and fresh[0] == winner.fetch
    if held is None or held[1] != winner.fetch or is_fresh:
        document = fresh[1] if fresh and is_fresh else observations.load(conn, winner)
        if held and held[1] != winner.fetch:
            _fatten(conn, held[1], identity)
        rows.write(conn, pk, document, rows.values(document, seen_at, winner.rank, winner.fetch), new=held is None)
        observations.keep(conn, winner.fetch, document, slim=True)
    elif held[2] != seen_at:
        conn.execute("update documents set first_seen_at = ? where pk = ?", (seen_at, pk))
    if fresh and not is_fresh:
        observations.keep(conn, fresh[0], fresh[1], slim=False)
    return StoredDocument(pk, winner.document_id, held is None)


def _fatten(conn: sqlite3.Connection, fetch: int, identity: str) -> None:
    """The observation that no longer supplies the fields takes its texts back, before they are overwritten."""
    old = observations.of_fetch(conn, fetch)
    if old and old.slim and old.identity == identity:
        observations.keep(conn, fetch, observations.load(conn, old), slim=False)


def _vanish(conn: sqlite3.Connection, pk: int, target: str) -> None:
    """No URL says any more that this document exists: it becomes the one its URL went to, or goes into it."""
    winner = observations.best(conn, target)
    if winner is None:
        rows.remove(conn, pk)
        return
    (old_id,) = conn.execute("select id from documents where pk = ?", (pk,)).fetchone()
    there = conn.execute("select pk, id from documents where identity = ?", (target,)).fetchone()
    rows.rename(conn, old_id, there[1] if there else winner.document_id)
    if there:
        rows.merge(conn, pk, there[0])
    else:
        conn.execute("update documents set identity = ?, id = ? where pk = ?", (target, winner.document_id, pk))


def _current_identity(conn: sqlite3.Connection, document: Document) -> str:
    row = observations.get(conn, document.canonical_url)
    return row.identity if row else document.identity


def _place(conn: sqlite3.Connection, item: Processed, document: Document) -> None:
    """Write the row of the URL, and tell the entry where its document is."""
    row = observations.get(conn, document.canonical_url)
    assert row is not None, "an observation was just noted"
    (pk,) = conn.execute("select pk from documents where identity = ?", (row.identity,)).fetchone()
    if row.fetch == item.fetch_id:
        said = (document.firsthand, document.title, document.outlet, document.published_at, document.published_on)
        values = (row.canonical_url, row.url, pk, row.source, *said, row.first_seen_at, row.fetch, row.rank)
        conn.execute(
            "insert into document_urls (canonical_url, url, document, source, firsthand, title, outlet, published_at, "
            "published_on, first_seen_at, fetch, rank) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "on conflict (canonical_url) do update set url = excluded.url, document = excluded.document, "
            "source = excluded.source, firsthand = excluded.firsthand, title = excluded.title, "
            "outlet = excluded.outlet, published_at = excluded.published_at, published_on = excluded.published_on, "
            "first_seen_at = excluded.first_seen_at, fetch = excluded.fetch, rank = excluded.rank",
            values,
        )
    else:
        conn.execute(
            "update document_urls set first_seen_at = ? where canonical_url = ?", (row.first_seen_at, row.canonical_url)
        )
    if item.entry is not None:
        conn.execute(
            "update entries set canonical_url = ?, document_fetch = ? where source = ? and key = ? "
            "and coalesce(document_fetch, 0) <= ?",
            (row.canonical_url, item.fetch_id, item.source, item.entry, item.fetch_id),
        )
    conn.execute(
        "update entries set document = ? where canonical_url = ? and document is not ?", (pk, row.canonical_url, pk)
    )
    if item.entry is not None:
        _entry_document(conn, item.source, item.entry)


def _entry_document(conn: sqlite3.Connection, source: str, key: str) -> None:
    conn.execute(
        "update entries set document = (select document from document_urls u where u.canonical_url = "
        "entries.canonical_url) where source = ? and key = ? and canonical_url is not null",
        (source, key),
    )


def _fetch_done(conn: sqlite3.Connection, item: Processed) -> None:
    at = now()
    conn.executemany(
        "update fetches set state = 'done', processed_at = ?, error = '' where id = ?",
        [(at, i) for i in (item.fetch_id, *item.extra_fetch_ids)],
    )
    if item.entry is not None:
        settle_entry(conn, item.source, item.entry)


def _fetch_failed(conn: sqlite3.Connection, item: Processed, reason: str) -> None:
    at = now()
    conn.executemany(
        "update fetches set state = 'failed', processed_at = ?, error = ? where id = ?",
        [(at, reason, i) for i in (item.fetch_id, *item.extra_fetch_ids)],
    )
    if item.entry is not None:
        settle_entry(conn, item.source, item.entry)


def _standing(conn: sqlite3.Connection, touched: dict[int, bool]) -> list[StoredDocument]:
    """Of the documents that were touched, those that are still there at the end of the batch."""
    found = []
    for pk, new in sorted(touched.items()):
        row = conn.execute("select id from documents where pk = ?", (pk,)).fetchone()
        if row:
            found.append(StoredDocument(pk, row[0], new))
    return found


def _cursor(conn: sqlite3.Connection, fetch: int) -> None:
    conn.execute(
        "insert into state values ('processed', ?) on conflict (key) do update set "
        "value = max(cast(value as integer), excluded.value + 0) ",
        (str(fetch),),
    )
