"""Whatever bytes a site answers, a list reader gives a page: rows on allowed hosts only, or an outcome in words."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import config
from pipelines.lists import ListPage, host_allowed, read_list
from pipelines.outcomes import OUTCOMES

FIXTURES = Path(__file__).parent / "fixtures" / "lists"
SOURCES = config.load_sources(Path(config.__file__).parent)
NOW = "2026-10-08T12:00:00Z"
# one for each way of reading
NAMES = ["nfra", "miit_wjfb", "miit_search", "ndrc_zcfb", "pboc_lists", "govcn_library-categories", "globaltimes", "stcn_list", "people_finance",
         "nbs_rss", "cgtn_sitemap", "cgtn_sitemap-index", "cgtn_sitemap-gzip", "trulynews", "trulynews-feed", "scmp_rss", "yicai_zh"]  # fmt: skip


@cache
def fixture(name: str) -> tuple[bytes, dict[str, Any]]:
    folder = FIXTURES / name
    return next(folder.glob("input.*")).read_bytes(), json.loads((folder / "expected.json").read_text("utf-8"))


def read(body: bytes, name: str) -> ListPage:
    wanted = fixture(name)[1]
    source = SOURCES[wanted["source"]]
    section = wanted["section"]
    entry = source.lists[section] if isinstance(section, int) else next(e for e in source.lists if e.section == section)
    page = read_list(body, wanted["url"], source, entry, NOW)
    check(page, source)
    return page


def check(page: ListPage, source: Any) -> None:
    assert page.outcome in OUTCOMES
    assert page.outcome == "ok" or len(page.reason) > 10
    assert page.rows or page.next_urls or page.outcome != "ok"
    for row in page.rows:
        assert urlsplit(row.url).scheme in ("http", "https")
        # a row that links elsewhere is told and carries itself; nothing else may lead off the source's hosts
        assert host_allowed(row.url, source) or (row.said["external_url"] and row.inline is not None)
        assert row.said.get("published_on", "") <= "2026-10-08"
        json.dumps(row.said)
    for url in page.next_urls:
        assert host_allowed(url, source)


@st.composite
def damage(draw: st.DrawFn, body: bytes) -> bytes:
    """Bytes cut, doubled, overwritten, with rubbish in between; a name or tag swapped for another."""
    out = bytearray(body)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(out) - 1)))
        until = draw(st.integers(at, min(len(out), at + 400)))
        kind = draw(st.sampled_from(["cut", "double", "overwrite", "insert", "truncate", "swap"]))
        if kind == "cut":
            del out[at:until]
        elif kind == "double":
            out[at:at] = out[at:until]
        elif kind == "overwrite":
            out[at:until] = draw(st.binary(max_size=40))
        elif kind == "insert":
            out[at:at] = draw(
                st.sampled_from(
                    [
                        b"</html>",
                        b"<",
                        b"&#0;",
                        b"\x00",
                        b"\xff\xfe",
                        b"]}",
                        b'"',
                        b"null",
                        b"{}",
                        b"[]",
                        b"<![CDATA[",
                        b"-1",
                    ]
                )
            )
        elif kind == "truncate":
            del out[at:]
        else:
            old, new = draw(
                st.sampled_from(
                    [
                        (b"http", b"javascript"),
                        (b".cn", b".example"),
                        (b"[", b"{"),
                        (b'"', b"0"),
                        (b"2026", b"9999"),
                        (b"<a", b"<b"),
                        (b"www.", b"127.0.0.1/"),
                    ]
                )
            )
            out = bytearray(bytes(out).replace(old, new, draw(st.integers(1, 50))))
    return bytes(out)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_damaged_answers(name: str, data: st.DataObject) -> None:
    read(data.draw(damage(fixture(name)[0][:20_000])), name)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(body=st.binary(max_size=300))
def test_any_bytes(name: str, body: bytes) -> None:
    read(body, name)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30)
    | st.sampled_from(["https://evil.example/a", "//evil.example/b", "/zwgk/a.html", "http://[::1", "javascript:x", "2026-10-01", "<b>x</b>"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["data", "rows", "docId", "docTitle", "publishDate", "isTitleLink", "titleLink", "groupData", "url", "title",
                                       "infoextends", "searchResult", "dataResults", "link", "content", "rendered", "0", "generaltype"]), inner, max_size=6),
    max_leaves=25,
)  # fmt: skip


@pytest.mark.parametrize(
    "name", ["nfra", "miit_search", "trulynews", "yicai_zh", "govcn_library-categories", "miit_wjfb", "scmp_rss"]
)
@settings(max_examples=80, deadline=None)
@given(value=values)
def test_json_of_any_shape(name: str, value: Any) -> None:
    read(json.dumps({"rptCode": 200, "success": True, **value} if isinstance(value, dict) else value).encode(), name)


@pytest.mark.parametrize("opening", [b"[", b'{"data":', b'{"data":{"rows":['])
def test_json_nested_without_end(opening: bytes) -> None:
    assert read(opening * 100_000, "nfra").outcome == "unreadable"


def test_html_nested_without_end() -> None:
    body = (
        b"<ul class='u-list'>"
        + b"<li><div>" * 50_000
        + b"<a href='./202610/t20261001_1.html' title='x'>x</a><span>2026/10/01</span>"
    )
    read(body, "ndrc_zcfb")


def test_a_billion_laughs() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><rss><channel><item><title>&b;&b;</title></item></channel></rss>'
    read(bomb, "nbs_rss")


def test_a_file_of_the_machine_is_not_read() -> None:
    body = b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">]><rss><channel><item><title>&x;</title><link>https://www.stats.gov.cn/a.html</link></item></channel></rss>'
    assert "/" not in str(read(body, "nbs_rss").rows[0].said.get("title", ""))


def test_a_gzip_bomb_is_bounded() -> None:
    import gzip

    read(gzip.compress(b"\0" * 200_000_000, 9), "cgtn_sitemap-gzip")


CHARSETS = [
    ("gb18030", 'charset="gb2312"'),
    ("utf-8", 'charset="gb2312"'),
    ("gb18030", 'charset="utf-8"'),
    ("gb18030", ""),
    ("utf-8", ""),
    ("utf-8-sig", 'charset="gbk"'),
    ("utf-16", 'charset="utf-8"'),
]


@pytest.mark.parametrize(("real", "declared"), CHARSETS, ids=lambda v: v or "nothing declared")
def test_bytes_that_lie_about_their_charset(real: str, declared: str) -> None:
    rows = "".join(
        f'<li><a href="./202609/t2026092{i}_14.html" title="关于喆源铸造技术改造贷款的通知（{i}）">通知</a><span>2026/09/2{i}</span></li>'
        for i in range(8)
    )
    body = f"<html><head><meta {declared}></head><body><ul class='u-list'>{rows}</ul></body></html>".encode(real)
    page = read(body, "ndrc_zcfb")
    assert [r.said["title"] for r in page.rows] == [f"关于喆源铸造技术改造贷款的通知（{i}）" for i in range(8)]
