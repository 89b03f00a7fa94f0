"""Finds repeated rows on a page (links with titles and dates) and writes selectors that find them again.

Whatever is proposed was run: of several selectors for one thing, the one that gives the most on the page itself is taken.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from pipelines.extract.anypage import names
from pipelines.lists.selectors import Element, element_text, first, parse_html, select_nodes

_ITEMS = ("li", "tr", "div", "dl", "dd", "article", "section", "p", "a", "h2", "h3", "h4")
# fewer rows than this are a menu or a teaser
_FEWEST = 4
_DATE = re.compile(
    r"(?:19|20)\d{2}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}|(?<!\d)[01]?\d[-/月.][0-3]?\d(?!\d)|\d{1,2}\s(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?,?\s(?:19|20)\d{2}"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?\s\d{1,2},?\s(?:19|20)\d{2}|\d+\s?(?:分钟|小时|天)前|昨天|今天"
)
STEADY = re.compile(r"^[A-Za-z][A-Za-z_-]*\d{0,2}$")
_MOST_NODES = 40_000


@dataclass(slots=True)
class Family:
    """Rows of one make: their elements, how many hold a date, their weight among the families of the page."""

    nodes: list[Element]
    dated: int = 0
    weight: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)


def find(text: str, url: str) -> list[dict[str, Any]]:
    """`list` options for the families of rows on the page, the likeliest first, at most three."""
    root = parse_html(text)
    families = sorted(_families(root, url), key=lambda f: -f.weight)[:6]
    found: list[dict[str, Any]] = []
    for family in families:
        options = _options(root, family)
        if options and options not in found:
            found.append(options)
    return found[:3]


def _families(root: Element, url: str) -> Iterator[Family]:
    groups: dict[tuple[Any, str, str], list[Element]] = defaultdict(list)
    for count, node in enumerate(root.iter(*_ITEMS)):
        if count > _MOST_NODES:
            break
        parent = node.getparent()
        if parent is not None:
            groups[parent.getparent(), _make(parent), _make(node)].append(node)
    for nodes in groups.values():
        rows = [n for n in nodes if _main_link(n, url) is not None]
        if len(rows) >= _FEWEST and len(rows) >= 0.5 * len(nodes):
            family = Family(rows)
            family.dated = sum(bool(_DATE.search(element_text(n)) or _in_two(n)) for n in rows)
            family.weight = _weight(family, url)
            if family.weight > 0:
                yield family


def _make(node: Element) -> str:
    return f"{node.tag}.{'.'.join(sorted(_steady(node)))}"


def _chain(node: Element) -> str:
    """The make of an element and of the two around it."""
    around = [
        node,
        *([p] if (p := node.getparent()) is not None else []),
        *([g] if p is not None and (g := p.getparent()) is not None else []),
    ]
    return ">".join(_make(n) for n in around)


def _steady(node: Element) -> list[str]:
    """Classes that people gave: not numbered, not hashed, not of the first or last row."""
    words = (node.get("class") or "").split()
    return [
        w
        for w in words
        if STEADY.match(w)
        and not re.fullmatch(r"(?:first|last|odd|even|active|on|cur(?:rent)?|clearfix|cf|fl|fr|hover)", w)
    ]


def _main_link(node: Element, url: str) -> Element | None:
    """The link of a row: the one with the longest text or title."""
    links = [node] if node.tag == "a" else list(node.iter("a"))[:12]
    best, size = None, 5
    for link in links:
        href = (link.get("href") or "").strip()
        if not href or href.startswith(("#", "javascript:", "mailto:", "tel:")):
            continue
        shown = max(len(element_text(link)), len(link.get("title") or ""))
        if shown > size and urljoin(url, href) != url:
            best, size = link, shown
    return best


def _weight(family: Family, url: str) -> float:
    lengths = [min(60, len(element_text(link))) for n in family.nodes if (link := _main_link(n, url)) is not None]
    average = sum(lengths) / max(1, len(lengths))
    links = [urljoin(url, link.get("href") or "") for n in family.nodes if (link := _main_link(n, url)) is not None]
    if len(set(links)) < 0.7 * len(links):
        return 0.0
    paged = sum(bool(re.search(r"\d{2,}|\.s?html?$|/[\w-]{12,}", urlsplit(u).path)) for u in links) / len(links)
    boxed = any(
        names.kind(f"{a.get('class') or ''} {a.get('id') or ''}") & (names.BOX | names.FOOT)
        for a in _around(family.nodes[0])
    )
    dated = family.dated / len(family.nodes)
    size = min(len(family.nodes), 40)
    # the outer of two nested makes says the same with more around it
    depth = sum(1 for _ in _around(family.nodes[0])) * 0.01
    return size * (0.3 + dated) * (0.3 + paged) * min(average, 30) / 20 * (0.3 if boxed else 1.0) + depth


def _around(node: Element) -> Iterator[Element]:
    parent = node.getparent()
    while parent is not None and parent.tag not in ("body", "html"):
        yield parent
        parent = parent.getparent()


# ------------------------------------------------------------------ selectors


def _options(root: Element, family: Family) -> dict[str, Any]:
    items = _items(root, family)
    if not items:
        return {}
    link, title = _link_and_title(family)
    options: dict[str, Any] = {"items": items, "link": link, "title": title}
    published = _published(family)
    if published:
        options["published"] = published
        if _yearless(family):
            options["date_formats"] = ["%m-%d", "%m/%d", "%m月%d日"]
    return options


def _items(root: Element, family: Family) -> str:
    """The shortest selector that finds these rows and hardly anything else."""
    wanted = set(family.nodes)
    node = family.nodes[0]
    own = node.tag + "".join(f".{c}" for c in _steady(node)[:1])
    bases = []
    for around in list(_around(node))[:6]:
        identity = around.get("id") or ""
        if STEADY.match(identity):
            bases.append(f"#{identity}")
        bases += [f"{around.tag}.{c}" for c in _steady(around)[:2]]
        # hashed names keep a stem that people gave: `index_list__a1B2c`
        stem = re.match(r"^([A-Za-z]+(?:[-_][A-Za-z]+)*)__?[\w-]*\d", around.get("class") or "")
        if stem and not _steady(around):
            bases.append(f'{around.tag}[class^="{stem.group(1)}"]')
    parent = node.getparent()
    direct = f"{parent.tag} > {own}" if parent is not None else own
    tries = [own] if "." in own else []
    tries += [f"{base} {own}" for base in bases] + [f"{base} {direct}" for base in bases] + [direct, own]
    best, best_score = "", 0.0
    for css in dict.fromkeys(tries):
        nodes, _ = select_nodes(root, [css])
        found = set(nodes)
        if not found:
            continue
        hits = len(found & wanted)
        # rows of the same make in another column are rows too; those without a link (rulers, headings) give nothing
        alike = hits + sum(n not in wanted and _chain(n) == _chain(node) for n in found)
        score = hits / len(wanted) * (alike / len(found)) ** 0.5 - 0.001 * len(css)
        if score > best_score + 0.02:
            best, best_score = css, score
    return best if best_score > 0.75 else ""


def _link_and_title(family: Family) -> tuple[str, list[str]]:
    node = family.nodes[0]
    if node.tag == "a":
        inner = _inner_title(family)
        return "::attr(href)", [*([inner] if inner else []), "::attr(title)", "::text"]
    best = "a"
    for css in _link_selectors(node):
        good = sum(_same_link(n, css) for n in family.nodes)
        if good >= 0.9 * len(family.nodes):
            best = css
            break
    titles = [f"{best}::attr(title)"] if any(first(n, [f"{best}::attr(title)"]) for n in family.nodes) else []
    heading = next(
        (
            h
            for h in ("h2", "h3", "h4", "h5")
            if sum(bool(first(n, [f"{h}::text"])) for n in family.nodes) >= 0.9 * len(family.nodes)
        ),
        "",
    )
    return f"{best}::attr(href)", [*titles, *([f"{heading}::text"] if heading else []), f"{best}::text"]


def _yearless(family: Family) -> bool:
    """Whether the rows' dates are a month and a day only."""
    found = [m.group() for n in family.nodes if (m := _DATE.search(f"{element_text(n)} {n.tail or ''}"))]
    return bool(found) and sum(bool(re.fullmatch(r"[01]?\d[-/月.][0-3]?\d", f)) for f in found) > 0.5 * len(found)


