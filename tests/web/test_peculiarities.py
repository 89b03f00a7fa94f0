"""The peculiarities of each site: what broke crawlers on the real one is there on the imitation too."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any
from urllib.parse import urljoin

import pytest
from parsel import Selector

from tests.web.sites.base import Placed
from tests.web.wire import Request
from tests.web.world import World

from .test_sites import DAY, SOURCES, WORLD, fetch, list_url, page, placed, squeeze

# ---- NFRA


def nfra(path: str) -> Any:
    return json.loads(fetch(f"https://www.nfra.gov.cn{path}").body)


def test_nfra_lists_in_three_shapes_and_a_cache_of_three_pages() -> None:
    dynamic = nfra("/cbircweb/DocInfo/SelectDocByItemIdAndChild?itemId=4215&pageSize=18&pageIndex=1")
    form = "/cn/static/data/DocInfo/SelectDocByItemIdAndChild/data_itemId=4215,pageIndex={},pageSize=18.json"
    assert nfra(form.format(1)) == dynamic
    assert nfra(form.format(3))["data"]["rows"] == []
    assert fetch(f"https://www.nfra.gov.cn{form.format(4)}").status == 404
    columns = nfra("/cbircweb/DocInfo/SelectItemAndDocByItemPId?itemId=914&pageSize=6")["data"]
    assert {row["docId"] for column in columns for row in column["docInfoVOList"]} >= {
        row["docId"] for row in dynamic["data"]["rows"]
    }
    assert nfra("/cbircweb/solr/openGovSerch")["data"]["lists"][0]["docSubtitle"]


def test_nfra_details_are_word_exports_with_a_false_charset() -> None:
    for one in placed("nfra"):
        answer = fetch(one.url)
        assert answer.content_type == "application/json;charset=UTF-8"
        data = json.loads(answer.body)["data"]
        assert "charset=gb2312" in data["docClob"]
        body = Selector(data["docClob"]).css("div.Section0").xpath("string()").get("")
        assert squeeze(one.doc.blocks[-1][1] if one.doc.blocks[-1][0] == "p" else "") in squeeze(body)
        assert data["documentNo"] == (one.doc.doc_number or None)
        assert data["docFileUrl"] is None and data["builddate"]
        assert nfra(f"/cbircweb/DocInfo/SelectByDocId?docId={data['docId']}")["data"] == data


def test_nfra_pages_are_templates_and_rows_name_copies() -> None:
    one = placed("nfra")[0]
    assert "{{x.docSubtitle}}" in fetch(one.row_url(one.entry)).body.decode()
    rows = nfra("/cbircweb/DocInfo/SelectDocByItemIdAndChild?itemId=915&pageSize=18&pageIndex=1")["data"]["rows"]
    whole = next(row for row in rows if row["isTitleLink"] == "0")
    assert fetch(f"https://www.nfra.gov.cn{whole['docFileUrl']}").body.startswith(b"\xd0\xcf\x11\xe0")
    assert fetch(f"https://www.nfra.gov.cn{whole['pdfFileUrl']}").body.startswith(b"%PDF")
    linked = next(row for row in rows if row["isTitleLink"] == "1")
    assert linked["docSubtitle"].startswith("<a ng-href=") and linked["titleLink"].startswith("https://www.gov.cn/")
    assert fetch(linked["titleLink"]).status == 200


def test_nfra_mirror_is_in_traditional_script() -> None:
    path = "/cbircweb/DocInfo/SelectDocByItemIdAndChild?itemId=4215&pageSize=18&pageIndex=1"
    assert "製造業" in fetch(f"https://big5.nfra.gov.cn{path}").body.decode()


# ---- NDRC


def test_ndrc_rows_hold_nested_lists() -> None:
    listed = page("https://www.ndrc.gov.cn/xxgk/zcfb/ghxwj/index.html")
    rows = listed.css("ul.u-list > li:not(.empty)")
    assert len(listed.css("ul.u-list li")) > len(rows) == len(WORLD.sites and placed_in("ndrc_zcfb", "规范性文件"))
    nested = listed.css(".popbox ul li a::attr(title)").getall()
    assert nested == ["一图读懂《战略性新兴产业集群融资服务指引》"]
    for row in rows:
        assert re.fullmatch(r"\./\d{6}/t\d{8}_\d+\.html", row.xpath("./a[1]/@href").get(""))
        assert re.fullmatch(r"\d{4}/\d\d/\d\d", row.xpath("./span[1]/text()").get(""))


def placed_in(source: str, section: str) -> list[Placed]:
    site = next(one for one in WORLD.sites if source in one.sources)
    return site.rows(source, section)


def test_ndrc_orders_are_only_in_their_files() -> None:
    stubs = [one for one in placed("ndrc_zcfb") if one.doc.stub]
    assert stubs
    for one in stubs:
        tree = page(one.url)
        hrefs = tree.css("div.attachment .attachment_r a::attr(href)").getall()
        assert [href.rsplit(".", 1)[1] for href in hrefs] == ["pdf", "ofd"]
        body = tree.css("div.article_con .TRS_Editor").xpath("string()").get("")
        assert 10 < len(squeeze(body)) < 160
        assert all(fetch(urljoin(one.url, href)).status == 200 for href in hrefs)


def test_ndrc_pages_say_no_charset_and_lists_tell_their_length() -> None:
    assert fetch("https://www.ndrc.gov.cn/xxgk/zcfb/tz/index.html").content_type == "text/html"
    assert "createPageHTML(1, 0," in fetch("https://www.ndrc.gov.cn/xxgk/zcfb/tz/index.html").body.decode()
    assert fetch("https://www.ndrc.gov.cn/xxgk/zcfb/tz/index_1.html").status == 404
    assert "window.location" in fetch("https://www.ndrc.gov.cn/xxgk/zcfb/").body.decode()


# ---- the central bank


def test_pboc_rows_cut_their_text_but_not_their_title() -> None:
    rows = page("https://www.pbc.gov.cn/goutongjiaoliu/113456/113469/index.html").xpath(
        "//td[font[@class='newslist_style']]"
    )
    assert len(rows) == 7
    for row in rows:
        href = row.css("a::attr(href)").get("")
        assert re.fullmatch(r"/goutongjiaoliu/113456/113469/(\d{7}|\d{19})/index\.html", href)


def test_pboc_feed_lacks_schemes_and_tells_beijing_days_in_gmt() -> None:
    feed = Selector(fetch("https://www.pbc.gov.cn/goutongjiaoliu/113456/2986536/index.html").body.decode(), type="xml")
    links = feed.xpath("//item/link/text()").getall()
    assert len(links) == 6 and all(link.startswith("www.pbc.gov.cn/") for link in links)
    newest = max(one.doc.published for one in placed("pboc_rss"))
    before = newest.date() - dt.timedelta(days=1)
    assert feed.xpath("//item/pubDate/text()").get() == f"{before.day} {before:%b %Y} 16:00:00 GMT"


def test_old_pages_have_short_numbers() -> None:
    for one in placed("pboc_lists"):
        name = one.url.rsplit("/", 2)[1]
        assert len(name) == (7 if f"{one.doc.published:%Y%m}" < "202506" else 19)


# ---- MIIT and MOFCOM


def test_miit_shell_then_unit() -> None:
    entry = next(one for one in SOURCES["miit_wjfb"].lists if one.section == "公示")
    shell = fetch(str(entry.page_url))
    assert b"<li" not in shell.body and any(name == "Set-Cookie" for name, _ in shell.headers)
    unit = json.loads(fetch(list_url(entry)).body)
    assert unit["success"] is True and Selector(unit["data"]["html"]).css("li.cf > a.fl + span.fr")
    assert json.loads(fetch(re.sub("pageId=[^&]+", "pageId=0", list_url(entry))).body)["success"] is False


@pytest.mark.parametrize("paging", ["pageNo=2&pageSize=4", "paramJson=%7B%22pageNo%22%3A2%2C%22pageSize%22%3A4%7D"])
def test_units_turn_pages_in_both_ways(paging: str) -> None:
    url = list_url(SOURCES["miit_wjfb"].lists[0])
    first = Selector(json.loads(fetch(url).body)["data"]["html"]).css("a::attr(href)").getall()
    second = Selector(json.loads(fetch(f"{url}&{paging}").body)["data"]["html"]).css("a::attr(href)").getall()
    assert second == first[4:8]


def test_miit_search_nests_json_in_json() -> None:
    url = str(SOURCES["miit_search"].lists[0].url)
    rows = json.loads(fetch(url).body)["data"]["searchResult"]["dataResults"]
    for row in rows:
        data = row["groupData"][0]["data"]
        fields = json.loads(json.loads(data["infoextends"])["infoContent"])
        assert {field["fieldName"] for field in fields} == {"title", "content", "attach"}
        for file in json.loads(next(field for field in fields if field["fieldType"] == "Attach")["fieldValue"]):
            assert fetch(f"https://www.miit.gov.cn{file['url']}").status == 200
    for mirror in ("hubca", "cqca", "gdca"):
        assert fetch(url.replace("www.", f"{mirror}.")).body == fetch(url).body
    assert page("https://www.miit.gov.cn/zwgk/").css('.zwgk-zcwj a[href*="/zwgk/zcwj/wjfb/"][href*="/art/"]')


def test_mofcom_has_old_addresses_that_a_script_redirects() -> None:
    one = placed("mofcom_zcfb")[0]
    old = fetch(
        f"https://www.mofcom.gov.cn/article/b/c/202610/{one.number(20_000_000, 29_999_999)}.shtml"
    ).body.decode()
    assert f'window.location.href="{one.path}"' in old


# ---- gov.cn


def search(query: str) -> Any:
    return json.loads(fetch(f"https://sousuo.www.gov.cn/search-gov/data?{query}").body)["searchVO"]


def test_the_library_answers_in_two_shapes() -> None:
    plain = search("t=zhengcelibrary_bm&q=&p=1&n=20")
    assert plain["listVO"] and plain["totalCount"] == len(plain["listVO"]) and plain["catMap"] is None
    grouped = search("t=zhengcelibrary&q=&p=1&n=5")
    assert grouped["listVO"] is None and grouped["totalCount"] == 0
    assert grouped["catMap"]["gongwen"]["listVO"] and grouped["catMap"]["bumenfile"]["listVO"]
    asked = search("t=zhengcelibrary_bm&q=%E9%87%91%E8%9E%8D&p=1&n=20")
    assert asked["listVO"] is None
    assert any("<em>金融</em>" in row["title"] for row in asked["catMap"]["bumenfile"]["listVO"])
    row = plain["listVO"][0]
    assert re.fullmatch(r"\d{4}\.\d\d\.\d\d", row["pubtimeStr"]) and row["pubtime"] > 10**12


def test_pages_of_gov_cn_come_in_three_templates_some_with_a_stray_end() -> None:
    pages = {
        one.url: fetch(one.url).body.decode() for source in ("govcn_library", "govcn_zuixin") for one in placed(source)
    }
    new = [text for text in pages.values() if "policyLibraryOverview_header" in text]
    old = [text for text in pages.values() if 'table class="bd1"' in text]
    news = [text for text in pages.values() if 'id="ti"' in text]
    assert len(new) + len(old) + len(news) == len(pages) and new and old and news
    assert {text.count("</html>") for text in pages.values()} == {1, 2}
    stray = next(text for text in new if text.count("</html>") == 2)
    assert stray.index("</html>") < stray.index("UCAP-CONTENT")
    for text in new:
        assert "标&nbsp;&nbsp;" in text and text.count("发文字号") == 2  # the table and its mobile twin


def test_the_static_lists_are_arrays() -> None:
    rows = json.loads(fetch("https://www.gov.cn/zhengce/zuixin/ZUIXINZHENGCE.json").body)
    assert set(rows[0]) == {"TITLE", "SUB_TITLE", "URL", "DOCRELPUBTIME"}
    assert fetch("https://www.gov.cn/zhengce/zhengceku/").status == 403


# ---- WordPress


def test_trulynews_has_the_seed_page() -> None:
    tree = page("https://trulynews.cn/?p=711")
    assert (
        tree.css("h1.entry-title ::text").getall()[-1]
        == "China deepens financial services for its manufacturing industry"
    )
    assert tree.css(".mg-blog-date::text").get("").strip() == "Apr 21, 2024"
    assert tree.css(".info-left li::text").get() == "Mon. Dec 23rd, 2024"  # the day of rendering
    assert tree.css(".media-heading ::text").getall() == ["By", "TrulyNews"]


def test_trulynews_rest_pages_and_increments() -> None:
    whole = json.loads(fetch("https://trulynews.cn/wp-json/wp/v2/posts?per_page=100").body)
    answer = fetch("https://trulynews.cn/?rest_route=/wp/v2/posts&per_page=4&page=2")
    assert json.loads(answer.body) == whole[4:8]
    assert ("X-WP-TotalPages", str(-(-len(whole) // 4))) in answer.headers
    assert fetch("https://trulynews.cn/?rest_route=/wp/v2/posts&per_page=4&page=99").status == 400
    since = json.loads(
        fetch(f"https://trulynews.cn/wp-json/wp/v2/posts?per_page=100&after={whole[2]['date_gmt']}").body
    )
    assert [post["id"] for post in since] == [post["id"] for post in whole[:2]]
    feed = Selector(fetch("https://trulynews.cn/?feed=rss2").body.decode(), type="xml")
    assert len(feed.xpath("//item")) == min(10, len(whole))


# ---- the rest


def test_mof_rows_lead_to_sub_hosts_and_files() -> None:
    rows = page("http://jrs.mof.gov.cn/gongzuotongzhi/index.htm").css("ul.xwfb_listbox > li")
    assert any(href.endswith(".pdf") for href in rows.css("a::attr(href)").getall())
    assert "//createPageHTML(1, 0," in fetch("http://www.mof.gov.cn/zhengwuxinxi/zhengcefabu/index.htm").body.decode()


def test_csrc_tells_two_times_eight_hours_apart() -> None:
    url = str(SOURCES["csrc_yw"].lists[0].url)
    row = json.loads(fetch(url).body)["data"]["results"][0]
    told = dt.datetime.fromtimestamp(row["publishedTime"] / 1000, dt.UTC).replace(tzinfo=None)
    assert told == dt.datetime.fromisoformat(row["publishedTimeStr"])
    assert row["url"].startswith("//www.csrc.gov.cn/")


def test_nbs_feeds_differ_in_their_date_tag() -> None:
    assert b"<pubDate>2026-" in fetch("https://www.stats.gov.cn/sj/zxfb/rss.xml").body
    assert b"<pubTime>2026-" in fetch("https://www.stats.gov.cn/sj/sjjd/rss.xml").body


@pytest.mark.parametrize(
    ("source_id", "layout"),
    [
        ("people_epaper", "http://paper.people.com.cn/rmrb/pc/layout/{:%Y%m/%d}/node_01.html"),
        ("ce_epaper", "http://paper.ce.cn/pc/layout/{:%Y%m/%d}/node_01.html"),
    ],
)
def test_epapers_lead_from_pages_to_articles(source_id: str, layout: str) -> None:
    options = SOURCES[source_id].list
    day = placed(source_id)[0].doc.published
    url = layout.format(day)
    pages = {urljoin(url, href) for selector in options.pages for href in page(url).css(selector).getall()}
    articles = {
        urljoin(one, row.css("::attr(href)").get(""))
        for one in pages
        for selector in options.items
        for row in page(one).css(selector)
    }
    assert articles == {one.url for one in placed(source_id) if one.doc.published.date() == day.date()}
    assert fetch(layout.format(day - dt.timedelta(days=4000))).status == 404


def test_stcn_times_come_in_three_shapes() -> None:
    moments = {"a": 0, "b": 3, "c": 400}
    world = World(DAY, None)
    for key, days in moments.items():
        world.add(
            {"key": key, "sites": [{"source": "stcn_list", "section": "要闻"}], "language": "zh", "title": f"题{key}"}
            | {"days_ago": days, "time": "10:30", "body": "文"}
        )
    request = Request("GET", "https", "www.stcn.com", "/article/list/yw.html", b"GET")
    times = Selector(world.hosts["www.stcn.com"].respond(request).body.decode()).xpath(
        '//div[@class="info"]/span[last()]/text()'
    )
    assert times.getall() == ["10:30", "10-05 10:30", "2025-09-03 10:30"]


def test_flashes_are_json_for_scripts_only() -> None:
    url = "https://www.stcn.com/article/list.html?type=kx"
    assert json.loads(fetch(url, X_Requested_With="XMLHttpRequest").body)["data"]
    assert fetch(url).body.startswith(b"<!DOCTYPE html>")


def test_china_daily_articles_go_on_and_years_lie() -> None:
    two = next(one for one in placed("chinadaily_business") if one.options.get("pages"))
    first = page(two.url)
    second = page(urljoin(two.url, first.css('#div_currpage a:contains("Next")::attr(href)').get("")))
    text = squeeze(first.css("#Content").xpath("string()").get("") + second.css("#Content").xpath("string()").get(""))
    assert all(squeeze(part) in text for _, part in two.doc.blocks)
    assert squeeze(two.doc.blocks[-1][1]) not in squeeze(first.css("#Content").xpath("string()").get(""))
    years = {
        page(one.url).css('meta[name="publishdate"]::attr(content)').get("")[:4]
        for one in placed("chinadaily_business")
    }
    assert years == {"2026", "2569"}


def test_global_times_breaks_lines_instead_of_paragraphs() -> None:
    captioned = next(one for one in placed("globaltimes") if one.options.get("caption"))
    body = page(captioned.url).css(".article_content .article_right")
    assert body.css("p.picture::text").get() == captioned.options["caption"]
    assert not body.css("p:not(.picture)") and len(body.css("br")) > 4


def test_caixin_global_texts_come_by_a_second_call() -> None:
    datas = json.loads(fetch(str(SOURCES["caixin_global"].lists[0].url)).body)["datas"]
    free = next(row for row in datas if row["attr"] == 0)
    answer = json.loads(fetch(f"https://u.caixinglobal.com/get/reading.do?id={free['nid']}&url={free['link']}").body)
    assert answer["data"]["content"].startswith("<p>")
    one = next(one for one in placed("caixin_global") if one.url == free["link"])
    assert len(page(one.url).css("#appContent p")) == 1


def test_news_sitemaps() -> None:
    index = Selector(fetch("https://www.cgtn.com/sitemap_index.xml").body.decode(), type="xml")
    assert len(index.xpath("//*[local-name()='loc']")) == 2
    news = Selector(fetch("https://www.cgtn.com/sitemap_news.xml").body.decode(), type="xml")
    news.register_namespace("n", "http://www.google.com/schemas/sitemap-news/0.9")
    assert news.xpath("//n:publication_date/text()").get("").endswith("+08:00")
    assert fetch("https://www.cgtn.com/sitemap_archive.xml.gz").body.startswith(b"\x1f\x8b")


def test_charsets_lie_both_ways() -> None:
    pages = {one.doc.key: fetch(one.url) for one in placed("chinanews_rss") if "encoding" in one.options}
    is_utf8 = pages["structure-declared-gb2312-is-utf8"]
    assert b"charset=gb2312" in is_utf8.body and "茶馆" in is_utf8.body.decode("utf-8")
    is_gb = pages["structure-declared-utf8-is-gb18030"]
    assert b"charset=utf-8" in is_gb.body and "镕州银行" in is_gb.body.decode("gb18030")
    with pytest.raises(UnicodeDecodeError):
        is_gb.body.decode("utf-8")
    assert {answer.content_type for answer in pages.values()} == {"text/html"}


def test_people_com_cn_declares_gb2312_and_holds_gb18030() -> None:
    world = World(DAY, None)
    world.add(
        {"key": "p", "sites": [{"source": "people_finance"}], "language": "zh", "title": "朱镕基与喆"}
        | {"days_ago": 1, "body": "镕喆玥。"}
    )
    site = world.hosts["finance.people.com.cn"]
    body = site.respond(
        Request("GET", "http", "finance.people.com.cn", site.rows("people_finance")[0].path, b"GET")
    ).body
    assert b"charset=GB2312" in body and "镕喆玥" in body.decode("gb18030")
    with pytest.raises(UnicodeDecodeError):
        body.decode("gb2312")


def test_signed_and_dead_interfaces_stay_as_they_are() -> None:
    assert fetch("https://www.yicaiglobal.com/api/getNewsList?id=3").status == 403
    dead = fetch("http://www.chinadaily.com.cn/rss/bizchina_rss.xml")
    assert dead.status == 200 and b"pubDate" not in dead.body and b"2017-09" in dead.body
