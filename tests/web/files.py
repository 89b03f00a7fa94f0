"""Real attachment files made from text: PDF, OFD, DOCX, DOC, XLSX; so that readers have real bytes to read."""

from __future__ import annotations

import datetime as dt
import functools
import io
import textwrap
import zipfile
from html import escape

from . import ole
from .documents import Attachment, blocks

TYPES = {
    "pdf": "application/pdf",
    "ofd": "application/octet-stream",  # what the ministries' servers say of it
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "doc": "application/msword",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
}
PDF_LINES, PDF_COLUMNS = 40, 38  # of an A4 page in 12 point
_EPOCH = (1980, 1, 1, 0, 0, 0)


def make(attachment: Attachment, title: str, published: dt.datetime) -> tuple[bytes, str]:
    """The bytes of an attachment and its media type."""
    return _make(attachment.kind, attachment.text, title, published.date()), TYPES[attachment.kind]


@functools.lru_cache(maxsize=512)
def _make(kind: str, text: str, title: str, day: dt.date) -> bytes:
    if kind in ("xlsx", "xls"):
        return xlsx(text, title)
    lines = lines_of(text, title)
    return {"pdf": pdf, "ofd": ofd, "docx": docx, "doc": ole.word_document}[kind](lines)


def lines_of(text: str, title: str) -> list[str]:
    """Title and paragraphs; a table row becomes one line with its cells apart."""
    lines = [title]
    for kind, part in blocks(text):
        lines += ["　".join(row) for row in part] if kind == "table" else [part]
    return lines


# ---- PDF


def pdf(lines: list[str]) -> bytes:
    """A PDF 1.4 whose one font is Identity-H with a ToUnicode map: what is drawn can be read back as text.

    Source of the format: ISO 32000-1, 9.7 (composite fonts) and 9.10.3 (ToUnicode CMaps).
    """
    wrapped = [piece for line in lines for piece in (_wrap(line) or [""])]
    wrapped = [
        line + " " * (len(line) == 1) for line in wrapped
    ]  # PDFium drops a text object of one glyph without font
    pages = [wrapped[i : i + PDF_LINES] for i in range(0, len(wrapped), PDF_LINES)] or [[""]]
    codes = {char: i for i, char in enumerate(sorted({char for line in wrapped for char in line}), 1)}
    widths = " ".join(f"{code} [{500 if ord(char) < 0x2000 else 1000}]" for char, code in codes.items())
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>"
        % (b" ".join(b"%d 0 R" % (7 + 2 * i) for i in range(len(pages))), len(pages)),
        b"<< /Type /Font /Subtype /Type0 /BaseFont /SimSun /Encoding /Identity-H"
        b" /DescendantFonts [4 0 R] /ToUnicode 6 0 R >>",
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /SimSun /DW 1000 /W [%s] /FontDescriptor 5 0 R"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>" % widths.encode(),
        b"<< /Type /FontDescriptor /FontName /SimSun /Flags 4 /FontBBox [0 -141 1000 859] /ItalicAngle 0"
        b" /Ascent 859 /Descent -141 /CapHeight 683 /StemV 80 >>",
        _stream(_to_unicode(codes)),
    ]
    for i, page in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R"
            b" /Resources << /Font << /F1 3 0 R >> >> >>" % (8 + 2 * i)
        )
        objects.append(_stream(_draw(page, codes)))
    return _assemble(objects)


def _wrap(line: str) -> list[str]:
    if line and ord(max(line)) < 0x2E80:
        return textwrap.wrap(line, PDF_COLUMNS * 2)
    return [line[i : i + PDF_COLUMNS] for i in range(0, len(line), PDF_COLUMNS)]


def _draw(page: list[str], codes: dict[str, int]) -> bytes:
    shown = [b"<%s> Tj T*" % "".join(f"{codes[char]:04x}" for char in line).encode() for line in page]
    return b"BT /F1 12 Tf 18 TL 60 780 Td\n" + b"\n".join(shown) + b"\nET"


