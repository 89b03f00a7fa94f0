"""`circularwatch extract`: one JSON document on standard output, one sentence for what went wrong, and nothing ever crashes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import config
from crawler.cli import extract as command
from crawler.cli.common import run
from db.documents import Document
from pipelines import clean, content, extract, identify, recognise
from pipelines.stages import Context, Fetched, Unreadable

PAGES = Path(__file__).parent / "fixtures" / "pages"
SOURCES = config.load_sources()


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = run(command.command, list(arguments))  # type: ignore[arg-type]
    out, err = capsys.readouterr()
    return status, out, err


def test_one_document_of_a_named_source(capsys: pytest.CaptureFixture[str]) -> None:
    url = json.loads((PAGES / "ndrc-order" / "about.json").read_text(encoding="utf-8"))["url"]
    status, out, err = call(capsys, str(PAGES / "ndrc-order" / "input.html"), "--url", url, "--source", "ndrc_zcfb")
    assert (status, err) == (0, "")
    document = json.loads(out)
    assert document["doc_number"] == "2026年第45号令"
    assert document["attachments"][0]["url"] == "https://www.ndrc.gov.cn/xxgk/zcfb/fzggwl/202609/P020260909111.pdf"
    assert document["written_at"] == document["written_on"] == "2026-08-28"


def test_the_source_is_found_by_the_host(capsys: pytest.CaptureFixture[str]) -> None:
    url = "https://www.globaltimes.cn/page/202609/1379999.shtml"
    status, out, _ = call(capsys, str(PAGES / "globaltimes" / "input.html"), "--url", url)
    assert status == 0
    assert json.loads(out)["source"] == "globaltimes"


def test_a_site_that_is_not_configured(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(
        capsys, str(PAGES / "unknown-commission" / "input.html"), "--url", "http://www.sasac.gov.cn/a/content.html"
    )
    document = json.loads(out)
    assert status == 0
    assert (document["source"], document["title"]) == ("", "中央企业设备更新办法")


def test_no_date_later_than_the_fetch(capsys: pytest.CaptureFixture[str]) -> None:
    page = str(PAGES / "govcn-old" / "input.html")
    _, out, _ = call(capsys, page, "--url", "https://example.org/a.html", "--at", "2026-01-01T00:00:00Z")
    document = json.loads(out)
    assert document["published_at"] is None
    assert any("not believed" in r for r in document["remarks"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.html", "--url", "https://a.cn/"], "there is no file"),
        ([str(PAGES / "cgtn" / "input.html"), "--url", "https://a.cn/", "--source", "ndrc_zfcb"], "did you mean 'ndrc_zcfb'"),
        ([str(PAGES / "cgtn" / "input.html"), "--url", "https://a.cn/", "--at", "yesterday"], "is not a moment"),
        ([str(PAGES / "cgtn" / "input.html")], "--url"),
    ],
)  # fmt: skip
def test_bad_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    status, out, err = call(capsys, *arguments)
    assert status == 2
    assert out == ""
    assert words in err


def read(body: bytes, source_id: str, kind: str = "document") -> Document | None:
    source = SOURCES[source_id] if source_id else None
    fetched = Fetched(
        "https://www.gov.cn/a/202609/t20260901_1.html", body=body, kind=kind, fetched_at="2026-10-08T00:00:00Z"
    )
    context = Context(fetched, source, None, fetched.fetched_at)  # type: ignore[arg-type]
    document = Document(url=fetched.url)
    try:
        for stage in (content.stage, extract.stage, clean.stage, recognise.stage, identify.stage):
            document = stage(document, context)
    except (Unreadable, ValueError):
        return None
    document.check_spans()
    return document


TAGS = ["<p>", "</p>", "<div class='TRS_Editor'>", "</div>", "</html>", "<table>", "<tr>", "<td>", "</td>", "<b>文号：</b>", "<script>", "<!--",
        "<div id='zoom'>", "<div id='UCAP-CONTENT'>", "2026年9月1日", "金发〔2026〕17号", "来源：", "<a href='a.pdf'>", "<meta name='PubDate' content='", "'>",
        "自2026年1月1日起施行", "5亿元", "\0", "&#0;", "<![CDATA[", "<svg>", "<html>", "<body>", "\u202e", "<br>", "财政部", "请于10月1日前", "<h1>"]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    soup=st.lists(st.sampled_from(TAGS), max_size=60).map("".join),
    source=st.sampled_from(["", "ndrc_zcfb", "govcn_zuixin", "pboc_lists", "xinhua_zh", "globaltimes", "miit_wjfb"]),
)
def test_soup_is_read_or_refused_but_never_crashes(soup: str, source: str) -> None:
    read(soup.encode("utf-8", "replace"), source)


@settings(deadline=None)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=12),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "docTitle", "docClob", "docId", "title", "publishDate", "attachmentInfoVOList"]), inner, max_size=4),
        max_leaves=12,
    )
)  # fmt: skip
def test_json_of_any_shape(value: object) -> None:
    body = json.dumps(value).encode()
    for source in ("nfra", "csrc_yw", ""):
        read(body, source)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"\xff\xfe",
        b"<",
        b"{",
        b"[]",
        b"{}",
        b"null",
        b"<html></html>",
        b"%PDF-1.4",
        "纯文本\n第二行".encode(),
    ],
)
@pytest.mark.parametrize("source", ["", "ndrc_zcfb", "nfra", "govcn_zuixin"])
def test_next_to_nothing(body: bytes, source: str) -> None:
    read(body, source)


def test_a_row_that_leads_to_a_file_is_a_document_with_that_file() -> None:
    fetched = Fetched(
        "https://www.mof.gov.cn/a/P020260901.pdf", body=b"%PDF-1.7 ...", said={"title": "关于某事的通知", "published_on": "2026-09-01"},
        fetched_at="2026-10-08T00:00:00Z",
    )  # fmt: skip
    context = Context(fetched, SOURCES["mof_zcfb"], None, fetched.fetched_at)  # type: ignore[arg-type]
    document = Document(url=fetched.url)
    for stage in (content.stage, extract.stage, clean.stage, recognise.stage, identify.stage):
        document = stage(document, context)
    assert document.title == "关于某事的通知"
    assert [a.url for a in document.attachments] == [fetched.url]
    assert document.attachments[0].filename == "关于某事的通知.pdf"
    assert document.published_on == "2026-09-01"
    assert document.body_is_stub


def test_pages_of_one_document_are_joined_in_order() -> None:
    def page(text: str) -> bytes:
        return f"<html><body><h1>Two parts</h1><div id='Content'><p>{text}</p></div></body></html>".encode()

    part = Fetched(
        "https://www.chinadaily.com.cn/a/202609/01/WS1_2.html", body=page("The second half is here."), kind="page"
    )
    lost = Fetched(
        "https://www.chinadaily.com.cn/a/202609/01/WS1_3.html",
        kind="page",
        outcome="timeout",
        error="no answer in 30 s",
    )
    fetched = Fetched(
        "https://www.chinadaily.com.cn/a/202609/01/WS1.html", body=page("The first half is here."), parts=[part, lost], fetched_at="2026-10-08T00:00:00Z"
    )  # fmt: skip
    context = Context(fetched, SOURCES["chinadaily_business"], None, fetched.fetched_at)  # type: ignore[arg-type]
    document = Document(url=fetched.url)
    for stage in (content.stage, extract.stage, clean.stage):
        document = stage(document, context)
    assert document.text == "The first half is here.\nThe second half is here."
    assert any("WS1_3.html" in r and "no answer" in r for r in document.remarks)
