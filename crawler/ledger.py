"""What one crawl of one source saw and what failed in it, kept while it runs and written to `source_runs` at its end."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from crawler.failures import REFUSALS
from db.runs import Counts

# Exchanges that fetch something for its own sake. A robots.txt that fails shows in the pages it forbids.
COUNTED = frozenset({"list", "document", "inline", "page", "attachment"})


def now_utc() -> str:
    """This moment in UTC, to the second, ending in Z."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_run_id(source: str) -> str:
    """A run's id: sorts by time, says the source, is unique."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{source}-{os.urandom(3).hex()}"


class Ledger:
    """Counts and failures of one run. A failure stands until the same thing succeeds, so retries don't count twice."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.not_modified = 0
        self.documents = 0
        self.wanted = 0
        self._failures: dict[tuple[str, str], dict[str, str]] = {}
        self._seen: dict[str, bool] = {}

    def exchange(self, kind: str, url: str, outcome: str, reason: str, *, sent: bool, size: int = 0) -> None:
        """Note an exchange; `url` is the address first asked for, before redirects."""
        self.counts.requests += sent
        self.counts.bytes += size
        if kind not in COUNTED or outcome == "redirect":
            return
        if outcome in ("ok", "unchanged"):
            self._failures.pop((kind, url), None)
            self.not_modified += outcome == "unchanged"
            self.documents += outcome == "ok" and kind in ("document", "inline")
        else:
            self._failures[(kind, url)] = {"url": url, "outcome": outcome, "reason": reason}

    def rows(self, keys: Iterable[str], known: Mapping[str, str]) -> None:
        """Note the rows of a list: `known` has the states of those that were known before."""
        for key in keys:
            self.counts.list_rows += 1
            self._seen.setdefault(key, key not in known)

    def remark(self, outcome: str, reason: str, url: str) -> None:
        """Note a failure that no single exchange shows."""
        self._failures[("remark", f"{url} {outcome}")] = {"url": url, "outcome": outcome, "reason": reason}

    def forgive(self, url: str) -> None:
        """What failed at a list's address is no failure: the page need not exist."""
        gone = [key for key, f in self._failures.items() if key[0] in ("list", "remark") and f["url"] == url]
        for key in gone:
            del self._failures[key]

    @property
    def failures(self) -> list[dict[str, str]]:
        return list(self._failures.values())

    def totals(self) -> Counts:
        """The counts with everything added up. `unchanged`: entries that were known before and are listed still."""
        c = self.counts
        c.seen, c.new = len(self._seen), sum(self._seen.values())
        c.unchanged = c.seen - c.new
        c.refused = sum(f["outcome"] in REFUSALS for f in self._failures.values())
        c.failed = len(self._failures) - c.refused
        return c

    @property
    def is_bad(self) -> bool:
        """Whether something failed that should not: a document that robots.txt forbids is no failure, a list is."""
        return any(
            kind in ("list", "remark") or f["outcome"] not in REFUSALS for (kind, _), f in self._failures.items()
        )

    def verdict(self) -> tuple[str, str]:
        """(outcome, reason) of the whole run: ok, or what stands for it when something failed."""
        if not self._failures:
            return "ok", ""
        lists = [f for (kind, _), f in self._failures.items() if kind in ("list", "remark")]
        worst = (lists or self.failures)[0]
        more = len(self._failures) - 1
        tail = f" (and {more} more)" if more else ""
        where = f"{worst['url']}: " if worst["url"] else ""
        return worst["outcome"], f"{where}{worst['reason']}{tail}"

    def as_dict(self) -> dict[str, Any]:
        """The figures for progress lines."""
        c = self.totals()
        return {
            **{name: getattr(c, name) for name in ("list_rows", "seen", "new", "unchanged", "failed", "refused")},
            **{"requests": c.requests, "bytes": c.bytes, "documents": self.documents},
            **{"wanted": self.wanted, "not_modified": self.not_modified},
        }
