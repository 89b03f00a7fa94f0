"""Finds on a page what no selector names: metas, headline, time, source, the container of the text.

It knows the metas and containers of the publishing systems that ministries and news sites share (TRS, Hanweb, UCAP, enorth,
Founder), not single sites. What is not there stays empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from lxml import etree

from pipelines.extract.draft import Draft
from pipelines.extract.select import squeeze, text_of

# lxml comes without type hints
Element: TypeAlias = Any
TITLE_METAS = ("articletitle", "og:title", "twitter:title", "dc.title", "title", "headline")
DATE_METAS = (
    "pubdate", "firstpublishedtime", "article:published_time", "publishdate", "datepublished", "publish_date", "pubtime",
    "og:published_time", "og:release_date", "dc.date.issued", "dc.date", "weibo:article:create_at", "date", "_pubtime",
    "parsely-pub-date", "sailthru.date", "apub:time", "publishtime", "createdate",
)  # fmt: skip
SOURCE_METAS = ("contentsource", "source", "mediaid", "article:publisher", "dc.publisher", "articlesource")
AUTHOR_METAS = ("author", "article:author", "dc.creator", "author_name", "parsely-author", "byl")
SITE_METAS = ("sitename", "og:site_name", "application-name", "website")

_HEADING_NAME = re.compile(r"title|headline|(?:^|[-_\s])h?tit(?:$|[-_\s])|biaoti|bt(?:$|[-_\s])|h1", re.I)
_TIME_NAME = re.compile(
    r"time|date|shijian|riqi|publish|pubt|fbsj|(?:^|[-_\s])(?:sj|rq|info|msg|meta|titbar|byline)", re.I
)
_SOURCE_NAME = re.compile(r"source|laiyuan|where|origin|(?:^|[-_\s])(?:ly|from|media)(?:$|[-_\s])", re.I)
_SOURCE_TEXT = re.compile(
    r"(?:信息来源|文章来源|稿件来源|新闻来源|来\s*源|稿\s*源|供\s*稿|Source)\s*[:：]\s*[【\[（(]?\s*(?P<name>[^\s:：|｜]+(?: [A-Za-z][^\s:：|｜]*)*)"
)
_AUTHOR_NAME = re.compile(r"author|byline|writer|media-heading|zuozhe|(?:^|[-_\s])by(?:$|[-_\s])", re.I)
_AUTHOR_TEXT = re.compile(
    r"(?:作\s*者|撰文|本[报刊网]记者|记者)\s*[:：]?\s*(?P<who>[一-鿿·]{2,5}(?:[、，\s][一-鿿·]{2,4}){0,4})(?=\s|$|[|｜;；，,])"
)
_AUTHOR_BY = re.compile(r"^\s*By[:\s]*(?P<who>[A-Z][^|\d]{1,60}?)\s*(?:[|]|$)")
_LABEL_TEXT = re.compile(r"^\s*(?:信息来源|文章来源|稿件来源|来\s*源|Source|By)\s*[:：]?\s*")
_DATE_TEXT = re.compile(
    r"(?:19|20|25)\d{2}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}\s?日?(?:[T\s　-]{0,3}\d{1,2}\s?[:：]\s?\d{2}(?:[:：]\d{2})?)?"
    r"(?:\s*(?:[AaPp]\.?[Mm]\.?))?(?:Z|[+-]\d{2}:?\d{2})?"
    r"|(?:\d{1,2}:\d{2}(?::\d{2})?,?\s+)?(?:\d{1,2}[\s-]+)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?[\s-]+(?:\d{1,2}(?:st|nd|rd|th)?,?\s+)?"
    r"20\d{2}(?:,?\s+\d{1,2}:\d{2}(?::\d{2})?(?:\s*[AaPp]\.?[Mm]\.?)?)?"
)
# a window's title has some dozens of characters; one of a hundred thousand dashes has no end to cut
_LONGEST_WINDOW = 2000
_SITE_TAIL = re.compile(r"\s*[-_|｜—–－·»]+\s*[^-_|｜—–－»]{2,40}$")

# containers of text by id or class, best first; a page has one of them or none
BODIES = (
    "zoom", "ucap-content", "con_con", "articlecontent", "article_content", "detailcontent", "js_content", "contentmain",
    "cnt-main-article-qq", "rm_txt_con", "rwb_zw", "p-detail", "detail-content", "detail_content", "content-body", "article-content",
    "article_con", "articletext", "article_text", "artibody", "trs_editor", "trs_editor_view", "pages_content", "ozoom", "zsy_comain",
    "my_doccontent", "art-con", "art_con", "xxgk_con", "newscontent", "news_content", "news-content", "newstext", "endtext", "post_body",
    "post_text", "textbody", "text_content", "left_zw", "content_desc", "view-content", "bt-content", "article-body", "entry-content",
    "post-content", "article_body", "articlebody", "story-body", "main-content", "maintext", "cont", "articlecon", "detail", "content",
    "nr", "neirong", "zhengwen",
)  # fmt: skip
_RANK = {name: rank for rank, name in enumerate(BODIES)}
_FILES = re.compile(
    r"^(?:attachment|attach|annex|fujian|fj|xgfj|down1|gu-download|file-?list|enclosure|appendix|content-head)s?$", re.I
)
_NOT_SHOWN = frozenset(("script", "style", "head", "meta", "link", "title", "option", "html", "body", "noscript"))
_STRING = etree.XPath("string()")
_WITH_NAME = etree.XPath("//*[@id or @class]")
_TABLES = etree.XPath(
    "//table[not(.//table) and count(.//tr) < 16]|//*[contains(@class,'info') or contains(@class,'head') or contains(@class,'xxgk')"
    " or contains(@class,'condition') or contains(@class,'Overview')][count(.//*) < 80]|//dl[count(*) < 40]"
)


def metas(root: Element) -> dict[str, str]:
    """Contents of `<meta>` by lower-case name, property, itemprop or id; the first non-empty one of a name counts."""
    found: dict[str, str] = {}
    for node in root.iter("meta"):
        content = squeeze(node.get("content") or node.get("value") or "")
        if not content:
            continue
        for attribute in ("name", "property", "itemprop", "id"):
            name = node.get(attribute)
            if name:
                # some systems write `weibo: article:create_at`
                found.setdefault("".join(name.split()).lower(), content)
    return found


def pick(found: dict[str, str], names: Iterable[str]) -> str:
    """The first of these metas that is there."""
    return next((found[n] for n in names if found.get(n)), "")


def label_places(root: Element) -> list[Element]:
    """Small tables and boxes in which labels and values may stand."""
    places: list[Element] = _TABLES(root)
    return places[:60]


def attachment_boxes(root: Element) -> list[Element]:
    """Boxes that publishing systems make for the files of a document, outside its text; of boxes in boxes the outer one."""
    found: list[Element] = []
    inside: set[Element] = set()
    for node in _WITH_NAME(root):
        if node not in inside and any(_FILES.match(w) for w in _words(node)):
            found.append(node)
            inside.update(node.iterdescendants())
    return found


def _words(node: Element) -> list[str]:
    return [*(node.get("class") or "").split(), *([node.get("id")] if node.get("id") else [])]


def complete(
    draft: Draft, root: Element, text: str, found: dict[str, str], body: Element | None = None, *, authors: bool = True
) -> None:
    """Fill what is empty in a draft; the most exact time of a day is added to the candidates of publication."""
    draft.site = draft.site or pick(found, SITE_METAS)
    timed = any(re.search(r"\d[:：]\d\d", p) for p in draft.published)
    if draft.title and timed and draft.outlet and (draft.author or not authors):
        return
    head = _Head(root, body)
    if not draft.title:
        draft.title = title(root, found, head)
    if not timed:
        draft.published += [d for d in dates(root, text, found, head, draft.title) if d not in draft.published]
    if not draft.outlet:
        draft.outlet = outlet(found, head)
    if not draft.author and authors:
        draft.author = author_shown(head) or author(found)


class _Head:
    """Short texts of the page outside the body, in document order, with the names of their elements; walked once."""

    def __init__(self, root: Element, body: Element | None) -> None:
        self.items: list[tuple[str, str, Element]] = []
        passed: set[Any] = set(body.iter()) if body is not None else set()
        for node in root.iter(etree.Element):
            if node.tag in _NOT_SHOWN or len(node) > 8 or node in passed:
                continue
            shown = _STRING(node) if len(node) else node.text or ""
            if not shown or len(shown) > 2000:
                continue
            shown = text_of(node) if len(node) else squeeze(shown)
            if shown and len(shown) < 400:
                self.items.append((f"{node.get('class') or ''} {node.get('id') or ''}".strip(), shown, node))
            if len(self.items) > 3000:
                break


def title(root: Element, found: dict[str, str], head: _Head | None = None) -> str:
    """The headline: the meta made for it; else the heading that the page's `<title>` begins with; else that title cut."""
    given = found.get("articletitle", "")
    if given:
        return given
    node = next(iter(root.iter("title")), None)
    window = squeeze((node.text or "") if node is not None else "").strip("【】 ")
    head = head or _Head(root, None)
    best = ""
    flat_window = _flat(window)
    for names, shown, element in head.items:
        heading = element.tag in ("h1", "h2", "h3") or (names and _HEADING_NAME.search(names))
        if not heading or not 4 <= len(shown) <= 200:
            continue
        # the fullest heading that the window's title begins with; a one-word section name does not win
        if flat_window.startswith(_flat(shown)) and len(shown) > len(best):
            best = shown
    social = pick(found, ("og:title", "twitter:title"))
    if best:
        return best
    if social:
        return cut_site(social)
    first = next((s for n, s, e in head.items if e.tag == "h1" and len(s) > 5), "")
    return first or cut_site(window) or next((s for n, s, e in head.items if e.tag == "h2"), "")


