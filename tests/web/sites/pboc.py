"""www.pbc.gov.cn: lists in nested tables, a pager that only a script can follow, and the bank's own RSS."""

from __future__ import annotations

import datetime as dt
import re
from typing import ClassVar

from .. import markup
from ..documents import CHINA
from ..markup import cut, esc
from ..wire import Request, Response
from .base import Placed, Site, page_count, pages_of

BASE = "https://www.pbc.gov.cn"
NEWS = "新闻发布"
COLUMNS = {  # folder, number in the pager
    NEWS: ("/goutongjiaoliu/113456/113469/", "11040"),
    "规范性文件": ("/tiaofasi/144941/3581332/", "13352"),
    "部门规章": ("/tiaofasi/144941/144957/", "21892"),
    "意见征集": ("/tiaofasi/144941/144979/", "17841"),
    "信贷政策": ("/xindaishichangsi/5443861/", "15071"),
}
RSS = "/goutongjiaoliu/113456/2986536/index.html"
ROWS, RSS_ROWS = 20, 6
NEW_IDS = dt.datetime(2025, 6, 1, tzinfo=CHINA)  # older pages have numbers of seven digits


class Pboc(Site):
    hosts = ("www.pbc.gov.cn",)
    sources: ClassVar = {"pboc_lists": tuple(COLUMNS), "pboc_rss": (NEWS,)}
    robots = "User-agent: *\nDisallow: /eportal/\n"

    def article_url(self, placed: Placed) -> str:
        doc = placed.doc
        if doc.published < NEW_IDS:
            name = str(placed.number(3_000_000, 5_999_999))
        else:
            name = f"{placed.stamp}{placed.number(10**10, 10**11 - 1)}"
        return f"{BASE}{COLUMNS[placed.entry.section][0]}{name}/index.html"

    def lists(self, request: Request) -> Response | None:
        if request.path == RSS:
            return self._rss()
        for section, (folder, module) in COLUMNS.items():
            if request.path in (folder, f"{folder}index.html"):
                return self._list(section, 1)
            found = re.fullmatch(rf"{folder}{module}(?:-|/index)(\d+)\.html", request.path)
            if found:
                return self._list(section, int(found[1]))
        return None

    def _column(self, section: str) -> list[Placed]:
        """What the feed announces stands in the news column too."""
        rows = {id(one): one for one in self.rows("pboc_lists", section)}
        if section == NEWS:
            rows |= {id(one): one for one in self.rows("pboc_rss", NEWS)}
        return sorted(rows.values(), key=lambda one: (one.doc.published, one.doc.key), reverse=True)

    def _list(self, section: str, page: int) -> Response | None:
        folder, module = COLUMNS[section]
        rows = self._column(section)
        pages = page_count(rows, ROWS)
        if not 1 <= page <= pages:
            return None
        items = "\n".join(
            ITEM.format(
                path=esc(one.options.get("link") or one.path),
                title=esc(one.title),
                shown=esc(cut(one.title, 42)),
                day=f"{one.doc.published:%Y-%m-%d}",
            )
            for one in pages_of(rows, ROWS, page)
        )
        following = f"{folder}{module}-{page + 1}.html"
        next_page = NEXT.format(path=following) if page < pages else ""
        text = LIST.format(
            section=section,
            created=f"{self.world.now:%Y-%m-%d %H:%M:%S}"[:10] + " 09:21:34",
            items=items,
            next=next_page,
            last=f"{folder}{module}-{pages}.html",
            count=len(rows),
            page=page,
            pages=pages,
            module=module,
            rss=f"{BASE}{RSS}",
        )
        return self.page(text)

    def _rss(self) -> Response:
        """Links lack the scheme, titles are cut, and dates are midnight in Beijing told in GMT."""
        rows = self._column(NEWS)[:RSS_ROWS]
        items = ""
        for one in rows:
            midnight = dt.datetime.combine(one.doc.published.date(), dt.time(), CHINA).astimezone(dt.UTC)
            items += (
                f"<item><title>{esc(cut(one.title, 24))}</title><link>{one.url.removeprefix('https://')}</link>"
                f"<description></description><pubDate>{midnight.day} {midnight:%b %Y %H:%M:%S} GMT</pubDate></item>\n"
            )
        text = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>新闻发布</title>'
            f"<link>www.pbc.gov.cn/goutongjiaoliu/113456/113469/index.html</link><description>新闻</description>\n{items}</channel></rss>"
        )
        newest = max((one.doc.published.timestamp() for one in rows), default=0.0)
        return Response(text.encode(), "text/xml;charset=UTF-8", validators=True, modified=newest)

    def article(self, placed: Placed, request: Request) -> Response:
        doc = placed.doc
        body = markup.paragraphs(
            markup.body_parts(doc, chinese_numerals=True),
            p='<p><span style="text-indent:0px;">{}</span></p>',
            h="<p><strong>{}</strong></p>",
            centre='<p align="center">{}</p>',
            right='<p align="right">{}</p>',
        )
        for one, url in placed.files():
            body += f'\n<p><a href="{url.removeprefix(BASE)}" target="_blank">{esc(one.filename)}</a></p>'
        text = PAGE.format(
            title=esc(placed.title),
            section=placed.entry.section,
            day=f"{doc.published:%Y-%m-%d}",
            moment=f"{doc.published:%Y-%m-%d %H:%M:%S}",
            author=esc(doc.author),
            path=placed.path,
            body=body,
        )
        return self.page(text, placed, modified=doc.published.timestamp())


