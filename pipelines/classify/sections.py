"""A long document as sections of the length that the model was trained and calibrated on.

Judged as one piece, a circular of 10,000 characters or an annual report goes wrong both ways: means over it bury the one
section that matters, and sums over it find something for every task. So each section is judged like a document of its
own, under the same headline, and the strongest speaks for the whole.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipelines.classify.concepts import Floats
from pipelines.classify.passages import Sheet

# sentences of a section, and up to how many a document is one section (what calibration has seen: nine of ten labelled
# documents have at most 14 sentences)
SECTION, SINGLE = 10, 20
# the strongest of many sections is strong by chance: so much is taken from the logit per natural logarithm of how many
# sections there are to one that is relevant. Measured on twenty look-alikes in one text, with and without a relevant one
DOUBT = 0.5
# so many sections, those that promise most, are read with the encoder
MOST_READ = 40


def cut(sheet: Sheet) -> list[NDArray[np.int64]]:
    """The sentences of each section, the headline's first in all of them; a short document is one section."""
    if sheet.sentences <= SINGLE:
        return [np.arange(sheet.sentences)]
    title = np.array([i for i, p in enumerate(sheet.paragraphs) if p == -1], dtype=np.int64)
    out = []
    for first, last in sheet.fields:
        if sheet.paragraphs[first] == -1:
            continue
        edges = np.linspace(first, last, max(1, round((last - first) / SECTION)) + 1).astype(np.int64)
        out += [np.concatenate([title, np.arange(a, b)]) for a, b in itertools.pairwise(edges)]
    return out or [title]


def take(sheet: Sheet, which: NDArray[np.int64]) -> Sheet:
    """The sheet of these sentences alone; `which` rises."""
    fields = [(int(np.searchsorted(which, a)), int(np.searchsorted(which, b))) for a, b in sheet.fields]
    return replace(
        sheet,
        ideas=sheet.ideas[which],
        rules=sheet.rules[which],
        terms=sheet.terms[which],
        vectors=None if sheet.vectors is None else sheet.vectors[which],
        fields=[(a, b) for a, b in fields if b > a],
        texts=[sheet.texts[i] for i in which],
        paragraphs=[sheet.paragraphs[i] for i in which],
        grams=[sheet.grams[i] for i in which],
        embedded=sheet.embedded[which],
    )


def join(probabilities: Floats, sections: int, promising: int, relevant_from: float) -> Floats:
    """Section x output to one row: the highest of each output, less what the number of sections makes likely by chance.

    `probabilities` are of the sections that were read, of `promising` ones that might have been; the others were ruled out.
    """
    share = float((probabilities[:, -1] >= relevant_from).mean())
    best = np.clip(probabilities.max(axis=0).astype(np.float64), 1e-9, 1 - 1e-9)
    z = np.log(best / (1 - best)) - DOUBT * math.log(sections / max(1.0, share * promising))
    return np.asarray(1 / (1 + np.exp(-z)), dtype=np.float32)
