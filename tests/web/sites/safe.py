"""www.safe.gov.cn: rules of the foreign-exchange administration; some rows are the PDF itself."""

from __future__ import annotations

import re
from typing import ClassVar

from .. import markup
from ..documents import Attachment
from ..markup import esc
from ..wire import Request, Response
from ..world import hexadecimal
from .base import Placed, Site, page_count, pages_of

BASE = "http://www.safe.gov.cn"
ROWS = 20


class Safe(Site):
    hosts = ("www.safe.gov.cn",)
    sources: ClassVar = {"safe_zcfg": ("政策法规",)}
    robots = "User-agent: *\nDisallow: /safe/search/\n"
    https_only = False

    def article_url(self, placed: Placed) -> str:
        return f"{BASE}/safe/{placed.doc.published:%Y/%m%d}/{placed.number(20_000, 39_999)}.html"

    def file_url(self, placed: Placed, attachment: Attachment, position: int) -> str:
        name = hexadecimal("safe", f"{placed.doc.key}/{position}")
        return f"{BASE}/safe/file/file/{placed.stamp}/{name}.{attachment.kind}"

    def lists(self, request: Request) -> Response | None:
        found = re.fullmatch(r"/safe/zcfg/(?:index(?:_(\d+))?\.html)?", request.path)
        if not found:
            return None
        rows, page = self.rows("safe_zcfg"), int(found[1] or 1)
        if page > page_count(rows, ROWS):
            return None
        items = "".join(
            f'<li><dl><dt><a href="{self._href(one)}" title="{esc(one.title)}" target="_blank">{esc(markup.cut(one.title, 40))}</a></dt>'
            f"<dd>{one.doc.published:%Y-%m-%d}</dd></dl></li>\n"
            for one in pages_of(rows, ROWS, page)
        )
        return self.page(LIST.format(items=items, pages=page_count(rows, ROWS)))

    def _href(self, placed: Placed) -> str:
        if placed.options.get("pdf_row") and placed.doc.attachments:
            return placed.files()[0][1].removeprefix(BASE)
        return esc(placed.options.get("link") or placed.path)

    def article(self, placed: Placed, request: Request) -> Response:
        doc = placed.doc
        files = "".join(
            f'<p>附件：<a href="{url.removeprefix(BASE)}">{esc(one.filename)}</a></p>' for one, url in placed.files()
        )
        text = PAGE.format(
            title=esc(placed.title),
            day=f"{doc.published:%Y-%m-%d}",
            number=esc(doc.doc_number),
            index=esc(doc.index_number or f"000014453-{doc.published.year}-{placed.number(20_000, 39_999) % 1000:04d}"),
            issuer=esc("、".join(doc.issuers) or "国家外汇管理局"),
            source=esc(doc.outlet or "国家外汇管理局"),
            body=markup.paragraphs(markup.body_parts(doc, number=False)) + files,
        )
        return self.page(text, placed, modified=doc.published.timestamp())


LIST = """<!DOCTYPE html>
<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"><title>政策法规</title></head>
<body><div class="list_con"><div class="list_conr"><ul>
{items}</ul><div class="list_page">共{pages}页</div></div></div></body></html>"""

PAGE = """<!DOCTYPE html>
<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<meta name="ArticleTitle" content="{title}"><meta name="PubDate" content="{day}"><meta name="ContentSource" content="{source}">
<title>{title}</title></head>
<body><div class="detail_conbg">
<div class="condition"><ul>
<li>索 引 号：<span id="syh">{index}</span></li>
<li>来　　源：<span id="ly">{issuer}</span></li>
<li>发文字号：<span id="wh">{number}</span></li>
<li>发布日期：<span id="fbrq">{day}</span></li>
</ul></div>
<div class="detail_tit">{title}</div>
<div class="detail_content">
{body}
</div></div></body></html>"""

SITES = (Safe,)
