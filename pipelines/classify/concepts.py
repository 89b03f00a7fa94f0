"""Ideas in everyday words: which of them each sentence expresses, and what their company says about the tasks.

A text that avoids every official term still says that a bank lent, that it was a factory, that it was for ten years.
The words are in `config/model/concepts.yaml`; what a combination is worth is learned (`training`), the weights in the
file are where learning starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from pipelines.classify.terms import FieldReading

Floats = NDArray[np.float32]
# ideas in a neighbouring sentence count, but less than in the same one
NEIGHBOUR = 0.6


@dataclass(frozen=True, slots=True)
class Concepts:
    """The ideas by name and the rules as matrices (rule x idea; task x rule)."""

    words: dict[str, dict[str, list[str]]]
    names: list[str]
    tasks: list[str]
    every: Floats
    some: Floats
    never: Floats
    worth: Floats

    def column(self, name: str) -> int:
        """The place of an idea in every matrix."""
        return self.names.index(name)


def load_concepts(path: Path) -> Concepts:
    """Read `concepts.yaml`; a rule that names an idea that is not there raises ValueError with both names."""
    data: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    words = data["concepts"]
    names = sorted(words)
    place = {n: i for i, n in enumerate(names)}
    tasks = list(data["rules"])
    listed = [(t, rule) for t, rules in enumerate(data["rules"].values()) for rule in rules]
    matrices = {k: np.zeros((len(listed), len(names)), dtype=np.float32) for k in ("all", "any", "not")}
    worth = np.zeros((len(tasks), len(listed)), dtype=np.float32)
    for r, (t, rule) in enumerate(listed):
        for kind, matrix in matrices.items():
            for name in rule.get(kind, ()):
                if name not in place:
                    raise ValueError(f"{path.name}: a rule of {tasks[t]} names the idea {name!r}, which is not defined")
                matrix[r, place[name]] = 1.0
        worth[t, r] = np.log1p(-float(rule["weight"]))
    return Concepts(words, names, tasks, matrices["all"], matrices["any"], matrices["not"], worth)


def sentence_ideas(concepts: Concepts, readings: list[FieldReading]) -> Floats:
    """Sentence x idea: 1 where the sentence of that number (fields one after the other) expresses the idea."""
    place = {n: i for i, n in enumerate(concepts.names)}
    total = sum(len(r.sentences) for r in readings)
    out = np.zeros((total, len(concepts.names)), dtype=np.float32)
    first = 0
    for reading in readings:
        for hit in reading.concepts:
            out[first + hit.sentence, place[hit.role.key]] = 1.0
        first += len(reading.sentences)
    return out


def rule_scores(concepts: Concepts, ideas: Floats) -> Floats:
    """Sentence x task: how strongly the rules speak for the task there (0..1), the next sentence looked at too."""
    if not len(ideas):
        return np.zeros((0, len(concepts.tasks)), dtype=np.float32)
    own = apply_rules(concepts, ideas)
    if len(ideas) == 1:
        return own
    joint = ideas.copy()
    joint[:-1] = np.maximum(ideas[:-1], ideas[1:])
    return np.maximum(own, NEIGHBOUR * apply_rules(concepts, joint))


def apply_rules(concepts: Concepts, ideas: Floats) -> Floats:
    """Row x task: the rules on rows of ideas, whatever the rows stand for."""
    asked = concepts.some.sum(axis=1)
    fires = ideas @ concepts.every.T >= concepts.every.sum(axis=1)
    fires &= (ideas @ concepts.some.T > 0) | (asked == 0)
    fires &= ideas @ concepts.never.T == 0
    return (1.0 - np.exp(fires.astype(np.float32) @ concepts.worth.T)).astype(np.float32)
