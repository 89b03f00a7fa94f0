"""Every example of the README runs, in the order in which a reader would type it."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.house import House
from tests.web import ImitationWeb

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = [
    line.removeprefix("$ ").split("  #")[0].strip()
    for block in re.findall(r"```console\n(.*?)```", README, re.S)
    for line in block.splitlines()
    if line.startswith("$ ")
]
COMMANDS = [line for line in LINES if line.startswith("circularwatch ")]
# what a person answers at the prompts: contact, zone, recipient; no test message
ANSWERS = {"circularwatch init": "desk@example.org\nAsia/Shanghai\n\nn\n"}
# a database that holds nothing to send, or a schedule that was never started, is said with status 1
MAY_FAIL = ("circularwatch schedule status", "circularwatch alerts send", "circularwatch doctor")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("reader")
    page = ROOT / "tests" / "pipelines" / "fixtures" / "pages" / "ndrc"
    source = next((p for p in page.rglob("input.html")), None) if page.exists() else None
    html = (
        source.read_text(encoding="utf-8")
        if source
        else "<html><h1>关于设备更新贷款的通知</h1><p>正文很长。</p></html>"
    )
    (folder / "page.html").write_text(html, encoding="utf-8")
    (folder / "documents.jsonl").write_text(
        '{"id": "1", "title": "银行加大设备更新贷款投放", "text": "银行向制造企业发放技术改造贷款三十亿元。"}\n',
        encoding="utf-8",
    )
    with ImitationWeb(filler=True) as web:
        house = House(web, folder)
        house.run("crawl", "trulynews", "pboc_rss")
        yield house


def test_every_example_runs(house: House) -> None:
    for line in COMMANDS:
        words = shlex.split(line.split(" > ")[0])[1:]
        if words[0] == "up":
            runs_until_stopped(house, words)
            continue
        done = subprocess.run(
            house.command(*words), cwd=house.folder, env=house.env, capture_output=True, text=True, timeout=240,
            input=ANSWERS.get(line, ""),
        )  # fmt: skip
        allowed = (0, 1) if line in MAY_FAIL else (0,)
        assert done.returncode in allowed, f"{line}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr, f"{line}\n{done.stderr}"


def runs_until_stopped(house: House, words: list[str]) -> None:
    """The service starts, goes on, and ends cleanly when it is told to."""
    process = subprocess.Popen(
        house.command(*words, "--port", "0"), cwd=house.folder, env=house.env, stderr=subprocess.PIPE, text=True
    )
    time.sleep(4)
    assert process.poll() is None, process.stderr.read() if process.stderr else ""
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors, errors


def test_examples_were_found() -> None:
    assert len(COMMANDS) >= 15


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("make ")])
def test_make_targets_exist(line: str) -> None:
    target = line.split()[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([\w./-]+)\)", README))))
def test_linked_files_exist(path: str) -> None:
    assert (ROOT / path).exists()
