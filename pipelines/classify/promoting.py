"""Training from end to end: read passages, fit, calibrate, compare with the model in use, and promote if not worse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.classify import model as reader
from pipelines.classify import passages as cutting
from pipelines.classify import training
from pipelines.classify.classifier import Classifier
from pipelines.classify.concepts import Concepts, Floats, load_concepts
from pipelines.classify.lexicon import compile_lexicon

# a model may lose this much macro-F1 (noise of the sample put aside) and still be promoted
TOLERANCE = 0.005
EVERY = 5
REPEATS, FOLDS = 3, 10
GRID = [round(0.3 + 0.025 * i, 3) for i in range(13)]


def train(
    taxonomy: Any,
    folder: Path,
    source: Path,
    target: Path,
    gold: list[dict[str, Any]] | None,
    force: bool,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Make the files in `target`. `source` holds concepts.yaml and, if there is one, the model in use."""
    concepts = load_concepts(source / "concepts.yaml")
    examples = training.read_examples(folder, concepts.tasks)
    say(f"{len(examples)} passages; reading them")
    classifier = Classifier(taxonomy, readers="terms")
    classifier.lexicon = compile_lexicon(taxonomy, concepts.words)
    sheets = [training.sheet_of(classifier, None, concepts, e.title, e.text) for e in examples]
    table = training.tabulate(concepts, examples, sheets)
    held = [i for i in range(len(table.owner)) if i % EVERY == EVERY - 1]
    aside = _aside(concepts, table, held)
    say("fitting")
    made = _fit(concepts, table)
    old = _in_use(source)
    made.meta = _meta(concepts, examples, old)
    judged: dict[str, Any] = {}
    if gold:
        rows = training.read_gold(iter(gold))
        document_sheets = [training.sheet_of(classifier, None, concepts, r["title"], r["text"]) for r in rows]
        judged = _calibrate(made, document_sheets, rows)
    before = (old or {}).get("figures", {})
    result = {"passages": len(examples), "put_aside_macro_f1": round(aside, 4), **judged}
    worse = _worse(result, before)
    result["promoted"] = force or not worse
    result["reason"] = worse or "not worse than the model in use"
    if result["promoted"]:
        made.meta["figures"] = {k: v for k, v in result.items() if k not in ("promoted", "reason")}
        training.write(target, made)
        if target != source:
            (target / "concepts.yaml").write_bytes((source / "concepts.yaml").read_bytes())
    return result


def _in_use(source: Path) -> dict[str, Any] | None:
    import json

    path = source / "model.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def _fit(concepts: Concepts, table: training.Table) -> reader.Model:
    w, b = training.fit(table)
    cheap_w, cheap_b = training.fit(table, cutting.cheap_columns(concepts))
    half = np.float16
    # as they will be stored, so that calibration sees what reading will see
    stored = [np.asarray(v.astype(half), dtype=np.float32) for v in (w, b, cheap_w, cheap_b)]
    return reader.Model(concepts, *stored, meta={})


def _meta(concepts: Concepts, examples: list[training.Example], old: dict[str, Any] | None) -> dict[str, Any]:
    names = [*concepts.tasks, reader.RELEVANCE]
    calibration = training.DEFAULT_CALIBRATION | {"bias": [0.0] * len(concepts.tasks), "relevance_bias": 0.0}
    meta = {
        "tasks": concepts.tasks,
        "ideas": concepts.names,
        "learned_from": training.digest(examples),
        "calibration": calibration,
        "thresholds": dict.fromkeys(names, 0.5),
        "perhaps": {"relevance": -3.0, "task": -3.0},
    }
    if old and old.get("tasks") == concepts.tasks:
        meta |= {k: old[k] for k in ("calibration", "thresholds", "perhaps")}
    return meta


def _aside(concepts: Concepts, table: training.Table, held: list[int]) -> float:
    """Macro-F1 over tasks on every fifth passage, learned from the others: what two trainings are compared by."""
    chosen = np.zeros(len(table.owner), dtype=bool)
    chosen[held] = True
    rest = training.Table(table.features[~chosen], table.targets[~chosen], table.weights[~chosen], table.owner[~chosen])
    w, b = training.fit(rest)
    z = table.features[chosen] @ w + b
    scores = []
    for k in range(len(concepts.tasks)):
        sure = table.weights[chosen][:, k] >= 1.0
        y, p = table.targets[chosen][sure, k], z[sure, k] > 0
        if y.any():
            scores.append(2 * float((p & y).sum()) / float(p.sum() + y.sum()))
    return float(np.mean(scores)) if scores else 0.0


