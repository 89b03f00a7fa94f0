"""Production spiders on the imitation web: everything that is listed is fetched, once; failures have their words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import config
from pipelines.lists import entry_key
from tests.crawler.production import ROOT, Production
from tests.web import ImitationWeb

SOURCES = config.load_sources(Path(config.__file__).parent)
NFRA_LIST = "https://www.nfra.gov.cn/cbircweb/DocInfo/SelectDocByItemIdAndChild*"
NDRC_LIST = "https://www.ndrc.gov.cn/xxgk/zcfb/tz/index.html"


@pytest.fixture
def production(tmp_path: Path) -> Iterator[Production]:
    with ImitationWeb() as web:
        yield Production(web, tmp_path)


@pytest.fixture
def long_lists(tmp_path: Path) -> Iterator[Production]:
    with ImitationWeb(filler=True) as web:
        yield Production(web, tmp_path)


def identity(url: str) -> str:
    """NFRA shows one document under several columns; its number is what it is."""
    number = re.search(r"docId=(\d+)", url)
    return number.group(1) if number and "nfra" in url else entry_key(url)


def test_everything_that_is_listed_is_fetched(long_lists: Production) -> None:
    """Every enabled source: no document of its site is missing, none is fetched twice, and nothing failed."""
    ids = [i for i, s in SOURCES.items() if s.enabled]
    crawled = long_lists.crawl(*ids)
    wanted: dict[str, set[str]] = {i: set() for i in ids}
    for document in long_lists.web.documents():
        for place in document["urls"]:
            if place["source"] in wanted:
                wanted[place["source"]].add(identity(place["url"]))
    shown_in_part = {"govcn_zuixin": 100, "pboc_rss": 6}  # the list is cut to its newest rows; the feed holds six
    problems: dict[str, Any] = {}
    for name in ids:
        have = {identity(u) for u in long_lists.entries(name)}
        missing = wanted[name] - have
        least = shown_in_part.get(name)
        if len(have) < least if least else missing:
            problems[name] = {"missing": sorted(missing)[:3]}
        if crawled.ends[name]["failures"]:
            problems[name] = {"failures": crawled.ends[name]["failures"][:3]}
    assert problems == {}
    assert crawled.status == 0
    asked = [url for url in crawled.asked if urlsplit(url).path != "/"]
    # a document that two sources list is fetched for each of them; within one source nothing is asked twice
    twice = [r["url"] for r in long_lists.rows("select url from fetches where outcome = 'ok' and kind != 'robots' group by source, url, kind having count(*) > 1")]  # fmt: skip
    assert [u for u in twice if u in asked and "SelectDoc" not in u] == []


def test_what_the_list_said_is_kept_with_the_document(production: Production) -> None:
    production.crawl("nfra")
    row = production.rows("select said from fetches where kind = 'document' order by id")[0]
    for name in ("title", "published_on", "published_at", "section", "public_url"):
        assert f'"{name}"' in row["said"]


def test_an_unchanged_web_costs_the_lists_only(production: Production) -> None:
    names = ("ndrc_zcfb", "nfra", "trulynews", "globaltimes", "pboc_lists")
    production.crawl(*names)
    production.process()
    again = production.crawl(*names)
    lists = {entry.url for name in names for entry in SOURCES[name].lists}
    assert set(again.asked) <= lists
    assert (
        len(again.asked) == sum(len(SOURCES[n].lists) for n in names) - 2
    )  # the fall-backs of WordPress are not asked
    assert sum(e["status"] == 304 for e in again.log) >= 8
    assert all(end["new"] == 0 and end["documents"] == 0 for end in again.ends.values())


def test_one_new_article_is_the_only_one_fetched(production: Production) -> None:
    production.crawl("ndrc_zcfb")
    production.process()
    production.web.bulk("ndrc_zcfb", 1, "通知")
    again = production.crawl("ndrc_zcfb")
    assert again.ends["ndrc_zcfb"]["documents"] == 1
    documents = production.rows("select url from fetches where kind = 'document' and state = 'pending'")
    assert len(documents) == 1


def test_an_article_that_failed_is_asked_again_though_its_list_is_unchanged(production: Production) -> None:
    url = next(
        u["url"]
        for d in production.web.documents()
        for u in d["urls"]
        if u["source"] == "ndrc_zcfb" and u["section"] == "通知"
    )
    production.web.fault(url, status=503)
    first = production.crawl("ndrc_zcfb")
    assert first.outcomes("ndrc_zcfb").keys() == {"server-error", "shrunk-list"} or "server-error" in first.outcomes(
        "ndrc_zcfb"
    )
    production.process()
    production.web.clear_faults()
    again = production.crawl("ndrc_zcfb")
    lists = {entry.url for entry in SOURCES["ndrc_zcfb"].lists}
    assert [u for u in again.asked if u not in lists] == [url]
    assert production.entries("ndrc_zcfb")[url] == "fetched"


def test_pages_are_read_while_they_hold_something_new(long_lists: Production) -> None:
    long_lists.web.bulk("ndrc_zcfb", 60, "通知")
    first = long_lists.crawl("ndrc_zcfb")
    assert {
        "https://www.ndrc.gov.cn/xxgk/zcfb/tz/index_1.html",
        "https://www.ndrc.gov.cn/xxgk/zcfb/tz/index_2.html",
    } <= set(first.asked)
    long_lists.process()
    again = long_lists.crawl("ndrc_zcfb")
    assert not [u for u in again.asked if "index_" in u]


def test_a_back_fill_goes_on_to_its_date(long_lists: Production) -> None:
    long_lists.web.bulk("ndrc_zcfb", 150, "通知")
    long_lists.crawl("ndrc_zcfb")
    long_lists.process()
    before = len(long_lists.entries("ndrc_zcfb"))
    filled = long_lists.crawl("ndrc_zcfb", since="2020-01-01")
    pages = {u for u in filled.asked if re.search(r"/tz/index_\d+", u)}
    assert len(pages) > 3
    assert len(long_lists.entries("ndrc_zcfb")) > before
    assert filled.ends["ndrc_zcfb"]["failures"] == []


# ------------------------------------------------------------------ outcomes in the ledger

CHALLENGE = "<html><script>$_ts=window['$_ts'];$_ts.nsd=9;</script></html>"
OUTCOMES: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("ndrc_zcfb", NDRC_LIST, {"status": 412, "body": CHALLENGE}, "challenge", "412"),
    ("ndrc_zcfb", NDRC_LIST, {"body": CHALLENGE, "headers": {"Content-Type": "text/html"}}, "challenge", "$_ts"),
    ("ndrc_zcfb", NDRC_LIST, {"body": "<html><title>访问验证</title><p>访问验证</p></html>"}, "challenge", "验证"),
    ("ndrc_zcfb", NDRC_LIST, {"body": "<html><ul><li ng-repeat='x'>{{x.docSubtitle}}</li></ul></html>"}, "template", "{{"),
    ("ndrc_zcfb", NDRC_LIST, {"body": "<html><ul class='neu'><li>新版面</li></ul></html>"}, "empty-list", "layout"),
    ("ndrc_zcfb", NDRC_LIST, {"status": 403}, "forbidden", "403"),
    ("ndrc_zcfb", NDRC_LIST, {"status": 404}, "not-found", "404"),
    ("ndrc_zcfb", NDRC_LIST, {"status": 500}, "server-error", "500"),
    ("ndrc_zcfb", NDRC_LIST, {"reset": True}, "reset", "connection"),
    ("ndrc_zcfb", NDRC_LIST, {"body": "<title>用户登录</title><form><input type='password'></form>"}, "login", "account"),
    ("nbs_rss", "https://www.stats.gov.cn/sj/*", {"body": "<!DOCTYPE html><html><body>RSS 已停用</body></html>"}, "unreadable", "closed or moved"),
    ("nfra", NFRA_LIST, {"body": '{"rptCode":500,"msg":"系统繁忙"}'}, "unreadable", "系统繁忙"),
    ("yicai_zh", "https://www.yicai.com/api/*", {"status": 403, "body": '{"status":-1,"msg":"invalid sign"}'}, "forbidden", "403"),
    ("trulynews", "https://trulynews.cn/*", {"certificate": "expired"}, "certificate", "certificate"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "pattern", "fault", "outcome", "words"),
    OUTCOMES,
    ids=[f"{o[0]}-{o[3]}-{n}" for n, o in enumerate(OUTCOMES)],
)
def test_outcomes_of_lists(
    production: Production, source: str, pattern: str, fault: dict[str, Any], outcome: str, words: str
) -> None:
    production.web.fault(pattern, **fault)
    told = production.crawl(source).outcomes(source)
    if outcome == "certificate":
        outcome = next(iter(told))  # robots.txt is asked first, and fails first
        assert outcome in ("certificate", "robots")
        assert "certificate" in told[outcome]
        return
    assert outcome in told, told
    assert words in told[outcome]


def test_a_list_that_was_a_challenge_is_asked_again_without_validators(production: Production) -> None:
    production.web.fault(NDRC_LIST, body=CHALLENGE, headers={"ETag": '"x"'}, times=1)
    production.crawl("ndrc_zcfb")
    production.process()
    again = production.crawl("ndrc_zcfb")
    asked = next(e for e in again.log if e["url"] == NDRC_LIST)
    assert not any(name.lower() == "if-none-match" for name in asked["headers"])
    assert again.ends["ndrc_zcfb"]["new"] > 0


def test_a_list_that_shrank(long_lists: Production) -> None:
    long_lists.crawl("globaltimes")
    long_lists.process()
    url = SOURCES["globaltimes"].lists[0].url
    one = '<html><a href="https://www.globaltimes.cn/page/202609/1.shtml">Only one is left on this page</a></html>'
    long_lists.web.fault(str(url), body=one)
    told = long_lists.crawl("globaltimes").outcomes("globaltimes")
    assert re.search(r"from \d+ rows to 1", told["shrunk-list"])


def test_a_feed_whose_newest_item_is_years_old(production: Production) -> None:
    items = "".join(
        f"<item><title>旧闻第{i}条</title><link>https://www.chinanews.com.cn/cj/2022/12-0{1 + i % 9}/{i}.shtml</link><pubDate>Thu, 0{1 + i % 9} Dec 2022 08:00:00 +0800</pubDate></item>"
        for i in range(30)
    )
    feed = f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>{items}</channel></rss>'
    production.web.fault(
        "https://www.chinanews.com.cn/rss/*", body=feed, headers={"Content-Type": "application/xml; charset=utf-8"}
    )
    production.web.fault("https://www.chinanews.com.cn/cj/2022/*", status=404)
    told = production.crawl("chinanews_rss").outcomes("chinanews_rss")
    assert "2022-12-09" in told["stale"]
    assert "3 years" in told["stale"]


def test_a_section_index_instead_of_the_article(production: Production) -> None:
    production.web.option("csrc_soft404", True)
    told = production.crawl("csrc_rules").outcomes("csrc_rules")
    assert "index of the section" in told["soft-404"]


def test_a_challenge_instead_of_a_document_is_told_and_not_searched_for_links(production: Production) -> None:
    body = CHALLENGE + "<a href='/a.pdf'>x</a>"
    production.web.fault(
        "re:https://www\\.ndrc\\.gov\\.cn/.*/t2\\d+_\\d+\\.html", body=body, headers={"Content-Type": "text/html"}
    )
    crawled = production.crawl("ndrc_zcfb")
    assert "challenge" in crawled.outcomes("ndrc_zcfb")
    assert not [u for u in crawled.asked if u.endswith(".pdf")]


def test_pages_that_a_killed_run_left_unread_are_read(long_lists: Production) -> None:
    """Page 1 was read and its entries done, then the crawl died: page 2 must not be taken for known."""
    long_lists.web.bulk("ndrc_zcfb", 60, "通知")
    second = "https://www.ndrc.gov.cn/xxgk/zcfb/tz/index_1.html"
    long_lists.web.fault(second, status=500)
    long_lists.crawl("ndrc_zcfb")
    long_lists.process()
    before = len(long_lists.entries("ndrc_zcfb"))
    long_lists.web.clear_faults()
    again = long_lists.crawl("ndrc_zcfb")
    assert second in again.asked
    assert len(long_lists.entries("ndrc_zcfb")) > before
    long_lists.process()
    assert second not in long_lists.crawl("ndrc_zcfb").asked


def test_a_sitemap_index_leads_to_its_sitemaps_every_time(production: Production) -> None:
    index = '<?xml version="1.0"?><sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>https://www.cgtn.com/sitemap_child.xml</loc></sitemap></sitemapindex>'
    page = "https://news.cgtn.com/news/{}/story-{}/index.html"
    today = datetime.now(UTC).date().isoformat()
    urls = "".join(f"<url><loc>{page.format(today, n)}</loc><lastmod>{today}</lastmod></url>" for n in range(25))
    child = f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
    headers = {"Content-Type": "application/xml", "ETag": '"1"'}
    production.web.fault("https://www.cgtn.com/sitemap_child.xml", body=child, headers=headers)
    production.web.fault("re:https://www\\.cgtn\\.com/sitemap_(news|latestnews)\\.xml", body=index, headers=headers)
    production.web.fault("https://news.cgtn.com/news/*", body="<html><h1>Story</h1><p>Text of a story.</p></html>")
    first = production.crawl("cgtn_sitemap")
    assert first.ends["cgtn_sitemap"]["documents"] == 25
    assert "empty-list" not in first.outcomes("cgtn_sitemap")
    production.process()
    again = production.crawl("cgtn_sitemap")
    assert "https://www.cgtn.com/sitemap_child.xml" in again.asked
    assert again.ends["cgtn_sitemap"]["documents"] == 0


def test_attachments_that_a_killed_run_never_reached_are_fetched(production: Production) -> None:
    """The page was stored and its entry done, then the crawl died: the order's PDF and OFD must still come."""
    files = re.compile(r"\.(pdf|ofd)$")
    production.web.fault("re:.*\\.(pdf|ofd)$", hang=True)
    env = os.environ | production.web.environment() | {"CIRCULARWATCH_ARCHIVE": str(production.folder / "archive")}
    command = [sys.executable, "-m", "crawler.run", "--sources", "ndrc_zcfb", "--db", str(production.database)]
    crawl = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not any(files.search(e["url"]) for e in production.web.log()) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(1)  # the documents that were fetched before are in the journal by now
    crawl.kill()
    crawl.wait()
    production.web.clear_faults()
    production.seen = max(e["seq"] for e in production.web.log())
    production.process()
    again = production.crawl("ndrc_zcfb")
    stored = [r["url"] for r in production.rows("select url from fetches where kind = 'attachment' and outcome = 'ok'")]
    assert len(stored) == len(set(stored)) > 0
    assert sorted(url for url in again.asked if files.search(url)) == sorted(url for url in stored if files.search(url))
    production.process()
    assert [url for url in production.crawl("ndrc_zcfb").asked if files.search(url)] == []
    documents = {r["parent"] for r in production.rows("select parent from fetches where kind = 'attachment'")}
    assert len(documents) >= 3
