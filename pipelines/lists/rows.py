"""What all list readers share: which links are let through, how a row's key is made, how its date is written down."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from pipelines.lists import list_dates
from pipelines.lists.model import ListPage, Row
from pipelines.lists.options import as_list, option, texts
from pipelines.lists.selectors import compile_regex, squeeze

_NOT_PAGES = ("javascript:", "mailto:", "tel:", "data:", "#", "about:")
_TRACKING = re.compile(r"^(?:utm_\w+|spm|from|isappinstalled|share_token|fbclid|gclid)$", re.IGNORECASE)
LONGEST_URL = 2000  # longer than any real address on these sites; such a thing is a data: or a broken template


@dataclass(slots=True)
class Reading:
    """One reading of one list page: its options at hand, and the page that is being filled."""

    source: Any
    list_config: Any
    url: str
    now: datetime
    options: Any = None
    page: ListPage = field(default_factory=ListPage)
    number: int = 1
    found: int = 0
    first_url: str = ""
    max_pages: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] | None = None
    dropped: Counter[str] = field(default_factory=Counter)
    outside: Counter[str] = field(default_factory=Counter)

    @property
    def tz(self) -> tzinfo:
        """The source's zone; Asia/Shanghai where nothing is said."""
        return list_dates.zone(str(option(self.source, "timezone", "Asia/Shanghai")))

    def formats(self) -> list[str]:
        """The date formats of this list."""
        return texts(self.options, "date_formats")

    def link(self, href: str, base: str | None = None) -> str:
        """An absolute http(s) URL without fragment, or an empty string for what is not a page."""
        href = squeeze(href).replace(" ", "%20").replace("\\", "/")
        if not href or len(href) > LONGEST_URL or href.lower().startswith(_NOT_PAGES):
            return ""
        try:
            url = urljoin(base or self.url, href)
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            return ""
        if parts.scheme not in ("http", "https") or not host or parts.username:
            return ""
        query = parts.query
        if option(self.options, "strip_query"):
            query = ""
        elif "=" in query:
            pairs = parse_qsl(query, keep_blank_values=True)
            if any(_TRACKING.match(k) for k, _ in pairs):
                query = urlencode([(k, v) for k, v in pairs if not _TRACKING.match(k)])
        return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", query, ""))

    def allowed(self, url: str) -> bool:
        """Whether the URL is on a host that this source may be fetched from."""
        if self.hosts is None:
            self.hosts = hosts(self.source)
        return _on(url, self.hosts)

    def wanted(self, url: str) -> bool:
        """Whether the URL matches one of the list's `allow` patterns (none: everything does)."""
        patterns = texts(self.options, "allow")
        if not patterns:
            return True
        parts = urlsplit(url)
        path = parts.path + ("?" + parts.query if parts.query else "")
        return any(compile_regex(p).search(url) or compile_regex(p).search(path) for p in patterns)

    def moment(self, candidates: Iterable[str]) -> list_dates.Moment | None:
        """The date that the candidates tell."""
        return list_dates.best(candidates, self.formats(), self.tz, self.now)

    def dated(self, said: dict[str, Any], candidates: Iterable[str], name: str = "published") -> None:
        """Write the date found among the candidates into `said`; an unreadable one is kept raw, with a remark."""
        strip = texts(self.options, "date_strip")
        candidates = [c for c in (_cut(c, strip) for c in candidates) if c]
        moment = self.moment(candidates)
        if moment is None:
            if candidates:
                said[f"{name}_raw"] = candidates[0][:120]
                self.dropped["unreadable date"] += 1
            return
        said[f"{name}_raw"] = moment.raw
        said[f"{name}_on"] = moment.on
        if moment.at:
            said[f"{name}_at"] = moment.at
        said[f"{name}_precision"] = moment.precision
        if moment.remark and moment.remark not in self.page.remarks:
            self.page.remarks.append(moment.remark)

    def add(self, url: str, said: dict[str, Any], inline: dict[str, Any] | None = None, *, merge: bool = False) -> None:
        """Take a row, unless its link is missing, unwanted or outside the allowed hosts (counted, and remarked on)."""
        if not url:
            self.dropped["no link"] += 1
            return
        elsewhere = bool(said.get("external_url"))
        if not elsewhere and not self.wanted(url):
            self.dropped["not matched by allow"] += 1
            return
        if not elsewhere and not self.allowed(url):
            self.outside[urlsplit(url).hostname or ""] += 1
            return
        key = entry_key(url)
        if merge and (row := next((r for r in self.page.rows if r.key == key), None)) is not None:
            for name, value in said.items():
                row.said.setdefault(name, value)
            if len(str(said.get("title", ""))) > len(str(row.said.get("title", ""))):
                row.said["title"] = said["title"]
            return
        section = str(option(self.list_config, "section", "") or "")
        if section:
            said.setdefault("section", section)
        said["position"] = len(self.page.rows)
        self.page.rows.append(Row(key, url, said, inline))

    def finish(self, found: int, where: str) -> ListPage:
        """Close the page: titles too short dropped, remarks written, an empty list named for what it is."""
        self.found = found
        shortest = int(option(self.options, "min_title_len", 0) or 0)
        if shortest:
            kept = [r for r in self.page.rows if len(str(r.said.get("title", ""))) >= shortest]
            self.dropped["title too short"] += len(self.page.rows) - len(kept)
            self.page.rows = kept
        for row in self.page.rows:
            if not row.said.get("title"):
                self.dropped["no title"] += 1
        for host, count in self.outside.most_common(3):
            self.page.remarks.append(f"{count} rows link to {host}, which is not in allowed_hosts: left out")
        for why, count in self.dropped.items():
            if count:
                self.page.remarks.append(f"{count} of {found} rows: {why}")
        self.page.newest_on = max((str(r.said.get("published_on", "")) for r in self.page.rows), default="")
        if not self.page.rows:
            self.page.fail("empty-list", self._why_empty(found, where))
        return self.page

    def _why_empty(self, found: int, where: str) -> str:
        if not found:
            return (
                f"the list answered, but {where} finds no row in it: look at the page, its layout has probably changed"
            )
        reasons = ", ".join(f"{n} {why}" for why, n in self.dropped.items() if n)
        hosts = ", ".join(h for h, _ in self.outside.most_common(3))
        told = "; ".join(t for t in (reasons, f"outside allowed hosts: {hosts}" if hosts else "") if t)
        return (
            f"the list has {found} rows, but none could be taken ({told}): check allow and allowed_hosts of the source"
        )


