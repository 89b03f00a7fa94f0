"""Recognises who issued a document: offices in order, as they sign, with former names led to their successors.

`canonical` gives the one official name of an office however it is written; identity and comparison use it. What a
document shows (`国家发展改革委`) stays as it is in `issuers`, except for bodies that no longer exist.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

_STATE = "中华人民共和国"
_BLANKS = re.compile(r"[\s\u3000\u00a0]+")
# what an office's name may end with; checked only for names that are not in offices.yaml
_OFFICE_END = re.compile(
    r"(?:委员会|发展改革委|发改委|国资委|总局|管理局|监管局|监管分局|[^结格布]局|财政部|[一-鿿]{2,}部|[一-鿿]{1,}厅|办公厅|办公室|[海总]署|人民政府|市政府|省政府|"
    r"人民银行(?:[一-鿿]{2,12}(?:分行|支行|总部|营业管理部))?|分行|银行|证监局|银保监局|外汇局|证监会|银监会|保监会|银保监会|交易所|协会|联合会|"
    r"人民法院|人民检察院|领导小组(?:办公室)?|管委会|操作室|管理部|税务局|经信委|经信厅|经信局|研究院|集团(?:公司)?|有限(?:责任)?公司|保险公司|[省市区县]委)$"
)
_NO_OFFICE = re.compile(
    r"^(?:各|有关|相关|该|本|其|全|部|全部|内部|外部|大部|干部|总部|一部|局|当局|布局|格局|结局|大厅)|(?:干部|全部|内部|外部|布局|格局|结局|一部|大部)$|[。，；：《》“”（）\d]"
)
_DEPARTMENT = re.compile(r"^[一-鿿]{2,14}(?:司|处|科|室|中心)(?:[（(].{2,16}[）)])?$|^(?:办公厅|办公室|综合司)$")
# NFRA's bureaus sign with their place alone (丰屿监管分局, 上海金融监管局); market and drug regulators have such names too
_BUREAU = re.compile(
    r"^(?P<place>(?!市场|药品|国家|证券|粮食|能源|煤矿|通信|电力)[一-鿿]{2,5}?)(?:金融)?(?P<rank>监管(?:分)?局)$"
)
_PERSON = re.compile(r"^(?:局\s*长|部\s*长|主\s*任|行\s*长|主\s*席|署\s*长|市\s*长|省\s*长|总\s*理|会\s*长)\s*[:：]?")
_DATE = r"(?:[12]\d{3}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日|[一二][〇○零ＯOo0一二三四五六七八九]{3}年[一二三四五六七八九十]{1,3}月[一二三四五六七八九十]{1,4}日)"
_DATE_LINE = re.compile(rf"^\s*[（(]?\s*{_DATE}\s*[）)]?\s*$")
_SIGNED_LINE = re.compile(rf"^(?P<names>.{{2,120}}?)[\s\u3000]*{_DATE}\s*$")
_TITLE = re.compile(
    r"^(?P<names>[^《》“”：:，。！？]{2,120}?)(?:关于|印发|联合印发|发布|就|行政处罚|令|公告|通告|联合发布|联合召开|转发|批转|公布)"
)
_AND_OTHERS = re.compile(r"等[一二三四五六七八九十\d]*(?:个)?(?:部门|部委|单位|机关|机构)$")


@dataclass(frozen=True, slots=True)
class Office:
    """One entry of offices.yaml."""

    name: str
    level: str
    names: tuple[str, ...]
    former: tuple[str, ...]
    codes: tuple[str, ...]
    hosts: tuple[str, ...]
    english: tuple[str, ...]
    serial: bool


@lru_cache(maxsize=1)
def offices() -> tuple[Office, ...]:
    """All known offices; the file is part of the program and read once."""
    text = resources.files("pipelines.recognise").joinpath("offices.yaml").read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    return tuple(
        Office(
            e["name"], e.get("level", "central"), (e["name"], *e.get("aliases", ())), tuple(e.get("former", ())),
            tuple(e.get("codes", ())), tuple(e.get("hosts", ())), tuple(e.get("en", ())), bool(e.get("serial")),
        )
        for e in entries
    )  # fmt: skip


@lru_cache(maxsize=1)
def _by_name() -> dict[str, Office]:
    return {name: o for o in offices() for name in (*o.names, *o.former)}


@lru_cache(maxsize=1)
def _former() -> dict[str, str]:
    return {name: o.name for o in offices() for name in o.former}


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    names = sorted((n for n in _by_name() if len(n) > 1), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, names)))


SERIAL_ORDERS = frozenset(o.name for o in offices() if o.serial)


def bare(name: str) -> str:
    """A name without blanks and without 中华人民共和国 before it."""
    name = _BLANKS.sub("", name)
    shorter = name.removeprefix(_STATE)
    return shorter if len(shorter) > 1 else name


def canonical(name: str) -> str:
    """The official name of an office, however it is written; an unknown name as it is. Its general office stays apart."""
    name = bare(name)
    office = _by_name().get(name)
    if office is not None:
        return office.name
    for suffix in ("办公厅", "综合司", "办公室"):
        stem = name.removesuffix(suffix)
        if stem != name and stem in _by_name():
            return _by_name()[stem].name + suffix
    if bureau := _BUREAU.match(name):
        return _by_name()["金融监管总局"].name + bureau.group("place") + bureau.group("rank")
    match = _pattern().match(name)
    if match and re.match(
        r"[一-鿿]{2,10}(?:监管局|监管分局|分行|支行|总部|营业管理部|监督管理局)$", name[match.end() :]
    ):
        return _by_name()[match.group()].name + name[match.end() :]
    return name


def current(name: str) -> str:
    """The name as shown, unless the body has a successor: then the successor's name (银保监会 is NFRA today)."""
    name = bare(name)
    if name in _former():
        return _former()[name]
    if bureau := _BUREAU.match(name):
        return _by_name()["金融监管总局"].name + bureau.group("place") + bureau.group("rank")
    for suffix in ("办公厅", "办公室"):
        stem = name.removesuffix(suffix)
        if stem in _former():
            return _former()[stem] + suffix
    return name


