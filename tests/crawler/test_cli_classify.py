"""`circularwatch classify` and `evaluate`: lines in, lines out, bad ones named, status 1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from crawler.cli.classify import command as classify
from crawler.cli.evaluate import command as evaluate
from pipelines.classify.scoring import counts, f1, score

EXPORT = "一家机床厂要向挪威出口，对方账期四个月，中国信保批了买方信用限额，出口信用保险保单一到，银行凭单放款，外贸企业的货款有了着落。"


def run(command: Any, tmp_path: Path, *lines: Any, options: tuple[str, ...] = ()) -> Result:
    path = tmp_path / "in.jsonl"
    text = "\n".join(x if isinstance(x, str) else json.dumps(x, ensure_ascii=False) for x in lines)
    path.write_text(text + "\n", "utf-8")
    return CliRunner().invoke(command, [str(path), *options])


def test_one_line_each_with_true_spans(tmp_path: Path) -> None:
    result = run(
        classify, tmp_path, {"id": "a", "title": "保单", "text": EXPORT}, {"id": 2, "title": "晴", "text": "天气很好。"}
    )
    assert result.exit_code == 0
    one, two = map(json.loads, result.stdout.splitlines())
    assert (one["id"], two["id"]) == ("a", 2)
    assert {"id", "relevant", "relevance", "tasks"} <= one.keys()
    assert "foreign-trade" in {t["id"] for t in one["tasks"]}
    for task in one["tasks"]:
        for span in task["spans"]:
            field = {"title": "保单", "text": EXPORT}[span["field"]]
            assert field[span["start"] : span["end"]] == span["quote"]
    assert two["tasks"] == []


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{no", "line 2: not JSON"),
        ("[1]", "line 2: not an object"),
        ('{"text": "x"}', "line 2: the object has no 'id'"),
        ('{"id": 1}', "neither 'title' nor 'text'"),
        ('{"id": 1, "text": 5}', "'text' is not a text"),
        ('{"id": ["x"], "text": "y"}', "line 2: 'id' is neither a text nor a whole number"),
        ("[" * 100_000, "line 2: nested too deep"),
    ],
)
def test_bad_line_is_named_and_the_rest_goes_on(tmp_path: Path, bad: str, said: str) -> None:
    result = run(classify, tmp_path, {"id": 1, "text": "好。"}, bad, {"id": 3, "text": "好。"})
    assert [json.loads(x)["id"] for x in result.stdout.splitlines()] == [1, 3]
    assert said in result.stderr
    assert result.exit_code == 1


def test_half_a_character_is_shown_as_such(tmp_path: Path) -> None:
    result = run(
        classify, tmp_path, r'{"id": "a\ud800", "title": "\ud83d\ude00", "text": "loans \udfff", "attachments": 5}'
    )
    assert result.exit_code == 0 and json.loads(result.stdout)["id"] == "a\ufffd"


def test_attachments_are_read(tmp_path: Path) -> None:
    row = {"id": 1, "title": "关于外贸企业用好信用保险的通知", "text": "详见附件。", "attachments": [{"text": EXPORT}]}
    (out,) = map(json.loads, run(classify, tmp_path, row).stdout.splitlines())
    assert {s["field"] for t in out["tasks"] for s in t["spans"]} >= {"attachment:0"}


def test_explanation_on_request(tmp_path: Path) -> None:
    (out,) = map(
        json.loads, run(classify, tmp_path, {"id": 1, "text": EXPORT}, options=("--explain",)).stdout.splitlines()
    )
    assert out["explanation"]["gates"]["finance"]["met"] is True


def test_evaluate_prints_figures(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "text": EXPORT, "language": "zh", "labels": ["foreign-trade"], "relevant": True},
        {"id": 2, "text": "天气很好。", "language": "zh", "labels": [], "relevant": False},
    ]
    result = run(evaluate, tmp_path, *rows, options=("--json",))
    figures = json.loads(result.stdout)
    assert figures["zh"]["tasks"]["foreign-trade"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "documents": 1}
    assert figures["all"]["relevant_f1"] == 1.0
    assert result.exit_code == 0


def test_evaluate_names_a_document_without_labels(tmp_path: Path) -> None:
    good = {"id": "a", "text": EXPORT, "language": "zh", "labels": ["foreign-trade"]}
    result = run(evaluate, tmp_path, good, "", good | {"id": "b"}, {"id": "c", "text": "x"}, options=("--json",))
    assert result.exit_code == 1
    assert "document 'c' has no 'labels'" in result.stderr and "line 3" not in result.stderr


def test_disputed_labels_count_neither_way() -> None:
    gold = [{"id": 1, "labels": ["a"], "disputed": ["b"]}, {"id": 2, "labels": ["b"], "disputed": []}]
    assert counts(gold, {1: {"a", "b"}, 2: set()}, "b") == (0, 0, 1)
    assert f1(0, 0, 0) == 1.0
    assert score([{"id": 1, "labels": ["a"], "language": "en"}], {1: {"tasks": [{"id": "a"}]}})["en"]["macro_f1"] == 1.0
