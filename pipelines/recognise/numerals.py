"""Reads numerals as Chinese texts write them: 二〇二六, 十七, 一百二十, full-width digits, and the letters O that pass for 〇."""

from __future__ import annotations

import re

DIGITS = {"〇": 0, "○": 0, "零": 0, "Ｏ": 0, "O": 0, "o": 0, "０": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5,
          "六": 6, "七": 7, "八": 8, "九": 9, "壹": 1, "贰": 2, "叁": 3, "肆": 4, "伍": 5, "陆": 6, "柒": 7, "捌": 8, "玖": 9}  # fmt: skip
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_WIDE = {ord("０") + n: ord("0") + n for n in range(10)}
# characters of a Chinese whole number, for use in regular expressions
CHARS = "〇○零一二两三四五六七八九十百千"
YEAR_CHARS = "〇○零ＯOo０一二三四五六七八九"


def narrow(text: str) -> str:
    """Full-width digits to ASCII; everything else stays, and so do all positions."""
    return text.translate(_WIDE)


def whole(text: str) -> int | None:
    """A whole number below 100,000 in ASCII, full-width or Chinese digits (also digit by digit: 二〇二六); None for none."""
    text = re.sub(r"[\s\u3000]+", "", narrow(text))
    if text.isascii() and text.isdigit():
        return int(text)
    if not text:
        return None
    if not any(c in _UNITS or c == "万" for c in text):
        digits = [DIGITS.get(c, int(c) if c.isdigit() and c.isascii() else -1) for c in text]
        return int("".join(map(str, digits))) if all(d >= 0 for d in digits) else None
    return _with_units(text)


def _with_units(text: str) -> int | None:
    total = part = digit = 0
    for char in text:
        if char in DIGITS:
            digit = digit * 10 + DIGITS[char] if digit and DIGITS[char] == 0 else DIGITS[char]
        elif char.isascii() and char.isdigit():
            digit = digit * 10 + int(char)
        elif char in _UNITS:
            part += (digit or 1) * _UNITS[char]
            digit = 0
        elif char == "万":
            total += (part + digit) * 10_000
            part = digit = 0
        else:
            return None
    return total + part + digit
