"""The plain TRS sites: MOF with its sub-hosts, NBS with its feeds, and the policy banks that are off until checked."""

from __future__ import annotations

import datetime as dt
import re
from typing import ClassVar

from .. import feeds, markup
from ..markup import esc
from ..wire import Request, Response
from .base import Placed, Site, page_count, pages_of

HEAD = """<!DOCTYPE html>
<html>
<head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<meta name="SiteName" content="{site}">
<meta name="ColumnName" content="{section}">
<meta name="ArticleTitle" content="{title}">
<meta name="PubDate" content="{moment}">
<meta name="ContentSource" content="{source}">
<title>{title}</title>
</head>
<body>
"""


class Trs(Site):
    """Columns in folders on hosts, pages at yyyymm/tyyyymmdd_id, lists at index_n."""

    site_name: ClassVar[str]
    #: section -> (host, folder)
    columns: ClassVar[dict[str, tuple[str, str]]]
    source: ClassVar[str]
    scheme: ClassVar[str] = "http"
    extension: ClassVar[str] = "html"
    list_extension: ClassVar[str] = "html"
    size: ClassVar[int] = 20
    moment: ClassVar[str] = "%Y-%m-%d %H:%M:%S"
    list_page: ClassVar[str]
    row: ClassVar[str]
    page_body: ClassVar[str]
    https_only = False

    def folder(self, placed: Placed) -> tuple[str, str]:
        return self.columns[placed.entry.section]

    def article_url(self, placed: Placed) -> str:
        host, folder = self.folder(placed)
        number = placed.number(1_950_000, 3_999_999)
        return f"{self.scheme}://{host}{folder}{placed.stamp[:6]}/t{placed.stamp}_{number}.{self.extension}"

    def lists(self, request: Request) -> Response | None:
        found = re.fullmatch(rf"(/.+/)(?:index(?:_(\d+))?\.{self.list_extension})?", request.path)
        for section, (host, folder) in self.columns.items():
            if found and request.host == host and found[1] == folder:
                return self._list(section, int(found[2] or 0))
        return None

    def _list(self, section: str, page: int) -> Response | None:
        rows = self.rows(self.source, section)
        pages = page_count(rows, self.size)
        if page >= pages:
            return None
        host, folder = self.columns[section]
        items = "".join(
            self.row.format(
                link=esc(self._href(one, host, folder)),
                title=esc(one.title),
                shown=esc(markup.cut(one.title, 42)),
                day=f"{self.list_day(one):%Y-%m-%d}",
            )
            for one in pages_of(rows, self.size, page + 1)
        )
        text = self.list_page.format(section=section, items=items, pages=pages, page=page, site=self.site_name)
        return self.page(text)

    def list_day(self, placed: Placed) -> dt.date:
        return placed.doc.published.date()

    def _href(self, placed: Placed, host: str, folder: str) -> str:
        link = placed.options.get("link")
        if placed.options.get("pdf_row") and placed.doc.attachments:
            link = placed.files()[0][1]  # a row that is the file itself
        if link or f"://{host}/" not in placed.url:
            target = link or placed.url
            return "./" + target.split(folder, 1)[1] if f"://{host}{folder}" in target else target
        return markup.relative(placed.path, folder)

    def article(self, placed: Placed, request: Request) -> Response:
        doc = placed.doc
        files = "".join(
            f'<li><a href="./{url.rsplit("/", 1)[1]}" target="_blank">{esc(one.filename)}</a></li>'
            for one, url in placed.files()
        )
        text = (HEAD + self.page_body + "</body>\n</html>").format(
            site=self.site_name,
            section=placed.entry.section,
            title=esc(placed.title),
            moment=f"{doc.published.strftime(self.moment)}",
            day=f"{doc.published:%Y-%m-%d}",
            source=esc(placed.speaker(self.site_name)),
            body=markup.paragraphs(markup.body_parts(doc)),
            files=f'<ul id="down1">{files}</ul>' if files else "",
        )
        return self.page(text, placed, modified=doc.published.timestamp())


class Mof(Trs):
    hosts = tuple(f"{name}.mof.gov.cn" for name in ("www", "jrs", "zhs", "gss", "gks", "kjs", "szs", "jjs", "nys"))
    sources: ClassVar = {"mof_zcfb": ("政策发布", "财政新闻", "金融司 工作通知")}
    robots = "User-agent: *\nDisallow: /was5/\n"
    site_name = "中华人民共和国财政部"
    source = "mof_zcfb"
    extension = list_extension = "htm"
    columns: ClassVar = {
        "政策发布": ("www.mof.gov.cn", "/zhengwuxinxi/zhengcefabu/"),
        "财政新闻": ("www.mof.gov.cn", "/zhengwuxinxi/caizhengxinwen/"),
        "金融司 工作通知": ("jrs.mof.gov.cn", "/gongzuotongzhi/"),
    }
    compress = "gzip"
    content_type = "text/html"

    def folder(self, placed: Placed) -> tuple[str, str]:
        """The main list links to pages on the departments' hosts too."""
        if placed.entry.section == "政策发布" and placed.number(1_950_000, 3_999_999) % 3 == 0:
            return "jrs.mof.gov.cn", "/zhengcefabu/"
        return super().folder(placed)

    def list_day(self, placed: Placed) -> dt.date:
        """The list's date is the day after the page's for some."""
        late = placed.number(1_950_000, 3_999_999) % 4 == 0
        return min(placed.doc.published.date() + dt.timedelta(days=late), self.world.today)

    row = '\n\t\t<li><a href="{link}"  title="{title}"  target="_blank">{shown}</a><span>{day}</span></li>\n'
    list_page = """<!DOCTYPE html>
<html>
<head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<meta name="SiteName" content="{site}">
<meta name="ColumnName" content="{section}">
<title>{section}</title>
</head>
<body>
<div class="popfr"><ul><li><img src="../images/czb_pop3.jpg" /><h3>财政部微信</h3></li></ul></div>
<div class="mainboxerji">
<div class="zzleft"><ul><li id="2697"><a href="./">{section}</a></li></ul></div>
<div class="zzright">
    <div class="listBox"><div class="titlebox"><h3>{section}</h3></div>
        <ul class="xwfb_listbox">{items}
        <div class="clear"></div>
        </ul>
                 <p class="pagerji"><SCRIPT LANGUAGE="JavaScript">
//createPageHTML({pages}, {page}, "index", "htm");
var currentPage = {page};//所在页从0开始
var countPage = {pages}//共多少页
</SCRIPT></p>
    </div>
</div>
</div>
</body>
</html>"""
    page_body = """<div class="mainboxerji"><div class="box_content">
<h2 class="title_con">{title}</h2>
<p class="docreltime">{day}</p>
<div class="my_conboxzw"><div class="my_doccontent"><div class="TRS_Editor"><div class="TRS_Editor">
{body}
</div></div></div></div>
<div class="gu-download">附件下载:{files}</div>
<p>发布日期：{day}</p>
</div></div>
"""


