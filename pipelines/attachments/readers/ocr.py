"""Text of scanned pages by RapidOCR, where it is installed (`circularwatch[ocr]`); slow, so only for pages without text."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from statistics import median
from typing import Any

from pipelines.attachments import layout
from pipelines.attachments.limits import Limits, NotRead, damaged
from pipelines.attachments.ocr_ready import INSTALL, is_installed
from pipelines.attachments.readers import Text

# 150 dpi: the characters of an official text (16 point) are 33 pixels high then; the models scale lines to 48
_SCALE = 150 / 72
# the engine shrinks longer sides itself
_MOST_SIDE = 2000
_MOST_PIXELS = 60_000_000
# lines that the engine itself hardly believes are shadows and stamps
_LEAST_SCORE = 0.5
# what stands around the year of a 文号, however it was read: brackets of two kinds, one missing, a letter for a nought
_NUMBER = re.compile(
    r"(?<=[\u4e00-\u9fff])\s*[〔\[【（({［｛「〈<【l|]?\s*([12][09oO][0-9oO]{2})\s*[〕\]】）)}］｝」〉>】J|]\s*第?\s*([0-9oOlI]{1,5})\s*号"
)
_ITEM = re.compile(r"[(（]([一二三四五六七八九十]{1,3})[)）]")
_engine: Any = None


def prepare() -> None:
    """Load the models, as long as files can still be opened."""
    global _engine
    if _engine is None and is_installed():
        from rapidocr import RapidOCR

        single = {
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
        _engine = RapidOCR(params={**single, "Global.log_level": "critical"})
        import numpy
        from PIL import Image  # comes with rapidocr

        Image.init()
        # each of the three models is loaded at its first use
        blank = numpy.full((64, 200, 3), 255, numpy.uint8)
        _engine(blank)
        _engine(blank, use_det=False, use_cls=True, use_rec=True)


def read(body: bytes, options: dict[str, Any], limits: Limits) -> Text:
    """A picture of a page (PNG, JPEG, TIFF). Raises NotRead."""
    _demand("a picture")
    return _text([_page(_decoded(body))], 1, "")


def read_pictures(bodies: Iterator[bytes], given: int, count: int, limits: Limits) -> Text:
    """Several pictures, the pages of one document of `count` pages; at most `limits.ocr_pages`. Raises NotRead."""
    _demand("scanned pages")
    pages = [_page(_decoded(body)) for body in islice(bodies, limits.ocr_pages)]
    return _text(pages, count, _note(given, limits))


def _note(count: int, limits: Limits) -> str:
    return f"only the first {limits.ocr_pages} of {count} scanned pages were read" if count > limits.ocr_pages else ""


def _decoded(body: bytes) -> Any:
    """The picture as an array of blue, green and red, no larger than the engine takes."""
    import numpy
    from PIL import Image

    try:
        with Image.open(io.BytesIO(body)) as image:
            if image.width * image.height > _MOST_PIXELS:
                raise NotRead(f"a picture of more than {_MOST_PIXELS // 1_000_000} million pixels")
            image.draft("RGB", (_MOST_SIDE, _MOST_SIDE))
            shown = image.convert("RGB")
            shown.thumbnail((_MOST_SIDE, _MOST_SIDE))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise damaged("the picture cannot be decoded") from error
    return numpy.asarray(shown)[:, :, ::-1]


def read_pdf(document: Any, limits: Limits) -> Text:
    """Pages of a PDF rendered and read, at most `limits.ocr_pages`. Raises NotRead."""
    _demand("scanned pages")
    count = len(document)
    pages = []
    for number in range(min(count, limits.ocr_pages)):
        page = document[number]
        longest = max(page.get_size()) or 1.0
        scale = min(_SCALE, _MOST_SIDE / longest)
        bitmap = page.render(scale=scale, rev_byteorder=False, draw_annots=True)
        pages.append(_page(bitmap.to_numpy()[:, :, :3]))
        bitmap.close()
        page.close()
    return _text(pages, count, _note(count, limits))


def _demand(what: str) -> None:
    if _engine is None:
        raise NotRead(f"{what}, {INSTALL}")


def _page(image: Any) -> tuple[list[layout.Piece], list[tuple[int, float]]]:
    """Rows of one picture and, for each, its length and how sure the engine is."""
    import numpy

    # said each time, since the engine remembers what the last call said
    found = _engine(numpy.ascontiguousarray(image), use_det=True, use_cls=True, use_rec=True)
    pieces, scores = [], []
    boxes = found.boxes if found.boxes is not None else []
    for box, text, score in zip(boxes, found.txts or (), found.scores or (), strict=False):
        if score < _LEAST_SCORE or not text.strip():
            continue
        left, right = float(min(p[0] for p in box)), float(max(p[0] for p in box))
        # the sides of the box and not its extent: a page that lies askew makes long rows high
        height = sum(math.dist(box[a], box[b]) for a, b in ((0, 3), (1, 2))) / 2
        pieces.append(layout.Piece(left, float(sum(p[1] for p in box)) / 4, right - left, height, text))
        scores.append((len(text), float(score)))
    return pieces, scores


def _text(pages: list[tuple[list[layout.Piece], list[tuple[int, float]]]], count: int, note: str) -> Text:
    heights = [p.size for pieces, _ in pages for p in pieces]
    if not heights:
        raise NotRead("there is no text in it")
    usual = median(heights)
    rows = []
    for pieces, _ in pages:
        # heights of boxes depend on the characters in them; only clearly larger ones are another size
        even = [replace(p, size=_even(p.size, usual)) for p in pieces]
        rows.append(layout.lines(even))
    scores = [s for _, pairs in pages for s in pairs]
    confidence = sum(n * s for n, s in scores) / max(1, sum(n for n, _ in scores))
    text = mend_numbers(layout.paragraphs(rows))
    return Text(text, "ocr", pages=count, confidence=round(confidence, 3), note=note)


def _even(size: float, usual: float) -> float:
    # a box is some 1.2 times as high as the characters
    return usual / 1.2 if 0.65 * usual < size < 1.18 * usual else size / 1.2


def mend_numbers(text: str) -> str:
    """Document numbers with their brackets as they are printed: 银发[2024）5号 was 银发〔2024〕5号, and (一） was （一）."""
    text = _ITEM.sub(r"（\1）", text)
    return _NUMBER.sub(lambda m: f"〔{_digits(m.group(1))}〕{_digits(m.group(2))}号", text)


def _digits(text: str) -> str:
    return text.translate(str.maketrans("oOlI", "0011"))
