"""Recognises amounts of money in Chinese and English, in one unit per currency, with pairs of was and now.

1.2万亿元, 五千亿元, 605.43 billion yuan, RMB 500m, US$15bn become numbers of the whole currency unit. Where the sentence gives
both (由5000亿元增至8000亿元, from 500 billion to 800 billion yuan) the second carries the first as `was`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from db.documents import Finding, Span
from pipelines.recognise import numerals

_SCALE_ZH = {"万亿": 10**12, "千亿": 10**11, "百亿": 10**10, "十亿": 10**9, "亿": 10**8, "千万": 10**7, "百万": 10**6, "十万": 10**5, "万": 10**4, "千": 10**3, "": 1}  # fmt: skip
_CURRENCY_ZH = {"元": "CNY", "圆": "CNY", "美元": "USD", "美金": "USD", "欧元": "EUR", "港元": "HKD", "港币": "HKD", "日元": "JPY", "英镑": "GBP", "新元": "SGD", "新加坡元": "SGD", "澳元": "AUD", "卢布": "RUB", "韩元": "KRW", "瑞士法郎": "CHF", "新台币": "TWD"}  # fmt: skip
_SCALE_EN = {"trillion": 10**12, "trn": 10**12, "tn": 10**12, "billion": 10**9, "bln": 10**9, "bn": 10**9, "million": 10**6, "mln": 10**6, "mn": 10**6, "m": 10**6, "b": 10**9, "thousand": 10**3, "k": 10**3}  # fmt: skip
_CURRENCY_EN = {"yuan": "CNY", "rmb": "CNY", "renminbi": "CNY", "cny": "CNY", "¥": "CNY", "￥": "CNY", "us$": "USD", "$": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD", "hk$": "HKD", "hkd": "HKD", "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "£": "GBP", "gbp": "GBP", "pounds": "GBP", "jpy": "JPY", "yen": "JPY"}  # fmt: skip

_FIGURE = r"(?:\d{1,3}(?:[,，]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_CN_FIGURE = r"[一二两三四五六七八九十百千〇零]{1,8}"
_WORD_ZH = "|".join(sorted(_CURRENCY_ZH, key=len, reverse=True))
_ZH = re.compile(
    rf"(?:人民币|RMB|￥|¥)?(?P<n>{_FIGURE}|{_CN_FIGURE})\s*(?P<more>余|多|几)?\s*(?P<scale>万亿|千亿|百亿|十亿|亿|千万|百万|十万|万|千)?(?P<more2>余|多)?\s*(?P<cur>{_WORD_ZH})(?!素|月|旦|宵|件|首|器|数|左右手|/|／|每)"
)
# the first of a pair or range often has no currency: 由5000亿提高到8000亿元
_ZH_OPEN = re.compile(rf"(?P<n>{_FIGURE}|{_CN_FIGURE})\s*(?P<scale>万亿|千亿|百亿|十亿|亿|千万|百万|万)?\s*$")
_UNIT_EN = r"trillion|trn|tn|billion|bln|bn|million|mln|mn|thousand"
_EN_BEFORE = re.compile(
    rf"(?<![A-Za-z])(?P<cur>US\$|HK\$|RMB|CNY|USD|EUR|GBP|JPY|HKD|yuan|\$|€|£|¥|￥)\s?(?P<n>{_FIGURE})(?:[\s-]?(?P<scale>{_UNIT_EN}|[mbk](?![A-Za-z])))?",
    re.I,
)
_EN_AFTER = re.compile(
    rf"(?<![\d.,$€£¥])(?P<n>{_FIGURE})[\s-]?(?P<scale>{_UNIT_EN})?[\s-]*(?:of\s+)?(?P<cur>yuan|RMB|renminbi|US\s?dollars?|dollars?|euros?|pounds|yen|USD|CNY|EUR)\b",
    re.I,
)
_ROSE = r"(?:增加?至|增加到|增长至|增长到|提高至|提高到|扩大至|扩大到|上调至|上调到|升至|上升至|上升到|调增至|调整为|调整至|调整到|降至|降低至|降低到|下降至|下降到|减少至|减少到|下调至|下调到|扩容至|扩至|变为|追加至|增至|减至|调减至|提升至|提升到)"
_PAIR_ZH = re.compile(r"(?:由|从|在)(?P<before>[^。；\n]{0,18}?)$")
_OPEN_EN = re.compile(
    rf"\bfrom\s+(?:the\s+(?:previous|current)\s+|about\s+|some\s+|around\s+)?(?P<n>{_FIGURE})\s?(?P<scale>{_UNIT_EN})?\s+to\s+(?:about\s+|some\s+)?$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount in whole units of its currency (`CNY` …), where it stands, and what it was before if the sentence says so."""

    amount: Decimal
    currency: str
    start: int
    end: int
    was: Decimal | None = None


def findings(text: str, field: str = "text") -> list[Finding]:
    """All amounts as findings `money`: value `{amount, currency}` and `was` where the sentence gives both."""
    out = []
    for found in amounts(text):
        value: dict[str, object] = {"amount": plain(found.amount), "currency": found.currency}
        if found.was is not None:
            value["was"] = plain(found.was)
        out.append(Finding("money", value, Span(field, found.start, found.end, text[found.start : found.end], "money")))
    return out


