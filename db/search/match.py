"""Which of many saved queries find a few new documents: the search's own SQL, run on an in-memory copy of just those.

Running every rule costs microseconds each; with ten thousand rules most of that is spent on rules that cannot match.
So each rule is filed under words one of which any document it finds must hold: an automaton looks for the Chinese ones
in the folded text, the index's own word list answers for stemmed Latin words and for tags. Rules without such a word
(only NOT, only dates) always run. The net is only a net: what fires is decided by the SQL alone.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from typing import Any

import ahocorasick_rs

from db.search.compile import Compiled, _expression, compile_query
from db.search.fold import RUN, fold, phrase_tokens, register
from db.search.index import plain_number, refresh, tag_token
from db.search.language import And, Dates, Node, Not, Or, Query, Relevance, Tag, Term, describe

SCHEMA = ("m0001_spine.sql", "m0002_search.sql")
_TEXTS = "select title || char(10) || text || char(10) || attached || char(10) || issuer || char(10) || region from search_rows"
# None, or ("literal", str), ("word", str), ("all", parts), ("any", parts)
Need = Any
_COPIED = ("documents", "document_tasks", "document_facets", "attachments")


def empty_copy() -> sqlite3.Connection:
    """An in-memory database with the schema that search needs."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    register(connection)
    for step in SCHEMA:
        connection.executescript(resources.files("db.migrations").joinpath(step).read_text(encoding="utf-8"))
    connection.execute("create virtual table vocabulary using fts5vocab(documents_fts, row)")
    connection.execute("create virtual table stems using fts5(word, tokenize='porter unicode61 remove_diacritics 2')")
    connection.execute("create virtual table stem_list using fts5vocab(stems, instance)")
    return connection


class Matcher:
    """Saved queries, compiled once; `match` tells which of them find which of the given documents."""

    def __init__(self, rules: Mapping[str, Query]) -> None:
        self.rules = dict(rules)
        self.compiled: dict[str, Compiled] = {name: compile_query(query) for name, query in self.rules.items()}
        self.memory = empty_copy()
        self.columns = {
            table: [row[1] for row in self.memory.execute(f"pragma table_info({table})")] for table in _COPIED
        }
        self.needs: dict[str, Need] = {name: self._need(query.node) for name, query in self.rules.items()}
        self.always: list[str] = []
        self.by_literal: dict[str, list[str]] = defaultdict(list)
        self.by_token: dict[str, list[str]] = defaultdict(list)
        for name, query in self.rules.items():
            self._file(name, query.node)
        self.literals = sorted(
            {word for need in self.needs.values() for word in _literals(need)} | set(self.by_literal)
        )
        self.automaton = ahocorasick_rs.AhoCorasick(self.literals) if self.literals else None

    def _file(self, name: str, node: Node) -> None:
        anchors = _anchors(node)
        if anchors is None:
            self.always.append(name)
            return
        for kind, word in anchors:
            if kind == "literal":
                self.by_literal[word].append(name)
            else:
                self.by_token[word if kind == "tag" else self._stem(word)].append(name)

    def _need(self, node: Node) -> Need:
        """What must occur where the query matches, as a tree of ("all" | "any", parts), literals and index words."""
        match node:
            case Term(text, _, prefix):
                anchor = _term_anchor(text, prefix)
                return None if anchor is None else self._word(*anchor[0])
            case Tag():
                return self._word(*(_anchors(node) or [])[0])
            case And(parts):
                needs = tuple(need for part in parts if (need := self._need(part)) is not None)
                return ("all", needs) if needs else None
            case Or(parts):
                needs = tuple(self._need(part) for part in parts)
                return None if None in needs else ("any", needs)
        return None

    def _word(self, kind: str, word: str) -> Need:
        return ("literal", word) if kind == "literal" else ("word", word if kind == "tag" else self._stem(word))

    def _stem(self, word: str) -> str:
        """The word as the index holds it: stemmed by the same tokenizer."""
        self.memory.execute("delete from stems")
        self.memory.execute("insert into stems values (?)", (word,))
        row = self.memory.execute("select term from stem_list limit 1").fetchone()
        # a mark that the tokenizer takes for no word at all: it occurs nowhere, for the search as for the rule
        return row[0] if row else word

    def match(self, connection: sqlite3.Connection, documents: Sequence[int]) -> dict[int, list[str]]:
        """{pk: ids of rules that find it}, of documents as they stand in `connection` (its open transaction included)."""
        if not documents or not self.rules:
            return {}
        found: dict[int, list[str]] = defaultdict(list)
        self.memory.execute("begin")
        try:
            self._copy(connection, documents)
            for name in self._candidates():
                compiled = self.compiled[name]
                for (pk,) in self.memory.execute(compiled.statement("d.pk", limit=False), compiled.values):
                    found[pk].append(name)
        finally:
            self.memory.execute("rollback")
        return {pk: sorted(names) for pk, names in found.items()}

    def clauses(self, connection: sqlite3.Connection, pk: int, rule: str) -> list[str]:
        """The parts of a rule that are true of a document, in words: the clause that fired."""
        self.memory.execute("begin")
        try:
            self._copy(connection, [pk])
            return [describe(leaf) for leaf in _leaves(self.rules[rule].node) if self._true(leaf)]
        finally:
            self.memory.execute("rollback")

    def _true(self, leaf: Node) -> bool:
        if isinstance(leaf, Dates | Relevance):
            compiled = compile_query(Query("", leaf))
            return self.memory.execute(compiled.count(), compiled.values).fetchone()[0] > 0
        sql = "select count(*) from documents_fts where documents_fts match ?"
        return bool(self.memory.execute(sql, [_expression(leaf)]).fetchone()[0] > 0)

    def _copy(self, connection: sqlite3.Connection, documents: Sequence[int]) -> None:
        for table in _COPIED:
            columns = ", ".join(self.columns[table])
            key = "pk" if table == "documents" else "document"
            marks = ", ".join("?" * len(self.columns[table]))
            for start in range(0, len(documents), 500):
                part = documents[start : start + 500]
                rows = connection.execute(
                    f"select {columns} from {table} where {key} in ({', '.join('?' * len(part))})", part
                )
                self.memory.executemany(f"insert into {table}({columns}) values ({marks})", map(tuple, rows))
        refresh(self.memory)

    def _candidates(self) -> list[str]:
        """Rules that may find one of the copied documents, by the words that occur in them."""
        names = dict.fromkeys(self.always)
        words = {term for (term,) in self.memory.execute("select term from vocabulary")} if self.rules else set()
        for term in words & self.by_token.keys():
            names.update(dict.fromkeys(self.by_token[term]))
        seen: set[str] = set()
        if self.automaton:
            for (text,) in self.memory.execute(_TEXTS):
                seen |= {
                    self.literals[hit[0]]
                    for hit in self.automaton.find_matches_as_indexes(fold(text), overlapping=True)
                }
        for literal in seen & self.by_literal.keys():
            names.update(dict.fromkeys(self.by_literal[literal]))
        return [name for name in names if _met(self.needs[name], seen, words)]


