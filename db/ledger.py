"""The ledger: each task with what bears on it, its newest evidence in one sentence, and how far the watch reaches.

"No evidence" is only said beside what was watched and since when: a task without documents and a source that was never
reached are different things.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as field_
from typing import Any

from sqlite_utils import Database

# A sentence ends at a full stop of either script, at a line, or at a semicolon of Chinese enumerations.
_END = re.compile(r"[。！？；][”’」』）]*|\n|[.!?][”’\"')]*(?=\s|$)")
# Longer sentences are cut around the words: a ledger is read in a terminal.
LONGEST = 160


@dataclass(slots=True)
class Evidence:
    """One sentence that proves a label. `sentence[start:end] == quote`; `date` is a civil date in the source's zone."""

    document: str
    pk: int
    title: str
    url: str
    outlet: str
    date: str | None
    language: str
    field: str
    quote: str
    sentence: str
    start: int
    end: int
    # where the passage is more than words: the words in it that counted, as places in `sentence`
    words: list[tuple[int, int]] = field_(default_factory=list)


@dataclass(slots=True)
class TaskLine:
    """One task of the ledger."""

    id: str
    parent: str | None
    zh: str
    en: str
    status: str
    provisional: bool
    documents: int
    newest: Evidence | None


@dataclass(slots=True)
class Coverage:
    """One source: since when it has been reached, when last, and why not where it was not. Instants in UTC."""

    source: str
    name: str
    enabled: bool
    watched_since: str | None
    last_reached: str | None
    last_tried: str | None
    documents: int
    reason: str

    @property
    def never_reached(self) -> bool:
        """It is configured, and nothing ever came from it."""
        return self.watched_since is None


def _sentence_end(text: str, end: int) -> int:
    after = _END.search(text, end)
    if after is None:
        return min(len(text), end + 2000)
    return after.start() if after.group() == "\n" else after.end()


def sentence_around(text: str, start: int, end: int, longest: int = LONGEST) -> tuple[str, int, int]:
    """The sentence around a span, and the span's place in it; cut with … where it is longer than `longest`."""
    left = max((m.end() for m in _END.finditer(text, max(0, start - 2000), start)), default=max(0, start - 2000))
    # words that are whole sentences, with or without their closing quotation mark, end where they end
    last = len(text[start:end].rstrip("”’」』）\"')"))
    whole = last and _END.match(text, start + last - 1)
    right = end if whole else _sentence_end(text, end)
    while left < start and text[left].isspace():
        left += 1
    room = max(0, longest - (end - start))
    head, tail = "", ""
    if start - left > room // 2 and right - left > longest:
        left, head = start - room // 2, "…"
    if right - left > longest:
        right, tail = max(end, left + longest), "…"
    piece = re.sub(r"[\s]", " ", text[left:right])
    shift = len(head) - left
    return head + piece + tail, start + shift, end + shift


_NEWEST = """select d.pk, d.id, d.title, d.url, d.outlet, d.source, d.published_on, d.language, d.classifier
  from task_documents t join documents d on d.pk = t.document
  where t.task = ? and t.measure = ? order by t.search_key desc limit 1"""

_SPAN = """select field, start, end, quote from document_spans where document = ? and kind = 'task' and ref = ?
  and (? = '' or measure = ?) and classifier = ?
  order by weight desc, field = 'title', length(quote) desc, start, field limit 1"""

_WORDS = """select start, end from document_spans where document = ? and kind = 'task' and ref = ? and classifier = ?
  and field = ? and start >= ? and end <= ? and end - start < ? group by start, end order by start, end"""


def tasks(database: Database, *, measures: bool = False) -> list[TaskLine]:
    """Every task (with `measures` also what stands below them), in the order of the taxonomy, those with none included."""
    conn = database.conn
    counts = {
        (task, measure): number
        for task, measure, number in conn.execute(
            "select task, measure, sum(documents) from task_days group by task, measure"
        ).fetchall()
    }
    lines = []
    for id_, parent, zh, en, status, provisional in conn.execute(
        "select id, parent, zh, en, status, provisional from tasks where status != 'retired' "
        "and (? or parent is null) order by position, id",
        (measures,),
    ).fetchall():
        key = (parent, id_) if parent else (id_, "")
        number = counts.get(key, 0)
        newest = newest_evidence(database, *key) if number else None
        lines.append(TaskLine(id_, parent, zh, en, status, bool(provisional), number, newest))
    return lines


def newest_evidence(database: Database, task: str, measure: str = "") -> Evidence | None:
    """The newest document of a task, with the sentence around its strongest words."""
    row = database.conn.execute(_NEWEST, (task, measure)).fetchone()
    return evidence_of(database, row, task, measure) if row else None


_ROW = """select pk, id, title, url, outlet, source, published_on, language, classifier from documents where pk = ?"""


def evidence(database: Database, pk: int, task: str, measure: str = "") -> Evidence | None:
    """The sentence of a document that speaks most for a task; None when it does not carry the task."""
    row = database.conn.execute(_ROW, (pk,)).fetchone()
    return evidence_of(database, row, task, measure) if row else None


def evidence_of(database: Database, row: Sequence[Any], task: str, measure: str = "") -> Evidence | None:
    """The same for a row that was read already (the columns of _ROW)."""
    pk, id_, title, url, outlet, source, date, language, classifier = row
    span = database.conn.execute(_SPAN, (pk, task, measure, measure, classifier)).fetchone()
    if span is None:
        return None
    field, start, end, quote = span
    sentence, left, right = sentence_around(field_text(database, pk, field), start, end)
    shift = left - start
    inside = database.conn.execute(_WORDS, (pk, task, classifier, field, start, end, end - start)).fetchall()
    words = [(a + shift, b + shift) for a, b in inside]
    return Evidence(id_, pk, title, url, outlet or source, date, language, field, quote, sentence, left, right, words)


def field_text(database: Database, pk: int, field: str) -> str:
    """The characters that spans of a field count in."""
    if field in ("title", "text"):
        row = database.conn.execute(f"select {field} from documents where pk = ?", (pk,)).fetchone()
    else:
        row = database.conn.execute(
            "select text from attachments where document = ? and position = ?", (pk, int(field.partition(":")[2]))
        ).fetchone()
    return (row[0] or "") if row else ""


_REACHED = "state = 'done' and (outcome in ('ok', 'unchanged', '') or list_rows > 0)"


def coverage(database: Database) -> list[Coverage]:
    """Every source that is or was watched: since when, until when, how much came, and the reason where nothing does."""
    conn = database.conn
    found = []
    for id_, name, enabled in conn.execute("select id, name, enabled from sources order by id").fetchall():
        since, last = (
            (row[0] if row else None)
            for row in (
                conn.execute(
                    f"select started_at from source_runs where source = ? and {_REACHED} order by started_at {way} limit 1",
                    (id_,),
                ).fetchone()
                for way in ("asc", "desc")
            )
        )
        tried = conn.execute(
            "select started_at, state, outcome, reason from source_runs where source = ? order by started_at desc limit 1",
            (id_,),
        ).fetchone()
        number = documents_of(conn, id_)
        good = tried is not None and tried[1] == "done" and tried[2] in ("ok", "unchanged", "")
        reason = "" if good else (tried[3] or tried[2] if tried else ("not tried yet" if enabled else "switched off"))
        found.append(Coverage(id_, name, bool(enabled), since, last, tried[0] if tried else None, number, reason))
    return found


def documents_of(conn: Any, source: str) -> int:
    """How many addresses a source brought."""
    row = conn.execute("select documents from source_documents where source = ?", (source,)).fetchone()
    return int(row[0]) if row else 0
