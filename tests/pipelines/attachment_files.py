"""Files for the tests of attachments: the fixtures made by real programs, and hostile ones made on the spot."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent / "fixtures" / "attachments"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def fixture(name: str) -> bytes:
    """The bytes of a fixture."""
    return (HERE / name).read_bytes()


def source(name: str) -> str:
    """The text that a fixture was made of."""
    return (HERE / name).read_text(encoding="utf-8").strip()


def f1(expected: str, found: str, size: int = 4) -> float:
    """F1 over pieces of four characters, as the public figures of libraries are counted."""
    wanted, got = (Counter(t[i : i + size] for i in range(max(1, len(t) - size + 1))) for t in (expected, found))
    common = sum((wanted & got).values())
    return 2 * common / (sum(wanted.values()) + sum(got.values()))


def packed(members: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def docx(body: str, head: str = "") -> bytes:
    """A Word package with this body and, before it, this prologue."""
    return packed(
        {
            "[Content_Types].xml": "<Types/>",
            "word/document.xml": f"{head}<w:document {W}><w:body>{body}</w:body></w:document>",
        }
    )


def paragraph(text: str) -> str:
    """A paragraph of a Word package."""
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def pdf(objects: list[bytes], root: int = 1) -> bytes:
    """A PDF of these objects, numbered from 1."""
    out, places = bytearray(b"%PDF-1.5\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, root, start)
    return bytes(out)


def stream(data: bytes, extra: bytes = b"") -> bytes:
    """A PDF stream object."""
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), extra, data)


def page_objects(content: bytes) -> list[bytes]:
    """Catalogue, pages, a page with this content object (number 4) and a font."""
    return [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >>"
        b" /XObject << /X 6 0 R >> >> >>",
        content,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]


def deflated(size: int, times: int = 1, byte: bytes = b" ") -> bytes:
    """`size` equal bytes, deflated, and that deflated again."""
    engine = zlib.compressobj(9)
    data = b"".join(engine.compress(byte * (1 << 20)) for _ in range(size >> 20)) + engine.flush()
    for _ in range(times - 1):
        data = zlib.compress(data, 9)
    return data


def bomb(name: str, size: int) -> bytes:
    """A zip whose one member unpacks to `size` spaces."""
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    crc, parts, block = 0, [], b" " * (1 << 20)
    for _ in range(size >> 20):
        parts.append(raw.compress(block))
        crc = zlib.crc32(block, crc)
    data = b"".join([*parts, raw.flush()])
    encoded = name.encode()
    sizes = struct.pack("<IIIHH", crc, len(data), size, len(encoded), 0)
    local = b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 33) + sizes + encoded + data
    central = (
        b"PK\x01\x02"
        + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 33)
        + sizes
        + struct.pack("<HHHII", 0, 0, 0, 0, 0)
        + encoded
    )
    return local + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)


def crowd(members: int) -> bytes:
    """A zip with a directory of so many empty members, more than 65,535 of them by the Zip64 record."""
    local = b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", 20, 0, 0, 0, 33, 0, 0, 0, 5, 0) + b"a.txt"
    directory = b"".join(
        b"PK\x01\x02"
        + struct.pack("<HHHHHHIIIHHHHHII", 20, 20, 0, 0, 0, 33, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0)
        + b"%05d.txt" % (n % 100_000)
        for n in range(members)
    )
    start = len(local)
    end = b""
    if members > 0xFFFE:
        end += b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, members, members, len(directory), start)
        end += b"PK\x06\x07" + struct.pack("<IQI", 0, start + len(directory), 1)
    count = min(members, 0xFFFF)
    end += b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), start, 0)
    return local + directory + end
