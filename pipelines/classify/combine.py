"""From the readers' views to one verdict: which tasks, how sure, and whether the document is relevant at all."""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.classify.evidence import Evidence
from pipelines.classify.gates import GateStates

# the term reader alone: one specific term, or several weak ones
TERMS_THRESHOLD = 0.55


@dataclass(slots=True)
class Verdict:
    """Scores by task (0..1), the tasks carried, relevance, and the thresholds that decided."""

    scores: dict[str, float]
    carried: list[str]
    relevance: float
    relevant: bool
    thresholds: dict[str, float] = field(default_factory=dict)
    relevance_threshold: float = 0.5


def by_terms(evidence: dict[str, Evidence], gates: GateStates) -> Verdict:
    """The verdict of the term reader alone."""
    scores = {task: e.score for task, e in evidence.items()}
    carried = [task for task, score in scores.items() if score >= TERMS_THRESHOLD]
    relevance = max(scores.values(), default=0.0)
    if not (gates.met.get("finance", True) and gates.met.get("manufacturing", True)):
        relevance *= 0.3
    return Verdict(
        scores,
        carried,
        relevance,
        relevance >= TERMS_THRESHOLD,
        dict.fromkeys(scores, TERMS_THRESHOLD),
        TERMS_THRESHOLD,
    )
