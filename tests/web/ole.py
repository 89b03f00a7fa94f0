"""A legacy Word file (.doc) made by hand: an OLE compound file with the piece table that readers look for."""

from __future__ import annotations

import struct

SECTOR = 512
FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def word_document(lines: list[str]) -> bytes:
    """A Word 97 document of plain paragraphs.

    Source of the format: [MS-DOC] 2.5 (FIB) and 2.9.38 (Clx, one piece of UTF-16 text).
    """
    text = ("\r".join(lines) + "\r").encode("utf-16-le")
    count = len(text) // 2
    start = 2048
    piece = struct.pack("<HIH", 0, start, 0)  # fc without bit 30: the piece is UTF-16
    plc = struct.pack("<II", 0, count) + piece
    clx = b"\x02" + struct.pack("<I", len(plc)) + plc
    fib = bytearray(start)
    struct.pack_into("<HHHHHHH", fib, 0, 0xA5EC, 0x00C1, 0, 0x0804, 0, 0x1200, 0x00BF)  # magic, nFib, lid zh-CN, 1Table
    struct.pack_into("<II", fib, 0x18, start, start + len(text))  # fcMin, fcMac
    struct.pack_into("<HH", fib, 0x20, 14, 0)
    struct.pack_into("<H", fib, 0x3E, 22)  # cslw
    struct.pack_into("<I", fib, 0x40, start + len(text))  # cbMac
    struct.pack_into("<I", fib, 0x4C, count)  # ccpText
    struct.pack_into("<H", fib, 0x98, 0x5D)  # cbRgFcLcb of Word 97
    struct.pack_into("<II", fib, 0x1A2, 0, len(clx))  # fcClx, lcbClx
    return compound({"WordDocument": bytes(fib) + text, "1Table": clx})


def compound(streams: dict[str, bytes]) -> bytes:
    """An OLE compound file, version 3 ([MS-CFB]); every stream is padded over 4,096 bytes, so none is a mini stream."""
    data = bytearray()
    chains: list[int] = []
    entries = [_entry("Root Entry", 5, child=1)]
    names = sorted(streams, key=lambda name: (len(name), name.upper()))
    for position, name in enumerate(names, 1):
        body = streams[name].ljust(4096, b"\0")
        first = len(chains)
        sectors = -(-len(body) // SECTOR)
        chains += [*range(first + 1, first + sectors), END]
        data += body.ljust(sectors * SECTOR, b"\0")
        sibling = position + 1 if position < len(names) else FREE
        entries.append(_entry(name, 2, right=sibling, start=first, size=len(body)))
    directory = len(chains)
    table = b"".join(entries)
    sectors = -(-len(table) // SECTOR)
    chains += [*range(directory + 1, directory + sectors), END]
    data += table.ljust(sectors * SECTOR, b"\0")
    fat_sectors = 1
    while fat_sectors * (SECTOR // 4) < len(chains) + fat_sectors:
        fat_sectors += 1
    first_fat = len(chains)
    chains += [FAT] * fat_sectors
    fat = struct.pack(f"<{len(chains)}I", *chains).ljust(fat_sectors * SECTOR, b"\xff")
    return _header(directory, first_fat, fat_sectors) + bytes(data) + fat


def _header(directory: int, first_fat: int, fat_sectors: int) -> bytes:
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16)
    head += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIII", 0, fat_sectors, directory, 0, 4096)
    head += struct.pack("<IIII", END, 0, END, 0)
    located = [first_fat + i for i in range(fat_sectors)] + [FREE] * (109 - fat_sectors)
    return head + struct.pack("<109I", *located)


def _entry(name: str, kind: int, right: int = FREE, child: int = FREE, start: int = END, size: int = 0) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    entry = encoded.ljust(64, b"\0") + struct.pack("<HBB", len(encoded), kind, 1)
    entry += struct.pack("<III", FREE, right, child) + bytes(16) + struct.pack("<I", 0) + bytes(16)
    return entry + struct.pack("<IQ", start, size)