def known_suffix(text: str) -> str:
    """The longest known office that a text ends with (中华人民共和国 before it included); "" if none."""
    names = _by_name()
    for start in range(max(0, len(text) - 24), len(text)):
        if text[start:] in names:
            full = _STATE + text[start:]
            return full if text.endswith(full) else text[start:]
    return ""


def is_office(name: str) -> bool:
    """Whether a text is the name of an office (or several joint ones), and nothing else."""
    name = bare(name)
    if name in _by_name():
        return True
    if not 2 < len(name) <= 60 or _NO_OFFICE.search(name):
        return False
    return bool(_OFFICE_END.search(name))


def is_department(name: str) -> bool:
    """A department inside an office (司, 处, bare 办公厅): it signs for its office and is no issuer."""
    return bool(_DEPARTMENT.match(bare(name))) and bare(name) not in _by_name()


def split(text: str) -> list[str]:
    """Canonical names of joint offices in order, from a text that holds nothing else; [] if it holds other things."""
    names = names_in(text)
    return [canonical(n) for n in names]


def names_in(text: str) -> list[str]:
    """The names in a field of issuers, as written and in order: parted by blanks, 、 or nothing at all."""
    text = _AND_OTHERS.sub("", text.strip().strip("：:"))
    tokens = [t for t in re.split(r"[\s\u3000\u00a0、，,;；/|]+|(?<=[部委局会行署厅])和(?=[国中财工商人])", text) if t]
    if tokens and all(len(t) == 1 for t in tokens):
        tokens = ["".join(tokens)]
    found: list[str] = []
    for token in tokens:
        token = token if token == _STATE else bare(token)
        if token == _STATE:
            continue
        if token in _by_name():
            found.append(token)
        else:
            found += _segments(token)
    return list(dict.fromkeys(found))


