"""Hostile and broken markup before the general reader: it ends, within bounds, and says so where it did not read all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import clean
from pipelines.extract.anypage import blocks, body, embedded, lines, names, readers, when
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


HEADLINE = "<h1>银行支持制造业的新办法</h1>"
TEXT = f"<div>{''.join(f'<p>{SENTENCE * 3}</p>' for _ in range(6))}</div>"
LD = '<script type="application/ld+json">{}</script>'


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            f"<p>{SENTENCE * 9000}{''.join(f'，<a href=/{i}>见{i}</a>' for i in range(60_000))}</p>",
            id="links in a line",
        ),
        pytest.param(
            f"<div>{''.join(f'{SENTENCE * 3}<br><a href=/{i}>关于{i}</a><br>' for i in range(14_000))}</div>",
            id="lines that are links",
        ),
        pytest.param(
            f"<div class=title>{''.join(f'<a href=/x{i}>我们的链接{i}</a><br>' for i in range(60_000))}</div>{TEXT}",
            id="links in a title",
        ),
        pytest.param(f"<h1>办法</h1><p>（{'通过' * 300_000}。</p>{TEXT}", id="a note that never closes"),
        pytest.param("".join(f"<ul>{'<li>赞' + '1' * 36 + 'x</li>'}</ul>" * 3 for _ in range(9)) + TEXT, id="praise"),
        pytest.param(
            TEXT + "".join(f"<p>{1990 + i // 336}-{i // 28 % 12 + 1}-{i % 28 + 1}</p>" for i in range(28_000)),
            id="dates",
        ),
        pytest.param(
            HEADLINE
            + "<div>"
            + "".join(f"作者：张三{i}<br><i class=author>晚潮</i> 2024-04-16<br>" for i in range(12_000))
            + f"</div>{TEXT}",
            id="bylines",
        ),
        pytest.param(
            "".join(
                LD.format(json.dumps({"headline": "x", "author": [f"{i} {j}" for j in range(9)]}))
                for i in range(20_000)
            )
            + TEXT,
            id="authors",
        ),
        pytest.param(
            LD.format(json.dumps({"@type": "Article", "headline": "x", "articleBody": "<" * 400_000 + SENTENCE * 20}))
            + TEXT,
            id="tags that never close",
        ),
        pytest.param(f'<meta property="og:title" content="{"甲 | " * 300_000}乙">{TEXT}', id="parts of a title"),
        pytest.param(("<" + "a" * 7990) * 900 + TEXT, id="names of tags"),
        pytest.param("<div><h1 class=x>" * 900 + SENTENCE * 60_000, id="headings in headings"),
        pytest.param(f"<div style='{'overflow:hidden;' * 200_000}'>{TEXT}</div>", id="styles"),
        pytest.param("<li>（ [[[[[[</li>" * 28_000 + TEXT, id="items without words"),
        pytest.param("<div class=share>" * 900 + "<p>短</p>" * 29_000 + "</div>" * 900 + TEXT, id="boxes in boxes"),
    ],
)
def test_what_takes_minutes_where_all_is_compared_with_all(page: str) -> None:
    assert SENTENCE in text_of(general(page, "https://x.example/a.html"))


@pytest.mark.parametrize("href", ["http://[x", "//["])
def test_a_next_page_whose_address_is_none_loses_no_text(href: str) -> None:
    draft = general(f'<link rel=next href="{href}"><a href="{href}">下一页</a>{TEXT}', "https://x.example/a.html")
    assert SENTENCE in text_of(draft)
    assert not any("several pages" in r for r in draft.remarks)


def test_a_link_around_several_lines_keeps_the_end_of_each() -> None:
    page = "<div>导语<a href=/x><h3>第一行说的是这个</h3>第二行说的是怎样<b>分享</b></a></div>"
    assert [b.text for b in blocks.read(page).blocks][-1] == "第二行说的是怎样分享"


def test_what_is_remembered_of_pages_is_short() -> None:
    """Names, styles and lines are cached across documents: what is kept must not grow with what a page holds."""
    for cached in (names._kind, names._style, lines._kind):
        cached.cache_clear()
    for i in range(20):
        names.kind("a" * 100_000 + str(i)), names.hiding("b" * 100_000 + str(i)), lines.kind("c" * 100_000 + str(i))
    assert [c.cache_info().currsize for c in (names._kind, names._style, lines._kind)] == [1, 1, 0]


@pytest.mark.parametrize("said", ["赞 (12) 回复", "回复", "举报 3 reply", "[赞]（2）", "支持(3)  反对(1)"])
def test_buttons_to_answer_are_known(said: str) -> None:
    assert bool(body._ANSWER.match(said)) is ("反对" not in said)


def test_a_library_that_walks_below_every_element_is_not_asked_about_depths(monkeypatch: pytest.MonkeyPatch) -> None:
    """readability-lxml takes minutes for a thousand elements in each other; real pages have some thirty levels."""
    asked: list[int] = []

    class Asked:
        def __init__(self, text: str, **_: Any) -> None:
            asked.append(len(text))

        def summary(self, **_: Any) -> str:
            return ""

    monkeypatch.setattr("readability.Document", Asked)
    flat = f"<html><body><p>{SENTENCE}</p></body></html>"
    readers._readability(blocks.read(flat), "")
    assert len(asked) == 1
    readers._readability(blocks.read("<html><body>" + "<td><a href=/x>链接<div>" * 400 + flat), "")
    assert len(asked) == 1
