"""Cells and files of exports: CSV, XLSX, JSON and JSON lines, written row by row and safe in a spreadsheet.

A cell that begins like a formula (= + - @, tab, line end) would be run by a spreadsheet that opens the CSV; it gets an
apostrophe in front. XLSX cells of text are written as text and need none. Numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

import xlsxwriter

BOM = "\ufeff"
_FORMULA = re.compile(r"^[\s\x00-\x1f\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u2069]*[=+\-@＝＋－＠]|^[\t\r\n]")
_NUMBER = re.compile(r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$")
# what a sheet can hold; a longer cell says so, more rows go to another sheet
CELL, SHEET_ROWS = 32_767, 1_048_575
CHUNK = 200
CUT = "… [{} characters in all; the CSV and JSON exports hold them]"
_XML_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "jsonl": "application/x-ndjson; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def neutral(cell: Any) -> Any:
    """The cell so that no spreadsheet runs it."""
    if not isinstance(cell, str) or not _FORMULA.match(cell) or _NUMBER.match(cell):
        return cell
    return "'" + cell


def flat(value: Any) -> Any:
    """A value for one cell: lists are joined, bytes are named."""
    if isinstance(value, list | tuple):
        return "; ".join(str(flat(v)) for v in value)
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bytes):
        return f"[{len(value)} bytes]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


def as_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """UTF-8 with the mark that makes spreadsheets read it as such."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    out.write(BOM)
    writer.writerow([neutral(c) for c in columns])
    for number, row in enumerate(rows, 1):
        writer.writerow([neutral(flat(value)) for value in row])
        if number % CHUNK == 0:
            yield out.getvalue().encode("utf-8")
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode("utf-8")


def as_jsonl(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """One JSON object per line."""
    part: list[str] = []
    for row in rows:
        part.append(_object(columns, row) + "\n")
        if len(part) >= CHUNK:
            yield "".join(part).encode("utf-8")
            part = []
    if part:
        yield "".join(part).encode("utf-8")


def as_json(columns: Sequence[str], rows: Iterable[Sequence[Any]], head: dict[str, Any]) -> Iterator[bytes]:
    """One JSON object: `head`, then `rows` with an object for each."""
    opening = json.dumps(head, ensure_ascii=False)[:-1]
    yield (opening + (", " if head else "") + '"rows": [').encode("utf-8")
    part: list[str] = []
    first = True
    for row in rows:
        part.append(("\n" if first else ",\n") + _object(columns, row))
        first = False
        if len(part) >= CHUNK:
            yield "".join(part).encode("utf-8")
            part = []
    yield ("".join(part) + "\n]}\n").encode("utf-8")


def _object(columns: Sequence[str], row: Sequence[Any]) -> str:
    values = {name: f"[{len(v)} bytes]" if isinstance(v, bytes) else v for name, v in zip(columns, row, strict=True)}
    return json.dumps(values, ensure_ascii=False)


def as_xlsx(columns: Sequence[str], rows: Iterable[Sequence[Any]], sheet: str) -> Iterator[bytes]:
    """A workbook. It is written to a temporary file row by row (a ZIP is not known before its end), then sent."""
    with tempfile.TemporaryFile(prefix="circularwatch-") as file:
        _write_xlsx(file, columns, rows, sheet)
        file.seek(0)
        while part := file.read(1 << 16):
            yield part


def _write_xlsx(file: IO[bytes], columns: Sequence[str], rows: Iterable[Sequence[Any]], name: str) -> None:
    book = xlsxwriter.Workbook(
        file,
        {"constant_memory": True, "strings_to_urls": False, "strings_to_formulas": False, "strings_to_numbers": False},
    )
    # a workbook says when it was made; the same rows must give the same file
    heading = book.add_format({"bold": True, "bottom": 1})
    sheet = None
    line = SHEET_ROWS
    for row in _with_end(rows):
        if line >= SHEET_ROWS and (row is not None or sheet is None):
            number = len(book.worksheets()) + 1
            sheet = book.add_worksheet(name if number == 1 else f"{name} {number}")
            sheet.freeze_panes(1, 0)
            for place, column in enumerate(columns):
                sheet.write_string(0, place, _cell(column), heading)
                sheet.set_column(place, place, 40 if column in ("title", "evidence", "text", "url") else 16)
            line = 0
        if row is None or sheet is None:
            break
        line += 1
        for place, value in enumerate(map(flat, row)):
            if isinstance(value, int | float):
                # a sheet keeps fifteen digits
                if abs(value) < 10**15:
                    sheet.write_number(line, place, value)
                else:
                    sheet.write_string(line, place, str(value))
            elif value is not None and value != "":
                sheet.write_string(line, place, _cell(str(value)))
    book.close()


def _with_end(rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any] | None]:
    yield from rows
    yield None


def _cell(value: str) -> str:
    """Text that a sheet can hold."""
    value = _XML_FORBIDDEN.sub("\ufffd", value)
    if len(value) > CELL:
        note = CUT.format(len(value))
        value = value[: CELL - len(note)] + note
    return value
