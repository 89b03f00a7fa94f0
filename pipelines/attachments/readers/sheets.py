"""Text of spreadsheets: a row a line, cells parted by tabs, hidden sheets left out, formulas by their last value."""

from __future__ import annotations

import csv
import datetime as dt
import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterable
from typing import Any

from pipelines import content
from pipelines.attachments.limits import ENCRYPTED, MB, Limits, NotRead, damaged
from pipelines.attachments.package import Package
from pipelines.attachments.readers import Text


def read(body: bytes, options: dict[str, Any], limits: Limits) -> Text:
    """By kind: xlsx, xls, csv. Raises NotRead."""
    lines = _Lines(limits)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of every extension that it does not know
        pages = {"xlsx": _xlsx, "xls": _xls, "csv": _csv}[options["kind"]](body, lines)
    note = f"only its first {limits.rows:,} rows were read" if lines.full else ""
    return Text("\n".join(lines.out), options["kind"], pages=pages, note=note)


class _Lines:
    """Rows as text, up to the limit."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.out: list[str] = []
        self.seen = 0
        self.full = False

    def add(self, cells: Iterable[Any]) -> None:
        self.seen += 1
        self.full = self.full or self.seen > self.limits.rows
        shown = [text for text, _ in zip(map(shown_value, cells), range(self.limits.columns), strict=False) if text]
        if shown and not self.full:
            self.out.append("\t".join(shown))


def shown_value(value: Any) -> str:
    """A cell as a reader sees it: whole numbers without a point, dates as ISO dates, text in one line."""
    if value is None or value is False or value == "":
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.12g}"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "minutes")
    return " ".join(str(value).split())


def _xlsx(body: bytes, lines: _Lines) -> int:
    import openpyxl

    package = Package(body, lines.limits)
    if "xl/workbook.xml" not in package:
        raise NotRead("the binary Excel format (.xlsb) is not read")
    # zipfile gives no more of a member than its directory says, so its sizes can be checked beforehand
    sizes = [i.file_size for i in package.zip.infolist()]
    if sum(sizes) > lines.limits.unpacked_all or max(sizes) > lines.limits.unpacked:
        raise NotRead(f"unpacks to more than {lines.limits.unpacked // MB} MB")
    if any(i.flag_bits & 1 for i in package.zip.infolist()):
        raise NotRead(ENCRYPTED)
    try:
        book = openpyxl.load_workbook(io.BytesIO(body), read_only=True, data_only=True, keep_links=False)
        sheets = [s for s in book.worksheets if s.sheet_state == "visible"]
        for sheet in sheets:
            _name(sheet.title, len(sheets), lines)
            sheet.reset_dimensions()  # what it says about its size may be a million empty columns
            for row in sheet.iter_rows(values_only=True, max_col=lines.limits.columns):
                lines.add(row)
                if lines.full:
                    break
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, SyntaxError, OSError) as error:
        raise damaged(f"{type(error).__name__} in the workbook") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, AssertionError) as error:
        raise damaged("its package cannot be unpacked") from error
    return len(sheets)


def _name(title: str, sheets: int, lines: _Lines) -> None:
    """The name of a sheet stands above it where there are several and it says something."""
    if sheets > 1 and not title.lower().startswith("sheet"):
        lines.add([title])


def _xls(body: bytes, lines: _Lines) -> int:
    import xlrd

    try:
        book = xlrd.open_workbook(file_contents=body, logfile=io.StringIO(), on_demand=False)
    except xlrd.XLRDError as error:
        raise NotRead(ENCRYPTED) if "ncrypt" in str(error) else damaged(str(error)[:80]) from error
    except Exception as error:  # xlrd raises whatever its arithmetic on damaged bytes raises
        raise damaged(f"{type(error).__name__} in the workbook") from error
    sheets = [s for s in book.sheets() if not s.visibility]
    for sheet in sheets:
        _name(sheet.name, len(sheets), lines)
        for n in range(min(sheet.nrows, lines.limits.rows + 1)):
            lines.add(_xls_value(cell, book.datemode) for cell in sheet.row(n)[: lines.limits.columns])
            if lines.full:
                break
    return len(sheets)


def _xls_value(cell: Any, datemode: int) -> Any:
    import xlrd

    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            return xlrd.xldate_as_datetime(cell.value, datemode)
        except (ValueError, OverflowError, xlrd.XLDateError):
            return cell.value
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return "TRUE" if cell.value else ""
    return None if cell.ctype == xlrd.XL_CELL_ERROR else cell.value


def _csv(body: bytes, lines: _Lines) -> int | None:
    text = content.to_text(body).text
    csv.field_size_limit(lines.limits.characters)
    first = text[:4000].split("\n", 1)[0]
    mark = max(",\t;|", key=first.count)
    try:
        for row in csv.reader(io.StringIO(text), delimiter=mark):
            lines.add(row)
            if lines.full:
                break
    except csv.Error as error:
        raise damaged(f"its table breaks off: {error}") from error
    return None
