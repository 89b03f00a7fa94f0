"""www.news.cn with its datasource lists, and english.news.cn with lists in HTML and the same data as JSON."""

from __future__ import annotations

import re
from typing import ClassVar

from .. import markup
from ..markup import esc
from ..wire import Request, Response, as_json
from ..world import hexadecimal
from .base import Placed, Site

SECTIONS = {
    "财经": ("/fortune/", "b53aac3e4e6342f699a9e2acdd0ee8fd"),
    "科技": ("/tech/", "fd79514d92f34849bc8baef7ce3d5aae"),
    "中央文件": ("/politics/zywj/", "fa4d1c1ddde34b3eb63719d67879d727"),
}
LIMIT = 1000


class Xinhua(Site):
    hosts = ("www.news.cn", "news.cn", "www.xinhuanet.com")
    sources: ClassVar = {"xinhua_zh": tuple(SECTIONS)}
    compress = "gzip"
    chunked = True
    content_type = "text/html"

    def article_url(self, placed: Placed) -> str:
        return f"https://www.news.cn{SECTIONS[placed.entry.section][0]}{placed.stamp}/{placed.hex()}/c.html"

    def lists(self, request: Request) -> Response | None:
        for section, (folder, source) in SECTIONS.items():
            if request.path == f"{folder}ds_{source}.json":
                return self._datasource(section, folder)
            if request.path in (folder, f"{folder}index.htm", f"{folder}index.html"):
                return self._column(section, folder, source)
        return None

    def _datasource(self, section: str, folder: str) -> Response:
        rows = []
        for one in self.rows("xinhua_zh", section)[:LIMIT]:
            link = one.options.get("link")
            rows.append(
                {
                    "title": one.title,
                    "showTitle": one.title,
                    "publishUrl": link or markup.relative(one.path, folder).removeprefix("./"),
                    "publishTime": f"{one.doc.published:%Y-%m-%d %H:%M:%S}",
                    "contentId": one.hex(),
                    "contentType": "Link" if link else "News",
                    "author": one.doc.author,
                    "sourceText": one.doc.outlet or "新华社",
                    "summary": one.doc.lead,
                    "keywords": "",
                }
            )
        return as_json({"datasource": rows}, "application/json", compress="gzip", validators=True)

    def _column(self, section: str, folder: str, source: str) -> Response:
        items = "".join(
            f'<li><a href="{markup.relative(one.path, folder)}" target="_blank">{esc(one.title)}\n</a></li>'
            for one in self.rows("xinhua_zh", section)[:30]
        )
        return self.page(COLUMN.format(section=section, source=source, items=items))

    def article(self, placed: Placed, request: Request) -> Response:
        doc = placed.doc
        text = ZH_PAGE.format(
            title=esc(placed.title),
            id=f"{placed.stamp}{placed.hex()}",
            day=f"{doc.published:%Y-%m-%d}",
            moment=f"{doc.published:%Y-%m-%d %H:%M:%S}",
            year=doc.published.year,
            month=f"{doc.published:%m}",
            date=f"{doc.published:%d}",
            clock=f"{doc.published:%H:%M:%S}",
            source=esc(doc.outlet or "新华网"),
            author=esc(doc.author),
            lead=esc(markup.cut(doc.lead, 60)),
            body=markup.paragraphs(doc.blocks).replace("\n", ""),
        )
        return self.page(text, placed, modified=doc.published.timestamp())


COLUMN = """<!DOCTYPE html><html><head><meta name="pagetype" content="2"> <meta charset="utf-8"> <title>{section}_新华网</title></head>
<body><div class="contener"><div class="rb_box"><ul class="infoList clearfix" data="datasource:{source}" datatype="ds" preview="ds_">{items}</ul></div></div></body></html>"""

