"""Turns what a list says about time into a civil date of the source's zone and, where a time is given, an instant in UTC.

A date later than the moment of the fetch is not believed: sites print Buddhist-era years, local time with the label GMT,
and tomorrow's paper. Without a date nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EARLIEST = 1949  # the oldest rules on these sites; anything before is a misread number
_MONTHS = {
    m: i for i, m in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_MONTH = r"(?P<b>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_CODES = {
    "Y": r"(?P<Y>\d{4})", "y": r"(?P<y>\d{2})", "m": r"(?P<m>\d{1,2})", "d": r"(?P<d>\d{1,2})", "H": r"(?P<H>\d{1,2})",
    "I": r"(?P<H>\d{1,2})", "M": r"(?P<M>\d{2})", "S": r"(?P<S>\d{2})", "p": r"(?P<p>[ap])\.?m\.?", "b": _MONTH,
    "B": _MONTH, "f": r"(?P<f>\d{1,6})", "z": r"(?P<z>Z|[+-]\d{2}:?\d{2})", "s": r".*?", "A": r"[a-z]+", "a": r"[a-z]+",
    "%": "%",
}  # fmt: skip
# tried when the configured formats do not fit, most telling first
_GENERIC = (
    "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
    "%Y-%m-%d-%H:%M:%S", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y.%m.%d %H:%M:%S", "%Y.%m.%d %H:%M",
    "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日 %H时%M分", "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日",
    "%b %d, %Y %I:%M %p", "%b %d, %Y %H:%M", "%d %b %Y %H:%M:%S", "%H:%M, %d-%b-%Y", "%d-%b-%Y", "%b %d, %Y", "%d %b %Y",
)  # fmt: skip
_RELATIVE = ("%m-%d %H:%M", "%m/%d %H:%M", "%m月%d日 %H:%M", "%m-%d", "%m月%d日", "%H:%M:%S", "%H:%M")
# a month's name and a zone at the end: the form of e-mails and feeds
_ZONED = re.compile(r"[a-z]{3}.*(?:\b(?![ap]\.?m)[A-Z]{1,4}|[+-]\d{2}:?\d{2})$", re.IGNORECASE)
_AGO = re.compile(r"(\d{1,3})\s*(秒|分钟|小时|天|minutes?|mins?|hours?|days?)\s*(?:前|ago)", re.IGNORECASE)
_UNITS = {"秒": 1, "分": 60, "小": 3600, "天": 86400, "m": 60, "h": 3600, "d": 86400}
_WIDTH = str.maketrans("０１２３４５６７８９：／－．，", "0123456789:/-.,")


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as read. `on` is the civil date in the source's zone, `at` the instant in UTC (None when only a date is known)."""

    raw: str
    on: str
    at: str | None
    precision: str
    remark: str = ""


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    """The time zone of that IANA name; ValueError in words when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}; write an IANA name such as Asia/Shanghai") from error


@lru_cache(maxsize=512)
def _pattern(form: str) -> re.Pattern[str]:
    """A strptime format as a pattern to search with; a code met twice and `%s` match anything."""
    out, seen, at = [], set(), 0
    while at < len(form):
        char = form[at]
        if char == "%" and at + 1 < len(form):
            code = form[at + 1]
            piece = _CODES.get(code, r"\S+")
            name = re.match(r"\(\?P<(\w)>", piece)
            if name and name.group(1) in seen:
                piece = r"[^\s]+"
            elif name:
                seen.add(name.group(1))
            out.append(piece)
            at += 2
        else:
            out.append(r"\s*" if char.isspace() else re.escape(char))
            at += 1
    return re.compile(r"(?<![\d])" + "".join(out) + r"(?!\d)", re.IGNORECASE)


def read(
    text: str, formats: Iterable[str] = (), tz: tzinfo = UTC, now: datetime | None = None, *, relative: bool = False
) -> Moment | None:
    """The moment that `text` tells, or None. `formats` as in sources.yaml; `now` is the time of the fetch (with a zone)."""
    raw = " ".join(str(text).split())[:120]
    clean = raw.translate(_WIDTH)
    if not clean:
        return None
    formats = list(formats)
    relative = relative or any(not _has_year(f) for f in formats)
    for form in filter(_has_year, formats):
        moment = _by_format(clean, form, tz, now)
        if moment is not None:
            return _sane(raw, *_finer(clean, *moment, tz), tz, now)
    if any(f in ("epoch_ms", "epoch_s") for f in formats) or clean.isdigit():
        moment = _epoch(clean)
        if moment is not None:
            return _sane(raw, *moment, tz, now)
    moment = _rfc822(clean, tz) if _ZONED.search(clean) else None
    if moment is not None:
        return _sane(raw, *moment, tz, now)
    for form in _GENERIC:
        moment = _by_format(clean, form, tz, now)
        if moment is not None:
            return _sane(raw, *moment, tz, now)
    moment = _rfc822(clean, tz)
    if moment is None and relative and now is not None:
        moment = _ago(clean, tz, now) or _yearless(clean, formats, tz, now)
    return _sane(raw, *moment, tz, now) if moment is not None else None


def _yearless(text: str, formats: list[str], tz: tzinfo, now: datetime) -> tuple[datetime, str] | None:
    """A date without year or a time without date; forms with more in them first, or `10-07 09:00` would be today's 09:00."""
    forms = dict.fromkeys([*(f for f in formats if not _has_year(f)), *_RELATIVE])
    for form in sorted(forms, key=lambda f: "%d" not in f):
        moment = _by_format(text, form, tz, now)
        if moment is not None:
            return moment
    return None


