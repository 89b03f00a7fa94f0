"""What a spider says to the archive: which rows a list had, which documents are still wanted, what could not be had.

One `Archive` belongs to one crawl of one source. Spiders reach it as `self.crawler.archive`; the download handler
stores every exchange through it. Nothing here touches a disk: the writer thread (`crawler.writer`) does.

What a spider puts into `Request.meta` (use `Archive.meta`), read by the handler:

    kind    list | document | page | attachment (default: list). Decides whether the processor will see it
    entry   the row's key, on requests of kind document
    parent  fetch id of the document, on requests of kind page and attachment
    said    what the list said of it: {"title": …, "published_at": …, "published_on": …, "summary": …}

What the handler puts there for callbacks and errbacks:

    fetch_id, outcome, reason    the exchange's number, and how it ended (`pipelines.outcomes`)

An errback gets a failure whose `value` has `.outcome` and `.reason` too (`crawler.failures.ExchangeFailed`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response


class RowLike(Protocol):
    """A row of a list, as `pipelines.lists.Row` has it."""

    key: str
    url: str
    said: dict[str, Any]


R = TypeVar("R", bound=RowLike)


class Archive:
    """The archive as one crawl of one source sees it (`crawler.archive`)."""

    @staticmethod
    def meta(
        kind: str, *, entry: str | None = None, parent: int | None = None, said: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The `Request.meta` of a request: `Request(url, meta=archive.meta("document", entry=row.key, said=row.said))`."""

    async def validators(self, url: str) -> dict[str, str]:
        """Request headers that make this list's request conditional (If-None-Match, If-Modified-Since), perhaps none."""

    async def list_read(
        self,
        response: Response,
        rows: Iterable[R],
        *,
        section: str = "",
        outcome: str = "ok",
        reason: str = "",
    ) -> list[R]:
        """Record what a list said, and return those of its rows whose documents are still to be fetched.

        Call it once for each list page that came, also for 304 (`rows=[]`, outcome "unchanged") and for one that
        could not be read (`rows=[]`, outcome "challenge", "template", "empty-list" …, with the reason in words).
        Rows keep the order given. A row is returned when its entry is unknown or still "new", and only once in a run,
        however many lists carry it.
        """

    async def unfinished(self) -> list[dict[str, Any]]:
        """Entries {key, url, said, section} of earlier runs that are still "new" and not yet returned in this run.

        To be fetched after the lists, for a list that answers 304 doesn't show them again.
        """

    async def inline(self, response: Response, row: RowLike, body: Any, *, url: str | None = None) -> int:
        """Store a row that carries its whole document inside (`body`: its JSON value); returns its fetch id.

        Call it for the rows that `list_read` returned, instead of a request.
        """

    async def refused(self, request: Request, outcome: str, reason: str) -> int:
        """Record a request that was not sent (robots.txt, bounds …); returns the fetch id of the record."""

    def remark(self, outcome: str, reason: str, url: str = "") -> None:
        """Put a failure that no single exchange shows (a list that shrank, a stale feed) into the run ledger."""
