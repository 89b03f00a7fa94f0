"""Benchmarks: figures as ratios and CPU time, measured in one run; nothing here is a test and nothing fails by a clock."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure: what, how much, in which unit, and the bar it is held against ("" = none)."""

    name: str
    value: float
    unit: str
    bar: str = ""
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def median(values: list[float]) -> float:
    """The middle value (of an even number: the lower of the two middle ones, a value that was measured)."""
    return sorted(values)[(len(values) - 1) // 2]


def quantile(values: list[float], share: float) -> float:
    """The value below which `share` of the values are."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