ZH_PAGE = """<!DOCTYPE html><html><head><meta name="subject" content=""> <meta name="source" content="{source}"> <meta name="publishedtype" content="1"> <meta name="publishdate" content="{day}"> <meta name="pagetype" content="1"> <meta name="contentid" content="{id}"> <meta name="author" content="{author}"> <meta http-equiv="Content-Type" content="text/html; charset=utf-8"> <div data="datasource:{id}" datatype="content"><meta name="keywords" content=""></div> <div data="datasource:{id}" datatype="content"><meta name="description" content="{title}
{lead}"></div> <title data="datasource:{id}" datatype="content">
            {title}
-新华网
        </title></head> <div class="fix-ewm domPC" data="datasource:{id}" datatype="content"><img src="//www.news.cn/detail2020/images/ewm.png" width="94" alt=""></div> <div class="header domPC" data="datasource:{id}" datatype="content"><div class="header-top clearfix"><div class="header-nav left"><a href="//www.news.cn/" target="_blank">新华网</a> &gt; <a class="curColumn"></a> &gt; 正文</div></div> <div class="header-cont clearfix"><div class="header-time left"><span class="year"><em>{year}</em></span> <span class="day"><em>{month}</em>/<em>{date}</em></span> <span class="time">{clock}</span></div> <div class="source">来源：{source}
            </div> <div class="head-line clearfix"><h1><span class="title">{title}
</span> <span class="btn-audio"></span></h1> <div class="pageShare"><div class="setFont">字体：
                        <span id="fontSmall">小</span> <span id="fontNormal" class="active">中</span> <span id="fontBig">大</span></div></div></div></div></div> <div class="mheader domMobile" data="datasource:{id}" datatype="content"><h1><span class="title">{title}
</span></h1> <div class="info">
            {moment}
            <span>
                来源：{source}
            </span></div></div> <div class="main clearfix"><div class="main-left left"><div id="detail" data="datasource:{id}" datatype="content"><span id="detailContent">{body}</span> <div id="articleEdit"><span class="tiyi1 domPC"><a href="javascript:void(0);" class="advise">【纠错】</a></span> <span class="editor"> 【责任编辑:甲乙】 </span></div></div> <div class="columBox relatedNews" data="datasource:{id}" datatype="content"> <div class="col-cont"><ul></ul></div></div> <div class="nextpage clearfix" style="display:none;"><div class="nextpage-tit">阅读下一篇：</div></div></div> <div class="main-right right"><div class="columBox domPC"><div class="col-tit"><span><a href="http://www.news.cn/depthobserve/index.html" target="_blank">深度观察</a></span></div></div></div></div> <div class="foot"></div></html>"""


EN_SECTIONS = {"China business": "china-business", "Latest": "latestnews", "Sci-tech": "china-science"}


class XinhuaEnglish(Site):
    hosts = ("english.news.cn",)
    sources: ClassVar = {"xinhua_en": tuple(EN_SECTIONS)}
    robots = None
    compress = "gzip"
    content_type = "text/html"

    def article_url(self, placed: Placed) -> str:
        return f"https://english.news.cn/{placed.stamp}/{placed.hex()}/c.html"

    def lists(self, request: Request) -> Response | None:
        for section, name in EN_SECTIONS.items():
            source = hexadecimal("xinhua-en", name)
            if request.path == f"/list/{name}.htm":
                return self._list(section, source)
            if request.path == f"/list/ds_{source}.json":
                rows = [
                    {
                        "title": one.title,
                        "publishUrl": f"..{one.path}",
                        "publishTime": f"{one.doc.published:%Y-%m-%d %H:%M:%S}",
                    }
                    | {"contentId": one.hex(), "contentType": "News", "summary": one.doc.lead, "sourceText": "Xinhua"}
                    for one in self.rows("xinhua_en", section)[:LIMIT]
                ]
                return as_json({"datasource": rows}, "application/json")
        return None

    def _list(self, section: str, source: str) -> Response:
        items = "".join(
            f'<div class="item"><div class="tit"><a href="..{one.path}" target="_blank">{esc(one.title)}</a></div>'
            f'<div class="abs">{esc(markup.cut(one.doc.lead, 140))}</div>'
            f'<div class="info clearfix"><div class="time">{one.doc.published:%Y-%m-%d %H:%M:%S}</div></div></div>\n'
            for one in self.rows("xinhua_en", section)[:50]
        )
        return self.page(EN_LIST.format(section=section, source=source, items=items))

    def article(self, placed: Placed, request: Request) -> Response:
        doc = placed.doc
        text = EN_PAGE.format(
            title=esc(placed.title),
            id=f"{placed.stamp}{placed.hex()}",
            day=f"{doc.published:%Y-%m-%d}",
            moment=f"{doc.published:%Y-%m-%d %H:%M:%S}",
            source=esc(doc.outlet or "Xinhua"),
            body=re.sub(r"\n", "", markup.paragraphs(doc.blocks, p="<p>{}</p>", h="<p><strong>{}</strong></p>")),
        )
        return self.page(text, placed, modified=doc.published.timestamp())


EN_LIST = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>{section} | English.news.cn</title></head>
<body><div class="main"><div id="list" data="datasource:{source}" datatype="ds" preview="ds_">
{items}</div></div></body></html>"""

EN_PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="source" content="{source}"><meta name="publishdate" content="{day}"><meta name="contentid" content="{id}"><meta property="og:title" content="{title}"><title>{title}-Xinhua</title></head>
<body><div class="conTop"><div class="nav"><a href="/">Home</a></div><h1 class="Btitle"><span class="title">{title}</span></h1>
<div class="wzzy"><p class="source">Source: {source}</p><p class="editor">Editor: huaxia</p><p class="time">{moment}</p></div></div>
<div class="conLeft"><div id="detail"><span id="detailContent">{body}</span></div><div class="share">Share</div></div>
<div class="foot">Copyright</div></body></html>"""

SITES = (Xinhua, XinhuaEnglish)
