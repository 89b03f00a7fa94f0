"""MIIT (工业和信息化部): column pages are shells; the list is a second call whose query stands in the shell's script tag.

Where a list's address is not configured (`url: null`), or no longer works, the shell page (`page_url`) is read for it.
The search interface needs no shell; when it does not answer, the page of links named in `html_fallback` is read.
Mirrors are asked by the download handler, after time-outs and 5xx only.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin

from crawler.spiders.answers import body_text
from crawler.spiders.base import ASK_ELSEWHERE
from crawler.spiders.kinds import JsonApiSpider
from pipelines.lists import ListPage
from pipelines.lists.selectors import parse_html, select_nodes

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.http import Response

    from config.options import ListEntry

NO_UNIT = "the column page has no script tag with the address of its list (discover_unit); open it and look how it loads its rows"


class MiitSpider(JsonApiSpider):
    """Shell page -> build unit -> rows; also for other sites of the same platform."""

    async def first_requests(self, entry: ListEntry) -> AsyncIterator[Request]:
        """The list itself where its address is known, else the shell page that knows it."""
        if entry.url:
            yield await self.list_request(entry, entry.url)
        elif entry.page_url:
            yield await self.shell_request(entry)

    async def shell_request(self, entry: ListEntry) -> Request:
        """A request for a column page; never conditional, for it is only a way to the list."""
        self._tried.add(str(entry.page_url))
        return await self.list_request(entry, str(entry.page_url), role="shell", fresh=True)

    async def _list_answered(self, response: Response, entry: ListEntry, context: dict[str, Any]) -> AsyncIterator[Any]:
        role = context.get("role", "")
        if role != "shell":
            async for request in super()._list_answered(response, entry, context):
                yield request
            return
        url = unit_url(body_text(response), response.url, self.source.discover_unit)
        if url and self.source.allows(url):
            yield await self.list_request(entry, url)
            return
        await self.archive.list_read(response, [], section=entry.section, outcome="unreadable", reason=NO_UNIT)

    def parse_list(self, response: Response, entry: ListEntry, page: int, first_url: str, **context: Any) -> ListPage:
        """The rows of a build unit or search answer; of the fallback page, the links of its own selectors."""
        fallback = self.source.html_fallback
        if context.get("role") != "fallback" or fallback is None:
            return super().parse_list(response, entry, page, first_url)
        options: dict[str, Any] = {"items": fallback.items, "title": fallback.title, "published": fallback.published}
        options |= {"link": ("::attr(href)",), "ok": None, "html_path": None, "node": (), "nested_json": None}
        return self.read_as(response, entry, page, first_url, kind="html-list", list=options)

    async def elsewhere(
        self, outcome: str, url: str, entry: ListEntry, context: dict[str, Any]
    ) -> AsyncIterator[Request]:
        """A list that is gone is looked up in its shell again; one that does not answer is read from the page of links."""
        self._tried.add(url)
        if outcome not in ASK_ELSEWHERE or context.get("page", 1) > 1:
            return
        if self.source.discover_unit and entry.page_url and entry.page_url not in self._tried:
            yield await self.shell_request(entry)
            return
        fallback = self.source.html_fallback
        if fallback is not None and fallback.url not in self._tried:
            self._tried.add(fallback.url)
            yield await self.list_request(entry, fallback.url, role="fallback")
            return
        async for request in super().elsewhere(outcome, url, entry, context):
            yield request


def unit_url(text: str, page_url: str, discover: Any) -> str:
    """The address of the list that a shell page names: its script tag's `url` with `querydata` as the query."""
    if discover is None:
        return ""
    nodes, _ = select_nodes(parse_html(text), [discover.css])
    for node in nodes:
        address = (node.get(discover.url_attr) or "").strip()
        # a JavaScript object with single quotes
        query = (node.get(discover.query_attr) or "").strip().replace("'", '"')
        try:
            fields = json.loads(query) if query else {}
        except ValueError:
            fields = dict(re.findall(r'"?(\w+)"?\s*:\s*"([^"]*)"', query))
        if address and isinstance(fields, dict):
            fields = {k: "null" if v is None else str(v) for k, v in fields.items()}
            # the tag's own attribute says how the unit is to be built, where the query does not
            if "parseType" not in fields and node.get("parsetype"):
                fields = {"parseType": str(node.get("parsetype")), **fields}
            return urljoin(page_url, address) + ("&" if "?" in address else "?") + urlencode(fields)
    return ""
