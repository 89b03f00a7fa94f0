"""gov.cn's policy library (国务院政策文件库): a search that answers in two shapes, one of which looks empty and is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crawler.spiders.kinds import JsonApiSpider
from pipelines.lists import ListPage

if TYPE_CHECKING:
    from scrapy.http import Response

    from config.options import ListEntry


class GovCnLibrarySpider(JsonApiSpider):
    """Rows of both shapes; all arrays count, a document that stands in two of them once."""

    def parse_list(self, response: Response, entry: ListEntry, page: int, first_url: str, **context: Any) -> ListPage:
        """Rows of whichever shape this answer has: `t=…_gw` fills listVO; `t=zhengcelibrary` leaves it null, with
        totalCount 0, and fills the arrays of catMap."""
        listed = super().parse_list(response, entry, page, first_url)
        listed.rows = list({row.key: row for row in listed.rows}.values())
        return listed
