"""Checks the five fields of `cron:` and turns its weekdays into names, which every reader of cron understands alike.

Numbers of weekdays differ between programs: in crontab(5) 0 and 7 are Sunday, for APScheduler 3 0 is Monday.
"""

from __future__ import annotations

import re
from typing import NamedTuple

NAMES = ("minute", "hour", "day", "month", "weekday")
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ITEM = re.compile(r"(\*|[0-9a-z]+)(?:-([0-9a-z]+))?(?:/([0-9]+))?")


class Cron(NamedTuple):
    """The five fields as comma separated values (`*` = every); weekdays by name."""

    minute: str
    hour: str
    day: str
    month: str
    weekday: str


def parse_cron(text: str) -> Cron:
    """The fields of a crontab line; raises ValueError with the field and the reason."""
    parts = text.lower().split()
    if len(parts) != 5:
        raise ValueError(
            f"{text!r} has {len(parts)} fields; write minute hour day month weekday, such as '30 8 * * 1-5'"
        )
    values = [_field(part, number, text) for number, part in enumerate(parts)]
    if values[2] is not None and values[4] is not None:
        # crontab(5) takes either, others take both: nobody can know which was meant
        raise ValueError(f"{text!r} names days of the month and of the week; write one of them and * for the other")
    shown = ["*" if v is None else ",".join(map(str, sorted(v))) for v in values[:4]]
    days = values[4]
    week = "*" if days is None else ",".join(WEEKDAYS[d] for d in sorted({d % 7 for d in days}))
    minute, hour, day, month = shown
    return Cron(minute, hour, day, month, week)


def check_cron(text: str) -> str:
    """A crontab line of five fields."""
    cron = parse_cron(text)
    if cron.day != "*" and cron.month != "*":
        longest = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
        days, months = [int(d) for d in cron.day.split(",")], [int(m) for m in cron.month.split(",")]
        if not any(min(days) <= longest.get(month, 31) for month in months):
            raise ValueError(f"{text!r} names a day that its months don't have")
    return text


def _field(part: str, number: int, whole: str) -> set[int] | None:
    low, high = RANGES[number]
    if part == "*":
        return None
    found: set[int] = set()
    for item in part.split(","):
        match = _ITEM.fullmatch(item)
        if not match:
            raise ValueError(f"{item!r} is not a {NAMES[number]} of {whole!r}; write *, 5, 1-5, */10 or 1,15")
        first, last, step = match.group(1), match.group(2), int(match.group(3) or 1)
        start = low if first == "*" else _number(first, number, whole)
        end = _number(last, number, whole) if last else (high if first == "*" or match.group(3) else start)
        if first == "*" and number == 4:
            end = 6
        if end < start or step < 1:
            raise ValueError(f"{item!r} is an empty range of {NAMES[number]} in {whole!r}")
        found.update(range(start, end + 1, step))
    return found


def _number(word: str, number: int, whole: str) -> int:
    low, high = RANGES[number]
    names = {3: MONTHS, 4: WEEKDAYS}.get(number, ())
    if word in names:
        return names.index(word) + low
    if not word.isdigit() or not low <= int(word) <= high:
        raise ValueError(f"{word!r} is not a {NAMES[number]} ({low} to {high}) in {whole!r}")
    return int(word)
