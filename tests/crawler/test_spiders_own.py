"""The sites that have a class of their own: what only they do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

import config
from crawler.spiders.epaper import for_day
from crawler.spiders.miit import unit_url
from tests.crawler.production import Production
from tests.web import ImitationWeb

SOURCES = config.load_sources(Path(config.__file__).parent)
BEIJING = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def production(tmp_path: Path) -> Iterator[Production]:
    with ImitationWeb() as web:
        yield Production(web, tmp_path)


# ------------------------------------------------------------------ MIIT

DISCOVER = SOURCES["miit_wjfb"].discover_unit
PAGE = "https://www.miit.gov.cn/zwgk/wjgs/index.html"


@pytest.mark.parametrize(
    ("tag", "url"),
    [
        (
            """<script parseType="buildstatic" url="/api-gateway/x/build/unit" querydata="{'webId':'8d','tagId':'右侧内容','editType':'null'}"></script>""",
            "https://www.miit.gov.cn/api-gateway/x/build/unit?parseType=buildstatic&webId=8d&tagId=%E5%8F%B3%E4%BE%A7%E5%86%85%E5%AE%B9&editType=null",
        ),
        (
            """<script parsetype="bulidstatic" url="https://www.miit.gov.cn/u?a=1" querydata='{"parseType":"bulidstatic","pageId":"3e"}'></script>""",
            "https://www.miit.gov.cn/u?a=1&parseType=bulidstatic&pageId=3e",
        ),
        ("""<script parsetype="b" url="/u" querydata="{webId:'1', tplSetId: '2'}"></script>""", "https://www.miit.gov.cn/u?parseType=b&webId=1&tplSetId=2"),
        ("<script src='/a.js'></script>", ""),
        ("<script parsetype url querydata></script>", ""),
    ],
)  # fmt: skip
def test_the_list_is_found_in_the_shell(tag: str, url: str) -> None:
    assert unit_url(f"<html><body>{tag}</body></html>", PAGE, DISCOVER) == url


def test_columns_without_an_address_are_read_through_their_shell(production: Production) -> None:
    crawled = production.crawl("miit_wjfb")
    shells = [e.page_url for e in SOURCES["miit_wjfb"].lists if e.url is None]
    assert shells
    assert set(shells) <= set(crawled.asked)
    sections = {
        r["section"] for r in production.rows("select section from lists where source = 'miit_wjfb' and rows > 0")
    }
    assert {e.section for e in SOURCES["miit_wjfb"].lists} == sections


def test_a_shell_without_the_tag_is_told(production: Production) -> None:
    shell = next(e.page_url for e in SOURCES["miit_wjfb"].lists if e.url is None)
    production.web.fault(str(shell), body="<html><body>改版</body></html>")
    assert "discover_unit" in production.crawl("miit_wjfb").outcomes("miit_wjfb")["unreadable"]


MIIT_SEARCH = "https://www.miit.gov.cn/search-front-server/*"


def test_a_mirror_is_asked_after_a_fault_of_the_server(production: Production) -> None:
    production.web.fault(MIIT_SEARCH, status=503, headers={"Retry-After": "0"})
    crawled = production.crawl("miit_search")
    assert any("ca.miit.gov.cn" in e["host"] for e in crawled.log)
    assert crawled.ends["miit_search"]["documents"] > 0


@pytest.mark.parametrize("status", [403, 412])
def test_no_mirror_is_asked_after_a_refusal(production: Production, status: int) -> None:
    production.web.fault(MIIT_SEARCH, status=status)
    crawled = production.crawl("miit_search")
    assert {e["host"] for e in crawled.log} == {"www.miit.gov.cn"}
    assert set(crawled.outcomes("miit_search")) & {"forbidden", "challenge"}


def test_a_search_row_carries_its_text_and_attachments(production: Production) -> None:
    production.crawl("miit_search")
    kinds = {r["kind"] for r in production.rows("select kind from fetches where source = 'miit_search'")}
    assert {"inline", "attachment"} <= kinds
    assert (
        production.rows(
            "select * from fetches where kind = 'attachment' and parent not in (select id from fetches where kind = 'inline')"
        )
        == []
    )


# ------------------------------------------------------------------ NFRA


def test_a_missing_static_detail_is_read_from_the_dynamic_one(production: Production) -> None:
    production.web.fault("https://www.nfra.gov.cn/cn/static/data/DocInfo/SelectByDocId/*", status=404)
    crawled = production.crawl("nfra")
    dynamic = [u for u in crawled.asked if "/cbircweb/DocInfo/SelectByDocId?" in u]
    assert dynamic
    assert all(s == "fetched" for s in production.entries("nfra").values())


def test_a_dead_list_is_read_from_the_static_cache(production: Production) -> None:
    production.web.fault("https://www.nfra.gov.cn/cbircweb/DocInfo/SelectDocByItemIdAndChild*", status=404)
    crawled = production.crawl("nfra")
    assert any("/cn/static/data/DocInfo/SelectDocByItemIdAndChild/" in u for u in crawled.asked)
    assert crawled.ends["nfra"]["documents"] > 0


def test_the_cache_is_not_asked_after_a_refusal(production: Production) -> None:
    production.web.fault("https://www.nfra.gov.cn/cbircweb/*", status=403)
    crawled = production.crawl("nfra")
    assert not any("/cn/static/" in u for u in crawled.asked)


def test_shell_pages_are_never_fetched(production: Production) -> None:
    assert not any("/view/pages/" in u for u in production.crawl("nfra").asked)


def test_a_withdrawn_document_is_told(production: Production) -> None:
    production.web.fault(
        "https://www.nfra.gov.cn/cn/static/data/DocInfo/SelectByDocId/*",
        body='{"rptCode":200,"data":null}',
        headers={"Content-Type": "application/json"},
        times=1,
    )
    assert "withdrawn" in production.crawl("nfra").outcomes("nfra")["soft-404"]


# ------------------------------------------------------------------ gov.cn, WordPress, Caixin


@pytest.mark.parametrize("shape", ["list", "catmap"])
def test_both_shapes_of_the_policy_library(production: Production, shape: str) -> None:
    production.web.option("govcn_shape", shape)
    production.crawl("govcn_library")
    said = [json.loads(r["said"]) for r in production.rows("select said from entries where source = 'govcn_library'")]
    assert len(said) > 5
    assert any(s.get("doc_number") and s.get("issuer") and s.get("written_on") for s in said)
    assert not any("<" in s["title"] for s in said)


def test_a_closed_rest_interface_gives_way_to_the_feed(production: Production) -> None:
    closed = '{"code":"rest_no_route","message":"No route was found","data":{"status":404}}'
    production.web.fault("re:https://trulynews\\.cn/(wp-json|\\?rest_route).*", status=404, body=closed)
    crawled = production.crawl("trulynews")
    assert "https://trulynews.cn/?feed=rss2" in crawled.asked
    assert crawled.ends["trulynews"]["documents"] > 0


def test_a_refused_rest_interface_does_not(production: Production) -> None:
    production.web.fault("https://trulynews.cn/wp-json/*", status=403)
    crawled = production.crawl("trulynews")
    assert crawled.asked == [SOURCES["trulynews"].lists[0].url]


def test_the_rest_of_a_free_article_is_a_page_of_its_document(production: Production) -> None:
    production.crawl("caixin_global")
    said = [
        json.loads(r["said"])
        for r in production.rows(
            "select said from fetches where source = 'caixin_global' and kind = 'document' order by id"
        )
    ]
    pages = production.rows("select url from fetches where source = 'caixin_global' and kind = 'page'")
    assert all("free" in s for s in said)
    assert len(pages) == sum(s["free"] for s in said)


# ------------------------------------------------------------------ e-papers, STCN


def test_days_in_addresses() -> None:
    assert (
        for_day("http://a.example/{yyyymm}/{dd}/node_01.html", date(2026, 3, 5))
        == "http://a.example/202603/05/node_01.html"
    )
    assert for_day("{yyyy}-{mm}-{dd} {yyyymmdd}", date(2026, 3, 5)) == "2026-03-05 20260305"


def paper(days_ago: int, key: str) -> dict[str, object]:
    return {
        "key": key, "sites": [{"source": "ce_epaper", "section": "经济日报"}], "language": "zh", "title": f"车间里的新贷款{key}",
        "days_ago": days_ago, "time": "06:00", "outlet": "经济日报", "body": "一段文字。\n\n又一段文字，讲设备与贷款。",
    }  # fmt: skip


def test_a_day_without_an_issue_is_no_failure_and_the_one_before_is_read(tmp_path: Path) -> None:
    today = datetime.now(BEIJING).date()
    with ImitationWeb(documents=False) as web:
        production = Production(web, tmp_path)
        web.add_document(paper(2, "a"))
        web.add_document(paper(3, "b"))
        crawled = production.crawl("ce_epaper")
        assert set(crawled.outcomes("ce_epaper")) <= {"shrunk-list"}
        days = {for_day("{yyyymm}/{dd}", today - timedelta(days=n)) for n in range(4)}
        assert {d for d in days if any(d in u for u in crawled.asked)} == days
        assert len(production.entries("ce_epaper")) == 2
        production.process()
        again = production.crawl("ce_epaper")
        # today and yesterday have no issue, the one before holds nothing new: there the search ends
        third = for_day("{yyyymm}/{dd}", today - timedelta(days=3))
        assert not any(third in u for u in again.asked)
        assert again.ends["ce_epaper"]["documents"] == 0


def test_no_issue_at_all_is_told(tmp_path: Path) -> None:
    with ImitationWeb(documents=False) as web:
        told = Production(web, tmp_path).crawl("ce_epaper").outcomes("ce_epaper")
    assert "no issue was found" in told["empty-list"]


def test_all_pages_of_an_issue_are_read(tmp_path: Path) -> None:
    with ImitationWeb(documents=False) as web:
        production = Production(web, tmp_path)
        for number in range(20):
            web.add_document(paper(1, f"n{number:02d}"))
        crawled = production.crawl("ce_epaper")
        assert len(production.entries("ce_epaper")) == 20
        assert {"node_02.html", "node_03.html"} <= {u.rpartition("/")[2] for u in crawled.asked}


def test_flashes_are_asked_as_a_script_would(production: Production) -> None:
    crawled = production.crawl("stcn_list")
    flash = next(e for e in crawled.log if "type=kx" in e["url"])
    headers = {name.lower(): value for name, value in dict(flash["headers"]).items()}
    assert headers["x-requested-with"] == "XMLHttpRequest"
    assert production.rows("select 1 from fetches where source = 'stcn_list' and kind = 'inline'")


def test_a_short_flash_is_read_from_its_page() -> None:
    from crawler.spiders.stcn import _is_whole

    assert not _is_whole(SimpleNamespace(inline={"content": "短讯"}, said={"title": "短讯"}))  # type: ignore[arg-type]
    assert _is_whole(SimpleNamespace(inline={"content": "长讯，" * 40}, said={"title": "长讯"}))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["yicai_global", "cls_telegraph"])
def test_a_signed_interface_is_left_alone_with_the_reason(production: Production, name: str) -> None:
    crawled = production.crawl(name)
    assert crawled.log == []
    assert "signature" in crawled.outcomes(name)["forbidden"]
