"""www.ndrc.gov.cn: static TRS lists and pages; orders whose text is only in the PDF and OFD beside them."""

from __future__ import annotations

import re
from typing import ClassVar

from .. import markup
from ..markup import esc
from ..wire import Request, Response, html
from .base import Placed, Site, page_count, pages_of

BASE = "https://www.ndrc.gov.cn"
COLUMNS = {
    "通知": "/xxgk/zcfb/tz/",
    "规范性文件": "/xxgk/zcfb/ghxwj/",
    "公告": "/xxgk/zcfb/gg/",
    "规划文本": "/xxgk/zcfb/ghwb/",
    "发展改革委令": "/xxgk/zcfb/fzggwl/",
    "政策解读": "/xxgk/jd/jd/",
    "新闻发布": "/xwdt/xwfb/",
    "制造业发展(产业司)": "/fggz/cyfz/zcyfz/",
}
ROWS = 25


class Ndrc(Site):
    hosts = ("www.ndrc.gov.cn",)
    sources: ClassVar = {"ndrc_zcfb": tuple(COLUMNS)}
    robots = "User-agent: *\nDisallow: /images/\nDisallow: /jslm/\n"
    compress = "gzip"
    content_type = "text/html"  # the site says no charset

    def article_url(self, placed: Placed) -> str:
        number = placed.number(1_360_000, 1_459_999)
        return f"{BASE}{COLUMNS[placed.entry.section]}{placed.stamp[:6]}/t{placed.stamp}_{number}.html"

    def lists(self, request: Request) -> Response | None:
        if request.path in ("/xxgk/zcfb/", "/xxgk/zcfb/index.html"):
            return html('<html><head><script>window.location.href="./tz/";</script></head><body></body></html>')
        if request.path.endswith("_ext.html"):
            full = self.index.pages.get(f"{request.host}{request.path.replace('_ext.html', '.html')}")
            return self.article(full, request) if full else None
        found = re.fullmatch(r"(/.+/)(?:index(?:_(\d+))?\.html)?", request.path)
        section = next((name for name, folder in COLUMNS.items() if found and found[1] == folder), None)
        return self._list(section, int(found[2] or 0)) if found and section else None

    def _list(self, section: str, page: int) -> Response | None:
        folder, rows = COLUMNS[section], self.rows("ndrc_zcfb", section)
        pages = page_count(rows, ROWS)
        if page >= pages:
            return None
        shown = pages_of(rows, ROWS, page + 1)
        items = "".join(self._item(one, folder) for one in shown)
        text = LIST.format(
            section=section, up="../" * (folder.count("/") - 1), items=items, pages=pages, page=page, type="政策文件"
        )
        newest = max((one.doc.published.timestamp() for one in shown), default=self.world.now.timestamp() - 86_400)
        return self.page(text, validators=True, modified=newest)

    def _item(self, placed: Placed, folder: str) -> str:
        link = placed.options.get("link") or markup.relative(placed.path, folder)
        related = self._related(placed)
        flags = "<script>\n jdFlag=1;\n</script>" * len(related)
        nested = "".join(
            f'<li><a href="{markup.relative(one.path, folder)}" target="_blank" title="{esc(one.title)}">{esc(one.title)}</a></li>'
            for one in related
        )
        return ITEM.format(
            link=link, title=esc(placed.title), flags=flags, nested=nested, day=f"{placed.doc.published:%Y/%m/%d}"
        )

    def _related(self, placed: Placed) -> list[Placed]:
        return [self.index.by_key[key] for key in placed.doc.related if key in self.index.by_key]

    def article(self, placed: Placed, request: Request) -> Response:
        doc = placed.doc
        body = markup.paragraphs(
            markup.body_parts(doc),
            p='<div>　　<span style="font-size: 16px;">{}</span></div>',
            h='<div>　　<span style="font-size: 16px;"><b>{}</b></span></div>',
            centre='<div style="text-align: center;"><span style="font-size: 16px;">{}</span></div>',
            right='<div style="text-align: right;"><span style="font-size: 16px;">{}</span></div>',
        )
        files = "<BR>".join(
            f'<a href="./{url.rsplit("/", 1)[1]}">{esc(one.filename)}</a>' for one, url in placed.files()
        )
        related = self._related(placed)
        text = PAGE.format(
            title=esc(placed.title),
            section=placed.entry.section,
            published=f"{doc.published:%Y-%m-%d %H:%M:%S}",
            day=f"{doc.published:%Y/%m/%d}",
            source=esc(placed.speaker("国家发展改革委")),
            name=placed.path.rsplit("/", 1)[1].removesuffix(".html"),
            body=body,
            files=ATTACHED.format(files) if files else "",
            related="".join(
                f'<li><a href="{markup.relative(one.path, placed.path)}" target="_blank">{esc(one.title)}</a></li>'
                for one in related
            ),
        )
        return self.page(text, placed, modified=doc.published.timestamp())


