"""What is watched: the model of one source, and loading `sources.yaml` with defaults, `like` and `same_as` resolved."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from config.cron import check_cron
from config.errors import ConfigError, hint
from config.fields import Encoding, Filled, Hosts, Id, Model, Positive, Seconds, Texts, Url, Urls, Zone, empty
from config.options import (
    ArticleOptions,
    Certainty,
    Discover,
    Expect,
    FeedOptions,
    HtmlFallback,
    ListEntry,
    ListOptions,
    Paging,
    SitemapOptions,
    WordPressOptions,
    XhrList,
)
from config.yaml_lines import Map, load

FILE = "sources.yaml"


class Source(Model):
    """One thing to watch, complete: nothing has to be looked up elsewhere in the file."""

    id: Id = Field(description="short name; also the name of the spider")
    name: Filled = Field(description="name as users see it")
    kind: Literal["html-list", "json-api", "feed", "sitemap", "wordpress"] = Field(description="what its lists are")
    spider: Filled = Field(
        "generic", description="generic, or custom:ClassName for a site that options cannot describe"
    )
    type: Literal["regulator", "government", "policy-bank", "media", "aggregator", "statistics"] = Field(
        description="who speaks here"
    )
    language: Literal["zh", "en"] = Field(description="language of most documents")
    outlet: str = Field("", description="name of the publisher, for documents that name no outlet (default: name)")
    issuer: str = Field("", description="the authority whose own site this is; its documents are first-hand here")
    level: Literal["", "central", "provincial", "municipal", "institution"] = Field(
        "", description="rank of the issuer"
    )
    region: str = Field("", description="province or city of a local authority")
    certainty: Certainty
    evidence: str = Field("", description="what the certainty rests on, in a few words")
    evidence_on: date | None = Field(None, description="date of that evidence")
    enabled: bool = Field(description="false = keep it in the file, don't run it")
    note: str = Field("", description="for people: why it is off, what to look out for")
    base_url: Url = Field(description="the site; relative addresses without a page are joined to it")
    interval_min: Positive = Field(description="minutes between two polls")
    cron: Annotated[str, AfterValidator(check_cron)] | None = Field(
        None,
        description="when to poll instead: minute hour day month weekday in Beijing time, such as '30 8 * * 1-5'; "
        "interval_min then only says after how long without a poll something is wrong",
    )
    download_delay_s: Seconds = Field(3, description="seconds between two requests to the host")
    timeout_s: Seconds = Field(30, description="seconds until a request is given up")
    headers: dict[str, str] = Field(default_factory=dict, description="request headers, added to the defaults")
    allowed_hosts: Hosts = Field(
        (), description="further hosts that may be asked; those of base_url and lists always may"
    )
    mirrors: Urls = Field((), description="bases of sites with the same paths, tried only after time-outs and 5xx")
    encoding: Encoding = Field("utf-8", description="tried first; bytes that are not valid in it decide for themselves")
    timezone: Zone = Field("Asia/Shanghai", description="zone of times without one, and of civil dates")
    secrets: Texts = Field(
        (), description="environment variables that fill {NAME} in addresses; without them it is off"
    )
    repost: bool = Field(False, description="mostly reposts: the page's date is not the event's; look for the origin")
    blocked_body_markers: Texts = Field((), description="texts that are only on challenge pages and raw templates")
    attachment_ext: Texts = Field((), description="file name endings of attachments")
    lists: tuple[ListEntry, ...] = Field(description="the lists that are polled")
    lists_off: tuple[ListEntry, ...] = Field((), description="lists that are kept here and not read; note says why")
    list_fallbacks: Texts = Field(
        (), description="addresses tried when a list fails; {item_id} and {page} are filled in"
    )
    paging: Paging | None = Field(None, description="further pages of a list")
    list: ListOptions = Field(default_factory=empty(ListOptions), description="how rows are read")
    xhr_list: XhrList | None = Field(None, description="how lists marked xhr_json are read")
    feed: FeedOptions = Field(default_factory=empty(FeedOptions), description="kind feed: what is unusual")
    sitemap: SitemapOptions = Field(default_factory=empty(SitemapOptions), description="kind sitemap: what is read")
    wordpress: WordPressOptions = Field(
        default_factory=empty(WordPressOptions), description="kind wordpress: where fields lie"
    )
    article: ArticleOptions = Field(default_factory=empty(ArticleOptions), description="how a document is read")
    discover_unit: Discover | None = Field(None, description="where a shell page hides the address of its list")
    html_fallback: HtmlFallback | None = Field(None, description="a page of links, read when the interface fails")
    expect: Expect = Field(description="what a healthy poll looks like")

    @property
    def spider_class(self) -> str:
        """The name of the spider's own class, or "" for a generic one."""
        return self.spider.removeprefix("custom:") if self.spider.startswith("custom:") else ""

    @property
    def shown_outlet(self) -> str:
        """The publisher's name for documents that name none."""
        return self.outlet or self.issuer or self.name

    @property
    def hosts(self) -> tuple[str, ...]:
        """All hosts that may be asked (names, or `*.name` for a host and all below it), in a fixed order."""
        urls = [self.base_url, *self.mirrors, *self.list_fallbacks]
        urls += [url for entry in self.lists for url in (entry.url, entry.page_url) if url]
        urls += [self.html_fallback.url] if self.html_fallback else []
        for options in (self.list, self.xhr_list):
            urls += (
                [u for u in (options.detail_url, options.detail_url_fallback, options.public_url) if u]
                if options
                else []
            )
        urls += [self.article.full_text_api] if self.article.full_text_api else []
        found = [urlsplit(url).hostname or "" for url in urls]
        return tuple(dict.fromkeys(h for h in [*found, *self.allowed_hosts] if h))

    def allows(self, url_or_host: str) -> bool:
        """Whether an address (or a bare host name) is on a host of this source."""
        try:
            host = urlsplit(url_or_host).hostname if "//" in url_or_host else url_or_host.lower()
        except ValueError:
            return False
        if not host:
            return False
        host = host.rstrip(".")
        return any(
            host == known.removeprefix("*.") or (known.startswith("*.") and host.endswith(known[1:]))
            for known in self.hosts
        )


def load_sources(directory: Path) -> dict[str, Source]:
    """All sources of `directory`/sources.yaml by id, in the order of the file; raises ConfigError."""
    from config.merging import complete
    from config.selectors import check_source

    document = load(directory / FILE)
    if not isinstance(document, Map):
        raise ConfigError(FILE, 1, "the file must hold the keys version, defaults, templates and sources")
    for key in document:
        if key not in ("version", "defaults", "templates", "sources"):
            line = document.lines[key]
            raise ConfigError(
                FILE, line, f"unknown key {key!r}{hint(key, ('version', 'defaults', 'templates', 'sources'))}"
            )
    if document.get("version") != 1:
        raise ConfigError(FILE, document.lines.get("version", 1), "version: must be 1, the only form of this file")
    return complete(document, FILE, check_source)
