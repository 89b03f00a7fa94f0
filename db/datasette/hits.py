"""One set of documents, counted, paged and streamed by the same SQL: what a search, a task page and their exports show.

Because count, page, export and feed come from one object, an export holds exactly as many rows as the page says.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from db.search import Compiled, Query, QueryError, compile_query, parse
from db.search.compile import WEIGHTS, ranked

Names = Mapping[str, Set[str]]
# filters of the task page -> field of the query language
FILTERS = ("lang", "source", "level", "kind")
_DAY = re.compile(r"^\d{4}(-\d{2}){0,2}$")
# so many hits are sorted by the moment they were first seen; of more, the newest are looked for instead
SORTABLE = 2_000


@dataclass(slots=True)
class Hits:
    """Documents `d` found by `source` and `where`; `counting` is a cheaper source for the count, where there is one."""

    source: str
    where: str
    values: list[Any]
    key: str = "d.search_key"
    match: bool = False
    counting: tuple[str, list[Any]] | None = None
    query: Query | None = None
    task: str = ""
    measure: str = ""
    asked: dict[str, str] = field(default_factory=dict)

    def count(self, conn: sqlite3.Connection) -> int:
        """How many there are."""
        sql, values = self.counting or (f"select count(*) from {self.source} where {self.where}", self.values)
        return int(conn.execute(sql, values).fetchone()[0] or 0)

    def page(
        self, conn: sqlite3.Connection, columns: str, order: str = "newest", limit: int = 20, offset: int = 0
    ) -> list[Any]:
        """Some rows of them."""
        values = [*self.values, limit, offset]
        if order == "relevance" and self.match:
            source = self.source if " and " in self.where else "documents_fts"
            return conn.execute(ranked(columns, source, self.where, " limit ? offset ?"), values).fetchall()
        return conn.execute(f"{self._select(columns, order)} limit ? offset ?", values).fetchall()

    def stream(self, conn: sqlite3.Connection, columns: str, order: str = "newest") -> sqlite3.Cursor:
        """All rows, a few at a time."""
        return conn.execute(self._select(columns, order), self.values)

    def lately_seen(self, conn: sqlite3.Connection, columns: str, limit: int, offset: int = 0) -> list[Any]:
        """Those that were first seen last, for feeds: what was published long ago and found today is news too."""
        order = " order by d.first_seen_at desc, d.pk desc limit ? offset ?"
        if self.count(conn) <= SORTABLE:
            sql = f"select {columns} from {self.source} where {self.where}{order}"
            return conn.execute(sql, [*self.values, limit, offset]).fetchall()
        inner = f"select {self.key} from {self.source} where {self.where}"
        sql = (
            f"select {columns} from documents d indexed by documents_first_seen where d.search_key in ({inner}){order}"
        )
        return conn.execute(sql, [*self.values, limit, offset]).fetchall()

    def _select(self, columns: str, order: str) -> str:
        by = f"{self.key} desc"
        if order == "relevance" and self.match:
            by = f"bm25(documents_fts, {WEIGHTS}), {by}"
        return f"select {columns} from {self.source} where {self.where} order by {by}"


def of_query(text: str, names: Names) -> Hits:
    """What the search page finds; raises QueryError."""
    query = parse(text, names)
    return _of_compiled(compile_query(query), query)


def _of_compiled(compiled: Compiled, query: Query | None, extra: str = "", more: list[Any] | None = None) -> Hits:
    more = more or []
    if not compiled.match:
        where = f"{compiled.where}{f' and d.search_key {extra}' if extra else ''}"
        return Hits(compiled.source, where, [*compiled.values, *more], query=query)
    # the plus keeps SQLite from asking the index once for each key of the list
    limit = f" and +documents_fts.rowid {extra}" if extra else ""
    values = [*compiled.values, *more]
    counting = None
    if compiled.where == "documents_fts match ?":
        counting = (f"select count(*) from documents_fts where documents_fts match ?{limit}", values)
    where = compiled.where + limit
    return Hits(compiled.source, where, values, "documents_fts.rowid", True, counting, query)


def of_task(task: str, asked: Mapping[str, str], names: Names) -> Hits:
    """The relevant documents of a task, narrowed by `asked`: measure, lang, source, level, kind, from, to, q.

    Raises QueryError for a value that does not exist and for a bad `q` (its position is the one within `q`).
    """
    kept = {key: asked[key] for key in ("measure", *FILTERS, "from", "to", "q") if asked.get(key)}
    measure = kept.get("measure", "")
    if measure and measure not in names.get("measure", ()):
        raise QueryError(0, f"there is no measure {measure!r}")
    text = _narrowing(kept, names)
    if text:
        query = parse(text, names)
        extra = "in (select search_key from task_documents where task = ? and measure = ?)"
        hits = _of_compiled(compile_query(query), query, extra, [task, measure])
    else:
        hits = Hits(
            "task_documents t join documents d on d.pk = t.document",
            "t.task = ? and t.measure = ?",
            [task, measure],
            "t.search_key",
            counting=("select sum(documents) from task_days where task = ? and measure = ?", [task, measure]),
        )
    hits.task, hits.measure, hits.asked = task, measure, kept
    return hits


def _narrowing(kept: Mapping[str, str], names: Names) -> str:
    """The filters as a query; "" for none."""
    parts = []
    if kept.get("q"):
        parse(kept["q"], names)
        parts.append(f"({kept['q']})")
    for name in FILTERS:
        value = kept.get(name)
        if value:
            if value not in names.get(name, ()):
                raise QueryError(0, f"there is no {name} {value!r}")
            parts.append(f'{name}:"{value}"')
    first, last = kept.get("from", ""), kept.get("to", "")
    for day in (first, last):
        if day and not _DAY.match(day):
            raise QueryError(0, f"{day!r} is no date; write 2024, 2024-04 or 2024-04-16")
    if first or last:
        parts.append(f"published:{first}..{last}")
    return " ".join(parts)
