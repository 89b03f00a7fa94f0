"""`process` and `rebuild` as a person calls them: what they print, their status, one sentence for each fault."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest

import config as configuration
import db
from crawler.cli import cli
from crawler.cli.common import run
from db import journal
from db.tables import sync
from pipelines.processor import lock
from tests.db.helpers import exchange
from tests.pipelines import warcs


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CIRCULARWATCH_DB", str(tmp_path / "x.db"))
    monkeypatch.setenv("CIRCULARWATCH_ARCHIVE", str(tmp_path / "archive"))
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = run(cli, arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_nothing_pending_is_done(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "process")
    assert (status, out) == (0, "")
    assert "0 read" in err
    status, out, err = call(capsys, "process", "--json")
    assert (status, json.loads(out)["read"], err) == (0, 0, "")


def test_a_document_that_cannot_be_read_is_named_and_the_status_is_one(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events: list[journal.Event] = [exchange(1, entry="e", source="nobody", url="https://nobody.example/1")]
    with contextlib.closing(db.connect(place / "x.db")) as database:
        sync(database, configuration.load())
        journal.apply(database, warcs.write(place / "archive", "2026/01/20260101T000000Z-s.warc.gz", events))
    status, _, err = call(capsys, "process", "--workers", "1")
    assert status == 1
    assert "not read: https://nobody.example/1: the source 'nobody' is not configured any more" in err


def test_rebuild_says_what_it_did(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    warcs.write(place / "archive", "2026/01/20260101T000000Z-s.warc.gz", [exchange(1, "not-found", entry="e")])
    status, out, err = call(capsys, "rebuild", "--json", "--workers", "1")
    values = json.loads(out)
    assert (status, values["events"], values["documents"], values["losses"]) == (0, 1, 0, [])
    assert "1 events replayed" in err


@pytest.mark.parametrize("command", ["process", "rebuild"])
@pytest.mark.parametrize("fault", ["newer", "no database", "folder", "busy"])
def test_faults_are_one_sentence(place: Path, capsys: pytest.CaptureFixture[str], command: str, fault: str) -> None:
    path, said = place / "x.db", ""
    warcs.write(place / "archive", "2026/01/20260101T000000Z-s.warc.gz", [exchange(1, "timeout", entry="e")])
    with contextlib.ExitStack() as stack:
        if fault == "newer":
            db.connect(path).close()
            with contextlib.closing(sqlite3.connect(path)) as conn:
                conn.execute("pragma user_version = 999")
            said = "newer circularwatch"
        elif fault == "no database":
            path.write_text("no database\n" * 200)
            said = "not a usable SQLite database"
        elif fault == "folder":
            path.mkdir()
            said = "x.db"
        else:
            stack.enter_context(lock(path))
            said = "Another processor"
        if command == "rebuild" and fault == "no database":
            pytest.skip("a damaged database is what rebuild is for; see test_processor_rebuild")
        status, out, err = call(capsys, command)
    assert (status in (1, 2), out) == (True, "")
    lines = [line for line in err.splitlines() if line.startswith("circularwatch: ")]
    assert len(lines) == 1, err
    assert said in lines[0]
    assert "Traceback" not in err


def test_rebuild_without_an_archive(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = call(capsys, "rebuild")
    assert (status, "There is no archive in" in err) == (1, True)
    assert not (place / "x.db").exists()
