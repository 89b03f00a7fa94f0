"""How any source is crawled: lists first, then the documents that are still wanted, then what belongs to them.

An own class for a site overrides `parse_list` (an answer -> rows) and `parse_document` (an answer -> further requests),
and perhaps `first_requests`; manners, the archive and failures are not its business.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

from scrapy import Request, Spider

from crawler.archive import asked_url
from crawler.spiders.answers import body_text, fill_list, fill_secrets, links_hint, plain_headers
from crawler.spiders.health import Health
from crawler.spiders.leftovers import parts_left
from crawler.spiders.refusal import refusal
from db.lists import broken_off, incomplete, seen
from pipelines.links import document_links, row_links
from pipelines.lists import ListPage, Row, read_list
from pipelines.outcomes import judge

if TYPE_CHECKING:
    from scrapy.http import Response
    from twisted.python.failure import Failure

    from config.options import ListEntry
    from config.sources import Source
    from crawler.archive import Archive

MOST_PAGES = 400  # of one list in a back-fill; 20 rows each are the 8,000 newest entries
MOST_DOCUMENT_PAGES = 20  # of one document; the longest reports run to a dozen
# after these the list's other addresses are asked: the site did not say no, it did not answer or the address is dead
ASK_ELSEWHERE = frozenset(
    ("timeout", "server-error", "reset", "dns", "truncated", "not-found", "unreadable", "empty-list")
)


class SourceSpider(Spider):
    """The base of all spiders. `source` is set by the loader."""

    source: ClassVar[Source]
    counts_all_pages: ClassVar[bool] = False
    accept: ClassVar[str] = "text/html,application/xhtml+xml,*/*;q=0.8"

    def __init__(self, name: str | None = None, since: str = "", **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.since = since
        self.health = Health(self.source, {})
        self.thorough = False  # the run before may have left pages unread: all are read, whatever page 1 holds
        self.sample = 0  # `sources check`: so many documents of each list, first pages only
        self._open_lists = 0
        self._tried: set[str] = set()
        self._links_hint = links_hint(self.source)
        self._pages_asked: set[tuple[int, str]] = set()
        self._lists_read = asyncio.Event()

    @property
    def archive(self) -> Archive:
        """Where everything that came is recorded."""
        return self.crawler.archive  # type: ignore[attr-defined]

    # ------------------------------------------------------------------ the course of a crawl

    async def start(self) -> AsyncIterator[Any]:
        """All lists, then the entries that earlier runs left unfinished (a list that answers 304 doesn't show them)."""
        why = refusal(
            self.source, named=True
        )  # a crawl names its sources; `circularwatch crawl` leaves out what is off
        if why:
            self.archive.remark("forbidden", why, self.source.base_url)
            return
        self.since = self.since or self.archive.since
        self.sample = self.settings.getint("CIRCULARWATCH_SAMPLE")
        name, run = self.source.id, self.archive.run
        self.health = Health(self.source, await self.archive.shared.ask(lambda database: seen(database, name)))
        self.thorough = await self.archive.shared.ask(lambda database: incomplete(database, name, run))
        for entry in self.source.lists:
            if not entry.fallback:
                async for request in self.first_requests(entry):
                    yield request
        if self._open_lists:
            await self._lists_read.wait()
        if not (self.sample and self.counts_all_pages):  # of several pages a sample has only the first
            self.remark(*self.health.verdict(datetime.now(UTC)), self.source.base_url)
        for left in () if self.sample else await self.archive.unfinished():
            if left.url and not left.said.get("external_url") and not self.source.article.skip:
                yield self.document_request(Row(left.key, left.url, dict(left.said)))
        if not self.sample:
            for document in await self.archive.shared.ask(lambda database: broken_off(database, name, run)):
                for request in parts_left(self, document):
                    yield request

    async def first_requests(self, entry: ListEntry) -> AsyncIterator[Request]:
        """The requests with which the reading of a list begins."""
        if entry.url:
            yield await self.list_request(entry, fill_secrets(entry.url, self.source))

    async def list_request(
        self, entry: ListEntry, url: str, *, page: int = 1, first_url: str = "", **more: Any
    ) -> Request:
        """A request for one page of a list, conditional when the list is known; `more` goes to `parse_list`'s context."""
        headers = self.headers(xhr=entry.xhr_json)
        if not more.pop("fresh", self.thorough):
            headers |= await self.archive.validators(url)
        meta = self.archive.meta("list", mirrors=self.mirrors(url)) | {"handle_httpstatus_list": [304]}
        self._open_lists += 1
        self._lists_read.clear()
        return Request(
            url,
            headers=headers,
            meta=meta,
            callback=self.list_answered,
            errback=self.list_failed,
            cb_kwargs={"entry": entry, "page": page, "first_url": first_url or url, **more},
            dont_filter=True,
            priority=10,
        )

    async def list_answered(self, response: Response, entry: ListEntry, **context: Any) -> AsyncIterator[Any]:
        """A list came: record what it said, ask for what is new in it, read on where there may be more."""
        try:
            async for request in self._list_answered(response, entry, context):
                yield request
        finally:
            self._list_done()

    async def _list_answered(self, response: Response, entry: ListEntry, context: dict[str, Any]) -> AsyncIterator[Any]:
        first = context["page"] == 1
        if response.status == 304:
            await self.archive.list_read(response, [], section=entry.section, outcome="unchanged")
            self.health.unchanged(asked_url(response.request))  # type: ignore[arg-type]
            return
        listed = self.read(response, entry, **context)
        if listed.outcome == "empty-list" and not first:
            listed.outcome = "ok"  # the page after the last
        if listed.outcome != "ok":
            await self.archive.list_read(
                response, [], section=entry.section, outcome=listed.outcome, reason=listed.reason
            )
            async for request in self.elsewhere(listed.outcome, response.url, entry, context):
                yield request
            return
        if not listed.rows and listed.next_urls:
            # a sitemap index: it has no entries, so that a 304 of it would say nothing of the sitemaps in it
            listed.next_urls = [u for u in listed.next_urls if u not in self._tried]
            self._tried.update(listed.next_urls)
            async for request in self.next_requests(listed, entry, context):
                yield request
            return
        wanted = await self.archive.list_read(response, listed.rows, section=entry.section)
        for row in wanted[: self.sample or None]:
            async for request in self.row_requests(response, row):
                yield request
        if listed.rows and (first or self.counts_all_pages):
            self.remark(*self.health.read(asked_url(response.request), listed), response.url)  # type: ignore[arg-type]
        if self.goes_on(listed, bool(wanted)):
            async for request in self.next_requests(listed, entry, context | {"has_new": bool(wanted)}):
                yield request

    async def next_requests(
        self, listed: ListPage, entry: ListEntry, context: dict[str, Any]
    ) -> AsyncIterator[Request]:
        """The pages after this one."""
        for url in listed.next_urls:
            yield await self.list_request(entry, url, page=context["page"] + 1, first_url=context["first_url"])

    async def list_failed(self, failure: Failure) -> AsyncIterator[Any]:
        """No list came; the handler has recorded why. Other addresses are asked unless the site said no."""
        request = failure.request  # type: ignore[attr-defined]
        context = dict(request.cb_kwargs)
        entry = context.pop("entry")
        self.note_fault(failure)
        outcome = str(getattr(failure.value, "outcome", "") or request.meta.get("outcome", ""))
        if self.may_be_missing(outcome, context):
            self.archive.ledger.forgive(asked_url(request))
        else:
            self.health.failed = True
        try:
            async for other in self.elsewhere(outcome, asked_url(request), entry, context):
                yield other
        finally:
            self._list_done()

    def _list_done(self) -> None:
        self._open_lists -= 1
        if self._open_lists <= 0:
            self._lists_read.set()

    async def elsewhere(
        self, outcome: str, url: str, entry: ListEntry, context: dict[str, Any]
    ) -> AsyncIterator[Request]:
        """Requests for the list's other addresses, each once, and only where the site did not refuse."""
        self._tried.add(url)
        if outcome not in ASK_ELSEWHERE or context.get("page", 1) > 1:
            return
        for template in self.source.list_fallbacks:
            other = fill_list(template, entry, context.get("page", 1))
            if other and other not in self._tried:
                self._tried.add(other)
                yield await self.list_request(entry, other, page=context.get("page", 1))
                return
        for fallback in self.source.lists:
            if fallback.fallback and fallback.url and fallback.url not in self._tried:
                self._tried.add(fallback.url)
                yield await self.list_request(fallback, fill_secrets(fallback.url, self.source))
                return

    # ------------------------------------------------------------------ what own classes override

    def parse_list(self, response: Response, entry: ListEntry, page: int, first_url: str, **context: Any) -> ListPage:
        """The rows of an answer. `context` is what the class gave to `list_request` besides."""
        return self.read_as(response, entry, page, first_url)

    def read_as(self, response: Response, entry: ListEntry, page: int, first_url: str, **changes: Any) -> ListPage:
        """The rows of an answer, read with some options of the source changed (`list={"items": …}`, `kind=…`)."""
        if "list" in changes:
            changes["list"] = self.source.list.model_copy(update=dict(changes["list"]))
        source = self.source.model_copy(update=changes) if changes else self.source
        return read_list(
            response.body,
            response.url,
            source,
            entry,
            datetime.now(UTC),
            headers=plain_headers(response),
            page=page,
            first_url=first_url,
            max_pages=MOST_PAGES if self.since else None,
        )

    def parse_document(self, response: Response) -> Iterator[Request]:
        """Requests for what belongs to a document: attachments, next pages, the page that a script would go to."""
        found = document_links(
            response.body, response.url, self.source, headers=plain_headers(response), said=response.meta.get("said")
        )
        parent = int(response.meta["fetch_id"])
        if found.redirect and response.meta.get("hops", 0) < 3:
            row = Row(str(response.meta.get("entry")), found.redirect, dict(response.meta.get("said") or {}))
            request = self.document_request(row)
            request.meta["hops"] = response.meta.get("hops", 0) + 1
            yield request
            return
        yield from (self.part_request("attachment", link.url, parent) for link in found.attachments)
        yield from (self.part_request("page", url, parent, number=2) for url in found.next_pages)

    # ------------------------------------------------------------------ lists

    def read(self, response: Response, entry: ListEntry, **context: Any) -> ListPage:
        """An answer judged and read: a challenge page is never parsed."""
        listed = self.parse_list(response, entry, **context)
        if listed.rows and listed.outcome == "ok":
            return listed
        outcome, reason = judge(response.status, plain_headers(response), body_text(response), self.source, kind="list")
        if outcome != "ok":
            return ListPage(outcome=outcome, reason=reason)
        return listed

    def remark(self, outcome: str, reason: str, url: str) -> None:
        """Put into the run ledger what no single exchange shows; in a back-fill, old pages are no sign of illness."""
        if outcome != "ok" and not self.since:
            self.archive.remark(outcome, reason, url)

    def may_be_missing(self, outcome: str, context: dict[str, Any]) -> bool:
        """Whether a list page that did not come need not exist: the page after the last."""
        return outcome == "not-found" and context["page"] > 1

    def goes_on(self, listed: ListPage, has_new: bool) -> bool:
        """Whether the next page is read: while pages hold entries that are not known, or, in a back-fill, are not too old."""
        if self.sample:
            return False
        if self.since:
            oldest = min((str(r.said["published_on"]) for r in listed.rows if r.said.get("published_on")), default="")
            return not oldest or oldest >= self.since[:10]
        return has_new or self.thorough or not listed.rows

    # ------------------------------------------------------------------ documents

    async def row_requests(self, response: Response, row: Row) -> AsyncIterator[Request]:
        """What a wanted row needs: nothing but storing when it carries its document, else the document."""
        if row.inline is None:
            yield self.document_request(row)
            return
        parent = await self.archive.inline(response, row, row.inline)
        for link in row_links(row.said.get("attachments") or (), row.url, self.source):
            yield self.part_request("attachment", link.url, parent)

    def document_request(self, row: Row) -> Request:
        """A request for the document of a row."""
        mirrors = [u for u in (str(row.said.get("fallback_url", "")), *self.mirrors(row.url)) if u]
        return Request(
            row.url,
            headers=self.headers(),
            meta=self.archive.meta("document", entry=row.key, said=row.said, mirrors=mirrors),
            callback=self.document_answered,
            errback=self.document_failed,
            dont_filter=True,
        )

    async def document_answered(self, response: Response) -> AsyncIterator[Any]:
        """A document came; only its links are looked at here, and whether it is one at all."""
        if response.status != 200 or not response.body:
            return
        outcome, reason = self.judge_document(response)
        if outcome != "ok":
            self.archive.remark(outcome, reason, response.url)
            return
        if self._links_hint.search(response.body) or self.source.spider_class:
            for request in self.parse_document(response):
                yield request

    def judge_document(self, response: Response) -> tuple[str, str]:
        """Whether what came is the document: (outcome, reason). Files and JSON are not looked into here."""
        headers = plain_headers(response)
        kind = headers.get("Content-Type", "").lower()
        if kind and "html" not in kind and "text" not in kind:
            return "ok", ""
        return judge(response.status, headers, body_text(response), self.source, said=response.meta.get("said"))

    async def document_failed(self, failure: Failure) -> AsyncIterator[Any]:
        """No document came: where its first address is dead, the second is asked once."""
        self.note_fault(failure)
        request = failure.request  # type: ignore[attr-defined]
        other = str((request.meta.get("said") or {}).get("fallback_url", ""))
        if getattr(failure.value, "outcome", "") == "not-found" and other and request.url != other:
            yield self.document_request(Row(request.meta["entry"], other, request.meta["said"]))

    def part_request(self, kind: str, url: str, parent: int, *, number: int = 0) -> Request:
        """A request for an attachment or a further page of a document."""
        return Request(
            url,
            headers=self.headers(),
            meta=self.archive.meta(kind, parent=parent, mirrors=self.mirrors(url)) | {"number": number},
            callback=self.page_answered if kind == "page" else self.attachment_answered,
            errback=self.part_failed,
            dont_filter=True,
            priority=5,
        )

    async def page_answered(self, response: Response) -> AsyncIterator[Any]:
        """A further page of a document: perhaps there is one more."""
        number = int(response.meta.get("number") or 2)
        if response.status != 200 or number >= MOST_DOCUMENT_PAGES:
            return
        found = document_links(response.body, response.url, self.source, headers=plain_headers(response))
        parent = int(response.meta["parent"])
        for url in found.next_pages:
            if (parent, url) not in self._pages_asked:
                self._pages_asked.add((parent, url))
                yield self.part_request("page", url, parent, number=number + 1)

    async def attachment_answered(self, response: Response) -> None:
        """An attachment is only stored; reading it is the processor's work."""

    async def part_failed(self, failure: Failure) -> None:
        """The handler has recorded why; the document stands without this part."""
        self.note_fault(failure)

    def note_fault(self, failure: Failure) -> None:
        """What the handler did not record is a fault of the program, and not to be taken for a site without news."""
        if not hasattr(failure.value, "outcome"):
            said = f"a fault of the program: {type(failure.value).__name__}: {failure.value}"
            self.archive.remark("unreadable", said, failure.request.url)  # type: ignore[attr-defined]

    # ------------------------------------------------------------------ addresses and headers

    def headers(self, *, xhr: bool = False) -> dict[str, str]:
        """The source's own request headers (User-Agent and language come from the settings)."""
        headers = {"Accept": self.accept, **self.source.headers}
        if xhr and self.source.xhr_list is not None:
            headers |= self.source.xhr_list.headers
        return headers

    def mirrors(self, url: str) -> list[str]:
        """The same path on the source's mirrors; the handler asks them after time-outs and 5xx only."""
        parts = urlsplit(url)
        if parts.hostname != urlsplit(self.source.base_url).hostname:
            return []
        bases = [urlsplit(m) for m in self.source.mirrors]
        return [urlunsplit((b.scheme, b.netloc, b.path.rstrip("/") + parts.path, parts.query, "")) for b in bases]
