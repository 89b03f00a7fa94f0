"""Search finds exactly what a scan over every text finds, in both languages and both scripts."""

from __future__ import annotations

import sqlite3
from importlib import resources

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.search import QueryError, compile_query, find, fold, parse, register
from db.search.compile import Compiled
from db.search.fold import RUN, phrase_tokens
from db.search.index import faults, refresh

ZH = "贷款利率制造业银行保险出口信用设备更新"
TRADITIONAL = str.maketrans("贷款业银险设备", "貸款業銀險設備")
WORDS = ["loan", "loans", "bank", "banking", "export", "credit", "equipment", "renewal", "5G", "AI"]


def new_database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    register(connection)
    for step in ("m0001_spine.sql", "m0002_search.sql"):
        connection.executescript(resources.files("db.migrations").joinpath(step).read_text(encoding="utf-8"))
    return connection


def add(connection: sqlite3.Connection, pk: int, title: str, text: str, **more: object) -> None:
    row = {
        "pk": pk, "id": f"d{pk}", "identity": f"url:{pk}", "url": "https://x", "canonical_url": f"https://x/{pk}",
        "source": "nfra", "kind": "news", "title": title, "text": text, "language": "zh",
        "published_on": "2026-10-08", "first_seen_at": "2026-10-08T01:00:00Z", "fetch": pk, "classifier": "c1", **more,
    }  # fmt: skip
    marks = ", ".join(f":{name}" for name in row)
    connection.execute(f"insert into documents({', '.join(row)}) values ({marks})", row)


def hits(connection: sqlite3.Connection, query: str, **more: object) -> list[int]:
    return [row[0] for row in find(connection, query, columns="d.pk", limit=10_000, **more)]  # type: ignore[arg-type]


@pytest.fixture
def shelf() -> sqlite3.Connection:
    connection = new_database()
    connection.execute(
        "insert into tasks(id, position, zh, en, status) values ('foreign-trade', 1, '外贸', 'Trade', 'x')"
    )
    add(
        connection,
        1,
        "制造业中长期贷款",
        "银行加大设备更新支持，出口信用保险扩面。",
        published_on="2026-10-01",
        relevance=0.9,
    )
    add(
        connection, 2, "Export credit insurance", "Banks expanded loans to manufacturers.", language="en", relevance=0.4
    )
    add(connection, 3, "出口，信用良好", "貸款利率下降", published_on=None, first_seen_at="2026-11-01T00:00:00Z")
    add(
        connection,
        4,
        "首台（套）重大技术装备",
        "ＰＳＬ贷款5G利率",
        issuers='["中国人民银行"]',
        doc_number="银发〔2026〕20号",
    )
    connection.execute(
        "insert into document_tasks(document, task, score, classifier) values (2, 'foreign-trade', 1, 'c1')"
    )
    connection.execute("insert into attachments(document, position, url, text) values (1, 0, 'u', '附件里的专精特新')")
    refresh(connection)
    return connection


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("贷款", [3, 4, 1]),
        ("貸款", [3, 4, 1]),
        ("出口信用", [1]),
        ("出口", [3, 1]),
        ("贷", [3, 4, 1]),
        ("款", [3, 4, 1]),
        ("psl", [4]),
        ("贷款5G", [4]),
        ("5G利率", [4]),
        ("首台（套）", [4]),
        ('"首台（套）重大"', [4]),
        ("loan", [2]),
        ("manufactur*", [2]),
        ('"export credit"', [2]),
        ('"credit export"', []),
        ("title:贷款", [1]),
        ("text:贷款", [3, 4]),
        ("专精特新", [1]),
        ("task:foreign-trade", [2]),
        ("lang:zh NOT 贷款", []),
        ("lang:zh NOT 保险", [3, 4]),
        ("NOT 贷款", [2]),
        ("issuer:人民银行", [4]),
        ("doc_number:银发[2026]20号", [4]),
        ("published:2026-10-01..2026-10-07", [1]),
        ("贷款 published:2026-10-08", [4]),
        ("贷款 published:2026", [4, 1]),
        ("NOT published:2026", [3]),
        ("relevance:>=0.5", [1]),
        ("relevance:>=0.5 OR loan", [2, 1]),
        ("贷款 relevance:>=0.5", [1]),
        ("firsthand:no 保险", [1]),
    ],
)
def test_finds(shelf: sqlite3.Connection, query: str, expected: list[int]) -> None:
    assert hits(shelf, query) == expected


@pytest.mark.parametrize("query", ["贷款", "loan OR 贷款", "NOT 贷款", "relevance:>=0.5 OR loan"])
def test_by_relevance_finds_the_same(shelf: sqlite3.Connection, query: str) -> None:
    assert sorted(hits(shelf, query, order="relevance")) == sorted(hits(shelf, query))


def test_title_counts_more(shelf: sqlite3.Connection) -> None:
    assert hits(shelf, "贷款", order="relevance")[0] == 1


