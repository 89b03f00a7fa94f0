"""SQL functions of the pages: the index's own, the query language for Datasette's search box, sentences, today."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from db.ledger import sentence_around
from db.search import QueryError, compile_query, parse, register
from db.search.fold import phrase_tokens

if TYPE_CHECKING:
    from db.datasette.site import Site

NOTHING = '""'


def fts_expression(text: str | None) -> str:
    """The FTS5 expression of what somebody typed into a search box; the query language where it parses, else all words.

    Never an error: a box has no place for one. Dates and relevance are no words of the index; a query with them is
    taken as words here, and in full on the search page.
    """
    try:
        compiled = compile_query(parse(text or ""))
        if compiled.where == "documents_fts match ?":
            return str(compiled.values[0])
    except QueryError:
        pass
    words = [phrase_tokens(word) for word in (text or "").split()]
    return " ".join('"' + " ".join(tokens) + '"' for tokens in words if tokens) or NOTHING


def strict_expression(text: str | None) -> str:
    """The same for canned queries: a query that does not parse makes an error that holds position and reason.

    SQLite hides what a Python function raises, so the reason is given as the name of a column that does not exist.
    """
    try:
        compiled = compile_query(parse(text or ""))
    except QueryError as error:
        return _failing(f"the query cannot be run, {error}")
    if compiled.where != "documents_fts match ?":
        return _failing(
            "published: and relevance: cannot stand in cw_query; use the columns published_on and relevance"
        )
    return str(compiled.values[0])


def _failing(reason: str) -> str:
    return '"' + reason.replace('"', "'") + '" : x'


def sentence(text: str | None, start: int | None, end: int | None) -> str | None:
    """The sentence around a span, with 【】 around the words."""
    if text is None or start is None or end is None or not 0 <= start <= end <= len(text):
        return None
    said, left, right = sentence_around(text, start, end)
    return f"{said[:left]}【{said[left:right]}】{said[right:]}"


def prepare(conn: sqlite3.Connection, site: Site) -> None:
    """Make them known to a connection; `escape_fts` is the function behind Datasette's own search box."""
    register(conn)
    conn.create_function("escape_fts", 1, fts_expression, deterministic=True)
    conn.create_function("cw_query", 1, strict_expression, deterministic=True)
    conn.create_function("cw_sentence", 3, sentence, deterministic=True)
    conn.create_function("cw_today", 0, lambda: site.today().isoformat())
    conn.create_function("cw_local", 1, lambda instant: site.local(instant) or None)
