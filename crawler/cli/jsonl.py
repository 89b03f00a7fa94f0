"""Reading lines of JSON for `classify` and `evaluate`: one line at a time, bad ones named by their number."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import IO, Any

from db.documents import Attachment, Document

_TEXTS = ("title", "text", "language", "url", "kind", "doc_number", "published_on", "published_at", "level", "source")


def rows(stream: IO[str], bad: Callable[[int, str], None]) -> Iterator[dict[str, Any]]:
    """The objects in the stream; `bad(line number, what is wrong)` for lines that are none. Empty lines are skipped."""
    for number, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            bad(number, f"not JSON ({error.msg} at character {error.pos + 1})")
            continue
        except RecursionError:
            bad(number, "nested too deep to be a document")
            continue
        if "\\u" in line:
            row = _printable(row)
        problem = _problem(row)
        if problem:
            bad(number, problem)
        else:
            yield row


def _printable(value: Any) -> Any:
    """The value without halves of characters (`\\ud800` alone), which JSON can spell and no text file can hold."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_printable(item) for item in value]
    if isinstance(value, dict):
        return {_printable(key): _printable(item) for key, item in value.items()}
    return value


def _problem(row: Any) -> str:
    if not isinstance(row, dict):
        return 'not an object; each line must be one like {"id": …, "title": …, "text": …}'
    if row.get("id") in (None, ""):
        return "the object has no 'id'"
    if not isinstance(row["id"], (str, int)):
        return "'id' is neither a text nor a whole number"
    for name in ("title", "text"):
        if not isinstance(row.get(name, ""), str):
            return f"{name!r} is not a text"
    if not (row.get("title") or row.get("text")):
        return "the object has neither 'title' nor 'text'"
    return ""


def to_document(row: dict[str, Any]) -> Document:
    """A document as the classifier takes it. `published` is understood as `published_on`."""
    document = Document(id=str(row["id"]))
    for name in _TEXTS:
        if isinstance(row.get(name), str):
            setattr(document, name, row[name])
    if isinstance(row.get("published"), str) and not document.published_on:
        document.published_on = row["published"][:10]
    attachments = row.get("attachments")
    for entry in attachments if isinstance(attachments, list) else ():
        if isinstance(entry, dict):
            text = entry.get("text")
            document.attachments.append(
                Attachment(url=str(entry.get("url", "")), text=text if isinstance(text, str) else None)
            )
    return document
