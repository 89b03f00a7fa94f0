"""Reads bylines in Western letters: `By Anna de la Cruz and B. Lee, Staff Writers | May 3`, `Author Ben Lee`, a name before a post."""

from __future__ import annotations

import re

from pipelines.extract.anypage import lines, names
from pipelines.extract.anypage.blocks import Block, Page

_PARTICLE = r"(?:de|la|le|du|des|del|della|der|den|dos|da|di|el|al|bin|ibn|ter|ten|van|von|zu|y)"
_WORD = r"(?:[A-ZÀ-Þ][\w.'’-]*|[\"“][A-Z][\w ]{1,20}[\"”])"
_WHO = rf"{_WORD}(?:\s+(?:{_PARTICLE}\s+){{0,3}}{_WORD}){{1,4}}"
# the post that somebody holds ends a name
_POST = (
    r"(?:(?:Senior|Chief|Staff|Executive|Deputy|Assistant|Associate|Special|Contributing|Freelance|National|Political|Foreign|Business|Science)\s+){0,3}"
    r"(?:[A-Z][a-z]+\s+){0,2}?(?:Correspondents?|Editors?|Reporters?|Writers?|Columnists?|Producers?|Analysts?|Contributors?|Critics?)\b"
)
_LED = re.compile(
    rf"^\W*(?:[Bb]y|BY|(?:Written|Story|Words|Reported|Posted|Analysis|Opinion) by|Author)\b\s*:?\s*(?P<who>{_WHO}(?:(?:\s*,\s*|\s+and\s+|\s*&\s*|,\s+and\s+){_WHO}){{0,4}}?)"
    rf"(?=\s*(?:$|[,|–—•·(@/;-]|\d|\b(?:for|on|in|at|of|is|Published|Updated|Posted|Last|Follow|{_POST})))"
)
_LABELLED = re.compile(rf"^(?:Author|Writer|Written by|By)\b\s*:?\s*(?P<who>{_WHO})$")
_LED_WORD = re.compile(r"^\W*(?:by|written by|author|posted by)\b\s*:?\s*", re.I)
_DAY = (
    r"(?:(?:Jan|Febr)uary|March|April|May|June|July|August|(?:Sept|Nov|Dec)ember|October|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?"
    r"|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)"
)
_SENTENCE_END = re.compile(r"[a-z]{3}[.!?](?:\s|$)")
_NO_ONE = re.compile(
    r"^(?:(?:published|posted|written|updated|filed) (?:by|on|in)|by|staff|author|about the author)\W*$", re.I
)
# how far below a text its data may be listed
_BELOW = 60


def led(block: Block) -> str:
    """The names in a line that begins with By; "" where it is a sentence or tells of a picture."""
    text = block.spaced or block.text
    if len(block.text) > 400 or block.has(names.CAPTION | names.BOX):
        return ""
    if block.value and lines.kind(block.text) != lines.CREDIT and (len(text) > 160 or _SENTENCE_END.search(text)):
        return ""
    match = _LED.match(text[:200])
    return without_post(match.group("who")) if match else ""


def labelled(page: Page, end: int) -> str:
    """The author in the list of an article's data below its text."""
    for block in page.blocks[end : end + _BELOW]:
        if len(block.text) <= 60 and not block.has(names.BOX) and (match := _LABELLED.match(block.spaced)):
            return match.group("who")
    return ""


def without_post(name: str) -> str:
    """A name without By before it, and without post or paper behind it."""
    name = _LED_WORD.sub("", name)
    if _NO_ONE.match(name):
        return ""
    shorter = re.sub(rf"\s*,?\s+{_POST}.*$", "", name)
    shorter = re.sub(r"\s+(?:Follow|Published|Updated|Posted|Email|Contact|View|Share)\b.*$", "", shorter)
    # `By Ann Lee September 2`; a surname may be a month's
    shorter = re.sub(rf"(\S+\s+\S+)\s+{_DAY}$", r"\1", shorter)
    shorter = re.sub(r",\s*(?:[A-Z]{2,}\b\s?){1,3}$|\s*[|/]\s.*$", "", shorter).strip(" ,|-–—")
    return shorter if len(shorter) >= 2 else name


def is_site(name: str) -> bool:
    """A name that is an address is no person's (`Daily News (www.example.org)`)."""
    return bool(re.search(r"www\.|\.(?:com|org|net|co\.uk|de)\b", name, re.I))
