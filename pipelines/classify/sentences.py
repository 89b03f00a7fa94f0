"""Where sentences and paragraphs begin and end, in the original text, for Chinese and English alike."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STOP = re.compile(
    r"[。！？!?；;｡]+[”’」』\"'）)》]*|\n+|(?<=[^\s\d.])\.[”’\"')]*(?=\s+[\"“‘'(]?[A-Z0-9$€£])|(?<=\d)\.(?=\s+[A-Z\"“])"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"“])(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|No|St|Co|Ltd|Inc|Corp|vs|etc|approx|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov"
    r"|Dec|U\.S|U\.K|E\.U|i\.e|e\.g|a\.m|p\.m)$"
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """Characters `start:end` of the field, without white space at the ends; `paragraph` counts from 0."""

    start: int
    end: int
    paragraph: int


def split(text: str) -> list[Sentence]:
    """The sentences of a text. A piece of punctuation alone is none."""
    out: list[Sentence] = []
    at = paragraph = 0
    for stop in _STOP.finditer(text):
        mark = stop.group()
        if mark[0] == "." and _ABBREVIATION.search(text[max(at, stop.start() - 8) : stop.start()]):
            continue
        _add(out, text, at, stop.start() if mark[0] == "\n" else stop.end(), paragraph)
        at = stop.end()
        if mark[0] == "\n":
            paragraph += 1
    _add(out, text, at, len(text), paragraph)
    return out


def _add(out: list[Sentence], text: str, start: int, end: int, paragraph: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end - start > 1 and any(c.isalnum() for c in text[start:end]):
        out.append(Sentence(start, end, paragraph))
