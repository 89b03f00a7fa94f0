"""Every canned query: what it finds on documents made for it, on its own page, on Datasette's, and as a file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from db.connection import immediate
from db.datasette import questions
from db.datasette.functions import prepare
from db.datasette.site import Site
from db.documents import Document
from tests.db import shelf
from tests.db.shelf import document, get

QUESTIONS, COLUMNS = questions.load()
TRADE, CREDIT = "foreign-trade/export-credit-insurance", "manufacturing-credit"
D = "d{:016x}".format


def documents() -> list[Document]:
    one = document(
        1, "通知一", "出口信用保险。申报截止2026年12月20日。自2026年12月1日起施行。有效期至2027年6月30日。", {TRADE: "出口信用保险"},
        kind="circular", level="central", issuers=["商务部", "财政部"], doc_number="商财发〔2026〕1号", deadline_on="2026-12-20",
        effective_on="2026-12-01", expires_on="2027-06-30", relation="names the circular",
        facets=shelf.facets("industry:aerospace", "instrument:export-credit-insurance", "institution:pboc"),
    )  # fmt: skip
    one.findings = [
        shelf.finding(one, "deadline_on", "2026-12-20", "截止2026年12月20日"),
        shelf.finding(one, "expires_on", "2027-06-30", "有效期至2027年6月30日"),
    ]
    two = document(
        2, "浙江的规定", "出口信用保险和制造业信贷，三亿元。", {TRADE: "出口信用保险", CREDIT: "制造业信贷"}, kind="local rule",
        level="provincial", region="浙江省", issuers=["浙江省商务厅"], published_on="2026-11-20", published_at=None,
    )  # fmt: skip
    two.findings = [shelf.finding(two, "money", {"amount": 300_000_000, "currency": "CNY"}, "三亿元")]
    draft = document(3, "意见稿", "制造业信贷", {CREDIT: "制造业信贷"}, kind="draft", published_on="2026-11-01", deadline_on="2026-12-05",
                     issuers=["中国人民银行"])  # fmt: skip
    draft.tasks[0].explanation["threshold"], draft.tasks[0].score = 0.89, 0.895
    news = document(4, "Loans", "equipment renewal loans", {"industrial-upgrading": "equipment renewal"}, language="en",
                    source="xinhua_en", published_on="2026-11-24")  # fmt: skip
    other = document(5, "不相关", "贷款", None)
    reprint = document(
        6, "通知一转载", one.text, {TRADE: "出口信用保险"}, source="xinhua_zh", url="https://reprint.example/6"
    )
    reprint.identity = one.identity = "doc:商财发〔2026〕1号|商务部"
    reprint.id = one.id = D(1)
    unread = document(
        7, "附件", "见附件", None, attachments=[shelf.file(None, "attachment not read: encrypted", "x.pdf")]
    )
    return [one, two, draft, news, other, reprint, unread]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("questions") / "x.db"
    database = shelf.shelf(where, documents())
    shelf.watched(database, 10, sources=["nfra", "xinhua_en"])
    shelf.run(database, "pboc_lists", "2026-11-26T01:00:00Z", outcome="timeout", reason="no answer came in 60 s")
    with immediate(database) as conn:
        conn.execute("insert into entries (source, key, url, state, reason, said, first_listed_at, last_listed_at, attempts) values "
                     "('nfra', 'k', 'https://shelf.example/k', 'failed', 'gone', '{\"title\": \"丢了\"}', 'x', '2026-11-25T00:00:00Z', 5)")  # fmt: skip
        run = conn.execute("select id from source_runs where source = 'pboc_lists'").fetchone()[0]
        conn.execute("insert into fetches (run, source, kind, url, outcome, reason, fetched_at, archive_file, archive_offset, record_id, state) "
                     "values (?, 'pboc_lists', 'list', 'u', 'timeout', 'slow', '2026-11-26T01:00:00Z', 'f', 0, 'r', 'none')", (run,))  # fmt: skip
    database.close()
    return where


@pytest.fixture(scope="module")
def conn(path: Path) -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(path)
    opened.row_factory = sqlite3.Row
    prepare(opened, Site(shelf.house(), lambda: shelf.NOW))
    yield opened
    opened.close()


def ask(conn: sqlite3.Connection, name: str, **asked: str) -> list[dict[str, Any]]:
    question = QUESTIONS[name]
    values = question.values(
        {p.name: asked.get(p.name, p.default) for p in question.parameters}, Site(shelf.house(), lambda: shelf.NOW)
    )
    return [dict(row) for row in conn.execute(question.sql, values)]


EXPECTED: dict[str, tuple[dict[str, str], list[dict[str, Any]] | int]] = {
    "tasks_without_evidence": ({}, 9),
    "newest_rules_of_a_measure": ({}, [
        {"document": D(1), "issuers": '["商务部","财政部"]', "doc_number": "商财发〔2026〕1号", "published_on": "2026-11-25"},
        {"document": D(2), "issuers": '["浙江省商务厅"]', "region": "浙江省"},
    ]),
    "newest_circulars": ({"level": "provincial"}, [{"document": D(2)}]),
    "deadlines_ahead": ({}, [{"document": D(3), "deadline_on": "2026-12-05"}, {"document": D(1), "words": "截止2026年12月20日"}]),
    "expiring_soon": ({"days": "300"}, [{"document": D(1), "words": "有效期至2027年6月30日"}]),
    "coming_into_force": ({}, [{"document": D(1), "effective_on": "2026-12-01"}]),
    "drafts_for_comment": ({}, [{"document": D(3), "deadline_on": "2026-12-05"}]),
    "issuers_of_a_task": ({}, [
        {"issuer": "商务部", "documents": 1, "rules": 1}, {"issuer": "浙江省商务厅"}, {"issuer": "财政部", "newest_on": "2026-11-25"},
    ]),
    "joint_circulars": ({}, [{"document": D(1), "authorities": 2}]),
    "same_document_elsewhere": ({}, [{"document": D(1)}, {"document": D(1)}]),
    "instruments_by_task": ({}, [{"task": "foreign-trade", "instrument": "export-credit-insurance", "documents": 1}]),
    "industries_by_task": ({"task": "foreign-trade"}, [{"task": "foreign-trade", "industry": "aerospace", "documents": 1}]),
    "institutions_named": ({}, [{"institution": "pboc", "documents": 1, "tasks": 1}]),
    "money_named": ({}, [{"document": D(2), "yuan": 300_000_000, "sentence": "出口信用保险和制造业信贷，【三亿元】。"}]),
    "regions": ({}, [{"region": "浙江省", "documents": 1, "rules": 1, "newest_on": "2026-11-20"}]),
    "by_language": ({}, [
        {"task": "foreign-trade", "in_chinese": 2, "in_english": 0}, {"task": "industrial-upgrading", "in_chinese": 0, "in_english": 1},
        {"task": "manufacturing-credit", "in_chinese": 2},
    ]),
    "weeks_by_task": ({}, [
        {"task": "foreign-trade", "week_from_on": "2026-11-20", "documents": 2},
        {"task": "industrial-upgrading", "week_from_on": "2026-11-20", "documents": 1},
        {"task": "manufacturing-credit", "week_from_on": "2026-11-20", "documents": 1},
        {"task": "manufacturing-credit", "week_from_on": "2026-10-30", "documents": 1},
    ]),
    "silent_sources": ({}, 29),
    "failed_documents": ({}, [{"title": "丢了", "reason": "gone", "attempts": 5}]),
    "attachments_not_read": ({}, [{"document": D(7), "filename": "x.pdf", "reason": "attachment not read: encrypted"}]),
    "refusals": ({}, [{"source": "pboc_lists", "outcome": "timeout", "requests": 1}]),
    "barely_carried": ({"task": "manufacturing-credit"}, [{"document": D(3), "score": 0.895, "words": "制造业信贷"}, {"document": D(2)}]),
    "how_fast": ({}, [{"source": "nfra", "documents": 4, "median_hours": 0.5}, {"source": "xinhua_en", "documents": 1}]),
    "names_the_circular": ({}, [{"document": D(1), "relation": "names the circular"}]),
    "by_query": ({}, [{"document": D(5)}, {"document": D(4)}]),
}  # fmt: skip


def test_there_are_at_least_fifteen_and_each_is_tested() -> None:
    assert len(QUESTIONS) >= 15
    assert QUESTIONS.keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_it_finds_what_it_should(conn: sqlite3.Connection, name: str) -> None:
    asked, expected = EXPECTED[name]
    rows = ask(conn, name, **asked)
    if isinstance(expected, int):
        assert len(rows) == expected
        return
    found = [{key: row[key] for key in wanted} for row, wanted in zip(rows, expected, strict=True)]
    assert found == expected


def test_without_evidence_says_how_much_was_watched(conn: sqlite3.Connection) -> None:
    row = ask(conn, "tasks_without_evidence")[0]
    assert (row["source_days_read"], row["source_days_possible"], row["documents_ever"]) == (20, 29 * 30, 0)
    assert "foreign-trade" not in {r["task"] for r in ask(conn, "tasks_without_evidence")}


def test_the_silent_source_stands_first_with_its_reason(conn: sqlite3.Connection) -> None:
    rows = {row["source"]: row for row in ask(conn, "silent_sources")}
    assert rows["pboc_lists"]["reason"] == "no answer came in 60 s" and rows["pboc_lists"]["last_new_at"] is None
    assert ask(conn, "silent_sources")[-1]["source"] in ("nfra", "xinhua_en")


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_its_page_datasettes_page_and_its_file_agree(path: Path, conn: sqlite3.Connection, name: str) -> None:
    own, datasettes, file = get(
        path, f"/questions/{name}", f"/circularwatch/{name}?_shape=objects", f"/export/question/{name}.jsonl",
        headers={"accept-language": "en"},
    )  # fmt: skip
    assert (own.status_code, datasettes.status_code, file.status_code) == (200, 200, 200)
    rows = [json.loads(line) for line in file.text.splitlines()]
    assert rows == ask(conn, name)
    assert f"<b>{len(rows)} rows</b>" in own.text or (not rows and "No rows" in own.text)
    assert QUESTIONS[name].title["en"] in own.text


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_datasettes_empty_form_means_the_defaults(conn: sqlite3.Connection, name: str) -> None:
    empty = {p.name: "" for p in QUESTIONS[name].parameters}
    assert [dict(r) for r in conn.execute(QUESTIONS[name].sql, empty)] == ask(conn, name)


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_every_column_has_a_heading_in_both_languages(conn: sqlite3.Connection, name: str) -> None:
    cursor = conn.execute(QUESTIONS[name].sql, QUESTIONS[name].values({}, Site(shelf.house(), lambda: shelf.NOW)))
    assert {column[0] for column in cursor.description} <= COLUMNS.keys()


def test_a_bad_search_in_a_question_is_a_sentence(path: Path) -> None:
    page, file = get(
        path, "/questions/by_query?q=%28", "/export/question/by_query.csv?q=%28", headers={"accept-language": "en"}
    )
    assert page.status_code == file.status_code == 400
    for answer in (page, file):
        assert "The query failed" in answer.text and "position 1: something must follow" in answer.text
    (dates,) = get(path, "/export/question/by_query.csv?q=published:2026")
    assert dates.status_code == 400 and "use the columns published_on" in dates.text


def test_ids_in_datasettes_tables_lead_to_our_pages(path: Path) -> None:
    documents, labels = get(path, "/circularwatch/documents", "/circularwatch/document_tasks")
    assert f'<a href="/document/{D(1)}">' in documents.text
    assert '<a href="/task/foreign-trade">Better financial services' in labels.text
    assert 'class="cwbrand"' in documents.text


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("出口信用保险", 2),
        ("貸款", 1),
        ("loan", 1),
        ("(", 0),
        ('"unbalanced', 0),
        ("task:manufacturing-credit", 2),
        ("保险 OR loans", 3),
        ("浙江 published:2026", 0),
    ],
)
def test_datasettes_own_search_box_speaks_the_query_language(path: Path, typed: str, found: int) -> None:
    from urllib.parse import quote

    (answer,) = get(path, f"/circularwatch/documents.json?_shape=objects&_search={quote(typed)}")
    assert answer.status_code == 200
    assert len(answer.json()["rows"]) == found
