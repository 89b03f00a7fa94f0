"""Whether the lists of a source are what its `expect` promises, judged when all of them were asked.

Columns differ: one has an order a year, the next ten notices a day. So the number of rows and the age of the newest are
held against `expect` for the poll as a whole, and each list only against what it gave before.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from db.lists import Seen
from pipelines.outcomes import judge_list, judge_shrunk

if TYPE_CHECKING:
    from config.sources import Source
    from pipelines.lists import ListPage


class Health:
    """The first pages of one poll. `before` has the lists of earlier runs by address."""

    def __init__(self, source: Source, before: Mapping[str, Seen]) -> None:
        self.source, self.before = source, before
        self.rows = 0
        self.newest_on = ""
        self.failed = False

    def read(self, url: str, listed: ListPage) -> tuple[str, str]:
        """Note a first page; (outcome, reason) of it compared with the last time."""
        self._add(len(listed.rows), listed.newest_on)
        known = self.before.get(url)
        return judge_shrunk(len(listed.rows), known.rows if known else None)

    def unchanged(self, url: str) -> None:
        """A list that answered 304 is as it was."""
        known = self.before.get(url)
        if known is None:
            self.failed = True
        else:
            self._add(known.rows, known.newest_on)

    def _add(self, rows: int, newest_on: str) -> None:
        self.rows += rows
        self.newest_on = max(self.newest_on, newest_on)

    def verdict(self, now: datetime) -> tuple[str, str]:
        """(outcome, reason) of the poll. A list that failed has its own words, and nothing is counted then."""
        if self.failed or not self.rows:
            return "ok", ""
        return judge_list(self.rows, self.newest_on, self.source, now)
