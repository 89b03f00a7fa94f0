"""Recognises from when to when a document holds and until when something is to be handed in, with the words that say so.

施行, 有效期至, 有效期三年, 请于…前反馈, 截止, and their English like; Chinese numerals too. A rule that the text merely cites
(《…》自…起施行) gives no date of its own, and yearly duties (每年1月31日前) are no deadline.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from db.documents import Finding, Span
from pipelines.recognise import dates, numerals

_N = rf"(?:\d{{1,2}}|[{numerals.CHARS}]{{1,3}})"
_Y = rf"(?:(?:19|20)\d{{2}}|[一二][{numerals.YEAR_CHARS}]{{3}})"
_FULL = rf"{_Y}\s*年\s*{_N}\s*月\s*{_N}\s*日|(?:19|20)\d{{2}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}"
_MONTH_END = rf"{_Y}\s*年\s*{_N}\s*月\s*(?:底|末)|{_Y}\s*年\s*(?:年\s*)?(?:底|末)"
_SHORT = rf"{_N}\s*月\s*{_N}\s*日"
_MON = r"(?:January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?"
_EN = rf"(?:{_MON}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}|\d{{1,2}}\s+{_MON},?\s+\d{{4}})"
_EN_ANY = rf"(?:{_EN}|{_MON}\s+\d{{1,2}}(?:st|nd|rd|th)?)"
_ACT = r"(?:正式)?(?:施行|实施|执行|生效|起效|试行|开始施行|启用|适用)"

_EFFECTIVE = re.compile(
    rf"(?:自|从|于|将于|定于)?\s*(?P<on>{_FULL})\s*(?:零时|0时)?\s*(?:之日)?\s*(?:起|开始)?\s*(?:（含当日）)?\s*(?:至|到)?(?P<to>(?<=至)(?:{_FULL})|(?<=到)(?:{_FULL}))?\s*(?:止|期间)?\s*，?{_ACT}"
)
_FROM_TO = re.compile(
    rf"(?:执行期限|实施期限|有效期|政策期限|期限|施行期限|有效期限|实施期)[^。；\n]{{0,12}}?(?:自|从|为|：)?\s*(?:自|从)?(?P<on>{_FULL})\s*(?:起)?\s*(?:至|到|—|-|－)\s*(?P<to>{_FULL}|{_MONTH_END})"
)
_OF_ISSUE = re.compile(
    rf"自(?:公布|发布|印发|下发|公告|签发|颁布)之日起\s*(?:(?:满)?(?P<n>{_N}|\d{{1,3}}|[{numerals.CHARS}]{{1,4}})\s*(?P<unit>日|天|个工作日|个月)\s*(?:之?后)?)?\s*{_ACT}"
)
_EXPIRES = re.compile(
    rf"(?:有效期(?:限)?|执行期限|实施期限|施行期限|政策期限|期限|本[一-鿿]{{2,6}}|政策)[^。；，\n]{{0,10}}?(?:截?至|到|执行至|延续至|延长至|延长到|截止到?|实施至)\s*(?P<to>{_FULL}|{_MONTH_END})"
    rf"|(?:执行|实施|延续执行|延长|有效|延期)(?:截?至|到)\s*(?P<to2>{_FULL}|{_MONTH_END})|(?P<to3>{_FULL})\s*(?:起)?(?:自动)?(?:失效|废止|到期)"
)
_YEARS = re.compile(
    rf"(?:有效期(?:限)?|试行期(?:限)?|施行期限?|期限)\s*(?:为|是|：)?\s*(?P<n>\d{{1,2}}|[{numerals.CHARS}]{{1,3}})\s*(?P<unit>年|个月)"
)
_HAND_IN = (
    r"(?:报送|报|反馈|提出|提交|上报|送|申报|提供|填报|寄|发送|完成|办理|缴|备案|登记|返回|函告|书面|以电子|通过|将|向)"
)
_DEADLINE = re.compile(
    rf"(?:请(?:各[^。；\n，]{{0,20}})?(?:务必)?(?:于|在)|须于|应于|应当于|应在|并于|务于|于|在)\s*(?P<on>{_FULL}|{_SHORT}|{_MONTH_END})\s*(?:\d{{1,2}}[:：]\d{{2}}|\d{{1,2}}时)?\s*(?:（[^）]{{0,12}}）)?\s*(?:之?前|以前)\s*，?(?=[^。；\n]{{0,60}}{_HAND_IN})"
    rf"|(?P<on2>{_FULL}|{_SHORT})\s*(?:之?前|以前)\s*，?{_HAND_IN}"
    rf"|(?:截止(?:时间|日期|日)?|截止至|报送截止(?:时间)?|申报截止(?:时间|日期)?|截止期限|期限)\s*(?:为|是|到|至|：|:)?\s*(?P<on3>{_FULL}|{_SHORT})"
    rf"|(?:意见|反馈|报名|申报|受理|公示|征集)[^。；\n，]{{0,14}}?(?:时间|期限|期)(?:为|：|:|自)?\s*(?:自|从)?(?:{_FULL}|{_SHORT})\s*(?:起)?\s*(?:至|到|—|–|-|－)\s*(?P<on4>{_FULL}|{_SHORT}|{_N}日)"
    rf"|(?:截至|截止)\s*(?P<on5>{_FULL}|{_SHORT})[^。；\n]{{0,6}}(?:截止|止|前反馈)"
)
_EN_EFFECTIVE = re.compile(
    rf"(?:(?:come|came|go|went|enter|entered|entering|coming)s?\s+(?:in)?to\s+(?:effect|force)|(?:take|took|taken|taking)s?\s+effect|(?:be|is|are|was)?\s*effective|in\s+force|be\s+implemented|implementation)\s*(?:from|on|as\s+of|starting|beginning|since)?\s*(?:from|on)?\s*(?P<on>{_EN})",
    re.I,
)
_EN_EXPIRES = re.compile(
    rf"(?:valid|in\s+force|in\s+effect|effective|run|runs|last|lasts|extended|remain\w*)\s+(?:until|till|through|to)\s+(?:the\s+end\s+of\s+)?(?P<to>{_EN})|expires?\s+(?:on\s+)?(?P<to2>{_EN})",
    re.I,
)
_EN_DEADLINE = re.compile(
    rf"(?:deadline\s+(?:for\s+[\w\s]{{1,40}}?)?(?:is|of|on|:)?|no\s+later\s+than|comments?\s+(?:[\w\s]{{0,40}}?)(?:by|before|until|through)|(?:submit\w*|file[ds]?|appl(?:y|ications?)|respond|feedback|opinions)\s+[^.;\n]{{0,60}}?(?:by|before|until)|open\s+until)\s+(?P<on>{_EN_ANY})",
    re.I,
)
_CITED_BEFORE = re.compile(r"《[^》]{2,80}》(?:（[^）]{0,40}）)?(?:已|将|于|自|从|，)?[^。；\n]{0,6}$")
_YEARLY = re.compile(r"(?:每年|次年|当年|首年|年度|每季度?|每月|各年|翌年|上年|下年)\s*(?:的)?\s*(?:于|在)?\s*$")


@dataclass(slots=True)
class Periods:
    """The dates found; None where nothing is said. `findings` hold the words."""

    effective_on: date | None
    expires_on: date | None
    deadline_on: date | None
    findings: list[Finding]


def read(text: str, issued: date | None) -> Periods:
    """Dates of force and deadlines in a text. `issued` is the day of writing or publication: "from the day of issue" means it,
    and a day without a year is the next one after it."""
    found = Periods(None, None, None, [])
    if len(text) > 400_000:
        text = text[:400_000]
    places = _Places(text)
    _effective(places, issued, found)
    _expires(places, found)
    _deadlines(places, issued, found)
    unique = {(f.name, f.value, f.span.start, f.span.end): f for f in found.findings}
    found.findings = list(unique.values())
    return found


_HINT_ZH = re.compile(rf"[\d{numerals.CHARS}]\s*[年月日]|之日|\d-\d\d?-\d|\d{{4}}/\d")
_HINT_EN = re.compile(rf"{_MON}\s+\d|\d\s+{_MON}")


class _Places:
    """The lines of a text that hold a date at all: the patterns look there and nowhere else (they are slow on prose)."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.chinese: list[tuple[int, int]] = []
        self.english: list[tuple[int, int]] = []
        position = 0
        for entry in text.split("\n"):
            end = position + len(entry)
            if _HINT_ZH.search(entry):
                self.chinese.append((position, end))
            if _HINT_EN.search(entry):
                self.english.append((position, end))
            position = end + 1

    def find(self, pattern: re.Pattern[str], *, english: bool = False) -> Iterator[re.Match[str]]:
        """Matches with their places in the whole text."""
        for start, end in self.english if english else self.chinese:
            yield from pattern.finditer(self.text, start, end)


