"""An alert fires exactly where the search would find: the matcher against the search, rule by rule."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.search import find, parse
from db.search.index import refresh
from db.search.match import Matcher
from tests.db.test_search import TRADITIONAL, WORDS, ZH, add, body, new_database, shelf

__all__ = ["shelf"]

word = st.one_of(
    st.text(ZH, min_size=1, max_size=4), st.sampled_from([*WORDS, "loan*", "贷款*", "manufactur*", "5G贷款"])
)
leaf = st.one_of(
    word,
    word.map(lambda w: f'"{w.strip("*")}"'),
    word.map(lambda w: f"title:{w}"),
    st.sampled_from(
        ["source:nfra", "source:miit", "lang:en", "lang:zh", "firsthand:yes", "published:2026-10", "relevance:>=0.5"]
    ),
)
query = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda q: "(" + " AND ".join(q) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda q: "(" + " OR ".join(q) + ")"),
        inner.map(lambda q: f"NOT {q}"),
    ),
    max_leaves=5,
)
document = st.tuples(body, body, st.booleans(), st.sampled_from(["nfra", "miit"]), st.sampled_from([0.2, 0.7]))


@given(st.lists(document, min_size=1, max_size=5), st.lists(query, min_size=1, max_size=12))
@settings(max_examples=400, deadline=None)
def test_matcher_equals_search(documents: list, queries: list[str]) -> None:
    database = new_database()
    for pk, (title, text, traditional, source, relevance) in enumerate(documents, 1):
        text = text.translate(TRADITIONAL) if traditional else text
        add(database, pk, title, text, source=source, relevance=relevance, language="en" if pk % 2 else "zh",
            published_on="2026-10-08" if pk % 3 else None, firsthand=pk % 2)  # fmt: skip
    refresh(database)
    rules = {f"r{n}": parse(q) for n, q in enumerate(queries)}
    fired = Matcher(rules).match(database, list(range(1, len(documents) + 1)))
    for n, q in enumerate(queries):
        searched = sorted(row[0] for row in find(database, q, columns="d.pk", limit=100))
        assert searched == sorted(pk for pk, names in fired.items() if f"r{n}" in names), q


@pytest.mark.parametrize("word", ["\u0301", "\uff9e", "\u19b0", "贷款 \u0301"])
def test_a_mark_that_is_no_word_for_the_index_is_no_fault_of_the_rule(shelf, word: str) -> None:  # type: ignore[no-untyped-def]
    assert find(shelf, word, columns="d.pk") == []
    assert Matcher({"r": parse(word)}).match(shelf, [1, 2]) == {}


def test_only_the_asked_documents_fire(shelf) -> None:  # type: ignore[no-untyped-def]
    matcher = Matcher({"loans": parse("贷款"), "not": parse("NOT 贷款"), "trade": parse("task:foreign-trade")})
    assert matcher.match(shelf, [1, 2]) == {1: ["loans"], 2: ["not", "trade"]}
    assert matcher.match(shelf, []) == {}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("贷款 OR 农业", ['"贷款"']), ("relevance:>=0.5 设备更新 NOT 农业", ["relevance:>=0.5", '"设备更新"'])],
)
def test_names_the_clause_that_fired(shelf, rule: str, expected: list[str]) -> None:  # type: ignore[no-untyped-def]
    assert Matcher({"r": parse(rule)}).clauses(shelf, 1, "r") == expected


def test_a_rule_whose_words_do_not_occur_is_not_run(shelf) -> None:  # type: ignore[no-untyped-def]
    matcher = Matcher({"a": parse("贷款"), "b": parse("农业保险"), "c": parse("tractor AND 贷款")})
    matcher.memory.execute("begin")
    matcher._copy(shelf, [1])
    assert matcher._candidates() == ["a"]