def _finer(text: str, moment: datetime, precision: str, tz: tzinfo) -> tuple[datetime, str]:
    """The same day with its time of day, where the text has one that the configured format did not ask for."""
    if precision == "day" and ":" in text:
        for form in _GENERIC:
            timed = _by_format(text, form, tz, None) if "%H" in form or "%I" in form else None
            if timed is not None and timed[0].date() == moment.date():
                return timed
    return moment, precision


def best(
    texts: Iterable[str], formats: Iterable[str], tz: tzinfo, now: datetime | None, *, relative: bool = False
) -> Moment | None:
    """The first text that tells a date; a later one that tells the same day more exactly is preferred to it."""
    formats, chosen = list(formats), None
    for text in texts:
        moment = read(text, formats, tz, now, relative=relative)
        if moment is None:
            continue
        if chosen is None:
            chosen = moment
        elif chosen.at is None and moment.at is not None and moment.on == chosen.on:
            return moment
        if chosen.at is not None:
            break
    return chosen


def _has_year(form: str) -> bool:
    return "%Y" in form or "%y" in form or form.startswith("epoch") or form == "rfc822"


def _by_format(text: str, form: str, tz: tzinfo, now: datetime | None) -> tuple[datetime, str] | None:
    if form in ("epoch_ms", "epoch_s"):
        return _epoch(text)
    if form == "rfc822":
        return _rfc822(text, tz)
    found = _pattern(form).search(text)
    if found is None:
        return None
    got = {k: v for k, v in found.groupdict().items() if v}
    if not _has_year(form):
        return _without_year(got, tz, now)
    try:
        year = int(got["Y"]) if "Y" in got else 2000 + int(got["y"])
        month = _MONTHS[got["b"].lower()[:3]] if "b" in got else int(got.get("m", 1))
        moment = datetime(year, month, int(got.get("d", 1)), *_clock(got), tzinfo=_offset(got.get("z"), tz))
    except (ValueError, KeyError, OverflowError):
        return None
    precision = "day" if "d" in got else "month" if "m" in got or "b" in got else "year"
    return moment, _precision(got, precision)


def _clock(got: dict[str, str]) -> tuple[int, int, int]:
    hour = int(got.get("H", 0))
    if "p" in got:
        hour = hour % 12 + (12 if got["p"].lower() == "p" else 0)
    return hour, int(got.get("M", 0)), int(got.get("S", 0))


def _precision(got: dict[str, str], default: str) -> str:
    return "second" if "S" in got else "minute" if "M" in got else default


