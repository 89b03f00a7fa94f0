"""Attachments made by real programs give the text that they were made of (README of the fixtures says by which)."""

from __future__ import annotations

import io
from typing import Any

import pytest

from pipelines.attachments import Limits, read
from pipelines.attachments.limits import NotRead
from pipelines.attachments.ocr_ready import is_installed
from pipelines.attachments.readers import ocr
from tests.needs import need
from tests.pipelines.attachment_files import docx, f1, fixture, packed, paragraph, source
from tests.web import files, ole

TABLE = ["项目\t贷款余额（亿元）\t占比", "先进制造业\t128.5\t41%", "传统产业改造\t96\t31%"]
NOTICE = [*source("notice.txt").split("\n"), *TABLE, source("notes.txt")]
REPORT = source("report.txt").split("\n")
LINES = [
    "关于印发办法的通知",
    "第一条 为支持制造业发展，制定本办法，" + "引导银行保险机构增加中长期贷款，" * 6 + "稳步推进。",
    "（一）Loans of 3.5 billion yuan.",
    "2026年11月1日",
]


@pytest.mark.parametrize("ending", ["doc", "docx", "odt", "rtf"])
def test_office_files_give_every_line(ending: str) -> None:
    for name, lines in (("notice", NOTICE), ("report", REPORT)):
        found = read(fixture(f"{name}.{ending}"), f"{name}.{ending}")
        assert found.error == ""
        assert (found.text or "").split("\n") == lines


@pytest.mark.parametrize("name", ["notice", "notice-browser", "report", "report-browser"])
def test_pdf_gives_its_source(name: str) -> None:
    wanted = NOTICE if name == "notice" else source(f"{name.partition('-')[0]}.txt").split("\n")
    found = read(fixture(f"{name}.pdf"))
    assert found.error == ""
    assert f1("\n".join(wanted), found.text or "") >= 0.99


def test_pdf_paragraphs_are_whole() -> None:
    found = (read(fixture("notice-browser.pdf")).text or "").split("\n")
    assert found == source("notice.txt").split("\n")


@pytest.mark.parametrize(("name", "lines"), [("notice", NOTICE[:-4]), ("report", REPORT)])
def test_pdf_in_two_columns(name: str, lines: list[str]) -> None:
    assert (read(fixture(f"{name}-columns.pdf")).text or "").split("\n") == lines


def test_pdf_table_is_parted_by_cells() -> None:
    rows = ["序号\t项目名称\t金额（万元）\t备注", "1\t数控机床更新\t1200\t已完成", "2\t工业机器人\t860\t在建"]
    assert (read(fixture("cells.pdf")).text or "").split("\n") == rows


def test_pdf_without_headers_footers_and_page_numbers() -> None:
    found = read(fixture("notice.pdf"))
    assert found.pages == 3
    assert "公报" not in (found.text or "") and "— 2 —" not in (found.text or "")


def test_html_under_the_name_doc() -> None:
    found = read(fixture("notice-html.doc"), "notice.doc")
    assert found.media_type == "text/html"
    assert all(line in (found.text or "") for line in source("notice.txt").split("\n")[6:])


def test_web_page_instead_of_a_file_is_refused() -> None:
    found = read(b"<!DOCTYPE html><html><body><p>Please log in to see this page</p></body></html>", "order.pdf")
    assert found.error == "a web page came instead of the file"


SHEET = ["制造业贷款情况表", "银行\t余额\t日期", "云州银行\t128.5\t2025-06-30", "滨海农商行\t96\t2025-06-30"]


@pytest.mark.parametrize("ending", ["xlsx", "xls", "ods"])
def test_spreadsheets(ending: str) -> None:
    text = read(fixture(f"table.{ending}")).text or ""
    assert [line for line in text.split("\n") if line not in ("贷款情况", "说明")] == [*SHEET, "单位：亿元"]


def test_csv_in_gb18030() -> None:
    assert read(fixture("table.csv"), "table.csv").text == "\n".join(SHEET[1:])


@pytest.mark.parametrize(
    ("name", "origin"), [("a.wps", "notice.doc"), ("b.wps", "notice.docx"), ("c.doc", "notice.rtf")]
)
def test_kind_is_told_by_bytes(name: str, origin: str) -> None:
    assert (read(fixture(origin), name).text or "").split("\n") == NOTICE


@pytest.mark.parametrize("name", ["a.et", "b.et"])
def test_et_is_read_as_what_it_is(name: str) -> None:
    origin = "table.xls" if name.startswith("a") else "table.xlsx"
    assert "云州银行\t128.5\t2025-06-30" in (read(fixture(origin), name).text or "")


@pytest.mark.parametrize("kind", ["pdf", "ofd", "docx", "doc"])
def test_files_of_the_imitation_web(kind: str) -> None:
    make = {"pdf": files.pdf, "ofd": files.ofd, "docx": files.docx, "doc": ole.word_document}[kind]
    found = read(make(LINES))
    assert (found.text or "").split("\n") == LINES
    assert found.reader == kind


def test_word_table_notes_and_boxes() -> None:
    table = "<w:tbl><w:tr><w:tc>" + paragraph("甲") + "</w:tc><w:tc>" + paragraph("乙") + "</w:tc></w:tr></w:tbl>"
    gone = "<w:p><w:del><w:r><w:delText>旧</w:delText></w:r></w:del><w:ins><w:r><w:t>新</w:t></w:r></w:ins></w:p>"
    code = "<w:p><w:r><w:instrText>PAGE</w:instrText></w:r><w:r><w:t>三</w:t></w:r></w:p>"
    assert read(docx(paragraph("首") + table + gone + code)).text == "首\n甲\t乙\n新\n三"


