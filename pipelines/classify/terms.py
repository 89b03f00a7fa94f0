"""The term reader: finds the taxonomy's words in a document and weighs each by where and how it stands there.

One automaton pass per field. What it gives is evidence with offsets; what the evidence is worth in the end is decided
in `combine`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import accumulate

from pipelines.classify.lexicon import Lexicon, Role
from pipelines.classify.normalise import Normalised, language_of, normalise
from pipelines.classify.sentences import Sentence, split

# how much a hit counts by where it stands; the lead is the first paragraphs of the body up to LEAD characters
FIELD_WEIGHT = {"title": 1.0, "lead": 1.0, "body": 0.9, "attachment": 0.8}
LEAD = {"zh": 200, "en": 600, "": 400}
NEGATED, QUOTED, SLOGAN, FORMULA = 0.1, 0.3, 0.3, 0.05
NEGATION = "negated"
# a sentence that lists this many tasks without a figure is a slogan
SLOGAN_TASKS = 4

_NOT_BEFORE = re.compile(
    r"(?:不适用于?|不包括|不包含|不含|不属于|不涉及|不再(?!局限|限于|只|仅|满足)|未涉及|并非(?!只|仅)|不是(?!只|仅)|没有|并未|尚未|无关|除外|而非"
    r"|(?:\b(?:not|no|without|excluding|except|unlike|never|neither|nor|rather than|instead of|other than)\b"
    # these affirm: "not only supply chain finance but also", "no less than"
    r"(?! (?:only|just|merely|simply|least|less|fewer|later|sooner)\b)))"
    r"[^,，。;；:：()]{0,10}$"
)
_NOT_AFTER = re.compile(
    r"^[^,，。;；]{0,6}(?:无关|不在此列|除外|不适用)|^ (?:does|do|is|are) not (?:apply|included|covered)"
)
_CITED = re.compile(r"《[^》]{4,120}》")
_DIGIT = re.compile(r"\d")


@dataclass(slots=True)
class Hit:
    """One word found: offsets in the folded text of its field, the sentence it stands in, and what it is worth."""

    role: Role
    start: int
    end: int
    sentence: int
    value: float = 0.0
    why: str = ""


@dataclass(slots=True)
class FieldReading:
    """A field of the document as read: folded text, sentences (offsets in the original), hits by kind."""

    name: str
    original: str
    folded: Normalised
    language: str
    sentences: list[Sentence]
    bounds: list[int]
    hits: list[Hit] = field(default_factory=list)
    gates: dict[str, list[Hit]] = field(default_factory=dict)
    facets: list[Hit] = field(default_factory=list)
    concepts: list[Hit] = field(default_factory=list)

    def place(self, sentence: int) -> str:
        """`title`, `lead`, `body` or `attachment`."""
        if self.name == "title":
            return "title"
        if self.name != "text":
            return "attachment"
        return "lead" if self.sentences and self.sentences[sentence].start < LEAD[self.language] else "body"


def read_field(lexicon: Lexicon, name: str, text: str) -> FieldReading:
    """All hits in one field, negatives applied; `weigh_hits` says what they are worth."""
    folded = normalise(text)
    sentences = split(normalise_width(text))
    if not sentences and text.strip():
        sentences = [Sentence(0, len(text), 0)]
    starts = folded.starts
    bounds = [int(b) for b in starts.searchsorted([s.start for s in sentences])] if sentences else []
    reading = FieldReading(name, text, folded, language_of(text), sentences, bounds)
    if sentences:
        _find(lexicon, reading)
    return reading


def weigh_hits(readings: list[FieldReading]) -> None:
    """Give every task hit of a document its value."""
    # the circular and what reports on it name its tasks in one sentence, and mean it
    naming = any("circular" in r.gates for r in readings)
    for reading in readings:
        if reading.hits:
            _weigh(reading, naming)


def _find(lexicon: Lexicon, reading: FieldReading) -> None:
    text, bounds = reading.folded.text, reading.bounds
    roles, bounded = lexicon.roles, lexicon.bounded
    size = len(text)
    blocked: dict[str, list[tuple[int, int]]] = {}
    tasks: list[Hit] = []
    facets: list[Hit] = []
    for which, start, end in lexicon.automaton.find_matches_as_indexes(text, overlapping=True):
        left, right = bounded[which]
        if left and start and _word(text[start - 1]):
            continue
        if right and end < size and _word(text[end]):
            continue
        sentence = bisect_right(bounds, start) - 1
        if sentence < 0:
            sentence = 0
        for role in roles[which]:
            if role.exact and not _same_case(reading, role.exact, start, end):
                continue
            kind = role.kind
            if kind == "gate":
                reading.gates.setdefault(role.key, []).append(Hit(role, start, end, sentence))
            elif kind == "task":
                tasks.append(Hit(role, start, end, sentence))
            elif kind == "concept":
                reading.concepts.append(Hit(role, start, end, sentence))
            elif kind == "facet":
                facets.append(Hit(role, start, end, sentence))
            else:
                blocked.setdefault(role.key, []).append((start, end))
    bars = {key: _Bars(spans) for key, spans in blocked.items()}
    reading.hits = [h for h in tasks if h.role.key not in bars or not bars[h.role.key].touch(h.start, h.end)]
    reading.facets = [h for h in facets if h.role.key not in bars or not bars[h.role.key].touch(h.start, h.end)]


def _word(char: str) -> bool:
    return char < "\u0250" and char.isalnum()


def _same_case(reading: FieldReading, exact: str, start: int, end: int) -> bool:
    begin, stop = reading.folded.original(start, end)
    found = reading.original[begin:stop]
    return found == exact or normalise_width(found) in (exact, exact + "s")


_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code - 0xFEE0).isalnum() or code == 0xFF0E}
_ANY_WIDE = re.compile("[\uff0e\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")


def normalise_width(text: str) -> str:
    """Full-width letters, digits and full stop to ordinary ones, case kept, character by character."""
    return text.translate(_WIDE) if _ANY_WIDE.search(text) else text


class _Bars:
    """Spans that take words away. Asked by bisection: a text that was blown up holds a million of both."""

    def __init__(self, spans: list[tuple[int, int]]) -> None:
        spans.sort()
        self.starts = [start for start, _ in spans]
        self.reach = list(accumulate((end for _, end in spans), max))

    def touch(self, start: int, end: int) -> bool:
        """Whether one of the spans shares a character with this one."""
        before = bisect_left(self.starts, end)
        return before > 0 and self.reach[before - 1] > start


def _inside(cited: list[tuple[int, int]], hit: Hit) -> bool:
    """Whether a cited document's title, brackets included, holds the hit; titles don't overlap and stand in order."""
    at = bisect_left(cited, (hit.start, -1)) - 1
    return at >= 0 and hit.end < cited[at][1]


def _weigh(reading: FieldReading, naming: bool) -> None:
    """The value of a hit: rank of the term, field, and how the sentence uses it."""
    text, bounds = reading.folded.text, reading.bounds
    cited = [m.span() for m in _CITED.finditer(text)] if reading.name != "title" and "《" in text else []
    by_sentence: dict[int, set[str]] = {}
    for hit in reading.hits:
        by_sentence.setdefault(hit.sentence, set()).add(hit.role.key)
    slogans = set()
    for sentence, tasks in by_sentence.items():
        if len(tasks) >= SLOGAN_TASKS and not naming:
            stop = bounds[sentence + 1] if sentence + 1 < len(bounds) else len(text)
            if not _DIGIT.search(text, bounds[sentence], stop):
                slogans.add(sentence)
    for hit in reading.hits:
        value, why = hit.role.weight * FIELD_WEIGHT[reading.place(hit.sentence)], ""
        begin = bounds[hit.sentence]
        if hit.role.formula:
            value, why = value * FORMULA, "formula of caution"
        elif _NOT_BEFORE.search(text, max(begin, hit.start - 24), hit.start) or _NOT_AFTER.search(
            text[hit.end : hit.end + 20]
        ):
            value, why = value * NEGATED, NEGATION
        elif _inside(cited, hit):
            value, why = value * QUOTED, "in the title of a cited document"
        elif hit.sentence in slogans:
            value, why = value * SLOGAN, "one of many tasks in a list without figures"
        hit.value, hit.why = value, why
