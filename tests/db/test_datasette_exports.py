"""Every export is whole, says what the page says, keeps Chinese as it is, and runs nothing in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.datasette import cells
from tests.bench import corpus
from tests.db import shelf
from tests.db.shelf import document, get, page

ROWS = 2_500
SEARCH = "q=" + quote("出口信用保险")
TRADE = "foreign-trade/export-credit-insurance"
FORMULAS = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "＝1+1",
    ' =HYPERLINK("http://x")',
    "\r=1",
    "\ufeff=1",
]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("exports") / "x.db"
    made = [
        document(
            n,
            f"第{n}号：“制造业”,\n贷款㐂𠮷",
            f"出口信用保险第{n}号。",
            {TRADE: "出口信用保险"},
            issuers=["商务部", "财政部"],
        )
        for n in range(1, ROWS + 1)
    ]
    for n, formula in enumerate(FORMULAS):
        made[n].title = formula
    shelf.shelf(where, made).close()
    return where


def rows_of(format_: str, body: bytes) -> list[dict[str, Any]]:
    if format_ == "csv":
        assert body.startswith(b"\xef\xbb\xbf")
        return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    if format_ == "jsonl":
        return [json.loads(line) for line in body.decode().splitlines()]
    if format_ == "json":
        whole = json.loads(body)
        assert whole["count"] == len(whole["rows"])
        return whole["rows"]  # type: ignore[no-any-return]
    sheet = openpyxl.load_workbook(io.BytesIO(body), read_only=True).active
    head, *rows = sheet.iter_rows(values_only=True)  # type: ignore[union-attr]
    return [dict(zip(map(str, head), row, strict=False)) for row in rows]


@pytest.mark.parametrize("format_", ["csv", "xlsx", "json", "jsonl"])
@pytest.mark.parametrize(
    "what",
    [
        f"search.{{}}?{SEARCH}",
        f"search.{{}}?{SEARCH}&order=relevance",
        "task/foreign-trade.{}",
        "task/foreign-trade.{}?lang=zh&q=" + quote("保险"),
    ],
)
def test_2500_rows_are_2500_rows(path: Path, what: str, format_: str) -> None:
    (answer,) = get(path, "/export/" + what.format(format_))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == cells.TYPES[format_]
    assert re.fullmatch(
        rf'attachment; filename="circularwatch-[a-z-]+-2026-11-26\.{format_}"', answer.headers["content-disposition"]
    )
    rows = rows_of(format_, answer.content)
    assert len(rows) == ROWS == int(answer.headers["x-rows"])
    assert len({row["id"] for row in rows}) == ROWS
    one = next(row for row in rows if row["id"] == f"d{1000:016x}")
    assert one["title"] == "第1000号：“制造业”,\n贷款㐂𠮷"
    assert one["evidence"] == "出口信用保险第1000号。"
    assert one["issuers"] in ("商务部; 财政部", ["商务部", "财政部"])


def test_the_page_counts_what_the_export_holds(path: Path) -> None:
    for address in (f"/search?{SEARCH}", "/task/foreign-trade", "/task/foreign-trade?lang=zh"):
        assert "<b>2,500 documents</b>" in page(path, address)


def test_whole_texts_only_when_asked_for(path: Path) -> None:
    plain, full = get(path, f"/export/search.jsonl?{SEARCH}", f"/export/search.jsonl?{SEARCH}&text=1")
    assert "text" not in json.loads(plain.text.splitlines()[0])
    assert json.loads(full.text.splitlines()[0])["text"].startswith("出口信用保险第")


def test_a_bad_query_or_unknown_task_gives_no_file(path: Path) -> None:
    bad, empty, none, never = get(
        path,
        "/export/search.csv?q=%28",
        "/export/search.csv",
        "/export/task/none.csv",
        "/export/question/none.csv",
        headers={"accept-language": "en"},
    )
    assert (bad.status_code, empty.status_code, none.status_code, never.status_code) == (400, 400, 404, 404)
    assert bad.text.startswith("The query cannot be run, character 1")


def test_no_cell_of_a_csv_is_a_formula(path: Path) -> None:
    (answer,) = get(path, f"/export/search.csv?{SEARCH}")
    titles = {row["id"]: row["title"] for row in rows_of("csv", answer.content)}
    assert [titles[f"d{n + 1:016x}"] for n in range(len(FORMULAS))] == ["'" + formula for formula in FORMULAS]


def test_no_cell_of_a_workbook_is_a_formula(path: Path) -> None:
    (answer,) = get(path, f"/export/search.xlsx?{SEARCH}")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    kinds = {cell.data_type for row in book.active.iter_rows() for cell in row if cell.value is not None}  # type: ignore[union-attr]
    assert kinds <= {"s", "n", "inlineStr"}
    titles = [row[1].value for row in book.active.iter_rows(min_row=2)]  # type: ignore[union-attr]
    assert "=1+1" in titles


@given(st.text(max_size=30))
def test_a_neutral_cell_never_starts_a_formula_and_loses_nothing(text: str) -> None:
    shown = cells.neutral(text)
    assert shown in (text, "'" + text)
    # what a spreadsheet strips before it looks for a formula
    first = shown.lstrip(" \t\r\n\ufeff\xa0")[:1]
    number = re.fullmatch(r"[+-]?[\d.]+([eE][+-]?\d+)?", shown)
    assert first not in set("=+-@") or number


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
            st.integers(-(2**60), 2**60),
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
        )
    )
)
def test_every_format_gives_back_the_rows(rows: list[tuple[str, int, float | None]]) -> None:
    names = ["a", "b", "c"]
    as_json = json.loads(b"".join(cells.as_json(names, iter(rows), {"count": len(rows)})))
    assert [tuple(row[n] for n in names) for row in as_json["rows"]] == rows
    lines = b"".join(cells.as_jsonl(names, iter(rows))).decode().split("\n")[:-1]
    assert [tuple(json.loads(line)[n] for n in names) for line in lines] == rows
    table = list(csv.reader(io.StringIO(b"".join(cells.as_csv(names, iter(rows))).decode("utf-8-sig"), newline="")))
    assert len(table) == len(rows) + 1
    assert [row[1] for row in table[1:]] == [str(row[1]) for row in rows]


def test_cells_longer_than_a_sheet_holds_say_so_and_more_rows_go_to_another_sheet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cells, "SHEET_ROWS", 10)
    body = b"".join(cells.as_xlsx(["a"], ([f"{n}" + "长" * 40_000] for n in range(25)), "x"))
    book = openpyxl.load_workbook(io.BytesIO(body))
    assert [sheet.max_row - 1 for sheet in book.worksheets] == [10, 10, 5]
    values = [row[0].value for sheet in book.worksheets for row in sheet.iter_rows(min_row=2)]
    assert [int(re.match(r"\d+", value).group()) for value in values] == list(range(25))  # type: ignore[union-attr]
    assert all(len(value) <= cells.CELL and re.search(r"4000[12] characters in all", value) for value in values)


@pytest.mark.parametrize("make", [cells.as_csv, cells.as_jsonl, lambda c, r: cells.as_json(c, r, {})])
def test_rows_are_read_only_as_they_are_sent(make: Any) -> None:
    read = 0

    def rows() -> Iterator[list[str]]:
        nonlocal read
        for n in range(100_000):
            read = n + 1
            yield [str(n)]

    sent, furthest = 0, 0
    for part in make(["a"], rows()):
        sent += part.count(b"\n")
        furthest = max(furthest, read - sent)
    assert read == 100_000 and furthest <= cells.CHUNK + 2


def test_a_table_and_a_query_of_datasette_are_whole_and_safe_too(path: Path) -> None:
    own = "/circularwatch.csv?sql=" + quote("select id, title from documents order by pk")
    table, query, canned = get(
        path, "/circularwatch/documents.csv?_sort=pk&_nocol=text", own, "/circularwatch/same_document_elsewhere.csv"
    )
    for answer in (table, query):
        rows = rows_of("csv", answer.content)
        assert answer.headers["content-type"].startswith("text/csv")
        assert len(rows) == ROWS
        assert rows[0]["title"] == "'=1+1" and rows[1]["title"].startswith("'+cmd")
    assert canned.status_code == 200 and canned.content.startswith(b"\xef\xbb\xbf")


def test_sql_that_is_no_question_is_refused(path: Path) -> None:
    for sql in (
        "delete from documents",
        "pragma journal_mode",
        "select nope from documents",
        "with x as (select 1) delete from documents",
    ):
        (answer,) = get(path, "/circularwatch.csv?sql=" + quote(sql))
        assert answer.status_code == 400, sql


def test_a_fault_in_the_middle_breaks_the_file_off(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a file must never look like a whole one: the connection ends without the last chunk."""
    import uvicorn

    from db.datasette import build, exports

    real = exports._evidence

    def failing(conn: Any, row: Any, task: str, measure: str) -> str:
        if row["pk"] == 1:  # among the last of 2,500
            raise OSError("the disk went away")
        return real(conn, row, task, measure)

    monkeypatch.setattr(exports, "_evidence", failing)
    datasette = build(shelf.house(), path, clock=lambda: shelf.NOW)
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    server = uvicorn.Server(uvicorn.Config(datasette.app(), log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        client = socket.create_connection(sock.getsockname(), timeout=60)
        client.sendall(f"GET /export/search.csv?{SEARCH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        body = b""
        while part := client.recv(1 << 16):
            body += part
        assert body.startswith(b"HTTP/1.1 200") and len(body) > 100_000
        assert not body.endswith(b"0\r\n\r\n")
    finally:
        server.should_exit = True
        thread.join(30)


def test_exports_of_generated_documents_equal_the_tables(tmp_path: Path) -> None:
    database = corpus.build(tmp_path / "x.db", 3_000)
    for task, number in database.execute(
        "select task, sum(documents) from task_days where measure = '' and task <> '' group by task"
    ).fetchall():
        (answer,) = get(tmp_path / "x.db", f"/export/task/{task}.jsonl")
        ids = [json.loads(line)["id"] for line in answer.text.splitlines()]
        assert len(ids) == number
        stored = database.execute(
            "select distinct d.id from documents d join document_tasks t on t.document = d.pk and t.classifier = d.classifier "
            "where t.task = ? and d.relevant order by d.search_key desc", (task,)).fetchall()  # fmt: skip
        assert sorted(ids) == sorted(row[0] for row in stored)
