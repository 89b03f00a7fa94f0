"""Who and what a document mentions: institutions, industries, instruments, each with the words that say so."""

from __future__ import annotations

from db.documents import Facet, Span
from pipelines.classify.terms import FieldReading, Hit

MOST = 3
# `工行` is in 加工行业, `建行` in 建行动: short names are rejected before these (taxonomy.yaml, conventions)
_NOT_BEFORE = frozenset("业道动政")


def read_facets(readings: list[FieldReading]) -> list[Facet]:
    """Facets in the order of facet and value, each with up to three spans, the first mentions of each wording."""
    found: dict[str, list[tuple[FieldReading, Hit]]] = {}
    for reading in readings:
        clear = {h.sentence for h in reading.facets if not h.role.ambiguous and h.role.key.startswith("institution")}
        clear |= {h.sentence for hits in reading.gates.values() for h in hits}
        for hit in _longest(reading.facets):
            if hit.role.ambiguous and not _clear(reading, hit, clear):
                continue
            found.setdefault(hit.role.key, []).append((reading, hit))
    out: list[Facet] = []
    for key in sorted(found):
        facet, value = key.split(":", 1)
        spans: list[Span] = []
        seen: set[str] = set()
        for reading, hit in found[key]:
            start, end = reading.folded.original(hit.start, hit.end)
            quote = reading.original[start:end]
            if quote.strip() and hit.role.term not in seen and len(spans) < MOST:
                seen.add(hit.role.term)
                spans.append(Span(reading.name, start, end, quote, "terms"))
        if spans:
            out.append(Facet(facet, value, spans))
    return out


def _clear(reading: FieldReading, hit: Hit, clear: set[int]) -> bool:
    following = reading.folded.text[hit.end : hit.end + 1]
    return hit.sentence in clear and following not in _NOT_BEFORE


def _longest(hits: list[Hit]) -> list[Hit]:
    """Hits that are no part of a longer name of another institution (监管总局 in 市场监管总局 is a negative anyway)."""
    named = {(h.start, h.end) for h in hits if _institution(h)}
    inner: set[tuple[int, int]] = set()
    # sorted by where they begin, the longest first; an annual report names its bank ten thousand times, so nothing is
    # compared with all others
    at, widest, reach = -1, 0, 0
    for start, end in sorted(named, key=lambda s: (s[0], -s[1])):
        if start != at:
            at, widest, reach = start, end, max(reach, widest)
        if end <= reach or end < widest:
            inner.add((start, end))
    kept = [h for h in hits if not _institution(h) or (h.start, h.end) not in inner]
    return sorted(kept, key=lambda h: (h.start, h.end, h.role.key))


def _institution(hit: Hit) -> bool:
    return hit.role.key.startswith("institution:")
