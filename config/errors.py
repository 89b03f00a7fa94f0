"""The one error that broken configuration gives: a sentence that names the file, the line, the value and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ConfigError(Exception):
    """A fault in the configuration. `file` and `line` (from 1; 0 = the whole file) say where, `message` what and what to do.

    `further` holds the other faults found in the same pass, so that `circularwatch config check` can show them all.
    """

    def __init__(self, file: str, line: int, message: str, further: Iterable[ConfigError] = ()) -> None:
        self.file = file
        self.line = line
        self.message = message
        self.further = tuple(further)
        super().__init__(file, line, message)

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{where}: {self.message}" if where else self.message

    def __reduce__(self) -> tuple[type[ConfigError], tuple[str, int, str, tuple[ConfigError, ...]]]:
        return type(self), (self.file, self.line, self.message, self.further)


def nearest(value: object, allowed: Iterable[str]) -> str:
    """The allowed name that looks most like `value`, or "" if none does."""
    found = difflib.get_close_matches(str(value), list(allowed), n=1, cutoff=0.5)
    return found[0] if found else ""


def hint(value: object, allowed: Iterable[str]) -> str:
    """The end of a sentence that helps: the nearest allowed name, else the allowed names when they are few."""
    names = list(allowed)
    close = nearest(value, names)
    if close:
        return f"; did you mean {close!r}?"
    if 0 < len(names) <= 14:
        return f"; allowed: {', '.join(names)}"
    return ""