def _inner_title(family: Family) -> str:
    """The element of a row that is one link which holds the title alone, without summary and date."""
    tries: dict[str, None] = {f"{h}::text": None for h in ("h2", "h3", "h4", "h5", "b", "strong", "p")}
    for child in family.nodes[0].iter():
        if isinstance(child.tag, str) and child is not family.nodes[0] and len(element_text(child)) > 5:
            tries.update({f".{c}::text": None for c in _steady(child)[:1]})
    for css in tries:
        shown = [first(n, [css]) or "" for n in family.nodes]
        fit = sum(6 <= len(t) <= 120 and not re.fullmatch(rf"\W*(?:{_DATE.pattern})\W*", t) for t in shown)
        if fit >= 0.8 * len(family.nodes) and len(set(shown)) > 0.8 * len(shown):
            return css
    return ""


def _link_selectors(node: Element) -> Iterator[str]:
    yield "a"
    yield from ("h2 a", "h3 a", "h4 a", "dt a", "a[title]", "td a", "p a", "strong a")
    link = _main_link(node, "")
    if link is not None:
        yield from (f"a.{c}" for c in _steady(link))
        parent = link.getparent()
        if parent is not None:
            yield from (f".{c} a" for c in _steady(parent))
            yield f"{parent.tag} > a"
            place = sum(1 for _ in parent.itersiblings(preceding=True)) + 1
            yield f"{parent.tag}:nth-child({place}) a"
    yield "a:last-of-type"


