"""The trained reader: a linear model over passages, its calibration and its thresholds, in numpy alone.

`config/model/weights.npz` holds one column of weights per task and one for relevance, `config/model/model.json` what
the columns mean, how scores become probabilities, and from which probability on a label is given. Both are made by
`circularwatch train`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.classify import passages, sections
from pipelines.classify.concepts import Concepts, Floats, load_concepts

RELEVANCE = "relevant"
FILES = ("concepts.yaml", "weights.npz", "model.json")
# how many of the strongest passages speak for a document, besides the strongest of all
TOP = 6
# from this strength on a sentence convinces by itself
SPEAKS = 0.5
# how much a passage that is about finance for industry is preferred as a document's best, and up to where
PREFERENCE, ENOUGH = 0.3, 2.0
ARRAYS = ("weights", "bias", "grams", "cheap_weights", "cheap_bias", "cheap_grams")


class ModelError(ValueError):
    """The model's files are missing, or don't belong together; the message says what to do."""


@dataclass(slots=True)
class Opinion:
    """What the trained reader says: probabilities, and per task the sentences (numbers, strongest first) that say so."""

    tasks: dict[str, float]
    relevance: float
    sentences: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    read: str = "whole"

    def speaking(self, task: str) -> list[tuple[int, float]]:
        """The sentences that are shown as proof: the strongest, and those that convince by themselves."""
        found = self.sentences.get(task, [])
        return found[:1] + [s for s in found[1:] if s[1] >= SPEAKS]


@dataclass(slots=True)
class Model:
    """Weights (column x output, and n-gram bucket x output) and what belongs to them.

    Outputs are the tasks in `concepts.tasks`, then relevance. The cheap ones do without the embedding.
    """

    concepts: Concepts
    weights: Floats
    bias: Floats
    grams: Floats
    cheap_weights: Floats
    cheap_bias: Floats
    cheap_grams: Floats
    meta: dict[str, Any]

    @property
    def thresholds(self) -> dict[str, float]:
        """The probability from which on each label (and relevance) is given."""
        return dict(self.meta["thresholds"])


def load_model(folder: Path) -> Model:
    """The model in a folder; raises ModelError."""
    missing = [f for f in FILES if not (folder / f).is_file()]
    if missing:
        raise ModelError(f"{folder} lacks {', '.join(missing)}; `circularwatch train` makes the model")
    concepts = load_concepts(folder / "concepts.yaml")
    meta = json.loads((folder / "model.json").read_text("utf-8"))
    with np.load(folder / "weights.npz", allow_pickle=False) as stored:
        arrays = {name: stored[name].astype(np.float32) for name in ARRAYS}
    model = Model(concepts, meta=meta, **arrays)
    columns = passages.cheap_columns(concepts)
    if meta["ideas"] != concepts.names or meta["tasks"] != concepts.tasks or len(arrays["cheap_weights"]) != columns:
        raise ModelError(f"{folder}/concepts.yaml was changed after training; run `circularwatch train`")
    return model


Logits = tuple[Floats, Floats, NDArray[np.int64]]


def logits(model: Model, sheet: passages.Sheet) -> Logits:
    """(passage x output, output for the document as one passage, the passages); cheap ones if there are no vectors, else
    of the passages that the encoder has read."""
    spans = passages.cut(sheet)
    cheap = sheet.vectors is None
    if not cheap:
        spans = spans[passages.read_enough(sheet, spans)]
    w, b = (model.cheap_weights, model.cheap_bias) if cheap else (model.weights, model.bias)
    grams = model.cheap_grams if cheap else model.grams
    everything = np.vstack([spans, passages.whole(sheet)])
    scores = passages.rows(model.concepts, sheet, everything) @ w + b
    scores += passages.gram_scores(sheet, everything, grams)
    return scores[:-1], scores[-1], spans


def summarise(by_passage: Floats, document: Floats) -> Floats:
    """Output x inputs of calibration.

    For a task: its best passage, the mean of its strongest, relevance of that best passage, of the whole, of the most
    relevant three. For relevance (last row): the whole, the most relevant passage, the mean of the strongest, the
    median, the best task, the sum of the three best tasks (one more than a task has; tasks end with 0).
    """
    relevance = by_passage[:, -1]
    preferred = by_passage[:, :-1] + PREFERENCE * np.minimum(relevance, ENOUGH)[:, None]
    best = preferred.argmax(axis=0)
    tasks = np.arange(by_passage.shape[1] - 1)
    ordered = np.sort(by_passage, axis=0)
    top = ordered[-TOP:].mean(axis=0)
    strongest = by_passage[best, tasks]
    out = np.zeros((by_passage.shape[1], 6), dtype=np.float32)
    out[:-1, 0], out[:-1, 1], out[:-1, 2] = strongest, top[:-1], relevance[best]
    out[:-1, 3], out[:-1, 4] = document[-1], ordered[-3:, -1].mean()
    out[-1] = (
        document[-1],
        ordered[-1, -1],
        top[-1],
        np.median(relevance),
        preferred[best, tasks].max(),
        np.sort(strongest)[-3:].sum(),
    )
    return out


def opine(model: Model, sheet: passages.Sheet) -> Opinion:
    """Read a document, section by section if it is long: all of it cheaply, then with the encoder what that has not ruled
    out. A sheet that has vectors is read with them at once."""
    names = model.concepts.tasks
    if not sheet.sentences:
        return Opinion(dict.fromkeys(names, 0.0), 0.0, read="nothing")
    parts = sections.cut(sheet)
    promising = _promising(model, sheet, parts) if sheet.vectors is None else list(range(len(parts)))
    if not promising:
        return Opinion(dict.fromkeys(names, 0.0), 0.0, read="cheap")
    chosen = sorted(promising[: sections.MOST_READ])
    if sheet.vectors is None:
        passages.add_vectors(sheet, np.unique(np.concatenate([parts[i] for i in chosen])))
    found = [logits(model, sections.take(sheet, parts[i])) for i in chosen]
    rows = np.array([calibrated(model.meta["calibration"], summarise(*f[:2])) for f in found])
    if len(parts) > 1:
        rows = np.array([_closer(model, sheet, parts[i], f, r) for i, f, r in zip(chosen, found, rows, strict=True)])
    joint = sections.join(rows, len(parts), len(promising), model.thresholds[RELEVANCE])
    opinion = Opinion(dict(zip(names, map(float, joint), strict=False)), float(joint[-1]))
    opinion.read = "whole" if len(parts) == 1 else "sections"
    for k, task in enumerate(names):
        best = int(rows[:, k].argmax())
        by_passage, _, spans = found[best]
        opinion.sentences[task] = [(int(parts[chosen[best]][s]), v) for s, v in _strongest(by_passage[:, k], spans)]
    return opinion


def _closer(model: Model, sheet: passages.Sheet, part: NDArray[np.int64], found: Logits, row: Floats) -> Floats:
    """The probabilities of a section, or those of its most relevant paragraph by itself where they are higher."""
    by_passage, _, spans = found
    first, end = spans[int(by_passage[:, -1].argmax())]
    close = sections.close_up(sheet, part, (int(first), int(end)))
    if close is None:
        return row
    seen = logits(model, sections.take(sheet, close))
    alone = calibrated(model.meta["calibration"], summarise(*seen[:2]))
    if row[-1] < model.thresholds[RELEVANCE] and alone[-1] < sections.CLEARLY:
        return row
    return np.maximum(row, alone)


def _promising(model: Model, sheet: passages.Sheet, parts: list[NDArray[np.int64]]) -> list[int]:
    """Which sections a reading without the encoder does not rule out, those that promise most first."""
    looks = [first_look(model, sections.take(sheet, part)) for part in parts]
    kept = [i for i, look in enumerate(looks) if not hopeless(look, model.meta["cheap"])]
    return sorted(kept, key=lambda i: (-float(looks[i][-1] + looks[i][:-1].max()), i))


def first_look(model: Model, sheet: passages.Sheet) -> Floats:
    """Probabilities as they stand after reading without the encoder."""
    by_passage, document, _ = logits(model, sheet)
    return calibrated(model.meta["cheap_calibration"], summarise(by_passage, document))


def hopeless(probabilities: Floats, limits: dict[str, float]) -> bool:
    """Whether a document may be left at this: neither relevant nor near any task."""
    return bool(probabilities[-1] < limits["relevance"] and probabilities[:-1].max() < limits["task"])


def calibrated(calibration: dict[str, Any], summary: Floats) -> Floats:
    """Probabilities of all outputs from their summaries."""
    shared = np.array(calibration["shared"], dtype=np.float32)
    z = summary[:-1, : len(shared)] @ shared + np.array(calibration["bias"], dtype=np.float32)
    r = summary[-1] @ np.array(calibration["relevance"], dtype=np.float32) + calibration["relevance_bias"]
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(np.append(z, r), -30, 30))), dtype=np.float32)


def _strongest(values: Floats, spans: NDArray[np.int64], most: int = 3) -> list[tuple[int, float]]:
    """The sentences that carry the best passages, each with its own probability-like strength, strongest first."""
    alone = spans[:, 1] - spans[:, 0] == 1
    single = np.full(int(spans[:, 1].max()), -99.0)
    single[spans[alone, 0]] = values[alone]
    best = int(np.argmax(values))
    inside = range(int(spans[best][0]), int(spans[best][1]))
    first = max(inside, key=lambda s: (single[s], -s))
    speaking = np.flatnonzero(single > 0)
    top = speaking[np.argsort(-single[speaking], kind="stable")[: most + 1]]
    ranked = sorted({*map(int, top), *inside} - {first}, key=lambda s: (-single[s], s))
    return [(s, float(1.0 / (1.0 + np.exp(-single[s])))) for s in [first, *ranked][:most]]
