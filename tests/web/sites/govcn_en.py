"""english.www.gov.cn: static sections whose links carry the date."""

from __future__ import annotations

import re
from typing import ClassVar

from .. import markup
from ..markup import esc
from ..wire import Request, Response
from .base import Placed, Site, page_count, pages_of

BASE = "https://english.www.gov.cn"
SECTIONS = {
    "Latest releases": "/policies/latestreleases/",
    "Policy watch": "/policies/policywatch/",
    "Ministries": "/statecouncil/ministries/",
    "News": "/news/",
}
ROWS = 20


class GovCnEnglish(Site):
    hosts = ("english.www.gov.cn",)
    sources: ClassVar = {"govcn_en": tuple(SECTIONS)}
    robots = None
    compress = "gzip"

    def article_url(self, placed: Placed) -> str:
        folder = SECTIONS[placed.entry.section]
        return f"{BASE}{folder}{placed.doc.published:%Y%m/%d}/content_WS{placed.hex(24)}.html"

    def lists(self, request: Request) -> Response | None:
        found = re.fullmatch(r"(/.+/)(?:index\.html|page_(\d+)\.html)?", request.path)
        for section, folder in SECTIONS.items():
            if found and found[1] == folder:
                return self._list(section, folder, int(found[2] or 1))
        return None

    def _list(self, section: str, folder: str, page: int) -> Response | None:
        rows = self.rows("govcn_en", section)
        if page > page_count(rows, ROWS):
            return None
        items = "".join(
            f'<li><h4><a href="{markup.relative(one.path, folder)}" title="{esc(one.title)}" target="_blank">{esc(one.title)}</a></h4>'
            f"<p>{esc(markup.cut(one.doc.lead, 120))}</p></li>\n"
            for one in pages_of(rows, ROWS, page)
        )
        following = f'<a href="page_{page + 1}.html">Next</a>' if page < page_count(rows, ROWS) else ""
        return self.page(LIST.format(section=section, items=items, next=following))

    def article(self, placed: Placed, request: Request) -> Response:
        doc = placed.doc
        text = PAGE.format(
            title=esc(placed.title),
            day=f"{doc.published:%Y-%m-%d}",
            shown=f"{doc.published:%B} {doc.published.day}, {doc.published:%Y %H:%M}",
            source=esc(doc.outlet or "english.www.gov.cn"),
            body=markup.paragraphs(doc.blocks, p="<p>{}</p>", h="<p><strong>{}</strong></p>")
            + "".join(f'<p><a href="{url}">{esc(one.filename)}</a></p>' for one, url in placed.files()),
        )
        return self.page(text, placed, modified=doc.published.timestamp())


LIST = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{section}</title></head>
<body><div class="header"><a href="/">The State Council</a></div>
<div class="mains"><h2>{section}</h2><ul class="list">
{items}</ul><div class="currpage">{next}</div></div></body></html>"""

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<title>{title}</title>
<meta name="publishdate" content="{day}"/>
<meta name="source" content="{source}"/>
<meta property="og:title" content="{title}"/>
</head>
<body><div class="header"><a href="/">The State Council</a></div>
<div class="Artical_mains">
<h1 class="Artical_Title">{title}</h1>
<div class="Artical_Info"><em>Updated: {shown}</em> <em>{source}</em><span class="share">Share</span></div>
<div class="Artical_Content" id="Content">
{body}
</div>
<div class="Artical_Copy">Copyright of the site. All rights reserved.</div>
</div></body></html>"""

SITES = (GovCnEnglish,)
