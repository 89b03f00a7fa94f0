"""The one door to the web: every request of every spider passes here, is bounded, waits its turn, and is archived.

Wraps Scrapy's own HTTP/1.1 handler. For each request: bounds, lease on the host (one request at a time across spiders
and processes, the pause kept), the exchange itself, the host's wish to be left alone, the record in the archive. What
comes back to the middlewares is a usable response (2xx, 304, a redirect) or ExchangeFailed.
"""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import (
    HTTP11DownloadHandler,
    _LenientHTTP11ClientFactory,
    _LenientHTTP11ClientProtocol,
)
from scrapy.utils.defer import maybe_deferred_to_future
from scrapy.utils.httpobj import urlparse_cached
from twisted.web.iweb import IPolicyForHTTPS

from crawler import retry, warc
from crawler.archive import Archive, archive_of
from crawler.bounds import PublicResolver
from crawler.failures import ExchangeFailed, Refused, Stopped
from crawler.leases import AskedToWait
from crawler.tls import VerifyingContextFactory
from crawler.writer import ArchiveError
from db import DatabaseError
from pipelines import outcomes
from pipelines.content import ContentError, decompress, to_text

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.internet.defer import Deferred
    from twisted.web.iweb import IResponse

# Of an error page this much is looked at to tell a challenge from a plain refusal.
MAX_JUDGED = 64 * 1024


CLOSE_S = 1.0


class _Protocol(_LenientHTTP11ClientProtocol):
    """Keeps the transfer coding of a response, which Twisted removes: bodies are archived de-chunked, and say so."""

    def request(self, request: Any) -> Deferred[IResponse]:
        d = super().request(request)
        parser = self._parser
        assert parser is not None

        def keep(response: IResponse) -> IResponse:
            for value in parser.connHeaders.getRawHeaders(b"transfer-encoding") or ():
                response.headers.addRawHeader(warc.TRANSFER_ENCODING, value)
            return response

        d.addCallback(keep)
        return d


class _Factory(_LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: Any) -> _Protocol:
        return _Protocol(self._quiescentCallback)


