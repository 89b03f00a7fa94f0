"""Makes the trained reader's files from `config/training`: the same input gives the same bytes.

Needs scikit-learn (a development dependency); reading a document does not.

Two kinds of lines are understood:
  {"text", "lang", "task", "label": 1|0, "style", "note"}   a passage that is, or only looks like, one task
  {"text", "lang", "labels": [...], "relevant", "title"}     a whole short document with all its tasks
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db.documents import Document
from pipelines.classify import model as reader
from pipelines.classify import passages
from pipelines.classify.concepts import Floats

# what is not known of a passage written for one task: that it bears on no other is likely, not certain
UNSAID = 0.35
STRENGTH = 0.1
DEFAULT_CALIBRATION: dict[str, Any] = {"shared": [0.8, 0.2, 0.2], "relevance": [0.5, 0.5, 0.1, 0.0]}


class TrainingError(ValueError):
    """A line of the training data that cannot be used; the message names file and line."""


@dataclass(slots=True)
class Example:
    """One text with what is known of it: +1 bears on the task, -1 does not, and how sure that is."""

    title: str
    text: str
    language: str
    known: dict[str, tuple[bool, float]] = field(default_factory=dict)
    where: str = ""


def read_examples(folder: Path, tasks: list[str]) -> list[Example]:
    """All lines of all .jsonl files below the folder, in the order of their names; raises TrainingError."""
    out: list[Example] = []
    seen: set[str] = set()
    for path in sorted(folder.rglob("*.jsonl")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if not line.strip():
                continue
            where = f"{path.name}, line {number}"
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise TrainingError(f"{where}: not JSON ({error.msg})") from error
            example = _example(row, tasks, where)
            if example.title + example.text not in seen:
                seen.add(example.title + example.text)
                out.append(example)
    return out


def _example(row: dict[str, Any], tasks: list[str], where: str) -> Example:
    text, language = row.get("text"), row.get("lang")
    if not isinstance(text, str) or not text.strip() or language not in ("zh", "en"):
        raise TrainingError(f"{where}: it needs a 'text' and a 'lang' that is zh or en")
    example = Example(str(row.get("title") or ""), text, str(language), where=where)
    named = row.get("labels") if "labels" in row else [row.get("task")]
    for task in named or []:
        if task not in tasks and task != "none":
            raise TrainingError(f"{where}: there is no task {task!r}")
    if "labels" in row:
        example.known = {t: (t in row["labels"], 1.0) for t in tasks}
        example.known[reader.RELEVANCE] = (bool(row.get("relevant", bool(row["labels"]))), 1.0)
        return example
    also = set(row.get("also") or ())
    positive = bool(row.get("label"))
    # a passage of another task is a negative of this one, unless its writer named it under `also`
    example.known = {t: (t in also, 1.0 if t in also else UNSAID) for t in tasks}
    if row.get("task") in tasks:
        example.known[row["task"]] = (positive, 1.0)
    if positive or also:
        example.known[reader.RELEVANCE] = (True, 1.0)
    elif "relevant" in row:
        example.known[reader.RELEVANCE] = (bool(row["relevant"]), 1.0)
    elif row.get("task") in (None, "none"):
        example.known[reader.RELEVANCE] = (False, 1.0)
    else:
        example.known[reader.RELEVANCE] = (False, UNSAID)
    return example


def sheet_of(classifier: Any, model: reader.Model | None, concepts: Any, title: str, text: str) -> passages.Sheet:
    """The text as the model reads it, vectors included."""
    sheet = passages.make_sheet(concepts, classifier.read(Document(title=title, text=text)))
    passages.add_vectors(sheet)
    return sheet


@dataclass(slots=True)
class Table:
    """Training rows: features, and per output the targets and weights (0 = not known). `owner` = example of the row."""

    features: Floats
    targets: NDArray[np.bool_]
    weights: Floats
    owner: NDArray[np.int64]


def tabulate(concepts: Any, examples: list[Example], sheets: list[passages.Sheet]) -> Table:
    """Each example as one passage (they are short)."""
    outputs = [*concepts.tasks, reader.RELEVANCE]
    features, targets, weights = [], [], []
    for example, sheet in zip(examples, sheets, strict=True):
        if not sheet.sentences:
            continue
        features.append(passages.rows(concepts, sheet, passages.whole(sheet))[0])
        known = [example.known.get(o, (False, 0.0)) for o in outputs]
        targets.append([k[0] for k in known])
        weights.append([k[1] for k in known])
    owner = np.array([i for i, s in enumerate(sheets) if s.sentences], dtype=np.int64)
    return Table(np.array(features), np.array(targets), np.array(weights, dtype=np.float32), owner)


def fit(table: Table, columns: int | None = None, strength: float = STRENGTH) -> tuple[Floats, Floats]:
    """Weights and bias by logistic regression, one output after the other, positives and negatives weighing the same."""
    from sklearn.linear_model import LogisticRegression

    features = table.features[:, :columns] if columns else table.features
    outputs = table.targets.shape[1]
    w = np.zeros((features.shape[1], outputs), dtype=np.float32)
    b = np.zeros(outputs, dtype=np.float32)
    for k in range(outputs):
        use = table.weights[:, k] > 0
        y, weight = table.targets[use, k], table.weights[use, k].astype(np.float64)
        if y.all() or not y.any():
            b[k] = 6.0 if y.all() else -6.0
            continue
        total = weight.sum()
        weight = np.where(y, weight / weight[y].sum(), weight / weight[~y].sum()) * total / 2
        learned = LogisticRegression(C=strength, max_iter=3000, tol=1e-6).fit(features[use], y, sample_weight=weight)
        w[:, k], b[k] = learned.coef_[0], learned.intercept_[0]
    return w, b


def summaries(model: reader.Model, sheets: Iterable[passages.Sheet]) -> NDArray[np.float32]:
    """Document x output x 3: what calibration is fitted on."""
    out = [reader.summarise(*reader.logits(model, sheet)[:2]) for sheet in sheets]
    return np.array(out, dtype=np.float32)


def fit_calibration(summary: Floats, gold: list[dict[str, Any]], tasks: list[str]) -> dict[str, Any]:
    """Shared slopes and one offset per task from labelled documents; tasks without any get the mean offset."""
    from sklearn.linear_model import LogisticRegression

    x, y, which = [], [], []
    for i, row in enumerate(gold):
        for k, task in enumerate(tasks):
            if task in row["scored"] and task not in row["disputed"]:
                x.append(summary[i, k])
                y.append(task in row["labels"])
                which.append(k)
    offsets = np.eye(len(tasks))[which]
    learned = LogisticRegression(C=1.0, max_iter=3000, tol=1e-8).fit(np.hstack([x, offsets]), y)
    shared, bias = learned.coef_[0][:3], learned.coef_[0][3:] + learned.intercept_[0]
    present = sorted(set(which))
    for k in range(len(tasks)):
        if k not in present:
            bias[k] = bias[present].mean()
    use = [i for i, row in enumerate(gold) if not row["relevant_disputed"]]
    rx = np.array([_relevance_row(summary[i]) for i in use])
    relevance = LogisticRegression(C=1.0, max_iter=3000, tol=1e-8).fit(rx, [gold[i]["relevant"] for i in use])
    return {
        "shared": [round(float(v), 5) for v in shared],
        "bias": [round(float(v), 5) for v in bias],
        "relevance": [round(float(v), 5) for v in relevance.coef_[0]],
        "relevance_bias": round(float(relevance.intercept_[0]), 5),
    }


def _relevance_row(summary: Floats) -> list[float]:
    tasks = summary[:-1, 0]
    return [float(summary[-1, 2]), float(summary[-1, 1]), float(tasks.max()), float(np.sort(tasks)[-3:].sum())]


def read_gold(lines: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """Labelled documents in the shape that calibration wants; which tasks were looked for is what occurs at all."""
    gold = list(lines)
    scored = {t for row in gold for t in row["labels"]}
    for row in gold:
        row["scored"] = scored
        row["disputed"] = set(row.get("disputed") or ())
        row.setdefault("relevant", bool(row["labels"]))
        row.setdefault("relevant_disputed", False)
    return gold


def write(folder: Path, model: reader.Model) -> None:
    """Write weights.npz and model.json; identical input gives identical bytes (no time in the archive)."""
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("weights", "bias", "cheap_weights", "cheap_bias"):
            inner = io.BytesIO()
            np.save(inner, getattr(model, name).astype(np.float16))
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), inner.getvalue())
    (folder / "weights.npz").write_bytes(buffer.getvalue())
    text = json.dumps(model.meta, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / "model.json").write_text(text + "\n", "utf-8")


def digest(examples: list[Example]) -> str:
    """Twelve hexadecimal digits of what was learned from."""
    every = json.dumps([[e.title, e.text, e.language, sorted(e.known.items())] for e in examples], ensure_ascii=False)
    return hashlib.sha256(every.encode()).hexdigest()[:12]
