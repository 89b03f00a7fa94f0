"""The chain from an archived response to a document: what a stage is given, in which order stages run, what comes out.

A stage is a pure function `stage(document, context) -> document`: no HTTP, no SQL, no clock. Each module of the chain
offers one under the name `stage`; `pipelines.classify` offers a `Classifier`, which is made once per process. A stage
that finds that there is nothing to read raises `Unreadable` with an outcome and a reason in words.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from db.documents import Document, Processed, SpanError

if TYPE_CHECKING:  # config is heavy (pydantic) and only its types are wanted here
    from config.sources import Source
    from config.taxonomy import Taxonomy

__all__ = ["CHAIN", "Chain", "Context", "Fetched", "Processed", "Result", "Stage", "Unreadable", "run"]

CHAIN = ("content", "extract", "clean", "attachments", "recognise", "identify", "classify", "explain")


@dataclass(slots=True)
class Fetched:
    """One archived exchange as bytes: `body` is still content-coded as it was received, `headers` have lower-case names.

    `kind` is `document`, `inline` (a list row that carries its whole document, body = the row as JSON), `page` or
    `attachment`. `said` is what the list said of it. `fetched_at` is an instant in UTC. `parts` are the pages and
    attachments of a document, in fetch order; one that could not be had has an `outcome` that is not `ok`, no body and
    the `error` in words.
    """

    url: str
    final_url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    media_type: str = ""
    kind: str = "document"
    said: dict[str, Any] = field(default_factory=dict)
    fetched_at: str = ""
    fetch_id: int = 0
    truncated: bool = False
    outcome: str = "ok"
    error: str = ""
    parts: list[Fetched] = field(default_factory=list)


@dataclass(slots=True)
class Context:
    """What a stage may look at besides the document. `now` is the moment of the fetch: the only clock a stage has.

    `scratch` is where one stage leaves something for a later one of the same document (decoded text, a parsed tree),
    so that nothing is decoded or parsed twice.
    """

    fetched: Fetched
    source: Source
    taxonomy: Taxonomy
    now: str
    config: Any = None
    classifier: Any = None
    scratch: dict[str, Any] = field(default_factory=dict)


class Unreadable(Exception):
    """There is no document in these bytes; `outcome` is one of `pipelines.outcomes`, `reason` says why in words."""

    def __init__(self, outcome: str, reason: str) -> None:
        super().__init__(reason)
        self.outcome, self.reason = outcome, reason


Stage = Callable[[Document, Context], Document]


@dataclass(slots=True)
class Result:
    """What the chain made of one bundle, and the CPU seconds each stage took."""

    document: Document | None
    outcome: str = "ok"
    reason: str = ""
    cpu: dict[str, float] = field(default_factory=dict)

    def __iter__(self) -> Any:
        """So that callers may write `document, outcome, reason = run(…)`."""
        return iter((self.document, self.outcome, self.reason))


class Chain:
    """The stages in their order, bound to one configuration; made once per process, since the classifier is costly."""

    def __init__(self, config: Any, stages: list[tuple[str, Stage]] | None = None) -> None:
        self.config = config
        self.stages = load_stages(config) if stages is None else stages

    def run(self, fetched: Fetched, source: Source) -> Result:
        """Read one bundle. A fault of a stage is a reason, never a crash: the other documents must go on."""
        result = Result(None)
        context = Context(fetched, source, self.config.taxonomy, fetched.fetched_at, self.config)
        document = Document(
            url=fetched.final_url or fetched.url, source=source.id, first_seen_at=fetched.fetched_at or None
        )
        name = "start"
        try:
            for name, stage in self.stages:
                began = time.process_time()
                try:
                    document = stage(document, context)
                finally:
                    elsewhere = context.scratch.pop("cpu", 0.0)  # seconds of computing in processes of the stage
                    result.cpu[name] = result.cpu.get(name, 0.0) + time.process_time() - began + elsewhere
            document.check_spans()
            result.document = document
        except Unreadable as e:
            result.outcome, result.reason = e.outcome, e.reason
        except SpanError as e:
            result.outcome, result.reason = "unreadable", f"a claim without its evidence: {e}"
        except (MemoryError, RecursionError) as e:
            result.outcome, result.reason = "unreadable", f"the document is too large or too deep for {name} ({e!r})"
        except Exception as e:
            result.outcome, result.reason = "unreadable", f"{name} failed: {type(e).__name__}: {str(e)[:200]}"
        return result


def load_stages(config: Any) -> list[tuple[str, Stage]]:
    """Import the chain's modules and bind the classifier to the taxonomy."""
    stages: list[tuple[str, Stage]] = []
    for name in CHAIN:
        module = import_module(f"pipelines.{name}")
        if name == "classify":
            classifier = make_classifier(config)
            stages.append((name, lambda document, context, c=classifier: _classify(c, document, context)))  # type: ignore[misc]
        else:
            stages.append((name, module.stage))
    return stages


def make_classifier(config: Any) -> Any:
    """The classifier of a configuration: its taxonomy, and its own trained model if its folder holds one."""
    from pipelines.classify import Classifier

    folder = Path(config.directory) / "model"
    return Classifier(config.taxonomy, folder if (folder / "weights.npz").is_file() else None)


def _classify(classifier: Any, document: Document, context: Context) -> Document:
    context.classifier = classifier
    return classifier.classify(document)


@lru_cache(maxsize=4)
def _chain(key: int, holder: _Holder) -> Chain:
    return Chain(holder.config)


class _Holder:
    """Lets the cache keep a configuration that is not hashable: two holders are equal if it is the same object."""

    def __init__(self, config: Any) -> None:
        self.config = config

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Holder) and other.config is self.config

    def __hash__(self) -> int:
        return id(self.config)


def run(fetched: Fetched, source: Source, config: Any) -> Result:
    """Read one bundle with the chain of this configuration (made on first use): `document, outcome, reason = run(…)`."""
    return _chain(id(config), _Holder(config)).run(fetched, source)
