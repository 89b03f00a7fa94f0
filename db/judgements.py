"""What people say of labels: kept by the document's stable id through every rebuild, shown beside the verdict, learned from.

A judgement never changes a label. Each stays where it is; of one person, document and task the newest counts.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any

from sqlite_utils import Database

from db.connection import immediate
from db.documents import Document
from db.lookup import find_pk, whole
from db.runs import now
from db.verdicts import digest

# the task that stands for the document as a whole: does it bear on the circular at all?
RELEVANT = "relevant"
VERDICTS = ("yes", "no", "withdrawn")
LONGEST_NOTE, LONGEST_NAME = 2000, 200
# Texts up to this length are learned from whole; of longer ones, the paragraphs that the judgement is about. Training
# reads an example as one passage, and a task that stands in one paragraph of thirty would drown.
SHORT = 1200
# of a judged task whose place in a long text nobody knows, the beginning is a guess
GUESS = 0.4


class JudgementError(ValueError):
    """A judgement that cannot be stored; str() says why."""


@dataclass(slots=True)
class Judgement:
    """One row of `judgements`. `current`: the texts are still those that were judged."""

    id: int
    document: str
    task: str
    verdict: str
    note: str
    who: str
    judged_at: str
    digest: str
    classifier: str
    carried: bool
    current: bool = True

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def agrees(self, document: Document) -> bool:
        """Whether the label says the same today."""
        return carries(document, self.task) == (self.verdict == "yes")


def carries(document: Document, task: str) -> bool:
    """Whether a document carries a task; for `relevant`, whether it is relevant."""
    return document.relevant if task == RELEVANT else task in {t.id for t in document.tasks}


_COLUMNS = "id, document, task, verdict, note, who, judged_at, digest, classifier, carried"


def tasks_of(database: Database) -> list[str]:
    """What can be judged: the tasks, and the document as a whole."""
    rows = database.conn.execute(
        "select id from tasks where parent is null and status <> 'retired' order by position, id"
    )
    return [*(r[0] for r in rows), RELEVANT]


def record(database: Database, pk: int, task: str, verdict: str, note: str = "", who: str = "") -> Judgement:
    """Store a judgement of the document as it stands; raises JudgementError."""
    names = tasks_of(database)
    if task not in names:
        near = get_close_matches(task, names, n=1)
        raise JudgementError(f"there is no task {task!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    if verdict not in VERDICTS:
        raise JudgementError(f"{verdict!r} is no judgement; say yes, no or withdrawn")
    note, who = _plain(note), _plain(who)
    if len(note) > LONGEST_NOTE or len(who) > LONGEST_NAME:
        raise JudgementError(f"a note may have {LONGEST_NOTE} characters and a name {LONGEST_NAME}")
    with immediate(database) as conn:
        found = whole(database, pk)
        if found is None:
            raise JudgementError("the document is gone")
        document = found.document
        carried = carries(document, task)
        values = (document.id, task, verdict, note, who, now(), digest(document), document.classifier, int(carried))
        id_ = conn.execute(
            f"insert into judgements ({_COLUMNS[4:]}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)", values
        ).lastrowid
    assert id_ is not None
    return Judgement(id_, *values[:-1], carried=carried)


def _plain(text: str) -> str:
    """Text of people without control characters, which a terminal would obey."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", "", text).strip()


def of_document(database: Database, document: Document) -> list[Judgement]:
    """The judgements of a document that count, newest last."""
    return _of(database.conn, document.id, digest(document))


def _of(conn: sqlite3.Connection, id_: str, texts: str) -> list[Judgement]:
    newest: dict[tuple[str, str], Judgement] = {}
    for row in conn.execute(f"select {_COLUMNS} from judgements where document = ? order by id", (id_,)):
        made = Judgement(*row)
        made.carried, made.current = bool(made.carried), made.digest == texts
        newest[made.task, made.who] = made
    return sorted((j for j in newest.values() if j.verdict != "withdrawn"), key=lambda j: j.id)


