"""From the readers' views to one verdict: which tasks, how sure, and whether the document is relevant at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipelines.classify.evidence import Evidence
from pipelines.classify.gates import GateStates
from pipelines.classify.model import RELEVANCE, Opinion
from pipelines.classify.terms import NEGATED

# the term reader alone (a task that the model was never trained on): one specific term, or several weak ones
TERMS_THRESHOLD = 0.55
NAMING = 0.9
NO_DOUBT, HARDLY = 0.8, 0.25


@dataclass(slots=True)
class Verdict:
    """Scores by task (0..1), the tasks carried, relevance, and the thresholds that decided."""

    scores: dict[str, float]
    carried: list[str]
    relevance: float
    relevant: bool
    thresholds: dict[str, float] = field(default_factory=dict)
    relevance_threshold: float = 0.5
    opinion: Opinion | None = None


def by_terms(evidence: dict[str, Evidence], gates: GateStates) -> Verdict:
    """The verdict of the term reader alone."""
    scores = {task: e.score for task, e in evidence.items()}
    carried = [task for task, score in scores.items() if score >= TERMS_THRESHOLD and evidence[task].hits]
    relevance = max(scores.values(), default=0.0)
    if not (gates.met.get("finance", True) and gates.met.get("manufacturing", True)):
        relevance *= 0.3
    thresholds = dict.fromkeys(scores, TERMS_THRESHOLD)
    return Verdict(scores, carried, relevance, relevance >= TERMS_THRESHOLD, thresholds, TERMS_THRESHOLD)


def denies(evidence: Evidence, opinion: Opinion) -> bool:
    """Whether all that speaks for a task are sentences that name it to deny it; the trained reader takes them for proof."""
    speaking = {number for number, _ in opinion.speaking(evidence.task)}
    return bool(evidence.denied) and not evidence.hits and speaking <= evidence.denied


def decide(
    evidence: dict[str, Evidence], gates: GateStates, opinion: Opinion, thresholds: Mapping[str, float]
) -> Verdict:
    """The verdict of both readers. The term reader's evidence is part of what the model read; alone it decides only
    for tasks that the model does not know."""
    scores: dict[str, float] = {}
    limits: dict[str, float] = {}
    for task, e in evidence.items():
        known = task in opinion.tasks
        scores[task] = opinion.tasks[task] if known else e.score
        if known and denies(e, opinion):
            scores[task] *= NEGATED
        limits[task] = thresholds.get(task, 0.5) if known else TERMS_THRESHOLD
    # what names the circular and uses its words for a task says that the circular sets that task
    if gates.words.get("circular"):
        for task, e in evidence.items():
            if e.score >= TERMS_THRESHOLD:
                scores[task] = max(scores[task], limits[task], e.score * NAMING)
    threshold = thresholds.get(RELEVANCE, 0.5)
    carried = [t for t, s in scores.items() if s >= limits[t] and (evidence[t].hits or opinion.sentences.get(t))]
    named = bool(gates.words.get("circular")) and bool(carried)
    beyond = [t for t in carried if t not in opinion.tasks]
    relevance = max([opinion.relevance, *(scores[t] for t in carried if named or t in beyond)])
    # what bears on a task without any doubt is relevant by definition, however short; else a task on a document that
    # is not about finance for industry in China is a look-alike
    if any(scores[t] >= NO_DOUBT for t in carried) and relevance >= HARDLY * threshold:
        relevance = max(relevance, threshold)
    if relevance < threshold:
        carried = []
    return Verdict(scores, carried, relevance, relevance >= threshold, limits, threshold, opinion)
