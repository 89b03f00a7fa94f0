"""www.stcn.com: lists with relative times in three shapes, flashes as JSON for XHR only."""

from __future__ import annotations

from typing import ClassVar

from .. import markup
from ..markup import esc
from ..wire import Request, Response, as_json
from .base import Placed, Site

BASE = "https://www.stcn.com"
PATHS = {"/article/list/yw.html": "要闻", "/article/list/cj.html": "财经"}
FLASHES = "快讯"


class Stcn(Site):
    hosts = ("www.stcn.com",)
    sources: ClassVar = {"stcn_list": ("要闻", "财经", FLASHES)}
    robots = "User-agent: *\nDisallow: /user/\nDisallow: /search/\n"
    compress = "gzip"

    def article_url(self, placed: Placed) -> str:
        return f"{BASE}/article/detail/{placed.number(1_500_000, 3_999_999)}.html"

    def lists(self, request: Request) -> Response | None:
        if request.path in PATHS:
            return self._list(PATHS[request.path])
        if request.path == "/article/list.html" and request.query.get("type") == "kx":
            if request.headers.get("x-requested-with") == "XMLHttpRequest":
                return self._flashes()
            return self._list(FLASHES)
        return None

    def _list(self, section: str) -> Response:
        items = "".join(
            ROW.format(
                path=one.path,
                title=esc(one.title),
                text=esc(markup.cut(one.doc.lead, 70)),
                source=esc(one.doc.outlet or "证券时报"),
                author=f"<span>{esc(one.doc.author)}</span>" if one.doc.author else "",
                when=self._relative(one),
            )
            for one in self.rows("stcn_list", section)[:40]
        )
        return self.page(LIST.format(section=section, items=items))

    def _relative(self, placed: Placed) -> str:
        """Today's as HH:MM, this year's as MM-DD HH:MM, older ones in full."""
        moment, today = placed.doc.published, self.world.today
        if moment.date() == today:
            return f"{moment:%H:%M}"
        return f"{moment:%m-%d %H:%M}" if moment.year == today.year else f"{moment:%Y-%m-%d %H:%M}"

    def _flashes(self) -> Response:
        rows = [
            {
                "id": one.number(1_500_000, 3_999_999),
                "title": one.title,
                "content": "".join(f"<p>{esc(text)}</p>" for kind, text in one.doc.blocks if kind != "table"),
                "time": int(one.doc.published.timestamp()),
                "url": one.path,
                "source": one.doc.outlet or "证券时报网",
                "tags": [{"name": "快讯"}],
            }
            for one in self.rows("stcn_list", FLASHES)[:40]
        ]
        return as_json({"state": 1, "msg": "", "data": rows, "last_time": rows[-1]["time"] if rows else 0})

    def article(self, placed: Placed, request: Request) -> Response:
        doc = placed.doc
        text = PAGE.format(
            title=esc(placed.title),
            source=esc(doc.outlet or "证券时报网"),
            author=f"<span>作者：{esc(doc.author)}</span>" if doc.author else "",
            moment=f"{doc.published:%Y-%m-%d %H:%M}",
            body=markup.paragraphs(doc.blocks, p="<p>{}</p>"),
        )
        return self.page(text, placed)


LIST = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{section} - 证券时报网</title></head>
<body><div class="list-page-tab-content"><ul class="list infinite-list">
{items}</ul></div></body></html>"""

ROW = """<li class="item"><div class="side"></div><div class="content">
<div class="tt"><a href="{path}" target="_blank">{title}</a></div>
<div class="text ellipsis-2">{text}</div>
<div class="info"><span>{source}</span>{author}<span>{when}</span></div>
</div></li>
"""

PAGE = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{title}</title></head>
<body><div class="detail"><div class="breadcrumb"><a href="/">首页</a></div>
<div class="detail-title">{title}</div>
<div class="detail-info"><span>来源：{source}</span>{author}<span>{moment}</span></div>
<div class="detail-content">
{body}
</div>
<div class="detail-content-editor">责任编辑：甲乙</div>
<div class="detail-tags">声明：转载须注明来源</div></div></body></html>"""

SITES = (Stcn,)
