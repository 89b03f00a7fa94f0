"""One term of the taxonomy changed: the command names exactly the documents whose labels the new classifier changes."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import config as configuration
import db
from crawler.cli.reclassify import command
from db import journal, verdicts
from db.documents import Document, Processed
from db.tables import sync
from db.writer import Writer
from pipelines import explain
from pipelines.stages import make_classifier
from tests.db.helpers import exchange

HOUSE = Path(str(configuration.__file__)).parent
# the circular's number with words of a task carries the task; this word is in no taxonomy yet
WORD = "远洋订单贷"
NAMED = "为落实《关于深化制造业金融服务 助力推进新型工业化的通知》（金发〔2024〕5号），银行向制造业企业发放贷款。"
TEXTS = [
    f"{NAMED}该行推出{WORD}，支持制造业客户。",
    f"{NAMED}该行办理贸易融资，支持制造业出口。",
    f"{NAMED}该行办理贸易融资，并推出{WORD}。",
    f"{NAMED}险资投资先进制造业基金，发挥保险资金长期投资优势。",
    f"某行推出{WORD}，服务农产品进口。",
    "市体育馆本周末举行羽毛球赛，市民可以免费入场。",
    "The bank lends to a machine tool maker that exports, with export credit insurance as cover.",
]


def folder_with(place: Path, change: tuple[str, str] | None) -> Path:
    """A copy of the shipped configuration, one line of a task's terms changed."""
    shutil.copytree(HOUSE, place, ignore=shutil.ignore_patterns("training", "__pycache__", "*.py", "model"))
    if change:
        path = place / "taxonomy" / "tasks" / "foreign-trade.yaml"
        text = path.read_text("utf-8")
        assert change[0] in text
        path.write_text(text.replace(change[0], change[1], 1), "utf-8")
    return place


def store(path: Path, loaded: Any, texts: list[str]) -> Any:
    classifier = make_classifier(loaded)
    with contextlib.closing(db.connect(path)) as database:
        sync(database, loaded)
        source = next(iter(loaded.sources))
        journal.apply(database, [exchange(n, entry=f"e{n}", source=source) for n in range(1, len(texts) + 1)])
        items = []
        for n, text in enumerate(texts, 1):
            url = f"https://h.example/{n}"
            made = Document(url=url, canonical_url=url, title=f"第{n}条", text=text, source=source, language="zh")
            made.published_on = "2025-01-02"
            items.append(Processed(n, source, f"e{n}", explain.stage(classifier.classify(made))))
        assert Writer(database).store(items).failed == []
    return classifier


def run(path: Path, folder: Path, *arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(command, [*arguments, "--db", str(path), "--config", str(folder), "--workers", "1"])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [("    - 优化制造业外贸金融供给\n", f"    - 优化制造业外贸金融供给\n    - {WORD}\n"), ("    - 贸易融资\n", "")],
)
def test_one_term_changed(tmp_path: Path, change: tuple[str, str]) -> None:
    path = tmp_path / "x.db"
    before = store(path, configuration.load(folder_with(tmp_path / "before", None)), TEXTS)
    folder = folder_with(tmp_path / "after", change)
    after = make_classifier(configuration.load(folder))
    assert before.id != after.id
    with contextlib.closing(db.connect(path)) as database:
        expected = {}
        for (fetch,) in database.conn.execute("select fetch from observations").fetchall():
            held = verdicts.document_of(database, fetch)
            assert held is not None
            was = {t.id for t in held.tasks}, held.relevant
            now = after.classify(held)
            said = {t.id for t in now.tasks}, now.relevant
            if said != was:
                expected[now.id] = (sorted(said[0] - was[0]), sorted(was[0] - said[0]))
    assert expected, "the change moves something, else this proves nothing"
    code, out, err = run(path, folder, "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    moved = {
        m["id"]: ([t for t in m["gained"] if "/" not in t], [t for t in m["lost"] if "/" not in t])
        for m in found["matrix"]["moved"]
    }
    assert {k: v for k, v in moved.items() if v != ([], [])} == {k: v for k, v in expected.items() if v != ([], [])}
    assert expected.keys() <= moved.keys()
    assert (found["read"], found["switched"], found["classifier"]) == (len(TEXTS), False, after.id)
    code, _, err = run(path, folder, "--switch")
    assert (code, "these labels count now" in err) == (0, True)
    with contextlib.closing(db.connect(path)) as database:
        assert {r[0] for r in database.conn.execute("select classifier from documents")} == {after.id}
    code, _, err = run(path, folder, "--prune")
    assert (code, f"labels of the classifier {before.id}" in err) == (0, True)
    code, _, err = run(path, folder)
    assert (code, "there is nothing to switch" in err) == (0, True)


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    path, folder = tmp_path / "x.db", folder_with(tmp_path / "c", None)
    code, _, err = run(path, folder)
    assert (code, "there is no database" in err) == (2, True)
    store(path, configuration.load(folder), TEXTS[-2:])
    code, _, err = run(path, folder_with(tmp_path / "d", ("    - 贸易融资\n", "")), "--switch")
    assert (code, "has no finished pass to switch to" in err) == (1, True)
    code, _, err = run(path, folder, "--prune", "--yes")
    assert (code, "--prune goes alone" in err) == (2, True)
