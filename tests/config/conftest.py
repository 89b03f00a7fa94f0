"""A small complete configuration that tests copy and break."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A private copy of the small configuration."""
    folder = tmp_path / "small"
    shutil.copytree(FIXTURES / "small", folder)
    return folder


@pytest.fixture
def change(small: Path) -> Callable[[str, str, str], Path]:
    """Replace a text that must be in one of its files; gives the folder."""

    def apply(file: str, old: str, new: str) -> Path:
        path = small / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}: mend the test"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return small

    return apply