def _cut(text: str, patterns: list[str]) -> str:
    for pattern in patterns:
        text = compile_regex(pattern).sub("", text)
    return text.strip()


def entry_key(url: str) -> str:
    """The key of an entry: host, path and query. Scheme and `www.` don't count, since lists mix http and https."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    port = f":{parts.port}" if parts.port and parts.port not in (80, 443) else ""
    return f"{host}{port}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")


def hosts(source: Any) -> tuple[str, ...]:
    """The hosts of a source: `Source.hosts`; of plain YAML, those of base_url, lists and allowed_hosts."""
    known = getattr(source, "hosts", None)
    if isinstance(known, tuple):
        return known
    urls = [str(option(source, "base_url", "")), *(str(u) for u in as_list(option(source, "list_fallbacks")))]
    urls += [str(option(e, n, "")) for e in as_list(option(source, "lists")) for n in ("url", "page_url")]
    named = [urlsplit(u).hostname or "" for u in urls] + [str(h) for h in as_list(option(source, "allowed_hosts"))]
    return tuple(dict.fromkeys(h for h in named if h))


def host_allowed(url: str, source: Any) -> bool:
    """Whether the URL's host is one of the source's. `*.example.org` allows example.org and every host below it."""
    return _on(url, hosts(source))


def _on(url: str, named: tuple[str, ...]) -> bool:
    try:
        host = (urlsplit(url).hostname or "").lower().rstrip(".")
    except ValueError:
        return False
    return bool(host) and _host_in(host, named)


@lru_cache(maxsize=4096)
def _host_in(host: str, named: tuple[str, ...]) -> bool:
    return any(host == n or (n.startswith("*.") and (host.endswith(n[1:]) or host == n[2:])) for n in named)


def utc(now: datetime | str | None) -> datetime:
    """The time of the fetch as an aware datetime in UTC; text is ISO 8601."""
    if isinstance(now, str):
        now = datetime.fromisoformat(now.replace("Z", "+00:00"))
    if now is None:
        raise ValueError("a list is read as of a moment: give `now`")
    return now.replace(tzinfo=UTC) if now.tzinfo is None else now.astimezone(UTC)
