"""Chinese media with small formats: China News feeds, Yicai's and Caixin's JSON, CLS flashes, people.com.cn in GB2312."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from .. import feeds, markup
from ..markup import esc
from ..wire import Request, Response, as_json
from .base import Placed, Site, page_count, pages_of


class Chinanews(Site):
    hosts = ("www.chinanews.com.cn",)
    sources: ClassVar = {"chinanews_rss": ("财经", "要闻", "国内")}
    robots = "User-agent: *\nDisallow: /part/\nDisallow: /kong/\n"
    feeds: ClassVar = {"/rss/finance.xml": "财经", "/rss/importnews.xml": "要闻", "/rss/china.xml": "国内"}
    folders: ClassVar = {"财经": "cj", "要闻": "gn", "国内": "sh"}
    compress = "gzip"

    def article_url(self, placed: Placed) -> str:
        folder = self.folders[placed.entry.section]
        day = placed.doc.published
        return f"https://www.chinanews.com.cn/{folder}/{day:%Y/%m-%d}/{placed.number(10_000_000, 10_999_999)}.shtml"

    def lists(self, request: Request) -> Response | None:
        if request.path not in self.feeds:
            return None
        section = self.feeds[request.path]
        rows = self.rows("chinanews_rss", section)[:30]
        return feeds.rss(rows, section, lambda one: self.link(one), content_type="text/xml", compress="gzip")

    def article(self, placed: Placed, request: Request) -> Response:
        doc = placed.doc
        text = CHINANEWS.format(
            title=esc(placed.title),
            moment=f"{doc.published:%Y年%m月%d日 %H:%M}",
            source=esc(doc.outlet or "中国新闻网"),
            author=esc(doc.author or "甲乙"),
            body=markup.paragraphs(doc.blocks),
        )
        return self.page(text, placed)


CHINANEWS = """<!DOCTYPE html>
<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8" /><title>{title}-中新网</title></head>
<body><div class="main_content w1280"><div class="content_maincontent_more">
<div class="content_maincontent_top"><h1 class="content_left_title">{title}</h1>
<div class="content_left_time">{moment}　来源：<a class="source" href="https://www.chinanews.com.cn">{source}</a><div class="left_fx">分享到</div></div></div>
<div class="content_maincontent_content"><div class="left_ph"></div><div class="left_zw">
{body}
<div class="adInContent"><a href="#">广告</a></div>
</div><div class="left_name"><div class="left_name">【编辑:{author}】</div></div></div></div></div></body></html>"""


class Yicai(Site):
    hosts = ("www.yicai.com",)
    sources: ClassVar = {"yicai_zh": ("最新",)}
    robots = "User-agent: *\nDisallow: /search\n"
    compress = "gzip"
    chunked = True

    def article_url(self, placed: Placed) -> str:
        kind = "brief" if placed.options.get("brief") else "news"
        return f"https://www.yicai.com/{kind}/{placed.number(102_000_000, 103_999_999)}.html"

    def lists(self, request: Request) -> Response | None:
        if request.path != "/api/ajax/getlatest":
            return None
        size, page = int(request.query.get("pagesize") or 30), int(request.query.get("page") or 1)
        rows = [
            {
                "NewsID": one.number(102_000_000, 103_999_999),
                "NewsTitle": one.title,
                "url": one.path,
                "NewsNotes": one.doc.lead,
                "CreateDate": f"{one.doc.published:%Y-%m-%dT%H:%M:%S}",
                "NewsSource": one.doc.outlet or "第一财经",
                "NewsAuthor": one.doc.author,
                "CreaterName": "第一财经",
                "ChannelName": "金融",
            }
            for one in pages_of(self.rows("yicai_zh"), size, page)
        ]
        video = {
            "NewsID": 1,
            "NewsTitle": "视频",
            "url": "/video/1.html",
            "NewsNotes": "",
            "CreateDate": f"{self.world.now:%Y-%m-%dT00:00:00}",
        }
        return as_json(rows + ([video] if page == 1 else []), compress="gzip")  # a video, which is not text

    def article(self, placed: Placed, request: Request) -> Response:
        doc = placed.doc
        text = YICAI.format(
            title=esc(placed.title),
            moment=f"{doc.published:%Y-%m-%d %H:%M:%S}",
            author=esc(doc.author or "一财资讯"),
            body=markup.paragraphs(doc.blocks, p="<p>{}</p>"),
        )
        return self.page(text, placed)


YICAI = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{title}</title></head>
<body><div class="m-content"><div class="title f-pr"><h1>{title}</h1>
<p class="names">作者：{author}</p><p class="m-date"><em>第一财经</em> {moment}</p></div>
<div class="m-text"><div class="m-txt" id="multi-text">
{body}
<p class="u-btn6">举报</p></div><div class="m-smallshare">分享</div></div></div></body></html>"""


