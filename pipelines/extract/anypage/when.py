"""Weighs every date of a page by where it stands, and hands on those of the day that most places agree on first.

A date in a footer, of another article or of an event in the text weighs little; one between headline and text, in a meta made
for it or in the address weighs much, and places that agree add up.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

from pipelines.extract.anypage import elements, lines, names
from pipelines.extract.anypage.blocks import Page
from pipelines.extract.anypage.body import Region
from pipelines.extract.anypage.embedded import Said

_STRONG = frozenset((
    "article:published_time", "datepublished", "firstpublishedtime", "pubdate", "publishdate", "publish_date",
    "publish-date", "publishtime", "publish_time", "pubtime", "og:published_time", "og:release_date",
    "og:article:published_time", "dc.date.issued", "dcterms.issued", "dcterms.created", "weibo:article:create_at",
    "parsely-pub-date", "sailthru.date", "apub:time", "_pubtime", "citation_publication_date",
    "citation_online_date", "bt:pubdate", "article.published", "published_time", "published-date", "published_at",
    "rnews:datepublished", "article_date_original", "cxenseparse:recs:publishtime", "prism.publicationdate",
    "originalpublicationdate", "dc.date.published", "datepub", "displaydate", "ptime", "article:published",
    "uploaddate", "date_published",
))  # fmt: skip
_WEAK = frozenset((
    "date", "dc.date", "dc.date.created", "dcterms.date", "createdate", "create_date", "creation_date", "time",
    "og:time", "release_date", "pub_date", "datetime", "timestamp", "docdate", "writetime",
))  # fmt: skip
_LATER = re.compile(r"modif|update|lastmod|revis|expire|build|generat|make|valid|event|copyright|refresh", re.I)
_DATED_NAME = re.compile(r"date|time|pub|issued|created", re.I)
_FULL = re.compile(
    r"(?<![\d.])(?:19|20)\d{2}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}(?!\d)\s?日?(?:\s*[（(]?(?:星期|周)[一二三四五六日天][)）]?)?(?:[T\s　,，-]{0,4}(?:上午|下午|晚上|凌晨|中午)?\s?\d{1,2}\s?[:：时]\s?\d{2}(?:\s?[:：分]\s?\d{2}(?:\.\d+)?)?)?(?:\s*(?:[AaPp]\.?[Mm]\.?))?(?:\s?(?:Z|[+-]\d{2}:?\d{2})\b)?"
    r"|(?:\d{1,2}:\d{2}(?::\d{2})?\s*(?:[AaPp]\.?[Mm]\.?)?,?\s+)?(?<!\d)\d{1,2}(?:st|nd|rd|th)?[\s-]+(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?,?[\s-]+(?:19|20)\d{2}(?:,?\s+(?:at\s+)?\d{1,2}:\d{2}(?::\d{2})?(?:\s*[AaPp]\.?[Mm]\.?)?)?"
    r"|\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+(?:19|20)\d{2}(?:,?\s+(?:at\s+|-\s+|\|\s+)?\d{1,2}:\d{2}(?::\d{2})?(?:\s*[AaPp]\.?[Mm]\.?)?)?"
    r"|(?<![\d/.])\d{1,2}[/.]\d{1,2}[/.](?:19|20)\d{2}(?!\d)(?:\s+\d{1,2}:\d{2})?"
    r"|[一二]\s?[〇○零ＯOo九]\s?[〇○零ＯOo一二三四五六七八九]\s?[〇○零ＯOo一二三四五六七八九]\s?年[一二三四五六七八九十]{1,2}月[一二三四五六七八九十]{1,3}日"
)
_SHORT_YEAR = re.compile(
    r"(?<![\d.])(?P<y>[0-4]\d)[-/.](?P<m>[01]\d)[-/.](?P<d>[0-3]\d)(?:(?!\d)|(?=\d\d:\d\d))(?P<clock>\s*\d{1,2}:\d{2}(?::\d{2})?)?"
)
_NO_YEAR = re.compile(
    r"(?<![\d.年/-])(?P<m>\d{1,2})\s?[-/月]\s?(?P<d>\d{2}(?=\d{2}:\d{2})|\d{1,2}(?!\d))\s?日?\s*(?P<clock>\d{1,2}:\d{2}(?::\d{2})?)?"
)
_AGO = re.compile(
    r"(?:\d{1,2}|半)\s?(?:分钟|小时|天|周)前|昨天|前天|今天|刚刚|\d{1,2} (?:min(?:ute)?s?|hours?|days?) ago|yesterday"
)
_PUBLISHED = re.compile(r"发布|发表|时间|日期|刊发|来源|publish|posted|date\b|created|filed", re.I)
_NOT_PUBLISHED = re.compile(
    r"更新|修改|截止|截至|有效期|失效|施行|实施|活动|报名|开始|结束|举办|会议时间|采集|抓取|版权|copyright|©|updated|modified|deadline|expires|event|since|注册|加入|备案",
    re.I,
)
_PASSED = re.compile(
    r"^[^。]{0,20}(?:通过|公布|施行|修订|修正|会议|令第|批准|起|前|止|至|召开|举行|讯|电|报道|消息)|^\s?[-~至—]\s?\d"
)
# dates and epochs in scripts are found by their digits, then looked back from to the name they are given
_SCRIPT_VALUE = re.compile(
    r"(?<!\d)(?:(?:19|20)\d{2}[-/.年]\d{1,2}[-/.月]\d{1,2}(?:[T\s日]{0,2}\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?(?:Z|[+-]\d{2}:?\d{2})?|1[0-9]\d{8}(?:\d{3})?)(?!\d)"
)
_SCRIPT_KEY = re.compile(
    r"""\b(\w{0,12}?(?:publi(?:sh|c)(?:ed|ation)?[_-]?(?:time|date|at|on|day)?|pub[_-]?(?:time|date|lish_?time)?|date[_-]?published|release[_-]?(?:time|date)|(?:first|display|show|post|news|article|issue|ori_?)[_-]?(?:time|date)"""
    r"""|created?[_-]?(?:time|date|at)?|ctime|ptime|ct|_ct|svr_?time|docreltime|insert_?time|date|time))["'\\]{0,2}\s*[:=]\s*(?:new Date\()?["'\\]{0,2}$""",
    re.I,
)
_STRONG_KEY = re.compile(r"publ|pub|ptime|release|docrel|^_?ct$|display|issue", re.I)
# scripts beyond this are libraries
_LONGEST_SCRIPT = 1_500_000
# so many dates are handed on
_MOST_DATES = 12
_FAR = datetime(2999, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Dated:
    """A date as it is written, its day, what kind of place it stands in and how much it weighs there."""

    raw: str
    day: date
    place: str
    weight: float
    clock: str = ""
    zoned: bool = False


def candidates(
    page: Page, metas: dict[str, str], said: Said, url: str, title_at: int, region: Region | None, around: str = ""
) -> list[str]:
    """Dates of the page as written, best first; relative ones (昨天) last, for they count from a moment that is not known here."""
    found = [d for d in _all(page, metas, said, url, title_at, region, around) if d is not None]
    bare = list(_yearless(page, title_at, region))
    found += _with_year(bare, found)
    by_day: dict[date, list[Dated]] = defaultdict(list)
    for dated in found:
        by_day[dated.day].append(dated)
    out: dict[str, None] = {}
    for same in sorted(by_day.values(), key=_rank):
        if len(out) >= _MOST_DATES:
            break
        clocks = {d.clock[:5].zfill(5) for d in same if d.clock and not d.zoned}
        for dated in _of_one_clock(same):
            # a zone of the machine's beside the same clock on the page is a zone that nobody set
            if (
                dated.zoned
                and dated.clock
                and dated.clock[:5].zfill(5) in clocks
                and re.search(r"Z$|[+-]00:?00$", dated.raw)
            ):
                continue
            out.setdefault(dated.raw)
    out |= dict.fromkeys([raw for _, _, raw in bare]) | dict.fromkeys(_relative(page, title_at, region))
    return list(out)[:_MOST_DATES]


def _with_year(bare: list[tuple[int, int, str]], found: list[Dated]) -> Iterator[Dated]:
    """Dates without a year, with that of a whole date of the same day."""
    whole: dict[tuple[int, int], Dated] = {}
    for dated in found:
        whole.setdefault((dated.day.month, dated.day.day), dated)
    for month, day, raw in bare:
        same = whole.get((month, day))
        if same is None:
            continue
        yield Dated(same.raw, same.day, "yearless", 5.0, "", same.zoned)
        if clock := re.search(r"\d{1,2}:\d{2}(?::\d{2})?", raw):
            yield Dated(f"{same.day.isoformat()} {clock.group()}", same.day, "yearless", 5.0, clock.group())


def _rank(same: list[Dated]) -> tuple[float, float, date]:
    """For sorting the dates of one day among those of others: each kind of place counts once."""
    places: dict[str, float] = {}
    for dated in same:
        places[dated.place] = max(places.get(dated.place, 0.0), dated.weight)
    return -sum(places.values()), -max(places.values()), same[0].day


def _of_one_clock(same: list[Dated]) -> list[Dated]:
    """Dates of one day, best first, without other moments of it (of another article, of a later change), however exact."""
    same = sorted(same, key=lambda d: -d.weight)
    first = next((d.clock[:5].zfill(5) for d in same if d.clock and d.weight >= 4.0 and _comparable(d)), "")
    return [d for d in same if not (first and d.clock and d.clock[:5].zfill(5) != first and _comparable(d))]


def _comparable(dated: Dated) -> bool:
    """A clock that is the page's own, not one of another zone."""
    return not dated.zoned or bool(re.search(r"\+08:?00$", dated.raw))


def _dated(raw: Any, place: str, weight: float) -> Dated | None:
    from pipelines.recognise import dates

    if not isinstance(raw, str) or not re.search(r"\d", raw) or len(raw) > 200:
        return None
    moment = dates.parse(raw, _FAR, dates.zone("Asia/Shanghai"))
    if moment is None or moment.precision in ("year", "month") or not 1990 <= moment.on.year <= 2100:
        return None
    clock = re.search(r"\d{1,2}[:：]\d{2}", raw)
    return Dated(
        raw,
        moment.on,
        place,
        weight,
        clock.group().replace("：", ":") if clock else "",
        moment.zoned and not raw.isdigit(),
    )


def _all(
    page: Page, metas: dict[str, str], said: Said, url: str, title_at: int, region: Region | None, around: str
) -> Iterator[Dated | None]:
    for value in said.published[:3]:
        yield _dated(value, "ld", 8.0)
    for value in said.modified[:1]:
        yield _dated(value, "later", 1.0)
    for name, value in metas.items():
        if not _DATED_NAME.search(name) and name not in _STRONG:
            continue
        if name in _STRONG:
            yield _dated(value, "meta", 7.0)
        elif _LATER.search(name):
            yield _dated(value, "later", 1.5)
        elif name in _WEAK:
            yield _dated(value, "weak meta", 4.0)
        else:
            yield _dated(value, "weak meta", 2.5)
    yield from _marked_up(page)
    yield from _shown(page, title_at, region)
    yield from _in_scripts(page)
    for key, value in list(_assigned(around))[:6]:
        yield _dated(value, "data", 6.0 if _STRONG_KEY.search(key) and not _LATER.search(key) else 4.5)
    for address in dict.fromkeys((url, metas.get("og:url", ""))):
        yield _in_address(address)


def _marked_up(page: Page) -> Iterator[Dated | None]:
    for node, order in page.stamped[:60]:
        prop = node.get("itemprop") or ""
        if prop in ("datePublished", "dateCreated") or node.get("pubdate") is not None:
            if node.tag != "meta":
                yield _dated(node.get("content") or node.get("datetime") or elements.text(node, 60), "itemprop", 7.0)
        elif node.tag != "time":
            for name, value in node.attrib.items():
                if name.startswith("data-") and _DATED_NAME.search(name) and not _LATER.search(name):
                    yield _dated(value.strip(), "data", 3.5 if re.search("pub|article|post", name) else 2.0)
        elif node.get("datetime"):
            block = page.blocks[order] if order < len(page.blocks) else None
            late = _LATER.search(f"{node.get('class') or ''} {prop}")
            boxed = block is None or block.has(names.BOX)
            yield _dated(node.get("datetime"), "time", 1.0 if late or boxed else 4.0)


def _shown(page: Page, title_at: int, region: Region | None) -> Iterator[Dated | None]:
    """Dates that people see, weighed by their distance from headline and text."""
    start, end = (region.start, region.end) if region else (len(page.blocks), len(page.blocks))
    inside = {b.order for b in region.blocks} if region else set()
    for block in page.blocks:
        text = block.spaced
        if not re.search(r"\d", text) or (len(text) > 300 and block.order not in range(start, start + 2)):
            continue
        short = _SHORT_YEAR.search(text) if len(text) < 80 else None
        matches = list(_FULL.finditer(text[:400])) or ([short] if short else [])
        for match in matches[:3]:
            raw = match.group()
            if match.re is _SHORT_YEAR:
                raw = f"20{match['y']}-{match['m']}-{match['d']} {(match['clock'] or '').strip()}".strip()
            weight = _place(block.order, block, inside, title_at, start, end)
            before = text[max(0, match.start() - 12) : match.start()]
            after = text[match.end() : match.end() + 24]
            if _PASSED.search(after) or (match.start() and text[match.start() - 1] in "（("):
                weight = min(weight, 1.0)
            if (
                _NOT_PUBLISHED.search(before)
                or (lines.kind(block.text) == lines.RIGHTS)
                or any(lines.of_event(b.text) for b in page.blocks[block.order + 1 : block.order + 2])
            ):
                weight = min(weight, 0.8)
            elif _PUBLISHED.search(before):
                weight += 2.0
            if block.has(names.META):
                weight += 1.0
            yield _dated(raw, "shown", weight)
    yield from _parted(page, title_at, start)


def _place(order: int, block: Any, inside: set[int], title_at: int, start: int, end: int) -> float:
    short = len(block.text) < 120
    if order in inside:
        return (
            5.0
            if order <= start + 1 and lines.kind(block.text) == lines.CREDIT
            else 1.2
            if short and order >= end - 2
            else 0.4
        )
    if block.has(names.BOX) and not title_at <= order <= start:
        return 0.3
    if title_at >= 0 and title_at <= order <= start and short:
        return 7.0 if order - title_at <= 8 else 5.0
    if order < start and start - order <= 10 and short:
        return 5.0
    if title_at >= 0 and abs(title_at - order) <= 6 and short:
        return 4.5
    if end <= order <= end + 6 and short:
        return 3.0
    return 0.8 if order < start else 0.5


def _parted(page: Page, title_at: int, start: int) -> Iterator[Dated | None]:
    """A date whose year, day and clock stand in elements of their own beside each other."""
    for block in page.blocks[max(0, title_at - 12) : start + 1]:
        if not re.fullmatch(r"(?:19|20)\d{2}\s?[年./-]?", block.text):
            continue
        following = " ".join(b.text for b in page.blocks[block.order + 1 : block.order + 3])
        match = re.match(
            r"[-/.]?\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})(?!\d)\s?日?(?:\s+(\d{1,2}:\d{2}(?::\d{2})?))?", following
        )
        if match:
            yield _dated(
                f"{block.text[:4]}-{match.group(1)}-{match.group(2)} {match.group(3) or ''}".strip(), "shown", 6.0
            )


def _yearless(page: Page, title_at: int, region: Region | None) -> Iterator[tuple[int, int, str]]:
    start = region.start if region else len(page.blocks)
    for block in page.blocks[max(0, (title_at if title_at >= 0 else start - 8) - 6) : start + 2]:
        text = block.spaced
        if len(text) > 60 or block.value or _FULL.search(text) or _SHORT_YEAR.search(text):
            continue
        match = _NO_YEAR.search(text)
        if (
            match
            and 1 <= int(match["m"]) <= 12
            and 1 <= int(match["d"]) <= 31
            and (match["clock"] or block.has(names.META) or "月" in match.group())
        ):
            yield int(match["m"]), int(match["d"]), match.group().strip()


def _relative(page: Page, title_at: int, region: Region | None) -> Iterator[str]:
    start = region.start if region else len(page.blocks)
    for block in page.blocks[max(0, (title_at if title_at >= 0 else start - 6)) : start + 1]:
        match = _AGO.search(block.text)
        if match and len(block.text) < 60:
            yield block.text[match.start() : match.start() + 20]


def _in_scripts(page: Page) -> Iterator[Dated | None]:
    seen: dict[str, int] = defaultdict(int)
    for script in page.scripts:
        if len(script) > _LONGEST_SCRIPT or ("datePublished" in script and '"@context"' in script):
            continue
        for key, value in _assigned(script):
            seen[key] += 1
            if seen[key] > 3:
                continue
            strong = bool(_STRONG_KEY.search(key)) and not _LATER.search(key)
            weight = (4.0 if strong else 1.8) / seen[key]
            yield _dated(value, "script" if strong else "weak script", weight)


# no page tells its date after so many others
_MOST_VALUES = 400


def _assigned(script: str) -> Iterator[tuple[str, str]]:
    """Names and values of dates and epochs in a script."""
    for count, match in enumerate(_SCRIPT_VALUE.finditer(script)):
        if count > _MOST_VALUES:
            return
        value = match.group()
        named = _SCRIPT_KEY.search(script, max(0, match.start() - 48), match.start())
        if named and not (value.isdigit() and not _epoch_fits(value)):
            yield named.group(1).lower(), value


def _epoch_fits(value: str) -> bool:
    return 946_684_800 <= int(value[:10]) <= 4_000_000_000


def _in_address(url: str) -> Dated | None:
    if not url:
        return None
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    for pattern in (
        r"/t(20\d{2})(\d{2})(\d{2})_", r"(?<!\d)(20[0-4]\d)[-_/]?([01]\d)[-_/]([0-3]\d)(?!\d)", r"(?<!\d)(20[0-4]\d)[-/]?([01]\d)([0-3]\d)(?=/|[-_.]|[a-z]|\d{5,}|$)", r"/(20\d{2})[-/](\d{1,2})[-/](\d{1,2})/", r"(?<!\d)(20[0-4]\d)/([01]\d)([0-3]\d)(?=/)",
    ):  # fmt: skip
        match = re.search(pattern, path)
        if match and 1 <= int(match.group(2)) <= 12 and 1 <= int(match.group(3)) <= 31:
            return _dated("-".join(match.groups()), "address", 4.0)
    return None
