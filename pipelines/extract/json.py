"""Reads documents that come as JSON: detail answers of ministries' interfaces, and list rows that carry the whole text."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from db.documents import Attachment
from pipelines.extract import html as pages
from pipelines.extract import links
from pipelines.extract.draft import Draft
from pipelines.extract.select import text_of
from pipelines.extract.tree import escape, parse
from pipelines.lists import json_paths

_ID_KEYS = ("docid", "id", "nid", "newsid", "manuscriptid")
_TEMPLATE = re.compile(r"\{(\w+)\}")


def read(text: str, url: str, source: Any) -> Draft:
    """A draft of a JSON answer, by the paths of the source's article. Raises NotJson for what is no JSON."""
    data = json_paths.parse_json(text)
    options = source.article
    root = record(data, options.root, url)
    draft = Draft(url=url)
    draft.title = pages.cut(_title(json_paths.raw(root, options.title)), options.title_strip)
    draft.published = [v for p in options.published if (v := json_paths.text(root, [p]))]
    draft.written = json_paths.text(root, options.written)
    draft.modified = json_paths.text(root, options.modified)
    draft.outlet = pages.cut(json_paths.text(root, options.source), options.source_strip)
    draft.author = pages.cut(json_paths.text(root, options.author), options.author_strip)
    draft.category = json_paths.text(root, options.category)
    draft.doc_number = json_paths.text(root, options.doc_number)
    draft.index_number = json_paths.text(root, options.index_number)
    issuer = json_paths.text(root, options.issuer)
    draft.issuers = [issuer] if issuer else []
    draft.public_url = public_url(source, root, url)
    draft.body = body(json_paths.raw(root, options.body_html or options.body), options)
    draft.attachments = _files(root, options, draft.public_url or url, source)
    return draft


def record(data: Any, path: str | None, url: str) -> dict[str, Any]:
    """The object that is the document: at `path`; of a list of rows, the one whose number is in the address, else the first."""
    found = json_paths.get(data, path) if path else data
    rows = _rows(found) or _rows(data)
    if not rows:
        return {}
    named = {k.lower(): v for k, values in parse_qs(urlsplit(url).query).items() for v in values}
    numbers = {v for k, v in named.items() if k in _ID_KEYS} or set(re.findall(r"\d{4,}", url))
    for row in rows:
        if any(str(row.get(k, "")) in numbers for k in row if str(k).lower() in _ID_KEYS):
            return row
    return rows[0]


def _rows(value: Any, depth: int = 0) -> list[dict[str, Any]]:
    """Objects that look like documents: the value itself, or those in the arrays inside it."""
    if isinstance(value, dict):
        if any(isinstance(v, str) and re.search(r"title|clob|content", str(k), re.I) for k, v in value.items()):
            return [value]
        inner = [r for v in value.values() if isinstance(v, list | dict) and depth < 4 for r in _rows(v, depth + 1)]
        return inner or ([value] if value and depth == 0 else [])
    if isinstance(value, list):
        return [r for v in value[:500] for r in _rows(v, depth + 1)] if depth < 5 else []
    return []


def _title(text: str) -> str:
    """Titles of interfaces are broken into lines like on paper; between Chinese characters the breaks vanish."""
    return pages.shown(re.sub(r"(?<=[^\x00-\x7f])\s*\n\s*(?=[^\x00-\x7f])", "", text))


def body(text: str, options: Any) -> str:
    """Markup of the text: the element that `body_css` names inside it, else all of it; plain text gets paragraphs."""
    if not text.strip():
        return ""
    if "<" not in text:
        return escape(text)
    if len(text) > 4000 or options.body_css or options.remove:
        root = parse(text)
        node = pages.find_body(root, options.body_css)
        if node is None or not text_of(node):
            node = root.find("body") if root.find("body") is not None else root
        else:
            node = _all_sections(node)
        return pages.body_markup(node, options.remove)
    return text


def _all_sections(node: Any) -> Any:
    """Word exports part a text in `div.Section0`, `Section1` …: with sisters of that kind, the parent is the text."""
    if re.match(r"(?:Word)?Section\d", node.get("class") or ""):
        sisters = [s for s in node.itersiblings("div") if re.match(r"(?:Word)?Section\d", s.get("class") or "")]
        if sisters and node.getparent() is not None:
            return node.getparent()
    return node


def _files(root: dict[str, Any], options: Any, base: str, source: Any) -> list[Attachment]:
    found: dict[str, Attachment] = {}
    rows = options.attachment_rows
    if rows is not None:
        for item, _ in json_paths.walk(root, rows.path):
            if isinstance(item, dict):
                url = links.absolute(json_paths.as_text(item.get(rows.url)), rows.base or base)
                if url:
                    name = json_paths.text(item, rows.name)
                    found.setdefault(url, Attachment(url=url, filename=links.filename(url, name)))
    for path in options.attachments:
        for value, _ in json_paths.walk(root, path):
            url = links.absolute(value, source.base_url) if isinstance(value, str) else ""
            if url:
                found.setdefault(url, Attachment(url=url, filename=links.filename(url)))
    return list(found.values())


def public_url(source: Any, row: dict[str, Any], url: str) -> str:
    """The address for people: the list's `public_url`, filled from the document; "" if a place stays empty."""
    template = source.list.public_url
    if not template:
        return ""
    query = {k: v[0] for k, v in parse_qs(urlsplit(url).query).items() if v}

    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        camel = re.sub(r"_(\w)", lambda m: m.group(1).upper(), name)
        value = row.get(name) or row.get(camel) or query.get(name) or query.get(camel) or ""
        return str(value)

    filled = _TEMPLATE.sub(fill, template)
    missing = [n for n in _TEMPLATE.findall(template) if fill(re.match(_TEMPLATE, "{" + n + "}")) == ""]  # type: ignore[arg-type]
    if any(n.lower() in ("docid", "id") for n in missing):
        return ""
    return re.sub(r"[?&]\w+=(?=&|$)", "", filled) if missing else filled
