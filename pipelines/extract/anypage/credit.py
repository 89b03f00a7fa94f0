"""Finds who wrote a text and whose it is: 来源 and 作者 beside headline or text, bylines, metas, JSON-LD; never the site's editor."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from pipelines.extract.anypage import blocks as cut
from pipelines.extract.anypage import bylines, elements, lines, names
from pipelines.extract.anypage.blocks import Block, Page
from pipelines.extract.anypage.body import Region, flat
from pipelines.extract.anypage.embedded import Said
from pipelines.extract.select import squeeze

_SOURCE = re.compile(
    r"(?<!图)(?<!图片)(?<!资料)(?<!数据)(?:信息|文章|稿件|新闻|内容|文件|本文|消息|图文|原文)?(?:来\s*源(?:于|自)?|稿\s*源|出\s*处|供\s*稿(?:单位)?)\s*[:：]\s*[【\[（(《]?\s*(?P<name>[^\s:：|｜，,。；;【】\[\]（()）<>/]{2,30}(?: [A-Z][\w.&'-]*){0,4})"
    r"|\b(?:Source|Sources)\s*:\s*(?P<name2>[A-Z][\w.&' -]{1,40}?)(?=\s{2,}|\s*[|·,]|\s+(?:Published|Updated|Editor|Author|By|\d)|$)"
)
_ISSUED = re.compile(r"(?:发布|发文|公开|责任)(?:机构|单位|部门|机关)\s*[:：]\s*(?P<name>[一-鿿（）()]{2,30})")
_LABEL_ONLY = re.compile(r"^(?:信息|文章|稿件|新闻|内容)?(?:来\s*源|稿\s*源)\s*[:：]?$")
_WRITER = re.compile(
    r"(?:作\s*者(?=[\s:：/／丨|｜])|撰\s*文|执\s*笔|文\s?[/／｜|丨]|(?:本[报网刊台]|[一-鿿]{2,6}(?:报|网|社))?(?:全媒体|首席|特约|实习|见习)?记\s*者)\s*[:：/／丨|｜]?\s*(?P<who>[一-鿿·]{2,5}(?:\s?[、，,/&＆]\s?[一-鿿·]{2,5}|\s[一-鿿·]{2,4}(?=[\s、，,]|$)){0,5})(?=\s|$|[|｜;；，,、)）】\d/]|责任|编辑|来源|发布)"
    r"|(?:作\s*者)\s*[:：]\s*(?P<pen>[^\s:：|｜，。]{1,24})"
)
_BY = re.compile(
    r"^\s*(?:By|Written by|Story by|Words by|Author\s*:|By:)\s*(?P<who>[A-Z][\w.'’-]*(?:\s+(?:[A-Z][\w.'’-]*|and|de|van|von|al|bin|&)){0,7}(?:,\s+[A-Z][\w.'’-]*(?:\s+[A-Z][\w.'’-]*){1,2}){0,3})"
)
_DATE_LINE = re.compile(r"(?:19|20)\d{2}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}\s?日?(?:\s*\d{1,2}:\d{2}(?::\d{2})?)?")
_ACCOUNT = re.compile(
    r"""\b(?:nick_?name|media(?=["']?\s*[:=]\s*["'][一-鿿])|media_?name|account_?name|source_?name|articleSource|article_source)["']?\s*[:=]\s*(?:\w+\(\s*)?["'](?P<name>[^"'<>\\]{2,30})["']""",
    re.I,
)
_BY_INSIDE = re.compile(
    r"(?:[·|•–—]|\d{4}|[AP]M)\s*,?\s*[Bb]y:?\s+(?P<who>[A-Z][\w.'’-]+(?:\s+(?:[A-Z][\w.'’-]*|and|de|van|von|al|bin|&)){1,6})"
)
_NO_NAME = re.compile(
    r"^(?:未知|佚名|本人|单位|简介|(?:星期|周)[一二三四五六日天]|本站|管理员|admin\w*|editor|root|责任编辑.*|最新文章|.{0,4}文章|更多.*|test|null|none|undefined|https?|网络|原创|匿名|小编|编辑|system\w*|webmaster|来源|作者|(?:发布|发表|发稿|更新|编辑|创建|修改|最后更新)(?:时间|日期|于)?|时间|日期|[\d\s._-]*|.*https?:.*|.*@.*)$",
    re.I,
)
_AUTHOR_METAS = (
    "author",
    "article:author",
    "dc.creator",
    "author_name",
    "parsely-author",
    "byl",
    "sailthru.author",
    "cxenseparse:author",
    "dcterms.creator",
    "citation_author",
)
_SOURCE_METAS = (
    "contentsource",
    "source",
    "mediaid",
    "articlesource",
    "dc.source",
    "weibo:article:source",
    "og:article:source",
    "copyright-holder",
)
_SITE_METAS = (
    "og:site_name",
    "sitename",
    "application-name",
    "al:android:app_name",
    "dc.publisher",
    "apple-mobile-web-app-title",
    "article:publisher",
    "website",
)


def _by(match: re.Match[str]) -> str:
    """The name in a match of `_BY`, without the word that begins the next field."""
    who = re.sub(
        r"\s+(?:Published|Updated|Posted|Source|Date|On|In|For|Last|Staff|Editor)\b.*$", "", match.group("who")
    )
    return re.sub(r"\s+(?:and|de|van|von|al|bin|&)$", "", who).strip(" ,")


def sites(metas: dict[str, str], said: Said, window: str, headings: set[str]) -> list[str]:
    """Names of the site, best first: metas, publisher, then the last part of the window's title (or its first, where the
    last is one of the `headings` above the text)."""
    found = [metas[n] for n in _SITE_METAS if metas.get(n) and not metas[n].startswith("http") and len(metas[n]) <= 40]
    found += said.publishers[:1]
    tail = re.search(
        r"(?:[_|｜»]|--|\s[-–—·]\s|(?<=[\u4e00-\u9fff）)])[-–—])\s*((?:[^_|｜»–—]{2,24}|[A-Z][\w.&' -]{2,40})?)\s*$",
        window,
    )
    if tail and tail.group(1):
        name = re.split(r"\s[-–—·]\s", tail.group(1).strip(" -"))[-1]
        known = {flat(f) for f in found}
        found.append(window[: tail.start()].strip(" -_|") if flat(name) in headings - known else name)
    # one name in two languages: 某某新闻-The Paper
    found = [re.sub(r"(?<=[\u4e00-\u9fff])\s?[-–—|]\s?[A-Z][\w .&']{2,30}$", "", name) for name in found]
    found = [re.sub(r"(?<=[报刊])(?:数字报刊?|数字版|电子报|电子版)$", "", name) for name in found]
    return list(dict.fromkeys(found))


def _near(page: Page, title_at: int, region: Region | None) -> Iterator[Block]:
    """Blocks where credits stand: from the headline to the text's first lines, then those after its end."""
    start, end = (region.start, region.end) if region else (min(40, len(page.blocks)), min(40, len(page.blocks)))
    first = title_at if 0 <= title_at <= start else max(0, start - 10)
    yield from _ends(page.blocks[max(0, first - 4) : start + 3])
    yield from page.blocks[max(start + 3, end - 3) : end + 8]


# lines on either side between a headline and a text far below it that are looked at
_MOST_NEAR = 100


def _ends(found: list[Block]) -> list[Block]:
    """The first and last of many lines: a page may hold thousands between its headline and its text."""
    return found if len(found) <= 2 * _MOST_NEAR else [*found[:_MOST_NEAR], *found[-_MOST_NEAR:]]


def outlet(page: Page, metas: dict[str, str], said: Said, title_at: int, region: Region | None) -> str:
    """Whose text it is, as the page says; "" where it says nothing but the site's own name."""
    waiting = False
    for block in _near(page, title_at, region):
        credits = not block.value or lines.kind(block.text) == lines.CREDIT
        text = block.spaced[:160] if credits else block.text[-60:]
        if waiting and 2 <= len(text) <= 30:
            return text
        waiting = bool(_LABEL_ONLY.match(text))
        match = _SOURCE.search(text)
        if match:
            name = (match.group("name") or match.group("name2") or "").strip("】]）)|》 ")
            name = re.sub(
                r"(?:责任编辑|编辑|作者|发布|时间|日期|点击|浏览|阅读|举报|分享|收藏|关注|评论|视力保护).*$|\d{4}[-年/].*$",
                "",
                name,
            ).strip()
            if len(name) >= 2 and not _NO_NAME.match(name):
                return name
    named = _named(page, title_at, region, re.compile(r"source|laiyuan|(?:^|[-_\s])ly(?:$|[-_\s])", re.I))
    if named:
        return named
    told = next((metas[n] for n in _SOURCE_METAS if metas.get(n) and len(metas[n]) <= 40), "")
    if told and not told.startswith("http") and not _NO_NAME.match(told):
        return told
    return _beside_date(page, title_at, region) or _issued_by(page, title_at, region) or _in_scripts(page)


def _issued_by(page: Page, title_at: int, region: Region | None) -> str:
    """The office that a page of offices says put it out (`发布机构：…`)."""
    for block in _near(page, title_at, region):
        match = _ISSUED.search(block.spaced) if len(block.spaced) <= 160 else None
        if match and not _NO_NAME.match(match.group("name")):
            return match.group("name")
    return ""


def person(name: str) -> bool:
    """Whether a name may be a person's: two or three Chinese characters, or Western words without a medium's."""
    return bool(
        re.fullmatch(r"[一-鿿]{2,3}|[一-鿿]{1,4}·[一-鿿·]{1,8}|[A-Z][\w.'’-]+(?: [A-Z][\w.'’-]+){1,3}", name)
    ) and not re.search(r"[报网社台刊]$|News|Times|Post|Daily|Press", name)


def after_headline(window: str, headline: str) -> str:
    """The site's name as the rest of the window's title behind the headline (`…-CSDN.NET`)."""
    if not headline or not window.startswith(headline):
        return ""
    parts = [p.strip() for p in re.split(r"[_|｜»–—·-]+", window[len(headline) :]) if p.strip()]
    return parts[-1] if parts and len(parts[-1]) <= 30 and not _NO_NAME.match(parts[-1]) else ""


def _beside_date(page: Page, title_at: int, region: Region | None) -> str:
    """The one name in the line of the date under the headline (`晚报 2024-04-16 09:30`)."""
    start = region.start if region else 0
    writers = {flat(b.spaced) for b in _ends(page.blocks[max(0, title_at) : start + 2]) if _WRITER.search(b.spaced)}
    for block in _ends(page.blocks[max(0, title_at + 1) : start]):
        match = _DATE_LINE.search(block.spaced)
        if not match or len(block.spaced) > 90 or re.search(r"(?:作\s*者|记\s*者|编\s*辑|By)\s*[:：/]?", block.spaced):
            continue
        # where somebody wrote from is nobody
        before = re.sub(
            r"(?:IP\s?属地|发布于|来自)\s*[:：]?\s*[一-鿿]{2,7}\s*$", "", block.spaced[: match.start()].strip()
        )
        own = _MEDIUM.match(before)
        beside = _medium_beside(page, block.order, max(0, title_at + 1), start) if not before else ""
        if own or beside:
            return own.group("medium") if own else beside
        # account · kind · field · date: nobody knows which of so many before the date is whose
        for part, most in ((before.split()[::-1], 2), (block.spaced[match.end() :].split(), 20)):
            words = [t for p in part if (t := p.strip("|｜·•,，[]【】()（）"))]
            token = words[0] if words and (len(words) <= most or _MEDIUM.match(words[0])) else ""
            token = re.split(r"[\[【(（]", token)[0]
            plain = re.fullmatch(r"[一-鿿A-Za-z·]{2,16}", token) and not _NO_NAME.match(token) and not lines.kind(token)
            # the names of the authors, whom another line or an element names as such, are no outlet
            mine = flat(token)
            if plain and not any(mine in w for w in (*writers, *_marked(block))):
                return token
    return ""


def _marked(block: Block) -> list[str]:
    """The texts (flat) of elements of a line that are named for an author or for a section."""
    marks = re.compile(r"author|\bcat(?:egory|-)|\btags?\b", re.I)
    named = [n for n in islice(block.node.iter(), 40) if marks.search(f"{n.get('class')} {n.get('rel')}")]
    return [flat(elements.text(n, _LONGEST_CREDIT)) for n in named if n is not block.node]


# characters of an element that is named for an author or a source, of which some forty are the name
_LONGEST_CREDIT = 400
# 某某报 alone in a line, or behind a writer: 张三/某某报
_MEDIUM = re.compile(
    r"^(?:(?P<who>[一-鿿·]{2,4}(?:[ 、][一-鿿·]{2,4}){0,3})\s*[/／|｜]\s*)?(?P<medium>[一-鿿A-Za-z\d·]{1,14}(?:报|报道|社|网|台|周刊|杂志|在线|客户端|融媒体?|新闻))"
    r"(?:\s+(?P<staff>[一-鿿·]{2,4}(?:[ 、，]+(?:(?:实习生|记者|通讯员)\s*)?[一-鿿·]{2,4}){0,4}?)(?:\s+[一-鿿]{2,6}报道)?)?$"
)


def _medium_beside(page: Page, order: int, first: int, last: int) -> str:
    """The medium in the line before or after that of the date, where it is nothing else."""
    for place in (order - 1, order + 1):
        block = page.blocks[place] if first <= place < last else None
        match = _MEDIUM.match(block.spaced) if block and not block.linked else None
        if match and not lines.kind(match.group("medium")):
            return match.group("medium")
    block = page.blocks[order - 1] if first <= order - 1 < last else None
    return block.spaced if block and _account(block) else ""


def _account(block: Block) -> bool:
    """A short line that is nothing but a name, and neither a person's nor a section's."""
    text = block.spaced
    return bool(
        re.fullmatch(r"[一-鿿A-Za-z\d·]{4,14}", text)
        and re.search(r"[一-鿿]{2}", text)
        and not block.linked
        and not block.has(cut.HEADING | names.TITLE | names.BOX)
        and not (person(text) or lines.kind(text) or _NO_NAME.match(text))
        and not re.search(r"(?:动态|公告|要闻|频道|专题|正文|详情|资讯|公开|通知|信息|中心|首页)$", text)
    )


def _in_scripts(page: Page) -> str:
    for script in page.scripts:
        match = _ACCOUNT.search(script[:400_000])
        if match and not _NO_NAME.match(match.group("name")):
            return squeeze(match.group("name"))
    return ""


def _named(page: Page, title_at: int, region: Region | None, pattern: re.Pattern[str]) -> str:
    """The text of an element near the headline that is named for what is sought."""
    nodes = dict.fromkeys(b.node for b in _near(page, title_at, region) if not b.value or len(b.text) <= 120)
    for around in nodes:
        for count, node in enumerate(around.iter()):
            if count > 200:
                break
            if not isinstance(node.tag, str) or node.tag in ("script", "style"):
                continue
            name = (
                f"{node.get('class') or ''} {node.get('id') or ''} {node.get('rel') or ''} {node.get('itemprop') or ''}"
            )
            if name.strip() and pattern.search(name) and len(node) <= 4:
                text = " ".join(elements.text(node, _LONGEST_CREDIT, " ").split())
                text = re.sub(r"^\s*(?:来\s*源|作\s*者|文|By|Source|Author)\s*[:：]?\s*", "", text)
                text = re.sub(r"\s*(?:责任编辑|责编|编辑|校对|发布|时间|日期|来源)\s*[:：].*$", "", text)
                text = re.sub(r"\s+\S*(?:账号|[+＋]?\s?关注)(?:\s.*)?$", "", text)
                text = bylines.without_post(text.strip(" |｜·,"))
                if (
                    2 <= len(text) <= 40
                    and not re.search(r"\d{4}|[<>{}=。：，？！]", text)
                    and not _NO_NAME.match(text)
                ):
                    return text
    return ""


def _writer(block: Block) -> str:
    """Who a line says wrote the text; whoever took the picture above it did not."""
    text = block.spaced if len(block.text) <= 120 else ""
    pictured = block.has(names.CAPTION) or (block.has(cut.AFTER_IMAGE) and lines.describes_picture(text))
    if not text or pictured or (block.value and len(text) > 60):
        return ""
    match = _WRITER.search(text)
    who = (match.group("who") or match.group("pen") or "").strip(" 、，,/|") if match else ""
    if match and match.group("who") and block.value and text[match.start("who") - 1] in "者文笔":
        # `记者在现场看到，` is a sentence
        who = ""
    if not who and not block.linked and not lines.kind(text) and (beside := _MEDIUM.match(text)):
        who = beside.group("who") or beside.group("staff") or ""
    if not who:
        by = _BY.match(text) or _BY_INSIDE.search(text)
        who = _by(by) if by else ""
    return who


def author(
    page: Page, metas: dict[str, str], said: Said, title_at: int, region: Region | None, others: list[str]
) -> str:
    """Who wrote it. `others` are names of outlets, which are no authors."""
    known = {flat(o) for o in others if o}
    for block in _near(page, title_at, region):
        who = bylines.led(block) or _writer(block)
        if who and not _NO_NAME.match(who) and flat(who) not in known:
            who = re.sub(r"\s*(?:责任)?(?:编辑|责编|校对|审核|制图)(?:\s.*)?$", "", who)
            who = re.sub(r"^本[报刊网台社]|\s*(?:通讯员|特约|实习生?|记者|摄影)\s*[:：/]?\s*", " ", who).strip()
            return re.sub(r"\s*[/／&＆，,、]\s*", "、", who)
    told = [a for a in said.authors if flat(a) not in known and not _NO_NAME.match(a)]
    if told:
        joint = "、" if re.search(r"[\u4e00-\u9fff]", told[0]) else ", "
        return joint.join(told[:4])
    named = _named(page, title_at, region, re.compile(r"author|byline|writer|zuozhe", re.I))
    if named and flat(named) not in known and not names.kind(named) & names.BOX:
        return bylines.without_post(named)
    if region and (below := bylines.labelled(page, region.end)):
        return below
    value = next((metas[n] for n in _AUTHOR_METAS if metas.get(n)), "")
    if _NO_NAME.match(value) or not flat(value) or any(flat(value) in k for k in known) or len(value) > 60:
        return ""
    if bylines.is_site(value):
        return ""
    if "columnname" in metas and re.fullmatch(r"[a-z][a-z\d_.-]{2,20}", value):
        # whom a publishing system of offices calls so is a login
        return ""
    # the meta of Chinese systems names the clerk who entered the page unless the page shows the name too
    shown = any(value in b.text and lines.kind(b.text) != lines.EDITOR for b in _near(page, title_at, region))
    return value if shown or not re.search(r"[\u4e00-\u9fff]", value) else ""
