"""Pages of sites that nobody configured, in the structures of many publishing systems, in our own words: each field is a test.

A fixture is a folder of `fixtures/general`: `input.html` and `expected.json` (address, moment of the fetch, fields). `first` and
`last` are how the text begins and ends, `chars` its length without blanks, `holds` what must be in it, `lacks` what must not.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from db.documents import Document
from pipelines import clean, content, extract, identify, recognise
from pipelines.stages import Context, Fetched

PAGES = Path(__file__).parent / "fixtures" / "general"
NAMES = sorted(p.name for p in PAGES.iterdir())
STAGES = (content.stage, extract.stage, clean.stage, recognise.stage, identify.stage)
FIELDS = ("title", "published_on", "published_at", "outlet", "author", "language", "written_on")


@lru_cache(maxsize=128)
def read(name: str) -> Document:
    """The document that the reading stages make of a page without a source."""
    wanted = expected(name)
    body = (PAGES / name / "input.html").read_bytes()
    fetched = Fetched(
        wanted["url"], final_url=wanted["url"], body=body, media_type="text/html", fetched_at=wanted["at"]
    )
    context = Context(fetched, None, None, wanted["at"])  # type: ignore[arg-type]
    document = Document(url=wanted["url"])
    for stage in STAGES:
        document = stage(document, context)
    return document


@lru_cache(maxsize=128)
def expected(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PAGES / name / "expected.json").read_text(encoding="utf-8"))
    return found


def flat(text: str) -> str:
    return re.sub(r"\s+", "", text)


def having(*keys: str) -> list[str]:
    return [n for n in NAMES if all(k in expected(n) for k in keys)]


VALUES = [(n, f) for n in NAMES for f in FIELDS if f in expected(n)]
HOLDS = [(n, w) for n in NAMES for w in expected(n).get("holds", [])]
LACKS = [(n, w) for n in NAMES for w in expected(n).get("lacks", [])]


@pytest.mark.parametrize(("name", "field"), VALUES, ids=[f"{n}-{f}" for n, f in VALUES])
def test_field(name: str, field: str) -> None:
    assert getattr(read(name), field) == expected(name)[field]


@pytest.mark.parametrize("name", having("first"))
def test_first_line(name: str) -> None:
    assert flat(expected(name)["first"]) in flat(read(name).text)[: len(expected(name)["first"]) + 120]


@pytest.mark.parametrize("name", having("last"))
def test_last_line(name: str) -> None:
    text = flat(read(name).text)
    assert flat(expected(name)["last"]) in text[-len(expected(name)["last"]) - 60 :]


@pytest.mark.parametrize("name", having("chars"))
def test_length(name: str) -> None:
    assert 0.92 <= len(flat(read(name).text)) / expected(name)["chars"] <= 1.12


@pytest.mark.parametrize(("name", "words"), HOLDS, ids=[f"{n}-{w[:12]!r}" for n, w in HOLDS])
def test_lines_in_between_are_kept(name: str, words: str) -> None:
    assert flat(words) in flat(read(name).text)


@pytest.mark.parametrize(("name", "words"), LACKS, ids=[f"{n}-{w[:12]!r}" for n, w in LACKS])
def test_furniture_is_left_out(name: str, words: str) -> None:
    assert flat(words) not in flat(read(name).text)


@pytest.mark.parametrize("name", having("remark"))
def test_remark(name: str) -> None:
    assert any(expected(name)["remark"] in r for r in read(name).remarks)


@pytest.mark.parametrize("name", having("text_is_empty"))
def test_nothing_is_invented(name: str) -> None:
    assert read(name).text == ""