def cut_site(text: str) -> str:
    """A window title without the names of column and site at its end (`…_部门文件_中国政府网`)."""
    if len(text) > _LONGEST_WINDOW:
        return text
    for _ in range(3):
        shorter = _SITE_TAIL.sub("", text)
        if shorter == text or len(shorter) < 6:
            break
        text = shorter
    return text


def _flat(text: str) -> str:
    return re.sub(r"\s+", "", text)


def dates(root: Element, text: str, found: dict[str, str], head: _Head, shown_title: str) -> list[str]:
    """Candidates of the time of publication: metas, then texts near the headline, then structured data."""
    out = [found[n] for n in DATE_METAS if found.get(n) and re.search(r"\d", found[n])]
    flat_title = _flat(shown_title)
    seen_title = not flat_title
    near: list[str] = []
    far: list[str] = []
    for names, shown, element in head.items:
        if not seen_title and flat_title and _flat(shown) == flat_title:
            seen_title = True
        if len(shown) > 250:
            continue
        named = (
            (names and _TIME_NAME.search(names))
            or element.tag == "time"
            or re.search(r"发布|时间|日期|来源|Publi|Updated", shown)
        )
        if not named:
            continue
        stamp = element.get("datetime") if element.tag == "time" else None
        match = _DATE_TEXT.search(shown)
        value = stamp or (match.group() if match else "")
        if value:
            (near if seen_title else far).append(value)
    timed = [v for v in near if re.search(r"\d[:：]\d\d", v)]
    out += (timed[:1] + near[:1]) or far[:1]
    if "ld+json" in text:
        out += list(_structured(root))
    return list(dict.fromkeys(out))


