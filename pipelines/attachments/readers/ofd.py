"""Text of an OFD document (GB/T 33190-2016), the Chinese fixed-layout format: text objects set into lines by their position."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

from pipelines.attachments import layout
from pipelines.attachments.limits import DAMAGED, ENCRYPTED, Limits, NotRead, damaged
from pipelines.attachments.package import Package, local
from pipelines.attachments.readers import Text

_PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")


def read(body: bytes, options: dict[str, Any], limits: Limits) -> Text:
    """All documents of the file, page by page. Raises NotRead ("scanned pages" where pages hold only pictures)."""
    package = Package(body, limits)
    if "Encryptions.xml" in package:  # GM/T 0099
        raise NotRead(ENCRYPTED)
    texts: list[str] = []
    count = pictures = 0
    for root in package.xml("OFD.xml").iter("{*}DocRoot"):
        pages, shown = _document(package, _join("", root.text or ""), limits.pages - count)
        count += len(pages)
        pictures += shown
        texts.append(layout.paragraphs(pages))
    if not count:
        raise damaged("it has no pages")
    text = "\n".join(texts)
    if not text.strip() and pictures:
        if not options.get("ocr"):
            raise NotRead("scanned")
        return _scanned(package, count, limits)
    note = f"only the first {count:,} pages were read" if count >= limits.pages else package.note
    return Text(text, "ofd", pages=count, note=note)


def _document(package: Package, where: str, most: int) -> tuple[list[list[layout.Line]], int]:
    """Pages of one document of the file, and how many pictures are on them. A page that is missing stays empty."""
    document = package.xml(where)
    base = posixpath.dirname(where)
    templates = {e.get("ID", ""): e.get("BaseLoc", "") for e in document.iter("{*}TemplatePage")}
    pages: list[list[layout.Line]] = []
    pictures = failed = 0
    for page in document.iter("{*}Page"):
        if not page.get("BaseLoc") or len(pages) >= most:
            continue
        try:
            lines, shown = _page(package, base, page.get("BaseLoc"), templates)
        except NotRead as error:
            if not str(error).startswith(DAMAGED):
                raise
            lines, shown, failed = [], 0, failed + 1
        pages.append(lines)
        pictures += shown
    if pages and failed == len(pages):
        raise damaged("none of its pages can be opened")
    return pages, pictures


def _scanned(package: Package, count: int, limits: Limits) -> Text:
    """Pages that are pictures: the pictures of the file, in the order of their names, which is that of the pages."""
    from pipelines.attachments.readers import ocr

    members = [i for n, i in sorted(package.names.items()) if n.endswith(_PICTURES)]
    return ocr.read_pictures((package.read_member(i) for i in members), len(members), count, limits)


def _join(base: str, location: str) -> str:
    """A path inside the package: absolute from its root, or relative to the file that names it."""
    location = location.strip().replace("\\", "/")
    return location.lstrip("/") if location.startswith("/") else posixpath.normpath(posixpath.join(base, location))


def _page(package: Package, base: str, location: str, templates: dict[str, str]) -> tuple[list[layout.Line], int]:
    name = _join(base, location)
    content = package.xml(name if name in package else _join("", location))
    pieces = list(_texts(content))
    pictures = sum(1 for _ in content.iter("{*}ImageObject"))
    for used in content.iter("{*}Template"):
        place = templates.get(used.get("TemplateID", ""))
        if place and _join(base, place) in package:
            pieces += _texts(package.xml(_join(base, place)))
    return layout.lines(pieces), pictures


def _texts(content: Any) -> Iterator[layout.Piece]:
    """Each run of characters with its place in millimetres."""
    for item in content.iter("{*}TextObject"):
        left, top, _, height = _numbers(item.get("Boundary", ""), 4)
        size = _numbers(item.get("Size", ""), 1)[0] or height or 4.0
        matrix = _numbers(item.get("CTM", ""), 6) if item.get("CTM") else [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]
        x = y = 0.0
        for code in item.iterchildren():
            if local(code) != "TextCode" or not code.text:
                continue
            x = _number(code.get("X"), x)
            y = _number(code.get("Y"), y)
            at_x = left + matrix[0] * x + matrix[2] * y + matrix[4]
            at_y = top + matrix[1] * x + matrix[3] * y + matrix[5]
            scaled = size * (abs(matrix[3]) or 1.0)
            advance = _deltas(code.get("DeltaX", ""), len(code.text)) * (abs(matrix[0]) or 1.0)
            wide = advance + scaled if advance else scaled * len(code.text)
            if _deltas(code.get("DeltaY", ""), len(code.text)) > scaled and not advance:
                for n, char in enumerate(code.text):  # set vertically: one character a line
                    yield layout.Piece(at_x, at_y + n * scaled, scaled, scaled, char)
                continue
            yield layout.Piece(at_x, at_y, wide, scaled, code.text)


def _number(text: str | None, default: float) -> float:
    try:
        return float(text) if text else default
    except ValueError:
        return default


def _numbers(text: str, count: int) -> list[float]:
    found = [_number(t, 0.0) for t in text.split()[:count]]
    return found + [0.0] * (count - len(found))


def _deltas(text: str, count: int) -> float:
    """The sum of an array of advances; `g 38 4.2` stands for 38 times 4.2 (GB/T 33190, 11.3)."""
    total, tokens, n = 0.0, text.split(), 0
    while n < len(tokens):
        if tokens[n] == "g" and n + 2 < len(tokens):
            total += min(_number(tokens[n + 1], 0.0), max(0, count - 1)) * _number(tokens[n + 2], 0.0)
            n += 3
        else:
            total += _number(tokens[n], 0.0)
            n += 1
    return total
