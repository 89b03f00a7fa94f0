"""Finds a document by whatever a person has at hand: an id, an old id, one of its URLs; else what is known of the URL."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from db import observations
from db.documents import Document


@dataclass(slots=True)
class Found:
    """A stored document, whole, with its row number and all its URLs."""

    pk: int
    document: Document


def find_pk(database: Database, key: str) -> int | None:
    """The row of a document: by id, earlier id, canonical or fetched URL (with or without a slash at the end), or pk."""
    conn = database.conn
    other = key[:-1] if key.endswith("/") else key + "/"
    for statement, values in (
        ("select pk from documents where id = ?", (key,)),
        ("select document from document_urls where canonical_url in (?, ?)", (key, other)),
        ("select document from document_urls where url in (?, ?)", (key, other)),
        (
            "select u.document from document_aliases a join document_urls u using (canonical_url) where a.id = ? "
            "order by u.canonical_url",
            (key,),
        ),
        ("select document from entries where url = ? and document is not null", (key,)),
        ("select pk from documents where doc_number = ? order by pk", (key,)),
        (
            "select pk from documents where pk = ?",
            (int(key) if key.isascii() and key.isdigit() and len(key) < 16 else -1,),
        ),
    ):
        row = conn.execute(statement, values).fetchone()
        if row:
            return int(row[0])
    return None


def whole(database: Database, pk: int) -> Found | None:
    """The document as the stages left it, with all URLs under which it was seen."""
    conn = database.conn
    row = conn.execute("select fetch from documents where pk = ?", (pk,)).fetchone()
    held = observations.of_fetch(conn, row[0]) if row else None
    if held is None:
        return None
    document = observations.load(conn, held)
    document.first_seen_at = conn.execute("select first_seen_at from documents where pk = ?", (pk,)).fetchone()[0]
    urls = "select canonical_url from document_urls where document = ? order by canonical_url"
    document.urls = [r[0] for r in conn.execute(urls, (pk,))]
    return Found(pk, document)


def known_of(database: Database, url: str) -> list[dict[str, Any]]:
    """What the journal knows of a URL that is no document: entries and fetches with their states and reasons."""
    conn = database.conn
    found: list[dict[str, Any]] = []
    for source, key, state, reason, said in conn.execute(
        "select source, key, state, reason, said from entries where url = ? or key = ?", (url, url)
    ):
        title = json.loads(said).get("title", "")
        found.append({"what": "entry", "source": source, "key": key, "state": state, "reason": reason, "title": title})
    for row in conn.execute(
        "select id, source, kind, status, outcome, reason, state, error, fetched_at from fetches where url = ? "
        "order by id desc limit 5",
        (url,),
    ):
        names = ("fetch", "source", "kind", "status", "outcome", "reason", "state", "error", "fetched_at")
        found.append({"what": "fetch", **dict(zip(names, row, strict=True))})
    return found
