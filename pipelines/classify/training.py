"""Makes the trained reader's files from `config/training`: the same input gives the same bytes.

Needs scikit-learn (a development dependency); reading a document does not.

Three kinds of lines are understood:
  {"text", "lang", "task", "label": 1|0, "style", "note"}    a passage that is, or only looks like, one task
  {"text", "lang", "labels": [...], "relevant", "title"}      a whole short document with all its tasks
  {"lines": [[text, [task, …]], …], "lang", "relevant", "title"}  a document whose paragraphs are labelled one by one
Any of them may have a "weight": how much it counts (1 if it has none).
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
from pipelines.classify import passages, sections
from pipelines.classify.concepts import Floats
from pipelines.classify.ngrams import BUCKETS

# what is not known of a passage written for one task: that it bears on no other is likely, not certain
UNSAID = 0.35
# inverse strength of regularisation: of 0.1 to 10, 2.4 did best on two sets of labelled documents at 4,400 passages
STRENGTH = 2.4
# the weight of all examples of a task together, whatever their number, so that STRENGTH means the same for all
TOTAL = 500.0
INPUTS, RELEVANCE_INPUTS = 5, 6
DEFAULT_CALIBRATION: dict[str, Any] = {
    "shared": [0.7, 0.2, 0.1, 0.1, 0.0],
    "relevance": [0.4, 0.2, 0.2, 0.1, 0.1, 0.0],
}


Known = dict[str, tuple[bool, float]]


class TrainingError(ValueError):
    """A line of the training data that cannot be used; the message names file and line."""


@dataclass(slots=True)
class Example:
    """One text with what is known of it: +1 bears on the task, -1 does not, and how sure that is."""

    title: str
    text: str
    language: str
    known: Known = field(default_factory=dict)
    where: str = ""
    lines: list[Known] = field(default_factory=list)
    weight: float = 1.0


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
            example.weight = float(row.get("weight", 1.0))
            if example.title + example.text not in seen:
                seen.add(example.title + example.text)
                out.append(example)
    return out


def _example(row: dict[str, Any], tasks: list[str], where: str) -> Example:
    text, language = row.get("text"), row.get("lang")
    if "lines" in row:
        return _composed(row, tasks, where)
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


def _composed(row: dict[str, Any], tasks: list[str], where: str) -> Example:
    texts = [str(text) for text, _ in row["lines"]]
    if any("\n" in t or not t.strip() for t in texts) or row.get("lang") not in ("zh", "en"):
        raise TrainingError(f"{where}: every one of 'lines' must be one paragraph, and 'lang' zh or en")
    example = Example(str(row.get("title") or ""), "\n".join(texts), str(row["lang"]), where=where)
    relevant = bool(row.get("relevant"))
    for _, labels in row["lines"]:
        unknown = [t for t in labels if t not in tasks]
        if unknown:
            raise TrainingError(f"{where}: there is no task {unknown[0]!r}")
        known = {t: (t in labels, 1.0) for t in tasks}
        # a paragraph without a task in a relevant document may still be about finance for industry
        known[reader.RELEVANCE] = (bool(labels), 1.0 if labels else 0.0 if relevant else 1.0)
        example.lines.append(known)
    return example


def judged_examples(rows: Iterable[dict[str, Any]], tasks: list[str]) -> list[Example]:
    """Lines of `db.judgements.as_training`: of a task that is neither in `labels` nor in `not_labels` nothing is known."""
    out = []
    for row in rows:
        example = Example(
            str(row.get("title") or ""), str(row["text"]), str(row["lang"]), where=str(row.get("where", ""))
        )
        example.known = {t: (False, 1.0) for t in row["not_labels"] if t in tasks}
        example.known |= {t: (True, 1.0) for t in row["labels"] if t in tasks}
        if row.get("relevant") is not None:
            example.known[reader.RELEVANCE] = (bool(row["relevant"]), 1.0)
        example.weight = float(row.get("weight", 1.0))
        if example.known:
            out.append(example)
    return out


def judged_right(model: reader.Model, examples: list[Example], sheets: list[passages.Sheet]) -> int:
    """How many of the judged labels this model would give as they were judged."""
    right = 0
    for example, sheet in zip(examples, sheets, strict=True):
        opinion = reader.opine(model, sheet)
        probabilities = opinion.tasks | {reader.RELEVANCE: opinion.relevance}
        right += sum((probabilities[n] >= model.thresholds[n]) == known for n, (known, _) in example.known.items())
    return right


def sheet_of(classifier: Any, model: reader.Model | None, concepts: Any, title: str, text: str) -> passages.Sheet:
    """The text as the model reads it, vectors included."""
    sheet = passages.make_sheet(concepts, classifier.read(Document(title=title, text=text)))
    passages.add_vectors(sheet)
    return sheet


@dataclass(slots=True)
class Table:
    """Training rows: features, and per output the targets and weights (0 = not known). `owner` = example of the row."""

    features: Floats
    grams: list[tuple[NDArray[np.int64], Floats]]
    targets: NDArray[np.bool_]
    weights: Floats
    owner: NDArray[np.int64]


def tabulate(concepts: Any, examples: list[Example], sheets: list[passages.Sheet]) -> Table:
    """Each example as one passage (they are short); of a document labelled by paragraph, each paragraph as one."""
    outputs = [*concepts.tasks, reader.RELEVANCE]
    features, grams, targets, weights, owner = [], [], [], [], []
    chinese = sum(e.language == "zh" for e in examples) / max(1, len(examples))
    # both languages weigh the same, however many passages there are of each
    share = {"zh": 0.5 / chinese if chinese else 1.0, "en": 0.5 / (1 - chinese) if chinese < 1 else 1.0}
    for number, (example, sheet) in enumerate(zip(examples, sheets, strict=True)):
        for span, said in _labelled(example, sheet):
            features.append(passages.rows(concepts, sheet, np.array([span], dtype=np.int64))[0])
            grams.append(passages.gram_row(sheet, span))
            known = [said.get(o, (False, 0.0)) for o in outputs]
            targets.append([k[0] for k in known])
            weights.append([k[1] * share[example.language] * example.weight for k in known])
            owner.append(number)
    return Table(
        np.array(features),
        grams,
        np.array(targets),
        np.array(weights, dtype=np.float32),
        np.array(owner, dtype=np.int64),
    )


def _labelled(example: Example, sheet: passages.Sheet) -> Iterator[tuple[tuple[int, int], Known]]:
    """(passage, what is known of it) for all that is known of an example."""
    if not sheet.sentences:
        return
    if not example.lines:
        yield (0, sheet.sentences), example.known
        return
    for number, known in enumerate(example.lines):
        inside = [i for i, p in enumerate(sheet.paragraphs) if p == number]
        if inside:
            yield (inside[0], inside[-1] + 1), known


def fit(table: Table, columns: int | None = None, strength: float = STRENGTH) -> tuple[Floats, Floats, Floats]:
    """(weights, bias, n-gram weights) by logistic regression, one output after the other; positives and negatives of
    an output weigh the same."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression

    features = table.features[:, :columns] if columns else table.features
    edges = np.cumsum([0] + [len(which) for which, _ in table.grams])
    which = np.concatenate([which for which, _ in table.grams])
    values = np.concatenate([values for _, values in table.grams])
    grams = csr_matrix((values, which, edges), shape=(len(features), BUCKETS))
    joint = hstack([csr_matrix(features), grams]).tocsr()
    outputs = table.targets.shape[1]
    w = np.zeros((joint.shape[1], outputs), dtype=np.float32)
    b = np.zeros(outputs, dtype=np.float32)
    for k in range(outputs):
        use = np.flatnonzero(table.weights[:, k] > 0)
        y, weight = table.targets[use, k], table.weights[use, k].astype(np.float64)
        if y.all() or not y.any():
            b[k] = 6.0 if len(y) and y.all() else -6.0
            continue
        weight = np.where(y, weight / weight[y].sum(), weight / weight[~y].sum()) * TOTAL / 2
        learned = LogisticRegression(C=strength, max_iter=2000, tol=1e-5).fit(joint[use], y, sample_weight=weight)
        w[:, k], b[k] = learned.coef_[0], learned.intercept_[0]
    size = features.shape[1]
    return w[:size], b, w[size:]


