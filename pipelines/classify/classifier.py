"""The classifier: reads a document with every reader, combines their verdicts, and attaches labels with their proof."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import config
from db.documents import Document, Span, TaskLabel
from pipelines.attachments import twins
from pipelines.classify import combine, passages
from pipelines.classify.digest import classifier_id
from pipelines.classify.evidence import Evidence, spans_of, weigh_tasks
from pipelines.classify.explaining import explain_document
from pipelines.classify.facets import read_facets
from pipelines.classify.gates import read_gates
from pipelines.classify.lexicon import compile_lexicon
from pipelines.classify.model import FILES, Model, load_model, opine
from pipelines.classify.relation import read_relation
from pipelines.classify.terms import FieldReading, read_field, weigh_hits

MOST_MODEL_SPANS = 2
# characters of a field that are read: annual reports have half a million, more is a dump or an attack
MOST_CHARACTERS = 1_000_000


def model_folder() -> Path:
    """Where the model that comes with the project lies."""
    return Path(str(config.__file__)).parent / "model"


class Classifier:
    """Labels documents with the tasks of a taxonomy. Made once per process: compiling takes about half a second.

    `model` is a trained model, a folder that holds one, or None for the one that comes with the project;
    `readers="terms"` leaves the trained reader out.
    """

    def __init__(self, taxonomy: Any, model: Model | Path | None = None, readers: str = "all") -> None:
        self.taxonomy = taxonomy
        folder = model if isinstance(model, Path) else model_folder()
        self.model: Model | None = None
        if readers != "terms":
            self.model = model if isinstance(model, Model) else load_model(folder)
        self.lexicon = compile_lexicon(taxonomy, self.model.concepts.words if self.model else None)
        self.id = classifier_id(taxonomy, [folder / f for f in FILES] if self.model else [])

    def read(self, document: Document) -> list[FieldReading]:
        """Title, text and the attachments that have text, as the term reader sees them; PDF and OFD of one text once."""
        fields = [("title", document.title), ("text", document.text)]
        fields += [(f"attachment:{i}", document.attachments[i].text or "") for i in twins.counted(document)]
        readings = [
            read_field(self.lexicon, name, text[:MOST_CHARACTERS]) for name, text in fields if text and text.strip()
        ]
        weigh_hits(readings)
        return readings

    def classify(self, document: Document) -> Document:
        """Fill `relevant`, `relevance`, `relation`, `classifier`, `tasks`, `facets` and `explanation`; nothing else."""
        readings = self.read(document)
        gates = read_gates(self.lexicon, readings)
        evidence = weigh_tasks(self.lexicon, readings, gates)
        if self.model is None:
            verdict = combine.by_terms(evidence, gates)
        else:
            opinion = opine(self.model, passages.make_sheet(self.model.concepts, readings))
            verdict = combine.decide(evidence, gates, opinion, self.model.meta["thresholds"])
        document.classifier = self.id
        document.relevance, document.relevant = round(verdict.relevance, 4), verdict.relevant
        document.tasks = [
            _label(evidence[task], round(verdict.scores[task], 4), _sentences(task, verdict, readings))
            for task in verdict.carried
        ]
        document.tasks = [label for label in document.tasks if label.spans]
        if document.tasks:
            max(document.tasks, key=lambda t: t.score).primary = True
        document.facets = read_facets(readings)
        document.relation, named = read_relation(document, readings, document.facets, self.taxonomy)
        document.explanation = explain_document(self, evidence, gates, verdict, readings, named)
        if cut := [r.name for r in readings if len(document.field_text(r.name)) > MOST_CHARACTERS]:
            document.explanation["read_in_part"] = dict.fromkeys(cut, MOST_CHARACTERS)
        return document


def _sentences(task: str, verdict: combine.Verdict, readings: list[FieldReading]) -> list[Span]:
    """The sentences that convinced the trained reader, as spans of the original; none where the words alone decided."""
    opinion = verdict.opinion
    if opinion is None or opinion.tasks.get(task, 0.0) < verdict.thresholds[task]:
        return []
    out: list[Span] = []
    for number, strength in opinion.speaking(task)[:MOST_MODEL_SPANS]:
        first = 0
        for reading in readings:
            if number < first + len(reading.sentences):
                s = reading.sentences[number - first]
                quote = reading.original[s.start : s.end]
                if quote.strip():
                    out.append(Span(reading.name, s.start, s.end, quote, "model", round(strength, 3)))
                break
            first += len(reading.sentences)
    return out


def _label(evidence: Evidence, score: float, sentences: list[Span]) -> TaskLabel:
    order = {"title": 0, "text": 1}
    spans = spans_of(evidence.hits) + sentences
    spans.sort(key=lambda s: (order.get(s.field, 2), s.field, s.start, -s.end))
    return TaskLabel(evidence.task, score, evidence.measure, False, spans)
