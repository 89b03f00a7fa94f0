"""gov.cn's policy library (国务院政策文件库): a search that answers in two shapes, one of which looks empty and is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.spiders.kinds import JsonApiSpider
from pipelines.lists import ListPage

if TYPE_CHECKING:
    from scrapy.http import Response

    from config.options import ListEntry

# `t=zhengcelibrary_gw` and `_bm` fill listVO; `t=zhengcelibrary` leaves it null with totalCount 0 and fills four arrays
SHAPES = ("searchVO.listVO[]", "searchVO.catMap.*.listVO[]")


class GovCnLibrarySpider(JsonApiSpider):
    """Rows of both shapes; all arrays count, a document that stands in two of them once."""

    def parse_list(self, response: Response, entry: ListEntry, page: int, first_url: str) -> ListPage:
        """Rows of whichever shape this answer has."""
        listed = self.read_as(response, entry, page, first_url, list={"items": SHAPES})
        listed.rows = list({row.key: row for row in listed.rows}.values())
        return listed
