"""Turns a parsed query into one SQL statement over `documents` and the full-text index.

Words, phrases and tag fields become one FTS5 expression; dates and relevance become conditions on the row. Where the
whole query is one expression with conditions beside it, the index is walked from the newest key down and stops after
`limit` hits; otherwise each part is a sub-select. Alerts run the very same statement on an in-memory database.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from db.search.fold import phrase_tokens
from db.search.index import EVERY_DOCUMENT, plain_number, tag_token
from db.search.language import And, Dates, Node, Not, Or, Query, Relevance, Tag, Term, parse

ANYWHERE = "{title text attached}"
# title before lead and body; tags must not count
WEIGHTS = "8.0, 1.0, 0.7, 2.0, 0.5, 0.0"
ORDERS = ("newest", "relevance")
_OPERATORS = {">=": ">=", "<=": "<=", ">": ">", "<": "<", "=": "="}


@dataclass(slots=True)
class Compiled:
    """One SQL condition with its values: `source` is the from-clause, `where` the condition, `match` whether FTS drives."""

    source: str
    where: str
    values: list[Any] = field(default_factory=list)
    match: bool = False

    def statement(self, columns: str = "d.*", order: str = "newest", limit: bool = True) -> str:
        """The whole SELECT; with limit, two more values are expected: limit and offset."""
        if order not in ORDERS:
            raise ValueError(f"order is one of {', '.join(ORDERS)}, not {order!r}")
        tail = " limit ? offset ?" if limit else ""
        if self.match and order == "relevance":
            source = self.source if " and " in self.where else "documents_fts"
            return ranked(columns, source, self.where, tail)
        key = "documents_fts.rowid" if self.match else "d.search_key"
        return f"select {columns} from {self.source} where {self.where} order by {key} desc{tail}"

    def count(self) -> str:
        """A SELECT that gives the number of all hits."""
        return f"select count(*) from {self.source} where {self.where}"


def ranked(columns: str, source: str, where: str, tail: str = "") -> str:
    """A SELECT, best match first: every hit is scored in the index alone, and only those that are shown are read."""
    inner = (
        f"select documents_fts.rowid as key, bm25(documents_fts, {WEIGHTS}) as score "
        f"from {source} where {where} order by score, key desc{tail}"
    )
    return f"select {columns} from ({inner}) f join documents d on d.search_key = f.key order by f.score, f.key desc"


def compile_query(query: Query) -> Compiled:
    """The SQL of a query, as one condition; deterministic, so that it can be kept with a rule."""
    parts = query.node.parts if isinstance(query.node, And) else (query.node,)
    indexed = [part for part in parts if _is_indexed(part)]
    others = [part for part in parts if not _is_indexed(part)]
    if not indexed:
        where, values = _condition(query.node)
        return Compiled("documents d", where, values)
    wheres, values = ["documents_fts match ?"], [_expression(And(tuple(indexed)) if len(indexed) > 1 else indexed[0])]
    for part in others:
        if isinstance(part, Dates):
            where, found = _key_range(part)
            wheres.append(where)
            values += found
        where, found = _condition(part)
        wheres.append(where)
        values += found
    joined = "documents_fts join documents d indexed by documents_search_filter on d.search_key = documents_fts.rowid"
    return Compiled(joined, " and ".join(wheres), values, match=True)


def find(
    connection: sqlite3.Connection,
    text: str,
    *,
    names: Mapping[str, Set[str]] | None = None,
    order: str = "newest",
    limit: int = 20,
    offset: int = 0,
    columns: str = "d.*",
) -> list[tuple]:
    """Rows of documents that a query text finds; raises QueryError for a bad query."""
    compiled = compile_query(parse(text, names))
    return connection.execute(compiled.statement(columns, order), [*compiled.values, limit, offset]).fetchall()


def _is_indexed(node: Node) -> bool:
    match node:
        case Term() | Tag():
            return True
        case And(parts) | Or(parts):
            return all(map(_is_indexed, parts))
        case Not(part):
            return _is_indexed(part)
    return False


def _expression(node: Node) -> str:
    """The FTS5 expression of a tree of terms and tags."""
    match node:
        case Term(text, column, prefix):
            return f"{column or ANYWHERE} : {_phrase(text, prefix)}"
        case Tag(name, value):
            value = plain_number(value) if name == "doc_number" else value
            return f'tags : "{tag_token(name, value)}"'
        case Or(parts):
            return "(" + " OR ".join(map(_expression, parts)) + ")"
        case And(parts):
            wanted = [_expression(part) for part in parts if not isinstance(part, Not)]
            unwanted = [_expression(part.part) for part in parts if isinstance(part, Not)]
            base = "(" + " AND ".join(wanted or [_everything()]) + ")"
            return f"({base} NOT ({' OR '.join(unwanted)}))" if unwanted else base
        case Not(part):
            return f"({_everything()} NOT {_expression(part)})"
    raise TypeError(f"not in the index: {node!r}")


def _everything() -> str:
    return f'tags : "{EVERY_DOCUMENT}"'


def _phrase(text: str, prefix: bool) -> str:
    """A quoted FTS5 phrase. A single Chinese character is found as the beginning of any pair."""
    tokens = phrase_tokens(text)
    single = len(tokens[-1]) == 1 and tokens[-1] >= "\u3007" and _closes_open(text)
    star = "*" if prefix or single else ""
    return '"' + " ".join(tokens) + '"' + star


def _closes_open(text: str) -> bool:
    """True when the query ends in a Chinese run of one character, which may go on in the text."""
    from db.search.fold import RUN, fold, words

    runs = list(RUN.finditer(fold(text)))
    return bool(runs) and len(runs[-1].group()) == 1 and not words(fold(text)[runs[-1].end() :])


def _condition(node: Node) -> tuple[str, list[Any]]:
    """A condition on `documents d` for any tree; never null, so that NOT means not."""
    match node:
        case And(parts) | Or(parts):
            done = [_condition(part) for part in parts]
            glue = " and " if isinstance(node, And) else " or "
            return "(" + glue.join(where for where, _ in done) + ")", [v for _, values in done for v in values]
        case Not(part):
            where, values = _condition(part)
            return f"not {where}", values
        case Dates(first, last):
            return "(ifnull(d.published_on between ? and ?, 0))", [first or "0000", last or "9999-12-31"]
        case Relevance(operator, number):
            return f"(d.relevance {_OPERATORS[operator]} ?)", [number]
    return "(d.search_key in (select rowid from documents_fts where documents_fts match ?))", [_expression(node)]


def _key_range(dates: Dates) -> tuple[str, list[int]]:
    """Dates as a range of index keys, a coarse net that spares reading the rows outside it."""
    epoch = date(1970, 1, 1)
    low = (date.fromisoformat(dates.first) - epoch).days << 24 if dates.first else -(1 << 62)
    high = ((date.fromisoformat(dates.last) - epoch).days + 1) << 24 if dates.last else 1 << 62
    return "documents_fts.rowid >= ? and documents_fts.rowid < ?", [low, high]
