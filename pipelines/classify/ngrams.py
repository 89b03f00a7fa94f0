"""Characters and words in company, hashed: what the trained reader knows of wording that no list foresaw."""

from __future__ import annotations

import itertools
import re
import zlib

import numpy as np
from numpy.typing import NDArray

# hash buckets; a thousand passages use about forty thousand n-grams, most of them once
BUCKETS = 1 << 13
# brings the n-grams of a passage to about the size of its other columns
SCALE = 4.0

_HAN = re.compile(r"[\u3400-\u9fff]+")
_WORD = re.compile(r"[a-z]{3,}")
STEM = 6


def buckets(plain: str) -> NDArray[np.int64]:
    """The buckets that a plain sentence falls into, each once: Chinese in twos and threes, English word stems and pairs."""
    found: set[str] = set()
    for run in _HAN.findall(plain):
        found.update(run[i : i + 2] for i in range(len(run) - 1))
        found.update(run[i : i + 3] for i in range(len(run) - 2))
    words = [w[:STEM] for w in _WORD.findall(plain)]
    found.update(words)
    found.update(f"{a} {b}" for a, b in itertools.pairwise(words))
    return np.array(sorted(zlib.crc32(g.encode()) % BUCKETS for g in found), dtype=np.int64)
