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


def read(body: bytes, options: dict[str, Any], limits: Limits) -> Text:
    """By kind: pptx, odf. Raises NotRead."""
    package = Package(body, limits)
    if options["kind"] == "odf":
        if "meta-inf/manifest.xml" in package and b"encryption-data" in package.read("META-INF/manifest.xml"):
            raise NotRead(ENCRYPTED)
        return Text("\n".join(_open_document(package.xml("content.xml"))), "odf")
    names = _slides(package)[: limits.pages]
    if not names:
        raise damaged("it has no slides")
    return Text("\n".join(line for name in names for line in _slide(package.xml(name))), "pptx", pages=len(names))


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
    bodies = list(root.iter("{urn:oasis:names:tc:opendocument:xmlns:office:1.0}body"))
    stack = list(reversed(bodies))
    while stack:
        element = stack.pop()
        name = local(element)
        if name in ("p", "h"):
            yield _shown(element)
        elif name == "table-row":
            cells = (c for c in element if local(c) == "table-cell")
            yield "\t".join(" ".join(_shown(p) for p in c.iter("{*}p")) for c in cells)
        elif name not in ("tracked-changes", "forms", "annotation"):
            stack.extend(reversed(element))


def _shown(paragraph: Any) -> str:
    """Characters of a paragraph; runs of blanks, tabs and line breaks are elements of their own."""
    parts = []
    for element in paragraph.iter():
        name = local(element)
        if name == "s" or name == "tab":
            parts.append(" ")
        elif name == "line-break":
            parts.append("\n")
        if name not in ("annotation", "creator", "date") and element.text:
            parts.append(element.text)
        if element is not paragraph and element.tail:
            parts.append(element.tail)
    return "".join(parts)