def day_of(text: str, after: date | None = None) -> date | None:
    """The day a Chinese or English date phrase means; 底 is the last day; without a year, the first such day from `after` on."""
    for day, _, _ in dates.find_days(text):
        return day
    text = numerals.narrow(text)
    match = re.match(rf"(?P<y>{_Y})\s*年\s*(?:年)?\s*(?:(?P<m>{_N})\s*月)?\s*(?:底|末)", text)
    if match:
        year, month = numerals.whole(match["y"]) or 0, numerals.whole(match["m"] or "12") or 0
        return date(year, month, calendar.monthrange(year, month)[1]) if 1 <= month <= 12 and year else None
    month, day_number = 0, 0
    if match := re.match(rf"(?P<m>{_N})\s*月\s*(?P<d>{_N})\s*日", text):
        month, day_number = numerals.whole(match["m"]) or 0, numerals.whole(match["d"]) or 0
    elif match := re.match(r"(?P<mon>[A-Za-z]{3,9})\.?\s+(?P<d>\d{1,2})", text):
        month, day_number = dates._MONTHS.get(match["mon"].lower(), 0), int(match["d"])
    elif (match := re.match(rf"(?P<d>{_N})日", text)) and after:
        month, day_number = after.month, numerals.whole(match["d"]) or 0
    if not month or after is None:
        return None
    for year in (after.year, after.year + 1):
        try:
            day = date(year, month, day_number)
        except ValueError:
            continue
        if day >= after:
            return day
    return None


