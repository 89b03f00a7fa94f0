"""Paragraphs from lines with places, RTF and old Word text, numbers as the OCR sees them: properties and single cases."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.attachments import layout
from pipelines.attachments.limits import DEFAULT
from pipelines.attachments.readers import doc, rtf
from pipelines.attachments.readers.ocr import mend_numbers
from pipelines.attachments.tidy import tidy

hanzi = st.text(st.sampled_from("制造业金融支持办法企业贷款银行保险"), min_size=10, max_size=150)


def set_in_lines(paragraphs: list[str], width: int = 28, rows: int = 20, indent: int = 2) -> list[list[layout.Line]]:
    """The paragraphs as a printer sets them: first line indented, the others full; pages of so many rows with numbers."""
    lines: list[tuple[float, str]] = []
    for text in paragraphs:
        first, rest = text[: width - indent], text[width - indent :]
        lines.append((indent, first))
        lines += [(0, rest[i : i + width]) for i in range(0, len(rest), width)]
    pages = []
    for start in range(0, len(lines), rows):
        page = [
            layout.Line(90 + 16 * x, 90 + 16 * (x + len(text)), 100 + 28 * n, 16, text)
            for n, (x, text) in enumerate(lines[start : start + rows])
        ]
        page.append(layout.Line(280, 320, 100 + 28 * (rows + 2), 14, f"— {start // rows + 1} —"))
        pages.append(page)
    return pages


@settings(max_examples=60, deadline=None)
@given(st.lists(hanzi, min_size=4, max_size=30))
def test_indented_paragraphs_come_back(paragraphs: list[str]) -> None:
    full = "支持制造业高质量发展的若干措施由各地结合实际贯彻落实到位并报送情况。" * 3
    wanted = [full, *(f"{p}。" for p in paragraphs), full]
    assert layout.paragraphs(set_in_lines(wanted)).split("\n") == wanted


@settings(max_examples=40, deadline=None)
@given(st.lists(hanzi, min_size=3, max_size=20), st.randoms())
def test_no_character_is_lost_or_made(paragraphs: list[str], random: object) -> None:
    pieces = [
        layout.Piece(line.x0 + 16 * n, line.y, 16, 16, char)
        for line in set_in_lines(paragraphs, rows=10_000)[0][:-1]
        for n, char in enumerate(line.text)
    ]
    random.shuffle(pieces)  # type: ignore[attr-defined]
    found = layout.paragraphs([layout.lines(pieces)])
    assert found.replace("\n", "") == "".join(paragraphs)


def test_english_lines_join_with_blanks_and_keep_hyphens() -> None:
    assert layout.join("medium-", "term loans") == "medium-term loans"
    assert layout.join("banks and", "insurers") == "banks and insurers"
    assert layout.join("manu\u00ad", "facturing") == "manufacturing"
    assert layout.join("制造业", "金融") == "制造业金融"
    assert layout.join("增长", "5%") == "增长5%"


@pytest.mark.parametrize("text", ["— 3 —", "-12-", "3", "第 3 页 共 10 页", "Page 3 of 10", "3 / 10", "· 4 ·", "第3页"])
def test_page_numbers(text: str) -> None:
    body = layout.Line(90, 500, 700, 16, "各级银行应当增加中长期贷款。")
    assert layout.without_furniture([[body, layout.Line(280, 320, 780, 12, text)]]) == [[body]]


@pytest.mark.parametrize("text", ["2025年6月12日", "2024", "第三条", "128.5亿元"])
def test_last_lines_that_are_no_page_numbers(text: str) -> None:
    body = layout.Line(90, 500, 700, 16, "各级银行应当增加中长期贷款。")
    foot = layout.Line(300, 480, 724, 16, text)
    assert layout.without_furniture([[body, foot]]) == [[body, foot]]


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (rb"{\rtf1\ansi\ansicpg936 \'d6\'d0\'ce\'c4}", "中文"),
        (
            rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset134 SimSun;}{\f1\fcharset0 Arial;}}\f0 \'d6\'d0\f1 abc}",
            "中abc",
        ),
        (rb"{\rtf1\uc1 \u20013 ?\u25991 ?}", "中文"),
        (rb"{\rtf1\uc2 \u20013 \'d6\'d0x}", "中x"),
        (rb"{\rtf1{\uc0 \u20013 }a\u25991 ?b}", "中a文b"),
        (rb"{\rtf1 a\par b\tab c{\v hidden}d\line e}", "a\nb\tcd\ne"),
        (rb"{\rtf1{\info{\title no}}{\*\unknown no}{\header no}{\pict 0102}yes}", "yes"),
        (rb"{\rtf1{\field{\*\fldinst HYPERLINK x}{\fldrslt shown}}}", "shown"),
        (rb"{\rtf1 a\bin3 }{}b}", "ab"),
        (rb"{\rtf1 a\{b\}\\c\~d\_e", "a{b}\\c d-e"),
        (rb"{\rtf1 main{\footnote note} goes on}", "main goes on\nnote"),
        (rb"{\rtf1 \u-10179 ?\u-8704 ?}", ""),
    ],
)
def test_rtf(markup: bytes, text: str) -> None:
    assert tidy(rtf.read(markup, {}, DEFAULT).text) == text


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        ("甲\x13HYPERLINK x\x14显示\x15乙\r", ["甲显示乙", ""]),
        ("\x13A\x13B\x14内\x15\x14外\x15", ["外"]),
        ("一\x07二\x07\x07三\x07四\x07\x07", ["一\t二", "三\t四", ""]),
        ("硬\x0b行\x0c页\x1e接\x1f断\x05注", ["硬", "行", "页-接断注"]),
    ],
)
def test_marks_of_old_word_files(raw: str, lines: list[str]) -> None:
    assert list(doc.shown(raw)) == lines


@pytest.mark.parametrize(
    ("seen", "meant"),
    [
        ("银发[2024）5号", "银发〔2024〕5号"),
        ("金规【2O24〕12号", "金规〔2024〕12号"),
        ("发改产业（2024)第 88号", "发改产业〔2024〕88号"),
        ("云政办发〔2025〕18号", "云政办发〔2025〕18号"),
        ("2024年第5号令", "2024年第5号令"),
        ("(一）总则", "（一）总则"),
    ],
)
def test_document_numbers_after_ocr(seen: str, meant: str) -> None:
    assert mend_numbers(seen) == meant


@given(st.text())
def test_tidy_is_stable_and_clean(text: str) -> None:
    once = tidy(text)
    assert tidy(once) == once
    assert all(line == line.strip() and line for line in once.split("\n")) or once == ""
    assert "\r" not in once and "\0" not in once
