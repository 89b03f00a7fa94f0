"""Recognises document numbers (文号) in every form that offices write them, and tells a document's own from cited ones.

Forms: 金发〔2026〕17号 with any brackets, width and blanks; 中国人民银行公告〔2026〕第20号; 商务部公告2026年第11号; 2026年第41号令;
证监会令第118号, 第41号令, 国家广播电视总局令（第16号）. Rules: 《党政机关公文格式》 (GB/T 9704-2012) 7.2.5 and pages as met.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.recognise import issuers, numerals

_S = r"[\s\u3000\u00a0]*"
_OPEN, _CLOSE = r"[〔\[［【\(（﹝〈<「『{｛]", r"[〕\]］】\)）﹞〉>」』}｝]"
_D = r"[0-9０-９]"
_YEAR = rf"(?:[1１][9９]|[2２][0０]){_D}{{2}}"
_CN_YEAR = rf"[一二][{numerals.YEAR_CHARS}]{{3}}"
_SERIAL = rf"(?:{_D}{_S}){{1,5}}|[{numerals.CHARS}]{{1,6}}"
_ORG = r"[\u4e00-\u9fff](?:[\u4e00-\u9fffA-Za-z·]|[ \u3000\u00a0、](?=[\u4e00-\u9fff])){0,60}"
_TYPES = r"(?:公告|通告|命令|令|通报|决定|提示)"

_BRACKETED = re.compile(
    rf"(?P<org>{_ORG})??{_S}{_OPEN}{_S}(?P<year>{_YEAR}|{_CN_YEAR}){_S}年?{_S}{_CLOSE}{_S}(?P<nth>第)?{_S}(?P<no>{_SERIAL}){_S}号(?P<tail>令|公告)?"
)
_YEARLY = re.compile(
    rf"(?P<org>{_ORG})?{_S}(?P<open>{_OPEN})?{_S}(?<!\d)(?P<year>{_YEAR}){_S}年{_S}第{_S}(?P<no>{_SERIAL}){_S}号{_S}(?P<tail>令|公告|通告)?"
)
_ORDER = re.compile(rf"(?P<org>{_ORG}?){_S}(?P<type>令|公告|通告){_S}(?:{_OPEN}{_S})?第{_S}(?P<no>{_SERIAL}){_S}号")
_ORDER_AFTER = re.compile(rf"(?P<org>(?:{_ORG})?)第{_S}(?P<no>{_SERIAL}){_S}号{_S}令")
_ORDER_BARE = re.compile(rf"(?P<org>[\u4e00-\u9fff]{{2,30}}?)(?P<type>令){_S}(?P<no>{_D}{{1,4}}){_S}号")

# particles that no office code holds: the code begins after the last of them
_PARTICLES = re.compile(r".*[的了于是为及和与至从以将把其该本被并或]")
_VERBS = re.compile(
    r".*(?:根据|依据|按照|依照|参照|遵照|对照|落实|贯彻|执行|转发|印发|下发|替代|代替|废止|适用|违反|依|(?<=人)就|(?<=长)就|在|由|见)(?=[一-鿿]{2})"
)
_LEAD = re.compile(
    r"^(?:根据|依据|按照|依照|参照|遵照|对照|执行|落实|贯彻|贯彻落实|严格|继续|认真|学习|见|详见|参见|参阅|即|文件|印发|发布|下发|转发|发出|废止|修订|"
    r"修改|修正|替代|代替|附件|原|现行|上述|前述|制定|出台|公布|第?[一二三四五六七八九十]+[条款项号]|日|文号|发文字号|字号|编号|标题|各|关于|通过|依|按|据|经|由|"
    r"系列|我国|我部|我委|我行|我局|我会|国家有关|有关|相关|另|又|同时|参考|适用|符合|违反|引用|载于|收到|批准|核准)+"
)
_CITING_BEFORE = re.compile(
    r"(?:根据|依据|按照|依照|参照|遵照|落实|贯彻|执行|转发|废止|修订|修改|修正|代替|替代|见|详见|参见|学习|按|依|据|违反|适用|解读|读懂|关于|符合|以及|和|及|与|、|，|,)\s*$"
)
_ABOUT = re.compile(r"解读|答记者问|问答|图解|一图|读懂|访谈|解析|说明会|新闻发布会|要点|评论|述评|专家|解答|政策宣讲")
# how far a document's head goes: the red head, number, title and addressee stand in it
_HEAD_CHARS, _HEAD_LINES = 400, 10


@dataclass(frozen=True, slots=True)
class Number:
    """A document number. `text` is its normal form for people (〔〕, no blanks, ASCII digits), `key` the same for all its
    variants; `issuer` is the canonical office where the number names one; `start`, `end` are its place in the text."""

    text: str
    key: str
    raw: str
    year: int | None
    serial: int
    issuer: str = ""
    start: int = 0
    end: int = 0


def parse(raw: str) -> Number | None:
    """The (first) number in a field that holds nothing else; None if it holds none (`无`, `-`, a title)."""
    text = raw.strip()
    return next(find(text, whole_field=True), None) if text else None


def key(raw: str) -> str:
    """The one key of all variants of a number; "" for what is none."""
    number = parse(raw)
    return number.key if number else ""


def find(text: str, *, whole_field: bool = False) -> Iterator[Number]:
    """All numbers in a text, cited ones too, in order and without overlaps."""
    if "号" not in text:
        return
    found: list[Number] = []
    for pattern, build in (
        (_BRACKETED, _bracketed),
        (_YEARLY, _yearly),
        (_ORDER, _order),
        (_ORDER_AFTER, _order_after),
        (_ORDER_BARE, _order),
    ):
        for match in pattern.finditer(text):
            if any(match.start("no") < f.end and f.start < match.end() for f in found):
                continue
            number = build(match, text, whole_field)
            if number is not None:
                found.append(number)
    yield from sorted(found, key=lambda n: n.start)


def _bracketed(match: re.Match[str], text: str, whole_field: bool) -> Number | None:
    start, org = _office(match, text, whole_field)
    if not org:
        return None
    year = numerals.whole(match.group("year"))
    serial = numerals.whole(match.group("no"))
    if year is None or serial is None:
        return None
    shown = f"{org}〔{year}〕{match.group('nth') or ''}{serial}号{match.group('tail') or ''}"
    kind = re.search(_TYPES + "$", org)
    if match.group("tail"):
        return _typed(match, start, shown, org, match.group("tail"), year, serial)
    if kind:
        return _typed(match, start, shown, org[: kind.start()], kind.group(), year, serial)
    return Number(shown, f"{org}〔{year}〕{serial}号", text[start : match.end()], year, serial, "", start, match.end())


def _yearly(match: re.Match[str], text: str, whole_field: bool) -> Number | None:
    start, org = _office(match, text, whole_field)
    tail = match.group("tail") or ""
    kind = re.search(_TYPES + "$", org)
    if not (tail or kind):
        # 2026年第3号 alone is a number only where a field says so
        if not whole_field:
            return None
        org = org if issuers.is_office(org) else ""
    year, serial = numerals.whole(match.group("year")), numerals.whole(match.group("no"))
    if year is None or serial is None:
        return None
    name = org[: kind.start()] if kind else org
    if name and not issuers.is_office(name):
        # the end of a title (…名单的公告 2026年第9号) is no office: the number begins with its year
        org = name = ""
    if not name and text[:start].strip():
        org = ""
    if not org:
        start = match.start("year")
    shown = f"{org}{year}年第{serial}号{tail}"
    return _typed(match, start, shown, name, tail or (kind.group() if kind else ""), year, serial)


def _order(match: re.Match[str], text: str, whole_field: bool) -> Number | None:
    start, org = _office(match, text, whole_field)
    kind, serial = match.group("type"), numerals.whole(match.group("no"))
    if serial is None or (not org and not whole_field):
        return None
    if org and not issuers.is_office(org):
        return None
    return _typed(match, start, f"{org}{kind}第{serial}号", org, kind, None, serial)


def _order_after(match: re.Match[str], text: str, whole_field: bool) -> Number | None:
    start, org = _office(match, text, whole_field)
    serial = numerals.whole(match.group("no"))
    if serial is None:
        return None
    if org and not issuers.is_office(org):
        start, org = match.start() + len(match.group("org") or ""), ""
    return _typed(match, start, f"{org}第{serial}号令", org, "令", None, serial)


def _typed(
    match: re.Match[str], start: int, shown: str, org: str, kind: str, year: int | None, serial: int
) -> Number | None:
    """Numbers of orders and announcements: the key names the office by its canonical name, however it was written."""
    names = issuers.split(org) if org else []
    office = "·".join(names) if names else org
    counted_yearly = not (kind == "令" and names and names[0] in issuers.SERIAL_ORDERS)
    mark = f"〔{year}〕" if year and counted_yearly else ""
    first = names[0] if names else ""
    return Number(
        shown, f"{office}{kind}{mark}{serial}号", match.group().strip(), year, serial, first, start, match.end()
    )


def _office(match: re.Match[str], text: str, whole_field: bool) -> tuple[int, str]:
    """Where the number begins and its office or code, cut free from the words of the sentence before it."""
    group = match.group("org") or ""
    begin = match.start("org") if group else match.start()
    if not group:
        return match.end() - len(match.group().lstrip()), ""
    tokens = [(m.start(), m.group()) for m in re.finditer(r"[^\s\u3000\u00a0、]+", group)]
    offset, last = tokens[-1]
    cut = _cut(last, text[max(0, begin + offset - 1) : begin + offset])
    offset, last = offset + len(last) - len(cut), cut
    if whole_field or "type" in match.re.groupindex or re.search(_TYPES + "$", last):
        offset, last = _join_left(tokens, offset, last, whole_field)
    if len(last) > 45 or (len(last) > 16 and not re.search(_TYPES + "$", last) and not whole_field):
        return begin + offset, ""
    return begin + offset, last


def _join_left(tokens: list[tuple[int, str]], offset: int, last: str, whole_field: bool) -> tuple[int, str]:
    """Joint issuers before 令 and 公告, and codes that are written with blanks inside (`工信部联 企业`)."""
    joined = last
    for start, token in reversed(tokens[:-1]):
        cut = _cut(token, "")
        bare = re.sub(_TYPES + "$", "", joined)
        if issuers.is_office(cut) or (not bare and issuers.is_office(cut)):
            joined, offset = (
                cut + (" " if bare and issuers.is_office(bare.split(" ")[0]) else "") + joined,
                start + len(token) - len(cut),
            )
        elif whole_field and len(token) + len(joined) <= 12:
            joined, offset = token + joined, start
        else:
            break
    return offset, joined


def _cut(word: str, before: str) -> str:
    """The end of a run of characters that is an office or a code: `根据国家发展改革委令` gives 国家发展改革委令."""
    stem = re.sub(_TYPES + "$", "", word)
    known = issuers.known_suffix(stem)
    if len(known) > 1:
        return known + word[len(stem) :]
    word = _VERBS.sub("", word) or word
    word = _PARTICLES.sub("", word) or word[-1:]
    if before.isdigit() and word[:1] in "日年月":
        word = word[1:]
    if issuers.is_office(re.sub(_TYPES + "$", "", word)):
        return word
    shorter = _LEAD.sub("", word)
    return shorter or word


# ------------------------------------------------------------------------------------------ own or cited


def own(field: str, title: str, text: str) -> Number | None:
    """The document's own number: of the structured field, else the title, else the head of the text; never a cited one."""
    if field:
        number = parse(field)
        if number is not None:
            return number
    return in_title(title) or (None if _ABOUT.search(title) else in_head(text))


