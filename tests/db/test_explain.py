"""`circularwatch explain`: words marked in their sentences, why not, and what is known of a URL that is no document."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

import config as configuration
import db
from crawler.cli.explain import command, mark
from db import journal
from db.documents import Attachment, Processed
from db.tables import sync
from db.writer import Writer
from tests.db.helpers import exchange, listing
from tests.db.test_writer import make_document

TASK = "supply-chain-security"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    loaded = configuration.load()
    assert TASK in [t.id for t in loaded.taxonomy.tasks]
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        sync(database, loaded)
        journal.apply(
            database,
            [listing(1, ["e2", "e3"]), exchange(2, entry="e2"), exchange(3, "robots", entry="e3", reason="robots.txt")],
        )
        document = make_document("h.example", 1, "", "前一句。这句")
        document.tasks[0].id, document.relevant = TASK, True
        relevance = {"relevant": True, "score": 0.9, "threshold": 0.5}
        clause = {"carried": True, "score": 0.9, "threshold": 0.5, "terms": [{"term": "制造业", "weight": 1.0}]}
        document.explanation = {"relevance": relevance, "gates": {}, "tasks": {TASK: clause}, "nearest_miss": ""}
        Writer(database).store([Processed(2, "s", "e2", document)])
    return tmp_path / "x.db"


def run(path: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, [*arguments, "--db", str(path)])
    return result.exit_code, result.output


def test_the_words_are_marked_in_their_sentence(path: Path) -> None:
    code, out = run(path, "https://h.example/1")
    assert code == 0
    assert "这句 【制造业】贷款" in out
    assert f"{TASK}: carried, 0.90 (it takes 0.50)" in out


def test_why_not(path: Path) -> None:
    code, out = run(path, "https://h.example/1", "--task", "foreign-trade")
    assert (code == 0) == ("foreign-trade: not carried" in out)
    code, out = run(path, "https://h.example/1", "--task", "supply-chain-securit")
    assert (code, "did you mean 'supply-chain-security'" in out) == (2, True)


def test_json_has_spans_with_their_sentences(path: Path) -> None:
    code, out = run(path, "https://h.example/1", "--json")
    values = json.loads(out)
    span = values["tasks"][0]["spans"][0]
    assert code == 0
    assert span["sentence"][span["sentence_start"] : span["sentence_end"]] == span["quote"] == "制造业"


def test_a_url_that_failed_is_explained(path: Path) -> None:
    code, out = run(path, "https://s/e3")
    assert (code, "robots.txt" in out) == (1, True)
    code, out = run(path, "https://nowhere.example/")
    assert (code, "neither a document nor was it ever listed" in out) == (1, True)


def test_overlapping_words_are_marked_as_one() -> None:
    assert mark("支持制造业贷款。", [(2, 5), (4, 7)]) == "支持【制造业贷款】。"
    assert mark("ab", []) == "ab"


GRADED = "institutional-mechanisms"


@pytest.fixture
def graded(tmp_path: Path) -> Path:
    """A document on a provisional task, with ranked sentences in text and attachment."""
    with contextlib.closing(db.connect(tmp_path / "y.db")) as database:
        sync(database, configuration.load())
        journal.apply(database, [listing(1, ["e2"]), exchange(2, entry="e2")])
        document = make_document("h.example", 1, "", "前一句。这句")
        document.tasks[0].id, document.relevant = GRADED, True
        document.attachments = [Attachment("https://h.example/a.pdf", text="附件里的一句。尽职者免责。")]
        clause = {"carried": True, "score": 0.9, "threshold": 0.5, "terms": []}
        ranked = [
            {"field": "attachment:0", "start": 7, "end": 13, "tasks": {GRADED: 0.91, "foreign-trade": 0.4}},
            {"field": "text", "start": 0, "end": 4, "tasks": {"foreign-trade": 0.35}},
        ]
        relevance = {"relevant": True, "score": 0.9, "threshold": 0.5}
        said = {"relevance": relevance, "gates": {}, "tasks": {GRADED: clause}, "sentences": ranked, "nearest_miss": ""}
        document.explanation = said
        Writer(database).store([Processed(2, "s", "e2", document)])
    return tmp_path / "y.db"


def test_the_provisional_grade_is_said(graded: Path, path: Path) -> None:
    for arguments in (["https://h.example/1"], ["https://h.example/1", "--task", GRADED]):
        assert f"{GRADED} is provisional" in run(graded, *arguments)[1]
    assert "is provisional" not in run(path, "https://h.example/1")[1]
    said = json.loads(run(graded, "https://h.example/1", "--json")[1])
    assert [t["provisional"] for t in said["tasks"]] == [True]


def test_sentences_are_ranked_with_their_words(graded: Path) -> None:
    out = run(graded, "https://h.example/1")[1]
    assert f"1. 尽职者免责。 ({GRADED} 0.91, foreign-trade 0.40)" in out
    assert "2. 前一句。 (foreign-trade 0.35)" in out
    assert "2. " not in run(graded, "https://h.example/1", "--task", GRADED)[1]
    said = json.loads(run(graded, "https://h.example/1", "--json")[1])
    assert [s["quote"] for s in said["sentences"]] == ["尽职者免责。", "前一句。"]
