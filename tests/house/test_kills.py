"""kill -9 in the middle of the work: nothing lost, nothing twice, no repair (`python -m tests.house.kills 50` for more)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.kills import trials


@pytest.mark.slow
def test_killed_at_random_moments(tmp_path: Path) -> None:
    trials(tmp_path, count=3, seed=20261125)
