"""Skips a test that needs what is not installed, and fails it where everything is required (`.ci/run`)."""

from __future__ import annotations

import os

import pytest


def need(there: object, words: str) -> None:
    """`words` say what is missing and how to get it."""
    if there:
        return
    if os.environ.get("CIRCULARWATCH_REQUIRE_ALL") == "1":
        pytest.fail(words)
    pytest.skip(words)
