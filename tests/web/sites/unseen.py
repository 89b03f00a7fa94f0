"""Ten sites that no source watches, each in a shape of its own: what `sources new` has to find out by itself.

Eight can be watched (WordPress, an Atom feed, a news sitemap, a TRS list, a jpaas build unit, a plain list, a table, cards);
a shell that scripts fill and a wall that asks for a login cannot.
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from ..markup import esc
from ..wire import Request, Response, as_json, html, not_found, plain
from .base import Placed, Site

HEADLINES = (
    "开发区公布新一批设备更新项目清单", "轴承企业联合申报智能工厂补助", "市级担保机构下调首贷户费率", "跨江公铁大桥主塔封顶", "冷链仓储用地审批时限压缩一半",
    "老旧锅炉改造进入收尾阶段", "外贸企业汇率避险培训班开课", "化工园区应急演练查出七处隐患", "县域电商物流中心试运行", "纺织集群共用一座污水处理厂",
    "青年工匠技能比武落幕", "海铁联运班列增至每周九列", "中小企业数字化诊断免费上门", "新能源客车订单排到明年春天", "农机合作社用上无人驾驶收割机",
    "产业引导基金完成首笔退出", "码头岸电使用率超过七成", "专利质押登记实现当日办结", "高炉煤气发电机组并网", "铝材加工企业获得绿色工厂称号",
)  # fmt: skip
ENGLISH = (
    "Foundry switches its furnaces to night tariffs", "Port authority publishes crane availability figures", "Guarantee scheme reaches its thousandth workshop",
    "Rail freight operator orders forty wagons", "Textile cluster shares one water plant", "Patent loans can now be registered in a day",
    "Battery recycler opens second line", "Regional bank extends machine leasing", "Cold store permits take half the time", "Gear maker trains its own welders",
    "Ferry route wins winter subsidy", "Tool exporters hedge for the first time",
)  # fmt: skip
PARAGRAPHS = (
    "有关负责人介绍，项目自今年年初启动以来，先后完成了方案论证、招标和首批设备进场，整体进度比原计划提前了两个月。",
    "参与建设的企业表示，资金问题一度是最大的难点，中长期贷款到位以后，施工单位不再需要按月垫付材料款，工期也就稳定下来。",
    "下一步，当地将对已经建成的部分组织验收，并公布全部数据，接受社会监督。",
)
WORDS = (
    "Officials said the first phase was finished two months ahead of plan, after lenders agreed to a longer repayment period than the builders had dared to ask for.",
    "Managers at the plant said that the new equipment had cut energy use by almost a fifth, and that the savings would pay for the interest.",
    "A second phase is under review, and figures will be published every quarter so that anybody can check them.",
)


class Unseen(Site):
    """A site with documents of its own, outside the shared ones: no source names it."""

    sources: ClassVar = {}
    host: ClassVar[str]
    english: ClassVar[bool] = False
    count: ClassVar[int] = 16

    def article_url(self, placed: Placed) -> str:
        """None of the shared documents stands here."""
        return ""

    def article(self, placed: Placed, request: Request) -> Response:
        """None of the shared documents stands here."""
        return not_found()

    def day(self, number: int) -> dt.date:
        return self.world.today - dt.timedelta(days=number + 1)

    def title(self, number: int) -> str:
        return (ENGLISH if self.english else HEADLINES)[number % len(ENGLISH if self.english else HEADLINES)]

    def path(self, number: int) -> str:
        return f"/{self.day(number):%Y/%m%d}/{4100 - number}.html"

    def numbers(self) -> range:
        return range(min(self.count, len(ENGLISH) if self.english else len(HEADLINES)))

    def number_of(self, path: str) -> int | None:
        return next((n for n in self.numbers() if self.path(n) == path), None)

    def respond(self, request: Request) -> Response:
        answer = self.lists(request)
        if answer is not None:
            return answer
        number = self.number_of(request.path)
        return not_found() if number is None else html(self.page_of(number))

    def body(self, number: int) -> str:
        return (
            "".join(f"<p>{p}</p>" for p in (f"{self.title(number)}。", *PARAGRAPHS))
            if not self.english
            else "".join(f"<p>{p}</p>" for p in (f"{self.title(number)}.", *WORDS))
        )

    def page_of(self, number: int) -> str:
        return (
            f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{esc(self.title(number))} - {self.host}</title></head><body><div class="top"><a href="/">首页</a></div>'
            f'<div class="show"><h1>{esc(self.title(number))}</h1><div class="info">发布时间：{self.day(number)} 来源：本网</div><div class="content">{self.body(number)}</div></div>'
            f'<div class="foot">版权所有</div></body></html>'
        )


class PlainList(Unseen):
    """An ordinary site: `<ul>` with titles and dates, a menu and a side bar of links without dates."""

    hosts = ("www.liebiao-site.example",)
    host = "列表网"

    def lists(self, request: Request) -> Response | None:
        if request.path != "/news/":
            return None
        items = "".join(
            f'<li><span class="date">{self.day(n)}</span><a href="{self.path(n)}" title="{esc(self.title(n))}">{esc(self.title(n)[:12])}…</a></li>'
            for n in self.numbers()
        )
        menu = "".join(
            f'<li><a href="/{i}/">{w}</a></li>'
            for i, w in enumerate(("首页", "机构概况", "通知公告", "办事指南", "互动交流", "联系我们"))
        )
        side = "".join(f'<li><a href="{self.path(n)}">{esc(self.title(n))}</a></li>' for n in list(self.numbers())[:5])
        return html(
            f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>新闻动态-列表网</title></head><body><ul class="menu">{menu}</ul><div class="main"><div class="list-box"><ul class="list">{items}</ul>'
            f'<div class="page"><a href="/news/index_2.html">下一页</a></div></div><div class="side hot"><h3>热点</h3><ul>{side}</ul></div></div></body></html>'
        )


class TableList(Unseen):
    """An old site: a table whose rows are number, linked title and date; GB18030."""

    hosts = ("www.biaoge-site.example",)
    host = "表格网"
    https_only = False

    def lists(self, request: Request) -> Response | None:
        if request.path != "/tzgg.htm":
            return None
        rows = "".join(
            f'<tr><td>{n + 1}</td><td><a href="{self.path(n)}" target=_blank>{esc(self.title(n))}</a></td><td>{self.day(n):%Y/%m/%d}</td></tr>'
            for n in self.numbers()
        )
        text = f'<html><head><meta http-equiv="Content-Type" content="text/html; charset=gb2312"><title>通知公告_表格网</title></head><body><table width=900><tr><td><a href="/">首页</a></td><td><a href="/a.htm">简介</a></td></tr></table><table width=900 id="newslist"><tr><th>序号</th><th>标题</th><th>日期</th></tr>{rows}</table></body></html>'
        return html(text, "gb18030", "text/html")


class Cards(Unseen):
    """A grid of cards with hashed class names; dates are in `<time>`."""

    hosts = ("cards-site.example", "www.cards-site.example")
    host = "Cards"
    english = True
    count = 12

    def path(self, number: int) -> str:
        return "/stories/" + self.title(number).lower().replace(" ", "-")

    def lists(self, request: Request) -> Response | None:
        if request.path != "/stories":
            return None
        cards = "".join(
            f'<article class="Card_card__x9Q1z"><a class="Card_link__a1" href="{self.path(n)}"><img src="/i/{n}.jpg" alt=""><h3 class="Card_title__b2">{esc(self.title(n))}</h3>'
            f'<p class="Card_dek__c3">{WORDS[n % 3][:90]}…</p></a><time datetime="{self.day(n)}T09:30:00Z">{self.day(n):%B %d, %Y}</time></article>'
            for n in self.numbers()
        )
        return html(
            f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Stories | Cards</title></head><body><nav><a href="/">Home</a><a href="/about">About us</a></nav><main class="Grid_grid__k2">{cards}</main><footer>© Cards</footer></body></html>'
        )


class Trs(Unseen):
    """A local authority on TRS: groups of five rows, pages counted by a script, robots.txt with a delay."""

    hosts = ("jrb.weizhi-site.gov.cn",)
    host = "未知市金融办"
    robots = "User-agent: *\nDisallow: /admin/\nCrawl-delay: 0\n"
    count = 20

    def path(self, number: int) -> str:
        day = self.day(number)
        return f"/zwgk/tzgg/{day:%Y%m}/t{day:%Y%m%d}_{77000 - number}.html"

    def lists(self, request: Request) -> Response | None:
        if request.path not in ("/zwgk/tzgg/", "/zwgk/tzgg/index.html"):
            return None
        rows = [
            f'<li><a href="./{self.path(n).removeprefix("/zwgk/tzgg/")}" target="_blank">{esc(self.title(n))}</a><b>{self.day(n)}</b></li>'
            for n in self.numbers()
        ]
        groups = "".join(f"<ul>{''.join(rows[i : i + 5])}</ul>" for i in range(0, len(rows), 5))
        return html(
            f'<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="SiteName" content="未知市金融办"><meta name="ColumnName" content="通知公告"><title>通知公告-未知市金融办</title></head><body><div class="nav"><a href="/">首页</a></div><div class="gl_list">{groups}</div><script>createPageHTML(7, 0, "index", "html");</script></body></html>'
        )

    def page_of(self, number: int) -> str:
        return f'<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="ArticleTitle" content="{esc(self.title(number))}"><meta name="PubDate" content="{self.day(number)} 09:15"><meta name="ContentSource" content="金融发展科"><title>{esc(self.title(number))}</title></head><body><div class="article"><h2>{esc(self.title(number))}</h2><div class="TRS_Editor">{self.body(number)}</div></div></body></html>'


class Unit(Unseen):
    """A column of the jpaas platform: the page is a shell, its rows come as HTML inside JSON."""

    hosts = ("gxt.weizhi-site.gov.cn",)
    host = "未知省工信厅"
    unit: ClassVar[str] = "/api-gateway/jpaas-publish-server/front/page/build/unit"

    def path(self, number: int) -> str:
        return f"/zcfg/art/{self.day(number):%Y}/art_{number:032x}.html"

    def lists(self, request: Request) -> Response | None:
        if request.path == "/zcfg/":
            query = "{'webId':'77aa','tplSetId':'88bb','pageType':'column','tagId':'列表','pageId':'99cc'}"
            return html(
                f'<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="SiteName" content="未知省工信厅"><meta name="ColumnName" content="政策法规"><title>政策法规</title></head><body><div class="r"><script parseType="buildstatic" url="{self.unit}" querydata="{query}"></script></div></body></html>'
            )
        if request.path != self.unit:
            return None
        if request.query.get("pageId") != "99cc":
            return as_json({"success": False, "data": None})
        items = "".join(
            f'<li class="cf"><a class="fl" href="{self.path(n)}" title="{esc(self.title(n))}">{esc(self.title(n))}</a><span class="fr">{self.day(n)}</span></li>'
            for n in self.numbers()
        )
        return as_json(
            {"success": True, "code": "200", "data": {"html": f'<div class="page-content"><ul>{items}</ul></div>'}}
        )


class Press(Unseen):
    """WordPress at a host that nobody named: REST is open, comments have a feed of their own."""

    hosts = ("press-site.example",)
    host = "Press Site"
    english = True
    count = 12

    def path(self, number: int) -> str:
        return f"/{self.day(number):%Y/%m}/{self.title(number).lower().replace(' ', '-')}/"

    def lists(self, request: Request) -> Response | None:
        if request.path == "/":
            posts = "".join(
                f'<article class="post"><h2 class="entry-title"><a href="https://press-site.example{self.path(n)}">{esc(self.title(n))}</a></h2><div class="entry-summary"><p>{WORDS[0]}</p></div></article>'
                for n in self.numbers()
            )
            return html(
                f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="generator" content="WordPress 6.6"><title>Press Site</title><link rel="https://api.w.org/" href="https://press-site.example/wp-json/"><link rel="alternate" type="application/rss+xml" title="Press Site Feed" href="https://press-site.example/feed/"><link rel="alternate" type="application/rss+xml" title="Comments Feed" href="https://press-site.example/comments/feed/"></head><body class="home blog">{posts}</body></html>'
            )
        if request.path == "/wp-json/wp/v2/posts":
            rows = [
                {
                    "id": 900 - n, "date_gmt": f"{self.day(n)}T08:00:00", "modified_gmt": f"{self.day(n)}T08:00:00", "link": f"https://press-site.example{self.path(n)}",
                    "title": {"rendered": esc(self.title(n))}, "content": {"rendered": self.body(n)}, "excerpt": {"rendered": f"<p>{WORDS[0]}</p>"},
                }
                for n in self.numbers()
            ]  # fmt: skip
            return as_json(rows)
        if request.path == "/feed/":
            items = "".join(
                f"<item><title>{esc(self.title(n))}</title><link>https://press-site.example{self.path(n)}</link><pubDate>{self.day(n):%a, %d %b %Y} 08:00:00 +0000</pubDate></item>"
                for n in self.numbers()
            )
            return Response(
                f'<?xml version="1.0"?><rss version="2.0"><channel><title>Press Site</title>{items}</channel></rss>'.encode(),
                "application/rss+xml",
            )
        return None


class AtomOnly(Unseen):
    """A front page without rows to speak of; an Atom feed named in its head."""

    hosts = ("atom-site.example",)
    host = "Atom Site"
    english = True
    count = 12

    def lists(self, request: Request) -> Response | None:
        if request.path == "/":
            return html(
                '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Atom Site</title><link rel="alternate" type="application/atom+xml" href="/feeds/all.atom"></head><body><h1>Atom Site</h1><p>A letter about machines, sent when there is something to say.</p></body></html>'
            )
        if request.path == "/feeds/all.atom":
            entries = "".join(
                f'<entry><title>{esc(self.title(n))}</title><link rel="alternate" href="https://atom-site.example{self.path(n)}"/><id>tag:{n}</id><published>{self.day(n)}T06:00:00Z</published><updated>{self.day(n)}T07:00:00Z</updated></entry>'
                for n in self.numbers()
            )
            return Response(
                f'<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Atom Site</title>{entries}</feed>'.encode(),
                "application/atom+xml",
            )
        return None


class NewsSitemap(Unseen):
    """Nothing but a news sitemap, named in robots.txt behind an index; the front page is drawn by scripts."""

    hosts = ("mapped-site.example",)
    host = "Mapped Site"
    english = True
    count = 12
    robots = "User-agent: *\nDisallow: /internal/\nSitemap: https://mapped-site.example/sitemap-index.xml\n"

    def lists(self, request: Request) -> Response | None:
        if request.path == "/":
            return html(
                '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Mapped Site</title></head><body><div id="root"></div><script src="/bundle.js"></script></body></html>'
            )
        if request.path == "/sitemap-index.xml":
            return Response(
                f'<?xml version="1.0"?><sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>https://mapped-site.example/news-{self.day(0):%Y-%m}.xml</loc><lastmod>{self.day(0)}</lastmod></sitemap></sitemapindex>'.encode(),
                "application/xml",
            )
        if request.path == f"/news-{self.day(0):%Y-%m}.xml":
            urls = "".join(
                f"<url><loc>https://mapped-site.example{self.path(n)}</loc><news:news><news:publication><news:name>Mapped Site</news:name><news:language>en</news:language></news:publication><news:publication_date>{self.day(n)}T05:00:00Z</news:publication_date><news:title>{esc(self.title(n))}</news:title></news:news></url>"
                for n in self.numbers()
            )
            return Response(
                f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">{urls}</urlset>'.encode(),
                "application/xml",
            )
        return None


class Shell(Unseen):
    """A shell that scripts fill; every address answers the same shell."""

    hosts = ("kongke-site.example",)
    host = "空壳"

    def lists(self, request: Request) -> Response | None:
        if request.path == "/robots.txt":
            return plain("User-agent: *\nDisallow:\n")
        return html(
            '<!DOCTYPE html><html><head><meta charset="utf-8"><title>空壳</title></head><body><div id="app"></div><noscript>请启用 JavaScript</noscript><script src="/js/app.9f.js"></script></body></html>'
        )


class Wall(Unseen):
    """A wall that asks for a login before it shows anything."""

    hosts = ("denglu-site.example",)
    host = "登录"

    def lists(self, request: Request) -> Response | None:
        if request.path == "/robots.txt":
            return None
        if request.path != "/news":
            return not_found()
        return html(
            '<!DOCTYPE html><html><head><meta charset="utf-8"><title>用户登录</title></head><body><h2>请先登录</h2><form method="post" action="/login"><input name="user"><input type="password" name="pass"><button>登录</button></form><p>没有账号？<a href="/register">注册</a></p></body></html>'
        )


#: what a page of the web would say of itself to a reader of data, for tests
ADDRESSES: dict[str, str] = {
    "plain": "https://www.liebiao-site.example/news/",
    "table": "http://www.biaoge-site.example/tzgg.htm",
    "cards": "https://cards-site.example/stories",
    "trs": "https://jrb.weizhi-site.gov.cn/zwgk/tzgg/",
    "jpaas": "https://gxt.weizhi-site.gov.cn/zcfg/",
    "wordpress": "https://press-site.example/",
    "atom": "https://atom-site.example/",
    "sitemap": "https://mapped-site.example/",
    "shell": "https://kongke-site.example/",
    "wall": "https://denglu-site.example/news",
}

SITES = (PlainList, TableList, Cards, Trs, Unit, Press, AtomOnly, NewsSitemap, Shell, Wall)
