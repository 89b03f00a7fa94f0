"""Small readings of answers and addresses that spiders share."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from pipelines.content import to_text
from pipelines.links import EXTENSIONS

if TYPE_CHECKING:
    from scrapy.http import Response

    from config.options import ListEntry
    from config.sources import Source


def links_hint(source: Source) -> re.Pattern[bytes]:
    """Found in a document that may hold anything to follow; most news pages don't, and are not parsed at all here."""
    endings = "|".join(re.escape(e.lstrip(".")) for e in source.attachment_ext or EXTENSIONS)
    hints = [rf"\.(?:{endings})\b", "/cms_files/", "<iframe"]
    hints += [
        n for s in source.article.next_page for n in re.findall(r"[#.]([\w-]{3,})", s.partition("::")[0])[:1] or ["<a"]
    ]
    hints += ["location"] if source.article.js_redirect_regex else []
    return re.compile("|".join(hints).encode(), re.IGNORECASE)


def fill_secrets(url: str, source: Source) -> str:
    """The address with the source's secrets from the environment in it."""
    for name in source.secrets:
        url = url.replace("{" + name + "}", os.environ.get(name, ""))
    return url


def fill_list(template: str, entry: ListEntry, page: int) -> str:
    """A fallback address for a list; empty when it needs an item_id that the list has not."""
    if "{item_id}" in template and entry.item_id is None:
        return ""
    return template.replace("{item_id}", str(entry.item_id or "")).replace("{page}", str(page))


def plain_headers(response: Response) -> dict[str, str]:
    """Response headers as text, names as they are."""
    headers: dict[str, str] = {}
    for name, listed in response.headers.items():
        value = listed[0] if isinstance(listed, list) and listed else listed
        headers[name.decode("latin-1")] = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return headers


def body_text(response: Response) -> str:
    """The decoded text of an answer, for judging it."""
    return to_text(response.body, plain_headers(response).get("Content-Type", "")).text
