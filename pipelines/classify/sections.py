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
# a section begins with a paragraph where one begins at most so many sentences away
NEAR = 4
# from this relevance on a paragraph of a long document speaks for itself, though its section drowns it. Measured on texts
# of eight and of twenty documents: below, paragraphs of look-alikes come through
CLEARLY = 0.9
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
        edges = _edges(sheet.paragraphs, first, last)
        out += [np.concatenate([title, np.arange(a, b)]) for a, b in itertools.pairwise(edges)]
    return out or [title]


def _edges(paragraphs: list[int], first: int, last: int) -> list[int]:
    """Where the sections of a field begin, and its end: at about equal distances, where a paragraph begins if one is near."""
    even = np.linspace(first, last, max(1, round((last - first) / SECTION)) + 1).astype(int)
    begins = np.array([i for i in range(first + 1, last) if paragraphs[i] != paragraphs[i - 1]], dtype=int)
    edges = [first]
    for edge in even[1:-1]:
        near = begins[(np.abs(begins - edge) <= NEAR) & (begins > edges[-1])]
        chosen = int(near[np.abs(near - edge).argmin()]) if len(near) else int(edge)
        if chosen > edges[-1]:
            edges.append(chosen)
    return [*edges, last]


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


def close_up(
    sheet: Sheet, part: NDArray[np.int64], passage: tuple[int, int], headline: int = -1
) -> NDArray[np.int64] | None:
    """The paragraphs of a section in which a passage of it stands, under the headline; None if that is all of it.

    One paragraph of two sentences among eight of other things is weak in every mean over the section.
    """
    paragraphs = np.array([sheet.paragraphs[i] for i in part])
    wanted = {*paragraphs[passage[0] : passage[1]].tolist()} - {headline}
    kept = np.isin(paragraphs, [headline, *wanted])
    return part[kept] if wanted and not kept.all() else None


def join(probabilities: Floats, sections: int, promising: int, relevant_from: float) -> Floats:
    """Section x output to one row: the highest of each output, less what the number of sections makes likely by chance.

    `probabilities` are of the sections that were read, of `promising` ones that might have been; the others were ruled out.
    """
    share = float((probabilities[:, -1] >= relevant_from).mean())
    best = np.clip(probabilities.max(axis=0).astype(np.float64), 1e-9, 1 - 1e-9)
    z = np.log(best / (1 - best)) - DOUBT * math.log(sections / max(1.0, share * promising))
    return np.asarray(1 / (1 + np.exp(-z)), dtype=np.float32)