def summaries(model: reader.Model, sheets: Iterable[passages.Sheet]) -> NDArray[np.float32]:
    """Document x output x inputs: what calibration is fitted on; of a long document its most relevant section."""
    out = []
    for sheet in sheets:
        parts = (sections.take(sheet, part) for part in sections.cut(sheet))
        out.append(max((reader.summarise(*reader.logits(model, p)[:2]) for p in parts), key=lambda s: float(s[-1, 0])))
    return np.array(out, dtype=np.float32)


def fit_calibration(summary: Floats, gold: list[dict[str, Any]], tasks: list[str]) -> dict[str, Any]:
    """Shared slopes and one offset per task from labelled documents; tasks without any get the mean offset."""
    from sklearn.linear_model import LogisticRegression

    x, y, which = [], [], []
    for i, row in enumerate(gold):
        for k, task in enumerate(tasks):
            if task in row["scored"] and task not in row["disputed"]:
                x.append(summary[i, k, :INPUTS])
                y.append(task in row["labels"])
                which.append(k)
    offsets = np.eye(len(tasks))[which]
    learned = LogisticRegression(C=1.0, max_iter=3000, tol=1e-8).fit(np.hstack([x, offsets]), y)
    shared, bias = learned.coef_[0][:INPUTS], learned.coef_[0][INPUTS:] + learned.intercept_[0]
    present = sorted(set(which))
    for k in range(len(tasks)):
        if k not in present:
            bias[k] = bias[present].mean()
    use = [i for i, row in enumerate(gold) if not row["relevant_disputed"]]
    rx = summary[use, -1]
    relevance = LogisticRegression(C=1.0, max_iter=3000, tol=1e-8).fit(rx, [gold[i]["relevant"] for i in use])
    return {
        "shared": [round(float(v), 5) for v in shared],
        "bias": [round(float(v), 5) for v in bias],
        "relevance": [round(float(v), 5) for v in relevance.coef_[0]],
        "relevance_bias": round(float(relevance.intercept_[0]), 5),
    }


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
        for name in reader.ARRAYS:
            inner = io.BytesIO()
            np.save(inner, getattr(model, name).astype(np.float16))
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0)), inner.getvalue())
    (folder / "weights.npz").write_bytes(buffer.getvalue())
    text = json.dumps(model.meta, ensure_ascii=False, indent=1, sort_keys=True)
    (folder / "model.json").write_text(text + "\n", "utf-8")


def digest(examples: list[Example]) -> str:
    """Twelve hexadecimal digits of what was learned from."""
    every = json.dumps(
        [[e.title, e.text, e.language, sorted(e.known.items()), e.lines, e.weight] for e in examples],
        ensure_ascii=False,
    )
    return hashlib.sha256(every.encode()).hexdigest()[:12]
