"""Precision, recall and F1 of labels against gold, per task and language: what `circularwatch evaluate` prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def counts(gold: Iterable[Mapping[str, Any]], found: Mapping[str, set[str]], task: str) -> tuple[int, int, int]:
    """(true positive, false positive, false negative); a label in `disputed` counts neither way."""
    tp = fp = fn = 0
    for document in gold:
        if task in document.get("disputed", ()):
            continue
        said, true = task in found.get(document["id"], ()), task in document.get("labels", ())
        tp += said and true
        fp += said and not true
        fn += true and not said
    return tp, fp, fn


def f1(tp: int, fp: int, fn: int) -> float:
    """The harmonic mean of precision and recall; 1 where there was nothing to find and nothing was found."""
    return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 1.0


def score(gold: list[dict[str, Any]], results: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Figures for each language and for all; `results` are classified documents by id."""
    tasks = sorted({t for g in gold for t in g.get("labels", ())})
    found = {i: {t["id"] for t in r.get("tasks", ())} for i, r in results.items()}
    languages = sorted({str(g.get("language", "")) for g in gold} - {""})
    out: dict[str, Any] = {"documents": len(gold), "missing": sum(g["id"] not in results for g in gold)}
    for language in [*languages, "all"]:
        part = [g for g in gold if language in ("all", g.get("language"))]
        rows = {}
        for task in tasks:
            tp, fp, fn = counts(part, found, task)
            rows[task] = {
                "precision": tp / (tp + fp) if tp + fp else 0.0,
                "recall": tp / (tp + fn) if tp + fn else 0.0,
                "f1": f1(tp, fp, fn),
                "documents": tp + fn,
            }
        pairs = [
            (bool(results.get(g["id"], {}).get("relevant")), bool(g["relevant"]))
            for g in part
            if "relevant" in g and not g.get("relevant_disputed")
        ]
        relevant = f1(
            sum(p and y for p, y in pairs), sum(p and not y for p, y in pairs), sum(y and not p for p, y in pairs)
        )
        macro = sum(r["f1"] for r in rows.values()) / len(rows) if rows else 0.0
        out[language] = {"macro_f1": macro, "relevant_f1": relevant, "tasks": rows}
    return out
