"""One spider class per kind of list; a source without an own class is crawled by that of its kind."""

from __future__ import annotations

from crawler.spiders.base import SourceSpider


class HtmlListSpider(SourceSpider):
    """Static list pages, page by page."""


class JsonApiSpider(SourceSpider):
    """Lists that are JSON. Documents are pages, unless a row carries its text or has an address of its own for JSON."""

    accept = "application/json, text/html;q=0.9, */*;q=0.8"


class WordPressSpider(JsonApiSpider):
    """WordPress: REST posts carry their text; where REST is closed, the lists marked `fallback` (the feed) are read."""


class FeedSpider(SourceSpider):
    """RSS, Atom, JSON Feed."""

    accept = "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.8"


class SitemapSpider(SourceSpider):
    """Sitemaps and their indexes."""

    counts_all_pages = True
    accept = "application/xml, text/xml;q=0.9, */*;q=0.8"


KINDS: dict[str, type[SourceSpider]] = {
    "html-list": HtmlListSpider,
    "json-api": JsonApiSpider,
    "wordpress": WordPressSpider,
    "feed": FeedSpider,
    "sitemap": SitemapSpider,
}
