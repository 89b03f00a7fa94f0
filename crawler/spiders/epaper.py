"""E-papers (人民日报, 经济日报, 证券时报): addresses are built from the date; an issue has pages, pages have articles.

Issues are looked for from today backwards, until one holds nothing new: before the morning's issue is out, and on days
without one, the address answers 404, and a service that was down for a day has two to read. A back-fill (`since`) reads
every day's issue from then on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from crawler.spiders.kinds import HtmlListSpider
from pipelines.lists import ListPage, host_allowed
from pipelines.lists.selectors import parse_html, values

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from config.options import ListEntry

LOOK_BACK_DAYS = 8  # how far a chain of new or missing issues is followed; longer gaps are a matter for `since`
MOST_PAGES_OF_ISSUE = 64
NO_ISSUE = ("not-found", "soft-404")
MOST_DAYS = 400


class EpaperSpider(HtmlListSpider):
    """One list per page of an issue."""

    counts_all_pages = True

    def today(self) -> date:
        """The civil date of today where the paper appears."""
        return datetime.now(UTC).astimezone(ZoneInfo(self.source.timezone)).date()

    async def first_requests(self, entry: ListEntry) -> AsyncIterator[Request]:
        """The first page of the newest issue, or of every issue since a date."""
        day = self.today()
        if not self.since:
            yield await self.issue_request(entry, day, LOOK_BACK_DAYS)
            return
        for back in range(min((day - date.fromisoformat(self.since[:10])).days + 1, MOST_DAYS)):
            yield await self.issue_request(entry, day - timedelta(days=back), 0)

    async def issue_request(self, entry: ListEntry, day: date, look_back: int) -> Request:
        """The request for the first page of a day's issue; never conditional, for it also leads to the other pages."""
        return await self.list_request(entry, for_day(str(entry.url), day), day=day, look_back=look_back, fresh=True)

    def parse_list(self, response: Response, entry: ListEntry, page: int, first_url: str, **context: Any) -> ListPage:
        """The articles of one page of the issue; the first page also names the others."""
        listed = super().parse_list(response, entry, page, first_url)
        day: date = context["day"]
        for row in listed.rows:
            row.said.setdefault("published_on", day.isoformat())
            row.said.setdefault("published_precision", "day")
        listed.newest_on = day.isoformat() if listed.rows else ""
        if listed.outcome == "empty-list" and page > 1:  # a page of advertisements has no article
            listed.outcome = "ok"
        listed.next_urls = []
        if page == 1:
            root = parse_html(response.text)
            links = [response.urljoin(v) for v in values(root, self.source.list.pages, response.url)]
            pages = [u for u in dict.fromkeys(links) if u != response.url and host_allowed(u, self.source)]
            listed.next_urls = pages[:MOST_PAGES_OF_ISSUE]
        return listed

    async def next_requests(
        self, listed: ListPage, entry: ListEntry, context: dict[str, Any]
    ) -> AsyncIterator[Request]:
        """The other pages of the issue, and the issue of the day before while there is something new."""
        if context["page"] > 1:
            return
        for url in listed.next_urls:
            yield await self.list_request(entry, url, page=2, first_url=context["first_url"], day=context["day"])
        if context["has_new"] and context["look_back"]:
            yield await self.issue_request(entry, context["day"] - timedelta(days=1), context["look_back"] - 1)

    def goes_on(self, listed: ListPage, has_new: bool) -> bool:
        """An issue is read whole; its pages answer 304 when they are asked again."""
        return not self.sample

    def may_be_missing(self, outcome: str, context: dict[str, Any]) -> bool:
        """No issue on a day is no failure."""
        return outcome in NO_ISSUE

    async def elsewhere(
        self, outcome: str, url: str, entry: ListEntry, context: dict[str, Any]
    ) -> AsyncIterator[Request]:
        """No issue on that day: the one before."""
        if outcome not in NO_ISSUE or context["page"] > 1:
            return
        self.archive.ledger.forgive(url)
        if context["look_back"]:
            yield await self.issue_request(entry, context["day"] - timedelta(days=1), context["look_back"] - 1)
        elif not self.health.rows:
            self.remark(
                "empty-list", f"no issue was found, back to {context['day']}; its addresses have probably changed", url
            )


def for_day(template: str, day: date) -> str:
    """An address with the day filled in."""
    parts = {"{yyyymmdd}": "%Y%m%d", "{yyyymm}": "%Y%m", "{yyyy}": "%Y", "{mm}": "%m", "{dd}": "%d"}
    for name, form in parts.items():
        template = template.replace(name, day.strftime(form))
    return template
