"""trulynews.cn: a WordPress site with plain permalinks, the home of the seed page /?p=711."""

from __future__ import annotations

import datetime as dt
import email.utils
import math
from typing import Any, ClassVar

from .. import markup
from ..markup import esc
from ..wire import Request, Response, as_json, redirect
from .base import Placed, Site, pages_of

BASE = "https://trulynews.cn"
SEED_DAY, SEED_NUMBER = dt.date(2024, 4, 21), 711
RENDERED = "Mon. Dec 23rd, 2024"  # the theme prints the day of rendering at the top of every page


class Trulynews(Site):
    hosts = ("trulynews.cn", "www.trulynews.cn")
    sources: ClassVar = {"trulynews": ("REST posts", "REST without pretty permalinks", "feed")}
    robots = "User-agent: *\nDisallow: /wp-admin/\nAllow: /wp-admin/admin-ajax.php\n\nSitemap: https://trulynews.cn/wp-sitemap.xml\n"
    compress = "gzip"
    chunked = True

    def post_id(self, placed: Placed) -> int:
        if placed.doc.published.date() == SEED_DAY and placed.doc.key == self._seed_key():
            return SEED_NUMBER
        return placed.number(1_000, 99_999)

    def _seed_key(self) -> str | None:
        """Of the documents of the seed's day one gets the seed's number."""
        mine = [
            doc.key
            for doc in self.world.docs.values()
            if doc.published.date() == SEED_DAY and any(entry.source == "trulynews" for entry in doc.entries)
        ]
        return min(mine, default=None)

    def article_url(self, placed: Placed) -> str:
        return f"{BASE}/?p={self.post_id(placed)}"

    def lists(self, request: Request) -> Response | None:
        query = request.query
        if request.host.startswith("www."):
            return redirect(f"{BASE}{request.target}")
        route = query.get("rest_route") or (request.path.removeprefix("/wp-json") if "/wp-json" in request.path else "")
        if route.rstrip("/") == "/wp/v2/posts":
            return self._posts(query)
        if route.startswith("/wp/v2/posts/"):
            one = self._by_id().get(route.rsplit("/", 1)[1])
            missing = {"code": "rest_post_invalid_id", "message": "Invalid post ID.", "data": {"status": 404}}
            return as_json(self._post(one)) if one else as_json(missing, status=404)
        if query.get("feed") == "rss2" or request.path.rstrip("/") == "/feed":
            return self._feed()
        if "p" in query:
            found = self._by_id().get(query["p"])
            return self.article(found, request) if found else None
        if request.path == "/":
            return self._home()
        return None

    def _by_id(self) -> dict[str, Placed]:
        if "by_id" not in self.index.memo:
            self.index.memo["by_id"] = {str(self.post_id(one)): one for one in self.index.placed}
        found: dict[str, Placed] = self.index.memo["by_id"]
        return found

    def _posts(self, query: dict[str, str]) -> Response:
        rows = self.index.placed
        if after := query.get("after"):
            moment = dt.datetime.fromisoformat(after.replace("Z", "+00:00")).replace(tzinfo=None)
            rows = [one for one in rows if _gmt(one) > moment]
        size, page = int(query.get("per_page", "10")), int(query.get("page", "1"))
        pages = math.ceil(len(rows) / size)
        if page > max(pages, 1):
            wrong = {"code": "rest_post_invalid_page_number", "message": "The page number requested is larger than"
                     " the number of pages available.", "data": {"status": 400}}  # fmt: skip
            return as_json(wrong, "application/json; charset=UTF-8", status=400)
        totals = [("X-WP-Total", str(len(rows))), ("X-WP-TotalPages", str(pages))]
        posts = [self._post(one) for one in pages_of(rows, size, page)]
        return as_json(posts, "application/json; charset=UTF-8", headers=totals, compress="gzip", chunked=True)

    def _post(self, placed: Placed) -> dict[str, Any]:
        doc, number = placed.doc, self.post_id(placed)
        stamp = f"{doc.published:%Y-%m-%dT%H:%M:%S}"
        gmt = f"{_gmt(placed):%Y-%m-%dT%H:%M:%S}"
        return {
            "id": number,
            "date": stamp,
            "date_gmt": gmt,
            "guid": {"rendered": f"{BASE}/?p={number}"},
            "modified": stamp,
            "modified_gmt": gmt,
            "slug": f"post-{number}",
            "status": "publish",
            "type": "post",
            "link": f"{BASE}/?p={number}",
            "title": {"rendered": _texturized(placed.title)},
            "content": {"rendered": self._content(placed), "protected": False},
            "excerpt": {"rendered": f"<p>{_texturized(doc.lead)} [&hellip;]</p>\n", "protected": False},
            "author": 1,
            "featured_media": 0,
            "categories": [1],
            "tags": [],
            "_embedded": {
                "author": [{"id": 1, "name": "TrulyNews", "slug": "trulynews"}],
                "wp:term": [[{"id": 1, "name": "News", "taxonomy": "category"}]],
            },
        }

    def _content(self, placed: Placed) -> str:
        caption = placed.options.get("caption")
        figure = (
            f'<figure class="wp-block-image"><img src="{BASE}/wp-content/uploads/a.jpg" alt=""/></figure>\n<p>{esc(caption)}</p>\n'
            if caption
            else ""
        )
        body = markup.paragraphs(placed.doc.blocks, p="<p>{}</p>\n", h="<h2>{}</h2>\n")
        byline = f"\n<p>{esc(placed.doc.author)}</p>\n" if placed.doc.author else ""
        return figure + body + byline

    def _feed(self) -> Response:
        items = ""
        for one in self.index.placed[:10]:
            items += (
                f"<item><title>{_texturized(one.title)}</title><link>{esc(one.url)}</link>"
                "<dc:creator><![CDATA[TrulyNews]]></dc:creator>"
                f"<pubDate>{email.utils.format_datetime(_gmt(one).replace(tzinfo=dt.UTC))}</pubDate>"
                f'<guid isPermaLink="false">{esc(one.url)}</guid><description><![CDATA[{one.doc.lead}]]></description>'
                f"<content:encoded><![CDATA[{self._content(one)}]]></content:encoded></item>\n"
            )
        text = (
            '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
            ' xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Truly News</title>'
            f"<link>{BASE}</link><description></description><generator>https://wordpress.org/?v=6.5</generator>\n{items}</channel></rss>"
        )
        return Response(text.encode(), "application/rss+xml; charset=UTF-8", compress="gzip")

    def _home(self) -> Response:
        cards = "".join(
            f'<article class="mg-posts-sec-post"><h4 class="entry-title title"><a href="{one.url}">{esc(one.title)}</a></h4>'
            f'<span class="mg-blog-date">{_shown(one)}</span></article>'
            for one in self.index.placed[:20]
        )
        return self.page(PAGE.format(title="Truly News", rendered=RENDERED, main=cards))

    def article(self, placed: Placed, request: Request) -> Response:
        title = esc(placed.title)
        main = ARTICLE.format(title=title, day=_shown(placed), url=placed.url, body=self._content(placed))
        return self.page(PAGE.format(title=f"{title} &#8211; Truly News", rendered=RENDERED, main=main), placed)


