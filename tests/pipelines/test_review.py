"""Review: the doubtful first, never what is judged, and not ten of one kind."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import config as configuration
import db
from crawler.cli.review import command
from db import journal
from db.documents import Document, Processed, Span, TaskLabel
from db.judgements import RELEVANT, record
from db.tables import sync
from db.writer import Writer
from pipelines.review import disagreement, review
from tests.db.helpers import exchange, memory

SURE = {"score": 0.97, "threshold": 0.5, "carried": True, "model": 0.97, "term_reader": 0.9}
CLOSE = {"score": 0.52, "threshold": 0.5, "carried": True, "model": 0.52, "term_reader": 0.6}
WORDS = {
    "score": 0.05,
    "threshold": 0.5,
    "carried": False,
    "model": 0.05,
    "term_reader": 0.95,
    "terms": [{"term": "贷款"}],
}
NOWORDS = {"score": 0.95, "threshold": 0.5, "carried": True, "model": 0.95, "term_reader": 0.0}
ON, OFF = {"score": 0.95, "threshold": 0.5, "relevant": True}, {"score": 0.05, "threshold": 0.5, "relevant": False}


def store(database: Any, *said: tuple[dict[str, Any], dict[str, Any]], source: str = "s", first: int = 1) -> list[str]:
    """Documents with these explanations (clauses by task, clause of relevance); gives their ids."""
    items = []
    for number, (clauses, relevance) in enumerate(said, first):
        url = f"https://{source}/{number}"
        made = Document(
            url=url, canonical_url=url, title=f"题{number}", text="制造业贷款", source=source, language="zh"
        )
        made.explanation = {"tasks": clauses, "relevance": relevance}
        made.relevance, made.relevant = relevance["score"], relevance["relevant"]
        spans = [Span("text", 0, 3, "制造业", "terms")]
        made.tasks = [TaskLabel(t, c["score"], spans=spans) for t, c in clauses.items() if c["carried"]]
        items.append(Processed(number, "s", f"e{number}", made))
    journal.apply(database, [exchange(i.fetch_id, entry=i.entry) for i in items])
    assert Writer(database).store(items).failed == []
    return [i.document.id for i in items if i.document]


def test_close_ones_and_disagreements_come_and_sure_ones_do_not() -> None:
    database = memory()
    sure, close, words, nowords, aside = store(
        database,
        ({"t1": SURE}, ON),
        ({"t1": CLOSE}, ON),
        ({"t2": WORDS}, ON),
        ({"t2": NOWORDS}, ON),
        ({"t1": WORDS}, OFF),
    )
    found = {c.id: c for c in review(database)}
    assert sure not in found
    assert {close, words, nowords} <= found.keys()
    assert found[close].why == ["close: 0.52 where 0.50 decides"]
    assert "its words stand there (贷款)" in found[words].why[0]
    assert "with hardly a word of it" in found[nowords].why[0]
    assert [c.id for c in review(database)][-1] == aside, "a word in a document off the subject teaches little"
    worth = [c.worth for c in review(database)]
    assert all(0 < w <= 1 for w in worth)


def test_what_is_judged_is_not_asked_again() -> None:
    database = memory()
    (one,) = store(database, ({"t1": CLOSE, "t2": WORDS}, ON))
    tasks = []
    while found := review(database):
        tasks.append(found[0].task)
        record(database, found[0].pk, found[0].task, "yes")
    assert sorted(tasks) == ["t1", "t2"]
    record(database, 1, "t1", "withdrawn")
    assert [(c.id, c.task) for c in review(database)] == [(one, "t1")]


def test_relevance_itself_can_be_in_doubt() -> None:
    database = memory()
    store(database, ({}, {"score": 0.49, "threshold": 0.5, "relevant": False}))
    assert [(c.task, c.carried) for c in review(database)] == [(RELEVANT, False)]


def test_not_ten_of_one_source_and_task() -> None:
    database = memory()
    store(database, *[({"t1": CLOSE}, ON)] * 10)
    slightly = {**CLOSE, "score": 0.56, "model": 0.56}
    others = store(database, ({"t2": slightly}, ON), source="other", first=11)
    first = [c.id for c in review(database, limit=3)]
    assert others[0] in first
    assert [c.id for c in review(database, task="t2")] == others
    assert len(review(database, limit=4)) == 4


def test_the_same_title_twice_is_one_question() -> None:
    database = memory()
    store(database, ({"t1": CLOSE}, ON), ({"t1": CLOSE}, ON))
    database.conn.execute("update documents set title = '同一标题'")
    assert len(review(database)) == 1


def test_a_third_opinion_against_the_verdict_makes_it_worth_more() -> None:
    database = memory()
    (id_,) = store(database, ({"t1": SURE}, ON))
    assert review(database) == []
    database.conn.execute("insert into third_opinions values ('x', 'm', 'p', ?, '2026', '[]', 0, '')", (id_,))
    assert [(c.task, c.why) for c in review(database)] == [("t1", ["the third reader says the opposite"])]


@pytest.mark.parametrize(("clause", "apart"), [(SURE, 0.0), (CLOSE, 0.0), (WORDS, 0.9), (NOWORDS, 0.95)])
def test_disagreement(clause: dict[str, Any], apart: float) -> None:
    assert disagreement(clause) == pytest.approx(apart)


def test_the_words_are_counted_where_the_explanation_has_no_term_reader() -> None:
    clause = {"score": 0.1, "threshold": 0.5, "terms": [{"term": "a", "weight": 0.6}, {"term": "b", "weight": 0.5}]}
    assert disagreement(clause) == pytest.approx(0.7)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        loaded = configuration.load()
        sync(database, loaded)
        source = next(iter(loaded.sources))
        store(database, ({"foreign-trade": WORDS}, ON), ({"insurance-funds": CLOSE}, ON), source=source)
    return tmp_path / "x.db"


def run(path: Path, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(command, [*arguments, "--db", str(path)])
    return result.exit_code, result.stdout, result.stderr


def test_the_command(path: Path) -> None:
    code, out, _ = run(path)
    assert (code, "foreign-trade" in out, "insurance-funds" in out) == (0, True, True)
    code, out, _ = run(path, "--json", "--task", "insurance-funds")
    row = json.loads(out)
    assert (row["task"], row["carried"], row["why"]) == ("insurance-funds", True, ["close: 0.52 where 0.50 decides"])
    assert run(path, "--task", "foreign-trad")[2].count("did you mean 'foreign-trade'") == 1
    code, _, err = run(path, "--ask")
    assert (code, "no third reader is set" in err) == (2, True)
