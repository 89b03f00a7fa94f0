"""The door itself: a fault of our own database ends the crawl with its sentence, and is never taken for a site without news."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request

from crawler.failures import Stopped
from crawler.handler import HouseDownloadHandler
from db import DatabaseError


def test_without_a_number_for_the_exchange_the_crawl_ends_and_says_why() -> None:
    told: list[str] = []
    shared = SimpleNamespace(stopping=False, fail=told.append)
    archive = SimpleNamespace(bounds=SimpleNamespace(check=lambda url: None), shared=shared)

    async def exchange(request: Any, archive: Any) -> Any:
        raise DatabaseError("The disk that holds c.db is full: free some space")

    door: Any = SimpleNamespace(_crawler=SimpleNamespace(archive=archive), _active=set(), _exchange=exchange)
    with pytest.raises(Stopped):
        asyncio.run(HouseDownloadHandler.download_request(door, Request("https://www.example.org/")))
    assert told == ["The disk that holds c.db is full: free some space"]
    assert door._active == set()
