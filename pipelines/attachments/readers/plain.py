"""Text files: the charset is found out by the bytes (`pipelines.content`), since nothing else says it."""

from __future__ import annotations

import re
from typing import Any

from pipelines import content
from pipelines.attachments.limits import Limits, NotRead, damaged
from pipelines.attachments.readers import Text

# beyond this share of characters that could not be decoded, bytes are no text
_MOST_LOST = 0.05
# names of files that hold no plain text: a server's excuse came in their place (.doc and .xls do hold some)
_NEVER_TEXT = re.compile(r"\.(?:pdf|ofd|docx|xlsx|pptx|zip|rar|7z|wps)(?:$|\?)", re.I)


def read(body: bytes, options: dict[str, Any], limits: Limits) -> Text:
    """The text. Raises NotRead for bytes that are no text in any charset, and for text in place of a file."""
    if _NEVER_TEXT.search(str(options.get("name", ""))):
        raise NotRead("plain text came instead of the file")
    text = content.to_text(body).text
    if text.count("\ufffd") > _MOST_LOST * len(text):
        raise damaged("its characters cannot be decoded")
    return Text(text, "text")
