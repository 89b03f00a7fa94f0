"""Training from end to end: read passages, fit, calibrate, compare with the model in use, and promote if not worse."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
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
TOLERANCE = 0.01
EVERY = 5
# reading without the encoder may rule out so large a share of the relevant documents, and only what is near no task
LOST, NEAR = 0.01, 0.2
LOOKS = [round(0.01 * i, 2) for i in range(1, 25)]
# a passage shorter than this says too little to be judged as a document
DOCUMENT = 5
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
    extra: Iterable[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Make the files in `target`. `source` holds concepts.yaml and, if there is one, the model in use.

    `extra` are judgements (`db.judgements.as_training`): learned from, and never among what two models are compared by.
    """
    concepts = load_concepts(source / "concepts.yaml")
    examples = training.read_examples(folder, concepts.tasks)
    passages = len(examples)
    examples += training.judged_examples(extra, concepts.tasks)
    said = f" and {len(examples) - passages} judged texts" if len(examples) > passages else ""
    say(f"{passages} passages{said}; reading them")
    classifier = Classifier(taxonomy, readers="terms")
    classifier.lexicon = compile_lexicon(taxonomy, concepts.words)
    sheets = [training.sheet_of(classifier, None, concepts, e.title, e.text) for e in examples]
    table = training.tabulate(concepts, examples, sheets)
    held = [i for i, owner in enumerate(table.owner) if i % EVERY == EVERY - 1 and owner < passages]
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
        made.meta["cheap_calibration"] = _cheap_calibration(made, document_sheets, rows)
        made.meta["cheap"] = _limits(made, table, examples, sheets)
    before = (old or {}).get("figures", {})
    if len(examples) > passages:
        judged |= _judgements(made, source, examples[passages:], sheets[passages:])
    result = {"passages": passages, "put_aside_macro_f1": round(aside, 4), **judged}
    worse = _worse(result, before)
    result["promoted"] = force or not worse
    result["reason"] = worse or "not worse than the model in use"
    if result["promoted"]:
        made.meta["figures"] = {k: v for k, v in result.items() if k not in ("promoted", "reason")}
        training.write(target, made)
        if target != source:
            (target / "concepts.yaml").write_bytes((source / "concepts.yaml").read_bytes())
    return result


def _judgements(
    made: reader.Model, source: Path, examples: list[training.Example], sheets: list[cutting.Sheet]
) -> dict[str, int]:
    """How many judged labels there are, how many the new model gives as judged, and how many the one in use does."""
    out = {"judged_labels": sum(len(e.known) for e in examples)}
    out["judged_right"] = training.judged_right(made, examples, sheets)
    if all((source / name).is_file() for name in reader.FILES):
        out["judged_right_before"] = training.judged_right(reader.load_model(source), examples, sheets)
    return out


def _in_use(source: Path) -> dict[str, Any] | None:
    path = source / "model.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def _fit(concepts: Concepts, table: training.Table) -> reader.Model:
    made = dict(zip(reader.ARRAYS[:3], training.fit(table), strict=True))
    made |= dict(zip(reader.ARRAYS[3:], training.fit(table, cutting.cheap_columns(concepts)), strict=True))
    # as they will be stored, so that calibration sees what reading will see
    stored = {n: np.asarray(v.astype(np.float16), dtype=np.float32) for n, v in made.items()}
    return reader.Model(concepts, meta={}, **stored)


def _meta(concepts: Concepts, examples: list[training.Example], old: dict[str, Any] | None) -> dict[str, Any]:
    names = [*concepts.tasks, reader.RELEVANCE]
    calibration = training.DEFAULT_CALIBRATION | {"bias": [0.0] * len(concepts.tasks), "relevance_bias": 0.0}
    meta = {
        "tasks": concepts.tasks,
        "ideas": concepts.names,
        "learned_from": training.digest(examples),
        "calibration": calibration,
        "thresholds": dict.fromkeys(names, 0.5),
        "cheap_calibration": calibration,
        "cheap": {"relevance": 0.0, "task": 0.0},
    }
    if old and old.get("tasks") == concepts.tasks:
        meta |= {k: old[k] for k in ("calibration", "cheap_calibration", "thresholds", "cheap") if k in old}
    return meta


