"""Training: what it reads, that it is reproducible, and that a worse model is not promoted."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import config
from config.taxonomy import load_taxonomy
from db.documents import Document
from pipelines.classify import Classifier, passages, promoting, training
from pipelines.classify.concepts import load_concepts
from pipelines.classify.model import FILES, ModelError, load_model, logits, opine, summarise

CONFIG = Path(str(config.__file__)).parent
TASKS = ["supply-chain-security", "foreign-trade"]


def write(folder: Path, *rows: Any) -> Path:
    (folder / "some.jsonl").write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows), "utf-8")
    return folder


# reading passages ----------------------------------------------------------------------------------------------------


def test_passage_of_one_task(tmp_path: Path) -> None:
    row = {"text": "银行放款", "lang": "zh", "task": "foreign-trade", "label": 1, "style": "news", "note": ""}
    (example,) = training.read_examples(write(tmp_path, row), TASKS)
    assert example.known["foreign-trade"] == (True, 1.0)
    assert example.known["supply-chain-security"] == (False, training.UNSAID)
    assert example.known["relevant"] == (True, 1.0)


def test_look_alike_of_one_task(tmp_path: Path) -> None:
    row = {"text": "银行放款", "lang": "zh", "task": "foreign-trade", "label": 0}
    (example,) = training.read_examples(write(tmp_path, row), TASKS)
    assert example.known["foreign-trade"] == (False, 1.0)
    assert example.known["relevant"] == (False, training.UNSAID)


def test_document_with_all_its_tasks(tmp_path: Path) -> None:
    row = {"text": "a", "lang": "en", "labels": ["foreign-trade"], "relevant": True, "title": "t"}
    (example,) = training.read_examples(write(tmp_path, row), TASKS)
    assert example.known == {
        "foreign-trade": (True, 1.0),
        "supply-chain-security": (False, 1.0),
        "relevant": (True, 1.0),
    }


def test_document_labelled_by_paragraph(tmp_path: Path) -> None:
    row = {"lines": [["One.", []], ["Two.", ["foreign-trade"]]], "lang": "en", "relevant": True, "title": "t"}
    (example,) = training.read_examples(write(tmp_path, row), TASKS)
    assert example.text == "One.\nTwo."
    assert [known["foreign-trade"][0] for known in example.lines] == [False, True]


def test_same_text_counts_once(tmp_path: Path) -> None:
    row = {"text": "a b", "lang": "en", "labels": []}
    assert len(training.read_examples(write(tmp_path, row, row), TASKS)) == 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "some.jsonl, line 1: not JSON"),
        ({"text": "", "lang": "en", "labels": []}, "some.jsonl, line 1: it needs a 'text'"),
        ({"text": "a", "lang": "fr", "labels": []}, "line 1"),
        ({"text": "a", "lang": "en", "labels": ["foreign-trad"]}, "there is no task 'foreign-trad'"),
        ({"lines": [["a", ["x"]]], "lang": "en"}, "there is no task 'x'"),
    ],
)
def test_bad_line_is_named(tmp_path: Path, row: Any, said: str) -> None:
    with pytest.raises(training.TrainingError, match=said):
        training.read_examples(write(tmp_path, row), TASKS)


def test_the_project_own_passages_are_readable() -> None:
    taxonomy = load_taxonomy(CONFIG)
    tasks = [t.id for t in taxonomy.tasks]
    examples = training.read_examples(CONFIG / "training", tasks)
    for language in ("zh", "en"):
        part = [e for e in examples if e.language == language]
        assert sum(not e.lines and not any(v[0] for v in e.known.values()) for e in part) >= 60


# training ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    lines = (CONFIG / "training" / "documents.jsonl").read_text("utf-8").splitlines()[::6]
    (folder / "documents.jsonl").write_text("\n".join(lines), "utf-8")
    return folder


def train(folder: Path, source: Path, target: Path, gold: Any = None, force: bool = False) -> dict[str, Any]:
    return promoting.train(load_taxonomy(CONFIG), folder, source, target, gold, force, lambda _: None)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    shutil.copy(CONFIG / "model" / "concepts.yaml", folder)
    return folder


def test_same_passages_same_bytes(small: Path, source: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert train(small, source, one)["promoted"]
    assert train(small, source, two)["promoted"]
    for name in FILES:
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_worse_model_is_refused_and_says_by_how_much(small: Path, source: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    train(small, source, model)
    meta = json.loads((model / "model.json").read_text("utf-8"))
    meta["figures"]["put_aside_macro_f1"] = 0.999
    (model / "model.json").write_text(json.dumps(meta), "utf-8")
    before = (model / "weights.npz").read_bytes()
    result = train(small, model, model)
    assert not result["promoted"]
    assert "worse by 0." in result["reason"]
    assert (model / "weights.npz").read_bytes() == before
    assert train(small, model, model, force=True)["promoted"]


def test_calibration_is_fitted_on_labelled_documents(small: Path, source: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (small / "documents.jsonl").read_text("utf-8").splitlines()]
    gold = [
        {
            "id": str(i),
            "language": r["lang"],
            "title": r["title"],
            "text": r["text"],
            "labels": r["labels"],
            "relevant": r["relevant"],
        }
        for i, r in enumerate(rows)
    ]
    result = train(small, source, tmp_path / "model", gold)
    assert result["calibration_documents"] == len(gold)
    assert 0.5 < result["all_macro_f1"] <= 1
    assert load_model(tmp_path / "model").thresholds.keys() >= {"relevant", "foreign-trade"}


# the model -----------------------------------------------------------------------------------------------------------


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"concepts\.yaml, weights\.npz, model\.json.*circularwatch train"):
        load_model(tmp_path)


def test_changed_ideas_need_training(tmp_path: Path) -> None:
    for name in FILES:
        shutil.copy(CONFIG / "model" / name, tmp_path)
    text = (tmp_path / "concepts.yaml").read_text("utf-8")
    (tmp_path / "concepts.yaml").write_text(
        text.replace("concepts:\n", "concepts:\n  aaa: {zh: [新], en: [new]}\n", 1), "utf-8"
    )
    with pytest.raises(ModelError, match="changed after training"):
        load_model(tmp_path)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(load_taxonomy(CONFIG))


def sheet(classifier: Classifier, text: str) -> passages.Sheet:
    assert classifier.model
    return passages.make_sheet(classifier.model.concepts, classifier.read(Document(text=text)))


TEXT = "机床厂从银行借到十年期贷款。信保给出口订单保了险。农户种粮。天气很好。产业链上的小厂凭订单融资。"


def test_rows_of_a_sentence_do_not_depend_on_the_encoder_batch(classifier: Classifier) -> None:
    assert classifier.model
    all_at_once, one_by_one = sheet(classifier, TEXT), sheet(classifier, TEXT)
    passages.add_vectors(all_at_once)
    for i in range(one_by_one.sentences):
        passages.add_vectors(one_by_one, np.array([i]))
    assert all_at_once.vectors is not None
    assert np.abs(all_at_once.vectors - one_by_one.vectors).max() < 1e-4


def test_training_row_and_reading_agree(classifier: Classifier) -> None:
    assert classifier.model
    read = sheet(classifier, TEXT)
    which, values = passages.gram_row(read, (1, 3))
    one = values @ classifier.model.grams[which]
    two = passages.gram_scores(read, np.array([[1, 3]]), classifier.model.grams)[0]
    assert np.allclose(one, two, atol=1e-3)


def test_irrelevant_text_never_reaches_the_encoder(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: list[str]) -> None:
        raise AssertionError("the encoder was asked")

    monkeypatch.setattr(passages, "embed", fail)
    assert classifier.model
    opinion = opine(classifier.model, sheet(classifier, "周末天气晴好，市民游园赏花。博物馆免费开放。"))
    assert opinion.read == "cheap"
    assert opinion.relevance == 0


def test_passages_stay_within_their_field(classifier: Classifier) -> None:
    assert classifier.model
    document = Document(title="标题一句话。", text="正文第一句话。正文第二句话。")
    read = passages.make_sheet(classifier.model.concepts, classifier.read(document))
    assert [tuple(map(int, s)) for s in passages.cut(read)] == [(0, 1), (1, 2), (2, 3), (1, 3)]


def test_summary_has_a_row_for_every_output(classifier: Classifier) -> None:
    assert classifier.model
    by_passage, document, _ = logits(classifier.model, sheet(classifier, TEXT))
    assert summarise(by_passage, document).shape == (len(classifier.model.concepts.tasks) + 1, 6)


# what comes with the project -------------------------------------------------------------------------------------------


def test_the_model_was_made_of_the_passages_and_documents_beside_it() -> None:
    """Whoever changes these runs `circularwatch train`, which gives the same bytes everywhere."""
    concepts = load_concepts(CONFIG / "model" / "concepts.yaml")
    meta = json.loads((CONFIG / "model" / "model.json").read_text("utf-8"))
    assert meta["learned_from"] == training.digest(training.read_examples(CONFIG / "training", concepts.tasks))
    gold = [json.loads(line) for line in (CONFIG / "calibration.jsonl").read_text("utf-8").splitlines()]
    assert meta["figures"]["calibrated_on"] == promoting.digest(gold)


def test_nothing_is_learned_from_the_documents_that_calibrate() -> None:
    concepts = load_concepts(CONFIG / "model" / "concepts.yaml")
    learned = "\n".join(e.title + "\n" + e.text for e in training.read_examples(CONFIG / "training", concepts.tasks))
    for line in (CONFIG / "calibration.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        longest = max(row["text"].split("\n"), key=len)
        assert longest not in learned and row["title"] not in learned.split("\n")


def test_calibration_has_every_task_in_both_languages() -> None:
    rows = [json.loads(line) for line in (CONFIG / "calibration.jsonl").read_text("utf-8").splitlines()]
    counted = Counter((r["language"], t) for r in rows for t in r["labels"])
    tasks = {t for _, t in counted}
    assert len(tasks) >= 11 and all(counted[lang, t] >= 8 for lang in ("zh", "en") for t in tasks)
    assert len({r["id"] for r in rows}) == len(rows)