def test_count_is_the_number_of_hits(shelf: sqlite3.Connection) -> None:
    compiled = compile_query(parse("贷款"))
    assert shelf.execute(compiled.count(), compiled.values).fetchone() == (3,)


def test_unknown_order_is_refused() -> None:
    with pytest.raises(ValueError, match="newest"):
        Compiled("documents d", "1").statement(order="oldest")


def test_change_and_deletion_reach_the_index(shelf: sqlite3.Connection) -> None:
    shelf.execute("pragma foreign_keys = on")
    shelf.execute("update documents set text = '改为农业' where pk = 4")
    shelf.execute("delete from document_tasks")
    shelf.execute("update documents set published_on = '2026-12-01' where pk = 1")
    shelf.execute("delete from documents where pk = 3")
    refresh(shelf)
    assert hits(shelf, "农业") == [4]
    assert hits(shelf, "task:foreign-trade") == []
    assert hits(shelf, "贷款") == [1]
    assert faults(shelf) == []


def test_faults_are_named(shelf: sqlite3.Connection) -> None:
    shelf.execute("delete from documents_fts_idx")
    shelf.execute("delete from search_rows where document = 2")
    add(shelf, 9, "新", "文")
    found = " ".join(faults(shelf))
    assert "1 documents wait" in found
    assert "1 documents are not in the search index" in found


QUERIES_REFUSED = {
    "(贷款": (0, "never closed"),
    "贷款)": (2, "never opened"),
    "tsk:x": (0, "did you mean 'task'"),
    "贷款 AND": (3, "must follow"),
    'x "贷款': (2, "never closed"),
    "task:foriegn-trade": (5, "did you mean 'foreign-trade'"),
    "OR a": (0, "both sides"),
    "published:2026-13": (10, "is no date"),
    "published:2026-02-30": (10, "is no date"),
    "published:2026-03..2026-01": (10, "ends before it begins"),
    "published:>9999": (10, "no day lies beyond 9999-12-31"),
    "x published:<0001": (12, "no day lies beyond 0001-01-01"),
    "relevance:7": (10, "from 0 to 1"),
    "firsthand:maybe": (10, "yes or no"),
    "a*b": (1, "end of a word"),
    "...": (0, "holds no letter"),
    "title: x": (0, "right after the colon"),
    "title:(task:x)": (7, "stands inside"),
    "": (0, "empty"),
}


@pytest.mark.parametrize("query", QUERIES_REFUSED)
def test_bad_query_is_refused_with_position(query: str) -> None:
    position, reason = QUERIES_REFUSED[query]
    with pytest.raises(QueryError, match=reason) as caught:
        parse(query, {"task": {"foreign-trade"}})
    assert caught.value.position == position


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        query = parse(text)
    except QueryError:
        return
    assert parse(str(query)).node is not None


@given(st.text(alphabet='ab贷款()"* -ANDORT:', max_size=40))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_whatever_parses_also_runs(text: str) -> None:
    try:
        compiled = compile_query(parse(text))
    except QueryError:
        return
    EMPTY.execute(compiled.statement("d.pk"), [*compiled.values, 5, 0]).fetchall()


EMPTY = new_database()

piece = st.one_of(st.text(ZH, min_size=1, max_size=6), st.sampled_from([*WORDS, "，", " ", "。", "5G"]))
body = st.lists(piece, min_size=1, max_size=12).map("".join)


@given(st.lists(body, min_size=1, max_size=6), st.text(ZH, min_size=1, max_size=4), st.booleans())
@settings(max_examples=150, deadline=None)
def test_chinese_words_equal_a_scan(texts: list[str], word: str, traditional: bool) -> None:
    connection = new_database()
    for pk, text in enumerate(texts, 1):
        add(connection, pk, "x", text.translate(TRADITIONAL) if pk % 2 else text)
    refresh(connection)
    expected = sorted(pk for pk, text in enumerate(texts, 1) if fold(word) in fold(text))
    assert sorted(hits(connection, word.translate(TRADITIONAL) if traditional else word)) == expected


@given(st.text(max_size=40))
def test_what_is_inside_a_text_stays_inside_it_when_folded(text: str) -> None:
    """For Chinese runs: the premise of searching folded words in folded texts."""
    for match in RUN.finditer(text):
        assert fold(match.group()) in fold(text)


def test_phrase_of_a_run_in_the_middle_ends_there() -> None:
    assert phrase_tokens("贷款5G利率") == ["贷款", "款", "5g", "利率"]


@pytest.mark.parametrize(
    ("traditional", "simplified"), [("答覆", "答复"), ("藉此", "借此"), ("瞭解", "了解"), ("沿著", "沿着")]
)
def test_variants_of_characters_are_one(traditional: str, simplified: str) -> None:
    assert fold(traditional) == fold(simplified)
