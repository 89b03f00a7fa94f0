"""`circularwatch train` as people call it: bad labelled documents are named before anything is learned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crawler.cli.train import command

GOOD = {"id": "a", "language": "zh", "title": "贷款", "text": "银行向轴承厂放款。", "labels": [], "relevant": True}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["{"], "line 1: not JSON"),
        ([json.dumps(GOOD), json.dumps({"text": "x"})], "line 2: the object has no 'id'"),
        ([json.dumps({**GOOD, "labels": "foreign-trade"})], "the document 'a' needs 'labels'"),
        ([json.dumps({**GOOD, "language": "fr"})], "'language' (zh or en)"),
        (["", " "], "holds no documents"),
    ],
)
def test_bad_labelled_documents_are_named(tmp_path: Path, lines: list[str], said: str) -> None:
    path = tmp_path / "gold.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    result: Any = CliRunner().invoke(command, ["--calibrate", str(path), "--out", str(tmp_path / "model")])
    assert result.exit_code == 2 and said in result.output
    assert not (tmp_path / "model").exists()


def test_the_configuration_of_the_environment_is_the_one_that_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    from pipelines.classify import promoting

    folder = tmp_path / "conf"
    shutil.copytree(Path(__file__).parents[1] / "config" / "fixtures" / "small", folder)
    asked: list[Any] = []
    monkeypatch.setattr(promoting, "train", lambda *words: asked.append(words) or {"promoted": True})
    monkeypatch.setenv("CIRCULARWATCH_CONFIG", str(folder))
    monkeypatch.setenv("CIRCULARWATCH_DB", str(tmp_path / "none.db"))
    result: Any = CliRunner().invoke(command, [])
    assert result.exception is None
    # nothing is learned from a database that nobody named
    assert asked[0][1:4] == (folder / "training", folder / "model", folder / "model") and asked[0][-1] == []
