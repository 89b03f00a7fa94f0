"""The e-papers: addresses made from the day, an index of pages, a list of articles on each; no issue on some days."""

from __future__ import annotations

import datetime as dt
import re
from typing import ClassVar

from .. import markup
from ..markup import esc
from ..wire import Request, Response
from .base import Placed, Site

PER_PAGE = 8
NAMES = ("要闻", "要闻", "评论", "产经", "财经", "时讯", "地方", "专版", "国际", "综合")


class Epaper(Site):
    """`layout` and `content` are the path forms of a page and an article; `node` its file name."""

    source: ClassVar[str]
    base: ClassVar[str]
    layout: ClassVar[str]
    content: ClassVar[str]
    node: ClassVar[str]
    index_page: ClassVar[str]
    article_page: ClassVar[str]
    page_link: ClassVar[str]
    article_link: ClassVar[str]
    https_only = False

    def article_url(self, placed: Placed) -> str:
        day = placed.doc.published
        number = placed.number(30_000_000, 30_999_999)
        return self.base + self.content.format(month=f"{day:%Y%m}", day=f"{day:%d}", number=number)

    def lists(self, request: Request) -> Response | None:
        form = re.escape(self.layout).replace(r"\{month\}", r"(\d{6})").replace(r"\{day\}", r"(\d\d)")
        found = re.fullmatch(form.replace(r"\{node\}", r"(\w+)") + r"\.html", request.path)
        if not found:
            return None
        try:
            day = dt.datetime.strptime(found[1] + found[2], "%Y%m%d").date()
        except ValueError:
            return None
        rows = [one for one in self.rows(self.source) if one.doc.published.date() == day]
        pages = [rows[i : i + PER_PAGE] for i in range(0, len(rows), PER_PAGE)]
        names = [self.node.format(i + 1) for i in range(len(pages))]
        return self._page(request.path, pages, names, names.index(found[3])) if found[3] in names else None

    def _page(self, here: str, pages: list[list[Placed]], names: list[str], number: int) -> Response:
        shown = "".join(
            self.page_link.format(node=name, number=f"{i + 1:02d}", name=NAMES[i % len(NAMES)]) + "\n"
            for i, name in enumerate(names)
        )
        articles = "".join(
            self.article_link.format(
                link=markup.relative(one.path, here),
                title=esc(one.title),
            )
            + "\n"
            for one in pages[number]
        )
        text = self.index_page.format(
            number=f"{number + 1:02d}", name=NAMES[number % len(NAMES)], pages=shown, articles=articles
        )
        return self.page(text)

    def article(self, placed: Placed, request: Request) -> Response:
        doc = placed.doc
        body = markup.paragraphs(doc.blocks)
        author = f"本报记者 {doc.author}" if doc.author else ""
        text = self.article_page.format(
            title=esc(placed.title), author=esc(author), body=body, day=f"{doc.published:%Y年%m月%d日}"
        )
        return self.page(text, placed)


class People(Epaper):
    hosts = ("paper.people.com.cn",)
    sources: ClassVar = {"people_epaper": ("人民日报",)}
    source = "people_epaper"
    base = "http://paper.people.com.cn"
    layout = "/rmrb/pc/layout/{month}/{day}/{node}"
    content = "/rmrb/pc/content/{month}/{day}/content_{number}.html"
    node = "node_{:02d}"
    page_link = '<div class="swiper-slide"><a id="pageLink" href="{node}.html">{number}版：{name}</a></div>'
    article_link = '<li><a href="{link}">{title}</a></li>'
    index_page = """<!DOCTYPE html>
<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8" /><title>人民日报-第{number}版：{name}</title></head>
<body><div class="main w1000"><div class="left paper-box"><p class="left ban">第{number}版：{name}</p></div>
<div class="right right-main"><div class="swiper-container">
{pages}</div>
<div class="news"><ul class="news-list">
{articles}</ul></div></div></div></body></html>"""
    article_page = """<!DOCTYPE html>
<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8" /><title>{title}</title></head>
<body><div class="main w1000"><div class="article-box"><div class="article">
<h3></h3><h1>{title}</h1><h2></h2><p class="sec">{author}<span class="date">《人民日报》（{day}）</span></p>
<div id="articleContent">
{body}
</div></div></div></div></body></html>"""


class EconomicDaily(Epaper):
    hosts = ("paper.ce.cn",)
    sources: ClassVar = {"ce_epaper": ("经济日报",)}
    source = "ce_epaper"
    base = "http://paper.ce.cn"
    layout = "/pc/layout/{month}/{day}/{node}"
    content = "/pc/content/{month}/{day}/content_{number}.html"
    node = "node_{:02d}"
    page_link = '<li class="posRelative"><a href="{node}.html">第{number}版：{name}</a></li>'
    article_link = '<li class="clearfix"><a href="{link}">{title}</a></li>'
    index_page = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>经济日报-第{number}版：{name}</title></head>
<body><div class="Newsmain"><ul id="layoutlist" class="layout-catalogue-list">
{pages}</ul>
<ul id="articlelist" class="newsList">
{articles}</ul></div></body></html>"""
    article_page = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{title}</title></head>
<body><div class="newsdetatit"><h3 id="PreTitle"></h3><h2 id="Title">{title}</h2><h3 id="SubTitle"></h3></div>
<div class="newsdetatext"><p class="author">{author}</p><div class="newsdate">{day}</div>
<founder-content><div id="ozoom">
{body}
</div></founder-content></div></body></html>"""


class SecuritiesTimes(Epaper):
    hosts = ("epaper.stcn.com",)
    sources: ClassVar = {"zqsb_epaper": ("证券时报",)}
    source = "zqsb_epaper"
    base = "https://epaper.stcn.com"
    https_only = True
    layout = "/col/{month}/{day}/{node}"
    content = "/con/{month}/{day}/content_{number}.html"
    node = "node_A{:03d}"
    page_link = '<li><a href="{node}.html">A{number}版：{name}</a></li>'
    article_link = '<li><a href="{link}">{title}</a></li>'
    index_page = EconomicDaily.index_page
    article_page = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{title}</title></head>
<body><div class="content-title"><h1>{title}</h1><p>{author} {day}</p></div><div id="mainTxt">
{body}
</div></body></html>"""


SITES = (People, EconomicDaily, SecuritiesTimes)
