"""A document as rows: the columns of `documents` and of the tables that hang on it, written and read back."""

from __future__ import annotations

import hashlib
import sqlite3
from typing import Any

from db.documents import Document, Span
from db.journal import dumps

_PLAIN: tuple[str, ...] = (
    *("id", "identity", "url", "canonical_url", "source", "kind", "title", "text", "language", "author", "outlet"),
    *("published_at", "published_on", "published_precision", "published_raw", "written_on", "effective_on"),
    *("expires_on", "deadline_on", "doc_number", "doc_number_raw", "index_number", "level", "region"),
    *("origin_outlet", "origin_published_on", "relevance", "relation", "classifier"),
)
_FLAGS = ("firsthand", "body_is_stub", "paywalled", "relevant")
_JSON = ("issuers", "explanation", "remarks")
_OWN = ("first_seen_at", "sha256", "rank", "fetch")
COLUMNS = _PLAIN + _FLAGS + _JSON + _OWN
CHILDREN = ("document_tasks", "document_spans", "document_facets", "document_findings", "attachments")

# (table, column) that name a document by its id and not by its row; a new such column is added here, so that a page that
# gains its number takes what was said of it along, and nobody is told of it twice.
NAMED_BY_ID = (("alert_matches", "document"), ("judgements", "document"), ("third_opinions", "document"))

_INSERT = f"insert into documents (pk, {', '.join(COLUMNS)}) values (?{', ?' * len(COLUMNS)})"
_UPDATE = f"update documents set {', '.join(f'{c} = ?' for c in COLUMNS)} where pk = ?"


def values(document: Document, first_seen_at: str, rank: str, fetch: int) -> tuple[Any, ...]:
    """The columns of `documents` in the order of COLUMNS."""
    plain = [getattr(document, c) for c in _PLAIN]
    flags = [int(getattr(document, c)) for c in _FLAGS]
    digest = hashlib.sha256(document.text.encode()).hexdigest()
    return (*plain, *flags, *(dumps(getattr(document, c)) for c in _JSON), first_seen_at, digest, rank, fetch)


def write(conn: sqlite3.Connection, pk: int, document: Document, row: tuple[Any, ...], *, new: bool) -> None:
    """Write the row and replace all that hangs on it."""
    conn.execute(_INSERT, (pk, *row)) if new else conn.execute(_UPDATE, (*row, pk))
    if not new:
        for table in CHILDREN:
            conn.execute(f"delete from {table} where document = ?", (pk,))
    fetch = row[-1]
    _attachments(conn, pk, document, fetch)
    write_labels(conn, pk, document)
    write_facets(conn, pk, document)
    conn.executemany(
        "insert or ignore into document_findings (document, name, value, field, start, end, quote, reader) "
        "values (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (pk, f.name, f.value if isinstance(f.value, str) else dumps(f.value), *_place(f.span))
            for f in document.findings
        ),
    )


def _place(span: Span) -> tuple[str, int, int, str, str]:
    return span.field, span.start, span.end, span.quote, span.reader


def _attachments(conn: sqlite3.Connection, pk: int, document: Document, fetch: int) -> None:
    if not document.attachments:
        return
    fetched = dict(
        conn.execute(
            "select url, max(id) from fetches where parent = ? and outcome = 'ok' group by url", (fetch,)
        ).fetchall()
    )
    conn.executemany(
        "insert into attachments (document, position, url, filename, media_type, sha256, text, error, reader, "
        "confidence, pages, fetch) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (
                *(pk, i, a.url, a.filename, a.media_type, a.sha256, a.text),
                *(a.error, a.reader, a.confidence, a.pages, fetched.get(a.url)),
            )
            for i, a in enumerate(document.attachments)
        ),
    )


def write_facets(conn: sqlite3.Connection, pk: int, document: Document) -> None:
    """The facets of a document; those that stay are not touched."""
    wanted = {(f.facet, f.value) for f in document.facets}
    held = set(conn.execute("select facet, value from document_facets where document = ?", (pk,)).fetchall())
    conn.executemany(
        "delete from document_facets where document = ? and facet = ? and value = ?",
        [(pk, *f) for f in sorted(held - wanted)],
    )
    conn.executemany(
        "insert into document_facets (document, facet, value) values (?, ?, ?)",
        [(pk, *f) for f in sorted(wanted - held)],
    )


def write_labels(conn: sqlite3.Connection, pk: int, document: Document) -> None:
    """Labels and the spans of labels and facets, under the id of the document's classifier."""
    by = document.classifier
    conn.executemany(
        "insert into document_tasks (document, task, measure, score, is_primary, classifier, explanation) "
        "values (?, ?, ?, ?, ?, ?, ?) on conflict do update set score = max(score, excluded.score)",
        ((pk, t.id, t.measure, t.score, int(t.primary), by, dumps(t.explanation)) for t in document.tasks),
    )
    spans = [("task", t.id, t.measure, s) for t in document.tasks for s in t.spans]
    spans += [("facet", f"{f.facet}:{f.value}", "", s) for f in document.facets for s in f.spans]
    conn.executemany(
        "insert or ignore into document_spans (document, kind, ref, measure, field, start, end, quote, reader, weight, "
        "classifier) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ((pk, k, ref, m, s.field, s.start, s.end, s.quote, s.reader, s.weight, by) for k, ref, m, s in spans),
    )


def own_tables(conn: sqlite3.Connection) -> list[tuple[str, str]]:
    """(table, column) of everything that points at `documents.pk`, also of tables that later migrations add."""
    return conn.execute(
        'select m.name, f."from" from sqlite_master m, pragma_foreign_key_list(m.name) f '
        "where m.type = 'table' and f.\"table\" = 'documents' order by m.name"
    ).fetchall()


def move(conn: sqlite3.Connection, old: int, new: int) -> None:
    """Give a document another pk; everything that points at it follows."""
    conn.execute("pragma defer_foreign_keys = on")
    conn.execute("delete from search_rows where document = ?", (old,))
    conn.execute("delete from search_queue where document = ?", (old,))
    points = [(t, c) for t, c in own_tables(conn) if t != "search_rows"]
    conn.execute("update documents set pk = ? where pk = ?", (new, old))
    for table, column in points:
        conn.execute(f'update "{table}" set "{column}" = ? where "{column}" = ?', (new, old))
    conn.execute("update entries set document = ? where document = ?", (new, old))
    conn.execute("insert or ignore into search_queue values (?)", (new,))


def rename(conn: sqlite3.Connection, old_id: str, new_id: str) -> None:
    """Let everything that names a document by its id follow; what would be there twice stays with the old id."""
    for table, column in NAMED_BY_ID:
        conn.execute(f'update or ignore "{table}" set "{column}" = ? where "{column}" = ?', (new_id, old_id))


def merge(conn: sqlite3.Connection, old: int, new: int) -> None:
    """Remove a document that turned out to be another one; what others keep about it (judgements, alerts) goes along."""
    for table, column in own_tables(conn):
        if table not in (*CHILDREN, "document_urls", "search_rows"):
            conn.execute(f'update or ignore "{table}" set "{column}" = ? where "{column}" = ?', (new, old))
    conn.execute("update entries set document = ? where document = ?", (new, old))
    remove(conn, old)


def remove(conn: sqlite3.Connection, pk: int) -> None:
    """Delete a document; its own rows go with it, the search index included."""
    conn.execute("delete from search_rows where document = ?", (pk,))
    conn.execute("delete from documents where pk = ?", (pk,))
    conn.execute("delete from search_queue where document = ?", (pk,))
