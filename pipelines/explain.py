"""Why, and why not: puts the explanation of a verdict into sentences for people, in the chain and on demand.

The classifier stores its explanation with the document (`Document.explanation`); this module adds to each label the
part that belongs to it, and renders both for a terminal.
"""

from __future__ import annotations

from typing import Any

from db.documents import Document


def stage(document: Document, context: Any = None) -> Document:
    """Hand each label its share of the document's explanation, so that it can be shown where the label is shown."""
    tasks = document.explanation.get("tasks", {})
    for label in document.tasks:
        label.explanation = dict(tasks.get(label.id, {}))
    return document


def in_words(document: Document, task: str | None = None) -> list[str]:
    """Lines that say why the document carries each task and why it does not carry the others (or just `task`)."""
    said = document.explanation
    if not said:
        return ["This document was never classified; run `circularwatch reclassify`."]
    relevance = said["relevance"]
    lines = []
    if task is None:
        verdict = "relevant" if relevance["relevant"] else "not relevant"
        lines.append(f"{verdict}: {relevance['score']:.2f} (it takes {relevance['threshold']:.2f})")
        if said.get("trained_reader"):
            lines.append(f"trained reader: {said['trained_reader']['said']}")
        for name, gate in said["gates"].items():
            words = f" ({', '.join(gate['words'])})" if gate["words"] else ""
            lines.append(f"gate {name}: {'met' if gate['met'] else 'not met'}{words}")
    labels = {label.id: label for label in document.tasks}
    for name, clause in said["tasks"].items():
        if task in (None, name):
            lines += _task_lines(document, name, clause, labels.get(name))
    if task is not None and task not in said["tasks"]:
        lines.append(f"{task}: not carried; no word of it was found and no reader thought of it")
    if task is None and said.get("nearest_miss"):
        lines.append(f"nearest miss: {said['nearest_miss']}")
    return lines


def _task_lines(document: Document, name: str, clause: dict[str, Any], label: Any) -> list[str]:
    head = "carried" if clause["carried"] else "not carried"
    lines = [f"{name}: {head}, {clause['score']:.2f} (it takes {clause['threshold']:.2f})"]
    if clause.get("terms"):
        lines.append("  words: " + ", ".join(f"{t['term']} {t['weight']:.2f}" for t in clause["terms"]))
    if clause.get("model") is not None:
        lines.append(f"  trained reader: {clause['model']:.2f}; words alone: {clause['term_reader']:.2f}")
    shut = [g for g, met in clause.get("gates", {}).items() if not met]
    if shut:
        lines.append(f"  gates not met: {', '.join(shut)}")
    lines += [f"  does not count: {d['term']} ({d['why']})" for d in clause.get("discounted", [])]
    if label is not None:
        lines += [f"  {s.field}[{s.start}:{s.end}] {s.quote!r} ({s.reader})" for s in label.spans]
    elif clause.get("missing"):
        lines.append(f"  {clause['missing']}")
    return lines
