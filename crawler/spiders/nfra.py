"""NFRA (国家金融监督管理总局): lists and details are two JSON calls, the public address is a third form.

The pages that people see are AngularJS shells with raw `{{x.docSubtitle}}` templates; they are never fetched. List rows
come in three shapes, a row may be a link to another site, and the text is a Word export inside JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crawler.spiders.answers import body_text
from crawler.spiders.kinds import JsonApiSpider
from pipelines.lists.json_paths import get, parse_json

if TYPE_CHECKING:
    from scrapy.http import Response


class NfraSpider(JsonApiSpider):
    """A document is its JSON, static or, where that is missing, dynamic; both judged before they count as one."""

    def judge_document(self, response: Response) -> tuple[str, str]:
        """A withdrawn document answers 200 with `data: null`, and a wrong address with the shell page."""
        try:
            data = parse_json(body_text(response))
        except ValueError:
            return super().judge_document(response)
        if get(data, "data.docTitle") is None and get(data, "data.docSubtitle") is None:
            return "soft-404", "the answer holds no document: it was withdrawn, or its number is wrong"
        return "ok", ""
