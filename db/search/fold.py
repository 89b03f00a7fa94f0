"""Folding that makes texts and queries comparable: one width, one case, simplified characters, and bigrams for Chinese.

SQLite's own tokenizers see a Chinese sentence as one word, and its trigram tokenizer cannot find two-character words,
which most Chinese words are. So a run of Chinese characters is written as overlapping pairs plus its last character
(贷款利率 -> 贷款 款利 利率 率) and a query becomes a phrase of pairs. That finds exactly the texts that hold the
characters side by side: the lone last character ends each run, so that no phrase reaches across punctuation.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from functools import lru_cache
from importlib import resources

CJK = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
RUN = re.compile(f"[{CJK}]+")
_ASCII = re.compile(r"^[\x00-\x7f]*$")


@lru_cache(maxsize=1)
def _simplified() -> dict[int, str]:
    lines = resources.files("db.search").joinpath("traditional.txt").read_text(encoding="utf-8").splitlines()
    pairs = "".join(line for line in lines if not line.startswith("#"))
    return {ord(pairs[i]): pairs[i + 1] for i in range(0, len(pairs), 2)}


def fold(text: str | None) -> str:
    """The text as it is indexed: NFKC (full width becomes half width), lower case, traditional characters simplified.

    Works character by character, so a query inside a text stays inside it after folding.
    """
    if not text:
        return ""
    if _ASCII.match(text):
        return text.lower()
    return unicodedata.normalize("NFKC", text).translate(_simplified()).lower()


def _pairs(match: re.Match[str]) -> str:
    run = match.group()
    return " " + " ".join([run[i : i + 2] for i in range(len(run) - 1)] + [run[-1]]) + " "


def bigrams(text: str | None) -> str | None:
    """Folded text with every Chinese run as pairs and its last character; None stays None (SQL null)."""
    return None if text is None else RUN.sub(_pairs, fold(text))


def phrase_tokens(text: str) -> list[str]:
    """The index tokens that stand next to each other wherever `text` stands in a text; [] if nothing can be searched.

    A Chinese run that is followed by something else inside the query must end there in the text too, so it keeps its
    lone last character; the run that closes the query may go on in the text.
    """
    folded = fold(text)
    tokens: list[str] = []
    runs = list(RUN.finditer(folded))
    position = 0
    for number, match in enumerate(runs):
        tokens += words(folded[position : match.start()])
        run, position = match.group(), match.end()
        pairs = [run[i : i + 2] for i in range(len(run) - 1)]
        last = number == len(runs) - 1 and not words(folded[position:])
        tokens += pairs if last and pairs else [*pairs, run[-1]]
    return tokens + words(folded[position:])


def words(text: str) -> list[str]:
    """Words as FTS5's unicode61 splits them: letters, digits and private-use characters; all else separates."""
    out, word = [], ""
    for char in text:
        if unicodedata.category(char)[0] in "LN" or unicodedata.category(char) in ("Co", "Mn"):
            word += char
        elif word:
            out.append(word)
            word = ""
    return [*out, word] if word else out


def register(connection: sqlite3.Connection) -> None:
    """Make the SQL functions that the index and the canned queries use known to a connection."""
    connection.create_function("cw_bigrams", 1, bigrams, deterministic=True)
    connection.create_function("cw_fold", 1, fold, deterministic=True)
