"""Text of PowerPoint (PPTX) slides and of OpenDocument texts and tables: paragraphs in order, table rows as lines."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from pipelines.attachments.limits import ENCRYPTED, Limits, NotRead, damaged
from pipelines.attachments.package import Package, local
from pipelines.attachments.readers import Text

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

_OFFICE, _STYLE, _TABLE = (f"{{urn:oasis:names:tc:opendocument:xmlns:{n}:1.0}}" for n in ("office", "style", "table"))
# what is not part of the running text: notes, remarks, deleted passages, embedded forms
_ASIDE = frozenset({"note", "annotation", "tracked-changes", "forms", "sequence-decls", "ruby-text"})
_BLANKS = {"s": " ", "tab": " ", "line-break": "\n"}


def read(body: bytes, options: dict[str, Any], limits: Limits) -> Text:
    """By kind: pptx, odf. Raises NotRead."""
    package = Package(body, limits)
    if options["kind"] == "odf":
        if "meta-inf/manifest.xml" in package and b"encryption-data" in package.read("META-INF/manifest.xml"):
            raise NotRead(ENCRYPTED)
        text = "\n".join(_open_document(package.xml("content.xml")))
        return Text(text, "odf", note=package.note)
    names = _slides(package)[: limits.pages]
    if not names:
        raise damaged("it has no slides")
    text = "\n".join(line for name in names for line in _slide(package.xml(name)))
    return Text(text, "pptx", pages=len(names), note=package.note)


def _slides(package: Package) -> list[str]:
    """Slides in the order of the presentation; by their numbers where its list is missing."""
    found = sorted(
        (n for n in package.names if re.fullmatch(r"ppt/slides/slide\d+\.xml", n)),
        key=lambda n: int(re.sub(r"\D", "", n)),
    )
    if "ppt/_rels/presentation.xml.rels" not in package:
        return found
    targets = {e.get("Id"): e.get("Target", "") for e in package.xml("ppt/_rels/presentation.xml.rels")}
    order = [targets.get(e.get(_RELATION), "") for e in package.xml("ppt/presentation.xml").iter("{*}sldId")]
    names = [t.lstrip("/") if t.startswith("/") else posixpath.normpath(posixpath.join("ppt", t)) for t in order if t]
    return [n for n in names if n in package] or found


def _slide(root: Any) -> Iterator[str]:
    for paragraph in root.iter("{*}p"):
        if not any(local(a) == "tc" for a in paragraph.iterancestors()):
            yield "".join(e.text or "" if local(e) == "t" else " " for e in paragraph.iter("{*}t", "{*}br"))
    for row in root.iter("{*}tr"):
        yield "\t".join("".join(t.text or "" for t in cell.iter("{*}t")) for cell in row.iter("{*}tc"))


def _open_document(root: Any) -> Iterator[str]:
    """Paragraphs and rows in order, footnotes last; hidden sheets are left out."""
    hidden = {
        style.get(f"{_STYLE}name")
        for style in root.iter(f"{_STYLE}style")
        if any(p.get(f"{_TABLE}display") == "false" for p in style)
    }
    notes = [p for body in root.iter("{*}note-body") for p in body.iter("{*}p")]
    stack = list(reversed(list(root.iter(f"{_OFFICE}body"))))
    while stack:
        element = stack.pop()
        name = local(element)
        if name in ("p", "h"):
            yield shown(element)
        elif name == "table-row":
            cells = (c for c in element if local(c) == "table-cell")
            yield "\t".join(" ".join(shown(p) for p in c if local(p) in ("p", "h")) for c in cells)
        elif name and name not in _ASIDE and not (name == "table" and element.get(f"{_TABLE}style-name") in hidden):
            stack.extend(reversed(element))
    for paragraph in notes:
        yield shown(paragraph)


def shown(paragraph: Any) -> str:
    """Characters of a paragraph; runs of blanks, tabs and line breaks are elements of their own."""
    parts: list[str] = [paragraph.text or ""]
    stack = list(reversed(paragraph))
    while stack:
        element = stack.pop()
        if isinstance(element, str):
            parts.append(element)
            continue
        name = local(element)
        if element.tail:
            stack.append(element.tail)
        if not name or name in _ASIDE:
            continue
        parts.append(_BLANKS.get(name, "") + (element.text or ""))
        stack.extend(reversed(element))
    return "".join(parts)