def test_python_docx_document() -> None:
    import docx as python_docx

    made = python_docx.Document()
    made.add_heading("关于设备更新的意见", 1)
    made.add_paragraph("各单位：")
    table = made.add_table(2, 2)
    for n, text in enumerate(["项目", "金额", "机床", "12亿元"]):
        table.cell(n // 2, n % 2).text = text
    buffer = io.BytesIO()
    made.save(buffer)
    assert read(buffer.getvalue()).text == "关于设备更新的意见\n各单位：\n项目\t金额\n机床\t12亿元"


def test_zip_reads_its_members_under_their_names() -> None:
    body = packed(
        {"通知.docx": fixture("report.docx"), "里/表.xlsx": fixture("table.xlsx"), "__MACOSX/x": b"x", "空/": b""}
    )
    lines = (read(body).text or "").split("\n")
    assert lines[:2] == ["通知.docx", REPORT[0]]
    assert "里/表.xlsx" in lines and SHEET[1] in lines


def test_zip_names_in_gbk() -> None:
    raw = packed({"AAAA.txt": "内容在此，请查收。"}).replace(b"AAAA.txt", "附件".encode("gbk") + b".txt")
    assert read(raw).text == "附件.txt\n内容在此，请查收。"


def test_zip_says_which_members_it_could_not_read() -> None:
    found = read(packed({"a.txt": "正文在此。", "b.pdf": b"%PDF-1.4 broken", "../c.txt": "逃"}))
    assert found.text == "a.txt\n正文在此。"
    assert "2 of 3 files" in found.note and "leads out of the archive" in found.note


def test_pages_beyond_the_limit_are_said() -> None:
    found = read(fixture("notice.pdf"), limits=Limits(pages=1))
    assert found.note == "only the first 1 of 3 pages were read"
    assert "本通知自2025年7月1日起施行" not in (found.text or "")


def test_rows_beyond_the_limit_are_said() -> None:
    found = read(fixture("table.xlsx"), limits=Limits(rows=2))
    assert found.note == "only its first 2 rows were read" and "128.5" not in (found.text or "")


def test_scan_is_read_by_ocr() -> None:
    need(is_installed(), "the OCR is not installed: `make extras` runs this test")
    found = read(fixture("scan.pdf"))
    assert found.reader == "ocr" and (found.confidence or 0) > 0.9
    assert f1(source("notice.txt")[:400], (found.text or "")[:420]) > 0.85
    assert "云政办发〔2025〕18号" in (found.text or "")


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: ocr.read(fixture("scan.jpg"), {}, Limits()), "a picture"),
        (lambda: ocr.read_pictures(iter([fixture("scan.jpg")]), 1, 1, Limits()), "scanned pages"),
    ],
)
def test_scan_without_ocr_says_what_to_install(monkeypatch: pytest.MonkeyPatch, call: Any, what: str) -> None:
    monkeypatch.setattr(ocr, "_engine", None)
    with pytest.raises(NotRead) as found:
        call()
    assert str(found.value) == f"{what}, install circularwatch[ocr]"


def ofd_page(objects: str, template: str = "") -> str:
    return (
        f'<ofd:Page xmlns:ofd="http://www.ofdspec.org/2016">{template}<ofd:Content><ofd:Layer ID="2">{objects}</ofd:Layer>'
        "</ofd:Content></ofd:Page>"
    )


def ofd_text(x: float, y: float, text: str, size: float = 4.0) -> str:
    return (
        f'<ofd:TextObject ID="9" Boundary="{x} {y} {size * len(text)} {size}" Size="{size}"><ofd:TextCode X="0" Y="{size}" '
        f'DeltaX="g {len(text) - 1} {size}">{text}</ofd:TextCode></ofd:TextObject>'
    )


def test_ofd_by_position_with_template_and_two_documents() -> None:
    """Characters that come in any order, a template page, absolute and relative paths, two documents in one file."""
    shuffled = "".join(ofd_text(20 + 4 * n, 40, char) for n, char in reversed(list(enumerate("支持制造业发展"))))
    first = ofd_page(ofd_text(20, 60, "第二行在后面") + shuffled, '<ofd:Template TemplateID="7" ZOrder="Background"/>')
    ns = 'xmlns:ofd="http://www.ofdspec.org/2016"'
    body = packed(
        {
            "OFD.xml": f"<ofd:OFD {ns}><ofd:DocBody><ofd:DocRoot>/Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody>"
            "<ofd:DocBody><ofd:DocRoot>Doc_1/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
            "Doc_0/Document.xml": f'<ofd:Document {ns}><ofd:CommonData><ofd:TemplatePage ID="7" BaseLoc="Tpls/T.xml"/>'
            '</ofd:CommonData><ofd:Pages><ofd:Page ID="1" BaseLoc="Pages/P/Content.xml"/></ofd:Pages></ofd:Document>',
            "Doc_0/Pages/P/Content.xml": first,
            "Doc_0/Tpls/T.xml": ofd_page(ofd_text(60, 20, "云州市文件", 8.0)),
            "Doc_1/Document.xml": f'<ofd:Document {ns}><ofd:Pages><ofd:Page ID="1" BaseLoc="/Doc_1/P.xml"/></ofd:Pages></ofd:Document>',
            "Doc_1/P.xml": ofd_page(ofd_text(20, 20, "第二份文件的内容")),
        }
    )
    found = read(body)
    assert (found.text, found.pages) == ("云州市文件\n支持制造业发展\n第二行在后面\n第二份文件的内容", 2)
