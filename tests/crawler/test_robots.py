"""robots.txt: nothing that it forbids is ever asked for, also while it loads, is redirected, fails, hangs or breaks off."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from crawler.robots import Answer, parse
from tests.crawler.conftest import documents
from tests.crawler.webserver import Asked, Reply

RULES = b"User-agent: *\nDisallow: /private\n"
PRIVATE = [f"http://news.test/private/{i}" for i in range(20)]


def faulty(robots: Reply) -> Any:
    def answer(asked: Asked) -> Reply:
        if asked.path == "/robots.txt":
            return robots
        if asked.path == "/rules.txt":
            return Reply(body=RULES, hang=0.2)
        if asked.path == "/jump":
            return Reply(302, b"", {"Location": "/private/from-jump"})
        return Reply(body=b"page")

    return answer


CASES = {
    "plain": Reply(body=RULES, hang=0.2),
    "redirected": Reply(302, b"", {"Location": "/rules.txt"}),
    "503": Reply(503, b"", hang=0.1),
    "hang": Reply(hang=30),
    "reset": Reply(raw=b"", reset=True),
}


@pytest.mark.parametrize("case", CASES)
def test_no_disallowed_page_is_fetched(case: str, crawl: Any, web: Any) -> None:
    server = web(faulty(CASES[case]))
    done = crawl([documents(*PRIVATE, "http://news.test/jump", timeout=1)], server.proxy)
    assert [p for p in server.paths() if p.startswith("/private")] == []
    assert {done.missed[u] for u in PRIVATE} == {"robots"}
    refused = done.rows(
        "select url, outcome, reason, status from fetches where outcome = 'robots' and kind = 'document'"
    )
    assert {r["url"] for r in refused} >= set(PRIVATE)
    assert all("robots.txt" in r["reason"] and r["status"] is None for r in refused)
    assert done.end("news")["refused"] >= 20


@pytest.mark.parametrize("case", ["plain", "redirected"])
def test_a_redirect_into_a_disallowed_page_is_refused_and_the_rest_allowed(case: str, crawl: Any, web: Any) -> None:
    server = web(faulty(CASES[case]))
    done = crawl([documents("http://news.test/jump", "http://news.test/open")], server.proxy)
    assert "/open" in server.paths()
    assert "/private/from-jump" not in server.paths()
    assert done.missed == {"http://news.test/private/from-jump": "robots"}


@pytest.mark.parametrize(("status", "fetched"), [(404, 20), (403, 20), (410, 20), (429, 0), (500, 0)])
def test_4xx_means_allowed_and_overload_or_fault_means_no(status: int, fetched: int, crawl: Any, web: Any) -> None:
    server = web(faulty(Reply(status, b"x")))
    crawl([documents(*PRIVATE)], server.proxy, RETRY_TIMES=0)
    assert sum(p.startswith("/private") for p in server.paths()) == fetched


def test_a_cut_off_robots_txt_means_no(crawl: Any, web: Any) -> None:
    cut = Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nUser-agent: *\nAllow: /\n", reset=True)
    server = web(faulty(cut))
    crawl([documents("http://news.test/a")], server.proxy)
    assert "/a" not in server.paths()


def test_robots_txt_is_asked_once_per_host_and_archived(crawl: Any, web: Any) -> None:
    server = web(faulty(CASES["plain"]))
    done = crawl([documents(*(f"http://news.test/open/{i}" for i in range(10)))], server.proxy)
    assert server.paths().count("/robots.txt") == 1
    assert done.rows("select outcome, status from fetches where kind = 'robots'") == [{"outcome": "ok", "status": 200}]


def test_crawl_delay_is_kept(crawl: Any, web: Any) -> None:
    server = web(faulty(Reply(body=b"User-agent: circularwatch\nCrawl-delay: 0.4\n")))
    crawl([documents(*(f"http://news.test/{i}" for i in range(3)))], server.proxy)
    pages = [a for a in server.log if a.path != "/robots.txt"]
    assert len(pages) == 3
    assert all(b.start - a.end >= 0.39 for a, b in itertools.pairwise(pages))


def test_the_product_token_has_its_own_group() -> None:
    answer = parse(b"User-agent: *\nDisallow: /\n\nUser-agent: circularwatch\nDisallow: /secret\nCrawl-delay: 7\n")
    assert answer.allows("http://a.test/open")
    assert not answer.allows("http://a.test/secret/1")
    assert answer.crawl_delay == 7.0


def test_unreachable_allows_nothing_and_no_rules_everything() -> None:
    assert not Answer(unreachable="it hung").allows("http://a.test/")
    assert Answer().allows("http://a.test/private")


def test_garbage_is_no_rule() -> None:
    assert parse(b"\xff\xfe<html>not found</html>").allows("http://a.test/x")