class HouseDownloadHandler(HTTP11DownloadHandler):
    """Download handler for http and https (setting DOWNLOAD_HANDLERS)."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        settings = crawler.settings
        self._pool._factory = _Factory
        # Through a proxy all plain http shares one key of the pool.
        self._pool.maxPersistentPerHost = 8
        self._contextFactory = cast(
            IPolicyForHTTPS, VerifyingContextFactory.from_crawler(crawler, ca_file=settings["CIRCULARWATCH_CA_FILE"])
        )
        # Cut-off bodies come as a response with a flag, so that what came can be archived.
        self._fail_on_dataloss = False
        self._agent = settings["USER_AGENT"].encode("ascii", "replace")
        self._patience = settings.getfloat("CIRCULARWATCH_PATIENCE")
        source: Any = crawler.spidercls.source  # type: ignore[attr-defined]
        self._timeout = min(settings.getfloat("DOWNLOAD_TIMEOUT"), float(source.timeout_s))
        override = settings["CIRCULARWATCH_DELAY"]
        self._delay = float(source.download_delay_s if override is None else override)
        self._headers = {name: value for name, value in source.headers.items() if name.lower() != "user-agent"}
        self._proxy, self._proxy_auth = proxy_of(settings["CIRCULARWATCH_PROXY"])
        PublicResolver.exempt = frozenset({urlsplit(self._proxy).hostname or ""} if self._proxy else ())
        self._active: set[asyncio.Task[Any]] = set()

    # ------------------------------------------------------------------ one exchange

    async def download_request(self, request: Request) -> Response:
        archive = archive_of(self._crawler)
        refusal = archive.bounds.check(request.url)
        if refusal is not None:
            await archive.refused(request, *refusal)
            raise Refused(*refusal)
        if archive.shared.stopping:
            raise Stopped
        task = asyncio.current_task()
        assert task is not None
        self._active.add(task)
        try:
            return await self._exchange(request, archive)
        except asyncio.CancelledError:
            if not archive.shared.stopping:
                raise
            task.uncancel()
            raise Stopped from None
        except ArchiveError:
            raise Stopped from None  # the writer has said why, once
        except (DatabaseError, OSError) as e:
            # no number or no lock to be had: a request that fails unseen would look like a list without news
            archive.shared.fail(str(e) if isinstance(e, DatabaseError) else trouble(e))
            raise Stopped from None
        finally:
            self._active.discard(task)

    async def _exchange(self, request: Request, archive: Archive) -> Response:
        host = urlparse_cached(request).hostname or ""
        shared = archive.shared
        self._prepare(request)
        lease = shared.leases.of(host)
        try:
            await lease.take(max(self._delay, shared.crawl_delays.get(host, 0.0)), self._patience)
        except AskedToWait as e:
            await archive.refused(request, "rate-limited", f"{e}; not asked in this run")
            raise Refused("rate-limited", str(e)) from None
        not_before = 0.0
        try:
            number = await shared.fetch_id()
            timeout = float(request.meta.get("download_timeout") or self._timeout)
            try:
                response = await super().download_request(request)
            except Exception as e:
                outcome, reason = self._judge_exception(e, host, timeout)
                not_before = retry.not_before(request, outcome, None)
                await archive.failed(request, outcome, reason, fetch_id=number)
                raise ExchangeFailed(outcome, reason) from e
            outcome, reason, truncated = self._judge(response, request)
            not_before = retry.not_before(request, outcome, response)
        finally:
            lease.give_back(not_before)
        await archive.answered(
            request, response, head_of(response), outcome, reason, fetch_id=number, truncated=truncated
        )
        response.headers.pop(warc.TRANSFER_ENCODING, None)
        if outcome in ("ok", "unchanged", "redirect"):
            return response
        raise ExchangeFailed(outcome, reason, response)

    def _prepare(self, request: Request) -> None:
        """Who asks, what else the source wants to be sent, and through which proxy."""
        headers = request.headers
        headers[b"User-Agent"] = self._agent
        for name, value in self._headers.items():
            headers.setdefault(name, value)
        if self._proxy:
            request.meta["proxy"] = self._proxy
            if self._proxy_auth:
                headers[b"Proxy-Authorization"] = self._proxy_auth
        elif "proxy" in request.meta:
            del request.meta["proxy"]
        request.meta.setdefault("download_timeout", self._timeout)

    # ------------------------------------------------------------------ how it ended

    def _judge(self, response: Response, request: Request) -> tuple[str, str, str]:
        """(outcome, reason, WARC-Truncated) by status; what a 200 holds is for those who read it."""
        if "dataloss" in response.flags:
            return "truncated", "the answer broke off before its end; it is asked again", "disconnect"
        if response.status < 300:
            return "ok", "", ""
        text = error_text(response) if response.status >= 400 else ""
        headers = response.headers.to_unicode_dict()
        outcome, reason = outcomes.judge(
            response.status,
            headers,
            text,
            archive_of(self._crawler).bounds.source,
            kind=request.meta.get("kind") or "list",
        )
        return outcome, reason, ""

    @staticmethod
    def _judge_exception(error: Exception, host: str, timeout: float) -> tuple[str, str]:
        address = PublicResolver.refused.get(host)
        if address is not None:
            return "private-address", f"{host} leads to {address}, which is not an address of the public internet"
        outcome, reason = outcomes.judge_exception(error)
        return outcome, reason.replace("in time", f"within {timeout:g} seconds") if outcome == "timeout" else reason

    # ------------------------------------------------------------------ the end

    def cancel_all(self) -> None:
        """Break off what is waiting or under way; the exchanges are not recorded and are made again in the next run."""
        for task in list(self._active):
            task.cancel()

    async def close(self) -> None:
        """Close idle connections, waiting a second at most.

        Scrapy's own `close` calls the Deferred back after its time-out even where the last connection closed in the
        same turn, which prints a traceback (AlreadyCalledError) that means nothing.
        """
        closed = asyncio.ensure_future(maybe_deferred_to_future(self._pool.closeCachedConnections()))
        await asyncio.wait([closed], timeout=CLOSE_S)


def trouble(error: OSError) -> str:
    """A fault of the disk under the locks, as one sentence."""
    where = f" ({error.filename})" if error.filename else " (the folder locks/ beside the database)"
    return f"{error.strerror or error}{where}; check the free space, the rights and the path"


def proxy_of(url: str) -> tuple[str, bytes]:
    """A proxy's address without credentials, and its Proxy-Authorization header (empty without a user)."""
    if not url:
        return "", b""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    bare = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    if not parts.username:
        return bare, b""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return bare, b"Basic " + base64.b64encode(pair)


def head_of(response: Response) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Status line and headers as they are archived: as received, Transfer-Encoding under its archive name."""
    headers = [(name, value) for name, values in response.headers.items() for value in values]
    return warc.status_line(response.protocol, response.status), headers


def error_text(response: Response) -> str:
    """The text of an error page as far as it is needed to tell what it is."""
    coding = (response.headers.get("Content-Encoding") or b"").decode("latin-1")
    body = response.body
    try:
        if coding:
            body = decompress(body, coding, limit=MAX_JUDGED * 16)[0]
    except ContentError:
        return ""
    kind = (response.headers.get("Content-Type") or b"").decode("latin-1")
    return to_text(body[:MAX_JUDGED], kind).text
