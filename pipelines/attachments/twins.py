"""Knows when two attachments are the same text in two formats (PDF and OFD of one order), so that it counts once."""

from __future__ import annotations

import re

from db.documents import Attachment, Document

_STEP = 8
# share of equal eight-character pieces from which two texts are one: formats differ in page furniture and line ends only
_SAME = 0.8
_SAME_OF_LARGER = 0.6
# an excerpt breaks pieces at its cuts only
_INSIDE = 0.85
# the first is preferred among twins: formats that know paragraphs before those that know lines only, OCR last
_RANK = ("docx", "doc", "rtf", "html", "odf", "pdf", "ofd", "pptx")
_TABLES = ("xlsx", "xls", "csv", "zip")


class _Print:
    """What is compared of a text: its letters and digits, in overlapping pieces of eight, made when first needed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: set[str] | None = None

    @property
    def pieces(self) -> set[str]:
        """The set of pieces."""
        if self.found is None:
            plain = re.sub(r"[\W_]+", "", self.text.lower())
            self.found = {plain[i : i + _STEP] for i in range(max(1, len(plain) - _STEP + 1))}
        return self.found

    def same(self, other: _Print) -> bool:
        """Whether the two are one text, but for what their formats add. Lengths are compared first, they cost nothing."""
        if self.text == other.text:
            return True
        if not self.text or not other.text or not 0.6 < len(self.text) / len(other.text) < 1.67:
            return False
        common = len(self.pieces & other.pieces)
        sizes = len(self.pieces), len(other.pieces)
        return common >= _SAME * min(sizes) and common >= _SAME_OF_LARGER * max(sizes)

    def adds_nothing(self, other: _Print) -> bool:
        """Whether the other text has all of this one (an OFD that is an excerpt of the PDF, an annex printed in the page)."""
        if self.text in other.text:
            return True
        return len(self.text) < 1.67 * len(other.text) and len(self.pieces & other.pieces) >= _INSIDE * len(self.pieces)


def same(a: str, b: str) -> bool:
    """Whether two texts are one, but for what their formats add."""
    return _Print(a).same(_Print(b))


def counted(document: Document) -> list[int]:
    """Positions of the attachments that say something which neither the document's text nor an earlier attachment says.

    A larger twin that comes later counts too, since it may say more.
    """
    seen = [_Print(document.text)]
    out = []
    for n, attachment in enumerate(document.attachments):
        if not attachment.text:
            continue
        mine = _Print(attachment.text)
        if not any(mine.same(other) or mine.adds_nothing(other) for other in seen):
            out.append(n)
            seen.append(mine)
    return out


def best(attachments: list[Attachment], title: str) -> int | None:
    """The position of the attachment that is the text which a stub page announces; None if none can be read."""
    scored = [(_score(a, n, title), -n) for n, a in enumerate(attachments) if a.text and len(a.text.strip()) >= 20]
    if not scored:
        return None
    chosen = -max(scored)[1]
    text = attachments[chosen].text or ""
    alike = [n for n, a in enumerate(attachments) if a.text and same(a.text, text)]
    return min(alike, key=lambda n: (_rank(attachments[n]), n))


def _rank(attachment: Attachment) -> int:
    return _RANK.index(attachment.reader) if attachment.reader in _RANK else len(_RANK)


def _score(attachment: Attachment, position: int, title: str) -> float:
    """How likely a file is the main text: speaks of the title at its head, is prose, long, not an annex, comes early."""
    text = attachment.text or ""
    head = re.sub(r"\s+", "", text[:600])
    wanted = re.sub(r"\W+", "", title)
    pairs = [wanted[i : i + 2] for i in range(len(wanted) - 1)]
    about = sum(p in head for p in pairs) / len(pairs) if pairs else 0.0
    score = min(len(text), 20_000) ** 0.3 * (0.4 + about)
    if not re.search(r"[。.;；]", text):  # a list of names is no prose
        score *= 0.5
    if attachment.reader in _TABLES:
        score *= 0.2
    if attachment.reader == "ocr":
        score *= 0.7
    if re.match(r"\s*附\s?[件表录]|annex|appendix", attachment.filename, re.I) and position:
        score *= 0.6
    return score - 0.01 * position
