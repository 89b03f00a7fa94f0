"""www.csrc.gov.cn: a search list as JSON and the table of rules; both in front of the same kind of page."""

from __future__ import annotations

from typing import Any, ClassVar

from .. import markup
from ..documents import Attachment
from ..markup import esc
from ..wire import Request, Response, as_json
from ..world import hexadecimal
from .base import Placed, Site, pages_of

BASE = "https://www.csrc.gov.cn"
CHANNEL = "a1a078ee0bc54721ab6b148884c784a8"
NODES = {"证监会要闻": "c100028", "规章": "c106256", "政策法规库": "c101953"}
RULES = {"/csrc/c106256/fg.shtml": "规章", "/csrc/xxgk/zcfgk/index.shtml": "政策法规库"}


class Csrc(Site):
    hosts = ("www.csrc.gov.cn",)
    sources: ClassVar = {"csrc_yw": ("证监会要闻",), "csrc_rules": ("规章", "政策法规库")}
    robots = "User-agent: *\nDisallow: /searchTop/\n"
    compress = "gzip"

    def article_url(self, placed: Placed) -> str:
        return f"{BASE}/csrc/{NODES[placed.entry.section]}/c{placed.number(1_000_000, 7_999_999)}/content.shtml"

    def file_url(self, placed: Placed, attachment: Attachment, position: int) -> str:
        """Chinese file names, unquoted, as the pages have them."""
        folder = placed.url.rsplit("/", 1)[0]
        return f"{folder}/{placed.number(1_000_000, 7_999_999)}/files/{attachment.filename}"

    def lists(self, request: Request) -> Response | None:
        if request.path == f"/searchList/{CHANNEL}":
            return self._search(request.query)
        if request.path in RULES:
            return self._rules(RULES[request.path])
        return None

    def _search(self, query: dict[str, str]) -> Response:
        rows = self.rows("csrc_yw")
        size, number = int(query.get("_pageSize") or 18), int(query.get("page") or 1)
        results = [self._row(one) for one in pages_of(rows, size, number)]
        data = {"total": len(rows), "page": number, "rows": size, "results": results}
        return as_json({"code": 200, "msg": "success", "data": data}, compress="gzip")

    def _row(self, placed: Placed) -> dict[str, Any]:
        doc = placed.doc
        body = markup.paragraphs(markup.body_parts(doc))
        return {
            "manuscriptId": str(placed.number(1_000_000, 7_999_999)),
            "title": placed.title,
            "url": self.link(placed).removeprefix("https:"),
            "publishedTime": int(doc.published.timestamp() * 1000) + 8 * 3600 * 1000,  # their clock is 8 hours off
            "publishedTimeStr": f"{doc.published:%Y-%m-%d %H:%M:%S}",
            "channelName": placed.entry.section,
            "memo": doc.lead,
            "content": doc.body.replace("\n\n", "\n"),
            "contentHtml": body,
            "resList": [
                {"filePath": url.removeprefix("https:"), "fileName": one.filename, "title": one.name}
                for one, url in placed.files()
            ],
        }

    def _rules(self, section: str) -> Response:
        items = ""
        for number, one in enumerate(self.rows("csrc_rules", section), 1):
            files = "".join(
                f'<a href="\n{url.removeprefix(BASE)}\n">{"下载文字版" if file.kind == "docx" else "下载图片版"}</a>\n'
                for file, url in one.files()
            )
            items += ROW.format(
                number=number, path=one.path, title=esc(one.title), sub=esc(one.doc.doc_number), files=files
            )
        return self.page(LIST.format(section=section, channel=hexadecimal("csrc", section), items=items))

    def article(self, placed: Placed, request: Request) -> Response:
        doc, section = placed.doc, placed.entry.section
        if self.world.options.get("csrc_soft404"):  # throttled: the section index with status 200
            return self._rules(section if section in RULES.values() else "规章")
        body = markup.paragraphs(markup.body_parts(doc))
        files = "".join(
            f'<a href="{placed.number(1_000_000, 7_999_999)}/files/{esc(one.filename)}" download>{esc(one.filename)}</a>\n'
            for one, _ in placed.files()
        )
        main = NEWS if section == "证监会要闻" else RULE
        text = PAGE.format(
            title=esc(placed.title),
            section=section,
            moment=f"{doc.published:%Y-%m-%d %H:%M:%S}",
            source=esc(doc.outlet or "中国证监会"),
            main=main.format(title=esc(placed.title), body=body, files=files, day=f"{doc.published:%Y-%m-%d}"),
        )
        return self.page(text, placed, modified=doc.published.timestamp())


LIST = """<!DOCTYPE html>
<html>
<head>
    <meta charset="UTF-8">
  <meta name="channelid" content="{channel}">
<meta name="SiteName" content="中国证券监督管理委员会"/>
<meta name="ColumnName" content="{section}" />
<title>中国证券监督管理委员会{section}</title>
</head>
<body>
    <div class="fg-box">
        <div class="fg-tit"><p>中国证券监督管理委员会{section}</p></div>
        <div class="con-tit"><div class="table-wrap">
                    <table border="0" width="1050px">
                        <thead><tr class="tb_title"><th class="xh">序号</th><th class="gzbt">标题</th><th class="xz">下载</th></tr></thead>
                        <tbody id="zc-list-content">
{items}
                        </tbody>
                    </table>
        </div></div>
    </div>
</body>
</html>"""

ROW = """                                <tr>
                                    <td align="center">{number}</td>
                                      <td class="info zc_info">
                                      <a class="list clear" target="_blank" href="{path}">
                                          <span class="til">{title}</span>
                                        <span  class="sub-til">{sub}</span>
                                      </a>
                                      </td>
                                    <td class="xz-btn">
{files}
                                    </td>
                                </tr>
"""

PAGE = """<!DOCTYPE html>
<html>
<head>
    <meta charset="UTF-8">
<meta name="SiteName" content="中国证券监督管理委员会"/>
<meta name="SiteDomain" content="www.csrc.gov.cn"/>
<meta name="ColumnName" content="{section}" />
<meta name="ArticleTitle" content="{title}"/>
<meta name="PubDate" content="{moment}"/>
<meta name="ContentSource" content="{source}"/>
<meta name="others" content="页面生成时间 {moment}" />
<title>{title}_中国证券监督管理委员会</title>
</head>
<body>
{main}
</body>
</html>"""

NEWS = """<div class="xxgk-detail"><div class="content"><h2>{title}</h2>
<div class="info"><p class="fl">日期：{day}</p><p class="fr">来源：</p></div>
<div class="detail-news">
{body}
{files}</div></div></div>"""

RULE = """    <div class="zfxx-fg-box">
        <div class="zfxx-title"><div class="gh-box"><h2>中国证券监督管理委员会规章</h2></div></div>
        <div class="zfxx-container clearfix">
            <div class="content-head">
{files}                <div class="clear"></div>
            </div>
            <div class="content-body">
              <h3>{title}</h3>
{body}
            </div>
        </div>
        <div class="fg-foot"><span>中国证券监督管理委员会发布</span></div>
    </div>"""

SITES = (Csrc,)
