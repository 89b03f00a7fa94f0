"""The yardstick: a bare Scrapy spider that only saves the pages it is given to files, one request at a time per host."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import scrapy
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response


class BareSpider(scrapy.Spider):
    name = "bare"

    def __init__(self, urls: list[str], folder: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.urls, self.folder = urls, folder

    async def start(self) -> AsyncIterator[scrapy.Request]:
        for url in self.urls:
            yield scrapy.Request(url, dont_filter=True)

    def parse(self, response: Response) -> None:
        name = hashlib.sha1(response.url.encode()).hexdigest()
        (self.folder / name).write_bytes(response.body)


def main() -> None:
    listing, folder = Path(sys.argv[1]), Path(sys.argv[2])
    process = AsyncCrawlerProcess(
        {
            "LOG_LEVEL": "ERROR",
            "ROBOTSTXT_OBEY": False,
            "CONCURRENT_REQUESTS": 64,
            "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
            "DOWNLOAD_DELAY": 0,
            "REMOTE_CONTROL_ENABLED": False,
            "TELNETCONSOLE_ENABLED": False,
            "COOKIES_ENABLED": False,
        }
    )
    process.crawl(BareSpider, urls=listing.read_text().split(), folder=folder)
    process.start()


if __name__ == "__main__":
    main()
