"""Tells first-hand pages from reprints: cleans outlets and bylines, finds the original outlet and the original's date.

A page may show three dates: the event's (`unveiled on Tuesday`), the reprint's and that of rendering. The page's own date
stays the date of publication; the original's goes to `origin_published_on`, and contradictions are said in remarks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.recognise import issuers, periods

_LABEL = re.compile(
    r"^\s*(?:信息来源|文章来源|稿件来源|新闻来源|来\s*源|稿\s*源|出\s*处|供\s*稿|Source|From|Xinhua Source)\s*[:：]\s*",
    re.I,
)
_ORIGINAL = re.compile(r"\s*[（(【\[]?\s*(?:原创稿?|本网原创|网站编辑|整理|综合)\s*[）)】\]]?\s*$")
_AFTER = re.compile(
    r"\s*(?:作者|编辑|责任编辑|责编|发布时间|发布日期|时间|日期|点击|浏览|字[号体]|分享|【|\||｜|\d{4}[-年/.]\d|Published|Updated|Editor).*$",
    re.S,
)
_BY = re.compile(r"^\s*By[:\s]\s*(?P<who>.+?)\s*$|^\s*By(?P<joined>[A-Z]\w+)\s*$", re.S)
_AGENCIES = re.compile(
    r"^(?:Xinhua|AFP|Reuters|AP|CGTN|CNS|China News|ECNS|Bloomberg|Global Times|China Daily|People's Daily(?: Online)?|CCTV|CNA|Agencies|新华社|新华网|中新社|人民网|人民日报)$",
    re.I,
)
_JOURNALISTS = re.compile(
    r"[（(](?:[一-鿿]{0,12})?(?:记者|通讯员|特约记者)[:：]?\s*(?P<who>[一-鿿·、，,\s]{2,40}?)(?:[，,；;][^）)]*)?[）)]|(?:本[报网台刊]|新华社|中新社|中新网|人民网|证券时报|经济日报)(?:[一-鿿]{0,8})?记者\s*[:：]?\s*(?P<who2>[一-鿿·]{2,4}(?:[\s、，][一-鿿·]{2,4}){0,3})(?=\s|$|\n|）|报道)"
)
_COMPILED = re.compile(
    r"[（(](?:编译|编辑|作者|文\s*[/／]\s*图|图\s*[/／]\s*文|文)\s*[/／:：|︱]?\s*(?P<who>[一-鿿·A-Za-z、\s]{2,30})[）)]\s*$"
)
_AUTHOR_LINE = re.compile(
    r"^\s*(?:作者|文|撰文)\s*[/／:：|︱]\s*(?P<who>[一-鿿·]{2,4}(?:[\s、，][一-鿿·]{2,4}){0,4})\s*$", re.M
)
_DATELINE_ZH = re.compile(
    r"(?P<who>新华社|中新社|中新网|人民网|央视网|本报|本网|新华网|中国新闻网|路透社|法新社|TNW中文站|[一-鿿]{2,8}(?:社|网|站))\s?(?P<where>[一-鿿]{0,10})\s?(?:(?P<y>20\d{2})年)?(?P<m>\d{1,2})月(?P<d>\d{1,2})日(?:电|讯|消息|报道)"
)
_DATELINE_EN = re.compile(
    r"^\s*(?:[A-Z][A-Z'’\-. ]{2,40}|[A-Z][a-z]+),?\s+(?P<date>(?:Jan|Feb|March|Mar|April|Apr|May|June|July|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?\s+\d{1,2})\s*\((?P<who>[A-Z][\w ]{2,30})\)",
    re.M,
)
_REPRINTED = re.compile(
    r"(?:转载自|转自|原载于?|首发于|摘自|本文来自|原文(?:刊登|发表)于)\s*[:：]?\s*(?:微信公众号)?\s*[《“\"]?(?P<who>[一-鿿A-Za-z· ]{2,24}?)[》”\"]?(?:[，。,；;)）\s]|$)|\((?:Source|Via|First published (?:in|by)|Reprinted from)\s*:?\s*(?P<who2>[^)]{2,50})\)",
    re.I,
)
_EVENT_EN = re.compile(
    r"\b(?:circular|notice|guidelines?|plan|statement|document|report|rules?|measures?|announcement|guidance|opinions?|regulation|notification|policy|policies)\b[^.\n]{0,80}?"
    r"\b(?:unveiled|released|issued|published|announced|rolled out|made public|jointly issued|made available)\s+(?:by\s+[^.\n]{3,120}?\s+)?(?:late\s+|earlier\s+)?(?:on\s+)?"
    r"(?P<when>Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|yesterday|today|(?:January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?\s+\d{1,2}(?:,?\s+\d{4})?)",
    re.I,
)
_EVENT_ZH = re.compile(
    r"(?:(?P<y>20\d{2})年)?(?:(?P<m>\d{1,2})月)?(?P<d>\d{1,2})日[，,]?(?:[^。\n]{0,80}?)(?:联合|正式|对外|近日)?(?:印发|发布|公布|下发|出台|发布了|印发了|公布了|联合发布|联合印发)"
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_HEAD = 900


@dataclass(slots=True)
class Origin:
    """Where a text comes from: outlet (or issuing office), its date, and how they are known."""

    outlet: str = ""
    on: date | None = None
    remark: str = ""


def clean(raw: str) -> str:
    """An outlet's name without label, markers of own work and what else stands in its line."""
    text = _LABEL.sub("", raw.strip())
    text = _AFTER.sub("", text)
    text = _ORIGINAL.sub("", text)
    tokens = re.split(r"[\s\u3000]+", text.strip())
    if len(tokens) > 1 and re.match(r"[一-鿿]{2}", tokens[0]) and not all(issuers.is_office(t) for t in tokens):
        # the outlet stands first; the name of a column or a second field follows it
        text = tokens[0]
    text = text.strip(' \u3000：:|｜-—/\\[]【】“”"')
    if text[:1] in "（(" or text.count("（") + text.count("(") != text.count("）") + text.count(")"):
        text = text.strip("（()）")
    return "" if re.fullmatch(r"[\d\s:：./年月日-]*|无|暂无|本站|null|none", text, re.I) or len(text) > 60 else text


