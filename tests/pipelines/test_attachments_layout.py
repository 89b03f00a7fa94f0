"""Paragraphs from lines with places, RTF and old Word text, numbers as the OCR sees them: properties and single cases."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.attachments import layout, read
from pipelines.attachments.limits import DEFAULT
from pipelines.attachments.readers import doc, rtf
from pipelines.attachments.readers.ocr import mend_numbers
from pipelines.attachments.tidy import tidy
from tests.pipelines import attachment_files as make

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


def pdf_of(rows: list[str], before: bytes = b"") -> bytes:
    """A PDF of these rows of Helvetica, with operators before them."""
    shown = b" T* ".join(b"(%s) Tj" % row.encode("latin-1") for row in rows)
    return make.pdf(make.page_objects(make.stream(b"BT /F 12 Tf 16 TL 50 700 Td %s %s ET" % (before, shown))))


def test_hyphens_that_belong_to_a_word_stay_at_the_end_of_a_row() -> None:
    rows = [
        "The bank will offer medium- and long-term loans and export-credit lines to makers of",
        "first-of-its-kind tools, and the bank will also offer a number of further new export-",
        "credit lines, and insurers cover the first-of-its-kind tools that were bought by long-",
        "term loans of the banks and by other means, such as leases of the makers themselves.",
    ]
    found = read(pdf_of(rows)).text or ""
    assert "new export-credit lines" in found and "bought by long-term loans" in found


def test_hyphens_of_broken_words_go() -> None:
    rows = [
        "The manufacturing loans of banks were reviewed, and the regulator said that the manu-",
        "facturing loans of the province had grown by a fifth, which the regulator put down to infor-",
        "mation that the banks had been given, and to the lower rates of manufacturing loans.",
    ]
    found = read(pdf_of(rows)).text or ""
    assert "that the manufacturing loans" in found and "down to information that" in found


def test_browsers_break_words_with_a_hyphen_of_their_own() -> None:
    rows = [layout.Line(50, 400, 100, 12, "the regulator spoke of manufactur\u2010")]
    rows.append(layout.Line(50, 300, 114, 12, "ing loans and of manufacturing"))
    assert layout.paragraphs([rows]) == "the regulator spoke of manufacturing loans and of manufacturing"


@pytest.mark.parametrize("spacing", [0, 120, 190, 260])
def test_digits_set_apart_are_one_number(spacing: int) -> None:
    """Letter by letter, as browsers write `letter-spacing`; PDFium takes the gaps for blanks."""
    rows = [
        " ".join(f"({c}) {-spacing}" for c in row) for row in ("No.2026 of 18 November", "3120 million, 14.25 percent")
    ]
    shown = " T* ".join(f"[{row}] TJ" for row in rows)
    content = f"BT /F 12 Tf 16 TL 50 700 Td {shown} ET"
    found = read(make.pdf(make.page_objects(make.stream(content.encode())))).text or ""
    assert "No.2026 of 18 November" in found and "3120 million, 14.25 percent" in found


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
