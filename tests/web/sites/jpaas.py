"""www.miit.gov.cn and www.mofcom.gov.cn: one platform; columns are shells, their lists are HTML inside JSON."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any, ClassVar

from .. import markup
from ..documents import Attachment
from ..markup import esc
from ..wire import Request, Response, as_json
from ..world import hexadecimal
from .base import Placed, Site, pages_of

UNIT = "/api-gateway/jpaas-publish-server/front/page/build/unit"


class Jpaas(Site):
    """The platform: `columns` maps a section to (folder of the shell, pageId)."""

    base: ClassVar[str]
    columns: ClassVar[dict[str, tuple[str, str]]]
    source: ClassVar[str]
    parameters: ClassVar[dict[str, str]]
    row: ClassVar[str]
    frame: ClassVar[str]
    size = 15
    compress = "gzip"
    chunked = True

    def lists(self, request: Request) -> Response | None:
        if request.path == UNIT:
            return self._unit(request.query)
        for section, (folder, page_id) in self.columns.items():
            if request.path in (folder, f"{folder}index.html"):
                return self._shell(section, page_id)
        return None

    def _shell(self, section: str, page_id: str) -> Response:
        asked = self.parameters | {"pageId": page_id}
        query = "{" + ",".join(f"'{name}':'{value}'" for name, value in asked.items()) + "}"
        text = SHELL.format(section=section, unit=UNIT, query=esc(query).replace("&#x27;", "'"))
        return self.page(text, headers=[("Set-Cookie", f"wzws_cid={hexadecimal('wzws', section)}; path=/")])

    def _unit(self, query: dict[str, str]) -> Response:
        section = next((name for name, (_, page_id) in self.columns.items() if page_id == query.get("pageId")), None)
        if section is None or query.get("webId") != self.parameters["webId"]:
            return as_json({"success": False, "code": "500", "message": "参数错误", "data": None})
        number, size = self._page(query)
        rows = self.rows(self.source, section)
        items = "".join(
            self.row.format(
                url=esc(one.options.get("link") or one.path), title=esc(one.title), day=f"{one.doc.published:%Y-%m-%d}"
            )
            for one in pages_of(rows, size, number)
        )
        html = self.frame.format(items=items, count=len(rows), pages=-(-len(rows) // size))
        data = {"html": html, "resources": [], "isLast": number * size >= len(rows)}
        return as_json(
            {"success": True, "code": "200", "message": "操作成功", "data": data}, compress="gzip", chunked=True
        )

    def _page(self, query: dict[str, str]) -> tuple[int, int]:
        """Which page, told as plain parameters or inside paramJson."""
        told: dict[str, Any] = dict(query)
        if "paramJson" in query:
            with contextlib.suppress(ValueError):
                told |= json.loads(query["paramJson"])
        return int(told.get("pageNo") or 1), min(int(told.get("pageSize") or self.size), 100)


SHELL = """<!DOCTYPE html>
<html>
<head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
<meta name="SiteName" content="网站"><meta name="ColumnName" content="{section}"><meta name="ColumnType" content="政策文件">
<title>{section}</title>
</head>
<body>
<div class="main"><div class="lmy-left">{section}</div>
<div class="lmy-right"><script parseType="buildstatic" url="{unit}" querydata="{query}"></script></div>
</div>
</body>
</html>"""


class Miit(Jpaas):
    hosts = ("www.miit.gov.cn", "hubca.miit.gov.cn", "cqca.miit.gov.cn", "gdca.miit.gov.cn")
    base = "https://www.miit.gov.cn"
    source = "miit_wjfb"
    columns: ClassVar = {
        "文件发布·通知": ("/zwgk/zcwj/wjfb/tz/", "3e3ad1a3bec74939890a0d3e54815141"),
        "公示": ("/zwgk/wjgs/", hexadecimal("miit", "wjgs")),
        "政策解读": ("/zwgk/zcjd/", hexadecimal("miit", "zcjd")),
        "意见征集": ("/gzcy/yjzj/", hexadecimal("miit", "yjzj")),
        "文件发布·公告": ("/zwgk/zcwj/wjfb/gg/", hexadecimal("miit", "gg")),
        "财务司": ("/jgsj/cws/wjfb/", hexadecimal("miit", "cws")),
    }
    sources: ClassVar = {"miit_wjfb": tuple(columns), "miit_search": ("政策文件库",)}
    robots = "User-agent: *\nDisallow: /admin/\nDisallow: /cms_files/private/\n"
    parameters: ClassVar = {
        "parseType": "buildstatic",
        "webId": "8d828e408d90447786ddbe128d495e9e",
        "tplSetId": "209741b2109044b5b7695700b2bec37e",
        "pageType": "column",
        "tagId": "右侧内容",
        "editType": "null",
    }
    frame = '<div class="page-content" count="{count}"><ul class="lmy-list">{items}</ul></div>'
    row = '<li class="cf"><a class="fl" href="{url}" target="_blank" title="{title}">{title}</a><span class="fr">{day}</span></li>\n'

    def article_url(self, placed: Placed) -> str:
        folder = self.columns.get(placed.entry.section, ("/zwgk/zcwj/wjfb/tz/", ""))[0]
        return f"{self.base}{folder}art/{placed.doc.published.year}/art_{placed.hex()}.html"

    def file_url(self, placed: Placed, attachment: Attachment, position: int) -> str:
        name = hexadecimal("cms", f"{placed.doc.key}/{position}", 24)
        return f"{self.base}/cms_files/filemanager/1226211233/attach/{placed.stamp[:6]}/{name}.{attachment.kind}"

    def respond(self, request: Request) -> Response:
        if request.host != "www.miit.gov.cn":  # the mirrors answer the same paths
            request = Request(
                request.method, request.scheme, "www.miit.gov.cn", request.target, request.head, request.body
            )
        return super().respond(request)

    def lists(self, request: Request) -> Response | None:
        if request.path == "/search-front-server/api/search/info":
            return self._search(request.query)
        if request.path in ("/zwgk/", "/zwgk/index.html"):
            return self._home()
        return super().lists(request)

    def _library(self) -> list[Placed]:
        """The search knows its own documents and those of the document columns."""
        columns = ("文件发布·通知", "文件发布·公告")
        return [
            one
            for one in self.index.placed
            if any(entry.source == "miit_search" or entry.section in columns for entry in one.entries)
        ]

    def _search(self, query: dict[str, str]) -> Response:
        rows = self._library()
        words = query.get("q", "").split()
        rows = [one for one in rows if all(word in one.title for word in words)]
        size, number = int(query.get("pg") or 20), int(query.get("p") or 1)
        found = [{"groupData": [{"data": self._row(one)}], "groupCount": 1} for one in pages_of(rows, size, number)]
        result = {"total": len(rows), "totalpage": -(-len(rows) // size), "dataResults": found}
        answer = {"code": "200", "success": True, "message": "success", "data": {"searchResult": result}}
        return as_json(answer, compress="gzip", chunked=True)

    def _row(self, placed: Placed) -> dict[str, Any]:
        doc = placed.doc
        files = [
            {"name": one.filename, "fileName": one.filename, "url": url.removeprefix(self.base), "thumbUrl": ""}
            for one, url in placed.files()
        ]
        fields = [
            {"fieldName": "title", "fieldType": "Text", "fieldValue": placed.title},
            {"fieldName": "content", "fieldType": "Editor", "fieldValue": self._body(placed)},
            {"fieldName": "attach", "fieldType": "Attach", "fieldValue": json.dumps(files, ensure_ascii=False)},
        ]
        inner = json.dumps(fields, ensure_ascii=False)
        return {
            "title": placed.title,
            "title_text": placed.title,
            "url": placed.options.get("link") or placed.path,
            "jsearch_date": f"{doc.published:%Y-%m-%d %H:%M:%S}",
            "deploytime": str(int(doc.published.timestamp() * 1000)),
            "publishtime": f"{doc.published:%Y-%m-%d %H:%M:%S}",
            "cdate": str(int(doc.published.timestamp() * 1000)),
            "filenumbername": doc.doc_number,
            "publishgroupname": "、".join(doc.issuers),
            "indexcode": doc.index_number,
            "typename": "通知",
            "themename": "规划与产业政策",
            "columnname": placed.entry.section,
            "metaid": placed.hex(),
            "infocontent": re.sub(r"\s", "", doc.body)[:145],
            "infoextends": json.dumps({"infoContent": inner}, ensure_ascii=False),
        }

    def _home(self) -> Response:
        items = "".join(
            f'<li><a href="{one.path}" title="{esc(one.title)}">{esc(markup.cut(one.title, 30))}</a><span>{one.doc.published:%Y-%m-%d}</span></li>'
            for one in self._library()
            if "/zwgk/zcwj/wjfb/" in one.url
        )
        return self.page(HOME.format(items=items))

    def _body(self, placed: Placed) -> str:
        body = markup.paragraphs(
            markup.body_parts(placed.doc),
            p='<p style="text-indent: 2em;">{}</p>',
            h='<p style="text-indent: 2em;"><strong>{}</strong></p>',
        )
        links = "".join(
            f'<p>附件：<a href="{url.removeprefix(self.base)}">{esc(one.filename)}</a></p>'
            for one, url in placed.files()
        )
        return body + links

    def article(self, placed: Placed, request: Request) -> Response:
        doc = placed.doc
        viewer = ""
        if doc.stub and doc.attachments and doc.attachments[0].kind == "pdf":
            viewer = f'<iframe src="{placed.files()[0][1].removeprefix(self.base)}" width="100%" height="900"></iframe>'
        table = INFO.format(
            number=esc(doc.doc_number), index=esc(doc.index_number), issuer=esc(" ".join(doc.issuers)),
            day=f"{doc.written or doc.published:%Y-%m-%d}",
        ) if doc.doc_number or doc.index_number else ""  # fmt: skip
        text = MIIT_PAGE.format(
            title=esc(placed.title),
            section=placed.entry.section,
            moment=f"{doc.published:%Y-%m-%d %H:%M}",
            source=esc(placed.speaker("工业和信息化部")),
            table=table,
            body=self._body(placed) + viewer,
        )
        return self.page(text, placed, modified=doc.published.timestamp())


HOME = """<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>政务公开</title></head><body>
<div class="zwgk-zcwj"><h3>政策文件</h3><ul>{items}</ul></div>
</body></html>"""

INFO = """<div class="xxgk_table"><table border="0" class="xxgkTable"><tbody>
<tr><td class="tit">发文机关：</td><td>{issuer}</td><td class="tit">发文字号：</td><td>{number}</td></tr>
<tr><td class="tit">索引号：</td><td>{index}</td><td class="tit">成文日期：</td><td>{day}</td></tr>
</tbody></table></div>"""

MIIT_PAGE = """<!DOCTYPE html>
<html>
<head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
<meta name="SiteName" content="中华人民共和国工业和信息化部">
<meta name="SiteDomain" content="www.miit.gov.cn">
<meta name="ColumnName" content="{section}">
<meta name="ArticleTitle" content="{title}">
<meta name="PubDate" content="{moment}">
<meta name="ContentSource" content="{source}">
<title>{title}</title>
</head>
<body>
<div class="header"><a href="/">首页</a></div>
<div class="mnr"><a href="/">首页</a> &gt; <a href="../../">{section}</a></div>
<div class="ctitle"><h1 id="con_title">{title}</h1></div>
<div class="cinfo center">
<span id="con_time">发布时间：{moment}</span>
<span>来源：{source}</span>
</div>
{table}
<div class="ccontent center" id="con_con">
{body}
</div>
<div class="share">【打印】【关闭】</div>
<div class="footer">主办单位：工业和信息化部</div>
</body>
</html>"""


class Mofcom(Jpaas):
    hosts = ("www.mofcom.gov.cn",)
    base = "https://www.mofcom.gov.cn"
    source = "mofcom_zcfb"
    columns: ClassVar = {"政策发布": ("/zwgk/zcfb/", "fc8bdff48fa345a48b651c1285b70b8f")}
    sources: ClassVar = {"mofcom_zcfb": ("政策发布",)}
    parameters: ClassVar = {
        "parseType": "bulidstatic",
        "webId": "8f43c7ad3afc411fb56f281724b73708",
        "tplSetId": "52551ea0e2c14bca8c84792f7aa37ead",
        "pageType": "column",
        "tagId": "分页列表",
        "editType": "null",
    }
    frame = '<ul class="txtList_01" count="{count}" pages="{pages}">{items}</ul>'
    row = '<li><a href="{url}" target="_blank" title="{title}">{title}</a><span>[{day}]</span></li>\n'

    def article_url(self, placed: Placed) -> str:
        return f"{self.base}/zwgk/zcfb/art/{placed.doc.published.year}/art_{placed.hex()}.html"

    def file_url(self, placed: Placed, attachment: Attachment, position: int) -> str:
        name = hexadecimal("mofcom", f"{placed.doc.key}/{position}", 32)
        return (
            f"{self.base}/cms_files/filemanager/policyReleaseUpload/attach/{placed.stamp[:6]}/{name}.{attachment.kind}"
        )

    def lists(self, request: Request) -> Response | None:
        if found := re.fullmatch(r"/article/b/c/\d{6}/(\d+)\.shtml", request.path):  # an old address
            placed = next(
                (one for one in self.index.placed if str(one.number(20_000_000, 29_999_999)) == found[1]), None
            )
            return self.page(f'<html><script>window.location.href="{placed.path}";</script></html>') if placed else None
        return super().lists(request)

    def article(self, placed: Placed, request: Request) -> Response:
        doc = placed.doc
        body = markup.paragraphs(markup.body_parts(doc), p="<p>　　{}</p>", h="<p>　　<strong>{}</strong></p>")
        links = "".join(
            f'<p><a href="{url.removeprefix(self.base)}">{esc(one.filename)}</a></p>' for one, url in placed.files()
        )
        text = MOFCOM_PAGE.format(
            title=esc(placed.title),
            moment=f"{doc.published:%Y-%m-%d %H:%M}",
            source=esc(placed.speaker("商务部")),
            body=body + links,
        )
        return self.page(text, placed, modified=doc.published.timestamp())


MOFCOM_PAGE = """<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="SiteName" content="中华人民共和国商务部">
<meta name="ColumnName" content="政策发布">
<meta name="ArticleTitle" content="{title}">
<meta name="PubDate" content="{moment}">
<meta name="ContentSource" content="{source}">
<title>{title}</title>
</head>
<body>
<div class="f-fl"><a href="/">首页</a> &gt; <a href="/zwgk/zcfb/index.html">政策发布</a></div>
<div class="art-title"><h1>{title}</h1></div>
<div class="art-info"><span>来源：{source}</span><span>类型：原创</span><span>{moment}</span></div>
<div class="art-con art-con-bottonmLine" ergodic="article">
{body}
</div>
<div class="art-foot">字体：大 中 小</div>
</body>
</html>"""

SITES = (Miit, Mofcom)
