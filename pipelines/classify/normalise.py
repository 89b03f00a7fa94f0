"""One spelling for matching: folds script, width, brackets and wording, and remembers where each character stood.

Everything that reads text for labels reads it through here, terms included, so that simplified, traditional and
Taiwan wording, half and full width give the same labels, while evidence is always cut from the original characters.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources

import ahocorasick_rs
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]

DROP, SPACE = 0, 32
# quotation marks say nothing about the subject; the single ones stay between Latin letters (buyer's)
_QUOTES = '“”„‟"〝〞「」『』«»﹁﹂﹃﹄＂'
_APOSTROPHES = "‘’‚‛`´′＇'"
_HYPHENS = "-‐‑‒–−﹣－­"
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u200e\u200f\xad"
_BRACKETS = {"〔": "(", "【": "(", "［": "(", "[": "(", "〕": ")", "】": ")", "］": ")", "]": ")"}
# characters that regional standards write differently and that opencc's t2s leaves apart
# (odd, plain) pairs, one after the other
_EXTRA = (
    "著着么么麼么幺么祕秘癥症徵征瞭了藉借覆复俱具鍊链鉅巨钜巨餘余馀余哩里諮咨谘咨託托讬托逕径迳径揹背甦苏荳豆祇只"
    "牠它菓果鎗枪拏拿觔斤彷仿儘尽侭尽籐藤燄焰薰熏甯宁隄堤礆碱硷碱鹼碱耡锄賙周讎仇暱昵"
)
# the tone must stand where the bracket may still close
_PINYIN = re.compile(r"\((?=[^)]{0,59}[āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ])[a-zāáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜü'\- ]{2,60}\)")
_TONES = "āáǎàēéěèīíǐìōóǒòūúǔùǖǘǚǜ"
_SIZE = 0x34000


@dataclass(frozen=True, slots=True)
class Normalised:
    """Folded text; character i of it stood at `starts[i]:ends[i]` of the original."""

    text: str
    starts: Ints
    ends: Ints

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The original offsets of the folded slice `start:end` (never empty for a non-empty slice)."""
        return int(self.starts[start]), int(self.ends[end - 1])


@cache
def _tables() -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """(what each code point becomes, its class: 1 = CJK, 2 = Latin letter or digit, 3 = white space)."""
    from opencc import OpenCC

    table = np.arange(_SIZE, dtype=np.uint32)
    for code in range(0xA0, 0x10000):
        folded = unicodedata.normalize("NFKC", chr(code))
        if len(folded) == 1 and not 0xD800 <= code < 0xE000:
            table[code] = ord(folded)
    han = [c for block in ((0x3400, 0x4DC0), (0x4E00, 0xA000)) for c in range(*block)]
    joined = "\n".join(map(chr, han))
    simple = dict(zip(han, map(ord, OpenCC("t2s").convert(joined).split("\n")), strict=True))
    # what Taiwan and Hong Kong make of a character must fold like the character itself
    for name in ("t2tw", "t2hk"):
        for code, other in zip(han, map(ord, OpenCC(name).convert(joined).split("\n")), strict=True):
            if simple.get(other, other) != simple[code]:
                simple[other] = simple[code]
    for odd, plain in zip(_EXTRA[::2], _EXTRA[1::2], strict=True):
        simple[ord(odd)] = ord(plain)
    for code in range(0x80, 0x10000):
        folded_code = int(table[code])
        table[code] = simple.get(folded_code, folded_code)
    for code in range(0x20000):
        lower = chr(int(table[code])).lower() if not 0xD800 <= table[code] < 0xE000 else ""
        if len(lower) == 1:
            table[code] = ord(lower)
    for chars, target in ((_QUOTES, DROP), (_INVISIBLE, DROP), (_APOSTROPHES, ord("'")), (_HYPHENS, ord("-"))):
        for char in chars:
            table[ord(char)] = target
    for char, bracket in _BRACKETS.items():
        table[ord(char)] = ord(bracket)
    for char in "\t\r\v\f\u3000\u00a0":
        table[ord(char)] = SPACE
    table[0x2028] = table[0x2029] = table[0x85] = 10
    for code in range(0x2000, 0x200B):
        table[code] = SPACE

    kind = np.zeros(_SIZE, dtype=np.uint8)
    kind[0x2E80:0xA000] = 1
    kind[0xF900:0xFB00] = kind[0xFE30:0xFE50] = 1
    kind[0x20000:_SIZE] = 1
    for code in range(0x250):
        if chr(code).isalnum():
            kind[code] = 2
    kind[SPACE] = 3
    return table, kind


