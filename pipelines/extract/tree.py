"""Parses pages that are not well: a stray `</html>` in the middle, charset declarations that lie, frames of Word export."""

from __future__ import annotations

import re

from lxml import html

_CLOSERS = re.compile(r"</(?:html|body)\s*>", re.I)
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_EMPTY = "<html><head></head><body></body></html>"


# a tag longer than this is looked at; libxml2 compares every attribute of a tag with every other. The name is possessive:
# a name of thousands of letters would be tried at every length
_LONG_TAG = re.compile(r"<([A-Za-z][\w:-]*+)([^<>]{8000,})>?")
_MOST_ATTRIBUTES = 500
# characters that XML does not know, as themselves and as references (`&#0;`): lxml reads them and then refuses to move
# the text that holds them. Browsers show nothing for them (HTML Standard, "control-character-reference parse error")
_FORBIDDEN = re.compile(
    r"[\x00-\x08\x0b\x0e-\x1f\ufffe\uffff]|&#0*(?:[0-8]|1[1-24-9]|2\d|3[01]);?(?!\d)|&#x0*(?:[0-8bce-f]|1[0-9a-f]|fff[ef]);?(?![\da-f])",
    re.I,
)


# not `[^>]*`: each of a million `<` would be searched for its end through all the others
_TAG = re.compile(r"<[^<>]*>")


def untagged(text: str, instead: str = "") -> str:
    """Markup without its tags, roughly: for counting and comparing, not for reading."""
    return _TAG.sub(instead, text)


def mend(text: str) -> str:
    """Take out every `</html>` and `</body>`: lxml drops what follows the first one, browsers go on reading.

    A tag with more attributes than anybody writes loses them (200,000 of them keep the parser busy for minutes), and
    characters that no page may hold go.
    """
    allowed = _FORBIDDEN.sub("", text.replace("\f", " "))
    return _LONG_TAG.sub(_without_attributes, _CLOSERS.sub("", _XML_DECLARATION.sub("", allowed)))


def _without_attributes(match: re.Match[str]) -> str:
    names = re.sub(r"\"[^\"]*\"|'[^']*'", "", match.group(2))
    return f"<{match.group(1)}>" if len(names.split()) > _MOST_ATTRIBUTES else match.group()


def parse(text: str) -> html.HtmlElement:
    """The tree of a page; an empty page for text that holds no markup at all. Never raises on soup."""
    mended = mend(text)
    if not mended.strip():
        mended = _EMPTY
    # bytes with a forced encoding: lxml refuses str with an encoding declaration, and metas lie
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True, remove_pis=True, default_doctype=False)
    try:
        root = html.document_fromstring(mended.encode("utf-8", "replace"), parser=parser, ensure_head_body=False)
    except Exception:
        root = html.document_fromstring(_EMPTY, ensure_head_body=False)
    return root


def markup(node: html.HtmlElement) -> str:
    """An element as HTML text (without what follows it)."""
    out: str = html.tostring(node, encoding="unicode", with_tail=False)
    return out


def escape(text: str) -> str:
    """Plain text as a fragment of HTML whose lines stay lines."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"<p>{line}</p>" for line in safe.splitlines() if line.strip())