def byline(raw: str) -> tuple[str, str]:
    """(`author`, `outlet`) of a byline: `By A and B | China Daily | Updated: …`; an agency is both."""
    parts = [p.strip() for p in re.split(r"[|｜]", raw) if p.strip()]
    if not parts:
        return "", ""
    match = _BY.match(parts[0])
    if match is None:
        return "", ""
    who = (match.group("who") or match.group("joined") or "").strip()
    for mark in (r"\s+in\s+[A-Z][\w ,]+$", r"\s*Published:.*$", r"\s*Updated:.*$"):
        who = re.sub(mark, "", who)
    named = next((p for p in parts[1:] if not re.search(r"\d{4}|Updated|Published", p)), "")
    outlet = named or (who if _AGENCIES.match(who) else "")
    return who, outlet


def author_in_text(text: str) -> str:
    """The journalists whom the text itself names: （记者甲、乙）, （编译/丙）, 作者︱丁."""
    head, tail = text[:_HEAD], text[-160:]
    match = (
        _JOURNALISTS.search(head)
        or _JOURNALISTS.search(tail)
        or _COMPILED.search(tail)
        or _AUTHOR_LINE.search(text[-400:])
    )
    if match is None:
        return ""
    groups = match.groupdict()
    who = groups.get("who") or groups.get("who2") or ""
    return re.sub(r"\s+", " ", who).strip(" 、，,")


def is_same(one: str, other: str) -> bool:
    """Whether two names mean one outlet: `新华网` and `新华社` do, `中国证监会` and its full name, a site's column and the site."""
    a, b = _key(one), _key(other)
    return bool(a and b) and (a == b or a in b or b in a)


def _key(name: str) -> str:
    name = issuers.canonical(name)
    family = {
        "新华社": "新华",
        "新华网": "新华",
        "xinhua": "新华",
        "人民网": "人民",
        "人民日报": "人民",
        "中新社": "中新",
        "中国新闻网": "中新",
        "中新网": "中新",
        "中国新闻社": "中新",
    }
    lower = name.lower()
    return next((v for k, v in family.items() if lower.startswith(k)), lower)


def origin(text: str, published: date | None, page_outlet: str, site_outlet: str) -> Origin:
    """What the page says of the original: another outlet named as source, a dateline, 转载自, or the day of the event."""
    found = Origin()
    if page_outlet and site_outlet and not is_same(page_outlet, site_outlet):
        found.outlet = page_outlet
    reprint = _REPRINTED.search(text[:_HEAD]) or _REPRINTED.search(text[-400:])
    if reprint:
        named = clean(reprint.group("who") or reprint.group("who2") or "")
        if named and not is_same(named, site_outlet):
            found.outlet = found.outlet or named
    line = _dateline(text, published)
    if line:
        found.on = line[1]
        if not found.outlet and not is_same(line[0], site_outlet) and line[0] not in ("本报", "本网"):
            found.outlet = line[0]
        if published and abs((published - line[1]).days) > 1:
            found.remark = f"the dateline in the text says {line[1].isoformat()}, the page {published.isoformat()}"
    event = _event(text, published)
    if event and found.on is None:
        found.on = event
    return found


def _dateline(text: str, published: date | None) -> tuple[str, date] | None:
    match = _DATELINE_ZH.search(text[:300])
    if match:
        day = _near(int(match["m"]), int(match["d"]), int(match["y"]) if match["y"] else None, published)
        return (match["who"], day) if day else None
    match = _DATELINE_EN.search(text[:400])
    if match and published:
        day = periods.day_of(match["date"], published - timedelta(days=364))
        return (match["who"], day) if day else None
    return None


def _near(month: int, day: int, year: int | None, published: date | None) -> date | None:
    """The day that a dateline without a year means: the last one that is not after the page's own day (one day of grace)."""
    if year is None and published is None:
        return None
    for candidate in [year] if year else [published.year, published.year - 1] if published else []:
        try:
            found = date(candidate, month, day)
        except ValueError:
            continue
        if published is None or year or found <= published + timedelta(days=1):
            return found
    return None


def _event(text: str, published: date | None) -> date | None:
    """The day on which the document that an article reports on came out."""
    if published is None:
        return None
    match = _EVENT_EN.search(text[: _HEAD * 2])
    if match:
        return weekday(match["when"], published)
    match = _EVENT_ZH.search(text[:400])
    if match:
        return _near(
            int(match["m"] or published.month), int(match["d"]), int(match["y"]) if match["y"] else None, published
        )
    return None


def weekday(word: str, published: date) -> date | None:
    """`Tuesday`, `yesterday`, `April 16`: the last such day that is not after the page's."""
    lower = word.lower()
    if lower in _DAYS:
        return published - timedelta(days=(published.weekday() - _DAYS.index(lower)) % 7)
    if lower in ("yesterday", "today"):
        return published - timedelta(days=lower == "yesterday")
    full = periods.day_of(word) if re.search(r"\d{4}", word) else periods.day_of(word, published - timedelta(days=364))
    return full if full and full <= published + timedelta(days=1) else None
