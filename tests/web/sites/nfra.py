"""www.nfra.gov.cn: AngularJS shells that hold templates only, lists and details as JSON, Word exports inside them."""

from __future__ import annotations

import datetime as dt
import functools
import re
from typing import Any, ClassVar

from .. import markup
from ..documents import Attachment, Doc, Entry
from ..files import TYPES
from ..files import make as make_file
from ..markup import esc
from ..wire import Request, Response, as_json, html
from ..world import hexadecimal
from .base import Placed, Site, page_count, pages_of

BASE = "https://www.nfra.gov.cn"
COLUMNS = {
    "规范性文件": 4215,
    "法律法规与部门规章": 4214,
    "其他文件": 4216,
    "监管动态": 915,
    "政策解读": 916,
    "公告通知": 925,
    "征求意见": 950,
    "服务制造业发展": 4217,
}
DEPARTMENTS = ("政策研究司", "法规司", "普惠金融司", "大型银行监管司", "财产保险监管司（再保险监管司）", "科技监管司")
OFFICIAL = {4214, 4215, 4216}
CACHED_PAGES = 3  # of the static copies of a list
FALSE_META = '<meta http-equiv=Content-Type  content="text/html; charset=gb2312" >'


class Nfra(Site):
    hosts = ("www.nfra.gov.cn", "big5.nfra.gov.cn")
    sources: ClassVar = {"nfra": tuple(COLUMNS)}
    robots = "User-agent: *\nDisallow: /cbircweb/admin/\nDisallow: /cn/view/pages/search/\n"
    compress = "gzip"
    chunked = True

    # ---- addresses

    def doc_id(self, placed: Placed) -> int:
        return placed.number(1_100_000, 1_399_999)

    def article_url(self, placed: Placed) -> str:
        return f"{BASE}/cn/static/data/DocInfo/SelectByDocId/data_docId={self.doc_id(placed)}.json"

    def public_url(self, placed: Placed, entry: Entry) -> str:
        item = COLUMNS[entry.section]
        kind = 1 if item in OFFICIAL else 0
        return f"{BASE}/cn/view/pages/ItemDetail.html?docId={self.doc_id(placed)}&itemId={item}&generaltype={kind}"

    def file_url(self, placed: Placed, attachment: Attachment, position: int) -> str:
        name = hexadecimal("nfra-file", f"{placed.doc.key}/{position}")
        return f"{BASE}/chinese/docfile/{placed.doc.published.year}/{name}.{attachment.kind}"

    # ---- answers

    def respond(self, request: Request) -> Response:
        if request.host.startswith("big5."):
            return self._traditional(Request("GET", "https", "www.nfra.gov.cn", request.target, request.head))
        return super().respond(request)

    def _traditional(self, request: Request) -> Response:
        """The mirror in Traditional script."""
        answer = super().respond(request)
        if answer.status == 200 and (answer.content_type or "").startswith(("application/json", "text/html")):
            answer.body = _converter().convert(answer.body.decode()).encode()
        return answer

    def lists(self, request: Request) -> Response | None:
        path, query = request.path, request.query
        if path == "/cbircweb/DocInfo/SelectDocByItemIdAndChild":
            return self._list(query.get("itemId", ""), query.get("pageSize", "18"), query.get("pageIndex", "1"))
        if path.startswith("/cn/static/data/DocInfo/SelectDocByItemIdAndChild/data_"):
            wanted = dict(re.findall(r"([a-zA-Z]+)=(\d+)", path))
            if int(wanted.get("pageIndex", 99)) <= CACHED_PAGES:
                return self._list(wanted.get("itemId", ""), wanted.get("pageSize", "18"), wanted["pageIndex"])
        if path == "/cbircweb/DocInfo/SelectItemAndDocByItemPId":
            return self._columns(int(query.get("pageSize", "6")))
        if path == "/cbircweb/solr/openGovSerch":
            return self._open_government(int(query.get("page", "1")))
        if path == "/cbircweb/DocInfo/SelectByDocId":
            return self._dynamic(query.get("docId", ""))
        if path.startswith("/chinese/OFFICE/"):
            return self._copy(path)
        if path.startswith("/cn/view/pages/"):
            return html(SHELL, compress="gzip")
        return None

    def _list(self, item: str, size: str, page: str) -> Response | None:
        section = next((name for name, number in COLUMNS.items() if str(number) == item), None)
        if section is None or not (size.isdigit() and page.isdigit()):
            return self._json({"rptCode": 200, "msg": "成功", "data": {"total": 0, "rows": []}})
        rows = self.rows("nfra", section)
        shown = [self._row(one, int(item)) for one in pages_of(rows, int(size), int(page))]
        return self._json({"rptCode": 200, "msg": "成功", "data": {"total": len(rows), "rows": shown}})

    def _columns(self, size: int) -> Response:
        data = []
        for name, item in COLUMNS.items():
            shown = [self._row(one, item) for one in self.rows("nfra", name)[:size]]
            data.append(
                {"itemName": name, "itemPid": 914, "itemUrl": "ItemListRightList.html", "itemId": item, "level": 3}
                | {"generaltype": "0", "keyword": name, "ifshow": "0", "subItemslist": None, "docInfoVOList": shown}
            )
        return self._json({"rptCode": 200, "msg": "成功", "data": data})

    def _open_government(self, page: int) -> Response:
        rows = [one for one in self.rows("nfra") if COLUMNS[one.entry.section] in OFFICIAL]
        lists = [
            {
                "id": str(4_900_000 + self.doc_id(one) % 100_000),
                "docId": str(self.doc_id(one)),
                "itemId": str(COLUMNS[one.entry.section]),
                "itemName": one.entry.section,
                "docSubtitle": one.title,
                "publishDate": f"{one.doc.published:%Y-%m-%d %H:%M:%S}",
                "builddate": f"{_built(one.doc)} 00:00:00",
                "generaltype": "1",
            }
            for one in pages_of(rows, 10, page)
        ]
        data = {"total": len(rows), "rulesPageNo": page_count(rows, 10), "lists": lists}
        return self._json({"rptCode": 200, "msg": "Success", "data": data})

    def _row(self, placed: Placed, item: int) -> dict[str, Any]:
        number, link = self.doc_id(placed), placed.options.get("link")
        subtitle = placed.title
        if link:
            subtitle = f"<a ng-href='{link}' href='{link}' target='_blank'>{esc(placed.title)}</a>"
        return {
            "docId": number,
            "docSubtitle": subtitle,
            "publishDate": f"{placed.doc.published:%Y-%m-%d %H:%M:%S}",
            "docSummary": placed.doc.summary or None,
            "docFileUrl": f"/chinese/OFFICE/DOC/{number}.doc",
            "generaltype": "1" if item in OFFICIAL else "0",
            "pdfFileUrl": f"/chinese/OFFICE/PDF/{number}.pdf",
            "itemName": None,
            "solicitFlag": None,
            "docTitle": _broken(placed.title),
            "datafrom": None,
            "docUuid": None,
            "builddate": None,
            "isTitleLink": "1" if link else "0",
            "titleLink": link,
            "itemId": None,
            "itemUuid": None,
            "rulesIsVaild": None,
        }

    def _dynamic(self, number: str) -> Response:
        placed = self._by_id.get(number)
        if placed is None:
            return self._json({"rptCode": 200, "msg": "成功", "data": None})
        return self._json(self._detail(placed))

    @property
    def _by_id(self) -> dict[str, Placed]:
        if "by_id" not in self.index.memo:
            self.index.memo["by_id"] = {str(self.doc_id(one)): one for one in self.index.placed}
        found: dict[str, Placed] = self.index.memo["by_id"]
        return found

    def article(self, placed: Placed, request: Request) -> Response:
        return self._json(self._detail(placed))

    def _detail(self, placed: Placed) -> dict[str, Any]:
        doc = placed.doc
        department = placed.options.get("department") or DEPARTMENTS[self.doc_id(placed) % len(DEPARTMENTS)]
        edited = (doc.published - dt.timedelta(minutes=17)).astimezone(dt.UTC)
        attached = [
            {"title": one.filename, "attachmentName": one.filename, "urlOtherName": url.removeprefix(BASE)}
            for one, url in placed.files()
        ]
        data: dict[str, Any] = {
            "docId": self.doc_id(placed),
            "docTitle": _broken(placed.title),
            "docSubtitle": placed.title,
            "publishDate": f"{doc.published:%Y-%m-%d %H:%M:%S}",
            "docSummary": doc.summary or None,
            "indexNo": doc.index_number or None,
            "documentNo": doc.doc_number or None,
            "agencyType": "9f20205caab745afb5ae9db7c7e6ef1a",
            "agencyTypeName": department,
            "docEditdate": f"{edited:%Y-%m-%dT%H:%M:%S}.000+00:00",
            "remark2": None,
            "documentType": "0",
            "builddate": f"{_built(doc)}",
            "interviewTypeName": "机构监管",
            "docSource": department,
            "docUuid": None,
            "isTitleLink": None,
            "titleLink": None,
            "generaltype": "1" if COLUMNS[placed.entry.section] in OFFICIAL else "0",
            "docFileUrl": None,
            "pdfFileUrl": None,
            "caption": None,
            "aviCodeUrl": None,
            "listTwoItem": [
                {"ItemName": entry.section, "ItemID": COLUMNS[entry.section], "shortLink": None, "ItemLvs": []}
                for entry in placed.entries
            ],
            "docClob": word_export(doc),
            "attachmentInfoVOList": attached,
            "docImageInfoVOList": [],
            "datafrom": None,
            "ifShowShare": True,
        }
        return {"rptCode": 200, "msg": "成功", "data": data}

    def _copy(self, path: str) -> Response | None:
        """The .doc and .pdf copies that every row names."""
        found = re.fullmatch(r"/chinese/OFFICE/(DOC|PDF)/(\d+)\.(doc|pdf)", path)
        placed = self._by_id.get(found[2]) if found else None
        if not found or placed is None:
            return None
        copy = Attachment(placed.title, found[3], placed.doc.body)
        return Response(make_file(copy, placed.title, placed.doc.published)[0], TYPES[found[3]])

    def _json(self, value: Any) -> Response:
        return as_json(value, compress=self.compress, chunked=self.chunked)


