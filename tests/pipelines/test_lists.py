"""Every source's list, in its real structure with our own words: one test per field of the first and last row."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import config
from pipelines.lists import ListPage, read_list

FIXTURES = Path(__file__).parent / "fixtures" / "lists"
NAMES = sorted(p.name for p in FIXTURES.iterdir())
SOURCES = config.load_sources(Path(config.__file__).parent)


def expected(name: str) -> dict[str, Any]:
    return dict(json.loads((FIXTURES / name / "expected.json").read_text("utf-8")))


@cache
def reading(name: str) -> ListPage:
    wanted = expected(name)
    source = SOURCES[wanted["source"]]
    section = wanted["section"]
    entry = source.lists[section] if isinstance(section, int) else next(e for e in source.lists if e.section == section)
    body = next((FIXTURES / name).glob("input.*")).read_bytes()
    return read_list(
        body,
        wanted["url"],
        source,
        entry,
        wanted["now"],
        headers=wanted.get("headers"),
        page=wanted.get("page", 1),
        first_url=wanted.get("first_url", ""),
    )


def cases() -> list[tuple[str, str, str]]:
    return [(n, end, field) for n in NAMES for end in ("first", "last") for field in expected(n)[end]]


@pytest.mark.parametrize(("name", "end", "field"), cases(), ids=lambda v: str(v))
def test_row(name: str, end: str, field: str) -> None:
    row = reading(name).rows[0 if end == "first" else -1]
    shown = row.url if field == "url" else row.said.get(field)
    assert shown == expected(name)[end][field]


@pytest.mark.parametrize("name", NAMES)
def test_count(name: str) -> None:
    assert len(reading(name).rows) == expected(name)["count"]


@pytest.mark.parametrize("name", NAMES)
def test_next_pages(name: str) -> None:
    assert reading(name).next_urls == expected(name)["next_urls"]


@pytest.mark.parametrize("name", NAMES)
def test_outcome(name: str) -> None:
    wanted = expected(name)
    page = reading(name)
    assert page.outcome == wanted.get("outcome", "ok")
    assert wanted.get("reason_has", "") in page.reason


@pytest.mark.parametrize("name", [n for n in NAMES if expected(n)["count"]])
def test_every_row_is_usable(name: str) -> None:
    """No row without title and link, none twice under one key, positions in order, only public addresses."""
    rows = reading(name).rows
    assert all(r.said.get("title") and r.url.startswith("http") and r.key for r in rows)
    assert [r.said["position"] for r in rows] == list(range(len(rows)))
    assert len({r.key for r in rows}) == len(rows)


@pytest.mark.parametrize("name", [n for n in NAMES if "inline" in expected(n)])
def test_rows_that_carry_their_document(name: str) -> None:
    assert sum(r.inline is not None for r in reading(name).rows) == expected(name)["inline"]


@pytest.mark.parametrize("name", [n for n in NAMES if "inline" not in expected(n) and "external" not in expected(n)])
def test_rows_that_do_not(name: str) -> None:
    assert not any(r.inline for r in reading(name).rows)


@pytest.mark.parametrize("name", [n for n in NAMES if "total_pages" in expected(n)])
def test_total_pages(name: str) -> None:
    assert reading(name).total_pages == expected(name)["total_pages"]


def test_every_source_has_a_fixture() -> None:
    assert {expected(n)["source"] for n in NAMES} == set(SOURCES)


def test_a_row_that_links_to_another_site_is_told_and_not_fetched() -> None:
    row = reading("nfra").rows[3]
    assert row.said["external_url"] == row.url == "https://www.gov.cn/zhengce/202610/content_7099001.htm"
    assert row.inline is not None


def test_a_look_alike_host_is_left_out_with_a_remark() -> None:
    page = reading("chinadaily_business")
    assert not any("lookalike" in r.url for r in page.rows)
    assert any("www.lookalike.example" in remark for remark in page.remarks)