def _to_unicode(codes: dict[str, int]) -> bytes:
    pairs = [f"<{code:04x}> <{char.encode('utf-16-be').hex()}>" for char, code in codes.items()]
    groups = [pairs[i : i + 100] for i in range(0, len(pairs), 100)]  # at most 100 in one bfchar block
    body = "\n".join(f"{len(group)} beginbfchar\n" + "\n".join(group) + "\nendbfchar" for group in groups)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        f"1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n{body}\n"
        "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
    ).encode()


def _stream(data: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(data), data)


def _assemble(objects: list[bytes]) -> bytes:
    out, offsets = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


# ---- packages


def _package(files: dict[str, str]) -> bytes:
    """A zip with fixed dates, so that the same text gives the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content.encode(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_OFD_NS = 'xmlns:ofd="http://www.ofdspec.org/2016"'


def ofd(lines: list[str]) -> bytes:
    """An OFD document (GB/T 33190-2016): zip of XML, one text object per line."""
    wrapped = [piece for line in lines for piece in (_wrap(line) or [""])]
    pages = [wrapped[i : i + PDF_LINES] for i in range(0, len(wrapped), PDF_LINES)]
    listed = "".join(f'<ofd:Page ID="{100 + i}" BaseLoc="Pages/Page_{i}/Content.xml"/>' for i in range(len(pages)))
    files = {
        "OFD.xml": f'{_XML}<ofd:OFD {_OFD_NS} Version="1.0" DocType="OFD"><ofd:DocBody><ofd:DocInfo>'
        f"<ofd:Title>{escape(lines[0])}</ofd:Title></ofd:DocInfo>"
        "<ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f"{_XML}<ofd:Document {_OFD_NS}><ofd:CommonData><ofd:MaxUnitID>9999</ofd:MaxUnitID>"
        "<ofd:PageArea><ofd:PhysicalBox>0 0 210 297</ofd:PhysicalBox></ofd:PageArea>"
        "<ofd:PublicRes>PublicRes.xml</ofd:PublicRes></ofd:CommonData>"
        f"<ofd:Pages>{listed}</ofd:Pages></ofd:Document>",
        "Doc_0/PublicRes.xml": f'{_XML}<ofd:Res {_OFD_NS} BaseLoc="Res"><ofd:Fonts>'
        '<ofd:Font ID="2" FontName="SimSun" FamilyName="SimSun"/></ofd:Fonts></ofd:Res>',
    }
    for i, page in enumerate(pages):
        files[f"Doc_0/Pages/Page_{i}/Content.xml"] = _ofd_page(i, page)
    return _package(files)


def _ofd_page(number: int, lines: list[str]) -> str:
    objects = [
        f'<ofd:TextObject ID="{1000 * (number + 1) + n}" Boundary="20 {25 + 6 * n} 170 6" Font="2" Size="4.2">'
        f'<ofd:TextCode X="0" Y="4.2" DeltaX="g {len(line)} 4.2">{escape(line)}</ofd:TextCode></ofd:TextObject>'
        for n, line in enumerate(lines)
        if line
    ]
    return (
        f'{_XML}<ofd:Page {_OFD_NS}><ofd:Content><ofd:Layer ID="{500 + number}">'
        + "".join(objects)
        + "</ofd:Layer></ofd:Content></ofd:Page>"
    )


_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def docx(lines: list[str]) -> bytes:
    """A WordprocessingML package of plain paragraphs (ECMA-376)."""
    text = "".join(f'<w:p><w:r><w:t xml:space="preserve">{escape(line)}</w:t></w:r></w:p>' for line in lines)
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    return _package(
        {
            "[Content_Types].xml": f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>',
            "_rels/.rels": f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
            f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>',
            "word/document.xml": f"{_XML}<w:document {_W}><w:body>{text}<w:sectPr/></w:body></w:document>",
        }
    )


def xlsx(text: str, title: str) -> bytes:
    """A workbook: the title in A1, then one row a paragraph or table row."""
    from openpyxl import Workbook  # slow to import, rarely needed

    book = Workbook()
    sheet = book.active
    sheet.append([title])
    for kind, part in blocks(text):
        for row in part if kind == "table" else [[part]]:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
