"""Chooses among several readings of a page's text, which fail in different ways, by how far they agree."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field

from pipelines.extract.anypage import markup
from pipelines.extract.anypage.blocks import Page
from pipelines.extract.anypage.body import Region
from pipelines.extract.anypage.embedded import Said, stored_body
from pipelines.extract.tree import escape

# fewer characters than this are a headline or a cookie notice, not an article
_ENOUGH = 80


@dataclass(slots=True)
class Reading:
    """A text as markup, a headline where its place told one, and remarks in words."""

    markup: str = ""
    title: str = ""
    remarks: list[str] = field(default_factory=list)


def choose(page: Page, region: Region | None, said: Said, text: str, url: str) -> Reading:
    """The reading that is believed."""
    own = markup.write(region.blocks) if region else ""
    if page.chinese and region and region.value >= _ENOUGH:
        return Reading(own)
    if region and region.value >= _ENOUGH and page.chinese:
        return Reading(own)
    reader = _readability if page.chinese else _trafilatura
    found = reader(text, url)
    if length(found) >= _ENOUGH:
        return Reading(found)
    if length(own) < _ENOUGH:
        stored, title = stored_body(page.scripts)
        if stored:
            return Reading(stored if "<" in stored else escape(stored), title)
    return Reading(own or found)


def length(found: str) -> int:
    """Characters of the text of markup, without blanks."""
    return len(re.sub(r"<[^>]*>|\s", "", found))


def _readability(text: str, url: str) -> str:
    from readability import Document

    logging.getLogger("readability").setLevel(logging.CRITICAL)
    try:
        found: str = Document(text, url=url or None).summary(html_partial=True)
    except Exception:  # it raises of its own kinds and lxml's on pages without text
        return ""
    return found


def _trafilatura(text: str, url: str) -> str:
    import trafilatura

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    try:
        found = trafilatura.extract(
            text,
            url=url or None,
            output_format="html",
            include_comments=False,
            include_tables=True,
            favor_precision=True,
        )
    except Exception:  # broken pages: the other reader may still find the text
        return ""
    return found or ""
