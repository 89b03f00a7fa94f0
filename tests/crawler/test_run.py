"""The commands that crawl: refusals with one sentence, ends that are clean, the same rows by every way in."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines import archive
from tests.crawler.conftest import ROOT


def environment(folder: Path, **more: str) -> dict[str, str]:
    env = {
        k: v for k, v in os.environ.items() if not k.startswith("CIRCULARWATCH_") and not k.lower().endswith("_proxy")
    }
    return env | {"CIRCULARWATCH_DB": str(folder / "c.db"), "CIRCULARWATCH_DELAY": "0", "PYTHONPATH": str(ROOT)} | more


def run(*args: str, env: dict[str, str], timeout: float = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *args], env=env, cwd=ROOT, text=True, capture_output=True, timeout=timeout, check=False
    )


@pytest.fixture(scope="module")
def imitation() -> Iterator[dict[str, str]]:
    from tests.web import ImitationWeb

    with ImitationWeb() as web:
        more = {"CIRCULARWATCH_PROXY": web.proxy, "CIRCULARWATCH_CA_FILE": str(web.ca_file)}
        yield more | {"CIRCULARWATCH_CONTACT": "tests@example.org"}


@pytest.mark.parametrize("command", [["crawler", "crawl", "trulynews"], ["crawler.run", "--sources", "trulynews"]])
def test_without_a_contact_a_live_crawl_refuses_to_start(command: list[str], tmp_path: Path) -> None:
    done = run("-m", *command, env=environment(tmp_path))
    assert done.returncode == 2
    sentences = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(sentences) == 1
    assert "no contact address is set" in sentences[0]
    assert list(tmp_path.iterdir()) == []


def test_a_back_fill_to_no_date_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    done = run("-m", "crawler.run", "--sources", "ce_epaper", "--since", "spring", env=environment(tmp_path))
    assert done.returncode == 2
    assert "'spring' is not a date; write YYYY-MM-DD" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_spider_class_that_does_not_exist_is_refused_in_one_sentence(tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "conf"
    shutil.copytree(ROOT / "tests" / "config" / "fixtures" / "small", folder)
    text = (
        (folder / "sources.yaml")
        .read_text("utf-8")
        .replace("  kind: html-list", "  kind: html-list\n  spider: custom:NfrSpider")
    )
    (folder / "sources.yaml").write_text(text, "utf-8")
    env = environment(tmp_path, CIRCULARWATCH_CONFIG=str(folder))
    done = run("-m", "crawler.run", "--sources", "ministry", env=env)
    assert done.returncode == 2
    assert "ministry: spider: there is no class 'NfrSpider'; did you mean 'NfraSpider'?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["crawler", "crawl", "trulynewz"], ["crawler.run", "--sources", "trulynewz"]])
def test_an_unknown_source_is_refused_with_the_nearest_name(command: list[str], tmp_path: Path) -> None:
    done = run("-m", *command, env=environment(tmp_path, CIRCULARWATCH_CONTACT="tests@example.org"))
    assert done.returncode == 2
    assert "trulynews" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_refused_with_its_name(tmp_path: Path) -> None:
    done = run("-m", "crawler.run", env=environment(tmp_path, CIRCULARWATCH_DELAY="soon"))
    assert done.returncode == 2
    assert "CIRCULARWATCH_DELAY" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_crawl_prints_a_line_per_source_and_leaves_documents(imitation: dict[str, str], tmp_path: Path) -> None:
    done = run("-m", "crawler", "crawl", "trulynews", "pboc_rss", "--json", env=environment(tmp_path, **imitation))
    lines = {line["source"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert set(lines) == {"trulynews", "pboc_rss"}
    assert all(line["state"] == "done" and line["documents"] > 0 for line in lines.values())
    opened = sqlite3.connect(tmp_path / "c.db")
    assert opened.execute("select count(*) from documents").fetchone()[0] > 0
    assert opened.execute("select count(*) from fetches where state = 'pending'").fetchone()[0] == 0
    assert {r[0] for r in opened.execute("select state from source_runs").fetchall()} == {"done"}


def test_scrapy_crawl_leaves_the_same_rows(imitation: dict[str, str], tmp_path: Path) -> None:
    ours, scrapys = tmp_path / "ours", tmp_path / "scrapys"
    run("-m", "crawler", "crawl", "pboc_rss", "--json", env=environment(ours, **imitation))
    done = run("-m", "scrapy", "crawl", "pboc_rss", env=environment(scrapys, **imitation))
    assert done.returncode == 0
    columns = "id, identity, url, title, text, published_on, relevant"
    rows = [
        sqlite3.connect(f / "c.db").execute(f"select {columns} from documents order by id").fetchall()
        for f in (ours, scrapys)
    ]
    assert rows[0] == rows[1] != []


def child(folder: Path, imitation: dict[str, str], *more: str) -> subprocess.Popen[str]:
    """A crawl of one source that is polite, so that there is time to disturb it."""
    env = environment(folder, **imitation) | {"CIRCULARWATCH_DELAY": "0.3"}
    arguments = ["-m", "crawler.run", "--sources", "pboc_lists", "--json-progress", *more]
    return subprocess.Popen(
        [sys.executable, *arguments], env=env, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def wait_for_documents(folder: Path, count: int, process: subprocess.Popen[Any]) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if (folder / "c.db").exists():
            with contextlib.suppress(sqlite3.OperationalError), sqlite3.connect(folder / "c.db") as opened:
                if opened.execute("select count(*) from fetches").fetchone()[0] >= count:
                    return
        time.sleep(0.05)
    raise AssertionError(f"the crawl ended ({process.poll()}) before it was disturbed")


def test_the_child_ends_when_its_parent_does(imitation: dict[str, str], tmp_path: Path) -> None:
    process = child(tmp_path, imitation, "--until-stdin-closes")
    wait_for_documents(tmp_path, 3, process)
    assert process.stdin is not None
    process.stdin.close()
    process.stdin = None
    began = time.monotonic()
    process.communicate(timeout=30)
    assert time.monotonic() - began < 10
    opened = sqlite3.connect(tmp_path / "c.db")
    assert [r[0] for r in opened.execute("select state from source_runs").fetchall()] == ["stopped"]


def test_an_interrupted_crawl_command_ends_both_halves_and_the_next_goes_on(
    imitation: dict[str, str], tmp_path: Path
) -> None:
    env = environment(tmp_path, **imitation) | {"CIRCULARWATCH_DELAY": "0.3"}
    command = [sys.executable, "-m", "crawler", "crawl", "pboc_rss"]
    process = subprocess.Popen(command, env=env, cwd=ROOT, text=True, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    wait_for_documents(tmp_path, 3, process)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert time.monotonic() - began < 20
    assert process.returncode == 130
    assert "Traceback" not in errors
    done = run("-m", "crawler", "crawl", "pboc_rss", env=environment(tmp_path, **imitation))
    assert done.returncode == 0
    opened = sqlite3.connect(tmp_path / "c.db")
    states = opened.execute("select state, count(*) from entries group by 1").fetchall()
    assert [s for s, _ in states] == ["done"]
    fetched = opened.execute("select url, count(*) from fetches where kind = 'document' and outcome = 'ok' group by 1")
    assert {n for _, n in fetched.fetchall()} == {1}
    assert list(archive.events(tmp_path / "archive")) != []
