"""Judgements: stored as they were said, newest counts, never a label changed, and turned into lines to learn from."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import config as configuration
import db
from crawler.cli.explain import command as explain
from crawler.cli.judge import command as judge
from db import journal, judgements
from db.documents import Document, Processed, Span, TaskLabel
from db.judgements import JudgementError, as_training, record
from db.tables import sync
from db.writer import Writer
from tests.db.helpers import add_tasks, exchange, memory

LONG = "\n".join(["开头一段。" + "话" * 600, "制造业贷款增加。", "末尾一段。" + "语" * 900])


def document(number: int, text: str, task: str = "t1", words: str = "制造业") -> Document:
    url = f"https://h.example/{number}"
    made = Document(url=url, canonical_url=url, title=f"题{number}", text=text, source="s", language="zh")
    at = text.find(words)
    if at >= 0:
        made.tasks = [TaskLabel(task, 0.8, spans=[Span("text", at, at + len(words), words, "terms", 1.0)])]
    made.relevant, made.classifier = bool(made.tasks), "c1"
    return made


def store(database: Any, *documents: Document, first: int = 1) -> None:
    fetches = range(first, first + len(documents))
    journal.apply(database, [exchange(n, entry=f"e{n}") for n in fetches])
    items = [Processed(n, "s", f"e{n}", d) for n, d in zip(fetches, documents, strict=True)]
    assert Writer(database).store(items).failed == []


def test_the_newest_of_a_person_counts() -> None:
    database = memory()
    store(database, document(1, "制造业贷款"))
    record(database, 1, "t1", "yes", "sure", "ann")
    record(database, 1, "t1", "no", "no, after all", "ann")
    record(database, 1, "t2", "yes", who="bob")
    record(database, 1, "t2", "withdrawn", who="bob")
    found = db.lookup.whole(database, 1)
    held = judgements.of_document(database, found.document)
    assert [(j.task, j.verdict, j.note, j.who, j.carried, j.classifier) for j in held] == [
        ("t1", "no", "no, after all", "ann", True, "c1")
    ]
    assert judgements.judged(database) == {(found.document.id, "t1")}
    assert len(judgements.listing(database)) == 4
    labels = database.conn.execute("select task from document_tasks").fetchall()
    assert labels == [("t1",)], "a judgement changes no label"


def test_refused_with_the_nearest_name() -> None:
    database = memory()
    store(database, document(1, "制造业贷款"))
    with pytest.raises(JudgementError, match="did you mean 't1'"):
        record(database, 1, "t11", "yes")
    with pytest.raises(JudgementError, match="is no judgement"):
        record(database, 1, "t1", "maybe")
    with pytest.raises(JudgementError, match="2000 characters"):
        record(database, 1, "t1", "yes", "x" * 2001)
    record(database, 1, "relevant", "no", "a\x1b[31mb\u202e")
    assert judgements.listing(database)[0]["note"] == "a[31mb"


def test_a_page_that_gains_its_number_takes_its_judgements_along() -> None:
    database = memory()
    store(database, document(1, "制造业贷款"))
    record(database, 1, "t1", "no", who="ann")
    numbered = document(1, "制造业贷款 与文号")
    numbered.identity = "number:1"
    store(database, numbered, first=2)
    (id_,) = database.conn.execute("select id from documents").fetchone()
    assert [(r["document"], r["verdict"]) for r in judgements.listing(database)] == [(id_, "no")]
    found = db.lookup.whole(database, 1) or db.lookup.whole(database, 2)
    held = judgements.of_document(database, found.document)
    assert [j.current for j in held] == [False], "the text is another one now"
    assert as_training(database) == []


def test_lines_to_learn_from_say_only_what_is_known() -> None:
    database = memory()
    store(database, document(1, "制造业贷款"), document(2, "农户贷款"), document(3, "外贸"), document(4, "没有判断"))
    record(database, 1, "t1", "yes", who="ann")
    record(database, 1, "t2", "no", who="bob")
    record(database, 2, "relevant", "no", who="ann")
    record(database, 3, "t1", "yes", who="ann")
    record(database, 3, "t1", "no", who="bob")
    one, two = as_training(database)
    assert (one["labels"], one["not_labels"], one["relevant"], one["text"]) == (["t1"], ["t2"], True, "制造业贷款")
    assert (two["labels"], two["not_labels"], two["relevant"], two["lang"]) == ([], [], False, "zh")
    assert one["title"] == "题1"


def test_of_a_long_text_the_paragraph_that_was_judged_is_learned_from() -> None:
    database = memory()
    store(database, document(1, LONG))
    record(database, 1, "t1", "yes")
    record(database, 1, "t2", "no")
    (line,) = as_training(database)
    assert (line["text"], line["labels"], line["not_labels"], line["weight"]) == (
        "制造业贷款增加。",
        ["t1"],
        ["t2"],
        1.0,
    )
    record(database, 1, "t1", "no")
    (line,) = as_training(database)
    assert (line["text"], line["labels"], line["not_labels"], line["relevant"]) == (
        "制造业贷款增加。",
        [],
        ["t1", "t2"],
        None,
    )
    record(database, 1, "t1", "withdrawn")
    record(database, 1, "t2", "yes")
    (line,) = as_training(database)
    assert line["text"].startswith("开头一段")
    assert (line["labels"], line["weight"], len(line["text"])) == (["t2"], judgements.GUESS, judgements.SHORT)


# the command


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with contextlib.closing(db.connect(tmp_path / "x.db")) as database:
        add_tasks(database)
        sync(database, configuration.load())
        store(database, document(1, "制造业贷款", "foreign-trade"))
    return tmp_path / "x.db"


def run(command: Any, path: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(command, [*arguments, "--db", str(path)])
    return result.exit_code, result.output


def test_judge_and_list(path: Path) -> None:
    url = "https://h.example/1"
    code, out = run(judge, path, url, "--task", "foreign-trade", "no", "--note", "farm goods", "--who", "ann")
    assert code == 0
    assert "foreign-trade no, said ann (it carries the label; training will learn from it)" in out
    code, out = run(judge, path, "--list", "--json")
    row = json.loads(out)
    assert (row["task"], row["verdict"], row["carries"], row["who"], row["note"]) == (
        "foreign-trade", "no", True, "ann", "farm goods",
    )  # fmt: skip
    code, out = run(judge, path, "--list", url)
    assert (code, "farm goods" in out) == (0, True)


def test_explain_shows_it_beside_the_verdict(path: Path) -> None:
    run(judge, path, "https://h.example/1", "--task", "foreign-trade", "no", "--note", "farm goods", "--who", "ann")
    code, out = run(explain, path, "https://h.example/1")
    assert code == 0
    assert "judged: foreign-trade no, by ann" in out
    assert "against the verdict" in out
    code, out = run(explain, path, "https://h.example/1", "--json")
    assert json.loads(out)["judgements"][0]["note"] == "farm goods"
    assert "judged" not in run(explain, path, "https://h.example/1", "--task", "insurance-funds")[1]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("https://h.example/1", "yes"), 2, "a judgement is ID|URL --task TASK yes|no"),
        (("https://h.example/1", "yes", "--task", "foreign-trad"), 2, "did you mean 'foreign-trade'"),
        (("https://nowhere.example/", "yes", "--task", "foreign-trade"), 1, "is no document"),
        (("https://h.example/1", "perhaps", "--task", "foreign-trade"), 2, "perhaps"),
    ],
)
def test_what_is_wrong_is_said(path: Path, arguments: tuple[str, ...], status: int, said: str) -> None:
    code, out = run(judge, path, *arguments)
    assert (code, said in out) == (status, True)


# training


def line(text: str, labels: list[str], not_labels: list[str], relevant: bool | None = None) -> dict[str, Any]:
    return {"lang": "zh", "title": "", "text": text, "labels": labels, "not_labels": not_labels, "relevant": relevant}


def test_what_is_not_known_is_no_negative() -> None:
    from pipelines.classify import training

    tasks = ["t1", "t2", "t3"]
    (example,) = training.judged_examples([line("制造业", ["t1"], ["t2"], True), line("x", ["gone"], [])], tasks)
    assert example.known == {"t1": (True, 1.0), "t2": (False, 1.0), "relevant": (True, 1.0)}


@pytest.mark.slow
def test_training_learns_from_judgements_and_is_compared_without_them(tmp_path: Path) -> None:
    """A made-up word is judged to be foreign trade ten times over: the new model believes it, the old one did not."""
    import shutil

    from config.taxonomy import load_taxonomy
    from pipelines.classify import promoting

    house = Path(str(configuration.__file__)).parent
    rows = [json.loads(x) for x in (house / "training" / "documents.jsonl").read_text("utf-8").splitlines()]
    (tmp_path / "training").mkdir()
    few = [r for r in rows if r["lang"] == "zh"][:60]
    (tmp_path / "training" / "few.jsonl").write_text("\n".join(json.dumps(r) for r in few), "utf-8")
    (tmp_path / "model").mkdir()
    shutil.copy(house / "model" / "concepts.yaml", tmp_path / "model")
    taxonomy = load_taxonomy(house)

    def train(*extra: dict[str, Any]) -> dict[str, Any]:
        folder, model = tmp_path / "training", tmp_path / "model"
        return promoting.train(taxonomy, folder, model, model, None, False, lambda _: None, extra)

    plain = train()
    assert plain["promoted"] and "judged_labels" not in plain
    judged = [line(f"第{n}批桑葚扣款进入绿洲名单，厂里松了口气。", ["foreign-trade"], [], True) for n in range(10)]
    learned = train(*judged)
    assert learned["put_aside_macro_f1"] == pytest.approx(plain["put_aside_macro_f1"], abs=0.15)
    assert learned["judged_labels"] == 20
    assert learned["judged_right"] > learned["judged_right_before"]
