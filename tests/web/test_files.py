"""The attachments are real files: other people's readers get out of them what was put in."""

from __future__ import annotations

import datetime as dt
import io
import re
import struct
import zipfile
from xml.etree import ElementTree

import docx as python_docx
import olefile
import openpyxl
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web import files
from tests.web.documents import CHINA, Attachment

WHEN = dt.datetime(2026, 10, 8, 9, 0, tzinfo=CHINA)
TEXT = """第一条 为支持制造业〔2026〕发展，制定本办法。Loans of 3.5 billion yuan.

## 第二章 附则

| 项目 | 金额（亿元） |
| 设备更新 | 12.5 |

第二条 本办法自2026年11月1日起施行。"""
SQUEEZED = re.sub(r"[\s|#]", "", TEXT)


def made(kind: str, text: str = TEXT) -> bytes:
    return files.make(Attachment("名称", kind, text), "标题", WHEN)[0]


def pdf_text(data: bytes) -> str:
    document = pypdfium2.PdfDocument(data)
    return "\n".join(page.get_textpage().get_text_range() for page in document)


def squeeze(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_pdf_reads_back() -> None:
    assert squeeze(pdf_text(made("pdf"))) == "标题" + SQUEEZED


def test_long_pdf_has_pages() -> None:
    data = made("pdf", "\n\n".join(f"第{n}条 " + "内容" * 60 for n in range(60)))
    assert len(pypdfium2.PdfDocument(data)) > 3
    assert "第59条" in squeeze(pdf_text(data))


letters = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=200)


@settings(max_examples=30, deadline=None)
@given(letters)
def test_any_chinese_text_reads_back_from_pdf(text: str) -> None:
    assert squeeze(pdf_text(files.pdf([text]))) == text


def test_ofd_reads_back() -> None:
    package = zipfile.ZipFile(io.BytesIO(made("ofd")))
    assert package.testzip() is None
    root = ElementTree.fromstring(package.read("OFD.xml"))
    space = {"ofd": "http://www.ofdspec.org/2016"}
    assert root.findtext(".//ofd:DocRoot", None, space) == "Doc_0/Document.xml"
    document = ElementTree.fromstring(package.read("Doc_0/Document.xml"))
    text = ""
    for page in document.findall(".//ofd:Page", space):
        content = ElementTree.fromstring(package.read(f"Doc_0/{page.get('BaseLoc')}"))
        text += "".join(code.text or "" for code in content.findall(".//ofd:TextCode", space))
    assert squeeze(text) == "标题" + SQUEEZED


def test_docx_reads_back() -> None:
    document = python_docx.Document(io.BytesIO(made("docx")))
    assert squeeze("".join(paragraph.text for paragraph in document.paragraphs)) == "标题" + SQUEEZED


@pytest.mark.parametrize("text", [TEXT, "短", "长" * 40_000])
def test_doc_is_a_word_97_file(text: str) -> None:
    """Read as [MS-DOC] says: the FIB points to the piece table, which points to the text."""
    data = made("doc", text)
    assert olefile.isOleFile(data)
    file = olefile.OleFileIO(data)
    main, table = file.openstream("WordDocument").read(), file.openstream("1Table").read()
    assert struct.unpack_from("<H", main, 0)[0] == 0xA5EC
    assert struct.unpack_from("<H", main, 0x0A)[0] & 0x0200  # the table stream is 1Table
    start, length = struct.unpack_from("<II", main, 0x1A2)
    clx = table[start : start + length]
    assert clx[0] == 2
    characters = struct.unpack_from("<I", clx, 9)[0]
    offset = struct.unpack_from("<I", clx, 15)[0]
    assert not offset & 0x40000000
    read = main[offset : offset + 2 * characters].decode("utf-16-le")
    assert squeeze(read) == "标题" + re.sub(r"[\s|#]", "", text)


def test_xlsx_reads_back() -> None:
    rows = list(openpyxl.load_workbook(io.BytesIO(made("xlsx"))).active.values)
    assert rows[0][0] == "标题"
    assert ("设备更新", "12.5") in rows


@pytest.mark.parametrize("kind", ["pdf", "ofd", "docx", "doc"])
def test_the_same_text_gives_the_same_bytes(kind: str) -> None:
    first = made(kind)
    files._make.cache_clear()
    assert made(kind) == first
