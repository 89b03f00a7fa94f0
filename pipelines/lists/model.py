"""What a list reader gives back: the rows of one list page, where to read on, and what the operator should know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Row:
    """One entry of a list.

    `key` names the entry within its source (its URL without scheme and fragment). `url` is what is to be fetched.
    `said` holds all that the list said: title, subtitle, summary, published_raw, published_on (civil date of the
    source), published_at (UTC, only when a time was given), published_precision, written_on, written_raw, doc_number,
    index_number, issuer, category, outlet, author, id, section, public_url, external_url, fallback_url (asked when `url`
    is dead), attachments [{url, name}], copies (of the text in other forms), free (no paywall) …; what was not said is
    absent. `inline` is the row itself where it carries the whole document, so that nothing is fetched; a row that links
    to another site is inline too, because that site is not ours to fetch.
    """

    key: str
    url: str
    said: dict[str, Any] = field(default_factory=dict)
    inline: dict[str, Any] | None = None


@dataclass(slots=True)
class ListPage:
    """The rows of one page of a list in the order of the page.

    `next_urls` are the pages after this one (for a sitemap index, the sitemaps in it). `remarks` are sentences for the
    operator. `outcome` is `ok` or one of `pipelines.outcomes`, `reason` says it in words.
    """

    rows: list[Row] = field(default_factory=list)
    next_urls: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    outcome: str = "ok"
    reason: str = ""
    newest_on: str = ""
    total_pages: int | None = None

    def fail(self, outcome: str, reason: str) -> ListPage:
        """Set the outcome unless an earlier, more telling one stands already."""
        if self.outcome == "ok":
            self.outcome, self.reason = outcome, reason
        return self