def in_title(title: str) -> Number | None:
    """A number at the very beginning or end of a title is the document's; one in the middle or after 根据, 《…》的 is cited."""
    if "号" not in title or _ABOUT.search(title):
        return None
    for number in find(title):
        before, after = title[: number.start].rstrip(" \u3000（(【[〔"), title[number.end :].strip(" \u3000）)】]〕")
        if re.search(r"(?:关于|《)[^》]*$", before) and after:
            continue
        if _CITING_BEFORE.search(before):
            continue
        if not before.strip("《 ") or not after:
            return number
    return None


def in_head(text: str) -> Number | None:
    """The number in the head of a text: alone on its line, under a line that ends with 令 or 公告, or before 公布 in the
    brackets under the title."""
    lines = text[: _HEAD_CHARS * 3].split("\n")[:_HEAD_LINES]
    size = 0
    for position, entry in enumerate(lines):
        size += len(entry)
        if size > _HEAD_CHARS and position > 2:
            break
        number = _under_head(lines, position) or _alone(entry) or _promulgated(entry)
        if number is None:
            continue
        above = lines[position - 1] if position else ""
        if _CITING_BEFORE.search(above):
            continue
        return number
    return None


def _alone(entry: str) -> Number | None:
    """A line that is a number and nothing else (`文号：`, brackets and joint numbers beside it apart)."""
    if len(entry) > 90 or "号" not in entry:
        return None
    bare = re.sub(r"^\s*(?:发文字号|发文文号|文件编号|文\s*号|编\s*号|字\s*号)\s*[:：]\s*", "", entry).strip(
        " \u3000\t（(【）)】"
    )
    numbers = list(find(bare))
    if not numbers or numbers[0].start:
        # letters of the code set apart: 金 发 〔2026〕 17 号
        spaced = (
            next(find(bare, whole_field=True), None) if len(bare) < 30 and re.match(r"\S[\s\u3000]", bare) else None
        )
        if spaced is not None and spaced.start == 0 and spaced.end == len(bare):
            return spaced
    if not numbers:
        compact = re.fullmatch(rf"{_S}{_YEAR}{_S}年{_S}第{_S}{_SERIAL}{_S}号{_S}(?:令|公告)?{_S}", bare)
        return parse(bare) if compact else None
    rest = bare
    for number in reversed(numbers):
        rest = rest[: number.start] + rest[number.end :]
    rest = re.sub(r"[\s\u3000、，,；;（）()【】\[\]]", "", rest)
    if not rest or (issuers.is_office(rest) and not bare.endswith("文件")):
        return numbers[0]
    return None


