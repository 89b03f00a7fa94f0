"""Pages in the sites' real structure, in our own words: every expected field of every fixture is a test of its own.

A fixture is a folder of `fixtures/pages`: `input.html|json`, `about.json` (url, source, moment of the fetch, what the list said) and
`expected.json`. `text_has` and `text_lacks` are about the text, `filenames` about attachments, `money` lists (amount, was).
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

import config
from db.documents import Document
from pipelines import clean, content, extract, identify, recognise
from pipelines.stages import Context, Fetched

PAGES = Path(__file__).parent / "fixtures" / "pages"
NAMES = sorted(p.name for p in PAGES.iterdir())
STAGES = (content.stage, extract.stage, clean.stage, recognise.stage, identify.stage)


@lru_cache(maxsize=1)
def sources() -> dict[str, Any]:
    return config.load_sources()


@lru_cache(maxsize=64)
def read(name: str) -> Document:
    """The document that the reading stages make of a fixture."""
    folder = PAGES / name
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    body = next(folder.glob("input.*")).read_bytes()
    fetched = Fetched(
        about["url"],
        final_url=about["url"],
        body=body,
        media_type="text/html",
        kind=about.get("kind", "document"),
        said=about.get("said", {}),
        fetched_at=about["at"],
    )
    source = sources()[about["source"]] if about["source"] else None
    context = Context(fetched, source, None, about["at"])  # type: ignore[arg-type]
    document = Document(url=about["url"], source=about["source"] or "")
    for stage in STAGES:
        document = stage(document, context)
    return document


def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAGES / name / "expected.json").read_text(encoding="utf-8"))
    return found


def shown(document: Document, field: str) -> Any:
    if field == "attachments":
        return [a.url for a in document.attachments]
    if field == "filenames":
        return [a.filename for a in document.attachments]
    if field == "money":
        return [[f.value["amount"], f.value.get("was")] for f in document.findings if f.name == "money"]
    return getattr(document, field)


FIELDS = [(n, f) for n in NAMES for f in expected(n) if not f.startswith("text_")]
WORDS = [(n, w, True) for n in NAMES for w in expected(n).get("text_has", [])]
WORDS += [(n, w, False) for n in NAMES for w in expected(n).get("text_lacks", [])]


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=[f"{n}-{f}" for n, f in FIELDS])
def test_field(name: str, field: str) -> None:
    assert shown(read(name), field) == expected(name)[field]


@pytest.mark.parametrize(("name", "words", "there"), WORDS, ids=[f"{n}-{w[:16]!r}" for n, w, _ in WORDS])
def test_words(name: str, words: str, there: bool) -> None:
    assert (words in read(name).text) is there


@pytest.mark.parametrize("name", NAMES)
def test_spans_give_their_quotes(name: str) -> None:
    read(name).check_spans()


@pytest.mark.parametrize("name", NAMES)
def test_no_replacement_characters(name: str) -> None:
    document = read(name)
    assert "\ufffd" not in document.title + document.text