def _met(need: Need, seen: set[str], words: set[str]) -> bool:
    """Whether all that a query needs occurs somewhere; None needs nothing."""
    if need is None:
        return True
    kind, what = need
    if kind == "literal":
        return what in seen
    if kind == "word":
        return what in words
    return (all if kind == "all" else any)(_met(part, seen, words) for part in what)


def _literals(need: Need) -> Iterable[str]:
    if need is None or need[0] == "word":
        return
    if need[0] == "literal":
        yield need[1]
    else:
        for part in need[1]:
            yield from _literals(part)


def _leaves(node: Node) -> Iterable[Node]:
    """Every positive leaf, in the order of the query."""
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from _leaves(part)
        case Not():
            return
        case _:
            yield node


def _anchors(node: Node) -> list[tuple[str, str]] | None:
    """Words one of which must occur where the query matches; None when nothing must."""
    match node:
        case Term(text, _, prefix):
            return _term_anchor(text, prefix)
        case Tag(field, value):
            return [("tag", tag_token(field, plain_number(value) if field == "doc_number" else value))]
        case Or(parts):
            found = [_anchors(part) for part in parts]
            return None if None in found else [anchor for some in found for anchor in some or []]
        case And(parts):
            usable = [anchors for part in parts if (anchors := _anchors(part)) is not None]
            return max(usable, key=_selectivity) if usable else None
    return None


def _term_anchor(text: str, prefix: bool) -> list[tuple[str, str]] | None:
    runs = [match.group() for match in RUN.finditer(fold(text))]
    if runs:
        return [("literal", max(runs, key=len))]
    words = phrase_tokens(text)[: -1 if prefix else None]
    return [("token", max(words, key=len))] if words else None


def _selectivity(anchors: list[tuple[str, str]]) -> tuple[int, int]:
    """Few alternatives and long words first; a tag holds for too many documents to be a good net."""
    shortest = min((0 if kind == "tag" else len(word) * (2 if kind == "literal" else 1)) for kind, word in anchors)
    return shortest, -len(anchors)
