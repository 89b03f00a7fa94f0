"""The door itself: a fault of our own database ends the crawl with its sentence, and is never taken for a site without news."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from scrapy import Request

from crawler.failures import ExchangeFailed, Stopped
from crawler.handler import HouseDownloadHandler
from crawler.spiders.base import SourceSpider
from crawler.writer import ArchiveError, RunFile, Writer
from db import DatabaseError


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (
            DatabaseError("The disk that holds c.db is full: free some space"),
            "The disk that holds c.db is full: free some space",
        ),
        (
            OSError(28, "No space left on device", "locks/a.lock"),
            "No space left on device (locks/a.lock); check the free space",
        ),
        (
            OSError(28, "No space left on device"),
            "No space left on device (the folder locks/ beside the database); check",
        ),
    ],
)
def test_without_a_number_or_a_lock_the_crawl_ends_and_says_why(fault: Exception, sentence: str) -> None:
    told: list[str] = []
    shared = SimpleNamespace(stopping=False, fail=told.append)
    archive = SimpleNamespace(bounds=SimpleNamespace(check=lambda url: None), shared=shared)

    async def exchange(request: Any, archive: Any) -> Any:
        raise fault

    door: Any = SimpleNamespace(_crawler=SimpleNamespace(archive=archive), _active=set(), _exchange=exchange)
    with pytest.raises(Stopped):
        asyncio.run(HouseDownloadHandler.download_request(door, Request("https://www.example.org/")))
    assert len(told) == 1 and told[0].startswith(sentence)
    assert door._active == set()


def test_what_nobody_recorded_is_in_the_ledger_as_a_fault_of_ours() -> None:
    archive = SimpleNamespace(remark=lambda *words: noted.append(words))
    spider: Any = SimpleNamespace(archive=archive)
    noted: list[tuple[str, ...]] = []
    request = Request("https://www.example.org/list")
    SourceSpider.note_fault(spider, SimpleNamespace(value=ExchangeFailed("timeout", "slow"), request=request))  # type: ignore[arg-type]
    assert noted == []
    SourceSpider.note_fault(spider, SimpleNamespace(value=ValueError("odd"), request=request))  # type: ignore[arg-type]
    assert noted == [("unreadable", "a fault of the program: ValueError: odd", "https://www.example.org/list")]


def test_trouble_at_the_closing_of_a_file_is_told_and_nobody_waits_for_ever(tmp_path: Path) -> None:
    class Sick:
        def close(self) -> None:
            raise OSError(5, "Input/output error")

    async def close() -> list[str]:
        told: list[str] = []
        writer = Writer(tmp_path / "c.db", asyncio.get_running_loop(), told.append)
        file = RunFile(tmp_path, "x.warc.gz", {})
        file.file = Sick()  # type: ignore[assignment]
        with pytest.raises(ArchiveError, match="could not be written"):
            await asyncio.wait_for(writer.flush(file), 30)
        await asyncio.to_thread(writer.stop)
        return told

    assert "check the disk" in asyncio.run(close())[0]
