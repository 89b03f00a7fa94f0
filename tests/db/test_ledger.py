"""The ledger, looking documents up, and the tables that follow the configuration."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from db import journal, ledger, runs
from db.documents import Processed, Span, TaskLabel
from db.ledger import sentence_around
from db.lookup import find_pk, known_of, whole
from db.tables import sync
from db.writer import Writer
from tests.db.helpers import exchange, listing, memory
from tests.db.test_writer import make_document
from tests.pipelines import readers


@pytest.fixture
def database() -> Database:
    """Two documents of task t1, one of another day, one that is not relevant, and none of t2."""
    made = memory()
    journal.apply(made, [exchange(n, entry=f"e{n}") for n in range(1, 4)])
    items = []
    for n, (day, relevant) in enumerate((("2026-03-02", True), ("2026-03-01", True), ("2026-04-01", False)), 1):
        document = make_document(f"h{n}.example", n, "", "第一句。第二句说" if n == 1 else "甲")
        document.published_on, document.relevant, document.outlet = day, relevant, f"outlet {n}"
        items.append(Processed(n, "s", f"e{n}", document))
    Writer(made).store(items)
    return made


def test_each_task_has_its_count_and_its_newest_sentence(database: Database) -> None:
    one, two = ledger.tasks(database)
    assert (one.id, one.documents, two.id, two.documents, two.newest) == ("t1", 2, "t2", 0, None)
    newest = one.newest
    assert newest
    assert (newest.date, newest.outlet, newest.quote) == ("2026-03-02", "outlet 1", "制造业")
    assert newest.sentence == "第二句说 制造业贷款 "
    assert newest.sentence[newest.start : newest.end] == "制造业"


def test_a_retired_task_is_left_out_and_one_below_another_is_counted_by_its_measure(database: Database) -> None:
    database.conn.execute(
        "insert into tasks (id, parent, position, zh, en, status) values ('m1', 't1', 1, 'm', 'm', 'core')"
    )
    database.conn.execute("update tasks set status = 'retired' where id = 't2'")
    document = make_document("m.example", 1, "", "甲")
    document.relevant, span = True, document.tasks[0].spans[0]
    document.tasks = [TaskLabel("t1", 0.5, "m1", spans=[span])]
    Writer(database).store([Processed(9, "s", None, document)])
    assert [(t.id, t.documents) for t in ledger.tasks(database)] == [("t1", 3)]
    assert [(t.id, t.documents) for t in ledger.tasks(database, measures=True)] == [("t1", 3), ("m1", 1)]


def test_coverage_tells_never_reached_from_no_news(database: Database) -> None:
    assert [(c.source, c.never_reached, c.reason) for c in ledger.coverage(database)] == [("s", True, "not tried yet")]
    runs.start_run(database, "r1", "s", started_at="2026-01-01T00:00:00Z")
    runs.finish_run(database, "r1", state="failed", outcome="dns", reason="the name is not known")
    assert [(c.never_reached, c.reason) for c in ledger.coverage(database)] == [(True, "the name is not known")]
    runs.start_run(database, "r2", "s", started_at="2026-01-02T00:00:00Z")
    runs.finish_run(database, "r2", counts={"seen": 3})
    line = ledger.coverage(database)[0]
    assert (line.never_reached, line.watched_since, line.reason) == (False, "2026-01-02T00:00:00Z", "")


@given(st.text("甲乙。；！\n. a", max_size=300), st.data())
def test_a_sentence_always_holds_its_words_in_their_place(text: str, data: st.DataObject) -> None:
    if not text:
        return
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    sentence, left, right = sentence_around(text, start, end, longest=30)
    assert sentence[left:right].replace(" ", "\n") == text[start:end].replace(" ", "\n")
    assert len(sentence) <= max(30, end - start) + 2


@pytest.mark.parametrize(
    ("text", "quote", "sentence"),
    [
        ("前一句。中间这句有贷款二字。后一句。", "贷款", "中间这句有贷款二字。"),
        ("First. The bank lends 2.5 billion to makers. Last.", "lends", "The bank lends 2.5 billion to makers."),
        ("标题\n正文贷款\n下段", "贷款", "正文贷款"),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, quote: str, sentence: str) -> None:
    start = text.index(quote)
    assert sentence_around(text, start, start + len(quote))[0] == sentence


def test_a_document_is_found_by_all_that_a_person_has_at_hand(database: Database) -> None:
    journal.apply(database, [exchange(20, entry="e1")])
    old = database.conn.execute("select id from documents where pk = 1").fetchone()[0]
    renamed = make_document("h1.example", 1, "金发〔2024〕5号", "甲")
    Writer(database).store([Processed(20, "s", "e1", renamed)])
    current = database.conn.execute("select id from documents where pk = 1").fetchone()[0]
    assert old != current
    for key in (current, old, "https://h1.example/1", "https://h1.example/1/", "https://s/e1", "金发〔2024〕5号", "1"):
        assert find_pk(database, key) == 1, key
    assert find_pk(database, "https://nowhere.example/") is None
    found = whole(database, 1)
    assert found
    assert found.document.urls == ["https://h1.example/1"]
    found.document.check_spans()


def test_a_url_that_is_no_document_is_explained_by_the_journal(database: Database) -> None:
    journal.apply(
        database,
        [listing(30, ["x"]), exchange(31, "forbidden", entry="x", reason="the site refuses (403)", status=403)],
    )
    known = known_of(database, "https://s/x")
    assert [(k["what"], k.get("state"), k["reason"]) for k in known] == [
        ("entry", "failed", "the site refuses (403)"),
        ("fetch", "none", "the site refuses (403)"),
    ]


def test_tables_follow_the_configuration_and_nothing_is_written_without_a_change() -> None:
    database = memory()
    config = readers.config()
    sync(database, config)
    before = database.conn.total_changes
    sync(database, config)
    assert database.conn.total_changes == before
    config.sources = {}
    config.taxonomy.tasks = config.taxonomy.tasks[:1]
    sync(database, config)
    assert database.conn.execute("select id, enabled from sources").fetchall() == [("s", 0)]
    assert dict(database.conn.execute("select id, status from tasks").fetchall()) == {"t1": "core", "t2": "retired"}


def test_measures_stand_below_their_task() -> None:
    database = memory()
    config: Any = readers.config()
    measure = SimpleNamespace(id="m1", zh="措施", en="measure", status="core")
    config.taxonomy.tasks[0].measures = (measure,)
    sync(database, config)
    rows = database.conn.execute("select id, parent from tasks order by position, id").fetchall()
    assert rows[:2] == [("t1", None), ("m1", "t1")]


def test_runs_keep_counts_and_failures() -> None:
    database = memory()
    runs.start_run(database, "r1", "s")
    runs.start_run(database, "r2", "s")
    failures = [{"url": f"https://s/{n}", "outcome": "timeout", "reason": "no answer"} for n in range(600)]
    runs.finish_run(database, "r2", counts=runs.Counts(seen=5, new=2), failures=failures)
    assert [r.id for r in runs.list_runs_in_state(database, "running")] == ["r1"]
    run = next(r for r in runs.list_runs(database, "s") if r.id == "r2")
    assert (run.state, run.counts.seen, run.counts.new, len(run.failures)) == ("done", 5, 2, 501)
    assert run.failures[-1]["reason"] == "and 100 more failures"


def test_findings_keep_their_place() -> None:
    database = memory()
    document = make_document("h.example", 1, "", "甲")
    Writer(database).store([Processed(1, "s", None, document)])
    rows = database.conn.execute("select name, value, quote from document_findings").fetchall()
    assert rows == [("money", '{"amount":5,"currency":"CNY"}', "制造业")]
    assert Span("text", 0, 1, "x").weight == 0.0
