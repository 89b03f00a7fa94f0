"""Says whether the optional reader of scanned pages is installed, without importing it."""

from __future__ import annotations

from importlib.util import find_spec

INSTALL = "install circularwatch[ocr]"


def is_installed() -> bool:
    """Whether `rapidocr` and its engine are there."""
    return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None
