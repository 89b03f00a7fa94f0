"""Hostile and broken markup before the general reader: it ends, within bounds, and says so where it did not read all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import clean
from pipelines.extract.anypage import blocks, embedded, lines, names, when
from pipelines.extract.draft import Draft
from pipelines.extract.generic import general

FIXTURES = Path(__file__).parent / "fixtures" / "general"
SENTENCE = "这是一个完整的段落，里面有逗号，也有句号，读起来像一篇文章的正文。"
FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def text_of(draft: Draft) -> str:
    return clean.to_text(draft.body, title=draft.title)


@pytest.mark.parametrize("tag", ["div", "span", "table><tr><td", "blockquote", "ul><li", "b"])
def test_text_below_a_hundred_thousand_open_tags_is_read(tag: str) -> None:
    page = f"<html><body>{f'<{tag}>' * 100_000}<p>{SENTENCE * 4}</p>"
    draft = general(page, "https://x.example/")
    assert SENTENCE in text_of(draft)


def test_only_the_beginning_of_a_giant_is_read_and_that_is_said() -> None:
    draft = general("<body>" + f"<p>{SENTENCE}</p>" * 300_000, "")
    assert any("only its beginning" in r for r in draft.remarks)
    assert 100_000 < len(draft.body) < 10_000_000


def test_a_tag_with_200_000_attributes_is_survived() -> None:
    page = "<p " + " ".join(f"a{i}=1" for i in range(200_000)) + f">{SENTENCE * 4}</p>"
    assert SENTENCE in text_of(general(page, ""))


@pytest.mark.parametrize(
    "page",
    [
        "",
        " ",
        "\0",
        "<!--",
        "<" * 10_000,
        "&" * 10_000,
        "<script>",
        "<title>",
        "<![CDATA[x]]>",
        "<?xml version='1.0' encoding='utf-16'?><p>x",
        "<html></html>",
        "<p" * 5000,
        "</div>" * 5000,
    ],
)
def test_nothing_is_made_of_nothing(page: str) -> None:
    assert len(text_of(general(page, ""))) < 12_000


@pytest.mark.parametrize(
    "data", ["[" * 200_000, '{"a":' * 100_000, '{"@type":"Article","headline":1,"author":[[[]]]}', "null", '"x"', "{"]
)
def test_linked_data_of_any_shape(data: str) -> None:
    page = f'<script type="application/ld+json">{data}</script><p>{SENTENCE * 4}</p>'
    assert SENTENCE in text_of(general(page, ""))


def test_scripts_that_never_end_their_strings() -> None:
    script = '{"content":"' + '\\"' * 500_000
    assert embedded.stored([script]).body == ""
    assert list(when._assigned('"time":"2024-01-01",' * 100_000))[:1] == [("time", "2024-01-01")]


def test_style_sheets_that_never_close() -> None:
    assert names.hidden_by_sheet("@media x{" * 100_000 + ".a{display:none}") == frozenset()
    assert ".spam" in names.hidden_by_sheet(".spam , p.x {color:red;display : none}")


words = st.text(alphabet="的一是在不了有和人这，。！？ \n\tabcde.,<>&\"'=/-0123456789", max_size=40)
tags = st.sampled_from(
    [
        "p",
        "div",
        "span",
        "a",
        "li",
        "ul",
        "table",
        "tr",
        "td",
        "h1",
        "h2",
        "br",
        "img",
        "b",
        "script",
        "style",
        "article",
        "footer",
        "time",
        "font",
    ]
)
attributes = st.sampled_from(
    [
        "",
        ' class="content"',
        ' class="comment"',
        ' style="display:none"',
        ' href="/a"',
        ' id="zoom"',
        " hidden",
        ' class="title"',
        ' datetime="2024-05-06"',
        " align=center",
    ]
)


@st.composite
def soup(draw: Any) -> str:
    """Tags that open, close and hold text in any order."""
    parts = []
    for _ in range(draw(st.integers(0, 40))):
        kind = draw(st.integers(0, 3))
        tag = draw(tags)
        parts.append(draw(words) if kind < 2 else f"<{tag}{draw(attributes)}>" if kind == 2 else f"</{tag}>")
    return "".join(parts)


@FUZZ
@given(soup(), st.sampled_from(["", "https://x.example/2024/05/06/a.html", "not an address", "http://[bad"]))
def test_any_soup_gives_a_draft(page: str, url: str) -> None:
    draft = general(page, url)
    assert isinstance(draft.title, str) and isinstance(draft.body, str)
    assert all(isinstance(p, str) for p in draft.published)
    clean.to_text(draft.body)


@FUZZ
@given(st.data())
def test_mutated_pages_give_a_draft(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(p.name for p in FIXTURES.iterdir())))
    page = (FIXTURES / name / "input.html").read_bytes().decode("utf-8", "replace")
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, max(0, len(page) - 1)))
        size = data.draw(st.integers(0, 400))
        page = page[:at] + data.draw(words) + page[at + size :]
    url = json.loads((FIXTURES / name / "expected.json").read_text("utf-8"))["url"]
    draft = general(page, url)
    clean.to_text(draft.body, title=draft.title)


@FUZZ
@given(soup())
def test_spans_hold_every_block_once(page: str) -> None:
    found = blocks.read(page)
    for start, end in found.spans.values():
        assert 0 <= start <= end <= len(found.blocks)
    assert [b.order for b in found.blocks] == list(range(len(found.blocks)))


@FUZZ
@given(st.text(max_size=700))
def test_every_line_is_of_one_kind(text: str) -> None:
    assert lines.kind(text) in ("", "credit", "editor", "rights", "button", "other", "original")


@pytest.mark.parametrize(
    "text", ["（" * 690, "来源" * 340, "版权" * 340, "share " * 110, "2024-" * 130, "一" * 700, "|" * 700, " 编辑" * 40]
)
def test_patterns_do_not_run_away(text: str) -> None:
    assert isinstance(lines.kind(text), str) and isinstance(lines.signs_off(text), bool)
    assert isinstance(lines.describes_picture(text), bool)


def test_the_same_page_gives_the_same_draft() -> None:
    page = (FIXTURES / "zh-portal-comments" / "input.html").read_text("utf-8")
    assert [general(page, "https://x.example/") for _ in range(3)] == [general(page, "https://x.example/")] * 3