class Caixin(Site):
    """Caixin in both languages, which share a gateway; some texts stand behind the paywall."""

    hosts = ("www.caixin.com", "gateway.caixin.com", "www.caixinglobal.com", "u.caixinglobal.com")
    sources: ClassVar = {"caixin_zh": ("滚动",), "caixin_global": ("Latest",)}
    robots = "User-agent: *\nDisallow: /search/\n"
    compress = "gzip"

    @staticmethod
    def locked(placed: Placed) -> bool:
        """Behind the paywall: what is marked so, and what has no text of its own."""
        return bool(placed.options.get("paywall")) or not placed.doc.body

    def article_url(self, placed: Placed) -> str:
        day, number = placed.doc.published, placed.number(102_000_000, 102_999_999)
        if placed.entry.source == "caixin_zh":
            return f"https://www.caixin.com/{day:%Y-%m-%d}/{number}.html"
        slug = "-".join(re.findall(r"[a-z0-9]+", placed.title.lower())[:8])
        return f"https://www.caixinglobal.com/{day:%Y-%m-%d}/{slug}-{number}.html"

    def lists(self, request: Request) -> Response | None:
        path, query = request.path, request.query
        if path == "/api/dataplatform/scroll/index":
            return self._scroll(int(query.get("size") or 20), int(query.get("page") or 1))
        if path == "/api/extapi/homeInterface.jsp":
            return self._home(int(query.get("start") or 0), int(query.get("count") or 20))
        if path == "/get/reading.do" and request.host == "u.caixinglobal.com":
            return self._reading(query.get("id", ""))
        return None

    def _scroll(self, size: int, page: int) -> Response:
        rows = self.rows("caixin_zh")
        listed = [
            {
                "title": one.title,
                "url": self.link(one),
                "time": f"{one.doc.published:%Y-%m-%d %H:%M:%S}",
                "summary": one.doc.lead,
                "channelObject": {"id": 100300177, "name": "金融"},
            }
            for one in pages_of(rows, size, page)
        ]
        return as_json({"code": 0, "msg": "ok", "data": {"total": len(rows), "articleList": listed}})

    def _home(self, start: int, count: int) -> Response:
        rows = self.rows("caixin_global")[start : start + count]
        datas: list[dict[str, Any]] = [
            {
                "nid": str(one.number(102_000_000, 102_999_999)),
                "desc": one.title,
                "summ": one.doc.lead,
                "link": one.url,
                "time": f"{one.doc.published:%Y-%m-%d %H:%M:%S}",
                "tags": [{"name": "Finance"}],
                "attr": 5 if self.locked(one) else 0,
                "pict": {"imgs": []},
            }
            for one in rows
        ]
        return as_json({"errorcode": "0", "total": len(self.rows("caixin_global")), "datas": datas})

    def _reading(self, number: str) -> Response:
        found = [one for one in self.rows("caixin_global") if str(one.number(102_000_000, 102_999_999)) == number]
        if not found or self.locked(found[0]):
            return as_json({"code": 403, "msg": "need subscription", "data": None})
        body = markup.paragraphs(found[0].doc.blocks, p="<p>{}</p>", h="<p><strong>{}</strong></p>")
        return as_json({"code": 0, "msg": "ok", "data": {"content": body}})

    def article(self, placed: Placed, request: Request) -> Response:
        doc = placed.doc
        chinese = placed.entry.source == "caixin_zh"
        whole = not self.locked(placed)
        shown = doc.blocks if whole and chinese else doc.blocks[:1] or [("p", doc.lead)]
        tip = (
            ""
            if whole
            else '<div class="cons-pay-tip">{}</div>'.format("阅读全文请订阅" if chinese else "Subscribe to read")
        )
        form = CAIXIN if chinese else CAIXIN_GLOBAL
        text = form.format(
            title=esc(placed.title),
            moment=f"{doc.published:%Y年%m月%d日 %H:%M}" if chinese else f"{doc.published:%b %d, %Y %I:%M %p}",
            author=esc(doc.author),
            body=markup.paragraphs(shown) if chinese else markup.paragraphs(shown, p="<p>{}</p>"),
            tip=tip,
        )
        return self.page(text, placed)


CAIXIN = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{title}_财新网</title></head>
<body><div id="conTit"><h1>{title}</h1><div id="artInfo" class="artInfo">文｜{author} <span id="pubtime_baidu">{moment}</span></div></div>
<div id="the_content"><div id="Main_Content_Val" class="text">
{body}
</div>{tip}</div></body></html>"""

CAIXIN_GLOBAL = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{title} - Caixin Global</title></head>
<body><div class="cons-box"><h1>{title}</h1><div class="cons-date">{moment} By {author}</div>
<div class="cons-box-text" id="appContent">
{body}
<div class="loadingBox">Loading</div>{tip}
</div></div></body></html>"""


