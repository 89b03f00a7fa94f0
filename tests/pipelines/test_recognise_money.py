"""Amounts of money: one unit, true spans, and what it was before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.recognise import money

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "money.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["text"][:30])
def test_amounts(case: dict) -> None:
    got = [
        [money.plain(a.amount), a.currency, *([money.plain(a.was)] if a.was is not None else [])]
        for a in money.amounts(case["text"])
    ]
    assert got == case["amounts"]


@pytest.mark.parametrize("case", [c for c in CASES if c["amounts"]], ids=lambda c: c["text"][:30])
def test_spans(case: dict) -> None:
    for finding in money.findings(case["text"]):
        assert case["text"][finding.span.start : finding.span.end] == finding.span.quote
        assert any(c.isdigit() or c in "一二两三四五六七八九十" for c in finding.span.quote)


@given(
    number=st.integers(1, 9_999),
    unit=st.sampled_from([("万亿元", 10**12), ("亿元", 10**8), ("万元", 10**4), ("百万元", 10**6)]),
)
def test_units_multiply(number: int, unit: tuple[str, int]) -> None:
    (found,) = money.amounts(f"投放{number}{unit[0]}贷款")
    assert money.plain(found.amount) == number * unit[1]


@given(
    number=st.decimals("0.1", "999", places=1),
    unit=st.sampled_from([("trillion", 12), ("billion", 9), ("million", 6), ("bn", 9)]),
)
def test_english_units_multiply(number, unit) -> None:  # type: ignore[no-untyped-def]
    (found,) = money.amounts(f"lent {number} {unit[0]} yuan to factories")
    assert found.amount == number * 10 ** unit[1]
