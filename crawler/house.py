"""The configuration as this process sees it, read once: the spider loader, the settings and the commands share it."""

from __future__ import annotations

from functools import lru_cache

import config


@lru_cache(maxsize=4)
def configuration(directory: str | None = None) -> config.Config:
    """The configuration of this folder (None: $CIRCULARWATCH_CONFIG, else the built-in one). Raises ConfigError."""
    return config.load(directory)
