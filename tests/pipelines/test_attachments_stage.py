"""The stage: which bytes belong to which attachment, reasons that users see, stub pages, twins in two formats."""

from __future__ import annotations

import gzip
import hashlib
from types import SimpleNamespace
from typing import Any

import pytest

from db.documents import Attachment, Document
from pipelines.attachments import stage, twins
from pipelines.attachments.filling import key, title_of
from pipelines.stages import Fetched
from tests.pipelines.attachment_files import fixture, source
from tests.web import files, ole

URL = "https://gov.example.org/orders/2025/t1.html"
ORDER = [
    "云州市设备更新管理办法",
    "第一条 为推动制造业设备更新，规范资金管理，根据有关规定制定本办法，各区县应当遵照执行。",
    "第二条 本办法自2025年5月1日起施行。",
]


def part(url: str, body: bytes = b"", **more: Any) -> Fetched:
    return Fetched(url, url, body=body, kind="attachment", **more)


def run(document: Document, parts: list[Fetched], file: bytes | None = None) -> Document:
    fetched = Fetched(URL, URL, parts=parts)
    scratch = {} if file is None else {"file": file}
    return stage(document, SimpleNamespace(fetched=fetched, source=None, scratch=scratch, config=None))


def page(*names: str, stub: bool = False, text: str = "正文") -> Document:
    attachments = [Attachment(f"https://gov.example.org/f/{n}", filename=n) for n in names]
    return Document(url=URL, title=ORDER[0], text=text, attachments=attachments, body_is_stub=stub)


def test_fills_every_field() -> None:
    body = files.pdf(ORDER)
    found = run(page("a.pdf"), [part("https://gov.example.org/f/a.pdf", body)]).attachments[0]
    assert found.text == "\n".join(ORDER)
    assert (found.media_type, found.reader, found.pages, found.error) == ("application/pdf", "pdf", 1, "")
    assert found.sha256 == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ("http://gov.example.org/f/a.pdf", "https://gov.example.org/f/a.pdf"),
        ("https://GOV.example.org/f/a.pdf#page=2", "https://gov.example.org/f/a.pdf"),
        ("https://gov.example.org/f/%E9%99%84%E4%BB%B6.pdf", "https://gov.example.org/f/附件.pdf"),
    ],
)
def test_addresses_that_are_the_same(asked: str, listed: str) -> None:
    assert key(asked) == key(listed)


def test_found_by_the_address_it_was_redirected_to() -> None:
    moved = part("https://gov.example.org/f/a.pdf", files.pdf(ORDER))
    moved.final_url = "https://cdn.example.org/x/1.pdf"
    assert run(page("a.pdf"), [moved]).attachments[0].text
    assert len(run(page("a.pdf"), [moved]).attachments) == 1


def test_content_coding_is_undone_first() -> None:
    packed = part(
        "https://gov.example.org/f/a.pdf", gzip.compress(files.pdf(ORDER)), headers={"content-encoding": "gzip"}
    )
    assert run(page("a.pdf"), [packed]).attachments[0].text == "\n".join(ORDER)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ([], "attachment not read: not downloaded"),
        (
            [part("https://gov.example.org/f/a.pdf", outcome="not-found", error="404: not there")],
            "attachment not read: not downloaded, 404: not there",
        ),
        ([part("https://gov.example.org/f/a.pdf", fixture("encrypted.pdf"))], "attachment not read: encrypted"),
        (
            [part("https://gov.example.org/f/a.pdf", b"%PDF-1.4 nothing")],
            "attachment not read: damaged (PDFium cannot open it)",
        ),
        (
            [
                part(
                    "https://gov.example.org/f/a.pdf",
                    gzip.compress(b" " * (51 << 20)),
                    headers={"content-encoding": "gzip"},
                )
            ],
            "attachment not read: larger than 50 MB",
        ),
    ],
)
def test_reason_that_users_see(given: list[Fetched], error: str) -> None:
    document = run(page("a.pdf"), given)
    assert document.attachments[0].error == error
    assert document.attachments[0].text is None
    assert f"{error} (a.pdf)" in document.remarks


def test_one_bad_file_does_not_keep_the_others() -> None:
    bad, good = (
        part("https://gov.example.org/f/a.pdf", b"%PDF-1.4"),
        part("https://gov.example.org/f/b.docx", files.docx(ORDER)),
    )
    document = run(page("a.pdf", "b.docx"), [bad, good])
    assert [bool(a.text) for a in document.attachments] == [False, True]
    assert document.text == "正文"


def test_file_that_only_the_crawler_found_is_added() -> None:
    document = run(page(), [part("https://gov.example.org/f/%E8%A1%A8.xlsx", files.xlsx("甲乙丙丁", "标题"))])
    assert document.attachments[0].filename == "表.xlsx" and document.attachments[0].text


def test_stub_takes_the_text_of_its_order() -> None:
    parts = [
        part("https://gov.example.org/f/a.pdf", files.pdf(ORDER)),
        part("https://gov.example.org/f/a.ofd", files.ofd(ORDER)),
    ]
    document = run(page("a.pdf", "a.ofd", stub=True, text="现予公布。附件见后。"), parts)
    assert document.text == "\n".join(ORDER)
    assert [a.text for a in document.attachments] == ["\n".join(ORDER)] * 2
    assert twins.counted(document) == []


