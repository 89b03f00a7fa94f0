"""A crawl in a process of its own: what it says, its bounds, its end."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from crawler.schedule import children
from crawler.schedule.children import Bounds, Crawl, End


def crawl(code: str, tmp_path: Path, *, seconds: float = 60.0) -> tuple[Crawl, list[str]]:
    said: list[str] = []
    script = tmp_path / "child.py"
    script.write_text(code, encoding="utf-8")
    return Crawl("s", [sys.executable, str(script)], Bounds(seconds), said.append), said


def run(code: str, tmp_path: Path, **bounds: float) -> tuple[End, list[str]]:
    it, said = crawl(code, tmp_path, **bounds)
    return asyncio.run(it.run()), said


START = (
    "import json, sys, time, signal\nprint(json.dumps({'event': 'start', 'run': 'r1', 'source': 's'}), flush=True)\n"
)


def test_what_it_says_is_kept(tmp_path: Path) -> None:
    end, said = run(
        START + "print(json.dumps({'event': 'end', 'source': 's', 'state': 'done', 'outcome': 'ok', 'failures': []}))\n"
        "print('something else'); print('a warning', file=sys.stderr); print('123'); print('[]')",
        tmp_path,
    )
    assert (end.status, end.run, end.told["state"], end.stopped_for) == (0, "r1", "done", "")
    assert sorted(said) == ["s: 123", "s: []", "s: a warning", "s: something else"]


def test_an_endless_crawl_is_ended_at_its_limit(tmp_path: Path) -> None:
    end, _ = run(START + "time.sleep(600)", tmp_path, seconds=1.0)
    assert end.status == -signal.SIGTERM
    assert "the limit (crawl_minutes)" in end.reason


def test_one_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "STOP_S", 0.5)
    end, _ = run(
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + START + "time.sleep(600)",
        tmp_path,
        seconds=2.0,
    )
    assert end.status == -signal.SIGKILL
    assert "the limit" in end.reason


def test_stop_says_why(tmp_path: Path) -> None:
    async def main() -> End:
        it, _ = crawl(START + "time.sleep(600)", tmp_path)
        task = asyncio.create_task(it.run())
        while not it.run_id:
            await asyncio.sleep(0.02)
        it.stop("stopped with the service")
        it.stop("another reason")
        return await task

    end = asyncio.run(main())
    assert (end.reason, end.run) == ("stopped with the service", "r1")


def test_stop_before_it_has_begun(tmp_path: Path) -> None:
    async def main() -> End:
        it, _ = crawl("import time; time.sleep(600)", tmp_path)
        it.stop("stopped with the service")
        return await it.run()

    assert asyncio.run(main()).reason == "stopped with the service"


def test_memory_is_named_as_the_reason(tmp_path: Path) -> None:
    end, _ = run(
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (400 * 2**20,) * 2)\nx = bytearray(900 * 2**20)",
        tmp_path,
    )
    assert "crawl_memory_mb" in end.reason


@pytest.mark.parametrize(("code", "words"), [
    ("import sys; print('circularwatch: no contact address is set', file=sys.stderr); sys.exit(2)", "status 2 before it could begin: no contact"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
])  # fmt: skip
def test_the_reason_of_one_that_could_not_begin(code: str, words: str, tmp_path: Path) -> None:
    end, _ = run(code, tmp_path)
    assert end.run == ""
    assert words in end.reason


def test_lines_of_any_length_do_not_disturb(tmp_path: Path) -> None:
    end, _ = run(START + "sys.stderr.write('x' * 9_000_000 + '\\n'); sys.stdout.write('y' * 9_000_000 + '\\n')\n"
                 "print(json.dumps({'event': 'end', 'source': 's', 'state': 'done'}))", tmp_path)  # fmt: skip
    assert end.told["state"] == "done"


def test_a_child_that_leaves_its_pipes_open_does_not_hold_the_place(tmp_path: Path) -> None:
    end, _ = run(
        "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(20)'])\n", tmp_path
    )
    assert end.status == 0
    assert end.seconds < 15


def test_a_command_that_cannot_be_started() -> None:
    with pytest.raises(OSError, match="no-such-program"):
        asyncio.run(Crawl("s", ["/no-such-program"], Bounds(), print).run())
