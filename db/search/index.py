"""Keeps the search rows in step with the documents, and finds out whether they are."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3

_ROWS = """
select d.pk, d.search_key, d.title, d.text, d.issuers, d.region, d.source, d.kind, d.language, d.firsthand, d.level,
  d.doc_number,
  (select group_concat(text, char(10)) from (select text from attachments where document = d.pk order by position)),
  (select group_concat(task || ' ' || measure, char(10)) from document_tasks t
     where t.document = d.pk and t.classifier = d.classifier),
  (select group_concat(facet || ' ' || value, char(10)) from document_facets where document = d.pk)
from search_queue q cross join documents d on d.pk = q.document order by q.document
"""
EVERY_DOCUMENT = "xall9"


def tag_token(field: str, value: str) -> str:
    """The word that stands in the index for `field = value`. It ends in a digit, which no stemmer touches."""
    return "x" + hashlib.blake2b(f"{field}={value}".encode(), digest_size=7).hexdigest() + "9"


def plain_number(number: str) -> str:
    """A document number as it is compared: no spaces, every kind of bracket the same, half width, lower case."""
    from db.search.fold import fold

    return re.sub(r"\s", "", re.sub(r"[〕\]】)］]", "]", re.sub(r"[〔\[【(［]", "[", fold(number))))


def tags_of(row: sqlite3.Row | tuple) -> str:
    """All tag words of one row of _ROWS."""
    source, kind, language, firsthand, level, number = row[6:12]
    pairs = [("source", source), ("kind", kind), ("lang", language), ("level", level)]
    pairs += [("firsthand", "yes" if firsthand else "no"), ("doc_number", plain_number(number))]
    for line in (row[13] or "").splitlines():
        task, _, measure = line.partition(" ")
        pairs += [("task", task), ("measure", measure)]
    pairs += [tuple(line.split(" ", 1)) for line in (row[14] or "").splitlines()]
    words = dict.fromkeys(tag_token(field, value) for field, value in pairs if value)
    return " ".join([EVERY_DOCUMENT, *words])


def refresh(connection: sqlite3.Connection) -> int:
    """Make the rows of all queued documents anew; gives how many. Belongs at the end of the writing transaction."""
    rows = connection.execute(_ROWS).fetchall()
    if rows or connection.execute("select 1 from search_queue limit 1").fetchone():
        connection.executemany("delete from search_rows where document = ?", [(row[0],) for row in rows])
        connection.executemany(
            "insert into search_rows(id, document, title, text, attached, issuer, region, tags) values (?,?,?,?,?,?,?,?)",
            [(r[1], r[0], r[2], r[3], r[12] or "", "\n".join(json.loads(r[4])), r[5], tags_of(r)) for r in rows],
        )
        connection.execute("delete from search_queue")
    return len(rows)


def faults(connection: sqlite3.Connection) -> list[str]:
    """What is wrong with the index, in words; [] when FTS5's own check and the counts agree. Writes nothing."""
    found = []
    waiting = connection.execute("select count(*) from search_queue").fetchone()[0]
    if waiting:
        found.append(f"{waiting} documents wait to be indexed; any writing command does it")
    missing = connection.execute(
        "select count(*) from documents d left join search_rows s on s.document = d.pk and s.id = d.search_key "
        "where s.id is null and d.pk not in (select document from search_queue)"
    ).fetchone()[0]
    if missing:
        found.append(f"{missing} documents are not in the search index; `circularwatch doctor --mend` makes it anew")
    try:
        connection.execute("insert into documents_fts(documents_fts, rank) values ('integrity-check', 1)")
    except sqlite3.DatabaseError as error:
        found.append(
            f"the full-text index does not match its texts ({error}); `circularwatch doctor --mend` makes it anew"
        )
    return found


def remake(connection: sqlite3.Connection) -> int:
    """Index every document again, from nothing; gives how many."""
    connection.execute("delete from search_queue")
    connection.execute("insert into documents_fts(documents_fts) values ('rebuild')")
    connection.execute("insert into search_queue select pk from documents")
    return refresh(connection)