ITEM = """     <table cellspacing="0" cellpadding="0" border="0" width="100%">
      <tbody>
       <tr>
        <td width="15"></td>
        <td height="22" align="left"><font class="newslist_style" style="margin-right:10px;"><a href="{path}" onclick="void(0)" target="_blank" title="{title}" istitle="true">{shown}</a></font><span class="hui12">{day}</span></td>
       </tr>
      </tbody>
     </table>"""

NEXT = """<a style="cursor:pointer" onclick="queryArticleByCondition(this,'{path}')" tagname="{path}" class="pagingNormal">下一页</a>"""

HEAD = """<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd"><html>
 <head>
  <meta http-equiv="Content-Type" content="text/html; charset=utf-8" />"""

LIST = (
    HEAD
    + """<title>{section} </title>
<meta  name="createDate" content="{created}" />
<meta name="ColumnName" content="{section}" >
<meta name="SiteName" content="中国人民银行"><!--网站名称-->
<meta name="SiteIDCode" content="bm25000001"><!--网站标识-->
 </head>
 <body>
 <div class="header">
<table width="950" height="20" border="0" align="center" cellpadding="0" cellspacing="0"><tr><td align="left">
<script  type="text/javascript">
    var wa='<a href="{rss}" class="hei12">RSS订阅</a>';
document.write(wa);
    </script></td></tr></table></div>
  <div class="mainw950"><table><tbody><tr><td>
  <div opentype="page"><div easysite="easysiteDiv"><table cellspacing="0" cellpadding="0" border="0" width="90%" align="center">
  <tbody>
   <tr>
    <td height="200" valign="top">
{items}</td>
   </tr>
  </tbody>
 </table>
</div>
<div style="width:90%; font-family: Tahoma,Arial,Helvetica;font-size: 12px;font-weight: normal; margin:0 auto;">
 <table cellspacing="0" cellpadding="0" border="0" width="100%">
  <tbody>
   <tr>
    <td nowrap="true" align="notset" valign="bottom" style="width:60%;"> <a tagname="[HOMEPAGE]" class="">首页</a> <a tagname="[PREVIOUSPAGE]" class="">上一页</a> {next} <a style="cursor:pointer" onclick="queryArticleByCondition(this,'{last}')" tagname="{last}" class="pagingNormal">尾页</a> </td>
    <td nowrap="true" align="left" valign="bottom" style="width:40%;line-height:23px;" class="Normal"> 总记录数:{count},每页显示20条记录,当前页: <font color="red" style="font-family:雅黑,宋体">{page}</font> /{pages} </td>
   </tr>
  </tbody>
 </table>
</div>
<input type="hidden" name="article_paging_list_hidden" moduleid="{module}" modulekey="{module}" totalpage="{pages}">
 </div></td></tr></tbody></table></div>
 </body>
</html>"""
)

PAGE = (
    HEAD
    + """<title>{title}</title>
<meta name="SiteName" content="中国人民银行">
<meta name="SiteIDCode" content="bm25000001">
<meta name="ColumnName" content="{section}">
<meta name="ArticleTitle" content="{title}">
<meta name="PubDate" content="{day}">
<meta name="ContentSource" content="">
<meta name="Author" content="{author}">
<meta name="Url" content="{path}">
 </head>
 <body>
  <table width="950" border="0" align="center"><tbody><tr><td class="hei12">当前位置：<a href="/rmyh/index.html">首页</a>&gt;{section}</td></tr></tbody></table>
  <table width="100%" border="0"><tbody><tr><td align="center"><h2 style="font-size: 16px;color: #333;">{title}</h2></td></tr>
  <tr><td align="center" class="hui12">文章来源：<span id="laiyuan"></span>　<span id="shijian">{moment}</span></td></tr>
  <tr><td class="content"><div id="zoom" class="zoom1">
{body}
</div></td></tr></tbody></table>
  <table><tbody><tr><td class="hui12"><a href="javascript:window.print()">打印本页</a> <a href="javascript:window.close()">关闭窗口</a></td></tr></tbody></table>
 </body>
</html>"""
)

SITES = (Pboc,)
