"""Carries over into a rebuilt database what no archive holds: runs, judgements, alerts and their sequence numbers.

Not what is kept is named here but what is *derived*: a table that somebody adds and forgets to name is then kept rather
than lost.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from sqlite_utils import Database

from db.connection import immediate
from db.rows import NAMED_BY_ID

# Tables that a rebuild makes anew. A migration that adds a derived table adds its name here.
DERIVED = {
    *("sources", "tasks", "lists", "entries", "list_entries", "fetches", "counters", "state"),
    *("documents", "observations", "document_aliases", "document_urls", "document_tasks", "document_spans"),
    *("document_facets", "document_findings", "attachments", "search_rows", "search_queue", "verdicts"),
    *("task_documents", "task_days", "source_days", "source_documents"),
}


@dataclass(slots=True)
class Kept:
    """Rows carried over by table, rows that could not be (their document is gone), and documents that are missing."""

    rows: dict[str, int] = field(default_factory=dict)
    lost_rows: dict[str, int] = field(default_factory=dict)
    missing_documents: list[tuple[str, str]] = field(default_factory=list)


def transplant(database: Database, old: Path) -> Kept:
    """Copy what is not derivable from the old database file into the new one, in one transaction."""
    kept = Kept()
    conn = database.conn
    conn.execute("attach database ? as old", (old.absolute().as_uri() + "?mode=ro",))
    try:
        with immediate(database):
            conn.execute("pragma defer_foreign_keys = on")
            # Runs of sources that are no longer configured still have their row to point at.
            _copy(conn, "sources", kept, ignore=True)
            kept.rows.pop("sources", None)
            for table in _kept_tables(conn):
                _copy(conn, table, kept)
            _follow(conn)
            _sequences(conn)
            kept.missing_documents = _missing(conn)
    finally:
        conn.execute("detach database old")
    return kept


def _kept_tables(conn: sqlite3.Connection) -> list[str]:
    names = "select name from {}.sqlite_master where type = 'table' and name not like 'sqlite_%'"
    both = {r[0] for r in conn.execute(names.format("main"))} & {r[0] for r in conn.execute(names.format("old"))}
    return sorted(t for t in both if t not in DERIVED and not t.startswith("documents_fts"))


def _copy(conn: sqlite3.Connection, table: str, kept: Kept, *, ignore: bool = False) -> None:
    """Copy a table; references to documents follow the document's stable id, whatever its row is now."""
    shared = [
        r[0]
        for r in conn.execute("select name from pragma_table_info(?, 'main')", (table,))
        if conn.execute("select 1 from pragma_table_info(?, 'old') where name = ?", (table, r[0])).fetchone()
    ]
    pointers = [
        r[0]
        for r in conn.execute(
            "select \"from\" from pragma_foreign_key_list(?, 'main') where \"table\" = 'documents'", (table,)
        )
    ]
    new_pk = (
        "(select n.pk from old.documents o join main.documents n on n.id = o.id where o.pk = t.{0} union all "
        "select u.document from old.document_urls v join main.document_urls u using (canonical_url) "
        "where v.document = t.{0} limit 1)"
    )
    columns = ", ".join(f'"{c}"' for c in shared)
    values = ", ".join(new_pk.format(f'"{c}"') if c in pointers else f't."{c}"' for c in shared)
    where = " and ".join(f'(t."{c}" is null or {new_pk.format(chr(34) + c + chr(34))} is not null)' for c in pointers)
    total = conn.execute(f'select count(*) from old."{table}"').fetchone()[0]
    kind = "ignore" if ignore else "replace"
    done = conn.execute(
        f'insert or {kind} into main."{table}" ({columns}) select {values} from old."{table}" t where {where or 1}'
    ).rowcount
    kept.rows[table] = done
    if done < total and not ignore:
        kept.lost_rows[table] = total - done


def _follow(conn: sqlite3.Connection) -> None:
    """What names a document by its id follows it to the id that it has now, where that is another one."""
    for table, column in NAMED_BY_ID:
        conn.execute(
            f'update or ignore main."{table}" as t set "{column}" = n.id from old.documents o '
            "join old.document_urls v on v.document = o.pk join main.document_urls u on u.canonical_url = v.canonical_url "
            f'join main.documents n on n.pk = u.document where o.id = t."{column}" '
            f'and not exists (select 1 from main.documents where id = t."{column}")'
        )


def _sequences(conn: sqlite3.Connection) -> None:
    """Numbers that were given out are never given out again."""
    conn.execute(
        "update main.counters set next = max(next, coalesce((select next from old.counters o where o.name = "
        "counters.name), 0))"
    )
    has = "select 1 from {}.sqlite_master where name = 'sqlite_sequence'"
    if conn.execute(has.format("old")).fetchone() and conn.execute(has.format("main")).fetchone():
        for name, seq in conn.execute("select name, seq from old.sqlite_sequence").fetchall():
            if not conn.execute(
                "update main.sqlite_sequence set seq = max(seq, ?) where name = ?", (seq, name)
            ).rowcount:
                conn.execute("insert into main.sqlite_sequence (name, seq) values (?, ?)", (name, seq))


def _missing(conn: sqlite3.Connection) -> list[tuple[str, str]]:
    """(id, URL) of documents of the old database of which no URL is in the new one."""
    return conn.execute(
        "select o.id, o.url from old.documents o where not exists (select 1 from main.documents n where n.id = o.id) "
        "and not exists (select 1 from old.document_urls v join main.document_urls u using (canonical_url) "
        "where v.document = o.pk) order by o.pk"
    ).fetchall()
