"""Recognises the index number (索引号) of the government information catalogue: `000014349/2026-00074`, `717804719/2026-309`."""

from __future__ import annotations

import re

from pipelines.recognise import numerals

_NUMBER = re.compile(r"[A-Za-z]{0,6}\d{3,}[A-Za-z0-9]*(?:\s*[-/—_]\s*[A-Za-z0-9]+){1,4}|\d{9,20}")
_IN_TEXT = re.compile(r"(?:信息)?索\s*引\s*号码?\s*[:：]\s*([A-Za-z0-9][A-Za-z0-9\-/—_ ]{4,40})")
_DASHES = str.maketrans({"—": "-", "－": "-", "–": "-", "／": "/", "_": "-"})


def normal(raw: str) -> str:
    """The number without blanks, in ASCII; "" for a field that holds none."""
    text = numerals.narrow(raw).translate(_DASHES)
    match = _NUMBER.search(text)
    return re.sub(r"\s+", "", match.group()) if match else ""


def of(field: str, text: str) -> str:
    """Of the structured field, else after the word 索引号 in the head of the text."""
    if field and (number := normal(field)):
        return number
    match = _IN_TEXT.search(text[:600])
    return normal(match.group(1)) if match else ""
