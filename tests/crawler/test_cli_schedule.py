"""`circularwatch schedule` as people call it: the database that was named is the one that is meant, now and after a reload."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from crawler.cli import schedule


@pytest.mark.parametrize("words", [["--db", "other.db", "status"], ["--json", "resume", "--all"]])
def test_an_option_before_the_command_is_refused_and_not_dropped(words: list[str]) -> None:
    result: Any = CliRunner().invoke(schedule.command, words)
    assert result.exit_code == 2
    assert (
        f"{words[0]} must stand behind the command: circularwatch schedule {words[-2 + (words[-1] == 'status')]}"
        in result.output
    )


def test_a_changed_configuration_is_read_with_the_database_that_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, str] = {}

    def supervise(parts: Any, config: Any, env: dict[str, str], **_: Any) -> int:
        given.update(env)
        return 0

    monkeypatch.setattr("crawler.schedule.supervisor.supervise", supervise)
    monkeypatch.setenv("CIRCULARWATCH_CONTACT", "tests@example.org")
    monkeypatch.delenv("CIRCULARWATCH_DB", raising=False)
    path = tmp_path / "named.db"
    result: Any = CliRunner().invoke(schedule.command, ["--db", str(path)], standalone_mode=False)
    assert result.exception is None and result.return_value == 0
    assert given["CIRCULARWATCH_DB"] == str(path)