def _segments(token: str) -> list[str]:
    """`财政部税务总局` as two names; a name that only begins with a known one (its bureau, its general office) as one."""
    out: list[str] = []
    rest = token
    while rest:
        match = _pattern().match(rest)
        if match is None:
            return [token] if is_office(token) else []
        after = rest[match.end() :]
        if not after:
            return [*out, match.group()]
        suffix = re.match(r"办公厅|办公室|综合司|公开市场业务操作室", after)
        if suffix:
            out.append(match.group() + suffix.group())
            rest = after[suffix.end() :]
        elif _pattern().match(after):
            out.append(match.group())
            rest = after
        else:
            return [token] if is_office(token) else []
    return out


def in_title(title: str) -> list[str]:
    """Offices before 关于, 印发, 公告 … in a title, as written; [] unless all of it is names of offices."""
    bureau = re.match(r"(?P<name>[一-鿿]{2,5}?监管(?:分)?局)[:：]", title.strip())
    if bureau and _BUREAU.match(bureau.group("name")):
        return [bureau.group("name")]
    match = _TITLE.match(title.strip())
    if match is None:
        return []
    text = match.group("names").strip()
    return names_in(text) if _only_offices(text) else []


def speaks_for_others(title: str) -> bool:
    """Whether a title names only the first of several offices (中国人民银行等八部门关于…)."""
    match = _TITLE.match(title.strip())
    return bool(match and _AND_OTHERS.search(match.group("names").strip()))


def _only_offices(text: str) -> bool:
    text = _AND_OTHERS.sub("", text.strip())
    tokens = [t for t in re.split(r"[\s\u3000\u00a0、]+", text) if t]
    if tokens and all(len(t) == 1 for t in tokens):
        tokens = ["".join(tokens)]
    return bool(tokens) and all(t == _STATE or bool(names_in(t)) for t in tokens)


def in_signature(text: str) -> list[str]:
    """Offices that sign: the lines above the last date line that are names and nothing else, or before the date on its line."""
    lines = [entry.strip() for entry in text.split("\n") if entry.strip()]
    for position in range(len(lines) - 1, max(-1, len(lines) - 40), -1):
        entry = lines[position]
        if _DATE_LINE.match(entry):
            return _names_above(lines, position)
        match = _SIGNED_LINE.match(entry)
        if match and len(entry) < 80 and _only_offices(match.group("names")):
            return [*_names_above(lines, position), *names_in(match.group("names"))]
    return []


def _names_above(lines: list[str], position: int) -> list[str]:
    found: list[str] = []
    for entry in reversed(lines[max(0, position - 15) : position]):
        if _PERSON.match(entry):
            continue
        name = re.sub(r"[（(](?:代章|章|盖章|印)[）)]$", "", entry)
        if len(name) > 90 or not _only_offices(name):
            break
        found = names_in(name) + found
    return list(dict.fromkeys(found))


def in_head(text: str) -> list[str]:
    """The office of a red head: a first line like 中华人民共和国国家发展和改革委员会令 or 国家金融监督管理总局文件."""
    for entry in text.split("\n")[:3]:
        match = re.fullmatch(r"\s*(?P<names>.{3,80}?)\s*(?:令|公告|通告|文件)\s*", entry)
        if match and _only_offices(match.group("names")):
            return [bare(n) for n in names_in(match.group("names"))]
    return []


def by_code(number: str) -> str:
    """The office whose code a document number begins with; "" if none is known."""
    best, length = "", 0
    for office in offices():
        for code in office.codes:
            if (
                len(code) > length
                and number.startswith(code)
                and (len(code) > 1 or re.match(r"[一-鿿]{1,8}〔", number))
            ):
                best, length = office.name, len(code)
    # one-character codes (商, 财, 建 …) are shared with local offices: not enough
    return best if length > 1 else ""


def by_host(host: str) -> str:
    """The office that runs a host, its branches' sub-hosts left out (`xiamen.pbc.gov.cn` is a branch's)."""
    host = host.lower().removeprefix("www.")
    for office in offices():
        for own in office.hosts:
            if host == own or (host.endswith("." + own) and office.name != "中国人民银行"):
                return office.name
    return ""


def english() -> dict[str, str]:
    """English names and abbreviations of offices, and their canonical names."""
    return {word: o.name for o in offices() for word in o.english}
