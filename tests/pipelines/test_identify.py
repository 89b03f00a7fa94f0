"""Identity: one address for all twins of a page, one id for one document on many hosts, in whatever order it is met."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from db.documents import Document
from pipelines import identify
from pipelines.identify import canonical_url


@pytest.mark.parametrize(
    ("twins", "canonical"),
    [
        (
            [
                "https://www.nfra.gov.cn/cn/view/pages/ItemDetail.html?docId=1255850&itemId=876&generaltype=1",
                "https://www.nfra.gov.cn/cn/static/data/DocInfo/SelectByDocId/data_docId=1255850.json",
                "https://www.nfra.gov.cn/cbircweb/DocInfo/SelectByDocId?docId=1255850",
                "http://www.cbirc.gov.cn/cn/view/pages/ItemDetail.html?docId=1255850&itemId=915&generaltype=0",
                "https://big5.nfra.gov.cn/cn/view/pages/ItemDetail.html?itemId=915&docId=1255850",
            ],
            "https://www.nfra.gov.cn/cn/view/pages/ItemDetail.html?docId=1255850",
        ),
        (
            [
                "http://www.mof.gov.cn/a/t20260911_1.htm", "https://www.mof.gov.cn/a/t20260911_1.htm#top", "HTTPS://WWW.MOF.GOV.CN/a/./t20260911_1.htm",
                "https://mof.gov.cn/a/t20260911_1.htm?spm=1.2&utm_source=x", "http://www.mof.gov.cn:80/a//t20260911_1.htm?from=timeline&isappinstalled=0",
            ],
            "https://www.mof.gov.cn/a/t20260911_1.htm",
        ),
        (["http://jrs.mof.gov.cn/a/b.htm"], "https://jrs.mof.gov.cn/a/b.htm"),
        (["http://example.org/a?b=2&a=1", "http://example.org/a?a=1&b=2&fbclid=zz"], "http://example.org/a?a=1&b=2"),
        (["https://trulynews.cn/?p=711", "https://www.trulynews.cn/?p=711&utm_campaign=x"], "https://www.trulynews.cn/?p=711"),
        (["http://www.news.cn/a/c.html", "https://news.cn/a/c.html?123456"], "https://www.news.cn/a/c.html"),
        (["https://a.cn/附件 1.pdf", "https://a.cn/%E9%99%84%E4%BB%B6%201.pdf"], "https://a.cn/%E9%99%84%E4%BB%B6%201.pdf"),
        (["https://www.gov.cn/x;jsessionid=AB12/y.htm"], "https://www.gov.cn/x/y.htm"),
    ],
)  # fmt: skip
def test_twins(twins: list[str], canonical: str) -> None:
    assert {canonical_url(t) for t in twins} == {canonical}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.org/a", "http://example.org/a"),
        ("https://www.gov.cn/a.htm", "https://www.gov.cn/b.htm"),
        ("https://a.cn/?id=1", "https://a.cn/?id=2"),
        ("https://xiamen.pbc.gov.cn/a/", "https://www.pbc.gov.cn/a/"),
        ("https://www.nfra.gov.cn/cn/view/pages/ItemDetail.html?docId=1", "https://www.nfra.gov.cn/cn/view/pages/ItemDetail.html?docId=2"),
    ],
)  # fmt: skip
def test_strangers_stay_apart(one: str, other: str) -> None:
    assert canonical_url(one) != canonical_url(other)


URLS = st.builds(
    lambda host, path, query: f"http://{host}/{path}?{query}",
    st.sampled_from(["www.gov.cn", "a.example.org", "nfra.gov.cn", "www.news.cn"]),
    st.text(alphabet="abc/.%20中 ", max_size=12),
    st.text(alphabet="ab=&1utm_", max_size=12),
)


@example(url="http://www.gov.cn/./?")
@given(url=URLS)
def test_canonical_is_stable(url: str) -> None:
    once = canonical_url(url)
    assert canonical_url(once) == once


@given(text=st.text(max_size=40))
def test_what_is_no_address_never_raises(text: str) -> None:
    canonical_url(text)
    canonical_url("https://" + text)


def _document(url: str, number: str, issuers: list[str], kind: str = "circular") -> Document:
    document = Document(url=url, doc_number=number, issuers=issuers, kind=kind)
    return identify.stage(document, None)


def test_one_circular_on_four_hosts_is_one_document() -> None:
    copies = [
        _document("https://www.nfra.gov.cn/cn/view/pages/ItemDetail.html?docId=1", "金发〔2026〕17号", ["国家金融监督管理总局", "商务部"]),
        _document("https://www.gov.cn/zhengce/content_1.htm", "金发〔2026〕17号", ["金融监管总局", "商务部"]),
        _document("https://www.mofcom.gov.cn/a.html", "金发〔2026〕17号", ["商务部", "国家金融监督管理总局"]),
        _document("https://www.people.com.cn/a.html", "金发〔2026〕17号", []),
    ]  # fmt: skip
    assert len({c.id for c in copies}) == 1
    assert len({c.canonical_url for c in copies}) == 4


def test_local_offices_share_codes_and_stay_apart() -> None:
    ministry = _document("https://a.gov.cn/0", "财办〔2026〕3号", ["财政部办公厅"])
    one = _document("https://a.gov.cn/1", "财办〔2026〕3号", ["浙江省财政厅"])
    assert ministry.id != one.id
    other = _document("https://b.gov.cn/1", "字〔2026〕3号", ["江苏省财政厅"])
    third = _document("https://b.gov.cn/2", "字〔2026〕3号", ["浙江省财政厅"])
    assert len({one.id, other.id, third.id}) == 3


@pytest.mark.parametrize("kind", ["interpretation", "news", "speech", "bank action"])
def test_who_speaks_of_a_circular_is_not_it(kind: str) -> None:
    document = _document("https://a.gov.cn/qa.html", "金发〔2026〕17号", ["国家金融监督管理总局"], kind)
    assert document.identity == "url:https://www.a.gov.cn/qa.html"


def test_id_is_d_and_sixteen_hex_digits() -> None:
    document = _document("https://example.org/a", "", [])
    assert re.fullmatch(r"d[0-9a-f]{16}", document.id)
    assert document.id == identify.document_id("url:https://example.org/a")


def test_all_addresses_are_kept() -> None:
    document = Document(url="https://www.mof.gov.cn/a.htm#x", urls=["http://www.mof.gov.cn/a.htm"])
    identify.stage(document, None)
    assert document.urls == [
        "https://www.mof.gov.cn/a.htm",
        "https://www.mof.gov.cn/a.htm#x",
        "http://www.mof.gov.cn/a.htm",
    ]
