"""The options of a list, one by one: selectors, titles that the page cut, links, paging in all its forms."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.lists import ListPage, entry_key, host_allowed, inline_fields, page_url, read_list
from pipelines.lists.selectors import SelectorError, check_selector, first, parse_html, select_nodes, strip_tags

NOW = "2026-10-08T12:00:00Z"
URL = "https://a.example/news/index.html"


def html(body: str, url: str = URL, **options: Any) -> ListPage:
    source = {"kind": "html-list", "base_url": "https://a.example", **options.pop("source", {})}
    source["list"] = {
        "items": ["li"],
        "link": "a::attr(href)",
        "title": ["a::attr(title)", "a::text"],
        "published": "span::text",
        **options,
    }
    return read_list(f"<html><body>{body}</body></html>".encode(), url, source, {"section": "要闻"}, NOW)


def api(value: Any, url: str = "https://a.example/api?page=1", **options: Any) -> ListPage:
    source = {"kind": "json-api", "base_url": "https://a.example", **options.pop("source", {})}
    source["list"] = {"items": ["rows[]"], "link": "url", "title": "title", "published": "date", **options}
    return read_list(json.dumps(value).encode(), url, source, {"section": "要闻", "item_id": 7}, NOW)


# ------------------------------------------------------------------ selectors


@pytest.mark.parametrize(
    ("selector", "count"),
    [
        ("td:has(> font.a)", 1), ("td:has(font.a)", 2), ("tr:has(> td > font)", 1), ("td:has(+ td)", 1), ("li:not(.empty)", 1),
        ('xpath://td[font[contains(@class,"a")]]', 1), ('a[href*="content_"]', 1), ("td", 2),
    ],
)  # fmt: skip
def test_selectors_that_cssselect_gets_wrong(selector: str, count: int) -> None:
    tree = parse_html(
        "<table><tr><td><font class='a'>1</font></td><td><b><font class='a'>2</font></b></td></tr></table>"
        "<ul><li class='empty'></li><li>x</li></ul><a href='/content_1.html'>y</a>"
    )
    assert len(select_nodes(tree, [selector])[0]) == count


@pytest.mark.parametrize("selector", ["td:has(> x", "a[", "xpath://a[", "re:(", "a::attr(href"])
def test_a_bad_selector_is_refused_with_its_text(selector: str) -> None:
    with pytest.raises(SelectorError) as caught:
        check_selector(selector)
    assert selector.removeprefix("xpath:").removeprefix("re:") in str(caught.value)


def test_values() -> None:
    tree = parse_html("<div id='x'> a <b>b</b><script>no()</script><!-- no --> c\u00a0d</div><i></i><i>second</i>")
    assert first(tree, ["#x::text"]) == "a b c d"
    assert first(tree, ["i::text"]) == "second"
    assert first(tree, ["#none::text", "xpath://i[2]/text()"]) == "second"
    assert first(tree, [r"re_url:/(\d{6})/"], "https://a.example/202609/x") == "202609"
    assert first(tree, [r"re:(b)</b"], markup="<b>b</b>") == "b"
    assert first(tree, ["xpath://div//text()"]) == "a bno() c d"


def test_a_stray_end_tag_does_not_cut_the_page_short() -> None:
    page = html(
        "<ul><li><a href='/1.html'>第一条</a></li></ul></body></html><ul><li><a href='/2.html'>第二条</a></li></ul>"
    )
    assert [r.said["title"] for r in page.rows] == ["第一条", "第二条"]


def test_markup_in_titles() -> None:
    assert strip_tags("<em>设备</em>更新<br/>贷款 &amp; 保险") == "设备更新贷款 & 保险"


# ------------------------------------------------------------------ rows


def test_a_title_that_the_page_cut_gives_way_to_the_whole_one() -> None:
    page = html(
        "<li><a href='/1.html' title='关于设备更新贷款贴息的通知'>关于设备更新…</a></li>",
        title=["a::text", "a::attr(title)"],
    )
    assert page.rows[0].said["title"] == "关于设备更新贷款贴息的通知"


def test_picture_and_title_links_of_one_entry_are_one_row() -> None:
    page = html(
        "<a href='/1.html'><img></a><a href='/1.html'>标题</a><a href='/2.html'>另一条</a>",
        items=["a"],
        link="::attr(href)",
        title=["::text"],
    )
    assert [(r.url, r.said["title"]) for r in page.rows] == [
        ("https://a.example/1.html", "标题"),
        ("https://a.example/2.html", "另一条"),
    ]


def test_the_first_items_selector_that_finds_anything_counts() -> None:
    page = html("<div class='b'><a href='/1.html'>一</a></div>", items=["div.a", "div.b", "a"])
    assert len(page.rows) == 1


def test_allow_is_matched_on_address_and_path() -> None:
    body = "<li><a href='/a/t20260901_1.html'>文章</a></li><li><a href='/about.html'>关于</a></li>"
    page = html(body, allow=["^/a/t\\d{8}_"])
    assert [r.url for r in page.rows] == ["https://a.example/a/t20260901_1.html"]
    assert any("not matched by allow" in r for r in page.remarks)


def test_when_allow_lets_nothing_through_the_reason_says_so() -> None:
    page = html("<li><a href='/about.html'>关于</a></li>", allow=["/never/"])
    assert page.outcome == "empty-list"
    assert "allow" in page.reason


def test_when_items_finds_nothing_the_reason_names_the_selector() -> None:
    page = html("<p>新版面</p>", items=["ul.gone > li"])
    assert page.outcome == "empty-list"
    assert "ul.gone > li" in page.reason


@pytest.mark.parametrize(
    "href",
    [
        "javascript:void(0)",
        "#",
        "mailto:a@a.example",
        "",
        "data:text/html,x",
        "ftp://a.example/x",
        "http://[::1",
        "https://user@evil.example/",
    ],
)
def test_links_that_are_no_pages_of_this_site(href: str) -> None:
    assert not html(f"<li><a href='{href}'>题</a></li>").rows


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("./202609/t1.html", "https://a.example/news/202609/t1.html"), ("../x.html", "https://a.example/x.html"), ("//a.example/y", "https://a.example/y"),
        (" /z.html#top ", "https://a.example/z.html"), ("/q.html?id=2&utm_source=x", "https://a.example/q.html?id=2"), ("/中 文.html", "https://a.example/中%20文.html"),
        ("\\win\\p.html", "https://a.example/win/p.html"),
    ],
)  # fmt: skip
def test_links(href: str, url: str) -> None:
    assert html(f"<li><a href='{href}'>标题</a></li>").rows[0].url == url


def test_strip_query() -> None:
    assert html("<li><a href='/a.shtml?id=11'>题</a></li>", strip_query=True).rows[0].url == "https://a.example/a.shtml"


def test_base_element() -> None:
    page = html("<base href='https://a.example/deep/'><li><a href='1.html'>题</a></li>")
    assert page.rows[0].url == "https://a.example/deep/1.html"


def test_min_title_len() -> None:
    page = html("<li><a href='/1.html'>更多</a></li><li><a href='/2.html'>一条足够长的标题</a></li>", min_title_len=5)
    assert [r.url for r in page.rows] == ["https://a.example/2.html"]


def test_date_strip() -> None:
    page = html("<li><a href='/1.html'>题</a><span>2026-09-01 更新于 2026-09-30</span></li>", date_strip=["^.*更新于"])
    assert page.rows[0].said["published_on"] == "2026-09-30"


def test_an_unreadable_date_is_kept_as_it_stands() -> None:
    page = html("<li><a href='/1.html'>题</a><span>上周某日</span></li>")
    assert page.rows[0].said["published_raw"] == "上周某日"
    assert "published_on" not in page.rows[0].said
    assert any("unreadable date" in r for r in page.remarks)


def test_the_first_value_that_is_a_date_counts() -> None:
    page = html("<li><a href='/1.html'>题</a><span>置顶</span><span>2026-09-30</span></li>")
    assert page.rows[0].said["published_on"] == "2026-09-30"


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("a.example", True),
        ("www.b.example", True),
        ("x.c.example", True),
        ("c.example", True),
        ("evilc.example", False),
        ("a.example.evil.example", False),
        ("", False),
    ],
)
def test_allowed_hosts(host: str, allowed: bool) -> None:
    source = {"base_url": "https://a.example", "allowed_hosts": ["www.b.example", "*.c.example"]}
    assert host_allowed(f"https://{host}/x", source) is allowed


def test_keys_do_not_depend_on_scheme_www_or_fragment() -> None:
    keys = {
        entry_key(u)
        for u in ("http://www.a.example/x?id=1", "https://a.example:443/x?id=1", "https://A.example/x?id=1")
    }
    assert keys == {"a.example/x?id=1"}


# ------------------------------------------------------------------ JSON


def test_several_arrays_count_all() -> None:
    value = {"a": {"rows": [{"title": "一", "url": "/1"}]}, "b": {"rows": [{"title": "二", "url": "/2"}]}}
    assert len(api(value, items=["a.rows[]", "b.rows[]"]).rows) == 2
    assert len(api(value, items=["*.rows[]"]).rows) == 2


def test_top_level_array_and_limit() -> None:
    assert len(api([{"title": str(i), "url": f"/{i}"} for i in range(9)], items=["[]"], limit=4).rows) == 4


def test_jsonp() -> None:
    source = {
        "kind": "json-api",
        "base_url": "https://a.example",
        "list": {"items": ["rows[]"], "link": "url", "title": "title"},
    }
    page = read_list(b'cb_1({"rows": [{"title": "x", "url": "/1"}]});', "https://a.example/", source, {}, NOW)
    assert page.rows[0].said["title"] == "x"


def test_node_falls_back_to_the_next() -> None:
    rows = [
        {"groupData": [{"data": {"title": "甲", "url": "/1"}}]},
        {"data": {"title": "乙", "url": "/2"}},
        {"title": "丙", "url": "/3"},
    ]
    assert [r.said["title"] for r in api({"rows": rows}, node=["groupData.0.data", "data"]).rows] == ["甲", "乙", "丙"]


def test_skip_when() -> None:
    rows = [{"title": "a", "url": "/1", "type": "Link"}, {"title": "b", "url": "/2", "type": "News"}]
    assert [r.said["title"] for r in api({"rows": rows}, skip_when={"path": "type", "equals": "Link"}).rows] == ["b"]


@pytest.mark.parametrize(("value", "outcome"), [({"code": 0, "rows": [{"title": "a", "url": "/1"}]}, "ok"), ({"code": "0", "rows": [{"title": "a", "url": "/1"}]}, "ok"), ({"code": -1, "msg": "invalid sign"}, "unreadable"), ({}, "unreadable")])  # fmt: skip
def test_ok(value: dict[str, Any], outcome: str) -> None:
    page = api(value, ok={"path": "code", "equals": 0})
    assert page.outcome == outcome
    assert ("invalid sign" in page.reason) == ("msg" in value)


def test_html_where_json_was_expected() -> None:
    source = {"kind": "json-api", "base_url": "https://a.example", "list": {"items": ["rows[]"]}}
    page = read_list(b"<html><body>moved</body></html>", "https://a.example/", source, {}, NOW)
    assert (page.outcome, "HTML" in page.reason) == ("unreadable", True)


def test_detail_and_public_address_are_filled_from_row_parent_and_list() -> None:
    value = {"cols": [{"itemId": 9, "rows": [{"docId": 5, "title": "t"}]}], "rows": [{"docId": 6, "title": "u"}]}
    page = api(
        value,
        items=["cols[].rows[]", "rows[]"],
        detail_url="https://a.example/d/{docId}.json",
        public_url="https://a.example/v?doc={docId}&item={item_id}",
    )
    assert [r.url for r in page.rows] == ["https://a.example/d/5.json", "https://a.example/d/6.json"]
    assert [r.said["public_url"] for r in page.rows] == [
        "https://a.example/v?doc=5&item=9",
        "https://a.example/v?doc=6&item=7",
    ]


def test_a_row_with_its_whole_text_is_inline_and_read_back() -> None:
    row = {"title": "t", "url": "/1", "html": "<p>全文</p>", "files": [{"path": "/a.pdf", "name": "附件"}]}
    page = api(
        {"rows": [row]}, body_html=["html"], attachment_rows={"path": "files[]", "url": "path", "name": ["name"]}
    )
    assert page.rows[0].inline == row
    assert "body_html" not in page.rows[0].said
    source = {"kind": "json-api", "list": {"title": "title", "body_html": ["html"]}}
    assert inline_fields(row, source)["body_html"] == "<p>全文</p>"


# ------------------------------------------------------------------ paging


@pytest.mark.parametrize(
    ("first_url", "paging", "number", "url"),
    [
        ("https://a.example/l?x=1&page=1", {"param": "page"}, 2, "https://a.example/l?x=1&page=2"),
        ("https://a.example/l?x=1&page=1", {"param": "page"}, 3, "https://a.example/l?x=1&page=3"),
        ("https://a.example/l?q=%E5%88%B6&start=0&n=20", {"param": "start", "start": 20, "step": 20}, 3, "https://a.example/l?q=%E5%88%B6&start=40&n=20"),
        ("https://a.example/l", {"params": {"pageNo": "{n}", "pageSize": 15}}, 2, "https://a.example/l?pageNo=2&pageSize=15"),
        ("https://a.example/l?a=b", {"params": {"paramJson": '{"pageNo":{n},"pageSize":15}'}}, 2, "https://a.example/l?a=b&paramJson=%7B%22pageNo%22%3A2%2C%22pageSize%22%3A15%7D"),
        ("https://a.example/c/index.html", {"template": "index_{n}.html", "start": 1}, 2, "https://a.example/c/index_1.html"),
        ("https://a.example/c/index.html", {"template": "index_{n}.html", "start": 1}, 3, "https://a.example/c/index_2.html"),
        ("https://a.example/business/economy", {"template": "page_{n}.html", "start": 2}, 2, "https://a.example/business/economy/page_2.html"),
        ("https://a.example/news/", {"template": "page_{n}.html", "start": 2}, 3, "https://a.example/news/page_3.html"),
        ("https://a.example/x/1/index.html", {"template": "{column_dir}/index{n}.html", "start": 2}, 2, "https://a.example/x/1/index2.html"),
    ],
)  # fmt: skip
def test_addresses_of_pages(first_url: str, paging: dict[str, Any], number: int, url: str) -> None:
    assert page_url(first_url, paging, number) == url


ROW = "<li><a href='/1.html'>题</a></li>"


def test_the_last_page_is_the_last() -> None:
    source = {"paging": {"template": "index_{n}.html", "start": 1, "max": 9, "count_regex": r"createPageHTML\((\d+),"}}
    assert html(ROW + "<script>createPageHTML(3, 0)</script>", source=source).next_urls == [
        "https://a.example/news/index_1.html"
    ]
    assert html(ROW + "<script>createPageHTML(1, 0)</script>", source=source).next_urls == []


def test_max_pages() -> None:
    config = {
        "kind": "html-list",
        "base_url": "https://a.example",
        "paging": {"param": "p", "max": 2},
        "list": {"items": ["li"], "link": "a::attr(href)", "title": "a::text"},
    }
    body = ROW.encode()
    assert read_list(body, "https://a.example/l?p=1", config, {}, NOW).next_urls == ["https://a.example/l?p=2"]
    second: dict[str, Any] = {"page": 2, "first_url": "https://a.example/l?p=1"}
    assert read_list(body, "https://a.example/l?p=2", config, {}, NOW, **second).next_urls == []
    assert read_list(body, "https://a.example/l?p=2", config, {}, NOW, max_pages=9, **second).next_urls == [
        "https://a.example/l?p=3"
    ]


@pytest.mark.parametrize(
    "pager",
    [
        "<a href='17081-2.html'>下一页</a>",
        "<a tagname='[PREVIOUSPAGE]'>上一页</a><a onclick=\"go(this,'/news/17081-2.html')\" tagname='/news/17081-2.html'>下一页</a>",
        "<a onclick=\"go(this,'/news/17081-2.html')\">下页</a>",
        "<a href='/news/17081-2.html'>Next ></a>",
    ],
)
def test_the_pager_on_the_page_is_read(pager: str) -> None:
    source = {"paging": {"template": "{column_dir}/index{n}.html", "start": 2, "max": 3}}
    assert html(ROW + pager, source=source).next_urls == ["https://a.example/news/17081-2.html"]


def test_the_next_page_stays_on_the_source() -> None:
    source = {"paging": {"next": ["a.next::attr(href)"], "max": 3}}
    assert html(ROW + "<a class='next' href='https://evil.example/2'>下一页</a>", source=source).next_urls == []


@pytest.mark.parametrize(("rows", "goes_on"), [(20, True), (19, False)])
def test_a_page_that_is_not_full_is_the_last(rows: int, goes_on: bool) -> None:
    value = {"rows": [{"title": f"t{i}", "url": f"/{i}"} for i in range(rows)]}
    page = api(value, url="https://a.example/api?page=1&pageSize=20", source={"paging": {"param": "page", "max": 3}})
    assert bool(page.next_urls) is goes_on
