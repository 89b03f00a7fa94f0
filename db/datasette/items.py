"""Documents as lists show them: title, facts, tasks, and the words for which they stand there."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from db.datasette import highlight, text
from db.datasette.ask import Ask, house
from db.ledger import Evidence, evidence_of, sentence_around
from db.search import Query

COLUMNS = (
    "d.pk, d.id, d.title, d.outlet, d.source, d.published_on, d.first_seen_at, d.kind, "
    "d.language, d.level, d.region, d.doc_number, d.issuers, d.url, d.relevant, d.relevance, d.classifier, d.deadline_on"
)
SNIPPET = 180
# more characters than this are a passage, not words
PASSAGE = 24
HEAD = highlight.LONGEST


@dataclass(slots=True)
class Item:
    """One document of a list."""

    row: Any
    title: list[text.Piece]
    words: list[text.Piece]
    tasks: list[tuple[str, str]]
    issuers: list[str]

    @property
    def id(self) -> str:
        return str(self.row["id"])


def items(
    conn: sqlite3.Connection,
    ask: Ask,
    rows: Sequence[Any],
    query: Query | None = None,
    task: str = "",
    measure: str = "",
) -> list[Item]:
    """Rows of COLUMNS as items. With a task, the words are its evidence; with a query, what it found."""
    tasks = tasks_of(conn, [row["pk"] for row in rows])
    out = []
    for row in rows:
        title = text.title(row["title"]) or "—"
        marked = [text.Mark(start, end, ("hit",)) for start, end in highlight.marks(query, title, "title")]
        words: list[text.Piece] = []
        wanted = task or (tasks[row["pk"]][0] if tasks[row["pk"]] else "")
        if task:
            words = evidence_words(conn, row, task, measure)
        if not words and query is not None:
            words = found_words(conn, row, query)
        if not words and wanted:
            words = evidence_words(conn, row, wanted, "")
        if not words:
            words = beginning(conn, row)
        issuers = json.loads(row["issuers"] or "[]")
        named = [(id_, ask.name("task", id_)) for id_ in tasks[row["pk"]]]
        out.append(Item(row, text.pieces(title, marked), words, named, issuers))
    return out


def tasks_of(conn: sqlite3.Connection, pks: Sequence[int]) -> dict[int, list[str]]:
    """pk -> its tasks, the main one first."""
    found: dict[int, list[str]] = defaultdict(list)
    for start in range(0, len(pks), 500):
        part = pks[start : start + 500]
        marks = ", ".join("?" * len(part))
        for pk, task in conn.execute(
            f"select t.document, t.task from document_tasks t join documents d on d.pk = t.document "
            f"and d.classifier = t.classifier where t.document in ({marks}) "
            "group by t.document, t.task order by max(t.is_primary) desc, max(t.score) desc, t.task",
            part,
        ):
            found[pk].append(task)
    return found


def evidence(conn: sqlite3.Connection, row: Any, task: str, measure: str = "") -> Evidence | None:
    """The sentence of a row that proves a task."""
    names = ("pk", "id", "title", "url", "outlet", "source", "published_on", "language", "classifier")
    return evidence_of(house(conn), [row[name] for name in names], task, measure)


def evidence_words(conn: sqlite3.Connection, row: Any, task: str, measure: str) -> list[text.Piece]:
    found = evidence(conn, row, task, measure)
    return evidence_pieces(found) if found else []


def evidence_pieces(found: Evidence) -> list[text.Piece]:
    """The sentence with its words marked; a passage that counted as a whole is marked more lightly."""
    marks = [text.Mark(start, end, ("evidence",)) for start, end in found.words]
    whole = found.end - found.start > PASSAGE or bool(marks)
    return text.pieces(
        found.sentence, [text.Mark(found.start, found.end, ("passage" if whole else "evidence",)), *marks]
    )


def found_words(conn: sqlite3.Connection, row: Any, query: Query) -> list[text.Piece]:
    """The part of the text where most of the query's words stand close together."""
    body = conn.execute("select substr(text, 1, ?) from documents where pk = ?", (HEAD, row["pk"])).fetchone()[0]
    marks = highlight.marks(query, body)
    if not marks:
        attached = conn.execute(
            "select substr(text, 1, ?) from attachments where document = ? and text <> '' order by position",
            (HEAD, row["pk"]),
        )
        for (body,) in attached:
            marks = highlight.marks(query, body)
            if marks:
                break
    if not marks:
        return []
    start, end = densest(marks)
    sentence, left, _ = sentence_around(body, start, end, SNIPPET)
    shift = left - start
    inside = [(a + shift, b + shift) for a, b in marks if a + shift >= 0 and b + shift <= len(sentence)]
    return text.pieces(sentence, [text.Mark(a, b, ("hit",)) for a, b in inside])


def densest(marks: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The first mark of the window that holds most of them."""
    best, most = marks[0], 0
    for number, (start, end) in enumerate(marks[:200]):
        inside = sum(1 for a, _ in marks[number : number + 30] if a < start + SNIPPET - 40)
        if inside > most:
            best, most = (start, end), inside
    return best


def beginning(conn: sqlite3.Connection, row: Any) -> list[text.Piece]:
    """The first words of the text."""
    body = conn.execute("select substr(text, 1, 600) from documents where pk = ?", (row["pk"],)).fetchone()[0]
    return text.pieces(text.clip(body, SNIPPET), []) if body else []


def plain_words(pieces: Iterable[text.Piece]) -> str:
    """Pieces as plain text, for feeds and exports."""
    return text.clip("".join(piece.text for piece in pieces), text.LINE)
