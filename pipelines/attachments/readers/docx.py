"""Text of a Word document (ECMA-376): paragraphs and tables in order, then foot- and endnotes. WPS writes the same format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelines.attachments.limits import Limits, damaged
from pipelines.attachments.package import Package, local
from pipelines.attachments.readers import Text

# deleted text, field codes, the fallback copy of a drawing, the pronunciation above a character
_SKIP = frozenset(
    {"del", "delText", "instrText", "Fallback", "rt", "moveFrom", "pPr", "rPr", "tblPr", "sectPr", "txbxContent"}
)
_BREAKS = {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}


def read(body: bytes, options: dict[str, Any], limits: Limits) -> Text:
    """Main text and notes. Raises NotRead."""
    package = Package(body, limits)
    name = next((n for n in package.names if n == "word/document.xml"), "") or next(
        (n for n in package.names if n.startswith("word/document") and n.endswith(".xml")), "word/document.xml"
    )
    root = package.xml(name)
    place = next((e for e in root.iter() if local(e) == "body"), None)
    if place is None:
        raise damaged("it has no body")
    lines = list(blocks(place))
    for part in ("word/footnotes.xml", "word/endnotes.xml"):
        if part in package:
            for note in package.xml(part):
                if local(note) in ("footnote", "endnote") and not _kind(note):
                    lines += blocks(note)
    text = "\n".join(lines)
    if not text.strip() and package.broken:
        raise damaged(package.broken[0])
    return Text(text, "docx", note=package.note)


def _kind(note: Any) -> str:
    return next((str(v) for k, v in note.attrib.items() if k.endswith("}type") and v != "normal"), "")


def blocks(place: Any) -> Iterator[str]:
    """Paragraphs and table rows under an element, in order; wrappers (content controls, insertions) are walked through."""
    stack = list(reversed(place))
    while stack:
        element = stack.pop()
        name = local(element)
        if name == "p":
            yield paragraph(element)
            yield from _boxes(element)
        elif name == "tbl":
            yield from rows(element)
        elif name and name not in _SKIP:
            stack.extend(reversed(element))


def rows(table: Any) -> Iterator[str]:
    """One line a row, cells parted by tabs; a table of one column and tables inside cells keep their lines."""
    for row in (e for e in table.iterchildren() if local(e) == "tr"):
        cells = [list(blocks(c)) for c in _under(row, "tc")]
        if len(cells) == 1:
            yield from cells[0]
        else:
            yield "\t".join(" ".join(p.strip().replace("\t", " ") for p in c if p.strip()) for c in cells)


def _under(element: Any, name: str) -> Iterator[Any]:
    for child in element.iterchildren():
        if local(child) == name:
            yield child
        elif local(child) in ("sdt", "sdtContent", "ins", "customXml"):
            yield from _under(child, name)


def paragraph(element: Any) -> str:
    """The characters of one paragraph, without what is deleted, coded or inside a text box."""
    parts: list[str] = []
    stack = list(reversed(element))
    while stack:
        child = stack.pop()
        name = local(child)
        if name == "t":
            # entities are left unresolved and stand between the pieces of the text
            parts.append((child.text or "") + "".join(e.tail or "" for e in child))
        elif name in _BREAKS:
            parts.append(_BREAKS[name])
        elif name and name not in _SKIP:
            stack.extend(reversed(child))
    return "".join(parts)


def _boxes(element: Any) -> Iterator[str]:
    """Text boxes that hang on a paragraph (letterheads of circulars often are such), once each."""
    for box in element.iter("{*}txbxContent"):
        if not any(local(a) == "Fallback" for a in box.iterancestors()):
            yield from blocks(box)
