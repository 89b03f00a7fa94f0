"""The merge: any order of arrival and any batching gives the same tables."""

from __future__ import annotations

import copy
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

import db
from db import compare, journal, observations
from db.bundles import pending
from db.documents import Attachment, Document, Facet, Finding, Processed, Span, TaskLabel
from db.journal import Exchange, ListRead
from db.search.index import _ROWS, faults
from db.writer import Writer
from tests.db.helpers import add_tasks, exchange, listing, memory

HOSTS = ["a.gov.cn", "b.gov.cn", "c.example", "d.example", "e.example"]


def make_document(
    host: str, page: int, number: str, words: str, *, firsthand: bool = False, level: str = ""
) -> Document:
    text = f"{words} 制造业贷款 {number}"
    start = text.index("制造业")
    span = Span("text", start, start + 3, "制造业", "terms", 1.0)
    url = f"https://{host}/{page}"
    document = Document(url=url, canonical_url=url, title=f"{words} 通知", text=text, source="s", language="zh")
    document.doc_number, document.firsthand, document.level = number, firsthand, level
    document.identity = f"number:{number}" if number else url
    document.tasks = [TaskLabel("t1", 0.9, spans=[span])]
    document.facets = [Facet("industry", "steel", [span])]
    document.findings = [Finding("money", {"amount": 5, "currency": "CNY"}, span)]
    if len(words) % 2:
        document.attachments = [
            Attachment(url + "/f.pdf", "f.pdf", text=words * 3),
            Attachment(url + "/g.pdf", error="no"),
        ]
    return document


@st.composite
def worlds(draw: st.DrawFn) -> list[Processed]:
    """Fetches of a few URLs over time; what a URL says, its number included, may change from fetch to fetch."""
    items = []
    for fetch in range(1, draw(st.integers(2, 9)) + 1):
        host, page = draw(st.sampled_from(HOSTS)), draw(st.integers(1, 2))
        number = draw(st.sampled_from(["", "", "金发〔2024〕5号", "工信〔2025〕1号"]))
        words = draw(st.sampled_from(["甲", "乙丙", "丁戊己", "庚辛壬癸"]))
        document = make_document(
            host, page, number, words, firsthand=draw(st.booleans()), level=draw(st.sampled_from(["", "central"]))
        )
        broken = draw(st.integers(0, 9)) == 0
        items.append(
            Processed(
                fetch,
                "s",
                f"{host}/{page}",
                None if broken else document,
                "unreadable" if broken else "ok",
                "x" if broken else "",
            )
        )
    return items


def replay(items: list[Processed], order: list[int], sizes: list[int]) -> Database:
    """A database in which these items were processed in this order and in batches of these sizes."""
    database = memory()
    events: list[journal.Event] = [listing(1, [i.entry or "" for i in items])]
    events += [exchange(i.fetch_id, entry=i.entry, run=f"r{i.fetch_id}") for i in items]
    journal.apply(database, events)
    writer, queue, turn = Writer(database), [copy.deepcopy(items[i]) for i in order], 0
    while queue:
        size = sizes[turn % len(sizes)]
        writer.store(queue[:size])
        queue, turn = queue[size:], turn + 1
    return database


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds(), st.randoms(use_true_random=False), st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_any_order_and_any_batching_gives_the_same_tables(
    items: list[Processed], rng: random.Random, sizes: list[int]
) -> None:
    order = list(range(len(items)))
    straight = replay(items, order, [1])
    rng.shuffle(order)
    shuffled = replay(items, order, sizes)
    assert compare.differences(straight, shuffled) == []
    for database in (straight, shuffled):
        assert faults(database.conn) == []
        assert database.conn.execute("pragma foreign_key_check").fetchall() == []
        check_invariants(database)


def check_invariants(database: Database) -> None:
    conn = database.conn
    dangling = "select count(*) from entries where document is not null and document not in (select pk from documents)"
    assert conn.execute(dangling).fetchone()[0] == 0
    assert conn.execute("select count(*) from entries where state = 'done' and document is null").fetchone()[0] == 0
    for pk, identity in conn.execute("select pk, identity from documents").fetchall():
        assert conn.execute("select count(*) from document_urls where document = ?", (pk,)).fetchone()[0] > 0
        assert observations.best(conn, identity) is not None
    for (url,) in conn.execute("select canonical_url from observations").fetchall():
        row = observations.get(conn, url)
        assert row is not None
        observations.load(conn, row).check_spans()


