"""What a document still needs: attachments and next pages, on the source's own hosts, nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import config
from pipelines.extract import links as addresses
from pipelines.links import document_links, row_links

SOURCES = config.load_sources(Path(config.__file__).parent)


def found(source: str, url: str, body: str, **said: object) -> list[str]:
    return [link.url for link in document_links(body.encode(), url, SOURCES[source], said=said).attachments]


NDRC = "https://www.ndrc.gov.cn/xxgk/zcfb/fzggwl/202604/t20260409_1.html"
BODY = """<html><body><div class="article_con"><div class="TRS_Editor"><p>正文 <a href="./W020260409.xlsx">表格</a> <a href="/xxgk/">栏目</a></p></div></div>
<div class="attachment"><div class="attachment_r"><a href="./P020260409.pdf">第41号令.pdf</a><a href="./P020260409.ofd">第41号令.ofd</a></div></div>
<div class="foot"><a href="/help.pdf">帮助</a><a href="https://www.lookalike.example/x.pdf">x</a></div></body></html>"""


def test_configured_places_and_files_in_the_body() -> None:
    base = "https://www.ndrc.gov.cn/xxgk/zcfb/fzggwl/202604/"
    assert found("ndrc_zcfb", NDRC, BODY) == [
        base + "P020260409.pdf",
        base + "P020260409.ofd",
        base + "W020260409.xlsx",
    ]


def test_names_are_kept() -> None:
    names = [link.name for link in document_links(BODY.encode(), NDRC, SOURCES["ndrc_zcfb"]).attachments]
    assert names == ["第41号令.pdf", "第41号令.ofd", "表格"]


def test_a_file_on_another_host_is_told_and_left_out() -> None:
    body = '<div class="article_con"><a href="https://files.lookalike.example/a.pdf">附件</a></div>'
    links = document_links(body.encode(), NDRC, SOURCES["ndrc_zcfb"])
    assert not links.attachments
    assert "files.lookalike.example" in links.remarks[0]


def test_a_stray_end_tag_does_not_hide_attachments() -> None:
    body = '<html><body><div id="UCAP-CONTENT"><p>一</p></html><p><a href="W0201.pdf">附件</a></p></div></body></html>'
    assert found("govcn_zuixin", "https://www.gov.cn/zhengce/content/202609/content_1.htm", body) == [
        "https://www.gov.cn/zhengce/content/202609/W0201.pdf"
    ]


def test_json_attachments_with_their_base() -> None:
    detail = {
        "data": {
            "docClob": "<div class=Section0><p>文</p></div>",
            "attachmentInfoVOList": [{"title": "附件1.xls", "urlOtherName": "/chinese/docfile/2026/a.xls"}],
        }
    }
    url = "https://www.nfra.gov.cn/cn/static/data/DocInfo/SelectByDocId/data_docId=1.json"
    copies = [{"url": "/chinese/OFFICE/DOC/1.doc", "name": ""}]
    assert found("nfra", url, json.dumps(detail), copies=copies) == [
        "https://www.nfra.gov.cn/chinese/docfile/2026/a.xls"
    ]


def test_the_copies_of_the_text_are_fetched_only_where_the_text_is_missing() -> None:
    detail = {"data": {"docClob": None, "attachmentInfoVOList": []}}
    copies = [{"url": "/chinese/OFFICE/PDF/1.pdf", "name": ""}]
    assert found("nfra", "https://www.nfra.gov.cn/cn/x.json", json.dumps(detail), copies=copies) == [
        "https://www.nfra.gov.cn/chinese/OFFICE/PDF/1.pdf"
    ]


def test_a_viewer_is_looked_through() -> None:
    body = (
        '<div id="con_con"><iframe src="/web/viewer.html?file=/cms_files/filemanager/2026/attach/a.pdf"></iframe></div>'
    )
    assert found("miit_wjfb", "https://www.miit.gov.cn/zwgk/zcwj/wjfb/tz/art/2026/art_1.html", body) == [
        "https://www.miit.gov.cn/cms_files/filemanager/2026/attach/a.pdf"
    ]


def test_next_page() -> None:
    body = '<div id="Content">text</div><div id="div_currpage"><a href="WS1_2.html">2</a> <a href="WS1_2.html">Next</a></div>'
    links = document_links(
        body.encode(), "https://www.chinadaily.com.cn/a/202609/08/WS1.html", SOURCES["chinadaily_business"]
    )
    assert links.next_pages == ["https://www.chinadaily.com.cn/a/202609/08/WS1_2.html"]


def test_a_page_that_is_only_a_script_leads_on() -> None:
    body = "<script>window.location.href='/zwgk/zcfb/art/2026/art_9.html'</script>"
    links = document_links(body.encode(), "https://www.mofcom.gov.cn/article/1.shtml", SOURCES["mofcom_zcfb"])
    assert links.redirect == "https://www.mofcom.gov.cn/zwgk/zcfb/art/2026/art_9.html"


def test_a_script_does_not_lead_off_the_source() -> None:
    body = "<script>window.location='https://evil.example/'</script>"
    assert (
        document_links(body.encode(), "https://www.mofcom.gov.cn/article/1.shtml", SOURCES["mofcom_zcfb"]).redirect
        == ""
    )


def test_files_that_a_row_names() -> None:
    links = row_links(
        [{"url": "/cms_files/a.xlsx", "name": "表"}, {"url": "javascript:x"}, {"url": "https://evil.example/a.pdf"}],
        "https://www.miit.gov.cn/zwgk/1.html",
        SOURCES["miit_search"],
    )
    assert [(link.url, link.name) for link in links] == [("https://www.miit.gov.cn/cms_files/a.xlsx", "表")]


def test_a_download_page_is_cut_short_with_a_remark() -> None:
    body = '<div class="article_con">' + "".join(f'<a href="/f{i}.pdf">{i}</a>' for i in range(90)) + "</div>"
    links = document_links(body.encode(), NDRC, SOURCES["ndrc_zcfb"])
    assert len(links.attachments) == 40
    assert any("more than 40" in r for r in links.remarks)


@pytest.mark.parametrize("source", ["nfra", "ndrc_zcfb", "miit_wjfb", "mofcom_zcfb", "chinadaily_business", "scmp_rss"])
@given(body=st.binary(max_size=400) | st.text(alphabet="<>a hrefpdf.\"'=/:{}[]", max_size=300).map(str.encode))
def test_any_bytes(source: str, body: bytes) -> None:
    links = document_links(body, SOURCES[source].base_url + "/a/b.html", SOURCES[source])
    assert all(SOURCES[source].allows(link.url) for link in links.attachments)
    assert all(SOURCES[source].allows(url) for url in links.next_pages)


def test_next_page_of_a_source_whose_pages_are_read_by_evidence() -> None:
    body = '<article><p>text</p></article><p><a href="101234_2.html">Next page</a></p><a href="/2026-10-07/other.html">2</a>'
    links = document_links(
        body.encode(), "https://www.caixinglobal.com/2026-10-08/101234.html", SOURCES["caixin_global"]
    )
    assert links.next_pages == ["https://www.caixinglobal.com/2026-10-08/101234_2.html"]


def test_selectors_of_a_source_know_better_where_a_text_goes_on() -> None:
    body = '<div id="Content">text</div><a href="WS1_2.html">Next</a>'
    links = document_links(
        body.encode(), "https://www.chinadaily.com.cn/a/202609/08/WS1.html", SOURCES["chinadaily_business"]
    )
    assert links.next_pages == []


def test_files_written_into_a_page_are_not_remembered() -> None:
    """Addresses are cached across documents: a picture or PDF in a `data:` address has megabytes."""
    addresses._joined.cache_clear()
    assert addresses.absolute("Data:application/pdf;base64," + "A" * 9000, "https://x.example/") == ""
    assert addresses.absolute("/a.pdf?" + "A" * 9000, "https://x.example/").startswith("https://x.example/a.pdf?A")
    assert addresses.absolute("/a.pdf", "https://x.example/b/") == "https://x.example/a.pdf"
    assert addresses._joined.cache_info().currsize == 1
