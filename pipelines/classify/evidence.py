"""What the term reader makes of its hits, task by task: a score, the measure beneath, the proof, what was missing."""

from __future__ import annotations

from dataclasses import dataclass, field

from db.documents import Span
from pipelines.classify.gates import GateStates
from pipelines.classify.lexicon import Lexicon
from pipelines.classify.terms import NEGATION, FieldReading, Hit

MOST_SPANS = 8


@dataclass(slots=True)
class Evidence:
    """The term reader's view of one task. `score` is 0..1 and not calibrated; `hits` are those that counted.

    `denied`: sentences that name the task only to deny it, counted over all fields as the trained reader counts them.
    """

    task: str
    score: float = 0.0
    measure: str = ""
    hits: list[tuple[FieldReading, Hit]] = field(default_factory=list)
    shut: list[str] = field(default_factory=list)
    discounted: list[tuple[str, str]] = field(default_factory=list)
    sentences: int = 0
    denied: set[int] = field(default_factory=set)


def weigh_tasks(lexicon: Lexicon, readings: list[FieldReading], gates: GateStates) -> dict[str, Evidence]:
    """Evidence for every task of the taxonomy, those without a hit included."""
    out = {task: Evidence(task) for task in lexicon.tasks}
    grouped: dict[str, dict[str, list[tuple[FieldReading, Hit]]]] = {}
    for reading in readings:
        for hit in reading.hits:
            entry = hit.role.measure or hit.role.key
            grouped.setdefault(hit.role.key, {}).setdefault(entry, []).append((reading, hit))
    for task, by_entry in grouped.items():
        _weigh_task(lexicon, out[task], by_entry, gates)
    _note_denials(out, readings)
    return out


def _note_denials(out: dict[str, Evidence], readings: list[FieldReading]) -> None:
    first = 0
    for reading in readings:
        denied = {(h.role.key, h.sentence) for h in reading.hits if h.why == NEGATION}
        affirmed = {(h.role.key, h.sentence) for h in reading.hits if h.why != NEGATION}
        for task, sentence in denied - affirmed:
            out[task].denied.add(first + sentence)
        first += len(reading.sentences)


def _weigh_task(
    lexicon: Lexicon, evidence: Evidence, by_entry: dict[str, list[tuple[FieldReading, Hit]]], gates: GateStates
) -> None:
    best: dict[str, float] = {}
    by_measure: dict[str, float] = {}
    for entry, found in by_entry.items():
        asked = lexicon.gates[entry]
        shut = gates.shut(asked)
        if shut:
            evidence.shut = sorted({*evidence.shut, *shut})
            continue
        for reading, hit in found:
            paragraph = reading.sentences[hit.sentence].paragraph
            value = hit.value
            if hit.role.tail and not gates.in_paragraph(asked, reading.name, paragraph):
                value *= 0.3
                hit.why = hit.why or "weak term without its gate in the paragraph"
            if hit.why:
                evidence.discounted.append((hit.role.term, hit.why))
            if value >= 0.1:
                evidence.hits.append((reading, hit))
            best[hit.role.term] = max(best.get(hit.role.term, 0.0), value)
            if hit.role.measure:
                by_measure[hit.role.measure] = by_measure.get(hit.role.measure, 0.0) + value
    if best:
        missing = 1.0
        for value in _longest(best):
            missing *= 1.0 - value
        evidence.score = 1.0 - missing
    evidence.shut = evidence.shut if not evidence.hits else []
    if by_measure:
        evidence.measure = max(sorted(by_measure), key=lambda m: by_measure[m])
    evidence.sentences = len({(r.name, h.sentence) for r, h in evidence.hits})


def _longest(best: dict[str, float]) -> list[float]:
    """Values of the terms, those that are part of a longer term found counting once (制造业贷款 in 制造业贷款余额)."""
    terms = sorted(best, key=len, reverse=True)
    out: list[float] = []
    kept: list[str] = []
    for term in terms:
        if any(term in longer for longer in kept):
            continue
        kept.append(term)
        inside = [best[t] for t in terms if t in term]
        out.append(max(inside))
    return out


def spans_of(hits: list[tuple[FieldReading, Hit]], most: int = MOST_SPANS) -> list[Span]:
    """The strongest hits as spans of the original text, none inside another, in the order of the text."""
    ranked = sorted(hits, key=lambda rh: (-rh[1].value, rh[0].name != "title", rh[0].name, rh[1].start, -rh[1].end))
    out: list[Span] = []
    for reading, hit in ranked:
        start, end = reading.folded.original(hit.start, hit.end)
        quote = reading.original[start:end]
        if not quote.strip() or any(s.field == reading.name and s.start < end and start < s.end for s in out):
            continue
        out.append(Span(reading.name, start, end, quote, "terms", round(hit.value, 3)))
        if len(out) >= most:
            break
    order = {"title": 0, "text": 1}
    return sorted(out, key=lambda s: (order.get(s.field, 2), s.field, s.start))