def _built(doc: Doc) -> dt.date:
    return doc.written or doc.published.date()


def _broken(title: str) -> str:
    """Long titles are set in lines: the break stands before 关于 and after the issuers."""
    head, about, tail = title.partition("关于")
    return f"{head.strip()}\n{about}{tail}" if about and head and len(title) > 24 else title


@functools.cache
def _converter() -> Any:
    from opencc import OpenCC  # slow to load, and only the mirror needs it

    return OpenCC("s2t")


# ---- the Word export

RUN = (
    "<span style=\"mso-spacerun:'yes';font-family:仿宋_GB2312;letter-spacing:0.0000pt;font-size:16.0000pt;"
    'mso-font-kerning:1.0000pt;" >{}</span>'
)
EMPTY = RUN.format("<o:p></o:p>")
PARAGRAPH = (
    '<p class=MsoNormal  style="margin-top:0.0000pt;margin-bottom:0.0000pt;text-indent:{indent};'
    'mso-layout-grid-align:none;text-align:{align};line-height:28.0000pt;mso-line-height-rule:exactly;" >{runs}</p>'
)
STYLE = {"p": ("32.0000pt", "justify"), "h": ("32.0000pt", "justify"), "c": ("0pt", "center"), "r": ("0pt", "right")}


def word_export(doc: Doc) -> str:
    """Word's HTML: sentences cut into runs, some in <font>, empty <o:p>, and a charset meta that is not true."""
    parts = markup.body_parts(doc)
    inner = "".join(
        markup.table(text, "class=MsoTableGrid  border=1  cellspacing=0") if kind == "table" else _paragraph(kind, text)
        for kind, text in parts
    )
    return (
        '<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:w="urn:schemas-microsoft-com:office:word" >'
        f"<head>{FALSE_META}<meta name=ProgId  content=Word.Document ><title></title>"
        "<!--[if gte mso 9]><xml><o:DocumentProperties><o:Author>CBIRC</o:Author><o:Pages>2</o:Pages>"
        '</o:DocumentProperties></xml><![endif]--><style>@font-face{font-family:"仿宋_GB2312";} p.MsoNormal'
        "{margin:0pt;font-size:10.5pt;}</style></head>"
        '<body style="tab-interval:21pt;text-justify-trim:punctuation;" ><!--StartFragment-->'
        f'<div class="Section0"  style="layout-grid:15.6000pt;" >{inner}<p class=MsoNormal >{RUN.format("<o:p> </o:p>")}'
        "</p></div><!--EndFragment--></body></html>"
    )


def _paragraph(kind: str, text: str) -> str:
    indent, align = STYLE[kind]
    runs = re.findall(r"[0-9A-Za-z.%〔〕]+|[^0-9A-Za-z.%〔〕]{1,23}", text)
    marked = [
        RUN.format(esc(run) if run[0].isascii() else f'<font face="仿宋_GB2312" >{esc(run)}</font>') for run in runs
    ]
    return PARAGRAPH.format(indent=indent, align=align, runs="".join(marked) + EMPTY)


SHELL = """<!DOCTYPE html>
<html ng-app="myApp"><head><meta charset="utf-8"><title>国家金融监督管理总局</title>
<script src="/cn/js/angular.min.js"></script></head>
<body ng-controller="myCtrl">
<div class="wenzhang-title" ng-bind-html="data.docTitle | trustHtml">{{data.docTitle}}</div>
<div class="list"><ul><li ng-repeat="x in datas"><a href="ItemDetail.html?docId={{x.docId}}" title="{{x.docSubtitle}}">{{x.docSubtitle}}</a>
<span>{{x.publishDate | date:'yyyy-MM-dd'}}</span></li></ul></div>
<div id="wenzhang-content">{{data.docClob}}</div>
</body></html>
"""

SITES = (Nfra,)