def _calibrate(made: reader.Model, sheets: list[cutting.Sheet], gold: list[dict[str, Any]]) -> dict[str, Any]:
    """Fit calibration and thresholds on labelled documents; figures are of documents the calibration had not seen."""
    tasks = made.concepts.tasks
    summary = training.summaries(made, sheets)
    unseen = _cross(summary, gold, tasks)
    shared, relevance = _threshold(unseen, gold, tasks)
    made.meta["calibration"] = training.fit_calibration(summary, gold, tasks)
    made.meta["thresholds"] = dict.fromkeys(tasks, shared) | {reader.RELEVANCE: relevance}
    made.meta["perhaps"] = _perhaps(made, sheets, gold)
    figures = {"calibration_documents": len(gold)}
    for language in ("zh", "en", "all"):
        part = [i for i, g in enumerate(gold) if language in ("all", g.get("language"))]
        figures |= {f"{language}_{k}": v for k, v in _figures(unseen, gold, tasks, part, shared, relevance).items()}
    return figures


def _cross(summary: Floats, gold: list[dict[str, Any]], tasks: list[str]) -> Floats:
    from sklearn.model_selection import KFold

    out = np.zeros((len(gold), len(tasks) + 1), dtype=np.float32)
    for repeat in range(REPEATS):
        folds = KFold(min(FOLDS, len(gold)), shuffle=True, random_state=repeat)
        for rest, held in folds.split(np.arange(len(gold))):
            calibration = training.fit_calibration(summary[rest], [gold[i] for i in rest], tasks)
            for i in held:
                out[i] += reader.calibrated(calibration, summary[i]) / REPEATS
    return out


def _figures(
    p: Floats, gold: list[dict[str, Any]], tasks: list[str], part: list[int], threshold: float, relevance: float
) -> dict[str, float]:
    scores, errors, sizes = [], 0.0, 0
    for k, task in enumerate(tasks):
        use = [i for i in part if task in gold[i]["scored"] and task not in gold[i]["disputed"]]
        if not use:
            continue
        y = np.array([task in gold[i]["labels"] for i in use])
        said = p[use, k] >= threshold
        scores.append(2 * float((said & y).sum()) / max(1.0, float(said.sum() + y.sum())))
        errors += sum(abs(float(p[use, k][b].mean() - y[b].mean())) * int(b.sum()) for b in _bins(p[use, k]))
        sizes += len(use)
    use = [i for i in part if not gold[i]["relevant_disputed"]]
    y, said = np.array([gold[i]["relevant"] for i in use]), p[use, -1] >= relevance
    return {
        "macro_f1": round(float(np.mean(scores)), 4) if scores else 0.0,
        "relevant_f1": round(2 * float((said & y).sum()) / max(1.0, float(said.sum() + y.sum())), 4),
        "calibration_error": round(errors / max(1, sizes), 4),
    }


def _bins(p: Floats) -> list[Any]:
    edges = np.minimum((p * 10).astype(int), 9)
    return [edges == e for e in np.unique(edges)]


def _threshold(p: Floats, gold: list[dict[str, Any]], tasks: list[str]) -> tuple[float, float]:
    """One threshold for all tasks (eleven would be fitted to a handful of documents each), one for relevance."""
    everything = list(range(len(gold)))
    smooth = []
    for t in GRID:
        smooth.append(_figures(p, gold, tasks, everything, t, 0.5)["macro_f1"])
    around = [float(np.mean(smooth[max(0, i - 1) : i + 2])) for i in range(len(GRID))]
    best = GRID[int(np.argmax(around))]
    relevant = [_figures(p, gold, tasks, everything, best, t)["relevant_f1"] for t in GRID]
    around = [float(np.mean(relevant[max(0, i - 1) : i + 2])) for i in range(len(GRID))]
    return best, GRID[int(np.argmax(around))]


def _perhaps(made: reader.Model, sheets: list[cutting.Sheet], gold: list[dict[str, Any]]) -> dict[str, float]:
    """How low the cheap reader may stand before the encoder is left out: below every relevant document, with room."""
    lowest, least = 99.0, 99.0
    for sheet, row in zip(sheets, gold, strict=True):
        if row["relevant"]:
            vectors, sheet.vectors = sheet.vectors, None
            by_passage, document, _ = reader.logits(made, sheet)
            sheet.vectors = vectors
            lowest = min(lowest, max(float(by_passage[:, -1].max()), float(document[-1])))
            least = min(least, float(by_passage[:, :-1].max()))
    return {"relevance": round(lowest - 0.75, 3), "task": round(least - 0.75, 3)}


def _worse(result: dict[str, Any], before: dict[str, Any]) -> str:
    """In words, by how much the new model does worse; empty if it does not."""
    for name, what in (("all_macro_f1", "the labelled documents"), ("put_aside_macro_f1", "the passages put aside")):
        if name in result and name in before:
            lost = before[name] - result[name]
            if lost > TOLERANCE:
                return f"the new model does worse by {lost:.3f} macro-F1 on {what} ({result[name]:.3f}, was {before[name]:.3f})"
            return ""
    return ""