def _aside(concepts: Concepts, table: training.Table, held: list[int]) -> float:
    """Macro-F1 over tasks on every fifth passage, learned from the others: what two trainings are compared by."""
    chosen = np.zeros(len(table.owner), dtype=bool)
    chosen[held] = True
    w, b, grams = training.fit(_part(table, np.flatnonzero(~chosen)))
    z = table.features[chosen] @ w + b
    z += np.array([values @ grams[which] for which, values in (table.grams[i] for i in held)])
    scores = []
    for k in range(len(concepts.tasks)):
        sure = table.weights[chosen][:, k] >= 0.5
        y, p = table.targets[chosen][sure, k], z[sure, k] > 0
        if y.any():
            scores.append(2 * float((p & y).sum()) / float(p.sum() + y.sum()))
    return float(np.mean(scores)) if scores else 0.0


def _part(table: training.Table, rows: Any) -> training.Table:
    return training.Table(
        table.features[rows],
        [table.grams[i] for i in rows],
        table.targets[rows],
        table.weights[rows],
        table.owner[rows],
    )


def _calibrate(made: reader.Model, sheets: list[cutting.Sheet], gold: list[dict[str, Any]]) -> dict[str, Any]:
    """Fit calibration and thresholds on labelled documents; figures are of documents the calibration had not seen."""
    tasks = made.concepts.tasks
    summary = training.summaries(made, sheets)
    unseen = _cross(summary, gold, tasks)
    shared, relevance = _threshold(unseen, gold, tasks)
    made.meta["calibration"] = training.fit_calibration(summary, gold, tasks)
    made.meta["thresholds"] = dict.fromkeys(tasks, shared) | {reader.RELEVANCE: relevance}
    figures: dict[str, Any] = {"calibration_documents": len(gold), "calibrated_on": digest(gold)}
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
        said = (p[use, k] >= threshold) & (p[use, -1] >= relevance)
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
    relevant = [_figures(p, gold, tasks, everything, 0.5, t)["relevant_f1"] for t in GRID]
    relevance = GRID[_middle_of_best(relevant)]
    labels = [_figures(p, gold, tasks, everything, t, relevance)["macro_f1"] for t in GRID]
    return GRID[_middle_of_best(labels)], relevance


def _middle_of_best(values: list[float]) -> int:
    """Where the mean of a value and its neighbours is greatest: a plateau rather than a peak."""
    return int(np.argmax([np.mean(values[max(0, i - 1) : i + 2]) for i in range(len(values))]))


def _cheap_calibration(made: reader.Model, sheets: list[cutting.Sheet], gold: list[dict[str, Any]]) -> dict[str, Any]:
    plain = [replace(sheet, vectors=None) for sheet in sheets]
    return training.fit_calibration(training.summaries(made, plain), gold, made.concepts.tasks)


def _limits(
    made: reader.Model, table: training.Table, examples: list[training.Example], sheets: list[cutting.Sheet]
) -> dict[str, float]:
    """Below which relevance, without the encoder, a text may be left unread: where at most LOST of the relevant documents
    are lost that the fit did not see."""
    relevant = []
    for fold in range(EVERY):
        rest = np.flatnonzero(table.owner % EVERY != fold)
        w, b, grams = training.fit(_part(table, rest), cutting.cheap_columns(made.concepts))
        blind = replace(made, cheap_weights=w, cheap_bias=b, cheap_grams=grams)
        for i in range(fold, len(examples), EVERY):
            if examples[i].known.get(reader.RELEVANCE) == (True, 1.0) and sheets[i].sentences >= DOCUMENT:
                relevant.append(reader.first_look(blind, replace(sheets[i], vectors=None)))
    if not relevant:
        return {"relevance": 0.0, "task": 0.0}
    far = np.array([p[-1] if p[:-1].max() < NEAR else 1.0 for p in relevant])
    return {"relevance": max([t for t in LOOKS if (far < t).mean() <= LOST], default=0.0), "task": NEAR}


def digest(gold: list[dict[str, Any]]) -> str:
    """Twelve hexadecimal digits of the documents that calibrated."""
    every = [[str(row[k]) for k in ("id", "title", "text")] + sorted(row["labels"]) for row in gold]
    return hashlib.sha256(json.dumps(every, ensure_ascii=False).encode()).hexdigest()[:12]


def _worse(result: dict[str, Any], before: dict[str, Any]) -> str:
    """In words, by how much the new model does worse; empty if it does not. Figures on other documents don't compare."""
    same = result.get("calibrated_on") and result.get("calibrated_on") == before.get("calibrated_on")
    name, what = (
        ("all_macro_f1", "the labelled documents") if same else ("put_aside_macro_f1", "the passages put aside")
    )
    if name in result and name in before:
        lost = before[name] - result[name]
        if lost > TOLERANCE:
            return f"the new model does worse by {lost:.3f} macro-F1 on {what} ({result[name]:.3f}, was {before[name]:.3f})"
    return ""
