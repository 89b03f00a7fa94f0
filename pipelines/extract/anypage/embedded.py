"""Reads what a page says to machines: JSON-LD, metas, and the article inside the data of a page that scripts would draw."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pipelines.extract.select import squeeze

# JSON longer than this is an application's whole store; its strings are still searched, up to the bound of a script
_LONGEST_JSON = 1_000_000
_LONGEST_SCRIPT = 3_000_000
# pages have a handful of scripts with linked data; of thousands every name would be compared with every other
_MOST_TOLD = 100
_ARTICLE = re.compile(r"Article|BlogPosting|Posting|Report|LiveBlog|WebPage|ItemPage|CreativeWork", re.I)
_STRING = r"""(?:"((?:[^"\\]|\\.)*+)"|'((?:[^'\\]|\\.)*+)')"""
_BODY_KEY = re.compile(
    r"""["']?\b(?:articleBody|article_?content|article_?body|content_?html|html_?content|post_?content|news_?content|detail_?content|body_?html|contentText|content|body|html|text|detail|rendered|richText|neirong)["']?\s*:\s*"""
    + _STRING
)
_TITLE_KEY = re.compile(
    r"""["']?\b(?:title|headline|articleTitle|article_title|news_?title|docTitle)["']?\s*:\s*(?:"((?:[^"\\]|\\.){4,300}?)"|'((?:[^'\\]|\\.){4,300}?)')"""
)
_UNUSED_TYPES = (
    "author",
    "creator",
    "publisher",
    "isPartOf",
    "mainEntityOfPage",
    "review",
    "comment",
    "hasPart",
    "itemListElement",
    "mentions",
    "about",
)


@dataclass(slots=True)
class Said:
    """What machines are told: each list in the order of the page, of articles before other things."""

    headlines: list[str] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    modified: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    publishers: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    paywalled: bool = False


def linked_data(root: Any) -> Said:
    """What the JSON-LD scripts say of the article; of lists and other articles nothing."""
    found = Said()
    told = (n for n in root.iter("script") if "ld+json" in (n.get("type") or ""))
    for node in islice(told, _MOST_TOLD):
        text = (node.text or "").strip().removeprefix("<!--").removesuffix("-->").strip().rstrip(";")
        if not text or len(text) > _LONGEST_JSON:
            continue
        try:
            data = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            # a stray comma or quote: single strings can still be read
            found.published += re.findall(r'"(?:datePublished|pubDate)"\s*:\s*"([^"]{6,40})"', text)[:1]
            continue
        for item in _articles(data):
            _take(item, found)
    return found


def _articles(data: Any) -> Iterator[dict[str, Any]]:
    """Objects that are articles, outermost first; breadth first and bounded."""
    queue = [data]
    for _ in range(400):
        if not queue:
            return
        item = queue.pop(0)
        if isinstance(item, list):
            queue += item[:60]
        elif isinstance(item, dict):
            kind = item.get("@type") or ""
            kind = " ".join(map(str, kind)) if isinstance(kind, list) else str(kind)
            if _ARTICLE.search(kind) or item.get("headline") or item.get("pubDate"):
                yield item
            queue += [v for k, v in item.items() if isinstance(v, dict | list) and k not in _UNUSED_TYPES]


def _take(item: dict[str, Any], found: Said) -> None:
    kind = str(item.get("@type") or "")
    page_only = "WebPage" in kind or "CreativeWork" in kind or "ItemPage" in kind
    for value, place in (
        (
            item.get("headline")
            or (item.get("title") if not page_only else "")
            or (item.get("name") if not page_only else ""),
            found.headlines,
        ),
        (item.get("datePublished") or item.get("pubDate"), found.published),
        (item.get("dateModified") or item.get("upDate"), found.modified),
        (item.get("articleBody"), found.bodies),
    ):
        if isinstance(value, str) and value.strip():
            place.append(squeeze(value) if place is not found.bodies else value)
    found.authors += [n for n in _names(item.get("author")) if n not in found.authors]
    found.publishers += [n for n in _names(item.get("publisher")) if n not in found.publishers]
    if str(item.get("isAccessibleForFree", "")).lower() == "false":
        found.paywalled = True


def _names(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    out = []
    for one in values[:10]:
        name = one.get("name") if isinstance(one, dict) else one
        if isinstance(name, list):
            name = name[0] if name else ""
        if isinstance(name, str) and 1 < len(name.strip()) < 80 and not name.startswith("http"):
            out.append(squeeze(name))
    return out


@dataclass(slots=True)
class Stored:
    """An article found in a page's data: its markup or text, its headline, and the data around it."""

    body: str = ""
    title: str = ""
    around: str = ""


# how far around the text its other fields are looked for
_AROUND = 3000


def stored(scripts: list[str]) -> Stored:
    """The article in a page's data, empty where there is none: the longest text under a key for texts."""
    best, weight = Stored(), 99
    for script in scripts:
        if len(script) < 300:
            continue
        script = _peeled(script[:_LONGEST_SCRIPT])
        for match in _BODY_KEY.finditer(script):
            raw = match.group(1) or match.group(2) or ""
            if len(raw) < 150:
                continue
            value = unescaped(raw)
            if "<" not in value and "&lt;" in value:
                value = html.unescape(value)
            score = _prose(value)
            if score > weight:
                weight = score
                before, after = (
                    script[max(0, match.start() - _AROUND) : match.start()],
                    script[match.end() : match.end() + _AROUND],
                )
                best = Stored(value, _title_beside(before, after), f"{before}\n{after}")
    return best


def _peeled(script: str) -> str:
    """JSON inside a string (`STATE = JSON.parse("{\\"a\\": …}")`) with one layer of escapes off."""
    if script.count('\\"') > 0.5 * script.count('"') > 10 and '":"' not in script[:2000]:
        return script.replace('\\\\"', "\x01").replace('\\"', '"').replace("\x01", '\\"').replace("\\\\", "\\")
    return script


def _title_beside(before: str, after: str) -> str:
    found = list(_TITLE_KEY.finditer(before))
    match = found[-1] if found else _TITLE_KEY.search(after)
    return squeeze(html.unescape(unescaped(match.group(1) or match.group(2) or ""))) if match else ""


def unescaped(raw: str) -> str:
    """The value of a JSON string's inside; as it is where it is none."""
    try:
        value: str = json.loads(f'"{raw}"', strict=False)
    except ValueError:
        value = raw
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _prose(value: str) -> int:
    """Characters of running text in a string, roughly; code and lists of addresses have few sentence marks."""
    plain = re.sub(r"<[^>]{0,500}>|&[a-z#0-9]{2,8};|\s", "", value[:400_000])
    marks = len(re.findall(r"[。，；！？]|[a-z][.,;]", plain))
    if marks < 3 or re.search(r"function\(|var |\{\{|=>", value[:3000]):
        return 0
    ideographs = len(re.findall(r"[\u4e00-\u9fff]", plain))
    return len(plain) if ideographs > 0.3 * len(plain) else len(plain) // 2
