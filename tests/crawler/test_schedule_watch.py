"""The watch over the configuration's files: what cannot be copied now is taken over later, and the watch goes on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import config
from crawler.schedule.watch import ConfigWatch

SMALL = Path(__file__).parents[1] / "config" / "fixtures" / "small"


def test_a_full_disk_does_not_end_the_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "conf"
    shutil.copytree(SMALL, folder)
    env = {"CIRCULARWATCH_DB": str(tmp_path / "data" / "c.db")}
    said: list[str] = []
    watch = ConfigWatch(config.load(folder, env), env, said.append, "test")
    (folder / "settings.yaml").write_text("contact: other@example.org\n", encoding="utf-8")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copytree", full)
        assert watch.look() is None
    assert "cannot be copied" in said[0] and watch.current.settings.contact == "desk@example.org"
    fresh = watch.look()
    assert fresh is not None and fresh.settings.contact == "other@example.org"
    watch.close()
