"""Answers that are not what the source's configuration says: broken JSON, a page that only begins like JSON."""

from __future__ import annotations

from typing import Any

import pytest

import config
from db.documents import Document
from pipelines import clean, content, extract
from pipelines.extract import fallback, select
from pipelines.extract.tree import mend, parse
from pipelines.lists.json_paths import parse_json
from pipelines.stages import Context, Fetched, Unreadable

SOURCES = config.load_sources()
AT = "2026-10-08T04:30:00Z"


def drafted(body: str, source: str, kind: str = "document") -> Document:
    url = SOURCES[source].base_url
    context = Context(Fetched(url, url, body=body.encode(), kind=kind, fetched_at=AT), SOURCES[source], None, AT)  # type: ignore[arg-type]
    document = content.stage(Document(url=url, source=source), context)
    return extract.stage(document, context)


@pytest.mark.parametrize(("source", "kind"), [("nfra", "document"), ("trulynews", "inline")])
def test_broken_json_is_a_reason_and_no_fault(source: str, kind: str) -> None:
    with pytest.raises(Unreadable, match=r"should be JSON and is not: .*column 20") as found:
        drafted('{"data": {"title": "制造', source, kind)
    assert found.value.outcome == "unreadable"


def test_a_page_that_begins_with_a_bracket_is_a_page() -> None:
    page = "[转载]<html><head><title>银行为轴承厂放款</title></head><body><h1>银行为轴承厂放款</h1>"
    page += (
        "<div class='content'><p>"
        + "本月，三家银行为城里的轴承厂发放设备贷款，期限五年。" * 6
        + "</p></div></body></html>"
    )
    document = drafted(page, "ndrc_zcfb")
    assert document.title == "银行为轴承厂放款"


FORBIDDEN = [*map(chr, [*range(9), 11, *range(14, 32), 0xFFFE]), "&#0;", "&#x1;", "&#31", "&#X0B;", "&#000012;", "&#xffff;", "&#x1f"]  # fmt: skip


@pytest.mark.parametrize("what", FORBIDDEN, ids=lambda w: ascii(w))
def test_characters_that_no_page_may_hold_are_left_out(what: str) -> None:
    """lxml reads them and then refuses to move the text that they stand in, as when a button is taken out before it."""
    page = f"<h1>银行为轴承厂放款</h1><div class='TRS_Editor'><p>首句。<script>x</script>{what}末句<span>附。</span>{what}</p></div>"
    root = parse(page)
    for script in root.iter("script"):
        script.drop_tree()
    assert "首句。末句附。" in root.text_content()


@pytest.mark.parametrize(
    "kept", ["&#10;", "&#13;", "&#9;", "&#100;", "&#x1F600;", "&#32;", "&#12288;", "&amp;#0;", "\t"]
)
def test_characters_that_may_stand_there_stay(kept: str) -> None:
    assert mend(f"<p>a{kept}b</p>") == f"<p>a{kept}b</p>"


def part_of(number: int, last: int) -> str:
    text = "".join(
        f"<p>Part {number}, paragraph {i}: the bank lent the bearing works money for new lathes, for five years.</p>"
        for i in range(5)
    )
    more = f'<a href="9_{number + 1}.html">Next page</a>' if number < last else ""
    return (
        f"<html><body><h1>Lathes on credit</h1><article>{text}</article><div class='pager'>{more}</div></body></html>"
    )


@pytest.mark.parametrize("got", [3, 2])
def test_pages_of_one_text_are_put_together_by_evidence(got: int) -> None:
    source, base = SOURCES["caixin_global"], "https://www.caixinglobal.com/2026-10-08/9"
    fetched = Fetched(f"{base}.html", f"{base}.html", body=part_of(1, 3).encode(), fetched_at=AT)
    fetched.parts = [Fetched(f"{base}_{n}.html", body=part_of(n, 3).encode(), kind="page") for n in range(2, got + 1)]
    context = Context(fetched, source, None, AT)  # type: ignore[arg-type]
    document = content.stage(Document(url=fetched.url, source=source.id), context)
    document = clean.stage(extract.stage(document, context), context)
    assert [n for n in (1, 2, 3) if f"Part {n}, paragraph 4" in document.text] == list(range(1, got + 1))
    assert document.text.count("Lathes on credit") == 0
    assert [r for r in document.remarks if "several pages" in r] == (
        [] if got == 3 else [f"this is one of several pages of the text; the next is {base}_3.html"]
    )


def test_thousands_of_links_inside_each_other_cost_one_walk() -> None:
    """Counted, not timed: how often the text of an element is collected."""
    page = (
        "<html><body><h1>银行为轴承厂放款</h1><div class='TRS_Editor'><p>正文。</p>" + "<a href='/a.pdf'>附件<b>" * 3000
    )
    calls = 0
    collect = select._collect

    def counted(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        collect(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(select, "_collect", counted)
        document = drafted(page, "ndrc_zcfb")
    assert calls < 300 and len(document.attachments) == 1


def test_a_title_of_dashes_and_an_answer_of_blanks_are_read_in_time() -> None:
    assert fallback.cut_site("—" * 300_000) == "—" * 300_000
    assert fallback.cut_site("国务院关于某事的通知_部门文件_中国政府网") == "国务院关于某事的通知"
    with pytest.raises(ValueError, match="Expecting value"):
        parse_json("call(1)" + " " * 300_000 + "x")
    assert parse_json("call({}) ; ") == {}