def _drop_spaces(codes: NDArray[np.uint32], kind: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which characters stay: no space beside CJK or a line end, one space between Latin words, no stray apostrophe."""
    space = kind == 3
    keep = np.ones(len(codes), dtype=bool)
    if space.any():
        index = np.arange(len(codes))
        solid = ~space
        before = np.maximum.accumulate(np.where(solid, index, -1))
        after = np.minimum.accumulate(np.where(solid, index, len(codes))[::-1])[::-1]
        edge = (before < 0) | (after >= len(codes))
        left = kind[np.maximum(before, 0)]
        right = kind[np.minimum(after, len(codes) - 1)]
        line = (codes[np.maximum(before, 0)] == 10) | (codes[np.minimum(after, len(codes) - 1)] == 10)
        first = np.ones(len(codes), dtype=bool)
        first[1:] = ~space[:-1]
        keep &= ~space | (first & ~edge & ~line & (left != 1) & (right != 1))
    marks = codes == 39
    if marks.any():
        latin = kind == 2
        inside = np.zeros(len(codes), dtype=bool)
        inside[1:-1] = latin[:-2] & latin[2:]
        keep &= ~marks | inside
    return keep


def fold_characters(text: str) -> Normalised:
    """First half of `normalise`: everything that goes character by character."""
    table, classes = _tables()
    raw = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes = table[np.minimum(raw, _SIZE - 1)]
    index = np.flatnonzero(codes != DROP)
    codes = codes[index]
    if len(codes):
        kind = classes[codes]
        latin = kind == 2
        hyphen = codes == 45
        if hyphen.any():
            # a hyphen inside or at the end of a Latin word is a space: medium- and long-term, re-lending
            hyphen[1:] &= latin[:-1]
            hyphen[0] = False
            codes = np.where(hyphen, SPACE, codes).astype(np.uint32)
            kind = classes[codes]
        keep = _drop_spaces(codes, kind)
        codes, index = codes[keep], index[keep]
    starts = index.astype(np.int32)
    folded = codes.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")
    return Normalised(folded, starts, starts + 1)


@cache
def _wording() -> tuple[ahocorasick_rs.AhoCorasick, list[str], list[str]]:
    """The automaton of regional wordings, what it finds and what stands for it."""
    lines = resources.files(__package__).joinpath("wording.txt").read_text("utf-8").splitlines()
    table: dict[str, str] = {}
    for line in lines:
        if line and not line.startswith("#"):
            other, kept = (fold_characters(part).text for part in line.split("\t"))
            table[other] = kept
            table.setdefault(kept, kept)
    found = sorted(table)
    automaton = ahocorasick_rs.AhoCorasick(found, matchkind=ahocorasick_rs.MATCHKIND_LEFTMOST_LONGEST)
    return automaton, found, [table[f] for f in found]


def _replace(folded: Normalised, pieces: list[tuple[int, int, str]]) -> Normalised:
    """Put `pieces` (start, end, new text) in; each new character answers for the whole piece that it replaced."""
    out: list[str] = []
    starts: list[Ints] = []
    ends: list[Ints] = []
    at = 0
    for start, end, new in pieces:
        out += (folded.text[at:start], new)
        starts.append(folded.starts[at:start])
        ends.append(folded.ends[at:start])
        if new:
            starts.append(np.full(len(new), folded.starts[start], dtype=np.int32))
            ends.append(np.full(len(new), folded.ends[end - 1], dtype=np.int32))
        at = end
    out.append(folded.text[at:])
    starts.append(folded.starts[at:])
    ends.append(folded.ends[at:])
    return Normalised("".join(out), np.concatenate(starts), np.concatenate(ends))


def normalise(text: str) -> Normalised:
    """The folded text with its map back. Folding a folded text changes nothing that matters to matching."""
    folded = fold_characters(text)
    if any(tone in folded.text for tone in _TONES):
        pinyin = [(m.start(), m.end(), "") for m in _PINYIN.finditer(folded.text)]
        if pinyin:
            folded = _replace(folded, pinyin)
    automaton, found, kept = _wording()
    pieces = [
        (start, end, kept[which])
        for which, start, end in automaton.find_matches_as_indexes(folded.text)
        if kept[which] != found[which]
    ]
    return _replace(folded, pieces) if pieces else folded


def language_of(text: str) -> str:
    """`zh` when at least a fifth of the letters are Chinese characters, else `en`; `` for a text without letters."""
    if not text:
        return ""
    table, classes = _tables()
    sample = text[:4000]
    raw = np.frombuffer(sample.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    kind = classes[table[np.minimum(raw, _SIZE - 1)]]
    han, latin = int((kind == 1).sum()), int((kind == 2).sum())
    if han + latin == 0:
        return ""
    # one Chinese character says about as much as two and a half Latin letters
    return "zh" if han * 2.5 >= latin * 0.6 and han > 3 else "en"