def test_the_same_circular_on_five_hosts_is_one_document_with_five_urls() -> None:
    items = [
        Processed(i + 1, "s", host, make_document(host, 1, "金发〔2024〕5号", "甲" * (i + 1), firsthand=i == 2))
        for i, host in enumerate(HOSTS)
    ]
    database = replay(items, [4, 2, 0, 1, 3], [2])
    rows = list(database.query("select pk, id, url, first_seen_at from documents"))
    assert [(r["pk"], r["url"]) for r in rows] == [(1, "https://c.example/1")], "the firsthand one supplies the fields"
    assert rows[0]["first_seen_at"] == "2026-01-01T00:00:01Z"
    assert database["document_urls"].count == 5
    assert database.conn.execute("select count(distinct document) from entries").fetchone()[0] == 1


def test_a_page_that_gains_its_number_joins_the_other_and_the_old_link_still_leads_there() -> None:
    database = memory()
    events = [exchange(n, entry=f"e{n}") for n in (1, 2, 3)]
    journal.apply(database, events)
    database.conn.execute("create table judgements_test (document integer references documents(pk), said text)")
    writer = Writer(database)
    writer.store([Processed(1, "s", "e1", make_document("a.gov.cn", 1, "", "甲"))])
    old = database.conn.execute("select id from documents").fetchone()[0]
    writer.store([Processed(2, "s", "e2", make_document("b.gov.cn", 1, "金发〔2024〕5号", "乙丙"))])
    database.conn.execute("insert into judgements_test values (1, 'good')")
    writer.store([Processed(3, "s", "e1", make_document("a.gov.cn", 1, "金发〔2024〕5号", "丁戊己"))])
    assert database.conn.execute("select pk from documents").fetchall() == [(1,)]
    assert database.conn.execute("select document from judgements_test").fetchall() == [(1,)]
    assert database.conn.execute("select id, canonical_url from document_aliases").fetchall() == [
        (old, "https://a.gov.cn/1")
    ]
    assert database.conn.execute("select document from entries where document is not null").fetchall() == [(1,), (1,)]
    assert database.conn.execute("pragma foreign_key_check").fetchall() == []


def test_a_renamed_document_keeps_what_others_say_about_it() -> None:
    database = memory()
    journal.apply(database, [exchange(n, entry="e") for n in (1, 2)])
    database.conn.execute("create table judgements_test (document integer references documents(pk), said text)")
    writer = Writer(database)
    writer.store([Processed(1, "s", "e", make_document("a.gov.cn", 1, "", "甲"))])
    database.conn.execute("insert into judgements_test values (1, 'good')")
    database.conn.execute(
        "insert into alert_matches (rule, document, reason, matched_at) select 'r', id, 'new', '2026' from documents"
    )
    writer.store([Processed(2, "s", "e", make_document("a.gov.cn", 1, "金发〔2024〕5号", "甲"))])
    rows = database.conn.execute(
        "select d.pk, d.doc_number from judgements_test j join documents d on d.pk = j.document"
    )
    assert rows.fetchall() == [(1, "金发〔2024〕5号")]
    told = "select count(*) from alert_matches m join documents d on d.id = m.document"
    assert database.conn.execute(told).fetchone() == (1,)


