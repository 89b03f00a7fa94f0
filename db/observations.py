"""What each URL says, and which of several URLs speaks for a document: the merge, free of the order of arrival.

An observation is what the newest fetch of one canonical URL said. A document is a function of the set of observations
that share its identity: the best ranked one supplies the fields, the oldest fetch among them gives pk and first_seen_at.
Newest, best and oldest are maxima and minima, so any order and any batching of fetches ends in the same rows.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from dataclasses import asdict
from typing import Any, NamedTuple

from db.documents import Document, Processed, document_from_json
from db.journal import dumps

_LEVELS = {"central": 4, "provincial": 3, "municipal": 2, "institution": 1}
# what a classifier fills in; everything else of a document is the chain's
VERDICT = ("relevant", "relevance", "relation", "classifier", "explanation", "tasks", "facets")
_COLUMNS = (
    "fetch, canonical_url, url, document_id, identity, source, entry, first_fetch, first_seen_at, rank, slim, body"
)


class Observation(NamedTuple):
    """One row of `observations`."""

    fetch: int
    canonical_url: str
    url: str
    document_id: str
    identity: str
    source: str
    entry: str | None
    first_fetch: int
    first_seen_at: str
    rank: str
    slim: int
    body: bytes


def prepare(document: Document) -> Document:
    """Fill in what identity needs: without a canonical URL the URL, without an identity the canonical URL, then the id."""
    document.canonical_url = document.canonical_url or document.url
    if not document.canonical_url:
        raise ValueError("a document without a URL cannot be stored")
    document.url = document.url or document.canonical_url
    document.identity = document.identity or document.canonical_url
    document.id = document.id or hashlib.blake2b(document.identity.encode(), digest_size=9).hexdigest()
    return document


def rank(document: Document) -> str:
    """How well this observation speaks for its document, as text that sorts: firsthand, level, has a body, fuller text.

    Equal ranks are decided by the canonical URL (the smaller one), which no two observations share.
    """
    read = sum(len(a.text or "") for a in document.attachments)
    body = bool(document.text.strip()) and not document.body_is_stub and not document.paywalled
    return (
        f"{document.firsthand:d}{_LEVELS.get(document.level, 0)}{body:d}{min(len(document.text) + read, 10**9 - 1):09d}"
    )


def pack(document: Document, slim: bool) -> bytes:
    """The document as deflated JSON; slim leaves out title and texts, which then stand in the tables."""
    data = asdict(document)
    for name in ("urls", "first_seen_at"):  # these depend on the other observations
        data.pop(name)
    if slim:
        data["title"] = data["text"] = ""
        for attachment in data["attachments"]:
            attachment["text"] = None
    return zlib.compress(dumps(data).encode(), 5)


def load(conn: sqlite3.Connection, row: Observation) -> Document:
    """The whole document of an observation, its texts fetched from the tables where they stand there.

    Its verdict is that of the classifier to which its document was switched, if that one read this observation too.
    """
    document = as_read(conn, row)
    verdict = conn.execute(
        "select v.body from documents d join verdicts v on v.classifier = d.classifier and v.error = '' "
        "where d.identity = ? and v.fetch = ?",
        (row.identity, row.fetch),
    ).fetchone()
    return unpack_verdict(document, verdict[0]) if verdict else document


def as_read(conn: sqlite3.Connection, row: Observation) -> Document:
    """The same with the verdict that the chain gave when it read the document, whatever counts today."""
    data = json.loads(zlib.decompress(row.body))
    document = document_from_json(data)
    document.first_seen_at = row.first_seen_at
    if row.slim:
        held = conn.execute("select pk, title, text from documents where identity = ?", (row.identity,)).fetchone()
        document.title, document.text = held[1], held[2]
        texts = dict(conn.execute("select position, text from attachments where document = ?", (held[0],)).fetchall())
        for position, attachment in enumerate(document.attachments):
            attachment.text = texts.get(position)
    return document


def pack_verdict(document: Document) -> bytes:
    """The part of a document that a classifier made, as deflated JSON."""
    data = asdict(document)
    return zlib.compress(dumps({name: data[name] for name in VERDICT}).encode(), 5)


def unpack_verdict(document: Document, body: bytes) -> Document:
    """Give the document the verdict of `pack_verdict`."""
    said = document_from_json(json.loads(zlib.decompress(body)))
    for name in VERDICT:
        setattr(document, name, getattr(said, name))
    return document


def get(conn: sqlite3.Connection, canonical_url: str) -> Observation | None:
    """What is known of a URL."""
    row = conn.execute(f"select {_COLUMNS} from observations where canonical_url = ?", (canonical_url,)).fetchone()
    return Observation(*row) if row else None


def of_fetch(conn: sqlite3.Connection, fetch: int) -> Observation | None:
    """The observation that a fetch made, unless a newer fetch of its URL has replaced it."""
    row = conn.execute(f"select {_COLUMNS} from observations where fetch = ?", (fetch,)).fetchone()
    return Observation(*row) if row else None


def best(conn: sqlite3.Connection, identity: str) -> Observation | None:
    """The observation that supplies the fields of a document."""
    row = conn.execute(
        f"select {_COLUMNS} from observations where identity = ? order by rank desc, canonical_url limit 1", (identity,)
    ).fetchone()
    return Observation(*row) if row else None


def first(conn: sqlite3.Connection, identity: str) -> tuple[int, str]:
    """The oldest fetch among a document's URLs and when it was."""
    row: tuple[int, str] = conn.execute(
        "select first_fetch, first_seen_at from observations where identity = ? order by first_fetch limit 1",
        (identity,),
    ).fetchone()
    return row


