"""www.gov.cn and its search: lists as static JSON, the policy library in two response shapes, three page templates."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar

from .. import markup
from ..documents import Attachment
from ..markup import esc
from ..wire import Request, Response, as_json
from .base import Placed, Site, pages_of

BASE = "https://www.gov.cn"
LATEST, READING, NEWS = "最新政策", "政策解读", "要闻"
COUNCIL, MINISTRIES = "国务院公文", "部门文件"
QUERY = "部门文件 检索 制造业 金融"
FILES = {
    "/zhengce/zuixin/ZUIXINZHENGCE.json": LATEST,
    "/zhengce/jiedu/ZCJD_QZ.json": READING,
    "/yaowen/liebiao/YAOWENLIEBIAO.json": NEWS,
}
SHORT = {  # puborg uses the short names
    "国家金融监督管理总局": "金融监管总局",
    "国家发展和改革委员会": "国家发展改革委",
    "工业和信息化部": "工业和信息化部",
    "中国人民银行": "中国人民银行",
    "中国证券监督管理委员会": "中国证监会",
}


class GovCn(Site):
    hosts = ("www.gov.cn", "sousuo.www.gov.cn")
    sources: ClassVar = {"govcn_zuixin": (LATEST, READING, NEWS), "govcn_library": (MINISTRIES, COUNCIL, QUERY)}
    robots = "User-agent: *\nDisallow: /2016public/\nDisallow: /premier/\n"
    compress = "br"

    # ---- addresses

    def _section(self, placed: Placed) -> str:
        """The library decides where a document lives, the news lists only link to it."""
        library = [entry.section for entry in placed.entries if entry.source == "govcn_library"]
        return library[0] if library else placed.entry.section

    def article_url(self, placed: Placed) -> str:
        number, month = placed.number(6_900_000, 7_099_999), placed.stamp[:6]
        section = self._section(placed)
        if section == NEWS:
            return f"{BASE}/yaowen/liebiao/{month}/content_{number}.htm"
        if section == COUNCIL:
            return f"{BASE}/zhengce/content/{month}/content_{number}.htm"
        if section in (MINISTRIES, QUERY) or (section == LATEST and placed.doc.doc_number):
            return f"{BASE}/zhengce/zhengceku/{month}/content_{number}.htm"
        return f"{BASE}/zhengce/{month}/content_{number}.htm"

    def file_url(self, placed: Placed, attachment: Attachment, position: int) -> str:
        number = self.world.number("upload", f"govcn/{placed.doc.key}/{position}", 10**14, 10**15 - 1)
        return f"{placed.url.rsplit('/', 1)[0]}/P0{placed.stamp}{number}.{attachment.kind}"

    # ---- lists

    def lists(self, request: Request) -> Response | None:
        if request.host == "sousuo.www.gov.cn":
            return self._search(request.query) if request.path == "/search-gov/data" else None
        if request.path in FILES:
            return self._static(FILES[request.path])
        if request.path == "/zhengce/zhengceku/":
            return Response(b"<html><head><title>403 Forbidden</title></head><body>403</body></html>", "text/html", 403)
        return None

    def _static(self, section: str) -> Response:
        rows = self.rows("govcn_zuixin", section)
        listed = [
            {
                "TITLE": one.title,
                "SUB_TITLE": "",
                "URL": self.link(one),
                "DOCRELPUBTIME": f"{one.doc.published:%Y-%m-%d}",
            }
            for one in rows
        ]
        newest = max((one.doc.published.timestamp() for one in rows), default=0.0)
        return as_json(listed, "application/json", compress="br", validators=True, modified=newest)

    def _search(self, query: dict[str, str]) -> Response:
        """t=zhengcelibrary_gw|bm fill listVO; without a suffix, or with words, the rows stand in catMap alone."""
        kind, words = query.get("t", "zhengcelibrary"), query.get("q", "").split()
        size, number = int(query.get("n") or 5), int(query.get("p") or 1)
        found = {
            "gongwen": self._matching({COUNCIL}, words),
            "bumenfile": self._matching({MINISTRIES, QUERY}, words),
            "otherfile": self._others(words),
        }
        shape = self.world.options.get("govcn_shape") or ("catmap" if words else "list")
        search: dict[str, Any] = {"q": query.get("q", ""), "pageSize": size, "currentPage": number}
        if kind == "zhengcelibrary" or shape == "catmap":
            wanted = {"zhengcelibrary_gw": {"gongwen"}, "zhengcelibrary_bm": {"bumenfile"}}.get(kind, set(found))
            cats = {
                name: {"totalCount": len(rows), "catName": name, "currentNum": len(pages_of(rows, size, number))}
                | {"listVO": [self._row(one, words) for one in pages_of(rows, size, number)] if name in wanted else []}
                for name, rows in found.items()
            }
            search |= {"totalCount": 0, "totalpage": 0, "listVO": None, "catMap": cats}
        else:
            rows = found["gongwen" if kind.endswith("_gw") else "bumenfile"]
            listed = [self._row(one, words) for one in pages_of(rows, size, number)]
            search |= {"totalCount": len(rows), "totalpage": -(-len(rows) // size), "listVO": listed, "catMap": None}
        answer = {"code": 200, "msg": "操作成功", "data": None, "searchVO": search}
        return as_json(answer, "application/json;charset=UTF-8", compress="gzip", chunked=True)

    def _matching(self, sections: set[str], words: list[str]) -> list[Placed]:
        """A document stands in the library by its entry; the section of the query holds what is named for it too."""
        rows = [
            one
            for one in self.index.placed
            if any(entry.source == "govcn_library" and entry.section in sections for entry in one.entries)
        ]
        named = {id(one) for one in self.rows("govcn_library", QUERY)}
        return [one for one in rows if not words or id(one) in named or all(word in one.title for word in words)]

    def _others(self, words: list[str]) -> list[Placed]:
        return [one for one in self.rows("govcn_zuixin", READING) if all(word in one.title for word in words)]

    def _row(self, placed: Placed, words: list[str]) -> dict[str, Any]:
        doc = placed.doc
        midnight = dt.datetime.combine(doc.written or doc.published.date(), dt.time(), doc.published.tzinfo)
        title = esc(placed.title)
        for word in words:
            title = title.replace(word, f"<em>{word}</em>", 1)
        return {
            "id": str(placed.number(6_900_000, 7_099_999) + 19_000_000),
            "title": title.replace("关于", "<br/>关于", 1) if len(placed.title) > 40 else title,
            "url": self.link(placed),
            "pcode": doc.doc_number,
            "puborg": " ".join(SHORT.get(issuer, issuer) for issuer in doc.issuers),
            "index": doc.index_number,
            "pubtime": int(doc.published.timestamp() * 1000),
            "ptime": int(midnight.timestamp() * 1000) if doc.written else 0,
            "pubtimeStr": f"{doc.published:%Y.%m.%d}",
            "summary": esc(doc.body[:120].replace("\n", " ")) + "...",
            "childtype": "财政、金融、审计\\银行",
            "source": "",
            "code": "",
            "piclinksurl": "",
            "dateType": True,
            "themeLinks": [],
        }

    # ---- pages

    def article(self, placed: Placed, request: Request) -> Response:
        doc, section = placed.doc, self._section(placed)
        body = markup.paragraphs(
            markup.body_parts(doc, number=section not in (COUNCIL, MINISTRIES, QUERY)),
            p='<p style="text-indent: 2em; font-family: 宋体, SimSun;">{}</p>',
            h='<p style="text-indent: 2em;"><span style="font-weight: bold;">{}</span></p>',
        )
        links = "".join(
            f'<p><a href="./{url.rsplit("/", 1)[1]}" target="_blank">{esc(one.filename)}</a></p>'
            for one, url in placed.files()
        )
        # the inner page that an editor pasted: its </html> ends the tree of a strict parser too early
        stray = "<html><head></head><body></body></html>" if placed.number(6_900_000, 7_099_999) % 2 == 0 else ""
        fill = {
            "title": esc(placed.title),
            "moment": f"{doc.published:%Y-%m-%d-%H:%M:%S}",
            "minute": f"{doc.published:%Y-%m-%d %H:%M}",
            "source": esc(doc.outlet or "新华社"),
            "author": esc(doc.author or "责任编辑"),
            "manuscript": placed.number(6_900_000, 7_099_999),
            "body": body + links,
            "stray": stray,
        }
        if section == COUNCIL:
            text = OLD.format(table=self._old_table(placed), **fill)
        elif section in (MINISTRIES, QUERY) or "/zhengceku/" in placed.url:
            rows = self._new_table(placed)
            text = NEW.format(table=rows, mobile=rows.replace("<tr>", "<li>").replace("</tr>", "</li>"), **fill)
        else:
            text = ARTICLE.format(lanmu="要闻" if section == NEWS else "政策", **fill)
        return self.page(text, placed, modified=doc.published.timestamp())

    def _new_table(self, placed: Placed) -> str:
        """Labels are spread with no-break spaces; every second cell is a label."""
        doc = placed.doc
        written = doc.written or doc.published.date()
        cells = [
            ("标　　题：", placed.title, "发文机关：", " ".join(doc.issuers)),
            (
                "发文字号：",
                doc.doc_number,
                "来　　源：",
                f"{SHORT.get(doc.issuers[0], doc.issuers[0]) if doc.issuers else ''}网站",
            ),
            ("主题分类：", "财政、金融、审计\\银行", "公文种类：", "通知"),
            ("成文日期：", f"{written:%Y年%m月%d日}", "发布日期：", f"{doc.published:%Y年%m月%d日}"),
        ]
        return "\n".join(
            f"<tr><td><b>{a.replace('　', '&nbsp;&nbsp;&nbsp;&nbsp;')}</b></td><td>{esc(b)}</td>"
            f"<td><b>{c.replace('　', '&nbsp;&nbsp;&nbsp;&nbsp;')}</b></td><td>{esc(d)}</td></tr>"
            for a, b, c, d in cells
        )

    def _old_table(self, placed: Placed) -> str:
        doc = placed.doc
        written = doc.written or doc.published.date()
        cells = [
            ("索 引 号：", doc.index_number, "主题分类：", "财政、金融、审计\\银行"),
            ("发文机关：", " ".join(doc.issuers), "成文日期：", f"{written:%Y年%m月%d日}"),
            ("标　　题：", placed.title, "", ""),
            ("发文字号：", doc.doc_number, "发布日期：", f"{doc.published:%Y年%m月%d日}"),
        ]
        return "\n".join(
            f"<tr><td><b>{a.replace(' ', '&nbsp;')}</b></td><td>{esc(b)}</td><td><b>{c}</b></td><td>{esc(d)}</td></tr>"
            for a, b, c, d in cells
        )


HEAD = """<!DOCTYPE html>
<html>
<head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
<title>{title}_{kind}_中国政府网</title>
<meta name="firstpublishedtime" content="{{moment}}">
<meta name="lastmodifiedtime" content="{{moment}}">
<meta name="manuscriptId" content="{{manuscript}}">
<meta name="lanmu" content="{lanmu}">
<meta name="author" content="{{author}}">
<meta name="keywords" content="">
<meta name="catalog" content="c100006">
</head>
<body>
<div class="header"><a href="https://www.gov.cn/"><img src="/images/trs_logo.png"></a></div>
"""

FOOT = """
<div class="footer"><p>版权所有：中国政府网</p></div>
</body>
</html>"""

NEW = (
    HEAD.format(title="{title}", kind="国务院部门文件", lanmu="国务院政策文件库")
    + """<div class="content"><div class="BreadcrumbNav"><a href="/">首页</a> &gt; <a href="/zhengce/">政策</a> &gt; <a href="/zhengce/zhengcewenjianku/">国务院政策文件库</a> &gt; <a href="#">国务院部门文件</a></div>