def test_stub_prefers_the_order_to_its_annex() -> None:
    annex = [f"附件{n} 企业名称 项目名称 金额 {n * 7}" for n in range(60)]
    parts = [
        part("https://gov.example.org/f/1.docx", files.docx(annex)),
        part("https://gov.example.org/f/2.doc", ole.word_document(ORDER)),
    ]
    document = run(page("1.docx", "2.doc", stub=True, text="见附件。"), parts)
    assert document.text.startswith(ORDER[0])
    assert twins.counted(document) == [0]


def test_stub_whose_files_cannot_be_read_keeps_its_own_text() -> None:
    document = run(
        page("a.pdf", stub=True, text="见附件。"), [part("https://gov.example.org/f/a.pdf", fixture("encrypted.pdf"))]
    )
    assert document.text == "见附件。"


def test_address_that_is_a_file() -> None:
    document = Document(url=URL, attachments=[Attachment(URL, filename="a.pdf")], body_is_stub=True)
    found = run(document, [], file=files.pdf(ORDER))
    assert (found.title, found.text) == (ORDER[0], "\n".join(ORDER))


def test_attachment_of_a_full_page_counts_beside_it() -> None:
    document = run(page("a.docx"), [part("https://gov.example.org/f/a.docx", files.docx(ORDER))])
    assert document.text == "正文" and twins.counted(document) == [0]


def test_twins_of_other_formats_and_different_texts() -> None:
    notice = source("notice.txt")
    assert twins.same(notice, "公报\n" + notice.replace("\n", "") + "\n— 3 —")
    assert not twins.same(notice, notice[: len(notice) // 2])
    assert not twins.same(notice, "完全不同的另一份文件内容。" * 100)


def test_excerpt_in_another_format_counts_once() -> None:
    order = source("notice.txt").split("\n")
    excerpt = [order[0], *order[5:9], order[-3]]
    parts = [
        part("https://gov.example.org/f/a.pdf", files.pdf(order)),
        part("https://gov.example.org/f/a.ofd", files.ofd(excerpt)),
    ]
    document = run(page("a.pdf", "a.ofd", stub=True, text="见附件。"), parts)
    assert document.text.startswith(order[0]) and "施行" in document.text
    assert twins.counted(document) == []


def test_computing_elsewhere_is_told_to_the_chain() -> None:
    scratch: dict[str, Any] = {}
    fetched = Fetched(URL, URL, parts=[part("https://gov.example.org/f/a.pdf", files.pdf(ORDER * 50))])
    stage(page("a.pdf"), SimpleNamespace(fetched=fetched, source=None, scratch=scratch, config=None))
    assert 0 < scratch["cpu"] < 20


def test_same_bytes_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import pipelines.attachments.filling as module

    seen: list[str] = []
    real = module.read
    monkeypatch.setattr(module, "read", lambda body, name, **k: seen.append(name) or real(body, name, **k))
    body = files.docx(ORDER)
    run(page("a.docx", "b.docx"), [part(f"https://gov.example.org/f/{n}.docx", body) for n in "ab"])
    assert seen == ["a.docx"]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("云州市人民政府文件\n云政发〔2025〕1号\n关于支持制造业的意见\n各单位：", "关于支持制造业的意见"),
        ("附件1\n项目申报指南\n一、总则", "项目申报指南"),
        ("2025年", ""),
    ],
)
def test_title_of_a_bare_file(text: str, title: str) -> None:
    assert title_of(text) == title


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        ("", "the answer is empty"),
        (" \n", "the answer is empty"),
        ("<div>" * 2_000, "nothing on the page reads like one"),
    ],
)
def test_a_page_without_text_says_why(shown: str, reason: str) -> None:
    document = Document(url="https://example.org/a.html")
    scratch = {"content": SimpleNamespace(text=shown)}
    made = stage(document, SimpleNamespace(fetched=Fetched(url=document.url), scratch=scratch, source=None))
    assert [r for r in made.remarks if "no text was found" in r and reason in r]


def test_a_page_that_has_text_or_a_reason_gets_no_other() -> None:
    assert not run(page(text="正文"), []).remarks
    document = Document(url="https://example.org/a.html", remarks=["the text of this page is made by scripts"])
    assert len(run(document, []).remarks) == 1


@pytest.mark.parametrize(("confidence", "shown"), [(0.9871, " with confidence 0.99"), (None, "")])
def test_what_was_read_by_ocr_is_marked_where_users_see_it(
    monkeypatch: pytest.MonkeyPatch, confidence: float | None, shown: str
) -> None:
    from pipelines.attachments import sandbox

    found = sandbox.Reading(text="扫描的文字", reader="ocr", confidence=confidence)
    monkeypatch.setattr(sandbox, "read", lambda *_, **__: found)
    document = run(page("scan.pdf"), [part("https://www.ndrc.gov.cn/a/scan.pdf", b"%PDF-1.4 picture")])
    assert f"attachment read by OCR{shown} (scan.pdf)" in document.remarks
