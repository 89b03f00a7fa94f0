"""Damaged pages, lists and attachments through the real readers (`python -m tests.house.fuzz --minutes 60` is the long form).

CIRCULARWATCH_FUZZ=1000 makes the examples a thousand of each kind.
"""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.house import fuzz

EXAMPLES = int(os.environ.get("CIRCULARWATCH_FUZZ", "60"))
bound = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(set(fuzz.KINDS)))
def test_there_is_a_document_or_a_reason(kind: str) -> None:
    @bound
    @given(st.integers(0, 2**32))
    def damaged(number: int) -> None:
        fuzz.run(kind, random.Random(number), fuzz.seeds())

    damaged()


def test_a_case_is_its_number() -> None:
    assert fuzz.case(12) == fuzz.case(12)


def test_a_fault_that_the_chain_turns_into_a_reason_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise TypeError("broken on purpose")

    monkeypatch.setattr(fuzz.chain(), "stages", [("extract", broken)])
    with pytest.raises(AssertionError, match="broken on purpose"):
        fuzz.run("general", random.Random(1), fuzz.seeds())


def test_a_reader_that_dies_is_found(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(fuzz, "case", lambda number, more: os._exit(9) if number == 2 else "page: x ok")
    tally = fuzz.hour(0.02, 0, 1, "", print)
    assert [(number, "ended by itself" in words) for number, words in tally.findings] == [(2, True)]
    assert "--case 2" in capsys.readouterr().out