@pytest.mark.parametrize("field", ["quote", "offset", "unknown field", "no span", "unknown task", "surrogate"])
def test_a_false_claim_is_refused_with_the_reason_and_the_rest_goes_on(field: str) -> None:
    database = memory()
    journal.apply(database, [exchange(n, entry=f"e{n}") for n in (1, 2, 3)])
    bad = make_document("b.gov.cn", 1, "", "乙丙")
    span = bad.tasks[0].spans[0]
    changes = {"quote": Span("text", span.start, span.end, "贷款"), "offset": Span("text", 0, 3, "制造业")}
    changes["unknown field"] = Span("attachment:7", 0, 3, "制造业")
    if field in changes:
        bad.tasks[0].spans = [changes[field]]
    elif field == "no span":
        bad.tasks[0].spans = []
    elif field == "unknown task":
        bad.tasks[0].id = "t9"
    else:
        bad.author = "\ud800"
    good = [make_document("a.gov.cn", 1, "", "甲"), make_document("c.example", 1, "", "丁戊己")]
    stored = Writer(database).store(
        [Processed(1, "s", "e1", good[0]), Processed(2, "s", "e2", bad), Processed(3, "s", "e3", good[1])]
    )
    assert [d.pk for d in stored.documents] == [1, 3]
    assert [f[0] for f in stored.failed] == [2]
    state, error = database.conn.execute("select state, error from fetches where id = 2").fetchone()
    assert (state, error.startswith("refused: ")) == ("failed", True)
    entry = database.conn.execute("select state, reason from entries where key = 'e2'").fetchone()
    assert entry == ("failed", error)
    assert database.conn.execute("select count(*) from observations").fetchone()[0] == 2


def test_an_unreadable_document_fails_its_entry_and_a_later_one_repairs_it() -> None:
    database = memory()
    journal.apply(database, [exchange(1, entry="e")])
    writer = Writer(database)
    writer.store([Processed(1, "s", "e", None, "soft-404", "the page says that it does not exist")])
    assert database.conn.execute("select state, reason, document from entries").fetchall() == [
        ("failed", "the page says that it does not exist", None)
    ]
    journal.apply(database, [exchange(2, entry="e")])
    assert database.conn.execute("select state, reason from entries").fetchall() == [("fetched", "")]
    writer.store([Processed(2, "s", "e", make_document("a.gov.cn", 1, "", "甲"))])
    assert database.conn.execute("select state, document from entries").fetchall() == [("done", 2)]


def test_validators_become_valid_with_the_last_document() -> None:
    database = memory()
    journal.apply(database, [listing(1, ["e2", "e3"], etag='"v"'), exchange(2, entry="e2"), exchange(3, entry="e3")])
    writer = Writer(database)
    writer.store([Processed(2, "s", "e2", make_document("a.gov.cn", 1, "", "甲"))])
    assert journal.validators(database, "https://l.example/") == ("", "")
    writer.store([Processed(3, "s", "e3", None, "unreadable", "no text")])
    assert journal.validators(database, "https://l.example/") == ('"v"', "")


def test_the_hook_runs_in_the_transaction_and_its_failure_undoes_the_batch() -> None:
    database = memory()
    journal.apply(database, [exchange(1, entry="e")])
    seen: list[tuple[int, bool]] = []

    def watch(conn, documents):  # type: ignore[no-untyped-def]
        assert conn.in_transaction
        seen.extend((d.pk, d.new) for d in documents)

    Writer(database, after_store=[watch]).store([Processed(1, "s", "e", make_document("a.gov.cn", 1, "", "甲"))])
    assert seen == [(1, True)]
    journal.apply(database, [exchange(2, entry="e")])

    def fail(conn, documents):  # type: ignore[no-untyped-def]
        raise RuntimeError("no")

    item = Processed(2, "s", "e", make_document("a.gov.cn", 1, "", "丁戊己"))
    with pytest.raises(RuntimeError):
        Writer(database, after_store=[fail]).store([item])
    assert database.conn.execute("select title from documents").fetchone()[0] == "甲 通知"
    assert database.conn.execute("select state from fetches where id = 2").fetchone()[0] == "pending"


def test_storing_the_same_again_changes_nothing() -> None:
    database = memory()
    journal.apply(database, [exchange(1, entry="e")])
    item = Processed(1, "s", "e", make_document("a.gov.cn", 1, "", "甲"))
    writer = Writer(database)
    writer.store([copy.deepcopy(item)])
    stored = writer.store([copy.deepcopy(item)])
    assert (stored.documents, stored.unchanged) == ([], 1)


