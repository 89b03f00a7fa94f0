"""Reads a page of which nothing is configured: every field by evidence from several places, the text by several readers."""

from __future__ import annotations

import re

from pipelines.extract import fallback, labels, links
from pipelines.extract.anypage import blocks, body, credit, embedded, pages, readers, titles, when
from pipelines.extract.draft import Draft
from pipelines.extract.html import base_url

# a page with none of these has no table of a document's own data: none is searched
_LABELLED = re.compile(
    r"(?:索(?:\s|&nbsp;){0,4}引(?:\s|&nbsp;){0,4}号|发(?:\s|&nbsp;){0,4}文(?:\s|&nbsp;){0,4}[字机单日]|成(?:\s|&nbsp;){0,4}文(?:\s|&nbsp;){0,4}[日时]|文(?:\s|&nbsp;){0,6}号(?:\s|&nbsp;){0,3}[:：<]|字(?:\s|&nbsp;){0,6}号(?:\s|&nbsp;){0,3}[:：])"
)


def general(text: str, url: str) -> Draft:
    """A draft of any page. What could not be had is said in its remarks; never raises on soup."""
    page = blocks.read(text)
    metas = fallback.metas(page.root)
    said = embedded.linked_data(page.root)
    draft = Draft(url=url, paywalled=said.paywalled)
    window = titles.window_title(page)
    first = body.find(page, "", -1)
    start = next((b.order for b in first.blocks if b.value), first.start) if first else len(page.blocks)
    names = credit.sites(metas, said, window, titles.above(page, start))
    headline = titles.find(page, metas, said, start, names)
    region = body.find(page, headline.text, headline.at) if first else None
    draft.title = headline.text
    draft.site = names[0] if names else credit.after_headline(window, headline.text)
    # the page's data are searched only where the page itself shows no text
    kept = embedded.stored(page.scripts) if region is None or region.value < 80 else embedded.Stored()
    draft.published = when.candidates(page, metas, said, url, headline.at, region, kept.around)
    draft.outlet = credit.outlet(page, metas, said, headline.at, region)
    draft.author = credit.author(page, metas, said, headline.at, region, [draft.outlet, *names])
    if not draft.outlet and not draft.site and not credit.person(draft.author) and "、" not in draft.author:
        # a page that names nobody else: the account that published it
        draft.outlet, draft.author = draft.author, ""
    if _LABELLED.search(text):
        draft.labels = labels.read(fallback.label_places(page.root))
        _from_labels(draft)
    _body(draft, page, region, said, kept, url)
    if page.cut:
        draft.remarks.append("the page is larger than any text for people: only its beginning was read")
    return draft


def _body(
    draft: Draft,
    page: blocks.Page,
    region: body.Region | None,
    said: embedded.Said,
    kept: embedded.Stored,
    url: str,
) -> None:
    base = base_url(page.root, url)
    chosen = readers.choose(page, region, said, kept, draft.title, url)
    draft.body = chosen.markup
    draft.remarks += chosen.remarks
    if chosen.title:
        # the window of a page that scripts fill names the site
        draft.title = chosen.title
    following = pages.following(page.root, url)
    if following:
        draft.remarks.append(f"{pages.ONE_OF_SEVERAL} {following}")
    places = [*([region.node] if region else []), *page.file_boxes]
    seen: dict[str, None] = {}
    draft.attachments = [
        a for p in places for a in links.in_element(p, base) if not (a.url in seen or seen.setdefault(a.url))
    ]


def _from_labels(draft: Draft) -> None:
    values = draft.labels
    draft.title = draft.title or values.get("title", "")
    draft.doc_number = values.get("doc_number", "")
    draft.index_number = values.get("index_number", "")
    draft.written = values.get("written", "")
    draft.doc_kind = values.get("doc_kind", "")
    draft.category = values.get("category", "")
    draft.issuers = [values["issuer"]] if values.get("issuer") else []
    if values.get("published"):
        draft.published.append(values["published"])
    draft.outlet = draft.outlet or values.get("source", "")
