"""Trivial readers for tests of the processor: they make a document from the journal alone, and can stand still or die."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from db.bundles import Bundle
from db.documents import Document, Span, TaskLabel
from pipelines.stages import Result


def config(directory: str = "") -> Any:
    """As much of a configuration as the processor itself needs."""
    task = {"position": 0, "zh": "任务", "en": "task", "status": "core"}
    tasks = [SimpleNamespace(id=t, measures=(), **task) for t in ("t1", "t2")]
    source = SimpleNamespace(id="s", name="S", kind="html-list", type="regulator", language="zh", certainty="seen")
    source.base_url = "https://s/"
    return SimpleNamespace(directory=directory, sources={"s": source}, taxonomy=SimpleNamespace(tasks=tasks), alerts={})


def document(bundle: Bundle) -> Document:
    """The document that every reader here makes of a bundle."""
    parts = "".join(p.url for p in bundle.parts)
    text = f"制造业贷款 {bundle.main.url} {parts}"
    made = Document(
        url=bundle.main.url, canonical_url=bundle.main.url, source=bundle.source, title=f"T{bundle.fetch_id}"
    )
    made.text, made.language = text, "zh"
    made.tasks = [TaskLabel("t1", 0.9, spans=[Span("text", 0, 3, "制造业", "terms")])]
    return made


def setup(directory: str, archive: str) -> Callable[[Bundle], Result]:
    """Reads according to what the list said: `do` is ok (default), raise, hang, spin, die, refuse or lie."""

    def read(bundle: Bundle) -> Result:
        do = bundle.main.said.get("do", "ok")
        began = time.process_time()
        if do == "raise":
            raise RuntimeError("broken reader")
        if do == "hang":
            time.sleep(3600)
        if do == "spin":
            while True:
                pass
        if do == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if do == "die once":
            marker = os.path.join(archive, "died")
            if not os.path.exists(marker):
                open(marker, "w").close()
                os.kill(os.getpid(), signal.SIGKILL)
        if do == "refuse":
            return Result(None, "soft-404", "the page says that it does not exist")
        if do == "slow":
            time.sleep(0.02)
        made = document(bundle)
        if do == "lie":
            made.tasks[0].spans = [Span("text", 0, 3, "别的词")]
        return Result(made, cpu={"extract": time.process_time() - began})

    return read


def broken_setup(directory: str, archive: str) -> Callable[[Bundle], Result]:
    """A worker that cannot start."""
    raise ValueError("the model file is missing")