def _structured(root: Element) -> Iterator[str]:
    for node in root.iter("script"):
        if "ld+json" in (node.get("type") or ""):
            try:
                data = json.loads(node.text or "")
            except ValueError:
                continue
            yield from _published(data)


def _published(data: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(data, dict) and depth < 6:
        for key, value in data.items():
            if key in ("datePublished", "pubDate", "upDate") and isinstance(value, str):
                yield value
            else:
                yield from _published(value, depth + 1)
    elif isinstance(data, list) and depth < 6:
        for item in data[:50]:
            yield from _published(item, depth + 1)


def outlet(found: dict[str, str], head: _Head) -> str:
    """Who the page says it has the text from: 来源：…, else an element named for it, else the meta."""
    for _names, shown, _element in head.items:
        if len(shown) < 160:
            match = _SOURCE_TEXT.search(shown)
            if match and 2 <= len(match.group("name")) <= 30 and not match.group("name").startswith(("http", "作者")):
                return match.group("name").strip("】]）)|")
    for names, shown, _element in head.items:
        if names and _SOURCE_NAME.search(names) and 2 <= len(shown) <= 24 and not re.search(r"\d{4}|[<>{}=]", shown):
            value = _LABEL_TEXT.sub("", shown).strip()
            if len(value) >= 2:
                return value
    value = _LABEL_TEXT.sub("", pick(found, SOURCE_METAS)).strip()
    return "" if value.startswith("http") else value


def author_shown(head: _Head) -> str:
    """The author whom the page names beside its headline: 作者：…, 本报记者 …, `By …` in an element made for it."""
    for names, shown, _element in head.items:
        if len(shown) > 90:
            continue
        match = _AUTHOR_TEXT.search(shown)
        if match:
            return match.group("who").strip()
        if names and _AUTHOR_NAME.search(names):
            by = _AUTHOR_BY.match(shown)
            if by:
                return by.group("who").strip()
    return ""


def author(found: dict[str, str]) -> str:
    """The author that the metas name; numbers and names of systems are none."""
    value = pick(found, AUTHOR_METAS)
    return (
        ""
        if re.fullmatch(r"[\d\s]*|admin\w*|editor|null|none|wangzhan\w*", value, re.I) or value.startswith("http")
        else value
    )


def known_body(root: Element, shown_title: str) -> Element | None:
    """The container of the text by its name, the best-ranked one that holds a text worth the name; else None."""
    best: Element | None = None
    best_rank = len(BODIES)
    for node in _WITH_NAME(root):
        for word in _words(node):
            rank = _RANK.get(word.lower())
            if rank is not None and rank < best_rank and len(text_of(node)) >= 40:
                best, best_rank = node, rank
    return best
