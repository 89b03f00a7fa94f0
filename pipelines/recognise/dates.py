"""Reads points in time as sites write them, with their zone and precision, and believes none that lies in the future.

`parse` reads one value (a meta, a line "发布时间：…", an epoch number, 3小时前); `best` picks among several of one page;
`find_days` finds civil dates in running text. Sites in China give Beijing time without saying so: the zone of the source
holds where no other is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from pipelines.recognise import numerals

# a page cannot be of a later day than its fetch, except that the day may have begun already in a zone further east
TOLERANCE = timedelta(days=1)
EARLIEST = 1949
PRECISIONS = ("year", "month", "day", "hour", "minute", "second")

_MONTHS = {m: n for n, names in enumerate(
    ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
     "sep sept september", "oct october", "nov november", "dec december"), 1) for m in names.split()}  # fmt: skip
_MONTH = r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
_CN = numerals.CHARS
_CLOCK = (
    r"(?P<half>上午|下午|凌晨|早上|中午|晚上|晚|AM|PM|am|pm)?\s*(?P<h>\d{1,2})\s*[:：时点]\s*(?P<mi>\d{1,2})(?:\s*[:：分]\s*(?P<s>\d{1,2})(?:[.,]\d{1,9})?)?\s*[分秒]?"
    r"\s*(?P<ampm>[AaPp]\.?\s?[Mm]\.?)?\s*(?P<zone>Z\b|(?:GMT|UTC)?\s?[+-]\d{2}:?\d{2}|GMT|UTC|CST|BJT|HKT|EST|EDT|PST|PDT|北京时间)?"
)
_Y = r"(?P<y>(?:1[6-9]|2[0-9])\d{2}|[一二][" + numerals.YEAR_CHARS + r"]{3})"
_YMD = re.compile(
    rf"(?<![\d.]){_Y}\s*(?:[-/.]|年)\s*(?P<m>\d{{1,2}}|[{_CN}]{{1,3}})\s*(?:[-/.]|月)\s*(?P<d>\d{{1,2}}|[{_CN}]{{1,3}})(?!\d)\s*[日号]?"
    rf"(?:\s*[（(][^)）]{{1,6}}[)）])?(?:\s*(?:星期|周)[一二三四五六日天])?(?:[T\s\-,，|/_]*{_CLOCK})?"
)
_YMD_BARE = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d{2})(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?:[T\s]?(?P<h>[01]\d|2[0-3])(?P<mi>[0-5]\d)(?P<s>[0-5]\d)?)?(?!\d)"
)
_YM_SLASH = re.compile(r"^(?P<y>(?:19|20)\d{2})[/-]?(?P<m>0[1-9]|1[0-2])[/-]?(?P<d>0[1-9]|[12]\d|3[01])$")
_YM = re.compile(rf"(?<!\d){_Y}\s*(?:年|[-/.])\s*(?P<m>\d{{1,2}}|[{_CN}]{{1,3}})\s*月?(?!\d)")
_EN_MDY = re.compile(
    rf"\b(?P<mon>{_MONTH})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>\d{{4}})(?:[\s,|]*(?:at\s+)?{_CLOCK})?", re.I
)
_EN_DMY = re.compile(
    rf"(?<!\d)(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[\s-]+(?P<mon>{_MONTH})\.?,?[\s-]+(?P<y>\d{{4}}|\d{{2}}(?!\d))(?:[\s,|]*(?:at\s+)?{_CLOCK})?",
    re.I,
)
_EN_CLOCK_FIRST = re.compile(
    rf"(?P<h>\d{{1,2}}):(?P<mi>\d{{2}})(?::(?P<s>\d{{2}}))?\s*(?P<ampm>[AaPp]\.?[Mm]\.?)?,?\s+(?P<d>\d{{1,2}})[\s-]+(?P<mon>{_MONTH})\.?[\s-]+(?P<y>\d{{4}})",
    re.I,
)
_EN_MY = re.compile(rf"\b(?P<mon>{_MONTH})\.?,?\s+(?P<y>(?:19|20)\d{{2}})\b", re.I)
_DMY = re.compile(
    rf"(?<![\d/.])(?P<a>\d{{1,2}})[/.-](?P<b>\d{{1,2}})[/.-](?P<y>(?:19|20)\d{{2}})(?!\d)(?:[\sT,]*{_CLOCK})?"
)
_MD = re.compile(rf"(?<![\d.])(?P<m>\d{{1,2}})\s*[-/月.]\s*(?P<d>\d{{1,2}})\s*日?(?![\d%])(?:[\s,]*{_CLOCK})?")
_HM = re.compile(rf"^\s*(?:今[天日])?\s*{_CLOCK}\s*$")
_AGO_ZH = re.compile(
    r"(?P<n>\d+|半|[一二两三四五六七八九十]{1,3})\s*个?(?P<unit>秒钟?|分钟?|小时|钟头|天|日|周|星期|月|年)\s*(?:之?前|以前)"
)
_AGO_EN = re.compile(r"(?P<n>\d+|an?)\s*(?P<unit>sec(?:ond)?|min(?:ute)?|hour|hr|day|week|month|year)s?\.?\s+ago", re.I)
_DAY_WORD = re.compile(
    rf"(?P<word>昨[天日晚]?|前[天日]|今[天日]|刚刚|刚才|just now|yesterday|today)(?:[\s,]*(?:at\s+)?{_CLOCK})?", re.I
)
_EPOCH = re.compile(r"^\s*(?:/Date\()?(?P<n>\d{10}|\d{13})(?:\.\d+)?(?:[+-]\d{4}\)/|\)/)?\s*$")
_WORD_BACK = {"昨": 1, "前": 2, "今": 0, "刚": 0, "j": 0, "y": 1, "t": 0}
_ZONES = {
    "GMT": 0,
    "UTC": 0,
    "Z": 0,
    "CST": 8,
    "BJT": 8,
    "HKT": 8,
    "北京时间": 8,
    "EST": -5,
    "EDT": -4,
    "PST": -8,
    "PDT": -7,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time: `at` in UTC, `on` the civil date in the source's zone, how exact it is, and what was written."""

    at: datetime
    on: date
    precision: str
    raw: str
    zoned: bool = False

    @property
    def instant(self) -> str:
        """ISO 8601 in UTC with Z."""
        return self.at.strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    """A zone of the tz database; Beijing's for an unknown name."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("Asia/Shanghai")


def instant(text: str) -> datetime:
    """An ISO instant of our own making (`…Z`) as an aware datetime; the epoch for an empty text."""
    if not text:
        return datetime(1970, 1, 1, tzinfo=UTC)
    found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def parse(text: str, now: datetime, tz: tzinfo, formats: Iterable[str] = ()) -> Moment | None:
    """The point in time that a value tells; None for none, an impossible one, or one later than `now` plus a day.

    `now` is the (aware) moment of the fetch: relative times count from it, and a month and day without a year mean the
    last such day before it. `formats` are the source's own (strptime, `epoch_ms` …), tried where they fit.
    """
    raw = numerals.narrow(text).strip()
    if not raw or len(raw) > 400:
        return None
    local_now = now.astimezone(tz)
    found = _by_format(raw, formats, tz) or _absolute(raw, tz) or _relative(raw, local_now)
    if found is None:
        return None
    at, precision, zoned = found
    if at > now + TOLERANCE or at.year < EARLIEST:
        return None
    return Moment(at.astimezone(UTC), at.astimezone(tz).date(), precision, text.strip(), zoned)


def best(candidates: Iterable[str], now: datetime, tz: tzinfo, formats: Iterable[str] = ()) -> Moment | None:
    """The first readable candidate; made more exact by a later one that tells the time of the same civil day."""
    formats = tuple(formats)
    moments = [m for c in candidates if (m := parse(c, now, tz, formats)) is not None]
    if not moments:
        return None
    chosen = moments[0]
    for other in moments[1:]:
        if (
            other.on == chosen.on
            and PRECISIONS.index(other.precision) > PRECISIONS.index(chosen.precision)
            and _told(other)
        ):
            chosen = other
    if chosen.precision in ("year", "month"):
        exact = [
            m
            for m in moments
            if PRECISIONS.index(m.precision) >= 2 and (m.on.year, m.on.month) == (chosen.on.year, chosen.on.month)
        ]
        chosen = exact[0] if exact else chosen
    return chosen


def _told(moment: Moment) -> bool:
    """Midnight to the second is what systems write for "some time that day"."""
    return not re.search(r"(?<![\d+-])0?0:00(?::00)?(?:\.0+)?(?!\d)", moment.raw)


def _by_format(raw: str, formats: Iterable[str], tz: tzinfo) -> tuple[datetime, str, bool] | None:
    for form in formats:
        if form in ("epoch_ms", "epoch_s"):
            if found := _epoch(raw):
                return found
        elif form == "rfc822":
            if found := _rfc822(raw, tz):
                return found
        elif "%" in form and "%Y" in form:
            try:
                at = datetime.strptime(raw, form)
            except (ValueError, re.error):
                continue
            precision = "second" if "%S" in form else "minute" if "%M" in form else "day" if "%d" in form else "month"
            return (at if at.tzinfo else at.replace(tzinfo=tz)), _midnight(at, precision), at.tzinfo is not None
    return None


def _midnight(at: datetime, precision: str) -> str:
    """00:00:00 is no time of day but the absence of one."""
    return "day" if precision in ("minute", "second") and at.time() == time(0) else precision


def _epoch(raw: str) -> tuple[datetime, str, bool] | None:
    match = _EPOCH.match(raw)
    if match is None:
        return None
    number = int(match.group("n"))
    at = datetime.fromtimestamp(number / 1000 if number > 10**11 else number, UTC)
    return at, "second", True


def _rfc822(raw: str, tz: tzinfo) -> tuple[datetime, str, bool] | None:
    try:
        at = parsedate_to_datetime(raw)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=tz)), "second", at.tzinfo is not None


def _absolute(raw: str, tz: tzinfo) -> tuple[datetime, str, bool] | None:
    """Forms that hold a year, the first in the text; then epoch numbers."""
    if found := _epoch(raw):
        return found
    whole = _YM_SLASH.match(raw)
    if whole:
        return _build(whole, tz)
    matches = [m for p in (_YMD, _EN_CLOCK_FIRST, _EN_MDY, _EN_DMY, _DMY) if (m := p.search(raw))]
    matches.sort(key=lambda m: (m.start(), -m.end()))
    for match in matches:
        if found := _build(match, tz):
            return found
        if match.re is _YMD:
            return None  # a date of another era or an impossible one (2569, 31 February): no other reading of it
    if (match_bare := _YMD_BARE.search(raw)) and not matches:
        return _build(match_bare, tz)
    if not matches:
        for pattern in (_YM, _EN_MY):
            if match_month := pattern.search(raw):
                return _build(match_month, tz)
        if re.fullmatch(r"(?:19|20)\d{2}年?", raw):
            return datetime(int(raw[:4]), 1, 1, tzinfo=tz), "year", False
    return None


def _build(match: re.Match[str], tz: tzinfo) -> tuple[datetime, str, bool] | None:
    groups = match.groupdict()
    year = numerals.whole(groups["y"])
    if year is None:
        return None
    if year < 100:
        year += 2000
    if groups.get("a"):
        first, second = int(groups["a"]), int(groups["b"])
        # 08/09/2026 can be two days: only a number above 12, or equal numbers, decide
        if (first > 12) == (second > 12) and first != second:
            return None
        day, month = (second, first) if second > 12 else (first, second)
    else:
        month = (
            _MONTHS.get((groups.get("mon") or "").lower().rstrip("."), 0) or numerals.whole(groups.get("m") or "") or 0
        )
        day = numerals.whole(groups["d"]) or 0 if groups.get("d") else 0
    try:
        base = date(year, month, day or 1)
    except ValueError:
        return None
    if not groups.get("d") and not groups.get("a"):
        return datetime.combine(base, time(0), tz), "month", False
    return _with_clock(base, groups, tz)


def _with_clock(base: date, groups: dict[str, str | None], tz: tzinfo) -> tuple[datetime, str, bool] | None:
    clock = _clock(groups)
    if clock is None:
        return datetime.combine(base, time(0), tz), "day", False
    hours, precision = clock
    written = (groups.get("zone") or "").strip()
    own = _zone_of(written) if written else None
    at = datetime.combine(base, time(0), own or tz) + hours
    if own is None and precision != "hour":
        precision = _midnight(at, precision)
    return at, precision, own is not None


def _clock(groups: dict[str, str | None]) -> tuple[timedelta, str] | None:
    if not groups.get("h") or groups.get("mi") is None:
        return None
    hour, minute, second = int(groups["h"] or 0), int(groups["mi"] or 0), int(groups.get("s") or 0)
    half = (groups.get("ampm") or groups.get("half") or "").lower().replace(".", "").replace(" ", "")
    if half in ("pm", "下午", "晚上", "晚") and hour < 12:
        hour += 12
    elif half in ("am", "上午", "凌晨", "早上") and hour == 12:
        hour = 0
    if hour > 24 or minute > 59 or second > 60:
        return None
    return timedelta(hours=hour, minutes=minute, seconds=second), "second" if groups.get("s") else "minute"


def _zone_of(text: str) -> tzinfo:
    text = text.upper().replace(" ", "")
    if text in _ZONES:
        return timezone(timedelta(hours=_ZONES[text]))
    match = re.search(r"([+-])(\d{2}):?(\d{2})$", text)
    if match is None:
        return UTC
    shift = timedelta(hours=int(match.group(2)), minutes=int(match.group(3)))
    if shift >= timedelta(hours=15):
        return UTC
    return timezone(-shift if match.group(1) == "-" else shift)


def _relative(raw: str, now: datetime) -> tuple[datetime, str, bool] | None:
    """Times that count from now, and days without a year."""
    for pattern in (_AGO_ZH, _AGO_EN):
        if match := pattern.search(raw):
            return _ago(match, now)
    if match := _DAY_WORD.search(raw):
        word = match.group("word").lower()
        if word.startswith(("刚", "just")):
            return now, "minute", False
        return _with_clock(now.date() - timedelta(days=_WORD_BACK[word[0]]), match.groupdict(), now.tzinfo or UTC)
    if match := _HM.match(raw):
        found = _with_clock(now.date(), match.groupdict(), now.tzinfo or UTC)
        if found and found[0] > now + timedelta(minutes=10):
            # a list read just after midnight still shows last evening's times
            found = (found[0] - timedelta(days=1), *found[1:])
        return found
    # a text that names a year was understood or refused above: its parts are no date of their own
    return None if re.search(r"(?<!\d)(?:1[6-9]|2\d)\d{2}(?!\d)", raw) else _without_year(raw, now)


def _without_year(raw: str, now: datetime) -> tuple[datetime, str, bool] | None:
    """MM-DD: the last such day that is not after tomorrow (in January, 12-30 is of the year before)."""
    match = _MD.search(raw)
    if match is None:
        return None
    month, day = int(match.group("m")), int(match.group("d"))
    for year in (now.year + 1, now.year, now.year - 1, now.year - 2, now.year - 3, now.year - 4):
        try:
            base = date(year, month, day)
        except ValueError:
            continue
        if base <= now.date() + TOLERANCE:
            return _with_clock(base, match.groupdict(), now.tzinfo or UTC)
    return None


def _ago(match: re.Match[str], now: datetime) -> tuple[datetime, str, bool] | None:
    said = match.group("n").lower()
    number: float = 0.5 if said == "半" else 1 if said in ("a", "an") else numerals.whole(said) or 0
    unit = match.group("unit").lower()
    if unit.startswith(("秒", "sec")):
        return now - timedelta(seconds=number), "minute", False
    if unit.startswith(("分", "min")):
        return now - timedelta(minutes=number), "minute", False
    if unit.startswith(("小时", "钟头", "hour", "hr")):
        return now - timedelta(hours=number), "hour", False
    days = {"天": 1, "日": 1, "day": 1, "周": 7, "星期": 7, "week": 7, "月": 30, "month": 30, "年": 365, "year": 365}[
        unit
    ]
    back = (now - timedelta(days=number * days)).date()
    precision = "day" if days == 1 else "month" if days < 300 else "year"
    return datetime.combine(back, time(0), now.tzinfo), "day" if days == 7 else precision, False


# ------------------------------------------------------------------------------------- civil dates in running text

_DAY_TEXT = re.compile(
    rf"(?<![\d.])(?P<y>(?:19|20)\d{{2}}|[一二][{numerals.YEAR_CHARS}]{{3}})\s*(?:年|[-/.])\s*(?P<m>\d{{1,2}}|[{_CN}]{{1,3}})\s*(?:月|[-/.])\s*(?P<d>\d{{1,2}}|[{_CN}]{{1,3}})(?!\d)\s*[日号]?"
    rf"|\b(?P<mon>{_MONTH})\.?\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y2>(?:19|20)\d{{2}})"
    rf"|(?<!\d)(?P<d3>\d{{1,2}})\s+(?P<mon3>{_MONTH})\.?,?\s+(?P<y3>(?:19|20)\d{{2}})"
)


def find_days(text: str) -> Iterator[tuple[date, int, int]]:
    """Full civil dates in a text with their places; impossible ones are left out."""
    for match in _DAY_TEXT.finditer(text):
        g = match.groupdict()
        year = numerals.whole(g["y"] or g["y2"] or g["y3"] or "")
        named = g["mon"] or g["mon3"]
        month = _MONTHS.get(named.lower().rstrip("."), 0) if named else numerals.whole(g["m"] or "")
        day = numerals.whole(g["d"] or g["d2"] or g["d3"] or "")
        try:
            yield date(year or 0, month or 0, day or 0), match.start(), match.end()
        except ValueError:
            continue
