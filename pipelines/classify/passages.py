"""A document as passages: every run of one to five sentences, each as the row of numbers that the model reads.

A round-up may hold one paragraph that matters, and a circular twelve tasks in twelve items: so nothing is averaged
over a document. A label is what its strongest passages say.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.classify.concepts import Concepts, Floats, apply_rules, rule_scores, sentence_ideas
from pipelines.classify.embed import SIZE, embed
from pipelines.classify.terms import FieldReading

LENGTHS = (1, 2, 3, 5)
# more sentences than this are read by their terms and ideas only; those that express most go to the encoder
MOST_SENTENCES = 160
# columns are brought to about the same size, so that one strength of regularisation suits all of them
IDEA_SCALE, DOCUMENT_SCALE, EMBEDDING_SCALE = 0.5, 1.0, 3.0


@dataclass(slots=True)
class Sheet:
    """A document before passages are cut: per sentence (fields one after the other) its ideas, rules, terms, vector."""

    ideas: Floats
    rules: Floats
    terms: Floats
    vectors: Floats | None
    fields: list[tuple[int, int]]
    texts: list[str]

    @property
    def sentences(self) -> int:
        """How many sentences there are."""
        return len(self.ideas)


def make_sheet(concepts: Concepts, readings: list[FieldReading]) -> Sheet:
    """The sheet of a read document; the vectors are left for `add_vectors`, since they cost most."""
    ideas = sentence_ideas(concepts, readings)
    terms = np.ones((len(ideas), len(concepts.tasks)), dtype=np.float32)
    place = {t: i for i, t in enumerate(concepts.tasks)}
    fields: list[tuple[int, int]] = []
    texts: list[str] = []
    first = 0
    for reading in readings:
        for hit in reading.hits:
            if hit.role.key in place:
                terms[first + hit.sentence, place[hit.role.key]] *= 1.0 - hit.value
        edges = [*reading.bounds, len(reading.folded.text)]
        texts += [reading.folded.text[a:b].strip() for a, b in itertools.pairwise(edges)]
        fields.append((first, first + len(reading.sentences)))
        first += len(reading.sentences)
    return Sheet(ideas, rule_scores(concepts, ideas), 1.0 - terms, None, fields, texts)


def add_vectors(sheet: Sheet) -> None:
    """Embed the sentences; of a very long document only those that express most ideas."""
    if sheet.vectors is not None:
        return
    chosen = np.arange(sheet.sentences)
    if sheet.sentences > MOST_SENTENCES:
        worth = sheet.ideas.sum(axis=1) + 4.0 * sheet.rules.max(axis=1)
        chosen = np.sort(np.argsort(-worth, kind="stable")[:MOST_SENTENCES])
    sheet.vectors = np.zeros((sheet.sentences, SIZE), dtype=np.float32)
    if len(chosen):
        sheet.vectors[chosen] = embed([sheet.texts[i] for i in chosen])


def cut(sheet: Sheet) -> NDArray[np.int64]:
    """Passages as (first sentence, one past the last), never across two fields, shortest first."""
    out = [
        (i, i + length)
        for first, last in sheet.fields
        for length in LENGTHS
        if length == 1 or length <= last - first
        for i in range(first, last - length + 1)
    ]
    return np.array(out, dtype=np.int64).reshape(-1, 2)


def rows(concepts: Concepts, sheet: Sheet, passages: NDArray[np.int64]) -> Floats:
    """Passage x column: what the model reads. Without vectors the columns of the embedding are left out."""
    a, b = passages[:, 0], passages[:, 1]
    ideas = np.minimum(1.0, _sums(sheet.ideas, a, b))
    best = _maxima(sheet.rules, passages)
    terms = 1.0 - np.exp(_sums(np.log(np.maximum(1e-6, 1.0 - sheet.terms)), a, b))
    document = np.broadcast_to(sheet.ideas.mean(axis=0), ideas.shape)
    parts = [ideas * IDEA_SCALE, best, apply_rules(concepts, ideas), terms, document * DOCUMENT_SCALE]
    if sheet.vectors is not None:
        mean = _sums(sheet.vectors, a, b) / (b - a)[:, None]
        length = np.sqrt((mean**2).sum(axis=1, keepdims=True))
        parts.append(mean / np.maximum(length, 1e-6) * EMBEDDING_SCALE)
    return np.hstack(parts).astype(np.float32)


def whole(sheet: Sheet) -> NDArray[np.int64]:
    """The document as one passage."""
    return np.array([(0, sheet.sentences)], dtype=np.int64)


def cheap_columns(concepts: Concepts) -> int:
    """How many columns come before the embedding's."""
    return 2 * len(concepts.names) + 3 * len(concepts.tasks)


def _sums(values: Floats, a: NDArray[np.int64], b: NDArray[np.int64]) -> Floats:
    # in double precision: differences of running sums must not depend on how long the document is
    running = np.zeros((len(values) + 1, values.shape[1]), dtype=np.float64)
    np.cumsum(values, axis=0, out=running[1:])
    return (running[b] - running[a]).astype(np.float32)


def _maxima(values: Floats, passages: NDArray[np.int64]) -> Floats:
    out = np.zeros((len(passages), values.shape[1]), dtype=np.float32)
    lengths = passages[:, 1] - passages[:, 0]
    for length in np.unique(lengths):
        chosen = np.flatnonzero(lengths == length)
        starts = passages[chosen, 0]
        best = values[starts]
        for step in range(1, int(length)):
            best = np.maximum(best, values[starts + step])
        out[chosen] = best
    return out
