"""Dates as lists write them: civil date of the source's zone, instant where a time is given, nothing from the future."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.lists.list_dates import best, read, zone

TZ = zone("Asia/Shanghai")
NOW = datetime(2026, 10, 8, 4, 0, tzinfo=UTC)  # noon in Beijing

FORMS: list[tuple[str, tuple[str, ...], str, str | None]] = [
    ("2026-09-28", ("%Y-%m-%d",), "2026-09-28", None),
    ("[2026-09-28]", ("%Y-%m-%d",), "2026-09-28", None),
    ("[2026-09-28]", ("[%Y-%m-%d]",), "2026-09-28", None),
    ("日期：2026-09-16\n          ", ("%Y-%m-%d",), "2026-09-16", None),
    ("发布时间：2026/04/09", ("发布时间：%Y/%m/%d",), "2026-04-09", None),
    ("2026/04/09", ("%Y/%m/%d",), "2026-04-09", None),
    ("2026.09.29", ("%Y.%m.%d",), "2026-09-29", None),
    ("2026-09-28 09:20:30", ("%Y-%m-%d %H:%M:%S",), "2026-09-28", "2026-09-28T01:20:30Z"),
    ("2026-09-28 09:20:30", ("%Y-%m-%d",), "2026-09-28", "2026-09-28T01:20:30Z"),
    ("2026-09-28 09:20", (), "2026-09-28", "2026-09-28T01:20:00Z"),
    ("2026-09-28 00:30:00", (), "2026-09-28", "2026-09-27T16:30:00Z"),
    ("2026-09-28 00:00:00", (), "2026-09-28", None),
    ("2026-09-28-09:20:30", ("%Y-%m-%d-%H:%M:%S",), "2026-09-28", "2026-09-28T01:20:30Z"),
    ("2026-09-28T09:20:30", (), "2026-09-28", "2026-09-28T01:20:30Z"),
    ("2026-09-28T09:20:30Z", (), "2026-09-28", "2026-09-28T09:20:30Z"),
    ("2026-09-28T23:20:30+00:00", (), "2026-09-29", "2026-09-28T23:20:30Z"),
    ("2026-09-28T09:20:30.123+08:00", (), "2026-09-28", "2026-09-28T01:20:30Z"),
    ("2026年9月8日", (), "2026-09-08", None),
    ("2026年09月08日 10:31", (), "2026-09-08", "2026-09-08T02:31:00Z"),
    ("2026年09月08日10:31", ("%Y年%m月%d日%H:%M",), "2026-09-08", "2026-09-08T02:31:00Z"),
    ("２０２６－０９－０８", (), "2026-09-08", None),
    ("By Li Na  |  2026/5/7 18:37:07", ("By %s | %Y/%m/%d %H:%M:%S",), "2026-05-07", "2026-05-07T10:37:07Z"),
    ("Published: Sep 08, 2026 10:31 AM", ("Published: %b %d, %Y %I:%M %p",), "2026-09-08", "2026-09-08T02:31:00Z"),
    ("Sep 08, 2026 12:05 AM", (), "2026-09-08", "2026-09-07T16:05:00Z"),
    ("Sep 08, 2026 12:05 PM", (), "2026-09-08", "2026-09-08T04:05:00Z"),
    ("Updated: September 8, 2026 10:31", ("Updated: %B %d, %Y %H:%M",), "2026-09-08", "2026-09-08T02:31:00Z"),
    ("10:31, 08-Sep-2026", ("%H:%M, %d-%b-%Y",), "2026-09-08", "2026-09-08T02:31:00Z"),
    ("September 8, 2026", (), "2026-09-08", None),
    ("8 Sep 2026", (), "2026-09-08", None),
    ("202609/08", ("%Y%m/%d",), "2026-09-08", None),
    ("2026/0908", ("%Y/%m%d",), "2026-09-08", None),
    ("20260908", ("%Y%m%d",), "2026-09-08", None),
    ("1790000000", ("epoch_s",), "2026-09-21", "2026-09-21T14:13:20Z"),
    ("1790000000123", ("epoch_ms",), "2026-09-21", "2026-09-21T14:13:20Z"),
    ("Wed, 07 Oct 2026 09:00:00 +0800", ("rfc822",), "2026-10-07", "2026-10-07T01:00:00Z"),
    ("Wed, 07 Oct 2026 20:00:00 GMT", (), "2026-10-08", "2026-10-07T20:00:00Z"),
    ("7 Oct 2026 09:00:00 CST", (), "2026-10-07", "2026-10-07T01:00:00Z"),
    ("Wed, 07 Oct 2026 09:00:00 GMT+8", (), "2026-10-07", "2026-10-07T01:00:00Z"),
    ("Fri, 07 Oct 2026 09:00:00 +0800", (), "2026-10-07", "2026-10-07T01:00:00Z"),
    ("4 Jun 2026 16:00:00 GMT", ("rfc822",), "2026-06-05", None),
    ("Wed, 7 Oct 26 09:00:00 +0800", (), "2026-10-07", "2026-10-07T01:00:00Z"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "formats", "on", "at"), FORMS, ids=[f[0].strip() for f in FORMS])
def test_forms(text: str, formats: tuple[str, ...], on: str, at: str | None) -> None:
    moment = read(text, formats, TZ, NOW)
    assert moment is not None
    assert (moment.on, moment.at) == (on, at)


RELATIVE = [
    ("11:59", "2026-10-08", "2026-10-08T03:59:00Z"),
    ("13:00", "2026-10-07", "2026-10-07T05:00:00Z"),  # later than now: yesterday's
    ("10-08 08:15", "2026-10-08", "2026-10-08T00:15:00Z"),
    ("10-09 08:15", "2025-10-09", "2025-10-09T00:15:00Z"),  # the year rolls over
    ("12-31 23:50", "2025-12-31", "2025-12-31T15:50:00Z"),
    ("02-29 08:00", "2024-02-29", "2024-02-29T00:00:00Z"),  # the last leap year
    ("2025-06-30 11:11", "2025-06-30", "2025-06-30T03:11:00Z"),
    ("10月7日 09:00", "2026-10-07", "2026-10-07T01:00:00Z"),
    ("刚刚", "2026-10-08", "2026-10-08T04:00:00Z"),
    ("5分钟前", "2026-10-08", "2026-10-08T03:55:00Z"),
    ("13小时前", "2026-10-07", "2026-10-07T15:00:00Z"),
    ("2 hours ago", "2026-10-08", "2026-10-08T02:00:00Z"),
    ("昨天 09:30", "2026-10-07", "2026-10-07T01:30:00Z"),
    ("3天前", "2026-10-05", None),
]


@pytest.mark.parametrize(("text", "on", "at"), RELATIVE, ids=[r[0] for r in RELATIVE])
def test_relative(text: str, on: str, at: str | None) -> None:
    moment = read(text, ("%Y-%m-%d %H:%M", "%m-%d %H:%M", "%H:%M"), TZ, NOW)
    assert moment is not None
    assert (moment.on, moment.at) == (on, at)


NOT_DATES = [
    "",
    "  ",
    "来源：某网",
    "2026-13-45",
    "0000-00-00",
    "2569-09-08",
    "1234",
    "2026-10-09",
    "Thu, 09 Oct 2027 09:00:00 GMT",
    "v2.1.0",
    "1848-02-24",
]


@pytest.mark.parametrize("text", NOT_DATES)
def test_nothing_is_guessed(text: str) -> None:
    assert read(text, ("%Y-%m-%d",), TZ, NOW) is None


def test_local_time_labelled_gmt_is_read_as_local() -> None:
    moment = read("Thu, 08 Oct 2026 11:00:00 GMT", ("rfc822",), TZ, NOW)
    assert moment is not None
    assert (moment.on, moment.at) == ("2026-10-08", "2026-10-08T03:00:00Z")
    assert "local time" in moment.remark


def test_later_today_keeps_the_day_only() -> None:
    moment = read("2026-10-08 18:00:00", (), TZ, NOW)
    assert moment is not None
    assert (moment.on, moment.at, moment.precision) == ("2026-10-08", None, "day")


def test_the_more_exact_of_two_that_agree_is_taken() -> None:
    moment = best(["2026.09.29", "1790688780000"], ("%Y.%m.%d", "epoch_ms"), TZ, NOW)
    assert moment is not None
    assert moment.at == "2026-09-29T13:33:00Z"


def test_of_two_that_disagree_the_first_is_taken() -> None:
    moment = best(["2026.09.01", "1790688780000"], ("%Y.%m.%d", "epoch_ms"), TZ, NOW)
    assert moment is not None
    assert moment.on == "2026-09-01"


def test_an_unbelievable_date_gives_way_to_the_next() -> None:
    moment = best(["2569-09-08", "202609/08"], ("%Y-%m-%d", "%Y%m/%d"), TZ, NOW)
    assert moment is not None
    assert moment.on == "2026-09-08"


def test_an_unknown_zone_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="Asia/Shanghai"):
        zone("Asia/Peking2")


moments = st.datetimes(datetime(1950, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))
zones = st.sampled_from(["Asia/Shanghai", "Asia/Hong_Kong", "UTC", "America/New_York"])


@given(
    moments,
    moments,
    zones,
    st.sampled_from(
        ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%a, %d %b %Y %H:%M:%S GMT", "%m-%d %H:%M", "%H:%M", "%Y-%m-%dT%H:%M:%SZ"]
    ),
)
def test_no_date_later_than_the_fetch_is_believed(said: datetime, now: datetime, name: str, form: str) -> None:
    moment = read(said.strftime(form), ("%Y-%m-%d %H:%M", "%m-%d %H:%M", "%H:%M"), zone(name), now)
    if moment is not None:
        assert moment.on <= now.astimezone(zone(name)).date().isoformat()
        assert moment.at is None or moment.at <= now.strftime("%Y-%m-%dT%H:%M:%SZ")


@given(st.datetimes(datetime(1990, 1, 1), datetime(2026, 10, 7)), st.integers(-12, 14))
def test_iso_with_offset_is_exact(said: datetime, hours: int) -> None:
    said = said.replace(microsecond=0)
    aware = said.replace(tzinfo=timezone(timedelta(hours=hours)))
    moment = read(aware.isoformat(), (), TZ, NOW)
    assert moment is not None
    assert moment.on == aware.astimezone(TZ).date().isoformat()
    assert moment.at in (None, aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


@given(st.text(max_size=60))
def test_any_text_is_read_without_raising(text: str) -> None:
    read(text, ("%Y-%m-%d", "rfc822", "epoch_ms", "%m-%d"), TZ, NOW)