class Cls(Site):
    hosts = ("www.cls.cn",)
    sources: ClassVar = {"cls_telegraph": ("电报",)}

    def article_url(self, placed: Placed) -> str:
        return f"https://www.cls.cn/detail/{placed.number(1_000_000, 2_999_999)}"

    def lists(self, request: Request) -> Response | None:
        if request.path != "/api/cache":
            return None
        rows = [
            {"id": one.number(1_000_000, 2_999_999), "title": one.title, "brief": one.doc.lead, "content": one.doc.body}
            | {"ctime": int(one.doc.published.timestamp()), "shareurl": one.url}
            for one in self.rows("cls_telegraph")[:20]
        ]
        return as_json({"errno": 0, "data": {"roll_data": rows}})

    def article(self, placed: Placed, request: Request) -> Response:
        body = markup.paragraphs(placed.doc.blocks)
        return self.page(
            f'<html><head><meta charset="utf-8"><title>{esc(placed.title)}</title></head><body><div class="detail-telegraph-content">{body}</div></body></html>'
        )


class PeopleFinance(Site):
    """Pages that declare GB2312 and hold GB18030: characters that GB2312 does not know are there."""

    hosts = ("finance.people.com.cn", "www.people.com.cn")
    sources: ClassVar = {"people_finance": ("财经滚动(路径未核实)",)}
    robots = "User-agent: *\nDisallow: /img/\nCrawl-delay: 120\n"
    https_only = False
    base = "http://finance.people.com.cn"
    size = 20

    def article_url(self, placed: Placed) -> str:
        day = placed.doc.published
        return f"{self.base}/n1/{day:%Y/%m%d}/c1004-{placed.number(40_000_000, 49_999_999)}.html"

    def lists(self, request: Request) -> Response | None:
        found = re.fullmatch(r"/GB/70846/index(\d*)\.html", request.path)
        if not found:
            return None
        rows, page = self.rows("people_finance"), int(found[1] or 1)
        if page > page_count(rows, self.size):
            return None
        items = "".join(
            f'<li><a href="{one.path}" target="_blank">{esc(one.title)}</a> <em>{one.doc.published:%Y-%m-%d}</em></li>\n'
            for one in pages_of(rows, self.size, page)
        )
        return self._gb(PEOPLE_LIST.format(items=items), None)

    def _gb(self, text: str, placed: Placed | None) -> Response:
        if placed and placed.options.get("encoding"):
            return self.page(text, placed)
        return self.page(text, None, encoding="gb18030", content_type="text/html")

    def article(self, placed: Placed, request: Request) -> Response:
        doc = placed.doc
        text = PEOPLE.format(
            title=esc(placed.title),
            day=f"{doc.published:%Y-%m-%d}",
            moment=f"{doc.published:%Y年%m月%d日%H:%M}",
            source=esc(doc.outlet or "人民网"),
            author=esc(doc.author or "甲乙"),
            body=markup.paragraphs(doc.blocks).replace("\n", ""),
        )
        return self._gb(text, placed)


PEOPLE_LIST = """<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head><meta http-equiv="content-type" content="text/html;charset=GB2312"/><title>财经--人民网</title></head>
<body><div class="ej_list_box clear"><ul class="list_16 mt10">
{items}</ul></div></body></html>"""

PEOPLE = """<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
<head>
<meta http-equiv="content-type" content="text/html;charset=GB2312"/>
<meta http-equiv="Content-Language" content="utf-8" />
<title>{title}--财经--人民网 </title>
<meta name="publishdate" content="{day}">
<meta name="author" content="105092">
<meta name="source" content="来源：{source}">
</head>
<body>
<div class="layout route cf" id="rwb_navpath"><a href="http://www.people.com.cn/" class="clink">人民网</a></div>
<div class="layout rm_txt cf"><div class="col col-1">
<h3 class="pre"></h3>
<h1>{title}</h1>
<h4 class="sub"></h4>
<div class="author cf"></div>
<div class="channel cf"><div class="col-1-1">
{moment} | 来源：<a href="#" target="_blank">{source}</a>
</div></div>
<div class="rm_txt_con cf">
<div class="bza"><span></span><p></p></div>
<div class="box_pic"></div>
{body} <div class="zdfy clearfix"></div>
<div class="edit cf">(责编：{author})</div>
<p class="paper_num"><em class="section-common-share-wrap">分享让更多人看到 </em></p>
</div></div></div>
</body></html>"""

SITES = (Chinanews, Yicai, Caixin, Cls, PeopleFinance)
