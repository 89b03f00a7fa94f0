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

from pipelines.classify import passages
from pipelines.classify.concepts import Concepts, Floats, load_concepts

RELEVANCE = "relevant"
FILES = ("concepts.yaml", "weights.npz", "model.json")
# how many of the strongest passages speak for a document, besides the strongest of all
TOP = 6


class ModelError(ValueError):
    """The model's files are missing, or don't belong together; the message says what to do."""


@dataclass(slots=True)
class Opinion:
    """What the trained reader says: probabilities, and per task the sentences (numbers, strongest first) that say so."""

    tasks: dict[str, float]
    relevance: float
    sentences: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    read: str = "whole"


@dataclass(slots=True)
class Model:
    """Weights (column x output) and what belongs to them. Outputs are the tasks in `concepts.tasks`, then relevance."""

    concepts: Concepts
    weights: Floats
    bias: Floats
    cheap_weights: Floats
    cheap_bias: Floats
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
        model = Model(
            concepts,
            *(stored[n].astype(np.float32) for n in ("weights", "bias", "cheap_weights", "cheap_bias")),
            meta=meta,
        )
    columns = passages.cheap_columns(concepts)
    if meta["ideas"] != concepts.names or meta["tasks"] != concepts.tasks or len(model.cheap_weights) != columns:
        raise ModelError(f"{folder}/concepts.yaml was changed after training; run `circularwatch train`")
    return model


def logits(model: Model, sheet: passages.Sheet) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """(passage x output, output for the document as one passage, the passages); cheap ones if there are no vectors."""
    spans = passages.cut(sheet)
    w, b = (model.cheap_weights, model.cheap_bias) if sheet.vectors is None else (model.weights, model.bias)
    by_passage = passages.rows(model.concepts, sheet, spans) @ w + b
    document = passages.rows(model.concepts, sheet, passages.whole(sheet)) @ w + b
    return by_passage, document[0], spans


def summarise(by_passage: Floats, document: Floats) -> Floats:
    """Output x (strongest passage, strongest ones, relevance of the whole): what calibration looks at."""
    ordered = np.sort(by_passage, axis=0)
    top = ordered[-TOP:].mean(axis=0)
    relevance = np.full_like(top, document[-1])
    return np.stack([ordered[-1], top, relevance], axis=1)


def opine(model: Model, sheet: passages.Sheet) -> Opinion:
    """Read a document. The encoder is asked only where the cheap reader does not rule the document out."""
    if not sheet.sentences:
        return Opinion(dict.fromkeys(model.concepts.tasks, 0.0), 0.0, read="nothing")
    by_passage, document, spans = logits(model, sheet)
    if sheet.vectors is None:
        perhaps = max(float(by_passage[:, -1].max()), float(document[-1]))
        hopes = float(by_passage[:, :-1].max())
        if perhaps < model.meta["perhaps"]["relevance"] or hopes < model.meta["perhaps"]["task"]:
            return Opinion(dict.fromkeys(model.concepts.tasks, 0.0), 0.0, read="cheap")
        passages.add_vectors(sheet)
        by_passage, document, spans = logits(model, sheet)
    summary = summarise(by_passage, document)
    probabilities = calibrated(model.meta["calibration"], summary)
    names = model.concepts.tasks
    opinion = Opinion({t: float(probabilities[i]) for i, t in enumerate(names)}, float(probabilities[-1]))
    for i, task in enumerate(names):
        opinion.sentences[task] = _strongest(by_passage[:, i], spans)
    return opinion


def calibrated(calibration: dict[str, Any], summary: Floats) -> Floats:
    """Probabilities of all outputs from their summaries."""
    shared = np.array(calibration["shared"], dtype=np.float32)
    z = summary[:-1] @ shared + np.array(calibration["bias"], dtype=np.float32)
    tasks = summary[:-1, 0]
    relevance = np.array([summary[-1, 2], summary[-1, 1], tasks.max(), np.sort(tasks)[-3:].sum()], dtype=np.float32)
    r = relevance @ np.array(calibration["relevance"], dtype=np.float32) + calibration["relevance_bias"]
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(np.append(z, r), -30, 30))), dtype=np.float32)


def _strongest(values: Floats, spans: NDArray[np.int64], most: int = 3) -> list[tuple[int, float]]:
    """The sentences that carry the best passages, each with its own probability-like strength, strongest first."""
    single = {int(a): float(v) for v, (a, b) in zip(values, spans, strict=True) if b - a == 1}
    best = int(np.argmax(values))
    inside = range(int(spans[best][0]), int(spans[best][1]))
    first = max(inside, key=lambda s: (single.get(s, -99.0), -s))
    ranked = sorted(single, key=lambda s: (-single[s], s))
    chosen = [first] + [s for s in ranked if s != first and (single[s] > 0 or s in inside)]
    return [(s, float(1.0 / (1.0 + np.exp(-single.get(s, 0.0))))) for s in chosen[:most]]
