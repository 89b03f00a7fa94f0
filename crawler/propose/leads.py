"""Reads from a page and its robots.txt where the site's feeds, sitemaps and interfaces may be; nothing is asked here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from pipelines.content import to_text
from pipelines.lists.selectors import parse_html

# kinds of a lead: what would be read at its address
FEED, SITEMAP, WORDPRESS, UNIT = "feed", "sitemap", "wordpress", "json-api"
_FEED_TYPES = re.compile(r"application/(?:rss\+xml|atom\+xml|feed\+json|rdf\+xml|json)|text/xml", re.I)
_FEED_HREF = re.compile(
    r"(?:/feed/?|/rss/?|\.rss|/?(?:rss|atom|feed|index)\.xml|/feed\.json|/rss\w*\.(?:xml|html?|jsp|php))(?:\?.*)?$",
    re.I,
)
_NOT_FEED = re.compile(r"comments?/feed|oembed|wp-json|manifest|opensearch|xmlrpc", re.I)
# addresses that publishing systems use, asked only where the page names none
_FEED_GUESSES = ("/feed/", "/rss.xml", "/atom.xml")
_SITEMAP_GUESSES = ("/news-sitemap.xml", "/sitemap-news.xml", "/sitemap.xml")
_WORDPRESS = re.compile(r"/wp-content/|/wp-includes/|wp-json|<meta[^>]+generator[^>]+WordPress|api\.w\.org", re.I)


@dataclass(frozen=True, slots=True)
class Lead:
    """An address that may hold a list of the site's documents, of which kind, and how it was found."""

    kind: str
    url: str
    how: str
    title: str = ""


def of_page(body: bytes, url: str, content_type: str, robots: str) -> list[Lead]:
    """Leads of a page, the surest first."""
    text = to_text(body, content_type).text
    root = parse_html(text)
    found: list[Lead] = []
    found += _units(text, url)
    if _WORDPRESS.search(text):
        found += _wordpress(root, url)
    feeds = _feeds(root, url)
    found += feeds or [Lead(FEED, urljoin(url, g), "a usual address") for g in _FEED_GUESSES]
    named = re.findall(r"(?im)^\s*sitemap\s*:\s*(\S+)", robots)
    told = [Lead(SITEMAP, urljoin(url, s), "named in robots.txt") for s in named]
    told.sort(key=lambda lead: "news" not in lead.url.lower())
    found += told[:3] or [Lead(SITEMAP, urljoin(url, g), "a usual address") for g in _SITEMAP_GUESSES]
    return list({lead.url: lead for lead in reversed(found)}.values())[::-1]


def itself(body: bytes, url: str) -> Lead | None:
    """The given address where it is a feed or a sitemap already."""
    head = body[:3000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if body[:2] == b"\x1f\x8b" or b"<urlset" in head or b"<sitemapindex" in head:
        return Lead(SITEMAP, url, "the address itself is a sitemap")
    if (b"<rss" in head or b"<feed" in head or b"<rdf:rdf" in head) and b"<html" not in head:
        return Lead(FEED, url, "the address itself is a feed")
    if head.startswith(b"{") and b"jsonfeed.org" in head:
        return Lead(FEED, url, "the address itself is a feed")
    return None


def _feeds(root: object, url: str) -> list[Lead]:
    found = []
    for node in root.iter("link"):  # type: ignore[attr-defined]
        if "alternate" in (node.get("rel") or "").lower() and _FEED_TYPES.search(node.get("type") or ""):
            href = node.get("href") or ""
            if href and not _NOT_FEED.search(href):
                found.append(Lead(FEED, urljoin(url, href), "named in the page's head", node.get("title") or ""))
    if not found:
        for node in root.iter("a"):  # type: ignore[attr-defined]
            href = (node.get("href") or "").strip()
            if _FEED_HREF.search(href) and not _NOT_FEED.search(href):
                found.append(Lead(FEED, urljoin(url, href), "linked on the page", "".join(node.itertext()).strip()))
    host = urlsplit(url).hostname or ""
    # the feed of the page's own column before those of others
    found.sort(key=lambda lead: (urlsplit(lead.url).hostname != host, not lead.url.startswith(url.rstrip("/"))))
    return found[:4]


def _wordpress(root: object, url: str) -> list[Lead]:
    base = urljoin(url, "/wp-json/")
    for node in root.iter("link"):  # type: ignore[attr-defined]
        if "api.w.org" in (node.get("rel") or ""):
            base = urljoin(url, node.get("href") or "/wp-json/")
    joint = "&" if "?" in base else "?"
    return [
        Lead(
            WORDPRESS,
            f"{base.rstrip('/') if '?' not in base else base}/wp/v2/posts{joint}per_page=20",
            "the page is made by WordPress",
        )
    ]


def _units(text: str, url: str) -> list[Lead]:
    """The build unit of the jpaas platform: a script tag holds the address and the query of the list."""
    if "querydata" not in text.lower() and "build/unit" not in text:
        return []
    from config.options import Discover
    from crawler.spiders.miit import unit_url

    found = []
    for css in ("script[parsetype][url][querydata]", "[url][querydata]"):
        address = unit_url(text, url, Discover(css=css, url_attr="url", query_attr="querydata"))
        if address:
            found.append(Lead(UNIT, address, "the list unit that the page's script asks (jpaas)"))
            break
    return found
