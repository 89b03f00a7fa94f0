"""Which documents are worth a person's judgement: near the threshold, readers of two minds, and not ten of one kind."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlite_utils import Database

from db.documents import Document
from db.judgements import RELEVANT, judged

# within this distance of the threshold a verdict might as well have been the other one
NEAR = 0.25
# from here on the words alone would have carried the task (as the term reader decides when it is alone)
WORDS_SAY = 0.55
# what each earlier choice of the same source, task or language leaves of a document's worth
SAME_SOURCE, SAME_TASK, SAME_LANGUAGE = 0.6, 0.75, 0.97
LEAST = 0.15
# below this share of what relevance takes, a document is off the subject
OFF = 0.4
# what a doubt about a task is worth there
ASIDE = 0.3
# the best so many are compared with each other
POOL = 3000


@dataclass(slots=True)
class Candidate:
    """A document with the task whose judgement would teach most; `why` in words, `worth` 0..1."""

    id: str
    title: str
    url: str
    source: str
    language: str
    published_on: str | None
    task: str
    carried: bool
    score: float
    threshold: float
    worth: float
    why: list[str] = field(default_factory=list)
    pk: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {k: v for k, v in asdict(self).items() if k != "pk"}


def words_of(clause: dict[str, Any]) -> float:
    """How much the words alone say for a task, 0..1; several weak ones add up."""
    if clause.get("term_reader") is not None:
        return float(clause["term_reader"])
    missing = 1.0
    for term in clause.get("terms") or ():
        missing *= 1.0 - min(1.0, max(0.0, float(term.get("weight", 0.0))))
    return 1.0 - missing


def disagreement(clause: dict[str, Any]) -> float:
    """How far the two readers are apart on a task: 0 where they agree."""
    said = clause.get("model")
    model = float(clause.get("score", 0.0) if said is None else said)
    threshold = float(clause.get("threshold", 0.5))
    words = words_of(clause)
    if (words >= WORDS_SAY) == (model >= threshold):
        return 0.0
    return abs(words - model)


def off_subject(relevance: dict[str, Any] | None) -> bool:
    """Whether both readers leave a document aside as a whole; that a word of a task stands in it teaches little then."""
    return relevance is not None and float(relevance.get("score", 0.0)) < OFF * float(relevance.get("threshold", 0.5))


def disagreements(document: Document) -> dict[str, float]:
    """task -> how far the readers are apart, of the tasks on which they disagree; {} for a document that is off the subject."""
    clauses = document.explanation.get("tasks") or {}
    if off_subject(document.explanation.get("relevance")):
        return {}
    found = {task: disagreement(clause) for task, clause in clauses.items() if isinstance(clause, dict)}
    return {task: apart for task, apart in found.items() if apart > 0}


def review(database: Database, task: str | None = None, limit: int = 20) -> list[Candidate]:
    """The documents whose verdict would teach most, most first, each once; only of one task if it is named."""
    done = judged(database)
    third = _third(database)
    pool = sorted(_candidates(database, task, done, third), key=lambda c: (-c.worth, c.id))[:POOL]
    chosen: list[Candidate] = []
    sources: Counter[str] = Counter()
    tasks: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    titles: set[str] = set()

    def value(c: Candidate) -> float:
        kinds = SAME_SOURCE ** sources[c.source] * SAME_LANGUAGE ** languages[c.language]
        return c.worth * kinds * (1.0 if task else SAME_TASK ** tasks[c.task])

    while pool and len(chosen) < limit:
        best = max(pool, key=value)
        pool.remove(best)
        plain = re.sub(r"\W", "", best.title)
        if plain and plain in titles:
            continue
        titles.add(plain)
        chosen.append(best)
        sources[best.source] += 1
        tasks[best.task] += 1
        languages[best.language] += 1
    return chosen


def _third(database: Database) -> dict[str, set[str]]:
    """document -> tasks that the third reader names, of its newest answer."""
    rows = database.conn.execute("select document, labels from third_opinions where error = '' order by asked_at")
    return {document: {x["task"] for x in json.loads(labels)} for document, labels in rows.fetchall()}


_DOCUMENTS = """
select pk, id, title, url, source, language, published_on, explanation from documents d
  where relevance > 0.02 or exists (select 1 from document_tasks t where t.document = d.pk)
"""


def _candidates(
    database: Database, task: str | None, done: set[tuple[str, str]], third: dict[str, set[str]]
) -> Iterator[Candidate]:
    for pk, id_, title, url, source, language, published, stored in database.conn.execute(_DOCUMENTS):
        explanation = json.loads(stored)
        clauses = dict(explanation.get("tasks") or {})
        relevance = explanation.get("relevance")
        if relevance:
            clauses[RELEVANT] = relevance | {"carried": relevance.get("relevant")}
        best: Candidate | None = None
        for name, clause in clauses.items():
            if task not in (None, name) or (id_, name) in done:
                continue
            worth, why = weigh(name, clause, third.get(id_))
            if name != RELEVANT and off_subject(relevance):
                worth *= ASIDE
            if worth < LEAST or (best is not None and worth <= best.worth):
                continue
            score, threshold = float(clause.get("score", 0.0)), float(clause.get("threshold", 0.5))
            carried = bool(clause.get("carried"))
            best = Candidate(
                id_, title, url, source, language, published, name, carried, score, threshold, round(worth, 3), why, pk
            )
        if best is not None:
            yield best


def weigh(task: str, clause: dict[str, Any], third: set[str] | None) -> tuple[float, list[str]]:
    """(how much a judgement on this would teach, why in words)."""
    score, threshold = float(clause.get("score", 0.0)), float(clause.get("threshold", 0.5))
    carried, why = bool(clause.get("carried")), []
    near = max(0.0, 1.0 - abs(score - threshold) / NEAR)
    if near > 0.2:
        why.append(f"close: {score:.2f} where {threshold:.2f} decides")
    # of relevance no words speak alone
    apart = 0.0 if task == RELEVANT else disagreement(clause)
    if apart and carried:
        why.append("the trained reader carries it with hardly a word of it in the text")
    elif apart:
        terms = ", ".join(str(t["term"]) for t in (clause.get("terms") or ())[:3])
        why.append(f"its words stand there ({terms}), and the trained reader does not believe them")
    contradicted = third is not None and task != RELEVANT and (task in third) != carried
    if contradicted:
        why.append("the third reader says the opposite")
    worth = 1.0 - (1.0 - 0.7 * near) * (1.0 - 0.8 * apart) * (1.0 - 0.6 * contradicted)
    return worth, why