class Nbs(Trs):
    hosts = ("www.stats.gov.cn",)
    sources: ClassVar = {"nbs_rss": ("数据发布", "数据解读")}
    scheme = "https"
    https_only = True
    site_name = "国家统计局"
    source = "nbs_rss"
    moment = "%Y/%m/%d %H:%M"
    columns: ClassVar = {
        "数据发布": ("www.stats.gov.cn", "/sj/zxfb/"),
        "数据解读": ("www.stats.gov.cn", "/sj/sjjd/"),
    }
    row = '<li><a class="fl pc_1600" href="{link}" target="_blank" title="{title}">{title}</a><span>{day}</span></li>'
    list_page = '<!DOCTYPE html><html><head><meta charset="utf-8"><title>{section}</title></head><body><div class="list-content"><ul>{items}</ul></div><script>createPageHTML({pages}, {page}, "index", "html");</script></body></html>'
    page_body = """<div class="wrapper-content"><div class="detail-title"><h1>{title}</h1></div>
<div class="detail-title-des"><h2><p>{moment}</p><span>来源：{source}</span></h2></div>
<div class="txt-content"><div class="trs_editor_view TRS_UEDITOR TRS_Editor">
{body}
{files}
</div></div></div>
"""

    def lists(self, request: Request) -> Response | None:
        for section, (_, folder) in self.columns.items():
            if request.path == f"{folder}rss.xml":
                rows = self.rows("nbs_rss", section)[:20]
                tag = "pubDate" if section == "数据发布" else "pubTime"
                return feeds.rss(
                    rows,
                    section,
                    lambda one: one.url,
                    date_tag=tag,
                    date=lambda moment: f"{moment:%Y-%m-%d %H:%M:%S}",
                    cdata=True,
                    content_type="application/xml",
                )
        return super().lists(request)


class Exim(Trs):
    hosts = ("www.eximbank.gov.cn",)
    sources: ClassVar = {"eximbank_news": ("新闻(路径未核实)", "公告(路径未核实)")}
    site_name = "中国进出口银行"
    source = "eximbank_news"
    columns: ClassVar = {
        "新闻(路径未核实)": ("www.eximbank.gov.cn", "/info/news/"),
        "公告(路径未核实)": ("www.eximbank.gov.cn", "/info/notice/"),
    }
    row = '<li><a href="{link}"><span class="title">{title}</span><span class="time">{day}</span></a></li>'
    list_page = Nbs.list_page
    page_body = '<div class="detail"><h1>{title}</h1><div class="TRS_Editor">{body}{files}</div></div>\n'


class Cdb(Trs):
    hosts = ("www.cdb.com.cn", "www.cdb.cn")
    sources: ClassVar = {"cdb_news": ("开行新闻(路径未核实)", "其他公告", "发债公告")}
    site_name = "国家开发银行"
    source = "cdb_news"
    scheme = "https"
    https_only = True
    columns: ClassVar = {
        "开行新闻(路径未核实)": ("www.cdb.com.cn", "/xwzx/khdt/"),
        "其他公告": ("www.cdb.com.cn", "/xwzx/xxgg/qtgg/"),
        "发债公告": ("www.cdb.com.cn", "/xwzx/xxgg/fzgg/"),
    }
    row = '<li><a href="{link}" title="{title}">{shown}</a><span>{day}</span></li>'
    list_page = Nbs.list_page
    page_body = '<div class="content"><h1>{title}</h1><div class="TRS_Editor">{body}{files}</div></div>\n'


class Sinosure(Trs):
    hosts = ("www.sinosure.com.cn",)
    sources: ClassVar = {"sinosure_news": ("新闻(路径未核实)",)}
    site_name = "中国出口信用保险公司"
    source = "sinosure_news"
    scheme = "https"
    https_only = True
    extension = list_extension = "shtml"
    columns: ClassVar = {"新闻(路径未核实)": ("www.sinosure.com.cn", "/xwzx/xbdt/")}
    row = '<li><a href="{link}" title="{title}">{shown}</a><span>{day}</span></li>'
    list_page = '<!DOCTYPE html><html><head><meta charset="utf-8"><title>{section}</title></head><body><div class="campus"><ul>{items}</ul></div><!-- {pages} {page} --></body></html>'
    page_body = '<div class="content"><h1>{title}</h1><div class="TRS_Editor">{body}{files}</div></div>\n'


SITES = (Mof, Nbs, Exim, Cdb, Sinosure)
