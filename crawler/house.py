"""The configuration as this process sees it, read once: the spider loader, the settings and the commands share it."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

import config


@lru_cache(maxsize=4)
def configuration(directory: str | None = None) -> config.Config:
    """The configuration of this folder (None: $CIRCULARWATCH_CONFIG, else the built-in one). Raises ConfigError."""
    return config.load(directory)


NO_CONTACT = (
    "no contact address is set, and a crawl must say who asks: set `contact` in settings.yaml or $CIRCULARWATCH_CONTACT "
    "to your e-mail address or web page"
)


def on_loopback(proxy: str) -> bool:
    """Whether the proxy is one on this machine: the web behind it is taken to be the imitation, which needs no contact."""
    host = urlsplit(proxy if "://" in proxy else f"http://{proxy}").hostname or "" if proxy else ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def why_not(settings: config.settings.Settings) -> str:
    """Why a crawl may not start with these settings, in one sentence; empty if it may."""
    return "" if settings.contact or on_loopback(settings.proxy) else NO_CONTACT
