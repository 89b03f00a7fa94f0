"""Parts of the service: started again later each time, and with a changed configuration; orphans end."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import config
from crawler.schedule.supervisor import Part, Supervisor
from tests.house.house import House
from tests.house.service import Service, done
from tests.web import ImitationWeb


class Heard:
    """Stands for Talk: keeps what is told."""

    as_json = False

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    def __call__(self, line: str, **facts: Any) -> None:
        self.said.append({"text": line} | facts)

    def of(self, event: str) -> list[dict[str, Any]]:
        return [s for s in self.said if s.get("event") == event]


def supervise(parts: list[Part], until: Any, monkeypatch: pytest.MonkeyPatch, limit: float = 60.0) -> tuple[int, Heard]:
    heard = Heard()
    loaded = config.load(None, {})

    async def main() -> int:
        supervisor = Supervisor(parts, loaded, {}, heard)  # type: ignore[arg-type]
        task = asyncio.create_task(supervisor.run())
        waited = 0.0
        while not until(heard):
            await asyncio.sleep(0.05)
            waited += 0.05
            assert waited < limit, heard.said
        supervisor.stopping.set()
        return await task

    return asyncio.run(main()), heard


def test_a_part_that_cannot_live_is_started_again_later_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.schedule.supervisor.FIRST_BACKOFF_S", 0.1)
    parts = [Part("short", ["no-such-command"])]
    status, heard = supervise(parts, lambda h: len(h.of("restart")) == 4, monkeypatch)
    assert [r["pause_s"] for r in heard.of("restart")] == [0.1, 0.2, 0.4, 0.8]
    assert {r["status"] for r in heard.of("restart")} == {2}
    assert "there is no command 'no-such-command'" in heard.of("restart")[0]["text"]
    assert status == 0


def test_one_that_dies_does_not_disturb_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("crawler.schedule.supervisor.FIRST_BACKOFF_S", 0.1)
    monkeypatch.setenv("CIRCULARWATCH_DB", str(tmp_path / "c.db"))
    parts = [Part("short", ["no-such-command"]), Part("process", ["process", "--follow"])]
    status, heard = supervise(parts, lambda h: len(h.of("restart")) >= 4, monkeypatch)
    assert [s["part"] for s in heard.of("started")].count("process") == 1
    assert status == 0


def test_a_part_without_its_service_ends(tmp_path: Path) -> None:
    env = os.environ | {"CIRCULARWATCH_DB": str(tmp_path / "c.db")}
    part = subprocess.Popen(
        [sys.executable, "-m", "crawler.schedule.part", "process", "--follow"],
        env=env,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert part.stdin is not None
    assert part.stderr is not None
    with pytest.raises(subprocess.TimeoutExpired):
        part.wait(3)
    part.stdin.close()
    assert part.wait(30) in (0, 1)
    part.stderr.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with ImitationWeb(filler=True) as web:
        yield House(web, tmp_path)


@pytest.mark.slow
def test_a_changed_configuration_reaches_every_part(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "config"
    shutil.copytree(
        Path(config.__file__).parent, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__", "training")
    )
    service = Service(
        house, "up", "--no-serve", "--every", "4", "--only", "trulynews,pboc_lists", "--config", str(folder)
    )
    try:
        service.wait(lambda: len(done(house)) == 2, "a crawl of each source")
        sources = folder / "sources.yaml"
        good = sources.read_text("utf-8")
        sources.write_text(good + "\nsuorces: []\n", encoding="utf-8")
        service.wait(lambda: "the old one stays" in service.said(), "word of the fault")
        before = done(house)
        service.wait(lambda: all(done(house)[n] > before[n] for n in before), "crawls with the old configuration")
        assert "start anew" not in service.said()
        head, _, tail = good.partition("- id: trulynews\n")
        sources.write_text(
            head + "- id: trulynews\n" + tail.replace("  enabled: true\n", "  enabled: false\n", 1), encoding="utf-8"
        )
        service.wait(
            lambda: "process, sender start anew with it" in service.said() and "1 gone" in service.said(), "the change"
        )
        before = done(house)
        service.wait(lambda: done(house)["pboc_lists"] >= before["pboc_lists"] + 3, "more crawls of the other")
        assert done(house)["trulynews"] <= before["trulynews"] + 1  # one may have been under way
        os.kill(service.process.pid, signal.SIGHUP)
        service.wait(lambda: service.said().count("process, sender start anew with it") == 2, "the hang-up")
        assert service.stop()[0] == 0
    finally:
        service.clear_away()
