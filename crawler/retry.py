"""What is asked again, when, and where else: Retry-After and back-off, redirects within their limit, mirrors last.

The wait itself is the lease's business (`crawler.leases`): a host that answers 429 or 503 is left alone by everyone,
not only by the request that met the answer. A mirror is tried only after time-outs and 5xx, never after a refusal.
"""

from __future__ import annotations

import random
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from scrapy import Request
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response

from crawler.archive import archive_of, asked_url
from crawler.failures import MIRROR_AFTER, ExchangeFailed, Refused

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

# Worth asking again at once: the site had a bad moment.
AGAIN = frozenset({"timeout", "reset", "dns", "truncated", "server-error", "rate-limited"})
# A host that says how long to wait is believed up to a day; a date in the past is no wish.
MAX_RETRY_AFTER = 86_400.0
# Where it doesn't say: 1 s after the first 429 or 503, then 2, 4 …, with up to a fifth more so that processes spread.
FIRST_BACKOFF, MAX_BACKOFF = 1.0, 120.0


def retry_after(response: Response | None, now: float | None = None) -> float | None:
    """Seconds that the server asks to wait (RFC 9110 10.2.3: a number or a date), None if it doesn't say."""
    value = response.headers.get("Retry-After") if response is not None else None
    if not value:
        return None
    text = value.decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = moment.timestamp() - (time.time() if now is None else now)
    return min(seconds, MAX_RETRY_AFTER) if seconds > 0 else None


def not_before(request: Request, outcome: str, response: Response | None) -> float:
    """Until when (Unix time) the host is to be left alone after this exchange; 0 if it may be asked as usual."""
    status = response.status if response is not None else None
    wish = retry_after(response) if status in (429, 503) or outcome == "rate-limited" else None
    if wish is not None:
        return time.time() + wish
    if status in (429, 503):
        times = request.meta.get("retry_times", 0)
        return time.time() + min(FIRST_BACKOFF * 2**times, MAX_BACKOFF) * random.uniform(1.0, 1.2)
    return 0.0


class RetryMiddleware:
    """Asks again what failed for the moment, at most RETRY_TIMES times, then the mirrors."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.times = crawler.settings.getint("RETRY_TIMES")
        self.patience = crawler.settings.getfloat("CIRCULARWATCH_PATIENCE")

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RetryMiddleware:
        return cls(crawler)

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """A request to be made instead, or None: then the errback gets the exception."""
        if not isinstance(exception, ExchangeFailed) or isinstance(exception, Refused):
            return None
        if archive_of(self.crawler).shared.stopping or request.meta.get("dont_retry"):
            return None
        done = request.meta.get("retry_times", 0)
        wait = retry_after(exception.response) or 0.0
        if exception.outcome in AGAIN and done < self.times and wait <= self.patience:
            return self._again(request, retry_times=done + 1)
        mirrors = list(request.meta.get("mirrors") or ())
        if exception.outcome in MIRROR_AFTER and mirrors:
            asked = asked_url(request)
            return self._again(request, url=mirrors[0], retry_times=0, mirrors=mirrors[1:], asked=asked)
        return None

    @staticmethod
    def _again(request: Request, url: str | None = None, **meta: Any) -> Request:
        keep = {k: v for k, v in request.meta.items() if k not in ("fetch_id", "outcome", "reason", "download_slot")}
        changes: dict[str, Any] = {"meta": keep | meta, "dont_filter": True, "priority": request.priority - 1}
        return request.replace(**changes) if url is None else request.replace(url=url, **changes)


class HouseRedirectMiddleware(RedirectMiddleware):
    """Scrapy's redirects, with one that has no end recorded as such. Each hop is checked like any request."""

    def handle_referer(self, request: Request, response: Response) -> None:
        """No Referer is invented, and one that the source configures stays."""

    def _engine_started(self) -> None:
        """No referer middleware is wanted."""

    async def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        try:
            result = super().process_response(request, response)
        except IgnoreRequest:
            limit = self.max_redirect_times
            reason = f"the address leads from one redirect to the next, more than {limit} times; nothing was fetched"
            await archive_of(self.crawler).refused(request, "too-many-redirects", reason)
            raise Refused("too-many-redirects", reason) from None
        if isinstance(result, Request):
            result.meta.pop("download_slot", None)
            return result
        if 300 <= response.status < 400 and response.status != 304:
            reason = f"a redirect ({response.status}) that leads nowhere"
            await archive_of(self.crawler).refused(request, "unreadable", reason)
            raise ExchangeFailed("unreadable", reason, response)
        return result
