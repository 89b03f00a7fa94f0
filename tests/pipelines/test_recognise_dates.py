"""Dates: real forms with zone and precision, year roll-over, and no date later than the fetch is ever believed."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.recognise import dates, numerals

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "dates.jsonl").read_text(encoding="utf-8").splitlines()
]
NOW = datetime(2026, 10, 8, 4, 30, tzinfo=UTC)
BEIJING = dates.zone("Asia/Shanghai")
FORMS = (
    "%Y-%m-%d", "%Y/%m/%d %H:%M", "%Y年%m月%d日", "%Y年%m月%d日%H:%M:%S", "%Y.%m.%d", "%Y%m%d", "%Y%m%d%H%M%S", "%b %d, %Y %I:%M %p",
    "%d %B %Y", "%d-%b-%Y %H:%M", "%Y-%m-%dT%H:%M:%SZ", "%a, %d %b %Y %H:%M:%S GMT", "%m-%d %H:%M", "%m月%d日", "%H:%M",
    "Published: %b %d, %Y", "发布时间：%Y-%m-%d %H:%M",
)  # fmt: skip


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 120


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['text'][:30]}-{c['zone'][-8:]}")
def test_form(case: dict) -> None:
    found = dates.parse(case["text"], dates.instant(case["now"]), dates.zone(case["zone"]), case["formats"])
    got = (found.instant, found.on.isoformat(), found.precision) if found else ("", "", "")
    assert got == (case["at"], case["on"], case["precision"])


@given(
    at=st.datetimes(datetime(1995, 1, 1), datetime(2600, 1, 1)),
    form=st.sampled_from(FORMS),
    zone=st.sampled_from(["Asia/Shanghai", "UTC", "America/New_York", "Pacific/Auckland"]),
)
def test_no_date_later_than_the_fetch_is_believed(at: datetime, form: str, zone: str) -> None:
    found = dates.parse(at.strftime(form), NOW, dates.zone(zone))
    if found is not None:
        assert found.at <= NOW + timedelta(days=1)
        assert found.on <= NOW.date() + timedelta(days=2)


@given(text=st.text(alphabet="0123456789-/:年月日 前天小时昨今APM.,T+Z二〇六一十", max_size=24))
def test_nothing_ever_raises_or_lies_ahead(text: str) -> None:
    found = dates.parse(text, NOW, BEIJING)
    assert found is None or found.at <= NOW + timedelta(days=1)


@given(day=st.dates(date(2001, 1, 1), date(2026, 10, 8)))
def test_chinese_numerals_mean_the_same_day(day: date) -> None:
    digits = "〇一二三四五六七八九"

    def small(n: int) -> str:
        tens, ones = divmod(n, 10)
        return ("" if tens == 0 else "十" if tens == 1 else digits[tens] + "十") + (digits[ones] if ones else "")

    text = "".join(digits[int(c)] for c in str(day.year)) + f"年{small(day.month)}月{small(day.day)}日"
    found = dates.parse(text, NOW, BEIJING)
    assert found is not None
    assert found.on == day
    assert [d for d, _, _ in dates.find_days(f"本通知于{text}印发。")] == [day]


@given(number=st.integers(0, 9999))
def test_whole_numbers(number: int) -> None:
    assert numerals.whole(str(number)) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("十", 10), ("十七", 17), ("二十", 20), ("一百二十", 120), ("一百零五", 105), ("四十一", 41), ("二〇二六", 2026), ("三千", 3000), ("两", 2), ("五万", 50000)],
)  # fmt: skip
def test_chinese_numbers(text: str, number: int) -> None:
    assert numerals.whole(text) == number


def test_a_more_exact_time_of_the_same_day_wins() -> None:
    found = dates.best(["2024-04-24", "2024年04月24日23:52", "2024-05-01 10:00"], NOW, BEIJING)
    assert found is not None
    assert (found.instant, found.precision) == ("2024-04-24T15:52:00Z", "minute")


def test_another_day_never_replaces_the_first() -> None:
    found = dates.best(["2024-04-24", "2024-04-25 08:00"], NOW, BEIJING)
    assert found is not None
    assert found.on == date(2024, 4, 24)


def test_midnight_is_no_time_of_day() -> None:
    found = dates.best(["2026-09-28 10:11", "2026-09-28 00:00:00"], NOW, BEIJING)
    assert found is not None
    assert found.precision == "minute"


def test_a_refused_candidate_lets_the_next_speak() -> None:
    found = dates.best(["2569-09-08 10:00", "2026-09-08"], NOW, BEIJING)
    assert found is not None
    assert found.on == date(2026, 9, 8)


def test_spans_of_days_in_text() -> None:
    text = "自2026年7月1日起施行，有效期至二〇二八年六月三十日；July 1, 2026 too. 2026年2月30日是错的。"
    assert [(d.isoformat(), text[a:b]) for d, a, b in dates.find_days(text)] == [
        ("2026-07-01", "2026年7月1日"),
        ("2028-06-30", "二〇二八年六月三十日"),
        ("2026-07-01", "July 1, 2026"),
    ]
