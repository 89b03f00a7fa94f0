"""Force, expiry, deadlines and the day of writing, each with the words that say so."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from pipelines.recognise import periods

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "periods.jsonl").read_text(encoding="utf-8").splitlines()
]
ISSUED = date(2026, 9, 22)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["text"][:26])
@pytest.mark.parametrize("name", ["effective", "expires", "deadline"])
def test_period(case: dict, name: str) -> None:
    found = getattr(periods.read(case["text"], ISSUED), f"{name}_on")
    assert (found.isoformat() if found else None) == case.get(name)


@pytest.mark.parametrize("case", [c for c in CASES if len(c) > 1], ids=lambda c: c["text"][:26])
def test_the_words_stand_in_the_text(case: dict) -> None:
    found = periods.read(case["text"], ISSUED)
    assert found.findings
    for finding in found.findings:
        assert case["text"][finding.span.start : finding.span.end] == finding.span.quote
    values = {(f.name, f.value) for f in found.findings}
    for name in ("effective", "expires", "deadline"):
        if name in case:
            assert (f"{name}_on", case[name]) in values


def test_without_a_day_of_issue_nothing_is_guessed() -> None:
    assert periods.read("本通知自印发之日起施行。", None).effective_on is None


@pytest.mark.parametrize(
    ("text", "day", "quote"),
    [
        ("正文。\n财政部办公厅\n2026年9月17日", "2026-09-17", "2026年9月17日"),
        ("正文。\n主任：某某某\n2026年3月18日", "2026-03-18", "2026年3月18日"),
        ("正文。\n中国人民银行公开市场业务操作室\n二〇二五年五月七日", "2025-05-07", "二〇二五年五月七日"),
        ("正文。\n国家金融监督管理总局2026年4月20日", "2026-04-20", "2026年4月20日"),
        ("（2015年10月29日证监会令第118号公布 根据2022年5月31日证监会令第199号修正）\n第一条", "2015-10-29", "2015年10月29日"),
        ("现予公布。\n部 长 某某某\n2026年2月6日\n办法\n" + "第一条 内容。\n" * 40, "2026-02-06", "2026年2月6日"),
        ("财金〔2026〕97号\n一、延长贴息。\n2026年11月13日", "2026-11-13", "2026年11月13日"),
    ],
)  # fmt: skip
def test_day_of_writing(text: str, day: str, quote: str) -> None:
    found = periods.written(text)
    assert found is not None
    assert found[0].isoformat() == day
    assert text[found[1] : found[2]] == quote


def test_a_day_inside_a_sentence_is_no_signature() -> None:
    assert periods.written("公司于2026年9月17日召开会议。\n会议通过了章程。\n后续另行通知。") is None
