"""Caixin Global: the page holds the beginning; of free articles a second call gives the rest. What is for subscribers stays so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

from crawler.spiders.kinds import JsonApiSpider

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response


class CaixinGlobalSpider(JsonApiSpider):
    """The list says which articles are free (`free_when`); that is stored with the document as the paywall's state."""

    def parse_document(self, response: Response) -> Iterator[Request]:
        """The full text of a free article, as a further page of the document."""
        yield from super().parse_document(response)
        said = response.meta.get("said") or {}
        template = self.source.article.full_text_api
        if template and said.get("free") and said.get("id"):
            url = template.replace("{nid}", quote(str(said["id"]))).replace("{id}", quote(str(said["id"])))
            url = url.replace("{link}", quote(response.url, safe=""))
            yield self.part_request("page", url, int(response.meta["fetch_id"]), number=99)