def plain(number: Decimal) -> int | float:
    """An int where the number is whole, else a float."""
    return int(number) if number == number.to_integral_value() else float(number)


def amounts(text: str) -> list[Amount]:
    """Amounts in order of place, without overlaps."""
    found: list[Amount] = []
    if any(w in text for w in ("元", "英镑", "法郎", "美金", "港币", "卢布", "新台币")):
        found += _chinese(text)
    if re.search(r"yuan|RMB|CNY|renminbi|[$€£¥￥]|dollar|euro|USD|yen", text, re.I):
        for amount in _english(text):
            if not any(amount.start < f.end and f.start < amount.end for f in found):
                found.append(amount)
    found.sort(key=lambda a: a.start)
    return _with_before(found, text)


def _chinese(text: str) -> Iterator[Amount]:
    for match in _ZH.finditer(text):
        number = _number(match["n"], bool(match["scale"]))
        if number is None:
            continue
        if not match["scale"] and not re.match(r"\d", match["n"]) and len(match["n"]) < 2:
            continue  # 一元, 二元: words, not money
        yield Amount(number * _SCALE_ZH[match["scale"] or ""], _CURRENCY_ZH[match["cur"]], match.start(), match.end())


def _english(text: str) -> Iterator[Amount]:
    for pattern in (_EN_BEFORE, _EN_AFTER):
        for match in pattern.finditer(text):
            number = _number(match["n"], True)
            word = re.sub(r"\s+", "", match["cur"].lower())
            currency = _CURRENCY_EN.get(word) or _CURRENCY_EN.get(word.removeprefix("us")) or "USD"
            if number is None:
                continue
            yield Amount(
                number * _SCALE_EN[(match["scale"] or "").lower()] if match["scale"] else number,
                currency,
                match.start(),
                match.end(),
            )


def _number(text: str, scaled: bool) -> Decimal | None:
    text = text.replace(",", "").replace("，", "")
    if re.match(r"\d", text):
        try:
            return Decimal(text)
        except InvalidOperation:
            return None
    value = numerals.whole(text)
    return Decimal(value) if value else None


def _with_before(found: list[Amount], text: str) -> list[Amount]:
    out: list[Amount] = []
    for position, amount in enumerate(found):
        previous = found[position - 1] if position else None
        was = _before_zh(amount, previous, text) or _before_en(amount, previous, text)
        out.append(Amount(amount.amount, amount.currency, amount.start, amount.end, was) if was is not None else amount)
    return out


def _before_zh(amount: Amount, previous: Amount | None, text: str) -> Decimal | None:
    """由A增至B: A with its currency before the verb, or bare (5000亿) with the currency of B."""
    head = text[max(0, amount.start - 60) : amount.start]
    match = re.search(rf"{_ROSE}(?:了)?(?:约|近|超|超过|不低于)?\s*$", head)
    if match is None:
        return None
    before = head[: match.start()].rstrip("，, ")
    if (
        previous
        and previous.currency == amount.currency
        and previous.end >= amount.start - (len(head) - match.start()) - 8
    ):
        lead = text[max(0, previous.start - 20) : previous.start]
        if _PAIR_ZH.search(lead):
            return previous.amount
    bare = _ZH_OPEN.search(before)
    if bare and _PAIR_ZH.search(before[: bare.start()]):
        number = _number(bare["n"], True)
        scale = bare["scale"]
        if number is not None and (scale or number > 0):
            own_scale = _SCALE_ZH[scale] if scale else _same_scale(text[amount.start : amount.end])
            return number * own_scale
    return None


def _same_scale(written: str) -> int:
    match = re.search(r"万亿|千亿|百亿|十亿|亿|千万|百万|十万|万|千", written)
    return _SCALE_ZH[match.group()] if match else 1


def _before_en(amount: Amount, previous: Amount | None, text: str) -> Decimal | None:
    """from A to B, to B from A; A may leave currency and scale to B."""
    head = text[max(0, amount.start - 80) : amount.start]
    if (
        previous
        and previous.currency == amount.currency
        and re.fullmatch(
            r"\s*(?:\([^)]{0,40}\)\s*)?(?:a year (?:ago|earlier)\s+)?to\s+(?:about\s+|some\s+)?",
            text[previous.end : amount.start],
        )
        and re.search(r"\bfrom\s+(?:[\w\s]{0,20})$", text[max(0, previous.start - 30) : previous.start])
    ):
        return previous.amount
    if match := _OPEN_EN.search(head):
        number = _number(match["n"], True)
        scale = (match["scale"] or "").lower()
        if not scale:
            own = re.search(_UNIT_EN, text[amount.start : amount.end], re.I)
            scale = own.group().lower() if own else ""
        return number * _SCALE_EN.get(scale, 1) if number is not None else None
    after = re.match(
        rf"\s+from\s+(?:the\s+previous\s+)?(?P<n>{_FIGURE})\s?(?P<scale>{_UNIT_EN})?(?:\s+yuan)?",
        text[amount.end : amount.end + 60],
        re.I,
    )
    if after and re.search(r"\bto\s+(?:about\s+)?$", head):
        number = _number(after["n"], True)
        own = re.search(_UNIT_EN, text[amount.start : amount.end], re.I)
        scale = (after["scale"] or (own.group() if own else "")).lower()
        return number * _SCALE_EN.get(scale, 1) if number is not None else None
    return None
