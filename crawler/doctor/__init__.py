"""Looks at an installation and says what is wrong with it and what to do: packages, configuration, database, archive, machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

State = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, in words, and the remedy where there is something to do."""

    check: str
    state: State
    words: str
    remedy: str = ""

    def as_json(self) -> dict[str, str]:
        """Plain values."""
        return {"check": self.check, "state": self.state, "words": self.words, "remedy": self.remedy}


def ok(check: str, words: str) -> Finding:
    """Nothing to do."""
    return Finding(check, "ok", words)


def warn(check: str, words: str, remedy: str = "") -> Finding:
    """Works, and somebody should look."""
    return Finding(check, "warn", words, remedy)


def bad(check: str, words: str, remedy: str = "") -> Finding:
    """Does not work, or something is lost."""
    return Finding(check, "bad", words, remedy)


def examine(
    config_dir: Path | None, env: Mapping[str, str], *, mend: bool = False, thorough: bool = False
) -> Iterator[Finding]:
    """Every finding, in order, as it is made. `mend` puts right what can be without losing anything."""
    from crawler.doctor import archive, database, machine

    yield from machine.packages()
    config: Any = None
    for finding, value in machine.configuration(config_dir, env):
        yield finding
        config = value or config
    if config is None:
        return
    yield from machine.disk(config)
    path = config.settings.database
    if not path.exists():
        yield warn("database", f"there is none at {path} yet", "`circularwatch crawl` makes it")
        yield from machine.clock(None, config)
        return
    opened, found = database.open_it(path)
    yield from found
    if opened is None:
        return
    try:
        yield from machine.clock(opened, config)
        yield from database.content(opened, path, mend=mend)
        yield from database.work(opened, path, mend=mend)
        yield from archive.files_and_fetches(opened, config.settings.archive, thorough=thorough)
        yield from database.watch(opened, config)
    finally:
        opened.close()
