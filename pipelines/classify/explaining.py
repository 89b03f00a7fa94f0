"""Why a document carries a task and why not another, as plain values that are stored with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from db.documents import Span
from pipelines.classify.combine import Verdict
from pipelines.classify.evidence import Evidence
from pipelines.classify.gates import GateStates
from pipelines.classify.terms import FieldReading

if TYPE_CHECKING:
    from pipelines.classify.classifier import Classifier

MOST_TERMS, MOST_SENTENCES = 6, 5
# from this score on a task is mentioned though no word of it was found
MENTION = 0.1
HOW = {
    "whole": "every sentence was read",
    "sections": "section by section, as far as words and ideas did not rule one out",
    "cheap": "words and ideas alone ruled the document out",
    "nothing": "there was nothing to read",
}


def explain_document(
    classifier: Classifier,
    evidence: dict[str, Evidence],
    gates: GateStates,
    verdict: Verdict,
    readings: list[FieldReading],
    named: Span | None,
) -> dict[str, Any]:
    """The explanation: gates with the words that opened them, each task's clauses, and the sentences ranked."""
    tasks = {
        task: _task(classifier, e, gates, verdict)
        for task, e in evidence.items()
        if e.hits or e.shut or e.discounted or verdict.scores[task] >= MENTION
    }
    out: dict[str, Any] = {
        "classifier": classifier.id,
        "relevance": {
            "score": round(verdict.relevance, 3),
            "threshold": round(verdict.relevance_threshold, 3),
            "relevant": verdict.relevant,
        },
        "gates": {name: {"met": gates.met[name], "words": gates.words[name]} for name in sorted(gates.met)},
        "tasks": tasks,
        "sentences": ranked_sentences(evidence, readings, verdict),
        "nearest_miss": nearest_miss(evidence, verdict),
    }
    if verdict.opinion:
        out["trained_reader"] = {
            "read": verdict.opinion.read,
            "said": HOW[verdict.opinion.read],
            "relevance": round(verdict.opinion.relevance, 3),
        }
    if named:
        out["names_the_circular"] = {"field": named.field, "start": named.start, "end": named.end, "quote": named.quote}
    return out


def _task(classifier: Classifier, e: Evidence, gates: GateStates, verdict: Verdict) -> dict[str, Any]:
    asked = sorted(
        {g for entry in [e.task, *classifier.lexicon.measures[e.task]] for g in classifier.lexicon.gates[entry]}
    )
    terms: dict[str, float] = {}
    for _, hit in e.hits:
        terms[hit.role.term] = max(terms.get(hit.role.term, 0.0), round(hit.value, 3))
    carried = e.task in verdict.carried
    out: dict[str, Any] = {
        "carried": carried,
        "score": round(verdict.scores[e.task], 3),
        "threshold": round(verdict.thresholds[e.task], 3),
        "terms": [{"term": t, "weight": w} for t, w in sorted(terms.items(), key=lambda x: (-x[1], x[0]))[:MOST_TERMS]],
        "gates": {g: gates.met.get(g, True) for g in asked},
    }
    if verdict.opinion and e.task in verdict.opinion.tasks:
        out["model"] = round(verdict.opinion.tasks[e.task], 3)
        out["term_reader"] = round(e.score, 3)
    if e.discounted:
        out["discounted"] = [{"term": t, "why": w} for t, w in dict.fromkeys(e.discounted)][:MOST_TERMS]
    if not carried:
        out["missing"] = missing(e, verdict)
    return out


def missing(e: Evidence, verdict: Verdict) -> str:
    """In words, what kept a task from being carried."""
    score, threshold = verdict.scores[e.task], verdict.thresholds[e.task]
    if score >= threshold and not verdict.relevant:
        return (
            f"it would do ({score:.2f} of {threshold:.2f}), but the document as a whole is not about finance for industry "
            f"in China: {verdict.relevance:.2f} of {verdict.relevance_threshold:.2f}"
        )
    trained = ""
    if verdict.opinion and e.task in verdict.opinion.tasks:
        trained = f"; both readers together give {score:.2f} of the {threshold:.2f} that it takes"
    if e.shut:
        return f"a word was found, but no word of the gate {' and '.join(e.shut)} stands in the document{trained}"
    if e.discounted and not e.hits:
        term, why = e.discounted[0]
        return f"“{term}” does not count: {why}{trained}"
    if e.hits:
        best = max(e.hits, key=lambda rh: rh[1].value)[1].role.term
        return f"“{best}” is not enough{trained or f': {score:.2f} of the {threshold:.2f} that it takes'}"
    return f"no word of this task was found{trained}"


def nearest_miss(evidence: dict[str, Evidence], verdict: Verdict) -> str:
    """The task that came closest without being carried, in one sentence; empty if none came near."""
    rest = [t for t in verdict.scores if t not in verdict.carried and verdict.scores[t] > 0.05]
    if not rest:
        return ""
    near = max(rest, key=lambda t: (verdict.scores[t] - verdict.thresholds[t], t))
    return f"{near}: {missing(evidence[near], verdict)}"


def ranked_sentences(
    evidence: dict[str, Evidence], readings: list[FieldReading], verdict: Verdict
) -> list[dict[str, Any]]:
    """The sentences that say most, strongest first, each with the tasks that it speaks for by either reader."""
    worth: dict[tuple[str, int], dict[str, float]] = {}
    for task, e in evidence.items():
        for reading, hit in e.hits:
            _raise(worth, (reading.name, hit.sentence), task, hit.value)
    for task in verdict.carried:
        for number, strength in verdict.opinion.speaking(task) if verdict.opinion else []:
            _raise(worth, _place(readings, number), task, strength)
    by_name = {r.name: r for r in readings}
    ranked = sorted(worth.items(), key=lambda kv: (-sum(kv[1].values()), kv[0]))[:MOST_SENTENCES]
    out = []
    for (name, index), tasks in ranked:
        sentence = by_name[name].sentences[index]
        strengths = {t: round(v, 3) for t, v in sorted(tasks.items(), key=lambda x: (-x[1], x[0]))}
        out.append({"field": name, "start": sentence.start, "end": sentence.end, "tasks": strengths})
    return out


def _raise(worth: dict[tuple[str, int], dict[str, float]], place: tuple[str, int], task: str, value: float) -> None:
    tasks = worth.setdefault(place, {})
    tasks[task] = max(tasks.get(task, 0.0), value)


def _place(readings: list[FieldReading], number: int) -> tuple[str, int]:
    """(field, sentence in it) of a sentence counted over all fields."""
    for reading in readings:
        if number < len(reading.sentences):
            return reading.name, number
        number -= len(reading.sentences)
    raise IndexError(number)
