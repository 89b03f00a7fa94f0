"""Pieces of markup that several sites share: paragraphs, tables, signatures."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from .documents import Doc, chinese_date, plain_date

INDENT = "　　"


def esc(text: str) -> str:
    return escape(text, quote=True)


def table(rows: list[list[str]], attributes: str = 'border="1" cellspacing="0"') -> str:
    lines = ["".join(f"<td>{esc(cell)}</td>" for cell in row) for row in rows]
    return f"<table {attributes}><tbody>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</tbody></table>"


def paragraphs(
    parts: list[tuple[str, Any]],
    p: str = "<p>" + INDENT + "{}</p>",
    h: str = "<p>" + INDENT + "<strong>{}</strong></p>",
    centre: str = '<p style="text-align: center;">{}</p>',
    right: str = '<p style="text-align: right;">{}</p>',
) -> str:
    """The parts of a body as HTML; each form has one {} for the escaped text."""
    forms = {"p": p, "h": h, "c": centre, "r": right}
    return "\n".join(table(text) if kind == "table" else forms[kind].format(esc(text)) for kind, text in parts)


def official(doc: Doc, chinese_numerals: bool = False, number: bool = True) -> list[tuple[str, Any]]:
    """A circular's body as issuers set it: number at the head, issuers and date at the foot.

    Each is added only where the text has it not, and only where the document has it.
    """
    parts: list[tuple[str, Any]] = list(doc.blocks)
    text = "\n".join(str(part) for _, part in parts)
    plain = re.sub(r"\s", "", text)
    if number and doc.doc_number and re.sub(r"\s", "", doc.doc_number) not in plain[:300] + doc.title:
        parts.insert(0, ("c", doc.doc_number))
    if doc.language == "zh" and doc.written and plain_date(doc.written) not in plain[-200:]:
        if not any(issuer in plain[-200:] for issuer in doc.issuers):
            parts += [("r", issuer) for issuer in doc.issuers]
        parts.append(("r", chinese_date(doc.written) if chinese_numerals else plain_date(doc.written)))
    return parts


def stub(doc: Doc) -> list[tuple[str, Any]]:
    """What an order's page says when the text is only in the attachment."""
    names = "、".join(f"《{one.name.split('.')[0]}》" for one in doc.attachments[:1])
    parts: list[tuple[str, Any]] = [("p", doc.summary or f"{names or doc.title}已经审议通过，现予公布，全文见附件。")]
    if doc.written:
        parts += [("c", issuer) for issuer in doc.issuers[:1]] + [("c", plain_date(doc.written))]
    return parts


def body_parts(doc: Doc, **more: Any) -> list[tuple[str, Any]]:
    return stub(doc) if doc.stub else official(doc, **more)


def cut(text: str, length: int, mark: str = "...") -> str:
    return text if len(text) <= length else text[:length] + mark


def relative(target: str, page: str) -> str:
    """`target` as the TRS sites link it from `page`: ./ or ../ from the folder of the page."""
    here, there = page.split("/")[1:-1], target.split("/")[1:]
    common = 0
    while common < min(len(here), len(there) - 1) and here[common] == there[common]:
        common += 1
    return ("../" * (len(here) - common) or "./") + "/".join(there[common:])
