"""Where the words of a query stand in a text, so that a hit can be seen: the same folding and stems as the index.

Chinese is found character by character after folding (traditional and full width included); English words are found by
their stem, as the index's own tokenizer makes it.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from db.search import fold
from db.search.fold import CJK, RUN, words
from db.search.language import And, Node, Not, Or, Query, Term

# a page shows a sentence of each hit; what stands beyond this in a text of a megabyte is not looked for
LONGEST = 200_000
MOST = 400
_stems = threading.local()


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The word as the index holds it."""
    conn: sqlite3.Connection | None = getattr(_stems, "conn", None)
    if conn is None:
        conn = sqlite3.connect(":memory:")
        conn.execute("create virtual table stems using fts5(word, tokenize='porter unicode61 remove_diacritics 2')")
        conn.execute("create virtual table stem_list using fts5vocab(stems, instance)")
        _stems.conn = conn
    conn.execute("delete from stems")
    conn.execute("insert into stems values (?)", (word,))
    row = conn.execute("select term from stem_list limit 1").fetchone()
    return row[0] if row else word


def terms(node: Node) -> Iterator[Term]:
    """The words of a query that a hit can hold, those after NOT left out."""
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from terms(part)
        case Term():
            yield node
        case Not():
            return


def folded(text: str) -> tuple[str, list[int] | None]:
    """The folded text, and for each of its characters the place in `text` (None = the same place)."""
    out = fold(text)
    if len(out) == len(text):
        return out, None
    parts = [fold(char) for char in text]
    return "".join(parts), [place for place, part in enumerate(parts) for _ in part]


def marks(query: Query | None, text: str, field: str = "text") -> list[tuple[int, int]]:
    """(start, end) of every place in `text` that a word of the query points at, merged, in order."""
    if query is None:
        return []
    text = text[:LONGEST]
    low, places = folded(text)
    found: list[tuple[int, int]] = []
    for term in terms(query.node):
        if term.field in ("", field):
            found += islice(_places(term, low), MOST)
    if places is not None:
        found = [(places[start], places[end - 1] + 1) for start, end in found]
    return merged(found)


def _places(term: Term, low: str) -> Iterator[tuple[int, int]]:
    units = _units(fold(term.text))
    if not units:
        return
    parts: list[str] = []
    latin: list[str] = []
    for chinese, unit in units:
        if chinese:
            parts.append(re.escape(unit))
            continue
        # a stem keeps the beginning of its word: this is a net, `_same` decides
        parts.append(rf"(?<![^\W_{CJK}])(?P<w{len(latin)}>{re.escape(unit[:3])}[^\W_{CJK}]*)")
        latin.append(unit)
    open_end = term.prefix and not units[-1][0]
    for match in re.finditer(r"[\W_]*".join(parts), low):
        if all(_same(unit, match.group(f"w{n}"), open_end and n == len(latin) - 1) for n, unit in enumerate(latin)):
            yield match.span()


def _units(wanted: str) -> list[tuple[bool, str]]:
    """(is it Chinese, run or word) in order."""
    units: list[tuple[bool, str]] = []
    position = 0
    for match in RUN.finditer(wanted):
        units += [(False, word) for word in words(wanted[position : match.start()])]
        units.append((True, match.group()))
        position = match.end()
    return units + [(False, word) for word in words(wanted[position:])]


def _same(wanted: str, word: str, prefix: bool) -> bool:
    if prefix:
        return word.startswith(stem(wanted)) or word.startswith(wanted)
    return word == wanted or stem(word) == stem(wanted)


def merged(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Overlapping and touching places as one."""
    out: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((start, end))
    return out
