"""English media: China Daily, Global Times, CGTN with feeds and news sitemaps, SCMP's feeds, ECNS, Yicai Global's refusal."""

from __future__ import annotations

import datetime as dt
import re
from typing import ClassVar

from .. import feeds, markup
from ..markup import esc
from ..wire import Request, Response, as_json, redirect
from .base import Placed, Site, page_count, pages_of


def slug(title: str, words: int = 8) -> str:
    return "-".join(re.findall(r"[A-Za-z0-9]+", title)[:words])


class ChinaDaily(Site):
    hosts = ("www.chinadaily.com.cn", "global.chinadaily.com.cn", "europe.chinadaily.com.cn", "usa.chinadaily.com.cn")
    sources: ClassVar = {
        "chinadaily_business": ("Economy", "Money", "Industries", "Companies", "Tech", "Govt and policy"),
        "chinadaily_rss": ("BizChina", "China"),
    }
    folders: ClassVar = {
        "Economy": "/business/economy",
        "Money": "/business/money",
        "Industries": "/business/biz_industries",
        "Companies": "/business/companies",
        "Tech": "/business/tech",
        "Govt and policy": "/china/governmentandpolicy",
    }
    robots = "User-agent: *\nDisallow: /hqzx/\n"
    https_only = False  # the dead feeds are read over http
    compress = "gzip"
    chunked = True
    size = 20

    def article_url(self, placed: Placed) -> str:
        return f"https://www.chinadaily.com.cn/a/{placed.doc.published:%Y%m/%d}/WS{placed.hex(24)}.html"

    def lists(self, request: Request) -> Response | None:
        if request.path.startswith("/rss/"):
            return self._dead_feed(request.path)
        if found := re.fullmatch(r"(/.+?)(?:/(?:page_(\d+)\.html)?)?", request.path):
            for section, folder in self.folders.items():
                if found[1] == folder:
                    return self._list(section, int(found[2] or 1))
        if found := re.fullmatch(r"(/a/.+)_2\.html", request.path):
            placed = self.index.pages.get(f"www.chinadaily.com.cn{found[1]}.html")
            return self._part(placed, 2) if placed and self._split(placed) else None
        return None

    def _list(self, section: str, page: int) -> Response | None:
        rows = self.rows("chinadaily_business", section)
        if page > page_count(rows, self.size):
            return None
        items = "".join(
            f'<div class="mb10 tw3_01_2"><span class="tw3_01_2_p"><a shape="rect" href="{self._href(one)}"><img src="//img2.chinadaily.com.cn/a.jpeg" /></a></span>'
            f'<span class="tw3_01_2_t"><h4><a shape="rect" href="{self._href(one)}">{esc(one.title)}</a></h4><b>{one.doc.published:%Y-%m-%d %H:%M}</b></span></div>\n'
            for one in pages_of(rows, self.size, page)
        )
        following = (
            f'<a class="pagestyle" href="page_{page + 1}.html">Next</a>' if page < page_count(rows, self.size) else ""
        )
        return self.page(CD_LIST.format(section=section, items=items, next=following))

    def _href(self, placed: Placed) -> str:
        return str(placed.options.get("link") or placed.url.removeprefix("https:"))  # protocol-relative

    def _dead_feed(self, path: str) -> Response | None:
        """Answers 200 with valid XML whose newest item is of 2017 and has no date."""
        items = "".join(
            f"<item><title>Old news number {i}</title><link>http://www.chinadaily.com.cn/bizchina/2017-09/{i:02d}/content_3190{i:04d}.htm</link><description></description></item>"
            for i in range(1, 31)
        )
        if path not in ("/rss/bizchina_rss.xml", "/rss/china_rss.xml"):
            return None
        return Response(
            f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>BizChina</title>{items}</channel></rss>'.encode(),
            "text/xml",
        )

    def _split(self, placed: Placed) -> bool:
        return bool(placed.options.get("pages"))

    def article(self, placed: Placed, request: Request) -> Response:
        return self._part(placed, 1)

    def _part(self, placed: Placed, part: int) -> Response:
        doc, blocks, pager = placed.doc, placed.doc.blocks, ""
        if self._split(placed):
            half = -(-len(blocks) // 2)
            blocks = blocks[:half] if part == 1 else blocks[half:]
            name = placed.path.rsplit("/", 1)[1].removesuffix(".html")
            pager = (
                f'<div id="div_currpage"><span>{part}</span> <a href="{name}_2.html">Next</a></div>'
                if part == 1
                else f'<div id="div_currpage"><a href="{name}.html">Previous</a> <span>2</span></div>'
            )
        # some pages tell the year of the Buddhist era
        year = doc.published.year + (543 if int(placed.hex(4), 16) % 4 == 0 else 0)
        text = CD_PAGE.format(
            title=esc(placed.title),
            day=f"{year}-{doc.published:%m-%d}",
            author=f"By {esc(doc.author)} | " if doc.author else "",
            outlet=esc(doc.outlet or "China Daily"),
            moment=f"{doc.published:%Y-%m-%d %H:%M}",
            caption=esc(placed.options.get("caption") or ""),
            body=markup.paragraphs(blocks, p="<p>{}</p>", h="<p><strong>{}</strong></p>"),
            pager=pager,
        )
        return self.page(text, placed)


CD_LIST = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{section} - Chinadaily.com.cn</title></head>
<body><div class="topBar"></div><div class="main_art"><div class="lft_art lf" id="left">
{items}<div id="div_currpage">{next}</div></div></div></body></html>"""

CD_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<title>{title} - Chinadaily.com.cn</title>
<meta property="og:title" content="{title}"/>
<meta name="publishdate" content="{day}"/>
<meta name="source" content="{outlet}"/>
<meta name="author" content="editor"/>
</head>
<body><div class="main_art"><div class="lft_art" id="lft-art">
<h1>{title}</h1>
<div class="info"><span class="info_l">{author}{outlet} | Updated: {moment}</span><span class="share">Share</span></div>
<div id="Content">
<figure class="image"><img src="//img2.chinadaily.com.cn/a.jpeg"/><figcaption>{caption}</figcaption></figure>
{body}
</div>
{pager}
<div class="selectpage">Most Viewed</div></div></div></body></html>"""


class GlobalTimes(Site):
    hosts = ("www.globaltimes.cn",)
    sources: ClassVar = {"globaltimes": ("Economy", "Company", "Insight", "GT Voice")}
    folders: ClassVar = {"Economy": "economy", "Company": "company", "Insight": "insight", "GT Voice": "gt-voice"}
    robots = "User-agent: *\nDisallow: /db/\n"

    def article_url(self, placed: Placed) -> str:
        return f"https://www.globaltimes.cn/page/{placed.stamp[:6]}/{placed.number(1_310_000, 1_399_999)}.shtml"

    def lists(self, request: Request) -> Response | None:
        for section, folder in self.folders.items():
            if request.path in (f"/source/{folder}/index.html", f"/source/{folder}/"):
                return self._list(section)
        return None

    def _list(self, section: str) -> Response:
        items = "".join(
            f'<div class="list_info"><a class="new_title_ms" href="{one.url}" target="_blank">{esc(one.title)}</a>'
            f"<p>{esc(markup.cut(one.doc.lead, 120))}</p>"
            f'<div class="source_time">By {esc(one.doc.author or "Global Times")}  |  {_gt_time(one.doc.published)}</div></div>\n'
            for one in self.rows("globaltimes", section)[:30]
        )
        return self.page(GT_LIST.format(section=section, items=items))

    def article(self, placed: Placed, request: Request) -> Response:
        doc = placed.doc
        caption = placed.options.get("caption")
        picture = (
            f'<center><img id="790152" alt="{esc(caption)}" src="https://www.globaltimes.cn/Portals/0/attachment/a.jpeg" /></center>\n<p class="picture" style="font-size: 13px; color: #999">{esc(caption)}</p><br />'
            if caption
            else ""
        )
        body = "<br /><br />".join(
            markup.table(part) if kind == "table" else f"<b>{esc(part)}</b>" if kind == "h" else esc(part)
            for kind, part in doc.blocks
        )
        text = GT_PAGE.format(
            title=esc(placed.title),
            author=esc(doc.author or doc.outlet or "Global Times"),
            section=placed.entry.section.upper(),
            moment=f"{doc.published:%b %d, %Y %I:%M %p}",
            updated=f"Updated: {doc.published + dt.timedelta(minutes=9):%b %d, %Y %I:%M %p}"
            if int(placed.hex(4), 16) % 3 == 0
            else "",
            lead=esc(doc.lead),
            url=placed.url,
            body=picture + body,
        )
        return self.page(text, placed)


def _gt_time(moment: dt.datetime) -> str:
    return f"{moment.year}/{moment.month}/{moment.day} {moment:%H:%M:%S}"


GT_LIST = """<!DOCTYPE html>
<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8" /><title>{section} - Global Times</title></head>
<body><div class="container"><div class="row"><div class="level01_list">
{items}</div></div></div></body></html>"""

GT_PAGE = """<!DOCTYPE html
    PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
<head>
    <meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
    <title>{title} - Global Times</title>
    <meta id="MetaDescription" name="DESCRIPTION" content="{lead}" />
    <meta id="MetaAuthor" name="AUTHOR" content="Global Times" />
    <meta id="channel_name" content="SOURCE,{section}" />
    <meta id="author_name" content="{author}" />
    <meta name="twitter:url" content="{url}">
    <meta name="twitter:title" content="{title}">
    <script> load_file("/includes-n/article_head.html"); </script>
</head>
<body>
    <div class="container article_section"><div class="row"><div class="article_page">
                <div class="article_left"><ul class="article_left_share share_section"></ul></div>
                <div class="article">
                    <div class="article_top">
                        <div class="article_column"><span class="cloumm_level_one"><a href="https://www.globaltimes.cn/source/index.html" target="_blank">SOURCE</a></span>&nbsp;/&nbsp;<span class="cloumm_level_two"><a href="#" target="_blank">{section}</a></span></div>
                        <div class="article_title">{title}</div>
                        <div class="author_share">
                            <div class="author_share_left"><span class="byline">By {author} </span><span
                                    class="pub_time">Published: {moment} {updated}</span> </div>
                        </div>
                    </div>
                    <div class="article_content">
                        <div class="article_right"> {body}<br /><br /> <br>
                        </div>
                    </div>
                    <div class="article_footer"><div class="article_footer_share share_section"></div></div>
                </div>
    </div></div></div>
</body>
</html>"""


class Cgtn(Site):
    hosts = ("www.cgtn.com", "news.cgtn.com")
    sources: ClassVar = {"cgtn_rss": ("Business", "China", "Tech"), "cgtn_sitemap": ("news sitemap", "latest")}
    feeds: ClassVar = {"business": "Business", "china": "China", "tech-sci": "Tech"}
    robots = "User-agent: *\nDisallow: /*.do\nSitemap: https://www.cgtn.com/sitemap_index.xml\n"
    compress = "gzip"

    def article_url(self, placed: Placed) -> str:
        name = f"{slug(placed.title)}-1{placed.hex(10)}"
        return f"https://news.cgtn.com/news/{placed.doc.published:%Y-%m-%d}/{name}/index.html"

    def lists(self, request: Request) -> Response | None:
        if found := re.fullmatch(r"/subscribe/rss/section/([\w-]+)\.xml", request.path):
            section = self.feeds.get(found[1])
            rows = self.rows("cgtn_rss", section)[:50] if section else []
            return (
                feeds.rss(rows, f"CGTN {section}", lambda one: one.url, cdata=True, compress="gzip")
                if section
                else None
            )
        maps = {"/sitemap_news.xml": 100, "/sitemap_latestnews.xml": 30}
        if request.path in maps:
            return feeds.news_sitemap(self.index.placed[: maps[request.path]], "CGTN", "en")
        if request.path == "/sitemap_index.xml":
            return feeds.sitemap_index(
                f"https://www.cgtn.com/{name}" for name in ("sitemap_news.xml", "sitemap_archive.xml.gz")
            )
        if request.path == "/sitemap_archive.xml.gz":
            return feeds.gzipped(feeds.news_sitemap(self.index.placed, "CGTN", "en"))
        if request.path.endswith("/p.html"):
            placed = self.index.pages.get(f"news.cgtn.com{request.path.removesuffix('p.html')}index.html")
            return self.article(placed, request) if placed else None
        return None

    def article(self, placed: Placed, request: Request) -> Response:
        doc = placed.doc
        body = (
            ""
            if placed.options.get("video")
            else markup.paragraphs(doc.blocks, p="<p>{}</p>", h="<p><strong>{}</strong></p>")
        )
        text = CGTN_PAGE.format(
            title=esc(placed.title),
            moment=f"{doc.published:%H:%M, %d-%b-%Y}",
            author=esc(doc.author or "CGTN"),
            body=body,
        )
        return self.page(text, placed)


CGTN_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title} - CGTN</title><meta property="og:title" content="{title}"/></head>
<body><div class="m-content"><div class="news-title">{title}</div>
<div class="news-author-date"><span class="news-author">{author}</span> <span class="news-section-date">{moment}</span></div>
<div id="cmsMainContent" class="content"><div class="cmsImage"><img src="https://news.cgtn.com/a.png"/></div>
<div class="text  en" data-content="1">{body}</div></div>
<div class="m-copyright">Copyright</div></div></body></html>"""


class Scmp(Site):
    hosts = ("www.scmp.com",)
    sources: ClassVar = {"scmp_rss": ("China economy", "Business", "China", "Tech")}
    feeds: ClassVar = {"318421": "China economy", "92": "Business", "4": "China", "36": "Tech"}
    folders: ClassVar = {
        "China economy": "economy/china-economy",
        "Business": "business",
        "China": "news/china",
        "Tech": "tech",
    }
    robots = "User-agent: *\nDisallow: /search\nDisallow: /node/\n"

    def article_url(self, placed: Placed) -> str:
        folder = self.folders[placed.entry.section]
        return f"https://www.scmp.com/{folder}/article/{placed.number(3_300_000, 3_399_999)}/{slug(placed.title.lower(), 10)}"

    def lists(self, request: Request) -> Response | None:
        found = re.fullmatch(r"/rss/(\d+)/feed(/?)", request.path)
        if not found or found[1] not in self.feeds:
            return None
        if not found[2]:
            return redirect(f"https://www.scmp.com{request.path}/")
        section = self.feeds[found[1]]
        return feeds.rss(
            self.rows("scmp_rss", section)[:50],
            section,
            lambda one: f"{one.url}?utm_source=rss_feed",
            extra=lambda one: f"<author>{esc(one.doc.author)}</author>" if one.doc.author else "",
            validators=True,
        )

    def article(self, placed: Placed, request: Request) -> Response:
        """Article pages refuse anything that is not a browser."""
        return Response(
            b"<html><head><title>Access Denied</title></head><body>Access Denied</body></html>", "text/html", 403
        )


class Ecns(Site):
    hosts = ("www.ecns.cn",)
    sources: ClassVar = {"ecns_rss": ("all",)}
    https_only = False

    def article_url(self, placed: Placed) -> str:
        return f"http://www.ecns.cn/business/{placed.doc.published:%Y-%m-%d}/detail-ihe{placed.hex(9)}.shtml"

    def lists(self, request: Request) -> Response | None:
        return (
            feeds.rss(self.rows("ecns_rss")[:30], "ECNS", lambda one: one.url)
            if request.path == "/rss/rss.xml"
            else None
        )

    def article(self, placed: Placed, request: Request) -> Response:
        body = markup.paragraphs(placed.doc.blocks, p="<p>{}</p>")
        return self.page(
            f'<html><head><meta charset="utf-8"><title>{esc(placed.title)}</title></head><body><h1>{esc(placed.title)}</h1><div class="content">{body}</div></body></html>'
        )


class YicaiGlobal(Site):
    """Every call needs a signature since 2026; without one the answer is a refusal."""

    hosts = ("www.yicaiglobal.com",)
    sources: ClassVar = {"yicai_global": ("news 3", "news 4", "news 5")}

    def article_url(self, placed: Placed) -> str:
        return f"https://www.yicaiglobal.com/news/{slug(placed.title.lower())}"

    def lists(self, request: Request) -> Response | None:
        if request.path == "/api/getNewsList":
            return as_json({"status": -1, "msg": "invalid sign"}, status=403)
        return None

    def article(self, placed: Placed, request: Request) -> Response:
        body = markup.paragraphs(placed.doc.blocks, p="<p>{}</p>")
        return self.page(
            f'<html><head><meta charset="utf-8"></head><body><h1>{esc(placed.title)}</h1><div id="news-body">{body}</div></body></html>'
        )


SITES = (ChinaDaily, GlobalTimes, Cgtn, Scmp, Ecns, YicaiGlobal)
