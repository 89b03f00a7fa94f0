"""What a spider says to the archive: which rows a list had, which documents are still wanted, what could not be had.

One `Archive` belongs to one crawl of one source. Spiders reach it as `self.crawler.archive`; the download handler
stores every exchange through it. Nothing here touches a disk: the writer thread (`crawler.writer`) does.

What a spider puts into `Request.meta` (use `Archive.meta`), read by the handler:

    kind    list | document | page | attachment (default: list). Decides whether the processor will see it
    entry   the row's key, on requests of kind document
    parent  fetch id of the document, on requests of kind page and attachment
    said    what the list said of it: {"title": …, "published_at": …, "published_on": …, "summary": …}

What the handler puts there for callbacks and errbacks:

    fetch_id, outcome, reason    the exchange's number, and how it ended (`pipelines.outcomes`)

An errback gets a failure whose `value` has `.outcome` and `.reason` too (`crawler.failures.ExchangeFailed`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from crawler.ledger import Ledger, new_run_id, now_utc
from crawler.writer import Job, RunFile
from db import journal

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.http import Response

    from crawler.bounds import Bounds
    from crawler.shared import Shared


class RowLike(Protocol):
    """A row of a list, as `pipelines.lists.Row` has it."""

    @property
    def key(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def said(self) -> dict[str, Any]: ...


R = TypeVar("R", bound=RowLike)


def asked_url(request: Request) -> str:
    """The address first asked for, before redirects and mirrors."""
    first: str = request.meta.get("asked") or (request.meta.get("redirect_urls") or [request.url])[0]
    return first


class Archive:
    """The archive as one crawl of one source sees it (`crawler.archive`)."""

    def __init__(self, source: str, bounds: Bounds, *, since: str = "") -> None:
        self.source = source
        self.bounds = bounds
        self.since = since
        self.run = new_run_id(source)
        self.ledger = Ledger()
        self._shared: Shared | None = None
        self._file: RunFile | None = None
        self._claimed: set[str] = set()

    # ------------------------------------------------------------------ for spiders

    @staticmethod
    def meta(
        kind: str,
        *,
        entry: str | None = None,
        parent: int | None = None,
        said: Mapping[str, Any] | None = None,
        mirrors: Sequence[str] = (),
    ) -> dict[str, Any]:
        """The `Request.meta` of a request: `Request(url, meta=archive.meta("document", entry=row.key, said=row.said))`.

        `mirrors` are addresses of the same thing, tried in turn after time-outs and 5xx, never after a refusal.
        """
        meta: dict[str, Any] = {"kind": kind, "entry": entry, "parent": parent, "said": dict(said or {})}
        if mirrors:
            meta["mirrors"] = list(mirrors)
        return meta

    async def validators(self, url: str) -> dict[str, str]:
        """Request headers that make this list's request conditional (If-None-Match, If-Modified-Since), perhaps none."""
        if self.since:  # a back-fill wants the rows, also of a list that didn't change
            return {}
        known = await self.shared.ask(lambda db: journal.validators(db, url))
        pairs = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
        return {name: value for name, value in pairs.items() if value}

    async def list_read(
        self, response: Response, rows: Iterable[R], *, section: str = "", outcome: str = "ok", reason: str = ""
    ) -> list[R]:
        """Record what a list said, and return those of its rows whose documents are still to be fetched.

        Call it once for each list page that came, also for 304 (`rows=[]`, outcome "unchanged") and for one that
        could not be read (`rows=[]`, outcome "challenge", "template", "empty-list" …, with the reason in words).
        Rows keep the order given. A row is returned when its entry is unknown or still "new", and only once in a run,
        however many lists carry it.
        """
        rows = list(rows)
        assert response.request is not None
        url = asked_url(response.request)
        listed = [{"key": r.key, "url": r.url, "said": r.said} for r in rows]
        listing = journal.ListRead(
            fetch_id=response.meta["fetch_id"],
            run=self.run,
            source=self.source,
            url=url,
            read_at=now_utc(),
            outcome=outcome,
            section=section,
            rows=listed,
            etag=header(response, b"ETag"),
            last_modified=header(response, b"Last-Modified"),
            sha256=hashlib.sha256(response.body).hexdigest() if response.body else "",
        )
        await self.shared.writer.put(Job(self.file, {"fetched_at": listing.read_at}, listing=listing))
        if outcome not in ("ok", "unchanged"):
            self.remark(outcome, reason, url)
        if outcome == "unchanged":
            listed_before = await self.shared.ask(lambda db: _keys_of(db, url))
            self.ledger.rows(listed_before, dict.fromkeys(listed_before, ""))
        keys = [r.key for r in rows]
        states = await self.shared.ask(lambda db: journal.known(db, self.source, keys)) if keys else {}
        self.ledger.rows(keys, states)
        wanted = []
        for row in rows:
            if states.get(row.key, "new") == "new" and row.key not in self._claimed:
                self._claimed.add(row.key)
                wanted.append(row)
        self.ledger.wanted += len(wanted)
        return wanted

    async def unfinished(self) -> list[journal.Entry]:
        """Entries (key, url, said, section) of earlier runs that are still "new" and not yet returned in this run.

        To be fetched after the lists, for a list that answers 304 doesn't show them again.
        """
        # What this run has listed may be on its way to the journal still; it is claimed, so it doesn't come twice.
        entries = await self.shared.ask(lambda db: journal.unfinished(db, self.source))
        fresh = [e for e in entries if e.key not in self._claimed]
        self._claimed.update(e.key for e in fresh)
        self.ledger.wanted += len(fresh)
        return fresh

    async def inline(self, response: Response, row: RowLike, body: Any, *, url: str | None = None) -> int:
        """Store a row that carries its whole document inside (`body`: its JSON value); returns its fetch id.

        Call it for the rows that `list_read` returned, instead of a request.
        """
        data = json.dumps(body, ensure_ascii=False).encode("utf-8")
        context = await self.context("inline", url or row.url, entry=row.key, said=row.said)
        context |= {"status": response.status, "media_type": "application/json"}
        await self.shared.writer.put(Job(self.file, context, data, inline=True))
        self.ledger.exchange("inline", context["url"], "ok", "", sent=False)
        number: int = context["fetch_id"]
        return number

    async def refused(self, request: Request, outcome: str, reason: str) -> int:
        """Record a request that was not sent (robots.txt, bounds …); returns the fetch id of the record."""
        return await self.failed(request, outcome, reason, sent=False)

    def remark(self, outcome: str, reason: str, url: str = "") -> None:
        """Put a failure that no single exchange shows (a list that shrank, a stale feed) into the run ledger."""
        self.ledger.remark(outcome, reason, url)

    # ------------------------------------------------------------------ for the download handler

    async def context(
        self,
        kind: str,
        url: str,
        *,
        entry: str | None = None,
        parent: int | None = None,
        said: Mapping[str, Any] | None = None,
        fetch_id: int | None = None,
    ) -> dict[str, Any]:
        """The fields of an Exchange that are known before it happens."""
        return {
            "fetch_id": await self.shared.fetch_id() if fetch_id is None else fetch_id,
            "run": self.run,
            "source": self.source,
            "kind": kind,
            "entry": entry,
            "parent": parent,
            "url": url,
            "method": "GET",
            "status": None,
            "outcome": "ok",
            "reason": "",
            "fetched_at": now_utc(),
            "media_type": "",
            "said": dict(said or {}),
            "etag": "",
            "last_modified": "",
        }

    async def failed(
        self, request: Request, outcome: str, reason: str, *, sent: bool = True, fetch_id: int | None = None
    ) -> int:
        """Record an exchange that gave no response: a `metadata` record with the error in words."""
        context = await self._of_request(request, fetch_id)
        context |= {"outcome": outcome, "reason": reason}
        await self.shared.writer.put(Job(self.file, context, request=sent_of(request) if sent else None))
        request.meta.update(fetch_id=context["fetch_id"], outcome=outcome, reason=reason)
        self.ledger.exchange(context["kind"], asked_url(request), outcome, reason, sent=sent)
        number: int = context["fetch_id"]
        return number

    async def answered(
        self,
        request: Request,
        response: Response,
        head: tuple[bytes, list[tuple[bytes, bytes]]],
        outcome: str,
        reason: str,
        *,
        fetch_id: int,
        truncated: str = "",
    ) -> None:
        """Record an exchange with a response; `head` is its status line and headers as they are to be archived."""
        context = await self._of_request(request, fetch_id)
        context |= {"status": response.status, "outcome": outcome, "reason": reason}
        context["media_type"] = header(response, b"Content-Type").partition(";")[0].strip().lower()
        context["etag"], context["last_modified"] = header(response, b"ETag"), header(response, b"Last-Modified")
        body = response.body
        job = Job(self.file, context, body, sent_of(request), head, truncated)
        await self.shared.writer.put(job)
        request.meta.update(fetch_id=fetch_id, outcome=outcome, reason=reason)
        self.ledger.exchange(context["kind"], asked_url(request), outcome, reason, sent=True, size=len(body))

    async def _of_request(self, request: Request, fetch_id: int | None) -> dict[str, Any]:
        meta = request.meta
        context = await self.context(
            meta.get("kind") or "list",
            request.url,
            entry=meta.get("entry"),
            parent=meta.get("parent"),
            said=meta.get("said"),
            fetch_id=fetch_id,
        )
        context["method"] = request.method
        return context

    # ------------------------------------------------------------------ begin and end

    def open(self, shared: Shared, folder: Path) -> None:
        """Begin: from here on exchanges can be recorded."""
        self._shared = shared
        day = now_utc()[:10].replace("-", "/")[:7]
        self._file = RunFile(folder, f"{day}/{self.run}.warc.gz", {"run": self.run, "source": self.source, "first": 0})

    async def first_id(self) -> None:
        """Put a lower bound of this run's fetch ids into its file, by which a replay merges files in order."""
        self.file.about["first"] = await self.shared.peek_id()

    async def close(self) -> None:
        """Wait until everything is on disk and in the journal, and close the file. Raises ArchiveError if it isn't."""
        await self.shared.writer.flush(self._file)

    @property
    def shared(self) -> Shared:
        if self._shared is None:
            raise RuntimeError("the archive opens with the spider (signal spider_opened); use it from start() on")
        return self._shared

    @property
    def file(self) -> RunFile:
        if self._file is None:
            raise RuntimeError("the archive opens with the spider (signal spider_opened); use it from start() on")
        return self._file

    @property
    def recorded(self) -> bool:
        """Whether anything was written."""
        return self._file is not None and self._file.size > 0


def archive_of(crawler: Crawler) -> Archive:
    """The archive of a crawl; the extension has put it there."""
    archive: Archive = crawler.archive  # type: ignore[attr-defined]
    return archive


def _keys_of(database: Any, url: str) -> list[str]:
    return [r[0] for r in database.conn.execute("select key from list_entries where list = ?", (url,)).fetchall()]


def header(response: Response, name: bytes) -> str:
    """A response header as text, empty if absent."""
    value = response.headers.get(name)
    return value.decode("latin-1").strip() if value else ""


def sent_of(request: Request) -> tuple[bytes, list[tuple[bytes, bytes]], bytes]:
    """The request line, headers and body as sent, without credentials for the proxy."""
    rest = request.url.partition("://")[2]
    host, slash, path = rest.partition("/")
    path = (slash + path).partition("#")[0] or "/"
    headers = [(b"Host", host.encode("ascii"))]
    for name, values in request.headers.items():
        if name.lower() not in (b"host", b"proxy-authorization"):
            headers.extend((name, value) for value in values)
    return f"{request.method} {path} HTTP/1.1".encode("ascii"), headers, request.body