def listing(database: Database, task: str | None = None, document: str | None = None) -> list[dict[str, Any]]:
    """Every judgement ever made, newest first, with the document's title and whether it carries the label today."""
    carried = (
        "case when j.task = 'relevant' then d.relevant else exists (select 1 from document_tasks t where "
        "t.document = d.pk and t.task = j.task and t.classifier = d.classifier) end"
    )
    cursor = database.conn.execute(
        f"select j.id, j.judged_at, j.document, j.task, j.verdict, {carried} as carries, j.who, j.note, d.title, d.url "
        "from judgements j left join documents d on d.id = j.document where (? is null or j.task = ?) "
        "and (? is null or j.document = ?) order by j.id desc",
        (task, task, document, document),
    )
    names = [c[0] for c in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [row | {"carries": None if row["title"] is None else bool(row["carries"])} for row in rows]


def judged(database: Database) -> set[tuple[str, str]]:
    """(document id, task) of everything on which a judgement stands."""
    rows = database.conn.execute(
        "select document, task from judgements j where verdict <> 'withdrawn' and id = (select max(id) from judgements "
        "k where k.document = j.document and k.task = j.task and k.who = j.who)"
    )
    return {(r[0], r[1]) for r in rows.fetchall()}


def as_training(database: Database) -> list[dict[str, Any]]:
    """Lines to learn from: {lang, relevant, labels, not_labels, title, text, weight, where}.

    `labels` are known to apply, `not_labels` known not to; of all other tasks nothing is known, nor of relevance where
    it is None. Left out: documents whose texts changed since, and tasks on which two people disagree.
    """
    lines: list[dict[str, Any]] = []
    ids = database.conn.execute("select document from judgements group by document order by min(id)").fetchall()
    for (id_,) in ids:
        pk = find_pk(database, id_)
        found = whole(database, pk) if pk is not None else None
        if found is None or found.document.language not in ("zh", "en"):
            continue
        known = _known(_of(database.conn, id_, digest(found.document)))
        if known:
            lines += [line | {"where": f"judgement of {id_}"} for line in _lines(found.document, known)]
    return lines


def _known(judgements: list[Judgement]) -> dict[str, bool]:
    """task -> verdict, of what is undisputed and about today's texts."""
    said: dict[str, set[bool]] = defaultdict(set)
    for judgement in judgements:
        if judgement.current:
            said[judgement.task].add(judgement.verdict == "yes")
    return {task: next(iter(verdicts)) for task, verdicts in said.items() if len(verdicts) == 1}


def _lines(document: Document, known: dict[str, bool]) -> list[dict[str, Any]]:
    yes = sorted(t for t, v in known.items() if v and t != RELEVANT)
    no = sorted(t for t, v in known.items() if not v and t != RELEVANT)
    relevant = True if yes else known.get(RELEVANT)

    def line(text: str, labels: list[str], relevance: bool | None, weight: float = 1.0) -> dict[str, Any]:
        out = {"lang": document.language, "relevant": relevance, "labels": labels, "not_labels": no}
        return out | {"title": document.title, "text": text, "weight": weight}

    body = "\n".join([document.text, *(a.text or "" for a in document.attachments)]).strip()
    if len(body) <= SHORT:
        return [line(body or document.title, yes, relevant)]
    made = []
    lead = _cut(document.text or body)
    for task in yes:
        proof = _passages(document, task)
        made.append(line(proof or lead, [task], True, 1.0 if proof else GUESS))
    for task in no:
        doubtful = _passages(document, task)
        if doubtful:
            made.append(line(doubtful, [], False if relevant is False else None))
    if known.get(RELEVANT) is not None or not made:
        made.append(line(lead, [], known.get(RELEVANT)))
    return list({(m["text"], *m["labels"]): m for m in made}.values())


def _passages(document: Document, task: str) -> str:
    """The paragraphs in which a reader saw the task, up to SHORT characters."""
    places = [(s.field, s.start, s.end) for t in document.tasks if t.id == task for s in t.spans]
    places += [
        (str(s["field"]), int(s["start"]), int(s["end"]))
        for s in document.explanation.get("sentences") or ()
        if task in (s.get("tasks") or ())
    ]
    found: dict[str, None] = {}
    for field, start, end in places:
        if field != "title":
            text = document.field_text(field)
            left = text.rfind("\n", 0, start) + 1
            right = text.find("\n", end)
            found[_cut(text[left : right if right >= 0 else None], start - left)] = None
    out = ""
    for paragraph in found:
        if len(out) + len(paragraph) <= SHORT:
            out += ("\n" if out else "") + paragraph
    return out


def _cut(text: str, around: int = 0) -> str:
    """At most SHORT characters, from a little before the place."""
    begin = max(0, min(around - SHORT // 4, len(text) - SHORT))
    return text[begin : begin + SHORT].strip()