def _promulgated(entry: str) -> Number | None:
    """（2021年10月30日证监会令第189号公布 …）: the first number in the brackets, if 公布, 发布 or 印发 follows it."""
    if not re.match(r"\s*[（(【]", entry) or len(entry) > 400:
        return None
    for number in find(entry):
        if re.match(r"\s*(?:公布|发布|印发|颁布|令?[，,]?\s*自)", entry[number.end :]) and not _CITING_BEFORE.search(
            entry[: number.start]
        ):
            return number
        return None
    return None


def _under_head(lines: list[str], position: int) -> Number | None:
    """第41号 or 2026年第20号 under a line that ends with 令 or 公告: the two lines are one number."""
    entry = lines[position].strip(" \u3000（(【）)】")
    above = lines[position - 1].strip() if position else ""
    if not re.search(r"(?:令|公告|通告)$", above) or len(above) > 60:
        return None
    match = re.fullmatch(
        rf"(?:{_OPEN}?{_S}(?P<year>{_YEAR}){_S}年?{_S}{_CLOSE}?{_S})?第?{_S}(?P<no>{_SERIAL}){_S}号", entry
    )
    if match is None:
        return None
    head = re.sub(r"[\s\u3000]+", "", above)
    written = match.group("year")
    year = "" if not written else f"{written}年" if "年" in entry else f"〔{written}〕"
    nth = "第" if "第" in entry else ""
    return parse(f"{head}{year}{nth}{match.group('no')}号")
