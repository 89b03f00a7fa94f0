"""RSS and news sitemaps, with the small differences that the sites have."""

from __future__ import annotations

import datetime as dt
import email.utils
import gzip
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from .markup import esc
from .wire import Response

if TYPE_CHECKING:
    from .sites.base import Placed

NEWS = "http://www.google.com/schemas/sitemap-news/0.9"


def rfc822(moment: dt.datetime) -> str:
    return email.utils.format_datetime(moment)


def rss(
    rows: Iterable[Placed],
    title: str,
    link: Callable[[Placed], str],
    *,
    date_tag: str = "pubDate",
    date: Callable[[dt.datetime], str] = rfc822,
    cdata: bool = False,
    extra: Callable[[Placed], str] = lambda placed: "",
    content_type: str = "text/xml; charset=utf-8",
    validators: bool = False,
    compress: str | None = None,
) -> Response:
    """An RSS 2.0 document; `date_tag` and `date` say how the site tells dates."""
    shown = list(rows)
    text = (lambda value: f"<![CDATA[{value}]]>") if cdata else esc
    items = "".join(
        f"<item><title>{text(one.title)}</title><link>{esc(link(one))}</link>"
        f"<description>{text(one.doc.lead)}</description><{date_tag}>{date(one.doc.published)}</{date_tag}>"
        f'<guid isPermaLink="false">{esc(link(one))}</guid>{extra(one)}</item>\n'
        for one in shown
    )
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        f' xmlns:media="http://search.yahoo.com/mrss/"><channel><title>{esc(title)}</title>\n{items}</channel></rss>'
    )
    newest = max((one.doc.published.timestamp() for one in shown), default=0.0) if validators else None
    return Response(body.encode(), content_type, validators=validators, modified=newest, compress=compress)


def news_sitemap(rows: Iterable[Placed], publication: str, language: str) -> Response:
    items = "".join(
        f"<url><loc>{esc(one.url)}</loc><news:news><news:publication><news:name>{publication}</news:name>"
        f"<news:language>{language}</news:language></news:publication>"
        f"<news:publication_date>{one.doc.published.isoformat()}</news:publication_date>"
        f"<news:title>{esc(one.title)}</news:title></news:news></url>\n"
        for one in rows
    )
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        f' xmlns:news="{NEWS}">\n{items}</urlset>'
    )
    return Response(body.encode(), "application/xml")


def sitemap_index(locations: Iterable[str]) -> Response:
    items = "".join(f"<sitemap><loc>{esc(one)}</loc></sitemap>\n" for one in locations)
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{items}</sitemapindex>'
    return Response(body.encode(), "application/xml")


def gzipped(response: Response) -> Response:
    """A .xml.gz: the file itself is gzip, not its way over the wire."""
    return Response(gzip.compress(response.body, mtime=0), "application/x-gzip")
