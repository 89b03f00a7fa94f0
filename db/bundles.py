"""What waits to be read: bundles of a document with its pages and attachments, in the order in which they were fetched."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlite_utils import Database

from db.connection import immediate
from db.journal import DOCUMENT_KINDS

_COLUMNS = "id, kind, url, outcome, reason, archive_file, archive_offset, said, fetched_at, media_type, state"


class Piece(NamedTuple):
    """One fetch of a bundle: where its bytes lie and what is known of it. `said` is what the list said, as a dict."""

    fetch_id: int
    kind: str
    url: str
    outcome: str
    reason: str
    archive_file: str
    archive_offset: int
    said: dict[str, Any]
    fetched_at: str
    media_type: str
    pending: bool


@dataclass(slots=True)
class Bundle:
    """A document's own fetch and the parts that belong to it. `covered` are all fetch ids that are done with it."""

    source: str
    entry: str | None
    main: Piece
    parts: list[Piece] = field(default_factory=list)
    covered: list[int] = field(default_factory=list)

    @property
    def fetch_id(self) -> int:
        """The id of the document's own fetch, by which bundles are ordered."""
        return self.main.fetch_id


class Look(NamedTuple):
    """What one look at the pending fetches found: `last` is the highest fetch id looked at, `full` if there may be more.

    `skipped` says that something pending belongs to a document that the caller has in hand.
    """

    bundles: list[Bundle]
    last: int
    full: bool
    skipped: bool


def pending(database: Database, limit: int = 100, after: int = 0) -> list[Bundle]:
    """Bundles of which any member is pending, by fetch id; reads only pending rows, however much is stored.

    `after` leaves out pending rows up to that fetch id (for reading on). At most `limit` rows are looked at, so the
    answer may hold fewer bundles; none means that nothing is pending beyond `after`.
    """
    return look(database, limit, after).bundles


def look(database: Database, limit: int, after: int = 0, in_hand: Container[int] = ()) -> Look:
    """Like `pending`, for a processor that goes on: leaves out documents that it has in hand."""
    conn = database.conn
    rows = conn.execute(
        "select id, kind, parent from fetches where state = 'pending' and id > ? order by id limit ?", (after, limit)
    ).fetchall()
    heads = {(parent if kind not in DOCUMENT_KINDS and parent else id_): None for id_, kind, parent in rows}
    found = [bundle(conn, head) for head in sorted(heads) if head not in in_hand]
    skipped = any(head in in_hand for head in heads)
    return Look([b for b in found if b is not None], rows[-1][0] if rows else after, len(rows) == limit, skipped)


def bundle(conn: sqlite3.Connection, head: int) -> Bundle | None:
    """The bundle of one document fetch; None where that fetch does not exist or brought nothing."""
    row = conn.execute(f"select {_COLUMNS}, source, entry from fetches where id = ?", (head,)).fetchone()
    if row is None or row[1] not in DOCUMENT_KINDS or row[3] != "ok":
        return None
    made = Bundle(row[11], row[12], _piece(row))
    newest: dict[str, Piece] = {}
    for part in conn.execute(f"select {_COLUMNS} from fetches where parent = ? order by id", (head,)):
        piece = _piece(part)
        if piece.kind in DOCUMENT_KINDS or piece.outcome in ("redirect", "unchanged"):
            continue
        if piece.pending:
            made.covered.append(piece.fetch_id)
        held = newest.get(piece.url)
        # A later failure does not take away what was received before.
        if held is None or piece.outcome == "ok" or held.outcome != "ok":
            newest[piece.url] = piece
    made.parts = sorted(newest.values())
    return made


def fail_strays(database: Database, limit: int = 1000) -> list[int]:
    """Pages and attachments whose document never arrived (lost with a cut archive): failed, with the reason."""
    strays = [
        (id_,)
        for id_, parent in database.conn.execute(
            "select id, parent from fetches where state = 'pending' and kind in ('page', 'attachment') "
            "order by id limit ?",
            (limit,),
        ).fetchall()
        if parent is None or bundle(database.conn, parent) is None
    ]
    if strays:
        with immediate(database) as conn:
            conn.executemany(
                "update fetches set state = 'failed', error = 'its document was not received' where id = ?", strays
            )
    return [s[0] for s in strays]


def count(database: Database) -> int:
    """How many fetches are pending (parts counted singly)."""
    return int(database.conn.execute("select count(*) from fetches where state = 'pending'").fetchone()[0])


def _piece(row: tuple[Any, ...]) -> Piece:
    id_, kind, url, outcome, reason, file, offset, said, fetched_at, media_type, state = row[:11]
    return Piece(
        id_, kind, url, outcome, reason, file, offset, json.loads(said), fetched_at, media_type, state == "pending"
    )
