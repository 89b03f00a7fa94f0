"""What a request that gave nothing usable becomes for middlewares and spiders: an exception with outcome and reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.exceptions import IgnoreRequest

if TYPE_CHECKING:
    from scrapy.http import Response

# Not sent, or answered with a clear no: counted as refused, never worked around.
REFUSALS = frozenset({"robots", "forbidden", "challenge", "login", "paywall", "wrong-host", "private-address"})
# Where a mirror may be asked: the site did not answer. A refusal is not worked around by asking another host.
MIRROR_AFTER = frozenset({"timeout", "server-error"})


class ExchangeFailed(IgnoreRequest):
    """An exchange that gave no usable response. `response` is there where something came (an error page, cut-off bytes).

    An IgnoreRequest, so that Scrapy hands it to the errback without calling it an error of the program.
    """

    def __init__(self, outcome: str, reason: str, response: Response | None = None) -> None:
        super().__init__(f"{outcome}: {reason}")
        self.outcome, self.reason, self.response = outcome, reason, response


class Refused(ExchangeFailed):
    """The request was not sent: robots.txt, the bounds, or a host that asked to be left alone."""


class Stopped(ExchangeFailed):
    """The crawl is ending; nothing was recorded, the entry stays as it was."""

    def __init__(self) -> None:
        super().__init__("stopped", "the crawl was stopped")
