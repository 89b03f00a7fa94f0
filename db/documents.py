"""The shape of a document and of all that hangs on it: what the stages hand on and what the writer stores.

These dataclasses are the columns of the tables and the JSON of `circularwatch extract`, in one place. They hold
values only; no stage, no SQL. Instants are ISO 8601 strings in UTC that end in `Z`; civil dates are `YYYY-MM-DD`
in the zone of the source (8 October in Beijing stays 8 October everywhere).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Kind = Literal[
    "circular", "local rule", "draft", "interpretation", "notice", "bank action", "penalty", "data", "speech", "news"
]
Level = Literal["central", "provincial", "municipal", "institution"]
Precision = Literal["second", "minute", "hour", "day", "month", "year"]


class SpanError(ValueError):
    """A span whose offsets don't give its quote; the message names the field and the first characters."""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters that prove something: `document.field_text(field)[start:end] == quote`.

    `field` is `title`, `text` or `attachment:N` (N = position of the attachment, from 0). Offsets count Python
    characters (code points), not bytes. `reader` says who pointed at it (`terms`, `model`, `dates` …).
    """

    field: str
    start: int
    end: int
    quote: str
    reader: str = ""
    weight: float = 0.0


@dataclass(slots=True)
class TaskLabel:
    """The claim that a document bears on a task (and how: `measure`), with its score (0..1) and its proof."""

    id: str
    score: float
    measure: str = ""
    primary: bool = False
    spans: list[Span] = field(default_factory=list)
    explanation: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Facet:
    """Who or what is mentioned: `facet` is `industry`, `instrument` or `institution`; `value` an id of the taxonomy."""

    facet: str
    value: str
    spans: list[Span] = field(default_factory=list)


@dataclass(slots=True)
class Attachment:
    """A file that belongs to the document. `text` is None until it was read; `error` says in words why it was not."""

    url: str
    filename: str = ""
    media_type: str = ""
    sha256: str = ""
    text: str | None = None
    error: str = ""
    reader: str = ""
    confidence: float | None = None
    pages: int | None = None


@dataclass(slots=True)
class Finding:
    """A recognised value with the characters it stands in: a date, a deadline, an amount of money.

    `name` says what it is (`written_on`, `effective_on`, `expires_on`, `deadline_on`, `money` …); `value` is
    normalised (an ISO date; for money a dict with `amount` in yuan or the named currency, `currency`, `was`).
    """

    name: str
    value: Any
    span: Span


@dataclass(slots=True)
class Document:
    """One document as it leaves the stages. Every field has a value that means "not known": "" or None, never a guess."""

    # identity (`pipelines/identify.py`)
    id: str = ""
    identity: str = ""
    # where it is from
    url: str = ""
    canonical_url: str = ""
    urls: list[str] = field(default_factory=list)
    source: str = ""
    kind: str = "news"
    # what it says
    title: str = ""
    text: str = ""
    language: str = ""
    author: str = ""
    outlet: str = ""
    firsthand: bool = False
    # when
    published_at: str | None = None
    published_on: str | None = None
    published_precision: str = ""
    published_raw: str = ""
    written_on: str | None = None
    effective_on: str | None = None
    expires_on: str | None = None
    deadline_on: str | None = None
    first_seen_at: str | None = None
    # who
    doc_number: str = ""
    doc_number_raw: str = ""
    index_number: str = ""
    issuers: list[str] = field(default_factory=list)
    level: str = ""
    region: str = ""
    # what hangs on it
    attachments: list[Attachment] = field(default_factory=list)
    body_is_stub: bool = False
    paywalled: bool = False
    origin_outlet: str = ""
    origin_published_on: str | None = None
    findings: list[Finding] = field(default_factory=list)
    # the verdict
    relevant: bool = False
    relevance: float = 0.0
    relation: str = ""
    classifier: str = ""
    explanation: dict[str, Any] = field(default_factory=dict)
    tasks: list[TaskLabel] = field(default_factory=list)
    facets: list[Facet] = field(default_factory=list)
    # remarks of the stages, in words, for users ("date not found", "attachment not read: encrypted")
    remarks: list[str] = field(default_factory=list)

    def field_text(self, name: str) -> str:
        """The characters that spans of this field count in; raises SpanError for a field that does not exist."""
        if name == "title":
            return self.title
        if name == "text":
            return self.text
        if name.startswith("attachment:") and name[11:].isdigit() and int(name[11:]) < len(self.attachments):
            return self.attachments[int(name[11:])].text or ""
        raise SpanError(f"a span names the field {name!r}, which this document does not have")

    def check_spans(self) -> None:
        """Raise SpanError at the first span, of a label, facet or finding, that does not give its quote."""
        labelled = [(f"task {t.id}", s) for t in self.tasks for s in t.spans]
        labelled += [(f"{f.facet} {f.value}", s) for f in self.facets for s in f.spans]
        labelled += [(f.name, f.span) for f in self.findings]
        for what, s in labelled:
            if not s.quote.strip() or self.field_text(s.field)[s.start : s.end] != s.quote:
                got = self.field_text(s.field)[s.start : s.end]
                raise SpanError(f"{what}: {s.field}[{s.start}:{s.end}] is {got[:40]!r}, not the quote {s.quote[:40]!r}")
        for task in self.tasks:
            if not task.spans:
                raise SpanError(f"task {task.id} is claimed without evidence")

    def as_json(self) -> dict[str, Any]:
        """The document as plain JSON values, as printed by `circularwatch extract`."""
        out = asdict(self)
        out["industries"] = sorted({f.value for f in self.facets if f.facet == "industry"})
        out["instruments"] = sorted({f.value for f in self.facets if f.facet == "instrument"})
        out["institutions"] = sorted({f.value for f in self.facets if f.facet == "institution"})
        return out


@dataclass(slots=True)
class Processed:
    """What became of one fetched document, as the writer takes it.

    `document` None means that it could not be read: the fetch and its entry fail with `outcome` and `reason`.
    `extra_fetch_ids` are the pages and attachments that went into it and are done with it.
    """

    fetch_id: int
    source: str
    entry: str | None
    document: Document | None
    outcome: str = "ok"
    reason: str = ""
    extra_fetch_ids: list[int] = field(default_factory=list)


def document_from_json(data: dict[str, Any]) -> Document:
    """The opposite of `dataclasses.asdict(document)`; keys that are no field (the lists `as_json` adds) are left out."""
    names = {f.name for f in fields(Document)}
    values = {k: v for k, v in data.items() if k in names}
    values["attachments"] = [Attachment(**a) for a in data.get("attachments", [])]
    values["findings"] = [Finding(f["name"], f["value"], Span(**f["span"])) for f in data.get("findings", [])]
    values["tasks"] = [TaskLabel(**{**t, "spans": [Span(**s) for s in t["spans"]]}) for t in data.get("tasks", [])]
    values["facets"] = [Facet(f["facet"], f["value"], [Span(**s) for s in f["spans"]]) for f in data.get("facets", [])]
    return Document(**values)
