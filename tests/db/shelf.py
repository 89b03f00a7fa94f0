"""A small database for the tests of the pages: the real sources and tasks, documents made for one purpose each, a clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from sqlite_utils import Database

import config
import db
from db import runs
from db.connection import immediate
from db.datasette import build
from db.documents import Attachment, Document, Facet, Finding, Processed, Span, TaskLabel
from db.writer import Writer

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
CLASSIFIER = "c1"


@cache
def house() -> config.Config:
    return config.load()


def document(number: int, title: str, text: str, labels: dict[str, str] | None = None, **more: Any) -> Document:
    """A document at https://shelf.example/NUMBER; `labels` are {task or task/measure: the words that prove it}."""
    url = more.pop("url", f"https://shelf.example/{number}")
    made = Document(
        id=f"d{number:016x}", identity=f"url:{url}", url=url, canonical_url=more.pop("canonical_url", url),
        title=title, text=text, source="nfra", language="zh", kind="news", outlet="测试社", classifier=CLASSIFIER,
        published_on="2026-11-25", published_at="2026-11-25T04:30:00Z", published_precision="minute",
        first_seen_at="2026-11-25T05:00:00Z",
    )  # fmt: skip
    for place, (name, quote) in enumerate((labels or {}).items()):
        task, _, measure = name.partition("/")
        made.tasks.append(
            TaskLabel(task, 0.9 - place / 100, measure, primary=not place, spans=[span(made, quote)],
                      explanation={"carried": True, "score": 0.9, "threshold": 0.55,
                                   "terms": [{"term": quote, "weight": 0.9}], "gates": {"finance": True}})
        )  # fmt: skip
    made.relevant = bool(labels)
    made.relevance = 0.93 if labels else 0.1
    made.explanation = explanation(made)
    for name, value in more.items():
        setattr(made, name, value)
    return made


def explanation(made: Document) -> dict[str, Any]:
    missed = {"carried": False, "score": 0.3, "threshold": 0.55, "terms": [{"term": "先进制造业", "weight": 0.3}],
              "gates": {"finance": True}, "missing": "“先进制造业” alone is too weak: 0.30 of the 0.55 that it takes"}  # fmt: skip
    return {
        "relevance": {"score": 0.93, "threshold": 0.55, "relevant": made.relevant},
        "gates": {"finance": {"met": True, "words": ["银行"]}, "manufacturing": {"met": False, "words": []}},
        "tasks": {**{t.id: t.explanation for t in made.tasks}, "industrial-upgrading": missed},
        "nearest_miss": "industrial-upgrading: “先进制造业” alone is too weak: 0.30 of the 0.55 that it takes",
    }


def span(made: Document, quote: str, field: str = "text") -> Span:
    start = made.field_text(field).index(quote)
    return Span(field, start, start + len(quote), quote, "terms", 0.9)


def finding(made: Document, name: str, value: Any, quote: str) -> Finding:
    return Finding(name, value, span(made, quote))


def file(text: str | None, error: str = "", name: str = "附件.pdf") -> Attachment:
    return Attachment(f"https://shelf.example/{name}", name, "application/pdf", text=text, error=error, pages=2)


def facets(*pairs: str) -> list[Facet]:
    return [Facet(*pair.split(":")) for pair in pairs]


def store(database: Database, documents: Sequence[Document]) -> None:
    """Store documents as the processor does."""
    first = database.execute(
        "select 1 + max(coalesce((select max(fetch) from observations), 0), coalesce((select max(pk) from documents), 0))"
    ).fetchone()[0]
    done = Writer(database).store(
        [Processed(fetch, made.source, None, made) for fetch, made in enumerate(documents, first)]
    )
    assert not done.failed, done.failed
    with immediate(database) as conn:
        # the writer takes the moment of the fetch; here each document says when it was first seen
        for made in documents:
            conn.execute(
                "update documents set first_seen_at = ? where canonical_url = ?",
                (made.first_seen_at, made.canonical_url),
            )


def shelf(path: Path, documents: Sequence[Document] = ()) -> Database:
    """An open database with the configured sources and tasks and these documents."""
    database = db.connect(path)
    db.sync(database, house())
    store(database, documents)
    return database


def run(
    database: Database,
    source: str,
    at: str,
    *,
    state: str = "done",
    outcome: str = "ok",
    reason: str = "",
    **counts: int,
) -> None:
    """A run over a source in the ledger."""
    id_ = f"{at}-{source}"
    runs.start_run(database, id_, source, started_at=at)
    runs.finish_run(database, id_, state=state, outcome=outcome, reason=reason, counts=counts, finished_at=at)


def watched(database: Database, days: int, *, sources: Sequence[str] | None = None, new: int = 1) -> None:
    """Every enabled source (or these) reached on each of the last days."""
    from datetime import timedelta

    ids = sources or [r[0] for r in database.execute("select id from sources where enabled").fetchall()]
    with immediate(database) as conn:
        for source in ids:
            for day in range(days):
                at = (NOW - timedelta(days=day, hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
                conn.execute(
                    "insert into source_runs (id, source, trigger, started_at, finished_at, state, outcome, list_rows, new) "
                    "values (?, ?, 'schedule', ?, ?, 'done', 'ok', 10, ?)", (f"{source}-{at}", source, at, at, new))  # fmt: skip


def get(path: Path, *addresses: str, headers: dict[str, str] | None = None, **options: Any) -> list[httpx.Response]:
    """The answers to these addresses, from one Datasette."""

    async def ask() -> list[httpx.Response]:
        datasette = build(house(), path, clock=lambda: NOW, **options)
        await datasette.invoke_startup()
        try:
            return [await datasette.client.get(address, headers=headers) for address in addresses]
        finally:
            datasette.databases["circularwatch"].close()

    return asyncio.run(ask())


def page(path: Path, address: str, lang: str = "en") -> str:
    """The text of a page that must be there."""
    (answer,) = get(path, address, headers={"accept-language": lang})
    assert answer.status_code == 200, (address, answer.status_code, answer.text[-600:])
    return answer.text


def dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
