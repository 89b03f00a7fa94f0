"""The classifier: reads a document with every reader, combines their verdicts, and attaches labels with their proof."""

from __future__ import annotations

from typing import Any

from db.documents import Document, Span, TaskLabel
from pipelines.classify import combine
from pipelines.classify.digest import classifier_id
from pipelines.classify.evidence import Evidence, spans_of, weigh_tasks
from pipelines.classify.explaining import explain_document
from pipelines.classify.facets import read_facets
from pipelines.classify.gates import read_gates
from pipelines.classify.lexicon import compile_lexicon
from pipelines.classify.relation import read_relation
from pipelines.classify.terms import FieldReading, read_field, weigh_hits


class Classifier:
    """Labels documents with the tasks of a taxonomy. Made once per process: compiling takes about half a second."""

    def __init__(self, taxonomy: Any) -> None:
        self.taxonomy = taxonomy
        self.lexicon = compile_lexicon(taxonomy)
        self.id = classifier_id(taxonomy, [])

    def read(self, document: Document) -> list[FieldReading]:
        """Title, text and the attachments that have text, as the term reader sees them."""
        fields = [("title", document.title), ("text", document.text)]
        fields += [(f"attachment:{i}", a.text) for i, a in enumerate(document.attachments) if a.text]
        readings = [read_field(self.lexicon, name, text) for name, text in fields if text and text.strip()]
        weigh_hits(readings)
        return readings

    def classify(self, document: Document) -> Document:
        """Fill `relevant`, `relevance`, `relation`, `classifier`, `tasks`, `facets` and `explanation`; nothing else."""
        readings = self.read(document)
        gates = read_gates(self.lexicon, readings)
        evidence = weigh_tasks(self.lexicon, readings, gates)
        verdict = combine.by_terms(evidence, gates)
        document.classifier = self.id
        document.relevance, document.relevant = round(verdict.relevance, 4), verdict.relevant
        document.tasks = [
            _label(evidence[task], verdict.scores[task]) for task in verdict.carried if evidence[task].hits
        ]
        if document.tasks:
            max(document.tasks, key=lambda t: t.score).primary = True
        document.facets = read_facets(readings)
        document.relation, named = read_relation(document, readings, document.facets, self.taxonomy)
        document.explanation = explain_document(self, evidence, gates, verdict, readings, named)
        return document


def _label(evidence: Evidence, score: float) -> TaskLabel:
    spans: list[Span] = spans_of(evidence.hits)
    return TaskLabel(evidence.task, round(score, 4), evidence.measure, False, spans)
