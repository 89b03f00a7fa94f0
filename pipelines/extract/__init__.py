"""From decoded text to a document's raw fields: by the selectors of its source, else by what pages have in common.

`stage` is the second link of the chain; `extract_page` does the same for one page without a chain. `general` reads a page of
which nothing is configured.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from db.documents import Attachment, Document
from pipelines.content import Content
from pipelines.extract import html, json, links
from pipelines.extract.anypage.pages import ONE_OF_SEVERAL
from pipelines.extract.draft import Draft
from pipelines.extract.generic import general
from pipelines.extract.tree import escape, untagged
from pipelines.lists.json_paths import NotJson
from pipelines.stages import Unreadable

__all__ = ["Draft", "extract_page", "general", "stage"]

# a configured body with fewer characters than this, on a page without files, is doubted and the general reader asked
_DOUBTED = 40


def stage(document: Document, context: Any) -> Document:
    """Raw fields of the document, and in `context.scratch` the `draft` and the `body` as markup.

    Needs `context.scratch["content"]` (`pipelines.content.stage`). What the list said of it (`context.fetched.said`)
    fills what the page leaves open.
    """
    fetched = context.fetched
    content: Content | None = context.scratch.get("content")
    url = fetched.final_url or fetched.url
    try:
        if content is None:
            draft = file_draft(url, fetched.said)
        elif fetched.kind == "inline":
            draft = inline_draft(content.text, url, context.source)
        else:
            draft = extract_page(content.text, url, context.source)
            _add_pages(draft, context)
    except NotJson as error:
        raise Unreadable("unreadable", f"the answer should be JSON and is not: {error}") from error
    fill_from_list(draft, fetched.said, context.source)
    context.scratch["draft"] = draft
    context.scratch["body"] = draft.body
    return to_document(document, draft, url)


def extract_page(text: str, url: str, source: Any = None) -> Draft:
    """The draft of one answer: JSON by paths, HTML by selectors, anything of an unknown source by the general reader.

    Raises NotJson where the source's answers are JSON and this one, though it begins like it, is not.
    """
    if source is None:
        return _unknown(text, url)
    if _is_json(text) and source.article.format == "json":
        draft = json.read(text, url, source)
    elif _is_json(text) and (wrapped := _value(text)) is not None:
        draft = json_of_html(wrapped, url, source)
    elif not source.article.title:
        draft = _by_evidence(text, url, source)
    else:
        draft = html.read(text, url, source)
        if not draft.selected or not draft.body or (_letters(draft.body) < _DOUBTED and not draft.attachments):
            found = general(text, url)
            if len(found.body) > len(draft.body) or (not draft.selected and _letters(found.body) >= _DOUBTED):
                draft.body = ""
            draft.fill(found)
            if not draft.selected and source.article.body:
                draft.remarks.append(
                    "the body selectors of this source found nothing here: the text was found by evidence"
                )
    return draft


def _letters(markup: str) -> int:
    return len("".join(untagged(markup).split()))


def _by_evidence(text: str, url: str, source: Any) -> Draft:
    """A page of a source that says little of its articles (a source of five minutes): the general reader's fields, and the
    body's element where the source names one."""
    draft = general(text, url)
    if source.article.body:
        body = html.find_body(html.parse(text), source.article.body)
        markup = html.body_markup(body, source.article.remove) if body is not None else ""
        if _letters(markup) >= _DOUBTED:
            draft.body = markup
    return draft


def _unknown(text: str, url: str) -> Draft:
    if _is_json(text):
        try:
            root = json.record(json.json_paths.parse_json(text), None, url)
        except NotJson:
            return general(text, url) if "<" in text else Draft(url=url, body=escape(text))
        return _guess_row(root, url)
    if "<" not in text[:2000]:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return Draft(url=url, title=lines[0] if lines else "", body=escape(text))
    return general(text, url)


def _guess_row(row: dict[str, Any], url: str) -> Draft:
    """A JSON object of an unknown interface: fields by their usual names."""

    def by(pattern: str) -> str:
        return next((str(v) for k, v in row.items() if isinstance(v, str) and v and re.search(pattern, k, re.I)), "")

    draft = Draft(url=url, title=html.shown(by(r"^(?:doc)?_?title$") or by("title")))
    draft.body = by(r"^(?:content|body|html|docclob|content_?html|text)$") or by(r"content|clob|body")
    draft.published = [v for v in (by(r"publi|pub_?date|pubtime"), by("time|date")) if v]
    draft.outlet = by(r"source")
    draft.doc_number = by(r"documentno|filenumber|pcode|docno")
    draft.index_number = by(r"indexno|indexcode")
    return draft


def _value(text: str) -> Any:
    """What the JSON says; None for a page that only begins with a bracket."""
    try:
        return json.json_paths.parse_json(text)
    except NotJson:
        return None


def json_of_html(data: Any, url: str, source: Any) -> Draft:
    """An answer that wraps the page's HTML in JSON (`{"data": {"content": "<p>…"}}`)."""
    path = source.article.full_text_path
    markup = json.json_paths.raw(data, [path]) if path else ""
    if not markup:
        return _guess_row(json.record(data, source.article.root, url), url)
    if re.search(r"<(?:html|body|meta|title)\b", markup, re.I):
        return html.read(markup, url, source)
    return Draft(url=url, body=markup if "<" in markup else escape(markup))


