"""The stage of the chain that gives attachments their text, or the reason why there is none, and stub pages their real text."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from db.documents import Attachment, Document
from pipelines import content
from pipelines.attachments import sandbox, twins
from pipelines.attachments.limits import DEFAULT, MB, Limits
from pipelines.attachments.ocr_ready import INSTALL

PREFIX = "attachment not read: "
_NO_TITLE = re.compile(r"^附\s?[件表录]|号$|(?:文件|公报|公告)$|^[\d\W]+$|[。：:]$|^https?:")
_FILE = re.compile(r"\.(?:docx?|wps|rtf|xlsx?|et|mht)\?$", re.I)
# wall-clock seconds for all attachments of one document; a worker counts as stuck after 480
BUDGET_S = 300.0


@dataclass(slots=True)
class _Part:
    url: str
    body: bytes
    error: str
    truncated: bool


def stage(document: Document, context: Any) -> Document:
    """Fill text, media_type, sha256, reader, pages, confidence or error of each attachment, and the text of a stub page."""
    parts = _parts(context)
    _adopt(document, parts)
    end = time.monotonic() + BUDGET_S
    texts: dict[str, sandbox.Reading] = {}
    for attachment in document.attachments:
        part = parts.get(key(attachment.url))
        _read(attachment, part, texts, end)
        if attachment.error:
            document.remarks.append(f"{attachment.error} ({attachment.filename or attachment.url})")
        if attachment.text and attachment.reader == "ocr":
            sure = "" if attachment.confidence is None else f" with confidence {attachment.confidence:.2f}"
            document.remarks.append(f"attachment read by OCR{sure} ({attachment.filename or attachment.url})")
    for attachment in document.attachments:
        note = texts[attachment.sha256].note if attachment.sha256 in texts else ""
        if note:
            document.remarks.append(f"attachment read in part: {note} ({attachment.filename or attachment.url})")
    # computing in other processes, which the clock of the chain does not see
    context.scratch["cpu"] = sum(found.cpu for found in texts.values())
    if document.body_is_stub:
        take_text(document)
    if not document.title and (context.scratch.get("file") is not None or _FILE.search(key(document.url))):
        document.title = title_of(document.text)
    if not document.text.strip() and not any(a.text or a.error for a in document.attachments):
        _say_why(document, context)
    return document


def _say_why(document: Document, context: Any) -> None:
    """A remark on why there is no text, where nobody has said so yet."""
    if not any("text" in remark for remark in document.remarks):
        document.remarks.append(_no_text(context))


def _no_text(context: Any) -> str:
    content = context.scratch.get("content")
    if content is not None and not content.text.strip():
        return "no text was found: the answer is empty"
    return "no text was found: nothing on the page reads like one (or it is nested too deeply, or cut off)"


def key(url: str) -> str:
    """An address for comparison: scheme, case of the host, escapes and fragment do not count."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return url.strip()
    return f"{(parts.hostname or '').lower()}{unquote(parts.path)}?{unquote(parts.query)}"


def title_of(text: str) -> str:
    """The title of a bare file: the first line that reads like one, not a 文号, a letterhead or a mark of an annex."""
    for line in text.split("\n")[:8]:
        plain = re.sub(r"\s+", " ", line).strip()
        if 6 <= len(plain) <= 150 and not _NO_TITLE.search(plain):
            return plain
    return ""


def _parts(context: Any) -> dict[str, _Part]:
    found: dict[str, _Part] = {}
    fetched = context.fetched
    file = context.scratch.get("file")
    if file is not None:
        for url in (fetched.final_url, fetched.url):
            if url:
                found[key(url)] = _Part(url, file, "", fetched.truncated)
    for part in fetched.parts:
        if part.kind != "attachment":
            continue
        made = _part(part)
        for url in (part.final_url, part.url):
            if url:
                found[key(url)] = made
    return found


def _part(part: Any) -> _Part:
    if part.outcome != "ok":
        return _Part(part.url, b"", f"not downloaded, {part.error or part.outcome}", False)
    try:
        body, cut = content.decompress(part.body, content.header(part.headers, "Content-Encoding"), limit=DEFAULT.file)
    except content.ContentError as error:
        reason = f"larger than {DEFAULT.file // MB} MB" if error.outcome == "too-large" else f"damaged ({error})"
        return _Part(part.url, b"", reason, False)
    return _Part(part.url, body, "", bool(part.truncated or cut))


def _adopt(document: Document, parts: dict[str, _Part]) -> None:
    """Files that the crawler found and the page's reader did not: they belong to the document all the same."""
    known = {id(parts[key(a.url)]) for a in document.attachments if key(a.url) in parts}
    for part in parts.values():
        if id(part) not in known:
            known.add(id(part))
            name = unquote(urlsplit(part.url).path).rpartition("/")[2]
            document.attachments.append(Attachment(part.url, filename=name))


def _read(attachment: Attachment, part: _Part | None, texts: dict[str, sandbox.Reading], end: float) -> None:
    if part is None:
        attachment.error = f"{PREFIX}not downloaded"
        return
    if part.error:
        attachment.error = PREFIX + part.error
        return
    attachment.sha256 = hashlib.sha256(part.body).hexdigest()
    found = texts.get(attachment.sha256)
    if found is None:
        left = end - time.monotonic()
        found = read(part.body, attachment.filename or part.url, wall=left) if left > 1 else _out_of_time()
        texts[attachment.sha256] = found
    attachment.media_type, attachment.reader = found.media_type, found.reader
    attachment.text, attachment.pages, attachment.confidence = found.text, found.pages, found.confidence
    if found.text is None:
        cut = " (the download was cut off)" if part.truncated else ""
        attachment.error = f"{PREFIX}{found.error}{cut}"


def _out_of_time() -> sandbox.Reading:
    return sandbox.Reading(error=f"time limit of {BUDGET_S:g} s for all attachments of a document")


def read(body: bytes, name: str = "", *, limits: Limits = DEFAULT, wall: float | None = None) -> sandbox.Reading:
    """One file's text or its reason in words, read in the confined process."""
    found = sandbox.read(body, name, limits=limits, wall=wall)
    if found.error == "scanned":
        found.error = f"scanned pages, {INSTALL}"
    return found


def take_text(document: Document) -> None:
    """A page that only announces its text: the text is that of its best attachment."""
    best = twins.best(document.attachments, document.title)
    if best is not None:
        document.text = document.attachments[best].text or document.text