def _gmt(placed: Placed) -> dt.datetime:
    return placed.doc.published.astimezone(dt.UTC).replace(tzinfo=None)


def _shown(placed: Placed) -> str:
    return f"{placed.doc.published:%b} {placed.doc.published.day}, {placed.doc.published.year}"


def _texturized(text: str) -> str:
    """WordPress writes typographic quotes as numeric entities."""
    return esc(text).replace("&#x27;", "&#8217;").replace("’", "&#8217;").replace(" - ", " &#8211; ")


PAGE = """<!DOCTYPE html>
<html lang="en-US">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="alternate" type="application/rss+xml" title="Truly News &raquo; Feed" href="https://trulynews.cn/?feed=rss2" />
<link rel="https://api.w.org/" href="https://trulynews.cn/index.php?rest_route=/" />
<meta name="generator" content="WordPress 6.5" />
</head>
<body class="wp-embed-responsive single single-post single-format-standard">
<div id="page" class="site">
<header class="mg-headwidget">
<div class="mg-head-detail hidden-xs"><div class="container-fluid"><ul class="info-left"><li>{rendered}<span class="time"></span></li></ul></div></div>
<div class="site-branding-text"><p class="site-title"><a href="https://trulynews.cn/" rel="home">Truly News</a></p></div>
<nav class="navbar"><ul id="menu" class="nav navbar-nav"><li><a href="https://trulynews.cn/">Home</a></li></ul></nav>
</header>
<main id="content" class="single-class content">
{main}
</main>
<aside class="col-md-3"><div id="sidebar-right" class="mg-sidebar"><div class="mg-widget widget_recent_entries"><h6>You missed</h6></div></div></aside>
<footer><p>Copyright &copy; All rights reserved | Newsup by Themeansar.</p></footer>
</div>
</body>
</html>"""

ARTICLE = """<div class="mg-blog-post-box">
<div class="mg-header">
<div class="mg-blog-category"><a class="newsup-categories category-color-1" href="https://trulynews.cn/?cat=1">News</a></div>
<h1 class="title single entry-title"> <a title="Permalink to: {title}">{title}</a></h1>
<div class="media mg-info-author-block"><div class="media-body">
<h4 class="media-heading"><span>By</span><a href="https://trulynews.cn/?author=1">TrulyNews</a></h4>
<span class="mg-blog-date"><i class="fas fa-clock"></i> {day}</span>
</div></div>
</div>
<article class="page-content-single small single entry-content">
{body}
<div class="post-share"><a href="https://www.facebook.com/sharer.php?u={url}"></a></div>
</article>
</div>"""

SITES = (Trulynews,)
