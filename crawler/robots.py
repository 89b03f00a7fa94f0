"""robots.txt, obeyed as RFC 9309 says: nothing of a host is fetched before its answer is known, and no answer means no.

Scrapy's own middleware lets requests through that wait while robots.txt loads, and takes a 503 or a time-out for a yes.
Here everyone waits for one and the same answer. 2xx: what it says. 4xx: no rules, all allowed (401 and 403 too; 429 is
an overload and counts as unreachable). 5xx, time-out, reset, cut-off, a redirect out of bounds or without end: no.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from protego import Protego
from scrapy import Request
from scrapy.http.request import NO_CALLBACK

from crawler.archive import archive_of
from crawler.failures import ExchangeFailed, Refused, Stopped
from pipelines.content import ContentError, decompress

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.handler import HouseDownloadHandler

logger = logging.getLogger(__name__)

TOKEN = "circularwatch"
# RFC 9309 2.5: at least 500 kibibytes are to be read; what is beyond is ignored.
MAX_BYTES = 512 * 1024
# RFC 9309 2.3.1.2: at least five redirects are to be followed.
MAX_REDIRECTS = 5
TRIES = 2
# RFC 9309 2.4: not to be used for longer than a day. Sources of one process and one run share an answer.
MEMORY_S = 3600.0
# A refusal because nothing could be read is asked again sooner.
UNREACHABLE_MEMORY_S = 300.0
# What hits every page of the host alike, so that naming robots.txt would hide it.
HOST_FAULTS = frozenset({"certificate", "dns", "private-address"})
# A pause that somebody mistyped must not stop a source for good.
MAX_CRAWL_DELAY = 600.0


@dataclass(slots=True)
class Answer:
    """What a host's robots.txt says: `rules` None = nothing is forbidden; `unreachable` = everything is, with the reason."""

    rules: Protego | None = None
    unreachable: str = ""
    outcome: str = "robots"
    crawl_delay: float = 0.0
    until: float = 0.0

    def allows(self, url: str) -> bool:
        if self.unreachable:
            return False
        return self.rules is None or bool(self.rules.can_fetch(url, TOKEN))


def parse(body: bytes) -> Answer:
    """The answer that lies in these bytes (RFC 9309 2.2: UTF-8; lines that are no rules are skipped)."""
    text = body[:MAX_BYTES].decode("utf-8-sig", errors="replace")
    rules = Protego.parse(text)
    delay = rules.crawl_delay(TOKEN)
    return Answer(rules, crawl_delay=min(float(delay), MAX_CRAWL_DELAY) if delay and delay > 0 else 0.0)


class RobotsMiddleware:
    """Asks robots.txt of the host before each request; the first downloader middleware."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self._loading: dict[str, asyncio.Future[Answer]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsMiddleware:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Let the request pass, or record the refusal and raise Refused."""
        archive = archive_of(self.crawler)
        refusal = archive.bounds.check(request.url)
        if refusal is None:
            answer = await self.answer(request.url)
            if answer.allows(request.url):
                return
            host = urlsplit(request.url).netloc
            refusal = (answer.outcome, answer.unreachable or f"the robots.txt of {host} does not allow it")
        await archive.refused(request, *refusal)
        raise Refused(*refusal)

    async def answer(self, url: str) -> Answer:
        """The answer of this URL's host; loaded once, however many requests wait for it."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        memory = archive_of(self.crawler).shared.robots
        known = memory.get(origin)
        if known is not None and known.until > time.monotonic():
            return known
        loading = self._loading.get(origin)
        if loading is None:
            loading = self._loading[origin] = asyncio.ensure_future(self._load(origin))
            loading.add_done_callback(lambda _: self._loading.pop(origin, None))
        # shielded: one request that is cancelled must not take the answer from the others
        answer = await asyncio.shield(loading)
        memory[origin] = answer
        return answer

    async def _load(self, origin: str) -> Answer:
        for attempt in range(TRIES):
            try:
                answer = await self._ask(f"{origin}/robots.txt")
                break
            except Stopped:
                raise
            except ExchangeFailed as e:
                answer = unreachable(urlsplit(origin).netloc, e)
                if not (attempt + 1 < TRIES and e.outcome in ("timeout", "reset", "truncated", "server-error")):
                    break
        answer.until = time.monotonic() + (UNREACHABLE_MEMORY_S if answer.unreachable else MEMORY_S)
        if answer.crawl_delay:
            archive_of(self.crawler).shared.crawl_delays[urlsplit(origin).hostname or ""] = answer.crawl_delay
        return answer

    async def _ask(self, url: str) -> Answer:
        """Fetch a robots.txt past Scrapy's middlewares (theirs would ask robots.txt again), following redirects."""
        for _ in range(MAX_REDIRECTS + 1):
            request = Request(url, callback=NO_CALLBACK, meta={"kind": "robots"})
            try:
                response = await self.handler.download_request(request)
            except ExchangeFailed as e:
                if e.response is not None and 400 <= e.response.status < 500 and e.response.status != 429:
                    return Answer()
                raise
            target = redirect_target(response)
            if target is None:
                return parse(plain_body(response))
            url = target
        raise ExchangeFailed("too-many-redirects", f"robots.txt was redirected more than {MAX_REDIRECTS} times")

    @property
    def handler(self) -> HouseDownloadHandler:
        handlers: Any = self.crawler.engine.downloader.handlers
        found: HouseDownloadHandler = handlers._get_handler("https")
        return found


def unreachable(host: str, error: ExchangeFailed) -> Answer:
    """The answer of a host whose robots.txt could not be had. A fault of the host itself keeps its own word."""
    if error.outcome in HOST_FAULTS:
        return Answer(unreachable=error.reason, outcome=error.outcome)
    return Answer(unreachable=f"the robots.txt of {host} could not be read, which means no: {error.reason}")


def plain_body(response: Response) -> bytes:
    """The body without its content coding; what cannot be unpacked could not be read."""
    coding = (response.headers.get("Content-Encoding") or b"").decode("latin-1")
    if not coding:
        return response.body
    try:
        return decompress(response.body, coding, limit=MAX_BYTES * 8)[0]
    except ContentError as e:
        raise ExchangeFailed("unreadable", f"robots.txt could not be unpacked: {e}", response) from e


def redirect_target(response: Response) -> str | None:
    """Where a redirect leads, None for any other response."""
    location = response.headers.get("Location")
    if response.status not in (301, 302, 303, 307, 308) or not location:
        return None
    return urljoin(response.url, location.decode("latin-1").strip())
