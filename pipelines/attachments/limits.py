"""What one attachment may cost, and the words for a file that was not read: both are promises to users and operators."""

from __future__ import annotations

from dataclasses import dataclass

MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for one attachment. Times in seconds, sizes in bytes.

    `cpu_s` is computing time of the reading process; `wall_s` is longer, because other programs may have the processor.
    OCR has its own times: it takes two to five seconds a page by nature. `memory` bounds the address space.
    """

    file: int = 50 * MB
    cpu_s: int = 20
    wall_s: float = 60.0
    memory: int = 1024 * MB
    ocr_cpu_s: int = 90
    ocr_wall_s: float = 240.0
    # onnxruntime reserves far more addresses than it touches (0.8 GB touched, measured on an A4 page at 150 dpi)
    ocr_memory: int = 6 * 1024 * MB
    ocr_pages: int = 20
    pages: int = 1000
    # of one member of a package, and of all members together: the largest honest annexes unpack to some 60 MB
    unpacked: int = 100 * MB
    unpacked_all: int = 200 * MB
    # a member that shrank to less than 1/500 is text repeated on purpose; real XML packs to 1/5 to 1/50
    ratio: int = 500
    members: int = 2000
    depth: int = 2
    characters: int = 3_000_000
    rows: int = 50_000
    columns: int = 256


DEFAULT = Limits()


class NotRead(Exception):
    """The file gives no text; str() is the reason in words, without the prefix `attachment not read:`."""


ENCRYPTED = "encrypted"
DAMAGED = "damaged"


def damaged(detail: str = "") -> NotRead:
    """The file is not what it says it is, or was cut off."""
    return NotRead(f"{DAMAGED} ({detail})" if detail else DAMAGED)
