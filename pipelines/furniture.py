"""Knows what stands around a text on news and ministry pages and is not the text: captions, editors, buttons, promotion.

Every rule is bound to a place (the end, beside a picture) or to a whole short line, so that a sentence of a document that
happens to hold such a word stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from bs4.element import Tag

_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?:px|pt|em|%)?\s*(?:;|!|$)"
    r"|(?<![-\w])height\s*:\s*0(?:px)?\s*;.*overflow\s*:\s*hidden",
    re.I,
)


# a style has some dozens of characters; of hundreds of thousands each word would be looked for from each other one
_MOST_OF_STYLE = 2000


def hides(style: str) -> bool:
    """Whether an inline style takes an element out of sight."""
    return bool(_HIDDEN.search(style[:_MOST_OF_STYLE]))


class Line(NamedTuple):
    """One line of a body: its text, whether it stands in a caption element, after a picture, in a table."""

    text: str
    caption: bool = False
    after_image: bool = False
    table: bool = False


_CAPTION_CLASS = re.compile(
    r"^(?:picture|pictext|pic[-_]?(?:text|desc|info|note|intro)|caption|(?:img|image|photo|pic|figure|wp)[-_]?"
    r"(?:caption|desc|note|title|info|text)(?:[-_]text)?|tuzhu|photo-?credit|figcaption)$",
    re.I,
)
_BOX = re.compile(
    r"^(?:bd)?shar(?:e|ing)(?:[-_]?\w*)?$|^bdsharebuttonbox$|^social[-_]?\w*$|^article-?edit$|^editor$|^edit$|^tadd$"
    r"|^p-tags$|^tiyi\d*$|^relat(?:ed|e|ion)[-_]?\w*$|^recommend\w*$|^comments?(?:[-_]\w+)?$|^adv?$|^ad[-_]\w+$|^advert\w*$"
    r"|^ads?box$|^qr-?code\w*$|^ewm\w*$|^tool-?bar$|^print(?:[-_]?btn)?$|^article-?tags?$|^breadcrumbs?$|^copyright\w*$"
    r"|^paper_num$|^bza$|^mbArticleSharePic$|^statement$|^disclaimer$|^subscribe\w*$|^newsletter\w*$",
    re.I,
)

_PROMOTION = re.compile(
    r"^[\s\[【(（〖|·>]*(?:"
    r"分享(?:到|让更多人看到|至)?[:：]?.{0,24}|扫一扫.{0,24}|扫码.{0,24}|长按.{0,10}二维码.{0,20}|打印(?:本页)?|关闭(?:窗口|本页)?"
    r"|字体?号?[:：]?\s*[【\[]?\s*大\s*[|\s]*中\s*[|\s]*小.{0,6}|收藏本页|返回(?:顶部|首页|列表)|上一篇.{0,60}|下一篇.{0,60}"
    r"|点击(?:下载|查看|进入|阅读).{0,30}|下载.{0,12}(?:客户端|APP)|关注.{0,16}(?:公众号|微信|微博).{0,20}|我要(?:投稿|分享|评论|纠错).{0,6}"
    r"|转播到.{0,10}|(?:更多|加载更多|查看更多|展开全文|阅读原文|返回搜狐).{0,16}|打开.{0,8}(?:APP|客户端).{0,16}"
    r"|下载(?:图片|文字)版|图集|纠错|推荐阅读[:：]?|举报|收藏|点赞|评论\d*"
    r"|share (?:this|on|to)\b.{0,40}|click here.{0,40}|print(?: this)?(?: page)?|follow us.{0,60}|read more:?|most popular"
    r"|scan (?:the )?(?:qr )?code.{0,60}|sign up .{0,80}|subscribe .{0,60}|advertisement|back to top|top\b"
    r")[\s\]】)）〗|·]*$",
    re.I,
)
_EDITOR = re.compile(
    r"^[\s【\[（(〖]*(?:纠错\s*[】\]]?\s*)?[【\[（(]?\s*(?:责任编辑|责编|值班编辑|网络编辑|实习编辑|编辑|编审|审核|校对|监制|审签|值班主任|"
    r"Editor|Editors|Web [Ee]ditor|Editing)\s*[:：/丨|].{0,60}$"
)
_LAST_LINE = re.compile(r"^[\s【\[（(〖]*(?:纠错\s*[】\]]?\s*)?[【\[（(]?\s*(?:责任编辑|责编)\s*[:：/丨|]")
_RIGHTS = re.compile(
    r"^[\s【\[（(*※]*(?:版权(?:声明|所有|归)|版\s*权\s*所\s*有|免责(?:声明|条款)|特别声明|郑重声明|凡(?:本网|注明|本站)|未经.{0,20}(?:授权|许可|同意)"
    r"|[^。]{0,60}(?:不得转载|禁止转载|谢绝转载|转载请注明|权益归|版权归)|本文(?:仅代表|来自|版权|系转载|转载自).{0,60}$|声明\s*[:：]|copyright\b(?!\s+(?:law|rule|act|case|claim|suit|owner|holder|infring|protect|reform|dispute|term|fee|royalt)\w*)|©|all rights reserved|disclaimer)",
    re.I,
)
_RELATED = re.compile(
    r"^[\s【\[>·■●◆]*(?:相关(?:链接|阅读|新闻|报道|文章|政策|附件|稿件|推荐|文档)|延伸阅读|推荐阅读|更多(?:新闻|阅读|精彩)|(?:精彩|热门|猜你喜欢|编辑|今日|为您|视频|图片).{0,6}(?:推荐|视频|导读)|猜你喜欢|往期(?:回顾|推荐)|热门(?:推荐|文章)"
    r"|related (?:articles?|stories|news|content|posts?|reading)|read also|see also|more (?:from|on|stories).{0,30}|you may also like)[\s:：】\]]*$",
    re.I,
)
_CAPTION_ZH = re.compile(
    r"^\s*(?:图注|图说|图片说明)\s*[:：]|^\s*[（(]?(?:资料图|图片来源|图源|供图)[^。]{0,40}[）)]?$"
)
_CAPTION_BESIDE_ZH = re.compile(
    r"^\s*(?:[▲△]|图\s?[\d①-⑳]?\s*[为：:]|[（(]?资料图)|(?:摄|供图|摄影|发（.{1,12}摄）|制图|来源：\S{1,12})\s*[）)】]?\s*$"
)
_CAPTION_EN = re.compile(
    r"[\[(]\s*(?:photo|file photo|photos?/|image|illustration|picture|provided)\b[^\])]{0,80}[\])]\s*$"
    r"|[\[(][^\])]{0,60}(?:/xinhua|/china daily|/vcg|/cfp|/ic|/afp|/reuters|/ap)\s*[\])]\s*$"
    r"|(?:^|[.\s])(?:photo|photos|image|credit)s?\s*:\s*[^.]{2,60}$",
    re.I,
)
# how many lines at the end may be the editors' and the lawyers'
_TAIL = 8


def names(tag: Tag) -> list[str]:
    """The classes and the id of an element."""
    attrs = tag.attrs
    if not attrs:
        return []
    classes: Any = attrs.get("class") or []
    found = list(classes) if isinstance(classes, list) else str(classes).split()
    if attrs.get("id"):
        found.append(str(attrs["id"]))
    return found


def is_box(tag: Tag) -> bool:
    """An element whose class or id says that it holds buttons, promotion, comments or links to other articles."""
    return bool(tag.attrs) and any(_BOX.match(n) for n in names(tag))


def matters(attributes: Mapping[str, str]) -> bool:
    """Whether the class, id or style of an inline element says more than how its letters look."""
    words = [*attributes.get("class", "").split(), *([attributes["id"]] if attributes.get("id") else [])]
    return (
        "hidden" in attributes
        or hides(attributes.get("style", ""))
        or any(_BOX.match(w) or _CAPTION_CLASS.match(w) for w in words)
    )


def is_caption(tag: Tag) -> bool:
    """An element made for the caption of a picture (and not a box that holds pictures and text)."""
    if tag.name == "figcaption":
        return True
    return bool(tag.attrs) and any(_CAPTION_CLASS.match(n) for n in names(tag)) and tag.find("p") is None


def keep_lines(lines: list[Line], title: str = "") -> list[str]:
    """The lines that belong to the text, in order."""
    kept = [entry for entry in lines if not _is_caption_line(entry) and not _PROMOTION.match(entry.text)]
    kept = _cut_at_editor(_cut_related(kept))
    kept = _cut_tail(kept)
    flat_title = flat(title)
    if flat_title and len(kept) > 1:
        for position, entry in enumerate(kept[:3]):
            if flat(entry.text) == flat_title:
                del kept[position]
                break
    return [entry.text for entry in kept]


def flat(text: str) -> str:
    """For comparison of lines: without white space, lower case."""
    return re.sub(r"\s+", "", text).lower()


def _is_caption_line(entry: Line) -> bool:
    text = entry.text
    if entry.table:
        return False
    if entry.caption and len(text) < 1200:
        return True
    if len(text) < 200 and (_CAPTION_ZH.search(text) or (entry.after_image and _CAPTION_BESIDE_ZH.search(text))):
        return True
    return len(text) < 400 and bool(_CAPTION_EN.search(text))


def _cut_related(lines: list[Line]) -> list[Line]:
    """From a heading like 相关链接 on, if only short lines (headlines of other articles) follow."""
    for position, entry in enumerate(lines):
        if position and len(entry.text) < 40 and _RELATED.match(entry.text):
            rest = lines[position + 1 :]
            if all(len(r.text) < 90 for r in rest) and len(rest) < 40:
                return lines[:position]
    return lines


def _cut_at_editor(lines: list[Line]) -> list[Line]:
    """From 责任编辑 or 责编 on, once a text worth the name stands before it: comments and other articles follow there."""
    length = 0
    for position, entry in enumerate(lines):
        if length > 100 and len(entry.text) < 60 and _LAST_LINE.match(entry.text):
            return lines[:position]
        length += len(entry.text)
    return lines


def _cut_tail(lines: list[Line]) -> list[Line]:
    """Editors' lines anywhere in the tail; a copyright notice and what follows it."""
    start = max(0, len(lines) - _TAIL)
    kept: list[Line] = lines[:start]
    for position in range(start, len(lines)):
        text = lines[position].text
        if position and _RIGHTS.match(text) and len(text) < 400:
            break
        if not (len(text) < 90 and _EDITOR.match(text)):
            kept.append(lines[position])
    return kept