def _finding(name: str, value: date, text: str, start: int, end: int) -> Finding:
    return Finding(name, value.isoformat(), Span("text", start, end, text[start:end], "dates"))


def _own(text: str, start: int) -> bool:
    """Whether the sentence speaks of this document: no other title stands right before the date."""
    begin = max(text.rfind(c, 0, start) for c in "。；\n") + 1
    before = text[begin:start]
    return not _CITED_BEFORE.search(before) or bool(re.search(r"现予(?:公布|印发|发布)|予以公布|审议通过", before))


def _effective(places: _Places, issued: date | None, found: Periods) -> None:
    text = places.text
    hits: list[tuple[int, date, date | None, int]] = []
    for match in places.find(_EFFECTIVE):
        head = text[match.start() : match.start("on")]
        between = text[match.end("on") : match.end()]
        if not head.strip() and "起" not in between and "开始" not in between:
            continue
        day = day_of(match["on"])
        if day and _own(text, match.start()):
            hits.append((match.start(), day, day_of(match["to"]) if match["to"] else None, match.end()))
    for match in places.find(_FROM_TO):
        day, last = day_of(match["on"]), day_of(match["to"])
        if day and last and last > day:
            hits.append((match.start(), day, last, match.end()))
    for match in places.find(_EN_EFFECTIVE, english=True):
        day = day_of(match["on"])
        if day:
            hits.append((match.start(), day, None, match.end()))
    for start, day, last, end in sorted(hits):
        found.findings.append(_finding("effective_on", day, text, start, end))
        if last:
            found.findings.append(_finding("expires_on", last, text, start, end))
            found.expires_on = found.expires_on or last
    if hits:
        # the closing article repeats what the head says; where they differ (amendments), the last one holds
        found.effective_on = max(hits)[1]
        return
    for match in places.find(_OF_ISSUE):
        if issued is None or not _own(text, match.start()):
            continue
        day = issued + _length(match["n"], match["unit"]) if match["n"] else issued
        found.effective_on = day
        found.findings.append(_finding("effective_on", day, text, match.start(), match.end()))


def _length(number: str, unit: str) -> timedelta:
    count = numerals.whole(number) or 0
    return timedelta(days=count * 30 if unit == "个月" else count)


def _expires(places: _Places, found: Periods) -> None:
    text = places.text
    for match in (*places.find(_EXPIRES), *places.find(_EN_EXPIRES, english=True)):
        value = next(v for k, v in match.groupdict().items() if v)
        day = day_of(value)
        if day is None or not _own(text, match.start()):
            continue
        if found.effective_on and day <= found.effective_on:
            continue
        found.findings.append(_finding("expires_on", day, text, match.start(), match.end()))
        found.expires_on = found.expires_on or day
    if found.expires_on is None and found.effective_on:
        for match in places.find(_YEARS):
            day = _after(found.effective_on, numerals.whole(match["n"]) or 0, match["unit"])
            if day and _own(text, match.start()):
                found.expires_on = day
                found.findings.append(_finding("expires_on", day, text, match.start(), match.end()))
                return