def _offset(text: str | None, tz: tzinfo) -> tzinfo:
    if not text:
        return tz
    return datetime.strptime(text.upper().replace("Z", "+0000"), "%z").tzinfo or tz


def _without_year(got: dict[str, str], tz: tzinfo, now: datetime | None) -> tuple[datetime, str] | None:
    """`09-30 08:15` and `08:15`: the last such moment that is not later than the fetch (the year rolls over)."""
    if now is None or not ("H" in got or "m" in got):
        return None
    local = now.astimezone(tz)
    try:
        if "m" not in got:
            moment = datetime.combine(local.date(), local.time().replace(*_clock(got), 0), tz)
            moment -= timedelta(days=1) if moment > local else timedelta(0)
            return moment, _precision(got, "day")
        for year in range(local.year, local.year - 5, -1):  # five: 29 February
            try:
                moment = datetime(year, int(got["m"]), int(got["d"]), *_clock(got), tzinfo=tz)
            except ValueError:
                continue
            if moment.date() < local.date() or (moment.date() == local.date() and moment <= local):
                return moment, _precision(got, "day")
    except (ValueError, KeyError, OverflowError):
        pass
    return None


def _ago(text: str, tz: tzinfo, now: datetime) -> tuple[datetime, str] | None:
    local = now.astimezone(tz)
    if text.startswith(("刚刚", "just now")):
        return local, "minute"
    for word, days in (("今天", 0), ("昨天", 1), ("前天", 2), ("today", 0), ("yesterday", 1)):
        if text.lower().startswith(word):
            day = datetime.combine(local.date() - timedelta(days=days), datetime.min.time(), tz)
            clock = re.search(r"(\d{1,2}):(\d{2})", text)
            if clock and int(clock[1]) < 24 and int(clock[2]) < 60:
                return day.replace(hour=int(clock[1]), minute=int(clock[2])), "minute"
            return day, "day"
    found = _AGO.search(text)
    if found is None:
        return None
    seconds = int(found[1]) * _UNITS[found[2][0].lower()]
    return local - timedelta(seconds=seconds), "day" if seconds >= 86400 else "hour" if seconds >= 3600 else "minute"


def _epoch(text: str) -> tuple[datetime, str] | None:
    if not text.isdigit() or len(text) not in (10, 13):
        return None
    try:
        return datetime.fromtimestamp(int(text) / (1000 if len(text) == 13 else 1), UTC), "second"
    except (ValueError, OverflowError, OSError):
        return None


def _rfc822(text: str, tz: tzinfo) -> tuple[datetime, str] | None:
    # e-mail's CST is Chicago; on these sites it is China Standard Time
    text = re.sub(r"\bCST\b", "+0800", text)
    text = re.sub(
        r"\b(?:GMT|UTC)([+-])(\d{1,2})(?::?(\d{2}))?\b", lambda m: f"{m[1]}{int(m[2]):02d}{m[3] or '00'}", text
    )
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC if text.rstrip().endswith(("-0000", "GMT", "UTC")) else tz)
    return moment, "second"


def _sane(raw: str, moment: datetime, precision: str, tz: tzinfo, now: datetime | None) -> Moment | None:
    """The moment as stored, or None where it cannot be true."""
    remark = ""
    try:
        local = moment.astimezone(tz)
        if now is not None and moment > now and precision in ("second", "minute"):
            as_local = moment.replace(tzinfo=tz)
            if moment.utcoffset() == timedelta(0) and as_local <= now:
                local, remark = as_local, f"{raw!r} would be in the future: read as local time"
            elif local.date() == now.astimezone(tz).date():
                precision, remark = "day", f"{raw!r} is later than the fetch: only the day is kept"
        if local.year < EARLIEST or (now is not None and local.date() > now.astimezone(tz).date()):
            return None
        # exactly midnight is a date written as a time (PBoC's feed says 16:00 GMT for midnight in Beijing)
        if precision in ("second", "minute") and (local.hour, local.minute, local.second) == (0, 0, 0):
            precision = "day"
        timed = precision in ("second", "minute", "hour")
        at = local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if timed else None
        return Moment(raw, local.date().isoformat(), at, precision, remark)
    except (OverflowError, ValueError):
        return None