def test_a_batch_costs_what_is_new_and_not_what_is_stored(tmp_path: Path) -> None:
    database = db.connect(tmp_path / "x.db")
    add_tasks(database)
    plans = [
        ("select id, kind, parent from fetches where state = 'pending' and id > ? order by id limit ?", (0, 9)),
        ("select fetch from observations where identity = ? order by rank desc, canonical_url limit 1", ("x",)),
        ("select first_fetch from observations where identity = ? order by first_fetch limit 1", ("x",)),
        ("select list from list_entries where source = ? and key = ?", ("s", "k")),
        ("select id from fetches where source = ? and entry = ? order by id", ("s", "k")),
        ("select url, max(id) from fetches where parent = ? and outcome = 'ok' group by url", (1,)),
        ("update entries set document = ? where canonical_url = ? and document is not ?", (1, "u", 1)),
        ("update entries set document = ? where document = ?", (1, 2)),
        (journal._PROMOTE + " and url = ?", ("u",)),
    ]
    for statement, values in plans:
        plan = [row[3] for row in database.conn.execute("explain query plan " + statement, values)]
        assert all("SCAN" not in step for step in plan), (statement, plan)
        assert not any("TEMP B-TREE FOR ORDER" in step for step in plan), (statement, plan)


def test_the_search_rows_of_a_batch_are_made_from_the_queue_alone() -> None:
    plan = [row[3] for row in memory().conn.execute("explain query plan " + _ROWS)]
    assert plan[0] == "SCAN q", plan
    assert "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)" in plan


def test_events_of_the_same_exchange_twice_are_one() -> None:
    database = memory()
    event: Exchange = exchange(1, entry="e")
    page: ListRead = listing(2, ["e"])
    journal.apply(database, [event, page])
    before = database.conn.execute("select * from entries").fetchall()
    done = journal.apply(database, [page, event])
    assert (done.new, done.known, done.clashes) == (0, 2, [])
    assert database.conn.execute("select * from entries").fetchall() == before


def steps_of_a_batch(database: Database, first: int) -> int:
    """How many thousand-fold instructions of SQLite's machine a crawl and its processing of twenty documents take."""
    ticks = 0

    def tick() -> int:
        nonlocal ticks
        ticks += 1
        return 0

    ids = range(first, first + 20)
    items = [Processed(n, "s", f"e{n}", make_document(f"h{n}.example", 1, "", "甲")) for n in ids]
    database.conn.set_progress_handler(tick, 100)
    journal.apply(
        database, [listing(first - 1, [f"e{n}" for n in ids], etag="v"), *(exchange(n, entry=f"e{n}") for n in ids)]
    )
    assert len(pending(database, 100)) == 20
    Writer(database).store(items)
    database.conn.set_progress_handler(None, 0)
    return ticks


def test_a_batch_takes_as_many_steps_with_fifty_thousand_stored_documents_as_with_none() -> None:
    database = memory()
    empty = steps_of_a_batch(database, 2)
    numbers = "with recursive n(i) as (select 1000 union all select i + 1 from n where i < 51000) "
    tables = {
        "fetches": ("id", "record_id", "url", "entry", "parent"),
        "entries": ("key", "url", "canonical_url", "fetch", "document"),
        "list_entries": ("list", "key"),
        "documents": ("pk", "id", "identity", "url", "canonical_url", "fetch"),
        "observations": ("fetch", "first_fetch", "canonical_url", "url", "identity", "document_id"),
        "document_urls": ("canonical_url", "url", "document", "fetch"),
        "document_tasks": ("document",),
        "document_spans": ("document",),
    }
    filler = {"entries": {"document": "i", "fetch": "i"}}
    with database.conn as conn:
        for table, changing in tables.items():
            names = [
                r[0] for r in conn.execute(f"select name from pragma_table_info('{table}')") if r[0] != "search_key"
            ]
            integers = {"id", "pk", "fetch", "first_fetch", "document", "parent"} - (
                {"id"} if table == "documents" else set()
            )
            values = [
                filler.get(table, {}).get(
                    c, ("i" if c in integers else "'x' || i") if c in changing else f"(select {c} from {table} limit 1)"
                )
                for c in names
            ]
            conn.execute(f"{numbers} insert into {table} ({', '.join(names)}) select {', '.join(values)} from n")
        conn.execute("delete from search_queue")
    assert database["documents"].count > 50_000
    full = steps_of_a_batch(database, 60_000)
    assert full < empty * 1.3 + 20, (empty, full)