def _after(start: date, count: int, unit: str) -> date | None:
    """The last day of a period of years or months that begins on `start`."""
    months = start.month - 1 + (count * 12 if unit == "年" else count)
    year, month = start.year + months // 12, months % 12 + 1
    if not 0 < count < 100 or year > 2999:
        return None
    day = min(start.day, calendar.monthrange(year, month)[1])
    return date(year, month, day) - timedelta(days=1)


def _deadlines(places: _Places, issued: date | None, found: Periods) -> None:
    for start, end, day in _deadline_hits(places, issued):
        found.findings.append(_finding("deadline_on", day, places.text, start, end))
        if found.deadline_on is None:
            found.deadline_on = day


def _deadline_hits(places: _Places, issued: date | None) -> Iterator[tuple[int, int, date]]:
    text = places.text
    found = (*places.find(_DEADLINE), *places.find(_EN_DEADLINE, english=True))
    for match in sorted(found, key=lambda m: m.start()):
        name, value = next((k, v) for k, v in match.groupdict().items() if v)
        if _YEARLY.search(text[max(0, match.start(name) - 8) : match.start(name)]) or _YEARLY.search(
            text[max(0, match.start() - 8) : match.start()]
        ):
            continue
        base = issued
        if name == "on4":
            # 9月1日至9月30日, 9月1日至30日: the end takes year and month of the beginning
            base = next((d for d, _, _ in dates.find_days(match.group())), None) or issued
        day = day_of(value, base)
        # a date before the document is history, not a deadline
        if day and (issued is None or day >= issued - timedelta(days=31)):
            yield match.start(), match.end(), day


# -------------------------------------------------------------------------------------------------- day of writing

_DATE_LINE = re.compile(rf"^\s*[（(]?\s*(?P<on>{_FULL})\s*[）)]?\s*$")
_DATE_END = re.compile(rf"(?P<on>{_FULL})\s*$")
_HEAD_BRACKET = re.compile(
    rf"^\s*[（(【][^）)\n\d]{{0,30}}(?P<on>{_FULL})[^）)\n]{{0,80}}?(?:公布|发布|印发|颁布|通过)"
)
_SIGNER = re.compile(
    r"^(?:局\s*长|部\s*长|主\s*任|行\s*长|主\s*席|署\s*长|总\s*理|省\s*长|市\s*长)|(?:部|委员会|委|局|署|院|行|会|厅|办公室|操作室|政府|公司|室|总部|所)(?:[（(]\S{1,3}[）)])?$"
)


def written(text: str) -> tuple[date, int, int] | None:
    """The day under the signature (or, for rules, that of promulgation in brackets under the title) and its place."""
    position = 0
    spans: list[tuple[str, int]] = []
    for entry in text.split("\n"):
        spans.append((entry, position))
        position += len(entry) + 1
    for index in range(len(spans) - 1, max(-1, len(spans) - 30), -1):
        hit = _date_line(spans, index)
        if hit:
            return hit
    for entry, begin in spans[:4]:
        if match := _HEAD_BRACKET.match(entry):
            day = day_of(match["on"])
            return (day, begin + match.start("on"), begin + match.end("on")) if day else None
    for index in range(1, min(len(spans), 60)):
        hit = _date_line(spans, index)
        if hit:
            return hit
    return None


def _date_line(spans: list[tuple[str, int]], index: int) -> tuple[date, int, int] | None:
    """A line that is a date under a signer's line, or a signer's line that ends with a date."""
    entry, begin = spans[index]
    above = spans[index - 1][0].strip() if index else ""
    match = _DATE_LINE.match(entry)
    if match is None and len(entry) < 80:
        match = _DATE_END.search(entry)
        above = entry[: match.start()].strip() if match else ""
        if not above or re.search(r"[，。：；]", above):
            return None
    if match is None:
        return None
    alone_at_end = index >= len(spans) - 2 and _DATE_LINE.match(entry) is not None and bool(above)
    if not alone_at_end and (not above or len(above) > 90 or not _SIGNER.search(above)):
        return None
    day = day_of(match["on"])
    return (day, begin + match.start("on"), begin + match.end("on")) if day else None
