"""The figures of one run: what failed stands until it succeeds, or need not be there."""

from __future__ import annotations

import contextlib
from datetime import date
from types import SimpleNamespace
from typing import Any

from crawler.ledger import Ledger
from crawler.spiders.epaper import EpaperSpider


def test_what_need_not_be_there_is_no_failure_however_it_was_noted() -> None:
    ledger = Ledger()
    ledger.exchange("list", "https://a.example/1", "not-found", "404", sent=True)
    ledger.remark("soft-404", "an error page with status 200", "https://a.example/1")
    ledger.exchange("list", "https://a.example/2", "timeout", "no answer", sent=True)
    ledger.exchange("document", "https://a.example/1", "not-found", "404", sent=True)
    ledger.forgive("https://a.example/1")
    assert [(f["url"], f["outcome"]) for f in ledger.failures] == [
        ("https://a.example/2", "timeout"), ("https://a.example/1", "not-found"),
    ]  # fmt: skip
    assert ledger.is_bad and ledger.counts.requests == 3


def test_a_day_without_an_issue_does_not_hide_that_another_list_failed() -> None:
    spider: Any = EpaperSpider.__new__(EpaperSpider)
    assert spider.may_be_missing("not-found", {"page": 1}) and not spider.may_be_missing("timeout", {"page": 1})
    spider.crawler = SimpleNamespace(archive=SimpleNamespace(ledger=Ledger()))
    spider.health = SimpleNamespace(failed=True, rows=3)
    asked = spider.elsewhere(
        "not-found", "https://a.example/", None, {"page": 1, "look_back": 0, "day": date(2026, 3, 5)}
    )
    with contextlib.suppress(StopAsyncIteration, StopIteration):
        asked.asend(None).send(None)
    assert spider.health.failed
