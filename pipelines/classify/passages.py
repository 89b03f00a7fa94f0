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
from pipelines.classify.embed import SIZE, embed, plain
from pipelines.classify.ngrams import SCALE, buckets
from pipelines.classify.terms import FieldReading

LENGTHS = (1, 2, 3, 5)
# of a text that is learned from, not more sentences than this go to the encoder: those that express most
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
    paragraphs: list[int]
    grams: list[NDArray[np.int64]]
    embedded: NDArray[np.bool_]

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
    paragraphs: list[int] = []
    first = 0
    for reading in readings:
        for hit in reading.hits:
            if hit.role.key in place:
                terms[first + hit.sentence, place[hit.role.key]] *= 1.0 - hit.value
        edges = [*reading.bounds, len(reading.folded.text)]
        texts += [reading.folded.text[a:b].strip() for a, b in itertools.pairwise(edges)]
        fields.append((first, first + len(reading.sentences)))
        paragraphs += [-1 if reading.name == "title" else s.paragraph for s in reading.sentences]
        first += len(reading.sentences)
    return Sheet(
        ideas,
        rule_scores(concepts, ideas),
        1.0 - terms,
        None,
        fields,
        texts,
        paragraphs,
        [buckets(plain(t)) for t in texts],
        np.zeros(len(texts), dtype=bool),
    )


def add_vectors(sheet: Sheet, first: NDArray[np.int64] | None = None) -> None:
    """Embed the sentences that are not yet: those in `first`, or all; of a very long text those that say most."""
    if sheet.vectors is None:
        sheet.vectors = np.zeros((sheet.sentences, SIZE), dtype=np.float32)
        sheet.embedded = np.zeros(sheet.sentences, dtype=bool)
    chosen = np.arange(sheet.sentences) if first is None else first
    if first is None and len(chosen) > MOST_SENTENCES:
        worth = sheet.ideas.sum(axis=1) + 4.0 * sheet.rules.max(axis=1)
        chosen = np.sort(np.argsort(-worth, kind="stable")[:MOST_SENTENCES])
    chosen = chosen[~sheet.embedded[chosen]]
    if len(chosen):
        sheet.vectors[chosen] = embed([sheet.texts[i] for i in chosen])
        sheet.embedded[chosen] = True


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
    # the root, so that an idea in one sentence of twenty still shows
    document = np.broadcast_to(np.sqrt(sheet.ideas.mean(axis=0)), ideas.shape)
    parts: list[Floats] = [
        (ideas * IDEA_SCALE).astype(np.float32),
        best,
        apply_rules(concepts, ideas),
        terms.astype(np.float32),
        (document * DOCUMENT_SCALE).astype(np.float32),
    ]
    if sheet.vectors is not None:
        mean = _sums(sheet.vectors, a, b) / (b - a)[:, None]
        length = np.sqrt((mean**2).sum(axis=1, keepdims=True))
        parts.append((mean / np.maximum(length, 1e-6) * EMBEDDING_SCALE).astype(np.float32))
    return np.hstack(parts).astype(np.float32)


def gram_scores(sheet: Sheet, passages: NDArray[np.int64], weights: Floats) -> Floats:
    """Passage x output: what the n-grams add; each passage's divided by the root of how many it has."""
    a, b = passages[:, 0], passages[:, 1]
    first, last = _reach(a, b)
    own = np.zeros((last - first + 1, weights.shape[1]), dtype=np.float64)
    size = np.zeros(last - first + 1, dtype=np.float64)
    for i, found in enumerate(sheet.grams[first:last]):
        own[i + 1] = weights[found].sum(axis=0)
        size[i + 1] = len(found)
    own, size = np.cumsum(own, axis=0), np.cumsum(size)
    a, b = a - first, b - first
    root = np.sqrt(np.maximum(1.0, size[b] - size[a]))
    return ((own[b] - own[a]) * (SCALE / root)[:, None]).astype(np.float32)


def gram_row(sheet: Sheet, span: tuple[int, int]) -> tuple[NDArray[np.int64], Floats]:
    """(buckets, values) of one passage, for training; `gram_scores` is this row times the weights."""
    found = np.concatenate(sheet.grams[span[0] : span[1]]) if span[1] > span[0] else np.zeros(0, dtype=np.int64)
    which, times = np.unique(found, return_counts=True)
    return which, (times * (SCALE / np.sqrt(max(1, len(found))))).astype(np.float32)


def whole(sheet: Sheet) -> NDArray[np.int64]:
    """The document as one passage."""
    return np.array([(0, sheet.sentences)], dtype=np.int64)


def cheap_columns(concepts: Concepts) -> int:
    """How many columns come before the embedding's."""
    return 2 * len(concepts.names) + 3 * len(concepts.tasks)


def read_enough(sheet: Sheet, passages: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which passages the encoder has read at least half of: the others' rows would be a guess at what they mean."""
    running = np.concatenate([[0], np.cumsum(sheet.embedded)])
    a, b = passages[:, 0], passages[:, 1]
    return np.asarray(2 * (running[b] - running[a]) >= b - a)


def _reach(a: NDArray[np.int64], b: NDArray[np.int64]) -> tuple[int, int]:
    return (int(a.min()), int(b.max())) if len(a) else (0, 0)


def _sums(values: Floats, a: NDArray[np.int64], b: NDArray[np.int64]) -> Floats:
    # in double precision: differences of running sums must not depend on how long the document is
    first, last = _reach(a, b)
    if len(a) == 1:
        return np.asarray(values[first:last].sum(axis=0, dtype=np.float64)[None], dtype=np.float32)
    running = np.zeros((last - first + 1, values.shape[1]), dtype=np.float64)
    np.cumsum(values[first:last], axis=0, out=running[1:])
    return (running[b - first] - running[a - first]).astype(np.float32)


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
