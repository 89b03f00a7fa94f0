"""How a document stands to the circular: names it, implements it, same task, or before it."""

from __future__ import annotations

import re
from typing import Any

from db.documents import Document, Facet, Span
from pipelines.classify.lexicon import get
from pipelines.classify.terms import FieldReading

NAMES, IMPLEMENTS, SAME, BEFORE = "names the circular", "implements it", "same task", "before it"

_TITLE = re.compile(
    r"深化制造业金融服务.{0,4}助力推进新型工业化"
    r"|(?:notice|circular)[^.]{0,60}deepen(?:ing)? (?:financial services for (?:the )?manufactur|manufacturing financial services)"
    r"|deepening financial services for (?:the )?manufacturing(?: industry)?[^.]{0,20}(?:new|help)"
)
# the three issuers named together with "circular" within this many days of it mean it, though the title is left out
_NEAR_DAYS = ("2024-04-16", "2024-05-31")
_CIRCULAR = re.compile(r"通知|circular|notice|joint (?:report|document)")
_SUBJECT = re.compile(r"制造业|新型工业化|manufactur|industriali[sz]ation")
_CARRIES_OUT = re.compile(
    r"(?:为|进一步)?(?:贯彻落实|贯彻|落实|根据|按照|依据|对照|细化|实施方案|实施意见)"
    r"|\b(?:implement\w*|carry(?:ing)? out|in line with|pursuant to|in accordance with|following|under) "
)
_LOCAL = frozenset({"local rule", "bank action", "notice", "draft", "circular"})


def read_relation(
    document: Document, readings: list[FieldReading], facets: list[Facet], taxonomy: Any
) -> tuple[str, Span | None]:
    """(relation or "" when the document bears on nothing, the words that name the circular)."""
    circular = get(taxonomy, "circular") or get(get(taxonomy, "meta", {}), "circular", {})
    number = re.sub(r"[^\w]", "", str(get(circular, "doc_number", "")))
    own = number and re.sub(r"[^\w]", "", document.doc_number) == number
    named = None if own else _named(document, readings, facets, number)
    if own or named:
        if own or not named:
            return NAMES, None
        reading, start, end = named
        begin, stop = reading.folded.original(start, end)
        span = Span(reading.name, begin, stop, reading.original[begin:stop], "relation")
        around = reading.folded.text[max(0, start - 60) : start]
        carries = _CARRIES_OUT.search(around) or _CARRIES_OUT.search(readings[0].folded.text[:80])
        if carries and document.kind in _LOCAL and document.level != "central":
            return IMPLEMENTS, span
        return NAMES, span
    if not document.tasks:
        return "", None
    published = str(get(circular, "published", "2024-04-16"))
    when = document.published_on or document.written_on or (document.published_at or "")[:10]
    return (BEFORE, None) if when and when < published else (SAME, None)


def _named(
    document: Document, readings: list[FieldReading], facets: list[Facet], number: str
) -> tuple[FieldReading, int, int] | None:
    for reading in readings:
        match = _TITLE.search(reading.folded.text)
        if match:
            return reading, match.start(), match.end()
        if number:
            spelled = re.search(r"金发\(?2024\)?5号", reading.folded.text)
            if spelled:
                return reading, spelled.start(), spelled.end()
    when = document.published_on or document.written_on or ""
    issuers = {f.value for f in facets if f.facet == "institution"}
    if {"nfra", "miit", "ndrc"} <= issuers and (not when or _NEAR_DAYS[0] <= when <= _NEAR_DAYS[1]):
        for reading in readings:
            match = _CIRCULAR.search(reading.folded.text)
            if match and _SUBJECT.search(reading.folded.text) and _dated(when, reading.folded.text):
                return reading, match.start(), match.end()
    return None


def _dated(when: str, text: str) -> bool:
    """A date in the document's head settles it; else the text must give the day or the year in question."""
    return bool(when) or bool(re.search(r"2024年?4月|april (?:16|17),? 2024|apr 1[67]|apr 21,? 2024|4月16日", text))
