"""A classifier for tests of `reclassify`: a task is a word, and the words stand in a file beside the database."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from db.documents import Document, Facet, Span, TaskLabel
from pipelines.reclassify import Job, Told, reader


class Toy:
    """`words`: task -> word; `do` (die, raise, slow) happens at documents that hold the word `trouble`."""

    def __init__(self, path: Path) -> None:
        raw = path.read_text("utf-8")
        self.rules: dict[str, Any] = json.loads(raw)
        self.id = hashlib.sha256(json.dumps(self.rules["words"]).encode()).hexdigest()[:16]

    def classify(self, document: Document) -> Document:
        do = self.rules.get("do")
        if do == "slow":
            time.sleep(0.01)
        if do == "raise" and "trouble" in document.text:
            raise RuntimeError("broken classifier")
        if do == "die" and "trouble" in document.text:
            os.kill(os.getpid(), signal.SIGKILL)
        document.classifier, document.tasks, document.facets = self.id, [], []
        for task, word in self.rules["words"].items():
            at = document.text.find(word)
            if at >= 0:
                task, _, measure = task.partition("/")
                span = Span("text", at, at + len(word), word, "terms", 1.0)
                document.tasks.append(TaskLabel(task, 0.9, measure, not document.tasks, [span]))
                document.facets.append(Facet("industry", f"i-{word}", [span]))
        document.relevant = bool(document.tasks)
        document.relevance, document.relation = 0.9 * document.relevant, "same task" if document.relevant else ""
        document.explanation = {"classifier": self.id, "tasks": {t.id: {"score": 0.9} for t in document.tasks}}
        return document


def setup(directory: str, db_path: str) -> Callable[[Job], Told]:
    """The toy's reader."""
    return reader(db_path, Toy(Path(directory) / "toy.json").classify)
