"""What a run that was broken off between a document and its attachments still owes: found again from the archive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from scrapy import Request
from scrapy.http import Headers
from scrapy.responsetypes import responsetypes

from pipelines.archive import ArchiveReadError, read
from pipelines.content import ContentError, decompress
from pipelines.links import row_links

if TYPE_CHECKING:
    from scrapy.http import Response

    from crawler.spiders.base import SourceSpider
    from db.lists import BrokenOff


def parts_left(spider: SourceSpider, document: BrokenOff) -> Iterator[Request]:
    """Requests for the attachments and pages of a document that were never asked for."""
    for request in belongings(spider, document):
        if request.meta["kind"] in ("attachment", "page") and unquote(request.url) not in document.parts:
            yield request


def belongings(spider: SourceSpider, document: BrokenOff) -> Iterator[Request]:
    """All that belongs to a document, by the very reading that a fresh answer would have had."""
    said = json.loads(document.said)
    if document.kind == "inline":
        for link in row_links(said.get("attachments") or (), document.url, spider.source):
            yield spider.part_request("attachment", link.url, document.fetch)
        return
    response = archived(spider, document)
    if response is not None:
        yield from spider.parse_document(response)


def archived(spider: SourceSpider, document: BrokenOff) -> Response | None:
    """The answer as Scrapy gave it to the spider then; None where the archive no longer has it whole."""
    try:
        fetched = read(spider.archive.shared.folder / document.archive_file, document.archive_offset)
        body, _ = decompress(fetched.body, fetched.headers.get("content-encoding", ""))
    except (ArchiveReadError, ContentError, OSError):
        return None
    headers = Headers({name: value for name, value in fetched.headers.items() if name != "content-encoding"})
    meta = spider.archive.meta("document", entry=document.entry, said=json.loads(document.said))
    request = Request(document.url, meta=meta | {"fetch_id": document.fetch})
    kind = responsetypes.from_args(headers=headers, url=fetched.url or document.url, body=body)
    return kind(url=fetched.url or document.url, status=200, headers=headers, body=body, request=request)
