"""Each site answers in its real structure: what sources.yaml looks for is there, list by list and page by page."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import pytest
from parsel import Selector

import config
from pipelines.lists import read_list
from tests.web.sites.base import Placed
from tests.web.wire import Request, Response
from tests.web.world import World

DAY = dt.date(2026, 10, 8)
NOW = dt.datetime(2026, 10, 8, 15, 59, tzinfo=dt.UTC)
WORLD = World(DAY)
SOURCES = config.load_sources()
ENABLED = [source for source in SOURCES.values() if source.enabled]
LISTS = [
    (source.id, entry.section)
    for source in ENABLED
    for entry in source.lists
    if not entry.fallback and source.spider_class != "EpaperSpider"
]
#: pages that hold no text of the document, or that are JSON and are tested for themselves
NO_PAGES = {"nfra", "scmp_rss", "caixin_global", "trulynews"}


def fetch(url: str, **headers: str) -> Response:
    parts = urlsplit(url)
    target = quote(parts.path, safe="/%,=") + (f"?{parts.query}" if parts.query else "")
    lines = "".join(f"\r\n{name.replace('_', '-')}: {value}" for name, value in headers.items())
    head = f"GET {target} HTTP/1.1{lines}".encode()
    return WORLD.hosts[parts.hostname or ""].respond(Request("GET", parts.scheme, parts.hostname or "", target, head))


def page(url: str) -> Selector:
    return Selector(fetch(url).body.decode())


def placed(source: str) -> list[Placed]:
    site = next(one for one in WORLD.sites if source in one.sources)
    return [one for one in site.rows(source) if "link" not in one.options]


def squeeze(text: str) -> str:
    return re.sub(r"\s", "", text)


def list_url(entry: Any) -> str:
    """The entry's address, for a MIIT shell read from its script as discover_unit says."""
    if entry.url:
        return str(entry.url)
    script = page(entry.page_url).css("script[parsetype][url][querydata]")
    asked = json.loads(script.attrib["querydata"].replace("'", '"'))
    query = "&".join(f"{name}={quote(str(value))}" for name, value in asked.items())
    return urljoin(entry.page_url, f"{script.attrib['url']}?{query}")


def test_every_enabled_source_is_played() -> None:
    assert {source.id for source in ENABLED} <= set(WORLD.sections)
    assert WORLD.problems == []
    for source in ENABLED:
        wanted = {entry.section for entry in source.lists}
        assert wanted <= set(WORLD.sections[source.id])


@pytest.mark.parametrize(("source_id", "section"), LISTS)
def test_a_list_has_all_its_rows(source_id: str, section: str) -> None:
    source = SOURCES[source_id]
    entry = next(one for one in source.lists if one.section == section)
    url = list_url(entry)
    answer = fetch(url, X_Requested_With="XMLHttpRequest") if entry.xhr_json else fetch(url)
    assert answer.status == 200
    listed = read_list(answer.body, url, source, entry, NOW, headers={"Content-Type": answer.content_type or ""})
    site = next(one for one in WORLD.sites if source_id in one.sources)
    expected = site.rows(source_id, section)[: 6 if source_id == "pboc_rss" else None]
    assert expected, "a section without documents shows nothing"
    seen: dict[str, dict[str, Any]] = {}
    for row in listed.rows:
        for address in (row.url, row.said.get("public_url"), row.said.get("external_url")):
            seen[str(address).split(":", 1)[-1]] = row.said
    for one in expected:
        said = seen[one.row_url(next(e for e in one.entries if e.section == section)).split(":", 1)[1]]
        if source_id != "pboc_rss":  # cuts its titles
            assert squeeze(said["title"]) == squeeze(one.title)
        if source_id not in ("mof_zcfb", "csrc_rules"):  # a day late; no dates
            assert said["published_on"] == f"{one.doc.published:%Y-%m-%d}"


def found(page: Selector, selectors: Iterable[str], url: str) -> str:
    """The first non-empty value, as the conventions of sources.yaml have it."""
    for selector in selectors:
        if selector.startswith("re_url:"):
            match = re.search(selector[7:], url)
            values = [match[1]] if match else []
        elif selector.startswith("re:"):
            values = page.xpath("//body").re(selector[3:]) or []
        elif selector.startswith("xpath:"):
            values = page.xpath(selector[6:]).getall()
        else:
            values = page.css(selector).getall()
        for value in values:
            if str(value).strip():
                return str(value).strip()
    return ""


@pytest.mark.parametrize("source_id", [source.id for source in ENABLED if source.id not in NO_PAGES])
def test_a_page_holds_what_its_selectors_look_for(source_id: str) -> None:
    article = SOURCES[source_id].article
    for one in placed(source_id):
        if one.options.keys() & {"encoding", "pdf_row"}:
            continue
        text = fetch(one.url).body.decode()
        # what the readers do about gov.cn's pasted pages, tested below
        tree = Selector(re.sub(r"</body></html>(?=.*</html>)", "", text, flags=re.S))
        assert squeeze(one.title) in squeeze(
            found(tree, article.title, one.url) + tree.css("table").xpath("string()").get("")
        ), one.url
        bodies = [tree.css(selector) for selector in article.body]
        body = squeeze(next((hits[0].xpath("string()").get("") for hits in bodies if hits), ""))
        shown = [part for kind, part in one.doc.blocks if kind == "p"]
        if not one.doc.stub and shown:
            assert squeeze(shown[0]) in body, one.url
            if not one.options.get("pages") and source_id != "caixin_zh":
                assert squeeze(shown[-1]) in body, one.url
        if article.published:
            day = one.doc.published
            told = found(tree, article.published, one.url)
            assert str(day.day) in told and (str(day.year) in told or str(day.year + 543) in told), (told, one.url)


@pytest.mark.parametrize("source_id", sorted(source for source in WORLD.sections))
def test_every_address_answers(source_id: str) -> None:
    for one in placed(source_id):
        assert fetch(one.url).status == (403 if source_id == "scmp_rss" else 200), one.url
        for attachment, url in one.files():
            answer = fetch(url)
            assert answer.status == 200 and len(answer.body) > 100, (attachment.name, url)


@pytest.mark.parametrize("source_id", sorted(WORLD.sections))
def test_attachments_are_linked_from_their_page(source_id: str) -> None:
    for one in placed(source_id):
        text = fetch(one.url).body.decode(errors="replace")
        for _, url in one.files():
            assert urlsplit(url).path.rsplit("/", 1)[1] in text, one.url
