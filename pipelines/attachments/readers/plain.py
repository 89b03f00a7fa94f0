"""Text files: the charset is found out by the bytes (`pipelines.content`), since nothing else says it."""

from __future__ import annotations

from typing import Any

from pipelines import content
from pipelines.attachments.limits import Limits, damaged
from pipelines.attachments.readers import Text

# beyond this share of characters that could not be decoded, bytes are no text
_MOST_LOST = 0.05


def read(body: bytes, options: dict[str, Any], limits: Limits) -> Text:
    """The text. Raises NotRead for bytes that are no text in any charset."""
    text = content.to_text(body).text
    if text.count("\ufffd") > _MOST_LOST * len(text):
        raise damaged("its characters cannot be decoded")
    return Text(text, "text")
