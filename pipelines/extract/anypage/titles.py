"""Decides which of a page's names is its headline: what several places agree on, near above the text, without the site's name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelines.extract.anypage import blocks as cut
from pipelines.extract.anypage import elements, lines, names
from pipelines.extract.anypage.blocks import Page
from pipelines.extract.anypage.body import flat
from pipelines.extract.anypage.embedded import Said
from pipelines.extract.select import squeeze, text_of

_METAS = (
    "articletitle",
    "og:title",
    "twitter:title",
    "headline",
    "title",
    "dc.title",
    "parsely-title",
    "sailthru.title",
)
_SPLIT = re.compile(
    r"\s*[_|｜»«·•]+\s*|\s+[-–—:：/>]+\s+|\s*(?:--+|——)\s*|(?<=[\u4e00-\u9fff）)】”!！?？])\s?[-–—](?=\s?[\u4e00-\u9fffA-Za-z])"
)
_SITE_WORD = re.compile(
    r"网$|网站|频道|门户|官网|日报|晚报|新闻网|论坛|博客|公司$|集团$|委员会$|人民政府|局$|大学$|学院$|协会$|中心$|\.(?:com|cn|net|org)\b|News$|Times$|Daily$|Post$|Blog$"
)
_LEVEL = {"h1": 3.0, "h2": 2.0, "h3": 1.5, "h4": 1.0, "h5": 1.0, "h6": 0.5}
_SECTION = re.compile(
    r"^(?:.{0,6}(?:新闻|动态|公告|资讯|要闻|通知|正文|首页|详情|内容|频道|栏目|中心|导航|菜单|文章|专题|简介|概况|信息公开|政策文件|登录|注册|搜索|评论|推荐|阅读|排行榜?))$|^(?:home|news|menu|search|blog|article|about|contact)s?$",
    re.I,
)
# a heading of more characters is a text, and what machines are told beyond these is none either
_LONGEST_SHOWN, _LONGEST_TOLD = 250, 5000


@dataclass(slots=True)
class Headline:
    """The headline and the block where people see it (-1 where they don't)."""

    text: str
    at: int = -1


def find(page: Page, metas: dict[str, str], said: Said, start: int, sites: list[str]) -> Headline:
    """The headline of the text that begins at block `start`. `sites` are names of the site, which are none."""
    window = window_title(page)
    told = [v[:_LONGEST_TOLD] for v in [*(metas.get(n, "") for n in _METAS), *said.headlines[:2]] if v]
    told = [v for v in told if not _is_site(v, sites)]
    heads = _seen(page, start, window, told, sites)
    best = max(heads, key=lambda h: h[0], default=None)
    if best is not None and best[0] >= 4.0:
        return _mended(best[1], best[2], told, window)
    for value in told[:1] if not window else sorted(told, key=lambda t: flat(t) not in flat(window)):
        cut_title = without_site(value, sites)
        at = next((h[2] for h in heads if flat(h[1]) == flat(cut_title)), -1)
        return Headline(cut_title, at)
    if best is not None and best[0] >= 2.0:
        return Headline(best[1], best[2])
    return Headline(without_site(window, sites))


def window_title(page: Page) -> str:
    """The `<title>` of the page; that of a drawing inside it is none."""
    for node in page.root.iter("title"):
        parent = node.getparent()
        if parent is None or parent.tag != "svg":
            # the maker of a forum's system is not its site
            return re.sub(r"\s*[-–|]\s*Powered by .*$", "", squeeze((node.text or "")[:2000])[:500])
    return ""


def above(page: Page, start: int) -> set[str]:
    """Lines just above the text that are set like a headline (flat): no site's name stands there."""
    near = page.blocks[max(0, start - 8) : start]
    return {flat(b.text) for b in near if b.has(names.TITLE | cut.HEADING) and not b.linked}


def _is_site(value: str, sites: list[str]) -> bool:
    return flat(value) in {flat(s) for s in sites if s}


def _seen(page: Page, start: int, window: str, told: list[str], sites: list[str]) -> list[tuple[float, str, int]]:
    """What may be the headline on the page, with its weight."""
    found = []
    flat_window = flat(window)
    flat_told = [flat(t) for t in told]
    for weight, text, order, block in _candidates(page, start, flat_window):
        text, order = _joined(page, text, order, [flat_window, *flat_told])
        mine = flat(text)
        if len(mine) < 4 or len(text) > _LONGEST_SHOWN or _is_site(text, sites):
            continue
        weight += _named_elsewhere(mine, flat_window, flat_told) + _by_place(block, start - order) + _by_words(text)
        if block.linked > 0.5 * len(text):
            weight -= 4.0 if _leads_home(block) else 1.5
        found.append((weight, text, order))
    return found


def _named_elsewhere(mine: str, window: str, told: list[str]) -> float:
    """What it weighs that the window's title and what machines are told (all flat) say the same."""
    weight = 0.0
    if window and (window.startswith(mine) or window.endswith(mine) or (len(mine) >= 8 and mine in window)):
        weight += 1.0 + 2.0 * len(mine) / len(window) if len(mine) >= 6 or 2 * len(mine) > len(window) else 1.0
    elif len(window) > 8 and mine.startswith(window[: max(8, len(window) - 3)]):
        weight += 2.5
    if any(mine == t or (len(t) >= 6 and (mine.startswith(t) or t.startswith(mine)) and len(mine) >= 6) for t in told):
        weight += 2.5
    return weight


def _by_place(block: cut.Block, distance: int) -> float:
    """What it weighs that it stands so many blocks above the text, and in no box."""
    weight = 1.5 if 0 <= distance <= 4 else 1.0 if 0 <= distance <= 15 else 0.0 if distance >= 0 else -1.5
    return weight - (1.5 if block.has(names.BOX) else 0.0)


def _by_words(text: str) -> float:
    """What is taken off for words that headlines seldom have."""
    weight = 0.0
    if re.match(r"\s*(?:——|--|—)", text):
        # the second headline of newspapers
        weight -= 2.0
    if _SECTION.match(text) or lines.kind(text) or lines.signs_off(text):
        weight -= 3.0
    if text.isupper() and text.isascii() and len(text.split()) <= 6:
        weight -= 0.5
    if len(flat(text)) < 8 and re.search(r"[\u4e00-\u9fff]", text):
        weight -= 1.0
    return weight


def _candidates(page: Page, start: int, window: str) -> list[tuple[float, str, int, cut.Block]]:
    """Headings with all their lines, elements named for titles, and short lines just above the text."""
    out: list[tuple[float, str, int, cut.Block]] = []
    done: set[int] = set()
    for node, (first, last) in page.spans.items():
        if node.tag in _LEVEL and first < last and last - first <= 4 and len(out) < 200:
            done.update(range(first, last))
            # headings inside each other would each be read to their end
            if sum(len(b.text) for b in page.blocks[first:last]) <= 2 * _LONGEST_SHOWN:
                out.append((_LEVEL[node.tag] + _named(page.blocks[first]), _whole(node), first, page.blocks[first]))
    for order in range(max(0, start - 12), min(start + 2, len(page.blocks))):
        block = page.blocks[order]
        # a headline may read like a sentence; then the window names it
        reads = block.value and not block.has(names.TITLE) and flat(block.text) not in window
        if order in done or reads or block.linked > 0.5 * len(block.text):
            continue
        if 6 <= len(block.text) <= 120:
            out.append((0.5 + _named(block) + _strong(block, start - order), block.text, order, block))
    for block in page.blocks[:400]:
        if (
            block.order not in done
            and block.has(names.TITLE)
            and not start - 12 <= block.order < start + 2
            and len(block.text) <= 200
        ):
            out.append((1.0, block.text, block.order, block))
    return out


def _whole(node: cut.Element) -> str:
    """The text of a heading; Chinese lines that it breaks off are one."""
    text = text_of(node)
    broken = node.find(".//br") is not None
    return re.sub(r"(?<=[\u4e00-\u9fff、”》）]) (?=[\u4e00-\u9fff“《（])", "", text) if broken else text


def _leads_home(block: cut.Block) -> bool:
    """A link to the front page: the name of the site."""
    return any(
        re.fullmatch(r"(?:https?://[^/]+)?/?(?:index\.\w+|home)?", a.get("href", ""))
        for a in elements.links(block.node)
    )


def _strong(block: cut.Block, distance: int) -> float:
    """A line set in bold, large or in the middle, right above the text."""
    if not 0 < distance <= 3 or lines.kind(block.text):
        return 0.0
    bold = any(
        len(squeeze("".join(n.itertext()))) >= 0.9 * len(block.text)
        for n in list(block.node.iter("b", "strong", "font", "big", "center"))[:5]
    )
    style = f"{block.node.get('style') or ''} {block.node.get('align') or ''}"
    return (1.0 if bold or "center" in style or "bold" in style else 0.0) + (
        0.5 if block.text.count(" ") >= 4 and not block.text.isupper() else 0.0
    )


def _joined(page: Page, text: str, order: int, told: list[str]) -> tuple[str, int]:
    """A headline that is set in several lines, whole, with the place of its first: where one of the page's other names
    holds all of them."""
    whole = [t for t in told if flat(text) in t and len(t) > len(flat(text))]
    if not whole or any(t == flat(text) for t in told[1:]):
        return text, order
    first, last = order, order
    for step in (-1, 1):
        for _ in range(4):
            place = first - 1 if step < 0 else last + 1
            line = page.blocks[place].text if 0 <= place < len(page.blocks) else ""
            both = flat(line) + flat(text) if step < 0 else flat(text) + flat(line)
            if not flat(line) or not any(both in t for t in whole):
                break
            space = "" if re.search(r"[\u4e00-\u9fff]", text) else " "
            text = f"{line}{space}{text}" if step < 0 else f"{text}{space}{line}"
            first, last = min(first, place), max(last, place)
    return text, first


def _named(block: cut.Block) -> float:
    return 1.0 if block.has(names.TITLE) else 0.0


# labels that stand in a heading beside the headline
_LABEL = re.compile(
    r"^(?:原创|置顶|独家|视频|图集|转载|推荐|专题|热|新|精|荐|收藏|分享|打印|图文|快讯|编译|头条|直播|深度|exclusive|video|opinion|new)+$",
    re.I,
)


def _mended(text: str, at: int, told: list[str], window: str) -> Headline:
    """A headline that the page shows cut off (`…`) or with a label beside it, whole and alone where a meta has it so."""
    for value in [*told, without_site(window, [])]:
        mine, theirs = flat(text), flat(value)
        if len(theirs) >= 6 and theirs != mine and (mine.startswith(theirs) or mine.endswith(theirs)):
            rest = mine.removeprefix(theirs) if mine.startswith(theirs) else mine.removesuffix(theirs)
            # [经验] before a thread that its other names lack
            marked = mine.endswith(theirs) and re.match(r"\s*[\[【][^\]】]{1,8}[\]】]", text)
            if _LABEL.match(rest) or (marked and len(rest) <= 8):
                return Headline(without_site(value, []), at)
    if re.search(r"(?:…|\.\.\.)\s*$", text):
        stem = flat(text)
        for value in [*told, window]:
            if flat(value).startswith(stem) and len(value) > len(text):
                return Headline(without_site(value, []), at)
    return Headline(text, at)


def without_site(text: str, sites: list[str]) -> str:
    """A title without the names of site and column before or behind it (`…_部门文件_中国政府网`)."""
    text = text.strip().strip("【】") if text.strip().startswith("【") and text.strip().endswith("】") else text.strip()
    parts = [p for p in _SPLIT.split(text) if p]
    if len(parts) < 2:
        return text
    flat_sites = {flat(s) for s in sites if s}
    spans = []
    place = 0
    for part in parts:
        place = text.index(part, place)
        spans.append((place, place + len(part)))
        place += len(part)
    first, last = 0, len(parts)
    while last - first > 1 and _is_tail(parts[last - 1], parts[first:last], flat_sites):
        last -= 1
    while last - first > 1 and flat(parts[first]) in flat_sites:
        first += 1
    return text[spans[first][0] : spans[last - 1][1]].strip()


def _is_tail(part: str, parts: list[str], sites: set[str]) -> bool:
    if flat(part) in sites:
        return True
    longest = max(len(p) for p in parts[:-1])
    if re.search(r"[\u4e00-\u9fff]", part):
        return (
            len(part) <= 14
            and len(part) <= longest
            and (bool(_SITE_WORD.search(part)) or len(part) <= 8 or len(parts) > 2)
        )
    return len(part) <= 30 and len(part) < longest and (bool(_SITE_WORD.search(part)) or len(part.split()) <= 4)