def inline_draft(text: str, url: str, source: Any) -> Draft:
    """A list row that carries its whole document, by the options of the list."""
    from pipelines import lists

    row = json.json_paths.parse_json(text)
    fields = lists.inline_fields(row, source) if isinstance(row, dict) else {}
    markup = str(fields.get("body_html") or fields.get("summary") or "")
    draft = Draft(url=url, title=html.shown(str(fields.get("title") or "")))
    draft.body = json.body(markup, source.article) if markup else ""
    draft.paywalled = fields.get("free") is False
    draft.remarks += [] if fields.get("body_html") else ["the list gave a summary only"]
    _said(draft, fields, source)
    if draft.body:
        draft.attachments += _body_links(draft.body, url, source, {a.url for a in draft.attachments})
    return draft


def _body_links(markup: str, url: str, source: Any, known: set[str]) -> list[Attachment]:
    found = links.in_element(html.parse(markup), url, source.attachment_ext)
    return [a for a in found if a.url not in known]


def file_draft(url: str, said: dict[str, Any]) -> Draft:
    """A list row that leads straight to a file: the file is the document's only attachment."""
    name = links.filename(url, str(said.get("title") or ""))
    return Draft(url=url, attachments=[Attachment(url=url, filename=name)])


def fill_from_list(draft: Draft, said: dict[str, Any], source: Any) -> None:
    """What the list said, where the page is silent. A feed's cut title never replaces the page's, only a missing one."""
    if said:
        _said(draft, said, source)


def _said(draft: Draft, said: dict[str, Any], source: Any) -> None:
    def text(*names: str) -> str:
        value = next((said[n] for n in names if said.get(n)), "")
        return " ".join(map(str, value)) if isinstance(value, list) else str(value)

    draft.title = draft.title or html.shown(text("title"))
    draft.doc_number = draft.doc_number or text("doc_number")
    draft.index_number = draft.index_number or text("index_number")
    draft.issuers = draft.issuers or ([text("issuer", "issuers")] if text("issuer", "issuers") else [])
    draft.author = draft.author or text("author")
    draft.outlet = draft.outlet or text("outlet", "source")
    draft.category = draft.category or text("category", "section")
    draft.written = draft.written or text("written_on", "written_raw", "written")
    draft.public_url = draft.public_url or text("public_url")
    for name in ("published_at", "published_on", "published_raw", "published"):
        value = text(name)
        if value and value not in draft.published:
            draft.published.append(value)
    if not draft.body and text("body_html"):
        draft.body = json.body(text("body_html"), source.article)
    known = {a.url for a in draft.attachments}
    base = draft.public_url or draft.url
    for item in said.get("attachments") or []:
        given = item if isinstance(item, dict) else {"url": str(item)}
        url = links.absolute(str(given.get("url") or ""), base)
        if url and url not in known:
            known.add(url)
            shown = str(given.get("name") or given.get("filename") or "")
            draft.attachments.append(Attachment(url=url, filename=links.filename(url, shown)))


def _add_pages(draft: Draft, context: Any) -> None:
    """Further pages of the same document, in their order."""
    from pipelines import content as contents

    for part in context.fetched.parts:
        if part.kind != "page":
            continue
        if part.outcome != "ok" or not part.body:
            draft.remarks.append(f"a page of this document is missing: {part.url} ({part.error or part.outcome})")
            continue
        try:
            text = contents.read(part, context.source).text
        except contents.ContentError as error:
            draft.remarks.append(f"a page of this document could not be read: {part.url} ({error})")
            continue
        url = part.final_url or part.url
        if context.source.article.title:
            markup, files = html.next_body(text, url, context.source)
        else:
            page = general(text, url)
            markup, files = page.body, page.attachments
            draft.remarks = [r for r in draft.remarks if r != f"{ONE_OF_SEVERAL} {part.url}"]
            draft.remarks += [r for r in page.remarks if r.startswith(ONE_OF_SEVERAL)]
        draft.body += markup
        known = {a.url for a in draft.attachments}
        draft.attachments += [a for a in files if a.url not in known]


def to_document(document: Document, draft: Draft, url: str) -> Document:
    """The raw fields in their places; `pipelines.recognise` reads the values out of them."""
    document.url = draft.public_url or url
    if url and url not in document.urls:
        document.urls = [*document.urls, url]
    # metas of some systems hold the headline's own markup (`<br>`), once more escaped
    document.title = html.shown(draft.title) if re.search(r"</?[a-z][^<>]*>", draft.title, re.I) else draft.title
    document.author = draft.author
    document.outlet = draft.outlet
    document.doc_number_raw = draft.doc_number
    document.index_number = draft.index_number
    document.issuers = list(draft.issuers)
    document.attachments = list(draft.attachments)
    document.paywalled = draft.paywalled
    document.remarks += draft.remarks
    return document


def _is_json(text: str) -> bool:
    return text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")


def host(url: str) -> str:
    """The host of an address, lower case."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
