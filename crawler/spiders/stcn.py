"""STCN (证券时报网): dates relative to now (`08:15`, `09-30 08:15`, with the year where it is not this one), and flashes as JSON.

The dates need no code: formats without a year are read as the last such moment before the fetch, so the year rolls over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crawler.spiders.kinds import HtmlListSpider
from pipelines.lists import ListPage, Row

if TYPE_CHECKING:
    from scrapy.http import Response

    from config.options import ListEntry

SHORTEST_FLASH = 60  # characters; shorter flashes are read from their page, if they have one


class StcnSpider(HtmlListSpider):
    """Static lists, and the flash list that only answers script requests (`xhr_list`)."""

    def parse_list(self, response: Response, entry: ListEntry, page: int, first_url: str, **context: Any) -> ListPage:
        """Rows; a flash is a whole document where its text is more than its title."""
        listed = super().parse_list(response, entry, page, first_url)
        for row in listed.rows if entry.xhr_json else ():
            if row.inline is not None and not _is_whole(row):
                row.inline = None
        return listed


def _is_whole(row: Row) -> bool:
    text = str((row.inline or {}).get("content") or "")
    return len(text) >= SHORTEST_FLASH and text.strip() != row.said.get("title")