<div class="policyLibraryOverview_header"><table border="0" cellspacing="0"><tbody>
<tr><td colspan="4">{stray}</td></tr>
{table}
</tbody></table></div>
<ul class="mobileTable">{mobile}</ul>
<div class="policyLibraryOverview_content"><div class="share">字号：默认 大 超大|打印</div>
<div class="pages_content mhide" id="UCAP-CONTENT"><div class="trs_editor_view TRS_UEDITOR trs_paper_default trs_web">
{body}
</div></div>
</div></div>"""
    + FOOT
)

OLD = (
    HEAD.format(title="{title}", kind="国务院文件", lanmu="国务院文件")
    + """<div class="wrap"><div class="content"><div class="BreadcrumbNav"><a href="/">首页</a> &gt; 政策</div>
{stray}
<table class="bd1" width="88%" cellspacing="0"><tbody>
{table}
</tbody></table>
<table class="border-table noneBorder pages_content" cellspacing="0"><tbody><tr><td class="b12c" id="UCAP-CONTENT">
{body}
</td></tr></tbody></table>
</div></div>"""
    + FOOT
)

ARTICLE = (
    HEAD.format(title="{title}", kind="{lanmu}", lanmu="{lanmu}")
    + """<div class="content"><div class="BreadcrumbNav"><a href="/">首页</a> &gt; {lanmu}</div>
<div class="article oneColumn pub_border">
<h1 id="ti">{title}</h1>
<div class="pages-date">{minute}<span class="font">来源： {source}</span><span class="pages-print">字号：默认 大 超大|打印</span></div>
{stray}
<div class="pages_content" id="UCAP-CONTENT"><div class="trs_editor_view">
{body}
</div></div>
<div class="editor">【责任编辑：{author}】</div>
</div></div>"""
    + FOOT
)

SITES = (GovCn,)