def _same_link(node: Element, css: str) -> bool:
    main = _main_link(node, "")
    href = first(node, [f"{css}::attr(href)"])
    return main is not None and bool(href) and href == (main.get("href") or "").strip()


def _in_two(node: Element) -> tuple[str, str] | None:
    """XPaths of the two elements in which year and month stand apart from the day (`<b>28</b><i>2026-09</i>`)."""
    month = day = ""
    for child in node.iter():
        if isinstance(child.tag, str) and not len(child) and child.text:
            shown = child.text.strip()
            path = f".//{child.tag}" + (f'[contains(@class, "{c[0]}")]' if (c := _steady(child)) else "")
            if re.fullmatch(r"(?:19|20)\d{2}\s?[-/.年]\s?\d{1,2}\s?月?", shown):
                month = path
            elif re.fullmatch(r"[0-3]?\d\s?日?", shown):
                day = day or path
    return (month, day) if month and day else None


def _published(family: Family) -> list[str]:
    """Selectors of the rows' dates, the one that fits most rows first."""
    tries: dict[str, None] = {"time::attr(datetime)": None}
    for node in family.nodes[:3]:
        for child in node.iter():
            if not isinstance(child.tag, str) or child.tag in ("a", "script") or len(child) > 2:
                continue
            shown = element_text(child)
            if len(shown) <= 40 and _DATE.search(shown) and child is not node:
                tries.update({f".{c}::text": None for c in _steady(child)[:1]})
                tries[f"{child.tag}::text"] = None
                tries[f"{child.tag}:last-of-type::text"] = None
                tries[f"{child.tag}:last-child::text"] = None
    counted = {css: sum(bool(_DATE.search(first(n, [css]) or "")) for n in family.nodes) for css in tries}
    best = max(counted, key=lambda css: counted[css])
    if counted[best] >= 0.5 * len(family.nodes):
        return [best]
    two = _in_two(family.nodes[0])
    if two is not None:
        return [f'xpath:concat({two[0]}, "-", {two[1]})']
    tails = [node.tail or "" for node in family.nodes]
    if sum(bool(_DATE.search(t)) for t in tails) >= 0.5 * len(tails):
        return ["xpath:following-sibling::text()[1]"]
    if family.dated >= 0.5 * len(family.nodes):
        # the date stands bare in the row's text, after the link
        return [
            r"re:((?:19|20)\d{2}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2})",
            r"re:>?[\[(（\s]*([01]?\d[-/月.][0-3]?\d)日?[\])）]?\s*<",
        ]
    paths = [
        urlsplit((link.get("href") or "") if (link := _main_link(n, "")) is not None else "").path for n in family.nodes
    ]
    if sum(bool(re.search(r"20\d{2}[-/]?[01]\d[-/]?[0-3]\d[/_-]", p)) for p in paths) < 0.5 * len(paths):
        return []
    return [r"re_url:(20\d{2}[-/]?[01]\d[-/]?[0-3]\d)(?=[/_-])"]