LIST = """<!DOCTYPE html>
<html lang="en">
<head>
    <meta charset="UTF-8">
    <meta name="renderer" content="webkit"/>
    <title>{section}-国家发展和改革委员会</title>
    <meta name="SiteName" content="中华人民共和国国家发展和改革委员会">
    <meta name="SiteDomain" content="www.ndrc.gov.cn">
    <meta name="SiteIDCode" content="bm04000007">
    <meta name="ColumnName"content="{section}">
    <meta name="ColumnType"content="{type}">
    <script src="{up}images/jquery.min.js"></script>
    <script type="text/javascript">uaredirect(window.location.href+"wap_index.html");</script>
</head>
<body>
<div class="header"><script src="{up}jslm/headtop/headtop.js"></script></div>
<div class="container">
    <div class="path"><a href="{up}" class="CurrChnlCls">首页</a>&nbsp;&gt;&nbsp;<a href="./" class="CurrChnlCls">{section}</a></div>
    <ul class="submenu">
            <li id="fgwsub_6980"><a href="../fzggwl/" title="发展改革委令">发展改革委令</a></li>
            <li id="fgwsub_6984"><a href="../tz/" title="通知">通知</a></li>
    </ul>
    <div class="list">
        <ul class="u-list">
{items}
                <li class="empty"></li>
        </ul>
        <p class="clr"></p>
        <div class="page">
            <ul>
                <script type="text/javascript">
                    <!--
                    createPageHTML({pages}, {page}, "index", "html");
                    //-->
                </script>
            </ul>
        </div>
    </div>
</div>
<script src="{up}jslm/footer/footer.js"></script>
</body>
</html>"""

ITEM = """
                    <li><a href="{link}" target="_blank" title="{title}">{title}</a>
                        <script>
                            var jdFlag=0;
                        </script>
                        {flags}
                        <script>
                            if (jdFlag ==1 )
                                document.write('<strong><img src="/images/jiedu.png" alt="解读" title="解读" /><em></em></strong>');
                        </script>
                        <div class="popbox">
                            <div class="close" title="关闭"></div>
                            <h3 title="相关解读">相关解读</h3>
                            <ul>
                                {nested}
                            </ul>
                        </div>
                        <span>{day}</span></li>
"""

ATTACHED = """<div class="attachment"><div class="attachment_l">附件：</div><div class="attachment_r"><p>
                  {}
              </p></div></div>"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
    <meta charset="UTF-8">
    <meta name="viewport" content="width=device-width, initial-scale=1.0">
    <meta name="renderer" content="webkit"/>
    <title>【{title}】-国家发展和改革委员会 </title>
    <meta name="SiteName" content="中华人民共和国国家发展和改革委员会">
    <meta name="SiteDomain" content="www.ndrc.gov.cn">
    <meta name="SiteIDCode" content="bm04000007">
    <meta name="ColumnName" content="{section}">
    <meta name="ArticleTitle" content="{title}">
    <meta name="PubDate" content="{published}">
    <meta name="ContentSource" content="{source}">
    <meta name="Keywords" content="">
    <meta name="Author"content="">
    <meta name="Description" content="">
<meta name="ColumnType"content="政策文件">
    <script src="../../../../images/jquery.min.js"></script>
    <script>
        var mobilurl="./{name}_ext.html"
        uaredirect(mobilurl);
    </script>
</head>
<body>
<div class="header"><script src="../../../../jslm/headtop/headtop.js"></script></div>
<div class="container">
    <div class="path"><a href="../../../../" class="CurrChnlCls">首页</a>&nbsp;&gt;&nbsp;<a href="../" class="CurrChnlCls">{section}</a></div>
    <!-- 文章详情 -->
    <div class="article">
        <!--startprint-->
            <div class="article_l ">
                <h2 class="article_title">{title}</h2>
                <div class="shezhi">
                    <div class="time">发布时间：{day}</div>
                    <div class="ly laiyuantext">来源：<span>{source}</span></div>
                    <div class="dy"><div class="dy_btn"><img src="../../../../images/dayin.png" alt="" />[ 打印 ]</div></div>
                </div>
                <div class="article_con">
                    <div class=TRS_Editor>{body}</div>
                </div>
                {files}
            </div>
        <!--endprint-->
        <div class="article_r">
            <div class="xgwz" style="display:none">
                <div class="mt"><span>相关政策与解读</span></div>
                <ul>
                    {related}
                </ul>
            </div>
            <div class="phb"><div class="article_r_title">排行榜</div><ul class="article_r_ul" id="paihangbang"></ul></div>
        </div>
    </div>
</div>
<script src="../../../../jslm/footer/footer.js"></script>
<script>
    function doPrint() {{ bdhtml=window.document.body.innerHTML; window.print(); window.location.reload(); }}
</script>
</body>
</html>"""

SITES = (Ndrc,)