class Noted(NamedTuple):
    """What noting an observation means for documents: identities to settle (left one first), is anything different."""

    identities: tuple[str, ...]
    current: bool
    different: bool


def note(conn: sqlite3.Connection, item: Processed, document: Document, seen_at: str) -> Noted:
    """Write what a fetch says of its URL, unless a newer fetch of the same URL is known; the body comes with `keep`."""
    left = _forget_earlier_reading(conn, item.fetch_id, document.canonical_url)
    old = get(conn, document.canonical_url)
    if old and old.fetch > item.fetch_id:
        return _note_older(conn, item, document, seen_at, old, left)
    first_fetch, first_seen = (
        min((old.first_fetch, old.first_seen_at), (item.fetch_id, seen_at))
        if old
        else (
            item.fetch_id,
            seen_at,
        )
    )
    if old and old.fetch == item.fetch_id and not left and not item.extra_fetch_ids:
        same = old.identity == document.identity and _json(load(conn, old)) == _json(document)
        if same:
            return Noted((document.identity,), True, False)
    if old and old.identity != document.identity:
        left = (*left, old.identity)
    if old and old.document_id != document.id:
        conn.execute("insert or ignore into document_aliases values (?, ?)", (old.document_id, old.canonical_url))
    conn.execute(
        "delete from document_aliases where id = ? and canonical_url = ?", (document.id, document.canonical_url)
    )
    if old:
        conn.execute("delete from observations where fetch = ?", (old.fetch,))
    values = (item.fetch_id, document.canonical_url, document.url, document.id, document.identity, item.source)
    conn.execute(
        f"insert into observations ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, x'')",
        (*values, item.entry, first_fetch, first_seen, rank(document)),
    )
    return Noted((*left, document.identity), True, True)


def _note_older(
    conn: sqlite3.Connection, item: Processed, document: Document, seen_at: str, old: Observation, left: tuple[str, ...]
) -> Noted:
    if old.document_id != document.id:
        conn.execute("insert or ignore into document_aliases values (?, ?)", (document.id, document.canonical_url))
    if item.fetch_id < old.first_fetch:
        conn.execute(
            "update observations set first_fetch = ?, first_seen_at = ? where fetch = ?",
            (item.fetch_id, seen_at, old.fetch),
        )
        left = (*left, old.identity)
    return Noted(left, False, bool(left))


def _forget_earlier_reading(conn: sqlite3.Connection, fetch: int, canonical_url: str) -> tuple[str, ...]:
    """Other code may read another canonical URL from the same fetch: what it was taken for before is withdrawn."""
    row = of_fetch(conn, fetch)
    if row is None or row.canonical_url == canonical_url:
        return ()
    conn.execute("delete from observations where fetch = ?", (fetch,))
    conn.execute("delete from document_urls where canonical_url = ?", (row.canonical_url,))
    return (row.identity,)


def keep(conn: sqlite3.Connection, fetch: int, document: Document, slim: bool) -> None:
    """Store the body of an observation: slim if it is the one from which the tables were written.

    What other classifiers said of what stood there before goes.
    """
    conn.execute("delete from verdicts where fetch = ?", (fetch,))
    put(conn, fetch, document, slim)


def put(conn: sqlite3.Connection, fetch: int, document: Document, slim: bool) -> None:
    """The same where the texts are as they were."""
    conn.execute(
        "update observations set slim = ?, classifier = ?, body = ? where fetch = ?",
        (int(slim), document.classifier, pack(document, slim), fetch),
    )


def _json(document: Document) -> str:
    data: dict[str, Any] = asdict(document)
    data.pop("urls"), data.pop("first_seen_at")
    return dumps(data)
